"""Build the book: ``python book/build.py [FOLDER]``; the site is then in ``book/_build/html``, or in FOLDER."""

import sys
from pathlib import Path

from sphinx.cmd.build import build_main

ROOT = Path(__file__).parents[1]


def main(folder: Path) -> int:
    """Run Sphinx, with warnings as errors; return its exit status."""
    options = ["-q", "-W", "--keep-going", "-j", "6", "-c", str(ROOT / "book"), "-d", str(folder.parent / "doctrees")]
    return build_main([*options, str(ROOT), str(folder)])


if __name__ == "__main__":
    sys.exit(main(Path(*sys.argv[1:] or [ROOT / "book" / "_build" / "html"])))
