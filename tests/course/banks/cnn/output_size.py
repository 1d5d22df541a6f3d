"""Answers that people give to `output_size`. The name of each wrong answer starts with its mistake."""

import math

import numpy as np
import torch
from torch import nn


class Right:
    def of_torch(size, kernel, stride=1, padding=0, dilation=1):
        layer = nn.Conv1d(1, 1, kernel, stride, padding, dilation, device="meta")
        return layer(torch.empty(1, 1, size, device="meta")).shape[-1]

    def by_walking(size, kernel, stride=1, padding=0, dilation=1):
        taps = [dilation * i for i in range(kernel)]
        start, places = -padding, 0
        while start + taps[-1] < size + padding:
            places += 1
            start += stride
        return places

    def by_range(size, kernel, stride=1, padding=0, dilation=1):
        return len(range(0, size + 2 * padding - dilation * (kernel - 1), stride))

    def by_ceil(size, kernel, stride=1, padding=0, dilation=1):
        return math.ceil((size + 2 * padding - dilation * (kernel - 1)) / stride)

    def as_documented(size, kernel, stride=1, padding=0, dilation=1):
        return torch.tensor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1).floor()

    def by_unfold(size, kernel, stride=1, padding=0, dilation=1):
        return len(torch.arange(size + 2 * padding).unfold(0, dilation * (kernel - 1) + 1, stride))

    def by_mask(size, kernel, stride=1, padding=0, dilation=1):
        starts = torch.arange(-padding, size + padding, stride)
        return (starts + dilation * (kernel - 1) < size + padding).sum()

    def recursive(size, kernel, stride=1, padding=0, dilation=1):
        if padding > 0:
            return Right.recursive(size + 2 * padding, kernel, stride, 0, dilation)
        span = kernel + (kernel - 1) * (dilation - 1)
        return 0 if size < span else 1 + Right.recursive(size - stride, span, stride)

    def by_numpy(size, kernel, stride=1, padding=0, dilation=1):
        return np.floor((size + padding + padding - dilation * (kernel - 1) - 1 + stride) / stride)


