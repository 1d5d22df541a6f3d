"""Findings about critic and optimizer: healthy runs give none, and each planted fault gives its own."""

import shutil

import pytest
import torch
from faults import ROBOT, names

from rsl_edu.checkpoint import read_run
from rsl_edu.data import rollout
from rsl_edu.diagnosis import examine

OWN = {
    "critic exploded",
    "critic far below the returns",
    "weights without updates, optimizer restarted",
    "optimizer exploded",
}
OWN |= {"actor's gradient too small"}


def moments(stored):
    return stored["optimizer_state_dict"]["state"]


def critic(stored):
    return stored["critic_state_dict"]


def on_last(change):
    """Apply ``change`` only to the last file."""
    return lambda stored, last: change(stored) if last else None


def nan_in_the_critic(stored):
    critic(stored)["mlp.2.bias"][0] = torch.nan


def nan_in_the_normalizer_of_the_critic(stored):
    critic(stored)["obs_normalizer._mean"][0, 1] = torch.nan


def infinite_moment(stored):
    moments(stored)[3]["exp_avg_sq"][0, 0] = torch.inf


def large_last_layer(stored):
    critic(stored)["mlp.4.weight"] *= 1e4


def large_values(stored):
    for place in (0, 2, 4):
        critic(stored)[f"mlp.{place}.weight"] *= 100


def large_moments(stored):
    for entry in moments(stored).values():
        entry["exp_avg_sq"] *= 1e8


def untouched_layer(stored):
    moments(stored)[3]["exp_avg_sq"].zero_()
    del moments(stored)[8]


def began_anew(stored):
    for entry in moments(stored).values():
        entry["step"].fill_(8)


def stands_still(stored, last):
    if stored["iter"] >= 15:
        for entry in moments(stored).values():
            entry["step"].fill_(1000)


def resumed_before_the_first_file(stored, last):
    for entry in moments(stored).values():
        entry["step"] -= 8 * 6


def joint(stored, last=None):
    """Write a file of rsl_rl 3, which clips the gradients of actor and critic together."""
    head = {"mlp": "actor", "obs_normalizer": "actor_obs_normalizer"}
    model = {}
    for name, tensor in stored.pop("actor_state_dict").items():
        first, _, rest = name.partition(".")
        model["std" if first == "distribution" else f"{head[first]}.{rest}"] = tensor
    for name, tensor in stored.pop("critic_state_dict").items():
        model[f"critic_{name}" if name.startswith("obs") else f"critic.{name[4:]}"] = tensor
    stored["model_state_dict"] = model


def crowded(stored, last):
    joint(stored)
    for index, entry in moments(stored).items():
        entry["step"] += 2000
        if index < 7:
            entry["exp_avg_sq"] *= 1e-12


@pytest.mark.parametrize(
    ("fault", "finding", "figure"),
    [
        (on_last(nan_in_the_critic), "broken weights", "NaN or infinity in critic's mlp.2.bias, since iteration 19"),
        (
            on_last(nan_in_the_normalizer_of_the_critic),
            "broken weights",
            "NaN or infinity in critic's obs_normalizer._mean, since iteration 19",
        ),
        (on_last(infinite_moment), "broken weights", "in Adam's second moment of mlp.2.weight, since iteration 19"),
        (on_last(large_last_layer), "critic exploded", "the weights of the critic's last layer have norm"),
        (on_last(large_values), "critic exploded", "the critic's values have an rms of"),
        (on_last(large_moments), "optimizer exploded", "for the actor and"),
        (
            on_last(untouched_layer),
            "weights without updates",
            "reached 2 parameters: mlp.2.weight, critic's mlp.0.bias",
        ),
        (stands_still, "weights without updates", "1,000 steps at iteration 15, and still 1,000 at iteration 19"),
        (on_last(began_anew), "optimizer restarted", "128 steps at iteration 15, but 8 at iteration 19"),
        (crowded, "actor's gradient too small", "the norm of the actor's gradient is"),
    ],
    ids=range(10),
)
def test_planted_fault_is_found_and_nothing_else(fault, finding, figure, trained, edited):
    diagnosis = examine(edited(trained(), fault), robot=ROBOT).diagnosis()
    assert names(diagnosis) == [finding]
    assert figure in diagnosis.findings[0].figure


def test_values_far_above_the_recorded_rewards_are_found(trained, edited):
    run = read_run(edited(trained(), on_last(lambda stored: critic(stored)["mlp.4.weight"].mul_(120))))
    played = rollout(ROBOT, 64, 16, policy=run.checkpoints[-1].policy)
    seen = {"policy": played.observations, "dones": played.dones, "critic": played.observations}
    assert names(examine(run, seen, activation="elu").diagnosis()) == []
    (finding,) = examine(run, seen | {"rewards": played.rewards}).diagnosis().findings
    assert finding.name == "critic exploded"
    assert "but no reward is larger than 1" in finding.figure
    healthy = examine(trained(), seen | {"rewards": played.rewards}).diagnosis()
    assert names(healthy) == []


