"""Exercise ``advantages``: estimate advantages (GAE)."""

from typing import Any

import torch

from ..exercise import Answer, Case, Exercise, Mistake, Part


def advantages(
    rewards: torch.Tensor, values: torch.Tensor, dones: torch.Tensor, last_value: torch.Tensor, gamma: float, lam: float
) -> torch.Tensor:
    """Generalized advantage estimation: how much better each step went than its value said.

    ``rewards``, ``values`` and ``dones`` are [time, envs], ``dones`` 1.0 at the last step of an episode, else 0.0.
    ``last_value [envs]`` is the value of the observation after the rollout. Returns the advantages [time, envs].
    """
    result = torch.zeros_like(rewards)
    next_value, advantage = last_value, torch.zeros_like(last_value)  # [envs] each
    for t in reversed(range(len(rewards))):
        going_on = 1 - dones[t]  # 0 where nothing of the next step belongs to this episode
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
    Case.of(
        "an episode end at the first of two steps", [[1.0], [4.0]], [[2.0], [4.0]], [[1.0], [0.0]], [8.0], 0.5, 0.8
    ),
    Case.of("an episode end at the last step", [[1.0], [4.0]], [[2.0], [4.0]], [[0.0], [1.0]], [8.0], 0.5, 0.8),
    Case.of(
        "two robots, an episode end of the first only",
        [[1.0, 1.0], [4.0, 4.0]],
        [[2.0, 2.0], [4.0, 4.0]],
        [[1.0, 0.0], [0.0, 0.0]],
        [8.0, 8.0],
        0.5,
        0.8,
    ),
    Case.of(
        "two robots whose episodes end at different steps",
        [[1.0, 0.0], [2.0, 3.0], [0.0, 1.0], [4.0, 2.0]],
        [[3.0, 1.0], [1.0, 2.0], [5.0, 4.0], [2.0, 1.0]],
        [[0.0, 1.0], [0.0, 0.0], [1.0, 0.0], [0.0, 0.0]],
        [6.0, 3.0],
        0.9,
        0.5,
    ),
)


class _Step:
    """The quantities of one step back in time, under short names, for writing the mistakes in a line each.

    ``r``, ``v``, ``nv`` are the reward, the value and the next value, ``done`` that of this step, ``later`` that of the
    next one, ``before`` that of the step before; ``a`` is the next advantage.
    """

    def __init__(self, inputs: tuple[Any, ...], t: int, a: torch.Tensor) -> None:
        rewards, values, dones, self.last, self.gamma, self.lam = inputs
        self.r, self.v, self.done, self.a = rewards[t], values[t], dones[t], a
        self.ends = t == len(rewards) - 1  # at the end of the rollout
        self.nv = self.last if self.ends else values[t + 1]
        self.later = 0 * self.done if self.ends else dones[t + 1]
        self.before = dones[t - 1] if t > 0 else 0 * self.done
        self.wrapped = dones[t - 1]


def _delta(s: _Step) -> Any:
    return s.r + s.gamma * (1 - s.done) * s.nv - s.v


def _carry(s: _Step) -> Any:
    return s.gamma * s.lam * (1 - s.done) * s.a


def _gae(delta: Part = _delta, carry: Part = _carry, result: Part = lambda a, inputs: a) -> Answer:
    """The recursion with some part done wrong."""

    def answer(*inputs: Any) -> Any:
        a = torch.zeros_like(inputs[3])
        found: list[torch.Tensor] = []
        for t in reversed(range(len(inputs[0]))):
            step = _Step(inputs, t, a)
            a = delta(step) + carry(step)
            found.insert(0, a)
        return result(torch.stack(found), inputs)

    return answer


def _masked(mask: Part) -> Answer:
    """Another number in the place of 1 - done."""
    return _gae(lambda s: s.r + s.gamma * mask(s) * s.nv - s.v, lambda s: s.gamma * s.lam * mask(s) * s.a)


