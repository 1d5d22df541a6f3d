"""Answers to lesson 4's exercises as people write them: right ones, and wrong ones with the mistake they make."""

import math

import numpy as np
import torch
from torch import nn

from rsl_edu.modules import EmpiricalNormalization

# merge_moments: right -------------------------------------------------------------------------------------------------


def merge_by_loop(count_a, mean_a, var_a, count_b, mean_b, var_b):
    n = count_a + count_b
    mean, var = torch.zeros_like(mean_a), torch.zeros_like(var_a)
    for i in range(len(mean_a)):
        mean[i] = (count_a * mean_a[i] + count_b * mean_b[i]) / n
        for count, m, v in ((count_a, mean_a, var_a), (count_b, mean_b, var_b)):
            var[i] += count * (v[i] + (m[i] - mean[i]) ** 2) / n
    return [n, mean, var]


def merge_by_einsum(count_a, mean_a, var_a, count_b, mean_b, var_b):
    weights = torch.tensor([count_a, count_b]) / (count_a + count_b)
    means, variances = torch.stack([mean_a, mean_b]), torch.stack([var_a, var_b])
    mean = torch.einsum("g,gf->f", weights, means)
    return (
        torch.tensor(count_a + count_b),
        mean,
        torch.einsum("g,gf->f", weights, variances + (means - mean).square()),
    )


def merge_in_float64(count_a, mean_a, var_a, count_b, mean_b, var_b):
    mean_a, var_a, mean_b, var_b = (t.double() for t in (mean_a, var_a, mean_b, var_b))
    n = count_a + count_b
    mean = (count_a * mean_a + count_b * mean_b) / n
    square = (count_a * (var_a + mean_a**2) + count_b * (var_b + mean_b**2)) / n
    return n, mean, square - mean**2  # float64 has the digits


def merge_as_rsl_rl(count_a, mean_a, var_a, count_b, mean_b, var_b):
    if count_a == 0:
        return count_b, mean_b, var_b
    rate = count_b / (count_a + count_b)
    new = torch.lerp(mean_a, mean_b, rate)
    return count_a + count_b, new, var_a + rate * (var_b - var_a + (mean_b - mean_a) * (mean_b - new))


# merge_moments: wrong -------------------------------------------------------------------------------------------------


def merge_bessel(count_a, mean_a, var_a, count_b, mean_b, var_b):
    m2 = var_a * count_a + var_b * count_b + (mean_a - mean_b) ** 2 / (1 / max(count_a, 1e-30) + 1 / count_b)
    n = count_a + count_b
    return n, mean_a + (mean_b - mean_a) * (count_b / n), m2 / (n - 1)


def merge_unbiased_inside(count_a, mean_a, var_a, count_b, mean_b, var_b):
    n, d = count_a + count_b, mean_b - mean_a
    m_a = var_a * (count_a - 1)
    m_b = var_b * (count_b - 1)
    return n, mean_a + d * count_b / n, (m_a + m_b + d**2 * count_a * count_b / n) / (n - 1)


def merge_without_shift(count_a, mean_a, var_a, count_b, mean_b, var_b):
    w = count_a / (count_a + count_b)
    return count_a + count_b, w * mean_a + (1 - w) * mean_b, torch.lerp(var_b, var_a, w)


def merge_plain_averages(count_a, mean_a, var_a, count_b, mean_b, var_b):
    return count_a + count_b, torch.stack([mean_a, mean_b]).mean(0), torch.stack([var_a, var_b]).mean(0)


def merge_swapped(count_a, mean_a, var_a, count_b, mean_b, var_b):
    rate = count_a / (count_a + count_b)
    mean = mean_a + rate * (mean_b - mean_a)
    var = (1 - rate) * (var_a + (mean_a - mean) ** 2) + rate * (var_b + (mean_b - mean) ** 2)
    return count_a + count_b, mean, var


