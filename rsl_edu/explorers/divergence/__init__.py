"""Explorer *divergence*: entropy and KL divergence of Gaussian policies, in closed form and as numeric integrals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rsl_edu.data.learner_input import learner_tensor
from rsl_edu.modules import HeteroscedasticGaussianDistribution
from rsl_edu.number_format import counted, round_up

from ..bench.arithmetic import exponential, rounded
from ..bench.controls import Control
from ..bench.explorer import Explorer
from ..bench.instrument import Draw
from ..bench.question import Question
from . import picture
from .picture import apart, words_of
from .state import MISTAKES, QUANTITIES, RATIOS, DivergenceResult, DivergenceState

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..bench.touch import Grip, Spot

MeanAndStd = tuple[torch.Tensor, torch.Tensor]
"""Mean and std of a Gaussian policy in one state, each ``[actions]``."""

REACHES = (1, 2, 3, 4, 5, 6, 8)
"""Leading digits of the limits of the action axes."""

LEAST_STD, LARGEST = 1e-6, 1e6
"""Minimum std, and maximum of mean and std, in a learner's own policies. The library limits stds equally."""


class Divergence(Explorer[DivergenceState, DivergenceResult]):
    """Log-probability, entropy and KL divergence of two Gaussian policies, in closed form and as numeric integrals.

    The dimensions of an action are independent, so an integral over the action is a sum of integrals over its
    dimensions. With a learner's own policies, the controls for means give an offset that is added to each mean, and
    the controls for stds give a factor that multiplies each std.

    Args:
        old: Mean and std of a policy before an update, in one state, each ``[actions]``; 0 and 1 by default.
        new: Mean and std after the update; required with ``old``.
        state: Initial values of controls, by name; all other controls start at their defaults.

    Raises:
        ValueError: Only one of the policies is given, or a mean or std is invalid.
    """

    State = DivergenceState
    lesson = 5
    shows = "two Gaussians, their entropies and both KLs, in closed form and as integrals"
    breaks = "a reversed KL, variance instead of std, a missing term ½, mean instead of sum"
    size = (9.0, 6.2)
    more = ("curve", "table")
    swept = (
        {"new_std": (0.1, 0.2, 0.5, 1.0, 2.0), "new_mean": (-1.0, -0.5, 0.0, 0.5, 1.0, 1.5)},
        {"new_std": (0.5, 1.0, 2.0), "mistake": ...},
        {"dimensions": (1, 12), "mistake": ...},
        {"new_std": (1.0,), "new_mean": (0.2, 0.6), "dimensions": (1, 9)},
        {"action": (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)},
    )
    question = Control("KL(old‖new)", "KL(old‖new) at this setting.", "nats", range=(0.0, 1000.0, 0.001))
    questions: tuple[Question, ...] = (
        Question(
            "Old: mean 0, std 1. New: mean 0.5, std 0.5. How large is KL(old‖new), in nats?",
            answer="1.3",
            show={"new_mean": 0.5, "new_std": 0.5, "dimensions": 1},
        ),
        Question(
            "The means are equal. Which new std gives the larger KL(old‖new)?",
            ("half the old one", "twice the old one", "neither"),
            "half the old one",
            {"new_mean": 0.0, "new_std": 0.5, "dimensions": 1},
        ),
        Question(
            "With stds of 1 and new mean 0.6, KL is 0.18 nats. If 9 joints have this KL in total, what is the new mean "
            "of each?",
            ("0.6", "0.2", "0.07"),
            "0.2",
            {"new_mean": 0.2, "new_std": 1.0, "dimensions": 9},
        ),
    )

    def __init__(self, old: MeanAndStd | None = None, new: MeanAndStd | None = None, **state: Any) -> None:
        if (old is None) != (new is None):
            raise ValueError(f"{'old' if old is None else 'new'}: expected both policies or neither, got only one")
        if old is None or new is None:
            nothing = (torch.zeros(12, dtype=torch.float64), torch.ones(12, dtype=torch.float64))
            self._policies = (nothing, nothing)
            super().__init__(fixed={"dimension": 0}, **state)
            return
        self.questions = ()  # the questions are about the default policies
        self._policies = (_checked("old", old), _checked("new", new))
        (mean, std), (mean2, std2) = self._policies
        if len(mean) != len(mean2):
            raise ValueError(f"new: expected {len(mean)} actions as in old, got {len(mean2)}")
        reach = round_up(float(torch.cat([mean.abs() + 4 * std, mean2.abs() + 4 * std2]).max()), (1, 2, 4, 8))
        unit = round_up(float(torch.maximum(std, std2).max()), (1, 2, 4, 8))
        last = len(mean) - 1
        ranges = dict.fromkeys(("old_mean", "new_mean"), (-2 * unit, 2 * unit, unit / 10))
        ranges |= {"action": (-reach, reach, reach / 40), "dimensions": (1, last + 1, 1), "dimension": (0, last, 1)}
        defaults = {"new_mean": 0.0, "new_std": 1.0, "action": 0.0, "dimensions": last + 1}
        super().__init__(ranges=ranges, defaults=defaults, **state)

    @torch.inference_mode()
    def compute(self, state: DivergenceState) -> DivergenceResult:
        """Compute all quantities in closed form with the library's Gaussian, and as integrals of its log-densities."""
        shown = state.dimension
        (mean, std), (mean2, std2) = self._policies
        # Beyond these limits, the library's Gaussian would clamp the std. Closed forms and integrals would then differ.
        old = mean + state.old_mean, (std * state.old_std).clamp(LEAST_STD, LARGEST)  # [actions]
        new = mean2 + state.new_mean, (std2 * state.new_std).clamp(LEAST_STD, LARGEST)
        one, two = ((mean[shown : shown + 1], std[shown : shown + 1]) for mean, std in (old, new))

        unit, reach = self._limits(state, one, two)
        near = torch.linspace(-5, 5, 101, dtype=torch.float64)  # more points where a density is narrow
        points = [torch.linspace(-reach, reach, 301, dtype=torch.float64), *(m + s * near for m, s in (one, two))]
        actions = torch.cat(points).sort().values.clamp(-reach, reach)
        logs = torch.stack([_gaussian(policy).log_prob(actions.unsqueeze(1)) for policy in (one, two)])  # [2, points]
        action = torch.tensor([[state.action]], dtype=torch.float64)
        log_prob = [float(_gaussian(policy).log_prob(action)) for policy in (one, two)]

        counted = slice(state.dimensions)
        old, new = ((mean[counted], std[counted]) for mean, std in (old, new))
        ratio = float(two[1] / one[1])
        scales = torch.from_numpy(RATIOS / ratio).unsqueeze(1)  # scale all new stds together
        same = torch.ones_like(scales)
        each = _closed((old[0][:, None], old[1][:, None]), (new[0][:, None], new[1][:, None]), "right")
        kls = _closed((old[0] * same, old[1] * same), (new[0] * same, new[1] * scales), state.mistake)[2:]
        return DivergenceResult(
            state=state,
            old=(float(one[0]), float(one[1])),
            new=(float(two[0]), float(two[1])),
            actions=actions.numpy(),
            densities=logs.exp().numpy(),
            integrands=(logs.exp() * (logs - logs.flip(0))).numpy(),
            log_prob=(log_prob[0], log_prob[1]),
            closed=_closed(old, new, state.mistake).numpy().round(9),  # a KL of 1e-17 is a rounding error
            integral=_integrals(old, new).numpy().round(9),
            ratio=ratio,
            curves=kls.numpy(),
            unit=unit,
            policies=torch.stack([*old, *new]).numpy(),
            each=each.numpy(),
        )

    def _limits(self, state: DivergenceState, old: MeanAndStd, new: MeanAndStd) -> tuple[float, float]:
        """Return the larger of both policies' stds in the shown dimension, without the controls, and the axes' limit.

        The limit has only two possible values, so that most changes of the controls do not change the background. The
        smaller limit fits all stds up to the std that this method returns.
        """
        means, stds = (torch.stack(values)[:, state.dimension] for values in zip(*self._policies, strict=True))
        unit, far = float(stds.max()), float(means.abs().max())
        wide = max(float(mean.abs() + 3 * std) for mean, std in (old, new))
        reach = round_up(far + 5 * unit, REACHES)
        if max(wide, abs(state.action)) > reach * (1 + 1e-9):
            reach = round_up(max(far + 10 * unit, abs(state.action)), REACHES)
        return unit, reach

    def stage(self, figure: Figure) -> dict[str, Any]:
        """Lay out the panels."""
        return picture.stage(figure)

    def draw(self, artists: dict[str, Any], result: DivergenceResult) -> None:
        """Update the curves, the dots and the values in the table."""
        picture.draw(artists, result, self.guess)

    def spots(self, result: DivergenceResult) -> Sequence[Spot]:
        """Return the hover targets: both policies, the action's log-probabilities and the four quantities."""
        return picture.spots(result)

    def grips(self, result: DivergenceResult) -> Sequence[Grip]:
        """Return the handles of both densities and of the action."""
        return picture.grips(dict(self.controls), result)

    def mark(self, result: DivergenceResult, guess: float) -> tuple[Any, Any]:
        """Return the position of the guess in the row of KL(old‖new)."""
        return [guess], [1]

    @classmethod
    def own_data(cls, draw: Draw) -> tuple[Any, ...]:
        """Return the mean and std of two policies, for tests."""
        return (draw(3), draw(3).exp()), (draw(3), draw(3).exp())

    def numbers(self, result: DivergenceResult) -> dict[str, str]:
        """Return the action's log-probabilities and ratio, and each quantity in closed form and as an integral."""
        old, new = result.log_prob
        return {
            "log old(action)": f"{rounded(old)} nats",
            "log new(action)": f"{rounded(new)} nats",
            "new/old(action)": exponential(new - old),
            **dict(zip(QUANTITIES, words_of(result), strict=True)),
        }

    def title(self, result: DivergenceResult) -> str:
        """Compare KL(old‖new) with KL(new‖old), or state the effect of a mistake."""
        if result.state.mistake != "right":
            return _mistaken(result)
        kl, reverse = (rounded(value) for value in result.integral[2:])
        old, new = result.policies[[1, 3]]
        if kl == reverse == "0":
            return "The two policies are the same: both KLs are 0."
        if kl == reverse:
            cause = "With equal stds" if (new == old).all() else "At this setting"
            return f"{cause}, KL is the same both ways: {kl} nats."
        if (new < old).all():
            return f"A narrower new policy: KL(old‖new) is {kl} nats, the reverse only {reverse}."
        if (new > old).all():
            return f"A wider new policy: KL(old‖new) is only {kl} nats, the reverse {reverse}."
        return f"KL is not symmetric: KL(old‖new) is {kl} nats, the reverse {reverse}."

    def describe(self, result: DivergenceResult) -> str:
        """Describe both policies, the action's log-probabilities, and the entropies."""
        state = result.state
        (old, new), (one, other) = result.log_prob, map(rounded, result.integral[:2])
        policies = [f"mean {rounded(mean)} and std {rounded(std)}" for mean, std in (result.old, result.new)]
        shown = f"In dimension {state.dimension}, the" if "dimension" in self.controls else "The"
        ratio = self.numbers(result)["new/old(action)"]
        count = counted(state.dimensions, "dimension")
        return (
            f"{shown} old policy has {policies[0]}, the new one has {policies[1]}. "
            f"At action {rounded(state.action)}, the log-probabilities are {rounded(old)} and {rounded(new)}, "
            f"so the new density is {ratio} times the old one. The entropies over {count} are {one} and {other} nats."
        )


