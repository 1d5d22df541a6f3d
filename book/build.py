"""Build the book in ``book/_build/html``, or in FOLDER: ``python book/build.py [FOLDER]``."""

import os
import sys
from pathlib import Path

from sphinx.cmd.build import build_main

ROOT = Path(__file__).parents[1]
DEAD = '<script type="application/vnd.jupyter.widget-view'


def main(folder: Path) -> int:
    """Run Sphinx, with warnings as errors, and return the exit status."""
    folder = folder.resolve()
    os.environ["RSL_EDU_BOOK_BUILD"] = str(folder.parent)  # conf.py writes files and a cache there
    options = ["-q", "-W", "--keep-going", "-j", "6", "-c", str(ROOT / "book"), "-d", str(folder.parent / "doctrees")]
    status = build_main([*options, str(ROOT), str(folder)])
    for page in dead_widgets(folder):
        print(
            f"{page}: this page contains a widget that stays empty without a kernel; give its class an HTML form",
            file=sys.stderr,
        )
        status = 1
    return status


def dead_widgets(folder: Path) -> list[Path]:
    """Return the pages that contain a widget that only a kernel could draw."""
    return [page for page in folder.rglob("*.html") if DEAD in page.read_text("utf-8")]


if __name__ == "__main__":
    sys.exit(main(Path(*sys.argv[1:] or [ROOT / "book" / "_build" / "html"])))
