"""Exercise ``adaptive_learning_rate``: let the learning rate follow the KL divergence."""

import torch

from ..exercise import Case, Exercise, Mistake


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
    _case("a KL a little above the desired one", 0.004, 0.012, 0.01),
    _case("a KL a little below the desired one", 0.004, 0.008, 0.01),
    _case("a KL of almost twice the desired one", 0.004, 0.018, 0.01),
    _case("a KL just above half the desired one", 0.004, 0.006, 0.01),
    _case("a KL just above twice the desired one", 0.0037, 0.021, 0.01),
    _case("a KL just below half the desired one", 0.0037, 0.0049, 0.01),
    # Powers of two: exact however the threshold is written.
    _case("a KL of exactly twice the desired one", 0.004, 0.5, 0.25),
    _case("a KL of exactly half the desired one", 0.004, 0.125, 0.25),
    _case("another desired KL", 0.004, 0.021, 0.05),
    _case("a tiny KL", 0.004, 1e-6, 0.01),
    _case("a KL of 0, as before the first update", 0.004, 0.0, 0.01),
    _case("a KL of 0 that rounding made negative", 0.004, -1e-6, 0.01),
    _case("a rate near the lower limit, and a huge KL", 1.2e-5, 5.0, 0.01),
    _case("a rate near the upper limit", 0.008, 0.001, 0.01),
    _case("a rate at the lower limit", 1e-5, 0.05, 0.01),
    _case("a rate at the upper limit", 1e-2, 0.001, 0.01),
    _case("a rate that somebody set above the limits, and a KL near the desired one", 0.02, 0.01, 0.01),
    _case("a rate that somebody set below the limits, and a KL near the desired one", 2e-6, 0.01, 0.01),
)


_DOWN = "max(1e-5, rate / 1.5)"
_UP = "min(1e-2, rate * 1.5)"
_STAY = "return rate"


def _everywhere(new: str) -> dict[str, str]:
    """What is made of each of the three rates; {} stands for it."""
    return {_DOWN: new.format(_DOWN), _UP: new.format(_UP), _STAY: f"return {new.format('rate')}"}


