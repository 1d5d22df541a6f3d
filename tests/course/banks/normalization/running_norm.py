"""Answers that people give to `running_norm`. The name of each wrong answer starts with its mistake."""

import math

import numpy as np
import torch
from torch import nn

from rsl_edu.modules import EmpiricalNormalization


class Right:
    class from_module(nn.Module):
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

    class by_welford:
        """Learn from one sample at a time, in float64."""

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

    class of_everything:
        def __init__(self, features, eps=1e-2):
            self.seen, self.eps = torch.empty(0, features, dtype=torch.float64), eps

        def update(self, x):
            self.seen = torch.cat([self.seen, x.double()])

        def __call__(self, x):
            centred = self.seen - self.seen.mean(0)
            var = torch.einsum("nf,nf->f", centred, centred) / len(self.seen)
            return (x - self.seen.mean(0)) / (var**0.5 + self.eps)

    class from_library(EmpiricalNormalization):
        pass

    class baselines:
        """RunningMeanStd of OpenAI baselines, made of parts that most wrong answers below replace."""

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

    class in_parts:
        """A right normalizer, made of parts that other wrong answers replace."""

        def __init__(self, features, eps=1e-2):
            self.count = 0
            self.mean = torch.zeros(features)
            self.var = torch.ones(features)
            self.eps = eps

        def batch(self, x):
            return len(x), x.mean(0), x.var(0, correction=0)

        def merge(self, n, mean, var):
            total = self.count + n
            d = mean - self.mean
            self.mean = self.mean + d * n / total
            self.var = (self.count * self.var + n * var) / total + d**2 * self.count * n / total**2
            self.count = total

        def update(self, x):
            self.merge(*self.batch(x))

        def __call__(self, x):
            return (x - self.mean) / (self.var.sqrt() + self.eps)

    class by_sums:
        def __init__(self, features, eps=1e-2):
            self.n, self.eps = 0, eps
            self.s = torch.zeros(features, dtype=torch.float64)
            self.q = torch.zeros(features, dtype=torch.float64)

        def update(self, x):
            self.n += x.shape[0]
            self.s += x.double().sum(0)
            self.q += (x.double() ** 2).sum(0)

        def __call__(self, x):
            mean = self.s / self.n
            var = (self.q / self.n - mean**2).clamp(min=0)
            return ((x - mean) / (var.sqrt() + self.eps)).float()

    class with_buffers(nn.Module):
        def __init__(self, features, eps=1e-2):
            super().__init__()
            self.register_buffer("mean", torch.zeros(features))
            self.register_buffer("var", torch.ones(features))
            self.register_buffer("count", torch.tensor(0))
            self.eps = eps

        @torch.no_grad()
        def update(self, x):
            n = x.shape[0]
            rate = n / (self.count + n)
            delta = x.mean(0) - self.mean
            var = x.var(0, unbiased=False)
            self.var += rate * (var - self.var + delta * (x.mean(0) - (self.mean + rate * delta)))
            self.mean += rate * delta
            self.count += n

        def forward(self, x):
            return (x - self.mean) / (torch.sqrt(self.var) + self.eps)

    class by_numpy:
        def __init__(self, features, eps=1e-2):
            self.count, self.mean, self.var, self.eps = 0, np.zeros(features), np.ones(features), eps

        def update(self, x):
            x = x.numpy().astype(np.float64)
            n = self.count + len(x)
            d = x.mean(0) - self.mean
            m2 = self.var * self.count + x.var(0) * len(x) + d**2 * self.count * len(x) / n
            self.mean, self.var, self.count = self.mean + d * len(x) / n, m2 / n, n

        def __call__(self, x):
            return torch.tensor((x.numpy() - self.mean) / (np.sqrt(self.var) + self.eps))

    class with_rows(in_parts):
        def __init__(self, features, eps=1e-2):
            super().__init__(features, eps)
            self.mean, self.var = torch.zeros(1, features), torch.ones(1, features)

        def batch(self, x):
            return x.size(0), x.mean(0, keepdim=True), x.var(0, keepdim=True, unbiased=False)

    class first_batch_apart(in_parts):
        def __init__(self, features, eps=1e-2):
            self.count, self.eps = None, eps

        def update(self, x):
            n, mean, var = self.batch(x)
            if self.count is None:
                self.count, self.mean, self.var = n, mean, var
            else:
                self.merge(n, mean, var)

    class with_parameters(nn.Module):
        def __init__(self, features, eps=1e-2):
            super().__init__()
            self.mean = nn.Parameter(torch.zeros(features), requires_grad=False)
            self.var = nn.Parameter(torch.ones(features), requires_grad=False)
            self.count, self.eps = 0, eps

        def update(self, x):
            n = len(x)
            total = self.count + n
            d = x.mean(0) - self.mean
            self.var.data = (
                self.count * self.var + n * x.var(0, correction=0)
            ) / total + d**2 * self.count * n / total**2
            self.mean.data = self.mean + d * n / total
            self.count = total

        def forward(self, x):
            return (x - self.mean) / (self.var.sqrt() + self.eps)


