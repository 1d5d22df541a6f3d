"""Exercise ``discounted_return_scale``: find the scale of rewards."""

import torch

from ..exercise import Answer, Case, Exercise, Mistake, Part


def discounted_return_scale(rewards: torch.Tensor, dones: torch.Tensor, gamma: float) -> torch.Tensor:
    """Standard deviation of the discounted sums of rewards: the number that rewards are divided by.

    R_t = gamma * R_{t-1} * (1 - done_{t-1}) + r_t, from R_{-1} = 0, for each environment.

    Args:
        rewards: Rewards r [time, envs].
        dones: 1.0 where this step was the last of an episode, else 0.0 [time, envs].
        gamma: Discount factor, from 0 to 1.

    Returns:
        Population standard deviation of R over time and environments: one number.
    """
    total, sums = torch.zeros_like(rewards[0]), []  # [envs]
    for reward, done in zip(rewards, dones, strict=True):
        total = gamma * total + reward
        sums.append(total)
        total = total * (1 - done)  # the next step starts a new episode
    return torch.stack(sums).std(correction=0)


def _draw(generator: torch.Generator) -> Case:
    rewards = 2 * torch.randn(8, 3, generator=generator) + 1
    dones = (torch.rand(8, 3, generator=generator) < 0.3).float()
    gamma = 0.5 + 0.49 * float(torch.rand((), generator=generator))
    return Case("random rewards", (rewards, dones, gamma), rtol=1e-3)


CASES = (
    Case.of("one robot and no episode end", [[8.0], [0.0]], [[0.0], [0.0]], 0.5),
    Case.of("an episode end", [[2.0], [4.0], [2.0], [4.0]], [[0.0], [1.0], [0.0], [0.0]], 1.0),
    Case.of(
        "two robots whose episodes end at different steps",
        [[1.0, 8.0], [2.0, 0.0], [5.0, 4.0], [0.0, 2.0], [3.0, 6.0]],
        [[0.0, 1.0], [0.0, 0.0], [1.0, 0.0], [0.0, 0.0], [0.0, 1.0]],
        0.5,
    ),
)


def _sums(rewards: torch.Tensor, dones: torch.Tensor, gamma: float, step: Part) -> torch.Tensor:
    total, was_done, sums = torch.zeros_like(rewards[0]), torch.zeros_like(rewards[0]), []
    for r, done in zip(rewards, dones, strict=True):
        total = step(total, r, was_done, done, gamma)
        was_done = done
        sums.append(total)
    return torch.stack(sums)  # [time, envs]


def _right(total: torch.Tensor, r: torch.Tensor, was: torch.Tensor, done: torch.Tensor, gamma: float) -> torch.Tensor:
    return gamma * total * (1 - was) + r


def _step(step: Part) -> Answer:
    return lambda rewards, dones, gamma: _sums(rewards, dones, gamma, step).std(correction=0)


def _scale(scale: Part) -> Answer:
    return lambda rewards, dones, gamma: scale(_sums(rewards, dones, gamma, _right), rewards)


def _to_go(reset: bool) -> Answer:
    """Backwards in time, where an episode starts at its end."""
    step = _step(lambda total, r, _, start, gamma: gamma * total * (1 - start * reset) + r)
    return lambda rewards, dones, gamma: step(rewards.flip(0), dones.flip(0), gamma)


