"""Explorer *divergence*: entropy and KL of Gaussian policies, closed form against the integral it stands for."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rsl_edu.data.learner_input import learner_tensor
from rsl_edu.modules import HeteroscedasticGaussianDistribution
from rsl_edu.number_format import counted, round_up, short

from .bench.controls import Control, control
from .bench.explorer import Explorer
from .bench.instrument import Draw
from .bench.theme import BLUE, FAINT, GREY, ORANGE, PINK, RED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EVEN = (1, 2, 4, 8)
"""First digits of limits: their halves are round too."""
LEAST_STD, LARGEST = 1e-6, 1e6
"""Least std, and greatest mean and std, of a learner's own policy: those of the library's stds."""
MeanAndStd = tuple[torch.Tensor, torch.Tensor]
"""Mean and std of a Gaussian policy in one state, each ``[actions]``."""

QUANTITIES = ("entropy old", "entropy new", "KL(old‖new)", "KL(new‖old)")
MISTAKES = {
    "right": "right",
    "reversed": "KL reversed",
    "variance": "variance for std",
    "exponentiated": "exp of the std",
    "half": "one half forgotten",
    "mean": "mean over dimensions",
}
STEPS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0)
RATIOS = np.geomspace(1 / 60, 60, 161)
"""Ratios of the stds, new to old, that the asymmetry is drawn over."""
FLOOR, CEILING = 1e-3, 1e5
"""Least and greatest KL that the logarithmic axis shows, in nats; that of two equal policies is zero."""


@dataclasses.dataclass(frozen=True)
class DivergenceState:
    """State of :class:`Divergence`."""

    old_mean: float = control(
        0.0, "old mean", "Mean of the old policy; added to that of your own policy.", range=(-2.0, 2.0, 0.1)
    )
    old_std: float = control(1.0, "old std", "Std of the old policy; multiplies that of your own policy.", steps=STEPS)
    new_mean: float = control(
        0.5, "new mean", "Mean of the new policy; added to that of your own policy.", range=(-2.0, 2.0, 0.1)
    )
    new_std: float = control(0.5, "new std", "Std of the new policy; multiplies that of your own policy.", steps=STEPS)
    action: float = control(
        1.0, "action", "The action whose log-probability both policies are asked for.", range=(-4.0, 4.0, 0.1)
    )
    dimensions: int = control(
        1, "action dimensions", "How many dimensions of the action entropy and KL count.", range=(1, 12, 1)
    )
    mistake: str = control(
        "right",
        "closed form",
        "How entropy and KL are worked out; all but the first are mistakes that people made.",
        choices={words: mistake for mistake, words in MISTAKES.items()},
    )
    dimension: int = control(0, "dimension shown", "Dimension of the action that is drawn.", range=(0, 11, 1))


@dataclasses.dataclass(frozen=True)
class DivergenceResult:
    """What the picture shows; curves are of one dimension, the four quantities count ``state.dimensions`` of them."""

    state: DivergenceState
    old: tuple[float, float]  # mean and std of the dimension shown
    new: tuple[float, float]
    actions: np.ndarray  # [points]
    densities: np.ndarray  # [2, points], old and new
    integrands: np.ndarray  # [2, points], of KL(old‖new) and KL(new‖old), in nats per unit of the action
    log_prob: tuple[float, float]  # of the action, under old and new, in nats
    closed: np.ndarray  # [4], the QUANTITIES in nats
    integral: np.ndarray  # [4]
    ratio: float  # of the stds, new to old
    curves: np.ndarray  # [2, RATIOS], both KLs in closed form, over the ratio of the stds

    @property
    def wrong(self) -> np.ndarray:
        """Which of the closed forms are not what they stand for, ``[4]``."""
        wrong: np.ndarray = np.abs(self.closed - self.integral) > 1e-3 * np.abs(self.integral) + 1e-6
        return wrong


class Divergence(Explorer[DivergenceState, DivergenceResult]):
    """Log-probability, entropy and KL of two Gaussian policies, each closed form beside its numeric integral.

    The dimensions of an action are independent, so that integrals over all of them are sums of integrals over each.
    With a policy of the learner's own, the means are added to its means and the stds multiply its stds.

    Args:
        old: Mean and std of a policy before an update, in one state, each ``[actions]``; None: 0 and 1.
        new: The same after the update; given together with ``old``.
        state: Values of the controls other than the defaults.

    Raises:
        ValueError: Only one of the policies, or means and stds that no Gaussian has.
    """

    State = DivergenceState
    lesson = 5
    shows = "two Gaussians, their entropies and both KLs, closed form beside integral"
    breaks = "KL reversed, variance for std, a forgotten half, mean for sum"
    size = (9.0, 5.8)
    swept = (
        {"new_std": (0.1, 0.2, 0.5, 1.0, 2.0), "new_mean": (-1.0, 0.0, 0.5, 1.0)},
        {"new_std": (0.5, 1.0, 2.0), "mistake": ...},
        {"dimensions": (1, 12), "mistake": ...},
        {"action": (-2.0, -1.0, 0.0, 1.0, 2.0)},
    )
    question = Control("KL(old‖new)", "KL(old‖new) at this setting.", "nats", range=(0.0, 1000.0, 0.001))

    def __init__(self, old: MeanAndStd | None = None, new: MeanAndStd | None = None, **state: Any) -> None:
        if (old is None) != (new is None):
            raise ValueError(f"{'old' if old is None else 'new'}: expected both policies or neither, got None")
        if old is None or new is None:
            nothing = (torch.zeros(12, dtype=torch.float64), torch.ones(12, dtype=torch.float64))
            self._policies = (nothing, nothing)
            super().__init__(fixed={"dimension": 0}, **state)
            return
        self._policies = (_checked("old", old), _checked("new", new))
        (mean, std), (mean2, std2) = self._policies
        if len(mean) != len(mean2):
            raise ValueError(f"new: expected {len(mean)} actions as in old, got {len(mean2)}")
        reach = round_up(float(torch.cat([mean.abs() + 4 * std, mean2.abs() + 4 * std2]).max()), EVEN)
        unit = round_up(float(torch.maximum(std, std2).max()), EVEN)
        last = len(mean) - 1
        ranges = dict.fromkeys(("old_mean", "new_mean"), (-2 * unit, 2 * unit, unit / 10))
        ranges |= {"action": (-reach, reach, reach / 40), "dimensions": (1, last + 1, 1), "dimension": (0, last, 1)}
        defaults = {"new_mean": 0.0, "new_std": 1.0, "action": 0.0, "dimensions": last + 1}
        super().__init__(ranges=ranges, defaults=defaults, **state)

    @torch.inference_mode()
    def compute(self, state: DivergenceState) -> DivergenceResult:
        """Ask the library's Gaussian for all closed forms, and integrate its log-probabilities numerically."""
        shown = state.dimension
        (mean, std), (mean2, std2) = self._policies
        # Beyond these limits the library's Gaussian would clamp the std, and closed forms would differ from integrals.
        old = mean + state.old_mean, (std * state.old_std).clamp(LEAST_STD, LARGEST)  # [actions]
        new = mean2 + state.new_mean, (std2 * state.new_std).clamp(LEAST_STD, LARGEST)
        one, two = ((mean[shown : shown + 1], std[shown : shown + 1]) for mean, std in (old, new))

        half = max(float(mean.abs() + 3 * std) for mean, std in (one, two))
        reach = round_up(max(half, abs(state.action)), EVEN)
        near = torch.linspace(-5, 5, 101, dtype=torch.float64)  # so that a narrow density is drawn as finely as a wide
        points = [torch.linspace(-reach, reach, 301, dtype=torch.float64), *(m + s * near for m, s in (one, two))]
        actions = torch.cat(points).sort().values.clamp(-reach, reach)
        logs = torch.stack([_gaussian(policy).log_prob(actions.unsqueeze(1)) for policy in (one, two)])  # [2, points]
        action = torch.tensor([[state.action]], dtype=torch.float64)
        log_prob = [float(_gaussian(policy).log_prob(action)) for policy in (one, two)]

        counted = slice(state.dimensions)
        old, new = ((mean[counted], std[counted]) for mean, std in (old, new))
        ratio = float(two[1] / one[1])
        scales = torch.from_numpy(RATIOS / ratio).unsqueeze(1)  # all the new stds grow and shrink together
        same = torch.ones_like(scales)
        kls = _closed((old[0] * same, old[1] * same), (new[0] * same, new[1] * scales), state.mistake)[2:]
        return DivergenceResult(
            state=state,
            old=(float(one[0]), float(one[1])),
            new=(float(two[0]), float(two[1])),
            actions=actions.numpy(),
            densities=logs.exp().numpy(),
            integrands=(logs.exp() * (logs - logs.flip(0))).numpy(),
            log_prob=(log_prob[0], log_prob[1]),
            closed=_closed(old, new, state.mistake).numpy().round(9),  # a KL of 1e-17 is zero
            integral=_integrals(old, new).numpy().round(9),
            ratio=ratio,
            curves=kls.numpy(),
        )

    def stage(self, figure: Figure) -> dict[str, Any]:
        """Lay out the densities over the integrands, and the KL over the ratio of the stds over closed and numeric."""
        (top, curve), (area, table) = figure.subplots(2, 2, gridspec_kw={"width_ratios": (1.2, 1)})
        for axes in (top, area):
            axes.set(xticks=(), yticks=())
        top.set(xlabel="action", ylabel="density (1/unit)")
        area.set(xlabel="action", ylabel="nats per unit of action")
        curve.set(xscale="log", yscale="log", xlim=RATIOS[[0, -1]], ylim=(FLOOR, CEILING))
        curve.set(xlabel="std new / std old", ylabel="KL (nats)")
        curve.axvline(1, color=FAINT, linewidth=1, zorder=0)
        table.set(ylim=(-0.35, 3.75), xscale="symlog", xticks=(), xlabel="nats (linear from −1 to 1)")
        table.set_yticks(range(3, -1, -1), QUANTITIES)
        table.tick_params("y", length=0)
        table.spines["left"].set_visible(False)
        table.axvline(0, color=FAINT, linewidth=1, zorder=0)
        _entitle(top, "densities, and the action", "━ old", "━ new")
        _entitle(area, "what a KL integrates", "━ old · log(old/new)", "━ new · log(new/old)")
        _entitle(curve, "KL is not symmetric", *(f"━ {name}" for name in QUANTITIES[2:]))
        _entitle(table, "entropy and KL", "○ closed form", "● integral", PINK, GREY)
        artists: dict[str, Any] = {"top": top, "area": area, "table": table, "dots": []}
        for axes, key in ((top, "densities"), (area, "integrands")):
            axes.axhline(0, color=FAINT, linewidth=1, zorder=0)
            axes.yaxis.set_label_coords(-0.15, 0.5)  # else it would move with the width of the tick labels
            artists[key], artists[f"{key} filled"] = [], []
            for color in (BLUE, ORANGE):
                artists[key] += axes.plot([], [], color=color, linewidth=2)
                artists[f"{key} filled"] += axes.fill([0, 0], [0, 0], color=color, alpha=0.2, linewidth=0)
        (artists["action"],) = top.plot([0, 0], [0, 1], color=GREY, linestyle=":", linewidth=1.5)
        corner = {"transform": top.transAxes, "va": "top", "fontsize": 9}
        artists["words"] = [
            top.text(x, 0.99, "", ha=ha, color=color, **corner)
            for x, ha, color in ((0.01, "left", BLUE), (0.99, "right", ORANGE))
        ]
        artists["curves"] = [curve.plot([], [], color=color, linewidth=2)[0] for color in (BLUE, ORANGE)]
        for axes in (top, curve):
            for color, size in ((BLUE, 9), (ORANGE, 6)):  # of two dots at one place both are seen
                artists["dots"] += axes.plot([], [], "o", color=color, markersize=size)
        (artists["apart"],) = table.plot([], [], color=RED, linewidth=2)
        ring = {"markersize": 10, "markerfacecolor": "none", "markeredgewidth": 1.5}
        (artists["closed"],) = table.plot([], [], "o", color=PINK, label="closed form", **ring)
        (artists["integral"],) = table.plot([], [], "o", color=GREY, markersize=5, label="integral")
        (artists["guess"],) = table.plot([], [], "X", color=ORANGE, markersize=10, label="your guess")
        row = {"transform": table.get_yaxis_transform(), "fontsize": 9, "va": "center"}
        artists["guess word"] = table.text(0, 1.42, "", color=ORANGE, **row)
        artists["values"] = [table.text(1, 3.42 - i, "", ha="right", **row) for i in range(4)]
        return artists

    def draw(self, artists: dict[str, Any], result: DivergenceResult) -> None:
        """Move curves, dots and values; the limits only in coarse steps."""
        state, reach = result.state, float(result.actions[-1])
        high = round_up(float(result.densities.max()), EVEN)
        steep = round_up(max(float(result.integrands.max()), -2 * float(result.integrands.min()), 0.05), EVEN)
        x = (-reach, -reach / 2, 0, reach / 2, reach)
        _frame(artists["top"], x, (0, high / 2, high), ylim=(0, 1.25 * high))
        _frame(artists["area"], x, (-steep / 2, 0, steep / 2, steep))
        for key, values in (("densities", result.densities), ("integrands", result.integrands)):
            for line, filled, y in zip(artists[key], artists[f"{key} filled"], values, strict=True):
                line.set_data(result.actions, y)
                ends = np.concatenate([[result.actions[0]], result.actions, [reach]])
                filled.set_xy(np.column_stack([ends, np.concatenate([[0], y, [0]])]))
        artists["action"].set_data([state.action] * 2, [0, max(map(math.exp, result.log_prob))])
        old, new, *now = artists["dots"]
        for dot, word, log_prob, name in zip(
            (old, new), artists["words"], result.log_prob, ("old", "new"), strict=True
        ):
            dot.set_data([state.action], [math.exp(log_prob)])
            word.set_text(f"log {name}(action) = {short(log_prob)}")
        for line, dot, kl, value in zip(artists["curves"], now, result.curves, result.integral[2:], strict=True):
            line.set_data(RATIOS, np.maximum(kl, FLOOR))
            dot.set_data([np.clip(result.ratio, RATIOS[0], RATIOS[-1])], [np.clip(value, FLOOR, CEILING)])
        self._table(artists, result)

    def _table(self, artists: dict[str, Any], result: DivergenceResult) -> None:
        """Move the rows of the quantities: closed form, integral, and what lies between them."""
        rows = np.arange(3, -1, -1)
        guess = [] if self.guess is None else [self.guess]
        both = np.concatenate([result.closed, result.integral, guess])
        low, high = (math.ceil(math.log10(max(8.0, 1.2 * most))) for most in (-both.min(), both.max()))
        inner = (-1, 0, 1, 10) if low + high < 5 else (0, 10.0 ** (high // 2), 10.0 ** (high - 1))
        _frame(artists["table"], (-(10.0**low), *inner), xlim=(-(10.0**low), 10.0**high))
        artists["closed"].set_data(result.closed, rows)
        artists["integral"].set_data(result.integral, rows)
        artists["guess word"].set_text(f"your guess: {short(guess[0])}" if guess else "")
        ends = np.stack([result.closed, result.integral, np.full(4, np.nan)], 1)[result.wrong]
        artists["apart"].set_data(ends.ravel(), np.repeat(rows[result.wrong], 3))
        for text, words in zip(artists["values"], _words(result), strict=True):
            text.set_text(words)

    def mark(self, result: DivergenceResult, guess: float) -> tuple[Any, Any]:
        """Mark the guess in the row of KL(old‖new)."""
        return [guess], [1]

    @classmethod
    def own_data(cls, draw: Draw) -> tuple[Any, ...]:
        """Return mean and std of two policies."""
        return (draw(3), draw(3).exp()), (draw(3), draw(3).exp())

    def numbers(self, result: DivergenceResult) -> dict[str, str]:
        """Return the log-probabilities of the action, their ratio, and each closed form beside its integral."""
        old, new = result.log_prob
        return {
            "log old(action)": f"{short(old)} nats",
            "log new(action)": f"{short(new)} nats",
            "new/old(action)": short(math.exp(new - old)) if abs(new - old) < 9 else f"e^({short(new - old)})",
            **dict(zip(QUANTITIES, _words(result), strict=True)),
        }

    def describe(self, result: DivergenceResult) -> str:
        """Name both KLs, and what a mistake makes of them."""
        state, (_, _, kl, reverse) = result.state, result.integral
        old, new = (f"mean {short(mean)}, std {short(std)}" for mean, std in (result.old, result.new))
        shown = f"dimension {state.dimension}: " if "dimension" in self.controls else ""
        count = counted(state.dimensions, "dimension")
        ratio = self.numbers(result)["new/old(action)"]
        text = (
            f"{shown}Old has {old}; new has {new}; new/old of action {short(state.action)} is {ratio}. "
            f"Over {count} KL(old‖new) is {short(kl)} nats, KL(new‖old) {short(reverse)}"
        )
        text = text[0].upper() + text[1:]
        if state.mistake == "right":
            return f"{text}: closed forms equal integrals."
        said = f"; ✗ {MISTAKES[state.mistake]}"
        if not result.wrong.any():
            return f"{text}{said} does not show here."
        worst = max(map(int, np.flatnonzero(result.wrong)), key=[0, 1, 3, 2].__getitem__)
        return f"{text}{said}: {QUANTITIES[worst]} comes out as {_apart(result, worst)[0]}."


def _apart(result: DivergenceResult, row: int) -> tuple[str, str]:
    """Return closed form and integral, rounded no further than that two different numbers look different."""
    closed, integral = float(result.closed[row]), float(result.integral[row])
    if result.wrong[row] and short(closed) == short(integral):
        return f"{closed:.4g}", f"{integral:.4g}"
    return short(closed), short(integral)


def _words(result: DivergenceResult) -> list[str]:
    """Return what to say of each of the QUANTITIES."""
    pairs = [_apart(result, row) for row in range(4)]
    wrong = zip(pairs, result.wrong, strict=True)
    return [f"✗ {closed} nats, not {integral}" if bad else f"{integral} nats" for (closed, integral), bad in wrong]


def _frame(axes: Any, x: tuple[float, ...], y: tuple[float, ...] = (), **limits: tuple[float, float]) -> None:
    """Put the ticks there, and the limits at the outer ones; where they are already, do nothing: new ticks are slow."""
    for axis, ticks, name in ((axes.xaxis, x, "xlim"), (axes.yaxis, y, "ylim")):
        if ticks and tuple(axis.get_major_locator().locs) != ticks:
            axis.set_ticks(ticks, [f"{t:,.10g}" if 1e-3 <= abs(t) < 1e4 or t == 0 else f"{t:.0e}" for t in ticks])
            axis.set_view_interval(*limits.get(name, (ticks[0], ticks[-1])), ignore=True)


def _entitle(axes: Any, title: str, first: str, second: str, color: str = BLUE, other: str = ORANGE) -> None:
    """Put a title and below it, in their colours, what two curves are: a legend that need not be drawn each time."""
    axes.set_title(title, y=1.1)
    for name, slot, x, shade in ((first, "center", 0, color), (second, "right", 0.45, other)):
        axes.set_title(name, loc=slot, x=x, y=1.01, ha="left", color=shade, fontsize=9)


def _checked(name: str, policy: MeanAndStd) -> MeanAndStd:
    """Return mean and std ``[actions]`` of a policy in double precision."""
    if not isinstance(policy, (tuple, list)) or len(policy) != 2:
        raise ValueError(f"{name}: expected two tensors (mean, std), got {type(policy).__name__}")
    mean, std = (learner_tensor(name, parameter).to(torch.float64, copy=True) for parameter in policy)
    if mean.dim() != 1 or mean.shape != std.shape or not len(mean):
        shapes = f"{list(mean.shape)} and {list(std.shape)}"
        raise ValueError(f"{name}: expected mean and std of one state, each [actions], got {shapes}")
    for what, values, least in (("mean", mean, -LARGEST), ("std", std, LEAST_STD)):
        bad = values[~((values >= least - 1e-12) & (values <= LARGEST))]  # NaN is neither; float32 has 9.99999997e-7
        if len(bad):
            expected = f"finite means and finite stds, means from -1e6 to 1e6 and stds from {LEAST_STD:g} to 1e6"
            raise ValueError(f"{name}: expected {expected}, got a {what} of {float(bad[0]):.6g}")
    return mean, std


def _gaussian(policy: MeanAndStd) -> HeteroscedasticGaussianDistribution:
    """Return the library's Gaussian of mean and std ``[..., actions]``: the kind whose std is no parameter."""
    gaussian = HeteroscedasticGaussianDistribution(policy[0].shape[-1])
    gaussian.update(torch.stack(policy, -2))
    return gaussian


def _closed(old: MeanAndStd, new: MeanAndStd, mistake: str) -> torch.Tensor:
    """Return the QUANTITIES in closed form ``[4, ...]``, as the library gives them or with a mistake."""
    if mistake == "variance":
        old, new = (old[0], old[1].square()), (new[0], new[1].square())
    if mistake == "exponentiated":
        old, new = (old[0], old[1].exp()), (new[0], new[1].exp())
    one, two = _gaussian(old), _gaussian(new)
    kls = one.kl_divergence(one.params, two.params), one.kl_divergence(two.params, one.params)
    if mistake == "reversed":
        kls = kls[::-1]
    if mistake == "half":
        half = one.output_dim / 2
        return torch.stack([one.entropy - half, two.entropy - half, kls[0] + half, kls[1] + half])
    values = torch.stack([one.entropy, two.entropy, *kls])
    return values / one.output_dim if mistake == "mean" else values


def _integrals(old: MeanAndStd, new: MeanAndStd) -> torch.Tensor:
    """Return the QUANTITIES ``[4]`` from the log-densities alone, by the trapezoidal rule."""
    z = torch.linspace(-10, 10, 2001, dtype=torch.float64).unsqueeze(1)  # beyond it a Gaussian has 1e-23 of its mass
    values = []
    for p, q in ((old, new), (new, old)):
        p, q = (
            (torch.zeros_like(p[0]), p[1]),
            (q[0] - p[0], q[1]),
        )  # around p: next to its mean a narrow std is rounding
        actions = p[0] + p[1] * z  # [points, actions]
        # each dimension is a Gaussian of its own, [actions, 1]: the integral over all is the sum of theirs
        log_p, log_q = (_gaussian((m[:, None], s[:, None])).log_prob(actions[..., None]) for m, s in (p, q))
        values += [-torch.trapezoid(log_p.exp() * log_p, actions, dim=0).sum()]
        values += [torch.trapezoid(log_p.exp() * (log_p - log_q), actions, dim=0).sum()]
    return torch.stack(values)[[0, 2, 1, 3]]
