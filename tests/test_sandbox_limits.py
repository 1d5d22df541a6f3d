"""A script in the sandbox cannot use memory or CPU time without being counted: it is refused or stopped."""

import errno
import json
import platform
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from rsl_edu.sandbox import Limits, StoppedError, run_once, syscalls

pyseccomp = pytest.importorskip("pyseccomp")
pytestmark = pytest.mark.usefixtures("bwrap")

MEMORY = 200 << 20
BEGIN = """
import ctypes, mmap, os, signal, socket, subprocess, sys, threading, time
sys.stdout.write("x"); sys.stdout.flush()
MANY = 400 << 20
libc = ctypes.CDLL(None, use_errno=True)
def called(result):
    if result in (-1, ctypes.c_void_p(-1).value): raise OSError(ctypes.get_errno(), "refused")
    return result
def orphan(work):
    "Run something in a process that has no parent and a session of its own."
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            work()
            time.sleep(9999)
        os._exit(0)
    os.wait()
def fill(size=MANY):
    kept = b"x" * size
    time.sleep(9999)
def fill_shared(memory):
    "Leave pages in shared memory that no process has mapped."
    if os.fork() == 0:
        memory.write(b"x" * (MANY // 2)), memory.write(b"x" * (MANY // 2))
        os._exit(0)
    os.wait()
def burn():
    while True: pass
"""
HELD = {
    "one process": "fill()",
    "a child": "os.fork() or fill()",
    "a child of a thread": "threading.Thread(target=lambda: os.fork() or fill()).start()",
    "a child of a thread that ends": "threading.Thread(target=lambda: os.fork() or fill(), daemon=True).start()",
    "an orphan in its own session": "orphan(fill)",
    "many orphans": "for _ in range(10): orphan(lambda: fill(MANY // 10))",
    "children of an orphan": "orphan(lambda: [os.fork() or fill(MANY // 8) for _ in range(8)])",
    "copies of shared pages that are written": (
        "kept = bytearray(b'x') * (MANY // 4)\n"
        "for _ in range(4):\n    if os.fork() == 0:\n"
        "        for place in range(0, len(kept), 4096): kept[place] = 1\n        time.sleep(9999)"
    ),
    "empty files where nobody may look": (  # each uses some of the kernel's memory; 4 is PR_SET_DUMPABLE
        "os.chmod('/tmp', 0o300), libc.prctl(4, 0)\n"
        "for number in range(400_000): os.close(os.open(f'/tmp/{number}', os.O_CREAT))"
    ),
}
REFUSED = {
    "a file in memory": "os.memfd_create('x')",
    "System V": "called(libc.shmget(0, MANY, 0o1600))",
    "System V, queues": "called(libc.msgget(0, 0o1600))",
    "POSIX": "open('/dev/shm/x', 'w')",
    "shared without a file": "fill_shared(mmap.mmap(-1, MANY))",
    "/dev/zero": "fill_shared(mmap.mmap(os.open('/dev/zero', os.O_RDWR), MANY))",
    "large pages": "mmap.mmap(-1, MANY, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000)",
    "/tmp": "open('/tmp/x', 'wb').write(bytes(MANY))",
    "/tmp, many files": "for number in range(40): open(f'/tmp/{number}', 'wb').write(bytes(MANY // 40))",
    "a folder that hides something": f"open({str(Path(sys.prefix, 'lib'))!r} + '/x', 'w')",
    "pages in a pipe": "called(libc.vmsplice(os.pipe()[1], 0, 0, 0))",
    "many open files": "kept = [socket.socketpair() for _ in range(100)]",
}
BUSY = {
    "twenty shells, each in its own session": (
        "for _ in range(20): subprocess.Popen(['setsid', 'sh', '-c', 'while :; do :; done'])"
    ),
    "orphans": "for _ in range(5): orphan(burn)",
    "children that end at once": (
        "while True:\n    if os.fork() == 0:\n        for _ in range(200_000): pass\n        os._exit(0)\n    os.wait()"
    ),
    "orphans that end at once": (
        "def work():\n    for _ in range(200_000): pass\n    os._exit(0)\nwhile True: orphan(work)"
    ),
    "children that nobody waits for": (
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\nwhile True:\n    if os.fork() == 0:\n"
        "        for _ in range(1_000_000): pass\n        os._exit(0)\n    time.sleep(0.05)"
    ),
    "threads": "for _ in range(3): threading.Thread(target=burn).start()",
}


@pytest.fixture
def run(tmp_path):
    """Run code in the sandbox, and return its output or the reason why it was stopped."""

    def run(code, **limits):
        script = tmp_path / "script.py"
        script.write_text(f"{BEGIN}\n{code}")
        script.chmod(0o644)
        try:
            return run_once(script, b"", Limits(**limits)).decode()[1:]
        except StoppedError as error:
            return str(error)

    return run


def refused(code):
    """Return code that prints whether something raises an error."""
    return f"try:\n{textwrap.indent(code, '    ')}\nexcept OSError: print('refused')\nelse: time.sleep(9999)"


