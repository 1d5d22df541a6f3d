"""Exercise ``adaptive_learning_rate``: let the learning rate follow the KL divergence."""

import itertools
from typing import Any

import torch

from ..exercise import Answer, Case, Exercise, Mistake, Part


def adaptive_learning_rate(rate: float, kl: float, desired_kl: float) -> float:
    """Learning rate of the next update, as rsl_rl sets it from the KL(old ‖ new) of the policy so far.

    A KL above twice the desired one divides the rate by 1.5, down to 1e-5 at least. A KL above 0 and below half the
    desired one multiplies it by 1.5, up to 1e-2 at most. Otherwise the rate stays as it is.
    """
    if kl > 2 * desired_kl:  # the policy moved too far
        return max(1e-5, rate / 1.5)
    if 0 < kl < desired_kl / 2:  # it hardly moved; a KL of 0 says only that no update has been done yet
        return min(1e-2, rate * 1.5)
    return rate


def _case(about: str, rate: float, kl: float, desired_kl: float) -> Case:
    return Case(about, (rate, kl, desired_kl), atol=1e-9)  # the lower limit is 1e-5


def _draw(generator: torch.Generator) -> Case:
    where, above, some = torch.rand(3, generator=generator).tolist()
    desired = 0.002 + 0.05 * above
    kl = desired * 6 ** (2 * some - 1) if some > 0.1 else 0.0
    return _case("random rates", 1e-5 * 1000**where, kl, desired)


CASES = (
    _case("a KL far above the desired one", 0.003, 0.05, 0.01),
    _case("a KL far below the desired one", 0.002, 0.001, 0.01),
    _case("a KL a little above the desired one", 0.001, 0.012, 0.01),
    _case("a KL a little below the desired one", 0.001, 0.008, 0.01),
    _case("a KL of almost twice the desired one", 0.001, 0.018, 0.01),
    _case("a KL just above half the desired one", 0.001, 0.006, 0.01),
    _case("another desired KL", 0.001, 0.03, 0.05),
    _case("a KL of 0, as before the first update", 0.001, 0.0, 0.01),
    _case("a rate near the lower limit", 1.2e-5, 0.05, 0.01),
    _case("a rate near the upper limit", 0.008, 0.001, 0.01),
    _case("a rate that somebody set beyond the limits, and a KL near the desired one", 0.02, 0.01, 0.01),
)


def _lower(rate: float) -> float:
    return max(1e-5, rate / 1.5)


def _raise(rate: float) -> float:
    return min(1e-2, rate * 1.5)


def _stay(rate: float) -> float:
    return rate


def _rule(
    high: Part = _lower,
    low: Part = _raise,
    between: Part = _stay,
    zero: Part = _stay,
    above: float = 2.0,
    below: float = 0.5,
) -> Answer:
    """The rule with some of its parts replaced: what it does to the rate, and its thresholds in desired KLs."""

    def answer(rate: float, kl: float, desired_kl: float) -> Any:
        if kl > above * desired_kl:
            return high(rate)
        if kl <= 0:
            return zero(rate)
        return low(rate) if kl < below * desired_kl else between(rate)

    return answer


def _all(change: Part) -> Answer:
    """The rule with another change in the place of each, made from the rate and what the right one returns."""

    def instead_of(right: Part) -> Part:
        return lambda rate: change(rate, right(rate))

    return _rule(instead_of(_lower), instead_of(_raise), instead_of(_stay), instead_of(_stay))


def _proportional(power: float, guarded: bool, limited: bool) -> Answer:
    def answer(rate: float, kl: float, desired_kl: float) -> float:
        if guarded and kl <= 0:
            return rate
        new: float = rate * (desired_kl / kl) ** power
        return min(1e-2, max(1e-5, new)) if limited else new

    return answer


def _factors(down: float, up: float) -> Answer:
    return _rule(lambda rate: max(1e-5, rate / down), lambda rate: min(1e-2, rate * up))


