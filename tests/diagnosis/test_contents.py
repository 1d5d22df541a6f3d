"""The contents table predicts what rsl_rl does with a file: an error, a silent loss or success."""

import contextlib
import copy
import io
import re

import pytest
import torch
from peer import Recorded, Robots, configuration, needs_rsl_rl

from rsl_edu import cli
from rsl_edu.checkpoint import CheckpointError
from rsl_edu.data.training_run import example_run
from rsl_edu.diagnosis import contents_table
from rsl_edu.diagnosis.contents import RELEASES

SAVED = example_run().parents[2] / "tests" / "checkpoint" / "files"


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    """The checkpoint that rsl_rl 5.5.1 saves after two iterations."""
    path = tmp_path_factory.mktemp("run") / "model_1.pt"
    with contextlib.redirect_stdout(io.StringIO()):
        Recorded(configuration("mlp", "gaussian")).learn(2).runner.save(str(path))
    return torch.load(path, weights_only=True)


def outcomes(table):
    return {part.name: (part.resume, part.play, *part.releases) for part in table.parts}


def table_of(folder, stored, name="model_1.pt"):
    torch.save(stored, folder / name)
    return contents_table(folder / name)


def loaded(folder, name="model_1.pt", **options):
    """An rsl_rl runner that has loaded the file."""
    with contextlib.redirect_stdout(io.StringIO()):
        from rsl_rl.runners import OnPolicyRunner

        runner = OnPolicyRunner(Robots(), configuration("mlp", "gaussian"), None)
    runner.load(str(folder / name), **options)
    return runner


def without(*parts):
    def change(stored):
        for part in parts:
            del stored[part]

    return change


def renamed(before, after):
    def change(stored):
        actor = stored["actor_state_dict"]
        stored["actor_state_dict"] = {name.replace(before, after): tensor for name, tensor in actor.items()}

    return change


def in_one_model(stored):
    words = {"mlp": ("actor", "critic"), "obs_normalizer": ("actor_obs_normalizer", "critic_obs_normalizer")}
    model = {}
    for i, part in enumerate(("actor_state_dict", "critic_state_dict")):
        for name, tensor in stored.pop(part).items():
            first, _, rest = name.partition(".")
            model[f"{words[first][i]}.{rest}" if first in words else "std"] = tensor
    stored["model_state_dict"] = model


def no_moments(stored):
    stored["optimizer_state_dict"]["state"].clear()


def no_count(stored):
    del stored["actor_state_dict"]["obs_normalizer.count"]


def another_part(stored):
    stored["actor_state_dict"]["estimator.0.weight"] = torch.ones(2)


@needs_rsl_rl
@pytest.mark.parametrize(
    ("change", "part", "said"),
    [
        (without("critic_state_dict"), "critic", "'critic_state_dict'"),
        (without("optimizer_state_dict"), "optimizer", "'optimizer_state_dict'"),
        (without("iter"), "iteration", "'iter'"),
        (without("infos"), "infos", "'infos'"),
        (renamed("distribution.std_param", "std"), "std", "Missing key"),
        (in_one_model, "actor", "'actor_state_dict'"),
        (another_part, "other parts", "Unexpected key"),
    ],
    ids=range(7),
)
def test_error_in_the_table_is_an_error_in_rsl_rl_5(change, part, said, complete, tmp_path):
    stored = copy.deepcopy(complete)
    change(stored)
    table = table_of(tmp_path, stored)
    assert outcomes(table)[part][2 + RELEASES.index(5)] == ("ok" if part == "other parts" else "error")
    assert said.strip("'") in str(table) or part == "other parts"
    with pytest.raises((KeyError, RuntimeError), match=said):
        loaded(tmp_path)


@needs_rsl_rl
def test_silent_in_the_table_means_that_the_part_is_lost_without_an_error(complete, tmp_path):
    stored = copy.deepcopy(complete)
    no_moments(stored)
    table = table_of(tmp_path, stored)
    assert outcomes(table)["optimizer"] == ("silent", "-", *["silent"] * 4)
    assert "Adam starts from scratch" in table.notes["resume"]
    assert not loaded(tmp_path).alg.optimizer.state

    table = table_of(tmp_path, copy.deepcopy(complete) | {"iter": 0}, "model_1000.pt")
    assert outcomes(table)["iteration"][0] == "silent"
    assert "continue from 0" in table.notes["resume"]
    assert loaded(tmp_path, name="model_1000.pt").current_learning_iteration == 0