@pytest.mark.parametrize("what", HELD)
def test_memory_counts_everywhere(run, what):
    says = run(f"{HELD[what]}\ntime.sleep(9999)", memory=MEMORY)
    assert says == "it used more than 200 MB of memory"


@pytest.mark.parametrize("what", REFUSED)
def test_memory_that_cannot_be_counted_is_refused(run, what):
    assert run(refused(REFUSED[what]), wall=5) == "refused\n"


def test_pages_that_processes_share_count_once(run):
    code = "kept = b'x' * (MANY // 4)\nfor _ in range(6):\n    if os.fork() == 0: time.sleep(1), os._exit(0)\n"
    assert run(f"{code}for _ in range(6): os.wait()\nprint('done')", memory=MEMORY) == "done\n"


@pytest.mark.parametrize("what", BUSY)
def test_cpu_time_of_all_processes_counts(run, what):
    assert run(f"{BUSY[what]}\ntime.sleep(9999)", cpu=1) == "it used more than 1 s of CPU time"


def test_shells_and_processes_still_work(run):
    code = """
    for shell in ("sh", "bash"):
        code = "(sleep 0.1; echo a) & (echo b; exit 3); echo $?; wait; echo c | tr c d; trap 'echo e' EXIT"
        print(subprocess.run([shell, "-c", code], capture_output=True, text=True).stdout.split())
    import asyncio, concurrent.futures
    async def wait():
        process = await asyncio.create_subprocess_exec("echo", "f", stdout=subprocess.PIPE)
        return (await process.communicate())[0]
    print(asyncio.run(wait()))
    with concurrent.futures.ThreadPoolExecutor(2) as pool: print(*pool.map(abs, [-1]))
    """
    plain = "['b', '3', 'a', 'd', 'e']\n"
    assert run(textwrap.dedent(code)) == f"{plain}{plain}b'f\\n'\n1\n"


def test_harmful_system_calls_are_refused(run):
    names = " ".join(syscalls.DENIED.values()).split()
    numbers = {name: pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name) for name in names}
    numbers = {name: number for name, number in numbers.items() if number >= 0}
    assert len(numbers) > 50
    code = "print({name: libc.syscall(number, -1, -1, -1, -1) and ctypes.get_errno() for name, number in NUMBERS})"
    found = run(code.replace("NUMBERS", str([*numbers.items()])))
    assert json.loads(found.replace("'", '"')) == dict.fromkeys(numbers, errno.EPERM)


def test_network_and_kernel_sockets_are_refused(run):
    code = """
    for family in range(50):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
            try: socket.socket(family, kind).close()
            except PermissionError: continue
            except OSError: pass
            print(family, end=" ")
            break
    """
    assert run(textwrap.dedent(code)) == f"{int(socket.AF_UNIX)} "


@pytest.mark.parametrize(
    ("name", "arguments", "number"),
    [
        ("clone", "0x10000000 | 17, 0, 0, 0, 0", errno.EPERM),
        ("clone3", "0, 0", errno.ENOSYS),
        ("ioctl", "0, 0x5412, b'x'", errno.EPERM),
        ("ioctl", "0, ctypes.c_ulong(0x7_0000_5412), b'x'", errno.EPERM),
        (1000, "0", errno.ENOSYS),
    ],
)
def test_system_calls_are_refused_depending_on_their_arguments(run, name, arguments, number):
    call = name if isinstance(name, int) else pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name)
    assert run(f"libc.syscall({call}, {arguments}); print(ctypes.get_errno())") == f"{number}\n"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="these are system calls of x86-64")
def test_system_calls_of_another_architecture_end_the_process(run):
    assert run("libc.syscall(0x40000000 | 39)") == "it crashed (SIGSYS)"


KEYS = """
import ctypes, sys
sys.path[:0] = PATH
from pathlib import Path
from rsl_edu.sandbox import run_once
libc = ctypes.CDLL(None, use_errno=True)
add, request, keyctl = NUMBERS
assert libc.syscall(keyctl, 1, b"of-a-login") > 0
assert libc.syscall(add, b"user", b"of-the-teacher", b"secret", 6, -3) > 0
leave = f"print([libc.syscall({add}, b'user', b'left', b'secret', 6, place) for place in (-1, -2, -3, -4, -5)])"
find = (f"print([libc.syscall({request}, b'user', name, 0, 0) for name in (b'left', b'of-the-teacher')])\\n"
    "try: print(open('/proc/keys').read())\\nexcept OSError: pass")
script = Path("script.py")
for code in (leave, find):
    script.write_text(f"import ctypes\\nlibc = ctypes.CDLL(None)\\n{code}")
    print(run_once(script, b"").decode(), end="")
"""


def test_no_kernel_key_is_left_or_found(tmp_path):
    names = ("add_key", "request_key", "keyctl")
    numbers = [pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name) for name in names]
    code = KEYS.replace("NUMBERS", str(numbers)).replace("PATH", str(sys.path))
    tmp_path.chmod(0o755)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    if "AssertionError" in done.stderr:
        pytest.skip("kernel keys cannot be made here")
    assert done.stdout == "[-1, -1, -1, -1, -1]\n[-1, -1]\n", done.stderr
