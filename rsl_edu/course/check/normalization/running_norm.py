"""Exercise ``running_norm``: keep running statistics and normalize by them."""

from typing import Any

import torch
from torch import tensor

from ..exercise import Answer, Case, Exercise, Mistake
from ..verdict import text
from . import merge_moments as merge
from .merge_moments import merge_moments


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
    if len(x) > 1:  # tells a normalizer that learns from every call from one that only looks at its last
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
    Case("two batches, the second of one sample", (1.0, [tensor([[0.0]] * 4), tensor([[5.0]])], tensor([[4.0]]))),
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
    """A merge that goes a fixed share of the way to the batch."""
    return lambda n, mean, var, n_b, mean_b, var_b: (n + n_b, mean + rate * (mean_b - mean), var + rate * (var_b - var))


def _after_first(other: Answer) -> Answer:
    """A merge that only begins with the second batch."""
    return lambda count, *others: (other if count else merge_moments)(count, *others)


class _BatchNorm(torch.nn.BatchNorm1d):
    """The normalizer of torch."""

    def __init__(self, features: int, eps: float = 1e-2) -> None:
        super().__init__(features, eps=eps)
        self.eval()

    def update(self, x: torch.Tensor) -> None:
        self.train()(x)
        self.eval()


def _forms(mistake: str, *numbers: int) -> list[dict[str, str]]:
    """The forms of a mistake of the merge, as edits of what calls it."""
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
        "your variance is the unbiased one (n−1), torch's default.",
        "The exercise needs the population variance, of batches and stream: var(dim=0, correction=0). And n−1 makes a "
        "batch of one NaN.",
        {", correction=0)": ")"},
        {", correction=0)": ", correction=int(len(x) > 1))"},
        {"self.var.sqrt()": "(self.var * self.count / (self.count - 1)).sqrt()"},
        {"self.var.sqrt()": "(self.var * self.count / max(self.count - 1, 1)).sqrt()"},
        *_forms("unbiased-variance"),
    ),
    "eps-inside-root": Mistake(
        "your eps is inside the root: sqrt(var + eps).",
        "Inside, eps = 0.01 acts like a std of 0.1. Add it after the root: sqrt(var) + eps.",
        {_SUM: "(self.var + self.eps).sqrt()"},
        {_SUM: "(self.var + self.eps**2).sqrt()"},
    ),
    "eps-forgotten": Mistake(
        "you divide by the std alone: eps is missing.",
        "A feature that never varies has std 0; without eps it becomes NaN or infinite. Divide by std + eps.",
        {" + self.eps": ""},
    ),
    "no-shift": Mistake(
        "your update leaves out the distance between the batch's mean and the running mean.",
        "Batches that do not vary inside still differ from each other; merge_moments has the term.",
        *_forms("no-shift"),
        {"merge_moments(": '_after_first(merge.merging("no-shift", 1))('},
    ),
    "overwrites": Mistake(
        "update keeps only the last batch.",
        "Statistics of a stream come from all samples so far: merge the batch into them (merge_moments), and keep the "
        "count too.",
        {"merge_moments(self.count": "merge_moments(0"},
    ),
    "forward-learns": Mistake(
        "calling the normalizer changes its statistics.",
        "Only update learns. Otherwise playing a policy, or a second pass over a batch, changes what it sees.",
        {"return (x": "self.update(x)\n        return (x"},
        {"def __call__": _LEARNS_AFTER},
    ),
    "learns-when-called": Mistake(
        "your normalizer learns when it is called; update does nothing.",
        "Move the merge to update. Calling only reads the statistics: the same x must always give the same result.",
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
        "It has to store the merged count, mean and variance in self.",
        {"self.count, self.mean, self.var = merge": "count, mean, var = merge"},
    ),
    "not-all-stored": Mistake(
        "update leaves the mean or the variance as it was at the start.",
        "It has to store all three in self: the merged count, mean and variance.",
        {"self.count, self.mean, self.var = merge": "self.count, _, self.var = merge"},
        {"self.count, self.mean, self.var = merge": "self.count, self.mean, _ = merge"},
    ),
    "learns-once": Mistake(
        "only the first update changes the statistics.",
        "Every batch has to be merged into them.",
        {"var, mean =": "if self.count:\n            return\n        var, mean ="},
    ),
    "counts-batches": Mistake(
        "every batch weighs the same, however many samples it has.",
        "Count samples, not calls or features: the count grows by len(x).",
        {"len(x)": "1"},
    ),
    "counts-twice": Mistake(
        "the batch counts twice: it is in the count already when you compute the weights.",
        "The weight of the past is the count before the batch, over the count after it. Change self.count last.",
        {_UPDATE: "self.count += len(x)\n        " + _UPDATE.replace("self.count, ", "_, ", 1)},
        {"merge_moments(self.count": "merge_moments(self.count + len(x)"},
    ),
    "phantom-sample": Mistake(
        "your count does not start at 0: the mean 0 and the variance of the start count as if they had been seen.",
        "Nothing has been seen before the first update: start with count = 0.",
        *({"= 0, torch": f"= {count}, torch"} for count in (1, 1e-4, 1e-2, 1e-3, 1e-8)),
        {"= 0, torch.zeros(features), torch.ones": "= 1, torch.zeros(features), torch.zeros"},
    ),
    "divides-by-variance": Mistake(
        "you divide by the variance, not by its root.",
        "The std has the unit of x; the variance has that of x². Divide by sqrt(var) + eps.",
        {"self.var.sqrt()": "self.var"},
        {_SUM: "self.var"},
    ),
    "mean-kept": Mistake(
        "you divide by the scale but do not subtract the mean.",
        "Normalized observations are centred: (x - mean) / (std + eps).",
        {"x - self.mean": "x"},
    ),
    "eps-after-division": Mistake(
        "you divide by the std and add eps to the result.",
        "/ comes before +: put brackets around the divisor, (x - mean) / (std + eps).",
        {f"({_SUM})": _SUM},
    ),
    "mean-divided": Mistake(
        "you divide the mean by the scale, but not x.",
        "/ comes before −: put brackets around the difference, (x - mean) / (std + eps).",
        {"(x - self.mean)": "x - self.mean"},
    ),
    "mean-after-division": Mistake(
        "you divide x by the scale first, and then subtract the mean.",
        "The mean has the unit of x: subtract it first, (x - mean) / (std + eps).",
        {"(x - self.mean)": "x", "self.eps)": "self.eps) - self.mean"},
    ),
    "normalizes-by-batch": Mistake(
        "you normalize x by its own mean and std.",
        "That is batch normalization: what a robot sees would depend on its neighbours. Use what update has seen.",
        *({"x - self.mean": "x - x.mean(0)", "self.var.sqrt()": f"x.std(0, correction={n})"} for n in (0, 1)),
        *({"x - self.mean": "x - x.mean(0)", _SUM: f"(x.var(0, correction={n}) + self.eps).sqrt()"} for n in (0, 1)),
    ),
    "centres-by-batch": Mistake(
        "you subtract the mean of x itself.",
        "What a robot sees would depend on its neighbours. Subtract the mean of what update has seen.",
        {"x - self.mean": "x - x.mean(0)"},
    ),
    "scales-by-batch": Mistake(
        "you divide by the std of x itself.",
        "What a robot sees would depend on its neighbours. Divide by the std of what update has seen, plus eps.",
        *({"self.var.sqrt()": f"x.std(0, correction={n})"} for n in (0, 1)),
    ),
    "normalizes-by-row": Mistake(
        "you normalize each sample by the mean and std of its own features.",
        "That is layer normalization. Here each feature has its mean and std, over all samples that update has seen.",
        {"x - self.mean": "x - x.mean(1, keepdim=True)", "self.var.sqrt()": "x.std(1, correction=0, keepdim=True)"},
        {
            "x - self.mean": "x - x.mean(1, keepdim=True)",
            _SUM: "(x.var(1, correction=0, keepdim=True) + self.eps).sqrt()",
        },
    ),
    "var-mean-order": Mistake(
        "the mean and the variance are exchanged.",
        "torch.var_mean returns the variance first; merge_moments takes and returns the mean first.",
        {"var, mean = ": "mean, var = "},
        {"self.count, self.mean, self.var = merge": "self.count, self.var, self.mean = merge"},
        {"len(x), mean, var)": "len(x), var, mean)"},
    ),
    "std-for-variance": Mistake(
        "the std of the batch stands where its variance belongs.",
        "Keep and merge variances: torch.var, not torch.std. The root comes once, when you normalize.",
        {"torch.var_mean": "torch.std_mean"},
    ),
    "averages-stds": Mistake(
        "you merge standard deviations.",
        "Only variances can be merged: keep the variance, and take the root when you normalize.",
        *_forms("merges-stds", 1),
        _STDS,
        _STDS | _forms("no-shift", 0)[0],
        _STDS | {"merge_moments(": '_after_first(merge.merging("no-shift", 1))('},
    ),
    "shift-weight": Mistake(
        "your update adds delta² with the wrong weight.",
        "It is count_a · count_b / count²; in r · delta · (mean_batch − mean_new), the second mean is the new one.",
        *_forms("shift-weight"),
        {
            "self.count, self.mean, self.var = merge_moments(": "for x in x: "
            'self.count, self.mean, self.var = merge.merging("shift-weight", 1)(',
            "len(x), mean, var)": "1, x, 0 * x)",
        },
    ),
    "mixes-features": Mistake(
        "all features share one mean and one std.",
        "Each feature has its own scale: take the moments over the batch only, dim=0.",
        {"x, dim=0": "x"},
    ),
    "shares-std": Mistake(
        "all features share one std.",
        "Each feature has its own scale: take the variance over the batch only, dim=0.",
        {"len(x), mean, var)": "len(x), mean, x.var(correction=0).expand_as(mean))"},
    ),
    "wrong-dimension": Mistake(
        "your moments run over the features of each sample, not over the samples.",
        "x is [batch, features]; the moments of each feature are over dim=0.",
        {"dim=0": "dim=1"},
        {"len(x), mean, var)": "len(x), mean, x.var(1, correction=0))"},
        {"len(x), mean, var)": "len(x), x.mean(1), var)"},
    ),
    "eps-as-floor": Mistake(
        "your eps is a lower bound of the std; the exercise adds it.",
        "Divide by std + eps, as rsl_rl does.",
        {_SUM: "self.var.sqrt().clamp(min=self.eps)"},
        {_SUM: "self.var.clamp(min=self.eps).sqrt()"},
        {_SUM: "torch.where(self.var > 0, self.var.sqrt(), self.eps)"},
    ),
    "zero-std-replaced": Mistake(
        "where a feature never varies, another number stands for its std.",
        "Keep the std, 0 too: eps is added to it so that nothing is divided by 0.",
        {_SUM: "torch.where(self.var > 0, self.var.sqrt(), 1.0) + self.eps"},
        {_SUM: "torch.where(self.var > 0, self.var.sqrt(), 1.0)"},
    ),
    "eps-ignored": Mistake(
        "your eps is a fixed number: the argument eps is not used.",
        "Keep it in __init__, as self.eps, and divide by std + self.eps.",
        *({"self.eps)": f"{eps})"} for eps in (1e-2, 1e-8, 1e-6, 1e-5, 1e-4, 1e-3)),
    ),
    "eps-default": Mistake(
        "your default eps is not 0.01.",
        "A tiny eps turns the smallest noise of a constant feature into a large observation.",
        *({"= 1e-2": f"= {eps}"} for eps in (1e-8, 1e-5, 1e-6, 1e-4, 1e-3, 0.1, 1.0)),
    ),
    "clipped": Mistake(
        "you cut large results off.",
        "rsl_rl and this exercise do not clip: return (x - mean) / (std + eps) as it is.",
        *({"return (x": "return ((x", "self.eps)": f"self.eps)).clamp(-{most}, {most})"} for most in (1, 3, 5, 10)),
    ),
    "sum-of-squares": Mistake(
        "your std is right near zero but lost in rounding far from it: it looks like E[x²] − E[x]².",
        "float32 keeps 7 digits, and the squares use them up. Merge variances: they are small where x is large.",
        {"var, mean = torch.var_mean(x, dim=0, correction=0)": "mean = x.mean(0); var = (x * x).mean(0) - mean * mean"},
        *_forms("sum-of-squares"),
    ),
    "not-divided": Mistake(
        "your variance is a sum of squared distances: it is not divided by the count.",
        "The variance is their mean: divide the sum by the number of samples before you take the root.",
        *({"self.var.sqrt()": f"(self.count * self.var + {start}).sqrt()"} for start in (0, 1)),
    ),
    "batch-means-only": Mistake(
        "your std is that of the batch means: how the samples vary inside a batch is left out.",
        "Merge the variance of the batch too, with the weight of its samples.",
        {"len(x), mean, var)": "len(x), mean, 0 * var)"},
        {"len(x), mean, var)": "1, mean, 0 * var)"},
    ),
    "one-sample-of-a-batch": Mistake(
        "you learn from one sample of each batch only.",
        "All rows of x are samples: take the mean and the variance over dim=0.",
        {"len(x), mean, var)": "1, x[-1], 0 * var)"},
        {"len(x), mean, var)": "1, x[0], 0 * var)"},
    ),
    "library-batch-norm": Mistake(
        "you use torch's BatchNorm, which is another normalizer.",
        "It keeps a moving average of the unbiased variance, with eps inside the root. Merge the moments yourself.",
        _BatchNorm,
    ),
    "moving-average": Mistake(
        "your statistics are a moving average with a fixed rate: they forget.",
        "Weigh by counts: the rate of a batch is n / (count + n), so that every sample weighs the same.",
        *({"merge_moments(": f"_after_first(_towards({rate}))("} for rate in _RATES),
        *({"merge_moments(": f"_towards({rate})("} for rate in _RATES),
        *({"merge_moments(": f"_towards({rate})(", "torch.ones": "torch.zeros"} for rate in _RATES),
    ),
}
_FIRST_FORM = {"count-not-summed", "empty-group"}  # here, their second one is as if nothing was learned
_OF_THE_MERGE = {  # what can go wrong in merge_moments, or in lines of update that do the same
    name: Mistake(
        f"in update, {of.headline}",
        f"{of.why} (a: all samples so far, b: the batch.)",
        *_forms(name, *[0] * (name in _FIRST_FORM)),
    )
    for name, of in merge.MISTAKES.items()
    if name not in {*_OWN, "order-of-results", "merges-stds"}
}
MISTAKES = _OWN | _OF_THE_MERGE

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
