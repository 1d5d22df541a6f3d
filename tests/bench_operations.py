"""The operations that ``make bench`` times in both libraries, on any device, and how it times them."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import rsl_rl.modules
import torch

import rsl_edu.modules

FEATURES, ACTIONS, HIDDEN = 48, 12, 64
ROUNDS, ROUND_SECONDS = 60, 3e-3
NEVER = 10**15  # samples

Operations = dict[str, Callable[[], Any]]


def operations(package: Any, batch: int) -> Operations:
    """Return the operations of one library on a batch, without gradients."""
    torch.manual_seed(0)
    x, rewards, dones = torch.randn(batch, FEATURES), torch.randn(batch), torch.zeros(batch)
    dones[::16] = 1
    normalizer = package.EmpiricalNormalization(FEATURES)
    reward_normalizer = package.EmpiricalDiscountedVariationNormalization([])
    mlp, scans = package.MLP(FEATURES, ACTIONS, [256, 128, 64]), torch.randn(batch, 1, 17, 11)
    cnn = package.CNN((17, 11), 1, [8, 16], 3, stride=2, padding="zeros")
    table: Operations = {
        "EmpiricalNormalization.update": lambda: normalizer.update(x),
        "EmpiricalNormalization.forward": lambda: normalizer(x),
        "EmpiricalDiscountedVariationNormalization.forward": lambda: reward_normalizer(rewards),
        "MLP.forward": lambda: mlp(x),
        "CNN.forward": lambda: cnn(scans),
    }
    for type in ("gru", "lstm"):
        rnn = package.RNN(FEATURES, HIDDEN, 1, type)
        rnn(x)
        table[f"RNN.forward ({type})"] = lambda rnn=rnn: rnn(x)
        table[f"RNN.reset ({type})"] = lambda rnn=rnn: rnn.reset(dones)
    for name, policy, output, actions in policies(package, batch):
        policy.update(output)
        old = tuple(param.clone() for param in policy.params)
        new = tuple(param * 1.01 for param in policy.params)
        table[f"{name}.update"] = lambda policy=policy, output=output: policy.update(output)
        table[f"{name}.sample"] = policy.sample
        table[f"{name}.log_prob"] = lambda policy=policy, actions=actions: policy.log_prob(actions)
        table[f"{name}.entropy"] = lambda policy=policy: policy.entropy
        table[f"{name}.kl_divergence"] = lambda p=policy, old=old, new=new: p.kl_divergence(old, new)
    return table


def gradients(package: Any, batch: int) -> Operations:
    """Return the forward and backward pass that PPO makes through a distribution."""

    def step(policy: Any, output: torch.Tensor, actions: torch.Tensor) -> None:
        policy.update(output)
        (policy.log_prob(actions).mean() + policy.entropy.mean()).backward()
        output.grad = None
        policy.zero_grad()

    table: Operations = {}
    for name, policy, output, actions in policies(package, batch):
        output.requires_grad_()
        table[f"{name}, forward and backward"] = lambda p=policy, o=output, a=actions: step(p, o, a)
    return table


def policies(package: Any, batch: int) -> Iterator[tuple[str, Any, torch.Tensor, torch.Tensor]]:
    """Yield the name of each distribution, itself, a network's output for it and actions."""
    torch.manual_seed(1)
    mean, actions = torch.randn(batch, ACTIONS), torch.rand(batch, ACTIONS) - 0.5
    halves = torch.stack((mean, 0.3 + mean.abs()), 1)
    yield "GaussianDistribution", package.GaussianDistribution(ACTIONS), mean.clone(), actions
    yield (
        "HeteroscedasticGaussianDistribution",
        package.HeteroscedasticGaussianDistribution(ACTIONS),
        halves.clone(),
        actions,
    )
    yield "BetaDistribution", package.BetaDistribution(ACTIONS), halves.clone(), actions


def microseconds(functions: list[Callable[[], Any]], rounds: int = ROUNDS) -> list[float]:
    """Return the time of each function: its fastest round of many, taken in turn."""
    calls = []
    for function in functions:
        function(), function()
        start = time.perf_counter()
        function()
        calls.append(max(1, round(ROUND_SECONDS / (time.perf_counter() - start))))
    best = [float("inf")] * len(functions)
    for _ in range(rounds):
        for i, function in enumerate(functions):
            start = time.perf_counter()
            for _ in range(calls[i]):
                function()
            best[i] = min(best[i], (time.perf_counter() - start) / calls[i] * 1e6)
    return best


