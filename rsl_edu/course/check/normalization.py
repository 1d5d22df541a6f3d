"""Lesson 4's exercises: merge the moments of two groups, keep running statistics, find the scale of rewards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from .exercise import Answer, Case, Exercise, Mistake
from .verdict import text

_t = torch.tensor

# Exercise 1 -----------------------------------------------------------------------------------------------------------


def merge_moments(
    count_a: int, mean_a: torch.Tensor, var_a: torch.Tensor, count_b: int, mean_b: torch.Tensor, var_b: torch.Tensor
) -> tuple[int, torch.Tensor, torch.Tensor]:
    """Merge the statistics of two groups of samples, as if they had been one group (Chan et al., 1979).

    A group is its count (``count_a`` may be 0, ``count_b`` is at least 1), its mean [features] and its population
    variance (divided by n, not n−1) [features]. Returns the count, mean and population variance of both together.
    """
    count = count_a + count_b
    delta = mean_b - mean_a  # [features]
    mean = mean_a + delta * count_b / count
    within = (count_a * var_a + count_b * var_b) / count  # how much each group varies
    between = delta**2 * count_a * count_b / count**2  # how far apart the groups are
    return count, mean, within + between


class _Groups:
    """The quantities of the merge, under short names, for writing its mistakes in a line each."""

    def __init__(
        self, na: int, ma: torch.Tensor, va: torch.Tensor, nb: int, mb: torch.Tensor, vb: torch.Tensor
    ) -> None:
        self.na, self.ma, self.va, self.nb, self.mb, self.vb = na, ma, va, nb, mb, vb
        self.n, self.delta = na + nb, mb - ma
        _, self.mean, self.var = merge_moments(na, ma, va, nb, mb, vb)
        self.within = (na * va + nb * vb) / self.n


Part = Callable[[_Groups], Any]


def _merge(count: Part = lambda g: g.n, mean: Part = lambda g: g.mean, var: Part = lambda g: g.var) -> Answer:
    def answer(*inputs: Any) -> tuple[Any, Any, Any]:
        groups = _Groups(*inputs)
        return count(groups), mean(groups), var(groups)

    return answer


def _draw_groups(generator: torch.Generator) -> Case:
    count_a, count_b, far = (int(torch.randint(low, 20, (), generator=generator)) for low in (0, 1, 0))
    mean_a, mean_b = 3 * torch.randn(2, 3, generator=generator) + (1e4 if far < 5 else 0)
    var_a, var_b = 4 * torch.rand(2, 3, generator=generator) + 0.1
    atol = 2e-2 if far < 5 else 1e-5  # float32 rounds a mean of 1e4 to thousandths
    return Case("random groups", (count_a, mean_a, var_a, count_b, mean_b, var_b), rtol=1e-3, atol=atol)


MERGE_MOMENTS = Exercise(
    name="merge_moments",
    reference=merge_moments,
    outputs=("count", "mean", "var"),
    cases=(
        Case("two groups of one sample each", (1, _t([0.0]), _t([0.0]), 1, _t([2.0]), _t([0.0]))),
        Case("groups of different size", (1, _t([0.0]), _t([0.0]), 3, _t([4.0]), _t([4.0]))),
        Case("two features", (2, _t([1.0, 4.0]), _t([4.0, 1.0]), 8, _t([6.0, -1.0]), _t([9.0, 0.0]))),
        Case("an empty first group, as at the very first update", (0, _t([0.0]), _t([1.0]), 2, _t([3.0]), _t([4.0]))),
        Case("float32 means far from zero", (2, _t([4096.0]), _t([1.0]), 2, _t([4096.0]), _t([1.0]))),
    ),
    mistakes=(
        Mistake(
            "count-not-summed",
            "your count is that of one group only.",
            "The merged group holds the samples of both: count_a + count_b.",
            (_merge(count=lambda g: g.nb), _merge(count=lambda g: g.na)),
        ),
        Mistake(
            "unweighted-mean",
            "your mean is the mean of the two means, as if the groups had the same size.",
            "A group of 3 samples pulls three times as hard as a single sample: weigh by the counts.",
            (_merge(mean=lambda g: (g.ma + g.mb) / 2),),
        ),
        Mistake(
            "weights-swapped",
            "each of your means carries the weight of the other group.",
            "On the way from mean_a to mean_b, go the share that group b has: count_b / count.",
            (_merge(mean=lambda g: (g.nb * g.ma + g.na * g.mb) / g.n),),
        ),
        Mistake(
            "delta-sign",
            "your mean moves away from mean_b: the difference has the wrong sign.",
            "With delta = mean_b - mean_a, the new mean is mean_a plus its share of delta.",
            (_merge(mean=lambda g: g.ma - g.delta * g.nb / g.n),),
        ),
        Mistake(
            "single-sample-step",
            "your mean moves by delta / count, which is the step for one new sample.",
            "Group b brings count_b samples at once: the step is delta * count_b / count.",
            (_merge(mean=lambda g: g.ma + g.delta / g.n),),
        ),
        Mistake(
            "overwrites",
            "you return group b alone: what group a knew is lost.",
            "Both groups count; the last batch is one of many.",
            (_merge(mean=lambda g: g.mb),),
        ),
        Mistake(
            "no-shift",
            "your variance leaves out the distance between the two means.",
            "Two groups that do not vary inside still differ from each other: add delta² · count_a · count_b / count².",
            (_merge(var=lambda g: g.within), _merge(var=lambda g: (g.va + g.vb) / 2)),
        ),
        Mistake(
            "unbiased-variance",
            "your variance is the unbiased one (n−1).",
            "The running update needs the population variance (n): the inputs have it, and so must the output.",
            (
                _merge(var=lambda g: g.var * g.n / (g.n - 1)),
                _merge(
                    var=lambda g: ((g.na - 1) * g.va + (g.nb - 1) * g.vb + g.delta**2 * g.na * g.nb / g.n) / (g.n - 1)
                ),
            ),
        ),
        Mistake(
            "unweighted-variance",
            "your variance takes the plain mean of the two variances, as if the groups had the same size.",
            "Weigh them by the counts, (count_a · var_a + count_b · var_b) / count, then add the shift of the means.",
            (_merge(var=lambda g: (g.va + g.vb) / 2 + g.var - g.within),),
        ),
        Mistake(
            "variance-weights-swapped",
            "each of your variances carries the weight of the other group.",
            "var_a belongs to count_a: (count_a · var_a + count_b · var_b) / count, then add the shift of the means.",
            (_merge(var=lambda g: (g.nb * g.va + g.na * g.vb) / g.n + g.var - g.within),),
        ),
        Mistake(
            "shift-not-squared",
            "your variance adds the distance of the means without squaring it.",
            "A variance has the unit of x²; so has delta².",
            (_merge(var=lambda g: g.within + g.delta * g.na * g.nb / g.n**2),),
        ),
        Mistake(
            "shift-weight",
            "your variance adds delta² with the wrong weight.",
            "The weight is count_a · count_b / count²: symmetric, and at most a quarter.",
            (
                _merge(var=lambda g: g.within + g.delta**2 * g.na * g.nb / g.n),
                _merge(var=lambda g: g.within + g.delta**2 * g.nb / g.n),
                _merge(var=lambda g: g.within + g.delta**2 * g.na / g.n),
                _merge(var=lambda g: g.within + g.delta**2),
                _merge(var=lambda g: g.within + g.delta**2 * g.nb * g.na**2 / g.n**3),
                _merge(var=lambda g: g.within + g.delta**2 / 4),
            ),
        ),
        Mistake(
            "sum-of-squares",
            "your variance is right near zero but lost in rounding far from it: it looks like E[x²] − E[x]².",
            "float32 keeps 7 digits: 4096² + 1 is 4096². Subtract the means first, then square.",
            (_merge(var=lambda g: (g.na * (g.va + g.ma**2) + g.nb * (g.vb + g.mb**2)) / g.n - g.mean**2),),
        ),
        Mistake(
            "returns-std",
            "you return the standard deviation in the place of the variance.",
            "Leave out the root: variances can be merged, standard deviations cannot.",
            (_merge(var=lambda g: g.var.sqrt()),),
        ),
        Mistake(
            "merges-stds",
            "you merge standard deviations as if they were variances.",
            "var_a and var_b are variances already: neither root nor square is needed.",
            (
                _merge(var=lambda g: (g.na * g.va.sqrt() + g.nb * g.vb.sqrt()) / g.n + g.var - g.within),
                _merge(var=lambda g: ((g.na * g.va.sqrt() + g.nb * g.vb.sqrt()) / g.n) ** 2 + g.var - g.within),
                _merge(var=lambda g: (g.na * g.va**2 + g.nb * g.vb**2) / g.n + g.var - g.within),
            ),
        ),
        Mistake(
            "returns-sum",
            "you return the sum of squared distances: the division by the count is missing.",
            "The variance is the mean squared distance: divide the sum by count_a + count_b.",
            (_merge(var=lambda g: g.var * g.n),),
        ),
    ),
    hints=(
        "Imagine all samples of both groups in one list. What is its mean? Which two things make its samples differ?",
        "The mean lies between `mean_a` and `mean_b`, closer to the larger group. The variance is the weighted mean of "
        "the two variances, plus a term for the distance between the two means.",
        "`delta = mean_b - mean_a`; `mean = mean_a + delta * count_b / count`; the term to add to the weighted mean of "
        "the variances is `delta**2 * count_a * count_b / count**2`.",
    ),
    draw=_draw_groups,
)

# Exercise 2 -----------------------------------------------------------------------------------------------------------


class RunningNorm:
    """Normalize by the mean and standard deviation of all samples so far.

    Args:
        features: Size of a sample.
        eps: Added to the standard deviation, so that a feature that never varies does not blow up.
    """

    def __init__(self, features: int, eps: float = 1e-2) -> None:
        self.count, self.mean, self.var = 0, torch.zeros(features), torch.ones(features)
        self.eps = eps

    def update(self, x: torch.Tensor) -> None:
        """Learn from a batch ``x [batch, features]`` of at least one sample; the batches may differ in size."""
        var, mean = torch.var_mean(x, dim=0, correction=0)  # [features] each; correction=0: divide by n
        self.count, self.mean, self.var = merge_moments(self.count, self.mean, self.var, len(x), mean, var)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Normalize ``x [batch, features]``: (x − mean) / (std + eps), without learning from it."""
        return (x - self.mean) / (self.var.sqrt() + self.eps)


