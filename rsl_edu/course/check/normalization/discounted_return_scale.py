"""Exercise ``discounted_return_scale``: find the scale of rewards."""

import torch

from ..exercise import Case, Exercise, Mistake


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
    Case.of(
        "three robots, with negative rewards, two ends in a row and one at the last step",
        [[1.5, -0.7, 2.3], [-2.2, 0.4, -1.1], [0.9, 3.6, 0.2], [-0.3, -1.8, 4.1], [2.6, 0.8, -3.7], [-1.4, 5.2, 0.6]],
        [[0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]],
        0.8,
    ),
    Case.of("large rewards that hardly differ, and a gamma of 0", [[4096.0], [4096.5], [4097.0]], [[0.0]] * 3, 0.0),
    Case.of("a single step", [[1.5, -2.0]], [[0.0, 1.0]], 0.9),
)


_STACK = "torch.stack(sums)"
_ADD = "gamma * total + reward"
_RESET = "total * (1 - done)"
_STD = ".std(correction=0)"
_LOOP = "zip(rewards, dones, strict=True)"


MISTAKES = {
    "rewards-std": Mistake(
        "you take the std of the rewards, not of their discounted sums.",
        "The value function predicts discounted sums; it is their scale that should be about 1.",
        {_STACK: "rewards"},
    ),
    "no-reset": Mistake(
        "your sums run on across the end of an episode.",
        "After a done, the next step starts a new sum: multiply what is carried over by (1 - done).",
        {_RESET: "total"},
    ),
    "unbiased-std": Mistake(
        "your std is the unbiased one (n−1), torch's default.",
        "The running statistics use the population std (n): correction=0.",
        {"(correction=0)": "()"},
    ),
    "resets-early": Mistake(
        "your sums start anew one step early, at the last step of the episode.",
        "done_t says that step t was the last: its reward still belongs to the episode. Reset after adding it.",
        {"gamma * total": "gamma * total * (1 - done)", _RESET: "total"},
        {"gamma * total": "gamma * total * (1 - done)"},
    ),
    "drops-last-reward": Mistake(
        "your sum at the last step of an episode is 0.",
        "Store the sum first, then reset what is carried over by total = total * (1 - done): `total *= 1 - done` and "
        "`total[done] = 0` would also change the sum that is stored.",
        {"sums.append(total)": "sums.append(total * (1 - done))"},
    ),
    "last-step-only": Mistake(
        "you take the std of the last step's sums only.",
        "All sums count. If you do store all: `total *= gamma` and `total += reward` change those stored already.",
        {_STACK: "sums[-1]"},
        {_STACK: "torch.stack([sums[-1]] * len(sums))"},
    ),
    "aliased-sums": Mistake(
        "you take the std of what is carried over after the last step; the sums before it are lost.",
        "All sums count. If you do store all: `total *= gamma` changes those stored already. Append total.clone().",
        {_STACK: "total"},
        {_STACK: "torch.stack([total] * len(sums))"},
    ),
    "variance-for-std": Mistake(
        "you return the variance.",
        "Rewards are divided by the std, which has their unit: take the root.",
        {".std": ".var"},
    ),
    "sum-of-squares": Mistake(
        "your std is right near zero but lost in rounding far from it: it looks like the root of E[x²] − E[x]².",
        "float32 keeps 7 digits: 4096² + 1 is 4096². Use std, which subtracts the mean first.",
        {
            "return torch.stack(sums).std(correction=0)": "s = torch.stack(sums)\n"
            "    return (s.square().mean() - s.mean() ** 2).clamp(min=0).sqrt()"
        },
    ),
    "root-mean-square": Mistake(
        "you take the root of the mean square: the mean of the sums is not subtracted.",
        "The std measures the distance from the mean, not from zero.",
        {_STD: ".square().mean().sqrt()"},
    ),
    "mean-for-std": Mistake(
        "you return the mean, not the standard deviation.",
        "The scale is how far the sums spread around their mean: take the std.",
        {_STD: ".mean()"},
        {_STD: ".abs().mean()"},
    ),
    "maximum-for-std": Mistake(
        "you return the largest sum, not the standard deviation.",
        "One large sum would decide alone. The scale is how far all sums spread around their mean: take the std.",
        {_STD: ".abs().max()"},
        {_STD: ".max()"},
    ),
    "distance-for-std": Mistake(
        "you return another measure of how far the sums spread, not the standard deviation.",
        "The std is the root of the mean square distance from the mean.",
        *({_STD: f".sub({_STACK}.{center}()).abs().mean()"} for center in ("mean", "median")),
        {"return torch.stack(sums).std(correction=0)": "return torch.stack(sums).max() - torch.stack(sums).min()"},
    ),
    "std-per-step": Mistake(
        "you take the std over the environments at each step.",
        "With one robot that is 0, and it is small for robots in step. Take one std over time and environments.",
        *({"correction=0)": f"dim=1, correction={n}).mean()"} for n in (0, 1)),
        *({"correction=0": f"dim=1, correction={n}"} for n in (0, 1)),
    ),
    "std-per-robot": Mistake(
        "you take the std over time of each robot.",
        "That loses what differs between robots. Take one std over time and environments.",
        *({"correction=0)": f"dim=0, correction={n}).mean()"} for n in (0, 1)),
        *({"correction=0": f"dim=0, correction={n}"} for n in (0, 1)),
        {_STACK: f"({_STACK} - {_STACK}.mean(dim=0))"},
    ),
    "averages-robots": Mistake(
        "you average over the robots before you take the std.",
        "Averaging hides what differs between robots, the more the more there are. Take one std over all sums.",
        {_STACK: f"{_STACK}.mean(dim=1)"},
    ),
    "adds-robots": Mistake(
        "you add up the robots before you take the std.",
        "A reward belongs to one robot, and so does the scale: take one std over all sums.",
        {_STACK: f"{_STACK}.sum(dim=1)"},
    ),
    "averages-time": Mistake(
        "you average over time before you take the std.",
        "Averaging hides how each sum grows and falls. Take one std over all sums.",
        {_STACK: f"{_STACK}.mean(dim=0)"},
    ),
    "no-discount": Mistake(
        "your sums are not discounted.",
        "gamma multiplies the sum so far, at every step.",
        {"gamma * total": "total"},
    ),
    "gamma-ignored": Mistake(
        "your sums are discounted by a fixed number: the argument gamma is not used.",
        "Multiply the sum so far by gamma, at every step.",
        *({"gamma * total": f"{gamma} * total"} for gamma in (0.99, 0.9, 0.95, 0.999)),
    ),
    "gamma-on-reward": Mistake(
        "gamma multiplies the new reward.",
        "Only the sum so far is discounted: gamma * R + r.",
        {_ADD: "gamma * (total + reward)"},
        {_ADD: "total + gamma * reward"},
    ),
    "moving-average": Mistake(
        "your sums are a moving average, with weights of gamma and 1 - gamma.",
        "A return is a sum: gamma * R + r.",
        {"+ reward": "+ (1 - gamma) * reward"},
        {_ADD: "(1 - gamma) * total + gamma * reward"},
    ),
    "discounts-from-start": Mistake(
        "you discount by the time since the start: gamma**t * r_t.",
        "Old rewards fade, not new ones: gamma multiplies the sum so far, the newest reward counts in full.",
        {_ADD: "total + gamma ** len(sums) * reward"},
        {_ADD: "total + gamma ** len(sums) * reward", _RESET: "total"},
    ),
    "discounts-to-end": Mistake(
        "you discount every sum by the time to the end of the recording: gamma**(T - 1 - t) * r_t.",
        "At step t, nothing is known of the steps after it: the newest reward counts in full, in every sum.",
        {_ADD: "total + gamma ** (len(rewards) - 1 - len(sums)) * reward"},
        {_ADD: "total + gamma ** (len(rewards) - 1 - len(sums)) * reward", _RESET: "total"},
    ),
    "reward-to-go": Mistake(
        "your sums run backwards in time: they are the rewards to come.",
        "The scale is learned while the robots run, when only past rewards are known: sum forwards.",
        {
            _LOOP: "zip(rewards.flip(0), dones.flip(0), strict=True)",
            "gamma * total": "gamma * total * (1 - done)",
            _RESET: "total",
        },
        {_LOOP: "zip(rewards.flip(0), dones.flip(0), strict=True)", _RESET: "total"},
        {_LOOP: "zip(rewards.flip(0), dones.flip(0), strict=True)"},
        {_LOOP: "zip(rewards.flip(0), dones, strict=True)"},
    ),
    "sums-over-robots": Mistake(
        "your sums run over the robots, not over time.",
        "rewards is [time, envs]: a loop over it takes one step of all robots at a time. Carry one sum for each robot.",
        {"rewards[0])": "rewards[:, 0])", _LOOP: "zip(rewards.T, dones.T, strict=True)"},
        {"rewards[0])": "rewards[0, 0])", _LOOP: "zip(rewards.flatten(), dones.flatten(), strict=True)"},
    ),
    "carries-to-next-robot": Mistake(
        "the sum of one robot goes on into the next robot.",
        "Every robot starts from 0: set the sum to 0 before the loop over time, inside the loop over robots.",
        {"rewards[0])": "rewards[0, 0])", _LOOP: "zip(rewards.T.flatten(), dones.T.flatten(), strict=True)"},
    ),
    "two-rewards-only": Mistake(
        "your sums hold the last two rewards only.",
        "R is the sum so far, not the reward before: carry the sum from step to step.",
        {_RESET: "reward * (1 - done)"},
        {_RESET: "reward"},
    ),
    "resets-all": Mistake(
        "the end of one robot's episode resets the sums of all robots.",
        "Each environment ends on its own: multiply by 1 - done [envs], not by one number.",
        {"(1 - done)": "(1 - done.max())"},
    ),
    "resets-together": Mistake(
        "your sums are reset only where the episodes of all robots end at once.",
        "Each environment ends on its own: multiply by 1 - done [envs], not by one number.",
        {"(1 - done)": "(1 - done.min())"},
    ),
    "resets-inverted": Mistake(
        "your sums are kept where an episode ended and cleared everywhere else.",
        "Multiply by (1 - done), not by done.",
        {"(1 - done)": "done"},
    ),
    "masks-last-reward": Mistake(
        "the reward of an episode's last step does not count.",
        "It belongs to the episode that it ends: add it in full, and multiply only what is carried over by (1 - done).",
        {"+ reward": "+ reward * (1 - done)"},
    ),
    "last-reward-twice": Mistake(
        "a new episode starts with the last reward of the old one.",
        "It starts from 0: after a done, nothing is carried over.",
        {_RESET: "total * (1 - done) + done * reward"},
    ),
    "stops-at-done": Mistake(
        "what comes after a robot's first episode is left out.",
        "The robot starts anew, and its next sums count as well: reset the sum and go on.",
        {_STACK: f"{_STACK}[dones.cumsum(0) - dones == 0]"},
    ),
    "episode-sums-only": Mistake(
        "only the sums at the ends of episodes enter your std.",
        "Every step has its sum, and all of them count: store the sum at each step.",
        {_STACK: f"{_STACK}[dones.bool()]"},
        {_STACK: f"{_STACK}[torch.cat([dones[:-1], torch.ones_like(dones[:1])]).bool()]"},
        {_STACK: f"torch.cat([{_STACK}[dones.bool()], total])"},
    ),
    "starts-with-zero": Mistake(
        "the zeros before the first step enter your std.",
        "Store the sum after the reward is added, and only then.",
        {", []": ", [torch.zeros_like(rewards[0])]"},
    ),
    "starts-from-one": Mistake(
        "your sums start from 1, not from 0.",
        "Nothing is there before the first reward: begin with torch.zeros.",
        {"torch.zeros_like": "torch.ones_like"},
    ),
    "stores-before-adding": Mistake(
        "you store each sum before the new reward is added.",
        "First discount and add, then store, then reset.",
        {"sums.append(total)\n": "\n", "total = gamma": "sums.append(total)\n        total = gamma"},
    ),
    "first-step-lost": Mistake(
        "the sums of the first step do not enter your std.",
        "Store those too: at the first step, the sum is the reward.",
        {_STACK: "torch.stack(sums[1:])"},
        {_STACK: "torch.stack(sums)[1:]"},
    ),
    "last-step-lost": Mistake(
        "the sums of the last step do not enter your std.",
        "Store those too: look at where your loop or slice ends.",
        {_STACK: "torch.stack(sums[:-1])"},
        {_STACK: "torch.stack(sums)[:-1]"},
    ),
    "first-step-only": Mistake(
        "only the first step counts.",
        "Is your return inside the loop? Take the std after it.",
        {_STACK: "sums[0]"},
    ),
    "first-robot-only": Mistake(
        "only one robot counts.",
        "Take one std over the sums of all robots and steps.",
        {_STACK: f"{_STACK}[:, 0]"},
        {_STACK: f"{_STACK}[:, -1]"},
    ),
    "centres-rewards": Mistake(
        "you subtract the mean from the rewards before you sum them.",
        "Nothing is subtracted from rewards: sum them as they are. The std subtracts the mean of the sums.",
        {"zip(rewards,": "zip(rewards - rewards.mean(),"},
        {"zip(rewards,": "zip(rewards - rewards.mean(0),"},
    ),
    "adds-eps": Mistake(
        "you add a small number to the std.",
        "The scale alone is asked for. A small number is added later, where rewards are divided by it.",
        *({"(correction=0)": f"(correction=0) + {eps}"} for eps in (1e-2, 1e-3, 0.1)),
    ),
    "returns-sums": Mistake(
        "you return all sums, not the number to divide by.",
        "Take their std over time and environments: .std(correction=0).",
        {_STD: ""},
    ),
    "returns-normalized": Mistake(
        "you return normalized rewards, not the number to divide by.",
        "Return the scale alone. And nothing is subtracted from rewards: a shifted reward is another task.",
        *(
            {"    return ": f"    return {numbers} / "}
            for numbers in ("rewards", f"{_STACK}", "(rewards - rewards.mean())")
        ),
        {"    return ": f"    return (rewards - {_STACK}.mean()) / "},
        {"    return ": f"    return ({_STACK} - {_STACK}.mean()) / "},
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
