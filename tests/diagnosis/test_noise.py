"""Findings about the std of the actions, compared with the initial std and by the number of actions affected."""

import pytest
import torch
from faults import names, save_run

from rsl_edu.diagnosis import examine
from rsl_edu.run_folder import RunSettings


def finding_of(run, **settings):
    """The only finding about the std, or None, and the diagnosis."""
    config = RunSettings({"activation": "elu"}, "agent.yaml", **settings)
    diagnosis = examine(run, config=config).diagnosis()
    found = [finding for finding in diagnosis.findings if finding.name.startswith("std")]
    return (found[0] if found else None), diagnosis


def test_collapsed_std_of_some_actions_is_reported_as_a_partial_collapse(tmp_path):
    run = save_run(tmp_path, {1000: {"std": [2.0, 1.4, 2.2, 2.4]}, 6500: {"std": [0.5, 0.011, 0.9, 0.9]}})
    finding, diagnosis = finding_of(run)
    assert finding.name == "std partly collapsed"
    assert (
        finding.figure
        == "1 of 4 actions: the std of action 1 is 0.011 at iteration 6500, down from 1.4 at iteration 1000"
    )
    assert "fewer than half" in finding.threshold
    assert "still explores" in finding.meaning
    assert "no longer explores" not in str(diagnosis)


@pytest.mark.parametrize(
    ("collapsed", "name"), [(1, "std partly collapsed"), (2, "std collapsed"), (4, "std collapsed")]
)
def test_collapsed_std_of_half_of_the_actions_is_reported_as_a_full_collapse(collapsed, name, tmp_path):
    last = [0.01] * collapsed + [0.3] * (4 - collapsed)
    finding, diagnosis = finding_of(save_run(tmp_path, {0: {"std": 1.0}, 900: {"std": last}}))
    assert finding.name == name
    assert finding.figure.startswith(f"{collapsed} of 4 actions: ")
    assert ("no longer explores" in finding.meaning) == (name == "std collapsed")
    assert "std collapsed" not in diagnosis.absent


def test_single_file_is_compared_with_the_initial_std_in_the_configuration(tmp_path):
    run = save_run(tmp_path, {1499: {"std": 0.008}})
    finding, _ = finding_of(run, init_std=0.5)
    assert finding.figure == (
        "4 of 4 actions: the std of action 0 is 0.008 at iteration 1499, down from 0.5 at the start (agent.yaml)"
    )
    finding, diagnosis = finding_of(run, init_std=0.01)
    assert finding is None
    assert {"std collapsed", "std growing"} <= set(diagnosis.absent)


def test_single_file_without_configuration_is_compared_with_the_default_marked_as_a_guess(tmp_path):
    finding, diagnosis = finding_of(save_run(tmp_path, {1499: {"std": [0.008, 0.013, 0.02, 0.025]}}))
    assert finding.name == "std collapsed"
    assert finding.figure == (
        "2 of 4 actions: the std of action 0 is 0.008 at iteration 1499, down from 1 at the start "
        "(a guess: rsl_rl's default)"
    )
    assert "std growing" in diagnosis.absent


def test_std_that_collapsed_before_the_first_file_is_found(tmp_path):
    finding, _ = finding_of(save_run(tmp_path, {1400: {"std": 0.01}, 1499: {"std": 0.009}}))
    assert "a guess" in finding.figure


@pytest.mark.parametrize("std", [0.03, 0.19, 0.25, 1.0, 2.5])
def test_usual_std_in_a_single_file_is_not_found(std, tmp_path):
    finding, diagnosis = finding_of(save_run(tmp_path, {1000: {"std": std}}))
    assert finding is None
    assert "std collapsed" in diagnosis.absent


def test_untrained_file_is_not_compared_with_the_default(tmp_path):
    finding, diagnosis = finding_of(save_run(tmp_path, {0: {"std": 0.01}}))
    assert finding is None
    assert "std collapsed" in diagnosis.unchecked


def renamed(folder, steps, **said):
    """A single ``best.pt`` whose ``iter`` is 0, after ``steps`` steps of Adam."""
    run = save_run(folder, {0: said})
    stored = torch.load(run / "model_0.pt", weights_only=True)
    std = stored["actor_state_dict"]["distribution.std_param"]
    moments = {"step": torch.tensor(float(steps)), "exp_avg": std * 0, "exp_avg_sq": std * 0}
    group = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "params": [0]}
    stored["optimizer_state_dict"] = {"state": {0: moments}, "param_groups": [group]}
    (run / "model_0.pt").unlink()
    torch.save(stored, run / "best.pt")
    return run / "best.pt"


def test_renamed_file_of_a_training_does_not_count_as_untrained(tmp_path):
    finding, diagnosis = finding_of(renamed(tmp_path, 59_020, std=0.005))
    assert finding.name == "std collapsed"
    assert "the std of action 0 is 0.005 now, down from 1 at the start" in finding.figure
    assert "iteration unknown (iter is 0 in the file, Adam took 59,020 steps)" in diagnosis.about["run"]
    large = examine(renamed(tmp_path / "large", 59_020, std=0.2, scale=3), torch.randn(500, 6), activation="elu")
    assert names(large.diagnosis()) == []
    early = examine(renamed(tmp_path / "early", 20, std=0.2, scale=3), torch.randn(500, 6), activation="elu")
    assert names(early.diagnosis()) == ["last layer too large"]
    assert "at iteration 0, the std of the mean action" in early.diagnosis().findings[0].figure


def test_std_of_a_single_file_above_the_configured_one_is_found(tmp_path):
    finding, _ = finding_of(save_run(tmp_path, {1000: {"std": 2.0}}), init_std=1.0)
    assert finding.name == "std growing"
    assert finding.figure == (
        "the mean std grew from 1 at the start (agent.yaml) to 2 at iteration 1000, by a factor of 2.0"
    )


def test_exploded_std_of_a_single_file_is_found_without_a_configuration(tmp_path):
    finding, diagnosis = finding_of(save_run(tmp_path, {2950: {"std": [907.0, 911.0, 909.0, 909.0]}}))
    assert finding.name == "std growing"
    assert finding.figure == (
        "the mean std grew from 1 at the start (a guess: rsl_rl's default) to 910 at iteration 2950, by a factor of 910"
    )
    late, _ = finding_of(save_run(tmp_path / "late", {2900: {"std": 905.0}, 2950: {"std": 909.0}}))
    assert late.name == "std growing"
    none, _ = finding_of(save_run(tmp_path / "known", {2900: {"std": 905.0}, 2950: {"std": 909.0}}), init_std=900.0)
    assert none is None
    assert diagnosis.absent.count("std growing") == 0


def test_grown_std_of_single_actions_is_found_although_the_mean_did_not_grow(tmp_path):
    finding, _ = finding_of(save_run(tmp_path, {0: {"std": 1.0}, 900: {"std": [0.6, 2.04, 2.34, 0.4]}}))
    assert finding.name == "std partly growing"
    assert finding.figure == "2 of 4 actions: the std of action 2 is 2.3 at iteration 900, up from 1 at iteration 0"
    few, diagnosis = finding_of(save_run(tmp_path / "few", {0: {"std": 1.0}, 900: {"std": [0.6, 1.9, 1.5, 0.4]}}))
    assert few is None
    assert "std growing" in diagnosis.absent


def test_healthy_run_with_a_small_final_std_gives_no_finding(tmp_path):
    run = save_run(tmp_path, {0: {"std": 1.0}, 500: {"std": 0.3}, 1000: {"std": [0.19, 0.25, 0.1, 0.05]}})
    assert names(examine(run).diagnosis()) == []
