"""Answers that people give to `gaussian_log_prob`. The name of each wrong answer starts with its mistake."""

import math

import numpy as np
import torch
from torch.distributions import Independent, MultivariateNormal, Normal


class Right:
    def by_torch(mean, std, action):
        return Normal(mean, std).log_prob(action).sum(dim=-1)

    def by_loops(mean, std, action):
        out = []
        for m_row, s_row, a_row in zip(mean.tolist(), std.tolist(), action.tolist(), strict=True):
            total = 0.0
            for m, s, a in zip(m_row, s_row, a_row, strict=True):
                total -= (a - m) ** 2 / (2 * s**2) + math.log(s * math.sqrt(2 * math.pi))
            out.append(total)
        return torch.tensor(out)

    def by_einsum(mean, std, action):
        far, precision = (action - mean).double(), std.double() ** -2
        squared = torch.einsum("ba,ba,ba->b", far, far, precision)
        return -0.5 * (squared - precision.log().sum(1) + mean.shape[1] * math.log(2 * math.pi))

    def by_covariance(mean, std, action):
        return MultivariateNormal(mean, torch.diag_embed(std**2)).log_prob(action)

    def in_place_on_its_own(mean, std, action):
        result = action - mean
        result /= std
        result.square_().mul_(-0.5)
        result -= torch.log(std)
        result -= 0.9189385332
        return result.sum(1)

    def by_numpy(mean, std, action):
        mean, std, action = (each.double().numpy() for each in (mean, std, action))
        each = -((action - mean) ** 2) / (2 * std**2) - np.log(std * np.sqrt(2 * np.pi))
        return torch.from_numpy(each.sum(axis=-1))

    def by_loss(mean, std, action):
        loss = torch.nn.functional.gaussian_nll_loss(mean, action, std**2, full=True, reduction="none", eps=1e-12)
        return -loss.sum(-1)

    def joint_by_joint(mean, std, action):
        total = torch.zeros(mean.shape[0])
        for i in range(mean.shape[1]):
            z = (mean[:, i] - action[:, i]) / std[:, i]
            total += -0.5 * z * z - std[:, i].log() - 0.5 * math.log(2 * torch.pi)
        return total


