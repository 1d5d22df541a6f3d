"""The explorer that CONTRIBUTING.md shows is one."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from rsl_edu.explorers import Explorer

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def source():
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.DOTALL)
    return code


@pytest.fixture
def decay(source, monkeypatch, tmp_path):
    (tmp_path / "decay.py").write_text(source, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    module = __import__("decay")
    yield module.Decay()
    del sys.modules["decay"]


def test_shown_explorer_works_at_every_corner(decay):
    assert isinstance(decay, Explorer)
    assert decay.sweep().startswith("Decay: ")
    assert repr(decay) == "Decay(): With rate 0.1 the last 20 samples weigh 0.88 together."
    decay.predict(0.02)
    assert len(list(decay.frames())) == 20


def test_shown_explorer_passes_the_checks(source):
    command = [sys.executable, "-m", "ruff", "check", "--stdin-filename", "rsl_edu/explorers/decay.py", "-"]
    checked = subprocess.run(command, input=source, text=True, cwd=ROOT, capture_output=True)
    assert checked.returncode == 0, checked.stdout
