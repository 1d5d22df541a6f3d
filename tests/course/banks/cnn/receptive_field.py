"""Answers that people give to `receptive_field`. The name of each wrong answer starts with its mistake."""

import functools
import math

import numpy as np
import torch


class Right:
    def backwards(kernels, strides, dilations):
        side = 1
        for k, s, d in zip(reversed(kernels), reversed(strides), reversed(dilations), strict=True):
            side = (side - 1) * s + d * (k - 1) + 1
        return side

    def by_product(kernels, strides, dilations):
        terms = [d * (k - 1) * math.prod(strides[:i]) for i, (k, d) in enumerate(zip(kernels, dilations, strict=True))]
        return 1 + sum(terms)

    def by_pixels(kernels, strides, dilations):
        """Follow unit 0 of the last layer down to the pixels that it touches."""
        touched = {0}
        for i in reversed(range(len(kernels))):
            touched = {unit * strides[i] + tap * dilations[i] for unit in touched for tap in range(kernels[i])}
        return max(touched) - min(touched) + 1

    def by_tensors(kernels, strides, dilations):
        k, s, d = (torch.tensor(values) for values in (kernels, strides, dilations))
        jumps = torch.cumprod(s, 0) // s
        return torch.einsum("l,l,l->", k - 1, d, jumps) + 1

    def recursive(kernels, strides, dilations):
        if len(kernels) == 0:
            return 1.0
        rest = Right.recursive(kernels[1:], strides[1:], dilations[1:])
        return (rest - 1) * strides[0] + dilations[0] * (kernels[0] - 1) + 1

    def by_numpy(kernels, strides, dilations):
        jumps = np.cumprod([1, *strides[:-1]])
        return 1 + np.sum((np.array(kernels) - 1) * np.array(dilations) * jumps)

    def by_reduce(kernels, strides, dilations):
        def step(seen, layer):
            kernel, stride, dilation = layer
            return seen[0] + dilation * (kernel - 1) * seen[1], seen[1] * stride

        return functools.reduce(step, zip(kernels, strides, dilations, strict=True), (1, 1))[0]

    def by_gradient(kernels, strides, dilations):
        x = torch.zeros(1, 1, Right.backwards(kernels, strides, dilations), requires_grad=True)
        y = x
        for k, s, d in zip(kernels, strides, dilations, strict=True):
            y = torch.nn.functional.conv1d(y, torch.ones(1, 1, k), stride=s, dilation=d)
        y.sum().backward()
        seen = x.grad[0, 0].nonzero()
        return seen.max() - seen.min() + 1

    def on_copies(kernels, strides, dilations):
        k, s, d = list(kernels), list(strides), list(dilations)
        side = 1.0
        while k:
            side = (side - 1) * s.pop() + d.pop() * (k.pop() - 1) + 1
        return side


