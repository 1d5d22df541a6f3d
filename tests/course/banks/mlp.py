"""Answers to lesson 1's exercises as people write them: right ones, and wrong ones with the mistake they make."""

import math
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from rsl_edu.modules import MLP

# orthogonal_: right ---------------------------------------------------------------------------------------------------


def orthogonal_of_torch(weight, gain=1.0):
    return nn.init.orthogonal_(weight, gain)


def orthogonal_by_gram_schmidt(weight, gain=1.0):
    wide = weight.shape[0] <= weight.shape[1]
    vectors = torch.randn(min(weight.shape), max(weight.shape), dtype=torch.float64)
    for i in range(len(vectors)):
        for j in range(i):
            vectors[i] -= (vectors[i] @ vectors[j]) * vectors[j]
        vectors[i] /= vectors[i].norm()
    weight.data[:] = gain * (vectors if wide else vectors.T)
    return weight


def orthogonal_by_polar(weight, gain=1.0):
    """The nearest orthogonal matrix to a Gaussian one is uniform too."""
    u, _, vh = torch.linalg.svd(torch.randn(weight.shape), full_matrices=False)
    weight.copy_(torch.einsum("ik,kj->ij", u, vh)).mul_(gain)
    return weight


def orthogonal_from_a_square(weight, gain=1.0):
    n = max(weight.shape)
    q, r = torch.linalg.qr(torch.normal(0.0, 1.0, (n, n)), mode="complete")
    q *= torch.where(torch.diag(r) < 0, -1.0, 1.0)
    weight[...] = q[: weight.size(0), : weight.size(1)] * gain
    return weight


def orthogonal_by_coin_flips(weight, gain=1.0):
    rows, cols = weight.shape
    q = torch.linalg.qr(torch.randn(cols, rows) if rows < cols else torch.randn(rows, cols))[0]
    q = q * (2 * torch.randint(2, (q.shape[1],)) - 1)
    with torch.no_grad():
        weight.set_(gain * (q.T if rows < cols else q))
    return weight


def orthogonal_in_float64(weight, gain=1.0):
    flat = weight.new_empty(weight.shape, dtype=torch.float64).normal_()
    tall = flat if len(flat) >= flat.shape[1] else flat.t()
    q, r = torch.linalg.qr(tall)
    q = q @ torch.diag(torch.sign(torch.diag(r)))
    weight.copy_(q if tall is flat else q.t())
    weight *= gain
    return weight


# orthogonal_: wrong ---------------------------------------------------------------------------------------------------


def orthogonal_matrix(rows, cols):
    return nn.init.orthogonal_(torch.empty(rows, cols))


def orthogonal_with_gain_too_late(weight, gain=1.0):
    nn.init.orthogonal_(weight)
    return weight * gain


def orthogonal_rebound(weight, gain=1.0):
    weight = orthogonal_matrix(*weight.shape) * gain
    return weight


def orthogonal_returns_q(weight, gain=1.0):
    q = orthogonal_matrix(*weight.shape)
    weight.copy_(gain * q)
    return q


def orthogonal_of_given(weight, gain=1.0):
    wide = weight.shape[0] < weight.shape[1]
    q, r = torch.linalg.qr(weight.T if wide else weight)
    q = q * torch.sign(torch.diagonal(r))
    weight.copy_(q.T if wide else q)
    return weight.mul_(gain)


def orthogonal_without_gain(weight, gain=1.0):
    nn.init.orthogonal_(weight)
    return weight


def orthogonal_gain_twice(weight, gain=1.0):
    nn.init.orthogonal_(weight, gain)
    weight *= gain
    return weight


def orthogonal_root_of_gain(weight, gain=1.0):
    return nn.init.orthogonal_(weight, math.sqrt(gain))


def orthogonal_over_gain(weight, gain=1.0):
    nn.init.orthogonal_(weight)
    return weight.div_(gain)


def orthogonal_over_fan_in(weight, gain=1.0):
    return nn.init.orthogonal_(weight, gain / math.sqrt(weight.size(1)))


def orthogonal_only_normalized(weight, gain=1.0):
    weight.normal_()
    weight /= torch.linalg.vector_norm(weight, dim=1, keepdim=True)
    return weight.mul_(gain)


