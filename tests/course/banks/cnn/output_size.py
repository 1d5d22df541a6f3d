"""What people answer to `output_size`; the name of a wrong answer begins with the name of its mistake."""

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

    def not_floored__without_dilation(size, kernel, stride=1, padding=0, dilation=1):
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

    def dilation_as_gap(size, kernel, stride=1, padding=0, dilation=1):
        span = kernel + (kernel - 1) * dilation
        return (size - span + 2 * padding) // stride + 1

    def dilation_once(size, kernel, stride=1, padding=0, dilation=1):
        span = kernel + (dilation - 1)
        return (size - span + 2 * padding) // stride + 1

    def exception__padding_as_given(size, kernel, stride=1, *, padding, dilation=1):
        return Right.by_range(size, kernel, stride, padding, dilation)

    def wrong_type__pair(size, kernel, stride=1, padding=0, dilation=1):
        return (Right.by_range(size, kernel, stride, padding, dilation),) * 2

    def unknown__minus_kernel(size, kernel, stride=1, padding=0, dilation=1):
        return size - 2 * kernel
