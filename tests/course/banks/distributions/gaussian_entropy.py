"""Answers that people give to `gaussian_entropy`. The name of each wrong answer starts with its mistake."""

import math

import numpy as np
import torch
from torch.distributions import Independent, Normal


class Right:
    def by_torch(std):
        return Normal(torch.zeros_like(std), std).entropy().sum(-1)

    def by_loops(std):
        return torch.tensor([sum(0.5 * math.log(2 * math.pi * math.e * s**2) for s in row) for row in std.tolist()])

    def of_joint(std):
        return Independent(Normal(torch.full_like(std, 7.0), std), 1).entropy()

    def by_determinant(std):
        std = std.to(torch.float64)
        covariance = torch.einsum("bi,ij->bij", std**2, torch.eye(std.shape[1], dtype=torch.float64))
        return 0.5 * (std.shape[1] * (1 + math.log(2 * math.pi)) + torch.logdet(covariance))

    def by_integral(std):
        """Compute -∫ p log p by the trapezoidal rule, on a grid of distances in stds."""
        z = torch.linspace(-9, 9, 2001, dtype=torch.float64)
        p = torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)  # [grid]
        unit = -torch.trapezoid(p * p.log(), z)
        return (unit + std.double().log()).sum(-1)

    def constant_at_the_end(std):
        return std.log().sum(-1) + std.size(1) / 2 * math.log(2 * math.pi * math.e)

    def by_numpy(std):
        return torch.from_numpy(np.log(std.numpy()).sum(axis=1) + 0.5 * np.log(2 * np.pi * np.e) * std.shape[1])

    def of_variance(std):
        return 0.5 * torch.log(2 * torch.pi * torch.e * std.data.pow(2)).sum(dim=1)


