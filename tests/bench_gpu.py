"""The part of ``make bench`` that needs a GPU: operations, their launches, iterations of PPO, and a CUDA graph.

Everything except the graph takes a device as an argument, so that the tests can run it on the CPU.
"""

import copy
import time
from collections.abc import Callable, Iterator
from typing import Any

import rsl_rl.modules
import torch
from bench_operations import (
    ACTIONS,
    FEATURES,
    ROUNDS,
    Operations,
    compare,
    gradients,
    microseconds,
    operations,
    synchronize,
    versions,
)
from point_masses import PointMasses
from rsl_rl.runners import OnPolicyRunner
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

import rsl_edu.modules
from rsl_edu.cuda_graph import capture_step
from rsl_edu.swap import swapped_into_rsl_rl

BATCHES = (64, 4096, 65536)
ENVS = 4096
ITERATION_ROUNDS = 30  # an iteration is launch-bound, and single iterations differ by a quarter
COUNTED_CALLS = 4

LEAST = 0.9  # allowed ratio peer/ours of all other operations: launch times scatter by 5 % from run to run
LIMITS = {
    "EmpiricalNormalization.update": 1.0,
    "EmpiricalNormalization.update, until": 1.1,
    "EmpiricalDiscountedVariationNormalization.forward": 0.85,  # rsl_rl waits only briefly with small batches
    "RNN.reset (gru)": 0.8,  # ours makes a new hidden state; rsl_rl overwrites the old one
    "RNN.reset (lstm)": 1.0,
    "BetaDistribution.update, log_prob": 1.0,
    "BetaDistribution.update, entropy": 1.0,
}
NETWORKS = {
    "MLP": {"class_name": "MLPModel"},
    "LSTM": {"class_name": "RNNModel", "rnn_type": "lstm", "rnn_hidden_dim": 256},
}
MARKS = "<!-- bench-gpu: made by `make bench BENCH_ARGS=--book` on a machine with a GPU -->", "<!-- /bench-gpu -->"

Row = dict[str, Any]


# Measurements -------------------------------------------------------------------------------------------------------


def launches(function: Callable[[], Any], device: str) -> float:
    """Return the number of kernels, copies and fills that a call runs on the GPU, from torch.profiler; 0 on a CPU."""
    activity = ProfilerActivity.CPU if device == "cpu" else ProfilerActivity.CUDA
    function()
    synchronize(device)
    with profile(activities=[activity]) as profiler:
        for _ in range(COUNTED_CALLS):
            function()
        synchronize(device)
    events = [event for event in profiler.events() if event.device_type == DeviceType.CUDA]
    return len([event for event in events if not getattr(event, "is_user_annotation", False)]) / COUNTED_CALLS


def counted(make: Callable[..., Operations], batch: int, learn: bool, device: str) -> dict[str, tuple[float, float]]:
    """Return the launches of each operation, in rsl_rl and here."""
    launches(lambda: None, device)  # the first profile sets up the profiler
    with torch.set_grad_enabled(learn):
        theirs, ours = make(rsl_rl.modules, batch, device), make(rsl_edu.modules, batch, device)
        return {name: (launches(theirs[name], device), launches(ours[name], device)) for name in theirs}