@needs_rsl_rl
def test_complete_file_is_loaded_without_loss(complete, tmp_path):
    table = table_of(tmp_path, complete)
    found = outcomes(table)
    for part in ("actor", "std", "its normalizer", "critic", "critic's normalizer", "optimizer", "learning rate"):
        assert (found[part][0], found[part][5]) == ("ok", "ok")
    runner = loaded(tmp_path)
    assert runner.current_learning_iteration == complete["iter"]
    assert runner.alg.learning_rate == complete["optimizer_state_dict"]["param_groups"][0]["lr"]
    assert len(runner.alg.optimizer.state) == 13
    held = {part.name: part.held for part in table.parts}
    assert held["actor"] == "mlp: 4 → 16 → 16 → 1"
    assert held["critic"] == "mlp: 4 → 16 → 16 → 1"
    assert held["its normalizer"] == "4 features, 120 samples"
    assert held["optimizer"] == "Adam, 8 steps"
    assert held["RND"] == "no"


@needs_rsl_rl
@pytest.mark.parametrize(
    ("option", "left_out"), [("load_cfg={", ("optimizer_state_dict", "critic_state_dict", "iter"))]
)
def test_options_in_the_notes_load_an_incomplete_file(option, left_out, complete, tmp_path):
    stored = copy.deepcopy(complete)
    without(*left_out)(stored)
    notes = table_of(tmp_path, stored).notes
    for note, expected in (("play", {"actor": True}), ("resume", None)):
        (said,) = re.findall(r"load_cfg=(\{.*?\})", notes[note])
        load_cfg = eval(said)
        assert expected in (None, load_cfg)
    loaded(tmp_path, load_cfg={"actor": True})
    assert "also needs critic, optimizer, iteration" in notes["play"]

    stored = copy.deepcopy(complete)
    del stored["optimizer_state_dict"]
    (said,) = re.findall(r"load_cfg=(\{.*?\})", table_of(tmp_path, stored).notes["resume"])
    assert loaded(tmp_path, load_cfg=eval(said)).current_learning_iteration == complete["iter"]


@needs_rsl_rl
def test_older_file_loads_after_the_renaming_in_the_notes(complete, tmp_path):
    stored = copy.deepcopy(complete)
    renamed("distribution.std_param", "std")(stored)
    table = table_of(tmp_path, stored)
    assert table.notes["rsl_rl 5"] == "Missing key(s): rename std to distribution.std_param."
    torch.save(complete, tmp_path / "model_1.pt")
    assert loaded(tmp_path)


def test_normalizer_of_rsl_rl_2_is_lost_in_3_and_that_of_3_is_an_error_in_2(tmp_path):
    table = contents_table(SAVED / "2.3.3-mlp.pt")
    assert outcomes(table)["its normalizer"] == ("ok", "ok", "ok", "silent", "error", "error")
    assert "nothing warns you" in table.notes["rsl_rl 3"]
    table = contents_table(SAVED / "3.1.3-mlp.pt")
    assert outcomes(table)["its normalizer"] == ("ok", "ok", "error", "ok", "error", "error")
    assert "Unexpected key(s)" in table.notes["rsl_rl 2"]


def test_learning_rate_is_restored_only_by_rsl_rl_5():
    for file, resumed in (("2.1.2-mlp", "silent"), ("4.0.1-mlp", "silent"), ("5.5.1-mlp", "ok")):
        assert outcomes(contents_table(SAVED / f"{file}.pt"))["learning rate"][0] == resumed


def test_moments_of_a_recurrent_policy_are_mixed_up_in_another_release(tmp_path):
    stored = torch.load(SAVED / "2.3.3-lstm.pt", weights_only=True)
    shapes = list(stored["model_state_dict"].values())
    state = {i: {"step": torch.tensor(1.0), "exp_avg": x, "exp_avg_sq": x**2} for i, x in enumerate(shapes)}
    stored["optimizer_state_dict"]["state"] = state
    table = table_of(tmp_path, stored)
    assert outcomes(table)["optimizer"] == ("ok", "-", "ok", "silent", "silent", "silent")
    assert "leave the optimizer out" in table.notes["rsl_rl 3"]


