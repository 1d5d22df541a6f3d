"""Answers that people give to `mlp_forward`. The name of each wrong answer starts with its mistake."""

import numpy as np
import torch
from torch import nn


class Right:
    def by_linear(x, weights, biases, activation):
        for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
            x = nn.functional.linear(x, w, b)
            if i < len(weights) - 1:
                x = activation(x)
        return x

    def by_einsum(x, weights, biases, activation):
        h, last = x.double(), len(weights) - 1
        for layer in range(len(weights)):
            h = torch.einsum("oi,bi->bo", weights[layer].double(), h) + biases[layer].double()
            h = h if layer == last else activation(h)
        return h

    def by_loops(x, weights, biases, activation):
        rows = []
        for sample in x:
            h = sample
            for depth, (w, b) in enumerate(zip(weights, biases, strict=True)):
                h = torch.stack([sum(w[o, i] * h[i] for i in range(len(h))) + b[o] for o in range(len(b))])
                if depth + 1 != len(weights):
                    h = activation(h)
            rows.append(h)
        return torch.stack(rows)

    def recursive(x, weights, biases, activation):
        y = torch.addmm(biases[0], x, weights[0].T)
        return y if len(weights) == 1 else Right.recursive(activation(y), weights[1:], biases[1:], activation)

    def in_columns(x, weights, biases, activation):
        h = x.T
        for i, w in enumerate(weights):
            h = w @ h + biases[i][:, None]
            h = activation(h) if i < len(weights) - 1 else h
        return h.T

    def of_modules(x, weights, biases, activation):
        layers = []
        for w, b in zip(weights, biases, strict=True):
            layer = nn.Linear(w.shape[1], w.shape[0])
            layer.weight.data, layer.bias.data = w, b
            layers.append(layer)
        for layer in layers[:-1]:
            x = activation(layer(x))
        return layers[-1](x)

    def without_gradients(x, weights, biases, activation):
        left = list(zip(weights, biases, strict=True))
        with torch.no_grad():
            while left:
                w, b = left.pop(0)
                x = x.clone() @ w.T
                x += b
                x = activation(x) if left else x
        return x

    def activation_before_all_but_first(x, weights, biases, activation):
        h = x @ weights[0].t() + biases[0]
        for w, b in zip(weights[1:], biases[1:], strict=True):
            h = (w @ activation(h).t()).t() + b
        return h