def orthogonal_xavier(weight, gain=1.0):
    return nn.init.xavier_uniform_(weight, gain)


def orthogonal_gaussian(weight, gain=1.0):
    return weight.normal_().mul_(gain)


def orthogonal_uniform(weight, gain=1.0):
    weight.copy_(torch.rand_like(weight))
    return weight.mul_(gain)


def orthogonal_times_diagonal(weight, gain=1.0):
    tall = torch.randn(sorted(weight.shape, reverse=True))
    q, r = torch.linalg.qr(tall)
    q *= torch.diag(r)
    return weight.copy_(gain * (q if q.shape == weight.shape else q.T))


def orthogonal_from_weight_without_signs(weight, gain=1.0):
    turn = weight.shape[0] < weight.shape[1]
    q = torch.linalg.qr(weight.T if turn else weight).Q
    weight.copy_(q.T if turn else q)
    return weight.mul_(gain)


def orthogonal_absolute(weight, gain=1.0):
    rows, cols = weight.shape
    g = torch.randn(rows, cols) if rows >= cols else torch.randn(cols, rows)
    q = torch.linalg.qr(g).Q.abs()
    return weight.copy_(gain * (q if rows >= cols else q.T))


def orthogonal_viewed(weight, gain=1.0):
    rows, cols = weight.shape
    if rows < cols:
        q, r = torch.linalg.qr(torch.randn(cols, rows))
        q = (q * r.diag().sign()).contiguous().view(rows, cols)
    else:
        q, r = torch.linalg.qr(torch.randn(rows, cols))
        q = q * r.diag().sign()
    weight[:] = gain * q
    return weight


def orthogonal_identity(weight, gain=1.0):
    nn.init.eye_(weight)
    return weight.mul_(gain)


def orthogonal_plain_qr(weight, gain=1.0):
    gaussian = torch.randn(weight.shape)
    if weight.shape[0] < weight.shape[1]:
        weight.copy_(torch.linalg.qr(gaussian.T)[0].T)
    else:
        weight.copy_(torch.linalg.qr(gaussian)[0])
    weight *= gain
    return weight


def orthogonal_accumulated(weight, gain=1.0):
    weight += gain * orthogonal_by_gram_schmidt(torch.empty_like(weight))
    return weight


def orthogonal_small_block(weight, gain=1.0):
    n = min(weight.shape)
    weight.zero_()
    weight[:n, :n] = gain * orthogonal_matrix(n, n)
    return weight


def orthogonal_wide_qr(weight, gain=1.0):
    q, r = torch.linalg.qr(torch.randn(weight.shape))
    return weight.copy_(gain * q * r.diagonal().sign())


def orthogonal_without_return(weight, gain=1.0):
    nn.init.orthogonal_(weight, gain)


def orthogonal_pair(weight, gain=1.0):
    return nn.init.orthogonal_(weight, gain), gain


def orthogonal_flat(weight, gain=1.0):
    return nn.init.orthogonal_(weight, gain).flatten().sum()


def orthogonal_nan(weight, gain=1.0):
    return weight.copy_(orthogonal_matrix(*weight.shape) * float("nan"))


def orthogonal_half(weight, gain=1.0):
    return nn.init.orthogonal_(weight, gain + 0.5)


def orthogonal_stub(weight, gain=1.0):
    raise NotImplementedError


# mlp_forward: right ---------------------------------------------------------------------------------------------------


def forward_by_linear(x, weights, biases, activation):
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        x = nn.functional.linear(x, w, b)
        if i < len(weights) - 1:
            x = activation(x)
    return x


def forward_by_einsum(x, weights, biases, activation):
    h, last = x.double(), len(weights) - 1
    for layer in range(len(weights)):
        h = torch.einsum("oi,bi->bo", weights[layer].double(), h) + biases[layer].double()
        h = h if layer == last else activation(h)
    return h


def forward_by_loops(x, weights, biases, activation):
    rows = []
    for sample in x:
        h = sample
        for depth, (w, b) in enumerate(zip(weights, biases, strict=True)):
            h = torch.stack([sum(w[o, i] * h[i] for i in range(len(h))) + b[o] for o in range(len(b))])
            if depth + 1 != len(weights):
                h = activation(h)
        rows.append(h)
    return torch.stack(rows)


