"""The texts for each kind of mistake in a formula, the likeliest first."""

from __future__ import annotations

KINDS: dict[str, tuple[str, str]] = {
    "mean-for-sum": ("the mean is taken instead of the sum", "Check what the exercise sums, and what it averages."),
    "sum-for-mean": ("the sum is taken instead of the mean", "Check what the exercise sums, and what it averages."),
    "wrong-dimension": (
        "an operation uses the wrong dimension",
        "Write down the shape after each step, and check each dim.",
    ),
    "all-dimensions": (
        "an operation reduces all dimensions, but it should reduce only one",
        "Write down the shape after each step: is a dim missing?",
    ),
    "sign-turned": (
        "a sign is wrong",
        "Check the signs, one by one.",
    ),
    "difference-turned": (
        "a difference has the wrong sign",
        "For each difference, check which of the two terms is subtracted.",
    ),
    "fraction-turned": (
        "a fraction is upside down",
        "For each fraction, check which of the two is the numerator.",
    ),
    "term-left-out": ("a term is left out", "Count the terms of each sum and difference in the formula."),
    "factor-left-out": ("a factor or a divisor is left out", "Count the factors and the divisors in the formula."),
    "constant-left-out": (
        "a constant is left out",
        "Look for a constant in the formula that is missing in your code.",
    ),
    "transpose-left-out": ("a transpose is left out", "Write down the shape after each step."),
    "transpose-too-many": ("there is one transpose too many", "Write down the shape after each step."),
    "square-left-out": ("a square or another power is left out", "Check what the exercise squares."),
    "square-too-many": (
        "something is squared that should not be",
        "Check each square: do you need a variance or a standard deviation there?",
    ),
    "root-too-many": (
        "there is one square root too many",
        "Check each root: do you need a variance or a standard deviation there?",
    ),
    "doubled": ("something counts twice that should count once", "Look for a factor of 2 too many, or a missing ½."),
    "halved": ("something counts half that should count fully", "Look for a missing factor of 2, or a ½ too many."),
    "constant-doubled": ("a constant is twice as large as it should be", "Check each constant in the formula."),
    "constant-halved": ("a constant is half as large as it should be", "Check each constant in the formula."),
    "one-too-many": ("a number is too large by one", "Check each + 1 and − 1, and where each range and slice ends."),
    "one-too-few": ("a number is too small by one", "Check each + 1 and − 1, and where each range and slice ends."),
    "unbiased-for-biased": (
        "a variance or standard deviation is divided by n − 1 instead of n",
        "torch divides by n − 1 unless you pass `correction=0`.",
    ),
    "biased-for-unbiased": (
        "a variance or standard deviation is divided by n instead of n − 1",
        "torch divides by n − 1 unless you pass `correction=0`.",
    ),
    "brackets-lost": (
        "a pair of brackets is missing",
        "`**` binds more tightly than `*` and `/`, which bind more tightly than `+` and `-`. Also, `/` divides only by "
        "the next factor.",
    ),
    "multiplied-for-divided": ("two things are multiplied that should be divided", "Check each `*` and each `/`."),
    "divided-for-multiplied": ("two things are divided that should be multiplied", "Check each `*` and each `/`."),
    "plus-for-times": ("two things are added that should be multiplied", "Check each `+` and each `*`."),
    "times-for-plus": ("two things are multiplied that should be added", "Check each `+` and each `*`."),
    "elementwise-product": (
        "two matrices are multiplied element by element instead of with the matrix product",
        "`@` is the matrix product; `*` multiplies element by element.",
    ),
    "integer-division": ("a quotient is rounded down that should not be", "`/` divides; `//` also rounds down."),
    "true-division": ("a quotient is not rounded down, but it should be", "`/` divides; `//` also rounds down."),
    "function-left-out": ("{} is left out", "Go through the steps of the exercise: which one is missing?"),
    "min-for-max": (
        "the smaller value is taken instead of the larger",
        "Try out by hand which of the two values a max or min returns.",
    ),
    "max-for-min": (
        "the larger value is taken instead of the smaller",
        "Try out by hand which of the two values a max or min returns.",
    ),
    "any-for-all": (
        "`any()` is used instead of `all()`",
        "`any` needs at least one true entry; `all` needs every entry to be true.",
    ),
    "all-for-any": (
        "`all()` is used instead of `any()`",
        "`any` needs at least one true entry; `all` needs every entry to be true.",
    ),
    "product-for-sum": ("the product is taken instead of the sum", "Check what the exercise sums."),
    "exp-for-log": ("the exp is taken instead of the log", "Check each exp and each log."),
    "log-for-exp": ("the log is taken instead of the exp", "Check each exp and each log."),
    "other-activation": ("sigmoid and tanh are mixed up", "Check each sigmoid and each tanh."),
    "one-of-two": (
        "one of two candidates is always taken, without comparing the two",
        "Look for a max, a min or a condition that compares two values.",
    ),
    "limit-left-out": ("a limit is not applied", "Check each limit in the exercise, lower and upper."),
    "choice-turned": (
        "a condition selects the wrong one of two values",
        "Try out by hand which of the two values is selected.",
    ),
    "always-the-same": (
        "the same value is always selected, whatever the condition is",
        "Check each condition in the exercise.",
    ),
    "limit-itself": (
        "a comparison is wrong if the two sides are equal",
        "`<` excludes equality; `<=` includes it.",
    ),
    "comparison-turned": ("a comparison is the wrong way round", "Check each `<` and `>`, each `==` and `!=`."),
    "condition-left-out": ("one of several conditions is left out", "Check each condition in the exercise."),
    "and-for-or": (
        "all of several conditions are required, but one should be enough",
        "Check each `and` and each `or`.",
    ),
    "or-for-and": (
        "one of several conditions is enough, but all should be required",
        "Check each `and` and each `or`.",
    ),
    "condition-turned": ("a condition is negated", "Check each condition, and what happens if it is true."),
    "statement-left-out": ("a step is left out", "Go through the steps of the exercise: which one is missing?"),
    "order-of-steps": (
        "two steps of a loop are done in the wrong order",
        "For each step of the loop, check which value it needs: the old one or the updated one.",
    ),
    "first-step-lost": ("a loop leaves out its first iteration", "Check where each loop starts."),
    "last-step-lost": ("a loop leaves out its last iteration", "Check where each loop ends."),
    "only-first-step": ("a loop ends after its first iteration", "Check where the loop ends: is a `return` inside it?"),
    "loop-backwards": ("a loop runs in the wrong direction", "Check from which end each loop starts."),
    "another-element": (
        "the wrong element is selected",
        "Check each index: 0 is the first element, −1 the last.",
    ),
    "slice-ends": ("a slice starts or ends in the wrong place", "Check where each slice starts and ends."),
    "parts-exchanged": ("two parts of a split are exchanged", "Check the order of the parts."),
    "order-of-sizes": (
        "two sizes or other arguments of a call are in the wrong order",
        "Check the order of the arguments in each call.",
    ),
    "fixed-size": (
        "a size is always {}, whatever the shape of the input",
        "Take sizes from the inputs, and do not hard-code them.",
    ),
    "wrong-argument": ("{}", "Check each name in your formula."),
}
"""The clause that follows "what you get when", and what to check next; the likeliest kinds first."""

NOUNS = {
    "T": "a transpose",
    "abs": "an absolute value",
    "bool": "a conversion to bool",
    "clamp": "a clamp",
    "diagonal": "the selection of the diagonal",
    "diff": "a difference between neighbours",
    "exp": "an exp",
    "float": "a conversion to float",
    "log": "a log",
    "max": "a maximum",
    "mean": "a mean",
    "pad": "the padding",
    "prod": "a product",
    "reversed": "the reversal of an order",
    "sigmoid": "a sigmoid",
    "sign": "a sign",
    "sqrt": "a square root",
    "std": "a standard deviation",
    "sum": "a sum",
    "tanh": "a tanh",
    "transpose": "a transpose",
    "var": "a variance",
}
"""How to refer to a call that is left out, by the name of the function; a call that is not listed is called a step."""
