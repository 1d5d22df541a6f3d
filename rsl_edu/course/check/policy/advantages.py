"""Exercise ``advantages``: estimate advantages (GAE)."""

import torch

from ..exercise import Case, Exercise, Mistake


def advantages(
    rewards: torch.Tensor, values: torch.Tensor, dones: torch.Tensor, last_value: torch.Tensor, gamma: float, lam: float
) -> torch.Tensor:
    """Estimate how much better each step went than its value predicted (generalized advantage estimation).

    ``rewards``, ``values`` and ``dones`` are [time, envs]; ``dones`` is 1.0 at the last step of an episode, else 0.0.
    ``last_value [envs]`` is the value of the observation after the rollout. Returns the advantages [time, envs].
    """
    result = torch.zeros_like(rewards)
    next_value, advantage = last_value, torch.zeros_like(last_value)  # [envs] each
    for t in reversed(range(len(rewards))):
        going_on = 1 - dones[t]  # 0 if the next step belongs to another episode
        delta = rewards[t] + gamma * going_on * next_value - values[t]
        advantage = delta + gamma * lam * going_on * advantage
        result[t] = advantage
        next_value = values[t]
    return result


def _draw(generator: torch.Generator) -> Case:
    rewards, values = 2 * torch.randn(2, 7, 3, generator=generator) + 1
    dones = (torch.rand(7, 3, generator=generator) < 0.3).float()
    last_value = torch.randn(3, generator=generator)
    gamma, lam = (0.5 + 0.49 * torch.rand(2, generator=generator)).tolist()
    return Case("a random rollout", (rewards, values, dones, last_value, gamma, lam), rtol=1e-3)


CASES = (
    Case.of("a single step", [[3.0]], [[1.0]], [[0.0]], [4.0], 0.5, 1.0),
    Case.of("two steps of one episode", [[1.0], [4.0]], [[2.0], [4.0]], [[0.0], [0.0]], [8.0], 0.5, 0.8),
    Case.of("three steps of one episode", [[1.0], [4.0], [4.0]], [[2.0], [4.0], [6.0]], [[0.0]] * 3, [8.0], 0.5, 0.8),
    Case.of(
        "an episode end at the first of two steps", [[1.0], [4.0]], [[2.0], [4.0]], [[1.0], [0.0]], [8.0], 0.5, 0.8
    ),
    Case.of("an episode end at the last step", [[1.0], [4.0]], [[2.0], [4.0]], [[0.0], [1.0]], [8.0], 0.5, 0.8),
    Case.of(
        "two environments, an episode end only in the first",
        [[1.0, 1.0], [4.0, 4.0]],
        [[2.0, 2.0], [4.0, 4.0]],
        [[1.0, 0.0], [0.0, 0.0]],
        [8.0, 8.0],
        0.5,
        0.8,
    ),
    Case.of(
        "two environments whose episodes end at different steps",
        [[1.0, 0.0], [2.0, 3.0], [0.0, 1.0], [4.0, 2.0]],
        [[3.0, 1.0], [1.0, 2.0], [5.0, 4.0], [2.0, 1.0]],
        [[0.0, 1.0], [0.0, 0.0], [1.0, 0.0], [0.0, 0.0]],
        [6.0, 3.0],
        0.9,
        0.5,
    ),
    Case.of(
        "negative numbers, an episode end at the second of four steps",
        [[-1.5], [2.0], [-3.0], [0.5]],
        [[1.5], [-2.0], [-0.5], [2.5]],
        [[0.0], [1.0], [0.0], [0.0]],
        [-2.5],
        0.8,
        0.6,
    ),
    Case.of("a lam of 0", [[1.0], [4.0], [-2.0]], [[2.0], [0.5], [3.0]], [[0.0], [0.0], [0.0]], [8.0], 0.5, 0.0),
    Case.of(
        "two environments, two episode ends in a row and one at the last step",
        [[5.0, 1.0], [2.0, 0.0], [4.0, 3.0], [1.0, 6.0]],
        [[2.0, 7.0], [3.0, 1.0], [6.0, 4.0], [8.0, 5.0]],
        [[0.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]],
        [9.0, 2.0],
        0.7,
        0.4,
    ),
)


_BACK = "reversed(range(len(rewards)))"
_DELTA = "delta ="  # edits insert a line before it
_SHIFTED = "next_value = values[t + 1] if t + 1 < len(values) else last_value\n        delta ="
_LATER = "(dones[t + 1] if t + 1 < len(dones) else 0)"
_BEFORE = "(dones[t - 1] if t > 0 else 0)"


