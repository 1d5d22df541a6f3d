"""What is said of each kind of mistake in a formula, the likeliest first."""

from __future__ import annotations

KINDS: dict[str, tuple[str, str]] = {
    "mean-for-sum": ("the mean is taken where the sum belongs", "Look at what the task adds up, and what it averages."),
    "sum-for-mean": ("the sum is taken where the mean belongs", "Look at what the task adds up, and what it averages."),
    "wrong-dimension": (
        "an operation runs along another dimension than it should",
        "Write down the shape after each step, and check each dim.",
    ),
    "all-dimensions": (
        "an operation runs over all dimensions where it should run over one",
        "Write down the shape after each step: is a dim missing?",
    ),
    "sign-turned": (
        "a sign is turned round",
        "Check each sign, one by one.",
    ),
    "difference-turned": (
        "a difference is the other way round",
        "Check in each difference which of the two is subtracted.",
    ),
    "fraction-turned": (
        "a fraction is upside down",
        "Check in each fraction which of the two is divided by the other.",
    ),
    "term-left-out": ("a term is left out", "Count the terms of each sum and difference in the formula."),
    "factor-left-out": ("a factor or a divisor is left out", "Count the factors and the divisors in the formula."),
    "constant-left-out": (
        "a constant is left out",
        "Look for a constant in the formula that yours does not have.",
    ),
    "transpose-left-out": ("a transpose is left out", "Write down the shape after each step."),
    "transpose-too-many": ("there is a transpose too many", "Write down the shape after each step."),
    "square-left-out": ("a square or another power is left out", "Look at what the task squares."),
    "square-too-many": (
        "something is squared that should not be",
        "Look at each square, and at whether a variance or a standard deviation belongs there.",
    ),
    "root-too-many": (
        "there is a square root too many",
        "Look at each root, and at whether a variance or a standard deviation belongs there.",
    ),
    "doubled": ("something counts twice that should count once", "Look for a factor of 2 too many, or a missing ½."),
    "halved": ("something counts half that should count whole", "Look for a missing factor of 2, or a ½ too many."),
    "constant-doubled": ("a constant is twice what it should be", "Check each constant in the formula."),
    "constant-halved": ("a constant is half of what it should be", "Check each constant in the formula."),
    "one-too-many": ("a number is too large by one", "Check each + 1 and − 1, and where each range and slice ends."),
    "one-too-few": ("a number is too small by one", "Check each + 1 and − 1, and where each range and slice ends."),
    "unbiased-for-biased": (
        "a variance or standard deviation is divided by n − 1 where n belongs",
        "torch divides by n − 1 unless it is told correction=0.",
    ),
    "biased-for-unbiased": (
        "a variance or standard deviation is divided by n where n − 1 belongs",
        "torch divides by n − 1 unless it is told correction=0.",
    ),
    "brackets-lost": (
        "a pair of brackets is missing",
        "* and / come before + and −, ** before both, and / divides by the next factor only.",
    ),
    "multiplied-for-divided": ("something is multiplied where it should divide", "Check each * and each /."),
    "divided-for-multiplied": ("something divides where it should be multiplied", "Check each * and each /."),
    "plus-for-times": ("two things are added that should be multiplied", "Check each + and each *."),
    "times-for-plus": ("two things are multiplied that should be added", "Check each + and each *."),
    "elementwise-product": (
        "two matrices are multiplied element by element where the matrix product belongs",
        "@ is the matrix product, * multiplies element by element.",
    ),
    "integer-division": ("a quotient is rounded down that should not be", "/ divides, // also rounds down."),
    "true-division": ("a quotient is not rounded down where it should be", "/ divides, // also rounds down."),
    "function-left-out": ("{} is left out", "Go through the steps of the task: which one is missing?"),
    "min-for-max": (
        "the smaller is taken where the larger belongs",
        "Try by hand which of the two a max or min gives.",
    ),
    "max-for-min": (
        "the larger is taken where the smaller belongs",
        "Try by hand which of the two a max or min gives.",
    ),
    "any-for-all": (
        "one that fits is enough where all should fit",
        "any: at least one is true. all: each one is true.",
    ),
    "all-for-any": ("all must fit where one that fits is enough", "any: at least one is true. all: each one is true."),
    "product-for-sum": ("the product is taken where the sum belongs", "Look at what the task adds up."),
    "exp-for-log": ("the exp is taken where the log belongs", "Check each exp and each log."),
    "log-for-exp": ("the log is taken where the exp belongs", "Check each exp and each log."),
    "other-activation": ("another squashing function is used than should be", "Check each sigmoid and each tanh."),
    "one-of-two": (
        "one of two candidates is always taken, where the two should be compared",
        "Look for a max, a min or a choice that compares two things.",
    ),
    "limit-left-out": ("a limit is not kept", "Look at each limit of the task, above and below."),
    "choice-turned": ("a choice between two things goes the wrong way", "Try by hand which of the two is chosen."),
    "always-the-same": (
        "the same is always chosen, whatever the condition says",
        "Look at each condition of the task.",
    ),
    "limit-itself": (
        "the limit itself counts on the wrong side of a comparison",
        "< leaves the limit itself out, <= includes it.",
    ),
    "comparison-turned": ("a comparison is the wrong way round", "Check each < and >, each == and !=."),
    "condition-left-out": ("one of several conditions is left out", "Look at each condition of the task."),
    "and-for-or": ("all of several conditions are asked for where one is enough", "Check each and, and each or."),
    "or-for-and": ("one of several conditions is enough where all are asked for", "Check each and, and each or."),
    "condition-turned": ("a condition is turned round", "Check each condition, and what happens where it holds."),
    "statement-left-out": ("a step is left out", "Go through the steps of the task: which one is missing?"),
    "order-of-steps": (
        "two steps of a loop are done in the wrong order",
        "Check which value each step of the loop needs: the old one or the updated one.",
    ),
    "first-step-lost": ("a loop leaves out its first step", "Check where each loop starts."),
    "last-step-lost": ("a loop leaves out its last step", "Check where each loop ends."),
    "only-first-step": ("a loop ends after its first step", "Check where the loop ends: is a return inside it?"),
    "loop-backwards": ("a loop runs in the wrong direction", "Check from which end each loop starts."),
    "another-element": (
        "another element is picked than should be",
        "Check each index: 0 is the first element, −1 the last.",
    ),
    "slice-ends": ("a slice starts or ends in the wrong place", "Check where each slice starts and ends."),
    "parts-exchanged": ("two parts of something that is split are exchanged", "Check the order of the parts."),
    "order-of-sizes": ("two sizes or other options are given in the wrong order", "Check the order in each call."),
    "fixed-size": ("a size is always {}, whatever the shape of the input", "Take sizes from the inputs, never fixed."),
    "wrong-argument": ("{}", "Check each name in your formula."),
}
"""The clause, to be read after "what comes out when", and what to look at next; in the order of likeliness."""

NOUNS = {
    "T": "a transpose",
    "abs": "an absolute value",
    "bool": "a conversion to True and False",
    "clamp": "a limit",
    "diagonal": "the choice of a diagonal",
    "diff": "a difference of neighbours",
    "exp": "an exp",
    "float": "a conversion to float",
    "log": "a log",
    "max": "a maximum",
    "mean": "a mean",
    "pad": "the padding",
    "prod": "a product",
    "reversed": "going backwards",
    "sigmoid": "a sigmoid",
    "sign": "a sign",
    "sqrt": "a square root",
    "std": "a standard deviation",
    "sum": "a sum",
    "tanh": "a tanh",
    "transpose": "a transpose",
    "var": "a variance",
}
"""What the left-out call of a name is called; any other is a step."""
