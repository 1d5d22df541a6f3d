"""Exercise ``bootstrap``: add the value that a time-out cuts off."""

import torch

from ..exercise import Case, Exercise, Mistake


def bootstrap(rewards: torch.Tensor, values: torch.Tensor, time_outs: torch.Tensor, gamma: float) -> torch.Tensor:
    """Add the value that a time-out cuts off: the episode ended, but the robot did not fail.

    Args:
        rewards: Rewards [time, envs], which must not be changed.
        values: Value of the observation at each step [time, envs].
        time_outs: 1.0 if the time was up at this step, else 0.0 [time, envs].
        gamma: Discount factor, from 0 to 1.

    Returns:
        Rewards [time, envs], plus the discounted value at each time-out.
    """
    cut_off = values * time_outs  # the value at a time-out, else 0
    return rewards + gamma * cut_off  # a new tensor


def _draw(generator: torch.Generator) -> Case:
    rewards, values = torch.randn(2, 6, 3, generator=generator)
    time_outs = (torch.rand(6, 3, generator=generator) < 0.3).float()
    gamma = 0.5 + 0.49 * float(torch.rand((), generator=generator))
    return Case("a random rollout", (rewards, values, time_outs, gamma))


CASES = (
    Case.of(
        "one environment, a time-out at the second of three steps",
        [[1.0], [1.0], [1.0]],
        [[2.0], [8.0], [4.0]],
        [[0.0], [1.0], [0.0]],
        0.5,
    ),
    Case.of("no time-out", [[1.0], [2.0]], [[4.0], [8.0]], [[0.0], [0.0]], 0.5),
    Case.of(
        "two environments, a time-out of the first in the middle and of the second at the end",
        [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]],
        [[10.0, 20.0], [30.0, 40.0], [50.0, 60.0]],
        [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]],
        0.9,
    ),
    Case.of(
        "negative numbers, a time-out at the first step",
        [[-0.5], [1.5], [2.0]],
        [[-3.5], [4.0], [-1.0]],
        [[1.0], [0.0], [0.0]],
        0.8,
    ),
    Case.of(
        "two environments, time-outs at the first step, at the last step, and two in one environment",
        [[0.5, -1.0], [-3.0, 2.0], [1.0, 4.0], [-2.0, 3.0]],
        [[-2.0, 1.0], [5.0, 0.3], [6.0, -4.0], [7.0, 9.0]],
        [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 1.0]],
        0.7,
    ),
)


def _shifted(x: torch.Tensor, by: int) -> torch.Tensor:
    """Shift each row one step later (1) or earlier (-1), and fill the free row with zeros."""
    zeros = torch.zeros_like(x[:1])
    return torch.cat([zeros, x[:-1]]) if by == 1 else torch.cat([x[1:], zeros])


def _returns(rewards: torch.Tensor, ends: torch.Tensor, gamma: float) -> torch.Tensor:
    """Sum the discounted rewards from each step to the end of its episode."""
    total, sums = torch.zeros_like(rewards[0]), []
    for reward, end in zip(rewards.flip(0), ends.flip(0), strict=True):
        total = reward + gamma * (1 - end) * total
        sums.append(total)
    return torch.stack(sums).flip(0)


def _mask_as_index(rewards: torch.Tensor, values: torch.Tensor, time_outs: torch.Tensor, gamma: float) -> torch.Tensor:
    result, rows = rewards.clone(), time_outs.long()
    result[rows] += gamma * values[rows]
    return result


def _picked(rewards: torch.Tensor, values: torch.Tensor, time_outs: torch.Tensor, gamma: float) -> torch.Tensor:
    return rewards + gamma * values[time_outs.bool()]