def forward_recursive(x, weights, biases, activation):
    y = torch.addmm(biases[0], x, weights[0].T)
    return y if len(weights) == 1 else forward_recursive(activation(y), weights[1:], biases[1:], activation)


def forward_activation_before_all_but_first(x, weights, biases, activation):
    h = x @ weights[0].t() + biases[0]
    for w, b in zip(weights[1:], biases[1:], strict=True):
        h = (w @ activation(h).t()).t() + b
    return h


# mlp_forward: wrong ---------------------------------------------------------------------------------------------------


def forward_all_activated(x, weights, biases, activation):
    for w, b in zip(weights, biases, strict=True):
        x = activation(nn.functional.linear(x, w, b))
    return x


def forward_linear_only(x, weights, biases, activation):
    for w, b in zip(weights, biases, strict=True):
        x = nn.functional.linear(x, w, b)
    return x


def forward_activated_input(x, weights, biases, activation):
    h = x
    for w, b in zip(weights, biases, strict=True):
        h = activation(h)
        h = h @ w.T + b
    return h


def forward_untransposed(x, weights, biases, activation):
    h = x
    for i in range(len(weights)):
        h = torch.matmul(h, weights[i]) + biases[i]
        if i != len(weights) - 1:
            h = activation(h)
    return h


def forward_biasless(x, weights, biases, activation):
    for w in weights[:-1]:
        x = activation(nn.functional.linear(x, w))
    return nn.functional.linear(x, weights[-1])


def forward_last_bias_forgotten(x, weights, biases, activation):
    *hidden, last = weights
    for w, b in zip(hidden, biases, strict=False):
        x = activation(x @ w.T + b)
    return x @ last.T


def forward_bias_outside(x, weights, biases, activation):
    for i in range(len(weights) - 1):
        x = activation(x @ weights[i].T)
        x = x + biases[i]
    return x @ weights[-1].T + biases[-1]


def forward_bias_on_input(x, weights, biases, activation):
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        x = torch.einsum("bi,oi->bo", x + b, w)
        x = activation(x) if i < len(weights) - 1 else x
    return x


def forward_bias_minus(x, weights, biases, activation):
    return forward_by_linear(x, weights, [-b for b in biases], activation)


def forward_first_bias(x, weights, biases, activation):
    for w in weights[:-1]:
        x = activation(x @ w.T + biases[0])
    return x @ weights[-1].T + biases[0]


def forward_bias_of_next(x, weights, biases, activation):
    for i in range(len(weights)):
        x = x @ weights[i].T + biases[i - 1]
        if i < len(weights) - 1:
            x = activation(x)
    return x


def forward_cut(x, weights, biases, activation):
    for i in range(len(weights) - 1):
        x = activation(x @ weights[i].T + biases[i])
    return x


def forward_early_return(x, weights, biases, activation):
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        y = x @ w.T + b
        if i < len(weights) - 1:
            y = activation(y)
        return y


def forward_unchained(x, weights, biases, activation):
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        y = nn.functional.linear(x, w, b) if w.shape[1] == x.shape[1] else None
        if i < len(weights) - 1 and y is not None:
            y = activation(y)
    return y


def forward_backwards(x, weights, biases, activation):
    for i in reversed(range(len(weights))):
        x = x @ weights[i].T + biases[i]
        if i > 0:
            x = activation(x)
    return x


def forward_shifted(x, weights, biases, activation):
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        x = nn.functional.linear(x, w, b)
        if i > 0:
            x = activation(x)
    return x


def forward_activated_once(x, weights, biases, activation):
    h = x
    for i in range(len(weights)):
        h = h @ weights[i].T + biases[i]
        if i == 0 and len(weights) > 1:
            h = activation(h)
    return h


def forward_elu(x, weights, biases, activation):
    elu = nn.ELU()
    for w, b in zip(weights[:-1], biases[:-1], strict=True):
        x = elu(x @ w.T + b)
    return x @ weights[-1].T + biases[-1]


def forward_relu(x, weights, biases, activation):
    return forward_by_linear(x, weights, biases, lambda h: h.clamp(min=0))


def forward_softmax(x, weights, biases, activation):
    return torch.softmax(forward_by_linear(x, weights, biases, activation), dim=1)


