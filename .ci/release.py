"""Build the files of a release in ``dist``: wheel, sdist, a zip of the lessons, and their checksums."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
sys.path.insert(0, str(ROOT))

from rsl_edu import __version__  # noqa: E402


def build() -> Path:
    """Build wheel and sdist, check them as the package index does, and return the wheel."""
    shutil.rmtree(DIST, ignore_errors=True)
    python = [sys.executable, "-m"]
    subprocess.run([*python, "build", "--no-isolation", "--outdir", DIST, ROOT], check=True)
    (wheel,) = DIST.glob("*.whl")
    subprocess.run([*python, "twine", "check", "--strict", *DIST.iterdir()], check=True)
    subprocess.run([*python, "check_wheel_contents", wheel], check=True)
    return wheel


def lessons(wheel: Path) -> Path:
    """Zip the lessons of a wheel, in a folder with the name of the release."""
    name = f"rsl_edu-{__version__}-lessons"
    inside = "rsl_edu/_lessons/"
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(DIST / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as target:
        for file in source.infolist():
            if file.filename.startswith(inside):
                content = source.read(file)
                # The entry keeps its date, so that the zip is reproducible
                file.filename = f"{name}/{file.filename.removeprefix(inside)}"
                target.writestr(file, content, zipfile.ZIP_DEFLATED)
    return DIST / f"{name}.zip"


def checksums() -> None:
    """Write the checksums in the format of ``sha256sum --check``."""
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(DIST.iterdir())]
    (DIST / "SHA256SUMS").write_text("".join(lines), encoding="ascii")


def main(tag: str) -> None:
    """Build a release. If there is a ``tag``, it must match the version."""
    if tag not in ("", f"v{__version__}"):
        raise SystemExit(f"TAG: expected v{__version__}, the version in rsl_edu/__init__.py; got {tag}")
    lessons(build())
    checksums()
    print(*(f"dist/{file.name}" for file in sorted(DIST.iterdir())), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
