"""A run over a class: it can be stopped at any time, goes on, and loses nothing, whatever breaks."""

import asyncio
import csv
import functools
import multiprocessing
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import nbformat
import psutil
import pytest

from rsl_edu import cli
from rsl_edu.course.assignment import Assignment
from rsl_edu.course.grade import pages, run
from rsl_edu.course.grade.marking import Mark, Marks
from rsl_edu.course.grade.sandbox import Limits
from rsl_edu.sandbox.bwrap import SYSTEM

DOUBLE = "def double(number):\n    {}"
RIGHT = DOUBLE.format("return 2 * number")
CHECK = "assert double(2) == 4\n### BEGIN HIDDEN TESTS\nassert double({}) == {}\n### END HIDDEN TESTS"
THREAD = functools.partial(ThreadPoolExecutor, 1)


def save(path, cells):
    path.parent.mkdir(exist_ok=True)
    for place, cell in enumerate(cells):
        cell.id = str(place)  # not at random: what did not change has the same bytes
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)


def write_source(folder, number=3):
    """Write an assignment with one exercise."""
    answer = RIGHT.replace("return", "### BEGIN SOLUTION\n    return") + "\n    ### END SOLUTION"
    grade = {"grade": True, "grade_id": "double", "points": 2}
    cells = [
        nbformat.v4.new_code_cell(answer, metadata={"nbgrader": {"grade_id": "answer", "solution": True}}),
        nbformat.v4.new_code_cell(CHECK.format(number, 2 * number), metadata={"nbgrader": grade}),
    ]
    save(folder / "sources" / "doubling.ipynb", cells)


def submit(folder, **answers):
    for name, answer in answers.items():
        save(folder / "class" / f"{name}.ipynb", [nbformat.v4.new_code_cell(answer)])


def grade(folder, executor=THREAD, window=1, **options):
    source = Assignment.read(folder / "sources" / "doubling.ipynb")
    return run.grade(source, [folder / "class"], folder / "grades.csv", executor=executor, window=window, **options)


def table(folder):
    with (folder / "grades.csv").open(encoding="utf-8", newline="") as file:
        return {row["submission"]: row for row in csv.DictReader(file)}


def journal(folder):
    path = folder / "grades.journal.jsonl"
    return path.read_text("utf-8").splitlines() if path.exists() else []


@pytest.fixture
def four(tmp_path):
    """A folder with the assignment and four submissions, whose only cells say who they are."""
    write_source(tmp_path)
    submit(tmp_path, **{name: f"'{name}'" for name in "abcd"})
    return tmp_path


@pytest.fixture
def marked(monkeypatch):
    """Marks at once, without a sandbox, what was not graded before; the submissions that it marked."""
    names = []

    def mark(assignment, cells, box, limits):
        names.append(cells[0].strip("'"))
        return Marks((Mark("double", 2.0, None, "right."),), ())

    monkeypatch.setattr(run, "mark", mark)
    return names


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_after_a_stop_the_rest_is_graded(four, marked, error):
    seen = []

    def stop(row):
        seen.append(row.submission)
        if len(seen) == 2:
            raise error

    with pytest.raises(error):
        grade(four, each=stop, report=True)
    assert [*table(four)] == seen == marked == ["a", "b"]
    assert (four / "grades_report.html").exists()
    rows = grade(four, each=lambda row: seen.append(row.submission))
    assert marked == [row.submission for row in rows] == [*table(four)] == ["a", "b", "c", "d"]
    assert seen[2:] == ["a", "b", "c", "d"]
    assert len(journal(four)) == 4


def test_what_has_begun_when_it_is_stopped_is_kept(four, marked, monkeypatch, until):
    waited_for, stopped = set(), threading.Event()

    class Pool(ThreadPoolExecutor):
        def shutdown(self, *arguments, **options):
            stopped.set()
            super().shutdown(*arguments, **options)

    def wait(futures, wait=run.wait, **options):
        waited_for.update(futures)
        return wait(futures, **options)

    def mark(*arguments, mark=run.mark):
        if len(marked) == 1:
            until(lambda: len(waited_for) == 2)
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            until(stopped.is_set)
        return mark(*arguments)

    monkeypatch.setattr(run, "wait", wait)
    monkeypatch.setattr(run, "mark", mark)
    with pytest.raises(KeyboardInterrupt):
        grade(four, functools.partial(Pool, 1))
    assert [*table(four)] == ["a", "b"]
    grade(four)
    assert marked == ["a", "b", "c", "d"]


