"""Answers that people give to `count_parameters`. The name of each wrong answer starts with its mistake."""

import math
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from rsl_edu.modules import MLP


def sizes_of(input_dim, output_dim, hidden_dims):
    hidden = [input_dim if h == -1 else h for h in hidden_dims]
    return [input_dim, *hidden, int(np.prod(output_dim))]


class Right:
    def of_library(input_dim, output_dim, hidden_dims):
        return sum(p.numel() for p in MLP(input_dim, output_dim, hidden_dims).parameters())

    def by_index(input_dim, output_dim, hidden_dims):
        dims = [input_dim]
        for h in hidden_dims:
            dims.append(input_dim if h == -1 else h)
        dims.append(math.prod(output_dim) if isinstance(output_dim, (tuple, list)) else output_dim)
        total = 0
        for i in range(len(dims) - 1):
            total += dims[i] * dims[i + 1] + dims[i + 1]
        return total

    def by_tensors(input_dim, output_dim, hidden_dims):
        sizes = torch.tensor([input_dim, *hidden_dims, int(np.prod(output_dim))])
        sizes = torch.where(sizes == -1, input_dim, sizes)
        return ((sizes[:-1] + 1) * sizes[1:]).sum()

    def by_recursion(input_dim, output_dim, hidden_dims):
        def count(fan_in, *rest):
            return (fan_in + 1) * rest[0] + count(*rest) if rest else 0

        return count(*sizes_of(input_dim, output_dim, hidden_dims))

    def by_numpy(input_dim, output_dim, hidden_dims):
        sizes = np.array([input_dim, *hidden_dims, np.prod(output_dim)])
        sizes[sizes == -1] = input_dim
        return sizes[:-1] @ sizes[1:] + sizes[1:].sum()

    def on_a_copy(input_dim, output_dim, hidden_dims):
        left, total, fan_in = [*hidden_dims, int(np.prod(output_dim))], 0, input_dim
        while left:
            fan_out = left.pop(0)
            fan_out = input_dim if fan_out == -1 else fan_out
            total, fan_in = total + fan_in * fan_out + fan_out, fan_out
        return total

    def by_meta_layers(input_dim, output_dim, hidden_dims):
        total, width = 0, input_dim
        outputs = 1
        for size in output_dim if type(output_dim) is tuple else (output_dim,):
            outputs *= size
        for size in (*hidden_dims, outputs):
            layer = nn.Linear(width, size if size != -1 else input_dim, device="meta")
            width = layer.out_features
            total += layer.weight.numel() + layer.bias.numel()
        return float(total)


