"""Exercise ``running_norm``: keep running statistics and normalize with them."""

from typing import Any

import torch
from torch import tensor

from ..exercise import Answer, Case, Exercise, Mistake
from ..verdict import text
from . import merge_moments as merge
from .merge_moments import merge_moments


class RunningNorm:
    """Normalize with the mean and standard deviation of all samples so far.

    Args:
        features: Number of features in a sample.
        eps: Added to the standard deviation, which is 0 for a feature that never varies.
    """

    def __init__(self, features: int, eps: float = 1e-2) -> None:
        self.count, self.mean, self.var = 0, torch.zeros(features), torch.ones(features)
        self.eps = eps

    def update(self, x: torch.Tensor) -> None:
        """Learn from a batch ``x [batch, features]`` of at least one sample. The batches may differ in size."""
        var, mean = torch.var_mean(x, dim=0, correction=0)  # [features] each; correction=0: divide by n
        self.count, self.mean, self.var = merge_moments(self.count, self.mean, self.var, len(x), mean, var)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Return ``x [batch, features]`` normalized, (x − mean) / (std + eps), without learning from it."""
        return (x - self.mean) / (self.var.sqrt() + self.eps)


def _use(answer: Answer, eps: float | None, batches: list[torch.Tensor], x: torch.Tensor) -> tuple[Any, Any]:
    norm = answer(x.shape[-1]) if eps is None else answer(x.shape[-1], eps=eps)
    for batch in batches:
        norm.update(batch)
    normalize = norm if callable(norm) else norm.forward
    if len(x) > 1:  # a normalizer that learns from its calls would learn from this call too
        normalize(x[1:].clone())
    return normalize(x), normalize(x)


def _show(eps: float | None, batches: list[torch.Tensor], x: torch.Tensor) -> str:
    arguments = f"{x.shape[-1]}" if eps is None else f"{x.shape[-1]}, eps={eps:g}"
    updates = "".join(f"norm.update({text(batch)}); " for batch in batches)
    earlier = f"norm({text(x[1:])}); " if len(x) > 1 else ""
    return f"norm = RunningNorm({arguments}); {updates}{earlier}norm({text(x)})"


def _draw(generator: torch.Generator) -> Case:
    sizes = torch.randint(1, 6, (4,), generator=generator).tolist()
    x, *batches = (torch.randn(size, 3, generator=generator) * tensor([1.0, 5.0, 0.2]) + 2 for size in sizes)
    return Case("a random stream", (0.1, batches, x), rtol=1e-3)


CASES = (
    Case("one batch", (0.5, [tensor([[0.0], [4.0]])], tensor([[7.0]]))),
    Case("two batches, the second with one sample", (1.0, [tensor([[0.0]] * 4), tensor([[5.0]])], tensor([[4.0]]))),
    Case(
        "three batches of two features",
        (
            0.5,
            [tensor([[1.0, 9.0], [3.0, 5.0]]), tensor([[2.0, -4.0]]), tensor([[8.0, 1.0], [0.0, 3.0], [4.0, -2.0]])],
            tensor([[1.0, -3.0]]),
        ),
    ),
    Case("a feature that never varies", (0.5, [tensor([[3.0], [3.0]])], tensor([[3.0], [4.0]]))),
    Case("float32 values far from zero", (1.0, [tensor([[4096.0], [4098.0]])], tensor([[4101.0]]))),
    Case("the default eps of 0.01", (None, [tensor([[3.0], [3.0]])], tensor([[5.0]]))),
    Case(
        "three batches of three features",
        (
            0.25,
            [
                tensor([[0.3, -2.5, 1.7], [1.9, 0.4, -3.2], [-0.6, 2.2, 0.1], [2.4, -1.3, 4.5]]),
                tensor([[3.1, -0.7, 0.8], [-1.2, 5.6, 2.3]]),
                tensor([[0.2, 1.4, -2.7], [6.3, -3.8, 0.6], [1.1, 0.9, 3.4], [-2.8, 2.7, -1.5], [0.7, -4.1, 5.2]]),
            ],
            tensor([[-1.6, 0.8, 2.9], [3.7, -2.3, -0.4], [1.3, -0.9, 2.6]]),
        ),
    ),
)


def _towards(rate: float) -> Answer:
    """A merge that moves a fixed fraction of the way to the batch."""
    return lambda n, mean, var, n_b, mean_b, var_b: (n + n_b, mean + rate * (mean_b - mean), var + rate * (var_b - var))


def _after_first(other: Answer) -> Answer:
    """A merge that is wrong only from the second batch on."""
    return lambda count, *others: (other if count else merge_moments)(count, *others)


class _BatchNorm(torch.nn.BatchNorm1d):
    """torch's batch normalization, with the methods of the exercise."""

    def __init__(self, features: int, eps: float = 1e-2) -> None:
        super().__init__(features, eps=eps)
        self.eval()

    def update(self, x: torch.Tensor) -> None:
        self.train()(x)
        self.eval()