MISTAKES = {
    "gamma-missing": Mistake(
        "you add the value without discounting it.",
        "The value is one step in the future: gamma * values.",
        {"gamma * ": ""},
    ),
    "everywhere": Mistake(
        "you add the value at every step.",
        "At other steps, the next rows contain the later rewards. Only a time-out cuts them off: multiply by "
        "time_outs.",
        {" * time_outs": ""},
    ),
    "inverted": Mistake(
        "you add the value at every step except the time-outs.",
        "time_outs is 1 at a time-out: multiply by it, not by 1 - time_outs.",
        {"* time_outs": "* (1 - time_outs)"},
    ),
    "subtracted": Mistake(
        "you subtract the value.",
        "The robot would have kept earning rewards. The value is what these rewards are worth, so add it.",
        {"rewards + ": "rewards - "},
    ),
    "replaces-reward": Mistake(
        "you replace the reward with the value.",
        "The last step earned its reward too: add the value to the reward.",
        {"return rewards": "return (1 - time_outs) * rewards"},
    ),
    "value-of-next-step": Mistake(
        "you add the value of the next row.",
        "After a time-out, the next row belongs to a new episode. So rsl_rl uses the value of the step itself.",
        {"= values": "= torch.cat([values[1:], values[-1:]])"},
        {"= values": "= _shifted(values, -1)"},
        {"= values": "= values.roll(-1, 0)"},
    ),
    "value-of-step-before": Mistake(
        "you add the value of the previous row.",
        "rsl_rl uses the value of the step with the time-out: take rewards, values and time_outs from the same row.",
        {"= values": "= torch.cat([values[:1], values[:-1]])"},
        {"= values": "= _shifted(values, 1)"},
        {"= values": "= values.roll(1, 0)"},
    ),
    "value-of-one-row": Mistake(
        "you add the same value, no matter at which step the time was up.",
        "Each step has its own value: multiply values by time_outs, entry by entry. Both are [time, envs].",
        {"= values": "= values[-1]"},
        {"= values": "= values[0]"},
        {"= values": "= values.mean(dim=0)"},
        {"= values": "= values.mean()"},
    ),
    "one-step-late": Mistake(
        "you add the value one step late, to the first reward of the next episode.",
        "The value belongs to the step with the time-out: take rewards, values and time_outs from the same row.",
        {"values * time_outs": "_shifted(values * time_outs, 1)"},
        {"values * time_outs": "(values * time_outs).roll(1, 0)"},
        {"* time_outs": "* _shifted(time_outs, 1)"},
    ),
    "one-step-early": Mistake(
        "you add the value one step early.",
        "The value belongs to the step with the time-out: take rewards, values and time_outs from the same row.",
        {"values * time_outs": "_shifted(values * time_outs, -1)"},
        {"values * time_outs": "(values * time_outs).roll(-1, 0)"},
        {"* time_outs": "* _shifted(time_outs, -1)"},
    ),
    "discounts-reward": Mistake(
        "you discount the reward too.",
        "The reward is earned now and counts in full. Discount only the value.",
        {"return rewards": "return gamma * rewards"},
        {"return rewards": "return gamma**time_outs * rewards"},
    ),
    "bonus-only": Mistake(
        "you return only what should be added to the rewards.",
        "Return rewards + gamma * values * time_outs.",
        {"rewards + ": ""},
    ),
    "drops-rewards": Mistake(
        "you lose the rewards of all steps without a time-out.",
        "Multiply only the value by time_outs, not the sum.",
        {"return rewards": "return time_outs * rewards"},
    ),
    "all-robots": Mistake(
        "if the time is up in one environment, you add the value in all environments.",
        "Each environment has its own time-outs: multiply by time_outs, and keep its shape, [time, envs].",
        {"* time_outs": "* time_outs.amax(dim=1, keepdim=True)"},
    ),
    "all-steps": Mistake(
        "if the time is up in an environment once, you add the value at all steps of this environment.",
        "Each step has its own flag: multiply by time_outs, and keep its shape, [time, envs].",
        {"* time_outs": "* time_outs.amax(dim=0)"},
    ),
    "mask-as-index": Mistake(
        "you use the 0 and 1 in time_outs as row numbers.",
        "As an index, integers select rows, but booleans select the entries where they are True: time_outs.bool().",
        _mask_as_index,
    ),
    "picked-values-everywhere": Mistake(
        "you select the values at the time-outs, and add them to all rewards.",
        "values[mask] is a flat list of the selected values. Add it to the same entries, rewards[mask] + ..., or "
        "multiply by time_outs.",
        _picked,
    ),
    "first-time-out-only": Mistake(
        "you add the value only at the first time-out.",
        "There can be several time-outs in a rollout, and in each environment: use every 1 in time_outs.",
        {"* time_outs": "* time_outs * (time_outs.cumsum(dim=0) == 1)"},
        {"* time_outs": "* time_outs * (time_outs.flatten().cumsum(dim=0).reshape(time_outs.shape) == 1)"},
    ),
    "last-step-left-out": Mistake(
        "you leave out the last step of the rollout.",
        "The time can be up at the last step too. Its value is in the same row, so you do not need the next row.",
        {"= values": "= torch.cat([values[:-1], 0 * values[-1:]])"},
    ),
    "first-step-left-out": Mistake(
        "you leave out the first step of the rollout.",
        "The time can be up at the first step too. Its value is in the same row, so you do not need the previous row.",
        {"= values": "= torch.cat([0 * values[:1], values[1:]])"},
    ),
    "negative-values-left-out": Mistake(
        "you leave out negative values.",
        "The value is negative if the robot would have kept losing reward: add it unchanged.",
        {"= values": "= values.clamp(min=0)"},
    ),
    "divides-by-one-minus-gamma": Mistake(
        "you divide by 1 - gamma.",
        "Dividing by 1 - gamma sums a constant reward forever. A value is already a sum of rewards: discount it once.",
        {"gamma * ": "1 / (1 - gamma) * "},
        {"gamma * ": "gamma / (1 - gamma) * "},
        {"= values": "= rewards", "gamma * ": "1 / (1 - gamma) * "},
    ),
    "discounted-by-time": Mistake(
        "you discount the value by a power of gamma that differs from step to step.",
        "At every time-out, what was cut off is one step in the future: use gamma, without a power.",
        {"gamma * ": "gamma ** torch.arange(len(rewards)).unsqueeze(1) * "},
        {"gamma * ": "gamma ** torch.arange(1, len(rewards) + 1).unsqueeze(1) * "},
        {"gamma * ": "gamma ** torch.arange(len(rewards)).flip(0).unsqueeze(1) * "},
        {"gamma * ": "gamma ** torch.arange(1, len(rewards) + 1).flip(0).unsqueeze(1) * "},
    ),
    "own-value-subtracted": Mistake(
        "you subtract the value of the step itself.",
        "The values are subtracted later, in the advantages. Here, only add the bootstrapped value to the reward.",
        {"return rewards": "return rewards - values"},
        {"return rewards": "return rewards - cut_off"},
    ),
    "sums-rewards": Mistake(
        "you add up the rewards of later steps.",
        "Sums of rewards are returns, which come later. Here, each row contains only the reward of its own step.",
        {"rewards + gamma * cut_off": "_returns(rewards + gamma * cut_off, 0 * time_outs, gamma)"},
        {"rewards + gamma * cut_off": "_returns(rewards + gamma * cut_off, time_outs, gamma)"},
    ),
    "multiplied-by-reward": Mistake(
        "you multiply the reward by the value.",
        "The value stands for rewards that are still to come: add it.",
        {"rewards + ": "rewards * (1 - time_outs) + rewards * "},
        {"rewards + ": "rewards + rewards * "},
    ),
    "fixed-gamma": Mistake(
        "you use a fixed discount factor.",
        "Use the argument gamma, because it differs between training runs.",
        *({"gamma * ": f"{fixed} * "} for fixed in (0.99, 0.998, 0.95)),
    ),
    "unchanged": Mistake(
        "you return the rewards unchanged.",
        "At each time-out, add gamma * values.",
        {" + gamma * cut_off": ""},
    ),
}

HINTS = (
    "The time was up, but the robot would have kept earning rewards. Which number estimates what those rewards are "
    "worth?",
    "The value is what the critic expects from this step on. Add it to the reward of each step at which the time was "
    "up, and to no other reward. The value is in the future, so discount it once. The rewards that were passed in "
    "must not change.",
    "Return `rewards + gamma * values * time_outs`. Do not use `rewards += …`, which would change the argument. The "
    "last factor is 0 at all steps without a time-out.",
)

EXERCISE = Exercise(bootstrap, ("reward",), CASES, MISTAKES, HINTS, _draw)