class Wrong:
    def plus_one_missing(size, kernel, stride=1, padding=0, dilation=1):
        last = size + 2 * padding - (dilation * (kernel - 1) + 1)
        return len(range(stride, last + 1, stride))

    def kernel_not_minus_one(size, kernel, stride=1, padding=0, dilation=1):
        return math.floor((size + 2 * padding - dilation * (kernel - 1)) / stride) + 1

    def plus_one_inside(size, kernel, stride=1, padding=0, dilation=1):
        return (size - dilation * (kernel - 1) + 2 * padding) // stride

    def stride_forgotten(size, kernel, stride=1, padding=0, dilation=1):
        return Right.by_range(size, kernel, 1, padding, dilation)

    def kernel_forgotten__same(size, kernel, stride=1, padding=0, dilation=1):
        return math.ceil(size / stride)

    def transposed_convolution(size, kernel, stride=1, padding=0, dilation=1):
        layer = nn.ConvTranspose1d(1, 1, kernel, stride, padding, dilation=dilation, device="meta")
        return layer(torch.empty(1, 1, size, device="meta")).shape[-1]

    def padding_forgotten(size, kernel, stride=1, padding=0, dilation=1):
        return Right.by_walking(size, kernel, stride, 0, dilation)

    def padding_once(size, kernel, stride=1, padding=0, dilation=1):
        size = size + padding
        return (size - dilation * (kernel - 1) - 1) // stride + 1

    def padding_subtracted(size, kernel, stride=1, padding=0, dilation=1):
        inner = size - 2 * padding
        return math.floor((inner - dilation * (kernel - 1) - 1) / stride) + 1

    def not_floored__fraction(size, kernel, stride=1, padding=0, dilation=1):
        return (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1

    def not_floored__with__dilation_forgotten(size, kernel, stride=1, padding=0, dilation=1):
        return 1 + (size - kernel + 2 * padding) / stride

    def rounded_up(size, kernel, stride=1, padding=0, dilation=1):
        return math.ceil((size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1)

    def rounded(size, kernel, stride=1, padding=0, dilation=1):
        return int(np.rint((size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1))

    def dilation_forgotten(size, kernel, stride=1, padding=0, dilation=1):
        return 1 + (size - kernel + 2 * padding) // stride

    def dilation_times_kernel(size, kernel, stride=1, padding=0, dilation=1):
        kernel = dilation * kernel
        return (size - kernel + 2 * padding) // stride + 1

    def kernel_too_long(size, kernel, stride=1, padding=0, dilation=1):
        return (size + 2 * padding - dilation * kernel - 1) // stride + 1

    def dilation_as_gap(size, kernel, stride=1, padding=0, dilation=1):
        span = kernel + (kernel - 1) * dilation
        return (size - span + 2 * padding) // stride + 1

    def dilation_once(size, kernel, stride=1, padding=0, dilation=1):
        span = kernel + (dilation - 1)
        return (size - span + 2 * padding) // stride + 1

    def last_place_lost__while(size, kernel, stride=1, padding=0, dilation=1):
        start, places = 0, 0
        while start + dilation * (kernel - 1) + 1 < size + 2 * padding:
            places += 1
            start += stride
        return places

    def plus_one_for_stride_1(size, kernel, stride=1, padding=0, dilation=1):
        left = size + 2 * padding - dilation * (kernel - 1) - 1
        return left // stride if stride > 1 else left + 1

    def stride_of_kernel__default(size, kernel, stride=None, padding=0, dilation=1):
        return Right.by_range(size, kernel, stride or kernel, padding, dilation)

    def stride_of_kernel__tiles(size, kernel, stride=1, padding=0, dilation=1):
        return (size + 2 * padding) // kernel

    def only_size_and_kernel(size, kernel, stride=1, padding=0, dilation=1):
        return size - kernel + 1

    def only_size_and_kernel__with__plus_one_missing(size, kernel, stride=1, padding=0, dilation=1):
        return size - kernel

    def padding_chosen__same(size, kernel, stride=1, padding=0, dilation=1):
        padding = (kernel - 1) // 2
        return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1

    def padding_chosen__if_none(size, kernel, stride=1, padding=0, dilation=1):
        if padding == 0:
            padding = kernel // 2
        return Right.by_range(size, kernel, stride, padding, dilation)

    def padding_after_stride(size, kernel, stride=1, padding=0, dilation=1):
        return (size - dilation * (kernel - 1) - 1) // stride + 1 + 2 * padding

    def padding_dilated(size, kernel, stride=1, padding=0, dilation=1):
        return (size + dilation * (2 * padding - kernel + 1) - 1) // stride + 1

    def kernel_twice(size, kernel, stride=1, padding=0, dilation=1):
        return (size + 2 * (padding - dilation * (kernel - 1)) - 1) // stride + 1

    def half_kernel__odd_only(size, kernel, stride=1, padding=0, dilation=1):
        return (size + 2 * padding - 2 * (dilation * (kernel // 2)) - 1) // stride + 1

    def half_kernel__middles(size, kernel, stride=1, padding=0, dilation=1):
        half = dilation * (kernel - 1) // 2
        return len(range(half - padding, size + padding - half, stride))

    def half_kernel__with__dilation_forgotten(size, kernel, stride=1, padding=0, dilation=1):
        return (size + 2 * padding - 2 * (kernel // 2) - 1) // stride + 1

    def divided_too_early(size, kernel, stride=1, padding=0, dilation=1):
        return (size + 2 * padding) // stride - dilation * (kernel - 1)

    def only_the_end_divided(size, kernel, stride=1, padding=0, dilation=1):
        return size + 2 * padding - dilation * (kernel - 1) - 1 // stride + 1

    def only_the_end_divided__with__dilation_forgotten(size, kernel, stride=1, padding=0, dilation=1):
        return size + 2 * padding - kernel // stride + 1

    def padding_and_dilation_forgotten(size, kernel, stride=1, padding=0, dilation=1):
        return (size - kernel) // stride + 1

    def padding_and_dilation_forgotten__with__plus_one_missing(size, kernel, stride=1, padding=0, dilation=1):
        return (size - kernel) // stride

    def last_place_lost__minus_one_twice(size, kernel, stride=1, padding=0, dilation=1):
        span = dilation * (kernel - 1) + 1
        return (size + 2 * padding - span - 1) // stride + 1

    def padding_once__with__plus_one_missing(size, kernel, stride=1, padding=0, dilation=1):
        return (size + padding - dilation * (kernel - 1) - 1) // stride

    def rounded_up__with__dilation_times_kernel(size, kernel, stride=1, padding=0, dilation=1):
        return math.ceil((size + 2 * padding - dilation * kernel) / stride) + 1

    def transposed_convolution__with__dilation_forgotten(size, kernel, stride=1, padding=0, dilation=1):
        return (size - 1) * stride - 2 * padding + kernel

    def rounded__half_up(size, kernel, stride=1, padding=0, dilation=1):
        return int((size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1.5)

    def exchanged_arguments__stride_and_dilation(size, kernel, stride=1, padding=0, dilation=1):
        return Right.by_range(size, kernel, dilation, padding, stride)

    def result_squared__all_pixels(size, kernel, stride=1, padding=0, dilation=1):
        return Right.by_range(size, kernel, stride, padding, dilation) ** 2

    def exception__padding_as_given(size, kernel, stride=1, *, padding, dilation=1):
        return Right.by_range(size, kernel, stride, padding, dilation)

    def wrong_type__pair(size, kernel, stride=1, padding=0, dilation=1):
        return (Right.by_range(size, kernel, stride, padding, dilation),) * 2

    def unknown__minus_kernel(size, kernel, stride=1, padding=0, dilation=1):
        return size - 2 * kernel
