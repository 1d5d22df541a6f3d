"""Answers to lesson 5's exercises as people write them: right ones, and wrong ones with the mistake they make."""

import math

import numpy as np
import torch
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

# gaussian_log_prob: right ---------------------------------------------------------------------------------------------


def log_prob_by_torch(mean, std, action):
    return Normal(mean, std).log_prob(action).sum(dim=-1)


def log_prob_by_loops(mean, std, action):
    out = []
    for m_row, s_row, a_row in zip(mean.tolist(), std.tolist(), action.tolist(), strict=True):
        total = 0.0
        for m, s, a in zip(m_row, s_row, a_row, strict=True):
            total -= (a - m) ** 2 / (2 * s**2) + math.log(s * math.sqrt(2 * math.pi))
        out.append(total)
    return torch.tensor(out)


def log_prob_by_einsum(mean, std, action):
    far, precision = (action - mean).double(), std.double() ** -2
    squared = torch.einsum("ba,ba,ba->b", far, far, precision)
    return -0.5 * (squared - precision.log().sum(1) + mean.shape[1] * math.log(2 * math.pi))


def log_prob_by_covariance(mean, std, action):
    return MultivariateNormal(mean, torch.diag_embed(std**2)).log_prob(action)


def log_prob_in_place_on_its_own(mean, std, action):
    result = action - mean
    result /= std
    result.square_().mul_(-0.5)
    result -= torch.log(std)
    result -= 0.9189385332
    return result.sum(1)


# gaussian_log_prob: wrong ---------------------------------------------------------------------------------------------


def log_prob_unnormalised(mean, std, action):
    var = std.pow(2)
    return (-((action - mean) ** 2) / (2 * var) - torch.log(std)).sum(-1)


def log_prob_log_two_pi(mean, std, action):
    return (-0.5 * ((action - mean) / std) ** 2 - std.log() - math.log(2 * math.pi)).sum(-1)


def log_prob_root_and_half(mean, std, action):
    return (-0.5 * ((action - mean) / std) ** 2 - std.log() - 0.5 * math.log(math.sqrt(2 * math.pi))).sum(-1)


def log_prob_constant_at_the_end(mean, std, action):
    exponent = (((action - mean) / std) ** 2).sum(-1)
    return -0.5 * (exponent + 2 * std.log().sum(-1) + math.log(2 * math.pi))


def log_prob_constant_added(mean, std, action):
    return log_prob_by_torch(mean, std, action) + mean.size(-1) * math.log(2 * math.pi)


def log_prob_root_itself(mean, std, action):
    return torch.sum(-((action - mean) ** 2) / (2 * std**2) - torch.log(std) - np.sqrt(2 * np.pi), dim=-1)


def log_prob_half_two_pi(mean, std, action):
    return torch.sum(-0.5 * (((action - mean) / std) ** 2 + 2 * torch.log(std) + 2 * torch.pi), dim=-1)


def log_prob_without_std(mean, std, action):
    return (-0.5 * ((action - mean) ** 2 / std**2 + math.log(2 * math.pi))).sum(-1)


def log_prob_std_added(mean, std, action):
    return (-0.5 * ((action - mean) ** 2 / std**2) + std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)


def log_prob_log_var(mean, std, action):
    return (-0.5 * ((action - mean) ** 2 / std**2) - (std**2).log() - 0.5 * math.log(2 * math.pi)).sum(-1)


def log_prob_half_of_all(mean, std, action):
    z = (action - mean) / std
    return (-0.5 * (z * z + torch.log(std) + math.log(2 * math.pi))).sum(-1)


def log_prob_std_is_log(mean, std, action):
    z = (action - mean) / std
    return (-0.5 * z * z - std - 0.5 * math.log(2 * math.pi)).sum(-1)


def log_prob_unsquared(mean, std, action):
    return (-(action - mean) / (2 * std) - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)


def log_prob_laplace_like(mean, std, action):
    return (-0.5 * torch.abs((mean - action) / std) - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)


def log_prob_full_square(mean, std, action):
    return (-(((action - mean) / std) ** 2) - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)


def log_prob_plus_square(mean, std, action):
    return (0.5 * ((mean - action) / std) ** 2 - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)


def log_prob_unscaled(mean, std, action):
    return ((action - mean).square() / -2 - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)


def log_prob_over_two_std(mean, std, action):
    return (-((action - mean) ** 2) / (2 * std) - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)


def log_prob_std_on_the_diagonal(mean, std, action):
    return MultivariateNormal(mean, covariance_matrix=torch.diag_embed(std)).log_prob(action)


def log_prob_of_variance(mean, std, action):
    return Normal(mean, std**2).log_prob(action).sum(-1)


def log_prob_brackets(mean, std, action):
    var = std * std
    return (-0.5 * ((action - mean) / var) ** 2 - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)


def log_prob_of_log_std(mean, std, action):
    return Normal(mean, torch.exp(std)).log_prob(action).sum(-1)


