"""Choices of lesson 1: a decision to make and a fault to find."""

from __future__ import annotations

from ..choice import Choice

CHOICES: tuple[Choice, ...] = (
    Choice(
        "leaky_relu_gain",
        {
            "0.79": (
                "0.79 is √0.625, the factor by which the activation shrinks a signal. The gain has to undo this, so "
                "it is 1/0.79. With a gain of 0.79, a layer leaves 0.79 · 0.79 = 63 % of the signal, and ten layers "
                "leave 1 %."
            ),
            "1": (
                "each layer leaves √0.625 = 79 % of the signal, and ten layers leave 10 %. Only an activation with "
                "E[φ(z)²] = 1 needs no gain."
            ),
            "1.26": (
                "E[φ(z)²] = ½ · 1 + ½ · ¼ = 0.625, and 1/√0.625 = 1.26. The signal keeps its size through all layers."
            ),
            "1.41": (
                "this is the gain of ReLU, which sets negative values to 0. This leaky ReLU still passes a quarter "
                "of their mean square, so with 1.41 each layer multiplies the signal by 1.41 · 0.79 = 1.12, and ten "
                "layers by 3."
            ),
            "1.67": (
                "this is torch's gain for tanh, whose output is bounded by 1. A leaky ReLU isn't bounded: each layer "
                "multiplies the signal by 1.67 · 0.79 = 1.32, and ten layers by 16."
            ),
        },
        "1.26",
    ),
    Choice(
        "faulty_policy",
        {
            "weak hidden layers": (
                "then every layer would shrink the signal by the same factor. Here layer 1 shrinks it to almost "
                "nothing, and the later layers let it grow slightly."
            ),
            "strong hidden layers": (
                "then the signal would grow in every layer, starting at the input. Here layer 1 shrinks it to about "
                "a hundredth of the input."
            ),
            "small gain in the wrong layer": (
                "signal and gradient both drop by a factor of about 100 at the same point, between the input and "
                "layer 1. The output is small anyway, so the policy looks right."
            ),
            "raw observations": (
                "then the signal at the input, layer 0, would differ from the intended one. Here the two curves "
                "start at the same point."
            ),
            "sigmoid": (
                "the slope of a sigmoid is at most 1/4, so the gradient would shrink in each layer on its way back. "
                "Here it grows from layer 5 to layer 1."
            ),
        },
        "small gain in the wrong layer",
    ),
)
