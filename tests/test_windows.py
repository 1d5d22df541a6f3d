"""No import fails because Windows lacks features of POSIX. Windows itself is tested only in CI."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = [
    ROOT / "conftest.py",
    *(file for part in ("rsl_edu", "tests", "book", ".ci") for file in (ROOT / part).rglob("*.py")),
]
MODULES = {"fcntl", "grp", "pty", "pwd", "pyseccomp", "resource", "syslog", "termios", "tty"}
NAMES = {
    "os": "fork forkpty getegid geteuid getgid getuid killpg memfd_create mkfifo mknod register_at_fork "
    "sched_getaffinity setpgid setsid uname wait wait4",
    "select": "epoll poll",
    "signal": "ITIMER_PROF SIGALRM SIGCHLD SIGCONT SIGHUP SIGKILL SIGPROF SIGSTOP SIG_BLOCK alarm pthread_kill "
    "pthread_sigmask setitimer",
}
NOT_ON_WINDOWS = ROOT / "book" / "hub" / "jupyterhub_config.py"  # JupyterHub does not run there either
IN_THE_SANDBOX = ROOT / "rsl_edu" / "course" / "grade" / "inside"  # the sandbox needs Linux
WITHOUT = """
import importlib, os, pkgutil, select, signal, sys
import rsl_edu

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in {modules}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

names = [module.name for module in pkgutil.walk_packages(rsl_edu.__path__, "rsl_edu.")]
names = [name for name in names if not name.endswith("__main__")]
for name in names:  # with all that they need of other packages, which may be Linux's
    importlib.import_module(name)
for name in [name for name in sys.modules if name.partition(".")[0] in {modules} | {{"rsl_edu"}}]:
    del sys.modules[name]
sys.meta_path.insert(0, Missing())
for module, missing in {names}.items():
    for name in missing.split():
        if name != "getuid" and hasattr(sys.modules[module], name):  # platformdirs asks for the user on Linux
            delattr(sys.modules[module], name)
for name in names:
    importlib.import_module(name)
from rsl_edu.course import check
from rsl_edu.explorers import EXPLORERS
print(*[name for name, explorer in EXPLORERS.items() if explorer().live.svg])
print(*[name for name, exercise in check.EXERCISES.items() if exercise(exercise.reference).passed])
"""


def at_import(tree):
    """Yield the syntax nodes that run when a file is imported: everything except the bodies of functions."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            inside = [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
            for part in inside:
                yield from ast.walk(part)
        elif not isinstance(node, ast.Lambda):
            yield node
            yield from at_import(node)


def missing_on_windows(code):
    """Return the names that a file needs when it is imported and that Windows lacks."""
    found = []
    for node in at_import(ast.parse(code)):
        match node:
            case ast.Import(names=names):
                found += [alias.name for alias in names if alias.name in MODULES]
            case ast.ImportFrom(module=str(module), level=0, names=names):
                known = NAMES.get(module, "").split()
                found += [alias.name for alias in names if module in MODULES or alias.name in known]
            case ast.Attribute(value=ast.Name(id=module), attr=name) if name in NAMES.get(module, "").split():
                found.append(f"{module}.{name}")
    return found


@pytest.mark.parametrize(
    ("code", "missing"),
    [
        ("import resource, os", ["resource"]),
        ("from os import fork", ["fork"]),
        ("@skip(os.uname().machine != 'x86_64')\ndef f(): pass", ["os.uname"]),
        ("class C:\n    how = signal.SIGKILL", ["signal.SIGKILL"]),
        ("def f(how=signal.SIGKILL): pass", ["signal.SIGKILL"]),
        ("def f():\n    import resource\n    os.fork()", []),
        ("hasattr(os, 'fork')", []),
    ],
)
def test_needs_of_an_import_are_recognized(code, missing):
    assert missing_on_windows(code) == missing


def test_every_file_can_be_imported_without_posix():
    files = [file for file in FILES if file != NOT_ON_WINDOWS and IN_THE_SANDBOX not in file.parents]
    missing = {file: missing_on_windows(file.read_text("utf-8")) for file in files}
    assert len(missing) > 500
    assert {file: names for file, names in missing.items() if names} == {}


@pytest.mark.slow
def test_package_explorers_and_checks_can_be_imported_without_posix():
    from rsl_edu.course import check
    from rsl_edu.explorers import EXPLORERS

    words = [sys.executable, "-c", WITHOUT.format(modules=MODULES, names=NAMES)]
    drawn, passed = subprocess.check_output(words, text=True).splitlines()
    assert drawn.split() == [*EXPLORERS]
    assert passed.split() == [*check.EXERCISES]
