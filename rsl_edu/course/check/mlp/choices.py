"""Decisions and faults to find in this lesson."""

from __future__ import annotations

from ..choice import Choice

CHOICES: tuple[Choice, ...] = (
    Choice(
        "leaky_relu_gain",
        {
            "0.79": "0.79 is √0.625, what the activation leaves of a signal's size. The gain has to make up for that: "
            "it is 1 over it. With a gain of 0.79 each layer leaves 0.79 · 0.79 = 0.63, and ten leave 1 %.",
            "1": "each layer leaves √0.625 = 0.79 of the size, and ten leave 10 %. Only an activation with "
            "E[φ(z)²] = 1 needs no gain.",
            "1.26": "E[φ(z)²] = ½ · 1 + ½ · ¼ = 0.625, and 1/√0.625 = 1.26. The size stays the same in all layers.",
            "1.41": "this is the gain of ReLU, which sets the negative half to 0. A leaky ReLU keeps a quarter of its "
            "square: with 1.41 each layer multiplies the size by 1.41 · 0.79 = 1.12, and ten by 3.",
            "1.67": "this is torch's gain for tanh, which cannot grow beyond 1. A leaky ReLU has no such limit: each "
            "layer multiplies the size by 1.67 · 0.79 = 1.32, and ten by 16.",
        },
        "1.26",
    ),
    Choice(
        "faulty_policy",
        {
            "weak hidden layers": "then the signal would lose the same factor in each layer. It loses nearly "
            "everything in layer 1, and grows a little afterwards.",
            "strong hidden layers": "then the signal would grow in each layer, and from the input on. It is about a "
            "hundredth of the input in layer 1.",
            "small gain in the wrong layer": "signal and gradient drop by the same factor of about 100 at one place, "
            "between the input and layer 1. The output is small all the same, so that the policy looks right.",
            "raw observations": "then the signal at the input, layer 0, would differ from what was meant. The two "
            "curves start at the same point.",
            "sigmoid": "its slope is at most 1/4, so the gradient would shrink in each layer on its way down. It "
            "grows from layer 5 to layer 1.",
        },
        "small gain in the wrong layer",
    ),
)
