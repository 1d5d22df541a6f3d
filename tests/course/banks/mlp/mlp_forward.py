"""What people answer to `mlp_forward`; the name of a wrong answer begins with the name of its mistake."""

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

    def wrong_shape__transposed(x, weights, biases, activation):
        return Right.by_linear(x, weights, biases, activation).T

    def wrong_type__list(x, weights, biases, activation):
        return Right.by_linear(x, weights, biases, activation).tolist()

    def exception__wrong_side(x, weights, biases, activation):
        for w, b in zip(weights, biases, strict=True):
            x = w @ x + b
        return x

    def unknown__scaled(x, weights, biases, activation):
        return 2 * Right.by_linear(x, weights, biases, activation)
