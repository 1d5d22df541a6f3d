"""The files that a process in the sandbox sees: what Python needs, but no answers to exercises."""

from __future__ import annotations

import functools
import importlib.util
import re
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

SYSTEM = (
    *("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"),
    *("/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec"),
    *("/usr/local/lib", "/usr/local/lib64", "/usr/local/cuda", "/usr/share/zoneinfo"),
    *("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime"),
)
"""Visible parts of the system. Without fonts, because Matplotlib has its own and would search for others each time."""
ANSWERS = ("rsl_edu", "rsl_rl")
"""Packages that contain answers to exercises."""

_PREFIXES = (sys.base_prefix, sys.base_exec_prefix, sys.prefix, sys.exec_prefix)
_OF_PREFIX = (
    *("pyvenv.cfg", "bin/python", "bin/python3", "bin/python3.*[0-9t]", "lib", "lib64"),
    *("targets", "share/zoneinfo"),  # conda's CUDA, and its time zones
)
_SITES = ("site-packages", "dist-packages")


def options(shown: Mapping[Path, Path | None]) -> list[str]:
    """Return the bubblewrap options that make paths visible, read-only.

    Args:
        shown: For each path in the sandbox, its source: a file or folder outside the sandbox, or None to hide the path.
    """
    words: list[str] = []
    hidden: list[Path] = []
    folders = {parent for place in shown for parent in place.parents if parent != Path("/")}
    for place in sorted({*folders, *shown}):  # a folder comes before its contents
        source = shown.get(place)
        if place not in shown:
            if not any(parent in shown for parent in place.parents):
                words += ["--perms", "0755", "--dir", str(place)]
        elif source is None and place.is_dir():
            hidden.append(place)
            words += ["--perms", "0755", "--tmpfs", str(place)]
        elif source is None:
            words += ["--ro-bind", "/dev/null", str(place)]  # opening it is refused
        elif place.is_symlink() and any(place.resolve().is_relative_to(other) for other in shown if other != place):
            words += ["--symlink", str(place.readlink()), str(place)]
        else:
            words += ["--ro-bind", str(source), str(place)]
    return [*words, *(word for place in hidden for word in ("--remount-ro", str(place)))]


@functools.cache
def environment() -> Mapping[Path, Path | None]:
    """Return the visible and hidden paths of the system and the Python environment.

    Only the libraries and the interpreter of the environment are visible, because a virtual environment is often inside
    a clone of the course, which contains the solutions. Among the libraries, packages with answers and the packages of
    other interpreters are hidden.
    """
    prefixes = {Path(prefix) for prefix in _PREFIXES} | {Path(prefix).resolve() for prefix in _PREFIXES}
    shown = {Path(part) for part in (*SYSTEM, sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))}
    shown |= {path for prefix in prefixes for part in _OF_PREFIX for path in prefix.glob(part)}
    shown = {place for place in shown if place.exists()}
    found = {place.resolve() if place.is_symlink() else place for place in _hidden(shown) if place.exists()}
    hidden = {place for place in found if any(place.is_relative_to(other) for other in shown)}
    places = dict.fromkeys(hidden) | {place: place for place in shown - hidden}
    return {place: source for place, source in places.items() if _differs(place, places)}


def _differs(place: Path, places: Mapping[Path, Path | None]) -> bool:
    """Return whether a path needs its own entry, because no parent is listed, or the nearest has a different status."""
    around = next((parent for parent in place.parents if parent in places), None)
    return around is None or (places[around] is None) != (places[place] is None)


def _hidden(shown: set[Path]) -> Iterator[Path]:
    """Yield all paths that may contain answers."""
    imported = {Path(folder).resolve() for folder in sys.path}
    folders = [folder for place in shown if not place.is_symlink() for folder in place.glob("python*")]
    for library in [folder / name for folder in folders if not folder.is_symlink() for name in _SITES]:
        if library.resolve() in imported:
            yield from _answers(library)
        elif library.exists():
            yield library
    for package in ANSWERS:
        if place := _location(package):
            yield place
            yield from (folder for folder in place.parents if (folder / ".git").exists())


def _answers(library: Path) -> Iterator[Path]:
    """Yield those paths in a folder of packages that belong to packages with answers."""
    for answer in ANSWERS:
        yield from library.glob(f"*{answer}*")
        yield from library.glob(f"__pycache__/*{answer}*")
    for distribution in metadata.distributions(path=[str(library)]):
        if _has_answers(distribution):
            for file in distribution.files or ():
                if file.parts[0] != "..":
                    yield library / (file if file.parts[0] == "__pycache__" else file.parts[0])


def _has_answers(distribution: metadata.Distribution) -> bool:
    """Return whether a distribution contains a package with answers, or has the name of such a package."""
    name = re.sub(r"[-_.]+", "_", distribution.metadata["Name"] or "").lower()
    listed = "\n".join(distribution.read_text(file) or "" for file in ("RECORD", "top_level.txt"))
    return name.startswith(ANSWERS) or any(re.search(rf"^{answer}\b", listed, re.MULTILINE) for answer in ANSWERS)


def _location(package: str) -> Path | None:
    """Return the location of a package: its folder, its file, or the archive that contains it."""
    try:
        found = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    if found is None or found.origin is None:
        return None
    inside = Path(found.origin).parent if found.submodule_search_locations else Path(found.origin)
    return next(place for place in (inside, *inside.parents) if place.exists())
