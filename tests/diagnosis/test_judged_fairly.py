"""A finding is reported or ruled out only on sufficient evidence."""

import re

import pytest
import torch
from faults import names, policy_of, save_run

from rsl_edu.checkpoint import Policy
from rsl_edu.diagnosis import examine
from rsl_edu.modules import MLP, GaussianDistribution
from rsl_edu.run_folder import RunSettings, run_settings


def seen(samples=500):
    return torch.randn(samples, 6, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("observations", [seen(1), seen(31), seen(1).repeat(500, 1)])
def test_too_few_different_samples_judge_no_layer(observations, tmp_path):
    run = save_run(tmp_path, {500: {}})
    diagnosis = examine(run, observations, activation="relu").diagnosis()
    assert names(diagnosis) == []
    missing = diagnosis.unchecked["dead units"]
    assert missing == f"needs 32 different samples or more, got {len(observations.unique(dim=0))}"
    for name in ("signal lost or exploded", "input not normalized", "last layer too large", "mean actions too large"):
        assert diagnosis.unchecked[name] == missing
    assert "dead units" in examine(run, seen(32), activation="elu").diagnosis().absent


def rewritten(folder, edit, iterations=(500,), policy=None):
    """A run whose saved actors were changed with ``edit(weights, iteration)``."""
    run = save_run(folder, {iteration: {} for iteration in iterations}, policy)
    for iteration in iterations:
        stored = torch.load(run / f"model_{iteration}.pt", weights_only=True)
        edit(stored["actor_state_dict"], iteration)
        torch.save(stored, run / f"model_{iteration}.pt")
    return run


def test_units_with_constant_output_count_as_dead_whatever_the_slope_of_their_activation(tmp_path):
    def zeroed(share):
        return lambda weights, _: weights["mlp.2.weight"][: int(16 * share)].zero_()

    (finding,) = examine(rewritten(tmp_path / "ill", zeroed(0.75)), seen(), activation="elu").diagnosis().findings
    assert finding.name == "dead units"
    assert finding.figure == "75 % of the units of layer 2 have the same output for all samples"
    assert names(examine(rewritten(tmp_path / "well", zeroed(0.25)), seen(), activation="elu").diagnosis()) == []


def test_constant_mean_actions_are_found_in_a_trained_policy(tmp_path):
    def zeroed(weights, _):
        weights["mlp.4.weight"].zero_()

    run = rewritten(tmp_path, zeroed, (0, 500))
    (finding,) = examine(run, seen(), activation="elu").diagnosis().findings
    assert (finding.name, finding.figure) == ("signal lost", "all mean actions have std 0 over the samples")
    assert names(examine(run / "model_0.pt", seen(), activation="elu").diagnosis()) == []


@pytest.mark.parametrize(
    "said",
    [
        "actor: {activation: elu, obs_normalization: true}",
        "policy: {activation: elu, actor_obs_normalization: true}",
        "policy: {activation: elu}\nempirical_normalization: true",
    ],
)
def test_normalizer_that_is_configured_but_not_in_the_file_is_found(said, tmp_path):
    run = save_run(tmp_path, {500: {}})
    (run / "agent.yaml").write_text(said)
    assert run_settings(run).obs_normalization is True
    (finding,) = examine(run).diagnosis().findings
    assert (finding.name, finding.figure) == (
        "normalizer absent",
        "agent.yaml turns the normalizer on, but its statistics are not in the file",
    )
    (run / "agent.yaml").write_text(said.replace("true", "false"))
    assert run_settings(run).obs_normalization is False
    assert "normalizer absent" in examine(run).diagnosis().absent


def test_normalizer_of_another_training_in_the_folder_is_found(tmp_path):
    def counted(counts):
        return lambda weights, iteration: weights["obs_normalizer.count"].fill_(counts[iteration])

    policy, iterations = policy_of(norm_std=[1.0] * 6), (100, 200, 300)
    mixed = rewritten(tmp_path / "mixed", counted({100: 5_000, 200: 9_000, 300: 7_000}), iterations, policy)
    (finding,) = examine(mixed).diagnosis().findings
    assert finding.name == "runs mixed"
    assert finding.figure == "the normalizer has 9,000 samples at iteration 200, but 7,000 at iteration 300"
    one = rewritten(tmp_path / "one", counted({100: 5_000, 200: 9_000, 300: 9_500}), iterations, policy)
    assert "runs mixed" in examine(one).diagnosis().absent


def trained(folder, seeds, drift=0.5):
    """A run of MLPs with drifting weights; ``seeds`` maps iterations to the seed of the initial weights."""
    for iteration, seed in sorted(seeds.items()):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            policy = Policy(MLP(6, 4, [32, 32, 32], "elu"), GaussianDistribution(4)).eval().requires_grad_(False)
            for _ in range(iteration // 100):
                for weight in policy.parameters():
                    weight += drift * weight.std(correction=0).nan_to_num() * torch.randn_like(weight)
        save_run(folder, {iteration: {}}, policy)
    return folder


def test_weights_of_another_training_in_the_folder_are_found(tmp_path):
    mixed = trained(tmp_path / "mixed", {100: 0, 200: 0, 300: 1, 400: 1})
    (finding,) = examine(mixed, activation="elu").diagnosis().findings
    assert finding.name == "runs mixed"
    figure = r"the hidden layers at iteration 200 and at iteration 300 have [0-9] % of their weights in common"
    assert re.fullmatch(figure, finding.figure)
    assert finding.threshold == "less than 30 % in common"
    alternating = trained(tmp_path / "alternating", {0: 0, 100: 1, 200: 0, 300: 1})
    assert names(examine(alternating, activation="elu").diagnosis()) == ["runs mixed"]


@pytest.mark.parametrize("iterations", [(100, 200, 300), (0, 300), (0, 2000)])
def test_weights_that_change_a_lot_are_not_mistaken_for_another_training(iterations, tmp_path):
    run = trained(tmp_path, dict.fromkeys(iterations, 0))
    assert "runs mixed" in examine(run, activation="elu").diagnosis().absent


def test_weights_of_a_small_network_or_a_single_checkpoint_are_not_judged(tmp_path):
    alone = examine(trained(tmp_path / "alone", {100: 0}), activation="elu").diagnosis()
    assert alone.unchecked["runs mixed"] == "needs two checkpoints or more"
    small = examine(save_run(tmp_path / "small", {0: {}, 50: {}}), activation="elu").diagnosis()
    assert "runs mixed" not in {*small.absent, *small.unchecked}


def test_summary_counts_the_checks_that_could_be_made(tmp_path):
    run = save_run(tmp_path, {500: {}})
    diagnosis = examine(run, config=RunSettings({"activation": "elu"}, "agent.yaml")).diagnosis()
    assert diagnosis.summary == f"No findings in the {len(diagnosis.absent)} checks that could be made"
    assert "“Record them”" in re.sub(r"\s+", " ", str(diagnosis))
    assert "to record" not in str(examine(run, seen(), activation="elu").diagnosis())