def merge_backwards(count_a, mean_a, var_a, count_b, mean_b, var_b):
    n, _, var = merge_by_loop(count_a, mean_a, var_a, count_b, mean_b, var_b)
    return n, mean_a + (mean_a - mean_b) * count_b / n, var


def merge_one_step(count_a, mean_a, var_a, count_b, mean_b, var_b):
    count = count_a + count_b
    mean = mean_a + (mean_b - mean_a) / count
    return count, mean, (count_a * var_a + count_b * var_b + (mean_b - mean_a) * (mean_b - mean)) / count


def merge_to_std(*groups):
    n, mean, var = merge_by_loop(*groups)
    return n, mean, var**0.5


def merge_stds(count_a, mean_a, var_a, count_b, mean_b, var_b):
    n, mean, var = merge_by_loop(count_a, mean_a, var_a**2, count_b, mean_b, var_b**2)
    return n, mean, var


def merge_shift_over_n(count_a, mean_a, var_a, count_b, mean_b, var_b):
    n = count_a + count_b
    shift = (mean_a - mean_b).pow(2) * (count_a * count_b / n)
    return n, (mean_a * count_a + mean_b * count_b) / n, (var_a * count_a + var_b * count_b) / n + shift


def merge_shift_old_delta(count_a, mean_a, var_a, count_b, mean_b, var_b):
    rate, delta = count_b / (count_a + count_b), mean_b - mean_a
    return count_a + count_b, mean_a + rate * delta, var_a + rate * (var_b - var_a + delta * delta)


def merge_shift_of_one_group(count_a, mean_a, var_a, count_b, mean_b, var_b):
    n = count_a + count_b
    mean = (mean_a * count_a + mean_b * count_b) / n
    return n, mean, (var_a * count_a + var_b * count_b + count_b * (mean_b - mean) ** 2) / n


def merge_naive_squares(count_a, mean_a, var_a, count_b, mean_b, var_b):
    w_a, w_b = count_a / (count_a + count_b), count_b / (count_a + count_b)
    mean = w_a * mean_a + w_b * mean_b
    second = w_a * (mean_a.square() + var_a) + w_b * (mean_b.square() + var_b)
    return count_a + count_b, mean, (second - mean.square()).clamp(min=0)


def merge_only_b_counts(count_a, mean_a, var_a, count_b, mean_b, var_b):
    _, mean, var = merge_by_loop(count_a, mean_a, var_a, count_b, mean_b, var_b)
    count_a = count_b
    return count_a, mean, var


def merge_replaced(count_a, mean_a, var_a, count_b, mean_b, var_b):
    return count_a + count_b, mean_b.clone(), var_b.clone()


def merge_undivided(count_a, mean_a, var_a, count_b, mean_b, var_b):
    n, d = count_a + count_b, mean_b - mean_a
    return n, mean_a + d * count_b / n, count_a * var_a + count_b * var_b + d * d * count_a * count_b / n


def merge_unsquared(count_a, mean_a, var_a, count_b, mean_b, var_b):
    n = count_a + count_b
    p, q = count_a / n, count_b / n
    return n, p * mean_a + q * mean_b, p * var_a + q * var_b + p * q * (mean_b - mean_a)


def merge_plain_variances(count_a, mean_a, var_a, count_b, mean_b, var_b):
    n = count_a + count_b
    mean = (mean_a * count_a + mean_b * count_b) / n
    between = (count_a * (mean_a - mean) ** 2 + count_b * (mean_b - mean) ** 2) / n
    return n, mean, 0.5 * var_a + 0.5 * var_b + between


def merge_swapped_variances(count_a, mean_a, var_a, count_b, mean_b, var_b):
    n, mean, var = merge_by_loop(count_a, mean_a, var_b, count_b, mean_b, var_a)
    return n, mean, var


def merge_in_place(count_a, mean_a, var_a, count_b, mean_b, var_b):
    n = count_a + count_b
    delta = mean_b - mean_a
    mean_a += delta * count_b / n
    var = (count_a * var_a + count_b * var_b) / n + delta**2 * count_a * count_b / n**2
    return n, mean_a, var