def _mistaken(result: DivergenceResult) -> str:
    """Describe the effect of a mistake on the most relevant of the wrong numbers."""
    mistake = MISTAKES[result.state.mistake]
    if not result.wrong.any():
        return f"✗ {mistake}: no effect at this setting, all four numbers are right."
    worst = max(map(int, np.flatnonzero(result.wrong)), key=[0, 1, 3, 2].__getitem__)
    closed, integral = apart(result, worst)
    return f"✗ {mistake}: {QUANTITIES[worst]} comes out as {closed} nats instead of {integral}."


def _checked(name: str, policy: MeanAndStd) -> MeanAndStd:
    """Return the checked mean and std ``[actions]`` of a policy, in double precision."""
    if not isinstance(policy, (tuple, list)) or len(policy) != 2:
        raise ValueError(f"{name}: expected two tensors (mean, std), got {type(policy).__name__}")
    mean, std = (learner_tensor(name, parameter).to(torch.float64, copy=True) for parameter in policy)
    if mean.dim() != 1 or mean.shape != std.shape or not len(mean):
        shapes = f"{list(mean.shape)} and {list(std.shape)}"
        raise ValueError(f"{name}: expected mean and std of one state, each [actions], got {shapes}")
    for what, values, least in (("mean", mean, -LARGEST), ("std", std, LEAST_STD)):
        bad = values[
            ~((values >= least - 1e-12) & (values <= LARGEST))
        ]  # NaN fails both comparisons; 1e-6 is 9.99999997e-7 in float32
        if len(bad):
            expected = f"finite means and finite stds, means from -1e6 to 1e6 and stds from {LEAST_STD:g} to 1e6"
            raise ValueError(f"{name}: expected {expected}, got a {what} of {float(bad[0]):.6g}")
    return mean, std


