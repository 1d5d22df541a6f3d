"""Answers that people give to `orthogonal_`. The name of each wrong answer starts with its mistake."""

import math

import numpy as np
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
        """The orthogonal matrix closest to a Gaussian matrix is uniformly distributed too."""
        u, _, vh = torch.linalg.svd(torch.randn(weight.shape), full_matrices=False)
        with torch.no_grad():
            weight.copy_(torch.einsum("ik,kj->ij", u, vh)).mul_(gain)
        return weight

    def from_a_square(weight, gain=1.0):
        n = max(weight.shape)
        q, r = torch.linalg.qr(torch.normal(0.0, 1.0, (n, n)), mode="complete")
        q *= torch.where(torch.diag(r) < 0, -1.0, 1.0)
        weight.data[...] = q[: weight.size(0), : weight.size(1)] * gain
        return weight

    def by_coin_flips(weight, gain=1.0):
        rows, cols = weight.shape
        q = torch.linalg.qr(torch.randn(cols, rows) if rows < cols else torch.randn(rows, cols))[0]
        q = q * (2 * torch.randint(2, (q.shape[1],)) - 1)
        with torch.no_grad():
            weight.set_(gain * (q.T if rows < cols else q))
        return weight

    @torch.no_grad()
    def in_float64(weight, gain=1.0):
        flat = weight.new_empty(weight.shape, dtype=torch.float64).normal_()
        tall = flat if len(flat) >= flat.shape[1] else flat.t()
        q, r = torch.linalg.qr(tall)
        q = q @ torch.diag(torch.sign(torch.diag(r)))
        weight.copy_(q if tall is flat else q.t())
        weight *= gain
        return weight

    def by_numpy(weight, gain=1.0):
        rows, cols = weight.shape
        q, r = np.linalg.qr(np.random.default_rng().standard_normal((max(rows, cols), min(rows, cols))))
        q = q * np.sign(np.diag(r))
        with torch.no_grad():
            weight.copy_(torch.from_numpy(gain * (q if rows >= cols else q.T)))
        return weight

    def by_own_generator(weight, gain=1.0):
        generator = torch.Generator()
        generator.seed()
        a = torch.randn(max(weight.shape), min(weight.shape), generator=generator, dtype=torch.float64)
        values, vectors = torch.linalg.eigh(a.T @ a)
        q = a @ vectors @ torch.diag(values.rsqrt()) @ vectors.T
        weight.data = (gain * (q if len(weight) >= weight.shape[1] else q.T)).to(weight.dtype)
        return weight

    def by_signs_for_rows(weight, gain=1.0):
        """This has the same distribution, because it is only a change of basis."""
        n = max(weight.shape)
        q, r = torch.linalg.qr(torch.randn(n, n))
        q = r.diagonal().sign()[:, None] * q
        weight.data.copy_(gain * q[: weight.shape[0], : weight.shape[1]])
        return weight.data


