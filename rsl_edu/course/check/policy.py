"""Lesson 6's exercises: advantages, PPO's clipped loss, and the value of the time that was cut off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from .exercise import Answer, Case, Exercise, Mistake
from .verdict import text

_t = torch.tensor

# Exercise 1 -----------------------------------------------------------------------------------------------------------


def advantages(
    rewards: torch.Tensor, values: torch.Tensor, dones: torch.Tensor, last_value: torch.Tensor, gamma: float, lam: float
) -> torch.Tensor:
    """Generalized advantage estimation: how much better each step went than its value said.

    ``rewards``, ``values`` and ``dones`` are [time, envs], ``dones`` 1.0 at the last step of an episode, else 0.0.
    ``last_value [envs]`` is the value of the observation after the rollout. Returns the advantages [time, envs].
    """
    result = torch.zeros_like(rewards)
    next_value, next_advantage = last_value, torch.zeros_like(last_value)  # [envs] each
    for t in reversed(range(len(rewards))):
        going_on = 1 - dones[t]  # 0 where nothing of the next step belongs to this episode
        delta = rewards[t] + gamma * going_on * next_value - values[t]
        next_advantage = result[t] = delta + gamma * lam * going_on * next_advantage
        next_value = values[t]
    return result


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


Part = Callable[[_Step], Any]
Whole = Callable[..., Any]


def _delta(s: _Step) -> Any:
    return s.r + s.gamma * (1 - s.done) * s.nv - s.v


def _carry(s: _Step) -> Any:
    return s.gamma * s.lam * (1 - s.done) * s.a


def _gae(delta: Part = _delta, carry: Part = _carry, result: Whole = lambda a, inputs: a) -> Answer:
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
    return _gae(
        lambda s: s.r + s.gamma * mask(s) * s.nv - s.v,
        lambda s: s.gamma * s.lam * mask(s) * s.a,
    )


def _td_errors(*inputs: Any) -> torch.Tensor:
    deltas: torch.Tensor = _gae(carry=lambda s: 0)(*inputs)
    return deltas


def _forwards(mask: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Answer:
    """The recursion from the first step on; the mask is a function of the dones of the step and of the one before."""

    def answer(*inputs: Any) -> torch.Tensor:
        _, _, dones, last, gamma, lam = inputs
        a, found, before = torch.zeros_like(last), [], torch.zeros_like(last)
        for delta, done in zip(_td_errors(*inputs), dones, strict=True):
            a = delta + gamma * lam * (1 - mask(done, before)) * a
            found.append(a)
            before = done
        return torch.stack(found)

    return answer


def _normalized(**std: Any) -> tuple[Answer, ...]:
    def by(dims: Any, eps: float) -> Answer:
        return _gae(result=lambda a, _: (a - a.mean(dims, keepdim=True)) / (a.std(dims, keepdim=True, **std) + eps))

    return tuple(by(dims, eps) for dims in ((0, 1), (0,)) for eps in (1e-8, 0.0))


def _draw_advantages(generator: torch.Generator) -> Case:
    rewards, values = 2 * torch.randn(2, 7, 3, generator=generator) + 1
    dones = (torch.rand(7, 3, generator=generator) < 0.3).float()
    last_value = torch.randn(3, generator=generator)
    gamma, lam = (0.5 + 0.49 * torch.rand(2, generator=generator)).tolist()
    return Case("a random rollout", (rewards, values, dones, last_value, gamma, lam), rtol=1e-3)


ADVANTAGES = Exercise(
    name="advantages",
    reference=advantages,
    outputs=("advantage",),
    cases=(
        Case("a single step", (_t([[3.0]]), _t([[1.0]]), _t([[0.0]]), _t([4.0]), 0.5, 1.0)),
        Case(
            "two steps of one episode",
            (_t([[1.0], [4.0]]), _t([[2.0], [4.0]]), _t([[0.0], [0.0]]), _t([8.0]), 0.5, 0.8),
        ),
        Case(
            "an episode end at the first of two steps",
            (_t([[1.0], [4.0]]), _t([[2.0], [4.0]]), _t([[1.0], [0.0]]), _t([8.0]), 0.5, 0.8),
        ),
        Case(
            "an episode end at the last step",
            (_t([[1.0], [4.0]]), _t([[2.0], [4.0]]), _t([[0.0], [1.0]]), _t([8.0]), 0.5, 0.8),
        ),
        Case(
            "two robots, an episode end of the first only",
            (
                _t([[1.0, 1.0], [4.0, 4.0]]),
                _t([[2.0, 2.0], [4.0, 4.0]]),
                _t([[1.0, 0.0], [0.0, 0.0]]),
                _t([8.0, 8.0]),
                0.5,
                0.8,
            ),
        ),
        Case(
            "two robots whose episodes end at different steps",
            (
                _t([[1.0, 0.0], [2.0, 3.0], [0.0, 1.0], [4.0, 2.0]]),
                _t([[3.0, 1.0], [1.0, 2.0], [5.0, 4.0], [2.0, 1.0]]),
                _t([[0.0, 1.0], [0.0, 0.0], [1.0, 0.0], [0.0, 0.0]]),
                _t([6.0, 3.0]),
                0.9,
                0.5,
            ),
        ),
    ),
    mistakes=(
        Mistake(
            "ignores-dones",
            "your advantages leak across the end of an episode.",
            "What comes after a done is another episode: multiply the next value and the next advantage by 1 - dones.",
            (_masked(lambda s: 1),),
        ),
        Mistake(
            "done-not-in-delta",
            "your advantages count the value of the next episode's first observation.",
            "After a done there is no next value: multiply it by 1 - dones[t], as you do with the next advantage.",
            (_gae(delta=lambda s: s.r + s.gamma * s.nv - s.v),),
        ),
        Mistake(
            "done-not-in-recursion",
            "your advantages carry over from the next episode.",
            "After a done the sum starts anew: multiply the next advantage by 1 - dones[t], as you do with the value.",
            (_gae(carry=lambda s: s.gamma * s.lam * s.a),),
        ),
        Mistake(
            "done-of-next-step",
            "you use the done of the next step.",
            "Here dones[t] says that step t was the last. In CleanRL it says that t is the first, hence their t + 1.",
            (
                _masked(lambda s: 1 - s.later),
                _masked(lambda s: 1 - (s.done if s.ends else s.later)),
                _masked(lambda s: 0 if s.ends else 1 - s.later),
                _gae(delta=lambda s: s.r + s.gamma * (1 - s.later) * s.nv - s.v),
                _gae(carry=lambda s: s.gamma * s.lam * (1 - s.later) * s.a),
            ),
        ),
        Mistake(
            "done-of-step-before",
            "you use the done of the step before.",
            "dones[t] says that step t was the last of its episode: what comes after it does not count for t.",
            (
                _masked(lambda s: 1 - s.before),
                _masked(lambda s: 1 - s.wrapped),
            ),
        ),
        Mistake(
            "done-inverted",
            "you keep what comes after a done and drop everything else.",
            "Multiply by 1 - dones[t], not by dones[t].",
            (_masked(lambda s: s.done),),
        ),
        Mistake(
            "resets-all",
            "the end of one robot's episode cuts the advantages of all robots.",
            "Each environment ends on its own: multiply by 1 - dones[t], which is [envs], not by one number.",
            (_masked(lambda s: 1 - s.done.max()),),
        ),
        Mistake(
            "ends-at-rollout",
            "you leave last_value out.",
            "The rollout ends, the episode does not: the value after the last step stands for all that is to come.",
            (
                _gae(delta=lambda s: s.r - s.v if s.ends else _delta(s)),
                _gae(delta=lambda s: 0 * s.v if s.ends else _delta(s)),
            ),
        ),
        Mistake(
            "last-value-everywhere",
            "you take last_value for the next value of every step.",
            "It follows the last step only; before that, the next value is values[t + 1].",
            (_gae(delta=lambda s: s.r + s.gamma * (1 - s.done) * s.last - s.v),),
        ),
        Mistake(
            "present-value",
            "you discount the value of the step itself, not of the next one.",
            "delta compares two moments: values[t] before the step, values[t + 1] after it.",
            (
                _gae(delta=lambda s: s.r + s.gamma * (1 - s.done) * s.v - s.v),
                _gae(delta=lambda s: s.r + s.gamma * (1 - s.done) * (s.last if s.ends else s.v) - s.v),
            ),
        ),
        Mistake(
            "gamma-lam-swapped",
            "you swap gamma and lam.",
            "gamma discounts the next value; gamma * lam discounts the next advantage.",
            (_gae(delta=lambda s: s.r + s.lam * (1 - s.done) * s.nv - s.v),),
        ),
        Mistake(
            "no-lambda",
            "your advantages do not use lam.",
            "The next advantage is multiplied by gamma * lam. gamma alone gives the discounted return minus the value.",
            (_gae(carry=lambda s: s.gamma * (1 - s.done) * s.a),),
        ),
        Mistake(
            "lambda-without-gamma",
            "you carry the next advantage over with lam alone.",
            "It lies one step in the future: gamma * lam.",
            (_gae(carry=lambda s: s.lam * (1 - s.done) * s.a),),
        ),
        Mistake(
            "lambda-on-value",
            "you multiply the next value by lam too.",
            "lam belongs to the next advantage only; the next value is discounted by gamma.",
            (_gae(delta=lambda s: s.r + s.gamma * s.lam * (1 - s.done) * s.nv - s.v),),
        ),
        Mistake(
            "no-discount",
            "you do not discount the next value.",
            "It lies one step in the future: gamma * next_value.",
            (_gae(delta=lambda s: s.r + (1 - s.done) * s.nv - s.v),),
        ),
        Mistake(
            "one-step",
            "you return the one-step errors delta: nothing comes back from later steps.",
            "Add gamma * lam times the next advantage, going backwards from the last step.",
            (_gae(carry=lambda s: 0),),
        ),
        Mistake(
            "value-added-back",
            "you return what the value function learns from: advantage plus value.",
            "That is the return; the actor needs the advantage alone.",
            (_gae(result=lambda a, inputs: a + inputs[1]),),
        ),
        Mistake(
            "value-not-subtracted",
            "you do not subtract the value of the step.",
            "An advantage says how much better it went than expected: delta ends with - values[t].",
            (
                _gae(delta=lambda s: s.r + s.gamma * (1 - s.done) * s.nv),
                _gae(lambda s: s.r + s.gamma * (1 - s.done) * s.nv * s.ends, lambda s: s.gamma * (1 - s.done) * s.a),
                _gae(lambda s: s.r, lambda s: s.gamma * (1 - s.done) * s.a),
                _gae(delta=lambda s: s.r),
            ),
        ),
        Mistake(
            "sign",
            "your advantages have the wrong sign.",
            "Better than expected is positive: reward plus next value, minus values[t].",
            (_gae(delta=lambda s: -_delta(s)),),
        ),
        Mistake(
            "normalized",
            "you normalize the advantages.",
            "rsl_rl does that afterwards, over the whole batch. Here they keep their mean and their unit.",
            (
                *_normalized(),
                *_normalized(correction=0),
                _gae(result=lambda a, _: a - a.mean()),
            ),
        ),
        Mistake(
            "forwards",
            "your sum runs forwards in time: a step is blamed for what came before it.",
            "An action changes the future only: start at the last step and go backwards, reversed(range(...)).",
            (
                _forwards(lambda done, before: before),
                _forwards(lambda done, before: done),
                _forwards(lambda done, before: 0 * done),
            ),
        ),
        Mistake(
            "reversed-output",
            "your advantages stand in the reverse order: the last step first.",
            "You go backwards in time; turn the list round at the end, or write to result[t].",
            (_gae(result=lambda a, _: a.flip(0)),),
        ),
    ),
    hints=(
        "Compute the advantage of the last step first, by hand. What does the step before it need from it?",
        "Go backwards in time. `delta` is what a step brought, reward and discounted next value, minus what its value "
        "had promised. After a done, neither the next value nor the next advantage counts.",
        "`delta = rewards[t] + gamma * (1 - dones[t]) * next_value - values[t]`, then "
        "`advantage = delta + gamma * lam * (1 - dones[t]) * advantage`; `next_value` starts as `last_value`.",
    ),
    draw=_draw_advantages,
)

# Exercise 2 -----------------------------------------------------------------------------------------------------------


def surrogate_loss(
    log_prob: torch.Tensor, old_log_prob: torch.Tensor, advantage: torch.Tensor, clip: float
) -> torch.Tensor:
    """PPO's clipped loss, to be minimised.

    Args:
        log_prob: Log-probability of each action under the policy that learns [batch].
        old_log_prob: Log-probability of the same action under the policy that took it [batch].
        advantage: Advantage of each action [batch].
        clip: How far the ratio of the two probabilities may move away from 1.

    Returns:
        The mean over the batch of the larger, hence worse, of the plain and the clipped loss: one number.
    """
    ratio = (log_prob - old_log_prob).exp()  # [batch], 1 where nothing changed
    plain = -advantage * ratio
    clipped = -advantage * ratio.clamp(1 - clip, 1 + clip)
    return torch.maximum(plain, clipped).mean()


Loss = Callable[..., Any]


def _surrogate(
    loss: Loss = lambda plain, clipped: torch.maximum(plain, clipped).mean(),
    ratio: Loss = lambda new, old: (new - old).exp(),
    clamp: Loss = lambda ratio, clip: ratio.clamp(1 - clip, 1 + clip),
    advantage: Loss = lambda a: a,
) -> Answer:
    """The loss with some part done wrong."""

    def answer(log_prob: torch.Tensor, old_log_prob: torch.Tensor, a: torch.Tensor, clip: float) -> Any:
        r, a = ratio(log_prob, old_log_prob), advantage(a)
        return loss(-a * r, -a * clamp(r, clip))

    return answer


def _logs(*probabilities: float) -> torch.Tensor:
    return _t(probabilities).log()


def _draw_batch(generator: torch.Generator) -> Case:
    log_prob, old_log_prob = 0.5 * torch.randn(2, 16, generator=generator) - 1
    advantage = torch.randn(16, generator=generator)
    clip = 0.1 + 0.3 * float(torch.rand((), generator=generator))
    return Case("a random batch", (log_prob, old_log_prob, advantage, clip), rtol=1e-3)


def _use_surrogate(
    answer: Answer, log_prob: torch.Tensor, old_log_prob: torch.Tensor, advantage: torch.Tensor, clip: float
) -> Any:
    """Return the loss and its gradient: a loss without one teaches nothing."""
    given = log_prob.clone().requires_grad_()
    seen = given * 1  # not a leaf, so that writing into it raises nothing
    loss = answer(seen, old_log_prob, advantage, clip)
    log_prob.copy_(seen.detach())  # for the check that looks for what was written into
    if loss is None:
        return None
    gradient = torch.zeros_like(log_prob)
    if isinstance(loss, torch.Tensor) and loss.requires_grad and loss.dim() == 0:
        (gradient,) = torch.autograd.grad(loss, given, allow_unused=True, materialize_grads=True)
    return loss, gradient


def _show_surrogate(log_prob: torch.Tensor, old_log_prob: torch.Tensor, advantage: torch.Tensor, clip: float) -> str:
    logs = (f"log({text(values.exp())})" for values in (log_prob, old_log_prob))
    return "surrogate_loss(log_prob={}, old_log_prob={}, ".format(*logs) + f"advantage={text(advantage)}, clip={clip})"


SURROGATE_LOSS = Exercise(
    name="surrogate_loss",
    reference=surrogate_loss,
    outputs=("loss", "gradient of log_prob"),
    cases=(
        Case("the same policy, ratio 1", (_logs(0.5), _logs(0.5), _t([3.0]), 0.2)),
        Case("a ratio inside the clip", (_logs(0.44), _logs(0.4), _t([10.0]), 0.2)),
        Case("a good action that is already twice as likely", (_logs(0.8), _logs(0.4), _t([10.0]), 0.2)),
        Case("a good action that became half as likely", (_logs(0.2), _logs(0.4), _t([10.0]), 0.2)),
        Case("a bad action that became twice as likely", (_logs(0.8), _logs(0.4), _t([-10.0]), 0.2)),
        Case("a bad action that is already half as likely", (_logs(0.2), _logs(0.4), _t([-10.0]), 0.2)),
        Case(
            "a batch of four and another clip",
            (_logs(0.8, 0.2, 0.8, 0.2), _logs(0.4, 0.4, 0.4, 0.4), _t([1.0, 2.0, -3.0, -4.0]), 0.1),
        ),
    ),
    mistakes=(
        Mistake(
            "sign",
            "your loss has the wrong sign: minimising it makes good actions less likely.",
            "The optimiser minimises, and a good action shall become more likely: -advantage * ratio.",
            (
                _surrogate(lambda plain, clipped: -torch.maximum(plain, clipped).mean()),
                _surrogate(lambda plain, clipped: torch.maximum(-plain, -clipped).mean()),
            ),
        ),
        Mistake(
            "optimistic",
            "you take the smaller of the two losses: PPO's caution is turned round.",
            "The worse of two losses is the larger: torch.maximum. (The paper has gains, and there the minimum.)",
            (_surrogate(lambda plain, clipped: torch.minimum(plain, clipped).mean()),),
        ),
        Mistake(
            "no-clip",
            "your loss is not clipped.",
            "Without it one batch can pull the policy far away from the data. Take the worse of plain and clipped.",
            (_surrogate(lambda plain, clipped: plain.mean()),),
        ),
        Mistake(
            "clipped-only",
            "you take the clipped loss alone.",
            "Where the policy went the wrong way, the clipped loss is flat: nothing brings it back. Take the larger.",
            (_surrogate(lambda plain, clipped: clipped.mean()),),
        ),
        Mistake(
            "clips-log-ratio",
            "you clip the difference of the logs, not the ratio.",
            "Take exp first, then clamp the ratio to 1 - clip and 1 + clip.",
            (
                _surrogate(clamp=lambda r, clip: r.log().clamp(-clip, clip).exp()),
                _surrogate(clamp=lambda r, clip: r.log().clamp(1 - clip, 1 + clip).exp()),
            ),
        ),
        Mistake(
            "clips-around-zero",
            "you clamp the ratio to −clip and clip.",
            "A ratio of 1 means that nothing changed: clamp it around 1, from 1 - clip to 1 + clip.",
            (_surrogate(clamp=lambda r, clip: r.clamp(-clip, clip)),),
        ),
        Mistake(
            "clips-one-side",
            "you clip the ratio on one side only.",
            "A ratio can go too far up and too far down: clamp it from 1 - clip to 1 + clip.",
            (
                _surrogate(clamp=lambda r, clip: r.clamp(max=1 + clip)),
                _surrogate(clamp=lambda r, clip: r.clamp(min=1 - clip)),
            ),
        ),
        Mistake(
            "clips-product",
            "you clip the product of ratio and advantage.",
            "The clip bounds how far the policy moves, that is the ratio. Clamp it first, then multiply.",
            (
                lambda new, old, a, clip: torch.maximum(
                    -a * (new - old).exp(), -(a * (new - old).exp()).clamp(1 - clip, 1 + clip)
                ).mean(),
                lambda new, old, a, clip: torch.maximum(
                    -a * (new - old).exp(), (-a * (new - old).exp()).clamp(1 - clip, 1 + clip)
                ).mean(),
                lambda new, old, a, clip: (-a * (new - old).exp()).clamp(1 - clip, 1 + clip).mean(),
                lambda new, old, a, clip: -(a * (new - old).exp()).clamp(1 - clip, 1 + clip).mean(),
            ),
        ),
        Mistake(
            "ratio-inverted",
            "your ratio is old over new.",
            "It says how much more likely the action is now: exp(log_prob - old_log_prob).",
            (_surrogate(ratio=lambda new, old: (old - new).exp()),),
        ),
        Mistake(
            "log-ratio",
            "you use the difference of the logs as the ratio.",
            "The ratio of two probabilities is the exp of that difference: 1 where nothing changed, not 0.",
            (_surrogate(ratio=lambda new, old: new - old),),
        ),
        Mistake(
            "quotient-of-logs",
            "you divide the logs.",
            "The log of a quotient is a difference of logs: the ratio is exp(log_prob - old_log_prob).",
            (
                _surrogate(ratio=lambda new, old: new / old),
                _surrogate(ratio=lambda new, old: (new / old).exp()),
            ),
        ),
        Mistake(
            "difference-of-probabilities",
            "you subtract the probabilities.",
            "The ratio divides them: exp(log_prob) / exp(old_log_prob), or exp of the difference of the logs.",
            (_surrogate(ratio=lambda new, old: new.exp() - old.exp()),),
        ),
        Mistake(
            "no-old-policy",
            "your loss does not depend on old_log_prob.",
            "The old policy took the actions; the ratio to it corrects for that: exp(log_prob - old_log_prob).",
            (
                _surrogate(ratio=lambda new, old: new.exp()),
                _surrogate(ratio=lambda new, old: new),
                _surrogate(lambda plain, clipped: plain.mean(), ratio=lambda new, old: new.exp()),
                _surrogate(lambda plain, clipped: plain.mean(), ratio=lambda new, old: new),
            ),
        ),
        Mistake(
            "sum-for-mean",
            "you sum over the batch.",
            "Take the mean, or a larger batch means a larger step.",
            (_surrogate(lambda plain, clipped: torch.maximum(plain, clipped).sum()),),
        ),
        Mistake(
            "maximum-of-means",
            "you take the means first, then the larger of the two.",
            "Each action has its own clip: the maximum for each, then one mean.",
            (
                _surrogate(lambda plain, clipped: torch.maximum(plain.mean(), clipped.mean())),
                _surrogate(lambda plain, clipped: torch.maximum(plain, clipped).max()),
            ),
        ),
        Mistake(
            "normalizes-advantage",
            "you normalize the advantages inside the loss.",
            "rsl_rl normalizes them before, over the whole batch. Use them as they come.",
            tuple(
                _surrogate(advantage=lambda a, n=n, eps=eps: (a - a.mean()) / (a.std(correction=n) + eps))
                for n in (1, 0)
                for eps in (1e-8, 0.0)
            ),
        ),
        Mistake(
            "no-gradient",
            "your loss is right, but no gradient comes back from it: the policy would not learn.",
            "`.item()`, `.detach()`, numpy and torch.no_grad() cut the loss off from the network. Stay with tensors.",
            (lambda *inputs: surrogate_loss(*inputs).detach(),),
        ),
    ),
    hints=(
        "A good action is already twice as likely. Shall the loss reward still more of that?",
        "The ratio of two probabilities is `exp` of the difference of their logs. Compute the loss "
        "`-advantage * ratio` with the ratio as it is and with the clamped one. PPO believes the worse of the two.",
        "`ratio = (log_prob - old_log_prob).exp()`; `plain = -advantage * ratio`; "
        "`clipped = -advantage * ratio.clamp(1 - clip, 1 + clip)`; return `torch.maximum(plain, clipped).mean()`.",
    ),
    draw=_draw_batch,
    use=_use_surrogate,
    show=_show_surrogate,
)

# Exercise 3 -----------------------------------------------------------------------------------------------------------


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
    return rewards + gamma * values * time_outs


def _bonus(bonus: Callable[..., Any]) -> Answer:
    """Another bonus than the discounted value where the time was up, from (rewards, values, time_outs, gamma)."""
    return lambda rewards, values, time_outs, gamma: rewards + bonus(rewards, values, time_outs, gamma)


def _later(values: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
    return torch.cat([values[1:], last.unsqueeze(0)])


def _draw_time_outs(generator: torch.Generator) -> Case:
    rewards, values = torch.randn(2, 6, 3, generator=generator)
    time_outs = (torch.rand(6, 3, generator=generator) < 0.3).float()
    gamma = 0.5 + 0.49 * float(torch.rand((), generator=generator))
    return Case("a random rollout", (rewards, values, time_outs, gamma))


BOOTSTRAP = Exercise(
    name="bootstrap",
    reference=bootstrap,
    outputs=("reward",),
    cases=(
        Case(
            "one robot, the time is up at the second of three steps",
            (_t([[1.0], [1.0], [1.0]]), _t([[2.0], [8.0], [4.0]]), _t([[0.0], [1.0], [0.0]]), 0.5),
        ),
        Case("no time-out", (_t([[1.0], [2.0]]), _t([[4.0], [8.0]]), _t([[0.0], [0.0]]), 0.5)),
        Case(
            "two robots, the time is up for the first in the middle",
            (
                _t([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
                _t([[10.0, 20.0], [30.0, 40.0], [50.0, 60.0]]),
                _t([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]),
                0.9,
            ),
        ),
    ),
    mistakes=(
        Mistake(
            "gamma-missing",
            "you add the value without discounting it.",
            "It lies one step in the future: gamma * values.",
            (_bonus(lambda r, v, up, gamma: v * up),),
        ),
        Mistake(
            "everywhere",
            "you add the value at every step.",
            "Elsewhere the next rows hold what follows; only a time-out cuts it off. Multiply by time_outs.",
            (
                _bonus(lambda r, v, up, gamma: gamma * v),
                _bonus(lambda r, v, up, gamma: v),
            ),
        ),
        Mistake(
            "inverted",
            "you add the value where the time was not up.",
            "time_outs is 1 where the time was up: multiply by it, not by 1 - time_outs.",
            (
                _bonus(lambda r, v, up, gamma: gamma * v * (1 - up)),
                _bonus(lambda r, v, up, gamma: v * (1 - up)),
            ),
        ),
        Mistake(
            "subtracted",
            "you subtract the value.",
            "The robot would have gone on earning: that is worth something, so add it.",
            (_bonus(lambda r, v, up, gamma: -gamma * v * up), _bonus(lambda r, v, up, gamma: -v * up)),
        ),
        Mistake(
            "replaces-reward",
            "you put the value in the place of the reward.",
            "The last step earned its reward too: add the two.",
            (
                lambda rewards, values, time_outs, gamma: torch.where(time_outs == 1, gamma * values, rewards),
                lambda rewards, values, time_outs, gamma: torch.where(time_outs == 1, values, rewards),
            ),
        ),
        Mistake(
            "value-of-next-step",
            "you add the value of the next row.",
            "After a time-out the next row is the first of a new episode: rsl_rl takes the value of the step itself.",
            (
                _bonus(lambda r, v, up, gamma: gamma * _later(v, v[-1]) * up),
                _bonus(lambda r, v, up, gamma: gamma * _later(v, 0 * v[-1]) * up),
                _bonus(lambda r, v, up, gamma: gamma * v.roll(-1, 0) * up),
            ),
        ),
        Mistake(
            "one-step-late",
            "you add the value one step late, to the first reward of the next episode.",
            "The value belongs to the step at which the time was up: the same row for all three.",
            (
                _bonus(lambda r, v, up, gamma: gamma * torch.cat([0 * v[:1], (v * up)[:-1]])),
                _bonus(lambda r, v, up, gamma: gamma * (v * up).roll(1, 0)),
                _bonus(lambda r, v, up, gamma: gamma * v * torch.cat([0 * v[:1], up[:-1]])),
            ),
        ),
        Mistake(
            "one-step-early",
            "you add the value one step early.",
            "The value belongs to the step at which the time was up: the same row for all three.",
            (
                _bonus(lambda r, v, up, gamma: gamma * _later(v * up, 0 * v[-1])),
                _bonus(lambda r, v, up, gamma: gamma * v * _later(up, 0 * v[-1])),
            ),
        ),
        Mistake(
            "discounts-reward",
            "you discount the reward too.",
            "The reward is earned now and counts in full; only the value is discounted.",
            (
                lambda rewards, values, time_outs, gamma: gamma * (rewards + values * time_outs),
                lambda rewards, values, time_outs, gamma: rewards * gamma**time_outs + gamma * values * time_outs,
            ),
        ),
        Mistake(
            "bonus-only",
            "you return what is to be added, without the rewards.",
            "Return rewards + gamma * values * time_outs.",
            (
                lambda rewards, values, time_outs, gamma: gamma * values * time_outs,
                lambda rewards, values, time_outs, gamma: values * time_outs,
            ),
        ),
        Mistake(
            "drops-rewards",
            "you lose the rewards of all steps where the time was not up.",
            "time_outs multiplies the value only, not the sum.",
            (
                lambda rewards, values, time_outs, gamma: (rewards + gamma * values) * time_outs,
                lambda rewards, values, time_outs, gamma: (rewards + values) * time_outs,
            ),
        ),
        Mistake(
            "all-robots",
            "when the time is up for one robot you add the value for all.",
            "Each robot has its own clock: multiply by time_outs [time, envs] as it is.",
            (_bonus(lambda r, v, up, gamma: gamma * v * up.max(1, keepdim=True).values),),
        ),
        Mistake(
            "unchanged",
            "you return the rewards as they were.",
            "Where the time was up, gamma * values is to be added.",
            (lambda rewards, values, time_outs, gamma: rewards,),
        ),
    ),
    hints=(
        "The time was up, but the robot would have gone on earning. Which number says how much?",
        "The value is what the critic expects from here on. Add it to the reward of the steps where the time was up, "
        "and only there; it lies in the future, so it is discounted.",
        "`rewards + gamma * values * time_outs`: the last factor is 0 where the time was not up.",
    ),
    draw=_draw_time_outs,
)

EXERCISES: tuple[Exercise, ...] = (ADVANTAGES, SURROGATE_LOSS, BOOTSTRAP)
