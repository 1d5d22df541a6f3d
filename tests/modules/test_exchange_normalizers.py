"""The normalizers accept every kind of batch and every change of their statistics, like rsl_rl's."""

import copy
import pickle
import warnings

import exchange
import pytest
import torch
from exchange import Difference, Refusal, close, state, steps, through_a_file
from exchange_refusals import NORMALIZERS as PEER_REFUSES

from rsl_edu import modules

SHAPES = {"number": (), "vector": (3,), "matrix": (2, 3)}
SEED = 3


def batches(*sizes, count=3, mean=4.0, std=2.0):
    generator = torch.Generator().manual_seed(SEED)
    return torch.randn(count, *sizes, generator=generator) * std + mean


def answers(norm, x):
    """Return all statistics that a caller can read."""
    return {
        "state": state(norm),
        "mean": norm.mean,
        "std": norm.std,
        "count": norm.count,
        "number": int(norm.count),
        "output": norm(x),
        "inverse": norm.inverse(x),
        "buffers": [norm._mean, norm._var, norm._std],
    }


def learned(package, *sizes, options=None, between=None, n=6, program=None):
    """Update with three batches and return the results; ``between`` changes the module after the first batch."""
    norm = package.EmpiricalNormalization(list(sizes), **(options or {}))
    data = batches(n, *sizes)
    for i, batch in enumerate(data):
        norm.update(batch)
        if i == 0 and between is not None:
            norm = between(norm) or norm
    return answers(norm, data[0])


def reset_by_hand(norm):
    norm.count.zero_()
    norm._mean.zero_()
    norm._var.fill_(1)
    norm._std.fill_(1)


def loaded(norm, dtype=torch.float32, assign=False, count=50):
    """Load the statistics of another stream."""
    other = copy.deepcopy(norm)
    other.update(batches(9, *norm.mean.shape, count=1, mean=-3.0, std=5.0)[0])
    values = {key: value.to(dtype) if value.is_floating_point() else value for key, value in other.state_dict().items()}
    norm.load_state_dict(values | {"count": torch.tensor(count)}, assign=assign)


def built_on_meta(norm):
    with torch.device("meta"):
        new = type(norm)(norm.mean.shape)
    new = new.to_empty(device="cpu")
    for buffer in new.buffers():  # like uninitialized memory
        buffer.fill_(3) if buffer.dtype == torch.long else buffer.fill_(1e30)
    new.load_state_dict(norm.state_dict())
    return new


def assigned_on_meta(norm):
    with torch.device("meta"):
        new = type(norm)(norm.mean.shape)
    new.load_state_dict({key: value.clone() for key, value in norm.state_dict().items()}, assign=True)
    return new


def widened(*names):
    def change(norm):
        for name in names:
            setattr(norm, name, getattr(norm, name).double())

    return change


def filled(name, value):
    def change(norm):
        getattr(norm, name).fill_(value)

    return change


def within(mode):
    def change(norm):
        with mode():
            norm.update(batches(4, *norm.mean.shape, count=1)[0])

    return change


def evaluated(norm):
    norm.eval()
    norm.update(batches(4, *norm.mean.shape, count=1)[0])
    norm.train()


