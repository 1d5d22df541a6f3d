"""Exercise ``discounted_return_scale``: find the scale of rewards."""

import torch

from ..exercise import Case, Exercise, Mistake


def discounted_return_scale(rewards: torch.Tensor, dones: torch.Tensor, gamma: float) -> torch.Tensor:
    """Compute the number by which rewards are divided: the standard deviation of their discounted sums.

    R_t = gamma * R_{t-1} * (1 - done_{t-1}) + r_t, with R_{-1} = 0, for each environment.

    Args:
        rewards: Rewards r [time, envs].
        dones: 1.0 if this step was the last of an episode, else 0.0 [time, envs].
        gamma: Discount factor, from 0 to 1.

    Returns:
        Population standard deviation of R over time and environments, a single number.
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
    Case.of("one environment, no episode end", [[8.0], [0.0]], [[0.0], [0.0]], 0.5),
    Case.of("an episode end", [[2.0], [4.0], [2.0], [4.0]], [[0.0], [1.0], [0.0], [0.0]], 1.0),
    Case.of(
        "two environments whose episodes end at different steps",
        [[1.0, 8.0], [2.0, 0.0], [5.0, 4.0], [0.0, 2.0], [3.0, 6.0]],
        [[0.0, 1.0], [0.0, 0.0], [1.0, 0.0], [0.0, 0.0], [0.0, 1.0]],
        0.5,
    ),
    Case.of(
        "three environments, negative rewards, two episode ends in a row and one at the last step",
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
        "The value function predicts discounted sums, so the scale must come from these sums.",
        {_STACK: "rewards"},
    ),
    "no-reset": Mistake(
        "your sums continue across the end of an episode.",
        "After a done, the next step starts a new sum: multiply the sum that you carry over by (1 - done).",
        {_RESET: "total"},
    ),
    "unbiased-std": Mistake(
        "your std is the unbiased one (n−1), which is torch's default.",
        "The running statistics use the population std (n): pass correction=0.",
        {"(correction=0)": "()"},
    ),
    "resets-early": Mistake(
        "you reset your sums one step too early, at the last step of the episode.",
        "done_t means that step t was the last, so its reward still belongs to the episode. Add the reward, then "
        "reset.",
        {"gamma * total": "gamma * total * (1 - done)", _RESET: "total"},
        {"gamma * total": "gamma * total * (1 - done)"},
    ),
    "drops-last-reward": Mistake(
        "your sum at the last step of an episode is 0.",
        "Store the sum first, then reset it with total = total * (1 - done). `total *= 1 - done` and `total[done] = "
        "0` would also change the stored sum.",
        {"sums.append(total)": "sums.append(total * (1 - done))"},
    ),
    "last-step-only": Mistake(
        "you take the std of only the last step's sums.",
        "The sums of all steps count. If you store all of them, note that `total *= gamma` and `total += reward` also "
        "change stored sums.",
        {_STACK: "sums[-1]"},
        {_STACK: "torch.stack([sums[-1]] * len(sums))"},
    ),
    "aliased-sums": Mistake(
        "you take the std of the sum that is carried over after the last step, so all earlier sums are lost.",
        "The sums of all steps count. If you store all of them, note that `total *= gamma` also changes stored sums: "
        "append total.clone().",
        {_STACK: "total"},
        {_STACK: "torch.stack([total] * len(sums))"},
    ),
    "variance-for-std": Mistake(
        "you return the variance.",
        "Rewards are divided by the std, which has the same unit as the rewards: take the square root.",
        {".std": ".var"},
    ),
    "sum-of-squares": Mistake(
        "your std is right near zero but inaccurate far from zero: it looks like the root of E[x²] − E[x]².",
        "float32 has 7 digits, so 4096² + 1 is rounded to 4096². Use std, which subtracts the mean before it squares.",
        {
            "return torch.stack(sums).std(correction=0)": "s = torch.stack(sums)\n"
            "    return (s.square().mean() - s.mean() ** 2).clamp(min=0).sqrt()"
        },
    ),
    "root-mean-square": Mistake(
        "you take the root of the mean square, without subtracting the mean of the sums.",
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
        "A single large sum would determine the result. The scale is how far all sums spread around their mean: take "
        "the std.",
        {_STD: ".abs().max()"},
        {_STD: ".max()"},
    ),
    "distance-for-std": Mistake(
        "you return a different measure of how far the sums spread, not the standard deviation.",
        "The std is the square root of the mean squared distance from the mean.",
        *({_STD: f".sub({_STACK}.{center}()).abs().mean()"} for center in ("mean", "median")),
        {"return torch.stack(sums).std(correction=0)": "return torch.stack(sums).max() - torch.stack(sums).min()"},
    ),
    "std-per-step": Mistake(
        "you take the std over the environments at each step.",
        "Such a std is 0 for one environment, and small if all environments earn nearly the same. Take one std over "
        "time and environments.",
        *({"correction=0)": f"dim=1, correction={n}).mean()"} for n in (0, 1)),
        *({"correction=0": f"dim=1, correction={n}"} for n in (0, 1)),
    ),
    "std-per-robot": Mistake(
        "you take the std over time for each environment separately.",
        "Separate stds miss the differences between environments. Take one std over time and environments.",
        *({"correction=0)": f"dim=0, correction={n}).mean()"} for n in (0, 1)),
        *({"correction=0": f"dim=0, correction={n}"} for n in (0, 1)),
        {_STACK: f"({_STACK} - {_STACK}.mean(dim=0))"},
    ),
    "averages-robots": Mistake(
        "you average over the environments before you take the std.",
        "Averaging hides the differences between environments, more so if there are many. Take one std over all sums.",
        {_STACK: f"{_STACK}.mean(dim=1)"},
    ),
    "adds-robots": Mistake(
        "you sum over the environments before you take the std.",
        "Each reward comes from a single environment, so do not add up several: take one std over all sums.",
        {_STACK: f"{_STACK}.sum(dim=1)"},
    ),
    "averages-time": Mistake(
        "you average over time before you take the std.",
        "Averaging hides how each sum rises and falls over time. Take one std over all sums.",
        {_STACK: f"{_STACK}.mean(dim=0)"},
    ),
    "no-discount": Mistake(
        "your sums are not discounted.",
        "At every step, multiply the sum so far by gamma.",
        {"gamma * total": "total"},
    ),
    "gamma-ignored": Mistake(
        "you discount by a fixed number and do not use the argument gamma.",
        "At every step, multiply the sum so far by gamma.",
        *({"gamma * total": f"{gamma} * total"} for gamma in (0.99, 0.9, 0.95, 0.999)),
    ),
    "gamma-on-reward": Mistake(
        "you multiply the new reward by gamma.",
        "Only the sum so far is discounted: gamma * R + r.",
        {_ADD: "gamma * (total + reward)"},
        {_ADD: "total + gamma * reward"},
    ),
    "moving-average": Mistake(
        "your sums are a moving average, with the weights gamma and 1 - gamma.",
        "A return is a sum, not an average: gamma * R + r.",
        {"+ reward": "+ (1 - gamma) * reward"},
        {_ADD: "(1 - gamma) * total + gamma * reward"},
    ),
    "discounts-from-start": Mistake(
        "you discount each reward by the time since the start: gamma**t * r_t.",
        "Older rewards should count less, not newer ones: multiply the sum so far by gamma, and add the new reward in "
        "full.",
        {_ADD: "total + gamma ** len(sums) * reward"},
        {_ADD: "total + gamma ** len(sums) * reward", _RESET: "total"},
    ),
    "discounts-to-end": Mistake(
        "you discount each reward by the time to the end of the recording: gamma**(T - 1 - t) * r_t.",
        "At step t, nothing is known about later steps: in every sum, the newest reward counts in full.",
        {_ADD: "total + gamma ** (len(rewards) - 1 - len(sums)) * reward"},
        {_ADD: "total + gamma ** (len(rewards) - 1 - len(sums)) * reward", _RESET: "total"},
    ),
    "reward-to-go": Mistake(
        "you sum backwards in time, so your sums contain future rewards.",
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
        "you sum over the environments, not over time.",
        "rewards is [time, envs], so a loop over it yields one step of all environments at a time. Keep one sum for "
        "each environment.",
        {"rewards[0])": "rewards[:, 0])", _LOOP: "zip(rewards.T, dones.T, strict=True)"},
        {"rewards[0])": "rewards[0, 0])", _LOOP: "zip(rewards.flatten(), dones.flatten(), strict=True)"},
    ),
    "carries-to-next-robot": Mistake(
        "the sum of one environment continues into the next environment.",
        "Every environment starts from 0. If you loop over environments, set the sum to 0 before each inner loop over "
        "time.",
        {"rewards[0])": "rewards[0, 0])", _LOOP: "zip(rewards.T.flatten(), dones.T.flatten(), strict=True)"},
    ),
    "two-rewards-only": Mistake(
        "your sums contain only the last two rewards.",
        "R is the sum so far, not the previous reward: carry the sum from step to step.",
        {_RESET: "reward * (1 - done)"},
        {_RESET: "reward"},
    ),
    "resets-all": Mistake(
        "an episode end in one environment resets the sums of all environments.",
        "Episodes end independently in each environment: multiply by (1 - done), which is [envs], not by a single "
        "number.",
        {"(1 - done)": "(1 - done.max())"},
    ),
    "resets-together": Mistake(
        "you reset the sums only if the episodes of all environments end at the same step.",
        "Episodes end independently in each environment: multiply by (1 - done), which is [envs], not by a single "
        "number.",
        {"(1 - done)": "(1 - done.min())"},
    ),
    "resets-inverted": Mistake(
        "you keep the sum where an episode ended and reset it everywhere else.",
        "Multiply by (1 - done), not by done.",
        {"(1 - done)": "done"},
    ),
    "masks-last-reward": Mistake(
        "you leave out the reward of an episode's last step.",
        "The last reward belongs to the episode that ends: add it in full, and multiply only the sum that you carry "
        "over by (1 - done).",
        {"+ reward": "+ reward * (1 - done)"},
    ),
    "last-reward-twice": Mistake(
        "a new episode starts with the last reward of the previous one.",
        "A new episode should start from 0: after a done, nothing is carried over.",
        {_RESET: "total * (1 - done) + done * reward"},
    ),
    "stops-at-done": Mistake(
        "you leave out everything after the first episode of an environment.",
        "The sums of the later episodes count too: reset the sum after a done, then continue.",
        {_STACK: f"{_STACK}[dones.cumsum(0) - dones == 0]"},
    ),
    "episode-sums-only": Mistake(
        "your std includes only the sums at the ends of episodes.",
        "Every step has a sum, and all of them count: store the sum at each step.",
        {_STACK: f"{_STACK}[dones.bool()]"},
        {_STACK: f"{_STACK}[torch.cat([dones[:-1], torch.ones_like(dones[:1])]).bool()]"},
        {_STACK: f"torch.cat([{_STACK}[dones.bool()], total])"},
    ),
    "starts-with-zero": Mistake(
        "your std includes the zeros from before the first step.",
        "Store a sum only after you have added its reward.",
        {", []": ", [torch.zeros_like(rewards[0])]"},
    ),
    "starts-from-one": Mistake(
        "your sums start from 1, not from 0.",
        "There is nothing before the first reward: start with torch.zeros.",
        {"torch.zeros_like": "torch.ones_like"},
    ),
    "stores-before-adding": Mistake(
        "you store each sum before you add the new reward.",
        "First discount and add, then store, then reset.",
        {"sums.append(total)\n": "\n", "total = gamma": "sums.append(total)\n        total = gamma"},
    ),
    "first-step-lost": Mistake(
        "your std leaves out the sums of the first step.",
        "Store the sums of the first step too: there, the sum is the reward.",
        {_STACK: "torch.stack(sums[1:])"},
        {_STACK: "torch.stack(sums)[1:]"},
    ),
    "last-step-lost": Mistake(
        "your std leaves out the sums of the last step.",
        "Store the sums of the last step too: check where your loop or slice ends.",
        {_STACK: "torch.stack(sums[:-1])"},
        {_STACK: "torch.stack(sums)[:-1]"},
    ),
    "first-step-only": Mistake(
        "you use only the first step.",
        "Is your return inside the loop? Take the std after the loop.",
        {_STACK: "sums[0]"},
    ),
    "first-robot-only": Mistake(
        "you use only one environment.",
        "Take one std over the sums of all environments and steps.",
        {_STACK: f"{_STACK}[:, 0]"},
        {_STACK: f"{_STACK}[:, -1]"},
    ),
    "centres-rewards": Mistake(
        "you subtract the mean from the rewards before you sum them.",
        "Sum the rewards unchanged. Only the std subtracts a mean, namely the mean of the sums.",
        {"zip(rewards,": "zip(rewards - rewards.mean(),"},
        {"zip(rewards,": "zip(rewards - rewards.mean(0),"},
    ),
    "adds-eps": Mistake(
        "you add a small number to the std.",
        "Return only the std. A small number is added later, when rewards are divided by the std.",
        *({"(correction=0)": f"(correction=0) + {eps}"} for eps in (1e-2, 1e-3, 0.1)),
    ),
    "returns-sums": Mistake(
        "you return all sums, not the number by which to divide.",
        "Take the std of the sums over time and environments: .std(correction=0).",
        {_STD: ""},
    ),
    "returns-normalized": Mistake(
        "you return normalized rewards, not the number by which to divide.",
        "Return only the scale. And never subtract anything from rewards: a shifted reward is a different task.",
        *(
            {"    return ": f"    return {numbers} / "}
            for numbers in ("rewards", f"{_STACK}", "(rewards - rewards.mean())")
        ),
        {"    return ": f"    return (rewards - {_STACK}.mean()) / "},
        {"    return ": f"    return ({_STACK} - {_STACK}.mean()) / "},
    ),
}

HINTS = (
    "Write down the discounted sums of one environment for four steps by hand, with a done at the second step. Which "
    "numbers should the std include?",
    "Loop over time, and keep one sum for each environment, `[envs]`. At each step, discount the sums, add the rewards "
    "and store the result. Only then reset the sums of the environments whose episode ended. For example, if the "
    "rewards are 2, 4, 2 and 4, `gamma` is 1 and the second step is done, then the sums are 2, 6, 2 and 6. Their std "
    "is 2.",
    "At each step, compute `total = gamma * total + reward`, append `total` to `sums`, and then reset with `total = "
    "total * (1 - done)`. After the loop, return `torch.stack(sums).std(correction=0)`. (By default, torch divides "
    "by n − 1.)",
)

EXERCISE = Exercise(discounted_return_scale, ("scale",), CASES, MISTAKES, HINTS, _draw)
