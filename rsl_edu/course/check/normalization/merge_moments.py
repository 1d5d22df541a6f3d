"""Exercise ``merge_moments``: merge the moments of two groups."""

from functools import cache

import torch

from ..edits import Source
from ..exercise import Answer, Case, Exercise, Mistake


def merge_moments(
    count_a: int, mean_a: torch.Tensor, var_a: torch.Tensor, count_b: int, mean_b: torch.Tensor, var_b: torch.Tensor
) -> tuple[int, torch.Tensor, torch.Tensor]:
    """Merge the statistics of two groups of samples, as if they had been one group (Chan et al., 1979).

    The statistics of a group are its count (``count_a`` may be 0, ``count_b`` is at least 1), its mean [features] and
    its population variance (divided by n, not n−1) [features]. Returns the count, mean and population variance of both
    groups together.
    """
    count = count_a + count_b
    delta = mean_b - mean_a  # [features]; a difference stays accurate in float32 if the means are large
    mean = mean_a + delta * count_b / count  # moves towards group b by its share of the samples
    within = (count_a * var_a + count_b * var_b) / count  # variance within the groups
    between = delta**2 * count_a * count_b / count**2  # variance between the groups
    return count, mean, within + between


def _draw(generator: torch.Generator) -> Case:
    count_a, count_b, far = (int(torch.randint(low, 20, (), generator=generator)) for low in (0, 1, 0))
    mean_a, mean_b = 3 * torch.randn(2, 3, generator=generator) + (1e4 if far < 5 else 0)
    var_a, var_b = 4 * torch.rand(2, 3, generator=generator) + 0.1
    atol = 2e-2 if far < 5 else 1e-5  # near 1e4, neighbouring float32 values are 0.001 apart
    return Case("random groups", (count_a, mean_a, var_a, count_b, mean_b, var_b), rtol=1e-3, atol=atol)


CASES = (
    Case.of("two groups of one sample each", 1, [0.0], [0.0], 1, [2.0], [0.0]),
    Case.of("groups of different sizes", 1, [0.0], [0.0], 3, [4.0], [4.0]),
    Case.of("two features", 2, [1.0, 4.0], [4.0, 1.0], 8, [6.0, -1.0], [9.0, 0.0]),
    Case.of("an empty first group, as at the very first update", 0, [0.0], [1.0], 2, [3.0], [4.0]),
    Case.of("float32 means far from zero", 2, [4096.0], [1.0], 2, [4096.0], [1.0]),
    Case.of(
        "three features, and more samples in the first group",
        *(7, [-1.5, 2.25, 0.75], [0.75, 0.5, 2.4], 4, [0.5, -3.6, 0.9], [1.7, 4.2, 0.3]),
    ),
)


_MEAN = "mean_a + delta * count_b / count"
_WITHIN = "(count_a * var_a + count_b * var_b) / count"
_SHIFT = "delta**2 * count_a * count_b / count**2"
_RATES = (0.5, 0.1, 0.01, 0.05, 0.9, 0.99, 0.001, 0.2, 0.25, 0.02, 0.3, 0.7, 0.8, 0.95, 0.999)


def _scaled(factor: str) -> dict[str, str]:
    """The edit that multiplies the right variance by a factor."""
    return {"within + between": f"(within + between) * {factor}"}


