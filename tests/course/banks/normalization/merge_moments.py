"""Answers that people give to `merge_moments`. The name of each wrong answer starts with its mistake."""

import numpy as np
import torch


class Right:
    def by_loop(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        mean, var = torch.zeros_like(mean_a), torch.zeros_like(var_a)
        for i in range(len(mean_a)):
            mean[i] = (count_a * mean_a[i] + count_b * mean_b[i]) / n
            for count, m, v in ((count_a, mean_a, var_a), (count_b, mean_b, var_b)):
                var[i] += count * (v[i] + (m[i] - mean[i]) ** 2) / n
        return [n, mean, var]

    def by_einsum(count_a, mean_a, var_a, count_b, mean_b, var_b):
        weights = torch.tensor([count_a, count_b]) / (count_a + count_b)
        means, variances = torch.stack([mean_a, mean_b]), torch.stack([var_a, var_b])
        mean = torch.einsum("g,gf->f", weights, means)
        var = torch.einsum("g,gf->f", weights, variances + (means - mean).square())
        return torch.tensor(count_a + count_b), mean, var

    def in_float64(count_a, mean_a, var_a, count_b, mean_b, var_b):
        mean_a, var_a, mean_b, var_b = (t.double() for t in (mean_a, var_a, mean_b, var_b))
        n = count_a + count_b
        mean = (count_a * mean_a + count_b * mean_b) / n
        square = (count_a * (var_a + mean_a**2) + count_b * (var_b + mean_b**2)) / n
        return n, mean, square - mean**2  # float64 has enough digits

    def as_rsl_rl(count_a, mean_a, var_a, count_b, mean_b, var_b):
        if count_a == 0:
            return count_b, mean_b, var_b
        rate = count_b / (count_a + count_b)
        new = torch.lerp(mean_a, mean_b, rate)
        return count_a + count_b, new, var_a + rate * (var_b - var_a + (mean_b - mean_a) * (mean_b - new))

    def by_numpy(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        a, b = count_a / n, count_b / n
        m = a * mean_a.numpy() + b * mean_b.numpy()
        v = a * (var_a.numpy() + (mean_a.numpy() - m) ** 2) + b * (var_b.numpy() + (mean_b.numpy() - m) ** 2)
        return n, torch.from_numpy(np.asarray(m)), torch.from_numpy(np.asarray(v))

    def in_place_on_copies(count_a, mean_a, var_a, count_b, mean_b, var_b):
        mean_a, var_a = mean_a.clone(), var_a.clone()
        n = count_a + count_b
        d = mean_b - mean_a
        mean_a += d * (count_b / n)
        var_a *= count_a
        var_a += count_b * var_b
        var_a += d**2 * (count_a * count_b / n)
        var_a /= n
        return n, mean_a, var_a

    def with_early_returns(count_a, mean_a, var_a, count_b, mean_b, var_b):
        if not count_a:
            return count_b, mean_b, var_b
        if not count_b:
            return count_a, mean_a, var_a
        n = count_a + count_b
        w = count_b / n
        mean = mean_a * (1 - w) + mean_b * w
        m2 = var_a * count_a + var_b * count_b + torch.pow(mean_b - mean_a, 2) * count_a * w
        return n, mean, m2 / n

    def stacked(*g):
        n = torch.tensor([g[0], g[3]], dtype=torch.float)[:, None]
        m, v = torch.stack([g[1], g[4]]), torch.stack([g[2], g[5]])
        t = n.sum()
        mean = (n * m).sum(0) / t
        return t.item(), mean, (n * (v + (m - mean) ** 2)).sum(0) / t

    def by_data(count_a, mean_a, var_a, count_b, mean_b, var_b):
        tot = count_a + count_b
        delta = mean_b.data - mean_a.data
        new_mean = mean_a.data + delta * count_b / tot
        m2 = var_a.data * count_a + var_b.data * count_b + torch.square(delta) * count_a * count_b / tot
        return torch.tensor(tot), new_mean, m2 / tot

    def by_lists(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        means, variances = [], []
        for ma, va, mb, vb in zip(mean_a.tolist(), var_a.tolist(), mean_b.tolist(), var_b.tolist(), strict=True):
            m = (count_a * ma + count_b * mb) / n
            means.append(m)
            variances.append((count_a * va + count_b * vb + count_a * (ma - m) ** 2 + count_b * (mb - m) ** 2) / n)
        return n, torch.tensor(means), torch.tensor(variances)


class Wrong:
    def unbiased_variance__bessel(count_a, mean_a, var_a, count_b, mean_b, var_b):
        m2 = var_a * count_a + var_b * count_b + (mean_a - mean_b) ** 2 / (1 / max(count_a, 1e-30) + 1 / count_b)
        n = count_a + count_b
        return n, mean_a + (mean_b - mean_a) * (count_b / n), m2 / (n - 1)

    def unbiased_variance__inside(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n, d = count_a + count_b, mean_b - mean_a
        m_a = var_a * (count_a - 1)
        m_b = var_b * (count_b - 1)
        return n, mean_a + d * count_b / n, (m_a + m_b + d**2 * count_a * count_b / n) / (n - 1)

    def no_shift(count_a, mean_a, var_a, count_b, mean_b, var_b):
        w = count_a / (count_a + count_b)
        return count_a + count_b, w * mean_a + (1 - w) * mean_b, torch.lerp(var_b, var_a, w)

    def unweighted_mean(count_a, mean_a, var_a, count_b, mean_b, var_b):
        return count_a + count_b, torch.stack([mean_a, mean_b]).mean(0), torch.stack([var_a, var_b]).mean(0)

    def weights_swapped(count_a, mean_a, var_a, count_b, mean_b, var_b):
        rate = count_a / (count_a + count_b)
        mean = mean_a + rate * (mean_b - mean_a)
        var = (1 - rate) * (var_a + (mean_a - mean) ** 2) + rate * (var_b + (mean_b - mean) ** 2)
        return count_a + count_b, mean, var

    def delta_sign(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n, _, var = Right.by_loop(count_a, mean_a, var_a, count_b, mean_b, var_b)
        return n, mean_a + (mean_a - mean_b) * count_b / n, var

    def single_sample_step(count_a, mean_a, var_a, count_b, mean_b, var_b):
        count = count_a + count_b
        mean = mean_a + (mean_b - mean_a) / count
        return count, mean, (count_a * var_a + count_b * var_b + (mean_b - mean_a) * (mean_b - mean)) / count

    def returns_std(*groups):
        n, mean, var = Right.by_loop(*groups)
        return n, mean, var**0.5

    def merges_stds(count_a, mean_a, var_a, count_b, mean_b, var_b):
        return Right.by_loop(count_a, mean_a, var_a**2, count_b, mean_b, var_b**2)

    def shift_weight__over_n(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        shift = (mean_a - mean_b).pow(2) * (count_a * count_b / n)
        return n, (mean_a * count_a + mean_b * count_b) / n, (var_a * count_a + var_b * count_b) / n + shift

    def shift_weight__old_delta(count_a, mean_a, var_a, count_b, mean_b, var_b):
        rate, delta = count_b / (count_a + count_b), mean_b - mean_a
        return count_a + count_b, mean_a + rate * delta, var_a + rate * (var_b - var_a + delta * delta)

    def shift_weight__one_group(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        mean = (mean_a * count_a + mean_b * count_b) / n
        return n, mean, (var_a * count_a + var_b * count_b + count_b * (mean_b - mean) ** 2) / n

    def sum_of_squares(count_a, mean_a, var_a, count_b, mean_b, var_b):
        w_a, w_b = count_a / (count_a + count_b), count_b / (count_a + count_b)
        mean = w_a * mean_a + w_b * mean_b
        second = w_a * (mean_a.square() + var_a) + w_b * (mean_b.square() + var_b)
        return count_a + count_b, mean, (second - mean.square()).clamp(min=0)

    def count_not_summed(count_a, mean_a, var_a, count_b, mean_b, var_b):
        _, mean, var = Right.by_loop(count_a, mean_a, var_a, count_b, mean_b, var_b)
        count_a = count_b
        return count_a, mean, var

    def overwrites(count_a, mean_a, var_a, count_b, mean_b, var_b):
        return count_a + count_b, mean_b.clone(), var_b.clone()

    def returns_sum(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n, d = count_a + count_b, mean_b - mean_a
        return n, mean_a + d * count_b / n, count_a * var_a + count_b * var_b + d * d * count_a * count_b / n

    def shift_not_squared(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        p, q = count_a / n, count_b / n
        return n, p * mean_a + q * mean_b, p * var_a + q * var_b + p * q * (mean_b - mean_a)

    def unweighted_variance(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        mean = (mean_a * count_a + mean_b * count_b) / n
        between = (count_a * (mean_a - mean) ** 2 + count_b * (mean_b - mean) ** 2) / n
        return n, mean, 0.5 * var_a + 0.5 * var_b + between

    def variance_weights_swapped(count_a, mean_a, var_a, count_b, mean_b, var_b):
        return Right.by_loop(count_a, mean_a, var_b, count_b, mean_b, var_a)

    def in_place__mean(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        delta = mean_b - mean_a
        mean_a += delta * count_b / n
        var = (count_a * var_a + count_b * var_b) / n + delta**2 * count_a * count_b / n**2
        return n, mean_a, var

    def wrong_type__only_mean(*groups):
        return Right.by_loop(*groups)[1]

    def result_averaged__floats(*groups):
        n, mean, var = Right.by_loop(*groups)
        return n, mean.mean().item(), var.mean().item()

    def wrong_type__lists(*groups):
        n, mean, var = Right.by_loop(*groups)
        return n, mean.tolist(), var.tolist()

    def nan__when_empty(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n, mean, var = Right.by_loop(count_a, mean_a, var_a, count_b, mean_b, var_b)
        return n, mean, var * (torch.tensor(count_a) / count_a)

    def exception__zero_division(count_a, mean_a, var_a, count_b, mean_b, var_b):
        ratio = count_b / count_a
        mean = (mean_a + ratio * mean_b) / (1 + ratio)
        var = (var_a + ratio * var_b) / (1 + ratio) + ratio / (1 + ratio) ** 2 * (mean_b - mean_a) ** 2
        return count_a + count_b, mean, var

    def unknown__oddly(*groups):
        n, mean, var = Right.by_loop(*groups)
        return n, mean, var + 7

    def counts_groups(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + 1
        d = mean_b - mean_a
        return n, mean_a + d * count_b / n, (count_a * var_a + count_b * var_b) / n + d**2 * count_a * count_b / n**2

    def order_of_results__count_last(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        d = mean_b - mean_a
        return mean_a + d * count_b / n, (count_a * var_a + count_b * var_b) / n + d**2 * count_a * count_b / n**2, n

    def order_of_results__variance_first(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        d = mean_b - mean_a
        return n, (count_a * var_a + count_b * var_b) / n + d**2 * count_a * count_b / n**2, mean_a + d * count_b / n

    def old_count__guarded(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        d = mean_b - mean_a
        mean = mean_a + d * count_b / max(count_a, 1)
        return n, mean, (count_a * var_a + count_b * var_b) / n + d**2 * count_a * count_b / n**2

    def fraction_inverted(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        d = mean_b - mean_a
        return n, mean_a + d * n / count_b, (count_a * var_a + count_b * var_b) / n + d**2 * count_a * count_b / n**2

    def share_rounded(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        d = mean_b - mean_a
        return (
            n,
            mean_a + d * (count_b // n),
            (count_a * var_a + count_b * var_b) / n + d**2 * (count_a * count_b // n**2),
        )

    def means_added(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        d = mean_b - mean_a
        return n, mean_a + mean_b, (count_a * var_a + count_b * var_b) / n + d**2 * count_a * count_b / n**2

    def mean_not_divided__sum(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        d = mean_b - mean_a
        return (
            n,
            mean_a * count_a + mean_b * count_b,
            (count_a * var_a + count_b * var_b) / n + d**2 * count_a * count_b / n**2,
        )

    def mean_not_divided__brackets(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        mean = count_a * mean_a + count_b * mean_b / n
        d = mean_b - mean_a
        return n, mean, (count_a * var_a + count_b * var_b) / n + d**2 * count_a * count_b / n**2

    def mean_over_features(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        d = mean_b.mean() - mean_a.mean()
        return n, mean_a + d * count_b / n, (count_a * var_a + count_b * var_b) / n + d**2 * count_a * count_b / n**2

    def absolute_delta(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        d = (mean_b - mean_a).abs()
        return n, mean_a + d * count_b / n, (count_a * var_a + count_b * var_b) / n + d**2 * count_a * count_b / n**2

    def empty_group(count_a, mean_a, var_a, count_b, mean_b, var_b):
        if count_a == 0:
            return 0, mean_a, var_a
        n = count_a + count_b
        d = mean_b - mean_a
        return n, mean_a + d * count_b / n, (count_a * var_a + count_b * var_b) / n + d**2 * count_a * count_b / n**2

    def empty_group__count(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        if count_a == 0:
            return n, mean_a, var_a
        d = mean_b - mean_a
        return n, mean_a + d * count_b / n, (count_a * var_a + count_b * var_b) / n + d**2 * count_a * count_b / n**2

    def moving_average(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        return n, 0.9 * mean_a + 0.1 * mean_b, 0.9 * var_a + 0.1 * var_b

    def shift_subtracted(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        d = mean_b - mean_a
        return n, mean_a + d * count_b / n, (count_a * var_a + count_b * var_b) / n - d**2 * count_a * count_b / n**2

    def shift_from_new_mean(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        mean = (count_a * mean_a + count_b * mean_b) / n
        d = mean_b - mean
        return n, mean, (count_a * var_a + count_b * var_b) / n + d**2 * count_a * count_b / n**2

    def shift_mixes_features(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        d = mean_b - mean_a
        return (
            n,
            mean_a + d * count_b / n,
            (count_a * var_a + count_b * var_b) / n + d.pow(2).sum() * count_a * count_b / n**2,
        )

    def shift_weight__unweighted(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        mean = (count_a * mean_a + count_b * mean_b) / n
        var = (count_a * var_a + count_b * var_b) / n + (mean_a - mean) ** 2 + (mean_b - mean) ** 2
        return n, mean, var

    def shift_weight__unbiased(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        m = torch.stack([mean_a, mean_b])
        return n, (count_a * mean_a + count_b * mean_b) / n, (count_a * var_a + count_b * var_b) / n + m.var(0)

    def variances_added(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        d = mean_b - mean_a
        return n, mean_a + d * count_b / n, var_a + var_b + d**2 * count_a * count_b / n**2

    def variances_added__one_weight(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        d = mean_b - mean_a
        return n, mean_a + d * count_b / n, var_a + (count_b / n) * var_b + d**2 * count_a * count_b / n**2

    def variances_added__with__no_shift(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        mean = (count_a * mean_a + count_b * mean_b) / n
        return n, mean, var_a + var_b

    def variance_weights_squared(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        wa, wb = count_a / n, count_b / n
        return n, wa * mean_a + wb * mean_b, wa**2 * var_a + wb**2 * var_b + wa * wb * (mean_a - mean_b) ** 2

    def variance_weights_squared__with__no_shift(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        wa, wb = count_a / n, count_b / n
        return n, wa * mean_a + wb * mean_b, wa**2 * var_a + wb**2 * var_b

    def mean_square(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        mean = (count_a * mean_a + count_b * mean_b) / n
        sq = (count_a * (var_a + mean_a**2) + count_b * (var_b + mean_b**2)) / n
        return n, mean, sq

    def unbiased_variance__with__no_shift(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        return n, (count_a * mean_a + count_b * mean_b) / n, (count_a * var_a + count_b * var_b) / (n - 1)

    def unbiased_variance__within(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        d = mean_b - mean_a
        return (
            n,
            mean_a + d * count_b / n,
            (count_a * var_a + count_b * var_b) / (n - 1) + d**2 * count_a * count_b / n**2,
        )

    def no_shift__with__returns_std(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        mean = (count_a * mean_a + count_b * mean_b) / n
        return n, mean, ((count_a * var_a + count_b * var_b) / n).sqrt()

    def in_place__variance(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        d = mean_b - mean_a
        var_a *= count_a
        var_a += var_b * count_b
        return n, mean_a + d * count_b / n, var_a / n + d**2 * count_a * count_b / n**2

    def old_count_overwritten(na, ma, va, nb, mb, vb):
        na = na + nb
        d = mb - ma
        return na, ma + d * nb / na, (na * va + nb * vb) / na + d**2 * na * nb / na**2

    def variance_weights_swapped__with__no_shift(na, ma, va, nb, mb, vb):
        n = na + nb
        return n, (na * ma + nb * mb) / n, (nb * va + na * vb) / n

    def variance_weights_swapped__with__shift_weight(na, ma, va, nb, mb, vb):
        n = na + nb
        return n, (na * ma + nb * mb) / n, (nb * va + na * vb) / n + (ma - mb) ** 2 * na * nb / n

    def unbiased_variance__with__shift_weight(na, ma, va, nb, mb, vb):
        n = na + nb
        return n, (na * ma + nb * mb) / n, ((na - 1) * va + (nb - 1) * vb) / (n - 1) + (ma - mb) ** 2 * na * nb / n

    def merges_stds__with__returns_std(na, ma, va, nb, mb, vb):
        n = na + nb
        d = mb - ma
        return n, ma + d * nb / n, torch.sqrt((na * va**2 + nb * vb**2) / n + d**2 * na * nb / n**2)

    def integer_result(na, ma, va, nb, mb, vb):
        n = na + nb
        mean = torch.zeros(len(ma), dtype=torch.long)
        for i in range(len(ma)):
            mean[i] = (na * ma[i] + nb * mb[i]) / n
        return n, mean, (na * va + nb * vb) / n + (ma - mb) ** 2 * na * nb / n**2

    def means_only(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        mean = (count_a * mean_a + count_b * mean_b) / n
        return n, mean, (count_a * (mean_a - mean) ** 2 + count_b * (mean_b - mean) ** 2) / n

    def never_learns(count_a, mean_a, var_a, count_b, mean_b, var_b):
        count_a += count_b
        return count_a, mean_a, var_a

    def variance_overwritten(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n = count_a + count_b
        mean = (count_a * mean_a + count_b * mean_b) / n
        return n, mean, var_b + (mean_b - mean) ** 2

    def first_variance_lost(count_a, mean_a, var_a, count_b, mean_b, var_b):
        if count_a == 0:
            return count_b, mean_b.clone(), torch.zeros_like(mean_b)
        return Right.by_einsum(count_a, mean_a, var_a, count_b, mean_b, var_b)

    def share_added(count_a, mean_a, var_a, count_b, mean_b, var_b):
        n, _, var = Right.by_einsum(count_a, mean_a, var_a, count_b, mean_b, var_b)
        return n, mean_a + (mean_b - mean_a) + count_b / n, var
