"""Exercise ``running_norm``: keep running statistics and normalize by them."""

from functools import partial
from typing import Any

import torch
from torch import tensor

from ..exercise import Answer, Case, Exercise, Mistake, Part
from ..verdict import text
from .merge_moments import merge_moments, merging


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


def _use(answer: Answer, eps: float | None, batches: list[torch.Tensor], x: torch.Tensor) -> tuple[Any, Any]:
    norm = answer(x.shape[-1]) if eps is None else answer(x.shape[-1], eps=eps)
    for batch in batches:
        norm.update(batch)
    normalize = norm if callable(norm) else norm.forward
    return normalize(x), normalize(x)


def _show(eps: float | None, batches: list[torch.Tensor], x: torch.Tensor) -> str:
    arguments = f"{x.shape[-1]}" if eps is None else f"{x.shape[-1]}, eps={eps:g}"
    updates = "".join(f"norm.update({text(batch)}); " for batch in batches)
    return f"norm = RunningNorm({arguments}); {updates}norm({text(x)})"


def _draw(generator: torch.Generator) -> Case:
    sizes = torch.randint(1, 6, (4,), generator=generator).tolist()
    x, *batches = (torch.randn(size, 3, generator=generator) * tensor([1.0, 5.0, 0.2]) + 2 for size in sizes)
    return Case("a random stream", (0.1, batches, x), rtol=1e-3)


CASES = (
    Case("one batch", (1.0, [tensor([[0.0], [4.0]])], tensor([[8.0]]))),
    Case("two batches, the second of one sample", (1.0, [tensor([[0.0]] * 4), tensor([[5.0]])], tensor([[4.0]]))),
    Case(
        "three batches of two features",
        (
            0.5,
            [tensor([[1.0, 9.0], [3.0, 5.0]]), tensor([[2.0, -4.0]]), tensor([[8.0, 1.0], [0.0, 3.0], [4.0, -2.0]])],
            tensor([[1.0, 1.0], [5.0, -3.0]]),
        ),
    ),
    Case("a feature that never varies", (0.5, [tensor([[3.0], [3.0]])], tensor([[3.0], [4.0]]))),
    Case("float32 values far from zero", (1.0, [tensor([[4096.0], [4098.0]])], tensor([[4101.0]]))),
    Case("the default eps of 0.01", (None, [tensor([[3.0], [3.0]])], tensor([[4.0]]))),
)


