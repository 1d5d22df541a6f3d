"""A guess is reported as a guess, with the options that replace it; a setting from a file is reported with the file."""

import pytest
import torch
from faults import ROBOT, names, policy_of, save_names, save_run

from rsl_edu.checkpoint import read_run
from rsl_edu.diagnosis import examine
from rsl_edu.run_folder import RunSettings


def about(run, **options):
    return examine(run, **options).diagnosis().about


def test_guessed_activation_is_reported_with_the_options_that_replace_it(tmp_path):
    said = about(save_run(tmp_path, {0: {}}))
    assert list(said)[:3] == ["run", "policy", "guessed"]
    assert said["policy"] == "6 observations → MLP 16, 16 (elu?) → 4 actions, Gaussian"
    assert said["guessed"].startswith("the activation elu: no file next to the checkpoint gives this.")
    for option in ("--activation NAME", "--config agent.yaml", "activation=", "config="):
        assert option in said["guessed"]


@pytest.mark.parametrize("options", [{"activation": "tanh"}, {"config": {"activation": "tanh"}}])
def test_activation_that_is_given_is_no_guess(options, tmp_path):
    said = about(save_run(tmp_path, {0: {}}), **options)
    assert "(tanh)" in said["policy"]
    assert "guessed" not in said


def test_activation_from_a_file_is_reported_with_the_file(tmp_path):
    run = save_run(tmp_path, {0: {}})
    (run / "params").mkdir()
    (run / "params" / "agent.yaml").write_text("policy: {activation: lrelu}")
    said = about(run)
    assert "(lrelu, from " in said["policy"]
    assert "agent.yaml)" in said["policy"]
    assert "guessed" not in said


@pytest.fixture
def exported(tmp_path):
    """A tanh policy with an export that shows the activation."""
    policy = policy_of(activation="tanh")
    run = save_run(tmp_path, {0: {}, 50: {}}, policy)
    (run / "exported").mkdir()
    torch.jit.script(torch.nn.Sequential(*policy.mlp)).save(run / "exported" / "policy.pt")
    return run


@pytest.mark.parametrize("of", [".", "model_50.pt"])
def test_activation_of_an_export_next_to_the_run_is_no_guess(of, exported):
    said = about(exported / of)
    assert "MLP 16, 16 (tanh, from exported/policy.pt)" in said["policy"]
    assert "guessed" not in said


def test_export_is_used_only_if_nothing_else_gives_the_activation(exported):
    assert "(relu)" in about(exported, activation="relu")["policy"]
    assert "(relu)" in about(exported, config={"activation": "relu"})["policy"]
    (exported / "params").mkdir()
    (exported / "params" / "agent.yaml").write_text("actor: {activation: relu}")
    assert "(relu, from params/agent.yaml)" in about(exported)["policy"]


def test_activation_is_a_guess_if_the_export_cannot_be_read(exported):
    (exported / "exported" / "policy.pt").write_bytes(b"no export")
    assert "guessed" in about(exported)


def test_policy_without_hidden_layers_needs_no_activation(tmp_path):
    stored = torch.load(save_run(tmp_path, {0: {}}) / "model_0.pt", weights_only=True)
    weights = stored["actor_state_dict"]
    for name in list(weights):
        if name.startswith("mlp."):
            del weights[name]
    stored["actor_state_dict"] = weights | {"mlp.0.weight": torch.randn(4, 6), "mlp.0.bias": torch.zeros(4)}
    torch.save(stored, tmp_path / "model_0.pt")
    diagnosis = examine(tmp_path, torch.randn(50, 6)).diagnosis()
    assert "linear map" in diagnosis.about["policy"]
    assert "guessed" not in diagnosis.about
    listed = {*diagnosis.absent, *diagnosis.unchecked}
    assert listed.isdisjoint({"dead units", "signal lost or exploded"})


