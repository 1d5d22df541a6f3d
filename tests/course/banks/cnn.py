"""Answers to lesson 2's exercises as people write them: right ones, and wrong ones with the mistake they make."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional

# output_size: right ---------------------------------------------------------------------------------------------------


def size_of_torch(size, kernel, stride=1, padding=0, dilation=1):
    layer = nn.Conv1d(1, 1, kernel, stride, padding, dilation, device="meta")
    return layer(torch.empty(1, 1, size, device="meta")).shape[-1]


def size_by_walking(size, kernel, stride=1, padding=0, dilation=1):
    taps = [dilation * i for i in range(kernel)]
    start, places = -padding, 0
    while start + taps[-1] < size + padding:
        places += 1
        start += stride
    return places


def size_by_range(size, kernel, stride=1, padding=0, dilation=1):
    return len(range(0, size + 2 * padding - dilation * (kernel - 1), stride))


def size_by_ceil(size, kernel, stride=1, padding=0, dilation=1):
    return math.ceil((size + 2 * padding - dilation * (kernel - 1)) / stride)


def size_as_documented(size, kernel, stride=1, padding=0, dilation=1):
    return torch.tensor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1).floor()


# output_size: wrong ---------------------------------------------------------------------------------------------------


def size_steps_only(size, kernel, stride=1, padding=0, dilation=1):
    last = size + 2 * padding - (dilation * (kernel - 1) + 1)
    return len(range(stride, last + 1, stride))


def size_long(size, kernel, stride=1, padding=0, dilation=1):
    return math.floor((size + 2 * padding - dilation * (kernel - 1)) / stride) + 1


def size_one_inside(size, kernel, stride=1, padding=0, dilation=1):
    return (size - dilation * (kernel - 1) + 2 * padding) // stride


def size_without_stride(size, kernel, stride=1, padding=0, dilation=1):
    return size_by_range(size, kernel, 1, padding, dilation)


def size_same(size, kernel, stride=1, padding=0, dilation=1):
    return math.ceil(size / stride)


def size_transposed(size, kernel, stride=1, padding=0, dilation=1):
    layer = nn.ConvTranspose1d(1, 1, kernel, stride, padding, dilation=dilation, device="meta")
    return layer(torch.empty(1, 1, size, device="meta")).shape[-1]


def size_without_padding(size, kernel, stride=1, padding=0, dilation=1):
    return size_by_walking(size, kernel, stride, 0, dilation)


def size_half_padding(size, kernel, stride=1, padding=0, dilation=1):
    size = size + padding
    return (size - dilation * (kernel - 1) - 1) // stride + 1


def size_minus_padding(size, kernel, stride=1, padding=0, dilation=1):
    inner = size - 2 * padding
    return math.floor((inner - dilation * (kernel - 1) - 1) / stride) + 1


def size_with_fraction(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1


def size_up(size, kernel, stride=1, padding=0, dilation=1):
    return math.ceil((size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1)


def size_nearest(size, kernel, stride=1, padding=0, dilation=1):
    return int(np.rint((size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1))


def size_without_dilation(size, kernel, stride=1, padding=0, dilation=1):
    return 1 + (size - kernel + 2 * padding) // stride


def size_without_dilation_or_floor(size, kernel, stride=1, padding=0, dilation=1):
    return 1 + (size - kernel + 2 * padding) / stride


def size_dilated_kernel(size, kernel, stride=1, padding=0, dilation=1):
    kernel = dilation * kernel
    return (size - kernel + 2 * padding) // stride + 1


def size_gaps(size, kernel, stride=1, padding=0, dilation=1):
    span = kernel + (kernel - 1) * dilation
    return (size - span + 2 * padding) // stride + 1


def size_one_gap(size, kernel, stride=1, padding=0, dilation=1):
    span = kernel + (dilation - 1)
    return (size - span + 2 * padding) // stride + 1


def size_padding_as_given(size, kernel, stride=1, *, padding, dilation=1):
    return size_by_range(size, kernel, stride, padding, dilation)


def size_without_return(size, kernel, stride=1, padding=0, dilation=1):
    size_by_range(size, kernel, stride, padding, dilation)


def size_pair(size, kernel, stride=1, padding=0, dilation=1):
    return (size_by_range(size, kernel, stride, padding, dilation),) * 2


def size_text(size, kernel, stride=1, padding=0, dilation=1):
    return str(size_by_range(size, kernel, stride, padding, dilation))


def size_minus_kernel(size, kernel, stride=1, padding=0, dilation=1):
    return size - 2 * kernel


def size_stub(size, kernel, stride=1, padding=0, dilation=1):
    raise NotImplementedError


# conv2d: right --------------------------------------------------------------------------------------------------------


def conv_of_torch(x, weight, stride=1, padding=0):
    return functional.conv2d(x, weight, stride=stride, padding=padding)


def conv_by_loops(x, weight, stride=1, padding=0):
    batch, _, height, width = x.shape
    out, _, k, _ = weight.shape
    padded = torch.zeros(batch, x.shape[1], height + 2 * padding, width + 2 * padding)
    padded[:, :, padding : padding + height, padding : padding + width] = x
    h, w = (height + 2 * padding - k) // stride + 1, (width + 2 * padding - k) // stride + 1
    y = torch.zeros(batch, out, h, w)
    for row in range(h):
        for column in range(w):
            top, left = row * stride, column * stride
            patch = padded[:, None, :, top : top + k, left : left + k]  # [batch, 1, in, k, k]
            y[:, :, row, column] = (patch * weight).sum(dim=(2, 3, 4))
    return y


def conv_by_columns(x, weight, stride=1, padding=0):
    k = weight.shape[-1]
    columns = functional.unfold(x, k, padding=padding, stride=stride)  # [batch, in * k * k, places]
    h = (x.shape[2] + 2 * padding - k) // stride + 1
    return (weight.flatten(1) @ columns).unflatten(-1, (h, -1))


def conv_by_taps(x, weight, stride=1, padding=0):
    """Shift the whole map by each tap of the filter; in float64."""
    x = nn.ZeroPad2d(padding)(x).double()
    k = weight.shape[-1]
    h, w = x.shape[2] - k + 1, x.shape[3] - k + 1
    y = 0
    for dy in range(k):
        for dx in range(k):
            y = y + torch.einsum("bihw,oi->bohw", x[:, :, dy : dy + h, dx : dx + w], weight[:, :, dy, dx].double())
    return y[:, :, ::stride, ::stride]


def conv_by_numpy_windows(x, weight, stride=1, padding=0):
    side = (padding, padding)
    x = np.pad(x.numpy(), ((0, 0), (0, 0), side, side))
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return torch.from_numpy(np.tensordot(windows, weight.numpy(), axes=((1, 4, 5), (1, 2, 3)))).permute(0, 3, 1, 2)


# conv2d: wrong --------------------------------------------------------------------------------------------------------


def padded(x, padding):
    return nn.ZeroPad2d(padding)(x)


def conv_mathematical(x, weight, stride=1, padding=0):
    return functional.conv2d(x, torch.flip(weight, dims=[-1, -2]), stride=stride, padding=padding)


def conv_mathematical_first_try(x, weight, stride=1, padding=0):
    return functional.conv2d(x, weight.flip(-1).flip(-2))


def conv_kernel_turned(x, weight, stride=1, padding=0):
    x, k = padded(x, padding), weight.shape[2]
    patches = x.unfold(2, k, stride).unfold(3, k, stride)
    return torch.einsum("bihwxy,oiyx->bohw", patches, weight)


def conv_width_first(x, weight, stride=1, padding=0):
    x, k = padded(x, padding), weight.shape[2]
    patches = x.unfold(3, k, stride).unfold(2, k, stride)  # [batch, in, h, w, k of width, k of height]
    return torch.einsum("bihwxy,oiyx->bowh", patches, weight)


def conv_folded_wrong(x, weight, stride=1, padding=0):
    k = weight.shape[-1]
    columns = functional.unfold(x, k, padding=padding, stride=stride)
    h, w = ((side + 2 * padding - k) // stride + 1 for side in x.shape[2:])
    return (weight.flatten(1) @ columns).view(len(x), len(weight), w, h)


def conv_of_square_maps(x, weight, stride=1, padding=0):
    x = functional.pad(x, (padding,) * 4)
    columns = weight.flatten(1) @ functional.unfold(x, weight.shape[-1], stride=stride)
    side = int(math.sqrt(columns.shape[-1]))
    return columns.view(x.shape[0], -1, side, side)


def conv_reshaped(x, weight, stride=1, padding=0):
    out, inputs, k, _ = weight.shape
    patches = padded(x, padding).unfold(2, k, stride).unfold(3, k, stride)
    h, w = patches.shape[2:4]
    columns = patches.reshape(len(x), inputs * k * k, h * w)
    return (weight.view(out, -1) @ columns).view(len(x), out, h, w)


def conv_reshaped_to_rows(x, weight, stride=1, padding=0):
    out, inputs, k, _ = weight.shape
    patches = padded(x, padding).unfold(2, k, stride).unfold(3, k, stride)
    h, w = patches.shape[2:4]
    rows = patches.reshape(len(x), h * w, inputs * k * k)
    return (rows @ weight.view(out, -1).T).transpose(1, 2).reshape(len(x), out, h, w)


def conv_columns_then_channels(x, weight, stride=1, padding=0):
    k = weight.shape[-1]
    patches = padded(x, padding).unfold(2, k, stride).unfold(3, k, stride).permute(0, 2, 3, 4, 5, 1)
    y = patches.flatten(3) @ weight.flatten(1).T  # patches end with the channel, the weight does not
    return y.permute(0, 3, 1, 2)


def conv_mean(x, weight, stride=1, padding=0):
    k = weight.shape[-1]
    patches = padded(x, padding).unfold(2, k, stride).unfold(3, k, stride)
    return (patches[:, None] * weight[None, :, :, None, None]).mean(dim=(-1, -2)).sum(2)


def conv_channels_apart(x, weight, stride=1, padding=0):
    per_channel = [
        functional.conv2d(x[:, i : i + 1], weight[:, i : i + 1], stride=stride, padding=padding)
        for i in range(x.shape[1])
    ]
    return torch.stack(per_channel, dim=2).flatten(1, 2)


def conv_channel_mean(x, weight, stride=1, padding=0):
    k = weight.shape[-1]
    patches = padded(x, padding).unfold(2, k, stride).unfold(3, k, stride)
    return (patches[:, None] * weight[None, :, :, None, None]).sum(dim=(-1, -2)).mean(2)


def conv_first_channel(x, weight, stride=1, padding=0):
    return functional.conv2d(x[:, 0:1], weight[:, 0:1], None, stride, padding)


def conv_depthwise(x, weight, stride=1, padding=0):
    channels = x.shape[1]
    own = torch.stack([weight[c, c] for c in range(channels)])[:, None]
    return functional.conv2d(x, own, stride=stride, padding=padding, groups=channels)


def conv_weight_transposed(x, weight, stride=1, padding=0):
    k = weight.shape[-1]
    patches = padded(x, padding).unfold(2, k, stride).unfold(3, k, stride)
    return torch.einsum("bihwyx,ioyx->bohw", patches, weight)


def conv_out_first(x, weight, stride=1, padding=0):
    maps = [functional.conv2d(x, kernel[None], None, stride, padding)[:, 0] for kernel in weight]
    return torch.stack(maps)


def conv_out_last(x, weight, stride=1, padding=0):
    k = weight.shape[-1]
    patches = padded(x, padding).unfold(2, k, stride).unfold(3, k, stride).permute(0, 2, 3, 1, 4, 5)
    return torch.tensordot(patches, weight, dims=([3, 4, 5], [1, 2, 3]))


def conv_step_one(x, weight, stride=1, padding=0):
    k = weight.shape[-1]
    patches = padded(x, padding).unfold(2, k, 1).unfold(3, k, 1)
    return torch.einsum("bihwyx,oiyx->bohw", patches, weight)


def conv_stride_down(x, weight, stride=1, padding=0):
    return functional.conv2d(x, weight, None, (stride, 1), padding)


def conv_stride_of_kernel(x, weight, stride=1, padding=0):
    return functional.conv2d(x, weight, None, weight.shape[-1], padding)


def conv_unpadded(x, weight, stride=1, padding=0):
    return functional.conv2d(x, weight, stride=stride)


def conv_padded_at_start(x, weight, stride=1, padding=0):
    batch, channels, height, width = x.shape
    larger = torch.zeros(batch, channels, height + padding, width + padding)
    larger[:, :, padding:, padding:] = x
    return functional.conv2d(larger, weight, stride=stride)


def conv_padded_in_width(x, weight, stride=1, padding=0):
    return functional.conv2d(functional.pad(x, (padding, padding)), weight, stride=stride)


def conv_padded_everywhere(x, weight, stride=1, padding=0):
    x = functional.pad(x, (padding,) * 6)
    total = 0
    for i in range(weight.shape[1]):
        total = total + functional.conv2d(x[:, i : i + 1], weight[:, i : i + 1], stride=stride)
    return total


def conv_padded_with_edge(x, weight, stride=1, padding=0):
    return functional.conv2d(nn.ReplicationPad2d(padding)(x), weight, stride=stride)


def conv_in_place(x, weight, stride=1, padding=0):
    y = functional.conv2d(x, weight, None, stride, padding)
    x.zero_()
    return y


def conv_without_return(x, weight, stride=1, padding=0):
    functional.conv2d(x, weight, None, stride, padding)


def conv_flat(x, weight, stride=1, padding=0):
    return functional.conv2d(x, weight, None, stride, padding).flatten(1)


def conv_as_list(x, weight, stride=1, padding=0):
    return list(functional.conv2d(x, weight, None, stride, padding))


def conv_matmul(x, weight, stride=1, padding=0):
    return x @ weight


def conv_with_bias(x, weight, stride=1, padding=0):
    return functional.conv2d(x, weight, torch.ones(len(weight)), stride, padding)


def conv_stub(x, weight, stride=1, padding=0):
    raise NotImplementedError


# receptive_field: right -----------------------------------------------------------------------------------------------


def field_backwards(kernels, strides, dilations):
    side = 1
    for k, s, d in zip(reversed(kernels), reversed(strides), reversed(dilations), strict=True):
        side = (side - 1) * s + d * (k - 1) + 1
    return side


def field_by_product(kernels, strides, dilations):
    terms = [d * (k - 1) * math.prod(strides[:i]) for i, (k, d) in enumerate(zip(kernels, dilations, strict=True))]
    return 1 + sum(terms)


def field_by_pixels(kernels, strides, dilations):
    """Follow unit 0 of the last layer down to the pixels that it touches."""
    touched = {0}
    for i in reversed(range(len(kernels))):
        touched = {unit * strides[i] + tap * dilations[i] for unit in touched for tap in range(kernels[i])}
    return max(touched) - min(touched) + 1


def field_by_tensors(kernels, strides, dilations):
    k, s, d = (torch.tensor(values) for values in (kernels, strides, dilations))
    jumps = torch.cumprod(s, 0) // s
    return torch.einsum("l,l,l->", k - 1, d, jumps) + 1


def field_recursive(kernels, strides, dilations):
    if len(kernels) == 0:
        return 1.0
    rest = field_recursive(kernels[1:], strides[1:], dilations[1:])
    return (rest - 1) * strides[0] + dilations[0] * (kernels[0] - 1) + 1


# receptive_field: wrong -----------------------------------------------------------------------------------------------


def field_from_zero(kernels, strides, dilations):
    return field_by_product(kernels, strides, dilations) - 1


def field_of_strides(kernels, strides, dilations):
    return math.prod(strides)


def field_whole_kernels(kernels, strides, dilations):
    total, jump = 0, 1
    for i in range(len(kernels)):
        total += kernels[i] * dilations[i] * jump
        jump *= strides[i]
    return total


def field_early(kernels, strides, dilations):
    side, jump = 1, 1
    for k, s, d in zip(kernels, strides, dilations, strict=True):
        jump *= s
        side += (k - 1) * d * jump
    return side


def field_early_undilated(kernels, strides, dilations):
    return 1 + sum((k - 1) * math.prod(strides[: i + 1]) for i, k in enumerate(kernels))


def field_sum(kernels, strides, dilations):
    return sum(kernels)


def field_product(kernels, strides, dilations):
    return math.prod(kernels)


def field_last(kernels, strides, dilations):
    return dilations[-1] * (kernels[-1] - 1) + 1


def field_largest(kernels, strides, dilations):
    return max(kernels)


def field_unstrided(kernels, strides, dilations):
    return 1 + sum(d * (k - 1) for k, d in zip(kernels, dilations, strict=True))


def field_reversed(kernels, strides, dilations):
    side = 1
    for k, s, d in zip(kernels, strides, dilations, strict=True):
        side = (side - 1) * s + d * (k - 1) + 1
    return side


def field_last_stride(kernels, strides, dilations):
    side = kernels[0] + (kernels[0] - 1) * (dilations[0] - 1)
    for i in range(1, len(kernels)):
        side += (kernels[i] - 1) * dilations[i] * strides[i - 1]
    return side


def field_added_strides(kernels, strides, dilations):
    side, jump = 1, 1
    for k, s, d in zip(kernels, strides, dilations, strict=True):
        side, jump = side + d * (k - 1) * jump, jump + s
    return side


def field_scaled(kernels, strides, dilations):
    side = 1
    for k, s, d in zip(kernels, strides, dilations, strict=True):
        side = side * s + (k - 1) * d
    return side


def field_undilated(kernels, strides, dilations):
    return field_backwards(kernels, strides, [1] * len(kernels))


def field_dilated_kernels(kernels, strides, dilations):
    return field_by_product([k * d for k, d in zip(kernels, dilations, strict=True)], strides, [1] * len(kernels))


def field_gaps(kernels, strides, dilations):
    return field_by_product(kernels, strides, [d + 1 for d in dilations])


def field_dilation_goes_on(kernels, strides, dilations):
    side, jump = 1, 1
    for i, kernel in enumerate(kernels):
        jump *= dilations[i]
        side += (kernel - 1) * jump
        jump *= strides[i]
    return side


def field_in_place(kernels, strides, dilations):
    side = 1
    while kernels:
        side = (side - 1) * strides.pop() + dilations.pop() * (kernels.pop() - 1) + 1
    return side


def field_without_return(kernels, strides, dilations):
    field_backwards(kernels, strides, dilations)


def field_each_layer(kernels, strides, dilations):
    n = len(kernels)
    return [field_backwards(kernels[: i + 1], strides[: i + 1], dilations[: i + 1]) for i in range(n)]


def field_as_map(kernels, strides, dilations):
    return torch.ones(field_backwards(kernels, strides, dilations))


def field_of_next_layer(kernels, strides, dilations):
    return sum((kernels[i] - 1) * strides[i + 1] for i in range(len(kernels)))


def field_squared(kernels, strides, dilations):
    return field_backwards(kernels, strides, dilations) ** 2 + 1


def field_stub(kernels, strides, dilations):
    raise NotImplementedError


# The bank -------------------------------------------------------------------------------------------------------------

RIGHT = {
    "output_size": [size_of_torch, size_by_walking, size_by_range, size_by_ceil, size_as_documented],
    "conv2d": [conv_of_torch, conv_by_loops, conv_by_columns, conv_by_taps, conv_by_numpy_windows],
    "receptive_field": [field_backwards, field_by_product, field_by_pixels, field_by_tensors, field_recursive],
}

WRONG = {
    "output_size": [
        (size_steps_only, "plus-one-missing"),
        (size_long, "kernel-not-minus-one"),
        (size_one_inside, "plus-one-inside"),
        (size_without_stride, "stride-forgotten"),
        (size_same, "kernel-forgotten"),
        (size_transposed, "transposed-convolution"),
        (size_without_padding, "padding-forgotten"),
        (size_half_padding, "padding-once"),
        (size_minus_padding, "padding-subtracted"),
        (size_with_fraction, "not-floored"),
        (size_without_dilation_or_floor, "not-floored"),
        (size_up, "rounded-up"),
        (size_nearest, "rounded"),
        (size_without_dilation, "dilation-forgotten"),
        (size_dilated_kernel, "dilation-times-kernel"),
        (size_gaps, "dilation-as-gap"),
        (size_one_gap, "dilation-once"),
        (size_padding_as_given, "exception"),
        (size_without_return, "no-return"),
        (size_pair, "wrong-shape"),
        (size_text, "wrong-type"),
        (size_minus_kernel, "unknown"),
        (size_stub, "not-answered"),
    ],
    "conv2d": [
        (conv_of_square_maps, "square-output"),
        (conv_mathematical, "flipped-kernel"),
        (conv_mathematical_first_try, "flipped-kernel"),
        (conv_kernel_turned, "kernel-transposed"),
        (conv_width_first, "height-and-width-swapped"),
        (conv_folded_wrong, "height-and-width-swapped"),
        (conv_reshaped, "reshape-for-permute"),
        (conv_reshaped_to_rows, "reshape-for-permute"),
        (conv_columns_then_channels, "channel-order"),
        (conv_mean, "averages"),
        (conv_channels_apart, "channels-not-summed"),
        (conv_channel_mean, "channels-averaged"),
        (conv_first_channel, "one-channel-only"),
        (conv_depthwise, "channel-by-channel"),
        (conv_weight_transposed, "in-and-out-swapped"),
        (conv_out_first, "channels-before-batch"),
        (conv_out_last, "channels-last"),
        (conv_step_one, "stride-ignored"),
        (conv_stride_down, "stride-on-one-side"),
        (conv_stride_of_kernel, "stride-of-kernel"),
        (conv_unpadded, "padding-ignored"),
        (conv_padded_at_start, "padding-on-one-end"),
        (conv_padded_in_width, "padding-on-one-side"),
        (conv_padded_everywhere, "padding-of-channels"),
        (conv_padded_with_edge, "padding-not-zero"),
        (conv_in_place, "in-place"),
        (conv_without_return, "no-return"),
        (conv_flat, "wrong-shape"),
        (conv_as_list, "wrong-type"),
        (conv_matmul, "exception"),
        (conv_with_bias, "unknown"),
        (conv_stub, "not-answered"),
    ],
    "receptive_field": [
        (field_from_zero, "starts-at-zero"),
        (field_of_strides, "returns-jump"),
        (field_whole_kernels, "kernel-not-minus-one"),
        (field_early, "jump-too-early"),
        (field_early_undilated, "jump-too-early"),
        (field_sum, "kernels-summed"),
        (field_product, "kernels-multiplied"),
        (field_last, "one-layer-only"),
        (field_largest, "one-layer-only"),
        (field_unstrided, "strides-ignored"),
        (field_reversed, "wrong-end"),
        (field_last_stride, "jump-not-multiplied"),
        (field_added_strides, "jump-added"),
        (field_scaled, "stride-scales-field"),
        (field_undilated, "dilation-forgotten"),
        (field_dilated_kernels, "dilation-times-kernel"),
        (field_gaps, "dilation-as-gap"),
        (field_dilation_goes_on, "dilation-in-jump"),
        (field_in_place, "in-place"),
        (field_without_return, "no-return"),
        (field_each_layer, "wrong-shape"),
        (field_as_map, "wrong-shape"),
        (field_of_next_layer, "exception"),
        (field_squared, "unknown"),
        (field_stub, "not-answered"),
    ],
}
