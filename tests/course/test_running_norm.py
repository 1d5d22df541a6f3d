"""Messages of the checks of lesson 4 that the banks of answers cannot test."""

import pytest
import torch

from rsl_edu.course import check


def norm_of_class():
    class Norm:
        count, mean, var = 0, 0.0, 1.0

        def __init__(self, features, eps=1e-2):
            self.eps = eps

        def update(self, x):
            cls = type(self)
            n, mean, var = len(x), x.mean(0), x.var(0, correction=0)
            total = cls.count + n
            d = mean - cls.mean
            cls.var = (cls.count * cls.var + n * var) / total + d**2 * cls.count * n / total**2
            cls.mean = cls.mean + d * n / total
            cls.count = total

        def __call__(self, x):
            return (x - self.mean) / (self.var**0.5 + self.eps)

    return Norm


def norm_of_shared_list():
    class Norm:
        seen = []  # noqa: RUF012  it is the mistake

        def __init__(self, features, eps=1e-2):
            self.eps = eps

        def update(self, x):
            self.seen.append(x)

        def __call__(self, x):
            s = torch.cat(self.seen)
            return (x - s.mean(0)) / (s.std(0, correction=0) + self.eps)

    return Norm


def norm_of_default_list():
    class Norm:
        def __init__(self, features, eps=1e-2, s=[]):  # noqa: B006  it is the mistake
            self.s, self.eps = s, eps

        def update(self, x):
            self.s.append(x)

        def __call__(self, x):
            a = torch.cat(self.s)
            return (x - a.mean(0)) / (a.std(0, unbiased=False) + self.eps)

    return Norm


@pytest.mark.parametrize("make", [norm_of_class, norm_of_shared_list, norm_of_default_list])
def test_statistics_that_all_normalizers_share_are_named(make):
    verdict = check.running_norm(make())  # a new class for each check, because the class keeps the statistics
    assert verdict.mistake == "state-between-calls"
    assert "class attributes (shared by all objects)" in verdict.message


def test_wrong_merge_is_named_in_the_normalizer_that_calls_it():
    def merge_moments(count_a, mean_a, var_a, count_b, mean_b, var_b):
        count = count_a + count_b
        delta = mean_a - mean_b
        within = (count_a * var_a + count_b * var_b) / count
        return count, mean_a + delta * count_b / count, within + delta**2 * count_a * count_b / count**2

    class Norm:
        def __init__(self, features, eps=0.01):
            self.count, self.mean, self.var, self.eps = 0, torch.zeros(features), torch.ones(features), eps

        def update(self, x):
            var, mean = torch.var_mean(x, 0, unbiased=False)
            self.count, self.mean, self.var = merge_moments(self.count, self.mean, self.var, len(x), mean, var)

        def __call__(self, x):
            return (x - self.mean) / (self.var.sqrt() + self.eps)

    assert check.merge_moments(merge_moments).mistake == "delta-sign"
    message = check.running_norm(Norm).message
    assert message.startswith("in update, your mean moves away from mean_b, because the difference has the wrong sign.")
