"""Exercise ``gaussian_entropy``: find the entropy of a Gaussian policy."""

import math

import torch

from ..exercise import Case, Exercise, Mistake
from .gaussian_actions import constant_mistakes, joining_mistakes


def gaussian_entropy(std: torch.Tensor) -> torch.Tensor:
    """Compute the entropy of actions whose components are independent Gaussians.

    The entropy is the mean of the log-probability, with a minus sign.

    Args:
        std: Standard deviations of the components, all above 0 [batch, actions].

    Returns:
        Entropy of each complete action, in nats [batch].
    """
    each = std.log() + 0.5 + 0.5 * math.log(2 * math.pi)  # [batch, actions]; z² is 1 on average
    return each.sum(-1)  # independent, so entropies add


def _draw(generator: torch.Generator) -> Case:
    return Case("random stds", (0.05 + 3 * torch.rand(4, 3, generator=generator),), rtol=1e-3)


CASES = (
    Case.of("a std of 1", [[1.0]]),
    Case.of("a std of 2", [[2.0]]),
    Case.of("an action with two components", [[1.0, 2.0]]),
    Case.of("a small std, which gives a negative entropy", [[0.1]]),
    Case.of("three actions with two components each", [[1.0, 2.0], [0.5, 1.0], [0.1, 4.0]]),
    Case("thirty components; the product of their stds is too small for float32", (torch.full((1, 30), 0.01),)),
    Case.of("two actions with four components each", [[0.3, 1.7, 0.05, 2.6], [1.2, 0.0001, 0.7, 3.4]]),
)


_LOG_2PI = "0.5 * math.log(2 * math.pi)"
_EACH = f"std.log() + 0.5 + {_LOG_2PI}"