def _two_steps(
    rewards: torch.Tensor, values: torch.Tensor, dones: torch.Tensor, last_value: torch.Tensor, gamma: float, lam: float
) -> torch.Tensor:
    delta = advantages(rewards, values, dones, last_value, gamma, 0.0)
    delta[:-1] += gamma * lam * (1 - dones[:-1]) * delta[1:]
    return delta


MISTAKES = {
    "ignores-dones": Mistake(
        "your advantages continue across the end of an episode.",
        "After a done, a new episode begins: multiply the next value and the next advantage by 1 - dones[t].",
        {"1 - dones[t]": "1"},
    ),
    "done-not-in-delta": Mistake(
        "your advantages include the value of the next episode's first observation.",
        "After a done, the next value does not count: multiply it by 1 - dones[t], like the next advantage.",
        {" going_on * next": " next"},
    ),
    "done-not-in-recursion": Mistake(
        "your advantages include advantages from the next episode.",
        "After a done the sum starts again: multiply the next advantage by 1 - dones[t], like the next value.",
        {" * going_on * adv": " * adv"},
    ),
    "sign": Mistake(
        "your advantages have the wrong sign.",
        "An advantage is positive if the step went better than expected: reward plus next value, minus values[t].",
        {"delta +": "-delta +"},
    ),
    "reversed-output": Mistake(
        "your advantages are in reverse order, with the last step first.",
        "If you go backwards in time, reverse the list at the end, or write to result[t].",
        {"result[t]": "result[-1 - t]"},
    ),
    "no-lambda": Mistake(
        "your advantages do not use lam.",
        "Multiply the next advantage by gamma * lam. With gamma alone, you get the discounted return minus the value.",
        {" * lam": ""},
    ),
    "value-added-back": Mistake(
        "you return advantage plus value, which is what the value function learns from.",
        "Advantage plus value is the return, but the actor needs only the advantage.",
        {"return result": "return result + values"},
    ),
    "ends-at-rollout": Mistake(
        "you leave out last_value.",
        "The rollout ends, but the episode does not: last_value stands for all rewards that come after the last step.",
        {"= last_value,": "= 0 * last_value,"},
    ),
    "done-of-next-step": Mistake(
        "you use the done of the next step.",
        "dones[t] means that step t was the last, so nothing after it counts. (In CleanRL, dones[t] means that step t "
        "is the first, so its code uses t + 1.)",
        {"dones[t]": _LATER},
        {"dones[t]": "dones[min(t + 1, len(dones) - 1)]"},
        {"dones[t]": "(dones[t + 1] if t + 1 < len(dones) else 1)"},
        {"dones[t]": "dones[(t + 1) % len(dones)]"},
        {" going_on * next": f" (1 - {_LATER}) * next"},
        {" going_on * adv": f" (1 - {_LATER}) * adv"},
    ),
    "done-inverted": Mistake(
        "you keep what comes after a done and drop everything else.",
        "Multiply by 1 - dones[t], not by dones[t].",
        {"1 - dones[t]": "dones[t]"},
    ),
    "gamma-lam-swapped": Mistake(
        "you swap gamma and lam.",
        "gamma discounts the next value, and gamma * lam discounts the next advantage.",
        {"] + gamma": "] + lam"},
    ),
    "one-step": Mistake(
        "you return only the one-step errors delta, without anything from later steps.",
        "Go backwards from the last step, and add gamma * lam times the next advantage.",
        {" + gamma * lam * going_on * advantage": ""},
    ),
    "value-not-subtracted": Mistake(
        "you do not subtract the value of the step.",
        "An advantage is how much better the step went than expected: delta ends with - values[t].",
        {" - values[t]": ""},
        {"next_value - values[t]": "next_value * (t + 1 == len(values))", " * lam": ""},
        {" + gamma * going_on * next_value - values[t]": "", " * lam": ""},
        {" + gamma * going_on * next_value - values[t]": ""},
    ),
    "no-discount": Mistake(
        "you do not discount the next value.",
        "The next value is one step in the future: gamma * next_value.",
        {"] + gamma": "] + 1"},
    ),
    "last-step-left-out": Mistake(
        "your loop leaves out the last step, so its advantage stays 0.",
        "The last step has a next value too, which is last_value: start the loop at len(rewards) - 1.",
        {"range(len(rewards))": "range(len(rewards) - 1)", "= last_value,": "= values[-1],"},
        {"range(len(rewards))": "range(len(rewards) - 1)"},
    ),
    "done-of-step-before": Mistake(
        "you use the done of the previous step.",
        "dones[t] means that step t was the last of its episode, so what comes after it does not count for t.",
        {"dones[t]": _BEFORE},
        {"dones[t]": "dones[t - 1]"},
    ),
    "last-done-ignored": Mistake(
        "you ignore an episode end at the last step of the rollout.",
        "After such an end, last_value belongs to a new episode: multiply it by 1 - dones[t], like any other next "
        "value.",
        {"dones[t]": "(dones[t] if t + 1 < len(dones) else 0)"},
    ),
    "resets-all": Mistake(
        "an episode end in one environment cuts off the advantages of all environments.",
        "Episodes end independently in each environment: multiply by 1 - dones[t], which is [envs], not by a single "
        "number.",
        {"dones[t]": "dones[t].max()"},
    ),
    "resets-only-together": Mistake(
        "you cut off the advantages only if the episodes of all environments end at the same step.",
        "Episodes end independently in each environment: multiply by 1 - dones[t], which is [envs], not by a single "
        "number.",
        {"dones[t]": "dones[t].min()"},
    ),
    "dones-of-one-robot": Mistake(
        "you use the episode ends of one environment for all environments.",
        "Episodes end independently in each environment: multiply by 1 - dones[t], which is [envs], not by a single "
        "number.",
        {"dones[t]": "dones[t, 0]"},
        {"dones[t]": "dones[t, -1]"},
    ),
    "reward-dropped": Mistake(
        "you drop the reward of the step at which an episode ends.",
        "The last step earned its reward: only the next value and the next advantage do not count.",
        {"rewards[t] +": "going_on * rewards[t] +"},
    ),
    "zero-at-dones": Mistake(
        "your advantage is 0 wherever an episode ends.",
        "The last step has a reward and a value: 1 - dones[t] removes only the next value and the next advantage.",
        {"delta +": "going_on * delta +"},
        {"result[t] = advantage": "result[t] = going_on * advantage"},
    ),
    "another-last-value": Mistake(
        "after the last step, you use a value from inside the rollout.",
        "The value after the last step is last_value. With `roll` or the index -1, you get an entry of `values` "
        "instead.",
        {"= last_value,": "= values[0],"},
        {"= last_value,": "= values[-1],"},
    ),
    "starts-with-last-value": Mistake(
        "you use last_value as the advantage after the rollout.",
        "last_value counts once, as the next value in delta. The sum of later advantages starts with 0.",
        {"torch.zeros_like(last_value)": "last_value"},
    ),
    "last-value-everywhere": Mistake(
        "you use last_value as the next value of every step.",
        "last_value follows only the last step. Before that, the next value is values[t + 1].",
        {"next_value = values[t]": "pass"},
    ),
    "present-value": Mistake(
        "you discount the value of the step itself instead of the next value.",
        "delta compares two moments: values[t] before the step, and values[t + 1] after it.",
        {_DELTA: "next_value = values[t]\n        delta ="},
        {_DELTA: "next_value = values[t] if t + 1 < len(values) else last_value\n        delta ="},
    ),
    "value-of-step-before": Mistake(
        "you use the value of the previous step instead of the next one.",
        "The next value of step t is values[t + 1]: append last_value after the last row, not before the first.",
        {_DELTA: "next_value = values[t - 1] if t > 0 else last_value\n        delta ="},
        {_DELTA: "next_value = values[t - 1] if t > 0 else 0 * last_value\n        delta ="},
    ),
    "reward-of-next-step": Mistake(
        "you use the reward of the next step.",
        "rewards[t] is what step t earned, so it is in the same row as values[t].",
        {"rewards[t] +": "(rewards[t + 1] if t + 1 < len(rewards) else 0) +"},
        {"rewards[t] +": "rewards[min(t + 1, len(rewards) - 1)] +"},
    ),
    "lambda-without-gamma": Mistake(
        "you multiply the next advantage by lam alone.",
        "The next advantage is one step in the future, so it must be discounted too: gamma * lam.",
        {"gamma * lam": "lam"},
    ),
    "no-decay": Mistake(
        "you add the next advantage in full, without gamma and lam.",
        "What comes later counts less: multiply the next advantage by gamma * lam.",
        {"gamma * lam": "1"},
    ),
    "powers-in-recursion": Mistake(
        "you multiply the next advantage by a power of gamma * lam.",
        "Each step backwards multiplies by gamma * lam once more, so do not write the powers yourself.",
        {"gamma * lam": "(gamma * lam) ** t"},
        {"gamma * lam": "(gamma * lam) ** (t + 1)"},
        {"gamma * lam": "(gamma * lam) ** (len(rewards) - t)"},
        {"gamma * lam": "(gamma * lam) ** (len(rewards) - 1 - t)"},
    ),
    "power-for-product": Mistake(
        "you raise gamma or lam to the power of the other.",
        "The next advantage is discounted by both: gamma * lam.",
        {"gamma * lam": "gamma**lam"},
        {"gamma * lam": "lam**gamma"},
    ),
    "delta-weighted": Mistake(
        "you multiply delta by 1 - lam.",
        "The weight 1 - lam is for an average of n-step estimates. In the recursion, delta counts in full.",
        {"delta +": "(1 - lam) * delta +"},
    ),
    "fixed-discount": Mistake(
        "you use a fixed number for gamma or lam.",
        "Use the arguments gamma and lam, because they differ between training runs.",
        {"result = torch": "gamma, lam = 0.99, 0.95\n    result = torch"},
        {"result = torch": "gamma = 0.99\n    result = torch"},
        {"result = torch": "lam = 0.95\n    result = torch"},
    ),
    "lambda-on-value": Mistake(
        "you multiply the next value by lam too.",
        "lam is only for the next advantage. The next value is discounted by gamma alone.",
        {"] + gamma": "] + gamma * lam"},
    ),
    "discounts-both-values": Mistake(
        "you discount, or mask, the value of the step itself too.",
        "values[t] is the value now and counts in full. gamma and 1 - dones[t] are only for the next value.",
        {" - values[t]": " - gamma * values[t]"},
        {"gamma * going_on * next_value - values[t]": "gamma * going_on * (next_value - values[t])"},
        {" - values[t]": " - going_on * values[t]"},
    ),
    "normalized": Mistake(
        "you normalize the advantages.",
        "rsl_rl normalizes advantages later, over the entire batch. Here, leave their mean and unit unchanged.",
        *(
            {"return result": f"return (result - result.mean({dim})) / (result.std({dim}correction={n}){eps})"}
            for n in (1, 0)
            for dim in ("", "0, ")
            for eps in ("", " + 1e-8")
        ),
        {"return result": "return result - result.mean()"},
    ),
    "forwards": Mistake(
        "you sum forwards in time, so a step gets credit or blame for what came before it.",
        "An action changes only the future: start at the last step and go backwards, reversed(range(...)).",
        {_BACK: "range(len(rewards))", _DELTA: _SHIFTED},
        {_BACK: "range(len(rewards))", _DELTA: _SHIFTED, " going_on * adv": f" (1 - {_BEFORE}) * adv"},
        {_BACK: "range(len(rewards))", _DELTA: _SHIFTED, "gamma * lam * going_on": "1"},
        {_BACK: "range(len(rewards))"},
    ),
    "two-steps-only": Mistake(
        "your advantage adds up the δ of only two steps, the step itself and the next one.",
        "Add the advantage of the next step, not only its δ. If you go backwards, this advantage is already known: "
        "reversed(range(...)).",
        _two_steps,
    ),
    "first-step-left-out": Mistake(
        "your loop leaves out step 0, so its advantage stays 0.",
        "range excludes its end: range(len(rewards) - 1, -1, -1) goes down to 0.",
        {"range(len(rewards))": "range(1, len(rewards))"},
    ),
    "aliased": Mistake(
        "all rows of your advantages are the same, namely the row of step 0.",
        "`a += b`, `a *= b` and methods ending in _ change the tensor that is already in your list. Write `a = a + "
        "b`, or append a.clone().",
        {"return result": "return result[0].expand_as(result)"},
    ),
    "same-for-all-robots": Mistake(
        "your advantages are the same for all environments.",
        "Each environment has its own advantages: do not sum or average over the second dimension.",
        {"result[t] = advantage": "result[t] = advantage.mean()"},
        {"result[t] = advantage": "result[t] = advantage.sum()"},
    ),
}

HINTS = (
    "First compute the advantage of the last step by hand. What does the previous step need from the last step?",
    "Go backwards in time, and carry along the next value and the next advantage, both `[envs]`. They start as "
    "`last_value` and 0. For each step, `delta` is the reward plus the discounted next value, minus `values[t]`, "
    "which is what the critic expected. If `dones[t]` is 1, neither the next value nor the next advantage counts: "
    "multiply both by `1 - dones[t]`.",
    "Compute `delta = rewards[t] + gamma * (1 - dones[t]) * next_value - values[t]`, then `advantage = delta + gamma * "
    "lam * (1 - dones[t]) * advantage`. Store this advantage, and set `next_value = values[t]`.",
)

EXERCISE = Exercise(advantages, ("advantage",), CASES, MISTAKES, HINTS, _draw)