@pytest.mark.parametrize(("activation", "certain"), [(None, False), ("elu", True)])
def test_findings_that_depend_on_a_guess_name_it(activation, certain, tmp_path):
    seen = torch.randn(200, 6, generator=torch.Generator().manual_seed(0))
    run = save_run(tmp_path / "loud", {500: {"scale": 40}})
    run_lost = save_run(tmp_path / "lost", {500: {"scale": 1e-3}})
    figures = {
        finding.name: finding.figure
        for folder in (run, run_lost)
        for finding in examine(folder, seen, activation=activation).diagnosis().findings
    }
    for name in ("signal exploded", "signal lost", "mean actions too large"):
        assert (", if the activation is elu" in figures[name]) != certain


def test_tanh_policy_with_large_weights_explodes_only_with_the_guessed_elu(tmp_path):
    policy = policy_of(activation="tanh")
    policy.mlp[2].weight.data *= 60
    policy.mlp[0].weight.data *= 60
    run, seen = save_run(tmp_path, {1000: {}}, policy), torch.randn(200, 6)
    (finding,) = examine(run, seen).diagnosis().findings
    assert finding.figure.endswith(", if the activation is elu")
    assert "signal exploded" not in names(examine(run, seen, activation="tanh").diagnosis())


def test_unreadable_settings_file_is_listed_with_the_reason(tmp_path):
    run = save_run(tmp_path, {0: {}})
    settings = RunSettings(unread={"params/env.yaml": "expected YAML, got ScannerError"})
    assert "params/env.yaml (expected YAML, got ScannerError)" in about(run, config=settings)["not read"]


def test_unreadable_checkpoint_is_listed_without_an_errno(tmp_path):
    run = save_run(tmp_path, {0: {}, 100: {}})
    (run / "model_50.pt").mkdir()
    assert about(run)["not read"] == "model_50.pt: cannot be read (Is a directory)"
    assert "Errno" not in str(examine(run).diagnosis())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"run": 3}, "run: expected the path of a run folder or a checkpoint, or a Run, got 3"),
        ({"config": "agent.yaml"}, "config: expected a dictionary such as .*, got 'agent.yaml'"),
        ({"activation": "elo"}, "^activation: expected one of elu, .* got 'elo'"),
    ],
)
def test_argument_of_the_wrong_kind_is_named(options, message, tmp_path):
    with pytest.raises((TypeError, ValueError), match=message):
        examine(**{"run": save_run(tmp_path, {0: {}})} | options)


# Names of the features.


def test_features_have_the_names_in_the_files_next_to_the_run(tmp_path):
    run = save_run(tmp_path, {500: {}}, policy_of(norm_std=[1.0] * 6))
    save_names(run, joint_vel=3, command=3)
    seen = torch.randn(100, 6) + 50 * (torch.arange(6) == 4)
    examination = examine(run, seen, activation="elu")
    diagnosis = examination.diagnosis()
    assert examination.sample.names == (*(f"joint_vel[{i}]" for i in range(3)), *(f"command[{i}]" for i in range(3)))
    assert diagnosis.about["features"] == "named by params/env.yaml"
    (finding,) = diagnosis.findings
    assert finding.name == "normalizer stale"
    assert "worst: command[1]," in finding.figure


def test_names_are_ignored_if_their_number_does_not_fit(tmp_path):
    run = save_run(tmp_path, {500: {}})
    save_names(run, joint_vel=3, command=4)
    examination = examine(run)
    assert examination.sample.name(4) == "feature 4"
    assert "features" not in examination.diagnosis().about


def test_names_of_the_robot_are_used_if_those_in_the_files_do_not_fit(tmp_path):
    run = save_run(tmp_path, {0: {}}, policy_of(features=4, actions=1))
    save_names(run, joint_vel=5)
    examination = examine(run, robot=ROBOT)
    assert examination.sample.name(0) == "qpos[0]"
    assert "features" not in examination.diagnosis().about


def test_run_passed_as_an_object_keeps_its_names(tmp_path):
    run = save_run(tmp_path, {0: {}})
    save_names(run, joint_vel=3, command=3)
    assert examine(read_run(run)).sample.name(5) == "command[2]"


def test_unreadable_file_of_names_is_listed(tmp_path):
    run = save_run(tmp_path, {0: {}})
    (run / "params").mkdir()
    (run / "params" / "env.yaml").write_text("observations: [")
    assert about(run)["not read"].startswith("params/env.yaml (expected YAML")