class Wrong:
    def constant_missing(mean, std, action):
        var = std.pow(2)
        return (-((action - mean) ** 2) / (2 * var) - torch.log(std)).sum(-1)

    def constant_not_halved(mean, std, action):
        return (-0.5 * ((action - mean) / std) ** 2 - std.log() - math.log(2 * math.pi)).sum(-1)

    def constant_halved_twice(mean, std, action):
        return (-0.5 * ((action - mean) / std) ** 2 - std.log() - 0.5 * math.log(math.sqrt(2 * math.pi))).sum(-1)

    def constant_once(mean, std, action):
        exponent = (((action - mean) / std) ** 2).sum(-1)
        return -0.5 * (exponent + 2 * std.log().sum(-1) + math.log(2 * math.pi))

    def constant_sign(mean, std, action):
        return Right.by_torch(mean, std, action) + mean.size(-1) * math.log(2 * math.pi)

    def constant_not_logged__root(mean, std, action):
        return torch.sum(-((action - mean) ** 2) / (2 * std**2) - torch.log(std) - np.sqrt(2 * np.pi), dim=-1)

    def constant_not_logged__half_two_pi(mean, std, action):
        return torch.sum(-0.5 * (((action - mean) / std) ** 2 + 2 * torch.log(std) + 2 * torch.pi), dim=-1)

    def log_std_missing(mean, std, action):
        return (-0.5 * ((action - mean) ** 2 / std**2 + math.log(2 * math.pi))).sum(-1)

    def log_std_sign(mean, std, action):
        return (-0.5 * ((action - mean) ** 2 / std**2) + std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)

    def log_std_twice(mean, std, action):
        return (-0.5 * ((action - mean) ** 2 / std**2) - (std**2).log() - 0.5 * math.log(2 * math.pi)).sum(-1)

    def log_std_halved(mean, std, action):
        z = (action - mean) / std
        return (-0.5 * (z * z + torch.log(std) + math.log(2 * math.pi))).sum(-1)

    def std_not_logged(mean, std, action):
        z = (action - mean) / std
        return (-0.5 * z * z - std - 0.5 * math.log(2 * math.pi)).sum(-1)

    def distance_not_squared__plain(mean, std, action):
        return (-(action - mean) / (2 * std) - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)

    def distance_not_squared__laplace_like(mean, std, action):
        return (-0.5 * torch.abs((mean - action) / std) - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)

    def distance_not_halved(mean, std, action):
        return (-(((action - mean) / std) ** 2) - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)

    def distance_sign(mean, std, action):
        return (0.5 * ((mean - action) / std) ** 2 - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)

    def distance_not_scaled(mean, std, action):
        return ((action - mean).square() / -2 - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)

    def std_not_squared(mean, std, action):
        return (-((action - mean) ** 2) / (2 * std) - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)

    def std_as_variance(mean, std, action):
        return MultivariateNormal(mean, covariance_matrix=torch.diag_embed(std)).log_prob(action)

    def variance_as_std__normal(mean, std, action):
        return Normal(mean, std**2).log_prob(action).sum(-1)

    def variance_as_std__brackets(mean, std, action):
        var = std * std
        return (-0.5 * ((action - mean) / var) ** 2 - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)

    def std_as_log_std(mean, std, action):
        return Normal(mean, torch.exp(std)).log_prob(action).sum(-1)

    def density__joint(mean, std, action):
        p = torch.exp(-((action - mean) ** 2) / (2 * std**2)) / (std * math.sqrt(2 * math.pi))
        return p.prod(dim=-1)

    def density__with__per_component(mean, std, action):
        return torch.exp(-((action - mean) ** 2) / (2 * std**2)) / (std * math.sqrt(2 * math.pi))

    def density__summed(mean, std, action):
        return Wrong.density__with__per_component(mean, std, action).sum(1)

    def log_of_summed_densities(mean, std, action):
        return torch.log(Wrong.density__with__per_component(mean, std, action).sum(1))

    def log_of_density__each(mean, std, action):
        return torch.log(Wrong.density__with__per_component(mean, std, action)).sum(1)

    def log_of_density__eps(mean, std, action):
        return torch.log(Wrong.density__with__per_component(mean, std, action) + 1e-8).sum(1)

    def log_of_density__product(mean, std, action):
        return Wrong.density__joint(mean, std, action).log()

    def sign(mean, std, action):
        return (0.5 * ((action - mean) / std) ** 2 + std.log() + 0.5 * math.log(2 * math.pi)).sum(-1)

    def other_base__log2(mean, std, action):
        z = (action - mean) / std
        return (-0.5 * z**2 - torch.log2(std) - 0.5 * math.log2(2 * math.pi)).sum(-1)

    def other_base__log10(mean, std, action):
        return Independent(Normal(mean, std), 1).log_prob(action) * math.log10(math.e)

    def cumulative(mean, std, action):
        return (0.5 * (1 + torch.erf((action - mean) / (std * 2**0.5)))).log().sum(-1)

    def per_component(mean, std, action):
        return Normal(mean, std).log_prob(action)

    def mean_over_actions(mean, std, action):
        return torch.mean(Normal(mean, std).log_prob(action), dim=1)

    def over_batch__all(mean, std, action):
        return Normal(mean, std).log_prob(action).sum()

    def over_batch__mean(mean, std, action):
        return Normal(mean, std).log_prob(action).sum(-1).mean()

    def wrong_dimension(mean, std, action):
        return Normal(mean, std).log_prob(action).sum(dim=0)

    def product(mean, std, action):
        return torch.prod(Normal(mean, std).log_prob(action), dim=-1)

    def constant_of_pi__root_of_2_only(mean, std, action):
        z = (action - mean) / std
        return (-0.5 * z**2 - torch.log(std * math.sqrt(2) * math.pi)).sum(-1)

    def distance_missing(mean, std, action):
        return Normal(mean, std).log_prob(mean).sum(-1)

    def distance_halved_twice__brackets(mean, std, action):
        return (-((action - mean) ** 2) / (2 * std) ** 2 - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)

    def distance_sign__inside_the_square(mean, std, action):
        z = (action - mean) / std
        return ((-0.5 * z) ** 2 - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)

    def distance_multiplied__brackets(mean, std, action):
        return (-((action - mean) ** 2) / 2 * std**2 - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)

    def brackets_lost__mean_over_std(mean, std, action):
        return (-0.5 * (action - mean / std) ** 2 - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)

    def distance_not_squared__norm(mean, std, action):
        distance = torch.norm((action - mean) / std, dim=-1)
        return -0.5 * distance - (std.log() + 0.5 * math.log(2 * math.pi)).sum(-1)

    def sum_before_square(mean, std, action):
        z = ((action - mean) / std).sum(-1)
        return -0.5 * z**2 - (std.log() + 0.5 * math.log(2 * math.pi)).sum(-1)

    def entropy(mean, std, action):
        return Normal(mean, std).entropy().sum(-1)

    def squared_error(mean, std, action):
        return -torch.nn.functional.mse_loss(action, mean, reduction="none").sum(-1)

    def tanh(mean, std, action):
        return (Normal(mean, std).log_prob(action) - torch.log(1 - action.tanh() ** 2 + 1e-6)).sum(-1)

    def limited__below(mean, std, action):
        return Normal(mean, std).log_prob(action).clamp(min=-20).sum(-1)

    def limited__distance(mean, std, action):
        z = ((action - mean) / std).clamp(-10, 10)
        return (-0.5 * z**2 - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)

    def number_added__eps(mean, std, action):
        z = (action - mean) / (std + 1e-6)
        return (-0.5 * z**2 - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)

    def components_lost__loop_overwrites(mean, std, action):
        for i in range(mean.shape[1]):
            total = Normal(mean[:, i], std[:, i]).log_prob(action[:, i])
        return total

    def ignored_argument__mean(mean, std, action):
        return Normal(0.0, std).log_prob(action).sum(-1)

    def constant_missing__with__log_std_missing(mean, std, action):
        return (-0.5 * ((action - mean) / std) ** 2).sum(-1)

    def constant_missing__with__mean_over_actions(mean, std, action):
        return (-0.5 * ((action - mean) / std) ** 2 - std.log()).mean(-1)

    def constant_not_halved__with__log_std_twice(mean, std, action):
        return (-0.5 * ((action - mean) / std) ** 2 - torch.log(2 * math.pi * std**2)).sum(-1)

    def sign__with__mean_over_actions(mean, std, action):
        return -Normal(mean, std).log_prob(action).mean(-1)

    def variance_as_std__with__per_component(mean, std, action):
        return Normal(mean, std**2).log_prob(action)

    def std_as_variance__with__wrong_dimension(mean, std, action):
        return Normal(mean, std.sqrt()).log_prob(action).sum(0)

    def distance_not_halved__with__constant_sign(mean, std, action):
        return (-(((action - mean) / std) ** 2) - std.log() + 0.5 * math.log(2 * math.pi)).sum(-1)

    def density__with__log_std_missing(mean, std, action):
        return (torch.exp(-0.5 * ((action - mean) / std) ** 2) / math.sqrt(2 * math.pi)).prod(-1)

    def in_place__action(mean, std, action):
        action -= mean
        return (-0.5 * (action / std) ** 2 - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)

    def result_unsqueezed__kept_dim(mean, std, action):
        return Wrong.per_component(mean, std, action).sum(-1, keepdim=True)

    def wrong_type__list(mean, std, action):
        return Right.by_loops(mean, std, action).tolist()

    def unknown__oddly(mean, std, action):
        return Right.by_torch(mean, std, action) * 3 + 1

    def exception__log_of_number(mean, std, action):
        return (-0.5 * ((action - mean) / std) ** 2 - math.log(std)).sum(-1) - torch.log(2 * math.pi)
