"""Execute notebooks and store them in canonical form, so that a diff shows only what changed.

``python -m rsl_edu.course.execute notebooks`` executes every notebook below ``notebooks`` and stores the outputs. With
``--check`` it only lists the notebooks that are not in canonical form. In canonical form, execution counts are
1, 2, 3 …, cell ids are stable, consecutive streams are merged, and there are no timings, widget states, paths of the
machine or memory addresses.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat

from rsl_edu.atomic_write import atomic_write
from rsl_edu.course.same_picture import keep_pictures
from rsl_edu.folders import ensure_home
from rsl_edu.printable import printable

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

# Text that differs between machines or between runs. For nbval, tests/nbval_sanitize.cfg contains this list
# and PICTURE.
SCRUB = (
    (r"\b0x[0-9a-fA-F]{6,}", "0x…"),
    (r"(?<!\S)\S*[/\\]ipykernel_\d+[/\\]\d+\.py", "<cell>"),
    (r"(?<![\w/:.~+,])(?:/[\w.+@-]+)+(?=/)", "…"),
)
PICTURE = (r"(?<=data:image/png;base64,)[\w+/=]+", "…")
"""Also ignored by nbval, because the bytes of a picture depend on which CPU kernels torch uses."""

_CELL_METADATA = {"execution", "ExecuteTime", "collapsed", "scrolled", "trusted", "papermill", "vscode", "pycharm"}
_NOTEBOOK_METADATA = {"widgets", "papermill", "vscode", "toc-autonumbering", "signature", "orig_nbformat"}
_KERNEL = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "pygments_lexer": "ipython3"},
}
_OVERWRITTEN = re.compile(r"^.*\r(?=[^\n])", re.MULTILINE)  # a line that a progress bar has overwritten


class ExecutionError(Exception):
    """A cell failed; the message names the notebook and the cell."""


def canonical(text: str) -> str:
    """Return the canonical form of a notebook.

    Args:
        text: The notebook's JSON, as stored.

    Raises:
        ValueError: If ``text`` is not a notebook.
    """
    return _write(_canonical(_read(text)))


def execute(path: Path, timeout: float = 600.0) -> bool:
    """Execute a notebook in its folder and store it in canonical form.

    If a cell fails, the stored notebook does not change.

    Args:
        path: The notebook.
        timeout: Seconds that one cell may take.

    Returns:
        Whether the stored file changed.

    Raises:
        ExecutionError: If a cell raises, takes too long or ends the kernel.
        ValueError: If the file is not a notebook.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellControlSignal, CellExecutionError, DeadKernelError

    text = path.read_text(encoding="utf-8")
    notebook = _read(text)
    running = 0

    def started(cell: Any, cell_index: int) -> None:
        nonlocal running
        running = cell_index

    client = NotebookClient(
        notebook,
        timeout=timeout,
        startup_timeout=600,  # the default of a minute is too short for a busy machine
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],  # suppresses "Kernel is running over TCP without encryption"
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_start=started,
    )
    try:
        client.execute(
            env=os.environ | {"TQDM_DISABLE": "1"}
        )  # progress bars appear only on slow runs: don't store them
    except (CellControlSignal, DeadKernelError) as error:
        reason = f"{error.ename}: {error.evalue}" if isinstance(error, CellExecutionError) else str(error)
        cell = notebook.cells[running]
        raise ExecutionError(f"{path}: cell {running} (id {cell.id}) failed: {reason}\n{cell.source}") from error
    keep_pictures(_canonical(notebook), _read(text))
    result = _write(notebook)
    if result != text:
        with atomic_write(path) as part:
            part.write_text(result, encoding="utf-8")
    return result != text