BETWEEN = {
    "count filled": filled("count", 100),
    "count one": filled("count", 1),
    "count zero": filled("count", 0),
    "count replaced": lambda norm: setattr(norm, "count", torch.tensor(40)),
    "count float": lambda norm: setattr(norm, "count", torch.tensor(40.0)),
    "count int32": lambda norm: setattr(norm, "count", norm.count.int()),
    "mean filled": filled("_mean", 7.0),
    "mean copied": steps(lambda norm: norm._mean.copy_(torch.ones_like(norm._mean))),
    "mean far": filled("_mean", 1e4),
    "mean replaced": lambda norm: setattr(norm, "_mean", torch.full_like(norm._mean, 2.0)),
    "var filled": filled("_var", 9.0),
    "std filled": filled("_std", 9.0),
    "reset by hand": reset_by_hand,
    "loaded": loaded,
    "loaded half": lambda norm: loaded(norm, torch.float16),
    "loaded double": lambda norm: loaded(norm, torch.float64),
    "loaded assigned": lambda norm: loaded(norm, assign=True),
    "loaded assigned double": lambda norm: loaded(norm, torch.float64, True),
    "loaded untrained": lambda norm: loaded(norm, count=0),
    "loaded not strictly": steps(lambda norm: norm.load_state_dict({"_mean": norm._mean * 0 + 2}, strict=False)),
    "meta": built_on_meta,
    "meta assigned": assigned_on_meta,
    "widened": widened("_mean", "_var", "_std"),
    "widened mean": widened("_mean"),
    "widened var": widened("_var"),
    "widened std": widened("_std"),
    "to double": lambda norm: norm.double(),
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "pickle": lambda norm: pickle.loads(pickle.dumps(norm)),
    "file": through_a_file,
    "inference": within(torch.inference_mode),
    "no grad": within(torch.no_grad),
    "eval": evaluated,
    "until set": lambda norm: setattr(norm, "until", 7),
    "eps set": lambda norm: setattr(norm, "eps", 0.5),
    "statistics zero": steps(filled("_var", 0.0), filled("_std", 0.0)),
}
INPUTS = {
    "batch": lambda sizes: batches(6, *sizes),
    "batch of one": lambda sizes: batches(1, *sizes),
    "many": lambda sizes: batches(300, *sizes),
    "time first": lambda sizes: batches(4, 6, *sizes),
    "two dimensions more": lambda sizes: batches(2, 4, 6, *sizes),
    "single sample": lambda sizes: batches(*sizes),
    "constant": lambda sizes: torch.full((3, 6, *sizes), 2.5),
    "strided": lambda sizes: batches(12, *sizes)[:, ::2],
    "expanded": lambda sizes: batches(1, *sizes).expand(3, 6, *sizes),
    "double": lambda sizes: batches(6, *sizes).double(),
    "half": lambda sizes: batches(6, *sizes).half(),
    "bfloat16": lambda sizes: batches(6, *sizes).bfloat16(),
    "int64": lambda sizes: batches(6, *sizes).long(),
    "uint8": lambda sizes: batches(6, *sizes).abs().byte(),
    "bool": lambda sizes: batches(6, *sizes) > 4,
    "with gradient": lambda sizes: batches(6, *sizes).requires_grad_(),
    "broadcast": lambda sizes: batches(6, 1),
    "far": lambda sizes: batches(6, *sizes, mean=300.0),
}
UNTIL = {"exactly": 12, "overshot": 8, "from the start": 0, "one": 1, "never": None, "large": 10**8, "whole float": 1e8}


def fed(package, kind, sizes):
    norm = package.EmpiricalNormalization(list(sizes))
    data = INPUTS[kind](sizes)
    for batch in data:
        norm.update(batch)
    return {"state": state(norm), "output": norm(batches(6, *sizes)[0])}


def scaled(package, kind, sizes):
    norm = package.EmpiricalDiscountedVariationNormalization(list(sizes))
    outputs = [norm(batch) for batch in INPUTS[kind](sizes)]
    norm.eval()
    return {"state": state(norm), "outputs": outputs, "eval": norm(batches(6, *sizes)[0])}


def preset(package, change):
    """Change the statistics before the first update."""
    norm = package.EmpiricalNormalization(3)
    norm = BETWEEN[change](norm) or norm
    for batch in batches(6, 3):
        norm.update(batch)
    return answers(norm, batches(6, 3)[0])


def far_after_reset(package):
    """Update with data near 1e4 after a manual reset, where a variance about 0 would lose all digits."""
    norm = package.EmpiricalNormalization(3)
    norm.update(batches(6, 3)[0])
    reset_by_hand(norm)
    for batch in batches(6, 3, mean=1e4):
        norm.update(batch)
    return [norm.mean, norm.std]


def two_copies(package):
    norm = package.EmpiricalNormalization(3)
    data = batches(6, 3)
    norm.update(data[0])
    other = copy.deepcopy(norm)
    norm.update(data[1])
    other.update(data[2])
    return [answers(norm, data[0]), answers(other, data[0])]


def changed_rewards(change):
    def case(package):
        norm = package.EmpiricalDiscountedVariationNormalization((), gamma=0.5)
        outputs = []
        for i, batch in enumerate(batches(6)):
            outputs.append(norm(batch))
            if i == 0:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    norm = change(norm) or norm
        return [outputs, state(norm), norm.disc_avg.avg]

    return case


