"""Exercise ``adaptive_learning_rate``: let the learning rate follow the KL divergence."""

import torch

from ..exercise import Case, Exercise, Mistake


def adaptive_learning_rate(rate: float, kl: float, desired_kl: float) -> float:
    """Compute the learning rate of the next update from the KL(old ‖ new) so far, as rsl_rl does.

    If the KL is above twice the desired KL, divide the rate by 1.5, but stop at 1e-5. If the KL is above 0 and below
    half the desired KL, multiply the rate by 1.5, but stop at 1e-2. Otherwise, keep the rate.
    """
    if kl > 2 * desired_kl:  # the policy moved too far
        return max(1e-5, rate / 1.5)
    if 0 < kl < desired_kl / 2:  # it hardly moved; a KL of 0 only means that there has been no update yet
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
    # Powers of two, so that the comparison is exact however the threshold is written.
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
    _case("a rate set above the limits, and a KL near the desired one", 0.02, 0.01, 0.01),
    _case("a rate set below the limits, and a KL near the desired one", 2e-6, 0.01, 0.01),
)


_DOWN = "max(1e-5, rate / 1.5)"
_UP = "min(1e-2, rate * 1.5)"
_STAY = "return rate"


def _everywhere(new: str) -> dict[str, str]:
    """The edit that puts each of the three rates into the template ``new``, in which {} stands for the rate."""
    return {_DOWN: new.format(_DOWN), _UP: new.format(_UP), _STAY: f"return {new.format('rate')}"}