def merge_without_return(*groups):
    merge_by_loop(*groups)


def merge_only_mean(*groups):
    return merge_by_loop(*groups)[1]


def merge_to_floats(*groups):
    n, mean, var = merge_by_loop(*groups)
    return n, mean.mean().item(), var.mean().item()


def merge_to_lists(*groups):
    n, mean, var = merge_by_loop(*groups)
    return n, mean.tolist(), var.tolist()


def merge_nan_when_empty(count_a, mean_a, var_a, count_b, mean_b, var_b):
    n, mean, var = merge_by_loop(count_a, mean_a, var_a, count_b, mean_b, var_b)
    return n, mean, var * (torch.tensor(count_a) / count_a)


def merge_zero_division(count_a, mean_a, var_a, count_b, mean_b, var_b):
    ratio = count_b / count_a
    mean = (mean_a + ratio * mean_b) / (1 + ratio)
    var = (var_a + ratio * var_b) / (1 + ratio) + ratio / (1 + ratio) ** 2 * (mean_b - mean_a) ** 2
    return count_a + count_b, mean, var


def merge_oddly(*groups):
    n, mean, var = merge_by_loop(*groups)
    return n, mean, var + 7


def merge_stub(count_a, mean_a, var_a, count_b, mean_b, var_b):
    raise NotImplementedError


# RunningNorm: right ---------------------------------------------------------------------------------------------------


class NormFromModule(nn.Module):
    def __init__(self, features, eps=0.01):
        super().__init__()
        self.eps = eps
        self.n = 0
        self.register_buffer("mean", torch.zeros(1, features))
        self.register_buffer("var", torch.ones(1, features))

    def update(self, x):
        n = x.shape[0]
        rate = n / (self.n + n)
        self.n += n
        delta = x.mean(dim=0, keepdim=True) - self.mean
        self.mean += rate * delta
        batch_var = ((x - x.mean(dim=0)) ** 2).sum(dim=0) / n
        self.var += rate * (batch_var - self.var + delta * (x.mean(dim=0) - self.mean))

    def forward(self, x):
        return (x - self.mean) / (self.var.sqrt() + self.eps)


class NormByWelford:
    """One sample at a time, in float64."""

    def __init__(self, features, eps=1e-2):
        self.n, self.m, self.s, self.eps = 0, [0.0] * features, [0.0] * features, eps

    def update(self, x):
        for row in x.tolist():
            self.n += 1
            for i, value in enumerate(row):
                delta = value - self.m[i]
                self.m[i] += delta / self.n
                self.s[i] += delta * (value - self.m[i])

    def forward(self, x):
        std = [math.sqrt(s / self.n) + self.eps for s in self.s]
        return torch.tensor([[(v - m) / d for v, m, d in zip(row, self.m, std, strict=True)] for row in x.tolist()])


class NormOfEverything:
    def __init__(self, features, eps=1e-2):
        self.seen, self.eps = torch.empty(0, features, dtype=torch.float64), eps

    def update(self, x):
        self.seen = torch.cat([self.seen, x.double()])

    def __call__(self, x):
        centred = self.seen - self.seen.mean(0)
        var = torch.einsum("nf,nf->f", centred, centred) / len(self.seen)
        return (x - self.seen.mean(0)) / (var**0.5 + self.eps)


class NormFromLibrary(EmpiricalNormalization):
    pass


# RunningNorm: wrong, as variants of the RunningMeanStd of OpenAI baselines --------------------------------------------


class Baselines:
    def __init__(self, features, eps=1e-2):
        self.mean, self.var, self.count = torch.zeros(features), torch.ones(features), 0
        self.eps = eps

    def batch(self, x):
        return torch.mean(x, axis=0), torch.var(x, axis=0, unbiased=False), x.shape[0]

    def update(self, x):
        mean, var, count = self.batch(x)
        delta = mean - self.mean
        total = self.count + count
        m2 = self.var * self.count + var * count + delta**2 * self.count * count / total
        self.mean, self.var, self.count = self.mean + delta * count / total, m2 / total, total

    def scale(self):
        return torch.sqrt(self.var) + self.eps

    def __call__(self, x):
        return (x - self.mean) / self.scale()