def test_only_what_changed_is_graded_again(four, marked):
    done, pages_of = [], four / "grades_feedback"
    grade(four)
    submit(four, a="'new'")
    assert [row.submission for row in grade(four, window=4, each=lambda row: done.append(row.submission))] == [*"abcd"]
    assert done == [*"bcda"]
    assert marked == [*"abcd", "new"]
    page = pages_of / pages.file_name("b")
    page.unlink()
    grade(four)
    assert page.exists()
    assert len(marked) == 5
    submit(four, a="'a'")  # as it was in the first run
    grade(four)
    assert len(marked) == 5
    write_source(four, number=5)
    grade(four)
    assert sorted(marked[5:]) == [*"abcd"]


def test_a_submission_that_breaks_the_grader_is_tried_again_and_the_others_are_graded(four, marked, monkeypatch):
    trap = four / "trap"
    trap.touch()

    def mark(assignment, cells, *others, mark=run.mark):
        if trap.exists() and cells == ["'b'"]:
            os.kill(os.getpid(), signal.SIGKILL)
        if trap.exists() and cells == ["'c'"]:
            raise OverflowError("too much")
        return mark(assignment, cells, *others)

    monkeypatch.setattr(run, "mark", mark)
    fork = functools.partial(ProcessPoolExecutor, 2, multiprocessing.get_context("fork"))  # it knows this mark
    grade(four, fork, window=3)
    again = "not graded, and tried again next time"
    assert {name: row["status"] for name, row in table(four).items()} == {
        "a": "graded",
        "b": f"{again}: it ends the grader's own process",
        "c": f"{again}: OverflowError: too much",
        "d": "graded",
    }
    assert "tried again next time" in (four / "grades_feedback" / pages.file_name("b")).read_text("utf-8")
    trap.unlink()
    grade(four)
    assert sorted(marked) == ["b", "c"]
    assert {row["status"] for row in table(four).values()} == {"graded"}
    assert "Not graded" not in (four / "grades_feedback" / pages.file_name("b")).read_text("utf-8")


# With real sandboxes --------------------------------------------------------------------------------------------------


def command(folder, *options):
    words = ["grade", "doubling", str(folder / "class"), f"--sources={folder / 'sources'}"]
    return [*words, f"--out={folder / 'grades.csv'}", *options]


def script(path, *lines):
    path.write_text("\n".join(("#!/bin/sh", *lines)))
    path.chmod(0o755)
    return path


WORKER = f'exec {shlex.quote(sys.executable)} -I "$box/worker.py"'
PLAIN = f"exec {shlex.join([sys.executable, '-S', str(Path(__file__).with_name('plain_worker.py'))])}"


def quoted(path):
    """A path in a command: folders have spaces."""
    return shlex.quote(str(path))