def operation_rows(device: str, batches: tuple[int, ...] = BATCHES, rounds: int = ROUNDS) -> Iterator[Row]:
    """Yield a row for each operation and batch size; the launches are those of the middle size."""
    for make, learn in ((operations, False), (gradients, True)):
        count = counted(make, batches[len(batches) // 2], learn, device)
        for batch in batches:
            for row in compare(make, batch, learn, device, rounds):
                peer, ours = count[row["operation"]]
                limit = LIMITS.get(row["operation"], LEAST)
                yield row | {"limit": limit, "peer_launches": peer, "ours_launches": ours}


def configuration(network: str, steps: int = 24) -> dict[str, Any]:
    """Return a configuration of rsl_rl's runner with the usual sizes for a legged robot."""
    model = NETWORKS[network] | {"hidden_dims": [256, 128, 64], "activation": "elu", "obs_normalization": True}
    return {
        "num_steps_per_env": steps,
        "save_interval": 1000,
        "check_for_nan": False,  # it would wait for the GPU in every step, with the modules of either library
        "obs_groups": {"actor": ["policy"], "critic": ["policy"]},
        "actor": model | {"distribution_cfg": {"class_name": "GaussianDistribution", "init_std": 1.0}},
        "critic": dict(model),
        "algorithm": {"class_name": "PPO", "num_learning_epochs": 5, "num_mini_batches": 4, "schedule": "fixed"},
    }


def iteration_seconds(runner: OnPolicyRunner, device: str) -> float:
    """Return the time of one iteration: a rollout and an update."""
    synchronize(device)
    start = time.perf_counter()
    runner.learn(1)
    synchronize(device)
    return time.perf_counter() - start


def iteration_row(
    network: str, device: str, envs: int = ENVS, rounds: int = ITERATION_ROUNDS, steps: int = 24
) -> dict[str, Any]:
    """Return the time of an iteration with rsl_rl's modules and with ours: the fastest of many, measured in turn."""
    runners = []
    for swap in (False, True):
        torch.manual_seed(0)
        environment, config = PointMasses(envs, device, ACTIONS), copy.deepcopy(configuration(network, steps))
        if swap:
            with swapped_into_rsl_rl():
                runners.append(OnPolicyRunner(environment, config, None, device))
        else:
            runners.append(OnPolicyRunner(environment, config, None, device))
        iteration_seconds(runners[-1], device)  # for the one-time set-up
    times = [[iteration_seconds(runner, device) for runner in runners] for _ in range(rounds)]
    peer, ours = (1e3 * min(column) for column in zip(*times, strict=True))
    return {
        "operation": f"an iteration of PPO, {network}",
        "batch": envs,
        "peer_ms": round(peer, 2),
        "ours_ms": round(ours, 2),
        "ratio": round(peer / ours, 3),
        "limit": LEAST,
    }


def rollout_step(batch: int, device: str) -> tuple[Callable[[torch.Tensor], Any], list[Any], torch.Tensor]:
    """Return a rollout step with our modules, the modules, and observations."""
    torch.manual_seed(0)
    normalizer = rsl_edu.modules.EmpiricalNormalization(FEATURES).to(device)
    mlp = rsl_edu.modules.MLP(FEATURES, ACTIONS, [256, 128, 64]).to(device)
    policy = rsl_edu.modules.GaussianDistribution(ACTIONS).to(device)

    def act(observations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        normalizer.update(observations)
        policy.update(mlp(normalizer(observations)))
        actions = policy.sample()
        return actions, policy.log_prob(actions)

    return act, [normalizer, mlp, policy], torch.randn(batch, FEATURES).to(device)


def graph_row(batch: int, device: str, rounds: int = ROUNDS) -> Row:
    """Return the time of a rollout step launched kernel by kernel, and the time of its CUDA graph."""
    step, *_, observations = rollout_step(batch, device)
    same, modules, _ = rollout_step(batch, device)  # with a separate normalizer
    captured = capture_step(same, observations, modules=modules)
    with torch.no_grad():
        calls = [lambda: step(observations), lambda: captured(observations)]
        one_by_one, graph = microseconds(calls, rounds, device)
    return {"batch": batch, "step_us": round(one_by_one, 2), "graph_us": round(graph, 2)}


def measured(device: str) -> dict[str, Any]:
    """Measure everything, and print each result immediately."""
    torch.set_num_threads(1)
    card = torch.cuda.get_device_name(device)
    print(f"\n{card}: operation{'':<50}{'batch':>7}{'peer µs':>11}{'ours µs':>11}{'ratio':>8}{'launches':>12}")
    result: dict[str, Any] = {"machine": f"{card}, {versions()}", "operations": [], "iterations": [], "graph": []}
    for row in operation_rows(device):
        result["operations"].append(row)
        print(
            f"{row['operation']:<70}{row['batch']:>7}{row['peer_us']:>11.1f}{row['ours_us']:>11.1f}{row['ratio']:>8.2f}"
            f"{row['peer_launches']:>6.0f} →{row['ours_launches']:>3.0f}{_below(row)}",
            flush=True,
        )
    for network in NETWORKS:
        row = iteration_row(network, device)
        result["iterations"].append(row)
        times = f"{row['peer_ms']:.1f} ms, ours {row['ours_ms']:.1f} ms, ratio {row['ratio']:.3f}"
        print(f"{row['operation']}, {row['batch']} environments: peer {times}{_below(row)}", flush=True)
    for batch in BATCHES:
        row = graph_row(batch, device)
        result["graph"].append(row)
        print(f"a rollout step, batch {row['batch']}: {row['step_us']:.1f} µs, as a graph {row['graph_us']:.1f} µs")
    return result


def shortfalls(result: dict[str, Any]) -> list[str]:
    """Return the operations that are slower than their limit allows."""
    rows = [*result["operations"], *result["iterations"]]
    return [
        f"{row['operation']}, batch {row['batch']}: {row['ratio']:.2f}, limit {row['limit']:.2f}"
        for row in rows
        if row["ratio"] < row["limit"]
    ]


def _below(row: Row) -> str:
    return "  below its limit" if row["ratio"] < row["limit"] else ""


# What the book shows --------------------------------------------------------------------------------------------------


def section(result: dict[str, Any]) -> str:
    """Return the tables as Markdown."""
    batches = sorted({row["batch"] for row in result["operations"]})
    ratios: dict[str, list[str]] = {}
    for row in result["operations"]:
        ratios.setdefault(row["operation"], []).append(f"{row['ratio']:.2f}")
    count = {row["operation"]: f"{row['peer_launches']:g} / {row['ours_launches']:g}" for row in result["operations"]}
    heads = [f"batch {batch}" for batch in batches]
    lines = [_line("rsl_rl's time / ours", *heads, "launches, rsl_rl's / ours"), "|---" * (len(heads) + 2) + "|"]
    lines += [_line(f"`{name}`", *of, count[name]) for name, of in ratios.items()]
    lines += ["", "| | rsl_rl's modules | ours | ratio |", "|---|---|---|---|"]
    lines += [
        _line(
            f"{row['operation']}, {row['batch']} environments",
            f"{row['peer_ms']:.1f} ms",
            f"{row['ours_ms']:.1f} ms",
            f"{row['ratio']:.2f}",
        )
        for row in result["iterations"]
    ]
    lines += ["", "| a rollout step of our modules | kernel by kernel | as a CUDA graph |", "|---|---|---|"]
    lines += [
        _line(f"batch {row['batch']}", f"{row['step_us']:.0f} µs", f"{row['graph_us']:.0f} µs")
        for row in result["graph"]
    ]
    lines += ["", f"{result['machine']}. Launches: kernels, copies and fills on the GPU, counted by torch.profiler."]
    return "\n".join(lines)


def with_section(page: str, section: str) -> str:
    """Return the page with new tables between its marks."""
    before, rest = page.split(MARKS[0])
    _, after = rest.split(MARKS[1])
    return f"{before}{MARKS[0]}\n{section}\n{MARKS[1]}{after}"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
