"""Measures of critic and optimizer equal those that torch computes from the same weights and moments."""

import math

import numpy as np
import pytest
import torch
from faults import ROBOT

from rsl_edu.checkpoint import read_run
from rsl_edu.data import rollout
from rsl_edu.diagnosis import examine, own
from rsl_edu.diagnosis.learning_state import SAMPLES, measure_critic, measure_optimizer
from rsl_edu.modules import MLP


@pytest.fixture
def last(trained):
    """The last checkpoint of a run in which actor and critic get the same four features."""
    return read_run(trained()).checkpoints[-1]


def values(stored, x):
    """The values of the critic in a file, computed by hand."""
    weights = stored["critic_state_dict"]
    mlp = MLP(x.shape[-1], 1, [16, 16])
    mlp.load_state_dict({name[4:]: tensor for name, tensor in weights.items() if name.startswith("mlp.")})
    with torch.no_grad():
        return mlp((x - weights["obs_normalizer._mean"]) / (weights["obs_normalizer._std"] + 0.01))[..., 0]


def test_measure_of_the_values_is_their_root_mean_square(last):
    stored = torch.load(last.path, weights_only=True)
    x = torch.randn(SAMPLES, 4) * 2
    measures = measure_critic(last, own(last.policy, x))
    assert measures.value == pytest.approx(values(stored, x).square().mean().sqrt().item(), rel=1e-4)
    assert measures.gain == pytest.approx(stored["critic_state_dict"]["mlp.4.weight"].norm().item(), rel=1e-5)
    assert measures.shown == "the policy's observations"
    assert math.isnan(measures.reward)
    assert math.isnan(measures.returns)


def test_critic_is_shown_its_own_observations_if_they_were_recorded(last):
    stored = torch.load(last.path, weights_only=True)
    seen = torch.randn(5, 8, 4)
    for name in ("critic", "privileged"):
        measures = measure_critic(last, own(last.policy, {"policy": torch.zeros(5, 8, 4), name: seen}))
        assert measures.shown == "its recorded observations"
        assert measures.value == pytest.approx(values(stored, seen).square().mean().sqrt().item(), rel=1e-4)


@pytest.mark.parametrize("wrong", [torch.zeros(5, 8, 7), torch.zeros(4, 8, 4), torch.full((5, 8, 4), torch.nan)])
def test_observations_that_do_not_fit_the_critic_are_ignored(wrong, last):
    measures = measure_critic(last, own(last.policy, {"policy": torch.zeros(5, 8, 4), "critic": wrong}))
    assert measures.shown == "the policy's observations"


def test_critic_without_observations_is_shown_random_numbers_from_its_normalizer(last):
    measures = measure_critic(last, examine(last.path).sample)
    assert measures.shown == "random numbers with its normalizer's mean and std"
    assert 0.3 < measures.value / measure_critic(last, examine(last.path, robot=ROBOT).sample).value < 3


def test_returns_are_discounted_and_end_with_the_episode(last):
    rewards, dones = torch.randn(30, 4), torch.rand(30, 4) < 0.1
    expected = np.zeros((30, 4))
    for t in range(30):
        for env in range(4):
            factor = 1.0
            for later in range(t, 30):
                expected[t, env] += factor * rewards[later, env].item()
                factor *= 0.99
                if dones[later, env]:
                    break
    seen = {"policy": torch.zeros(30, 4, 4), "rewards": rewards[..., None], "dones": dones}
    measures = measure_critic(last, own(last.policy, seen))
    assert measures.returns == pytest.approx(np.sqrt((expected**2).mean()), rel=1e-6)
    assert measures.reward == pytest.approx(rewards.abs().max().item())


def test_values_of_a_trained_critic_are_on_the_scale_of_the_returns(last):
    played = rollout(ROBOT, 64, 16, policy=last.policy)
    seen = {"policy": played.observations, "rewards": played.rewards, "dones": played.dones}
    measures = measure_critic(last, own(last.policy, seen))
    assert 0.1 < measures.value / measures.returns < 10


@pytest.mark.parametrize("rewards", [torch.ones(3, 8), torch.full((5, 8), torch.inf)])
def test_rewards_that_do_not_fit_are_refused(rewards, last):
    with pytest.raises(ValueError, match=r"rewards: expected (shape \[5, 8\]|finite values)"):
        own(last.policy, {"policy": torch.zeros(5, 8, 4), "rewards": rewards})


def test_recurrent_critic_has_a_last_layer_but_no_values(trained):
    measures = measure_critic(read_run(trained(network="gru")).checkpoints[-1], examine(trained()).sample)
    assert measures.gain > 0
    assert math.isnan(measures.value)
    assert measures.shown == ""


def test_norms_of_the_gradients_do_not_exceed_the_clipping_norm(last):
    measures = measure_optimizer(last.optimizer)
    stored = torch.load(last.path, weights_only=True)["optimizer_state_dict"]["state"]
    parameters = len(stored)
    step = float(stored[0]["step"])
    squares = [float(stored[i]["exp_avg_sq"].double().sum()) / (1 - 0.999**step) for i in range(parameters)]
    assert measures.step == step == 20 * 8  # iterations of 4 epochs and 2 batches
    assert measures.actor == pytest.approx(math.sqrt(sum(squares[:7])), rel=1e-4)  # std, then three layers
    assert measures.critic == pytest.approx(math.sqrt(sum(squares[7:])), rel=1e-4)
    assert 0.01 < measures.actor <= 1
    assert 0.01 < measures.critic <= 1
    assert measures.untouched == ()


def test_critic_and_optimizer_are_none_if_the_file_has_neither(trained, edited):
    def weights_alone(stored, last):
        for part in [part for part in stored if part not in ("actor_state_dict", "iter")]:
            del stored[part]

    measures = examine(edited(trained(), weights_alone)).measures
    assert all((m.critic, m.optimizer) == (None, None) for m in measures)
