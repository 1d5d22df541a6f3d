"""The checkpoints of a run are read in order; unreadable ones are skipped with the reason."""

import itertools
import os
import shutil

import pytest
import torch
from actors import SAVED, built, contents, saved, trained, without

from rsl_edu import checkpoint
from rsl_edu.checkpoint import CheckpointError
from rsl_edu.modules import MLP
from rsl_edu.run_folder import run_settings


def test_iteration_is_the_number_in_the_name(tmp_path):
    assert checkpoint.read(saved(tmp_path, contents(), "model_250.pt")).iteration == 250
    assert checkpoint.read(saved(tmp_path, contents(), "best.pt")).iteration == 3


@pytest.mark.parametrize("unknown", ["x", None, 1.5, [1], True, float("nan"), torch.tensor(7)])
def test_iteration_is_unknown_without_a_number(unknown, tmp_path):
    for stored in (contents(iter=unknown), without(contents(), "iter")):
        found = checkpoint.read(saved(tmp_path, stored, "best.pt"))
        assert (found.iteration, found.when) == (0, "iteration unknown (the file does not contain it)")


def with_steps(steps, **others):
    """The contents of a file whose Adam has taken this many steps."""
    stored = trained() | others
    for moments in stored["optimizer_state_dict"]["state"].values():
        moments["step"].fill_(steps)
    return stored


@pytest.mark.parametrize(
    ("name", "stored", "when"),
    [
        ("best.pt", with_steps(20, iter=0), "iteration 0"),
        ("best.pt", with_steps(59_020, iter=0), "iteration unknown (iter is 0 in the file, Adam took 59,020 steps)"),
        ("best.pt", contents(iter=0), "iteration unknown (iter is 0 in the file)"),
        (
            "policy_1.pt",
            with_steps(59_020, iter=0),
            "iteration unknown (iter is 0 in the file, Adam took 59,020 steps)",
        ),
        (
            "best.pt",
            contents({"obs_normalizer.count": torch.tensor(98_304_000)}, iter=0),
            "iteration unknown (iter is 0 in the file, the normalizer has seen 98,304,000 samples)",
        ),
        ("best.pt", with_steps(59_020, iter=2950), "iteration 2950"),
        ("model_0.pt", with_steps(59_020), "iteration 0"),
    ],
)
def test_iteration_0_is_accepted_only_if_adam_took_few_steps(name, stored, when, tmp_path):
    found = checkpoint.read(saved(tmp_path, stored, name))
    assert found.when == when
    assert bool(found.trained) == ("59,020" in when or "samples" in when or when == "iteration 2950" or "model" in name)


def run_folder(folder, numbers):
    """Write checkpoints in which the bias is the number of the file."""
    for number in numbers:
        saved(folder, contents({"mlp.2.bias": torch.full((2,), float(number))}), f"model_{number}.pt")
    return folder


def numbers_of(run):
    assert [float(found.policy.mlp[2].bias[0]) for found in run.checkpoints] == [c.iteration for c in run.checkpoints]
    assert len({found.path for found in run.checkpoints}) == len(run.checkpoints)
    return [found.iteration for found in run.checkpoints]


def test_a_run_is_read_in_the_order_of_its_iterations(tmp_path):
    run_folder(tmp_path, [100, 0, 149, 50])
    for other in ("model_best.pt", "model_1.pt.bak", "events.out", "model_.pt"):
        (tmp_path / other).write_text("nothing")
    run = checkpoint.read_run(str(tmp_path))
    assert numbers_of(run) == [0, 50, 100, 149]
    assert (run.path, run.skipped, run.left_out) == (tmp_path, {}, 0)


@pytest.mark.parametrize("iteration", [0, None])
def test_iterations_come_from_other_names_if_the_files_lack_them(iteration, tmp_path):
    for name in ("model_8k.pt", "model_10k.pt"):
        saved(tmp_path, contents(iter=iteration), name)
    assert [found.iteration for found in checkpoint.read_run(tmp_path).checkpoints] == [8000, 10000]