MISTAKES = {
    "rewards-std": Mistake(
        "you take the std of the rewards, not of their discounted sums.",
        "The value function predicts discounted sums; it is their scale that should be about 1.",
        *(_scale(lambda sums, r, n=n: r.std(correction=n)) for n in (0, 1)),
    ),
    "no-reset": Mistake(
        "your sums run on across the end of an episode.",
        "After a done, the next step starts a new sum: multiply what is carried over by (1 - done).",
        _step(lambda total, r, was, done, gamma: gamma * total + r),
    ),
    "resets-early": Mistake(
        "your sums start anew one step early, at the last step of the episode.",
        "done_t says that step t was the last: its reward still belongs to the episode. Reset after adding it.",
        _step(lambda total, r, was, done, gamma: gamma * total * (1 - done) + r),
    ),
    "drops-last-reward": Mistake(
        "your sum at the last step of an episode is 0.",
        "Store the sum first, then reset what is carried over.",
        _step(lambda total, r, was, done, gamma: (gamma * total + r) * (1 - done)),
    ),
    "resets-all": Mistake(
        "the end of one robot's episode resets the sums of all robots.",
        "Each environment ends on its own: multiply by 1 - done [envs], not by one number.",
        _step(lambda total, r, was, done, gamma: gamma * total * (1 - was.max()) + r),
    ),
    "resets-inverted": Mistake(
        "your sums are kept where an episode ended and cleared everywhere else.",
        "Multiply by (1 - done), not by done.",
        _step(lambda total, r, was, done, gamma: gamma * total * was + r),
    ),
    "reward-to-go": Mistake(
        "your sums run backwards in time: they are the rewards to come.",
        "The scale is learned while the robots run, when only past rewards are known: sum forwards.",
        _to_go(reset=True),
        _to_go(reset=False),
    ),
    "discounts-from-start": Mistake(
        "you discount by the time since the start: gamma**t * r_t.",
        "Old rewards fade, not new ones: gamma multiplies the sum so far, the newest reward counts in full.",
        lambda rewards, dones, gamma: (
            (gamma ** torch.arange(len(rewards))[:, None] * rewards).cumsum(0).std(correction=0)
        ),
    ),
    "no-discount": Mistake(
        "your sums are not discounted.",
        "gamma multiplies the sum so far, at every step.",
        _step(lambda total, r, was, done, gamma: total * (1 - was) + r),
    ),
    "gamma-on-reward": Mistake(
        "gamma multiplies the new reward.",
        "Only the sum so far is discounted: gamma * R + r.",
        _step(lambda total, r, was, done, gamma: gamma * (total * (1 - was) + r)),
        _step(lambda total, r, was, done, gamma: total * (1 - was) + gamma * r),
    ),
    "moving-average": Mistake(
        "your sums are a moving average, with (1 - gamma) before the reward.",
        "A return is a sum: gamma * R + r.",
        _step(lambda total, r, was, done, gamma: gamma * total * (1 - was) + (1 - gamma) * r),
    ),
    "std-per-step": Mistake(
        "you take the std over the environments at each step, then the mean over time.",
        "With one robot that is 0, and it is small for robots in step. Take one std over time and environments.",
        *(_scale(lambda sums, r, n=n: sums.std(dim=1, correction=n).mean()) for n in (0, 1)),
        _scale(lambda sums, r: sums.std(dim=1, correction=0)),
    ),
    "std-per-robot": Mistake(
        "you take the std over time of each robot, then the mean over robots.",
        "That loses what differs between robots. Take one std over time and environments.",
        *(_scale(lambda sums, r, n=n: sums.std(dim=0, correction=n).mean()) for n in (0, 1)),
        _scale(lambda sums, r: sums.std(dim=0, correction=0)),
    ),
    "averages-robots": Mistake(
        "you average over the robots before you take the std.",
        "Averaging hides what differs between robots, the more the more there are. Take one std over all sums.",
        _scale(lambda sums, r: sums.mean(dim=1).std(correction=0)),
    ),
    "last-step-only": Mistake(
        "you take the std of the last step's sums only.",
        "All sums count, of every step and environment.",
        _scale(lambda sums, r: sums[-1].std(correction=0)),
    ),
    "unbiased-std": Mistake(
        "your std is the unbiased one (n−1), torch's default.",
        "The running statistics use the population std (n): correction=0.",
        _scale(lambda sums, r: sums.std()),
    ),
    "variance-for-std": Mistake(
        "you return the variance.",
        "Rewards are divided by the std, which has their unit: take the root.",
        _scale(lambda sums, r: sums.var(correction=0)),
    ),
    "root-mean-square": Mistake(
        "you take the root of the mean square: the mean of the sums is not subtracted.",
        "The std measures the distance from the mean, not from zero.",
        _scale(lambda sums, r: sums.square().mean().sqrt()),
    ),
    "returns-normalized": Mistake(
        "you return normalized rewards, not the number to divide by.",
        "Return the scale alone. And nothing is subtracted from rewards: a shifted reward is another task.",
        _scale(lambda sums, r: r / sums.std(correction=0)),
        _scale(lambda sums, r: sums / sums.std(correction=0)),
        _scale(lambda sums, r: (r - r.mean()) / sums.std(correction=0)),
        _scale(lambda sums, r: (r - sums.mean()) / sums.std(correction=0)),
        _scale(lambda sums, r: (sums - sums.mean()) / sums.std(correction=0)),
    ),
}

HINTS = (
    "Write down the discounted sums of one environment for four steps by hand, with a done at the second. Which "
    "numbers go into the std?",
    "Go through time with a loop, and carry one sum for each environment, `[envs]`: discount it, add the reward, and "
    "store it; only then clear it where the episode ended. By hand: rewards 2, 4, 2, 4, a done at the second step and "
    "a gamma of 1 give 2, 6, 2, 6, whose std is 2.",
    "`total = gamma * total + reward`; store `total`; `total = total * (1 - done)`. At the end: "
    "`torch.stack(sums).std(correction=0)`, because by default torch divides by n − 1.",
)

EXERCISE = Exercise(discounted_return_scale, ("scale",), CASES, MISTAKES, HINTS, _draw)