class NormUnbiased(Baselines):
    def batch(self, x):
        return x.mean(dim=0), x.var(dim=0), len(x)


class NormEpsInRoot(Baselines):
    def scale(self):
        return (self.var + self.eps) ** 0.5


class NormNoEps(Baselines):
    def scale(self):
        return self.var.pow(0.5)


class NormEpsFloor(Baselines):
    def scale(self):
        return torch.maximum(self.var.sqrt(), torch.tensor(self.eps))


class NormOwnEps(Baselines):
    def scale(self):
        return self.var.sqrt() + 1e-8


class NormOtherDefault(Baselines):
    def __init__(self, features, eps=1e-8):
        super().__init__(features, eps)


class NormByVariance(Baselines):
    def scale(self):
        return self.var + self.eps


class NormUncentred(Baselines):
    def __call__(self, x):
        return x / self.scale()


class NormLearnsBefore(Baselines):
    def __call__(self, x):
        self.update(x)
        return super().__call__(x)


class NormLearnsAfter(NormFromModule):
    def forward(self, x):
        y = super().forward(x)
        if self.training:
            self.update(x)
        return y


class NormOfThisBatch(Baselines):
    def __call__(self, x):
        return (x - x.mean(0)) / (x.std(0, unbiased=False) + self.eps)


class NormOfLastBatch(Baselines):
    def update(self, x):
        self.mean = x.mean(0)
        self.var = ((x - self.mean) ** 2).mean(0)


class NormForgetsToStore(Baselines):
    def update(self, x):
        mean, var, count = self.batch(x)
        self.batch_mean, self.batch_var, self.batch_count = mean, var, count


class NormNoShift(Baselines):
    def update(self, x):
        mean, var, count = self.batch(x)
        rate = count / (self.count + count)
        self.count += count
        self.mean = (1 - rate) * self.mean + rate * mean
        self.var = (1 - rate) * self.var + rate * var


class NormOldDelta(Baselines):
    def update(self, x):
        mean, var, count = self.batch(x)
        self.count += count
        delta = mean - self.mean
        self.mean = self.mean + count / self.count * delta
        self.var = self.var + count / self.count * (var - self.var + delta * delta)


class NormCountsCalls(Baselines):
    def batch(self, x):
        mean, var, _ = super().batch(x)
        return mean, var, 1


class NormMomentum(Baselines):
    def update(self, x):
        mean, var, _ = self.batch(x)
        self.mean = 0.9 * self.mean + 0.1 * mean
        self.var = 0.9 * self.var + 0.1 * var


class NormMomentumAfterFirst(Baselines):
    def update(self, x):
        mean, var, _ = self.batch(x)
        momentum = 0.99 if self.count else 0.0
        self.count += 1
        self.mean = momentum * self.mean + (1 - momentum) * mean
        self.var = momentum * self.var + (1 - momentum) * var


class NormBatchNorm(nn.Module):
    def __init__(self, features, eps=1e-2):
        super().__init__()
        self.bn, self.eps = nn.BatchNorm1d(features, affine=False), eps

    def update(self, x):
        self.bn.running_mean = torch.lerp(self.bn.running_mean, x.mean(0), 0.1)
        self.bn.running_var = torch.lerp(self.bn.running_var, x.var(0, correction=0), 0.1)

    def forward(self, x):
        return (x - self.bn.running_mean) / (self.bn.running_var.sqrt() + self.eps)


class NormFromOne(Baselines):
    def __init__(self, features, eps=1e-2):
        super().__init__(features, eps)
        self.count = 1


class NormOneForAll(Baselines):
    def batch(self, x):
        return x.mean(), x.var(unbiased=False), len(x)


class NormOfRows(Baselines):
    def batch(self, x):
        return x.mean(dim=-1), x.var(dim=-1, unbiased=False), len(x)