def notebooks(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield the given notebooks, and all notebooks below the given folders in the order of their names."""
    for path in paths:
        below = sorted(path.rglob("*.ipynb")) if path.is_dir() else [path]
        yield from (found for found in below if ".ipynb_checkpoints" not in found.parts)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m rsl_edu.course.execute", description=__doc__.split("\n")[0])
    parser.add_argument("paths", nargs="+", type=Path, metavar="NOTEBOOK", help="a notebook, or a folder of notebooks")
    parser.add_argument("--check", action="store_true", help="execute nothing; fail if a notebook is not canonical")
    options = parser.parse_args(argv)
    ensure_home()  # kernels need a home folder for their files
    failed = False
    for path in notebooks(options.paths):
        try:
            if not options.check:
                print(f"{path}: {'stored' if execute(path) else 'unchanged'}", flush=True)
            elif canonical(text := path.read_text(encoding="utf-8")) != text:
                failed = True
                print(f"{path}: not in canonical form; run `make notebooks`", file=sys.stderr)
        except (ExecutionError, OSError) as error:
            failed = True
            print(printable(str(error), keep="\n\t"), file=sys.stderr)
        except ValueError as error:
            failed = True
            print(printable(f"{path}: {error}", keep="\n\t"), file=sys.stderr)
    return int(failed)


def _read(text: str) -> Any:
    try:
        stored = json.loads(text)
        _give_ids(stored["cells"])
        stored.update(nbformat=4, nbformat_minor=max(5, stored.get("nbformat_minor", 0)))
        notebook = nbformat.reads(json.dumps(stored), as_version=4)
        nbformat.validate(notebook)
    except (ValueError, KeyError, TypeError, AttributeError, nbformat.ValidationError) as error:
        raise ValueError(f"not a notebook of format 4: {error!r}") from error
    return notebook


def _give_ids(cells: list[dict[str, Any]]) -> None:
    """Give each cell without a unique id an id derived from its text."""
    taken: set[str] = set()
    for cell in cells:
        cell_id = cell.get("id")
        if cell_id is None or cell_id in taken:
            source = "".join(cell["source"])
            stem = hashlib.sha256(f"{cell['cell_type']}\n{source}".encode()).hexdigest()[:8]
            cell_id = next(name for n in range(len(cells) + 1) if (name := f"{stem}-{n}" if n else stem) not in taken)
        cell["id"] = cell_id
        taken.add(cell_id)


def _canonical(notebook: Any) -> Any:
    for key in _NOTEBOOK_METADATA & notebook.metadata.keys():
        del notebook.metadata[key]
    notebook.metadata.update(nbformat.from_dict(_KERNEL))
    count = 0
    for cell in notebook.cells:
        for key in _CELL_METADATA & cell.metadata.keys():
            del cell.metadata[key]
        if cell.cell_type != "code":
            continue
        ran = bool(cell.source.strip())
        count += ran
        cell.execution_count = count if ran else None
        cell.outputs = _canonical_outputs(cell.outputs if ran else [], count)
    return notebook


def _canonical_outputs(outputs: list[Any], count: int) -> list[Any]:
    kept: list[Any] = []
    for are_streams, group in itertools.groupby(outputs, lambda output: output.output_type == "stream"):
        run = list(group)
        kept += _merged(run) if are_streams else [_cleaned(output, count) for output in run]
    return [output for output in kept if output.get("data") != {}]


def _merged(streams: Iterable[Any]) -> list[Any]:
    """Merge consecutive streams of one cell into one stdout and one stderr."""
    written = {"stdout": "", "stderr": ""}
    for stream in streams:
        written[stream.name] += stream.text
    return [
        nbformat.from_dict({"output_type": "stream", "name": name, "text": _scrub(_OVERWRITTEN.sub("", text))})
        for name, text in written.items()
        if text
    ]


def _cleaned(output: Any, count: int) -> Any:
    """Return an error without its traceback, or a display or a result without its widget."""
    if output.output_type == "error":
        output.evalue = _scrub(output.evalue)
        output.traceback = [f"{output.ename}: {output.evalue}"]
        return output
    for part in (output.data, output.metadata):
        part.pop(WIDGET_VIEW, None)
    for kind, value in output.data.items():
        if kind.startswith("text/"):
            output.data[kind] = _scrub(value)
    if output.output_type == "execute_result":
        output.execution_count = count
    return output


def _scrub(text: str) -> str:
    for pattern, replacement in SCRUB:
        text = re.sub(pattern, replacement, text)
    return text


def _write(notebook: Any) -> str:
    return str(nbformat.writes(notebook)) + "\n"


if __name__ == "__main__":
    sys.exit(main())