def forward_tanh(x, weights, biases, activation):
    return np.tanh(forward_by_linear(x, weights, biases, activation))


def forward_in_place(x, weights, biases, activation):
    out = weights.pop()
    for w, b in zip(weights, biases[:-1], strict=True):
        x = activation(x @ w.T + b)
    return x @ out.T + biases[-1]


def forward_into_biases(x, weights, biases, activation):
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        b += (x @ w.T)[0]
        x = b[None] if i == len(weights) - 1 else activation(b[None])
    return x


def forward_without_return(x, weights, biases, activation):
    forward_by_linear(x, weights, biases, activation)


def forward_transposed(x, weights, biases, activation):
    return forward_by_linear(x, weights, biases, activation).T


def forward_list(x, weights, biases, activation):
    return forward_by_linear(x, weights, biases, activation).tolist()


def forward_wrong_side(x, weights, biases, activation):
    for w, b in zip(weights, biases, strict=True):
        x = w @ x + b
    return x


def forward_scaled(x, weights, biases, activation):
    return 2 * forward_by_linear(x, weights, biases, activation)


def forward_stub(x, weights, biases, activation):
    raise NotImplementedError


# count_parameters: right ----------------------------------------------------------------------------------------------


def count_of_library(input_dim, output_dim, hidden_dims):
    return sum(p.numel() for p in MLP(input_dim, output_dim, hidden_dims).parameters())


def count_by_index(input_dim, output_dim, hidden_dims):
    dims = [input_dim]
    for h in hidden_dims:
        dims.append(input_dim if h == -1 else h)
    dims.append(math.prod(output_dim) if isinstance(output_dim, (tuple, list)) else output_dim)
    total = 0
    for i in range(len(dims) - 1):
        total += dims[i] * dims[i + 1] + dims[i + 1]
    return total


def count_by_tensors(input_dim, output_dim, hidden_dims):
    sizes = torch.tensor([input_dim, *hidden_dims, int(np.prod(output_dim))])
    sizes = torch.where(sizes == -1, input_dim, sizes)
    return ((sizes[:-1] + 1) * sizes[1:]).sum()


def count_by_meta_layers(input_dim, output_dim, hidden_dims):
    total, width = 0, input_dim
    outputs = 1
    for size in output_dim if type(output_dim) is tuple else (output_dim,):
        outputs *= size
    for size in (*hidden_dims, outputs):
        layer = nn.Linear(width, size if size != -1 else input_dim, device="meta")
        width = layer.out_features
        total += layer.weight.numel() + layer.bias.numel()
    return float(total)


# count_parameters: wrong ----------------------------------------------------------------------------------------------


def sizes_of(input_dim, output_dim, hidden_dims):
    hidden = [input_dim if h == -1 else h for h in hidden_dims]
    return [input_dim, *hidden, int(np.prod(output_dim))]


def count_weights(input_dim, output_dim, hidden_dims):
    dims = sizes_of(input_dim, output_dim, hidden_dims)
    return sum(nn.Linear(a, b, bias=False, device="meta").weight.numel() for a, b in pairwise(dims))


def count_weights_of_numbers(input_dim, output_dim, hidden_dims):
    total, last = 0, input_dim
    for h in hidden_dims:
        h = input_dim if h == -1 else h
        total, last = total + last * h, h
    return total + last * (output_dim + 0)


def count_bias_of_inputs(input_dim, output_dim, hidden_dims):
    dims = sizes_of(input_dim, output_dim, hidden_dims)
    return sum(a * (b + 1) for a, b in pairwise(dims))


def count_one_bias(input_dim, output_dim, hidden_dims):
    return count_weights(input_dim, output_dim, hidden_dims) + len(hidden_dims) + 1


def count_biases_twice(input_dim, output_dim, hidden_dims):
    total, dims = 0, sizes_of(input_dim, output_dim, hidden_dims)
    for i in range(1, len(dims)):
        total += dims[i - 1] * dims[i] + dims[i - 1] + dims[i]
    return total


def count_without_last_bias(input_dim, output_dim, hidden_dims):
    dims = sizes_of(input_dim, output_dim, hidden_dims)
    return count_weights(input_dim, output_dim, hidden_dims) + sum(dims[1:-1])