MISTAKES = {
    "count-not-summed": Mistake(
        "your count is the count of only one group.",
        "The merged group contains the samples of both groups: count_a + count_b.",
        {"return count": "return count_b"},
        {"return count": "return count_a"},
    ),
    "counts-groups": Mistake(
        "your count grows by 1 for all of group b.",
        "Group b adds count_b samples: count_a + count_b.",
        {"return count": "return count_a + 1"},
        {"count_a + count_b\n": "count_a + 1\n"},
    ),
    "order-of-results": Mistake(
        "you return the results in the wrong order.",
        "Return the count first, then the mean, then the variance.",
        {"return count, mean, within + between": "return mean, within + between, count"},
        {"return count, mean, within + between": "return mean, count, within + between"},
        {"mean, within + between": "within + between, mean"},
    ),
    "no-shift": Mistake(
        "your variance leaves out the distance between the two means.",
        "Different means add variance even if neither group varies: the term is delta² · count_a · count_b / count².",
        {"delta**2": "0 * delta"},
        {_WITHIN: "(var_a + var_b) / 2", "delta**2": "0 * delta"},
    ),
    "unweighted-mean": Mistake(
        "your mean is the plain average of the two means, as if the groups had the same size.",
        "A group of 3 samples counts three times as much as a single sample: weight the means by the counts.",
        {_MEAN: "(mean_a + mean_b) / 2"},
    ),
    "weights-swapped": Mistake(
        "each of your means has the weight of the other group.",
        "Start at mean_a, and move the fraction count_b / count of the way to mean_b.",
        {"delta * count_b": "delta * count_a"},
    ),
    "delta-sign": Mistake(
        "your mean moves away from mean_b, because the difference has the wrong sign.",
        "With delta = mean_b - mean_a, the new mean is mean_a + delta * count_b / count.",
        {"mean_a + delta": "mean_a - delta"},
    ),
    "single-sample-step": Mistake(
        "your mean moves by delta / count, which is the step for a single new sample.",
        "Group b adds count_b samples, so the step is delta * count_b / count.",
        {"delta * count_b": "delta"},
    ),
    "share-added": Mistake(
        "you add count_b / count to the distance between the means, instead of multiplying.",
        "The step is a fraction of the distance: delta * count_b / count.",
        {"delta * count_b": "delta + count_b"},
    ),
    "old-count": Mistake(
        "your mean moves by count_b / count_a of the distance, because you divide by the count of group a.",
        "Divide by the count of both groups: the step is delta * count_b / (count_a + count_b).",
        {_MEAN: "mean_a + delta * count_b / count_a"},
        {_MEAN: "mean_a + delta * count_b / max(count_a, 1)"},
    ),
    "share-rounded": Mistake(
        "you round the share of group b down to an integer, so your mean stays at mean_a.",
        "`//` rounds down. The share is a fraction: count_b / count.",
        {_MEAN: "mean_a + delta * (count_b // count)"},
    ),
    "fraction-inverted": Mistake(
        "your mean moves by count / count_b of the distance, which is beyond mean_b.",
        "The fraction is upside down: the share of group b is count_b / count.",
        {_MEAN: "mean_a + delta * count / count_b"},
    ),
    "means-added": Mistake(
        "your mean is the sum of the two means.",
        "The mean lies between the two means: start at mean_a, and move the fraction count_b / count of the way "
        "to mean_b.",
        {_MEAN: "mean_a + mean_b"},
    ),
    "mean-not-divided": Mistake(
        "your mean is a sum, and you do not divide all of it by the count.",
        "Divide the entire sum: (count_a * mean_a + count_b * mean_b) / count, with brackets.",
        {_MEAN: "count_a * mean_a + count_b * mean_b"},
        {_MEAN: "count_a * mean_a + count_b * mean_b / count"},
        {_MEAN: "mean_a + delta * count_b"},
    ),
    "mean-over-features": Mistake(
        "your features share one mean.",
        "Each feature has its own mean: do not sum or average over the features.",
        {_MEAN: "(mean_a + delta * count_b / count).mean().expand_as(mean_a)"},
        {_MEAN: "mean_a + delta.mean() * count_b / count"},
        {_MEAN: "mean_a.mean() + delta.mean() * count_b / count + 0 * mean_a"},
    ),
    "absolute-delta": Mistake(
        "your mean can only grow, because you drop the sign of the difference between the means.",
        "If mean_b is smaller than mean_a, the mean must decrease: use mean_b - mean_a, without abs.",
        {_MEAN: "mean_a + abs(delta) * count_b / count"},
    ),
    "overwrites": Mistake(
        "you return only group b, so the samples of group a are lost.",
        "Both groups count: group b is only one batch of many.",
        {_MEAN: "mean_b"},
    ),
    "never-learns": Mistake(
        "you return only group a, so the samples of group b are lost.",
        "Start at mean_a, and move the fraction count_b / count of the way to mean_b.",
        {_MEAN: "mean_a"},
    ),
    "empty-group": Mistake(
        "if group a is empty, you return its mean and variance.",
        "If count_a is 0, the result is group b, because group a has no samples. The formula needs no `if` for this.",
        {
            "return count, mean, within + between": "return (count, mean, within + between) if count_a else "
            "(count, mean_a, var_a)"
        },
        {
            "return count, mean, within + between": "return (count, mean, within + between) if count_a else "
            "(count_a, mean_a, var_a)"
        },
    ),
    "first-variance-lost": Mistake(
        "if group a is empty, your variance is not the variance of group b.",
        "If count_a is 0, the result is group b, including its variance. The formula gives exactly that, without "
        "an `if`.",
        *(
            {"within + between": f"(within + between if count_a else torch.{made}_like(var_b))"}
            for made in ("zeros", "ones")
        ),
    ),
    "unbiased-variance": Mistake(
        "your variance is the unbiased one (n−1).",
        "The inputs are population variances (divided by n), and the output must be a population variance too.",
        {_WITHIN: "(count_a * var_a + count_b * var_b) / (count - 1)", "/ count**2": "/ count / (count - 1)"},
        {
            _WITHIN: "((count_a - 1) * var_a + (count_b - 1) * var_b) / (count - 1)",
            "/ count**2": "/ count / (count - 1)",
        },
        {_WITHIN: "(count_a * var_a + count_b * var_b) / (count - 1)"},
        {_WITHIN: "((count_a - 1) * var_a + (count_b - 1) * var_b) / (count - 1)"},
        {_WITHIN: "((count_a - 1) * var_a + (count_b - 1) * var_b) / count"},
        {_WITHIN: "((count_a - 1) * var_a + (count_b - 1) * var_b) / (count - 2)"},
        {_WITHIN: "((count_a - 1) * var_a + (count_b - 1) * var_b) / max(count - 2, 1)"},
    ),
    "unweighted-variance": Mistake(
        "your variance uses the plain average of the two variances, as if the groups had the same size.",
        "Weight the variances by the counts, (count_a · var_a + count_b · var_b) / count, then add the term with "
        "delta².",
        {_WITHIN: "(var_a + var_b) / 2"},
    ),
    "variances-added": Mistake(
        "your variance adds a variance without its weight.",
        "Weight each variance by its count: (count_a · var_a + count_b · var_b) / count. Are there brackets around "
        "the sum?",
        {_WITHIN: "var_a + var_b"},
        {_WITHIN: "var_a + count_b * var_b / count"},
        {_WITHIN: "count_a * var_a / count + var_b"},
        {_WITHIN: "(var_a + var_b) / count"},
        {_WITHIN: "count_a * var_a + count_b * var_b / count"},
        {_WITHIN: "(var_a + count_b * var_b) / count"},
        {_WITHIN: "count_a * var_a + count_b * var_b"},
    ),
    "variance-weights-swapped": Mistake(
        "each of your variances has the weight of the other group.",
        "var_a belongs to count_a: (count_a · var_a + count_b · var_b) / count. Then add the term with delta².",
        {_WITHIN: "(count_b * var_a + count_a * var_b) / count"},
    ),
    "variance-weights-squared": Mistake(
        "you weight the two variances by the squares of the shares.",
        "Squared shares belong to the variance of a weighted sum. Here, use count_a / count and count_b / count.",
        {_WITHIN: "(count_a**2 * var_a + count_b**2 * var_b) / count**2"},
    ),
    "variance-overwritten": Mistake(
        "your variance leaves out how the samples of group a vary.",
        "Both groups vary: (count_a · var_a + count_b · var_b) / count. Then add the term with delta².",
        {_WITHIN: "var_b"},
        {_WITHIN: "var_b", "delta**2": "0 * delta"},
        {_WITHIN: "count_b * var_b / count"},
        {"within + between": "var_b + (mean_b - mean) ** 2"},
    ),
    "old-count-overwritten": Mistake(
        "your variance uses the count of both groups instead of the count of group a.",
        "Give the sum a different name, because count_a must stay the count of group a until the end.",
        {"count = count_a + count_b": "count = count_a = count_a + count_b"},
    ),
    "means-only": Mistake(
        "your variance is the variance of the two means: you leave out how the samples vary within each group.",
        "Add the weighted average of the two variances, (count_a · var_a + count_b · var_b) / count.",
        {_WITHIN: "0 * var_a"},
    ),
    "shift-not-squared": Mistake(
        "your variance adds the distance between the means without squaring it.",
        "A variance has the unit of x², so add a term with delta², not with delta.",
        {"delta**2": "delta"},
        {"delta**2": "-delta"},
        {"delta**2": "abs(delta)"},
    ),
    "shift-subtracted": Mistake(
        "your variance subtracts the term for the distance between the means.",
        "The further apart the groups are, the larger the variance is: add delta² · count_a · count_b / count².",
        {"within + between": "within - between"},
        {"within + between": "(within - between).clamp(min=0)"},
    ),
    "shift-from-new-mean": Mistake(
        "your delta² uses a distance from the new mean, but its weight is for the distance between the two old means.",
        "With the weight count_a · count_b / count², delta is mean_b - mean_a. Do you overwrite mean_a too early?",
        {"delta**2": "(mean_b - mean) ** 2"},
        {"delta**2": "(mean_a - mean) ** 2"},
    ),
    "shift-weight": Mistake(
        "your variance adds delta² with the wrong weight.",
        "The weight is count_a · count_b / count², which is symmetric in a and b and at most a quarter.",
        {_SHIFT: "delta**2 * count_a * count_b / count"},
        {_SHIFT: "delta**2 * count_b / count"},
        {_SHIFT: "delta**2 * count_a / count"},
        {_SHIFT: "delta**2"},
        {_SHIFT: "delta**2 * count_a * count_b"},
        {_SHIFT: "delta**2 / count"},
        {_SHIFT: "(delta * count_a * count_b / count) ** 2"},
        {_SHIFT: "delta**2 / count**2"},
        {_SHIFT: "delta**2 / 4"},
        {_SHIFT: "delta**2 / 2"},
        {_SHIFT: "delta**2 * (count_a * count_b / count**2) ** 2"},
        {_SHIFT: "delta**2 * count_b * count_a**2 / count**3"},
        {_SHIFT: "delta**2 * count_a * count_b**2 / count**3"},
        {_SHIFT: "delta**2 * (count_a / count) ** 2"},
        {_SHIFT: "delta**2 * (count_b / count) ** 2"},
        {_SHIFT: "(mean_a - mean) ** 2 + (mean_b - mean) ** 2"},
        {_SHIFT: "((mean_a - mean) ** 2 + (mean_b - mean) ** 2) / count"},
        {_SHIFT: "((mean_a - mean) ** 2 + (mean_b - mean) ** 2) / 2"},
    ),
    "shift-mixes-features": Mistake(
        "your variance of one feature depends on the other features.",
        "Each feature has its own variance: do not sum or average over the features.",
        {"delta**2": "(delta**2).sum()"},
        {"delta**2": "(delta**2).mean()"},
        {"delta**2": "delta.mean() ** 2"},
    ),
    "sum-of-squares": Mistake(
        "your variance is right near zero but inaccurate far from zero: it looks like E[x²] − E[x]².",
        "float32 has 7 digits, so 4096² + 1 is rounded to 4096². Subtract the means first, then square.",
        {"within + between": "(count_a * (var_a + mean_a**2) + count_b * (var_b + mean_b**2)) / count - mean**2"},
    ),
    "mean-square": Mistake(
        "your variance is the mean of x², without subtracting the square of the mean.",
        "A variance is measured from the mean: add delta² · count_a · count_b / count² to the average of the "
        "variances.",
        {"within + between": "(count_a * (var_a + mean_a**2) + count_b * (var_b + mean_b**2)) / count"},
    ),
    "returns-std": Mistake(
        "you return the standard deviation instead of the variance.",
        "Leave out the root: variances can be merged, standard deviations cannot.",
        {"within + between": "(within + between).sqrt()"},
    ),
    "merges-stds": Mistake(
        "you merge standard deviations as if they were variances.",
        "var_a and var_b are already variances: do not take a root, and do not square them.",
        {_WITHIN: "(count_a * var_a**0.5 + count_b * var_b**0.5) / count"},
        {_WITHIN: "((count_a * var_a**0.5 + count_b * var_b**0.5) / count) ** 2"},
        {_WITHIN: "(count_a * var_a**2 + count_b * var_b**2) / count"},
    ),
    "returns-sum": Mistake(
        "you return the sum of squared distances, without dividing by the count.",
        "The variance is the mean squared distance: divide the sum by count_a + count_b.",
        _scaled("count"),
    ),
    "moving-average": Mistake(
        "you move a fixed fraction of the way from group a to group b, whatever the counts are.",
        "The fraction is the share of group b: count_b / count.",
        *(
            {_MEAN: f"mean_a + {rate} * delta", _WITHIN: f"var_a + {rate} * (var_b - var_a)", "delta**2": "0 * delta"}
            for rate in _RATES
            if rate != 0.5
        ),
    ),
}


