"""What people answer to `running_norm`; the name of a wrong answer begins with the name of its mistake."""

import math

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
        """The RunningMeanStd of OpenAI baselines, in parts; most of the wrong ones replace one."""

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

    class wrong_shape__flat(Right.baselines):
        def __call__(self, x):
            return super().__call__(x).flatten()

    class not_answered__stub:
        def __init__(self, features, eps=1e-2):
            self.eps = eps

        def update(self, x):
            raise NotImplementedError("your code here")

        def __call__(self, x):
            raise NotImplementedError("your code here")
