"""Exercise ``bootstrap``: add the value that a time-out cuts off."""

import torch

from ..exercise import Answer, Case, Exercise, Mistake, Part


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
    return rewards + gamma * values * time_outs  # a new tensor


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
)


def _bonus(bonus: Part) -> Answer:
    """Another bonus than the discounted value where the time was up, from (rewards, values, time_outs, gamma)."""
    return lambda rewards, values, time_outs, gamma: rewards + bonus(rewards, values, time_outs, gamma)


def _later(values: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
    return torch.cat([values[1:], last.unsqueeze(0)])


MISTAKES = {
    "gamma-missing": Mistake(
        "you add the value without discounting it.",
        "It lies one step in the future: gamma * values.",
        _bonus(lambda r, v, up, gamma: v * up),
    ),
    "everywhere": Mistake(
        "you add the value at every step.",
        "Elsewhere the next rows hold what follows; only a time-out cuts it off. Multiply by time_outs.",
        _bonus(lambda r, v, up, gamma: gamma * v),
        _bonus(lambda r, v, up, gamma: v),
    ),
    "inverted": Mistake(
        "you add the value where the time was not up.",
        "time_outs is 1 where the time was up: multiply by it, not by 1 - time_outs.",
        _bonus(lambda r, v, up, gamma: gamma * v * (1 - up)),
        _bonus(lambda r, v, up, gamma: v * (1 - up)),
    ),
    "subtracted": Mistake(
        "you subtract the value.",
        "The robot would have gone on earning: that is worth something, so add it.",
        _bonus(lambda r, v, up, gamma: -gamma * v * up),
        _bonus(lambda r, v, up, gamma: -v * up),
    ),
    "replaces-reward": Mistake(
        "you put the value in the place of the reward.",
        "The last step earned its reward too: add the two.",
        lambda rewards, values, time_outs, gamma: torch.where(time_outs == 1, gamma * values, rewards),
        lambda rewards, values, time_outs, gamma: torch.where(time_outs == 1, values, rewards),
    ),
    "value-of-next-step": Mistake(
        "you add the value of the next row.",
        "After a time-out the next row is the first of a new episode: rsl_rl takes the value of the step itself.",
        _bonus(lambda r, v, up, gamma: gamma * _later(v, v[-1]) * up),
        _bonus(lambda r, v, up, gamma: gamma * _later(v, 0 * v[-1]) * up),
        _bonus(lambda r, v, up, gamma: gamma * v.roll(-1, 0) * up),
    ),
    "one-step-late": Mistake(
        "you add the value one step late, to the first reward of the next episode.",
        "The value belongs to the step at which the time was up: the same row for all three.",
        _bonus(lambda r, v, up, gamma: gamma * torch.cat([0 * v[:1], (v * up)[:-1]])),
        _bonus(lambda r, v, up, gamma: gamma * (v * up).roll(1, 0)),
        _bonus(lambda r, v, up, gamma: gamma * v * torch.cat([0 * v[:1], up[:-1]])),
    ),
    "one-step-early": Mistake(
        "you add the value one step early.",
        "The value belongs to the step at which the time was up: the same row for all three.",
        _bonus(lambda r, v, up, gamma: gamma * _later(v * up, 0 * v[-1])),
        _bonus(lambda r, v, up, gamma: gamma * v * _later(up, 0 * v[-1])),
    ),
    "discounts-reward": Mistake(
        "you discount the reward too.",
        "The reward is earned now and counts in full; only the value is discounted.",
        lambda rewards, values, time_outs, gamma: gamma * (rewards + values * time_outs),
        lambda rewards, values, time_outs, gamma: rewards * gamma**time_outs + gamma * values * time_outs,
    ),
    "bonus-only": Mistake(
        "you return what is to be added, without the rewards.",
        "Return rewards + gamma * values * time_outs.",
        lambda rewards, values, time_outs, gamma: gamma * values * time_outs,
        lambda rewards, values, time_outs, gamma: values * time_outs,
    ),
    "drops-rewards": Mistake(
        "you lose the rewards of all steps where the time was not up.",
        "time_outs multiplies the value only, not the sum.",
        lambda rewards, values, time_outs, gamma: (rewards + gamma * values) * time_outs,
        lambda rewards, values, time_outs, gamma: (rewards + values) * time_outs,
    ),
    "all-robots": Mistake(
        "when the time is up for one robot you add the value for all.",
        "Each robot has its own clock: multiply by time_outs [time, envs] as it is.",
        _bonus(lambda r, v, up, gamma: gamma * v * up.max(1, keepdim=True).values),
    ),
    "unchanged": Mistake(
        "you return the rewards as they were.",
        "Where the time was up, gamma * values is to be added.",
        lambda rewards, values, time_outs, gamma: rewards,
    ),
}

HINTS = (
    "The time was up, but the robot would have gone on earning. Which number says how much?",
    "The value is what the critic expects from here on. Add it to the reward of the steps where the time was up, and "
    "only there. It lies in the future, so discount it once. The rewards that came in must stay as they were.",
    "`rewards + gamma * values * time_outs`, and not `rewards += …`: the last factor is 0 where the time was not up.",
)

EXERCISE = Exercise(bootstrap, ("reward",), CASES, MISTAKES, HINTS, _draw)