class NormOfStds(Baselines):
    def update(self, x):
        mean, var, count = self.batch(x)
        total = self.count + count
        self.mean = (self.mean * self.count + mean * count) / total
        self.var = ((self.var.sqrt() * self.count + var.sqrt() * count) / total) ** 2
        self.count = total


class NormOfSums(Baselines):
    def __init__(self, features, eps=1e-2):
        super().__init__(features, eps)
        self.total, self.squares = torch.zeros(features), torch.zeros(features)

    def update(self, x):
        self.count += len(x)
        self.total = self.total + x.sum(0)
        self.squares = self.squares + (x * x).sum(0)
        self.mean = self.total / self.count
        self.var = self.squares / self.count - self.mean**2


class NormInPlace(Baselines):
    def __call__(self, x):
        x -= self.mean
        x /= self.scale()
        return x


class NormNoReturn(Baselines):
    def __call__(self, x):
        (x - self.mean) / self.scale()


class NormFlat(Baselines):
    def __call__(self, x):
        return super().__call__(x).flatten()


class NormStub:
    def __init__(self, features, eps=1e-2):
        self.eps = eps

    def update(self, x):
        raise NotImplementedError("your code here")

    def __call__(self, x):
        raise NotImplementedError("your code here")


# discounted_return_scale: right ---------------------------------------------------------------------------------------


def scale_by_loops(rewards, dones, gamma):
    values = []
    for env in range(rewards.shape[1]):
        total = 0.0
        for t in range(rewards.shape[0]):
            if t > 0 and dones[t - 1, env]:
                total = 0.0
            total = gamma * total + rewards[t, env].item()
            values.append(total)
    mean = sum(values) / len(values)
    return math.sqrt(sum((v - mean) ** 2 for v in values) / len(values))


def scale_by_matrix(rewards, dones, gamma):
    """Every return at once: R = W r, with W[t, s] = gamma^(t-s) inside one episode."""
    time = torch.arange(len(rewards))
    episode = dones.cumsum(0) - dones  # [time, envs]
    power = gamma ** (time[:, None] - time).clamp(min=0).double()
    inside = (episode[:, None] == episode[None]) & (time[:, None] >= time)[..., None]
    returns = torch.einsum("ts,tse,se->te", power, inside.double(), rewards.double())
    return returns.var(correction=0).sqrt()


def scale_by_numpy(rewards, dones, gamma):
    r, ends = rewards.numpy(), dones.numpy().astype(bool)
    out = np.zeros_like(r)
    running = np.zeros(r.shape[1])
    for t in range(len(r)):
        running = gamma * running + r[t]
        out[t] = running
        running[ends[t]] = 0
    return float(out.std())


def scale_indexed(rewards, dones, gamma):
    returns = rewards.clone()
    for t in range(1, len(rewards)):
        returns[t] += gamma * returns[t - 1] * (1 - dones[t - 1])
    return (returns - returns.mean()).square().mean().sqrt()


# discounted_return_scale: wrong ---------------------------------------------------------------------------------------


def sums_of(rewards, dones, gamma):
    returns = rewards.clone()
    for t in range(1, len(rewards)):
        returns[t] += gamma * returns[t - 1] * (1 - dones[t - 1])
    return returns


def scale_of_rewards(rewards, dones, gamma):
    return (rewards - rewards.mean()).square().mean().sqrt()


def scale_without_reset(rewards, dones, gamma):
    return torch.tensor(scale_by_loops(rewards, torch.zeros_like(dones), gamma))


def scale_reset_early(rewards, dones, gamma):
    returns = torch.zeros_like(rewards)
    running = torch.zeros(rewards.shape[1])
    for t in range(len(rewards)):
        running[dones[t].bool()] = 0
        running = gamma * running + rewards[t]
        returns[t] = running
    return returns.std(unbiased=False)


