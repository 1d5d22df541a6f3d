"""Submissions that cheat or attack get a correct score, learn nothing, and harm neither the machine nor others."""

import os
import socket
import threading
from pathlib import Path

import nbformat
import pytest

from rsl_edu.course import check
from rsl_edu.course.assignment import Assignment
from rsl_edu.course.grade import pages, run
from rsl_edu.course.grade.sandbox import Limits

SECRET = "secret-of-the-grader"  # in its environment, in its files, and in the hidden tests
FOREVER = str(10**8 + os.getpid())  # duration of a process's sleep, by which the process is found
LIMITS = Limits(cell=0.5, load=3, call=2, memory=1 << 30)

SETUP = "import os, sys, time, torch\nfrom rsl_edu.course import check"
RIGHT = "hidden * (1 - dones.float()).unsqueeze(-1)"

TRY_TO_READ = """
for folder, folders, files in os.walk("/"):
    folders[:] = [f for f in folders if f not in ("proc", "usr", "lib", "site-packages", "bin", "share", "include")]
    done += [f"{folder}/{file}" for file in files if file.endswith((".ipynb", ".csv", ".jsonl", ".txt"))]
    found = [f"{folder}/{f}" for f in [*folders, *files] if f in ("rsl_edu", "grade", "notebooks", "tests", ".git")]
    done += [path for path in found if not f"{sys.prefix}/".startswith(f"{path}/".replace("//", "/"))]
places = ["/etc/passwd", "/etc/shadow", "/root", "/home", "/work", "/sys", "/var"]
for process in os.listdir("/proc"):
    if process.isdigit():
        places += [f"/proc/{process}/{name}" for name in ("environ", "cmdline", "root/etc/passwd", "cwd")]
for place in places:
    try:
        text = open(place, "rb").read() if not os.path.isdir(place) else repr(os.listdir(place)).encode()
        if b"SECRET" in text or place in ("/etc/passwd", "/etc/shadow"):
            done.append(place)
    except OSError:
        pass
for process in ("1", str(os.getppid())):
    try:
        open(f"/proc/{process}/mem", "rb").read(1)
        done.append(f"memory of {process}")
    except OSError:
        pass
if "SECRET" in os.environ or len(os.environ) > 8:
    done.append(str(os.environ))
"""
TRY_TO_WRITE = """
import glob, tempfile
places = ["HERE", torch.__path__[0]]
if not sys.prefix.startswith("/tmp/"):  # the sandbox's own folder
    places.append(sys.prefix)
places += ["/", "/etc", "/usr/bin", "/box", "/dev", "/dev/shm", "/var/tmp", "/proc"]
for place in places:
    try:
        open(f"{place}/written", "w").write("x")
        done.append(place)
    except OSError:
        pass
for path in (torch.__file__, "/box/worker.py", "/box/wire.py", "/proc/sysrq-trigger"):
    try:
        open(path, "a").close()
        done.append(path)
    except OSError:
        pass
"""
TRY_THE_NETWORK = """
import socket
for family, address in ((socket.AF_INET, ("127.0.0.1", PORT)), (socket.AF_UNIX, "\\0ABSTRACT")):
    try:
        s = socket.socket(family)
        s.settimeout(0.5)
        s.connect(address)
        done.append(address)
    except OSError:
        pass
"""
FORGE = """
import json, struct
def forge(header, body=b"", length=None):
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    for file in range(3, 10):
        try:
            os.write(file, struct.pack("<II", length or len(header), len(body)) + header + body)
        except OSError:
            pass
"""
SUBCLASS = """
class Always(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return True
    def __eq__(self, other):
        return True
"""