def test_large_last_layer_is_found_without_values(trained, edited):
    run = edited(trained(network="gru"), on_last(lambda stored: critic(stored)["mlp.4.weight"].mul_(1e4)))
    (finding,) = examine(run, robot=ROBOT).diagnosis().findings
    assert finding.name == "critic exploded"
    assert finding.figure.startswith("the weights of the critic's last layer have norm ")
    assert finding.figure.endswith(" at iteration 0)")


def test_training_resumed_without_moments_is_found(trained, edited):
    run = edited(trained(), resumed_before_the_first_file)
    (run / "model_0.pt").unlink()
    (run / "model_5.pt").unlink()
    for number in (10, 15, 19):  # 40, 80 and 112 steps
        (run / f"model_{number}.pt").rename(run / f"model_{number + 1000}.pt")
    (finding,) = examine(run, robot=ROBOT).diagnosis().findings
    assert finding.name == "optimizer restarted"
    assert finding.figure == "Adam has taken 40 steps at iteration 1010, but each iteration takes at least one"


def test_files_not_numbered_by_iterations_are_not_reported_as_resumed(trained, tmp_path):
    for number in (5, 10, 15):
        shutil.copy(trained() / f"model_{number}.pt", tmp_path / f"model_{number * 256_000}.pt")
    assert names(examine(tmp_path, robot=ROBOT).diagnosis()) == []


def test_critic_far_below_the_returns_is_found_in_a_recording(trained, edited):
    run = edited(
        trained(), on_last(lambda stored: [critic(stored)[f"mlp.4.{kind}"].mul_(1e-3) for kind in ("weight", "bias")])
    )
    played = rollout(ROBOT, 64, 16, policy=read_run(run).checkpoints[-1].policy)
    seen = {"policy": played.observations, "dones": played.dones, "rewards": played.rewards}
    early = examine(run, seen).diagnosis()
    assert names(early) == []
    assert "critic far below the returns" not in [*early.absent, *early.unchecked]
    (run / "model_19.pt").rename(run / "model_500.pt")
    late = examine(run, seen)
    (finding,) = late.diagnosis().findings
    assert finding.name == "critic far below the returns"
    assert "the recorded returns have" in finding.figure
    without = examine(run, {name: x for name, x in seen.items() if name != "rewards"}).diagnosis()
    assert without.unchecked["critic far below the returns"].startswith("needs recorded rewards, dones")


def test_healthy_run_has_no_findings_about_critic_and_optimizer(trained, edited):
    diagnosis = examine(trained(), robot=ROBOT).diagnosis()
    assert OWN & {*diagnosis.absent} == {
        "critic exploded",
        "weights without updates, optimizer restarted",
        "optimizer exploded",
    }
    older = examine(edited(trained(), lambda stored, last: joint(stored)), robot=ROBOT).diagnosis()
    assert names(older) == []
    assert {name: older.unchecked[name] for name in OWN & {*older.unchecked}} == {
        "actor's gradient too small": "needs 1,000 steps of Adam"
    }


def test_file_with_only_weights_has_no_findings_about_its_training(trained, edited):
    def weights_alone(stored, last):
        for part in [part for part in stored if part not in ("actor_state_dict", "iter")]:
            del stored[part]

    diagnosis = examine(edited(trained(), weights_alone), robot=ROBOT).diagnosis()
    assert names(diagnosis) == []
    assert not OWN & {*diagnosis.absent, *diagnosis.unchecked}


def test_findings_about_a_broken_critic_are_listed_as_unchecked(trained, edited):
    diagnosis = examine(edited(trained(), on_last(nan_in_the_critic)), robot=ROBOT).diagnosis()
    assert diagnosis.unchecked["critic exploded"] == "needs a critic without NaN"
    assert {"dead units", "signal lost or exploded"} <= {*diagnosis.absent}  # of the actor
    diagnosis = examine(edited(trained(), on_last(infinite_moment)), robot=ROBOT).diagnosis()
    assert diagnosis.unchecked["optimizer exploded"] == "needs moments without NaN"


def test_broken_weights_of_the_critic_report_their_first_iteration(trained, edited):
    def fault(stored, last):
        if stored["iter"] >= 10:
            nan_in_the_critic(stored)

    (finding,) = examine(edited(trained(), fault), robot=ROBOT).diagnosis().findings
    assert finding.figure.endswith("since iteration 10")
