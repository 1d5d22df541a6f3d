"""What people answer to `merge_moments`; the name of a wrong answer begins with the name of its mistake."""

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
        return n, mean, square - mean**2  # float64 has the digits

    def as_rsl_rl(count_a, mean_a, var_a, count_b, mean_b, var_b):
        if count_a == 0:
            return count_b, mean_b, var_b
        rate = count_b / (count_a + count_b)
        new = torch.lerp(mean_a, mean_b, rate)
        return count_a + count_b, new, var_a + rate * (var_b - var_a + (mean_b - mean_a) * (mean_b - new))


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

    def wrong_shape__floats(*groups):
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