class Wrong:
    def starts_at_zero(kernels, strides, dilations):
        return Right.by_product(kernels, strides, dilations) - 1

    def returns_jump(kernels, strides, dilations):
        return math.prod(strides)

    def kernel_not_minus_one(kernels, strides, dilations):
        total, jump = 0, 1
        for i in range(len(kernels)):
            total += kernels[i] * dilations[i] * jump
            jump *= strides[i]
        return total

    def jump_too_early__dilated(kernels, strides, dilations):
        side, jump = 1, 1
        for k, s, d in zip(kernels, strides, dilations, strict=True):
            jump *= s
            side += (k - 1) * d * jump
        return side

    def jump_too_early__undilated(kernels, strides, dilations):
        return 1 + sum((k - 1) * math.prod(strides[: i + 1]) for i, k in enumerate(kernels))

    def kernels_summed(kernels, strides, dilations):
        return sum(kernels)

    def kernels_multiplied(kernels, strides, dilations):
        return math.prod(kernels)

    def one_layer_only__last(kernels, strides, dilations):
        return dilations[-1] * (kernels[-1] - 1) + 1

    def one_layer_only__with__dilation_forgotten__largest(kernels, strides, dilations):
        return max(kernels)

    def strides_ignored(kernels, strides, dilations):
        return 1 + sum(d * (k - 1) for k, d in zip(kernels, dilations, strict=True))

    def wrong_end(kernels, strides, dilations):
        side = 1
        for k, s, d in zip(kernels, strides, dilations, strict=True):
            side = (side - 1) * s + d * (k - 1) + 1
        return side

    def jump_not_multiplied(kernels, strides, dilations):
        side = kernels[0] + (kernels[0] - 1) * (dilations[0] - 1)
        for i in range(1, len(kernels)):
            side += (kernels[i] - 1) * dilations[i] * strides[i - 1]
        return side

    def jump_added(kernels, strides, dilations):
        side, jump = 1, 1
        for k, s, d in zip(kernels, strides, dilations, strict=True):
            side, jump = side + d * (k - 1) * jump, jump + s
        return side

    def stride_scales_field(kernels, strides, dilations):
        side = 1
        for k, s, d in zip(kernels, strides, dilations, strict=True):
            side = side * s + (k - 1) * d
        return side

    def dilation_forgotten(kernels, strides, dilations):
        return Right.backwards(kernels, strides, [1] * len(kernels))

    def dilation_times_kernel(kernels, strides, dilations):
        return Right.by_product([k * d for k, d in zip(kernels, dilations, strict=True)], strides, [1] * len(kernels))

    def dilation_as_gap(kernels, strides, dilations):
        return Right.by_product(kernels, strides, [d + 1 for d in dilations])

    def dilation_in_jump(kernels, strides, dilations):
        side, jump = 1, 1
        for i, kernel in enumerate(kernels):
            jump *= dilations[i]
            side += (kernel - 1) * jump
            jump *= strides[i]
        return side

    def nothing_added(kernels, strides, dilations):
        side, jump = 1, 0
        for k, s, d in zip(kernels, strides, dilations, strict=True):
            side += d * (k - 1) * jump
            jump *= s
        return side

    def half_kernel__radius(kernels, strides, dilations):
        radius, jump = 0, 1
        for k, s, d in zip(kernels, strides, dilations, strict=True):
            radius += d * (k // 2) * jump
            jump *= s
        return 2 * radius + 1

    def half_kernel__with__dilation_forgotten(kernels, strides, dilations):
        return 1 + sum(2 * ((k - 1) // 2) * math.prod(strides[:i]) for i, k in enumerate(kernels))

    def radius(kernels, strides, dilations):
        radius, jump = 0, 1
        for k, s, d in zip(kernels, strides, dilations, strict=True):
            radius += d * (k // 2) * jump
            jump *= s
        return radius

    def field_plus_jump(kernels, strides, dilations):
        return Right.backwards(kernels, strides, dilations) + math.prod(strides)

    def stride_scales_field__at_last(kernels, strides, dilations):
        return Right.backwards(kernels, [1] * len(kernels), dilations) * math.prod(strides)

    def dilation_of_the_layer_before(kernels, strides, dilations):
        side, jump, dilation = 1, 1, 1
        for i, kernel in enumerate(kernels):
            side += dilation * (kernel - 1) * jump
            jump *= strides[i]
            dilation = dilations[i]
        return side

    def dilation_in_jump__with__jump_not_multiplied(kernels, strides, dilations):
        side, jump = 1, 1
        for k, s, d in zip(kernels, strides, dilations, strict=True):
            side += (k - 1) * jump * d
            jump = s * d
        return side

    def fixed_kernel(kernels, strides, dilations):
        return Right.backwards([3] * len(kernels), strides, dilations)

    def all_strides(kernels, strides, dilations):
        return 1 + math.prod(strides) * sum(d * (k - 1) for k, d in zip(kernels, dilations, strict=True))

    def stride_to_a_power(kernels, strides, dilations):
        side = 1
        for i, (k, s, d) in enumerate(zip(kernels, strides, dilations, strict=True)):
            side += d * (k - 1) * s**i
        return side

    def one_layer_only__return_in_the_loop(kernels, strides, dilations):
        side, jump = 1, 1
        for i in range(len(kernels)):
            side += dilations[i] * (kernels[i] - 1) * jump
            jump *= strides[i]
            return side

    def stride_scales_field__backwards(kernels, strides, dilations):
        side = 1
        for k, s, d in zip(kernels[::-1], strides[::-1], dilations[::-1], strict=True):
            side = side * s + d * (k - 1) + 1
        return side

    def pixel_lost(kernels, strides, dilations):
        side = 1
        for k, s, d in zip(kernels[::-1], strides[::-1], dilations[::-1], strict=True):
            side = (side - 1) * s + d * (k - 1)
        return side

    def first_dilation_forgotten(kernels, strides, dilations):
        side, jump = kernels[0], strides[0]
        for i in range(1, len(kernels)):
            side += dilations[i] * (kernels[i] - 1) * jump
            jump *= strides[i]
        return side

    def dilation_once(kernels, strides, dilations):
        return Right.by_product(
            [k + d - 1 for k, d in zip(kernels, dilations, strict=True)], strides, [1] * len(kernels)
        )

    def starts_at_zero__with__wrong_end(kernels, strides, dilations):
        side, jump = 0, 1
        for k, s, d in zip(kernels[::-1], strides[::-1], dilations[::-1], strict=True):
            side += d * (k - 1) * jump
            jump *= s
        return side

    def kernel_not_minus_one__with__jump_added(kernels, strides, dilations):
        side, jump = 1, 1
        for k, s, d in zip(kernels, strides, dilations, strict=True):
            side, jump = side + d * k * jump, jump + s
        return side

    def strides_and_dilations_ignored(kernels, strides, dilations):
        return 1 + sum(k - 1 for k in kernels)

    def dilation_as_gap__with__jump_too_early(kernels, strides, dilations):
        side, jump = 1, 1
        for k, s, d in zip(kernels, strides, dilations, strict=True):
            jump *= s
            side += (k - 1) * (d + 1) * jump
        return side

    def exchanged_arguments__strides_and_dilations(kernels, strides, dilations):
        return Right.backwards(kernels, dilations, strides)

    def result_squared__area(kernels, strides, dilations):
        return Right.backwards(kernels, strides, dilations) ** 2

    def first_step_lost(kernels, strides, dilations):
        return Right.by_product(kernels[1:], strides[1:], dilations[1:])

    def in_place__popped(kernels, strides, dilations):
        side = 1
        while kernels:
            side = (side - 1) * strides.pop() + dilations.pop() * (kernels.pop() - 1) + 1
        return side

    def wrong_type__each_layer(kernels, strides, dilations):
        n = len(kernels)
        return [Right.backwards(kernels[: i + 1], strides[: i + 1], dilations[: i + 1]) for i in range(n)]

    def wrong_shape__as_map(kernels, strides, dilations):
        return torch.ones(Right.backwards(kernels, strides, dilations))

    def exception__of_next_layer(kernels, strides, dilations):
        return sum((kernels[i] - 1) * strides[i + 1] for i in range(len(kernels)))

    def unknown__squared(kernels, strides, dilations):
        return Right.backwards(kernels, strides, dilations) ** 2 + 1
