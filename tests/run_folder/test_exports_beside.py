"""Exported policies next to a run are found where exporters put them, and recognized by their content."""

import pytest
import torch

from rsl_edu.run_folder import exports_beside

ONNX = b"\x08\x07\x12\x07pytorch\x3a\x00B\x04\x0a\x00\x10\x0b"  # version, producer, an empty graph, operators
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")


def exported(file):
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".onnx":
        file.write_bytes(ONNX)
    else:
        torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), file)


@pytest.fixture
def run(tmp_path):
    """A run with a checkpoint, in a folder of runs."""
    (tmp_path / "anymal" / "run").mkdir(parents=True)
    torch.save({"iter": 1}, tmp_path / "anymal" / "run" / "model_0.pt")
    return tmp_path / "anymal" / "run"


def beside(run):
    return [str(file.relative_to(run)) for file in exports_beside(run)]


def test_exports_are_found_with_the_most_likely_first(run):
    assert beside(run) == []
    places = ["exported/policy.pt", "exported/policy.onnx", "run.onnx", "../exported/policies/policy_1.pt"]
    for place in reversed(places):
        exported(run / place)
    assert beside(run) == places
    assert exports_beside(run / "model_0.pt") == exports_beside(run)


def test_other_files_are_left_out(run):
    torch.save({"iter": 1}, run / "policy.pt")
    (run / "exported").mkdir()
    torch.save({"iter": 1}, run / "exported" / "policy.pt")
    (run / "exported" / "policy.onnx").write_text("version https://git-lfs.github.com/spec/v1\n")
    (run / "exported" / "folder.pt").mkdir()
    (run / "exported" / "empty.onnx").touch()
    assert beside(run) == []
    exported(run / "exported" / "model_0.pt")  # HumanoidVerse gives it the name of its checkpoint
    assert beside(run) == ["exported/model_0.pt"]


def test_export_next_to_a_copied_checkpoint_is_listed_once(run):
    exported(run / "exported" / "policy.pt")
    torch.save({"iter": 1}, run / "exported" / "model_0.pt")
    assert beside(run / "exported") == ["policy.pt"]
    (run / "checkpoints").mkdir()
    torch.save({"iter": 1}, run / "checkpoints" / "model_0.pt")
    assert beside(run / "checkpoints") == ["../exported/policy.pt"]


def test_given_export_is_not_listed(run):
    exported(run / "a.pt")
    exported(run / "b.pt")
    assert exports_beside(run / "a.pt") == [run / "b.pt"]


def test_checkpoints_are_not_opened(run, monkeypatch):
    for number in range(500):
        (run / f"model_{number}.pt").touch()
    monkeypatch.setattr("pathlib.Path.open", None)
    assert beside(run) == []
