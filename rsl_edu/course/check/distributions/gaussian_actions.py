"""Mistakes that the exercises on Gaussian actions share. The right answers end in ``each.sum(-1)``."""

from ..exercise import Mistake

_JOIN = "each.sum(-1)"
_LOG_2PI = "0.5 * math.log(2 * math.pi)"


def joining_mistakes(what: str) -> dict[str, Mistake]:
    """The mistakes in combining the components, from [batch, actions] to [batch]."""
    return {
        "mean-over-actions": Mistake(
            "you take the mean over the components of the action, not the sum.",
            "Independent components add up. With the mean, 12 joints would look like a single joint.",
            {_JOIN: "each.mean(-1)"},
        ),
        "per-component": Mistake(
            f"you return one {what} for each component, not one for the complete action.",
            "The components are independent, so the result for the complete action is their sum: .sum(dim=-1).",
            {_JOIN: "each"},
        ),
        "over-batch": Mistake(
            "you return one number for the entire batch.",
            "Each row is a separate action: sum only over the components, dim=-1. PPO averages over the rows later.",
            {_JOIN: "each.sum()"},
            {_JOIN: "each.mean()"},
            {_JOIN: "each.sum(-1).mean()"},
            {_JOIN: "each.mean().expand(len(each))"},
            {_JOIN: "each.sum(-1).mean().expand(len(each))"},
        ),
        "wrong-dimension": Mistake(
            "you sum or average over the rows of the batch, not over the components of each action.",
            "The shape is [batch, actions], so the components are in the last dimension: .sum(dim=-1).",
            {_JOIN: "each.sum(0)"},
            {_JOIN: "each.mean(0)"},
        ),
        "product": Mistake(
            f"you multiply the {what} values of the components.",
            "Densities multiply, but logs add, and so does everything that is computed from logs: .sum(dim=-1).",
            {_JOIN: "each.prod(-1)"},
        ),
        "components-lost": Mistake(
            "you leave out some components of the action.",
            "Every component counts. If you use a loop, does it start at 0, and do you keep the sum between "
            "iterations?",
            *({_JOIN: new} for new in ("each[:, 0]", "each[:, -1]", "each[:, 1:].sum(-1)", "each[:, :-1].sum(-1)")),
        ),
    }


def constant_mistakes() -> dict[str, Mistake]:
    """The mistakes in the constant ½ log 2π."""
    return {
        "constant-not-halved": Mistake(
            "your constant is log 2π, which is twice what it should be.",
            "The density is divided by √(2π), and the log of a root is half the log: ½ log 2π, about 0.919.",
            {_LOG_2PI: "math.log(2 * math.pi)"},
        ),
        "constant-halved-twice": Mistake(
            "your constant is ¼ log 2π, because you halve it twice.",
            "log √(2π) and ½ log 2π are the same number, about 0.919. Use either the root or the ½, not both.",
            {_LOG_2PI: "0.25 * math.log(2 * math.pi)"},
        ),
        "constant-not-logged": Mistake(
            "your constant is not a logarithm: it looks like √(2π) or ½ · 2π.",
            "The log applies to the entire density, including its constant: ½ log 2π, about 0.919.",
            {_LOG_2PI: "math.sqrt(2 * math.pi)"},
            {_LOG_2PI: "math.pi"},
        ),
        "constant-of-pi": Mistake(
            "your constant is not ½ log 2π: the 2 is missing, or either 2 or π is not under the root.",
            "The constant is ½ log 2π = log √(2π), about 0.919, with the product 2 · π under the root.",
            {_LOG_2PI: "0.5 * math.log(math.pi)"},
            {_LOG_2PI: "math.log(math.sqrt(2) * math.pi)"},
            {_LOG_2PI: "math.log(2 * math.sqrt(math.pi))"},
        ),
    }
