"""Exercise ``gaussian_kl``: find the KL divergence from one Gaussian policy to another."""

import math

import torch

from ..exercise import Answer, Case, Exercise, Mistake, Part
from .gaussian_actions import joining_mistakes, total


def gaussian_kl(old_mean: torch.Tensor, old_std: torch.Tensor, mean: torch.Tensor, std: torch.Tensor) -> torch.Tensor:
    """KL(old ‖ new): by how much the log-probability of the old policy's own actions fell, on average.

    Both policies have independent Gaussian components, with means and standard deviations [batch, actions].
    Returns the KL of each whole action, in nats [batch].
    """
    square = old_std**2 + (mean - old_mean) ** 2  # average of (action - mean)² over the old policy's actions
    each = (std / old_std).log() + square / (2 * std**2) - 0.5  # [batch, actions]
    return each.sum(-1)  # independent: KLs add


def _draw(generator: torch.Generator) -> Case:
    old_mean, mean = torch.randn(2, 4, 3, generator=generator)
    old_std, std = 0.3 + 2 * torch.rand(2, 4, 3, generator=generator)
    return Case("random policies", (old_mean, old_std, mean, std), rtol=1e-3)


CASES = (
    Case.of("two equal policies", [[3.0, 0.0]], [[1.0, 2.0]], [[3.0, 0.0]], [[1.0, 2.0]]),
    Case.of("a mean that moved", [[0.0]], [[1.0]], [[2.0]], [[1.0]]),
    Case.of("a std that doubled", [[0.0]], [[1.0]], [[0.0]], [[2.0]]),
    Case.of("two components that both moved", [[0.0, 1.0]], [[1.0, 2.0]], [[2.0, 0.0]], [[2.0, 1.0]]),
    Case.of(
        "three robots",
        [[0.0, 1.0], [2.0, 0.0], [1.0, 1.0]],
        [[1.0, 2.0], [0.5, 1.0], [4.0, 1.0]],
        [[1.0, 1.0], [2.0, 3.0], [0.0, 3.0]],
        [[1.0, 4.0], [1.0, 1.0], [2.0, 0.5]],
    ),
)


class _Policies:
    """The quantities of the KL, under short names, for writing its mistakes in a line each."""

    def __init__(self, old_mean: torch.Tensor, old_std: torch.Tensor, mean: torch.Tensor, std: torch.Tensor) -> None:
        self.old, self.new = old_std, std
        self.far = mean - old_mean
        self.log = (std / old_std).log()
        self.ratio, self.shift = (old_std / std) ** 2, (self.far / std) ** 2
        self.kl = self.with_quotient(self.ratio + self.shift)
        self.reversed = -self.log + 0.5 * (std**2 + self.far**2) / old_std**2 - 0.5  # KL(new ‖ old)

    def with_quotient(self, quotient: torch.Tensor) -> torch.Tensor:
        """The KL with another quotient, whose half counts."""
        return self.log + 0.5 * quotient - 0.5


def _kl(each: Part = lambda p: p.kl, join: Part = total) -> Answer:
    return lambda old_mean, old_std, mean, std: join(each(_Policies(old_mean, old_std, mean, std)))