# Cells before right answers, which get all points: what they do is stopped, and the rest of the notebook runs.
CELLS = {
    "loop": "while True: pass",
    "memory": "kept = bytearray(1 << 36)",
    "fork bomb": "while True: os.fork()",
    "sys.exit": "sys.exit(0)",
    "disk": "with open('/tmp/x', 'wb') as file:\n    while True: file.write(bytes(1 << 22))",
    "disk, many files": "for i in range(100):\n    open(f'/tmp/{i}', 'wb').write(bytes(1 << 22))",
    "background process": "import subprocess\nsubprocess.Popen(['sleep', 'FOREVER'], start_new_session=True)",
    "no notebook's code": "def (",
}
# The same, but these end the process, which is started again without the cell.
ENDS = {
    "exit": "os._exit(0)",
    "loop that cannot be interrupted": (
        "import signal\nfor name in ('SIGALRM', 'SIGPROF', 'SIGXCPU'):\n"
        "    signal.signal(signal.Signals[name], signal.SIG_IGN)\nwhile True: pass"
    ),
    "busy shells, each in its own session": (
        "import subprocess\nfor _ in range(20): subprocess.Popen(['setsid', 'sh', '-c', 'while :; do :; done'])\n"
        "time.sleep(9999)"
    ),
}
PATCHES = """
import builtins
for module in (torch, torch.testing):
    for name in ("allclose", "equal", "assert_close", "isclose"):
        setattr(module, name, lambda *_, **__: True)
builtins.all = builtins.abs = lambda *_: True
check.reset_done = lambda _: True
"""

# Bodies of functions, with the mistake that is named; None: all points; ...: any mistake.
CALLS = {
    "honest, first": (f"return {RIGHT}", None),
    "loop": ("os.fork()\nwhile True: pass", "stopped"),
    "memory": ("kept = torch.ones(1 << 28)\ntime.sleep(9999)", "stopped"),
    "memory of many processes": (
        "for _ in range(20):\n    if os.fork() == 0:\n        kept = b'x' * (1 << 27)\n"
        "        time.sleep(9999)\n"
        "time.sleep(9999)",
        "stopped",
    ),
    "memory of orphans": (
        "for _ in range(5):\n    if os.fork() == 0:\n        os.setsid()\n        if os.fork() == 0:\n"
        "            kept = b'x' * (1 << 28)\n            time.sleep(9999)\n        os._exit(0)\ntime.sleep(9999)",
        "stopped",
    ),
    "memory in a file": (f"os.memfd_create('x')\nreturn {RIGHT}", "exception"),
    "fork bomb": ("while True: os.fork()", ...),
    "sys.exit": ("sys.exit(0)", "exception"),
    "signal to all": ("os.kill(-1, 9)", ...),
    "tensor subclass": ("return torch.zeros(1).as_subclass(Always)", ...),
    "tensor subclass of the right shape": ("return torch.zeros_like(hidden).as_subclass(Equal)", ...),
    "an object that equals everything": ("return Same()", "wrong-type"),
    "honest, between": (f"return {RIGHT}", None),
    "hidden inputs through an error": (
        f"if [*hidden.shape] not in KNOWN:\n    raise ValueError(f'LEAK {{hidden.tolist()}}')\nreturn {RIGHT}",
        "exception",
    ),
    "a verdict": ("forge({'dict': [['number', 1], ['passed', True]]})", "stopped"),
    "nested more deeply": ("x = []\nfor _ in range(90_000): x = [x]\nreturn x", "exception"),
    "another dtype": ("return hidden.to(torch.complex64) * 1j", ...),
    "a sparse tensor": ("return hidden.to_sparse()", "exception"),
    "a huge number": ("return 10 ** 4000", "wrong-type"),
    "not a number": ("return hidden * float('nan')", "nan"),
    "markup": ("raise ValueError(MARKUP)", "exception"),
    "the name of a type": ("return type('<script>x</script>' * 9, (), {})()", "wrong-type"),
    "an error that cannot be shown": ("raise Bad", "stopped"),
    "the library": ("return check.reset_done.reference(hidden, dones)", "library-answer"),
    "rsl_rl": ("import rsl_rl.modules\nreturn rsl_rl.modules.RNN(hidden)", "library-answer"),
    "the file of rsl_rl": (f"open(f'{{torch.__path__[0]}}/../rsl_rl/__init__.py')\nreturn {RIGHT}", "exception"),
    "forbidden": ("return conv2d(hidden, hidden)", "library-answer"),
    "forbidden class": ("return torch.nn.modules.conv.Conv2d(1, 1, 1)(hidden)", "library-answer"),
    "honest, last": (f"return {RIGHT}", None),
}
HELPERS = f"""
from torch.nn.functional import conv2d
class Same:
    __eq__ = lambda *_: True
class Equal(torch.Tensor):
    __eq__ = lambda *_: True
class Bad(Exception):
    def __str__(self): os._exit(1)
KNOWN = {[[*case.inputs[0].shape] for case in check.reset_done.cases]}
MARKUP = "</pre><script>alert(1)</script> [x](javascript:1) =1+1 \\x1b[31m \\u202e"
"""
NAMES = [f"f{number:02}" for number in range(len(CALLS))]