def reward_cases():
    changes = {
        "deepcopy": copy.deepcopy,
        "pickle": lambda norm: pickle.loads(pickle.dumps(norm)),
        "sums set": lambda norm: setattr(norm.disc_avg, "avg", torch.ones(6)),
        "sums forgotten": lambda norm: setattr(norm.disc_avg, "avg", None),
        "gamma set": lambda norm: setattr(norm.disc_avg, "gamma", 0.9),
        "mean set": steps(lambda norm: norm.emp_norm._mean.fill_(3.0)),
        "count set": steps(lambda norm: norm.emp_norm.count.fill_(90)),
        "until set": lambda norm: setattr(norm.emp_norm, "until", 3),
        "eval and train": steps(lambda norm: norm.eval()(torch.ones(6)), torch.nn.Module.train),
        "double": lambda norm: norm.double(),
    }
    return {f"rewards {name}": changed_rewards(change) for name, change in changes.items()}


def equal_means(saved):
    return bool((saved["_mean"] == saved["_mean"].flatten()[0]).all())


def all_cases():
    cases = {}
    for name, sizes in SHAPES.items():
        cases |= {f"{name} fed {kind}": lambda p, k=kind, s=sizes: fed(p, k, s) for kind in INPUTS}
        cases |= {f"{name} scaled {kind}": lambda p, k=kind, s=sizes: scaled(p, k, s) for kind in INPUTS if not sizes}
        cases |= {
            f"{name} {change}": lambda p, c=change, s=sizes: learned(p, *s, between=BETWEEN[c]) for change in BETWEEN
        }
        for until, value in UNTIL.items():
            cases[f"{name} until {until}"] = lambda p, s=sizes, u=value: learned(p, *s, options={"until": u})
        cases[f"{name} eps zero"] = lambda p, s=sizes: learned(p, *s, options={"eps": 0})
    cases |= {f"first {change}": lambda p, c=change: preset(p, c) for change in BETWEEN}
    return cases | reward_cases() | {"far after reset": far_after_reset, "two copies": two_copies}


CASES = all_cases()
CONSTANTS = Difference("rsl_rl's statistics keep the graph of every batch", close)
WE_REFUSE = {
    "* fed broadcast": Refusal(
        "the statistics of some features come from another", lambda value: equal_means(value["state"]["saved"])
    ),
}
DIFFERS = {
    "number * with gradient": CONSTANTS,
    "* fed with gradient": CONSTANTS,
    "first mean far": Difference(
        "rsl_rl's variance is the rounding error of a mean that no sample had",
        lambda ours, _: close(ours["std"], batches(6, 3).flatten(0, 1).std(0, unbiased=False), 1e-4),
    ),
    "* fed single sample": Difference(
        "rsl_rl treats the features as a batch",
        lambda ours, theirs: ours["state"]["saved"]["count"] == 3 < theirs["state"]["saved"]["count"],
    ),
}
LOOSE = {"*double*": 1e-5, "* widened*": 1e-5, "*half*": 2e-2, "*bfloat16*": 2e-2, "*fed far": 1e-5}
LOOSE["far after reset"] = 1e-4  # rsl_rl's rounding error; below, ours is compared with the samples
EXCHANGE = exchange.Exchange(CASES, PEER_REFUSES, WE_REFUSE, DIFFERS, LOOSE)


def test_every_pattern_in_the_lists_matches_a_case():
    EXCHANGE.check_lists()


@pytest.mark.parametrize("name", CASES)
def test_ours_has_the_statistics_of_rsl_rl(peer, name):
    EXCHANGE.check(peer, name)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("inputs", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (4.0, 2.0), (30.0, 1.0)])
def test_statistics_in_every_precision_are_finite_and_at_least_as_exact_as_those_of_rsl_rl(
    peer, dtype, inputs, mean, std
):
    data = batches(64, 3, count=20, mean=mean, std=std).to(inputs)
    exact = data.double().flatten(0, 1)
    errors = []
    for package in (modules, peer):
        norm = package.EmpiricalNormalization(3).to(dtype)
        for batch in data:
            norm.update(batch)
        assert norm._mean.dtype == norm._std.dtype == dtype
        errors.append(
            [
                (norm.mean.double() - exact.mean(0)).abs().max(),
                (norm.std.double() - exact.std(0, unbiased=False)).abs().max(),
            ]
        )
    rounding = torch.finfo(dtype).eps * (abs(mean) + std) * 2
    for ours, theirs in zip(*errors, strict=True):
        assert ours.isfinite()
        assert not ours > theirs + rounding


def test_statistics_after_a_manual_reset_are_those_of_the_next_samples():
    mean, std = far_after_reset(modules)
    samples = batches(6, 3, mean=1e4).flatten(0, 1).double()
    torch.testing.assert_close(mean.double(), samples.mean(0), rtol=1e-7, atol=0)
    torch.testing.assert_close(std.double(), samples.std(0, correction=0), rtol=1e-6, atol=0)