def scale_reset_then_store(rewards, dones, gamma):
    running, returns = torch.zeros(rewards.shape[1]), []
    for reward, done in zip(rewards, dones, strict=True):
        running = running * gamma + reward
        running[done > 0] = 0.0
        returns.append(running.clone())
    return torch.stack(returns).std(unbiased=False).item()


def scale_reset_everyone(rewards, dones, gamma):
    anyone = dones.any(dim=1, keepdim=True).float().expand_as(dones)
    return scale_indexed(rewards, anyone, gamma)


def scale_masked_wrong(rewards, dones, gamma):
    return scale_indexed(rewards, 1 - dones, gamma)


def scale_to_go(rewards, dones, gamma):
    to_go = rewards.clone()
    for t in reversed(range(len(rewards) - 1)):
        to_go[t] += gamma * to_go[t + 1] * (1 - dones[t])
    return to_go.std(unbiased=False)


def scale_to_go_without_reset(rewards, dones, gamma):
    return scale_to_go(rewards, 0 * dones, gamma)


def scale_absolute_time(rewards, dones, gamma):
    total, values = torch.zeros(rewards.shape[1]), []
    for t, reward in enumerate(rewards):
        total = total + gamma**t * reward
        values.append(total)
    return torch.stack(values).std(unbiased=False)


def scale_undiscounted(rewards, dones, gamma):
    return scale_by_loops(rewards, dones, 1.0)


def scale_gamma_on_all(rewards, dones, gamma):
    return gamma * scale_indexed(rewards, dones, gamma)


def scale_averaging(rewards, dones, gamma):
    return scale_indexed((1 - gamma) * rewards, dones, gamma)


def scale_over_envs(rewards, dones, gamma):
    return torch.stack([row.std(unbiased=False) for row in sums_of(rewards, dones, gamma)]).mean()


def scale_over_time(rewards, dones, gamma):
    return torch.stack([column.std(unbiased=False) for column in sums_of(rewards, dones, gamma).T]).mean()


def scale_of_mean_robot(rewards, dones, gamma):
    return np.std(sums_of(rewards, dones, gamma).numpy().mean(axis=1))


def scale_of_last(rewards, dones, gamma):
    return sums_of(rewards, dones, gamma)[-1].std(unbiased=False)


def scale_unbiased(rewards, dones, gamma):
    return torch.std(sums_of(rewards, dones, gamma))


def scale_squared(rewards, dones, gamma):
    return scale_by_loops(rewards, dones, gamma) ** 2


def scale_rms(rewards, dones, gamma):
    sums = sums_of(rewards, dones, gamma)
    return sums.norm() / math.sqrt(sums.numel())


def scale_applied(rewards, dones, gamma):
    return rewards / scale_indexed(rewards, dones, gamma)


def scale_applied_centred(rewards, dones, gamma):
    return (rewards - rewards.mean()) / scale_indexed(rewards, dones, gamma)


def scale_in_place(rewards, dones, gamma):
    for t in range(1, len(rewards)):
        rewards[t] += gamma * rewards[t - 1] * (1 - dones[t - 1])
    return rewards.std(unbiased=False)


def scale_without_return(rewards, dones, gamma):
    sums_of(rewards, dones, gamma).std(unbiased=False)


def scale_all_sums(rewards, dones, gamma):
    return sums_of(rewards, dones, gamma)


def scale_doubled(rewards, dones, gamma):
    return 2 * scale_by_loops(rewards, dones, gamma) + 1


def scale_stub(rewards, dones, gamma):
    raise NotImplementedError


# The bank -------------------------------------------------------------------------------------------------------------

RIGHT = {
    "merge_moments": [merge_by_loop, merge_by_einsum, merge_in_float64, merge_as_rsl_rl],
    "running_norm": [NormFromModule, NormByWelford, NormOfEverything, NormFromLibrary, Baselines],
    "discounted_return_scale": [scale_by_loops, scale_by_matrix, scale_by_numpy, scale_indexed],
}