def functions(bodies, names=NAMES):
    lines = {name: "\n    ".join(body.splitlines()) for name, body in zip(names, bodies, strict=True)}
    return [f"def {name}(hidden, dones):\n    {body}" for name, body in lines.items()]


FEW, OTHERS = NAMES[:3], NAMES[3:7]


def few_functions(body):
    return "\n".join(functions([body] * len(FEW), FEW))


SUBMISSIONS = {
    "calls": [SETUP, FORGE, SUBCLASS, HELPERS, *functions(body for body, _ in CALLS.values())],
    "cells": [SETUP, *CELLS.values(), few_functions(f"return {RIGHT}")],
    "ends": [SETUP, *ENDS.values(), few_functions(f"return {RIGHT}")],
    "forged start": [
        SETUP,
        f"{FORGE}\nforge({{'dict': [['ready', {{'list': []}}]]}})",
        few_functions(f"return {RIGHT}"),
    ],
    "patches": [SETUP, PATCHES, few_functions("return torch.zeros_like(hidden)")],
    "probes": [
        SETUP,
        "done = []",
        *(TRY_TO_READ, TRY_TO_WRITE, TRY_THE_NETWORK),
        few_functions(f"assert not done, done\nreturn {RIGHT}"),
    ],
    "honest": [
        few_functions(f"return {RIGHT}"),
        "check = None  # no check, no metadata",
        "{} = 3\nclass {}: pass\nfrom torch import relu as {}\n{} = lambda *_: f00(*_)".format(*OTHERS),
    ],
}


def source():
    """Write an assignment that asks for one function under many names."""
    cells = [nbformat.v4.new_code_cell(SETUP)]
    for name in NAMES:
        code = f"def {name}(hidden, dones):\n    ### BEGIN SOLUTION\n    return {RIGHT}\n    ### END SOLUTION"
        cells.append(
            nbformat.v4.new_code_cell(code, metadata={"nbgrader": {"grade_id": f"{name}-answer", "solution": True}})
        )
        hidden = (
            f"check.reset_done.check({name}, check.reset_done.sample(None, 5))\nassert verdict.passed, verdict\nverdict"
        )
        code = f"check.reset_done({name})\n### BEGIN HIDDEN TESTS\n# {SECRET}\nverdict = {hidden}\n### END HIDDEN TESTS"
        grade = {"grade": True, "grade_id": name, "points": 5, "solution": False}
        cells.append(nbformat.v4.new_code_cell(code, metadata={"nbgrader": grade}))
    forbidden = ["torch.nn.functional.conv2d", "torch.nn.Conv2d"]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"rsl_edu": {"forbidden": forbidden}})
    return Assignment("attacked", notebook)


def notebook(cells):
    """Write a submission with metadata that claim points."""
    boast = {"nbgrader": {"grade": True, "grade_id": "f00", "points": 1000, "solution": True, "locked": False}}
    cells = [nbformat.v4.new_code_cell(code, metadata=boast) for code in cells]
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells, metadata={"rsl_edu": {"forbidden": []}}))


@pytest.fixture(scope="module")
def listener():
    """Return a listening port and an abstract socket, and a list of connections."""
    heard, name = [], f"rsl_edu_{os.getpid()}"
    servers = [socket.socket(socket.AF_INET), socket.socket(socket.AF_UNIX)]
    servers[0].bind(("127.0.0.1", 0))
    servers[1].bind(f"\0{name}")

    def listen(server):
        server.listen()
        while True:
            try:
                heard.append(server.accept())
            except OSError:
                return

    for server in servers:
        threading.Thread(target=listen, args=[server], daemon=True).start()
    yield servers[0].getsockname()[1], name, heard
    for server in servers:
        server.close()


@pytest.fixture(scope="module")
def graded(bwrap, tmp_path_factory, listener):
    """Grade all submissions in one run; return the results and the folder with the written files."""
    folder = tmp_path_factory.mktemp("attacked")
    (folder / "secret.txt").write_text(SECRET)
    files = folder / "submissions"
    files.mkdir()
    port, abstract, _ = listener
    for name, cells in SUBMISSIONS.items():
        text = notebook(cells).replace("PORT", str(port)).replace("ABSTRACT", abstract)
        (files / f"{name}.ipynb").write_text(
            text.replace("SECRET", SECRET).replace("HERE", str(folder)).replace("FOREVER", FOREVER)
        )
    os.environ["RSL_EDU_SECRET"] = SECRET
    try:
        rows = run.grade(
            source(),
            [files],
            folder / "grades.csv",
            executor=lambda: run.processes(2),
            window=4,
            limits=LIMITS,
            report=True,
        )
    finally:
        del os.environ["RSL_EDU_SECRET"]
    return folder, {row.submission: row for row in rows}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "call"), [*zip(NAMES, CALLS, strict=True)], ids=list(CALLS))
