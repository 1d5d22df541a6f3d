"""Findings about a learning rate that stays at its floor, and about the large mean actions behind it."""

import pytest
import torch
from faults import names, policy_of, save_run

from rsl_edu.diagnosis import examine
from rsl_edu.run_folder import RunSettings

FLOOR = "learning rate at its floor"


def judged(folder, rates, schedule=None, **said):
    run = save_run(folder, {500 * (i + 1): {"lr": rate} | said for i, rate in enumerate(rates)})
    return examine(run, config=RunSettings({"activation": "elu"}, "agent.yaml", schedule=schedule)).diagnosis()


@pytest.mark.parametrize(
    ("rates", "schedule"),
    [
        ([3.8e-4, 1e-5, 1e-5], None),
        ([1e-5, 1e-5], "adaptive"),
        ([1e-3] * 6 + [1e-5, 1.5e-5], None),  # one step above the floor still counts
        ([1e-3, 1e-5, 2.25e-5], None),
    ],
)
def test_rate_that_stays_at_the_floor_is_found(rates, schedule, tmp_path):
    diagnosis = judged(tmp_path, rates, schedule)
    assert names(diagnosis) == [FLOOR]
    (finding,) = diagnosis.findings
    since = next(500 * (i + 1) for i in range(len(rates)) if max(rates[i:]) < 1e-4)
    assert f"in each of the 2 checkpoints read from iteration {since} on" in finding.figure
    assert "algorithm.desired_kl" in finding.change


@pytest.mark.parametrize(
    ("rates", "schedule"),
    [
        ([1e-3, 1e-3, 1e-3], "adaptive"),
        ([1e-2, 1e-2, 1e-2], "adaptive"),  # the ceiling
        ([1e-3, 1e-3, 1e-5], "adaptive"),  # a single sample
        ([1e-3, 1e-5, 1e-3], "adaptive"),
        ([1e-3] * 18 + [1e-5] * 2, "adaptive"),  # not yet a quarter
    ],
)
def test_rate_that_does_not_stay_at_the_floor_is_not_found(rates, schedule, tmp_path):
    diagnosis = judged(tmp_path, rates, schedule)
    assert names(diagnosis) == []
    assert FLOOR in diagnosis.absent


def test_rate_that_was_always_low_is_not_judged_without_its_schedule(tmp_path):
    diagnosis = judged(tmp_path, [1e-5, 1e-5, 1e-5])
    assert names(diagnosis) == []
    assert diagnosis.unchecked[FLOOR] == "needs the schedule: give --config agent.yaml"


def test_fixed_rate_has_no_floor(tmp_path):
    diagnosis = judged(tmp_path, [1e-3, 1e-5, 1e-5], "fixed")
    assert names(diagnosis) == []
    assert FLOOR not in {*diagnosis.absent, *diagnosis.unchecked}


def test_single_rate_is_not_judged(tmp_path):
    assert judged(tmp_path, [1e-5], "adaptive").unchecked[FLOOR] == "needs two checkpoints or more"


# The mean action.

LAST, WIDE = "last layer too large", "mean actions too large"


def wide(diagnosis):
    """The std of the mean actions in the finding's figure."""
    (finding,) = [finding for finding in diagnosis.findings if finding.name == WIDE]
    return float(finding.figure.partition("have std ")[2].split()[0])


def test_wide_mean_action_is_found_without_observations_if_the_rate_is_at_its_floor(tmp_path):
    diagnosis = judged(tmp_path, [1e-3, 1e-5, 1e-5], scale=7)
    assert names(diagnosis) == [FLOOR, WIDE]
    assert 20 < wide(diagnosis) < 100
    other = judged(tmp_path / "other", [1e-3, 1e-4, 1e-3], scale=7)  # the std of the real inputs is unknown
    assert names(other) == []
    assert other.unchecked[WIDE] == "needs observations"


def test_wide_mean_action_is_found_if_the_inputs_are_known(tmp_path):
    still, wild = policy_of(), policy_of(norm_std=[0.01, 0.1, 1.0, 1.0, 1.0, 100.0])
    seen = torch.randn(500, 6, generator=torch.Generator().manual_seed(0))
    for policy, observations in ((still, seen), (wild, None)):
        for scale, found in ((1, []), (3, []), (7, [WIDE])):
            run = save_run(tmp_path / f"{scale}", {1000: {"scale": scale}}, policy)
            diagnosis = examine(run, observations, activation="elu").diagnosis()
            assert names(diagnosis) == found
            assert not found or 20 < wide(diagnosis) < 100


def test_mean_action_is_measured_in_units_of_the_initial_std(tmp_path):
    run, seen = save_run(tmp_path, {1000: {"scale": 7, "std": 10.0}}), torch.randn(500, 6)
    assert names(examine(run, seen, config=RunSettings({"activation": "elu"}, "agent.yaml")).diagnosis()) == [WIDE]
    torque = RunSettings({"activation": "elu"}, "agent.yaml", init_std=10.0)
    assert names(examine(run, seen, config=torque).diagnosis()) == []


def grown(folder, scale, last, std):
    """The findings about a single file with weights scaled by ``scale``, and the last layer's also by ``last``."""
    run = save_run(folder, {1000: {"scale": scale, "std": std}})
    stored = torch.load(run / "model_1000.pt", weights_only=True)
    stored["actor_state_dict"]["mlp.4.weight"] *= last
    torch.save(stored, run / "model_1000.pt")
    seen = torch.randn(500, 6, generator=torch.Generator().manual_seed(0))
    diagnosis = examine(run, seen, config=RunSettings({"activation": "elu"}, "agent.yaml")).diagnosis()
    return {finding.name: finding for finding in diagnosis.findings}


def test_finding_reports_the_measure_that_exceeds_its_threshold_most(tmp_path):
    norm = grown(tmp_path / "norm", 1, 30, 0.1)[LAST]
    assert norm.threshold == "norm above 5"
    assert "have norm" in norm.figure
    both = grown(tmp_path / "both", 8, 3, 1.0)
    assert LAST not in both
    assert both[WIDE].threshold == "std above 20"
    assert "init_std" not in norm.change + both[WIDE].change


def test_mean_actions_smaller_than_their_noise_are_not_found(tmp_path):
    assert not {LAST, WIDE} & grown(tmp_path, 5, 6, 910.0).keys()


def test_layers_that_make_the_mean_actions_large_are_named(tmp_path):
    figure = grown(tmp_path, 7, 1, 1.0)[WIDE].figure
    assert all(f" in {layer}" in figure for layer in ("layer 1", "layer 2", "the last layer"))