WRONG = {
    "merge_moments": [
        (merge_bessel, "unbiased-variance"),
        (merge_unbiased_inside, "unbiased-variance"),
        (merge_without_shift, "no-shift"),
        (merge_plain_averages, "unweighted-mean"),
        (merge_swapped, "weights-swapped"),
        (merge_backwards, "delta-sign"),
        (merge_one_step, "single-sample-step"),
        (merge_to_std, "returns-std"),
        (merge_stds, "merges-stds"),
        (merge_shift_over_n, "shift-weight"),
        (merge_shift_old_delta, "shift-weight"),
        (merge_shift_of_one_group, "shift-weight"),
        (merge_naive_squares, "sum-of-squares"),
        (merge_only_b_counts, "count-not-summed"),
        (merge_replaced, "overwrites"),
        (merge_undivided, "returns-sum"),
        (merge_unsquared, "shift-not-squared"),
        (merge_plain_variances, "unweighted-variance"),
        (merge_swapped_variances, "variance-weights-swapped"),
        (merge_in_place, "in-place"),
        (merge_without_return, "no-return"),
        (merge_only_mean, "wrong-type"),
        (merge_to_floats, "wrong-shape"),
        (merge_to_lists, "wrong-type"),
        (merge_nan_when_empty, "nan"),
        (merge_zero_division, "exception"),
        (merge_oddly, "unknown"),
        (merge_stub, "not-answered"),
    ],
    "running_norm": [
        (NormUnbiased, "unbiased-variance"),
        (NormEpsInRoot, "eps-inside-root"),
        (NormNoEps, "eps-forgotten"),
        (NormEpsFloor, "eps-as-floor"),
        (NormOwnEps, "eps-ignored"),
        (NormOtherDefault, "eps-default"),
        (NormByVariance, "divides-by-variance"),
        (NormUncentred, "mean-kept"),
        (NormLearnsBefore, "forward-learns"),
        (NormLearnsAfter, "forward-learns"),
        (NormOfThisBatch, "normalizes-by-batch"),
        (NormOfLastBatch, "overwrites"),
        (NormForgetsToStore, "never-learns"),
        (NormNoShift, "no-shift"),
        (NormOldDelta, "shift-weight"),
        (NormCountsCalls, "counts-batches"),
        (NormMomentum, "moving-average"),
        (NormMomentumAfterFirst, "moving-average"),
        (NormBatchNorm, "moving-average"),
        (NormFromOne, "phantom-sample"),
        (NormOneForAll, "mixes-features"),
        (NormOfRows, "wrong-dimension"),
        (NormOfStds, "averages-stds"),
        (NormOfSums, "sum-of-squares"),
        (NormInPlace, "in-place"),
        (NormNoReturn, "no-return"),
        (NormFlat, "wrong-shape"),
        (NormStub, "not-answered"),
    ],
    "discounted_return_scale": [
        (scale_of_rewards, "rewards-std"),
        (scale_without_reset, "no-reset"),
        (scale_reset_early, "resets-early"),
        (scale_reset_then_store, "drops-last-reward"),
        (scale_reset_everyone, "resets-all"),
        (scale_masked_wrong, "resets-inverted"),
        (scale_to_go, "reward-to-go"),
        (scale_to_go_without_reset, "reward-to-go"),
        (scale_absolute_time, "discounts-from-start"),
        (scale_undiscounted, "no-discount"),
        (scale_gamma_on_all, "gamma-on-reward"),
        (scale_averaging, "moving-average"),
        (scale_over_envs, "std-per-step"),
        (scale_over_time, "std-per-robot"),
        (scale_of_mean_robot, "averages-robots"),
        (scale_of_last, "last-step-only"),
        (scale_unbiased, "unbiased-std"),
        (scale_squared, "variance-for-std"),
        (scale_rms, "root-mean-square"),
        (scale_applied, "returns-normalized"),
        (scale_applied_centred, "returns-normalized"),
        (scale_in_place, "in-place"),
        (scale_without_return, "no-return"),
        (scale_all_sums, "wrong-shape"),
        (scale_doubled, "unknown"),
        (scale_stub, "not-answered"),
    ],
}
