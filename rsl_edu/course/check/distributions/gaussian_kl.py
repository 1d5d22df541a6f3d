"""Exercise ``gaussian_kl``: find the KL divergence from one Gaussian policy to another."""

import torch

from ..exercise import Case, Exercise, Mistake
from .gaussian_actions import joining_mistakes


def gaussian_kl(old_mean: torch.Tensor, old_std: torch.Tensor, mean: torch.Tensor, std: torch.Tensor) -> torch.Tensor:
    """Compute KL(old ‖ new): by how much the log-probability of the old policy's actions has fallen, on average.

    Both policies have independent Gaussian components, with means and standard deviations [batch, actions].
    Returns the KL of each complete action, in nats [batch].
    """
    square = old_std**2 + (mean - old_mean) ** 2  # average of (action - mean)² over the old policy's actions
    each = (std / old_std).log() + square / (2 * std**2) - 0.5  # [batch, actions]
    return each.sum(-1)  # independent, so KLs add


def _draw(generator: torch.Generator) -> Case:
    old_mean, mean = torch.randn(2, 4, 3, generator=generator)
    old_std, std = 0.3 + 2 * torch.rand(2, 4, 3, generator=generator)
    return Case("random policies", (old_mean, old_std, mean, std), rtol=1e-3)


CASES = (
    Case.of("two equal policies", [[3.0, 0.0]], [[1.0, 2.0]], [[3.0, 0.0]], [[1.0, 2.0]]),
    Case.of("a mean that moved", [[0.0]], [[1.0]], [[2.0]], [[1.0]]),
    Case.of("a std that doubled", [[0.0]], [[1.0]], [[0.0]], [[2.0]]),
    Case.of("two components that both changed", [[0.0, 1.0]], [[1.0, 2.0]], [[2.0, 0.0]], [[2.0, 1.0]]),
    Case.of(
        "three actions with two components each",
        [[0.0, 1.0], [2.0, 0.0], [1.0, 1.0]],
        [[1.0, 2.0], [0.5, 1.0], [4.0, 1.0]],
        [[1.0, 1.0], [2.0, 3.0], [0.0, 3.0]],
        [[1.0, 4.0], [1.0, 1.0], [2.0, 0.5]],
    ),
    Case.of("stds near 0.001", [[0.001]], [[0.001]], [[0.0]], [[0.002]]),
    Case.of(
        "two actions with four components each",
        [[-1.5, 0.3, 2.0, -0.7], [0.4, -2.2, 1.1, -0.6]],
        [[0.3, 1.7, 0.6, 2.6], [1.2, 0.8, 0.45, 3.4]],
        [[-1.9, 2.5, 1.3, -3.1], [-0.5, -1.4, 1.6, 4.2]],
        [[0.5, 1.1, 0.7, 2.1], [1.6, 0.9, 0.35, 2.8]],
    ),
)


_OLD = "= old_std**2"
_FAR = "(mean - old_mean) ** 2"
_SQUARE = f"old_std**2 + {_FAR}"
_RATIO = "std / old_std"
_VARIANCE = "2 * std**2"
_EACH = "(std / old_std).log() + square / (2 * std**2) - 0.5"
_REVERSED = "(old_std / std).log() + (std**2 + (mean - old_mean) ** 2) / (2 * old_std**2) - 0.5"


