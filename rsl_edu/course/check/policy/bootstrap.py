"""Exercise ``bootstrap``: add the value that a time-out cuts off."""

import torch

from ..exercise import Case, Exercise, Mistake


def bootstrap(rewards: torch.Tensor, values: torch.Tensor, time_outs: torch.Tensor, gamma: float) -> torch.Tensor:
    """Give back the value of the time that was cut off: the episode ended, but the robot did not fail.

    Args:
        rewards: Rewards [time, envs]; they stay as they were.
        values: Value of the observation at each step [time, envs].
        time_outs: 1.0 where the time was up, else 0.0 [time, envs].
        gamma: Discount factor, from 0 to 1.

    Returns:
        Rewards [time, envs], plus the discounted value where the time was up.
    """
    cut_off = values * time_outs  # the value where the time was up, else 0
    return rewards + gamma * cut_off  # a new tensor


def _draw(generator: torch.Generator) -> Case:
    rewards, values = torch.randn(2, 6, 3, generator=generator)
    time_outs = (torch.rand(6, 3, generator=generator) < 0.3).float()
    gamma = 0.5 + 0.49 * float(torch.rand((), generator=generator))
    return Case("a random rollout", (rewards, values, time_outs, gamma))


CASES = (
    Case.of(
        "one robot, the time is up at the second of three steps",
        [[1.0], [1.0], [1.0]],
        [[2.0], [8.0], [4.0]],
        [[0.0], [1.0], [0.0]],
        0.5,
    ),
    Case.of("no time-out", [[1.0], [2.0]], [[4.0], [8.0]], [[0.0], [0.0]], 0.5),
    Case.of(
        "two robots, the time is up for the first in the middle",
        [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]],
        [[10.0, 20.0], [30.0, 40.0], [50.0, 60.0]],
        [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]],
        0.9,
    ),
    Case.of(
        "negative numbers, the time is up at the first step",
        [[-0.5], [1.5], [2.0]],
        [[-3.5], [4.0], [-1.0]],
        [[1.0], [0.0], [0.0]],
        0.8,
    ),
    Case.of(
        "two robots, the time is up at the first step, at the last one, and twice",
        [[0.5, -1.0], [-3.0, 2.0], [1.0, 4.0], [-2.0, 3.0]],
        [[-2.0, 1.0], [5.0, 0.3], [6.0, -4.0], [7.0, 9.0]],
        [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 1.0]],
        0.7,
    ),
)


def _shifted(x: torch.Tensor, by: int) -> torch.Tensor:
    """Each row one place later (1) or earlier (-1), with zeros in the row that becomes free."""
    zeros = torch.zeros_like(x[:1])
    return torch.cat([zeros, x[:-1]]) if by == 1 else torch.cat([x[1:], zeros])


