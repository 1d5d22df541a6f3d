"""What the exercises on Gaussian actions share: a constant, and the mistakes in joining an action's components."""

import math

import torch

from ..exercise import Mistake, Part

LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)


def total(each: torch.Tensor) -> torch.Tensor:
    """The right way to join the components."""
    return each.sum(-1)


def joining_mistakes(make: Part, what: str) -> dict[str, Mistake]:
    """The mistakes in putting components together, from [batch, actions] to [batch]; the same for all quantities."""
    return {
        "per-component": Mistake(
            f"you return one {what} for each component, not one for the whole action.",
            "The components are independent: what belongs to the whole action is the sum, .sum(dim=-1).",
            make(lambda each: each),
        ),
        "mean-over-actions": Mistake(
            "you take the mean over the components of the action, not the sum.",
            "Independent components add up. With the mean, a robot of 12 joints would look like one of a single joint.",
            make(lambda each: each.mean(-1)),
        ),
        "over-batch": Mistake(
            "you return one number for the whole batch.",
            "Each row is an action of its own: sum over the components only, dim=-1. PPO averages over the rows later.",
            make(lambda each: each.sum()),
            make(lambda each: each.mean()),
            make(lambda each: each.sum(-1).mean()),
            make(lambda each: each.mean().expand(len(each))),
            make(lambda each: each.sum(-1).mean().expand(len(each))),
        ),
        "wrong-dimension": Mistake(
            "you go over the rows of the batch, not over the components of each action.",
            "The shape is [batch, actions], and the components are the last dimension: .sum(dim=-1).",
            make(lambda each: each.sum(0)),
            make(lambda each: each.mean(0)),
        ),
        "product": Mistake(
            f"you multiply the components' {what} values.",
            "Densities multiply; their logs, and all that is made of logs, add: .sum(dim=-1).",
            make(lambda each: each.prod(-1)),
        ),
    }
