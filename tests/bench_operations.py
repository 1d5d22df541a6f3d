"""The operations that ``make bench`` times in both libraries, on any device, and the function that times them."""

import importlib.metadata
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


def operations(package: Any, batch: int, device: str = "cpu") -> Operations:
    """Return the operations of a library on a batch, without gradients."""
    torch.manual_seed(0)
    x, rewards, dones = torch.randn(batch, FEATURES), torch.randn(batch), torch.zeros(batch)
    scans = torch.randn(batch, 1, 17, 11)
    dones[::16] = 1
    x, rewards, dones, scans = (tensor.to(device) for tensor in (x, rewards, dones, scans))
    normalizer = package.EmpiricalNormalization(FEATURES).to(device)
    limited = package.EmpiricalNormalization(FEATURES, until=NEVER).to(device)
    reward_normalizer = package.EmpiricalDiscountedVariationNormalization([]).to(device)
    mlp = package.MLP(FEATURES, ACTIONS, [256, 128, 64]).to(device)
    cnn = package.CNN((17, 11), 1, [8, 16], 3, stride=2, padding="zeros").to(device)
    table: Operations = {
        "EmpiricalNormalization.update": lambda: normalizer.update(x),
        "EmpiricalNormalization.update, until": lambda: limited.update(x),
        "EmpiricalNormalization.forward": lambda: normalizer(x),
        "EmpiricalDiscountedVariationNormalization.forward": lambda: reward_normalizer(rewards),
        "MLP.forward": lambda: mlp(x),
        "CNN.forward": lambda: cnn(scans),
    }
    for type in ("gru", "lstm"):
        rnn = package.RNN(FEATURES, HIDDEN, 1, type).to(device)
        rnn(x)
        table[f"RNN.forward ({type})"] = lambda rnn=rnn: rnn(x)
        table[f"RNN.reset ({type})"] = lambda rnn=rnn: rnn.reset(dones)
    for name, policy, output, actions in policies(package, batch, device):
        policy.update(output)
        old = tuple(param.clone() for param in policy.params)
        new = tuple(param * 1.01 for param in policy.params)
        table[f"{name}.update"] = lambda policy=policy, output=output: policy.update(output)
        table[f"{name}.sample"] = policy.sample
        # Update before each call, because our entropy reuses what log_prob has computed.
        table[f"{name}.update, log_prob"] = lambda p=policy, o=output, a=actions: (p.update(o), p.log_prob(a))
        table[f"{name}.update, entropy"] = lambda p=policy, o=output: (p.update(o), p.entropy)
        table[f"{name}.kl_divergence"] = lambda p=policy, old=old, new=new: p.kl_divergence(old, new)
    return table


def gradients(package: Any, batch: int, device: str = "cpu") -> Operations:
    """Return the forward and backward pass of PPO through a distribution."""

    def step(policy: Any, output: torch.Tensor, actions: torch.Tensor) -> None:
        policy.update(output)
        (policy.log_prob(actions).mean() + policy.entropy.mean()).backward()
        output.grad = None
        policy.zero_grad()

    table: Operations = {}
    for name, policy, output, actions in policies(package, batch, device):
        output.requires_grad_()
        table[f"{name}, forward and backward"] = lambda p=policy, o=output, a=actions: step(p, o, a)
    return table


def policies(package: Any, batch: int, device: str = "cpu") -> Iterator[tuple[str, Any, torch.Tensor, torch.Tensor]]:
    """Yield each distribution with its name, a network output for it, and actions."""
    torch.manual_seed(1)
    mean, actions = torch.randn(batch, ACTIONS).to(device), (torch.rand(batch, ACTIONS) - 0.5).to(device)
    halves = torch.stack((mean, 0.3 + mean.abs()), 1)
    names = {
        "GaussianDistribution": mean,
        "HeteroscedasticGaussianDistribution": halves,
        "BetaDistribution": halves,
    }
    for name, output in names.items():
        yield name, getattr(package, name)(ACTIONS).to(device), output.clone(), actions


def synchronize(device: str) -> None:
    """Wait until a GPU has finished its work; other devices have no work in the background."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)


def microseconds(functions: list[Callable[[], Any]], rounds: int = ROUNDS, device: str = "cpu") -> list[float]:
    """Return the time of each function in its fastest round; rounds alternate between the functions.

    A round has many calls and waits for the device once, so that launches on a GPU queue as in training.
    """

    def seconds(function: Callable[[], Any], calls: int) -> float:
        synchronize(device)
        start = time.perf_counter()
        for _ in range(calls):
            function()
        synchronize(device)
        return time.perf_counter() - start

    calls = []
    for function in functions:
        function(), function()
        calls.append(max(1, round(ROUND_SECONDS / seconds(function, 1))))
        if device != "cpu":  # for a single call, waiting for the GPU takes longer than the computation
            calls[-1] = max(1, round(calls[-1] * ROUND_SECONDS / seconds(function, calls[-1])))
    best = [float("inf")] * len(functions)
    for _ in range(rounds):
        for i, function in enumerate(functions):
            best[i] = min(best[i], seconds(function, calls[i]) / calls[i] * 1e6)
    return best


def compare(
    make: Callable[..., Operations], batch: int, learn: bool, device: str = "cpu", rounds: int = ROUNDS
) -> Iterator[dict[str, Any]]:
    """Yield a row for each operation on a batch."""
    with torch.set_grad_enabled(learn):
        theirs, ours = make(rsl_rl.modules, batch, device), make(rsl_edu.modules, batch, device)
        for name, function in theirs.items():
            peer, mine = microseconds([function, ours[name]], rounds, device)
            yield {
                "operation": name,
                "batch": batch,
                "peer_us": round(peer, 2),
                "ours_us": round(mine, 2),
                "ratio": round(peer / mine, 2),
            }


def versions() -> str:
    """Return the versions of the libraries, and the sizes that were measured."""
    peer = importlib.metadata.version("rsl-rl-lib")
    return f"torch {torch.__version__}, rsl-rl-lib {peer}, {FEATURES} features, {ACTIONS} actions"