def log_prob_density(mean, std, action):
    p = torch.exp(-((action - mean) ** 2) / (2 * std**2)) / (std * math.sqrt(2 * math.pi))
    return p.prod(dim=-1)


def log_prob_density_of_each(mean, std, action):
    return torch.exp(-((action - mean) ** 2) / (2 * std**2)) / (std * math.sqrt(2 * math.pi))


def log_prob_density_summed(mean, std, action):
    return log_prob_density_of_each(mean, std, action).sum(1)


def log_prob_of_sum(mean, std, action):
    return torch.log(log_prob_density_of_each(mean, std, action).sum(1))


def log_prob_by_density(mean, std, action):
    return torch.log(log_prob_density_of_each(mean, std, action)).sum(1)


def log_prob_by_density_and_eps(mean, std, action):
    return torch.log(log_prob_density_of_each(mean, std, action) + 1e-8).sum(1)


def log_prob_by_product(mean, std, action):
    return log_prob_density(mean, std, action).log()


def log_prob_as_loss(mean, std, action):
    return (0.5 * ((action - mean) / std) ** 2 + std.log() + 0.5 * math.log(2 * math.pi)).sum(-1)


def log_prob_log2(mean, std, action):
    z = (action - mean) / std
    return (-0.5 * z**2 - torch.log2(std) - 0.5 * math.log2(2 * math.pi)).sum(-1)


def log_prob_log10(mean, std, action):
    return Independent(Normal(mean, std), 1).log_prob(action) * math.log10(math.e)


def log_prob_of_cdf(mean, std, action):
    return (0.5 * (1 + torch.erf((action - mean) / (std * 2**0.5)))).log().sum(-1)


def log_prob_each(mean, std, action):
    return Normal(mean, std).log_prob(action)


def log_prob_mean(mean, std, action):
    return torch.mean(Normal(mean, std).log_prob(action), dim=1)


def log_prob_all(mean, std, action):
    return Normal(mean, std).log_prob(action).sum()


def log_prob_batch_mean(mean, std, action):
    return Normal(mean, std).log_prob(action).sum(-1).mean()


def log_prob_over_rows(mean, std, action):
    return Normal(mean, std).log_prob(action).sum(dim=0)


def log_prob_multiplied(mean, std, action):
    return torch.prod(Normal(mean, std).log_prob(action), dim=-1)


def log_prob_in_place(mean, std, action):
    action -= mean
    return (-0.5 * (action / std) ** 2 - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)


def log_prob_without_return(mean, std, action):
    log_prob_by_torch(mean, std, action)


def log_prob_kept_dim(mean, std, action):
    return log_prob_each(mean, std, action).sum(-1, keepdim=True)


def log_prob_list(mean, std, action):
    return log_prob_by_loops(mean, std, action).tolist()


def log_prob_oddly(mean, std, action):
    return log_prob_by_torch(mean, std, action) * 3 + 1


def log_prob_no_exp_of_float(mean, std, action):
    return (-0.5 * ((action - mean) / std) ** 2 - math.log(std)).sum(-1) - torch.log(2 * math.pi)


def log_prob_stub(mean, std, action):
    raise NotImplementedError


# gaussian_entropy: right ----------------------------------------------------------------------------------------------


def entropy_by_torch(std):
    return Normal(torch.zeros_like(std), std).entropy().sum(-1)


def entropy_by_loops(std):
    return torch.tensor([sum(0.5 * math.log(2 * math.pi * math.e * s**2) for s in row) for row in std.tolist()])


def entropy_of_joint(std):
    return Independent(Normal(torch.full_like(std, 7.0), std), 1).entropy()


def entropy_by_determinant(std):
    std = std.to(torch.float64)
    covariance = torch.einsum("bi,ij->bij", std**2, torch.eye(std.shape[1], dtype=torch.float64))
    return 0.5 * (std.shape[1] * (1 + math.log(2 * math.pi)) + torch.logdet(covariance))


def entropy_by_integral(std):
    """-∫ p log p by the trapezoidal rule, on a grid of stds."""
    z = torch.linspace(-9, 9, 2001, dtype=torch.float64)
    p = torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)  # [grid]
    unit = -torch.trapezoid(p * p.log(), z)
    return (unit + std.double().log()).sum(-1)


# gaussian_entropy: wrong ----------------------------------------------------------------------------------------------


def entropy_at_mean(std):
    return -Normal(torch.zeros_like(std), std).log_prob(torch.zeros_like(std)).sum(-1)


def entropy_without_pi(std):
    return (0.5 + torch.log(std)).sum(-1)


def entropy_of_logs(std):
    return std.log().sum(-1)


def entropy_log_two_pi(std):
    return (0.5 + math.log(2 * math.pi) + std.log()).sum(-1)


def entropy_constant_at_the_end(std):
    return std.log().sum(-1) + 0.5 * math.log(2 * math.pi * math.e)