@pytest.mark.parametrize(
    "path", sorted({*SAVED.glob("*.pt")} - {*SAVED.glob("*.played.pt")}), ids=lambda path: path.stem
)
def test_every_release_has_a_table_that_fits_a_terminal(path):
    table = contents_table(path)
    major = path.name[0]
    own = 2 + RELEASES.index(int(major))
    assert all(row[own] == row[0] for row in outcomes(table).values())
    assert f"rsl_rl {major}" not in table.notes
    assert all(len(line) <= 100 and line == line.rstrip() for line in str(table).split("\n"))
    cells = {"ok", "error", "silent", "-"}
    assert all(set(row) <= cells for row in outcomes(table).values())
    assert all(part.held for part in table.parts)
    first, second = ("student", "teacher") if "distillation" in path.name else ("actor", "critic")
    assert {first, second} <= outcomes(table).keys()


def test_table_of_a_file_with_only_weights_lists_what_training_needs(complete, tmp_path):
    table = table_of(tmp_path, {"actor_state_dict": complete["actor_state_dict"]})
    found = outcomes(table)
    assert [found[part][0] for part in ("actor", "critic", "optimizer", "iteration", "infos")] == ["ok"] + 4 * ["error"]
    assert found["learning rate"][0] == "-"
    assert "loads only the actor" in table.notes["play"]


def test_names_from_files_are_escaped(complete, tmp_path):
    stored = copy.deepcopy(complete)
    stored["actor_state_dict"]["rnn.<img src=x onerror=alert(1)>\x1b[2J.weight"] = torch.ones(2)
    html = table_of(tmp_path, stored)._repr_html_()
    assert "<img" not in html
    assert all(line.isprintable() for line in (html + str(table_of(tmp_path, stored))).split("\n"))
    assert html.count("<tr>") == len(contents_table(tmp_path).parts) + 1


def test_command_line_prints_the_table_of_the_last_checkpoint(capsys):
    assert cli.main(["xray", str(example_run()), "--contents"]) == 0
    said = capsys.readouterr().out
    assert said.rstrip("\n") == str(contents_table(example_run()))
    assert said.startswith("file        model_59.pt, written by rsl_rl 5\n")
    assert "settings, no moments" in said


def test_file_that_is_not_a_checkpoint_is_refused(tmp_path, capsys):
    (tmp_path / "model_1.pt").write_bytes(b"a text")
    with pytest.raises(CheckpointError, match="a text, which begins"):
        contents_table(tmp_path)
    with pytest.raises(SystemExit):
        cli.main(["xray", str(tmp_path), "--contents"])
    assert "a text, which begins" in capsys.readouterr().err


def test_notes_on_playing_use_the_settings_file(tmp_path):
    path = tmp_path / "model_1.pt"
    path.write_bytes((SAVED / "5.5.1-heteroscedastic.pt").read_bytes())
    assert (
        "No file next to the checkpoint says which distribution its outputs parametrize."
        in contents_table(path).notes["play"]
    )
    (tmp_path / "agent.yaml").write_text(
        "actor: {activation: tanh, distribution_cfg: {class_name: HeteroscedasticGaussianDistribution}}"
    )
    table = contents_table(path)
    said = "agent.yaml sets the activation tanh and the distribution HeteroscedasticGaussianDistribution. "
    assert said in table.notes["play"]
    assert next(part.held for part in table.parts if part.name == "configuration") == "never in a file; see agent.yaml"
    assert "No file next to the checkpoint" not in table.notes["play"]
    (tmp_path / "agent.yaml").write_text("actor: {activation: tanh, hidden_dims: [7]}")
    table = contents_table(path)
    assert "agent.yaml is not used: it describes a different network: hidden layers of [7], but " in table.notes["play"]
    assert "tanh" not in table.notes["play"]


def test_the_command_accepts_another_settings_file(tmp_path, capsys):
    (tmp_path / "mine.yaml").write_text("actor: {activation: tanh}")
    assert cli.main(["xray", str(example_run()), "--contents", "--config", str(tmp_path / "mine.yaml")]) == 0
    assert "mine.yaml sets the activation tanh." in capsys.readouterr().out
