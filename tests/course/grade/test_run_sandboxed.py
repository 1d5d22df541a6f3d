"""Runs with real sandboxes and containers: without one nothing is graded, and its failures cost no points."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from course.grade.small_class import (
    DOUBLE,
    PLAIN,
    RIGHT,
    WORKER,
    command,
    grade,
    journal,
    quoted,
    run_in_threads,
    script,
    submit,
    table,
    write_source,
)
from tiers import exhaustive

from rsl_edu import cli
from rsl_edu.course.grade import pages, run
from rsl_edu.course.grade.sandbox import Limits
from rsl_edu.sandbox import view


@pytest.mark.slow
def test_ctrl_c_keeps_results_and_the_same_command_continues(bwrap, tmp_path, monkeypatch, capsys, until):
    write_source(tmp_path)
    submit(tmp_path, a=RIGHT, b=RIGHT, c=DOUBLE.format("return number"), d=RIGHT)
    begun, go = tmp_path / "begun", tmp_path / "go"
    first = f"mkdir {quoted(tmp_path / 'first')} 2>/dev/null && {PLAIN}"
    wait = f"while [ ! -e {quoted(go)} ]; do sleep 0.02; done"
    docker = script(tmp_path / "docker", first, f"touch {quoted(begun)}", wait, PLAIN)
    words = command(tmp_path, "--jobs=1", f"--sandbox={quoted(docker)}")
    process = subprocess.Popen(
        [Path(sys.executable).with_name("rsl-edu"), *words, "--format=moodle"],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        until(begun.exists)
        until(lambda: journal(tmp_path))
        os.killpg(process.pid, signal.SIGINT)  # to all processes, like a terminal
        go.touch()
        said = process.communicate()[1]
    finally:
        process.kill()
    out = tmp_path / "grades.csv"
    stopped = f"Stopped. {out} has the grades so far; run the same command again to continue."
    assert said == f"{stopped} Nothing was written for moodle.\n"
    assert process.returncode == 130
    before = journal(tmp_path)
    assert 2 <= len(before) == len(table(tmp_path)) < 4  # the second was in progress
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
    assert capsys.readouterr().out == f"{out}: 4 students, 4 graded\n"


REFUSE = ("echo 'bwrap: setting up uid map: Permission denied' >&2", "exit 1")


@pytest.mark.parametrize(
    ("name", "lines", "box", "says"),
    [
        ("none", (), (), "cannot run 'bwrap': No such file or directory"),
        (
            "bwrap",
            REFUSE,
            (),
            "bwrap: setting up uid map: Permission denied\nDocker and Kubernetes do not allow bubblewrap",
        ),
        ("none", (), ("--sandbox", "dokcer run"), "cannot run 'dokcer': No such file or directory"),
        ("none", (), ("--sandbox", "docker 'run"), "is malformed: No closing quotation"),
        ("docker", ("echo no such image: torch >&2", "exit 125"), ("--sandbox", "docker"), "no such image: torch"),
        ("docker", ("exit 0",), ("--sandbox", "docker"), "the process ended without output"),
        ("docker", ("echo hello",), ("--sandbox", "docker"), "hello"),
    ],
)
def test_missing_sandbox_is_an_error_with_advice(one, monkeypatch, capsys, name, lines, box, says):
    script(one / "bin" / name, *lines)
    monkeypatch.setenv("PATH", str(one / "bin"))
    with pytest.raises(SystemExit, match="2"):
        cli.main(command(one, *box))
    shown = capsys.readouterr().err
    for text in (says, "apt-get install bubblewrap", "--sandbox", "--unsafe"):
        assert text in shown
    assert not table(one)
    assert not journal(one)


def test_sandbox_that_fails_once_costs_no_points(one):
    fails = f"mkdir {quoted(one / 'failed')} 2>/dev/null && exit 1"
    docker = script(one / "docker", fails, "box=$1", WORKER)
    (row,) = grade(one, box=f"{quoted(docker)} {{box}}")
    assert row.status == "not graded, and tried again next time: RuntimeError: the sandbox ended its process"
    assert not journal(one)


def test_container_command_gets_the_worker_and_a_time_limit(one):
    docker = script(one / "docker", f'box=$1; shift; echo "$*" > {quoted(one / "asked")}', WORKER)
    (row,) = grade(one, box=f"{quoted(docker)} {{box}}", limits=Limits(wall=777))
    assert (row.status, row.total, row.safe) == ("graded", 2, True), row
    assert (one / "asked").read_text() == "timeout -s KILL 777 python3 -I /box/worker.py\n"


def impatient(monkeypatch, code):
    """Let the time limit of submissions with this code expire in their first cell."""

    def mark(assignment, cells, box, limits, mark=run.mark, **rules):
        return mark(assignment, cells, box, replace(limits, wall=0) if code in "".join(cells) else limits, **rules)

    monkeypatch.setattr(run, "mark", mark)


@pytest.mark.slow
def test_waiting_submission_is_retried_and_the_others_are_graded(bwrap, one, monkeypatch, capsys):
    shown, out = one / "shown", one / "grades.csv"
    shown.mkdir()
    environment = {**view.environment(), Path("/shown"): shown}
    monkeypatch.setattr(view, "environment", lambda: environment)
    waits = f"import os, time\nwhile not os.path.exists('/shown/go'): time.sleep(0.02)\n{RIGHT}"
    submit(one, abe=waits)
    with monkeypatch.context() as patch:
        impatient(patch, waits)
        assert cli.main(command(one, "--report")) == 0
    says = "not graded, and tried again next time: after 0 s it was still in code cell 1, with 0.0 s of CPU time used"
    assert capsys.readouterr().out == f"{out}: 2 students, 1 graded\n  abe: {says}\n"
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
BURN += "while time.monotonic() < begin[0] + 1: time.sleep(0.01)"  # minimum duration on any machine


@exhaustive
@pytest.mark.slow
def test_right_answer_gets_its_points_on_a_busy_machine(bwrap, one):
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


def test_unsafe_run_has_a_warning_everywhere(one, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(one / "bin"))
    assert cli.main(command(one, "--unsafe", "--report")) == 0
    assert capsys.readouterr().out == f"{one / 'grades.csv'}: 1 student, 1 graded WITHOUT A SANDBOX\n"
    row = table(one)["ada"]
    assert (row["status"], row["total"]) == ("graded (unsafe: without a sandbox)", "2")
    for page in (one / "grades_feedback" / pages.file_name("ada"), one / "grades_report.html"):
        assert "these points may be forged" in page.read_text("utf-8")
