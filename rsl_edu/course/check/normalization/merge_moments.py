"""Exercise ``merge_moments``: merge the moments of two groups."""

from typing import Any

import torch

from ..exercise import Answer, Case, Exercise, Mistake, Part


def merge_moments(
    count_a: int, mean_a: torch.Tensor, var_a: torch.Tensor, count_b: int, mean_b: torch.Tensor, var_b: torch.Tensor
) -> tuple[int, torch.Tensor, torch.Tensor]:
    """Merge the statistics of two groups of samples, as if they had been one group (Chan et al., 1979).

    A group is its count (``count_a`` may be 0, ``count_b`` is at least 1), its mean [features] and its population
    variance (divided by n, not n−1) [features]. Returns the count, mean and population variance of both together.
    """
    count = count_a + count_b
    delta = mean_b - mean_a  # [features]; a difference, so that float32 keeps its digits where means are large
    mean = mean_a + delta * count_b / count  # group b pulls by its share of the samples
    within = (count_a * var_a + count_b * var_b) / count  # how much each group varies
    between = delta**2 * count_a * count_b / count**2  # how far apart the groups are
    return count, mean, within + between


def _draw(generator: torch.Generator) -> Case:
    count_a, count_b, far = (int(torch.randint(low, 20, (), generator=generator)) for low in (0, 1, 0))
    mean_a, mean_b = 3 * torch.randn(2, 3, generator=generator) + (1e4 if far < 5 else 0)
    var_a, var_b = 4 * torch.rand(2, 3, generator=generator) + 0.1
    atol = 2e-2 if far < 5 else 1e-5  # float32 rounds a mean of 1e4 to thousandths
    return Case("random groups", (count_a, mean_a, var_a, count_b, mean_b, var_b), rtol=1e-3, atol=atol)


CASES = (
    Case.of("two groups of one sample each", 1, [0.0], [0.0], 1, [2.0], [0.0]),
    Case.of("groups of different size", 1, [0.0], [0.0], 3, [4.0], [4.0]),
    Case.of("two features", 2, [1.0, 4.0], [4.0, 1.0], 8, [6.0, -1.0], [9.0, 0.0]),
    Case.of("an empty first group, as at the very first update", 0, [0.0], [1.0], 2, [3.0], [4.0]),
    Case.of("float32 means far from zero", 2, [4096.0], [1.0], 2, [4096.0], [1.0]),
)


class _Groups:
    """The quantities of the merge, under short names, for writing its mistakes in a line each."""

    def __init__(self, *inputs: Any) -> None:
        self.na, self.ma, self.va, self.nb, self.mb, self.vb = inputs
        self.n, self.mean, self.var = merge_moments(*inputs)
        self.delta = self.mb - self.ma
        self.within = (self.na * self.va + self.nb * self.vb) / self.n


def merging(count: Part = lambda g: g.n, mean: Part = lambda g: g.mean, var: Part = lambda g: g.var) -> Answer:
    """A merge with some part done wrong."""

    def answer(*inputs: Any) -> tuple[Any, Any, Any]:
        groups = _Groups(*inputs)
        return count(groups), mean(groups), var(groups)

    return answer