def _gaussian(policy: MeanAndStd) -> HeteroscedasticGaussianDistribution:
    """Return the library's Gaussian with an std as input, for this mean and std, both ``[..., actions]``."""
    gaussian = HeteroscedasticGaussianDistribution(policy[0].shape[-1])
    gaussian.update(torch.stack(policy, -2))
    return gaussian


def _closed(old: MeanAndStd, new: MeanAndStd, mistake: str) -> torch.Tensor:
    """Return the QUANTITIES in closed form, ``[4, ...]``, either as the library computes them or with a mistake."""
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
    """Return the QUANTITIES ``[4]``, integrated from the log-densities by the trapezoidal rule."""
    z = torch.linspace(-10, 10, 2001, dtype=torch.float64).unsqueeze(1)  # outside: only 1e-23 of the probability
    values = []
    for before, after in ((old, new), (new, old)):
        p = torch.zeros_like(before[0]), before[1]  # mean 0: next to a large mean, rounding hides a small std
        q = after[0] - before[0], after[1]
        actions = p[0] + p[1] * z  # [points, actions]
        # The integral over all dimensions is the sum of the integrals over each dimension, [actions, 1].
        log_p, log_q = (_gaussian((m[:, None], s[:, None])).log_prob(actions[..., None]) for m, s in (p, q))
        values += [-torch.trapezoid(log_p.exp() * log_p, actions, dim=0).sum()]
        values += [torch.trapezoid(log_p.exp() * (log_p - log_q), actions, dim=0).sum()]
    return torch.stack(values)[[0, 2, 1, 3]]