def _returns(rewards: torch.Tensor, ends: torch.Tensor, gamma: float) -> torch.Tensor:
    """The discounted sum of the rewards from each step on, up to the end of its episode."""
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
        "It lies one step in the future: gamma * values.",
        {"gamma * ": ""},
    ),
    "everywhere": Mistake(
        "you add the value at every step.",
        "Elsewhere the next rows hold what follows; only a time-out cuts it off. Multiply by time_outs.",
        {" * time_outs": ""},
    ),
    "inverted": Mistake(
        "you add the value where the time was not up.",
        "time_outs is 1 where the time was up: multiply by it, not by 1 - time_outs.",
        {"* time_outs": "* (1 - time_outs)"},
    ),
    "subtracted": Mistake(
        "you subtract the value.",
        "The robot would have gone on earning: that is worth something, so add it.",
        {"rewards + ": "rewards - "},
    ),
    "replaces-reward": Mistake(
        "you put the value in place of the reward.",
        "The last step earned its reward too: add the two.",
        {"return rewards": "return (1 - time_outs) * rewards"},
    ),
    "value-of-next-step": Mistake(
        "you add the value of the next row.",
        "After a time-out the next row is the first of a new episode: rsl_rl takes the value of the step itself.",
        {"= values": "= torch.cat([values[1:], values[-1:]])"},
        {"= values": "= _shifted(values, -1)"},
        {"= values": "= values.roll(-1, 0)"},
    ),
    "value-of-step-before": Mistake(
        "you add the value of the row before.",
        "rsl_rl takes the value of the step at which the time was up: the same row for all three.",
        {"= values": "= torch.cat([values[:1], values[:-1]])"},
        {"= values": "= _shifted(values, 1)"},
        {"= values": "= values.roll(1, 0)"},
    ),
    "value-of-one-row": Mistake(
        "you add the same value at whichever step the time was up.",
        "Each step has its own value: multiply values and time_outs, both [time, envs], as they are.",
        {"= values": "= values[-1]"},
        {"= values": "= values[0]"},
        {"= values": "= values.mean(dim=0)"},
        {"= values": "= values.mean()"},
    ),
    "one-step-late": Mistake(
        "you add the value one step late, to the first reward of the next episode.",
        "The value belongs to the step at which the time was up: the same row for all three.",
        {"values * time_outs": "_shifted(values * time_outs, 1)"},
        {"values * time_outs": "(values * time_outs).roll(1, 0)"},
        {"* time_outs": "* _shifted(time_outs, 1)"},
    ),
    "one-step-early": Mistake(
        "you add the value one step early.",
        "The value belongs to the step at which the time was up: the same row for all three.",
        {"values * time_outs": "_shifted(values * time_outs, -1)"},
        {"values * time_outs": "(values * time_outs).roll(-1, 0)"},
        {"* time_outs": "* _shifted(time_outs, -1)"},
    ),
    "discounts-reward": Mistake(
        "you discount the reward too.",
        "The reward is earned now and counts in full; only the value is discounted.",
        {"return rewards": "return gamma * rewards"},
        {"return rewards": "return gamma**time_outs * rewards"},
    ),
    "bonus-only": Mistake(
        "you return what is to be added, without the rewards.",
        "Return rewards + gamma * values * time_outs.",
        {"rewards + ": ""},
    ),
    "drops-rewards": Mistake(
        "you lose the rewards of all steps where the time was not up.",
        "time_outs multiplies the value only, not the sum.",
        {"return rewards": "return time_outs * rewards"},
    ),
    "all-robots": Mistake(
        "when the time is up for one robot, you add the value for all robots.",
        "Each robot has its own clock: multiply by time_outs [time, envs] as it is.",
        {"* time_outs": "* time_outs.amax(dim=1, keepdim=True)"},
    ),
    "all-steps": Mistake(
        "when the time is up for a robot once, you add the value at all of its steps.",
        "Each step has its own flag: multiply by time_outs [time, envs] as it is.",
        {"* time_outs": "* time_outs.amax(dim=0)"},
    ),
    "mask-as-index": Mistake(
        "you take the 0 and 1 in time_outs for the numbers of rows.",
        "As an index, whole numbers count rows, while bools pick the places where they are True: time_outs.bool().",
        _mask_as_index,
    ),
    "picked-values-everywhere": Mistake(
        "you pick the values where the time was up, and add them to all rewards.",
        "values[mask] is a flat list of those picked. Add it in the same places, rewards[mask] + ..., or multiply by "
        "time_outs.",
        _picked,
    ),
    "first-time-out-only": Mistake(
        "you add the value at the first time-out only.",
        "The time can be up more than once in a rollout, and for each robot: treat every 1 in time_outs.",
        {"* time_outs": "* time_outs * (time_outs.cumsum(dim=0) == 1)"},
        {"* time_outs": "* time_outs * (time_outs.flatten().cumsum(dim=0).reshape(time_outs.shape) == 1)"},
    ),
    "last-step-left-out": Mistake(
        "you leave out the last step of the rollout.",
        "The time can be up at the last step too, and its value is in the same row: no step needs the next one.",
        {"= values": "= torch.cat([values[:-1], 0 * values[-1:]])"},
    ),
    "first-step-left-out": Mistake(
        "you leave out the first step of the rollout.",
        "The time can be up at the first step too, and its value is in the same row: no step needs the one before.",
        {"= values": "= torch.cat([0 * values[:1], values[1:]])"},
    ),
    "negative-values-left-out": Mistake(
        "you leave out values that are negative.",
        "A robot that would have gone on losing reward has a negative value: add it as it is.",
        {"= values": "= values.clamp(min=0)"},
    ),
    "divides-by-one-minus-gamma": Mistake(
        "you divide by 1 - gamma.",
        "That sums up a reward that stays the same forever. A value is such a sum already: discount it once.",
        {"gamma * ": "1 / (1 - gamma) * "},
        {"gamma * ": "gamma / (1 - gamma) * "},
        {"= values": "= rewards", "gamma * ": "1 / (1 - gamma) * "},
    ),
    "discounted-by-time": Mistake(
        "you discount the value by a power of gamma that differs from step to step.",
        "Wherever the time was up, what was cut off lies one step in the future: gamma, without a power.",
        {"gamma * ": "gamma ** torch.arange(len(rewards)).unsqueeze(1) * "},
        {"gamma * ": "gamma ** torch.arange(1, len(rewards) + 1).unsqueeze(1) * "},
        {"gamma * ": "gamma ** torch.arange(len(rewards)).flip(0).unsqueeze(1) * "},
        {"gamma * ": "gamma ** torch.arange(1, len(rewards) + 1).flip(0).unsqueeze(1) * "},
    ),
    "own-value-subtracted": Mistake(
        "you subtract the value of the step itself.",
        "That is a step of the advantages, which come later. Here the reward keeps all of it: only add.",
        {"return rewards": "return rewards - values"},
        {"return rewards": "return rewards - cut_off"},
    ),
    "sums-rewards": Mistake(
        "you sum up the rewards of later steps.",
        "That makes returns, which come later. Here each row stays the reward of its own step.",
        {"rewards + gamma * cut_off": "_returns(rewards + gamma * cut_off, 0 * time_outs, gamma)"},
        {"rewards + gamma * cut_off": "_returns(rewards + gamma * cut_off, time_outs, gamma)"},
    ),
    "multiplied-by-reward": Mistake(
        "you multiply the reward by the value.",
        "The value is reward still to come: add it.",
        {"rewards + ": "rewards * (1 - time_outs) + rewards * "},
        {"rewards + ": "rewards + rewards * "},
    ),
    "fixed-gamma": Mistake(
        "you use a fixed discount factor.",
        "Use the argument gamma: it differs between trainings.",
        *({"gamma * ": f"{fixed} * "} for fixed in (0.99, 0.998, 0.95)),
    ),
    "unchanged": Mistake(
        "you return the rewards as they were.",
        "Where the time was up, gamma * values is to be added.",
        {" + gamma * cut_off": ""},
    ),
}

HINTS = (
    "The time was up, but the robot would have gone on earning. Which number says how much?",
    "The value is what the critic expects from here on. Add it to the reward of the steps where the time was up, and "
    "only there. It lies in the future, so discount it once. The rewards that came in must stay as they were.",
    "`rewards + gamma * values * time_outs`, and not `rewards += …`: the last factor is 0 where the time was not up.",
)

EXERCISE = Exercise(bootstrap, ("reward",), CASES, MISTAKES, HINTS, _draw)