class Wrong:
    def biases_forgotten__with_layers(input_dim, output_dim, hidden_dims):
        dims = sizes_of(input_dim, output_dim, hidden_dims)
        return sum(nn.Linear(a, b, bias=False, device="meta").weight.numel() for a, b in pairwise(dims))

    def biases_forgotten__by_hand(input_dim, output_dim, hidden_dims):
        total, last = 0, input_dim
        for h in hidden_dims:
            h = input_dim if h == -1 else h
            total, last = total + last * h, h
        return total + last * (output_dim + 0)

    def bias_for_each_input(input_dim, output_dim, hidden_dims):
        dims = sizes_of(input_dim, output_dim, hidden_dims)
        return sum(a * (b + 1) for a, b in pairwise(dims))

    def bias_for_each_layer(input_dim, output_dim, hidden_dims):
        return Wrong.biases_forgotten__with_layers(input_dim, output_dim, hidden_dims) + len(hidden_dims) + 1

    def bias_for_both_sides(input_dim, output_dim, hidden_dims):
        total, dims = 0, sizes_of(input_dim, output_dim, hidden_dims)
        for i in range(1, len(dims)):
            total += dims[i - 1] * dims[i] + dims[i - 1] + dims[i]
        return total

    def output_bias_forgotten(input_dim, output_dim, hidden_dims):
        dims = sizes_of(input_dim, output_dim, hidden_dims)
        return Wrong.biases_forgotten__with_layers(input_dim, output_dim, hidden_dims) + sum(dims[1:-1])

    def output_layer_forgotten(input_dim, output_dim, hidden_dims):
        total, width = 0, input_dim
        for h in hidden_dims:
            out = input_dim if h == -1 else h
            total += width * out + out
            width = out
        return total

    def first_layer_forgotten(input_dim, output_dim, hidden_dims):
        first, *rest = sizes_of(input_dim, output_dim, hidden_dims)[1:]
        return Right.by_index(first, rest.pop(), rest) if rest else 0

    def input_counted(input_dim, output_dim, hidden_dims):
        dims = sizes_of(input_dim, output_dim, hidden_dims)
        return Wrong.biases_forgotten__with_layers(input_dim, output_dim, hidden_dims) + sum(dims)

    def units_counted(input_dim, output_dim, hidden_dims):
        return np.sum(sizes_of(input_dim, output_dim, hidden_dims)).item()

    def sizes_multiplied(input_dim, output_dim, hidden_dims):
        return math.prod(sizes_of(input_dim, output_dim, hidden_dims))

    def all_from_input(input_dim, output_dim, hidden_dims):
        total = 0
        for size in sizes_of(input_dim, output_dim, hidden_dims)[1:]:
            total += input_dim * size + size
        return total

    def hidden_layers_skipped(input_dim, output_dim, hidden_dims):
        dims = sizes_of(input_dim, output_dim, hidden_dims)
        if not hidden_dims:
            return dims[0] * dims[1] + dims[1]
        return dims[0] * dims[1] + dims[1] + dims[-2] * dims[-1] + dims[-1]

    def minus_one_kept__with_tuple(input_dim, output_dim, hidden_dims):
        total, fan_in = 0, input_dim
        for fan_out in [*hidden_dims, int(np.prod(output_dim))]:
            total += fan_in * fan_out + fan_out
            fan_in = fan_out
        return total

    def minus_one_kept__without_tuple(input_dim, output_dim, hidden_dims):
        dims = [input_dim, *hidden_dims, output_dim]
        return sum(dims[i] * dims[i + 1] + dims[i + 1] for i in range(len(dims) - 1))

    def minus_one_dropped(input_dim, output_dim, hidden_dims):
        return Right.by_index(input_dim, output_dim, list(filter(lambda h: h > 0, hidden_dims)))

    def minus_one_as_before(input_dim, output_dim, hidden_dims):
        total, fan_in = 0, input_dim
        for h in [*hidden_dims, int(np.prod(output_dim))]:
            fan_out = fan_in if h == -1 else h
            total += (fan_in + 1) * fan_out
            fan_in = fan_out
        return total

    def minus_one_as_output(input_dim, output_dim, hidden_dims):
        out = int(np.prod(output_dim))
        return Right.by_index(input_dim, out, [out if h < 0 else h for h in hidden_dims])

    def tuple_summed(input_dim, output_dim, hidden_dims):
        return Right.by_index(input_dim, int(np.sum(output_dim)), hidden_dims)

    def tuple_cut(input_dim, output_dim, hidden_dims):
        out = output_dim if isinstance(output_dim, int) else output_dim[-1]
        return Right.by_index(input_dim, out, hidden_dims)

    def bias_for_all(input_dim, output_dim, hidden_dims):
        return Wrong.biases_forgotten__with_layers(input_dim, output_dim, hidden_dims) + 1

    def bias_twice(input_dim, output_dim, hidden_dims):
        dims = sizes_of(input_dim, output_dim, hidden_dims)
        return sum(a * b + 2 * b for a, b in pairwise(dims))

    def sizes_added(input_dim, output_dim, hidden_dims):
        return sum(a + 1 * b for a, b in pairwise(sizes_of(input_dim, output_dim, hidden_dims)))

    def outer_layers_forgotten(input_dim, output_dim, hidden_dims):
        hidden = [input_dim if h == -1 else h for h in hidden_dims]
        return sum((hidden[i] + 1) * hidden[i + 1] for i in range(len(hidden) - 1))

    def first_layer_only(input_dim, output_dim, hidden_dims):
        total = 0
        for a, b in pairwise(sizes_of(input_dim, output_dim, hidden_dims)):
            total += (a + 1) * b
            return total

    def last_layer_only(input_dim, output_dim, hidden_dims):
        for a, b in pairwise(sizes_of(input_dim, output_dim, hidden_dims)):
            total = (a + 1) * b
        return total

    def std_counted(input_dim, output_dim, hidden_dims):
        return Right.by_index(input_dim, output_dim, hidden_dims) + int(np.prod(output_dim))

    def norm_counted(input_dim, output_dim, hidden_dims):
        dims = sizes_of(input_dim, output_dim, hidden_dims)
        return Right.by_index(input_dim, output_dim, hidden_dims) + sum(2 * size for size in dims[1:-1])

    def layers_multiplied(input_dim, output_dim, hidden_dims):
        total = 1
        for a, b in pairwise(sizes_of(input_dim, output_dim, hidden_dims)):
            total *= (a + 1) * b
        return total

    def empty_list_filled(input_dim, output_dim, hidden_dims):
        return Right.by_index(input_dim, output_dim, hidden_dims or [input_dim])

    def minus_one_replaced_once(input_dim, output_dim, hidden_dims):
        hidden = list(hidden_dims)
        if -1 in hidden:
            hidden[hidden.index(-1)] = input_dim
        return Wrong.minus_one_kept__with_tuple(input_dim, output_dim, hidden)

    def minus_one_as_last(input_dim, output_dim, hidden_dims):
        return Right.by_index(input_dim, output_dim, [hidden_dims[h] if h == -1 else h for h in hidden_dims])

    def tuple_as_layers(input_dim, output_dim, hidden_dims):
        outputs = [output_dim] if isinstance(output_dim, int) else list(output_dim)
        return Right.by_index(input_dim, outputs[-1], [*hidden_dims, *outputs[:-1]])

    def biases_forgotten__with__minus_one_kept(input_dim, output_dim, hidden_dims):
        dims = [input_dim, *hidden_dims, int(np.prod(output_dim))]
        return sum(a * b for a, b in pairwise(dims))

    def biases_forgotten__with__minus_one_kept__without_tuple(input_dim, output_dim, hidden_dims):
        dims = [input_dim, *hidden_dims, output_dim]
        return sum(dims[i] * dims[i + 1] for i in range(len(dims) - 1)) + 0

    def all_from_input__with__tuple_summed(input_dim, output_dim, hidden_dims):
        dims = sizes_of(input_dim, int(np.sum(output_dim)), hidden_dims)
        return sum((input_dim + 1) * size for size in dims[1:])

    def output_layer_forgotten__with__minus_one_dropped(input_dim, output_dim, hidden_dims):
        dims = [input_dim, *(h for h in hidden_dims if h > 0)]
        return sum((a + 1) * b for a, b in pairwise(dims))

    def in_place__replaced(input_dim, output_dim, hidden_dims):
        sizes = hidden_dims
        for i, size in enumerate(sizes):
            if size == -1:
                sizes[i] = input_dim
        return Right.by_index(input_dim, output_dim, sizes)

    def in_place__append(input_dim, output_dim, hidden_dims):
        hidden_dims.append(int(np.prod(output_dim)))
        return Right.by_index(input_dim, hidden_dims[-1], hidden_dims[:-1])

    def exception__tuple(input_dim, output_dim, hidden_dims):
        dims = [input_dim, *(input_dim if h == -1 else h for h in hidden_dims), output_dim]
        return sum(dims[i] * dims[i + 1] + dims[i + 1] for i in range(len(dims) - 1))

    def wrong_shape__each_layer(input_dim, output_dim, hidden_dims):
        return torch.tensor([p.numel() for p in MLP(input_dim, output_dim, hidden_dims).parameters()])

    def unknown__one_more(input_dim, output_dim, hidden_dims):
        return Right.of_library(input_dim, output_dim, hidden_dims) + 1000

    def equal_layers_once(input_dim, output_dim, hidden_dims):
        hidden = [input_dim if h == -1 else h for h in hidden_dims]
        sizes = [input_dim, *hidden, int(np.prod(output_dim))]
        layers = {pair: (pair[0] + 1) * pair[1] for pair in pairwise(sizes)}
        return sum(layers.values())

    def output_layer_twice(input_dim, output_dim, hidden_dims):
        out = int(np.prod(output_dim))
        total, before = 0, input_dim
        for size in [*(input_dim if h == -1 else h for h in hidden_dims), out]:
            total += (before + 1) * size
            before = size
        return total + (before + 1) * out
