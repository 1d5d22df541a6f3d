"""The tag of a release matches its version, and the zip of the lessons is reproducible."""

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from rsl_edu import __version__

SCRIPT = Path(__file__).parents[1] / ".ci" / "release.py"


@pytest.fixture
def release(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("release", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "DIST", tmp_path)
    return module


def test_tag_of_another_version_is_rejected_before_building():
    run = subprocess.run([sys.executable, SCRIPT, "v9.9.9"], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.strip() == f"TAG: expected v{__version__}, the version in rsl_edu/__init__.py; got v9.9.9"


def test_zip_contains_only_the_lessons_in_the_wheel(release, tmp_path):
    wheel = tmp_path / "a.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("rsl_edu/__init__.py", "")
        file.writestr("rsl_edu/_lessons/1_mlp.ipynb", "{}")
    first = release.lessons(wheel).read_bytes()
    assert release.lessons(wheel).read_bytes() == first
    with zipfile.ZipFile(tmp_path / f"rsl_edu-{__version__}-lessons.zip") as file:
        assert file.namelist() == [f"rsl_edu-{__version__}-lessons/1_mlp.ipynb"]


def test_checksums_are_right(release, tmp_path):
    (tmp_path / "a.zip").write_bytes(b"abc")
    release.checksums()
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # from FIPS 180-2
    assert (tmp_path / "SHA256SUMS").read_text("ascii") == f"{known}  a.zip\n"
