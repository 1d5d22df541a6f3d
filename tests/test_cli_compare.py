"""``rsl-edu compare`` identifies its files; its exit status shows whether they are the same."""

import numpy as np
import pytest
import torch
from exporters import IsaacLab, in_this_process, policy, save, script

from rsl_edu import cli, compare
from rsl_edu.sandbox import SandboxError

ACTOR = policy()


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Return a folder with a run, right and wrong exports of it, and recordings."""
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


def test_status_is_0_if_both_are_the_same(files, capsys):
    assert cli.main(["compare", "run", "policy.pt"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("checkpoint  model_1.pt: iteration 1, rsl_rl 5, 6 observations → normalizer →")
    assert "\nSame actions, provided that the checkpoint was trained with elu (only the export names the" in out


def test_status_is_2_if_the_code_was_not_run(files, monkeypatch, capsys):
    def refuse(*_):
        raise SandboxError("cannot run bwrap: No such file or directory")

    monkeypatch.setattr("rsl_edu.compare.exports.verdict.run_export", refuse)
    assert cli.main(["compare", "run", "policy.pt"]) == 2
    assert (
        "\nCannot tell, because the export's code was not run. Judged by its tensors only: same actions"
        in capsys.readouterr().out
    )


@pytest.mark.parametrize("words", [("run/model_1.pt", "wrong.pt"), ("wrong.pt", "run/model_1.pt"), ("wrong.pt", "run")])
def test_status_is_1_for_another_policy_in_either_order(words, files, capsys):
    assert cli.main(["compare", *words]) == 1
    assert "\n1. normalizer left out\n" in capsys.readouterr().out


def test_options_reach_the_comparison(files, capsys):
    (files / "agent.yaml").write_text("actor:\n  activation: elu\n")
    torch.save(torch.randn(5, 6), files / "obs.pt")
    words = ["--obs", "obs.pt", "--activation", "tanh", "--html", "page.html", "--unsafe"]
    assert cli.main(["compare", "run", "policy.pt", *words]) == 1
    out = capsys.readouterr().out
    for said in ("\ninput       obs.pt\n", "(tanh)", "1. another activation", "\npage.html: the page, "):
        assert said in out
    page = (files / "page.html").read_text("utf-8")
    assert "<title>run and policy.pt</title>" in page
    assert "another activation" in page
    assert cli.main(["compare", "run", "policy.pt", "--config", "agent.yaml"]) == 0
    assert "(elu, from agent.yaml)" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("second", ["train.pt", "play.npy", "old.pt"])
def test_two_recordings_are_compared_as_recordings(second, files, monkeypatch, capsys):
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
        (["train.pt", "policy.pt"], f"expected {ALLOWED}, got a recording and an export. Compare the export with"),
        (
            ["run/model_0.pt", "play.npy"],
            f"expected {ALLOWED}, got a checkpoint and a recording. To run a policy on a recording",
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
def test_files_that_cannot_be_compared_are_an_error(words, says, files, capsys):
    (files / "notes.txt").write_text("notes")
    (files / "notes.onnx").write_text("notes")
    (files / "pointer.onnx").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n")
    (files / "empty").mkdir()
    with pytest.raises(SystemExit, match="2"):
        cli.main(["compare", *words])
    assert says in capsys.readouterr().err


MODULE = torch.nn.Sequential(torch.nn.Linear(6, 3))


@pytest.mark.parametrize(
    ("write", "says"),
    [
        (lambda f: f.write_bytes((f.parent / "train.pt").read_bytes()[:600]), "x.pt: damaged: the table of contents"),
        (lambda f: f.write_bytes(b""), "x.pt: an empty file (0 bytes); copy or download it again"),
        (lambda f: f.write_text("<!DOCTYPE html><html>"), "x.pt: a web page (HTML), not the file; download the file"),
        (lambda f: f.write_text("hello\nyou"), f"x.pt: a text, which begins 'hello'; expected {ALLOWED}"),
        (lambda f: f.write_text("actor:\n  activation: elu\n"), "x.pt: a text (YAML), such as agent.yaml; give"),
        (
            lambda f: f.write_bytes(b"\0\1\2\3" * 9),
            f"x.pt: not a file written by torch.save and not an export; expected {ALLOWED}",
        ),
        (lambda f: torch.save(MODULE, f), "x.pt: a complete module (torch.nn.modules.container.Sequential), which"),
        (
            lambda f: torch.export.save(torch.export.export(MODULE, (torch.zeros(1, 6),)), str(f)),
            f"x.pt: an exported program (torch.export, .pt2); expected {ALLOWED}",
        ),
        (
            lambda f: torch.save(MODULE.state_dict(), f),
            'got a folder and a state_dict. To use a state_dict as a checkpoint, save {"actor_state_dict": state_dict}',
        ),
        (
            lambda f: torch.save({"net": MODULE.state_dict()}, f, _use_new_zipfile_serialization=False),
            "got a folder and a state_dict",
        ),
    ],
    ids=["truncated", "empty", "HTML", "text", "YAML", "bytes", "module", "torch.export", "state_dict", "legacy"],
)
def test_file_that_is_neither_checkpoint_nor_export_is_named(write, says, files, capsys):
    write(files / "x.pt")
    with pytest.raises(SystemExit, match="2"):
        cli.main(["compare", "run", "x.pt"])
    assert says in capsys.readouterr().err


def test_error_about_two_folders_names_the_export_in_one(files, capsys):
    (files / "run" / "exported").mkdir()
    (files / "policy.pt").rename(files / "run" / "exported" / "policy.pt")
    for words in (["run", "run/exported"], ["run/exported", "run"], ["run", "run"]):
        with pytest.raises(SystemExit, match="2"):
            cli.main(["compare", *words])
        assert "got a folder and a folder. Give the exported file: run/exported/policy.pt" in (capsys.readouterr().err)


def test_error_about_a_state_dict_explains_how_to_wrap_it(files, capsys):
    torch.save(ACTOR.state_dict(), files / "bare.pt")
    with pytest.raises(SystemExit, match="2"):
        cli.main(["compare", "bare.pt", "policy.pt"])
    assert 'wrap it: torch.save({"actor_state_dict": state_dict}, "model_0.pt")' in capsys.readouterr().err