@cache
def merging(mistake: str, form: int = 0) -> Answer:
    """Return the function that merges with one of the mistakes.

    Args:
        mistake: Key of the mistake.
        form: Index of the form.
    """
    source, edits = Source.of(merge_moments), MISTAKES[mistake].forms[form]
    assert not callable(edits)
    return source.answer(source.find(edits))


HINTS = (
    "Imagine all samples of both groups in one list. What is the mean of this list? For which two reasons do its "
    "samples differ?",
    "The mean lies between `mean_a` and `mean_b`, closer to the mean of the larger group. The variance is the "
    "weighted average of the two variances, plus a term for the distance between the two means. For example, "
    "merge one sample at 0 with three samples whose mean is 4 and whose variance is 4. The mean is 3. The variance is "
    "6: the variance within the groups contributes 3, and the distance between their means contributes 3.",
    "Compute `delta = mean_b - mean_a` and `mean = mean_a + delta * count_b / count`. Add `delta**2 * count_a * "
    "count_b / count**2` to the weighted average of the variances. If you divide only by `count`, an empty group a "
    "needs no special case: the result is group b, whatever `mean_a` and `var_a` contain.",
)

EXERCISE = Exercise(merge_moments, ("count", "mean", "var"), CASES, MISTAKES, HINTS, _draw)
