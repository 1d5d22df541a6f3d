"""Rollout steps that the tests of CUDA graphs capture, and a function that runs them."""

import torch
from torch import nn

from rsl_edu.modules import (
    MLP,
    RNN,
    BetaDistribution,
    EmpiricalNormalization,
    GaussianDistribution,
    HeteroscedasticGaussianDistribution,
)

ENVS, OBS, ACTIONS, HIDDEN = 16, 5, 3, 8
STEPS = 20
DISTRIBUTIONS = [GaussianDistribution, HeteroscedasticGaussianDistribution, BetaDistribution]


class Actor(nn.Module):
    """A rollout step as in rsl_rl: update the statistics, normalize, sample, evaluate."""

    def __init__(self, distribution=GaussianDistribution, until=None):
        super().__init__()
        self.policy = distribution(ACTIONS)
        size = self.policy.input_dim
        self.normalizer = EmpiricalNormalization(OBS, until=until)
        self.mlp = MLP(OBS, size if isinstance(size, int) else tuple(size), [16])
        self.policy.init_mlp_weights(self.mlp)

    def forward(self, observations):
        self.normalizer.update(observations)
        self.policy.update(self.mlp(self.normalizer(observations)))
        actions = self.policy.sample()
        return actions, self.policy.log_prob(actions), self.policy.entropy


class RecurrentActor(Actor):
    """An actor with a GRU, whose hidden state is an argument and a result."""

    def __init__(self):
        super().__init__()
        self.rnn = RNN(OBS, HIDDEN, 1, "gru")
        self.mlp = MLP(HIDDEN, ACTIONS, [16])

    def forward(self, observations, hidden, dones):
        self.normalizer.update(observations)
        hidden = hidden.masked_fill(dones.unsqueeze(-1), 0)
        output, hidden = self.rnn.rnn(self.normalizer(observations).unsqueeze(0), hidden)
        self.policy.update(self.mlp(output.squeeze(0)))
        return self.policy.sample(), hidden


def observations(steps=STEPS, mean=100.0):
    generator = torch.Generator().manual_seed(1)
    return 3 * torch.randn(steps, ENVS, OBS, generator=generator) + mean


@torch.no_grad()
def run(step, inputs):
    """Take steps from a fixed seed, and return their results."""
    torch.manual_seed(2)
    return [tuple(result.clone() for result in step(each)) for each in inputs]


def statistics(actor):
    return {name: buffer.clone() for name, buffer in actor.named_buffers()}
