"""A script that runs once stays within its limits; in bubblewrap it can read and change nothing."""

import stat
import sys

import pytest

from rsl_edu.sandbox import Limits, SandboxError, StoppedError, run_once, syscalls

ANSWER = "import sys; sys.stdout.write('x'); sys.stdout.flush()\n"


@pytest.fixture
def script(tmp_path):
    """Return a function that writes code into a script."""

    def write(code):
        path = tmp_path / "script.py"
        path.write_text(code)
        path.chmod(0o644)
        return path

    return write


@pytest.mark.parametrize("sandboxed", [False, True], ids=["child process", "bubblewrap"])
def test_script_gets_a_request_and_returns_an_answer(sandboxed, script, request):
    if sandboxed:
        request.getfixturevalue("bwrap")
    code = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read()[::-1])"
    assert run_once(script(code), b"abc" * 100_000, sandboxed=sandboxed) == b"cba" * 100_000


def test_script_in_bubblewrap_reads_and_changes_nothing(bwrap, script, tmp_path):
    (tmp_path / "secret").write_text("secret")
    code = f"""
import os, socket
seen = [name for name in ("rsl_edu",) if __import__("importlib.util").util.find_spec(name) is not None
        and os.listdir(__import__(name).__path__[0])]
try:
    open({str(tmp_path / "secret")!r}); seen.append("secret")
except OSError: pass
try:
    open("/box/script.py", "w"); seen.append("written")
except OSError: pass
try:
    socket.create_connection(("127.0.0.1", 9), 1); seen.append("network")
except PermissionError: pass
seen += {{*os.environ}} - {{*"HOME PATH OMP_NUM_THREADS MPLBACKEND TORCHDYNAMO_DISABLE PWD LC_CTYPE".split()}}
print(seen)
"""
    assert run_once(script(code), b"") == b"[]\n"


@pytest.mark.parametrize(
    ("code", "limits", "says"),
    [
        ("while True: pass", {"cpu": 0.1}, "it used more than 0.1 s of CPU time"),
        ("import time; time.sleep(9999)", {"wall": 0.2}, "it had not ended after 0.2 s"),
        ("x = b'x' * (1 << 27)\nwhile True: pass", {"memory": 1 << 26}, "it used more than 64 MB of memory"),
        ("while True: sys.stdout.write('x' * 10_000)", {"answer": 1 << 20}, "it wrote more than 1 MB"),
        ("import os; os.kill(os.getpid(), 11)", {}, "it crashed (SIGSEGV)"),
        ("raise ValueError('no \\x1b[31m such thing')", {}, "it ended with status 1: ValueError: no ?[31m such thing"),
    ],
)
def test_limits_are_enforced_and_a_crash_is_reported(code, limits, says, script):
    with pytest.raises(StoppedError) as error:
        run_once(script(ANSWER + code), b"", Limits(**limits), sandboxed=False)
    assert str(error.value) == says


def test_crash_in_bubblewrap_is_reported(bwrap, script):
    with pytest.raises(StoppedError, match=r"it crashed \(SIGSEGV\)"):
        run_once(script(f"{ANSWER}import os; os.kill(os.getpid(), 11)"), b"")


def test_cpu_time_counts_from_the_first_byte(script):
    busy = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\n"
    assert run_once(script(busy + ANSWER), b"", Limits(cpu=0.1), sandboxed=False) == b"x"


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (None, "cannot run bwrap: No such file or directory"),
        (("echo 'bwrap: setting up uid map: Permission denied' >&2", "exit 1"), "bwrap: setting up uid map: Perm"),
    ],
)
def test_missing_bubblewrap_is_reported(lines, says, script, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    if lines:
        command = tmp_path / "bwrap"
        command.write_text("\n".join(["#!/bin/sh", *lines]))
        command.chmod(command.stat().st_mode | stat.S_IXUSR)
    with pytest.raises(SandboxError, match=says):
        run_once(script(ANSWER), b"")


def test_missing_libseccomp_is_reported(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyseccomp", None)
    with pytest.raises(SandboxError, match=r"needs pyseccomp and libseccomp.so.2 .*apt-get install libseccomp2"):
        syscalls._program.__wrapped__()
