"""Comparison of checkpoints with exports: every planted fault is named, and a correct export counts as the same."""

import copy
import re
from pathlib import Path

import pytest
import torch
from exporters import ACTIONS, FEATURES, Apply, IsaacLab, OnnxMemory, in_this_process, policy, save, script, to_onnx
from tiers import tiers
from torch import nn

from rsl_edu.checkpoint import CheckpointError
from rsl_edu.compare import compare_export
from rsl_edu.compare.exports.causes import CAUSES
from rsl_edu.exported import ExportError, Played
from rsl_edu.exported.run import run_export
from rsl_edu.sandbox import SandboxError

MAIN, OTHER = policy(0), policy(2)
NORMALIZER = MAIN.obs_normalizer
MEMORY, MEMORY_2 = policy(rnn="lstm"), policy(rnn="gru", layers=2)


@pytest.fixture(autouse=True)
def here(monkeypatch):
    in_this_process(monkeypatch)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return run folders: three checkpoints of an MLP, the last of them `MAIN`, and one of each recurrent policy."""
    folder = tmp_path_factory.mktemp("runs")
    for name, actors in {"mlp": (policy(1), OTHER, MAIN), "lstm": (MEMORY,), "gru": (MEMORY_2,)}.items():
        (folder / name).mkdir()
        for number, actor in enumerate(actors):
            save(actor, folder / name / f"model_{50 * number}.pt")
    return folder


@pytest.fixture
def compare(runs, tmp_path):
    """Return a function that exports a module to TorchScript and compares it with a run."""

    def run(module, of="mlp", activation="elu", **options):
        return compare_export(
            runs / of, script(module.eval(), tmp_path / "policy.pt"), activation=activation, **options
        )

    return run


def names(comparison):
    assert bool(comparison.reasons) is not comparison.same
    return [reason.name for reason in comparison.reasons]


def edited(normalizer=NORMALIZER, **changes):
    """Return a normalizer with some attributes changed."""
    other = copy.deepcopy(normalizer)
    for name, value in changes.items():
        getattr(other, name).copy_(value) if isinstance(value, torch.Tensor) else setattr(other, name, value)
    return other


def with_activation(name):
    other = policy(activation=name)
    other.load_state_dict(MAIN.state_dict())
    return other


def reordered(order):
    """Return the actor and the normalizer for features in another order."""
    actor = copy.deepcopy(MAIN)
    actor.mlp[0].weight.data = MAIN.mlp[0].weight.data[:, order]
    parts = {name: getattr(NORMALIZER, name)[:, order] for name in ("_mean", "_std", "_var")}
    return actor, edited(**parts)


def rounded(dtype):
    return copy.deepcopy(MAIN).to(dtype).float()


def in_8_bits():
    actor = copy.deepcopy(MAIN)
    for layer in actor.mlp:
        if isinstance(layer, nn.Linear):
            step = layer.weight.data.abs().amax(1, keepdim=True) / 127
            layer.weight.data = (layer.weight.data / step).round() * step
    return actor


def without_last_bias():
    actor = copy.deepcopy(MAIN)
    actor.mlp[-1].bias.data.zero_()
    return actor


class Normalizer(nn.Module):
    """A copy of the normalizer, which normalizes a second time."""

    def __init__(self):
        super().__init__()
        self.statistics = copy.deepcopy(NORMALIZER)

    def forward(self, x):
        return self.statistics(x)


class Clipped(Normalizer):
    """A normalizer followed by a clip."""

    def __init__(self, limit: float):
        super().__init__()
        self.limit = limit

    def forward(self, x):
        return self.statistics(x).clamp(-self.limit, self.limit)


class Forgetful(IsaacLab):
    """Does not write the new hidden state back."""

    def forward_lstm(self, x):
        x = self.normalizer(self.before(x))
        x, _ = self.rnn(x.unsqueeze(0), (self.hidden_state, self.cell_state))
        return self.after(self.actor(x.squeeze(0)))


class Resets(IsaacLab):
    """Has a method that resets the hidden state, or only half of it."""

    def __init__(self, actor, normalizer, kind: str = "all"):
        super().__init__(actor, normalizer)
        self.kind = kind

    @torch.jit.export
    def reset(self):
        self.hidden_state[:] = 0
        if self.kind == "all":
            self.cell_state[:] = 0
        if self.kind == "raises":
            raise RuntimeError("no")


def filled(module, value):
    module.hidden_state[:] = value
    module.cell_state[:] = -value
    return module


MEAN, STD, VAR = NORMALIZER._mean, NORMALIZER._std, NORMALIZER._var
LIMITS = {"low": [-9.0, -0.3, -0.2], "high": [0.3, 0.4, 0.5]}
OFFSET = [0.1, 0.8, -1.5]
PLANTED = {  # exported module, expected causes, words in the first reason
    "normalizer left out": (
        lambda: IsaacLab(MAIN),
        ["normalizer left out"],
        "model_100.pt without the normalizer reproduces",
    ),
    "twice": (
        lambda: IsaacLab(MAIN, NORMALIZER, before=Normalizer()),
        ["observations normalized twice"],
        "with observations normalized twice",
    ),
    "eps": (
        lambda: IsaacLab(MAIN, edited(eps=1e-3)),
        ["another formula in the normalizer"],
        "with an eps of 0.001 instead of 0.01",
    ),
    "root of var": (
        lambda: IsaacLab(MAIN, edited(eps=0.0, _std=(VAR + 1e-4).sqrt())),
        ["another formula in the normalizer"],
        "with sqrt(var + 0.0001) instead of std + 0.01",
    ),
    "var": (
        lambda: IsaacLab(MAIN, edited(_std=VAR)),
        ["another formula in the normalizer"],
        "with the variance instead of the std",
    ),
    "other normalizer": (
        lambda: IsaacLab(MAIN, OTHER.obs_normalizer),
        ["normalizer of another checkpoint"],
        "with the normalizer of model_50.pt",
    ),
    "untrained": (
        lambda: IsaacLab(MAIN, edited(_mean=0 * MEAN, _std=0 * STD + 1)),
        ["normalizer without statistics"],
        "with an untrained normalizer (mean 0, std 1)",
    ),
    "zeroed": (
        lambda: IsaacLab(MAIN, edited(_mean=0 * MEAN, _std=0 * STD)),
        ["normalizer without statistics"],
        "with a normalizer whose mean and std are 0",
    ),
    "shrunk": (
        lambda: IsaacLab(MAIN, edited(_mean=0.98 * MEAN, _std=0.99 * STD)),
        ["other statistics in the normalizer"],
        "(its means are 0.98 times the checkpoint's)",
    ),
    "other checkpoint": (
        lambda: IsaacLab(OTHER, OTHER.obs_normalizer),
        ["another checkpoint"],
        "model_50.pt reproduces the export's actions",
    ),
    "half of another checkpoint": (
        lambda: IsaacLab(OTHER, NORMALIZER),
        ["another checkpoint", "normalizer of another checkpoint"],
        "model_50.pt with the normalizer of model_100.pt reproduces",
    ),
    "activation": (
        lambda: IsaacLab(with_activation("relu"), NORMALIZER),
        ["another activation"],
        "with the activation relu instead of elu",
    ),
    "activation, no normalizer": (
        lambda: IsaacLab(with_activation("tanh")),
        ["another activation", "normalizer left out"],
        "with the activation tanh instead of elu and without the normalizer",
    ),
    "order": (
        lambda: IsaacLab(*reordered([0, 1, 3, 2, 4, 5])),
        ["another order of the observations"],
        "with feature 3 as feature 2, feature 2 as feature 3 reproduces",
    ),
    "cycle of features": (
        lambda: IsaacLab(*reordered([2, 0, 1, 3, 4, 5])),
        ["another order of the observations"],
        "with feature 1 as feature 0, feature 2 as feature 1, feature 0 as feature 2 reproduces",
    ),
    "order, no normalizer": (
        lambda: IsaacLab(reordered([0, 1, 3, 2, 4, 5])[0]),
        ["another order of the observations", "normalizer left out"],
        "and without the normalizer",
    ),
    "clip": (
        lambda: IsaacLab(MAIN, NORMALIZER, after=Apply(low=-0.4, high=0.4)),
        ["actions clipped"],
        "with actions clipped at ±0.4",
    ),
    "clip of each action": (
        lambda: IsaacLab(MAIN, NORMALIZER, after=Apply(**LIMITS)),
        ["actions clipped"],
        "with actions clipped at -0.3 to -0.2 and 0.3 to 0.5",
    ),
    "clip that acts on large actions only": (
        lambda: IsaacLab(MAIN, NORMALIZER, after=Apply(low=-1.2, high=1.2)),
        ["actions clipped"],
        "with actions clipped at",
    ),
    "clip of normalized observations": (
        lambda: IsaacLab(MAIN, Clipped(10.0)),
        ["observations clipped"],
        "with normalized observations clipped at ±10",
    ),
    "clip of normalized observations at 5": (
        lambda: IsaacLab(MAIN, Clipped(5.0)),
        ["observations clipped"],
        "with normalized observations clipped at ±5",
    ),
    "clip of observations": (
        lambda: IsaacLab(MAIN, NORMALIZER, before=Apply(low=-18.0, high=18.0)),
        ["observations clipped"],
        "with observations clipped at ±18",
    ),
    "scale": (
        lambda: IsaacLab(MAIN, NORMALIZER, after=Apply(scale=0.25)),
        ["actions scaled or shifted"],
        "with actions scaled by 0.25 reproduces",
    ),
    "scale and offset": (
        lambda: IsaacLab(MAIN, NORMALIZER, after=Apply(scale=0.25, offset=OFFSET)),
        ["actions scaled or shifted"],
        "with actions scaled by 0.25 and shifted by -1.5 to 0.8 reproduces",
    ),
    "scale, offset and clip": (
        lambda: IsaacLab(MAIN, NORMALIZER, after=Apply(scale=0.5, offset=0.1, low=0.0, high=0.2)),
        ["actions scaled or shifted"],
        "with actions scaled by 0.5 and shifted by 0.1, clipped at 0 and 0.2 reproduces",
    ),
    "sign": (
        lambda: IsaacLab(MAIN, NORMALIZER, after=Apply(scale=[1.0, -1.0, 1.0])),
        ["actions scaled or shifted"],
        "with actions scaled by -1 to 1 reproduces",
    ),
    "tanh": (
        lambda: IsaacLab(MAIN, NORMALIZER, after=Apply(tanh=True)),
        ["actions squashed"],
        "with a final tanh reproduces",
    ),
    "tanh and scale": (
        lambda: IsaacLab(MAIN, NORMALIZER, after=Apply(tanh=True, scale=0.5)),
        ["actions squashed"],
        "with a final tanh, then actions scaled by 0.5 reproduces",
    ),
    "order of actions": (
        lambda: IsaacLab(MAIN, NORMALIZER, after=Apply(order=(2, 0, 1))),
        ["actions in another order"],
        "with action 2 as 0, 0 as 1, 1 as 2 reproduces",
    ),
    "no normalizer, clip": (
        lambda: IsaacLab(MAIN, after=Apply(low=-0.4, high=0.4)),
        ["normalizer left out", "actions clipped"],
        "model_100.pt without the normalizer and with actions clipped at ±0.4 reproduces",
    ),
    "half precision": (
        lambda: IsaacLab(rounded(torch.float16), NORMALIZER),
        ["weights rounded"],
        "with weights rounded to half precision",
    ),
    "bfloat16": (
        lambda: IsaacLab(rounded(torch.bfloat16), NORMALIZER),
        ["weights rounded"],
        "with weights rounded to bfloat16",
    ),
    "sample": (
        lambda: IsaacLab(MAIN, NORMALIZER, after=Apply(noise=[0.3, 0.5, 0.7])),
        ["actions are sampled"],
        "times the checkpoint's noise",
    ),
    "sample, no normalizer": (
        lambda: IsaacLab(MAIN, after=Apply(noise=[0.3, 0.5, 0.7])),
        ["actions are sampled", "normalizer left out"],
        "times the checkpoint's noise",
    ),
    "noise": (
        lambda: IsaacLab(MAIN, NORMALIZER, after=Apply(noise=0.01)),
        ["actions are noisy"],
        "times the checkpoint's noise",
    ),
    "root of var, with the eps of rsl_rl": (
        lambda: IsaacLab(MAIN, edited(eps=0.0, _std=(VAR + 1e-2).sqrt())),
        ["another formula in the normalizer"],
        "with sqrt(var + 0.01) instead of std + 0.01",
    ),
    "no mean": (
        lambda: IsaacLab(MAIN, edited(_mean=0 * MEAN)),
        ["another formula in the normalizer"],
        "without subtracting the mean",
    ),
    "8 bits": (
        lambda: IsaacLab(in_8_bits(), NORMALIZER),
        ["weights rounded"],
        "with weights rounded to 8 bits",
    ),
    "last bias": (
        lambda: IsaacLab(without_last_bias(), NORMALIZER),
        ["other weights"],
        "with the export's weights reproduces",
    ),
    "first layer alone in another order": (
        lambda: IsaacLab(reordered([0, 1, 3, 2, 4, 5])[0], NORMALIZER),
        ["another order of the observations"],
        "after the normalizer (whose own order is right), reproduces",
    ),
    "other weights": (
        lambda: IsaacLab(policy(7), policy(7).obs_normalizer),
        ["other weights"],
        "with the export's weights and normalizer reproduces",
    ),
    "other weights, no normalizer": (
        lambda: IsaacLab(policy(7)),
        ["normalizer left out", "other weights"],
        "without the normalizer and with the export's weights",
    ),
    "NaN": (
        lambda: IsaacLab(MAIN, edited(_mean=MEAN * torch.tensor([1, 1, torch.nan, 1, 1, 1]))),
        ["NaN or infinity"],
        "returns NaN or infinity for 1,024 of 1,024 observations; its file already contains them in normalizer._mean",
    ),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_planted_fault_is_named(fault, compare):
    module, causes, says = PLANTED[fault]
    comparison = compare(module())
    assert names(comparison) == causes
    assert says in comparison.reasons[0].found
    assert all(cause in comparison.verdict for cause in causes[:1])
    assert not set(causes) & set(comparison.ruled_out)


class Reordered(nn.Module):
    def __init__(self, order):
        super().__init__()
        self.register_buffer("order", torch.tensor(order))

    def forward(self, x):
        return x[:, self.order]


AROUND = {  # code around the same weights
    "observation scales, degrees": (
        lambda: (Apply(scale=[1.0, 0.25, 0.25, 1.0, 57.29578, 1.0]), None),
        ["observations scaled or shifted"],
        "feature 1 to feature 2 scaled by 0.25, feature 4 scaled by 57 (degrees for radians) before the network",
    ),
    "default positions": (
        lambda: (Apply(offset=[0.0, 0.0, 0.5, -0.7, 0.0, 0.0]), None),
        ["observations scaled or shifted"],
        "with feature 2 to feature 3 shifted by -0.7 to 0.5 before the network reproduces",
    ),
    "order": (
        lambda: (Reordered([0, 1, 3, 2, 4, 5]), None),
        ["another order of the observations"],
        "with feature 3 as feature 2, feature 2 as feature 3 before the network reproduces",
    ),
    "order and clip of actions": (
        lambda: (None, Apply(order=(2, 0, 1), low=-0.4, high=0.4)),
        ["actions in another order"],
        "with action 2 as 0, 0 as 1, 1 as 2, then clipped at ±0.4 reproduces",
    ),
    "an action that never changes": (
        lambda: (None, Apply(scale=[0.5, 0.0, 0.5], offset=[0.0, 0.3, 0.0])),
        ["actions scaled or shifted"],
        "with actions scaled by 0.5, 1 of them constant reproduces",
    ),
    "history": (
        lambda: (Reordered([4, 5, 2, 3, 0, 1]), None),
        ["another order of the observations"],
        "with a history of 3 steps in reverse order reproduces",
    ),
    "order, scale and shift of actions": (
        lambda: (None, Apply(order=(2, 0, 1), scale=0.25, offset=OFFSET)),
        ["actions in another order"],
        "with action 2 as 0, 0 as 1, 1 as 2, then scaled by 0.25 and shifted by -1.5 to 0.8 reproduces",
    ),
}


@pytest.mark.parametrize("what", AROUND)
def test_code_around_the_same_weights_is_named(what, compare):
    around, causes, says = AROUND[what]
    comparison = compare(IsaacLab(MAIN, NORMALIZER, *around()))
    assert names(comparison) == causes
    assert says in comparison.reasons[0].found
    assert not comparison.never_tried


def test_difference_only_on_large_observations_is_reported(compare):
    comparison = compare(IsaacLab(MAIN, Clipped(10.0)))
    assert re.search(
        r", on 1,024 observations; observations up to 4\.\d stds from the mean show no difference", comparison.verdict
    )
    shown = r"1,024 random observations with .* normalizer: up to 4\.\d stds from the mean, and 64 of them up to [12]\d"
    assert re.match(shown, comparison.about["input"])
    assert "show no difference" not in compare(IsaacLab(MAIN)).verdict


@pytest.mark.parametrize(
    "layout", tiers([(500, FEATURES), (1, 500, FEATURES), (500, 1, FEATURES)], [(1, 500, FEATURES)])
)
def test_recording_for_a_recurrent_policy_is_one_sequence(layout, compare):
    """The hidden state is lost at step 300, which is not near the beginning of the recording."""

    class Forgets(IsaacLab):
        def __init__(self, actor, normalizer):
            super().__init__(actor, normalizer)
            self.register_buffer("step", torch.zeros(1))

        def forward_lstm(self, x):
            self.step[:] = self.step + 1
            if bool(self.step == 300):
                self.hidden_state[:] = 0
            x = self.normalizer(self.before(x))
            x, (h, c) = self.rnn(x.unsqueeze(0), (self.hidden_state, self.cell_state))
            self.hidden_state[:] = h
            self.cell_state[:] = c
            return self.after(self.actor(x.squeeze(0)))

    seen = MEMORY.obs_normalizer.mean + torch.randn(layout, generator=torch.Generator().manual_seed(0))
    healthy = compare(IsaacLab(MEMORY, MEMORY.obs_normalizer), "lstm", observations=seen, source="obs.pt")
    assert healthy.same
    assert healthy.about["input"] == "obs.pt: 1 robot, 500 consecutive steps"
    assert not compare(Forgets(MEMORY, MEMORY.obs_normalizer), "lstm", observations=seen).same


def test_report_counts_the_observations_used(compare):
    draw = torch.Generator().manual_seed(0)
    of_robots = compare(
        IsaacLab(MEMORY, MEMORY.obs_normalizer), "lstm", observations=torch.randn(90, 20, FEATURES, generator=draw)
    )
    assert of_robots.about["input"] == (
        "your observations: 16 robots, 64 consecutive steps, 1,024 of its 1,800 observations"
    )
    many = compare(IsaacLab(MAIN, NORMALIZER), observations=torch.randn(3000, FEATURES, generator=draw))
    assert many.about["input"] == "your observations: 1,024 of its 3,000 observations"


def test_incomplete_reset_is_named(compare):
    made = {kind: Resets(MEMORY, MEMORY.obs_normalizer, kind) for kind in ("all", "half", "raises")}
    assert names(compare(made["all"], "lstm")) == []
    assert "reset of the hidden state" not in compare(made["all"], "lstm").unchecked
    comparison = compare(made["half"], "lstm")
    assert names(comparison) == ["hidden state not cleared by reset()"]
    assert comparison.verdict == "Not the same: hidden state not cleared by reset()."
    assert (
        compare(made["raises"], "lstm").unchecked["reset of the hidden state"]
        == "the export's reset method could not be called"
    )
    without = compare(IsaacLab(MEMORY, MEMORY.obs_normalizer), "lstm")
    assert without.unchecked["reset of the hidden state"] == "the export has no method for it"


def test_clamps_in_the_code_are_listed(compare):
    class Limited(IsaacLab):
        def forward(self, x):
            return torch.clamp(self.actor(self.normalizer(x.clamp(-1e3, 1e3))), -100.0, 100.0).clamp(min=-500.0)

    notes = compare(Limited(MAIN, NORMALIZER)).notes
    assert (
        "the export's code contains clamp(-1000, 1000), clamp(-100, 100), clamp(-500), "
        "which changed none of these actions" in notes
    )
    assert not any("clamp" in note for note in compare(IsaacLab(MAIN, NORMALIZER)).notes)


MEMORIES = {
    "normalizer left out": (lambda: IsaacLab(MEMORY), "lstm", ["normalizer left out"]),
    "not carried": (lambda: Forgetful(MEMORY, MEMORY.obs_normalizer), "lstm", ["hidden state not carried over"]),
    "not zero": (
        lambda: filled(IsaacLab(MEMORY, MEMORY.obs_normalizer), 0.3),
        "lstm",
        ["hidden state not reset before the export"],
    ),
    "not zero, GRU": (
        lambda: filled(IsaacLab(MEMORY_2, MEMORY_2.obs_normalizer), 0.3),
        "gru",
        ["hidden state not reset before the export"],
    ),
}


@pytest.mark.parametrize("fault", MEMORIES)
def test_fault_of_a_recurrent_policy_is_named(fault, compare):
    module, of, causes = MEMORIES[fault]
    assert names(compare(module(), of)) == causes


def test_every_cause_is_planted():
    planted = {cause for _, causes, _ in PLANTED.values() for cause in causes}
    planted |= {cause for _, _, causes in MEMORIES.values() for cause in causes}
    planted |= {cause for _, causes, _ in AROUND.values() for cause in causes}
    planted |= {"normalizer of the critic", "another network from the file"}  # test_false_statements.py
    assert {cause.name for cause in CAUSES} <= planted


HEALTHY = {
    "MLP": (lambda: IsaacLab(MAIN, NORMALIZER), "mlp"),
    "LSTM": (lambda: IsaacLab(MEMORY, MEMORY.obs_normalizer), "lstm"),
    "GRU": (lambda: IsaacLab(MEMORY_2, MEMORY_2.obs_normalizer), "gru"),
    "half precision": (lambda: IsaacLab(MAIN, NORMALIZER).half(), "mlp"),
    "a clip without effect": (lambda: IsaacLab(MAIN, NORMALIZER, after=Apply(low=-100, high=100)), "mlp"),
}


@pytest.mark.parametrize("kind", HEALTHY)
def test_correct_export_is_the_same(kind, compare):
    module, of = HEALTHY[kind]
    comparison = compare(module(), of)
    assert names(comparison) == []
    goes = "Same actions, within the accuracy of half precision" if kind == "half precision" else "Same actions"
    largest = r"the largest difference is \S+ times the actions' std, on 1,024 observations\."
    assert re.fullmatch(f"{goes}: {largest}", comparison.verdict)
    loses = any("no method that resets its hidden state" in note for note in comparison.notes)
    assert loses is (of != "mlp")


def moved(factor, seed=4):
    """Return `MAIN` with slightly different weights, as after a few more updates."""
    actor, draw = copy.deepcopy(MAIN), torch.Generator().manual_seed(seed)
    for layer in (layer for layer in actor.mlp if isinstance(layer, nn.Linear)):
        for weight in (layer.weight, layer.bias):
            weight.data *= 1 + factor * torch.randn(weight.shape, generator=draw)
    return actor


def scaled_up():
    actor = copy.deepcopy(MAIN)
    actor.mlp[-1].weight.data *= 1.01
    return actor


def folded():
    """Return an actor that takes raw observations, because its first layer normalizes them."""
    actor = copy.deepcopy(MAIN)
    divisor = (STD + NORMALIZER.eps).squeeze()
    actor.mlp[0].weight.data = MAIN.mlp[0].weight / divisor
    actor.mlp[0].bias.data = MAIN.mlp[0].bias - actor.mlp[0].weight @ MEAN.squeeze()
    return actor


HALVES = {
    "neighbour": (lambda: IsaacLab(moved(0.003), NORMALIZER), ["other weights"]),
    "last layer": (lambda: IsaacLab(scaled_up(), NORMALIZER), ["other weights", "actions scaled or shifted"]),
    "means": (lambda: IsaacLab(MAIN, edited(_mean=1.0015 * MEAN)), ["other statistics in the normalizer"]),
    "folded": (lambda: IsaacLab(folded()), None),
}


@pytest.mark.parametrize("fault", HALVES)
def test_half_precision_does_not_hide_other_weights(fault, compare):
    module, causes = HALVES[fault]
    comparison = compare(module().half())
    assert comparison.same is (causes is None), str(comparison)
    assert causes is None or set(names(comparison)) <= set(causes)


def test_bfloat16_counts_as_the_same(compare):
    assert compare(IsaacLab(MAIN, NORMALIZER).bfloat16()).same


def test_half_precision_export_of_a_neighbouring_checkpoint_is_named(tmp_path):
    for number, actor in enumerate((MAIN, moved(0.003))):
        save(actor, tmp_path / f"model_{number}.pt")
    export = script(IsaacLab(MAIN, NORMALIZER).half().eval(), tmp_path / "policy.pt")
    comparison = compare_export(tmp_path / "model_1.pt", export, activation="elu")
    assert names(comparison) == ["another checkpoint"]
    assert "all 6 tensors of the export's network match model_0.pt" in comparison.reasons[0].found
    assert compare_export(tmp_path / "model_0.pt", export, activation="elu").same


@pytest.mark.parametrize("rnn", [None, "gru"])
def test_rounding_of_large_numbers_is_not_a_fault_and_does_not_hide_one(rnn, tmp_path):
    """Without its normalizer, this policy gets numbers near 10,000, where rounding to float32 far exceeds 1e-5."""
    actor = policy(rnn=rnn, activation="selu")
    with torch.no_grad():
        spread, draw = 10.0 ** torch.linspace(-3, 3, FEATURES), torch.Generator().manual_seed(0)
        actor.obs_normalizer.train().update(torch.randn(100, FEATURES, generator=draw) * spread + 10_000)
    path = save(actor.eval(), tmp_path / "model_3.pt")
    for module, causes in ((IsaacLab(actor, actor.obs_normalizer), []), (IsaacLab(actor), ["normalizer left out"])):
        assert names(compare_export(path, script(module.eval(), tmp_path / "policy.pt"))) == causes


# Optional information -------------------------------------------------------------------------------------------------


def test_advice_for_rsl_rl_2_shows_how_to_export_its_normalizer(tmp_path):
    path = save(MAIN, tmp_path / "model_3.pt", release=2)
    comparison = compare_export(path, script(IsaacLab(MAIN), tmp_path / "policy.pt"))
    assert names(comparison) == ["normalizer left out"]
    assert "normalizer=runner.obs_normalizer" in comparison.reasons[0].change
    assert "#3836" in comparison.reasons[0].change


def test_activation_is_taken_from_the_export_if_the_checkpoint_has_none(compare):
    comparison = compare(IsaacLab(with_activation("tanh"), NORMALIZER), activation=None)
    assert comparison.same
    assert "MLP 16, 16 (tanh, from the export)" in comparison.about["checkpoint"]
    assert comparison.verdict.startswith(
        "Same actions, provided that the checkpoint was trained with tanh (only the export"
    )
    assert comparison.unchecked["another activation"] == "needs --activation, or --config agent.yaml"
    told = compare(IsaacLab(with_activation("tanh"), NORMALIZER), activation="tanh")
    assert told.verdict.startswith("Same actions: ")
    assert "another activation" not in told.unchecked


def test_activation_is_not_taken_from_another_runs_export(tmp_path):
    """legged_gym keeps the exports of all its runs in one folder, next to the runs."""
    (tmp_path / "run").mkdir()
    (tmp_path / "exported" / "policies").mkdir(parents=True)
    script(IsaacLab(MAIN, NORMALIZER), tmp_path / "exported" / "policies" / "policy_1.pt")
    actor = with_activation("tanh")
    export = script(IsaacLab(actor, NORMALIZER).eval(), tmp_path / "policy.pt")
    assert compare_export(save(actor, tmp_path / "run" / "model_3.pt"), export).same


def test_features_are_named_after_the_terms(tmp_path):
    (tmp_path / "params").mkdir()
    terms = "".join(f"      {name}:\n        func: mdp:{name}\n" for name in ("base_lin_vel", "base_ang_vel"))
    (tmp_path / "params" / "env.yaml").write_text(f"observations:\n    policy:\n{terms}")
    path = save(MAIN, tmp_path / "model_3.pt")
    export = script(IsaacLab(*reordered([0, 1, 3, 2, 4, 5])).eval(), tmp_path / "policy.pt")
    found = compare_export(path, export).reasons[0].found
    assert "with base_ang_vel[0] as base_lin_vel[2], base_lin_vel[2] as base_ang_vel[0]" in found


def test_activation_is_found_by_trial_if_no_file_names_it(runs, tmp_path):
    actor = with_activation("tanh")
    module = torch.jit.freeze(torch.jit.script(IsaacLab(actor, NORMALIZER).eval()))
    module.save(str(tmp_path / "policy.pt"))
    comparison = compare_export(runs / "mlp", tmp_path / "policy.pt")
    assert comparison.same
    assert comparison.verdict.startswith(
        "Same actions, provided that the checkpoint was trained with tanh (only the export"
    )
    given = compare_export(runs / "mlp", tmp_path / "policy.pt", activation="elu")
    assert names(given) == ["another activation"]


@pytest.mark.parametrize("fault", ["normalizer left out", "other normalizer", "other checkpoint", "clip"])
def test_fault_of_a_frozen_module_is_found_from_its_actions(fault, runs, tmp_path):
    made, causes, _ = PLANTED[fault]
    torch.jit.freeze(torch.jit.script(made().eval())).save(str(tmp_path / "policy.pt"))
    comparison = compare_export(runs / "mlp", tmp_path / "policy.pt", activation="elu")
    assert names(comparison) == causes
    assert "the export's weights have no names that identify their layers" in comparison.reasons[0].found
    assert "another order of the observations" in comparison.unchecked


def test_given_observations_are_used(compare):
    few = MAIN.obs_normalizer.mean + torch.randn(7, FEATURES)
    comparison = compare(IsaacLab(MAIN, NORMALIZER), observations=few, source="obs.pt")
    assert comparison.about["input"] == "obs.pt"
    assert comparison.verdict.endswith("on 7 observations.")
    with pytest.raises(ValueError, match=r"observations: expected shape \[samples, 6\]"):
        compare(IsaacLab(MAIN, NORMALIZER), observations=torch.zeros(7, FEATURES + 1))


def test_no_scale_is_estimated_from_few_observations(compare):
    module = IsaacLab(MAIN, NORMALIZER, after=Apply(scale=0.5))
    comparison = compare(module, observations=torch.randn(5, FEATURES))
    assert (comparison.same, comparison.reasons) == (False, ())
    assert "needs 32 different observations" in comparison.unchecked["actions scaled or shifted"]


def test_other_checkpoints_in_the_folder_are_candidates(runs, tmp_path):
    export = script(IsaacLab(MAIN, NORMALIZER), tmp_path / "policy.pt")
    comparison = compare_export(runs / "mlp" / "model_0.pt", export)
    assert names(comparison) == ["another checkpoint"]
    assert "model_100.pt reproduces the export's actions" in comparison.reasons[0].found
    assert compare_export(runs / "mlp" / "model_100.pt", export).same


def test_unexplained_difference_has_no_reason(compare):
    comparison = compare(IsaacLab(MAIN, NORMALIZER, before=Apply(low=-2.0, high=2.0)))
    assert (comparison.same, comparison.reasons) == (False, ())
    assert comparison.verdict.startswith(
        "Not the same, although the weights match: the code around the network differs"
    )
    assert comparison.notes[1] == "all 3 actions differ"
    assert "three causes together" in comparison.never_tried
    assert not {"another order of the observations", "observations scaled or shifted"} & set(comparison.ruled_out)
    assert "all 6 tensors of the export's network match model_100.pt" in comparison.notes[0]
    assert "normalizer left out" in comparison.ruled_out
    assert not {"hidden state not carried over", "another checkpoint"} & set(comparison.ruled_out)


def test_nearest_guess_states_how_much_it_explains(compare):
    comparison = compare(IsaacLab(MAIN, before=Apply(low=-4.9, high=5.3)))
    nearest = next(note for note in comparison.notes if note.startswith("nearest guess: "))
    share = re.fullmatch(
        r"nearest guess: model_100.pt without the normalizer explains (\S+) % of the squared difference", nearest
    )
    assert 80 < float(share[1]) <= 100


# Sizes ----------------------------------------------------------------------------------------------------------------


def wider(inputs, columns):
    """Return an actor with more or fewer features; ``columns`` maps some of them to the columns of `MAIN`."""
    actor = copy.deepcopy(MAIN)
    weight = torch.randn(16, inputs, generator=torch.Generator().manual_seed(5))
    for place, column in columns.items():
        weight[:, place] = MAIN.mlp[0].weight[:, column]
    actor.mlp[0] = nn.Linear(inputs, 16)
    actor.mlp[0].weight.data, actor.mlp[0].bias.data = weight, MAIN.mlp[0].bias.data
    return actor


@pytest.mark.parametrize(
    ("inputs", "columns", "says"),
    [
        (8, {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5}, "it is this policy with 2 features more, at 6, 7"),
        (4, {0: 0, 1: 1, 2: 4, 3: 5}, "it is this policy without feature 2, feature 3"),
        (18, {}, "the export takes 18 features, the checkpoint 6: 3 times as many, as with a history of 3 steps"),
        (7, {}, "the export takes 7 features, the checkpoint 6; the export's mlp.0.weight is [16, 7]"),
    ],
)
def test_missing_and_extra_features_are_listed(inputs, columns, says, compare):
    comparison = compare(IsaacLab(wider(inputs, columns)))
    assert names(comparison) == ["another number of observations"]
    assert says in comparison.reasons[0].found


def test_wrong_number_of_actions_is_named(compare):
    class First(nn.Module):
        def forward(self, x):
            return x[:, :2]

    comparison = compare(IsaacLab(MAIN, NORMALIZER, after=First()))
    assert names(comparison) == ["another number of actions"]
    assert f"the export returns 2 actions, the checkpoint {ACTIONS}" in comparison.reasons[0].found


def test_normalizer_that_keeps_learning_is_named(compare):
    class Learning(nn.Module):
        """Like the normalizer of rsl_rl 2, which learns from every call in training mode."""

        def __init__(self):
            super().__init__()
            self.register_buffer("_mean", MEAN.clone())
            self.register_buffer("_std", STD.clone())
            self.eps = 0.01

        def forward(self, x):
            if self.training:
                self._mean += 0.01 * (x - self._mean)
            return (x - self._mean) / (self._std + self.eps)

    module = IsaacLab(MAIN, Learning())
    assert compare(module).same
    module.eval = module.train  # what `compare` calls
    comparison = compare(module)
    assert names(comparison) == ["exported in training mode"]


@pytest.fixture
def partial(tmp_path):
    """Return a checkpoint with another network in front of the actor."""
    path = save(MAIN, tmp_path / "model_3.pt")
    stored = torch.load(path, weights_only=True)
    stored["actor_state_dict"]["estimator.encoder.0.weight"] = torch.zeros(2, 2)
    torch.save(stored, path)
    return path


def test_networks_in_front_of_the_actor_are_named(partial, tmp_path):
    comparison = compare_export(partial, script(IsaacLab(wider(18, {})), tmp_path / "policy.pt"))
    assert names(comparison) == ["another number of observations"]
    says = "Besides the actor, model_3.pt contains estimator, which rsl_edu does not read"
    assert says in comparison.reasons[0].found

    class Cut(nn.Module):
        def forward(self, x):
            return x[:, 12:18].view(1, 6)

    with pytest.raises(ExportError, match=says):
        compare_export(partial, script(IsaacLab(MAIN, NORMALIZER, before=Cut()), tmp_path / "policy.pt"))


@pytest.mark.parametrize(("of", "actor"), [("mlp", MEMORY), ("lstm", MAIN)])
def test_difference_in_recurrence_is_named(of, actor, compare):
    comparison = compare(IsaacLab(actor, actor.obs_normalizer), of)
    assert names(comparison) == ["another kind of network"]
    assert ("the export is recurrent" in comparison.reasons[0].found) is (of == "mlp")


# Files ----------------------------------------------------------------------------------------------------------------


def test_unreadable_file_is_an_error(runs, tmp_path):
    with pytest.raises(ExportError, match=r"^model_0.pt: expected an exported policy"):
        compare_export(runs / "mlp", runs / "mlp" / "model_0.pt")
    export = script(IsaacLab(MAIN), tmp_path / "policy.pt")
    with pytest.raises(CheckpointError, match="an exported policy"):
        compare_export(export, export)


def test_checkpoint_with_nan_is_an_error(tmp_path):
    actor = copy.deepcopy(MAIN)
    actor.mlp[0].weight.data[0, 0] = torch.nan
    export = script(IsaacLab(MAIN, NORMALIZER), tmp_path / "policy.pt")
    with pytest.raises(ValueError, match=r"model_3.pt: its policy returns NaN or infinity; run `rsl-edu xray`"):
        compare_export(save(actor, tmp_path / "model_3.pt"), export)


@pytest.fixture
def no_sandbox(monkeypatch):
    def refuse(*_):
        raise SandboxError("cannot run bwrap: No such file or directory")

    monkeypatch.setattr("rsl_edu.compare.exports.verdict.run_export", refuse)


@pytest.mark.parametrize(
    ("module", "of", "causes"),
    [
        (lambda: IsaacLab(MAIN, NORMALIZER), "mlp", []),
        (lambda: IsaacLab(MAIN), "mlp", ["normalizer left out"]),
        (lambda: IsaacLab(with_activation("relu"), NORMALIZER), "mlp", ["another activation"]),
        (lambda: IsaacLab(MEMORY, MEMORY.obs_normalizer), "lstm", []),
        (
            lambda: filled(IsaacLab(MEMORY, MEMORY.obs_normalizer), 0.3),
            "lstm",
            ["hidden state not reset before the export"],
        ),
        (lambda: IsaacLab(MAIN, NORMALIZER, after=Apply(scale=0.25, tanh=True)), "mlp", []),
    ],
)
def test_without_a_sandbox_the_policy_is_rebuilt_from_its_tensors(module, of, causes, compare, no_sandbox):
    comparison = compare(module(), of)
    assert names(comparison) == causes
    assert comparison.about["export"].endswith("; not run")
    assert comparison.same is None
    alone = "same actions" if not causes else f"not the same: {causes[0]}"
    assert comparison.verdict.startswith(
        f"Cannot tell, because the export's code was not run. Judged by its tensors only: {alone}"
    )
    assert comparison.unchecked["the export's code"] == "needs a sandbox"
    assert comparison.notes[0].startswith(
        "the export's code was not run, because there is no sandbox (cannot run bwrap: No such"
    )
    assert "--unsafe" in comparison.notes[0]


@pytest.mark.parametrize("frozen", [False, True])
def test_advice_does_not_install_a_sandbox_that_the_system_refuses(frozen, runs, tmp_path, monkeypatch):
    def refuse(*_):
        raise SandboxError("bwrap: No permissions to create new namespace", refused=True)

    monkeypatch.setattr("rsl_edu.compare.exports.verdict.run_export", refuse)
    module = torch.jit.script(IsaacLab(MAIN, NORMALIZER).eval())
    (torch.jit.freeze(module) if frozen else module).save(str(tmp_path / "policy.pt"))
    try:
        said = str(compare_export(runs / "mlp", tmp_path / "policy.pt", activation="elu").notes)
    except ExportError as error:
        said = str(error)
    assert "bubblewrap is installed, but the system refuses to run it" in said
    assert "apt-get" not in said


def test_without_a_sandbox_tensors_without_names_are_an_error(runs, tmp_path, no_sandbox):
    torch.jit.freeze(torch.jit.script(IsaacLab(MAIN).eval())).save(str(tmp_path / "policy.pt"))
    with pytest.raises(ExportError, match=r"policy.pt: TorchScript is code, so it runs only in a sandbox \(.*--unsafe"):
        compare_export(runs / "mlp", tmp_path / "policy.pt")


def test_unsafe_and_limits_are_passed_to_the_export(compare, monkeypatch):
    given = {}

    def run(export, observations, images, recurrent, unsafe, limits):
        given.update(unsafe=unsafe, limits=limits)
        return Played(torch.zeros(*observations.shape[:2], ACTIONS), torch.zeros(1, 1, ACTIONS), None, "here")

    monkeypatch.setattr("rsl_edu.compare.exports.verdict.run_export", run)
    compare(IsaacLab(MAIN), unsafe=True, limits="few")
    assert given == {"unsafe": True, "limits": "few"}
    assert run_export is not run


# ONNX -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def onnx(tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    return lambda module, *more: to_onnx(module, tmp_path / "policy.onnx", *more)


@pytest.mark.parametrize("fault", ["normalizer left out", "other checkpoint", "order", "clip", "activation", "eps"])
def test_fault_in_onnx_is_named(fault, onnx, runs):
    module, causes, says = PLANTED[fault]
    comparison = compare_export(runs / "mlp", onnx(module()), activation="elu")
    assert names(comparison) == causes
    assert says in comparison.reasons[0].found


@pytest.mark.parametrize("of", ["mlp", "lstm", "gru"])
def test_correct_onnx_is_the_same(of, onnx, runs):
    actor = {"mlp": MAIN, "lstm": MEMORY, "gru": MEMORY_2}[of]
    if of == "mlp":
        path = onnx(IsaacLab(actor, NORMALIZER))
    else:
        module = OnnxMemory(actor, actor.obs_normalizer)
        path = onnx(module, module.inputs(), module.names())
    comparison = compare_export(runs / of, path)
    assert comparison.same
    fed = any("h_out as h_in" in note for note in comparison.notes)
    assert fed is (of != "mlp")


def test_note_states_that_a_final_clip_in_onnx_had_no_effect(onnx, runs):
    module = IsaacLab(MAIN, NORMALIZER, after=nn.Hardtanh(-100, 100))
    comparison = compare_export(runs / "mlp", onnx(module))
    assert comparison.same
    assert "the export ends with Clip, which changed none of these actions" in comparison.notes
    assert "the export's graph contains Clip(-100, 100), which changed none of these actions" in comparison.notes


def test_other_inputs_and_outputs_are_listed(onnx, runs):
    """whole_body_tracking exports a model that takes a step of a motion and also returns the motion."""

    class Motion(IsaacLab):
        def forward(self, x, step):
            clip = torch.ones(9, 2)[step.long().clamp(0, 8)]
            return self.actor(self.normalizer(x)), clip

    inputs, given = (["obs", "time_step"], ["actions", "joint_pos"]), (torch.zeros(1, FEATURES), torch.zeros(1, 1))
    path = onnx(Motion(MAIN, NORMALIZER), given, inputs)
    package = pytest.importorskip("onnx")
    model = package.load(path)
    package.helper.set_model_props(model, {"run_path": "logs/rsl_rl/walk"})
    package.save(model, path)
    comparison = compare_export(runs / "mlp", path)
    assert comparison.same
    assert "the export's metadata names the run logs/rsl_rl/walk" in comparison.notes
    assert "the export's other inputs (time_step) were set to 0" in comparison.notes
    assert "only the output actions was compared; the export's other outputs: joint_pos" in comparison.notes


def test_paths_may_be_strings(runs, tmp_path):
    export = script(IsaacLab(MAIN, NORMALIZER), tmp_path / "policy.pt")
    assert compare_export(str(runs / "mlp"), str(Path(export))).same