MISTAKES = {
    "reversed": Mistake(
        "you swap the policies and return KL(new ‖ old).",
        "The actions in the batch come from the old policy, so average over its actions: KL(old ‖ new). Divide by the "
        "new variance.",
        {"    square": "    old_mean, old_std, mean, std = mean, std, old_mean, old_std\n    square"},
    ),
    "minus-half-missing": Mistake(
        "you leave out the -½.",
        "Two equal policies have KL 0: log(1) + ½ - ½ = 0 for each component. Does your formula give 0?",
        {" - 0.5": ""},
    ),
    "quotient-not-halved": Mistake(
        "your quotient has lost its factor ½.",
        "The KL is log(std / old_std) + (old_std² + distance²) / (2 std²) - ½, with a 2 in the denominator.",
        {_VARIANCE: "std**2"},
        {_OLD: "= 2 * old_std**2"},
        {_FAR: f"2 * {_FAR}"},
    ),
    "log-ratio-inverted": Mistake(
        "the fraction in your logarithm is upside down.",
        "The logarithm is log(std / old_std): a wider new policy gives the old actions a lower density.",
        {_RATIO: "old_std / std"},
    ),
    "log-ratio-halved": Mistake(
        "you count only half of the logarithm.",
        "If a ½ is in front of all terms, the log is log(std² / old_std²). Otherwise it is log(std / old_std), not "
        "halved.",
        {".log()": ".log() * 0.5"},
    ),
    "log-ratio-twice": Mistake(
        "your logarithm counts twice: it looks like log(std² / old_std²).",
        "Use log(std / old_std). If you use variances, take half of the log.",
        {".log()": ".log() * 2"},
    ),
    "old-variance": Mistake(
        "you divide by the old variance.",
        "The actions come from the old policy, but their distance from the new mean is measured in stds of the new "
        "policy: divide by 2 std².",
        {_VARIANCE: "2 * old_std**2"},
        {_OLD: "= std**2", _VARIANCE: "2 * old_std**2"},
        {_FAR: f"{_FAR} * std**2 / old_std**2"},
    ),
    "std-as-variance": Mistake(
        "you use a std instead of a variance: a square is missing.",
        "The quotient is (old_std² + (mean - old_mean)²) / (2 std²): both stds are squared.",
        {_OLD: "= old_std", _VARIANCE: "2 * std"},
        {_OLD: "= old_std", _VARIANCE: "2 * std", ".log()": ".log() * 0.5"},
        {_OLD: "= old_std"},
        {_VARIANCE: "2 * std"},
        {_OLD: "= old_std * std"},
        {_FAR: f"{_FAR} * std"},
    ),
    **joining_mistakes("KL"),
    "sign": Mistake(
        "you return minus the KL.",
        "A KL is never negative: it is 0 for equal policies, and positive otherwise.",
        {"return ": "return -"},
    ),
    "doubled": Mistake(
        "your KL is twice what it should be: the ½ in front of all terms is missing.",
        "The KL is ½ · (log(std² / old_std²) + (old_std² + distance²) / std² - 1).",
        {"return ": "return 2 * "},
    ),
    "minus-half-once": Mistake(
        "you subtract ½ once for the complete action, not once for each component.",
        "Each component of two equal policies has KL 0: subtract ½ before you sum.",
        {"- 0.5": "- 0.5 / std.shape[-1]"},
    ),
    "half-sign": Mistake(
        "you add ½ instead of subtracting it.",
        "Two equal policies have KL 0: log(1) + ½ - ½ = 0.",
        {"- 0.5": "+ 0.5"},
    ),
    "minus-one": Mistake(
        "you subtract 1, not ½.",
        "Use either log + ½ · quotient - ½, or log + ½ · (quotient - 1). Do not mix the two.",
        {"- 0.5": "- 1.0"},
    ),
    "log-ratio-missing": Mistake(
        "you leave out the logarithm of the two stds.",
        "Each log-probability contains -log std, and the difference of these terms is log(std / old_std).",
        {"(std / old_std).log() + ": ""},
    ),
    "log-ratio-absolute": Mistake(
        "your logarithm is never negative, because you take its absolute value or limit it to 0.",
        "log(std / old_std) is negative if the policy becomes narrower. Only the sum of all terms is never negative.",
        {".log()": ".log().abs()"},
        {".log()": ".log().relu()"},
    ),
    "ratio-not-logged": Mistake(
        "you add the ratio or the difference of the stds, not the log of their ratio.",
        "The inputs are not log stds: use log(std / old_std), which is log std - log old_std.",
        {".log()": ""},
        {"(std / old_std).log()": "(std - old_std)"},
    ),
    "quotient-of-logs": Mistake(
        "you divide or multiply the logs of the stds.",
        "The log of a fraction is a difference: log(std / old_std) = log std - log old_std.",
        {"(std / old_std).log()": "std.log() / old_std.log()"},
        {"(std / old_std).log()": "std.log() * old_std.log()"},
    ),
    "ratio-squared-twice": Mistake(
        "you square the ratio of the variances, although it is made of squares already.",
        "The ratio is old_std² / std²: square the stds once.",
        {_OLD: "= old_std**4 / std**2"},
    ),
    "variance-as-std": Mistake(
        "you use variances instead of stds.",
        "The inputs are stds, like those that torch's Normal(mean, std) takes: square them once, in the quotient.",
        {_OLD: "= old_std**4", _VARIANCE: "2 * std**4", ".log()": ".log() * 2"},
        {_OLD: "= old_std**4", _VARIANCE: "2 * std**4"},
    ),
    "std-as-log-std": Mistake(
        "you treat the stds as log stds and apply exp to them.",
        "Some networks output the log of the std, but these inputs are the stds themselves.",
        {_OLD: "= old_std.exp() ** 2", _VARIANCE: "2 * std.exp() ** 2", _RATIO: "std.exp() / old_std.exp()"},
        {_OLD: "= old_std.exp() ** 2", _VARIANCE: "2 * std.exp() ** 2"},
    ),
    "distance-missing": Mistake(
        "your KL does not depend on how far the mean moved.",
        "Add (mean - old_mean)² to old_std² in the numerator.",
        {f" + {_FAR}": ""},
    ),
    "distance-not-squared": Mistake(
        "you do not square the distance between the means.",
        "The distance counts as (mean - old_mean)², whichever way the mean moved.",
        {_FAR: "(mean - old_mean)"},
        {_FAR: "(old_mean - mean)"},
        {_FAR: "(mean - old_mean).abs()"},
        {_FAR: "(mean - old_mean).abs() * std"},
    ),
    "distance-not-divided": Mistake(
        "you do not divide the distance between the means by the new variance.",
        "A shift is measured in stds of the new policy. Put both terms into the brackets: (old_std² + distance²) / (2 "
        "std²).",
        {_FAR: f"{_FAR} * {_VARIANCE}"},
        {_FAR: f"{_FAR} * std**2"},
    ),
    "old-variance-not-divided": Mistake(
        "you do not divide the old variance by the new one, because brackets are missing.",
        "a + b / c divides only b. Put both terms into the brackets: (old_std² + distance²) / (2 std²).",
        {_OLD: f"= old_std**2 * {_VARIANCE}"},
        {_OLD: "= old_std**2 * std**2"},
    ),
    "multiplied-by-variance": Mistake(
        "you multiply by the new variance instead of dividing by it.",
        "a / 2 * b divides by 2 but multiplies by b. Put the denominator into brackets: a / (2 * b).",
        {f"({_VARIANCE})": _VARIANCE},
        {f"/ ({_VARIANCE})": f"* {_VARIANCE}"},
    ),
    "quotient-halved-twice": Mistake(
        "your quotient has the factor ¼, not ½.",
        "(2 · std)² is 4 · std². Write (…) / (2 · std²), and square only the std.",
        {_VARIANCE: "4 * std**2"},
    ),
    "square-of-sum": Mistake(
        "you confuse the square of a sum or difference with the sum or difference of squares.",
        "(a - b)² is not a² - b². The numerator is the sum of two squares: old_std² + (mean - old_mean)².",
        {_SQUARE: "(old_std + (mean - old_mean)) ** 2"},
        {_SQUARE: "(old_std + (mean - old_mean).abs()) ** 2"},
        {_FAR: "mean**2 - old_mean**2"},
        {_FAR: "old_mean**2 - mean**2"},
        {_FAR: "mean**2 + old_mean**2"},
    ),
    "std-difference": Mistake(
        "you square the difference of the stds instead of the old std.",
        "The mean of (action - mean)² over the old policy's actions is old_std² + (mean - old_mean)².",
        {_OLD: "= (std - old_std) ** 2"},
    ),
    "symmetrized": Mistake(
        "you combine both directions, KL(old ‖ new) and KL(new ‖ old).",
        "Use only KL(old ‖ new), because the actions come from the old policy.",
        {"    return": f"    each = each + {_REVERSED}\n    return"},
        {"    return": f"    each = 0.5 * (each + {_REVERSED})\n    return"},
    ),
    "means-only": Mistake(
        "your KL compares only the means.",
        "The std is part of the policy: if a policy becomes narrower, it changes too, and the KL must show this.",
        *({_EACH: f"{_FAR} / {below}"} for below in ("(2 * std**2)", "std**2", "1", "2", "(2 * old_std**2)")),
    ),
    "one-action": Mistake(
        "you compare the log-probabilities of a single action, the old mean or the new one.",
        "KL is the mean over all actions of the old policy. Their spread adds ½ · (old_std² / std² - 1).",
        {"old_std**2 + ": "", " - 0.5": ""},
        {_SQUARE: f"-({_FAR})", _VARIANCE: "2 * old_std**2", " - 0.5": ""},
    ),
    "entropy-difference": Mistake(
        "you return the difference of the two entropies.",
        "Policies with the same entropy can have different means: add the quotient, which contains the means.",
        {f" + square / ({_VARIANCE}) - 0.5": ""},
        {_EACH: "(old_std / std).log()"},
        {_EACH: "(old_std / std).log().abs()"},
    ),
    "cross-entropy": Mistake(
        "you return the cross-entropy: you do not subtract the entropy of the old policy.",
        "KL(old ‖ new) is the cross-entropy minus the old entropy. The constants cancel, but -log old_std - ½ remains.",
        {_RATIO: "std", " - 0.5": " + 0.9189385"},
    ),
    "standard-normal": Mistake(
        "you return the KL of a single policy to the standard normal, as in a VAE.",
        "Two policies are given: the formula must contain the mean and std of each.",
        {_EACH: "(std**2 + mean**2) / 2 - std.log() - 0.5"},
        {_EACH: "(old_std**2 + old_mean**2) / 2 - old_std.log() - 0.5"},
        {_EACH: "(std.exp() + mean**2 - std - 1) / 2"},
    ),
    "probabilities": Mistake(
        "you treat means or stds as probabilities: F.kl_div and Σ p log(p / q) are for categories.",
        "Here the densities are Gaussians with given means and stds: use the formula for their KL.",
        *(
            {_EACH: f"torch.nn.functional.kl_div({pair}, reduction='none')"}
            for pair in (
                "old_mean, mean",
                "mean, old_mean",
                "mean.log_softmax(-1), old_mean.softmax(-1)",
                "old_mean.log_softmax(-1), mean.softmax(-1)",
                "std.log(), old_std",
                "old_std.log(), std",
            )
        ),
    ),
    "squared-differences": Mistake(
        "you return the squared differences of the means and stds.",
        "The same shift counts more for a narrow policy: divide by the new variance, and add the logarithm.",
        {_EACH: f"{_FAR} + (std - old_std) ** 2"},
    ),
    "bits": Mistake(
        "your logarithm has the wrong base, so the result is not in nats.",
        "Use the natural logarithm, torch.log: rsl_rl's desired_kl is in nats too.",
        {"return ": "return 1.4426950 * "},
        {".log()": ".log2()"},
        {".log()": ".log10()"},
    ),
    "eps-in-log": Mistake(
        "your KL of two equal policies is not 0, because you add a small number inside the logarithm.",
        "Each std is already above 0, and the rule for the learning rate checks whether the KL is 0: leave the number "
        "out.",
        *({_RATIO: f"std / old_std + {eps}"} for eps in (1e-5, 1e-4, 1e-3, 1e-2)),
    ),
    "eps-in-quotient": Mistake(
        "your KL of two equal policies is not 0, because you add a small number to the denominator.",
        "Each std is already above 0, and the rule for the learning rate checks whether the KL is 0: leave the number "
        "out.",
        *({_VARIANCE: f"2 * std**2 + {eps}"} for eps in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)),
        *({_VARIANCE: f"2 * (std**2 + {eps})"} for eps in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)),
    ),
}

HINTS = (
    "What must the KL of two equal policies be? Try your formula on them before you run the check.",
    "Average the old log-probability minus the new one over the actions of the old policy. Each log-probability is "
    "−z²/2 − log std, plus a constant that cancels. For actions of the old policy, the mean of (action − old mean)² "
    "is the square of the old std. What is the mean of (action − new mean)²? For example, if the mean of one component "
    "moves from 0 to 2 and both stds are 1, the KL is 2. If its std doubles from 1 to 2 and its mean stays the same, "
    "the KL is 0.693 + 0.125 − 0.5 = 0.318.",
    "`(std / old_std).log() + (old_std**2 + (mean - old_mean) ** 2) / (2 * std**2) - 0.5` is `[batch, actions]`. Only "
    "the new policy is in the denominator of the second term, and each component has its own −0.5. Sum over the last "
    "dimension.",
)

SHORTCUTS = (torch.distributions.kl_divergence,)

EXERCISE = Exercise(gaussian_kl, ("kl",), CASES, MISTAKES, HINTS, _draw, shortcuts=SHORTCUTS)