def run_in_threads(monkeypatch):
    monkeypatch.setattr(run, "processes", ThreadPoolExecutor)


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(bwrap, tmp_path, monkeypatch, capsys, until):
    write_source(tmp_path)
    submit(tmp_path, a=RIGHT, b=RIGHT, c=DOUBLE.format("return number"), d=RIGHT)
    begun, go = tmp_path / "begun", tmp_path / "go"
    first = f"mkdir {quoted(tmp_path / 'first')} 2>/dev/null && {PLAIN}"
    wait = f"while [ ! -e {quoted(go)} ]; do sleep 0.02; done"
    docker = script(tmp_path / "docker", first, f"touch {quoted(begun)}", wait, PLAIN)
    words = command(tmp_path, "--jobs=1", f"--sandbox={quoted(docker)}")
    process = subprocess.Popen(
        [Path(sys.executable).with_name("rsl-edu"), *words],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        until(begun.exists)
        until((tmp_path / "grades_feedback" / pages.file_name("a")).exists)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all its processes
        go.touch()
        said = process.communicate()[1]
    finally:
        process.kill()
    out = tmp_path / "grades.csv"
    assert said == f"Stopped; {out} has what is done, and the same command goes on.\n"
    assert process.returncode == 130
    before = journal(tmp_path)
    assert 2 <= len(before) == len(table(tmp_path)) < 4  # the second had begun
    run_in_threads(monkeypatch)
    assert cli.main(words) == 0
    assert len(journal(tmp_path)) == 4
    assert journal(tmp_path)[: len(before)] == before
    assert [(row["status"], row["total"]) for row in table(tmp_path).values()] == [
        ("graded", "2"),
        ("graded", "2"),
        ("graded", "0"),
        ("graded", "2"),
    ]
    assert capsys.readouterr().out == f"{out}: 4 submissions, 4 graded\n"


@pytest.fixture
def one(tmp_path, monkeypatch):
    """A folder with the assignment, a submission, and a folder ``bin`` for commands."""
    run_in_threads(monkeypatch)
    write_source(tmp_path)
    submit(tmp_path, ada=RIGHT)
    (tmp_path / "bin").mkdir()
    return tmp_path


REFUSE = ("echo 'bwrap: setting up uid map: Permission denied' >&2", "exit 1")


@pytest.mark.parametrize(
    ("name", "lines", "box", "says"),
    [
        ("none", (), (), "cannot run 'bwrap': No such file or directory"),
        ("bwrap", REFUSE, (), "bwrap: setting up uid map: Permission denied\nDocker and Kubernetes refuse it"),
        ("none", (), ("--sandbox", "dokcer run"), "cannot run 'dokcer': No such file or directory"),
        ("none", (), ("--sandbox", "docker 'run"), "cannot be read: No closing quotation"),
        ("docker", ("echo no such image: torch >&2", "exit 125"), ("--sandbox", "docker"), "no such image: torch"),
        ("docker", ("exit 0",), ("--sandbox", "docker"), "it ended without a word"),
        ("docker", ("echo hello",), ("--sandbox", "docker"), "hello"),
    ],
)
def test_without_a_sandbox_it_refuses_and_says_what_to_do(one, monkeypatch, capsys, name, lines, box, says):
    script(one / "bin" / name, *lines)
    monkeypatch.setenv("PATH", str(one / "bin"))
    with pytest.raises(SystemExit, match="2"):
        cli.main(command(one, *box))
    shown = capsys.readouterr().err
    for text in (says, "apt-get install bubblewrap", "--sandbox", "--unsafe"):
        assert text in shown
    assert not table(one)
    assert not journal(one)


def test_a_sandbox_that_fails_once_costs_no_points(one):
    fails = f"mkdir {quoted(one / 'failed')} 2>/dev/null && exit 1"
    docker = script(one / "docker", fails, "box=$1", WORKER)
    (row,) = grade(one, box=f"{quoted(docker)} {{box}}")
    assert row.status == "not graded, and tried again next time: RuntimeError: the sandbox ended its process"
    assert not journal(one)


def test_a_container_command_gets_the_worker_and_a_limit_of_time(one):
    docker = script(one / "docker", f'box=$1; shift; echo "$*" > {quoted(one / "asked")}', WORKER)
    (row,) = grade(one, box=f"{quoted(docker)} {{box}}", limits=Limits(wall=777))
    assert (row.status, row.total, row.safe) == ("graded", 2, True), row
    assert (one / "asked").read_text() == "timeout -s KILL 777 python3 -I /box/worker.py\n"


def impatient(monkeypatch, code):
    """The time of submissions with this code is up in their first cell."""

    def mark(assignment, cells, box, limits, mark=run.mark):
        return mark(assignment, cells, box, replace(limits, wall=0) if code in "".join(cells) else limits)

    monkeypatch.setattr(run, "mark", mark)


@pytest.mark.slow
def test_what_waits_is_not_graded_the_others_are_and_the_same_command_tries_it_again(bwrap, one, monkeypatch, capsys):
    shown, out = one / "shown", one / "grades.csv"
    shown.mkdir()
    monkeypatch.setattr("rsl_edu.sandbox.bwrap.SYSTEM", (*SYSTEM, str(shown)))
    waits = f"import os, time\nwhile not os.path.exists('{shown}/go'): time.sleep(0.02)\n{RIGHT}"
    submit(one, abe=waits)
    with monkeypatch.context() as patch:
        impatient(patch, waits)
        assert cli.main(command(one, "--report")) == 0
    says = "not graded, and tried again next time: after 0 s it was still in code cell 1, with 0.0 s of CPU time used"
    assert capsys.readouterr().out == f"{out}: 2 submissions, 1 graded\n  abe: {says}\n"
    rows = table(one)
    assert {name: (row["status"], row["total"], row["double"]) for name, row in rows.items()} == {
        "abe": (says, "", ""),
        "ada": ("graded", "2", "2"),
    }
    assert len(journal(one)) == 1
    page = one / "grades_feedback" / pages.file_name("abe")
    for text in (page.read_text("utf-8"), (one / "grades_report.html").read_text("utf-8")):
        assert says.removeprefix("not graded, and ") in text
    (shown / "go").touch()
    assert cli.main(command(one)) == 0
    assert {row["total"] for row in table(one).values()} == {"2"}
    assert len(journal(one)) == 2
    assert "Not graded" not in page.read_text("utf-8")


BURN = "import time\nbegin = time.monotonic(), time.process_time()\nwhile time.process_time() < begin[1] + 0.3: pass\n"
BURN += "while time.monotonic() < begin[0] + 1: time.sleep(0.01)"  # at least, however fast the machine is


@pytest.mark.slow
def test_a_right_answer_gets_its_points_on_a_busy_machine(bwrap, one):
    function = DOUBLE.format("\n    ".join([*BURN.splitlines(), "return 2 * number"]))
    submit(one, ada=f"{BURN}\n{function}")
    loops = [subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"]) for _ in range(4)]
    try:
        (row,) = grade(one, limits=Limits(cell=0.6, load=0.6, call=0.6, total=3))
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
    assert (row.status, row.total, row.notes) == ("graded", 2, ()), row


def test_unsafe_grades_and_says_so_everywhere(one, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(one / "bin"))
    assert cli.main(command(one, "--unsafe", "--report")) == 0
    assert capsys.readouterr().out == f"{one / 'grades.csv'}: 1 submission, 1 graded WITHOUT A SANDBOX\n"
    row = table(one)["ada"]
    assert (row["status"], row["total"]) == ("graded (unsafe: without a sandbox)", "2")
    for page in (one / "grades_feedback" / pages.file_name("ada"), one / "grades_report.html"):
        assert "these points may be forged" in page.read_text("utf-8")


def test_what_was_graded_unsafe_is_graded_again_in_a_sandbox(four, marked):
    assert not any(row.safe for row in grade(four, box="unsafe"))
    assert all(row.safe for row in grade(four))
    assert len(marked) == 8


# On a cluster ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_cluster_grades_each_once_though_a_worker_is_killed(bwrap, tmp_path):
    from distributed import LocalCluster

    docker = script(tmp_path / "docker", f"{PLAIN} {quoted(tmp_path)}")  # its processes are found by it
    write_source(tmp_path)
    submit(tmp_path, **{f"s{number}": DOUBLE.format(f"return {number % 2 + 1} * number") for number in range(5)})
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster:
        victims = [next(iter(cluster.workers.values())).pid]

        def kill(_):
            if victims:
                os.kill(victims.pop(), signal.SIGKILL)

        address = cluster.scheduler_address
        rows = grade(tmp_path, functools.partial(run.cluster, address), window=5, each=kill, box=quoted(docker))
        assert not cluster.scheduler.clients.keys() - {"fire-and-forget"}
    assert not victims
    assert [(row.submission, row.status, row.total) for row in rows] == [
        (f"s{number}", "graded", 2 * (number % 2)) for number in range(5)
    ]
    assert len(journal(tmp_path)) == 5
    commands = (process.info["cmdline"] or () for process in psutil.process_iter(["cmdline"]))
    assert not [command for command in commands if str(tmp_path) in command]


def test_a_cluster_that_does_not_answer_is_said_so_when_its_time_is_up(one, monkeypatch, capsys):
    assert run.REACH <= 60
    monkeypatch.setattr(run, "REACH", 1)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(SystemExit, match="2"):
            cli.main(command(one, f"--dask={address}"))
    assert f"error: Timed out trying to connect to {address} after 1 s" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["tcp://10.0.0.1", "http://10.0.0.1:8786"])
def test_what_is_no_address_of_a_cluster_is_said_so(one, capsys, address):
    with pytest.raises(SystemExit, match="2"):
        cli.main(command(one, f"--dask={address}"))
    assert "error: no address of a Dask scheduler: " in capsys.readouterr().err


def test_a_cluster_can_be_asked_for_in_a_notebook():
    async def ask():  # there an event loop is running
        with pytest.raises(OSError, match="no address of a Dask scheduler"), run.cluster("http://10.0.0.1:8786"):
            pass

    with ThreadPoolExecutor(1) as thread:  # in the tests' own one, a browser's may be running
        thread.submit(lambda: asyncio.run(ask())).result()


def test_without_dask_it_says_how_to_install_it(one, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SystemExit, match="2"):
        cli.main(command(one, "--dask=tcp://127.0.0.1:1"))
    assert capsys.readouterr().err.endswith("error: --dask needs Dask: pip install 'rsl_edu[dask]'\n")