@pytest.mark.parametrize("most", [2, 3, 5, 11, 12, 13])
def test_of_too_many_files_evenly_spread_ones_are_read(most, tmp_path):
    run = checkpoint.read_run(run_folder(tmp_path, range(0, 120, 10)), most=most)
    read = numbers_of(run)
    assert (len(read), run.left_out) == (min(most, 12), max(0, 12 - most))
    assert (read[0], read[-1]) == (0, 110)
    gaps = {later - earlier for earlier, later in itertools.pairwise(read)}
    assert max(gaps) - min(gaps) <= 10


def test_damaged_file_is_skipped_with_the_reason(tmp_path):
    run_folder(tmp_path, [0, 50, 100])
    (tmp_path / "model_50.pt").write_bytes((tmp_path / "model_50.pt").read_bytes()[:500])
    (tmp_path / "model_70.pt").mkdir()
    run = checkpoint.read_run(tmp_path)
    assert numbers_of(run) == [0, 100]
    assert set(run.skipped) == {tmp_path / "model_50.pt", tmp_path / "model_70.pt"}
    assert run.skipped[tmp_path / "model_50.pt"].startswith("model_50.pt: damaged")


def test_file_with_another_architecture_than_the_last_is_skipped(tmp_path):
    run_folder(tmp_path, [50, 100])
    other = built(hidden=(6,)).state_dict()
    saved(tmp_path, {"actor_state_dict": other}, "model_0.pt")
    saved(tmp_path, {"actor_state_dict": built("gru").state_dict()}, "model_60.pt")
    run = checkpoint.read_run(tmp_path)
    assert numbers_of(run) == [50, 100]
    assert run.skipped[tmp_path / "model_0.pt"] == "model_0.pt: its mlp.0.weight is [6, 4], unlike model_100.pt"
    assert "unlike model_100.pt" in run.skipped[tmp_path / "model_60.pt"]


def test_a_run_of_damaged_files_is_an_error(tmp_path):
    for number in range(3):
        (tmp_path / f"model_{number}.pt").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"model_2.pt: an empty file"):
        checkpoint.read_run(tmp_path)


def test_one_file_is_a_run(tmp_path):
    run_folder(tmp_path, [0, 50])
    run = checkpoint.read_run(tmp_path / "model_50.pt")
    assert (numbers_of(run), run.path, run.left_out) == ([50], tmp_path / "model_50.pt", 0)
    shutil.copy(tmp_path / "model_50.pt", tmp_path / "best.pt")
    assert checkpoint.read_run(tmp_path / "best.pt").checkpoints[0].iteration == 3


def test_activation_comes_from_the_configuration_unless_it_is_given(tmp_path):
    run_folder(tmp_path, [0])
    path = tmp_path / "model_0.pt"
    observed = torch.linspace(-2, 2, 8).reshape(2, 4)
    elu, relu, tanh = (checkpoint.read(path, name).policy(observed) for name in ("elu", "relu", "tanh"))
    assert not torch.equal(elu, relu)
    assert torch.equal(checkpoint.read_run(tmp_path).checkpoints[0].policy(observed), elu)

    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "agent.yaml").write_text("policy: {activation: relu}")
    for run, options, expected in [
        (tmp_path, {}, relu),
        (path, {}, relu),
        (tmp_path, {"activation": "tanh"}, tanh),
        (tmp_path, {"config": {"activation": "tanh"}}, tanh),
        (tmp_path, {"config": {"activation": "elu"}, "activation": "tanh"}, tanh),
        (tmp_path, {"config": {}}, elu),
    ]:
        assert torch.equal(checkpoint.read_run(run, **options).checkpoints[0].policy(observed), expected)


# Files next to a checkpoint may belong to another one.


OTHERS = {
    "actor: {activation: tanh, hidden_dims: [32, 32]}": "hidden layers of [32, 32], but the checkpoint has hidden ",
    "policy: {activation: tanh, actor_hidden_dims: [8, 8]}": "hidden layers of [8, 8]",
    "policy: {activation: tanh, class_name: ActorCriticRecurrent}": "an RNN, but the checkpoint has no RNN",
    "actor: {activation: tanh, class_name: 'rsl_rl.models:RNNModel'}": "an RNN",
    "actor: {activation: tanh, distribution_cfg: {class_name: BetaDistribution}}": "an output of the network",
    "policy: {activation: tanh, noise_std_type: log}": "log std as a parameter, but the checkpoint has std",
    "policy: {activation: tanh, state_dependent_std: true}": "an output of the network",
    "actor: {activation: tanh, distribution_cfg: {class_name: GaussianDistribution, std_type: log}}": "log std",
}
OWN = [
    "actor: {activation: tanh, hidden_dims: [8], class_name: MLPModel, distribution_cfg: {class_name: Gaussian}}",
    "policy: {activation: tanh, actor_hidden_dims: [8], noise_std_type: scalar, state_dependent_std: false}",
    "actor: {activation: tanh, hidden_dims: [-1], class_name: ActorCriticOfMine}",
    "policy: {activation: tanh, actor_hidden_dims: {}, class_name: {}, noise_std_type: {}}",
]


