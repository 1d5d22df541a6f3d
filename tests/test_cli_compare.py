"""``rsl-edu compare``: tells what its files are, and says with its status whether they are the same."""

import numpy as np
import pytest
import torch
from exporters import IsaacLab, in_this_process, policy, save, script

from rsl_edu import cli, compare

ACTOR = policy()


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A folder with a run, exports of it that are right and wrong, and recordings."""
    in_this_process(monkeypatch)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    for number, actor in enumerate((policy(3), ACTOR)):
        save(actor, tmp_path / "run" / f"model_{number}.pt")
    script(IsaacLab(ACTOR, ACTOR.obs_normalizer).eval(), tmp_path / "policy.pt")
    script(IsaacLab(ACTOR).eval(), tmp_path / "wrong.pt")
    torch.save({"policy": torch.zeros(2, 3, 6)}, tmp_path / "train.pt")
    torch.save(torch.zeros(4, 6), tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    np.save(tmp_path / "play.npy", np.zeros((4, 6), np.float32))
    return tmp_path


def test_the_status_is_0_for_the_same(files, capsys):
    assert cli.main(["compare", "run", "policy.pt"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("checkpoint  model_1.pt: iteration 1, rsl_rl 5, 6 observations → normaliser →")
    assert "\nSame actions: the largest difference is" in out


@pytest.mark.parametrize("words", [("run/model_1.pt", "wrong.pt"), ("wrong.pt", "run/model_1.pt"), ("wrong.pt", "run")])
def test_the_status_is_1_for_another_in_either_order(words, files, capsys):
    assert cli.main(["compare", *words]) == 1
    assert "\n1. normaliser left out\n" in capsys.readouterr().out


def test_options_reach_the_comparison(files, capsys):
    (files / "agent.yaml").write_text("actor:\n  activation: elu\n")
    torch.save(torch.randn(5, 6), files / "obs.pt")
    words = ["--obs", "obs.pt", "--activation", "tanh", "--html", "page.html", "--unsafe"]
    assert cli.main(["compare", "run", "policy.pt", *words]) == 1
    out = capsys.readouterr().out
    for said in ("\nshown       obs.pt\n", "(tanh)", "1. another activation", "\npage.html: the page, "):
        assert said in out
    page = (files / "page.html").read_text("utf-8")
    assert "<title>run and policy.pt</title>" in page
    assert "another activation" in page
    assert cli.main(["compare", "run", "policy.pt", "--config", "agent.yaml"]) == 0
    assert "(elu, from agent.yaml)" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("second", ["train.pt", "play.npy", "old.pt"])
def test_two_recordings_go_to_their_own_comparison(second, files, monkeypatch, capsys):
    class Result:
        status = 1

        def __str__(self):
            return "they differ"

    given = []
    monkeypatch.setattr(compare, "compare_recordings", lambda *paths, **_: given.append(paths) or Result())
    assert cli.main(["compare", "train.pt", second]) == 1
    assert [path.name for path in given[0]] == ["train.pt", second]
    assert capsys.readouterr().out == "they differ\n"


ALLOWED = "a checkpoint (or a run folder) and an export of it (TorchScript or ONNX), or two recordings"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["policy.pt", "wrong.pt"], f"expected {ALLOWED}, got an export and an export. Compare each of them with"),
        (["run", "run/model_0.pt"], f"expected {ALLOWED}, got a folder and a checkpoint. `rsl-edu xray RUN` compares"),
        (["train.pt", "policy.pt"], f"expected {ALLOWED}, got a recording and an export. Give the checkpoint, and"),
        (
            ["run/model_0.pt", "play.npy"],
            f"expected {ALLOWED}, got a checkpoint and a recording. `rsl-edu xray RUN",
        ),
        (["run", "none.pt"], "none.pt: No such file or directory"),
        (["run", "policy.pt", "--obs", "none.pt"], "none.pt: No such file or directory"),
        (["run", "policy.pt", "--html", "nowhere/page.html"], "--html: cannot write nowhere/page.html"),
        (["run", "policy.pt", "--activation", "relux"], "activation: expected one of"),
        (["train.pt", "play.npy", "--unsafe"], "--obs, --activation and --unsafe are for a checkpoint and an export"),
        (["notes.txt", "policy.pt"], "notes.txt: "),
        (["run", "notes.onnx"], "notes.onnx: expected an exported policy"),
        (["empty", "policy.pt"], "empty: no checkpoint"),
        (
            ["run", "pointer.onnx"],
            "expected an exported policy, TorchScript or ONNX, got a Git LFS pointer to a",
        ),
    ],
)
def test_what_cannot_be_compared_is_an_error(words, says, files, capsys):
    (files / "notes.txt").write_text("notes")
    (files / "notes.onnx").write_text("notes")
    (files / "pointer.onnx").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n")
    (files / "empty").mkdir()
    with pytest.raises(SystemExit, match="2"):
        cli.main(["compare", *words])
    assert says in capsys.readouterr().err
