"""Answers that people give to `conv2d`. The name of each wrong answer starts with its mistake."""

import itertools
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional


def padded(x, padding):
    return nn.ZeroPad2d(padding)(x)


def patches_of(x, weight, stride, padding):
    k = weight.shape[-1]
    return padded(x, padding).unfold(2, k, stride).unfold(3, k, stride)


class Right:
    def of_torch(x, weight, stride=1, padding=0):
        return functional.conv2d(x, weight, stride=stride, padding=padding)

    def by_loops(x, weight, stride=1, padding=0):
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

    def by_columns(x, weight, stride=1, padding=0):
        k = weight.shape[-1]
        columns = functional.unfold(x, k, padding=padding, stride=stride)  # [batch, in * k * k, places]
        h = (x.shape[2] + 2 * padding - k) // stride + 1
        return (weight.flatten(1) @ columns).unflatten(-1, (h, -1))

    def by_taps(x, weight, stride=1, padding=0):
        """Shift the entire map for each tap of the filter, in float64."""
        x = nn.ZeroPad2d(padding)(x).double()
        k = weight.shape[-1]
        h, w = x.shape[2] - k + 1, x.shape[3] - k + 1
        y = 0
        for dy in range(k):
            for dx in range(k):
                y = y + torch.einsum("bihw,oi->bohw", x[:, :, dy : dy + h, dx : dx + w], weight[:, :, dy, dx].double())
        return y[:, :, ::stride, ::stride]

    def by_numpy_windows(x, weight, stride=1, padding=0):
        side = (padding, padding)
        x = np.pad(x.numpy(), ((0, 0), (0, 0), side, side))
        windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
        return torch.from_numpy(np.tensordot(windows, weight.numpy(), axes=((1, 4, 5), (1, 2, 3)))).permute(0, 3, 1, 2)

    def by_seven_loops(x, weight, stride=1, padding=0):
        (batch, inputs, height, width), (out, _, k, _) = x.shape, weight.shape
        y = torch.zeros(batch, out, (height + 2 * padding - k) // stride + 1, (width + 2 * padding - k) // stride + 1)
        for b, o, i, j in itertools.product(*map(range, y.shape)):
            total = 0.0
            for c, u, v in itertools.product(range(inputs), range(k), range(k)):
                row, column = i * stride + u - padding, j * stride + v - padding
                if 0 <= row < height and 0 <= column < width:
                    total += float(x[b, c, row, column] * weight[o, c, u, v])
            y[b, o, i, j] = total
        return y

    def by_lists(x, weight, stride=1, padding=0):
        x, k = padded(x, padding), weight.shape[-1]
        rows, columns = (range(0, side - k + 1, stride) for side in x.shape[2:])
        return torch.tensor(
            [
                [[[(a[:, r : r + k, c : c + k] * f).sum() for c in columns] for r in rows] for f in weight.data]
                for a in x.data
            ]
        )

    def by_rows(x, weight, stride=1, padding=0):
        k = weight.shape[-1]
        patches = padded(x.clone(), padding).unfold(2, k, stride).unfold(3, k, stride)
        h, w = patches.shape[2:4]
        rows = patches.permute(0, 2, 3, 1, 4, 5).contiguous().view(len(x) * h * w, -1)
        return (rows @ weight.reshape(len(weight), -1).t()).view(len(x), h, w, -1).permute(0, 3, 1, 2)

    def by_three_dimensions(x, weight, stride=1, padding=0):
        layers, filters = x.unsqueeze(2), weight.unsqueeze(2)
        return functional.conv3d(layers, filters, None, (1, stride, stride), (0, padding, padding)).squeeze(2)


class Wrong:
    def square_output(x, weight, stride=1, padding=0):
        x = functional.pad(x, (padding,) * 4)
        columns = weight.flatten(1) @ functional.unfold(x, weight.shape[-1], stride=stride)
        side = int(math.sqrt(columns.shape[-1]))
        return columns.view(x.shape[0], -1, side, side)

    def flipped_kernel__mathematical(x, weight, stride=1, padding=0):
        return functional.conv2d(x, torch.flip(weight, dims=[-1, -2]), stride=stride, padding=padding)

    def flipped_kernel__with__stride_and_padding_ignored(x, weight, stride=1, padding=0):
        return functional.conv2d(x, weight.flip(-1).flip(-2))

    def kernel_transposed(x, weight, stride=1, padding=0):
        x, k = padded(x, padding), weight.shape[2]
        patches = x.unfold(2, k, stride).unfold(3, k, stride)
        return torch.einsum("bihwxy,oiyx->bohw", patches, weight)

    def height_and_width_swapped__width_first(x, weight, stride=1, padding=0):
        x, k = padded(x, padding), weight.shape[2]
        patches = x.unfold(3, k, stride).unfold(2, k, stride)  # [batch, in, h, w, k of width, k of height]
        return torch.einsum("bihwxy,oiyx->bowh", patches, weight)

    def height_and_width_swapped__folded(x, weight, stride=1, padding=0):
        k = weight.shape[-1]
        columns = functional.unfold(x, k, padding=padding, stride=stride)
        h, w = ((side + 2 * padding - k) // stride + 1 for side in x.shape[2:])
        return (weight.flatten(1) @ columns).view(len(x), len(weight), w, h)

    def reshape_for_permute__to_columns(x, weight, stride=1, padding=0):
        out, inputs, k, _ = weight.shape
        patches = padded(x, padding).unfold(2, k, stride).unfold(3, k, stride)
        h, w = patches.shape[2:4]
        columns = patches.reshape(len(x), inputs * k * k, h * w)
        return (weight.view(out, -1) @ columns).view(len(x), out, h, w)

    def reshape_for_permute__to_rows(x, weight, stride=1, padding=0):
        out, inputs, k, _ = weight.shape
        patches = padded(x, padding).unfold(2, k, stride).unfold(3, k, stride)
        h, w = patches.shape[2:4]
        rows = patches.reshape(len(x), h * w, inputs * k * k)
        return (rows @ weight.view(out, -1).T).transpose(1, 2).reshape(len(x), out, h, w)

    def channel_order(x, weight, stride=1, padding=0):
        patches = patches_of(x, weight, stride, padding).permute(0, 2, 3, 4, 5, 1)
        y = patches.flatten(3) @ weight.flatten(1).T  # the channel is last in the patches, but not in the weight
        return y.permute(0, 3, 1, 2)

    def averages(x, weight, stride=1, padding=0):
        patches = patches_of(x, weight, stride, padding)
        return (patches[:, None] * weight[None, :, :, None, None]).mean(dim=(-1, -2)).sum(2)

    def channels_not_summed(x, weight, stride=1, padding=0):
        per_channel = [
            functional.conv2d(x[:, i : i + 1], weight[:, i : i + 1], stride=stride, padding=padding)
            for i in range(x.shape[1])
        ]
        return torch.stack(per_channel, dim=2).flatten(1, 2)

    def channels_averaged(x, weight, stride=1, padding=0):
        patches = patches_of(x, weight, stride, padding)
        return (patches[:, None] * weight[None, :, :, None, None]).sum(dim=(-1, -2)).mean(2)

    def one_channel_only(x, weight, stride=1, padding=0):
        return functional.conv2d(x[:, 0:1], weight[:, 0:1], None, stride, padding)

    def channel_by_channel(x, weight, stride=1, padding=0):
        channels = x.shape[1]
        own = torch.stack([weight[c, c] for c in range(channels)])[:, None]
        return functional.conv2d(x, own, stride=stride, padding=padding, groups=channels)

    def in_and_out_swapped(x, weight, stride=1, padding=0):
        patches = patches_of(x, weight, stride, padding)
        return torch.einsum("bihwyx,ioyx->bohw", patches, weight)

    def channels_before_batch(x, weight, stride=1, padding=0):
        maps = [functional.conv2d(x, kernel[None], None, stride, padding)[:, 0] for kernel in weight]
        return torch.stack(maps)

    def channels_last(x, weight, stride=1, padding=0):
        patches = patches_of(x, weight, stride, padding).permute(0, 2, 3, 1, 4, 5)
        return torch.tensordot(patches, weight, dims=([3, 4, 5], [1, 2, 3]))

    def stride_ignored(x, weight, stride=1, padding=0):
        k = weight.shape[-1]
        patches = padded(x, padding).unfold(2, k, 1).unfold(3, k, 1)
        return torch.einsum("bihwyx,oiyx->bohw", patches, weight)

    def stride_on_one_side(x, weight, stride=1, padding=0):
        return functional.conv2d(x, weight, None, (stride, 1), padding)

    def stride_of_kernel(x, weight, stride=1, padding=0):
        return functional.conv2d(x, weight, None, weight.shape[-1], padding)

    def padding_ignored(x, weight, stride=1, padding=0):
        return functional.conv2d(x, weight, stride=stride)

    def padding_on_one_end(x, weight, stride=1, padding=0):
        batch, channels, height, width = x.shape
        larger = torch.zeros(batch, channels, height + padding, width + padding)
        larger[:, :, padding:, padding:] = x
        return functional.conv2d(larger, weight, stride=stride)

    def padding_on_one_side(x, weight, stride=1, padding=0):
        return functional.conv2d(functional.pad(x, (padding, padding)), weight, stride=stride)

    def padding_of_channels(x, weight, stride=1, padding=0):
        x = functional.pad(x, (padding,) * 6)
        total = 0
        for i in range(weight.shape[1]):
            total = total + functional.conv2d(x[:, i : i + 1], weight[:, i : i + 1], stride=stride)
        return total

    def padding_not_zero(x, weight, stride=1, padding=0):
        return functional.conv2d(nn.ReplicationPad2d(padding)(x), weight, stride=stride)

    def integer_result(x, weight, stride=1, padding=0):
        patches = patches_of(x, weight, stride, padding)
        y = torch.zeros(len(x), len(weight), *patches.shape[2:4], dtype=torch.int64)
        for i in range(y.shape[2]):
            for j in range(y.shape[3]):
                y[:, :, i, j] = patches[:, :, i, j].flatten(1) @ weight.flatten(1).T
        return y

    def result_cut(x, weight, stride=1, padding=0):
        y = functional.conv2d(x, weight, None, stride, padding)
        for place in itertools.product(*map(range, y.shape)):
            y[place] = int(y[place])
        return y

    def result_clamped__relu(x, weight, stride=1, padding=0):
        return functional.conv2d(x, weight, None, stride, padding).relu()

    def square_output__of_the_height(x, weight, stride=1, padding=0):
        x, k = padded(x, padding), weight.shape[-1]
        side = (x.shape[2] - k) // stride + 1
        y = torch.zeros(len(x), len(weight), side, side)
        for i in range(side):
            for j in range(side):
                patch = x[:, :, i * stride : i * stride + k, j * stride : j * stride + k]
                y[:, :, i, j] = torch.einsum("bcuv,ocuv->bo", patch, weight)
        return y

    def reshape_for_permute__of_the_output(x, weight, stride=1, padding=0):
        patches = patches_of(x, weight, stride, padding)
        h, w = patches.shape[2:4]
        rows = patches.permute(0, 2, 3, 1, 4, 5).reshape(len(x), h * w, -1)
        return (rows @ weight.flatten(1).T).reshape(len(x), len(weight), h, w)

    def reshape_for_permute__of_the_batch(x, weight, stride=1, padding=0):
        patches = patches_of(x, weight, stride, padding)
        h, w = patches.shape[2:4]
        columns = patches.permute(1, 4, 5, 0, 2, 3).reshape(weight[0].numel(), -1)
        return (weight.flatten(1) @ columns).view(len(x), len(weight), h, w)

    def matrix_product(x, weight, stride=1, padding=0):
        patches = patches_of(x, weight, stride, padding)
        products = patches.unsqueeze(1) @ weight[None, :, :, None, None]
        return products.sum(dim=(2, 5, 6))

    def last_tap_only(x, weight, stride=1, padding=0):
        x, k = padded(x, padding), weight.shape[-1]
        h, w = (x.shape[2] - k) // stride + 1, (x.shape[3] - k) // stride + 1
        for u in range(k):
            for v in range(k):
                seen = x[:, :, u : u + h * stride : stride, v : v + w * stride : stride]
                y = torch.einsum("bihw,oi->bohw", seen, weight[:, :, u, v])
        return y

    def total_not_reset(x, weight, stride=1, padding=0):
        x, k = padded(x, padding), weight.shape[-1]
        y = torch.zeros(len(x), len(weight), (x.shape[2] - k) // stride + 1, (x.shape[3] - k) // stride + 1)
        total = 0
        for b, o, i, j in itertools.product(*map(range, y.shape)):
            for u, v in itertools.product(range(k), range(k)):
                total += x[b, :, i * stride + u, j * stride + v] @ weight[o, :, u, v]
            y[b, o, i, j] = total
        return y

    def channels_summed_first(x, weight, stride=1, padding=0):
        return functional.conv2d(x.sum(1, keepdim=True), weight.sum(1, keepdim=True), None, stride, padding)

    def one_slice_for_all(x, weight, stride=1, padding=0):
        return functional.conv2d(x.sum(1, keepdim=True), weight[:, 0:1], None, stride, padding)

    def one_channel_only__overwritten(x, weight, stride=1, padding=0):
        for c in range(x.shape[1]):
            y = functional.conv2d(x[:, c : c + 1], weight[:, c : c + 1], None, stride, padding)
        return y

    def one_filter_only(x, weight, stride=1, padding=0):
        patches = patches_of(x, weight, stride, padding)
        return (patches * weight[0][:, None, None]).sum(dim=(1, 4, 5)).unsqueeze(1)

    def one_sample_only(x, weight, stride=1, padding=0):
        return functional.conv2d(x[0].unsqueeze(0), weight, None, stride, padding)

    def result_summed__over_the_batch(x, weight, stride=1, padding=0):
        patches = patches_of(x, weight, stride, padding)
        return torch.einsum("bcijuv,ocuv->oij", patches, weight)

    def last_place_lost(x, weight, stride=1, padding=0):
        x, k = padded(x, padding), weight.shape[-1]
        y = torch.zeros(len(x), len(weight), (x.shape[2] - k) // stride, (x.shape[3] - k) // stride)
        for i in range(y.shape[2]):
            for j in range(y.shape[3]):
                patch = x[:, :, i * stride : i * stride + k, j * stride : j * stride + k]
                y[:, :, i, j] = torch.einsum("bcuv,ocuv->bo", patch, weight)
        return y

    def even_kernel(x, weight, stride=1, padding=0):
        x, k = padded(x, padding), weight.shape[-1]
        half = k // 2
        rows, columns = (range(half, side - half, stride) for side in x.shape[2:])
        y = torch.zeros(len(x), len(weight), len(rows), len(columns))
        for i, row in enumerate(rows):
            for j, column in enumerate(columns):
                patch = x[:, :, row - half : row - half + k, column - half : column - half + k]
                y[:, :, i, j] = torch.einsum("bcuv,ocuv->bo", patch, weight)
        return y

    def place_too_many(x, weight, stride=1, padding=0):
        return functional.pad(functional.conv2d(x, weight, None, stride, padding), (0, 1, 0, 1))

    def rounded_up(x, weight, stride=1, padding=0):
        x, k = padded(x, padding), weight.shape[-1]
        h, w = (math.ceil((side - k) / stride) + 1 for side in x.shape[2:])
        y = torch.zeros(len(x), len(weight), h, w)
        for i in range(h):
            for j in range(w):
                patch = x[:, :, i * stride : i * stride + k, j * stride : j * stride + k]
                y[:, :, i, j] = torch.einsum("bcuv,ocuv->bo", patch, weight[:, :, : patch.shape[2], : patch.shape[3]])
        return y

    def size_and_step_exchanged(x, weight, stride=1, padding=0):
        k = weight.shape[-1]
        patches = padded(x, padding).unfold(2, stride, k).unfold(3, stride, k)
        return torch.einsum("bihwyx,oiyx->bohw", patches, weight)

    def stride_in_size_only(x, weight, stride=1, padding=0):
        x, k = padded(x, padding), weight.shape[-1]
        y = torch.zeros(len(x), len(weight), (x.shape[2] - k) // stride + 1, (x.shape[3] - k) // stride + 1)
        for i in range(y.shape[2]):
            for j in range(y.shape[3]):
                y[:, :, i, j] = torch.einsum("bcuv,ocuv->bo", x[:, :, i : i + k, j : j + k], weight)
        return y

    def stride_spreads_taps(x, weight, stride=1, padding=0):
        return functional.conv2d(x, weight, None, 1, padding, dilation=stride)

    def output_padded(x, weight, stride=1, padding=0):
        return padded(functional.conv2d(x, weight, None, stride), padding)

    def padding_chosen(x, weight, stride=1, padding=0):
        return functional.conv2d(x, weight, None, stride, weight.shape[-1] // 2)

    def padding_of_channels__numpy(x, weight, stride=1, padding=0):
        x = torch.from_numpy(np.pad(x.numpy(), padding))
        return functional.conv2d(x[:, : weight.shape[1]], weight, None, stride)

    def padding_not_zero__circular(x, weight, stride=1, padding=0):
        return functional.conv2d(nn.CircularPad2d(padding)(x), weight, None, stride)

    def stride_and_padding_ignored(x, weight, stride=1, padding=0):
        return functional.conv2d(x, weight)

    def flipped_kernel__with__stride_ignored(x, weight, stride=1, padding=0):
        return functional.conv2d(x, weight.flip(-1, -2), None, 1, padding)

    def kernel_transposed__with__padding_on_one_side(x, weight, stride=1, padding=0):
        return functional.conv2d(functional.pad(x, (padding, padding)), weight.mT, None, stride)

    def averages__with__stride_on_one_side(x, weight, stride=1, padding=0):
        return functional.conv2d(x, weight, None, (stride, 1), padding) / weight.shape[-1] ** 2

    def channels_last__with__flipped_kernel(x, weight, stride=1, padding=0):
        return functional.conv2d(x, weight.flip(2).flip(3), None, stride, padding).permute(0, 2, 3, 1)

    def last_place_lost__with__flipped_kernel(x, weight, stride=1, padding=0):
        return functional.conv2d(x, weight.flip(2, 3), None, stride, padding)[:, :, :-1, :-1]

    def in_place__negative(x, weight, stride=1, padding=0):
        x[x < 0] = 0
        return functional.conv2d(x, weight, None, stride, padding)

    def in_place__zeroed(x, weight, stride=1, padding=0):
        y = functional.conv2d(x, weight, None, stride, padding)
        x.zero_()
        return y

    def wrong_shape__flat(x, weight, stride=1, padding=0):
        return functional.conv2d(x, weight, None, stride, padding).flatten(1)

    def wrong_type__list(x, weight, stride=1, padding=0):
        return list(functional.conv2d(x, weight, None, stride, padding))

    def exception__matmul(x, weight, stride=1, padding=0):
        return x @ weight

    def result_plus_one__bias(x, weight, stride=1, padding=0):
        return functional.conv2d(x, weight, torch.ones(len(weight)), stride, padding)

    def unknown__with_bias(x, weight, stride=1, padding=0):
        return functional.conv2d(x, weight, weight.sum((1, 2, 3)), stride, padding)

    def stride_bounded(x, weight, stride=1, padding=0):
        return Right.by_loops(x, weight, min(stride, weight.shape[-1]), padding)

    def padding_on_one_end__twice_as_much(x, weight, stride=1, padding=0):
        return Right.by_loops(functional.pad(x, (0, 2 * padding, 0, 2 * padding)), weight, stride, 0)