def _forwards(mask: Part) -> Answer:
    """The recursion from the first step on; the mask is a function of the dones of the step and of the one before."""

    def answer(*inputs: Any) -> torch.Tensor:
        _, _, dones, last, gamma, lam = inputs
        a, found, before = torch.zeros_like(last), [], torch.zeros_like(last)
        for delta, done in zip(_gae(carry=lambda s: 0)(*inputs), dones, strict=True):
            a = delta + gamma * lam * (1 - mask(done, before)) * a
            found.append(a)
            before = done
        return torch.stack(found)

    return answer


def _normalized(dims: tuple[int, ...], eps: float, n: int) -> Answer:
    return _gae(result=lambda a, _: (a - a.mean(dims, keepdim=True)) / (a.std(dims, keepdim=True, correction=n) + eps))


MISTAKES = {
    "ignores-dones": Mistake(
        "your advantages leak across the end of an episode.",
        "What comes after a done is another episode: multiply the next value and the next advantage by 1 - dones.",
        _masked(lambda s: 1),
    ),
    "done-not-in-delta": Mistake(
        "your advantages count the value of the next episode's first observation.",
        "After a done there is no next value: multiply it by 1 - dones[t], as you do with the next advantage.",
        _gae(delta=lambda s: s.r + s.gamma * s.nv - s.v),
    ),
    "done-not-in-recursion": Mistake(
        "your advantages carry over from the next episode.",
        "After a done the sum starts anew: multiply the next advantage by 1 - dones[t], as you do with the value.",
        _gae(carry=lambda s: s.gamma * s.lam * s.a),
    ),
    "done-of-next-step": Mistake(
        "you use the done of the next step.",
        "Here dones[t] says that step t was the last. In CleanRL it says that t is the first, hence their t + 1.",
        _masked(lambda s: 1 - s.later),
        _masked(lambda s: 1 - (s.done if s.ends else s.later)),
        _masked(lambda s: 0 if s.ends else 1 - s.later),
        _gae(delta=lambda s: s.r + s.gamma * (1 - s.later) * s.nv - s.v),
        _gae(carry=lambda s: s.gamma * s.lam * (1 - s.later) * s.a),
    ),
    "done-of-step-before": Mistake(
        "you use the done of the step before.",
        "dones[t] says that step t was the last of its episode: what comes after it does not count for t.",
        _masked(lambda s: 1 - s.before),
        _masked(lambda s: 1 - s.wrapped),
    ),
    "done-inverted": Mistake(
        "you keep what comes after a done and drop everything else.",
        "Multiply by 1 - dones[t], not by dones[t].",
        _masked(lambda s: s.done),
    ),
    "resets-all": Mistake(
        "the end of one robot's episode cuts the advantages of all robots.",
        "Each environment ends on its own: multiply by 1 - dones[t], which is [envs], not by one number.",
        _masked(lambda s: 1 - s.done.max()),
    ),
    "ends-at-rollout": Mistake(
        "you leave last_value out.",
        "The rollout ends, the episode does not: the value after the last step stands for all that is to come.",
        _gae(delta=lambda s: s.r - s.v if s.ends else _delta(s)),
        _gae(delta=lambda s: 0 * s.v if s.ends else _delta(s)),
    ),
    "last-value-everywhere": Mistake(
        "you take last_value for the next value of every step.",
        "It follows the last step only; before that, the next value is values[t + 1].",
        _gae(delta=lambda s: s.r + s.gamma * (1 - s.done) * s.last - s.v),
    ),
    "present-value": Mistake(
        "you discount the value of the step itself, not of the next one.",
        "delta compares two moments: values[t] before the step, values[t + 1] after it.",
        _gae(delta=lambda s: s.r + s.gamma * (1 - s.done) * s.v - s.v),
        _gae(delta=lambda s: s.r + s.gamma * (1 - s.done) * (s.last if s.ends else s.v) - s.v),
    ),
    "gamma-lam-swapped": Mistake(
        "you swap gamma and lam.",
        "gamma discounts the next value; gamma * lam discounts the next advantage.",
        _gae(delta=lambda s: s.r + s.lam * (1 - s.done) * s.nv - s.v),
    ),
    "no-lambda": Mistake(
        "your advantages do not use lam.",
        "The next advantage is multiplied by gamma * lam. gamma alone gives the discounted return minus the value.",
        _gae(carry=lambda s: s.gamma * (1 - s.done) * s.a),
    ),
    "lambda-without-gamma": Mistake(
        "you carry the next advantage over with lam alone.",
        "It lies one step in the future: gamma * lam.",
        _gae(carry=lambda s: s.lam * (1 - s.done) * s.a),
    ),
    "lambda-on-value": Mistake(
        "you multiply the next value by lam too.",
        "lam belongs to the next advantage only; the next value is discounted by gamma.",
        _gae(delta=lambda s: s.r + s.gamma * s.lam * (1 - s.done) * s.nv - s.v),
    ),
    "no-discount": Mistake(
        "you do not discount the next value.",
        "It lies one step in the future: gamma * next_value.",
        _gae(delta=lambda s: s.r + (1 - s.done) * s.nv - s.v),
    ),
    "one-step": Mistake(
        "you return the one-step errors delta: nothing comes back from later steps.",
        "Add gamma * lam times the next advantage, going backwards from the last step.",
        _gae(carry=lambda s: 0),
    ),
    "value-added-back": Mistake(
        "you return what the value function learns from: advantage plus value.",
        "That is the return; the actor needs the advantage alone.",
        _gae(result=lambda a, inputs: a + inputs[1]),
    ),
    "value-not-subtracted": Mistake(
        "you do not subtract the value of the step.",
        "An advantage says how much better it went than expected: delta ends with - values[t].",
        _gae(delta=lambda s: s.r + s.gamma * (1 - s.done) * s.nv),
        _gae(lambda s: s.r + s.gamma * (1 - s.done) * s.nv * s.ends, lambda s: s.gamma * (1 - s.done) * s.a),
        _gae(lambda s: s.r, lambda s: s.gamma * (1 - s.done) * s.a),
        _gae(delta=lambda s: s.r),
    ),
    "sign": Mistake(
        "your advantages have the wrong sign.",
        "Better than expected is positive: reward plus next value, minus values[t].",
        _gae(delta=lambda s: -_delta(s)),
    ),
    "normalized": Mistake(
        "you normalize the advantages.",
        "rsl_rl does that afterwards, over the whole batch. Here they keep their mean and their unit.",
        *(_normalized(dims, eps, n) for n in (1, 0) for dims in ((0, 1), (0,)) for eps in (1e-8, 0.0)),
        _gae(result=lambda a, _: a - a.mean()),
    ),
    "forwards": Mistake(
        "your sum runs forwards in time: a step is blamed for what came before it.",
        "An action changes the future only: start at the last step and go backwards, reversed(range(...)).",
        _forwards(lambda done, before: before),
        _forwards(lambda done, before: done),
        _forwards(lambda done, before: 0 * done),
    ),
    "reversed-output": Mistake(
        "your advantages stand in the reverse order: the last step first.",
        "You go backwards in time; turn the list round at the end, or write to result[t].",
        _gae(result=lambda a, _: a.flip(0)),
    ),
}

HINTS = (
    "Compute the advantage of the last step first, by hand. What does the step before it need from it?",
    "Go backwards in time, and carry the next value and the next advantage along, both `[envs]`; they start as "
    "`last_value` and 0. `delta` is what a step brought, its reward and the discounted next value, minus what its "
    "value had promised. Where `dones[t]` is 1, neither the next value nor the next advantage counts: multiply both by "
    "`1 - dones[t]`.",
    "`delta = rewards[t] + gamma * (1 - dones[t]) * next_value - values[t]`; then `advantage = delta + gamma * lam * "
    "(1 - dones[t]) * advantage`; store it; then `next_value = values[t]`.",
)

EXERCISE = Exercise(advantages, ("advantage",), CASES, MISTAKES, HINTS, _draw)