MISTAKES = {
    "half-missing": Mistake(
        "you leave out a ½, so you return minus the log-probability of the mean.",
        "Actions vary around the mean, so z²/2 is ½ on average: add ½ for each component.",
        {"() + 0.5": "()"},
    ),
    "constant-missing": Mistake(
        "you leave out the constant ½ log 2π.",
        "Entropy is minus the mean log-probability, which contains -½ log 2π for each component.",
        {f" + {_LOG_2PI}": ""},
    ),
    "log-std-only": Mistake(
        "you return only the log of the std.",
        "The log of the std has the right gradient, but not the right value: add ½ + ½ log 2π, about 1.419, for each "
        "component.",
        {f" + 0.5 + {_LOG_2PI}": ""},
    ),
    "constant-once": Mistake(
        "you add a constant once for the complete action, not once for each component.",
        "Each component is a separate Gaussian: compute log std + ½ + ½ log 2π for each, then sum.",
        {"() + 0.5": "() + 0.5 / std.shape[-1]", "2 * math.pi)": "2 * math.pi) / std.shape[-1]"},
        {"2 * math.pi)": "2 * math.pi) / std.shape[-1]"},
        {"() + 0.5": "() + 0.5 / std.shape[-1]"},
    ),
    "std-as-variance": Mistake(
        "you treat the std as a variance, so only half of its log counts.",
        "Use ½ log(2πe · variance) with variance = std², or log std without a ½.",
        {"std.log": "0.5 * std.log"},
    ),
    "variance-as-std": Mistake(
        "you use the variance instead of the std, so the log counts twice.",
        "torch's Normal(mean, std) takes the std itself. In the formula, use log std or ½ log std².",
        {"std.log": "2 * std.log"},
    ),
    **joining_mistakes("entropy"),
    "log-std-sign": Mistake(
        "your entropy decreases if the std grows.",
        "A wider Gaussian is less certain, so log std is added.",
        {"std.log": "-std.log"},
    ),
    "sign": Mistake(
        "you return minus the entropy.",
        "Entropy is minus the mean log-probability. PPO's loss adds its own minus sign later.",
        {"return ": "return -"},
    ),
    "not-halved": Mistake(
        "your entropy is twice what it should be: it looks like log(2πe · std²).",
        "The std is the root of the variance, and the log of a root is half the log: ½ log(2πe · std²).",
        {"return ": "return 2 * "},
    ),
    **constant_mistakes(),
    "constant-sign": Mistake(
        "you subtract the constant ½ log 2π.",
        "The log-probability contains -½ log 2π, and entropy reverses its sign: add ½ log 2π.",
        {f"+ {_LOG_2PI}": f"- {_LOG_2PI}"},
    ),
    "half-sign": Mistake(
        "you subtract ½ instead of adding it.",
        "Entropy is minus the mean of -z²/2 - …, and z² is 1 on average: add ½.",
        {"() + 0.5": "() - 0.5"},
    ),
    "one-for-half": Mistake(
        "you add 1 instead of ½.",
        "z²/2 is ½ on average. Use either ½ · (1 + log 2π) + log std, or ½ + ½ log 2π + log std.",
        {"() + 0.5": "() + 1.0"},
    ),
    "halves-missing": Mistake(
        "you add 1 + log 2π, without the ½ before this sum.",
        "The entropy is log std + ½ · (1 + log 2π), which is about 1.419 more than log std.",
        {f"0.5 + {_LOG_2PI}": "1.0 + math.log(2 * math.pi)"},
    ),
    "std-not-logged": Mistake(
        "you add the std itself, not its log.",
        "The input is the std, not the log std. Doubling a std must add log 2 = 0.69 nats: take the log of the std.",
        {"std.log": "std.clone"},
        {"std.log": "2 * std.clone"},
        {"std.log": "std.square"},
    ),
    "times-std": Mistake(
        "you multiply the constant by the std or by its log, but the log of a product is a sum.",
        "In ½ log(2πe · std²), the std is inside the log, so the result is ½ + ½ log 2π + log std.",
        *({_EACH: f"(0.5 + {_LOG_2PI}) * {std}"} for std in ("std", "std**2", "std.log()", "2 * std.log()")),
    ),
    "never-negative": Mistake(
        "your entropy never falls below 0.",
        "Entropies of dice are never negative, but entropies of densities can be: a Gaussian with a std below 0.24 "
        "has negative entropy. Do not limit the result.",
        {"    return": "    each = each.relu()\n    return"},
        {"  # independent": ".relu()  # independent"},
        {"    return": "    each = each.abs()\n    return"},
        {"  # independent": ".abs()  # independent"},
    ),
    "log-std-absolute": Mistake(
        "your entropy does not fall for a std below 1, because its log counts as positive or as 0.",
        "log std is negative for a std below 1, and should be: a narrow Gaussian is more certain.",
        {"std.log": "std.log().abs"},
        {"std.log": "std.log().relu"},
    ),
    "bits": Mistake(
        "your logarithm has the wrong base, so the result is not in nats.",
        "Use the natural logarithm, torch.log. log2 gives bits, and a bit is 0.69 nats.",
        *({"return ": f"return 1 / math.log({base}) * "} for base in (2, 10)),
        *({"std.log": f"std.log{base}"} for base in (2, 10)),
        *({"std.log": f"std.log{base}", "math.log(": f"math.log{base}("} for base in (2, 10)),
    ),
    "one-point": Mistake(
        "you compute -p · log p at a single point, the mean.",
        "Entropy is the mean of -log p over all actions. For a Gaussian, this is log std + ½ + ½ log 2π.",
        {"() + 0.5": "()", "    return": "    each = each * (-each).exp()\n    return"},
    ),
    "log-probability": Mistake(
        "you return the log-probability of the mean.",
        "Entropy is minus the average log-probability of all actions, not the value for a single action.",
        {"() + 0.5": "()", "return ": "return -"},
    ),
    "probabilities": Mistake(
        "you treat the stds as probabilities, as in -Σ p log p.",
        "A std is the width of a density. The entropy of this density is an integral: log std + ½ + ½ log 2π for each "
        "component.",
        {_EACH: "-std * std.log()"},
        {_EACH: "-std / std.sum(-1, keepdim=True) * (std / std.sum(-1, keepdim=True)).log()"},
        {_EACH: "-std.softmax(-1) * std.log_softmax(-1)"},
    ),
    "product-underflows": Mistake(
        "you take the log of the product of all stds, which rounds to 0 if there are many joints.",
        "The product of 30 stds of 0.01 is 1e-60, which rounds to 0. Take the log of each std first, then add.",
        {"std.log()": "(0 * std + std.prod(-1, keepdim=True).log() / std.shape[-1])"},
    ),
    "log-of-sum": Mistake(
        "you combine the stds or variances of the components first, and then take one log.",
        "The result is not a sum of entropies. Take the log of each std first, then sum over the components.",
        *(
            {"std.log": f"{joined}.log", **more}
            for more in ({}, {"  # independent": " / std.shape[-1]  # independent"})
            for joined in (
                "std.sum(-1, keepdim=True)",
                "std.norm(dim=-1, keepdim=True)",
                "std.mean(-1, keepdim=True)",
                "(std**2).mean(-1, keepdim=True).sqrt()",
            )
        ),
        *(
            {"std.log": f"{joined}.expand_as(std).log"}
            for joined in ("std.mean(-1, keepdim=True)", "(std**2).mean(-1, keepdim=True).sqrt()")
        ),
        {"std.log": "1 / std.shape[-1] * std.sum(-1, keepdim=True).expand_as(std).log"},
    ),
    "number-added": Mistake(
        "you add a number to the std before you take its log.",
        "Each std is already above 0, and for a small std this number makes the largest difference: leave it out.",
        *({"std.log": f"(std + {number}).log"} for number in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1)),
    ),
    "other-distribution": Mistake(
        "you return the entropy of a uniform or Laplace distribution with this std or scale.",
        "For a Gaussian, the entropy is log std + ½ + ½ log 2π for each component.",
        {_EACH: "(std * math.sqrt(12)).log()"},
        {_EACH: "1 + (2 * std).log()"},
    ),
}

HINTS = (
    "Entropy is minus the average of the log-probability. Which term of the log-probability depends on the action?",
    "The log-probability of one component is −z²/2 − log std − ½ log 2π, with z = (action − mean) / std. The average "
    "of z² is 1, whatever the std is. For example, a std of 1 gives 1.419 nats, a std of 2 gives 1.419 + log 2 = "
    "2.112, and a std of 0.1 gives −0.884. An action that has three components with these stds has the sum of the "
    "three entropies, 2.647.",
    "`std.log() + 0.5 + 0.5 * math.log(2 * math.pi)` is `[batch, actions]` and contains one entropy for each "
    "component. Sum these over the last dimension.",
)

SHORTCUTS = (torch.distributions.Normal.entropy, torch.distributions.MultivariateNormal.entropy)

EXERCISE = Exercise(gaussian_entropy, ("entropy",), CASES, MISTAKES, HINTS, _draw, shortcuts=SHORTCUTS)
