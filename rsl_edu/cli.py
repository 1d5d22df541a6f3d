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
from typing import NoReturn

from rsl_edu import __version__
from rsl_edu.folders import ensure_home
from rsl_edu.lessons import copy_lessons

_WORDS = {
    "new": "copied",
    "updated": "updated to this version",
    "beside": "this version, beside the one you changed",
    "kept": "yours, left as it is",
    "same": "up to date",
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Name what is wrong; a file's name in it must not write to the terminal what is not text."""
        super().error("".join(c if c.isprintable() or c == "\n" else "?" for c in message))


def _path(text: str) -> Path:
    if not text:  # a variable of the shell that is not set; Path would take the present folder
        raise argparse.ArgumentTypeError("expected a name, got an empty one")
    return Path(text)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    cut = words.index("--") if "--" in words else len(words)
    words, jupyter = words[:cut], words[cut + 1 :]

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal may lack arrows, or the letters of a name
    parser = _Parser(prog="rsl-edu", description="Learn the building blocks of a robot's policy.")
    parser.add_argument("--version", action="version", version=f"rsl_edu {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    lab = commands.add_parser(
        "lab",
        help="copy the lessons into a folder and open JupyterLab there",
        description="Copy the lessons into DIR, never over one that you changed, and open JupyterLab there.",
        usage="rsl-edu lab [-h] [--copy-only] [DIR] [-- JUPYTER ARGUMENT ...]",
    )
    lab.add_argument("folder", nargs="?", type=_path, default=Path("rsl_edu_lessons"), metavar="DIR")
    lab.add_argument("--copy-only", "--no-open", action="store_true", help="copy the lessons, do not open JupyterLab")

    xray = commands.add_parser(
        "xray",
        help="say what is wrong with a policy that rsl_rl trained",
        description="Read the checkpoints that rsl_rl saved in RUN (model_0.pt, model_50.pt, ...), of any release, and "
        "say what is likely wrong with the policy. No code in a checkpoint is executed.",
    )
    xray.add_argument("run", type=_path, metavar="RUN", help="run folder, or one checkpoint")
    shown = xray.add_mutually_exclusive_group()
    shown.add_argument("--obs", type=_path, metavar="FILE", help="observations to show it: .pt, .npy or .npz")
    shown.add_argument("--robot", metavar="NAME", help="robot of Gymnasium for it to play: Hopper-v5")
    xray.add_argument("--html", type=_path, metavar="OUT", help="write a page with all pictures, to read offline")
    xray.add_argument("--activation", metavar="NAME", help="of the hidden layers (default: as agent.yaml says, or elu)")
    xray.add_argument(
        "--config", type=_path, metavar="FILE", help="agent.yaml of the run (default: RUN/params/agent.yaml)"
    )

    assign = commands.add_parser(
        "assign",
        help="make the notebook of an assignment to hand out, or its solution",
        description="Write a version of the assignment NAME, such as 4_normalization, into DIR.",
    )
    assign.add_argument("name", metavar="NAME")
    assign.add_argument("--out", type=_path, required=True, metavar="DIR")
    version = assign.add_mutually_exclusive_group()
    version.add_argument("--solution", action="store_true", help="with the solutions, to publish afterwards")
    version.add_argument("--instructor", action="store_true", help="with the solutions and the hidden tests")
    assign.add_argument("--force", action="store_true", help="write over a notebook that is there")

    grade = commands.add_parser(
        "grade",
        help="grade submissions",
        description="Grade submissions of the assignment NAME: notebooks, folders or zips of them, as Moodle and "
        "Canvas export them too. Run it again to go on after a stop: what was graded and has not changed is kept.",
    )
    grade.add_argument("name", metavar="NAME")
    grade.add_argument("submissions", nargs="+", type=_path, metavar="SUBMISSIONS")
    grade.add_argument("--out", type=_path, required=True, metavar="grades.csv", help="the table of the grades")
    grade.add_argument("--report", action="store_true", help="write a page on the class too")
    grade.add_argument("--jobs", type=int, metavar="N", help="submissions at a time (default: one a core)")
    grade.add_argument("--dask", metavar="ADDRESS", help="grade on a Dask cluster: tcp://10.0.0.1:8786, 64 at a time")
    box = grade.add_mutually_exclusive_group()
    box.add_argument("--sandbox", metavar="COMMAND", help="beginning of a command that runs a container")
    box.add_argument("--unsafe", action="store_true", help="without a sandbox: for code that you trust")
    for command in (assign, grade):
        command.add_argument(
            "--sources", type=_path, metavar="DIR", help="folder of the sources (default: the clone's)"
        )

    options = parser.parse_args(words, argparse.Namespace(jupyter=jupyter))
    try:
        status = {"lab": _lab, "xray": _xray, "assign": _assign, "grade": _grade}[options.command](parser, options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # who read along, such as `head`, has gone; Python's exit must find nothing left to write
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _lab(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    try:
        copies = copy_lessons(options.folder)
    except FileExistsError:
        parser.error(f"DIR must be a folder, but {options.folder} is a file")
    except OSError as error:
        parser.error(f"cannot copy the lessons into {options.folder}: {error.strerror or error}")
    print(f"Lessons in {options.folder.resolve()}{':' if copies else ''}")
    for copy in copies:
        print(f"  {copy.path}: {_WORDS[copy.action]}")
    if not options.copy_only:
        open_lab(options.folder, options.jupyter)
    return 0


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
        parser.error(f"{error.filename}: {error.strerror}" if error.filename else str(error))
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
        made = assignment.solution() if options.solution else assignment.student()
        text = nbformat.writes(assignment.instructor() if options.instructor else made)
        options.out.mkdir(parents=True, exist_ok=True)
        with path.open("w" if options.force else "x", encoding="utf-8") as file:
            file.write(text + "\n")
    except AssignmentError as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(f"--out: cannot write into {options.out}: {error.strerror or error}")
    kind = "solution" if options.solution else "instructor" if options.instructor else "student"
    exercises = _count(len(assignment.tasks), "exercise")
    print(f"{path}: the {kind} version, {exercises}, {assignment.maximum:g} points")
    return 0


def _grade(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    source, total = _to_grade(parser, options)

    from tqdm import tqdm

    from rsl_edu.course.assignment import Assignment, AssignmentError
    from rsl_edu.course.grade import run, sandbox
    from rsl_edu.course.grade.gradebook import GRADED, Row

    box = "unsafe" if options.unsafe else options.sandbox or "bwrap"
    jobs = options.jobs or run.cores()
    executor = functools.partial(run.processes, jobs)
    if options.dask:
        executor = functools.partial(run.cluster, options.dask)
    try:
        assignment = Assignment.read(source)
        with tqdm(total=total, unit=" submissions", desc=assignment.name) as bar:

            def tick(_: Row) -> None:
                bar.update()

            rows = run.grade(
                assignment,
                options.submissions,
                options.out,
                executor=executor,
                window=2 * (options.jobs or (64 if options.dask else jobs)),
                box=box,
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
        parser.error(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    graded = [row for row in rows if row.status == GRADED]
    unsafe = " WITHOUT A SANDBOX" if options.unsafe else ""
    print(f"{options.out}: {_count(len(rows), 'submission')}, {len(graded)} graded{unsafe}")
    for row in rows:
        if row.status != GRADED:
            print(f"  {row.submission}: {row.status}")
    return 0


def _to_grade(parser: argparse.ArgumentParser, options: argparse.Namespace) -> tuple[Path, int]:
    """Return the source of the assignment and the number of submissions; report what is wrong without torch."""
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
        parser.error(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    return source, total


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


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