MISTAKES = {
    "reversed": Mistake(
        "yours is KL(new ‖ old): the policies are swapped.",
        "The actions in the batch come from the old policy, so the mean is over its actions: KL(old ‖ new). "
        "Divide by the new variance.",
        _kl(lambda p: p.reversed),
    ),
    "symmetrised": Mistake(
        "you take both directions together, KL(old ‖ new) and KL(new ‖ old).",
        "Only one of them is meant: KL(old ‖ new), because the actions come from the old policy.",
        _kl(lambda p: p.kl + p.reversed),
        _kl(lambda p: 0.5 * (p.kl + p.reversed)),
    ),
    "minus-half-missing": Mistake(
        "you leave out the -½.",
        "Two equal policies have KL 0: there log(1) + ½ - ½ = 0, for each component. Does yours give that?",
        _kl(lambda p: p.kl + 0.5),
    ),
    "minus-half-once": Mistake(
        "you subtract ½ once for the whole action, not once for each component.",
        "Each component of two equal policies has KL 0: subtract ½ before you sum.",
        _kl(lambda p: p.kl + 0.5, lambda each: each.sum(-1) - 0.5),
    ),
    "half-sign": Mistake(
        "you add ½ where you should subtract it.",
        "Two equal policies have KL 0: log(1) + ½ - ½ = 0.",
        _kl(lambda p: p.kl + 1),
    ),
    "minus-one": Mistake(
        "you subtract 1, not ½.",
        "Either log + ½ · quotient - ½, or log + ½ · (quotient - 1): the ½ and the 1 do not go together.",
        _kl(lambda p: p.kl - 0.5),
    ),
    "log-ratio-inverted": Mistake(
        "the fraction in your logarithm is upside down.",
        "It is log(std / old_std): a wider new policy gives the old actions less density.",
        _kl(lambda p: p.kl - 2 * p.log),
    ),
    "log-ratio-missing": Mistake(
        "your KL leaves out the logarithm of the two stds.",
        "Log-probabilities have a -log std each; their difference is log(std / old_std).",
        _kl(lambda p: p.kl - p.log),
    ),
    "log-ratio-twice": Mistake(
        "your logarithm counts twice: it looks like log(std² / old_std²).",
        "Take log(std / old_std); of variances it would be half of the log.",
        _kl(lambda p: p.kl + p.log),
    ),
    "log-ratio-halved": Mistake(
        "only half of your logarithm arrives.",
        "Inside ½ · (…) it is the log of variances, log(std² / old_std²); alone it is log(std / old_std), in full.",
        _kl(lambda p: p.kl - 0.5 * p.log),
    ),
    "log-ratio-absolute": Mistake(
        "you take the absolute value of the logarithm.",
        "log(std / old_std) is negative where the policy narrows; the sum of all terms is what is never negative.",
        _kl(lambda p: p.kl - p.log + p.log.abs()),
        _kl(lambda p: p.kl - p.log + p.log.clamp(min=0)),
    ),
    "std-as-variance": Mistake(
        "you use stds where variances belong: a square is missing.",
        "The quotient is (old_std² + (mean - old_mean)²) / (2 std²): both stds are squared.",
        _kl(lambda p: p.with_quotient((p.old + p.far**2) / p.new)),
        _kl(lambda p: 0.5 * (p.log + (p.old + p.far**2) / p.new - 1)),
        _kl(lambda p: p.with_quotient((p.old + p.far**2) / p.new**2)),
        _kl(lambda p: p.with_quotient((p.old**2 + p.far**2) / p.new)),
        _kl(lambda p: p.with_quotient(p.old / p.new + p.shift)),
        _kl(lambda p: p.with_quotient(p.ratio + p.far**2 / p.new)),
    ),
    "variance-as-std": Mistake(
        "you put variances in the place of stds.",
        "The inputs are stds, as Normal(mean, std) of torch takes them: square them once, in the quotient.",
        _kl(lambda p: 2 * p.log + 0.5 * (p.old**4 + p.far**2) / p.new**4 - 0.5),
        _kl(lambda p: p.with_quotient((p.old**4 + p.far**2) / p.new**4)),
    ),
    "distance-not-squared": Mistake(
        "the distance of the means is not squared.",
        "It is (mean - old_mean)², whichever way the mean moved.",
        _kl(lambda p: p.with_quotient(p.ratio + p.far / p.new**2)),
        _kl(lambda p: p.with_quotient(p.ratio - p.far / p.new**2)),
        _kl(lambda p: p.with_quotient(p.ratio + p.far.abs() / p.new**2)),
        _kl(lambda p: p.with_quotient(p.ratio + (p.far / p.new).abs())),
    ),
    "distance-missing": Mistake(
        "your KL does not see that the mean moved.",
        "Add (mean - old_mean)² to old_std² above the fraction line.",
        _kl(lambda p: p.with_quotient(p.ratio)),
    ),
    "distance-not-divided": Mistake(
        "the distance of the means is not divided by the new variance.",
        "A shift counts in stds of the new policy: the brackets are round both, (old_std² + distance²) / (2 std²).",
        _kl(lambda p: p.with_quotient(p.ratio + p.far**2)),
        _kl(lambda p: p.with_quotient(p.ratio + 2 * p.far**2)),
    ),
    "old-variance": Mistake(
        "you divide by the old variance.",
        "The actions come from the old policy, but the new one judges them: divide by 2 std² of the new policy.",
        _kl(lambda p: p.with_quotient((p.old**2 + p.far**2) / p.old**2)),
        _kl(lambda p: p.with_quotient((p.new**2 + p.far**2) / p.old**2)),
        _kl(lambda p: p.with_quotient(p.ratio + (p.far / p.old) ** 2)),
    ),
    "quotient-not-halved": Mistake(
        "your quotient has lost its ½.",
        "It is log(std / old_std) + (old_std² + distance²) / (2 std²) - ½: mind the 2 below the fraction line.",
        _kl(lambda p: p.kl + 0.5 * (p.ratio + p.shift)),
        _kl(lambda p: p.kl + 0.5 * p.ratio),
        _kl(lambda p: p.kl + 0.5 * p.shift),
    ),
    "doubled": Mistake(
        "your KL is twice what it should be: a ½ before all of it is missing.",
        "½ · (log(std² / old_std²) + (old_std² + distance²) / std² - 1).",
        _kl(lambda p: 2 * p.kl),
    ),
    "means-only": Mistake(
        "your KL looks only at the means.",
        "The std is part of the policy: a policy that narrows moves too, and its KL says so.",
        _kl(lambda p: 0.5 * p.shift),
        _kl(lambda p: p.shift),
        _kl(lambda p: p.far**2),
        _kl(lambda p: 0.5 * p.far**2),
    ),
    "one-action": Mistake(
        "you compare the log-probabilities of a single action, the old mean.",
        "KL is the mean over all actions that the old policy takes; their scatter adds ½ · (old_std² / std² - 1).",
        _kl(lambda p: p.log + 0.5 * p.shift),
    ),
    "entropy-difference": Mistake(
        "you take the difference of the two entropies.",
        "Policies of the same entropy can want different things: the quotient, with the means in it, is missing.",
        _kl(lambda p: p.log),
        _kl(lambda p: -p.log),
        _kl(lambda p: p.log.abs()),
    ),
    "sign": Mistake(
        "you return minus the KL.",
        "A KL is never negative: it is 0 for equal policies, and positive otherwise.",
        _kl(lambda p: -p.kl),
    ),
    "bits": Mistake(
        "your logarithm has another base: the result is not in nats.",
        "log means the natural one here, torch.log; desired_kl of rsl_rl is in nats, too.",
        _kl(lambda p: p.kl / math.log(2)),
        *(_kl(lambda p, base=base: p.kl - p.log + p.log / math.log(base)) for base in (2, 10)),
    ),
    "eps-in-log": Mistake(
        "your KL of two equal policies is not 0: you add a small number inside the logarithm.",
        "A std is above 0 already, and the rule for the learning rate asks whether the KL is 0: leave it out.",
        *(_kl(lambda p, eps=eps: p.kl - p.log + (p.new / p.old + eps).log()) for eps in (1e-5, 1e-4, 1e-3)),
    ),
    **joining_mistakes(lambda join: _kl(join=join), "KL"),
}

HINTS = (
    "What must the KL of two equal policies be? Try your formula on them before you run the check.",
    "Average the old log-probability minus the new one over the actions of the old policy. Each is −z²/2 − log std, "
    "and a constant that cancels. For actions of the old policy, the mean of (action − old mean)² is the square of the "
    "old std. What is the mean of (action − new mean)²? By hand, for one component: if the mean moves from 0 to 2 and "
    "both stds are 1, the KL is 2; if the std doubles from 1 to 2 and the mean stays, it is 0.693 + 0.125 − 0.5 = "
    "0.318.",
    "`(std / old_std).log() + (old_std**2 + (mean - old_mean) ** 2) / (2 * std**2) - 0.5` is `[batch, actions]`: only "
    "the new policy is in the denominator of the second term, and each component has its own −0.5. Sum over the last "
    "dimension.",
)

EXERCISE = Exercise(gaussian_kl, ("kl",), CASES, MISTAKES, HINTS, _draw)