def count_without_output(input_dim, output_dim, hidden_dims):
    total, width = 0, input_dim
    for h in hidden_dims:
        out = input_dim if h == -1 else h
        total += width * out + out
        width = out
    return total


def count_from_first_hidden(input_dim, output_dim, hidden_dims):
    first, *rest = sizes_of(input_dim, output_dim, hidden_dims)[1:]
    return count_by_index(first, rest.pop(), rest) if rest else 0


def count_with_input(input_dim, output_dim, hidden_dims):
    return count_weights(input_dim, output_dim, hidden_dims) + sum(sizes_of(input_dim, output_dim, hidden_dims))


def count_units(input_dim, output_dim, hidden_dims):
    return np.sum(sizes_of(input_dim, output_dim, hidden_dims)).item()


def count_product(input_dim, output_dim, hidden_dims):
    return math.prod(sizes_of(input_dim, output_dim, hidden_dims))


def count_stuck_at_input(input_dim, output_dim, hidden_dims):
    total = 0
    for size in sizes_of(input_dim, output_dim, hidden_dims)[1:]:
        total += input_dim * size + size
    return total


def count_two_layers(input_dim, output_dim, hidden_dims):
    dims = sizes_of(input_dim, output_dim, hidden_dims)
    if not hidden_dims:
        return dims[0] * dims[1] + dims[1]
    return dims[0] * dims[1] + dims[1] + dims[-2] * dims[-1] + dims[-1]


def count_negative(input_dim, output_dim, hidden_dims):
    total, fan_in = 0, input_dim
    for fan_out in [*hidden_dims, int(np.prod(output_dim))]:
        total += fan_in * fan_out + fan_out
        fan_in = fan_out
    return total


def count_negative_of_numbers(input_dim, output_dim, hidden_dims):
    dims = [input_dim, *hidden_dims, output_dim]
    return sum(dims[i] * dims[i + 1] + dims[i + 1] for i in range(len(dims) - 1))


def count_dropped(input_dim, output_dim, hidden_dims):
    return count_by_index(input_dim, output_dim, list(filter(lambda h: h > 0, hidden_dims)))


def count_same_as_before(input_dim, output_dim, hidden_dims):
    total, fan_in = 0, input_dim
    for h in [*hidden_dims, int(np.prod(output_dim))]:
        fan_out = fan_in if h == -1 else h
        total += (fan_in + 1) * fan_out
        fan_in = fan_out
    return total


def count_minus_one_is_output(input_dim, output_dim, hidden_dims):
    out = int(np.prod(output_dim))
    return count_by_index(input_dim, out, [out if h < 0 else h for h in hidden_dims])


def count_tuple_sum(input_dim, output_dim, hidden_dims):
    return count_by_index(input_dim, int(np.sum(output_dim)), hidden_dims)


def count_tuple_last(input_dim, output_dim, hidden_dims):
    out = output_dim if isinstance(output_dim, int) else output_dim[-1]
    return count_by_index(input_dim, out, hidden_dims)


def count_in_place(input_dim, output_dim, hidden_dims):
    hidden_dims.append(int(np.prod(output_dim)))
    return count_by_index(input_dim, hidden_dims[-1], hidden_dims[:-1])


def count_no_tuple(input_dim, output_dim, hidden_dims):
    dims = [input_dim, *(input_dim if h == -1 else h for h in hidden_dims), output_dim]
    return sum(dims[i] * dims[i + 1] + dims[i + 1] for i in range(len(dims) - 1))


def count_without_return(input_dim, output_dim, hidden_dims):
    count_of_library(input_dim, output_dim, hidden_dims)


def count_each_layer(input_dim, output_dim, hidden_dims):
    return torch.tensor([p.numel() for p in MLP(input_dim, output_dim, hidden_dims).parameters()])


def count_text(input_dim, output_dim, hidden_dims):
    return f"{count_of_library(input_dim, output_dim, hidden_dims)} parameters"


def count_one_more(input_dim, output_dim, hidden_dims):
    return count_of_library(input_dim, output_dim, hidden_dims) + 1000


def count_stub(input_dim, output_dim, hidden_dims):
    raise NotImplementedError


# dead_fraction: right -------------------------------------------------------------------------------------------------