class Wrong:
    def activation_on_output(x, weights, biases, activation):
        for w, b in zip(weights, biases, strict=True):
            x = activation(nn.functional.linear(x, w, b))
        return x

    def no_activation(x, weights, biases, activation):
        for w, b in zip(weights, biases, strict=True):
            x = nn.functional.linear(x, w, b)
        return x

    def activation_first(x, weights, biases, activation):
        h = x
        for w, b in zip(weights, biases, strict=True):
            h = activation(h)
            h = h @ w.T + b
        return h

    def weight_not_transposed(x, weights, biases, activation):
        h = x
        for i in range(len(weights)):
            h = torch.matmul(h, weights[i]) + biases[i]
            if i != len(weights) - 1:
                h = activation(h)
        return h

    def bias_forgotten(x, weights, biases, activation):
        for w in weights[:-1]:
            x = activation(nn.functional.linear(x, w))
        return nn.functional.linear(x, weights[-1])

    def output_bias_forgotten(x, weights, biases, activation):
        *hidden, last = weights
        for w, b in zip(hidden, biases, strict=False):
            x = activation(x @ w.T + b)
        return x @ last.T

    def bias_after_activation(x, weights, biases, activation):
        for i in range(len(weights) - 1):
            x = activation(x @ weights[i].T)
            x = x + biases[i]
        return x @ weights[-1].T + biases[-1]

    def bias_before_weight(x, weights, biases, activation):
        for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
            x = torch.einsum("bi,oi->bo", x + b, w)
            x = activation(x) if i < len(weights) - 1 else x
        return x

    def bias_subtracted(x, weights, biases, activation):
        return Right.by_linear(x, weights, [-b for b in biases], activation)

    def bias_of_another_layer__first(x, weights, biases, activation):
        for w in weights[:-1]:
            x = activation(x @ w.T + biases[0])
        return x @ weights[-1].T + biases[0]

    def bias_of_another_layer__next(x, weights, biases, activation):
        for i in range(len(weights)):
            x = x @ weights[i].T + biases[i - 1]
            if i < len(weights) - 1:
                x = activation(x)
        return x

    def last_layer_missing(x, weights, biases, activation):
        for i in range(len(weights) - 1):
            x = activation(x @ weights[i].T + biases[i])
        return x

    def first_layer_only(x, weights, biases, activation):
        for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
            y = x @ w.T + b
            if i < len(weights) - 1:
                y = activation(y)
            return y

    def layers_not_chained(x, weights, biases, activation):
        for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
            y = nn.functional.linear(x, w, b) if w.shape[1] == x.shape[1] else None
            if i < len(weights) - 1 and y is not None:
                y = activation(y)
        return y

    def layers_reversed(x, weights, biases, activation):
        for i in reversed(range(len(weights))):
            x = x @ weights[i].T + biases[i]
            if i > 0:
                x = activation(x)
        return x

    def activation_shifted(x, weights, biases, activation):
        for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
            x = nn.functional.linear(x, w, b)
            if i > 0:
                x = activation(x)
        return x

    def activation_once(x, weights, biases, activation):
        h = x
        for i in range(len(weights)):
            h = h @ weights[i].T + biases[i]
            if i == 0 and len(weights) > 1:
                h = activation(h)
        return h

    def own_activation__elu(x, weights, biases, activation):
        elu = nn.ELU()
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            x = elu(x @ w.T + b)
        return x @ weights[-1].T + biases[-1]

    def own_activation__relu(x, weights, biases, activation):
        return Right.by_linear(x, weights, biases, lambda h: h.clamp(min=0))

    def squashed_output__softmax(x, weights, biases, activation):
        return torch.softmax(Right.by_linear(x, weights, biases, activation), dim=1)

    def squashed_output__tanh(x, weights, biases, activation):
        return np.tanh(Right.by_linear(x, weights, biases, activation))

    def squashed_output__relu(x, weights, biases, activation):
        return torch.relu(Right.by_linear(x, weights, biases, activation))

    def own_activation__leaky(x, weights, biases, activation):
        return Right.by_linear(x, weights, biases, nn.LeakyReLU())

    def elementwise_product(x, weights, biases, activation):
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            x = activation(x * w + b)
        return x * weights[-1] + biases[-1]

    def samples_in_columns(x, weights, biases, activation):
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            x = activation(torch.matmul(w, x.T) + b)
        return torch.matmul(weights[-1], x.T) + biases[-1]

    def bias_of_another_layer__left_from_the_loop(x, weights, biases, activation):
        b = biases[0]
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            x = activation(x @ w.T + b)
        return x @ weights[-1].T + b

    def first_layer_missing(x, weights, biases, activation):
        for i in range(1, len(weights)):
            x = x @ weights[i].T + biases[i]
            x = activation(x) if i < len(weights) - 1 else x
        return x

    def layers_not_chained__but_the_last(x, weights, biases, activation):
        h = x
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            h = activation(x @ w.T + b)
        return h @ weights[-1].T + biases[-1]

    def layers_skipped(x, weights, biases, activation):
        if len(weights) == 1:
            return x @ weights[0].T + biases[0]
        return activation(x @ weights[0].T + biases[0]) @ weights[1].T + biases[1]

    def last_hidden_without_activation(x, weights, biases, activation):
        for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
            x = x @ w.T + b
            if i < len(weights) - 2:
                x = activation(x)
        return x

    def activation_twice(x, weights, biases, activation):
        for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
            x = x @ w.T + b
            if i < len(weights) - 1:
                x = activation(x)
                x = activation(x)
        return x

    def activation_first__once(x, weights, biases, activation):
        return Right.by_linear(activation(x), weights, biases, activation)

    def input_added(x, weights, biases, activation):
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            h = activation(x @ w.T + b)
            x = x + h if x.shape == h.shape else h
        return x @ weights[-1].T + biases[-1]

    def activation_on_output__with__bias_forgotten(x, weights, biases, activation):
        for w in weights:
            x = activation(x @ w.T)
        return x

    def activation_on_output__with__bias_after_activation(x, weights, biases, activation):
        for w, b in zip(weights, biases, strict=True):
            x = activation(x @ w.T) + b
        return x

    def no_activation__with__output_bias_forgotten(x, weights, biases, activation):
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            x = x @ w.T + b
        return x @ weights[-1].T

    def own_activation__with__output_bias_forgotten(x, weights, biases, activation):
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            x = torch.relu(x @ w.T + b)
        return x @ weights[-1].T

    def activation_on_output__with__no_activation(x, weights, biases, activation):
        return activation(Wrong.no_activation(x, weights, biases, activation))

    def random__dropout(x, weights, biases, activation):
        return Right.by_linear(x, weights, biases, lambda h: nn.functional.dropout(activation(h)))

    def in_place__popped(x, weights, biases, activation):
        out = weights.pop()
        for w, b in zip(weights, biases[:-1], strict=True):
            x = activation(x @ w.T + b)
        return x @ out.T + biases[-1]

    def in_place__into_biases(x, weights, biases, activation):
        for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
            b += (x @ w.T)[0]
            x = b[None] if i == len(weights) - 1 else activation(b[None])
        return x

    def result_transposed(x, weights, biases, activation):
        return Right.by_linear(x, weights, biases, activation).T

    def wrong_type__list(x, weights, biases, activation):
        return Right.by_linear(x, weights, biases, activation).tolist()

    def exception__wrong_side(x, weights, biases, activation):
        for w, b in zip(weights, biases, strict=True):
            x = w @ x + b
        return x

    def result_doubled(x, weights, biases, activation):
        return 2 * Right.by_linear(x, weights, biases, activation)

    def unknown__scaled_and_shifted(x, weights, biases, activation):
        return 3 * Right.by_linear(x, weights, biases, activation) + 1

    def first_bias_only(x, weights, biases, activation):
        y = x @ weights[0].T + biases[0]
        for w in weights[1:]:
            y = activation(y) @ w.T
        return y

    def inner_bias_forgotten(x, weights, biases, activation):
        y = x @ weights[0].T + biases[0]
        if len(weights) == 1:
            return y
        for w in weights[1:-1]:
            y = activation(y) @ w.T
        return activation(y) @ weights[-1].T + biases[-1]

    def last_hidden_without_activation__with__inner_bias_forgotten(x, weights, biases, activation):
        y = x @ weights[0].T + biases[0]
        if len(weights) == 1:
            return y
        for w in weights[1:-1]:
            y = activation(y) @ w.T
        return y @ weights[-1].T + biases[-1]

    def hidden_biases_forgotten(x, weights, biases, activation):
        for w in weights[:-1]:
            x = activation(torch.einsum("bi,oi->bo", x, w))
        return torch.addmm(biases[-1], x, weights[-1].T)