MISTAKES = {
    "swapped": Mistake(
        "you raise the rate when it should fall, and lower it when it should rise.",
        "If the KL is above desired_kl, the policy moves too far: take smaller steps, so divide by 1.5.",
        {"kl > 2 * desired_kl": "0 < kl < desired_kl / 2", "0 < kl < desired_kl / 2": "kl > 2 * desired_kl"},
        {_DOWN: _UP, _UP: _DOWN},
        {_DOWN: _UP, _UP: _DOWN, "0 < ": ""},
        {_DOWN: "rate * 1.5", _UP: "rate / 1.5"},
        {_DOWN: "max(1e-5, rate * 1.5)", _UP: "min(1e-2, rate / 1.5)"},
        {"if kl >": "if kl <", "kl < desired": "kl > desired"},
    ),
    "other-factor": Mistake(
        "you change the rate by a factor other than 1.5.",
        "Divide by 1.5 and multiply by 1.5. The 2 belongs to the thresholds, 2 · desired_kl and desired_kl / 2.",
        *({"/ 1.5)": f"/ {factor})", "* 1.5)": f"* {factor})"} for factor in (2, 1.1, 1.2, 1.25, 3, 10)),
        *({"/ 1.5)": f"* {factor})"} for factor in (0.5, 0.75, 0.8, 0.9, 0.1, 0.667)),
        *({"* 1.5)": f"* {factor})"} for factor in (2, 1.1, 1.2, 1.25, 1.05)),
        {"/ 1.5)": "* 0.9)", "* 1.5)": "* 1.1)"},
        {"/ 1.5)": "* 0.5)", "* 1.5)": "* 1.2)"},
    ),
    "zero-raises": Mistake(
        "you change the rate when the KL is 0.",
        "Before the first update both policies are equal, so a KL of 0 says nothing about the rate: also require 0 < "
        "kl.",
        {"0 < ": ""},
        {"0 <": "0 <="},
        {_STAY: f"return rate if kl > 0 else {_DOWN}"},
    ),
    "negative-raises": Mistake(
        "you change the rate when the KL is slightly below 0.",
        "Rounding can turn a KL of 0 into -1e-6, which says no more than 0 does. Require 0 < kl, not kl != 0 or "
        "abs(kl).",
        {"0 <": "0 !="},
    ),
    "limits-missing": Mistake(
        "you let the rate go beyond its limits, 1e-5 and 1e-2.",
        "When you lower the rate, stop at 1e-5: max(1e-5, …). When you raise it, stop at 1e-2: min(1e-2, …).",
        {"max(1e-5, rate": "(rate", "min(1e-2, rate": "(rate"},
    ),
    "lower-limit-missing": Mistake(
        "you let the rate fall below 1e-5.",
        "Stop at 1e-5, with max(1e-5, rate / 1.5): if the rate is almost zero, training does not recover.",
        {"max(1e-5, rate": "(rate"},
    ),
    "upper-limit-missing": Mistake(
        "you let the rate rise above 1e-2.",
        "Stop at 1e-2, with min(1e-2, rate * 1.5).",
        {"min(1e-2, rate": "(rate"},
    ),
    "threshold-at-desired": Mistake(
        "you change the rate as soon as the KL differs slightly from the desired KL.",
        "The KL of a mini-batch is noisy: change the rate only if the KL is above 2 · desired_kl or below desired_kl "
        "/ 2.",
        {"2 * desired_kl": "desired_kl", "desired_kl / 2": "desired_kl"},
        {"2 * desired_kl": "desired_kl"},
        {"desired_kl / 2": "desired_kl"},
    ),
    "factor-as-threshold": Mistake(
        "your thresholds look like the desired KL times 1.5 and divided by 1.5.",
        "1.5 is the factor for the rate. The thresholds are twice and half the desired KL.",
        {"2 * desired_kl": "1.5 * desired_kl", "desired_kl / 2": "desired_kl / 1.5"},
    ),
    "factor-as-upper-threshold": Mistake(
        "your upper threshold looks like 1.5 times the desired KL.",
        "1.5 is the factor for the rate. The upper threshold is twice the desired KL.",
        {"2 * desired_kl": "1.5 * desired_kl"},
    ),
    "factor-as-lower-threshold": Mistake(
        "your lower threshold looks like the desired KL divided by 1.5.",
        "1.5 is the factor for the rate. The lower threshold is half the desired KL.",
        {"desired_kl / 2": "desired_kl / 1.5"},
    ),
    "square-for-twice": Mistake(
        "your thresholds are the square and the root of the desired KL, not twice and half of it.",
        "`**` is a power: write 2 * desired_kl and desired_kl / 2.",
        {"2 * desired_kl": "desired_kl**2", "desired_kl / 2": "desired_kl**0.5"},
        {"2 * desired_kl": "desired_kl**2"},
    ),
    "lower-threshold-too-high": Mistake(
        "your lower threshold is above the desired KL.",
        "Raise the rate only if the KL is below half the desired KL: desired_kl / 2.",
        {"desired_kl / 2": "desired_kl * 2"},
        {"desired_kl / 2": "desired_kl * 1.5"},
    ),
    "at-the-threshold": Mistake(
        "you change the rate when the KL is exactly twice, or exactly half, the desired KL.",
        "The rule says above and below: compare with > and <, not with >= and <=.",
        {"if kl >": "if kl >=", "kl < desired": "kl <= desired"},
        {"if kl >": "if kl >="},
        {"kl < desired": "kl <= desired"},
    ),
    "desired-ignored": Mistake(
        "your thresholds do not depend on desired_kl.",
        "Use 2 · desired_kl and desired_kl / 2. The value 0.01 is only rsl_rl's default for desired_kl.",
        {"2 * desired_kl": "0.02", "desired_kl / 2": "0.005"},
        {"2 * desired_kl": "0.02"},
        {"desired_kl / 2": "0.005"},
    ),
    "never-rests": Mistake(
        "you change the rate at every update, even when the KL is near the desired KL.",
        "There are three cases: above 2 · desired_kl, below desired_kl / 2, and in between, where the rate stays the "
        "same.",
        {"0 < kl < desired_kl / 2": "True"},
        {" < desired_kl / 2": ""},
        {"2 * desired_kl": "desired_kl / 2", "kl < desired_kl / 2": "kl < 2 * desired_kl"},
        {"2 * desired_kl": "desired_kl / 2"},
        {"2 * desired_kl": "desired_kl", "0 < kl < desired_kl / 2": "True"},
        {_STAY: f"return {_DOWN}"},
        {_STAY: f"return {_DOWN} if kl > 0 else rate"},
    ),
    "only-lowers": Mistake(
        "you never raise the rate.",
        "A KL above 0 but below half the desired KL means that larger steps are safe: multiply by 1.5.",
        {_UP: "rate"},
    ),
    "only-raises": Mistake(
        "you never lower the rate.",
        "A KL above twice the desired KL means that the policy moves too far: divide by 1.5.",
        {_DOWN: "rate"},
    ),
    "never-changes": Mistake(
        "your rate never changes.",
        "Do you return what you compute? `rate / 1.5` on its own does not change rate. Or do both changes apply, so "
        "that they cancel?",
        {_DOWN: "rate", _UP: "rate"},
    ),
    "thresholds-too-far": Mistake(
        "you do not change the rate when the KL is just above twice, or just below half, the desired KL.",
        "Your thresholds are too far apart. Use 2 · desired_kl and desired_kl / 2.",
        *({"2 * desired_kl": f"{n} * desired_kl", "desired_kl / 2": f"desired_kl / {n}"} for n in (3, 10)),
        *({"2 * desired_kl": f"{n} * desired_kl"} for n in (3, 10)),
        *({"desired_kl / 2": f"desired_kl / {n}"} for n in (3, 20)),
    ),
    "min-and-max-swapped": Mistake(
        "you swap min and max, so a limit determines the rate.",
        "max(1e-5, …) keeps a rate from falling below 1e-5, but min(1e-5, …) reduces every rate to at most 1e-5.",
        {"max(1e-5": "min(1e-5", "min(1e-2": "max(1e-2"},
        {"max(1e-5": "min(1e-5"},
        {"min(1e-2": "max(1e-2"},
        _everywhere("1e-2"),
        _everywhere("1e-5"),
    ),
    "limits-exchanged": Mistake(
        "you swap 1e-5 and 1e-2, so a limit determines the rate.",
        "A falling rate stops at 1e-5, max(1e-5, …), and a rising rate stops at 1e-2, min(1e-2, …).",
        {"max(1e-5": "max(1e-2", "min(1e-2": "min(1e-5"},
    ),
    "other-limits": Mistake(
        "your rate stops before it reaches its limits, 1e-5 and 1e-2.",
        "When you lower the rate, stop at 1e-5: max(1e-5, …). When you raise it, stop at 1e-2: min(1e-2, …).",
        {"max(1e-5": "max(1e-4", "min(1e-2": "min(1e-3"},
        {"max(1e-5": "max(1e-4"},
        {"min(1e-2": "min(1e-3"},
    ),
    "limits-always": Mistake(
        "you also apply the limits to the rate when the KL is near the desired KL.",
        "Limit the rate only if the rule has just changed it. Otherwise, the rate stays the same, even beyond the "
        "limits.",
        *({_STAY: f"return {new}"} for new in ("min(1e-2, max(1e-5, rate))", "min(1e-2, rate)", "max(1e-5, rate)")),
    ),
    "limits-first": Mistake(
        "you check the limits before you change the rate, so the new rate can be beyond them.",
        "Change the rate first, then limit the result: max(1e-5, rate / 1.5) and min(1e-2, rate * 1.5).",
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
        "near a limit, you keep the rate, but it should move to the limit.",
        "If the full step would go below 1e-5, max(1e-5, rate / 1.5) is 1e-5.",
        {_DOWN: "rate / 1.5 if rate / 1.5 >= 1e-5 else rate", _UP: "rate * 1.5 if rate * 1.5 <= 1e-2 else rate"},
        {_DOWN: "rate / 1.5 if rate / 1.5 >= 1e-5 else rate"},
        {_UP: "rate * 1.5 if rate * 1.5 <= 1e-2 else rate"},
    ),
    "small-as-zero": Mistake(
        "you treat a small KL as if it were 0.",
        "Any KL above 0 means that the policy has moved, however little: require 0 < kl, without a tolerance.",
        *({"0 <": f"{small} <"} for small in (1e-3, 1e-4, 1e-5)),
    ),
    "zero-resets": Mistake(
        "you set the rate to a fixed number when the KL is 0.",
        "A KL of 0 says nothing about the rate, so keep it: return rate.",
        *({_STAY: f"return rate if kl != 0 else {new}"} for new in (1e-3, 1e-2, 1e-5, 1e-4, 0, 1)),
        *({_STAY: f"return rate if kl > 0 else {new}"} for new in (1e-3, 1e-2, 1e-5, 1e-4, 0, 1)),
    ),
    "resets": Mistake(
        "you set the rate to a fixed number when you should keep it.",
        "Between the thresholds, and for a KL of 0, return the rate that was passed in.",
        *({_STAY: f"return {new}"} for new in (1e-3, 1e-2, 1e-5, 1e-4, 3e-4, 0, 1)),
    ),
    "additive": Mistake(
        "you add to the rate and subtract from it, instead of multiplying and dividing.",
        "Rates differ by powers of ten: rate / 1.5 and rate * 1.5 are the same relative step for all of them.",
        *({"/ 1.5)": f"- {step})", "* 1.5)": f"+ {step})"} for step in (1.5, 0.5, 1e-3, 1e-4, 1e-5)),
    ),
    "proportional": Mistake(
        "you change the rate in proportion to desired_kl / kl, or to its root.",
        "Then a single noisy KL changes the rate far too much. The rule divides by 1.5, multiplies by 1.5, or keeps "
        "the rate.",
        *(
            {**_everywhere(new), **rest}
            for factor in ("desired_kl / kl", "max(0, desired_kl / kl) ** 0.5")
            for new in (f"rate * {factor}", f"min(1e-2, max(1e-5, rate * {factor}))")
            for rest in ({}, {_STAY: f"return {new} if kl > 0 else rate"}, {_STAY: _STAY})
        ),
        {_STAY: "return min(1e-2, max(1e-5, rate * min(1.5, max(1 / 1.5, desired_kl / kl)))) if kl > 0 else rate"},
    ),
    "rounded": Mistake(
        "you round the rate.",
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
        "you return the change of the rate, not the new rate.",
        "The next update needs the rate itself: return it, whether it has changed or not.",
        _everywhere("{} - rate"),
    ),
    "kl-for-rate": Mistake(
        "you change the KL and return it, but you should change the rate.",
        "The KL only determines which of the three cases applies. Divide, multiply and return the rate.",
        {"max(1e-5, rate": "max(1e-5, kl", "min(1e-2, rate": "min(1e-2, kl", _STAY: "return kl"},
    ),
}

HINTS = (
    "There are three cases: raise the rate, lower it, or keep it. Which case does a KL of 0 belong to?",
    "Write one `if` for each of the two changes, and return the unchanged rate after them. Limit the rate only where "
    "you change it: `max` keeps a number from falling below a lower limit, and `min` keeps it from rising above an "
    "upper limit. For example, if the desired KL is 0.01 and the rate is 0.003, a KL of 0.05 gives 0.002, a KL of "
    "0.001 gives 0.0045, and a KL of 0.006, 0.018 or 0 leaves the rate at 0.003.",
    "Return `max(1e-5, rate / 1.5)` if `kl > 2 * desired_kl`, `min(1e-2, rate * 1.5)` if `0 < kl < desired_kl / 2`, "
    "and `rate` otherwise.",
)

EXERCISE = Exercise(adaptive_learning_rate, ("rate",), CASES, MISTAKES, HINTS, _draw)