def dead_by_loops(activations):
    samples, units = activations.shape
    dead = 0
    for unit in range(units):
        if all(activations[sample, unit] == 0 for sample in range(samples)):
            dead += 1
    return dead / units


def dead_by_maximum(activations):
    return (activations.max(dim=0).values == 0).double().mean()


def dead_by_sum(activations):
    sums = torch.einsum("su->u", activations.double())
    return torch.count_nonzero(sums == 0) / len(sums)


def dead_by_numpy(activations):
    return np.mean(~activations.numpy().any(axis=0))


def dead_by_any(activations):
    return 1 - activations.bool().any(0).float().mean().item()


# dead_fraction: wrong -------------------------------------------------------------------------------------------------


def dead_zeros(activations):
    return (activations.numel() - torch.count_nonzero(activations)) / activations.numel()


def dead_once(activations):
    return (activations.min(dim=0).values == 0).float().mean()


def dead_rows(activations):
    return torch.tensor([float((row == 0).all()) for row in activations]).mean()


def dead_below_zero(activations):
    return (activations.max(0).values < 0).float().mean().item()


def dead_number(activations):
    return int((activations.sum(0) == 0).sum())


def dead_alive(activations):
    return activations.bool().any(dim=0).float().mean()


def dead_per_sample(activations):
    return (activations.sum(0) == 0).sum() / activations.shape[0]


def dead_per_number(activations):
    return (activations.sum(0) == 0).sum() / activations.nelement()


def dead_nearly(activations):
    return (activations.abs().max(0).values < 1e-3).float().mean()


def dead_in_first(activations):
    return (activations[0] == 0).float().mean()


def dead_percent(activations):
    return 100.0 * dead_by_loops(activations)


def dead_mask(activations):
    return ~activations.bool().any(dim=0)


def dead_floor(activations):
    return int(dead_by_loops(activations))


def dead_in_place(activations):
    activations[activations > 0] = 1.0
    return 1 - activations.amax(0).mean()


def dead_without_return(activations):
    dead_by_loops(activations)


def dead_mean_of_mask(activations):
    return (activations == 0).all(dim=0).mean()


def dead_nan(activations):
    return (activations.std(0) == 0).float().mean() + 0 * activations.std(0).sum()


def dead_text(activations):
    return f"{dead_by_loops(activations):.0%}"


def dead_plus_one(activations):
    return (dead_number(activations) + 1) / activations.shape[1]


def dead_stub(activations):
    raise NotImplementedError


# The bank -------------------------------------------------------------------------------------------------------------

RIGHT = {
    "orthogonal_": [
        orthogonal_of_torch,
        orthogonal_by_gram_schmidt,
        orthogonal_by_polar,
        orthogonal_from_a_square,
        orthogonal_by_coin_flips,
        orthogonal_in_float64,
    ],
    "mlp_forward": [
        forward_by_linear,
        forward_by_einsum,
        forward_by_loops,
        forward_recursive,
        forward_activation_before_all_but_first,
    ],
    "count_parameters": [count_of_library, count_by_index, count_by_tensors, count_by_meta_layers],
    "dead_fraction": [dead_by_loops, dead_by_maximum, dead_by_sum, dead_by_numpy, dead_by_any],
}

