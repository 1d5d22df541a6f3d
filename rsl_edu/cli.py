"""The command ``rsl-edu``: lessons without a clone, x-rays of policies, assignments, and grades."""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from rsl_edu import __version__
from rsl_edu.folders import ensure_home
from rsl_edu.lessons import copy_lessons
from rsl_edu.number_format import counted
from rsl_edu.printable import printable


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    jupyter: list[str] = []
    if "--" in words:
        dashes = words.index("--")
        words, jupyter = words[:dashes], words[dashes + 1 :]

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal may lack arrows, or the letters of a name
    parser = _Parser(prog="rsl-edu", description="Learn the building blocks of a robot's policy.")
    parser.add_argument("--version", action="version", version=f"rsl_edu {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (_add_lab, _add_xray, _add_assign, _add_grade):
        add(commands)
    options = parser.parse_args(words, argparse.Namespace(jupyter=jupyter))
    try:
        status: int = options.command(parser, options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has gone; Python's exit must find nothing left to write
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Name what is wrong; a file's name in it must not control the terminal."""
        super().error(printable(message, keep="\n"))


def _path(text: str) -> Path:
    if not text:  # a variable of the shell that is not set; Path would take the present folder
        raise argparse.ArgumentTypeError("expected a name, got an empty one")
    return Path(text)


# rsl-edu lab ----------------------------------------------------------------------------------------------------------


def _add_lab(commands: Any) -> None:
    parser = commands.add_parser(
        "lab",
        help="copy the lessons into a folder and open JupyterLab there",
        description="Copy the lessons into DIR, never over one that you changed, and open JupyterLab there.",
        usage="rsl-edu lab [-h] [--copy-only] [DIR] [-- JUPYTER ARGUMENT ...]",
    )
    parser.add_argument("folder", nargs="?", type=_path, default=Path("rsl_edu_lessons"), metavar="DIR")
    parser.add_argument(
        "--copy-only", "--no-open", action="store_true", help="copy the lessons, do not open JupyterLab"
    )
    parser.set_defaults(command=_lab)


_ACTIONS = {
    "new": "copied",
    "updated": "updated to this version",
    "beside": "this version, beside the one you changed",
    "kept": "yours, left as it is",
    "same": "up to date",
}


def _lab(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    try:
        copies = copy_lessons(options.folder)
    except FileExistsError:
        parser.error(f"DIR must be a folder, but {options.folder} is a file")
    except OSError as error:
        parser.error(f"cannot copy the lessons into {options.folder}: {error.strerror or error}")
    print(f"Lessons in {options.folder.resolve()}{':' if copies else ''}")
    for copy in copies:
        print(f"  {copy.path}: {_ACTIONS[copy.action]}")
    if not options.copy_only:
        open_lab(options.folder, options.jupyter)
    return 0


def open_lab(folder: Path, arguments: Sequence[str] = ()) -> None:
    """Open JupyterLab in a folder, on the list of the lessons.

    Args:
        folder: The folder that JupyterLab shows.
        arguments: Further arguments to ``jupyter lab``.
    """
    ensure_home()  # JupyterLab looks for it while it is imported

    from jupyterlab.labapp import main as jupyter_lab

    options = [f"--ServerApp.root_dir={folder.resolve()}", "--LabApp.default_url=/lab/tree/index.ipynb", *arguments]
    said = any(option.lstrip("-").startswith(("allow-root", "ServerApp.allow_root")) for option in options)
    if os.name == "posix" and os.geteuid() == 0 and not said:
        print("You are root, as in a container, so JupyterLab starts with --allow-root.", flush=True)
        options.append("--allow-root")
    jupyter_lab(options)


# rsl-edu xray ---------------------------------------------------------------------------------------------------------


def _add_xray(commands: Any) -> None:
    parser = commands.add_parser(
        "xray",
        help="say what is wrong with a policy that rsl_rl trained",
        description="Read the checkpoints that rsl_rl saved in RUN (model_0.pt, model_50.pt, ...), of any release, and "
        "say what is likely wrong with the policy. No code in a checkpoint is executed.",
    )
    parser.add_argument("run", type=_path, metavar="RUN", help="run folder, or one checkpoint")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--obs", type=_path, metavar="FILE", help="observations to show it: .pt, .npy or .npz")
    shown.add_argument("--robot", metavar="NAME", help="robot of Gymnasium for it to play: Hopper-v5")
    parser.add_argument("--html", type=_path, metavar="OUT", help="write a page with all pictures, to read offline")
    parser.add_argument(
        "--activation", metavar="NAME", help="of the hidden layers (default: as agent.yaml says, or elu)"
    )
    parser.add_argument(
        "--config", type=_path, metavar="FILE", help="agent.yaml of the run (default: RUN/params/agent.yaml)"
    )
    parser.set_defaults(command=_xray)


def _xray(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    try:
        # What can be found wrong at once, before torch and Matplotlib are imported, which takes seconds.
        from rsl_edu.run_folder import agent_config, checkpoint_files

        if options.html is not None:
            with _writing_html(parser, options.html):
                _try_file(options.html)
        if options.obs is not None:
            options.obs.open("rb").close()
        if options.config is not None and not options.config.is_file():
            parser.error(f"--config: expected a file, got {options.config}")
        config = None if options.config is None else agent_config(options.config)
        checkpoint_files(options.run)

        from rsl_edu import diagnosis

        observations = None if options.obs is None else diagnosis.load(options.obs)
        given = (options.run, observations, options.robot, options.activation, config)
        examination = diagnosis.examine(*given, source=str(options.obs))
    except (TypeError, ValueError) as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(_system_error(error))
    print(examination.diagnosis())
    if not examination.sample.real:
        print("\nObservations make this sharper: --obs FILE, or --robot NAME for a robot of Gymnasium.")
    if options.html is not None:
        from rsl_edu.explorers import XRay

        page = XRay(examination).page()
        with _writing_html(parser, options.html):
            options.html.write_text(page, "utf-8")
        print(f"\n{options.html}: the page, {len(page) / 1e6:.1f} MB")
    return 0


@contextlib.contextmanager
def _writing_html(parser: argparse.ArgumentParser, page: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        parser.error(f"--html: cannot write {page}: {error.strerror or error}")


# rsl-edu assign -------------------------------------------------------------------------------------------------------


def _add_assign(commands: Any) -> None:
    parser = commands.add_parser(
        "assign",
        help="make the notebook of an assignment to hand out, or its solution",
        description="Write a version of the assignment NAME, such as 4_normalization, into DIR.",
    )
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--out", type=_path, required=True, metavar="DIR")
    version = parser.add_mutually_exclusive_group()
    version.add_argument("--solution", action="store_true", help="with the solutions, to publish afterwards")
    version.add_argument("--instructor", action="store_true", help="with the solutions and the hidden tests")
    parser.add_argument("--force", action="store_true", help="write over a notebook that is there")
    _add_sources(parser)
    parser.set_defaults(command=_assign)


def _assign(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    from rsl_edu.course.assignment import Assignment, AssignmentError, locate

    try:
        source = locate(options.name, options.sources)
        path = options.out / source.name
        if options.out.exists() and not options.out.is_dir():
            parser.error(f"--out: DIR must be a folder, but {options.out} is a file")
        if path.exists() and not options.force:
            parser.error(f"{path} is there already; --force writes over it")
        _try_folder(options.out)

        import nbformat

        assignment = Assignment.read(source)  # most sources need torch for this
        if options.solution:
            kind, notebook = "solution", assignment.solution()
        elif options.instructor:
            kind, notebook = "instructor", assignment.instructor()
        else:
            kind, notebook = "student", assignment.student()
        text = nbformat.writes(notebook)
        options.out.mkdir(parents=True, exist_ok=True)
        with path.open("w" if options.force else "x", encoding="utf-8") as file:
            file.write(text + "\n")
    except AssignmentError as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(f"--out: cannot write into {options.out}: {error.strerror or error}")
    exercises = counted(len(assignment.tasks), "exercise")
    print(f"{path}: the {kind} version, {exercises}, {assignment.maximum:g} points")
    return 0


# rsl-edu grade --------------------------------------------------------------------------------------------------------


def _add_grade(commands: Any) -> None:
    parser = commands.add_parser(
        "grade",
        help="grade submissions",
        description="Grade submissions of the assignment NAME: notebooks, folders or zips of them, as Moodle and "
        "Canvas export them too. Run it again to go on after a stop: what was graded and has not changed is kept.",
    )
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("submissions", nargs="+", type=_path, metavar="SUBMISSIONS")
    parser.add_argument("--out", type=_path, required=True, metavar="grades.csv", help="the table of the grades")
    parser.add_argument("--report", action="store_true", help="write a page on the class too")
    parser.add_argument("--jobs", type=int, metavar="N", help="submissions at a time (default: one a core)")
    parser.add_argument("--dask", metavar="ADDRESS", help="grade on a Dask cluster: tcp://10.0.0.1:8786, 64 at a time")
    box = parser.add_mutually_exclusive_group()
    box.add_argument("--sandbox", metavar="COMMAND", help="beginning of a command that runs a container")
    box.add_argument("--unsafe", action="store_true", help="without a sandbox: for code that you trust")
    _add_sources(parser)
    parser.set_defaults(command=_grade)


def _grade(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    source, total = _to_grade(parser, options)

    from tqdm import tqdm

    from rsl_edu.course.assignment import Assignment, AssignmentError
    from rsl_edu.course.grade import run, sandbox
    from rsl_edu.course.grade.gradebook import GRADED, Row

    if options.dask:
        executor, at_a_time = functools.partial(run.cluster, options.dask), options.jobs or 64
    else:
        at_a_time = options.jobs or run.cores()
        executor = functools.partial(run.processes, at_a_time)
    try:
        assignment = Assignment.read(source)
        with tqdm(total=total, unit=" submissions", desc=assignment.name) as bar:

            def tick(_: Row) -> None:
                if bar.n == bar.total:  # a student's zip held several notebooks
                    bar.total += 1
                bar.update()

            rows = run.grade(
                assignment,
                options.submissions,
                options.out,
                executor=executor,
                window=2 * at_a_time,
                box="unsafe" if options.unsafe else options.sandbox or "bwrap",
                report=options.report,
                each=tick,
            )
    except (AssignmentError, FileNotFoundError, sandbox.SandboxError) as error:
        parser.error(str(error))
    except ImportError:
        parser.error("--dask needs Dask: pip install 'rsl_edu[dask]'")
    except KeyboardInterrupt:
        print(f"Stopped; {options.out} has what is done, and the same command goes on.", file=sys.stderr)
        return 130
    except OSError as error:
        parser.error(_system_error(error))
    others = [row for row in rows if row.status != GRADED]
    unsafe = " WITHOUT A SANDBOX" if options.unsafe else ""
    print(f"{options.out}: {counted(len(rows), 'submission')}, {len(rows) - len(others)} graded{unsafe}")
    for row in others:
        print(f"  {row.submission}: {row.status}")
    return 0


def _to_grade(parser: argparse.ArgumentParser, options: argparse.Namespace) -> tuple[Path, int]:
    """Return the source of the assignment and how many submissions there are at least.

    What is wrong is reported here, before torch is imported.
    """
    from rsl_edu.course.assignment import AssignmentError, locate
    from rsl_edu.course.grade import submissions

    if options.jobs is not None and options.jobs < 1:
        parser.error(f"--jobs: expected 1 or more, got {options.jobs}")
    if options.out.suffix != ".csv":
        parser.error(f"--out: expected a file that ends in .csv, got {options.out}")
    try:
        source = locate(options.name, options.sources)
        total = submissions.count(options.submissions)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        _try_file(options.out)
    except (AssignmentError, FileNotFoundError) as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(_system_error(error))
    return source, total


# What several commands share ------------------------------------------------------------------------------------------


def _add_sources(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sources", type=_path, metavar="DIR", help="folder of the sources (default: the clone's)")


def _system_error(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)


def _try_file(file: Path) -> None:
    """Raise the error that writing a file would raise, and leave no trace."""
    if file.is_file() or file.is_dir():
        file.open("ab").close()
    elif not file.exists():  # what exists and is neither, such as a pipe, is not to be opened twice
        try:
            tempfile.TemporaryFile(dir=file.parent).close()
        except OSError as error:
            error.filename = str(file)
            raise


def _try_folder(folder: Path) -> None:
    """Raise the error that making a folder and writing into it would raise, and leave no trace."""
    while not folder.exists():
        folder = folder.parent
    tempfile.TemporaryFile(dir=folder).close()