MISTAKES = {
    "swapped": Mistake(
        "you raise the rate where it should fall, and lower it where it should rise.",
        "A KL above the desired one says that the policy moves too far: take smaller steps, divide by 1.5.",
        _rule(high=_raise, low=_lower),
        _rule(high=_raise, low=_lower, zero=_lower),
        _rule(high=lambda rate: rate * 1.5, low=lambda rate: rate / 1.5),
        _rule(high=lambda rate: max(1e-5, rate * 1.5), low=lambda rate: min(1e-2, rate / 1.5)),
    ),
    "other-factor": Mistake(
        "your rate changes by another factor than 1.5.",
        "Divide by 1.5 and multiply by 1.5. The 2 belongs to the thresholds, 2 · desired_kl and desired_kl / 2.",
        *(_factors(factor, factor) for factor in (2, 1.1, 1.2, 1.25, 3, 10)),
        *(_factors(*both) for both in ((1.5, 2), (2, 1.5), (1.5, 1.2), (1.5, 1.25), (1 / 0.75, 1.5))),
        _rule(high=lambda rate: rate / 2, low=lambda rate: rate * 2),
    ),
    "limits-missing": Mistake(
        "your rate has no limits.",
        "Where it falls, stop at 1e-5: max(1e-5, …). Where it rises, stop at 1e-2: min(1e-2, …).",
        _rule(high=lambda rate: rate / 1.5, low=lambda rate: rate * 1.5),
    ),
    "lower-limit-missing": Mistake(
        "your rate falls without end.",
        "Stop at 1e-5, max(1e-5, rate / 1.5): from a rate of next to nothing, no learning leads back.",
        _rule(high=lambda rate: rate / 1.5),
        _rule(high=lambda rate: max(1e-6, rate / 1.5)),
    ),
    "upper-limit-missing": Mistake(
        "your rate rises without end.",
        "Stop at 1e-2: min(1e-2, rate * 1.5).",
        _rule(low=lambda rate: rate * 1.5),
        _rule(low=lambda rate: min(1e-1, rate * 1.5)),
    ),
    "min-and-max-swapped": Mistake(
        "your limits set the rate: min and max are swapped.",
        "max(1e-5, …) keeps a rate from falling below 1e-5; min(1e-5, …) pushes every rate down to it.",
        _rule(lambda rate: min(1e-5, rate / 1.5), lambda rate: max(1e-2, rate * 1.5)),
        _rule(high=lambda rate: min(1e-5, rate / 1.5)),
        _rule(low=lambda rate: max(1e-2, rate * 1.5)),
        _rule(lambda rate: max(1e-2, rate / 1.5), lambda rate: min(1e-5, rate * 1.5)),
        _all(lambda rate, new: max(1e-2, min(1e-5, new))),
        _all(lambda rate, new: min(1e-5, max(1e-2, new))),
    ),
    "limits-always": Mistake(
        "your limits also move a rate whose KL is near the desired one.",
        "Only a rate that the rule has just changed is limited. Any other stays as it is, even beyond the limits.",
        _all(lambda rate, new: min(1e-2, max(1e-5, new))),
    ),
    "threshold-at-desired": Mistake(
        "your rate changes as soon as the KL is a little off the desired one.",
        "The KL of a mini-batch is noisy: act only above twice or below half the desired one, and rest between.",
        _rule(above=1, below=1),
        _rule(above=1),
        _rule(below=1),
        _rule(above=1, below=1, zero=_raise),
    ),
    "factor-as-threshold": Mistake(
        "your thresholds are 1.5 times the desired KL and the desired KL / 1.5.",
        "1.5 is the factor of the rate. The thresholds are twice and half the desired KL.",
        _rule(above=1.5, below=1 / 1.5),
        _rule(above=1.5),
        _rule(below=1 / 1.5),
    ),
    "desired-ignored": Mistake(
        "your thresholds do not follow desired_kl.",
        "They are 2 · desired_kl and desired_kl / 2; 0.01 is only rsl_rl's default of it.",
        lambda rate, kl, desired_kl: adaptive_learning_rate(rate, kl, 0.01),
    ),
    "zero-raises": Mistake(
        "a KL of 0 raises your rate.",
        "Before the first update both policies are the same, and the KL of 0 tells nothing: ask for 0 < kl too.",
        _rule(zero=_raise),
        _rule(zero=lambda rate: rate * 1.5, high=lambda rate: rate / 1.5, low=lambda rate: rate * 1.5),
    ),
    "never-rests": Mistake(
        "your rate changes at every update, also when the KL is near the desired one.",
        "There are three cases: above 2 · desired_kl, below desired_kl / 2, and between them, where it rests.",
        _rule(between=_lower, zero=_raise),
        _rule(between=_raise),
        _rule(between=_raise, zero=_raise),
        _rule(between=_lower),
        _rule(between=_lower, zero=_lower),
    ),
    "never-changes": Mistake(
        "your rate always stays as it is.",
        "Is what you compute returned? rate / 1.5 alone changes nothing; and only one change may apply.",
        _all(lambda rate, new: rate),
        _rule(lambda rate: _raise(_lower(rate)), lambda rate: _raise(_lower(rate))),
        _all(lambda rate, new: _raise(_lower(rate))),
    ),
    "only-lowers": Mistake(
        "your rate never rises.",
        "A KL below half the desired one, but above 0, says that larger steps are safe: multiply by 1.5.",
        _rule(low=_stay),
    ),
    "only-raises": Mistake(
        "your rate never falls.",
        "A KL above twice the desired one says that the policy moves too far: divide by 1.5.",
        _rule(high=_stay),
    ),
    "proportional": Mistake(
        "your rate changes in proportion to desired_kl / kl.",
        "One noisy KL would throw the rate far off. The rule takes small fixed steps: 1.5 down, 1.5 up, or none.",
        *(_proportional(*each) for each in itertools.product((1.0, 0.5), (True, False), (True, False))),
    ),
    "rounded": Mistake(
        "your rate is rounded to a whole number.",
        "Rates are far below 1: divide with / (// rounds down), and leave out int() and round().",
        _all(lambda rate, new: int(new)),
        _rule(high=lambda rate: rate // 1.5),
        _rule(high=lambda rate: max(1e-5, rate // 1.5)),
    ),
    "returns-factor": Mistake(
        "you return the factor, not the rate.",
        "The next update needs the rate itself: multiply or divide it, and return the result.",
        _rule(lambda rate: 1 / 1.5, lambda rate: 1.5, lambda rate: 1.0, lambda rate: 1.0),
        _rule(lambda rate: 1.5, lambda rate: 1.5, lambda rate: 1.0, lambda rate: 1.0),
    ),
    "returns-change": Mistake(
        "you return by how much the rate changes, not the new rate.",
        "The next update needs the rate itself: return it, changed or not.",
        _all(lambda rate, new: new - rate),
    ),
}

HINTS = (
    "Three cases: too far, not far enough, and neither. Which of them does a KL of 0 belong to?",
    "Too far is above *twice* the target; not far enough is above 0 and below *half* of it. The factor is 1.5. A rate "
    "that the rule changes must not leave the range from 1e-5 to 1e-2; a rate that it leaves alone stays as it is. By "
    "hand, with a target of 0.01 and a rate of 0.003: a KL of 0.05 gives 0.002, a KL of 0.001 gives 0.0045, and 0.006, "
    "0.018 and 0 leave 0.003.",
    "`max(1e-5, rate / 1.5)` if `kl > 2 * desired_kl`; `min(1e-2, rate * 1.5)` if `0 < kl < desired_kl / 2`; otherwise "
    "`rate`.",
)

EXERCISE = Exercise(adaptive_learning_rate, ("rate",), CASES, MISTAKES, HINTS, _draw)