def entropy_determinant_in_one_dimension(std):
    return 0.5 * torch.log(2 * math.pi * math.e * torch.prod(std, dim=-1) ** 2)


def entropy_unhalved(std):
    return torch.log(2 * math.pi * math.e * std**2).sum(-1)


def entropy_of_std_as_variance(std):
    return (0.5 * torch.log(2 * math.pi * math.e * std)).sum(-1)


def entropy_of_variance(std):
    return Normal(0.0, std.square()).entropy().sum(-1)


def entropy_of_log_std(std):
    return (std + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)


def entropy_falling(std):
    return (0.5 + 0.5 * math.log(2 * math.pi) - torch.log(std)).sum(-1)


def entropy_negated(std):
    return -(0.5 + 0.5 * math.log(2 * math.pi) + torch.log(std)).sum(-1)


def entropy_clamped(std):
    return torch.relu(entropy_by_torch(std))


def entropy_absolute(std):
    return torch.abs(Normal(0, std).entropy()).sum(-1)


def entropy_of_absolute_logs(std):
    return (0.5 * math.log(2 * math.pi * math.e) + torch.abs(torch.log(std))).sum(-1)


def entropy_in_bits(std):
    return (0.5 * torch.log2(2 * math.pi * math.e * std**2)).sum(-1)


def entropy_in_decimal(std):
    return (0.5 * torch.log10(2 * math.pi * math.e * std**2)).sum(-1)


def entropy_of_peak(std):
    peak = 1 / (std * math.sqrt(2 * math.pi))
    return -(peak * torch.log(peak)).sum(-1)


def entropy_of_summed_std(std):
    return Normal(0, std.sum(-1)).entropy()


def entropy_of_summed_variance(std):
    return 0.5 * torch.log(2 * math.pi * math.e * (std**2).sum(-1))


def entropy_each(std):
    return 0.5 * torch.log(2 * math.pi * math.e * std**2)


def entropy_mean(std):
    return entropy_each(std).mean(dim=-1)


def entropy_bonus(std):
    return entropy_each(std).sum(dim=-1).mean()


def entropy_total(std):
    return sum(sum(row) for row in entropy_each(std))


def entropy_over_rows(std):
    return sum(entropy_each(std))


def entropy_multiplied(std):
    return entropy_each(std).prod(1)


def entropy_in_place(std):
    return std.log_().add_(0.5 * math.log(2 * math.pi * math.e)).sum(-1)


def entropy_without_return(std):
    entropy = entropy_each(std).sum(-1)  # noqa: F841


def entropy_kept_dim(std):
    return entropy_each(std).sum(1, True)


def entropy_array(std):
    return np.log(std.numpy()).sum(-1) + std.shape[1] * 1.41893853


def entropy_sampled(std):
    samples = torch.randn(100, *std.shape, generator=torch.Generator().manual_seed(0)) * std
    return -Normal(0, std).log_prob(samples).sum(-1).mean(0)


def entropy_of_tensor_constant(std):
    return (torch.log(2 * math.pi * math.e) / 2 + std.log()).sum(-1)


def entropy_stub(std):
    raise NotImplementedError("your code")


# gaussian_kl: right ---------------------------------------------------------------------------------------------------


def kl_by_torch(old_mean, old_std, mean, std):
    return kl_divergence(Normal(old_mean, old_std), Normal(mean, std)).sum(-1)


def kl_by_loops(old_mean, old_std, mean, std):
    result = torch.zeros(len(mean), dtype=torch.float64)
    for b in range(mean.shape[0]):
        for i in range(mean.shape[1]):
            m, s, m2, s2 = (t[b, i].item() for t in (old_mean, old_std, mean, std))
            result[b] += math.log(s2) - math.log(s) + (s * s + (m2 - m) ** 2) / (2 * s2 * s2) - 0.5
    return result


def kl_by_einsum(old_mean, old_std, mean, std):
    precision, far = std**-2, old_mean - mean
    trace = torch.einsum("ba,ba->b", precision, old_std**2)
    mahalanobis = torch.einsum("ba,ba,ba->b", far, precision, far)
    log_det = 2 * (std.log() - old_std.log()).sum(1)
    return 0.5 * (trace + mahalanobis - mean.size(1) + log_det)


def kl_of_covariances(old_mean, old_std, mean, std):
    old = MultivariateNormal(old_mean, scale_tril=torch.diag_embed(old_std))
    return kl_divergence(old, MultivariateNormal(mean, scale_tril=torch.diag_embed(std)))


def kl_by_cross_entropy(old_mean, old_std, mean, std):
    old_mean, old_std, mean, std = (t.double() for t in (old_mean, old_std, mean, std))
    cross = -Normal(mean, std).log_prob(old_mean) + 0.5 * old_std**2 / std**2
    return (cross - Normal(old_mean, old_std).entropy()).sum(-1)


# gaussian_kl: wrong ---------------------------------------------------------------------------------------------------