MISTAKES = {
    "count-not-summed": Mistake(
        "your count is that of one group only.",
        "The merged group holds the samples of both: count_a + count_b.",
        merging(count=lambda g: g.nb),
        merging(count=lambda g: g.na),
    ),
    "unweighted-mean": Mistake(
        "your mean is the mean of the two means, as if the groups had the same size.",
        "A group of 3 samples pulls three times as hard as a single sample: weigh by the counts.",
        merging(mean=lambda g: (g.ma + g.mb) / 2),
    ),
    "weights-swapped": Mistake(
        "each of your means carries the weight of the other group.",
        "On the way from mean_a to mean_b, go the share that group b has: count_b / count.",
        merging(mean=lambda g: (g.nb * g.ma + g.na * g.mb) / g.n),
    ),
    "delta-sign": Mistake(
        "your mean moves away from mean_b: the difference has the wrong sign.",
        "With delta = mean_b - mean_a, the new mean is mean_a plus its share of delta.",
        merging(mean=lambda g: g.ma - g.delta * g.nb / g.n),
    ),
    "single-sample-step": Mistake(
        "your mean moves by delta / count, which is the step for one new sample.",
        "Group b brings count_b samples at once: the step is delta * count_b / count.",
        merging(mean=lambda g: g.ma + g.delta / g.n),
    ),
    "overwrites": Mistake(
        "you return group b alone: what group a knew is lost.",
        "Both groups count; the last batch is one of many.",
        merging(mean=lambda g: g.mb),
    ),
    "no-shift": Mistake(
        "your variance leaves out the distance between the two means.",
        "Two groups that do not vary inside still differ from each other: add delta² · count_a · count_b / count².",
        merging(var=lambda g: g.within),
        merging(var=lambda g: (g.va + g.vb) / 2),
    ),
    "unbiased-variance": Mistake(
        "your variance is the unbiased one (n−1).",
        "The running update needs the population variance (n): the inputs have it, and so must the output.",
        merging(var=lambda g: g.var * g.n / (g.n - 1)),
        merging(var=lambda g: ((g.na - 1) * g.va + (g.nb - 1) * g.vb + g.delta**2 * g.na * g.nb / g.n) / (g.n - 1)),
    ),
    "unweighted-variance": Mistake(
        "your variance takes the plain mean of the two variances, as if the groups had the same size.",
        "Weigh them by the counts, (count_a · var_a + count_b · var_b) / count, then add the shift of the means.",
        merging(var=lambda g: (g.va + g.vb) / 2 + g.var - g.within),
    ),
    "variance-weights-swapped": Mistake(
        "each of your variances carries the weight of the other group.",
        "var_a belongs to count_a: (count_a · var_a + count_b · var_b) / count, then add the shift of the means.",
        merging(var=lambda g: (g.nb * g.va + g.na * g.vb) / g.n + g.var - g.within),
    ),
    "shift-not-squared": Mistake(
        "your variance adds the distance of the means without squaring it.",
        "A variance has the unit of x²; so has delta².",
        merging(var=lambda g: g.within + g.delta * g.na * g.nb / g.n**2),
    ),
    "shift-weight": Mistake(
        "your variance adds delta² with the wrong weight.",
        "The weight is count_a · count_b / count²: symmetric, and at most a quarter.",
        merging(var=lambda g: g.within + g.delta**2 * g.na * g.nb / g.n),
        merging(var=lambda g: g.within + g.delta**2 * g.nb / g.n),
        merging(var=lambda g: g.within + g.delta**2 * g.na / g.n),
        merging(var=lambda g: g.within + g.delta**2),
        merging(var=lambda g: g.within + g.delta**2 * g.nb * g.na**2 / g.n**3),
        merging(var=lambda g: g.within + g.delta**2 / 4),
    ),
    "sum-of-squares": Mistake(
        "your variance is right near zero but lost in rounding far from it: it looks like E[x²] − E[x]².",
        "float32 keeps 7 digits: 4096² + 1 is 4096². Subtract the means first, then square.",
        merging(var=lambda g: (g.na * (g.va + g.ma**2) + g.nb * (g.vb + g.mb**2)) / g.n - g.mean**2),
    ),
    "returns-std": Mistake(
        "you return the standard deviation in the place of the variance.",
        "Leave out the root: variances can be merged, standard deviations cannot.",
        merging(var=lambda g: g.var.sqrt()),
    ),
    "merges-stds": Mistake(
        "you merge standard deviations as if they were variances.",
        "var_a and var_b are variances already: neither root nor square is needed.",
        merging(var=lambda g: (g.na * g.va.sqrt() + g.nb * g.vb.sqrt()) / g.n + g.var - g.within),
        merging(var=lambda g: ((g.na * g.va.sqrt() + g.nb * g.vb.sqrt()) / g.n) ** 2 + g.var - g.within),
        merging(var=lambda g: (g.na * g.va**2 + g.nb * g.vb**2) / g.n + g.var - g.within),
    ),
    "returns-sum": Mistake(
        "you return the sum of squared distances: the division by the count is missing.",
        "The variance is the mean squared distance: divide the sum by count_a + count_b.",
        merging(var=lambda g: g.var * g.n),
    ),
}

HINTS = (
    "Imagine all samples of both groups in one list. What is its mean? Which two things make its samples differ?",
    "The mean lies between `mean_a` and `mean_b`, closer to the larger group. The variance is the weighted mean of the "
    "two variances, plus a term for the distance between the two means. By hand: merge one sample at 0 with three "
    "samples whose mean is 4 and whose variance is 4. The mean is 3. The variance is 6: 3 from within the groups, and "
    "3 from between them.",
    "`delta = mean_b - mean_a`; `mean = mean_a + delta * count_b / count`; the term to add to the weighted mean of the "
    "variances is `delta**2 * count_a * count_b / count**2`. If you divide by `count` only, an empty group a needs no "
    "special case: the result is group b, whatever `mean_a` and `var_a` hold.",
)

EXERCISE = Exercise(merge_moments, ("count", "mean", "var"), CASES, MISTAKES, HINTS, _draw)
