"""Draw the pictures that open the lessons and their landing page: ``python book/pictures``."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "notebooks" / "pictures"

if __name__ == "__main__":
    sys.path[:1] = [str(ROOT), str(ROOT / "book")]
    from pictures import PICTURES

    FOLDER.mkdir(exist_ok=True)
    for name, draw in PICTURES.items():
        (FOLDER / f"{name}.svg").write_text(draw(), "utf-8")