def kl_backwards(old_mean, old_std, mean, std):
    return kl_divergence(Normal(mean, std), Normal(old_mean, old_std)).sum(-1)


def kl_jeffreys(old_mean, old_std, mean, std):
    return kl_by_torch(old_mean, old_std, mean, std) + kl_by_torch(mean, std, old_mean, old_std)


def kl_of_both_halved(old_mean, old_std, mean, std):
    return kl_jeffreys(old_mean, old_std, mean, std) / 2


def kl_without_half(old_mean, old_std, mean, std):
    return (torch.log(std / old_std) + (old_std**2 + (old_mean - mean) ** 2) / (2 * std**2)).sum(-1)


def kl_half_at_the_end(old_mean, old_std, mean, std):
    return kl_without_half(old_mean, old_std, mean, std) - 0.5


def kl_plus_half(old_mean, old_std, mean, std):
    return (torch.log(std / old_std) + (old_std**2 + (old_mean - mean) ** 2) / (2 * std**2) + 0.5).sum(-1)


def kl_minus_one(old_mean, old_std, mean, std):
    return (torch.log(std / old_std) + (old_std**2 + (old_mean - mean) ** 2) / (2 * std**2) - 1).sum(-1)


def kl_log_upside_down(old_mean, old_std, mean, std):
    return (torch.log(old_std / std) + (old_std**2 + (old_mean - mean) ** 2) / (2 * std**2) - 0.5).sum(-1)


def kl_no_log(old_mean, old_std, mean, std):
    return (0.5 * ((old_std / std) ** 2 + ((mean - old_mean) / std) ** 2 - 1)).sum(-1)


def kl_log_of_variances(old_mean, old_std, mean, std):
    var, old_var = std**2, old_std**2
    return (torch.log(var / old_var) + (old_var + (old_mean - mean) ** 2) / (2 * var) - 0.5).sum(-1)


def kl_log_in_the_bracket(old_mean, old_std, mean, std):
    var, old_var = std**2, old_std**2
    return 0.5 * (torch.log(std / old_std) + (old_var + (old_mean - mean) ** 2) / var - 1).sum(-1)


def kl_absolute_log(old_mean, old_std, mean, std):
    log = torch.abs(torch.log(std) - torch.log(old_std))
    return (log + (old_std**2 + (old_mean - mean) ** 2) / (2 * std**2) - 0.5).sum(-1)


def kl_of_stds(old_mean, old_std, mean, std):
    return (torch.log(std / old_std) + (old_std + (old_mean - mean) ** 2) / (2 * std) - 0.5).sum(-1)


def kl_on_the_diagonal(old_mean, old_std, mean, std):
    old = MultivariateNormal(old_mean, torch.diag_embed(old_std))
    return kl_divergence(old, MultivariateNormal(mean, torch.diag_embed(std)))


def kl_of_variances(old_mean, old_std, mean, std):
    return kl_divergence(Normal(old_mean, old_std**2), Normal(mean, std**2)).sum(-1)


def kl_unsquared(old_mean, old_std, mean, std):
    return (torch.log(std / old_std) + (old_std**2 + (mean - old_mean)) / (2 * std**2) - 0.5).sum(-1)


def kl_absolute_distance(old_mean, old_std, mean, std):
    return (torch.log(std / old_std) + (old_std**2 + (mean - old_mean).abs()) / (2 * std**2) - 0.5).sum(-1)


def kl_of_centred(old_mean, old_std, mean, std):
    zero = torch.zeros_like(mean)
    return kl_divergence(Normal(zero, old_std), Normal(zero, std)).sum(-1)


def kl_undivided(old_mean, old_std, mean, std):
    return (torch.log(std / old_std) + old_std**2 / (2 * std**2) + (mean - old_mean) ** 2 - 0.5).sum(-1)


def kl_over_old(old_mean, old_std, mean, std):
    return (torch.log(std / old_std) + (old_std**2 + (mean - old_mean) ** 2) / (2 * old_std**2) - 0.5).sum(-1)


def kl_wrong_way_inside(old_mean, old_std, mean, std):
    return (torch.log(std / old_std) + (std**2 + (mean - old_mean) ** 2) / (2 * old_std**2) - 0.5).sum(-1)


def kl_forgotten_two(old_mean, old_std, mean, std):
    return (torch.log(std / old_std) + (old_std**2 + (mean - old_mean) ** 2) / std**2 - 0.5).sum(-1)


def kl_precedence(old_mean, old_std, mean, std):
    return (torch.log(std / old_std) + old_std**2 / (2 * std**2) + (mean - old_mean) ** 2 / std**2 - 0.5).sum(-1)


def kl_forgotten_half(old_mean, old_std, mean, std):
    ratio = (old_std / std).pow(2)
    return (ratio + ((old_mean - mean) / std).pow(2) - 1 - ratio.log()).sum(-1)


def kl_of_means(old_mean, old_std, mean, std):
    return torch.sum((mean - old_mean) ** 2 / (2 * std**2), dim=-1)