def _use_norm(answer: Answer, eps: float | None, batches: list[torch.Tensor], x: torch.Tensor) -> tuple[Any, Any]:
    norm = answer(x.shape[-1]) if eps is None else answer(x.shape[-1], eps=eps)
    for batch in batches:
        norm.update(batch)
    normalize = norm if callable(norm) else norm.forward
    return normalize(x), normalize(x)


def _show_norm(eps: float | None, batches: list[torch.Tensor], x: torch.Tensor) -> str:
    arguments = f"{x.shape[-1]}" if eps is None else f"{x.shape[-1]}, eps={eps:g}"
    updates = "".join(f"norm.update({text(batch)}); " for batch in batches)
    return f"norm = RunningNorm({arguments}); {updates}norm({text(x)})"


def _moments(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return x.mean(0), x.var(0, correction=0)


def _unbiased(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return x.mean(0), x.var(0, correction=1)


def _normalize(norm: RunningNorm, x: torch.Tensor) -> torch.Tensor:
    return RunningNorm.__call__(norm, x)


def _learn_then_normalize(norm: RunningNorm, x: torch.Tensor) -> torch.Tensor:
    norm.update(x)
    return _normalize(norm, x)


def _normalize_then_learn(norm: RunningNorm, x: torch.Tensor) -> torch.Tensor:
    y = _normalize(norm, x)
    norm.update(x)
    return y


def _norm(
    moments: Callable[[torch.Tensor], Any] = _moments,
    weight: Callable[[torch.Tensor], int] = len,
    merge: Answer = merge_moments,
    normalize: Callable[[Any, torch.Tensor], Any] = _normalize,
    first_count: int = 0,
    first_var: float = 1.0,
    default_eps: float = 1e-2,
) -> type:
    """A normaliser with some part done wrong."""

    class WrongNorm(RunningNorm):
        def __init__(self, features: int, eps: float = default_eps) -> None:
            super().__init__(features, eps)
            self.count, self.var = first_count, first_var * self.var

        def update(self, x: torch.Tensor) -> None:
            self.count, self.mean, self.var = merge(self.count, self.mean, self.var, weight(x), *moments(x))

        def __call__(self, x: torch.Tensor) -> torch.Tensor:
            y: torch.Tensor = normalize(self, x)
            return y

    return WrongNorm


def _moving_averages() -> tuple[type, ...]:
    def towards(rate: float) -> Answer:
        return _merge(mean=lambda g: g.ma + rate * g.delta, var=lambda g: g.va + rate * (g.vb - g.va))

    def after_first(rate: float) -> Answer:
        return lambda *inputs: (towards(rate) if inputs[0] else merge_moments)(*inputs)

    rates = (0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999)
    return (
        *(_norm(merge=after_first(rate)) for rate in rates),
        *(_norm(merge=towards(rate), first_var=var) for rate in rates for var in (1.0, 0.0)),
        *(_norm(_unbiased, merge=towards(rate), first_var=var) for rate in rates for var in (1.0, 0.0)),
    )


def _fixed_eps(eps: float) -> type:
    return _norm(normalize=lambda s, x: (x - s.mean) / (s.var.sqrt() + eps))


def _draw_stream(generator: torch.Generator) -> Case:
    sizes = torch.randint(1, 6, (4,), generator=generator).tolist()
    x, *batches = (torch.randn(size, 3, generator=generator) * _t([1.0, 5.0, 0.2]) + 2 for size in sizes)
    return Case("a random stream", (0.1, batches, x), rtol=1e-3)


RUNNING_NORM = Exercise(
    name="running_norm",
    reference=RunningNorm,
    outputs=("norm(x)", "norm(x) once more"),
    cases=(
        Case("one batch", (1.0, [_t([[0.0], [4.0]])], _t([[8.0]]))),
        Case("two batches, the second of one sample", (1.0, [_t([[0.0]] * 4), _t([[5.0]])], _t([[4.0]]))),
        Case(
            "three batches of two features",
            (
                0.5,
                [_t([[1.0, 9.0], [3.0, 5.0]]), _t([[2.0, -4.0]]), _t([[8.0, 1.0], [0.0, 3.0], [4.0, -2.0]])],
                _t([[1.0, 1.0], [5.0, -3.0]]),
            ),
        ),
        Case("a feature that never varies", (0.5, [_t([[3.0], [3.0]])], _t([[3.0], [4.0]]))),
        Case("float32 values far from zero", (1.0, [_t([[4096.0], [4098.0]])], _t([[4101.0]]))),
        Case("the default eps of 0.01", (None, [_t([[3.0], [3.0]])], _t([[4.0]]))),
    ),
    mistakes=(
        Mistake(
            "unbiased-variance",
            "your batch variance is the unbiased one (n−1), torch's default.",
            "The merge needs the population variance: var(dim=0, correction=0). And n−1 makes a batch of one NaN.",
            (_norm(_unbiased), _norm(_unbiased, merge=_merge(var=lambda g: g.within))),
        ),
        Mistake(
            "eps-inside-root",
            "your eps is inside the root: sqrt(var + eps).",
            "Inside, eps = 0.01 acts like a std of 0.1. Add it beside the std: sqrt(var) + eps.",
            (_norm(normalize=lambda s, x: (x - s.mean) / (s.var + s.eps).sqrt()),),
        ),
        Mistake(
            "eps-forgotten",
            "you divide by the std alone: eps is missing.",
            "A feature that never varies has std 0; without eps it becomes NaN or infinite. Divide by std + eps.",
            (_norm(normalize=lambda s, x: (x - s.mean) / s.var.sqrt()),),
        ),
        Mistake(
            "eps-as-floor",
            "your eps is a lower bound of the std; the exercise adds it.",
            "Divide by std + eps, as rsl_rl does.",
            (
                _norm(normalize=lambda s, x: (x - s.mean) / s.var.sqrt().clamp(min=s.eps)),
                _norm(normalize=lambda s, x: (x - s.mean) / s.var.clamp(min=s.eps).sqrt()),
                _norm(normalize=lambda s, x: (x - s.mean) / torch.where(s.var > 0, s.var.sqrt(), s.eps)),
            ),
        ),
        Mistake(
            "eps-ignored",
            "your eps is a fixed number: the argument eps is not used.",
            "Keep it in __init__, as self.eps, and divide by std + self.eps.",
            tuple(map(_fixed_eps, (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8))),
        ),
        Mistake(
            "eps-default",
            "your default eps is not 0.01.",
            "A tiny eps turns the smallest noise of a constant feature into a large observation.",
            tuple(_norm(default_eps=eps) for eps in (1.0, 0.1, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8)),
        ),
        Mistake(
            "divides-by-variance",
            "you divide by the variance, not by its root.",
            "The std has the unit of x; the variance has that of x². Divide by sqrt(var) + eps.",
            (
                _norm(normalize=lambda s, x: (x - s.mean) / (s.var + s.eps)),
                _norm(normalize=lambda s, x: (x - s.mean) / s.var),
            ),
        ),
        Mistake(
            "mean-kept",
            "you divide by the scale but do not subtract the mean.",
            "Normalized observations are centred: (x - mean) / (std + eps).",
            (_norm(normalize=lambda s, x: x / (s.var.sqrt() + s.eps)),),
        ),
        Mistake(
            "forward-learns",
            "calling the normaliser changes its statistics.",
            "Only update learns. Otherwise playing a policy, or a second pass over a batch, changes what it sees.",
            (_norm(normalize=_learn_then_normalize), _norm(normalize=_normalize_then_learn)),
        ),
        Mistake(
            "normalizes-by-batch",
            "you normalize x by its own mean and std.",
            "That is batch normalization: what a robot sees would depend on its neighbours. Use what update has seen.",
            (
                _norm(normalize=lambda s, x: (x - x.mean(0)) / (x.std(0, correction=0) + s.eps)),
                _norm(normalize=lambda s, x: (x - x.mean(0)) / (x.std(0, correction=1) + s.eps)),
            ),
        ),
        Mistake(
            "overwrites",
            "update keeps only the last batch.",
            "Statistics of a stream come from all samples so far: merge the batch into them (merge_moments).",
            (_norm(merge=_merge(mean=lambda g: g.mb, var=lambda g: g.vb)),),
        ),
        Mistake(
            "never-learns",
            "update does not change what the normaliser returns.",
            "It has to store the merged count, mean and variance in self.",
            (_norm(merge=_merge(mean=lambda g: g.ma, var=lambda g: g.va)),),
        ),
        Mistake(
            "no-shift",
            "your update leaves out the distance between the batch's mean and the running mean.",
            "Batches that do not vary inside still differ from each other; merge_moments has the term.",
            (_norm(merge=_merge(var=lambda g: g.within)),),
        ),
        Mistake(
            "shift-weight",
            "your update adds delta² with the wrong weight.",
            "It is count_a · count_b / count²; in r · delta · (mean_batch − mean_new), the second mean is the new one.",
            (
                _norm(merge=_merge(var=lambda g: g.within + g.delta**2 * g.nb / g.n)),
                _norm(merge=_merge(var=lambda g: g.within + g.delta**2 * g.na * g.nb / g.n)),
                _norm(merge=_merge(var=lambda g: g.within + g.delta**2)),
            ),
        ),
        Mistake(
            "sum-of-squares",
            "your std is right near zero but lost in rounding far from it: it looks like E[x²] − E[x]².",
            "float32 keeps 7 digits, and the squares use them up. Merge variances: they are small where x is large.",
            (_norm(lambda x: (x.mean(0), x.square().mean(0) - x.mean(0) ** 2)),),
        ),
        Mistake(
            "counts-batches",
            "every batch weighs the same, however many samples it has.",
            "Count samples, not calls: the count grows by len(x).",
            (_norm(weight=lambda x: 1),),
        ),
        Mistake(
            "moving-average",
            "your statistics are a moving average with a fixed rate: they forget.",
            "Weigh by counts: the rate of a batch is n / (count + n), so that every sample weighs the same.",
            _moving_averages(),
        ),
        Mistake(
            "phantom-sample",
            "your count starts at 1: the mean 0 and variance 1 of the start count as a sample.",
            "Nothing has been seen before the first update: start with count = 0.",
            (_norm(first_count=1), _norm(first_count=1, first_var=0.0)),
        ),
        Mistake(
            "mixes-features",
            "all features share one mean and one std.",
            "Each feature has its own scale: take the moments over the batch only, dim=0.",
            (_norm(lambda x: (x.mean(), x.var(correction=0))),),
        ),
        Mistake(
            "wrong-dimension",
            "your moments run over the features of each sample, not over the samples.",
            "x is [batch, features]; the moments of each feature are over dim=0.",
            (_norm(lambda x: (x.mean(1), x.var(1, correction=0))),),
        ),
        Mistake(
            "averages-stds",
            "you merge standard deviations.",
            "Only variances can be merged: keep the variance, and take the root when you normalize.",
            (
                _norm(merge=_merge(var=lambda g: ((g.na * g.va.sqrt() + g.nb * g.vb.sqrt()) / g.n) ** 2)),
                _norm(
                    merge=_merge(
                        var=lambda g: ((g.na * g.va.sqrt() + g.nb * g.vb.sqrt()) / g.n) ** 2 + g.var - g.within
                    )
                ),
            ),
        ),
    ),
    hints=(
        "What has to be kept between two updates, so that no sample needs to be kept?",
        "Keep count, mean and var in `self`. `update` computes the moments of the batch and merges them by "
        "`merge_moments`. Calling only reads them.",
        "`var, mean = torch.var_mean(x, dim=0, correction=0)`, merged with `len(x)` samples; then "
        "`(x - self.mean) / (self.var.sqrt() + self.eps)`.",
    ),
    draw=_draw_stream,
    use=_use_norm,
    show=_show_norm,
)

# Exercise 3 -----------------------------------------------------------------------------------------------------------


def discounted_return_scale(rewards: torch.Tensor, dones: torch.Tensor, gamma: float) -> torch.Tensor:
    """Standard deviation of the discounted sums of rewards: the number that rewards are divided by.

    R_t = gamma * R_{t-1} * (1 - done_{t-1}) + r_t, from R_{-1} = 0, for each environment.

    Args:
        rewards: Rewards r [time, envs].
        dones: 1.0 where this step was the last of an episode, else 0.0 [time, envs].
        gamma: Discount factor, from 0 to 1.

    Returns:
        Population standard deviation of R over time and environments: one number.
    """
    total, sums = torch.zeros_like(rewards[0]), []  # [envs]
    for reward, done in zip(rewards, dones, strict=True):
        total = gamma * total + reward
        sums.append(total)
        total = total * (1 - done)  # the next step starts a new episode
    return torch.stack(sums).std(correction=0)


Step = Callable[..., torch.Tensor]


def _sums(
    rewards: torch.Tensor,
    dones: torch.Tensor,
    gamma: float,
    step: Step = lambda total, r, was, done, gamma: gamma * total * (1 - was) + r,
) -> torch.Tensor:
    total, was_done, sums = torch.zeros_like(rewards[0]), torch.zeros_like(rewards[0]), []
    for r, done in zip(rewards, dones, strict=True):
        total = step(total, r, was_done, done, gamma)
        was_done = done
        sums.append(total)
    return torch.stack(sums)  # [time, envs]


def _step(step: Step) -> Answer:
    return lambda rewards, dones, gamma: _sums(rewards, dones, gamma, step).std(correction=0)


def _scale(scale: Callable[[torch.Tensor, torch.Tensor], Any]) -> Answer:
    return lambda rewards, dones, gamma: scale(_sums(rewards, dones, gamma), rewards)


def _to_go(reset: bool) -> Answer:
    def answer(rewards: torch.Tensor, dones: torch.Tensor, gamma: float) -> torch.Tensor:
        starts = dones.flip(0) if reset else torch.zeros_like(dones)  # backwards, an episode starts at its end
        return _sums(rewards.flip(0), starts, gamma, lambda total, r, _, start, g: g * total * (1 - start) + r).std(
            correction=0
        )

    return answer


def _from_start(rewards: torch.Tensor, dones: torch.Tensor, gamma: float) -> torch.Tensor:
    powers = gamma ** torch.arange(len(rewards)).unsqueeze(-1)  # [time, 1]
    return (powers * rewards).cumsum(0).std(correction=0)


def _draw_rewards(generator: torch.Generator) -> Case:
    rewards = 2 * torch.randn(8, 3, generator=generator) + 1
    dones = (torch.rand(8, 3, generator=generator) < 0.3).float()
    gamma = 0.5 + 0.49 * float(torch.rand((), generator=generator))
    return Case("random rewards", (rewards, dones, gamma), rtol=1e-3)


DISCOUNTED_RETURN_SCALE = Exercise(
    name="discounted_return_scale",
    reference=discounted_return_scale,
    outputs=("scale",),
    cases=(
        Case("one robot and no episode end", (_t([[8.0], [0.0]]), _t([[0.0], [0.0]]), 0.5)),
        Case("an episode end", (_t([[2.0], [4.0], [2.0], [4.0]]), _t([[0.0], [1.0], [0.0], [0.0]]), 1.0)),
        Case(
            "two robots whose episodes end at different steps",
            (
                _t([[1.0, 8.0], [2.0, 0.0], [5.0, 4.0], [0.0, 2.0], [3.0, 6.0]]),
                _t([[0.0, 1.0], [0.0, 0.0], [1.0, 0.0], [0.0, 0.0], [0.0, 1.0]]),
                0.5,
            ),
        ),
    ),
    mistakes=(
        Mistake(
            "rewards-std",
            "you take the std of the rewards, not of their discounted sums.",
            "The value function predicts discounted sums; it is their scale that should be about 1.",
            (_scale(lambda sums, r: r.std(correction=0)), _scale(lambda sums, r: r.std(correction=1))),
        ),
        Mistake(
            "no-reset",
            "your sums run on across the end of an episode.",
            "After a done, the next step starts a new sum: multiply what is carried over by (1 - done).",
            (_step(lambda total, r, was, done, gamma: gamma * total + r),),
        ),
        Mistake(
            "resets-early",
            "your sums start anew one step early, at the last step of the episode.",
            "done_t says that step t was the last: its reward still belongs to the episode. Reset after adding it.",
            (_step(lambda total, r, was, done, gamma: gamma * total * (1 - done) + r),),
        ),
        Mistake(
            "drops-last-reward",
            "your sum at the last step of an episode is 0.",
            "Store the sum first, then reset what is carried over.",
            (_step(lambda total, r, was, done, gamma: (gamma * total + r) * (1 - done)),),
        ),
        Mistake(
            "resets-all",
            "the end of one robot's episode resets the sums of all robots.",
            "Each environment ends on its own: multiply by 1 - done [envs], not by one number.",
            (_step(lambda total, r, was, done, gamma: gamma * total * (1 - was.max()) + r),),
        ),
        Mistake(
            "resets-inverted",
            "your sums are kept where an episode ended and cleared everywhere else.",
            "Multiply by (1 - done), not by done.",
            (_step(lambda total, r, was, done, gamma: gamma * total * was + r),),
        ),
        Mistake(
            "reward-to-go",
            "your sums run backwards in time: they are the rewards to come.",
            "The scale is learned while the robots run, when only past rewards are known: sum forwards.",
            (_to_go(reset=True), _to_go(reset=False)),
        ),
        Mistake(
            "discounts-from-start",
            "you discount by the time since the start: gamma**t * r_t.",
            "Old rewards fade, not new ones: gamma multiplies the sum so far, the newest reward counts in full.",
            (_from_start,),
        ),
        Mistake(
            "no-discount",
            "your sums are not discounted.",
            "gamma multiplies the sum so far, at every step.",
            (_step(lambda total, r, was, done, gamma: total * (1 - was) + r),),
        ),
        Mistake(
            "gamma-on-reward",
            "gamma multiplies the new reward.",
            "Only the sum so far is discounted: gamma * R + r.",
            (
                _step(lambda total, r, was, done, gamma: gamma * (total * (1 - was) + r)),
                _step(lambda total, r, was, done, gamma: total * (1 - was) + gamma * r),
            ),
        ),
        Mistake(
            "moving-average",
            "your sums are a moving average, with (1 - gamma) before the reward.",
            "A return is a sum: gamma * R + r.",
            (_step(lambda total, r, was, done, gamma: gamma * total * (1 - was) + (1 - gamma) * r),),
        ),
        Mistake(
            "std-per-step",
            "you take the std over the environments at each step, then the mean over time.",
            "With one robot that is 0, and it is small for robots in step. Take one std over time and environments.",
            (
                _scale(lambda sums, r: sums.std(dim=1, correction=0).mean()),
                _scale(lambda sums, r: sums.std(dim=1, correction=1).mean()),
                _scale(lambda sums, r: sums.std(dim=1, correction=0)),
            ),
        ),
        Mistake(
            "std-per-robot",
            "you take the std over time of each robot, then the mean over robots.",
            "That loses what differs between robots. Take one std over time and environments.",
            (
                _scale(lambda sums, r: sums.std(dim=0, correction=0).mean()),
                _scale(lambda sums, r: sums.std(dim=0, correction=1).mean()),
                _scale(lambda sums, r: sums.std(dim=0, correction=0)),
            ),
        ),
        Mistake(
            "averages-robots",
            "you average over the robots before you take the std.",
            "Averaging hides what differs between robots, the more the more there are. Take one std over all sums.",
            (_scale(lambda sums, r: sums.mean(dim=1).std(correction=0)),),
        ),
        Mistake(
            "last-step-only",
            "you take the std of the last step's sums only.",
            "All sums count, of every step and environment.",
            (_scale(lambda sums, r: sums[-1].std(correction=0)),),
        ),
        Mistake(
            "unbiased-std",
            "your std is the unbiased one (n−1), torch's default.",
            "The running statistics use the population std (n): correction=0.",
            (_scale(lambda sums, r: sums.std()),),
        ),
        Mistake(
            "variance-for-std",
            "you return the variance.",
            "Rewards are divided by the std, which has their unit: take the root.",
            (_scale(lambda sums, r: sums.var(correction=0)),),
        ),
        Mistake(
            "root-mean-square",
            "you take the root of the mean square: the mean of the sums is not subtracted.",
            "The std measures the distance from the mean, not from zero.",
            (_scale(lambda sums, r: sums.square().mean().sqrt()),),
        ),
        Mistake(
            "returns-normalized",
            "you return normalized rewards, not the number to divide by.",
            "Return the scale alone. And nothing is subtracted from rewards: a shifted reward is another task.",
            (
                _scale(lambda sums, r: r / sums.std(correction=0)),
                _scale(lambda sums, r: sums / sums.std(correction=0)),
                _scale(lambda sums, r: (r - r.mean()) / sums.std(correction=0)),
                _scale(lambda sums, r: (r - sums.mean()) / sums.std(correction=0)),
                _scale(lambda sums, r: (sums - sums.mean()) / sums.std(correction=0)),
            ),
        ),
    ),
    hints=(
        "Write down R for three steps of one robot by hand, with a done at the second. Which numbers go into the std?",
        "Carry one sum per environment through a loop over time: discount it, add the reward, store it; then clear it "
        "where the episode ended.",
        "`total = gamma * total + reward`; store `total`; `total = total * (1 - done)`. At the end: "
        "`torch.stack(sums).std(correction=0)`.",
    ),
    draw=_draw_rewards,
)

EXERCISES = (MERGE_MOMENTS, RUNNING_NORM, DISCOUNTED_RETURN_SCALE)