def _moments(x: torch.Tensor, correction: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    return x.mean(0), x.var(0, correction=correction)


_unbiased = partial(_moments, correction=1)


def _learn_then_normalize(norm: RunningNorm, x: torch.Tensor) -> torch.Tensor:
    norm.update(x)
    return RunningNorm.__call__(norm, x)


def _normalize_then_learn(norm: RunningNorm, x: torch.Tensor) -> torch.Tensor:
    y = RunningNorm.__call__(norm, x)
    norm.update(x)
    return y


def _norm(
    moments: Part = _moments,
    weight: Part = len,
    merge: Part = merge_moments,
    normalize: Part = RunningNorm.__call__,
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

        def __call__(self, x: torch.Tensor) -> Any:
            return normalize(self, x)

    return WrongNorm


def _towards(rate: float) -> Part:
    return merging(mean=lambda g: g.ma + rate * g.delta, var=lambda g: g.va + rate * (g.vb - g.va))


def _after_first(rate: float) -> Part:
    return lambda count, *others: (_towards(rate) if count else merge_moments)(count, *others)


_RATES = (0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999)


def _fixed_eps(eps: float) -> type:
    return _norm(normalize=lambda s, x: (x - s.mean) / (s.var.sqrt() + eps))


MISTAKES = {
    "unbiased-variance": Mistake(
        "your batch variance is the unbiased one (n−1), torch's default.",
        "The merge needs the population variance: var(dim=0, correction=0). And n−1 makes a batch of one NaN.",
        _norm(_unbiased),
        _norm(_unbiased, merge=merging(var=lambda g: g.within)),
    ),
    "eps-inside-root": Mistake(
        "your eps is inside the root: sqrt(var + eps).",
        "Inside, eps = 0.01 acts like a std of 0.1. Add it beside the std: sqrt(var) + eps.",
        _norm(normalize=lambda s, x: (x - s.mean) / (s.var + s.eps).sqrt()),
    ),
    "eps-forgotten": Mistake(
        "you divide by the std alone: eps is missing.",
        "A feature that never varies has std 0; without eps it becomes NaN or infinite. Divide by std + eps.",
        _norm(normalize=lambda s, x: (x - s.mean) / s.var.sqrt()),
    ),
    "eps-as-floor": Mistake(
        "your eps is a lower bound of the std; the exercise adds it.",
        "Divide by std + eps, as rsl_rl does.",
        _norm(normalize=lambda s, x: (x - s.mean) / s.var.sqrt().clamp(min=s.eps)),
        _norm(normalize=lambda s, x: (x - s.mean) / s.var.clamp(min=s.eps).sqrt()),
        _norm(normalize=lambda s, x: (x - s.mean) / torch.where(s.var > 0, s.var.sqrt(), s.eps)),
    ),
    "eps-ignored": Mistake(
        "your eps is a fixed number: the argument eps is not used.",
        "Keep it in __init__, as self.eps, and divide by std + self.eps.",
        *map(_fixed_eps, (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8)),
    ),
    "eps-default": Mistake(
        "your default eps is not 0.01.",
        "A tiny eps turns the smallest noise of a constant feature into a large observation.",
        *(_norm(default_eps=eps) for eps in (1.0, 0.1, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8)),
    ),
    "divides-by-variance": Mistake(
        "you divide by the variance, not by its root.",
        "The std has the unit of x; the variance has that of x². Divide by sqrt(var) + eps.",
        _norm(normalize=lambda s, x: (x - s.mean) / (s.var + s.eps)),
        _norm(normalize=lambda s, x: (x - s.mean) / s.var),
    ),
    "mean-kept": Mistake(
        "you divide by the scale but do not subtract the mean.",
        "Normalized observations are centred: (x - mean) / (std + eps).",
        _norm(normalize=lambda s, x: x / (s.var.sqrt() + s.eps)),
    ),
    "forward-learns": Mistake(
        "calling the normaliser changes its statistics.",
        "Only update learns. Otherwise playing a policy, or a second pass over a batch, changes what it sees.",
        _norm(normalize=_learn_then_normalize),
        _norm(normalize=_normalize_then_learn),
    ),
    "normalizes-by-batch": Mistake(
        "you normalize x by its own mean and std.",
        "That is batch normalization: what a robot sees would depend on its neighbours. Use what update has seen.",
        *(_norm(normalize=lambda s, x, n=n: (x - x.mean(0)) / (x.std(0, correction=n) + s.eps)) for n in (0, 1)),
    ),
    "overwrites": Mistake(
        "update keeps only the last batch.",
        "Statistics of a stream come from all samples so far: merge the batch into them (merge_moments).",
        _norm(merge=merging(mean=lambda g: g.mb, var=lambda g: g.vb)),
    ),
    "never-learns": Mistake(
        "update does not change what the normaliser returns.",
        "It has to store the merged count, mean and variance in self.",
        _norm(merge=merging(mean=lambda g: g.ma, var=lambda g: g.va)),
    ),
    "no-shift": Mistake(
        "your update leaves out the distance between the batch's mean and the running mean.",
        "Batches that do not vary inside still differ from each other; merge_moments has the term.",
        _norm(merge=merging(var=lambda g: g.within)),
    ),
    "shift-weight": Mistake(
        "your update adds delta² with the wrong weight.",
        "It is count_a · count_b / count²; in r · delta · (mean_batch − mean_new), the second mean is the new one.",
        _norm(merge=merging(var=lambda g: g.within + g.delta**2 * g.nb / g.n)),
        _norm(merge=merging(var=lambda g: g.within + g.delta**2 * g.na * g.nb / g.n)),
        _norm(merge=merging(var=lambda g: g.within + g.delta**2)),
    ),
    "sum-of-squares": Mistake(
        "your std is right near zero but lost in rounding far from it: it looks like E[x²] − E[x]².",
        "float32 keeps 7 digits, and the squares use them up. Merge variances: they are small where x is large.",
        _norm(lambda x: (x.mean(0), x.square().mean(0) - x.mean(0) ** 2)),
    ),
    "counts-batches": Mistake(
        "every batch weighs the same, however many samples it has.",
        "Count samples, not calls: the count grows by len(x).",
        _norm(weight=lambda x: 1),
    ),
    "moving-average": Mistake(
        "your statistics are a moving average with a fixed rate: they forget.",
        "Weigh by counts: the rate of a batch is n / (count + n), so that every sample weighs the same.",
        *(_norm(merge=_after_first(rate)) for rate in _RATES),
        *(_norm(merge=_towards(rate), first_var=var) for rate in _RATES for var in (1.0, 0.0)),
        *(_norm(_unbiased, merge=_towards(rate), first_var=var) for rate in _RATES for var in (1.0, 0.0)),
    ),
    "phantom-sample": Mistake(
        "your count starts at 1: the mean 0 and variance 1 of the start count as a sample.",
        "Nothing has been seen before the first update: start with count = 0.",
        _norm(first_count=1),
        _norm(first_count=1, first_var=0.0),
    ),
    "mixes-features": Mistake(
        "all features share one mean and one std.",
        "Each feature has its own scale: take the moments over the batch only, dim=0.",
        _norm(lambda x: (x.mean(), x.var(correction=0))),
    ),
    "wrong-dimension": Mistake(
        "your moments run over the features of each sample, not over the samples.",
        "x is [batch, features]; the moments of each feature are over dim=0.",
        _norm(lambda x: (x.mean(1), x.var(1, correction=0))),
    ),
    "averages-stds": Mistake(
        "you merge standard deviations.",
        "Only variances can be merged: keep the variance, and take the root when you normalize.",
        _norm(merge=merging(var=lambda g: ((g.na * g.va.sqrt() + g.nb * g.vb.sqrt()) / g.n) ** 2)),
        _norm(merge=merging(var=lambda g: ((g.na * g.va.sqrt() + g.nb * g.vb.sqrt()) / g.n) ** 2 + g.var - g.within)),
    ),
}

HINTS = (
    "A batch is one group of samples; what you have seen so far is another. What must you keep so that you need not "
    "keep the samples?",
    "Keep count, mean and *variance* in `self`. `update` computes the moments of the batch with `torch.var_mean` (over "
    "which dimension? and which argument makes it divide by n?), merges them by `merge_moments`, and stores all three "
    "results, the count too. Calling only reads them, and takes the root of the variance.",
    "`var, mean = torch.var_mean(x, dim=0, correction=0)`, merged with `len(x)` samples; then `(x - self.mean) / "
    "(self.var.sqrt() + self.eps)`.",
)

EXERCISE = Exercise(RunningNorm, ("norm(x)", "norm(x) once more"), CASES, MISTAKES, HINTS, _draw, _use, _show)
