"""The mistakes that the exercises on Gaussian actions share; all their right answers end in ``each.sum(-1)``."""

from ..exercise import Mistake

_JOIN = "each.sum(-1)"
_LOG_2PI = "0.5 * math.log(2 * math.pi)"


def joining_mistakes(what: str) -> dict[str, Mistake]:
    """The mistakes in putting components together, from [batch, actions] to [batch]."""
    return {
        "mean-over-actions": Mistake(
            "you take the mean over the components of the action, not the sum.",
            "Independent components add up. With the mean, a robot of 12 joints would look like one of a single joint.",
            {_JOIN: "each.mean(-1)"},
        ),
        "per-component": Mistake(
            f"you return one {what} for each component, not one for the whole action.",
            "The components are independent: what belongs to the whole action is the sum, .sum(dim=-1).",
            {_JOIN: "each"},
        ),
        "over-batch": Mistake(
            "you return one number for the whole batch.",
            "Each row is an action of its own: sum over the components only, dim=-1. PPO averages over the rows later.",
            {_JOIN: "each.sum()"},
            {_JOIN: "each.mean()"},
            {_JOIN: "each.sum(-1).mean()"},
            {_JOIN: "each.mean().expand(len(each))"},
            {_JOIN: "each.sum(-1).mean().expand(len(each))"},
        ),
        "wrong-dimension": Mistake(
            "you go over the rows of the batch, not over the components of each action.",
            "The shape is [batch, actions], and the components are the last dimension: .sum(dim=-1).",
            {_JOIN: "each.sum(0)"},
            {_JOIN: "each.mean(0)"},
        ),
        "product": Mistake(
            f"you multiply the components' {what} values.",
            "Densities multiply; their logs, and all that is made of logs, add: .sum(dim=-1).",
            {_JOIN: "each.prod(-1)"},
        ),
        "components-lost": Mistake(
            "some components of the action do not count.",
            "Every component counts. In a loop: does it begin at 0, and is the sum kept from one step to the next?",
            *({_JOIN: new} for new in ("each[:, 0]", "each[:, -1]", "each[:, 1:].sum(-1)", "each[:, :-1].sum(-1)")),
        ),
    }


def constant_mistakes() -> dict[str, Mistake]:
    """The mistakes in the number ½ log 2π."""
    return {
        "constant-not-halved": Mistake(
            "your constant is log 2π: twice what it should be.",
            "The density is divided by √(2π), and the log of a root is half the log: ½ log 2π, about 0.919.",
            {_LOG_2PI: "math.log(2 * math.pi)"},
        ),
        "constant-halved-twice": Mistake(
            "your constant is ¼ log 2π: it is halved twice.",
            "log √(2π) and ½ log 2π are the same number, about 0.919. Take the root or the half, not both.",
            {_LOG_2PI: "0.25 * math.log(2 * math.pi)"},
        ),
        "constant-not-logged": Mistake(
            "your constant is no logarithm: it looks like √(2π), or ½ · 2π, as it stands.",
            "The whole density goes through the log, its constant too: ½ log 2π, about 0.919.",
            {_LOG_2PI: "math.sqrt(2 * math.pi)"},
            {_LOG_2PI: "math.pi"},
        ),
        "constant-of-pi": Mistake(
            "your constant is not ½ log 2π: the 2 is missing, or only one of 2 and π is under the root.",
            "It is ½ log 2π = log √(2π), about 0.919: 2 · π together under the root.",
            {_LOG_2PI: "0.5 * math.log(math.pi)"},
            {_LOG_2PI: "math.log(math.sqrt(2) * math.pi)"},
            {_LOG_2PI: "math.log(2 * math.sqrt(math.pi))"},
        ),
    }