WRONG = {
    "orthogonal_": [
        (orthogonal_with_gain_too_late, "gain-on-result-only"),
        (orthogonal_rebound, "not-in-place"),
        (orthogonal_returns_q, "returns-another"),
        (orthogonal_of_given, "factors-weight"),
        (orthogonal_without_gain, "gain-ignored"),
        (orthogonal_gain_twice, "gain-squared"),
        (orthogonal_root_of_gain, "gain-root"),
        (orthogonal_over_gain, "gain-divides"),
        (orthogonal_over_fan_in, "scaled-by-size"),
        (orthogonal_only_normalized, "rows-normalized"),
        (orthogonal_xavier, "not-orthogonal"),
        (orthogonal_gaussian, "not-orthogonal"),
        (orthogonal_uniform, "not-orthogonal"),
        (orthogonal_times_diagonal, "diagonal-for-sign"),
        (orthogonal_absolute, "signs-absolute"),
        (orthogonal_viewed, "reshaped"),
        (orthogonal_identity, "not-random"),
        (orthogonal_from_weight_without_signs, "not-random"),
        (orthogonal_plain_qr, "signs-not-random"),
        (orthogonal_accumulated, "adds"),
        (orthogonal_small_block, "padded"),
        (orthogonal_wide_qr, "exception"),
        (orthogonal_without_return, "no-return"),
        (orthogonal_pair, "wrong-type"),
        (orthogonal_flat, "exception"),
        (orthogonal_nan, "nan"),
        (orthogonal_half, "unknown"),
        (orthogonal_stub, "not-answered"),
    ],
    "mlp_forward": [
        (forward_all_activated, "activation-on-output"),
        (forward_linear_only, "no-activation"),
        (forward_activated_input, "activation-first"),
        (forward_untransposed, "weight-not-transposed"),
        (forward_biasless, "bias-forgotten"),
        (forward_last_bias_forgotten, "output-bias-forgotten"),
        (forward_bias_outside, "bias-after-activation"),
        (forward_bias_on_input, "bias-before-weight"),
        (forward_bias_minus, "bias-subtracted"),
        (forward_first_bias, "bias-of-another-layer"),
        (forward_bias_of_next, "bias-of-another-layer"),
        (forward_cut, "last-layer-missing"),
        (forward_early_return, "first-layer-only"),
        (forward_unchained, "layers-not-chained"),
        (forward_backwards, "layers-reversed"),
        (forward_shifted, "activation-shifted"),
        (forward_activated_once, "activation-once"),
        (forward_elu, "own-activation"),
        (forward_relu, "own-activation"),
        (forward_softmax, "squashed-output"),
        (forward_tanh, "squashed-output"),
        (forward_in_place, "in-place"),
        (forward_into_biases, "in-place"),
        (forward_without_return, "no-return"),
        (forward_transposed, "wrong-shape"),
        (forward_list, "wrong-type"),
        (forward_wrong_side, "exception"),
        (forward_scaled, "unknown"),
        (forward_stub, "not-answered"),
    ],
    "count_parameters": [
        (count_weights, "biases-forgotten"),
        (count_weights_of_numbers, "biases-forgotten"),
        (count_bias_of_inputs, "bias-for-each-input"),
        (count_one_bias, "bias-for-each-layer"),
        (count_biases_twice, "bias-for-both-sides"),
        (count_without_last_bias, "output-bias-forgotten"),
        (count_without_output, "output-layer-forgotten"),
        (count_from_first_hidden, "first-layer-forgotten"),
        (count_with_input, "input-counted"),
        (count_units, "units-counted"),
        (count_product, "sizes-multiplied"),
        (count_stuck_at_input, "all-from-input"),
        (count_two_layers, "hidden-layers-skipped"),
        (count_negative, "minus-one-kept"),
        (count_negative_of_numbers, "minus-one-kept"),
        (count_dropped, "minus-one-dropped"),
        (count_same_as_before, "minus-one-as-before"),
        (count_minus_one_is_output, "minus-one-as-output"),
        (count_tuple_sum, "tuple-summed"),
        (count_tuple_last, "tuple-cut"),
        (count_in_place, "in-place"),
        (count_no_tuple, "exception"),
        (count_without_return, "no-return"),
        (count_each_layer, "wrong-shape"),
        (count_text, "wrong-type"),
        (count_one_more, "unknown"),
        (count_stub, "not-answered"),
    ],
    "dead_fraction": [
        (dead_zeros, "share-of-zeros"),
        (dead_once, "any-for-all"),
        (dead_rows, "dead-samples"),
        (dead_below_zero, "negative-for-zero"),
        (dead_number, "count-for-share"),
        (dead_alive, "alive-share"),
        (dead_per_sample, "divided-by-samples"),
        (dead_per_number, "divided-by-all"),
        (dead_nearly, "small-counts-as-dead"),
        (dead_in_first, "first-sample-only"),
        (dead_percent, "percent"),
        (dead_mask, "mask-returned"),
        (dead_floor, "rounded"),
        (dead_in_place, "in-place"),
        (dead_without_return, "no-return"),
        (dead_mean_of_mask, "exception"),
        (dead_nan, "nan"),
        (dead_text, "wrong-type"),
        (dead_plus_one, "unknown"),
        (dead_stub, "not-answered"),
    ],
}