def kl_squared_distance(old_mean, old_std, mean, std):
    return torch.linalg.vector_norm(mean - old_mean, dim=-1) ** 2


def kl_at_old_mean(old_mean, old_std, mean, std):
    return (Normal(old_mean, old_std).log_prob(old_mean) - Normal(mean, std).log_prob(old_mean)).sum(-1)


def kl_of_entropies(old_mean, old_std, mean, std):
    return (Normal(mean, std).entropy() - Normal(old_mean, old_std).entropy()).sum(-1)


def kl_negative(old_mean, old_std, mean, std):
    return -kl_by_torch(old_mean, old_std, mean, std)


def kl_in_bits(old_mean, old_std, mean, std):
    return kl_by_torch(old_mean, old_std, mean, std) * math.log2(math.e)


def kl_log2_of_stds(old_mean, old_std, mean, std):
    return (torch.log2(std / old_std) + (old_std**2 + (mean - old_mean) ** 2) / (2 * std**2) - 0.5).sum(-1)


def kl_as_older_rsl_rl(old_mean, old_std, mean, std):
    quotient = (torch.square(old_std) + torch.square(old_mean - mean)) / (2.0 * torch.square(std))
    return torch.sum(torch.log(std / old_std + 1.0e-5) + quotient - 0.5, axis=-1)


def kl_each(old_mean, old_std, mean, std):
    return kl_divergence(Normal(old_mean, old_std), Normal(mean, std))


def kl_mean(old_mean, old_std, mean, std):
    return kl_each(old_mean, old_std, mean, std).mean(dim=-1)


def kl_of_batch(old_mean, old_std, mean, std):
    return kl_each(old_mean, old_std, mean, std).sum(dim=-1).mean()


def kl_over_rows(old_mean, old_std, mean, std):
    return kl_each(old_mean, old_std, mean, std).mean(dim=0)


def kl_multiplied(old_mean, old_std, mean, std):
    return kl_each(old_mean, old_std, mean, std).prod(dim=-1)


def kl_in_place(old_mean, old_std, mean, std):
    kl = (std / old_std).log()
    kl += 0.5 * (old_std.square_() + (mean - old_mean) ** 2) / std**2
    return (kl - 0.5).sum(-1)


def kl_without_return(old_mean, old_std, mean, std):
    kl_each(old_mean, old_std, mean, std).sum(-1)


def kl_kept_dim(old_mean, old_std, mean, std):
    return kl_each(old_mean, old_std, mean, std).sum(-1, keepdim=True)


def kl_pair(old_mean, old_std, mean, std):
    return kl_by_torch(old_mean, old_std, mean, std), kl_backwards(old_mean, old_std, mean, std)


def kl_log_of_difference(old_mean, old_std, mean, std):
    return (torch.log(std - old_std) + (old_std**2 + (mean - old_mean) ** 2) / (2 * std**2) - 0.5).sum(-1)


def kl_root_of_negative(old_mean, old_std, mean, std):
    return kl_by_torch(old_mean, old_std, mean, std) + torch.sqrt(old_mean - mean - 1).sum(-1)


def kl_stub(old_mean, old_std, mean, std):
    # KL(old ‖ new)
    raise NotImplementedError


# adaptive_learning_rate: right ----------------------------------------------------------------------------------------


def rate_as_rsl_rl(rate, kl, desired_kl):
    learning_rate = rate
    if kl > desired_kl * 2.0:
        learning_rate = max(1e-5, learning_rate / 1.5)
    elif kl < desired_kl / 2.0 and kl > 0.0:
        learning_rate = min(1e-2, learning_rate * 1.5)
    return learning_rate


def rate_by_steps(rate, kl, desired_kl):
    step = int(0 < kl < 0.5 * desired_kl) - int(kl > 2 * desired_kl)
    return np.float32({-1: np.maximum(rate / 1.5, 1e-5), 0: rate, 1: np.minimum(1.5 * rate, 0.01)}[step])


def rate_in_tensors(rate, kl, desired_kl):
    """As it is done without waiting for the device."""
    rate, kl = torch.tensor(rate), torch.tensor(kl)
    lower, higher = (rate / 1.5).clamp(min=1e-5), (rate * 1.5).clamp(max=1e-2)
    return torch.where(kl > 2 * desired_kl, lower, torch.where((kl > 0) & (kl < desired_kl / 2), higher, rate))


def rate_in_logs(rate, kl, desired_kl):
    if kl == 0 or abs(math.log2(kl / desired_kl)) <= 1:
        return rate
    new = math.exp(math.log(rate) - math.copysign(math.log(1.5), math.log(kl / desired_kl)))
    return sorted([1e-5, new, 1e-2])[1]


# adaptive_learning_rate: wrong ----------------------------------------------------------------------------------------


def rate_upside_down(rate, kl, desired_kl):
    if kl > 2 * desired_kl:
        rate = min(1e-2, rate * 1.5)
    elif 0 < kl < desired_kl / 2:
        rate = max(1e-5, rate / 1.5)
    return rate