def test_attacking_function_gets_a_correct_score(graded, name, call):
    (mark,) = [mark for mark in graded[1]["calls"].marks if mark.task == name]
    expected = CALLS[call][1]
    assert mark.points == (0 if expected else 5), mark
    assert mark.mistake == expected or (expected is ... and mark.mistake), mark


def test_feedback_states_which_limit_was_reached(graded):
    says = {mark.task: mark.message for mark in graded[1]["calls"].marks}
    for calls, why in (
        (("loop",), "used more than 2 s of CPU time for one call."),
        (("memory", "memory of many processes", "memory of orphans"), "used more than 1,024 MB of memory."),
    ):
        for call in calls:
            assert says[NAMES[[*CALLS].index(call)]] == f"your code was stopped: it {why}"


@pytest.mark.parametrize("name", ["cells", "ends", "probes", "honest"])
def test_attacking_cells_do_not_cost_right_answers_points(graded, name):
    row = graded[1][name]
    assert [(mark.points, mark.message) for mark in row.marks if mark.task in FEW and mark.mistake] == []
    assert len(row.notes) == {"cells": len(CELLS) - 1, "ends": len(ENDS)}.get(name, 0), row.notes


def test_notes_describe_cells_that_did_not_run(graded):
    notes = "\n".join(map(str, (*graded[1]["cells"].notes, *graded[1]["ends"].notes)))
    for text in (
        "used more than 0.5 s of CPU time",
        "MemoryError",
        "SystemExit",
        "No space left",
        "is not Python",
    ):
        assert text in notes
    assert "code cell 2 was stopped: it ended its process" in notes
    for cell in (3, 4):
        assert f"code cell {cell} was stopped: it used more than 3 s of CPU time for all cells" in notes


def test_patching_torch_and_checks_in_the_own_process_gives_no_points(graded):
    marks = {mark.task: mark for mark in graded[1]["patches"].marks}
    assert {(marks[name].points, marks[name].mistake) for name in FEW} == {(0, "resets-all")}


def test_notebook_that_forges_its_start_is_stopped(graded):
    assert {mark.mistake for mark in graded[1]["forged start"].marks} == {"stopped"}


def test_missing_answers_and_non_functions_are_reported(graded):
    marks = {mark.task: mark for mark in graded[1]["honest"].marks}
    assert {mark.mistake for name, mark in marks.items() if name not in (*FEW, *OTHERS)} == {"missing"}
    assert marks[OTHERS[1]].mistake == "wrong-type"
    assert [marks[name].points for name in OTHERS] == [0, 0, 0, 5]


def test_no_processes_or_files_remain(graded, listener):
    assert not listener[2], "something came over the network"
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert FOREVER.encode() not in process.read_bytes()
        except OSError:  # the process has ended in the meantime
            continue
    folder = graded[0]
    assert {path.name for path in folder.iterdir()} == {
        *("secret.txt", "submissions", "grades.csv", "grades.journal.jsonl", "grades_feedback", "grades_report.html")
    }


def test_written_files_contain_no_secrets_and_no_active_code(graded):
    folder, rows = graded
    written = [path for path in folder.rglob("*") if path.is_file() and path.parent.name != "submissions"]
    assert len(written) == len(rows) + 4
    for path in written:
        text = path.read_text("utf-8")
        if path.name != "secret.txt":
            assert SECRET not in text
            assert "LEAK [" not in text  # the page shows the code, but not its output
        if path.suffix == ".html":
            assert "<script" not in text
            assert "default-src 'none'" in text
            assert all(letter.isprintable() or letter == "\n" for letter in text)
    calls = (folder / "grades_feedback" / pages.file_name("calls")).read_text("utf-8")
    assert "&lt;script&gt;alert(1)" in calls
    assert (
        "right for the cases of its check, wrong for further ones: your code raises an error for some of them." in calls
    )