@pytest.mark.parametrize("text", OTHERS)
def test_settings_of_another_network_are_not_used(text, tmp_path):
    run_folder(tmp_path, [0])
    (tmp_path / "agent.yaml").write_text(text + "\nalgorithm: {schedule: fixed}")
    run = checkpoint.read_run(tmp_path)
    assert run.activation_from == ""
    assert run.settings.schedule is None
    assert run.settings.unread["agent.yaml"].startswith("it describes a different network: ")
    assert OTHERS[text] in run.settings.unread["agent.yaml"]
    with pytest.raises(
        CheckpointError, match=r"^agent.yaml: it describes a different network: .*; give the file of this run"
    ):
        checkpoint.read_run(tmp_path, config=run_settings(tmp_path, tmp_path / "agent.yaml"))


def test_std_type_that_the_release_does_not_have_is_ignored(tmp_path):
    shutil.copy(SAVED / "2.1.2-mlp.pt", tmp_path / "model_0.pt")
    for text, fits in (("noise_std_type: log", True), ("actor_hidden_dims: [999]", False)):
        (tmp_path / "agent.yaml").write_text(f"policy: {{activation: tanh, {text}}}")
        assert (checkpoint.read_run(tmp_path).activation_from == "agent.yaml") == fits


def test_second_file_of_the_same_iteration_is_listed(tmp_path):
    run_folder(tmp_path, [0, 50])
    shutil.copy(tmp_path / "model_50.pt", tmp_path / "model_050.pt")
    run = checkpoint.read_run(tmp_path)
    assert [found.path.name for found in run.checkpoints] == ["model_0.pt", "model_50.pt"]
    assert run.skipped == {tmp_path / "model_050.pt": "model_050.pt: same iteration as model_50.pt"}


@pytest.mark.parametrize("text", OWN)
def test_settings_that_fit_are_used(text, tmp_path):
    run_folder(tmp_path, [0])
    (tmp_path / "agent.yaml").write_text(text)
    run = checkpoint.read_run(tmp_path, config=run_settings(tmp_path, tmp_path / "agent.yaml"))
    assert (run.activation_from, run.settings.unread) == ("agent.yaml", {})


@pytest.mark.parametrize(("hidden", "fits"), [((8,), True), ((9,), False), ((8, 8), False)])
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_activation_of_an_export_is_used_only_if_its_layers_fit(hidden, fits, tmp_path):
    run_folder(tmp_path, [0])
    (tmp_path / "exported").mkdir()
    torch.jit.script(MLP(4, 2, list(hidden), "tanh")).save(tmp_path / "exported" / "policy.pt")
    run = checkpoint.read_run(tmp_path)
    note = {} if fits else {"exported/policy.pt": "it contains a different network: the sizes of the layers differ"}
    assert (run.activation_from, run.settings.unread) == ("exported/policy.pt" if fits else "", note)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_pipe_among_the_checkpoints_is_skipped(tmp_path):
    run_folder(tmp_path, [0])
    os.mkfifo(tmp_path / "model_5.pt")
    run = checkpoint.read_run(tmp_path)
    assert run.skipped == {tmp_path / "model_5.pt": "model_5.pt: cannot be read (a named pipe, not a file)"}


def test_wrong_setting_raises_an_error_that_names_its_file(tmp_path):
    run_folder(tmp_path, [0])
    for text in ("actor: {activation: sine}", "actor: {activation: elu, distribution_cfg: {std_range: [3, 1]}}"):
        (tmp_path / "agent.yaml").write_text(text)
        with pytest.raises(CheckpointError, match=r"^agent.yaml: (activation|std_range): "):
            checkpoint.read_run(tmp_path)