def _forms(mistake: str, *numbers: int) -> list[dict[str, str]]:
    """The forms of a mistake in the merge, as edits of the call to merge_moments."""
    forms = numbers or range(len(merge.MISTAKES[mistake].forms))
    return [{"merge_moments(": f'merge.merging("{mistake}", {form})('} for form in forms]


_RATES = (0.1, 0.01, 0.001, 0.5, 0.05, 0.9, 0.99, 0.2, 0.02, 0.25, 0.3, 0.7, 0.8, 0.95, 0.999)
_SUM = "self.var.sqrt() + self.eps"
_UPDATE = "self.count, self.mean, self.var = merge_moments(self.count, self.mean, self.var, len(x), mean, var)"
_STDS = {"torch.var_mean": "torch.std_mean", "self.var.sqrt()": "self.var"}
_LEARNS_AFTER = """def __call__(self, x):
        y = self.normalized(x)
        self.update(x)
        return y

    def normalized"""
_OWN = {
    "unbiased-variance": Mistake(
        "your variance is the unbiased one (n−1), which is torch's default.",
        "Use the population variance everywhere: var(dim=0, correction=0). With n−1, a batch of one sample gives NaN.",
        {", correction=0)": ")"},
        {", correction=0)": ", correction=int(len(x) > 1))"},
        {"self.var.sqrt()": "(self.var * self.count / (self.count - 1)).sqrt()"},
        {"self.var.sqrt()": "(self.var * self.count / max(self.count - 1, 1)).sqrt()"},
        *_forms("unbiased-variance"),
    ),
    "eps-inside-root": Mistake(
        "your eps is inside the root: sqrt(var + eps).",
        "Inside the root, eps = 0.01 acts like a std of 0.1. Add eps after the root: sqrt(var) + eps.",
        {_SUM: "(self.var + self.eps).sqrt()"},
        {_SUM: "(self.var + self.eps**2).sqrt()"},
    ),
    "eps-forgotten": Mistake(
        "you divide by the std without adding eps.",
        "A feature that never varies has std 0, so without eps the result is NaN or infinite. Divide by std + eps.",
        {" + self.eps": ""},
    ),
    "no-shift": Mistake(
        "your update leaves out the distance between the batch's mean and the running mean.",
        "Batches with different means add variance even if no batch varies. merge_moments has a term for this.",
        *_forms("no-shift"),
        {"merge_moments(": '_after_first(merge.merging("no-shift", 1))('},
    ),
    "overwrites": Mistake(
        "update keeps only the last batch.",
        "The statistics come from all samples so far: merge the batch into them with merge_moments, and store the "
        "count too.",
        {"merge_moments(self.count": "merge_moments(0"},
    ),
    "forward-learns": Mistake(
        "calling the normalizer changes its statistics.",
        "Only update may learn. Otherwise, playing a policy or normalizing a batch twice changes the network's inputs.",
        {"return (x": "self.update(x)\n        return (x"},
        {"def __call__": _LEARNS_AFTER},
    ),
    "learns-when-called": Mistake(
        "your normalizer learns when it is called, and update does nothing.",
        "Move the merge to update. A call must only read the statistics, so that the same x gives the same result.",
        {
            "def update(self": "def update(self, x):\n        pass\n\n    def learn(self",
            "return (x": "self.learn(x)\n        return (x",
        },
        {
            "def update(self": "def update(self, x):\n        pass\n\n    def learn(self",
            "def __call__": _LEARNS_AFTER.replace("update", "learn"),
        },
    ),
    "never-learns": Mistake(
        "update does not change what the normalizer returns.",
        "update has to store the merged count, mean and variance in `self`.",
        {"self.count, self.mean, self.var = merge": "count, mean, var = merge"},
    ),
    "not-all-stored": Mistake(
        "update leaves the mean or the variance at its initial value.",
        "update has to store all three results in `self`: the merged count, mean and variance.",
        {"self.count, self.mean, self.var = merge": "self.count, _, self.var = merge"},
        {"self.count, self.mean, self.var = merge": "self.count, self.mean, _ = merge"},
    ),
    "learns-once": Mistake(
        "only the first update changes the statistics.",
        "Every update must merge its batch into the statistics.",
        {"var, mean =": "if self.count:\n            return\n        var, mean ="},
    ),
    "counts-batches": Mistake(
        "every batch has the same weight, however many samples it contains.",
        "Count samples, not calls or features: the count grows by len(x).",
        {"len(x)": "1"},
    ),
    "counts-twice": Mistake(
        "the batch counts twice, because you update the count before you compute the weights.",
        "The weight of the earlier samples is the old count divided by the new one. Change self.count last.",
        {_UPDATE: "self.count += len(x)\n        " + _UPDATE.replace("self.count, ", "_, ", 1)},
        {"merge_moments(self.count": "merge_moments(self.count + len(x)"},
    ),
    "phantom-sample": Mistake(
        "your count does not start at 0, so the initial mean and variance count like samples.",
        "Nothing has been seen before the first update: start with count = 0.",
        *({"= 0, torch": f"= {count}, torch"} for count in (1, 1e-4, 1e-2, 1e-3, 1e-8)),
        {"= 0, torch.zeros(features), torch.ones": "= 1, torch.zeros(features), torch.zeros"},
    ),
    "divides-by-variance": Mistake(
        "you divide by the variance, not by its root.",
        "The std has the unit of x, but the variance has the unit of x². Divide by sqrt(var) + eps.",
        {"self.var.sqrt()": "self.var"},
        {_SUM: "self.var"},
    ),
    "mean-kept": Mistake(
        "you divide by std + eps but do not subtract the mean.",
        "Normalized observations are centred at zero: (x - mean) / (std + eps).",
        {"x - self.mean": "x"},
    ),
    "eps-after-division": Mistake(
        "you divide by the std and add eps to the result.",
        "`/` comes before `+`, so put brackets around the divisor: (x - mean) / (std + eps).",
        {f"({_SUM})": _SUM},
    ),
    "mean-divided": Mistake(
        "you divide the mean by std + eps, but not x.",
        "`/` comes before `-`, so put brackets around the difference: (x - mean) / (std + eps).",
        {"(x - self.mean)": "x - self.mean"},
    ),
    "mean-after-division": Mistake(
        "you divide x by std + eps first, and then subtract the mean.",
        "The mean has the unit of x, so subtract it first: (x - mean) / (std + eps).",
        {"(x - self.mean)": "x", "self.eps)": "self.eps) - self.mean"},
    ),
    "normalizes-by-batch": Mistake(
        "you normalize x with its own mean and std.",
        "This is batch normalization: the result for one robot would depend on the other robots. Use the statistics "
        "from update.",
        *({"x - self.mean": "x - x.mean(0)", "self.var.sqrt()": f"x.std(0, correction={n})"} for n in (0, 1)),
        *({"x - self.mean": "x - x.mean(0)", _SUM: f"(x.var(0, correction={n}) + self.eps).sqrt()"} for n in (0, 1)),
    ),
    "centres-by-batch": Mistake(
        "you subtract the mean of x itself.",
        "The result for one robot would depend on the other robots. Subtract the running mean from update.",
        {"x - self.mean": "x - x.mean(0)"},
    ),
    "scales-by-batch": Mistake(
        "you divide by the std of x itself.",
        "The result for one robot would depend on the other robots. Divide by the running std from update, plus eps.",
        *({"self.var.sqrt()": f"x.std(0, correction={n})"} for n in (0, 1)),
    ),
    "normalizes-by-row": Mistake(
        "you normalize each sample with the mean and std of its own features.",
        "This is layer normalization. Here, each feature has its own mean and std over all samples from update.",
        {"x - self.mean": "x - x.mean(1, keepdim=True)", "self.var.sqrt()": "x.std(1, correction=0, keepdim=True)"},
        {
            "x - self.mean": "x - x.mean(1, keepdim=True)",
            _SUM: "(x.var(1, correction=0, keepdim=True) + self.eps).sqrt()",
        },
    ),
    "var-mean-order": Mistake(
        "you swap the mean and the variance.",
        "torch.var_mean returns the variance first, but merge_moments takes and returns the mean first.",
        {"var, mean = ": "mean, var = "},
        {"self.count, self.mean, self.var = merge": "self.count, self.var, self.mean = merge"},
        {"len(x), mean, var)": "len(x), var, mean)"},
    ),
    "std-for-variance": Mistake(
        "you use the std of the batch instead of its variance.",
        "Store and merge variances: use torch.var, not torch.std. Take the root once, when you normalize.",
        {"torch.var_mean": "torch.std_mean"},
    ),
    "averages-stds": Mistake(
        "you merge standard deviations.",
        "Only variances can be merged: store the variance, and take the root when you normalize.",
        *_forms("merges-stds", 1),
        _STDS,
        _STDS | _forms("no-shift", 0)[0],
        _STDS | {"merge_moments(": '_after_first(merge.merging("no-shift", 1))('},
    ),
    "shift-weight": Mistake(
        "your update adds delta² with the wrong weight.",
        "The weight is count_a · count_b / count². In r · delta · (mean_batch − mean_new), use the updated mean.",
        *_forms("shift-weight"),
        {
            "self.count, self.mean, self.var = merge_moments(": "for x in x: "
            'self.count, self.mean, self.var = merge.merging("shift-weight", 1)(',
            "len(x), mean, var)": "1, x, 0 * x)",
        },
    ),
    "mixes-features": Mistake(
        "all features share one mean and one std.",
        "Each feature has its own scale: take the moments only over the batch, dim=0.",
        {"x, dim=0": "x"},
    ),
    "shares-std": Mistake(
        "all features share one std.",
        "Each feature has its own scale: take the variance only over the batch, dim=0.",
        {"len(x), mean, var)": "len(x), mean, x.var(correction=0).expand_as(mean))"},
    ),
    "wrong-dimension": Mistake(
        "you take the moments over the features of each sample, not over the samples.",
        "x is [batch, features], so the moments of each feature are over dim=0.",
        {"dim=0": "dim=1"},
        {"len(x), mean, var)": "len(x), mean, x.var(1, correction=0))"},
        {"len(x), mean, var)": "len(x), x.mean(1), var)"},
    ),
    "eps-as-floor": Mistake(
        "you use eps as a lower limit of the std, but the exercise adds it.",
        "Divide by std + eps, as rsl_rl does.",
        {_SUM: "self.var.sqrt().clamp(min=self.eps)"},
        {_SUM: "self.var.clamp(min=self.eps).sqrt()"},
        {_SUM: "torch.where(self.var > 0, self.var.sqrt(), self.eps)"},
    ),
    "zero-std-replaced": Mistake(
        "if a feature never varies, you replace its std with a different number.",
        "Keep the std, even if it is 0: you add eps to it, so nothing is divided by 0.",
        {_SUM: "torch.where(self.var > 0, self.var.sqrt(), 1.0) + self.eps"},
        {_SUM: "torch.where(self.var > 0, self.var.sqrt(), 1.0)"},
    ),
    "eps-ignored": Mistake(
        "your eps is a fixed number: you do not use the argument eps.",
        "Store eps in `__init__` as self.eps, and divide by std + self.eps.",
        *({"self.eps)": f"{eps})"} for eps in (1e-2, 1e-8, 1e-6, 1e-5, 1e-4, 1e-3)),
    ),
    "eps-default": Mistake(
        "your default eps is not 0.01.",
        "A tiny eps turns the smallest noise in a constant feature into a large observation.",
        *({"= 1e-2": f"= {eps}"} for eps in (1e-8, 1e-5, 1e-6, 1e-4, 1e-3, 0.1, 1.0)),
    ),
    "clipped": Mistake(
        "you clip large results.",
        "Neither rsl_rl nor this exercise clips the results: return (x - mean) / (std + eps) without a limit.",
        *({"return (x": "return ((x", "self.eps)": f"self.eps)).clamp(-{most}, {most})"} for most in (1, 3, 5, 10)),
    ),
    "sum-of-squares": Mistake(
        "your std is right near zero but inaccurate far from zero: it looks like E[x²] − E[x]².",
        "float32 has 7 digits, and large squares need more. Merge variances, which do not grow with the mean of x.",
        {"var, mean = torch.var_mean(x, dim=0, correction=0)": "mean = x.mean(0); var = (x * x).mean(0) - mean * mean"},
        *_forms("sum-of-squares"),
    ),
    "not-divided": Mistake(
        "your variance is a sum of squared distances that is not divided by the count.",
        "The variance is the mean squared distance: divide the sum by the number of samples before you take the root.",
        *({"self.var.sqrt()": f"(self.count * self.var + {start}).sqrt()"} for start in (0, 1)),
    ),
    "batch-means-only": Mistake(
        "your std includes only the batch means, not how the samples vary within a batch.",
        "Merge the variance of the batch too, weighted by its number of samples.",
        {"len(x), mean, var)": "len(x), mean, 0 * var)"},
        {"len(x), mean, var)": "1, mean, 0 * var)"},
    ),
    "one-sample-of-a-batch": Mistake(
        "you learn from only one sample of each batch.",
        "All rows of x are samples: take the mean and the variance over dim=0.",
        {"len(x), mean, var)": "1, x[-1], 0 * var)"},
        {"len(x), mean, var)": "1, x[0], 0 * var)"},
    ),
    "library-batch-norm": Mistake(
        "you use torch's BatchNorm, which is a different normalizer.",
        "BatchNorm keeps a moving average of the unbiased variance, with eps inside the root. Merge the moments "
        "yourself.",
        _BatchNorm,
    ),
    "moving-average": Mistake(
        "your statistics are a moving average with a fixed rate, so older samples lose weight.",
        "Weight by counts: the rate for a batch of n samples is n / (count + n), so every sample has the same weight.",
        *({"merge_moments(": f"_after_first(_towards({rate}))("} for rate in _RATES),
        *({"merge_moments(": f"_towards({rate})("} for rate in _RATES),
        *({"merge_moments(": f"_towards({rate})(", "torch.ones": "torch.zeros"} for rate in _RATES),
    ),
}
_FIRST_FORM = {"count-not-summed", "empty-group"}  # here, their second form has the effect of learning nothing
_OF_THE_MERGE = {  # mistakes in merge_moments, or in lines of update that do the same
    name: Mistake(
        f"in update, {of.headline}",
        f"{of.why} (Here, a is all samples so far and b is the batch.)",
        *_forms(name, *[0] * (name in _FIRST_FORM)),
    )
    for name, of in merge.MISTAKES.items()
    if name not in {*_OWN, "order-of-results", "merges-stds"}
}
MISTAKES = _OWN | _OF_THE_MERGE

HINTS = (
    "A batch is one group of samples, and all samples so far are the other group. What must you store so that you do "
    "not have to store the samples?",
    "`self` stores three values: the count (0 at first), the mean and the *variance* of all samples so far. `update` "
    "computes the moments of the batch with `torch.var_mean`, merges them into these values with `merge_moments`, and "
    "stores all three results, including the count. (Which dimension must `torch.var_mean` reduce, and which argument "
    "makes it divide by n?) `__call__` uses the stored values without changing them, and takes the root of the "
    "variance.",
    "Merge `var, mean = torch.var_mean(x, dim=0, correction=0)` with `len(x)` as the batch's count. Then normalize: "
    "`(x - self.mean) / (self.var.sqrt() + self.eps)`.",
)

EXERCISE = Exercise(RunningNorm, ("norm(x)", "norm(x) once more"), CASES, MISTAKES, HINTS, _draw, _use, _show)