def rate_of_two(rate, kl, desired_kl):
    if kl > 2 * desired_kl:
        rate = max(1e-5, rate / 2)
    elif 0 < kl < desired_kl / 2:
        rate = min(1e-2, rate * 2)
    return rate


def rate_halved(rate, kl, desired_kl):
    if kl > 2 * desired_kl:
        return max(1e-5, rate * 0.5)
    if 0 < kl < desired_kl / 2:
        return min(1e-2, rate * 1.5)
    return rate


def rate_unlimited(rate, kl, desired_kl):
    if kl > 2 * desired_kl:
        rate /= 1.5
    elif 0 < kl < desired_kl / 2:
        rate *= 1.5
    return rate


def rate_limited_on_the_safe_side(rate, kl, desired_kl):
    if kl > 2 * desired_kl:
        return min(1e-2, rate / 1.5)
    if 0 < kl < desired_kl / 2:
        return max(1e-5, rate * 1.5)
    return rate


def rate_without_floor(rate, kl, desired_kl):
    if kl > 2 * desired_kl:
        return rate / 1.5
    return min(0.01, rate * 1.5) if 0 < kl < desired_kl / 2 else rate


def rate_without_ceiling(rate, kl, desired_kl):
    if kl > 2 * desired_kl:
        return max(0.00001, rate / 1.5)
    return rate * 1.5 if 0 < kl < desired_kl / 2 else rate


def rate_min_max(rate, kl, desired_kl):
    if kl > 2 * desired_kl:
        rate = min(1e-5, rate / 1.5)
    elif 0 < kl < desired_kl / 2:
        rate = max(1e-2, rate * 1.5)
    return rate


def rate_clamped_always(rate, kl, desired_kl):
    return float(np.clip(rate_unlimited(rate, kl, desired_kl), 1e-5, 1e-2))


def rate_eager(rate, kl, desired_kl):
    if kl > desired_kl:
        rate = max(1e-5, rate / 1.5)
    elif 0 < kl < desired_kl:
        rate = min(1e-2, rate * 1.5)
    return rate


def rate_thresholds_of_factor(rate, kl, desired_kl):
    if kl > desired_kl * 1.5:
        rate = max(1e-5, rate / 1.5)
    elif 0 < kl < desired_kl / 1.5:
        rate = min(1e-2, rate * 1.5)
    return rate


def rate_of_default(rate, kl, desired_kl):
    if kl > 0.02:
        rate = max(1e-5, rate / 1.5)
    elif 0 < kl < 0.005:
        rate = min(1e-2, rate * 1.5)
    return rate


def rate_zero_is_small(rate, kl, desired_kl):
    if kl > 2 * desired_kl:
        return max(1e-5, rate / 1.5)
    elif kl < desired_kl / 2:
        return min(1e-2, rate * 1.5)
    return rate


def rate_if_else(rate, kl, desired_kl):
    if kl > 2 * desired_kl:
        return max(1e-5, rate / 1.5)
    else:
        return min(1e-2, rate * 1.5)


def rate_thresholds_swapped(rate, kl, desired_kl):
    if kl > desired_kl / 2:
        rate = max(1e-5, rate / 1.5)
    elif 0 < kl < desired_kl * 2:
        rate = min(1e-2, rate * 1.5)
    return rate


def rate_not_assigned(rate, kl, desired_kl):
    if kl > 2 * desired_kl:
        max(1e-5, rate / 1.5)
    elif 0 < kl < desired_kl / 2:
        min(1e-2, rate * 1.5)
    return rate


def rate_always_both(rate, kl, desired_kl):
    rate = rate / 1.5
    return rate * 1.5


def rate_only_down(rate, kl, desired_kl):
    return max(1e-5, rate / 1.5) if kl > 2 * desired_kl else rate


def rate_only_up(rate, kl, desired_kl):
    return min(1e-2, rate * 1.5) if 0 < kl < desired_kl / 2 else rate


def rate_in_proportion(rate, kl, desired_kl):
    return rate * desired_kl / kl if kl > 0 else rate


def rate_in_proportion_unguarded(rate, kl, desired_kl):
    new = rate * desired_kl / kl
    return max(1e-5, min(1e-2, new))


def rate_whole(rate, kl, desired_kl):
    return round(rate_as_rsl_rl(rate, kl, desired_kl))