MISTAKES = {
    "swapped": Mistake(
        "you raise the rate where it should fall, and lower it where it should rise.",
        "A KL above the desired one says that the policy moves too far: take smaller steps, divide by 1.5.",
        {"kl > 2 * desired_kl": "0 < kl < desired_kl / 2", "0 < kl < desired_kl / 2": "kl > 2 * desired_kl"},
        {_DOWN: _UP, _UP: _DOWN},
        {_DOWN: _UP, _UP: _DOWN, "0 < ": ""},
        {_DOWN: "rate * 1.5", _UP: "rate / 1.5"},
        {_DOWN: "max(1e-5, rate * 1.5)", _UP: "min(1e-2, rate / 1.5)"},
        {"if kl >": "if kl <", "kl < desired": "kl > desired"},
    ),
    "other-factor": Mistake(
        "your rate changes by another factor than 1.5.",
        "Divide by 1.5 and multiply by 1.5. The 2 belongs to the thresholds, 2 · desired_kl and desired_kl / 2.",
        *({"/ 1.5)": f"/ {factor})", "* 1.5)": f"* {factor})"} for factor in (2, 1.1, 1.2, 1.25, 3, 10)),
        *({"/ 1.5)": f"* {factor})"} for factor in (0.5, 0.75, 0.8, 0.9, 0.1, 0.667)),
        *({"* 1.5)": f"* {factor})"} for factor in (2, 1.1, 1.2, 1.25, 1.05)),
        {"/ 1.5)": "* 0.9)", "* 1.5)": "* 1.1)"},
        {"/ 1.5)": "* 0.5)", "* 1.5)": "* 1.2)"},
    ),
    "zero-raises": Mistake(
        "your rate changes when the KL is 0.",
        "Before the first update both policies are the same, and the KL of 0 tells nothing: ask for 0 < kl too.",
        {"0 < ": ""},
        {"0 <": "0 <="},
        {_STAY: f"return rate if kl > 0 else {_DOWN}"},
    ),
    "negative-raises": Mistake(
        "your rate changes when the KL is a little below 0.",
        "Rounding can make -1e-6 of a KL of 0, and it tells no more than 0: ask for 0 < kl, not kl != 0 or abs(kl).",
        {"0 <": "0 !="},
    ),
    "limits-missing": Mistake(
        "your rate leaves its limits, 1e-5 and 1e-2.",
        "Where it falls, stop at 1e-5: max(1e-5, …). Where it rises, stop at 1e-2: min(1e-2, …).",
        {"max(1e-5, rate": "(rate", "min(1e-2, rate": "(rate"},
    ),
    "lower-limit-missing": Mistake(
        "your rate falls below 1e-5.",
        "Stop at 1e-5, max(1e-5, rate / 1.5): from a rate of next to nothing, no learning leads back.",
        {"max(1e-5, rate": "(rate"},
    ),
    "upper-limit-missing": Mistake(
        "your rate rises above 1e-2.",
        "Stop at 1e-2: min(1e-2, rate * 1.5).",
        {"min(1e-2, rate": "(rate"},
    ),
    "threshold-at-desired": Mistake(
        "your rate changes as soon as the KL is a little off the desired one.",
        "The KL of a mini-batch is noisy: act only above twice or below half the desired one, and rest between.",
        {"2 * desired_kl": "desired_kl", "desired_kl / 2": "desired_kl"},
        {"2 * desired_kl": "desired_kl"},
        {"desired_kl / 2": "desired_kl"},
    ),
    "factor-as-threshold": Mistake(
        "your thresholds look like 1.5 times the desired KL and the desired KL / 1.5.",
        "1.5 is the factor of the rate. The thresholds are twice and half the desired KL.",
        {"2 * desired_kl": "1.5 * desired_kl", "desired_kl / 2": "desired_kl / 1.5"},
    ),
    "factor-as-upper-threshold": Mistake(
        "your upper threshold looks like 1.5 times the desired KL.",
        "1.5 is the factor of the rate. The upper threshold is twice the desired KL.",
        {"2 * desired_kl": "1.5 * desired_kl"},
    ),
    "factor-as-lower-threshold": Mistake(
        "your lower threshold looks like the desired KL divided by 1.5.",
        "1.5 is the factor of the rate. The lower threshold is half the desired KL.",
        {"desired_kl / 2": "desired_kl / 1.5"},
    ),
    "square-for-twice": Mistake(
        "you use the square and the root of the desired KL; the thresholds are twice and half of it.",
        "** is a power: write 2 * desired_kl and desired_kl / 2.",
        {"2 * desired_kl": "desired_kl**2", "desired_kl / 2": "desired_kl**0.5"},
        {"2 * desired_kl": "desired_kl**2"},
    ),
    "lower-threshold-too-high": Mistake(
        "your lower threshold lies above the desired KL.",
        "The rate rises only below half the desired KL: desired_kl / 2.",
        {"desired_kl / 2": "desired_kl * 2"},
        {"desired_kl / 2": "desired_kl * 1.5"},
    ),
    "at-the-threshold": Mistake(
        "your rate changes when the KL is exactly twice, or exactly half, the desired one.",
        "The rule says above and below: compare with > and <, not with >= and <=.",
        {"if kl >": "if kl >=", "kl < desired": "kl <= desired"},
        {"if kl >": "if kl >="},
        {"kl < desired": "kl <= desired"},
    ),
    "desired-ignored": Mistake(
        "your thresholds do not follow desired_kl.",
        "They are 2 · desired_kl and desired_kl / 2; 0.01 is only rsl_rl's default of it.",
        {"2 * desired_kl": "0.02", "desired_kl / 2": "0.005"},
        {"2 * desired_kl": "0.02"},
        {"desired_kl / 2": "0.005"},
    ),
    "never-rests": Mistake(
        "your rate changes at every update, also when the KL is near the desired one.",
        "There are three cases: above 2 · desired_kl, below desired_kl / 2, and between them, where it rests.",
        {"0 < kl < desired_kl / 2": "True"},
        {" < desired_kl / 2": ""},
        {"2 * desired_kl": "desired_kl / 2", "kl < desired_kl / 2": "kl < 2 * desired_kl"},
        {"2 * desired_kl": "desired_kl / 2"},
        {"2 * desired_kl": "desired_kl", "0 < kl < desired_kl / 2": "True"},
        {_STAY: f"return {_DOWN}"},
        {_STAY: f"return {_DOWN} if kl > 0 else rate"},
    ),
    "only-lowers": Mistake(
        "your rate never rises.",
        "A KL below half the desired one, but above 0, says that larger steps are safe: multiply by 1.5.",
        {_UP: "rate"},
    ),
    "only-raises": Mistake(
        "your rate never falls.",
        "A KL above twice the desired one says that the policy moves too far: divide by 1.5.",
        {_DOWN: "rate"},
    ),
    "never-changes": Mistake(
        "your rate always stays as it is.",
        "Is what you compute returned? rate / 1.5 alone changes nothing; and only one change may apply.",
        {_DOWN: "rate", _UP: "rate"},
    ),
    "thresholds-too-far": Mistake(
        "your rate should change already when the KL is just above twice, or just below half, the desired one.",
        "The thresholds are 2 · desired_kl and desired_kl / 2, no further away.",
        *({"2 * desired_kl": f"{n} * desired_kl", "desired_kl / 2": f"desired_kl / {n}"} for n in (3, 10)),
        *({"2 * desired_kl": f"{n} * desired_kl"} for n in (3, 10)),
        *({"desired_kl / 2": f"desired_kl / {n}"} for n in (3, 20)),
    ),
    "min-and-max-swapped": Mistake(
        "your limits set the rate: min and max are swapped.",
        "max(1e-5, …) keeps a rate from falling below 1e-5; min(1e-5, …) pushes every rate down to it.",
        {"max(1e-5": "min(1e-5", "min(1e-2": "max(1e-2"},
        {"max(1e-5": "min(1e-5"},
        {"min(1e-2": "max(1e-2"},
        _everywhere("1e-2"),
        _everywhere("1e-5"),
    ),
    "limits-exchanged": Mistake(
        "your limits set the rate: 1e-5 and 1e-2 are exchanged.",
        "A rate that falls stops at 1e-5, max(1e-5, …), and one that rises stops at 1e-2, min(1e-2, …).",
        {"max(1e-5": "max(1e-2", "min(1e-2": "min(1e-5"},
    ),
    "other-limits": Mistake(
        "your rate stops before its limits, 1e-5 and 1e-2.",
        "Where it falls, stop at 1e-5: max(1e-5, …). Where it rises, stop at 1e-2: min(1e-2, …).",
        {"max(1e-5": "max(1e-4", "min(1e-2": "min(1e-3"},
        {"max(1e-5": "max(1e-4"},
        {"min(1e-2": "min(1e-3"},
    ),
    "limits-always": Mistake(
        "your limits also move a rate whose KL is near the desired one.",
        "Only a rate that the rule has just changed is limited. Any other stays as it is, even beyond the limits.",
        *({_STAY: f"return {new}"} for new in ("min(1e-2, max(1e-5, rate))", "min(1e-2, rate)", "max(1e-5, rate)")),
    ),
    "limits-first": Mistake(
        "you look at the limits before you change the rate, so that the change can go beyond them.",
        "Change the rate first, then limit what comes out: max(1e-5, rate / 1.5) and min(1e-2, rate * 1.5).",
        {
            "2 * desired_kl": "2 * desired_kl and rate > 1e-5",
            "max(1e-5, rate": "(rate",
            "desired_kl / 2": "desired_kl / 2 and rate < 1e-2",
            "min(1e-2, rate": "(rate",
        },
        {"2 * desired_kl": "2 * desired_kl and rate > 1e-5", "max(1e-5, rate": "(rate"},
        {"desired_kl / 2": "desired_kl / 2 and rate < 1e-2", "min(1e-2, rate": "(rate"},
        {"max(1e-5, rate": "(rate", "min(1e-2, rate": "(rate", _STAY: "return min(1e-2, max(1e-5, rate))"},
    ),
    "limits-refuse": Mistake(
        "near a limit your rate stays where it is; it should move to the limit.",
        "max(1e-5, rate / 1.5) is 1e-5 where the whole step would lead below it.",
        {_DOWN: "rate / 1.5 if rate / 1.5 >= 1e-5 else rate", _UP: "rate * 1.5 if rate * 1.5 <= 1e-2 else rate"},
        {_DOWN: "rate / 1.5 if rate / 1.5 >= 1e-5 else rate"},
        {_UP: "rate * 1.5 if rate * 1.5 <= 1e-2 else rate"},
    ),
    "small-as-zero": Mistake(
        "you treat a small KL as if it were 0.",
        "Any KL above 0 says that the policy has moved, however little: ask for 0 < kl, without a tolerance.",
        *({"0 <": f"{small} <"} for small in (1e-3, 1e-4, 1e-5)),
    ),
    "zero-resets": Mistake(
        "a KL of 0 sets your rate to a fixed number.",
        "A KL of 0 tells nothing, so the rate stays as it is: return rate.",
        *({_STAY: f"return rate if kl != 0 else {new}"} for new in (1e-3, 1e-2, 1e-5, 1e-4, 0, 1)),
        *({_STAY: f"return rate if kl > 0 else {new}"} for new in (1e-3, 1e-2, 1e-5, 1e-4, 0, 1)),
    ),
    "resets": Mistake(
        "your rate becomes a fixed number where it should stay as it is.",
        "Between the thresholds, and at a KL of 0, return the rate that was passed.",
        *({_STAY: f"return {new}"} for new in (1e-3, 1e-2, 1e-5, 1e-4, 3e-4, 0, 1)),
    ),
    "additive": Mistake(
        "you add to the rate and subtract from it; it should be multiplied and divided.",
        "Rates differ by powers of ten: rate / 1.5 and rate * 1.5 are the same step for all of them.",
        *({"/ 1.5)": f"- {step})", "* 1.5)": f"+ {step})"} for step in (1.5, 0.5, 1e-3, 1e-4, 1e-5)),
    ),
    "proportional": Mistake(
        "your rate changes in proportion to desired_kl / kl, or to its root.",
        "One noisy KL would throw the rate far off. The rule takes small fixed steps: 1.5 down, 1.5 up, or none.",
        *(
            {**_everywhere(new), **rest}
            for factor in ("desired_kl / kl", "max(0, desired_kl / kl) ** 0.5")
            for new in (f"rate * {factor}", f"min(1e-2, max(1e-5, rate * {factor}))")
            for rest in ({}, {_STAY: f"return {new} if kl > 0 else rate"}, {_STAY: _STAY})
        ),
        {_STAY: "return min(1e-2, max(1e-5, rate * min(1.5, max(1 / 1.5, desired_kl / kl)))) if kl > 0 else rate"},
    ),
    "rounded": Mistake(
        "your rate is rounded.",
        "Rates are far below 1: divide with / (// rounds down), and leave out int() and round().",
        *map(_everywhere, ("int({})", "round({}, 2)", "round({}, 3)", "round({}, 4)", "round({}, 5)")),
        {"rate / 1.5": "rate // 1.5"},
        {_DOWN: "rate // 1.5"},
    ),
    "returns-factor": Mistake(
        "you return the factor, not the rate.",
        "The next update needs the rate itself: multiply or divide it, and return the result.",
        {_DOWN: "1 / 1.5", _UP: "1.5", _STAY: "return 1.0"},
    ),
    "returns-change": Mistake(
        "you return by how much the rate changes, not the new rate.",
        "The next update needs the rate itself: return it, changed or not.",
        _everywhere("{} - rate"),
    ),
    "kl-for-rate": Mistake(
        "you change the KL and return it; the rate is what should change.",
        "The KL only decides. What is divided, multiplied and returned is the rate.",
        {"max(1e-5, rate": "max(1e-5, kl", "min(1e-2, rate": "min(1e-2, kl", _STAY: "return kl"},
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