class Wrong:
    def half_missing(std):
        return -Normal(torch.zeros_like(std), std).log_prob(torch.zeros_like(std)).sum(-1)

    def constant_missing(std):
        return (0.5 + torch.log(std)).sum(-1)

    def log_std_only(std):
        return std.log().sum(-1)

    def constant_not_halved(std):
        return (0.5 + math.log(2 * math.pi) + std.log()).sum(-1)

    def constant_once__at_the_end(std):
        return std.log().sum(-1) + 0.5 * math.log(2 * math.pi * math.e)

    def constant_once__determinant(std):
        return 0.5 * (math.log(2 * math.pi * math.e) + 2 * torch.log(std).sum(dim=-1))

    def not_halved(std):
        return torch.log(2 * math.pi * math.e * std**2).sum(-1)

    def std_as_variance(std):
        return (0.5 * torch.log(2 * math.pi * math.e * std)).sum(-1)

    def variance_as_std(std):
        return Normal(0.0, std.square()).entropy().sum(-1)

    def std_not_logged(std):
        return (std + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)

    def log_std_sign(std):
        return (0.5 + 0.5 * math.log(2 * math.pi) - torch.log(std)).sum(-1)

    def sign(std):
        return -(0.5 + 0.5 * math.log(2 * math.pi) + torch.log(std)).sum(-1)

    def never_negative__clamped(std):
        return torch.relu(Right.by_torch(std))

    def never_negative__absolute(std):
        return torch.abs(Normal(0, std).entropy()).sum(-1)

    def log_std_absolute(std):
        return (0.5 * math.log(2 * math.pi * math.e) + torch.abs(torch.log(std))).sum(-1)

    def bits__base_2(std):
        return (0.5 * torch.log2(2 * math.pi * math.e * std**2)).sum(-1)

    def bits__base_10(std):
        return (0.5 * torch.log10(2 * math.pi * math.e * std**2)).sum(-1)

    def one_point(std):
        peak = 1 / (std * math.sqrt(2 * math.pi))
        return -(peak * torch.log(peak)).sum(-1)

    def log_of_sum__std(std):
        return Normal(0, std.sum(-1)).entropy()

    def log_of_sum__variance(std):
        return 0.5 * torch.log(2 * math.pi * math.e * (std**2).sum(-1))

    def per_component(std):
        return 0.5 * torch.log(2 * math.pi * math.e * std**2)

    def mean_over_actions(std):
        return Wrong.per_component(std).mean(dim=-1)

    def over_batch__bonus(std):
        return Wrong.per_component(std).sum(dim=-1).mean()

    def over_batch__total(std):
        return sum(sum(row) for row in Wrong.per_component(std))

    def wrong_dimension(std):
        return sum(Wrong.per_component(std))

    def product(std):
        return Wrong.per_component(std).prod(1)

    def constant_of_pi__two_missing(std):
        return 0.5 * torch.log(math.pi * math.e * std**2).sum(-1)

    def constant_halved_twice__log_of_root(std):
        return (std.log() + 0.5 + 0.5 * math.log(math.sqrt(2 * math.pi))).sum(-1)

    def constant_not_logged__root(std):
        return (std.log() + 0.5 + math.sqrt(2 * math.pi)).sum(-1)

    def constant_sign(std):
        return (std.log() + 0.5 - 0.5 * math.log(2 * math.pi)).sum(-1)

    def half_sign(std):
        return (std.log() - 0.5 + 0.5 * math.log(2 * math.pi)).sum(-1)

    def one_for_half(std):
        return (std.log() + 1 + 0.5 * math.log(2 * math.pi)).sum(-1)

    def times_std__brackets(std):
        return (0.5 * math.log(2 * math.pi * math.e) * std**2).sum(-1)

    def times_std__log(std):
        return (0.5 * math.log(2 * math.pi * math.e) * std.log()).sum(-1)

    def log_probability(std):
        return Normal(0, std).log_prob(torch.tensor(0.0)).sum(-1)

    def probabilities__categorical(std):
        return torch.distributions.Categorical(std).entropy()

    def probabilities__p_log_p(std):
        return -(std * std.log()).sum(-1)

    def number_added__eps(std):
        return (torch.log(std + 1e-6) + 0.5 + 0.5 * math.log(2 * math.pi)).sum(-1)

    def number_added__log1p(std):
        return (torch.log1p(std) + 0.5 + 0.5 * math.log(2 * math.pi)).sum(-1)

    def log_std_absolute__clamped(std):
        return (std.clamp(min=1.0).log() + 0.5 + 0.5 * math.log(2 * math.pi)).sum(-1)

    def log_of_sum__mean_variance(std):
        return 0.5 * torch.log(2 * math.pi * math.e * std.pow(2).mean(-1))

    def other_distribution__laplace(std):
        return (1 + torch.log(2 * std)).sum(-1)

    def components_lost__first_only(std):
        return Wrong.per_component(std)[:, 0]

    def random__monte_carlo(std):
        action = torch.randn(10_000, *std.shape) * std
        return -Normal(torch.zeros_like(std), std).log_prob(action).sum(-1).mean(0)

    def half_missing__with__mean_over_actions(std):
        return (std.log() + 0.5 * math.log(2 * math.pi)).mean(-1)

    def constant_missing__with__wrong_dimension(std):
        return (std.log() + 0.5).sum(0)

    def variance_as_std__with__mean_over_actions(std):
        return Normal(torch.zeros_like(std), std**2).entropy().mean(-1)

    def halves_missing(std):
        return (std.log() + 1 + math.log(2 * math.pi)).sum(-1)

    def std_not_logged__with__half_missing(std):
        return (std + 0.5 * math.log(2 * math.pi)).sum(-1)

    def std_as_variance__with__over_batch(std):
        return (0.5 * torch.log(2 * math.pi * math.e * std)).sum(-1).mean()

    def not_halved__with__per_component(std):
        return torch.log(2 * math.pi * math.e * std**2)

    def bits__with__mean_over_actions(std):
        return (torch.log2(std) + 0.5 + 0.5 * math.log2(2 * math.pi)).mean(-1)

    def exp_of_result(std):
        return torch.exp(Wrong.per_component(std).sum(-1))

    def in_place__log(std):
        return std.log_().add_(0.5 * math.log(2 * math.pi * math.e)).sum(-1)

    def result_unsqueezed__kept_dim(std):
        return Wrong.per_component(std).sum(1, True)

    def wrong_type__array(std):
        return np.log(std.numpy()).sum(-1) + std.shape[1] * 1.41893853

    def unknown__sampled(std):
        samples = torch.randn(100, *std.shape, generator=torch.Generator().manual_seed(0)) * std
        return -Normal(0, std).log_prob(samples).sum(-1).mean(0)

    def exception__log_of_number(std):
        return (torch.log(2 * math.pi * math.e) / 2 + std.log()).sum(-1)

    def product_underflows(std):
        n = std.shape[-1]
        return std.prod(-1).log() + n * (0.5 + 0.5 * math.log(2 * math.pi))