def wrong_merge(**wrong):
    """Return a normalizer with wrong results of its merge, computed from the two groups and their total count."""

    class Norm(Right.in_parts):
        def merge(self, *batch):
            past = self.count, self.mean, self.var
            super().merge(*batch)
            for name, part in wrong.items():
                setattr(self, name, part(*past, *batch, past[0] + batch[0]))

    return Norm


class Wrong:
    class unbiased_variance(Right.baselines):
        def batch(self, x):
            return x.mean(dim=0), x.var(dim=0), len(x)

    class eps_inside_root(Right.baselines):
        def scale(self):
            return (self.var + self.eps) ** 0.5

    class eps_forgotten(Right.baselines):
        def scale(self):
            return self.var.pow(0.5)

    class eps_as_floor(Right.baselines):
        def scale(self):
            return torch.maximum(self.var.sqrt(), torch.tensor(self.eps))

    class eps_ignored(Right.baselines):
        def scale(self):
            return self.var.sqrt() + 1e-8

    class eps_default(Right.baselines):
        def __init__(self, features, eps=1e-8):
            super().__init__(features, eps)

    class divides_by_variance(Right.baselines):
        def scale(self):
            return self.var + self.eps

    class mean_kept(Right.baselines):
        def __call__(self, x):
            return x / self.scale()

    class forward_learns__before(Right.baselines):
        def __call__(self, x):
            self.update(x)
            return super().__call__(x)

    class forward_learns__after(Right.from_module):
        def forward(self, x):
            y = super().forward(x)
            if self.training:
                self.update(x)
            return y

    class normalizes_by_batch(Right.baselines):
        def __call__(self, x):
            return (x - x.mean(0)) / (x.std(0, unbiased=False) + self.eps)

    class overwrites(Right.baselines):
        def update(self, x):
            self.mean = x.mean(0)
            self.var = ((x - self.mean) ** 2).mean(0)

    class never_learns(Right.baselines):
        def update(self, x):
            mean, var, count = self.batch(x)
            self.batch_mean, self.batch_var, self.batch_count = mean, var, count

    class no_shift(Right.baselines):
        def update(self, x):
            mean, var, count = self.batch(x)
            rate = count / (self.count + count)
            self.count += count
            self.mean = (1 - rate) * self.mean + rate * mean
            self.var = (1 - rate) * self.var + rate * var

    class shift_weight(Right.baselines):
        def update(self, x):
            mean, var, count = self.batch(x)
            self.count += count
            delta = mean - self.mean
            self.mean = self.mean + count / self.count * delta
            self.var = self.var + count / self.count * (var - self.var + delta * delta)

    class counts_batches(Right.baselines):
        def batch(self, x):
            mean, var, _ = super().batch(x)
            return mean, var, 1

    class moving_average__fixed(Right.baselines):
        def update(self, x):
            mean, var, _ = self.batch(x)
            self.mean = 0.9 * self.mean + 0.1 * mean
            self.var = 0.9 * self.var + 0.1 * var

    class moving_average__after_first(Right.baselines):
        def update(self, x):
            mean, var, _ = self.batch(x)
            momentum = 0.99 if self.count else 0.0
            self.count += 1
            self.mean = momentum * self.mean + (1 - momentum) * mean
            self.var = momentum * self.var + (1 - momentum) * var

    class moving_average__batch_norm(nn.Module):
        def __init__(self, features, eps=1e-2):
            super().__init__()
            self.bn, self.eps = nn.BatchNorm1d(features, affine=False), eps

        def update(self, x):
            self.bn.running_mean = torch.lerp(self.bn.running_mean, x.mean(0), 0.1)
            self.bn.running_var = torch.lerp(self.bn.running_var, x.var(0, correction=0), 0.1)

        def forward(self, x):
            return (x - self.bn.running_mean) / (self.bn.running_var.sqrt() + self.eps)

    class phantom_sample(Right.baselines):
        def __init__(self, features, eps=1e-2):
            super().__init__(features, eps)
            self.count = 1

    class mixes_features(Right.baselines):
        def batch(self, x):
            return x.mean(), x.var(unbiased=False), len(x)

    class wrong_dimension(Right.baselines):
        def batch(self, x):
            return x.mean(dim=-1), x.var(dim=-1, unbiased=False), len(x)

    class averages_stds(Right.baselines):
        def update(self, x):
            mean, var, count = self.batch(x)
            total = self.count + count
            self.mean = (self.mean * self.count + mean * count) / total
            self.var = ((self.var.sqrt() * self.count + var.sqrt() * count) / total) ** 2
            self.count = total

    class sum_of_squares(Right.baselines):
        def __init__(self, features, eps=1e-2):
            super().__init__(features, eps)
            self.total, self.squares = torch.zeros(features), torch.zeros(features)

        def update(self, x):
            self.count += len(x)
            self.total = self.total + x.sum(0)
            self.squares = self.squares + (x * x).sum(0)
            self.mean = self.total / self.count
            self.var = self.squares / self.count - self.mean**2

    class in_place__input(Right.baselines):
        def __call__(self, x):
            x -= self.mean
            x /= self.scale()
            return x

    class no_return__call(Right.baselines):
        def __call__(self, x):
            (x - self.mean) / self.scale()

    class result_flattened(Right.baselines):
        def __call__(self, x):
            return super().__call__(x).flatten()

    class not_answered__stub:
        def __init__(self, features, eps=1e-2):
            self.eps = eps

        def update(self, x):
            raise NotImplementedError("your code here")

        def __call__(self, x):
            raise NotImplementedError("your code here")

    class learns_when_called(Right.in_parts):
        def update(self, x):
            pass

        def __call__(self, x):
            self.merge(*self.batch(x))
            return super().__call__(x)

    class phantom_sample__small(Right.in_parts):
        def __init__(self, features, eps=1e-2):
            super().__init__(features, eps)
            self.count = 1e-4

    class eps_after_division(Right.in_parts):
        def __call__(self, x):
            return (x - self.mean) / self.var.sqrt() + self.eps

    class mean_divided(Right.in_parts):
        def __call__(self, x):
            return x - self.mean / (self.var.sqrt() + self.eps)

    class variances_added(Right.in_parts):
        def merge(self, n, mean, var):
            total = self.count + n
            d = mean - self.mean
            self.mean = self.mean + d * n / total
            self.var = self.var + var + d**2 * self.count * n / total**2
            self.count = total

    class moving_average__halves(Right.in_parts):
        def merge(self, n, mean, var):
            if self.count == 0:
                self.mean, self.var = mean, var
            else:
                self.mean, self.var = (self.mean + mean) / 2, (self.var + var) / 2
            self.count += n

    class counts_twice(Right.in_parts):
        """The count is updated before the weights are computed."""

        def merge(self, n, mean, var):
            self.count += n
            total = self.count + n
            d = mean - self.mean
            self.mean = self.mean + d * n / total
            self.var = (self.count * self.var + n * var) / total + d**2 * self.count * n / total**2

    class overwrites__count_not_stored(Right.in_parts):
        def merge(self, n, mean, var):
            total = self.count + n
            d = mean - self.mean
            self.mean = self.mean + d * n / total
            self.var = (self.count * self.var + n * var) / total + d**2 * self.count * n / total**2

    class shift_from_new_mean(Right.in_parts):
        """The mean is already updated when delta is computed for the shift."""

        def merge(self, n, mean, var):
            total = self.count + n
            self.mean = self.mean + (mean - self.mean) * n / total
            self.var = (self.count * self.var + n * var) / total + (mean - self.mean) ** 2 * self.count * n / total**2
            self.count = total

    class single_sample_step(Right.in_parts):
        def merge(self, n, mean, var):
            total = self.count + n
            d = mean - self.mean
            self.mean = self.mean + d / total
            self.var = (self.count * self.var + n * var) / total + d**2 * self.count * n / total**2
            self.count = total

    class weights_swapped(Right.in_parts):
        def merge(self, n, mean, var):
            total = self.count + n
            d = mean - self.mean
            self.mean = (n * self.mean + self.count * mean) / total
            self.var = (self.count * self.var + n * var) / total + d**2 * self.count * n / total**2
            self.count = total

    class unbiased_variance__with__eps_inside_root(Right.in_parts):
        def batch(self, x):
            return len(x), x.mean(0), x.var(0)

        def __call__(self, x):
            return (x - self.mean) / torch.sqrt(self.var + self.eps)

    class no_shift__with__eps_inside_root(Right.in_parts):
        def merge(self, n, mean, var):
            total = self.count + n
            self.mean = (self.count * self.mean + n * mean) / total
            self.var = (self.count * self.var + n * var) / total
            self.count = total

        def __call__(self, x):
            return (x - self.mean) / torch.sqrt(self.var + self.eps)

    class unbiased_variance__with__divides_by_variance(Right.in_parts):
        def batch(self, x):
            return len(x), x.mean(0), x.var(0)

        def __call__(self, x):
            return (x - self.mean) / (self.var + self.eps)

    class eps_default__with__eps_inside_root(Right.in_parts):
        def __init__(self, features, eps=1e-8):
            super().__init__(features, eps)

        def __call__(self, x):
            return (x - self.mean) / torch.sqrt(self.var + self.eps)

    class std_for_variance(Right.in_parts):
        def batch(self, x):
            return len(x), x.mean(0), x.std(0, correction=0)

    class averages_stds__batch(Right.in_parts):
        def batch(self, x):
            return len(x), x.mean(0), x.std(0, correction=0)

        def __call__(self, x):
            return (x - self.mean) / (self.var + self.eps)

    class var_mean_order(Right.in_parts):
        def batch(self, x):
            mean, var = torch.var_mean(x, dim=0, correction=0)
            return len(x), mean, var

    class unbiased_variance__with__var_mean_order(Right.in_parts):
        def batch(self, x):
            mean, var = torch.var_mean(x, dim=0)
            return len(x), mean, var

    class library_batch_norm(nn.Module):
        def __init__(self, features, eps=1e-2):
            super().__init__()
            self.bn = nn.BatchNorm1d(features, eps=eps, affine=False)

        def update(self, x):
            self.bn.train()
            self.bn(x)

        def forward(self, x):
            self.bn.eval()
            return self.bn(x)

    class normalizes_by_row(nn.Module):
        def __init__(self, features, eps=1e-2):
            super().__init__()
            self.ln = nn.LayerNorm(features, eps=eps, elementwise_affine=False)

        def update(self, x):
            pass

        def forward(self, x):
            return self.ln(x)

    class clipped(Right.in_parts):
        def __call__(self, x):
            return super().__call__(x).clamp(-5, 5)

    class unbiased_variance__stream:
        def __init__(self, features, eps=1e-2):
            self.n, self.mu, self.M, self.eps = 0, torch.zeros(features), torch.zeros(features), eps

        def update(self, x):
            for row in x:
                self.n += 1
                d = row - self.mu
                self.mu = self.mu + d / self.n
                self.M = self.M + d * (row - self.mu)

        def __call__(self, x):
            return (x - self.mu) / ((self.M / max(self.n - 1, 1)).sqrt() + self.eps)

    class batch_means_only(unbiased_variance__stream):
        def update(self, x):
            self.n += 1
            d = x.mean(0) - self.mu
            self.mu = self.mu + d / self.n
            self.M = self.M + d * (x.mean(0) - self.mu)

        def __call__(self, x):
            return (x - self.mu) / ((self.M / self.n).sqrt() + self.eps)

    class one_sample_of_a_batch(Right.in_parts):
        def batch(self, x):
            return 1, x[-1], torch.zeros_like(x[-1])

    class never_learns__self_forgotten(Right.in_parts):
        def update(self, x):
            count, mean, var = self.batch(x)  # noqa: RUF059
            count += self.count

    class unbiased_variance__with__overwrites(Right.in_parts):
        def update(self, x):
            self.mean, self.var = x.mean(0), x.var(0)

    class mean_kept__with__eps_inside_root(Right.in_parts):
        def __call__(self, x):
            return x / (self.var + self.eps).sqrt()

    class unbiased_variance__with__mixes_features(Right.in_parts):
        def batch(self, x):
            return len(x), x.mean(), x.var()

    class forward_learns__with__no_shift(Right.in_parts):
        def merge(self, n, mean, var):
            total = self.count + n
            self.mean = (self.count * self.mean + n * mean) / total
            self.var = (self.count * self.var + n * var) / total
            self.count = total

        def __call__(self, x):
            self.update(x)
            return super().__call__(x)

    class learns_once(Right.in_parts):
        def update(self, x):
            if self.count == 0:
                super().update(x)

    class eps_ignored__at_start(Right.in_parts):
        def __init__(self, features, eps=1e-2):
            super().__init__(features, 0.01)

    class centres_by_batch(Right.in_parts):
        def __call__(self, x):
            return (x - x.mean(0)) / (self.var.sqrt() + self.eps)

    class scales_by_batch(Right.in_parts):
        def __call__(self, x):
            return (x - self.mean) / (x.std(0, correction=0) + self.eps)

    class shift_weight__in_place(nn.Module):
        def __init__(self, features, eps=1e-2):
            super().__init__()
            self.mean, self.var, self.count, self.eps = torch.zeros(features), torch.ones(features), 0, eps

        def update(self, x):
            n = len(x)
            delta = x.mean(0) - self.mean
            self.count += n
            self.mean += delta * n / self.count
            self.var = (
                (self.count - n) * self.var + n * x.var(0, correction=0)
            ) / self.count + delta**2 * n / self.count

        def forward(self, x):
            return (x - self.mean) / (self.var.sqrt() + self.eps)

    class variance_overwritten(Right.in_parts):
        def update(self, x):
            n, mean, _ = self.batch(x)
            total = self.count + n
            self.mean = (self.count * self.mean + n * mean) / total
            self.var = ((x - self.mean) ** 2).mean(0)
            self.count = total

    class forward_learns__keeps_all:
        def __init__(self, features, eps=1e-2):
            self.s, self.eps = [], eps

        def update(self, x):
            self.s.append(x)

        def __call__(self, x):
            self.s.append(x)
            a = torch.cat(self.s)
            return (x - a.mean(0)) / (a.std(0, unbiased=False) + self.eps)

    class counts_batches__with__no_shift:
        def __init__(self, features, eps=1e-2):
            self.m, self.v, self.eps = [], [], eps

        def update(self, x):
            self.m.append(x.mean(0))
            self.v.append(x.var(0, unbiased=False))

        def __call__(self, x):
            return (x - torch.stack(self.m).mean(0)) / (torch.stack(self.v).mean(0).sqrt() + self.eps)

    class unbiased_variance__with__moving_average(Right.in_parts):
        def update(self, x):
            self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
            self.var = 0.9 * self.var + 0.1 * x.var(0)

    class mean_after_division(Right.in_parts):
        def __call__(self, x):
            return x / (self.var.sqrt() + self.eps) - self.mean

    class random__mean(Right.in_parts):
        def __init__(self, features, eps=1e-2):
            super().__init__(features, eps)
            self.mean = torch.randn(features)
            self.count = 1

    class shares_std(Right.in_parts):
        def batch(self, x):
            return len(x), x.mean(0), x.var(correction=0)

    class zero_std_replaced(Right.in_parts):
        def __call__(self, x):
            std = self.var.sqrt()
            std[std < 0.1] = 1.0
            return (x - self.mean) / (std + self.eps)

    class not_all_stored(Right.in_parts):
        def merge(self, n, mean, var):
            total = self.count + n
            d = mean - self.mean
            self.var = (self.count * self.var + n * var) / total + d**2 * self.count * n / total**2
            self.count = total

    class not_divided(Right.in_parts):
        def update(self, x):
            for r in x:
                self.count += 1
                d = r - self.mean
                self.mean = self.mean + d / self.count
                self.var = self.var + d * (r - self.mean)

    class unbiased_variance__with__learns_when_called(Right.in_parts):
        def update(self, x):
            pass

        def __call__(self, x):
            self.merge(len(x), x.mean(0), x.var(0))
            return super().__call__(x)

    class unbiased_variance__guarded(Right.in_parts):
        def batch(self, x):
            return len(x), x.mean(0), x.var(0) if len(x) > 1 else torch.zeros(x.shape[1])

    # A wrong merge: written in the class, or a wrong merge_moments that it calls
    absolute_delta = wrong_merge(mean=lambda na, ma, va, nb, mb, vb, n: ma + abs(mb - ma) * nb / n)
    count_not_summed = wrong_merge(count=lambda na, ma, va, nb, mb, vb, n: nb)
    counts_groups = wrong_merge(count=lambda na, ma, va, nb, mb, vb, n: na + 1)
    delta_sign = wrong_merge(mean=lambda na, ma, va, nb, mb, vb, n: ma - (mb - ma) * nb / n)
    empty_group = wrong_merge(
        mean=lambda na, ma, va, nb, mb, vb, n: ma + (mb - ma) * nb / n if na else ma,
        var=lambda na, ma, va, nb, mb, vb, n: ((na * va + nb * vb) / n + (mb - ma) ** 2 * na * nb / n**2) if na else va,
    )
    fraction_inverted = wrong_merge(mean=lambda na, ma, va, nb, mb, vb, n: ma + (mb - ma) * n / nb)
    mean_not_divided = wrong_merge(mean=lambda na, ma, va, nb, mb, vb, n: na * ma + nb * mb)
    mean_over_features = wrong_merge(mean=lambda na, ma, va, nb, mb, vb, n: ma + (mb - ma).mean() * nb / n)
    mean_square = wrong_merge(var=lambda na, ma, va, nb, mb, vb, n: (na * (va + ma**2) + nb * (vb + mb**2)) / n)
    means_added = wrong_merge(mean=lambda na, ma, va, nb, mb, vb, n: ma + mb)
    means_only = wrong_merge(var=lambda na, ma, va, nb, mb, vb, n: (mb - ma) ** 2 * na * nb / n**2)
    old_count = wrong_merge(mean=lambda na, ma, va, nb, mb, vb, n: ma + (mb - ma) * nb / max(na, 1))
    old_count_overwritten = wrong_merge(
        var=lambda na, ma, va, nb, mb, vb, n: va + nb * vb / n + (mb - ma) ** 2 * nb / n
    )
    returns_std = wrong_merge(
        var=lambda na, ma, va, nb, mb, vb, n: torch.sqrt((na * va + nb * vb) / n + (mb - ma) ** 2 * na * nb / n**2)
    )
    returns_sum = wrong_merge(var=lambda na, ma, va, nb, mb, vb, n: na * va + nb * vb + (mb - ma) ** 2 * na * nb / n)
    share_rounded = wrong_merge(mean=lambda na, ma, va, nb, mb, vb, n: ma + (mb - ma) * (nb // n))
    shift_mixes_features = wrong_merge(
        var=lambda na, ma, va, nb, mb, vb, n: (na * va + nb * vb) / n + ((mb - ma) ** 2).sum() * na * nb / n**2
    )
    shift_not_squared = wrong_merge(
        var=lambda na, ma, va, nb, mb, vb, n: (na * va + nb * vb) / n + (mb - ma) * na * nb / n**2
    )
    shift_subtracted = wrong_merge(
        var=lambda na, ma, va, nb, mb, vb, n: ((na * va + nb * vb) / n - (mb - ma) ** 2 * na * nb / n**2).clamp(min=0)
    )
    unweighted_mean = wrong_merge(mean=lambda na, ma, va, nb, mb, vb, n: (ma + mb) / 2)
    unweighted_variance = wrong_merge(
        var=lambda na, ma, va, nb, mb, vb, n: (va + vb) / 2 + (mb - ma) ** 2 * na * nb / n**2
    )
    variance_weights_squared = wrong_merge(
        var=lambda na, ma, va, nb, mb, vb, n: (na / n) ** 2 * va + (nb / n) ** 2 * vb + (mb - ma) ** 2 * na * nb / n**2
    )
    variance_weights_swapped = wrong_merge(
        var=lambda na, ma, va, nb, mb, vb, n: (nb * va + na * vb) / n + (mb - ma) ** 2 * na * nb / n**2
    )

    class first_variance_lost(Right.in_parts):
        def update(self, x):
            first = self.count == 0
            super().update(x)
            if first:
                self.var = torch.zeros_like(self.var)

    class share_added(Right.in_parts):
        def update(self, x):
            before = self.mean
            super().update(x)
            self.mean = before + (x.mean(0) - before) + len(x) / self.count
