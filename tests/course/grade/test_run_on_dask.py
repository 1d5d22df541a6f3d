"""Runs on a Dask cluster: each submission is graded once, and a missing cluster is reported."""

import asyncio
import functools
import os
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from course.grade.small_class import DOUBLE, PLAIN, command, grade, journal, quoted, script, submit, write_source
from tiers import exhaustive

from rsl_edu import cli
from rsl_edu.course.grade import run


@exhaustive
@pytest.mark.slow
def test_cluster_grades_each_submission_once_even_if_a_worker_is_killed(bwrap, tmp_path):
    from distributed import LocalCluster

    docker = script(tmp_path / "docker", f"{PLAIN} {quoted(tmp_path)}")  # the path identifies its processes
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


def test_cluster_without_an_answer_is_an_error_after_the_timeout(one, monkeypatch, capsys):
    assert run.REACH <= 60
    monkeypatch.setattr(run, "REACH", 1)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(SystemExit, match="2"):
            cli.main(command(one, f"--dask={address}"))
    assert f"error: Timed out trying to connect to {address} after 1 s" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["tcp://10.0.0.1", "http://10.0.0.1:8786"])
def test_invalid_cluster_address_is_an_error(one, capsys, address):
    with pytest.raises(SystemExit, match="2"):
        cli.main(command(one, f"--dask={address}"))
    assert "error: expected the address of a Dask scheduler: " in capsys.readouterr().err


def test_cluster_can_be_used_in_a_notebook():
    async def ask():  # here an event loop is running
        with (
            pytest.raises(OSError, match="expected the address of a Dask scheduler"),
            run.cluster("http://10.0.0.1:8786"),
        ):
            pass

    with ThreadPoolExecutor(1) as thread:  # a browser's loop may be running in the tests' own thread
        thread.submit(lambda: asyncio.run(ask())).result()


def test_error_without_dask_shows_how_to_install_it(one, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SystemExit, match="2"):
        cli.main(command(one, "--dask=tcp://127.0.0.1:1"))
    assert capsys.readouterr().err.endswith("error: --dask needs Dask: pip install 'rsl_edu[dask]'\n")