def rate_floor_division(rate, kl, desired_kl):
    if kl > 2 * desired_kl:
        return max(1e-5, rate // 1.5)
    if 0 < kl < desired_kl / 2:
        return min(1e-2, rate * 1.5)
    return rate


def rate_factor(rate, kl, desired_kl):
    if kl > 2 * desired_kl:
        return 1 / 1.5
    return 1.5 if 0 < kl < desired_kl / 2 else 1


def rate_change(rate, kl, desired_kl):
    return rate_as_rsl_rl(rate, kl, desired_kl) - rate


def rate_without_return(rate, kl, desired_kl):
    rate = rate_as_rsl_rl(rate, kl, desired_kl)


def rate_without_last_return(rate, kl, desired_kl):
    if kl > 2 * desired_kl:
        return max(1e-5, rate / 1.5)
    if 0 < kl < desired_kl / 2:
        return min(1e-2, rate * 1.5)


def rate_tensor(rate, kl, desired_kl):
    return torch.tensor([rate_as_rsl_rl(rate, kl, desired_kl)])


def rate_text(rate, kl, desired_kl):
    return f"{rate_as_rsl_rl(rate, kl, desired_kl):.2g}"


def rate_with_its_reason(rate, kl, desired_kl):
    return rate_as_rsl_rl(rate, kl, desired_kl), kl > 2 * desired_kl


def rate_by_clamp(rate, kl, desired_kl):
    return rate.clamp(1e-5, 1e-2)


def rate_thirds(rate, kl, desired_kl):
    return 3 * rate


def rate_stub(rate, kl, desired_kl):
    raise NotImplementedError


# The bank -------------------------------------------------------------------------------------------------------------

RIGHT = {
    "gaussian_log_prob": [
        log_prob_by_torch,
        log_prob_by_loops,
        log_prob_by_einsum,
        log_prob_by_covariance,
        log_prob_in_place_on_its_own,
    ],
    "gaussian_entropy": [
        entropy_by_torch,
        entropy_by_loops,
        entropy_of_joint,
        entropy_by_determinant,
        entropy_by_integral,
    ],
    "gaussian_kl": [kl_by_torch, kl_by_loops, kl_by_einsum, kl_of_covariances, kl_by_cross_entropy],
    "adaptive_learning_rate": [rate_as_rsl_rl, rate_by_steps, rate_in_tensors, rate_in_logs],
}

WRONG = {
    "gaussian_log_prob": [
        (log_prob_unnormalised, "constant-missing"),
        (log_prob_log_two_pi, "constant-not-halved"),
        (log_prob_root_and_half, "constant-halved-twice"),
        (log_prob_constant_at_the_end, "constant-once"),
        (log_prob_constant_added, "constant-sign"),
        (log_prob_root_itself, "constant-not-logged"),
        (log_prob_half_two_pi, "constant-not-logged"),
        (log_prob_without_std, "log-std-missing"),
        (log_prob_std_added, "log-std-sign"),
        (log_prob_log_var, "log-std-twice"),
        (log_prob_half_of_all, "log-std-halved"),
        (log_prob_std_is_log, "std-not-logged"),
        (log_prob_unsquared, "distance-not-squared"),
        (log_prob_laplace_like, "distance-not-squared"),
        (log_prob_full_square, "distance-not-halved"),
        (log_prob_plus_square, "distance-sign"),
        (log_prob_unscaled, "distance-not-scaled"),
        (log_prob_over_two_std, "std-not-squared"),
        (log_prob_std_on_the_diagonal, "std-as-variance"),
        (log_prob_of_variance, "variance-as-std"),
        (log_prob_brackets, "variance-as-std"),
        (log_prob_of_log_std, "std-as-log-std"),
        (log_prob_density, "density"),
        (log_prob_density_of_each, "density"),
        (log_prob_density_summed, "density"),
        (log_prob_of_sum, "log-of-summed-densities"),
        (log_prob_by_density, "log-of-density"),
        (log_prob_by_density_and_eps, "log-of-density"),
        (log_prob_by_product, "log-of-density"),
        (log_prob_as_loss, "sign"),
        (log_prob_log2, "other-base"),
        (log_prob_log10, "other-base"),
        (log_prob_of_cdf, "cumulative"),
        (log_prob_each, "per-component"),
        (log_prob_mean, "mean-over-actions"),
        (log_prob_all, "over-batch"),
        (log_prob_batch_mean, "over-batch"),
        (log_prob_over_rows, "wrong-dimension"),
        (log_prob_multiplied, "product"),
        (log_prob_in_place, "in-place"),
        (log_prob_without_return, "no-return"),
        (log_prob_kept_dim, "wrong-shape"),
        (log_prob_list, "wrong-type"),
        (log_prob_oddly, "unknown"),
        (log_prob_no_exp_of_float, "exception"),
        (log_prob_stub, "not-answered"),
    ],
    "gaussian_entropy": [
        (entropy_at_mean, "half-missing"),
        (entropy_without_pi, "constant-missing"),
        (entropy_of_logs, "log-std-only"),
        (entropy_log_two_pi, "constant-not-halved"),
        (entropy_constant_at_the_end, "constant-once"),
        (entropy_determinant_in_one_dimension, "constant-once"),
        (entropy_unhalved, "not-halved"),
        (entropy_of_std_as_variance, "std-as-variance"),
        (entropy_of_variance, "variance-as-std"),
        (entropy_of_log_std, "std-not-logged"),
        (entropy_falling, "log-std-sign"),
        (entropy_negated, "sign"),
        (entropy_clamped, "never-negative"),
        (entropy_absolute, "never-negative"),
        (entropy_of_absolute_logs, "log-std-absolute"),
        (entropy_in_bits, "bits"),
        (entropy_in_decimal, "bits"),
        (entropy_of_peak, "one-point"),
        (entropy_of_summed_std, "log-of-sum"),
        (entropy_of_summed_variance, "log-of-sum"),
        (entropy_each, "per-component"),
        (entropy_mean, "mean-over-actions"),
        (entropy_bonus, "over-batch"),
        (entropy_total, "over-batch"),
        (entropy_over_rows, "wrong-dimension"),
        (entropy_multiplied, "product"),
        (entropy_in_place, "in-place"),
        (entropy_without_return, "no-return"),
        (entropy_kept_dim, "wrong-shape"),
        (entropy_array, "wrong-type"),
        (entropy_sampled, "unknown"),
        (entropy_of_tensor_constant, "exception"),
        (entropy_stub, "not-answered"),
    ],
    "gaussian_kl": [
        (kl_backwards, "reversed"),
        (kl_jeffreys, "symmetrised"),
        (kl_of_both_halved, "symmetrised"),
        (kl_without_half, "minus-half-missing"),
        (kl_half_at_the_end, "minus-half-once"),
        (kl_plus_half, "half-sign"),
        (kl_minus_one, "minus-one"),
        (kl_log_upside_down, "log-ratio-inverted"),
        (kl_no_log, "log-ratio-missing"),
        (kl_log_of_variances, "log-ratio-twice"),
        (kl_log_in_the_bracket, "log-ratio-halved"),
        (kl_absolute_log, "log-ratio-absolute"),
        (kl_of_stds, "std-as-variance"),
        (kl_on_the_diagonal, "std-as-variance"),
        (kl_of_variances, "variance-as-std"),
        (kl_unsquared, "distance-not-squared"),
        (kl_absolute_distance, "distance-not-squared"),
        (kl_of_centred, "distance-missing"),
        (kl_undivided, "distance-not-divided"),
        (kl_over_old, "old-variance"),
        (kl_wrong_way_inside, "old-variance"),
        (kl_forgotten_two, "quotient-not-halved"),
        (kl_precedence, "quotient-not-halved"),
        (kl_forgotten_half, "doubled"),
        (kl_of_means, "means-only"),
        (kl_squared_distance, "means-only"),
        (kl_at_old_mean, "one-action"),
        (kl_of_entropies, "entropy-difference"),
        (kl_negative, "sign"),
        (kl_in_bits, "bits"),
        (kl_log2_of_stds, "bits"),
        (kl_as_older_rsl_rl, "eps-in-log"),
        (kl_each, "per-component"),
        (kl_mean, "mean-over-actions"),
        (kl_of_batch, "over-batch"),
        (kl_over_rows, "wrong-dimension"),
        (kl_multiplied, "product"),
        (kl_in_place, "in-place"),
        (kl_without_return, "no-return"),
        (kl_kept_dim, "wrong-shape"),
        (kl_pair, "wrong-type"),
        (kl_log_of_difference, "unknown"),
        (kl_root_of_negative, "nan"),
        (kl_stub, "not-answered"),
    ],
    "adaptive_learning_rate": [
        (rate_upside_down, "swapped"),
        (rate_of_two, "other-factor"),
        (rate_halved, "other-factor"),
        (rate_unlimited, "limits-missing"),
        (rate_limited_on_the_safe_side, "limits-missing"),
        (rate_without_floor, "lower-limit-missing"),
        (rate_without_ceiling, "upper-limit-missing"),
        (rate_min_max, "min-and-max-swapped"),
        (rate_clamped_always, "limits-always"),
        (rate_eager, "threshold-at-desired"),
        (rate_thresholds_of_factor, "factor-as-threshold"),
        (rate_of_default, "desired-ignored"),
        (rate_zero_is_small, "zero-raises"),
        (rate_if_else, "never-rests"),
        (rate_thresholds_swapped, "never-rests"),
        (rate_not_assigned, "never-changes"),
        (rate_always_both, "never-changes"),
        (rate_only_down, "only-lowers"),
        (rate_only_up, "only-raises"),
        (rate_in_proportion, "proportional"),
        (rate_in_proportion_unguarded, "proportional"),
        (rate_whole, "rounded"),
        (rate_floor_division, "rounded"),
        (rate_factor, "returns-factor"),
        (rate_change, "returns-change"),
        (rate_without_return, "no-return"),
        (rate_without_last_return, "no-return"),
        (rate_tensor, "wrong-shape"),
        (rate_text, "wrong-type"),
        (rate_with_its_reason, "wrong-shape"),
        (rate_by_clamp, "exception"),
        (rate_thirds, "unknown"),
        (rate_stub, "not-answered"),
    ],
}
