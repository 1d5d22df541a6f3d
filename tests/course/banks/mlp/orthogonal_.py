"""What people answer to `orthogonal_`; the name of a wrong answer begins with the name of its mistake."""

import math

import torch
from torch import nn


def orthogonal_matrix(rows, cols):
    return nn.init.orthogonal_(torch.empty(rows, cols))


class Right:
    def of_torch(weight, gain=1.0):
        return nn.init.orthogonal_(weight, gain)

    def by_gram_schmidt(weight, gain=1.0):
        wide = weight.shape[0] <= weight.shape[1]
        vectors = torch.randn(min(weight.shape), max(weight.shape), dtype=torch.float64)
        for i in range(len(vectors)):
            for j in range(i):
                vectors[i] -= (vectors[i] @ vectors[j]) * vectors[j]
            vectors[i] /= vectors[i].norm()
        weight.data[:] = gain * (vectors if wide else vectors.T)
        return weight

    def by_polar(weight, gain=1.0):
        """The nearest orthogonal matrix to a Gaussian one is uniform too."""
        u, _, vh = torch.linalg.svd(torch.randn(weight.shape), full_matrices=False)
        weight.copy_(torch.einsum("ik,kj->ij", u, vh)).mul_(gain)
        return weight

    def from_a_square(weight, gain=1.0):
        n = max(weight.shape)
        q, r = torch.linalg.qr(torch.normal(0.0, 1.0, (n, n)), mode="complete")
        q *= torch.where(torch.diag(r) < 0, -1.0, 1.0)
        weight[...] = q[: weight.size(0), : weight.size(1)] * gain
        return weight

    def by_coin_flips(weight, gain=1.0):
        rows, cols = weight.shape
        q = torch.linalg.qr(torch.randn(cols, rows) if rows < cols else torch.randn(rows, cols))[0]
        q = q * (2 * torch.randint(2, (q.shape[1],)) - 1)
        with torch.no_grad():
            weight.set_(gain * (q.T if rows < cols else q))
        return weight

    def in_float64(weight, gain=1.0):
        flat = weight.new_empty(weight.shape, dtype=torch.float64).normal_()
        tall = flat if len(flat) >= flat.shape[1] else flat.t()
        q, r = torch.linalg.qr(tall)
        q = q @ torch.diag(torch.sign(torch.diag(r)))
        weight.copy_(q if tall is flat else q.t())
        weight *= gain
        return weight


class Wrong:
    def gain_on_result_only(weight, gain=1.0):
        nn.init.orthogonal_(weight)
        return weight * gain

    def not_in_place(weight, gain=1.0):
        weight = orthogonal_matrix(*weight.shape) * gain
        return weight

    def returns_another(weight, gain=1.0):
        q = orthogonal_matrix(*weight.shape)
        weight.copy_(gain * q)
        return q

    def factors_weight(weight, gain=1.0):
        wide = weight.shape[0] < weight.shape[1]
        q, r = torch.linalg.qr(weight.T if wide else weight)
        q = q * torch.sign(torch.diagonal(r))
        weight.copy_(q.T if wide else q)
        return weight.mul_(gain)

    def gain_ignored(weight, gain=1.0):
        nn.init.orthogonal_(weight)
        return weight

    def gain_squared(weight, gain=1.0):
        nn.init.orthogonal_(weight, gain)
        weight *= gain
        return weight

    def gain_root(weight, gain=1.0):
        return nn.init.orthogonal_(weight, math.sqrt(gain))

    def gain_divides(weight, gain=1.0):
        nn.init.orthogonal_(weight)
        return weight.div_(gain)

    def scaled_by_size(weight, gain=1.0):
        return nn.init.orthogonal_(weight, gain / math.sqrt(weight.size(1)))

    def rows_normalized(weight, gain=1.0):
        weight.normal_()
        weight /= torch.linalg.vector_norm(weight, dim=1, keepdim=True)
        return weight.mul_(gain)

    def not_orthogonal__xavier(weight, gain=1.0):
        return nn.init.xavier_uniform_(weight, gain)

    def not_orthogonal__gaussian(weight, gain=1.0):
        return weight.normal_().mul_(gain)

    def not_orthogonal__uniform(weight, gain=1.0):
        weight.copy_(torch.rand_like(weight))
        return weight.mul_(gain)

    def diagonal_for_sign(weight, gain=1.0):
        tall = torch.randn(sorted(weight.shape, reverse=True))
        q, r = torch.linalg.qr(tall)
        q *= torch.diag(r)
        return weight.copy_(gain * (q if q.shape == weight.shape else q.T))

    def signs_absolute(weight, gain=1.0):
        rows, cols = weight.shape
        g = torch.randn(rows, cols) if rows >= cols else torch.randn(cols, rows)
        q = torch.linalg.qr(g).Q.abs()
        return weight.copy_(gain * (q if rows >= cols else q.T))

    def reshaped(weight, gain=1.0):
        rows, cols = weight.shape
        if rows < cols:
            q, r = torch.linalg.qr(torch.randn(cols, rows))
            q = (q * r.diag().sign()).contiguous().view(rows, cols)
        else:
            q, r = torch.linalg.qr(torch.randn(rows, cols))
            q = q * r.diag().sign()
        weight[:] = gain * q
        return weight

    def not_random__identity(weight, gain=1.0):
        nn.init.eye_(weight)
        return weight.mul_(gain)

    def not_random__from_weight_without_signs(weight, gain=1.0):
        turn = weight.shape[0] < weight.shape[1]
        q = torch.linalg.qr(weight.T if turn else weight).Q
        weight.copy_(q.T if turn else q)
        return weight.mul_(gain)

    def signs_not_random(weight, gain=1.0):
        gaussian = torch.randn(weight.shape)
        if weight.shape[0] < weight.shape[1]:
            weight.copy_(torch.linalg.qr(gaussian.T)[0].T)
        else:
            weight.copy_(torch.linalg.qr(gaussian)[0])
        weight *= gain
        return weight

    def adds(weight, gain=1.0):
        weight += gain * Right.by_gram_schmidt(torch.empty_like(weight))
        return weight

    def padded(weight, gain=1.0):
        n = min(weight.shape)
        weight.zero_()
        weight[:n, :n] = gain * orthogonal_matrix(n, n)
        return weight

    def exception__wide_qr(weight, gain=1.0):
        q, r = torch.linalg.qr(torch.randn(weight.shape))
        return weight.copy_(gain * q * r.diagonal().sign())

    def wrong_type__pair(weight, gain=1.0):
        return nn.init.orthogonal_(weight, gain), gain

    def exception__one_number(weight, gain=1.0):
        return nn.init.orthogonal_(weight, gain).flatten().sum()

    def nan__product(weight, gain=1.0):
        return weight.copy_(orthogonal_matrix(*weight.shape) * float("nan"))

    def unknown__half(weight, gain=1.0):
        return nn.init.orthogonal_(weight, gain + 0.5)