class Wrong:
    @torch.no_grad()
    def gain_on_result_only(weight, gain=1.0):
        nn.init.orthogonal_(weight)
        return weight * gain

    @torch.no_grad()
    def not_in_place(weight, gain=1.0):
        weight = orthogonal_matrix(*weight.shape) * gain
        return weight

    @torch.no_grad()
    def returns_another(weight, gain=1.0):
        q = orthogonal_matrix(*weight.shape)
        weight.data.copy_(gain * q)
        return q

    @torch.no_grad()
    def factors_weight(weight, gain=1.0):
        wide = weight.shape[0] < weight.shape[1]
        q, r = torch.linalg.qr(weight.T if wide else weight)
        q = q * torch.sign(torch.diagonal(r))
        weight.copy_(q.T if wide else q)
        return weight.mul_(gain)

    @torch.no_grad()
    def gain_ignored(weight, gain=1.0):
        nn.init.orthogonal_(weight)
        return weight

    @torch.no_grad()
    def gain_squared(weight, gain=1.0):
        nn.init.orthogonal_(weight, gain)
        weight *= gain
        return weight

    @torch.no_grad()
    def gain_root(weight, gain=1.0):
        return nn.init.orthogonal_(weight, math.sqrt(gain))

    @torch.no_grad()
    def gain_divides(weight, gain=1.0):
        nn.init.orthogonal_(weight)
        return weight.div_(gain)

    @torch.no_grad()
    def scaled_by_size(weight, gain=1.0):
        return nn.init.orthogonal_(weight, gain / math.sqrt(weight.size(1)))

    @torch.no_grad()
    def rows_normalized(weight, gain=1.0):
        weight.normal_()
        weight /= torch.linalg.vector_norm(weight, dim=1, keepdim=True)
        return weight.mul_(gain)

    @torch.no_grad()
    def not_orthogonal__xavier(weight, gain=1.0):
        return nn.init.xavier_uniform_(weight, gain)

    @torch.no_grad()
    def not_orthogonal__gaussian(weight, gain=1.0):
        return weight.normal_().mul_(gain)

    @torch.no_grad()
    def not_orthogonal__uniform(weight, gain=1.0):
        weight.copy_(torch.rand_like(weight))
        return weight.mul_(gain)

    @torch.no_grad()
    def diagonal_for_sign(weight, gain=1.0):
        tall = torch.randn(sorted(weight.shape, reverse=True))
        q, r = torch.linalg.qr(tall)
        q *= torch.diag(r)
        return weight.copy_(gain * (q if q.shape == weight.shape else q.T))

    @torch.no_grad()
    def unknown__absolute(weight, gain=1.0):
        rows, cols = weight.shape
        g = torch.randn(rows, cols) if rows >= cols else torch.randn(cols, rows)
        q = torch.linalg.qr(g).Q.abs()
        return weight.copy_(gain * (q if rows >= cols else q.T))

    @torch.no_grad()
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

    @torch.no_grad()
    def not_random__identity(weight, gain=1.0):
        nn.init.eye_(weight)
        return weight.mul_(gain)

    @torch.no_grad()
    def not_random__from_weight_without_signs(weight, gain=1.0):
        turn = weight.shape[0] < weight.shape[1]
        q = torch.linalg.qr(weight.T if turn else weight).Q
        weight.copy_(q.T if turn else q)
        return weight.mul_(gain)

    @torch.no_grad()
    def signs_not_random(weight, gain=1.0):
        gaussian = torch.randn(weight.shape)
        if weight.shape[0] < weight.shape[1]:
            weight.copy_(torch.linalg.qr(gaussian.T)[0].T)
        else:
            weight.copy_(torch.linalg.qr(gaussian)[0])
        weight *= gain
        return weight

    @torch.no_grad()
    def adds(weight, gain=1.0):
        weight += gain * Right.by_gram_schmidt(torch.empty_like(weight))
        return weight

    @torch.no_grad()
    def padded(weight, gain=1.0):
        n = min(weight.shape)
        weight.zero_()
        weight[:n, :n] = gain * orthogonal_matrix(n, n)
        return weight

    @torch.no_grad()
    def wide_not_transposed(weight, gain=1.0):
        q, r = torch.linalg.qr(torch.randn(weight.shape))
        return weight.copy_(gain * q * r.diagonal().sign())

    @torch.no_grad()
    def wrong_type__pair(weight, gain=1.0):
        return nn.init.orthogonal_(weight, gain), gain

    @torch.no_grad()
    def wrong_shape__one_number(weight, gain=1.0):
        return nn.init.orthogonal_(weight, gain).flatten().sum()

    @torch.no_grad()
    def nan__product(weight, gain=1.0):
        return weight.copy_(orthogonal_matrix(*weight.shape) * float("nan"))

    @torch.no_grad()
    def unknown__half(weight, gain=1.0):
        return nn.init.orthogonal_(weight, gain + 0.5)

    def no_grad_missing(weight, gain=1.0):
        return weight.copy_(gain * orthogonal_matrix(*weight.shape))

    def no_grad_missing__for_the_gain(weight, gain=1.0):
        nn.init.orthogonal_(weight)
        weight *= gain
        return weight

    def gain_ignored__with__no_grad_missing(weight, gain=1.0):
        weight[:] = orthogonal_matrix(*weight.shape)
        return weight

    def not_random__seed(weight, gain=1.0):
        torch.manual_seed(42)
        return nn.init.orthogonal_(weight, gain)

    def not_random__own_generator(weight, gain=1.0):
        a = np.random.default_rng(0).standard_normal((max(weight.shape), min(weight.shape)))
        q = torch.linalg.qr(torch.from_numpy(a).float()).Q
        weight.data.copy_(gain * (q if len(weight) >= weight.shape[1] else q.T))
        return weight

    def not_random__kept(weight, gain=1.0, kept={}):  # noqa: B006
        q = kept.setdefault(weight.shape, orthogonal_matrix(*weight.shape))
        weight.data.copy_(gain * q)
        return weight

    def signs_of_all_of_r(weight, gain=1.0):
        q, r = torch.linalg.qr(torch.randn(max(weight.shape), min(weight.shape)))
        q = q @ r.sign()
        weight.data.copy_(gain * (q if len(weight) >= weight.shape[1] else q.T))
        return weight

    def signs_of_all_of_r__element_by_element(weight, gain=1.0):
        q, r = torch.linalg.qr(torch.randn(sorted(weight.shape, reverse=True)))
        q *= torch.sign(r)
        weight.data.copy_(gain * (q if len(weight) >= weight.shape[1] else q.T))
        return weight

    def not_orthogonal__q_times_r(weight, gain=1.0):
        q, r = torch.linalg.qr(torch.randn(max(weight.shape), min(weight.shape)))
        weight.data.copy_(gain * (q @ r if len(weight) >= weight.shape[1] else (q @ r).T))
        return weight

    def not_orthogonal__largest_stretch(weight, gain=1.0):
        weight.data.normal_()
        weight.data *= gain / torch.linalg.matrix_norm(weight.data, 2)
        return weight

    def not_gaussian(weight, gain=1.0):
        q, r = torch.linalg.qr(torch.rand(max(weight.shape), min(weight.shape)))
        q = q * r.diagonal().sign()
        weight.data.copy_(gain * (q if len(weight) >= weight.shape[1] else q.T))
        return weight

    def not_gaussian__around_zero(weight, gain=1.0):
        q, r = torch.linalg.qr(torch.empty(max(weight.shape), min(weight.shape)).uniform_(-1, 1))
        q = q * r.diagonal().sign()
        weight.data.copy_(gain * (q if len(weight) >= weight.shape[1] else q.T))
        return weight

    def not_all_alike__one_mirror(weight, gain=1.0):
        n = max(weight.shape)
        v = torch.randn(n)
        v /= v.norm()
        mirror = torch.eye(n) - 2 * torch.outer(v, v)
        weight.data.copy_(gain * mirror[: weight.shape[0], : weight.shape[1]])
        return weight

    def not_all_alike__exponential(weight, gain=1.0):
        a = torch.randn(max(weight.shape), max(weight.shape))
        weight.data.copy_(gain * torch.matrix_exp(a - a.T)[: weight.shape[0], : weight.shape[1]])
        return weight

    def not_all_alike__exponential_of_small_numbers(weight, gain=1.0):
        a = 0.05 * torch.randn(max(weight.shape), max(weight.shape))
        weight.data.copy_(gain * torch.matrix_exp(a - a.T)[: weight.shape[0], : weight.shape[1]])
        return weight

    def not_all_alike__one_turn(weight, gain=1.0):
        n, angle = max(weight.shape), 2 * math.pi * torch.rand(())
        q = torch.eye(n)
        if n > 1:
            q[:2, :2] = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()]).reshape(2, 2)
        weight.data.copy_(gain * q[: weight.shape[0], : weight.shape[1]])
        return weight

    def not_all_alike__determinant_fixed(weight, gain=1.0):
        q = orthogonal_matrix(max(weight.shape), max(weight.shape))
        if torch.det(q) < 0:
            q[:, 0] *= -1
        weight.data.copy_(gain * q[: weight.shape[0], : weight.shape[1]])
        return weight

    def not_all_alike__one_sign_for_all(weight, gain=1.0):
        q = torch.linalg.qr(torch.randn(max(weight.shape), min(weight.shape)))[0] * torch.randn(()).sign()
        weight.data.copy_(gain * (q if len(weight) >= weight.shape[1] else q.T))
        return weight

    def not_all_alike__shuffled_identity(weight, gain=1.0):
        n = max(weight.shape)
        q = torch.eye(n)[torch.randperm(n)] * (2 * torch.randint(2, (n,)) - 1)
        weight.data.copy_(gain * q[: weight.shape[0], : weight.shape[1]])
        return weight

    def signs_not_random__eigenvectors(weight, gain=1.0):
        a = torch.randn(max(weight.shape), max(weight.shape))
        vectors = torch.linalg.eigh(a + a.T)[1]
        weight.data.copy_(gain * vectors[: weight.shape[0], : weight.shape[1]])
        return weight

    def signs_not_random__with__gain_ignored(weight, gain=1.0):
        q = torch.linalg.qr(torch.randn(max(weight.shape), min(weight.shape)))[0]
        weight.data.copy_(q if len(weight) >= weight.shape[1] else q.T)
        return weight

    def wide_not_transposed__data(weight, gain=1.0):
        q, r = torch.linalg.qr(torch.normal(0.0, 1.0, weight.size()))
        weight.data = q @ torch.diag(gain * r.diagonal().sign())
        return weight

    def not_in_place__with__wide_not_transposed(weight, gain=1.0):
        q, r = torch.linalg.qr(torch.randn(weight.shape))
        return gain * q * r.diag().sign()

    def signs_not_random__with__reshaped(weight, gain=1.0):
        q = torch.linalg.qr(torch.randn(max(weight.shape), min(weight.shape)))[0]
        weight.data.copy_(gain * q.reshape(weight.shape))
        return weight

    def gain_squared__with__adds(weight, gain=1.0):
        weight.data += gain**2 * orthogonal_matrix(*weight.shape)
        return weight

    def gain_ignored__with__rows_normalized(weight, gain=1.0):
        weight.data.copy_(nn.functional.normalize(torch.randn(weight.shape), dim=1))
        return weight
