"""Answers that people give to `gaussian_kl`. The name of each wrong answer starts with its mistake."""

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch.distributions import MultivariateNormal, Normal, kl_divergence


class Right:
    def by_torch(old_mean, old_std, mean, std):
        return kl_divergence(Normal(old_mean, old_std), Normal(mean, std)).sum(-1)

    def by_loops(old_mean, old_std, mean, std):
        result = torch.zeros(len(mean), dtype=torch.float64)
        for b in range(mean.shape[0]):
            for i in range(mean.shape[1]):
                m, s, m2, s2 = (t[b, i].item() for t in (old_mean, old_std, mean, std))
                result[b] += math.log(s2) - math.log(s) + (s * s + (m2 - m) ** 2) / (2 * s2 * s2) - 0.5
        return result

    def by_einsum(old_mean, old_std, mean, std):
        precision, far = std**-2, old_mean - mean
        trace = torch.einsum("ba,ba->b", precision, old_std**2)
        mahalanobis = torch.einsum("ba,ba,ba->b", far, precision, far)
        log_det = 2 * (std.log() - old_std.log()).sum(1)
        return 0.5 * (trace + mahalanobis - mean.size(1) + log_det)

    def of_covariances(old_mean, old_std, mean, std):
        old = MultivariateNormal(old_mean, scale_tril=torch.diag_embed(old_std))
        return kl_divergence(old, MultivariateNormal(mean, scale_tril=torch.diag_embed(std)))

    def by_cross_entropy(old_mean, old_std, mean, std):
        old_mean, old_std, mean, std = (t.double() for t in (old_mean, old_std, mean, std))
        cross = -Normal(mean, std).log_prob(old_mean) + 0.5 * old_std**2 / std**2
        return (cross - Normal(old_mean, old_std).entropy()).sum(-1)

    def never_below_zero(old_mean, old_std, mean, std):
        var, old_var = std * std, old_std * old_std
        return 0.5 * (torch.log(var / old_var) + (old_var + (mean - old_mean) ** 2) / var - 1).sum(-1).clamp(min=0)

    def in_place_on_its_own(old_mean, old_std, mean, std):
        each = mean - old_mean
        each.pow_(2).add_(old_std**2)
        each /= 2 * std**2
        each += torch.log(std.data) - torch.log(old_std)
        each -= 0.5
        return each.sum(-1)


class Wrong:
    def reversed(old_mean, old_std, mean, std):
        return kl_divergence(Normal(mean, std), Normal(old_mean, old_std)).sum(-1)

    def symmetrized__jeffreys(old_mean, old_std, mean, std):
        return Right.by_torch(old_mean, old_std, mean, std) + Right.by_torch(mean, std, old_mean, old_std)

    def symmetrized__halved(old_mean, old_std, mean, std):
        return Wrong.symmetrized__jeffreys(old_mean, old_std, mean, std) / 2

    def minus_half_missing(old_mean, old_std, mean, std):
        return (torch.log(std / old_std) + (old_std**2 + (old_mean - mean) ** 2) / (2 * std**2)).sum(-1)

    def minus_half_once(old_mean, old_std, mean, std):
        return Wrong.minus_half_missing(old_mean, old_std, mean, std) - 0.5

    def half_sign(old_mean, old_std, mean, std):
        return (torch.log(std / old_std) + (old_std**2 + (old_mean - mean) ** 2) / (2 * std**2) + 0.5).sum(-1)

    def minus_one(old_mean, old_std, mean, std):
        return (torch.log(std / old_std) + (old_std**2 + (old_mean - mean) ** 2) / (2 * std**2) - 1).sum(-1)

    def log_ratio_inverted(old_mean, old_std, mean, std):
        return (torch.log(old_std / std) + (old_std**2 + (old_mean - mean) ** 2) / (2 * std**2) - 0.5).sum(-1)

    def log_ratio_missing(old_mean, old_std, mean, std):
        return (0.5 * ((old_std / std) ** 2 + ((mean - old_mean) / std) ** 2 - 1)).sum(-1)

    def log_ratio_twice(old_mean, old_std, mean, std):
        var, old_var = std**2, old_std**2
        return (torch.log(var / old_var) + (old_var + (old_mean - mean) ** 2) / (2 * var) - 0.5).sum(-1)

    def log_ratio_halved(old_mean, old_std, mean, std):
        var, old_var = std**2, old_std**2
        return 0.5 * (torch.log(std / old_std) + (old_var + (old_mean - mean) ** 2) / var - 1).sum(-1)

    def log_ratio_absolute(old_mean, old_std, mean, std):
        log = torch.abs(torch.log(std) - torch.log(old_std))
        return (log + (old_std**2 + (old_mean - mean) ** 2) / (2 * std**2) - 0.5).sum(-1)

    def std_as_variance__by_hand(old_mean, old_std, mean, std):
        return (torch.log(std / old_std) + (old_std + (old_mean - mean) ** 2) / (2 * std) - 0.5).sum(-1)

    def std_as_variance__covariance(old_mean, old_std, mean, std):
        old = MultivariateNormal(old_mean, torch.diag_embed(old_std))
        return kl_divergence(old, MultivariateNormal(mean, torch.diag_embed(std)))

    def variance_as_std(old_mean, old_std, mean, std):
        return kl_divergence(Normal(old_mean, old_std**2), Normal(mean, std**2)).sum(-1)

    def distance_not_squared__plain(old_mean, old_std, mean, std):
        return (torch.log(std / old_std) + (old_std**2 + (mean - old_mean)) / (2 * std**2) - 0.5).sum(-1)

    def distance_not_squared__absolute(old_mean, old_std, mean, std):
        return (torch.log(std / old_std) + (old_std**2 + (mean - old_mean).abs()) / (2 * std**2) - 0.5).sum(-1)

    def distance_missing(old_mean, old_std, mean, std):
        zero = torch.zeros_like(mean)
        return kl_divergence(Normal(zero, old_std), Normal(zero, std)).sum(-1)

    def distance_not_divided(old_mean, old_std, mean, std):
        return (torch.log(std / old_std) + old_std**2 / (2 * std**2) + (mean - old_mean) ** 2 - 0.5).sum(-1)

    def old_variance__over_old(old_mean, old_std, mean, std):
        return (torch.log(std / old_std) + (old_std**2 + (mean - old_mean) ** 2) / (2 * old_std**2) - 0.5).sum(-1)

    def old_variance__wrong_way_inside(old_mean, old_std, mean, std):
        return (torch.log(std / old_std) + (std**2 + (mean - old_mean) ** 2) / (2 * old_std**2) - 0.5).sum(-1)

    def quotient_not_halved__forgotten_two(old_mean, old_std, mean, std):
        return (torch.log(std / old_std) + (old_std**2 + (mean - old_mean) ** 2) / std**2 - 0.5).sum(-1)

    def quotient_not_halved__precedence(old_mean, old_std, mean, std):
        return (torch.log(std / old_std) + old_std**2 / (2 * std**2) + (mean - old_mean) ** 2 / std**2 - 0.5).sum(-1)

    def doubled(old_mean, old_std, mean, std):
        ratio = (old_std / std).pow(2)
        return (ratio + ((old_mean - mean) / std).pow(2) - 1 - ratio.log()).sum(-1)

    def means_only__scaled(old_mean, old_std, mean, std):
        return torch.sum((mean - old_mean) ** 2 / (2 * std**2), dim=-1)

    def means_only__squared_distance(old_mean, old_std, mean, std):
        return torch.linalg.vector_norm(mean - old_mean, dim=-1) ** 2

    def one_action(old_mean, old_std, mean, std):
        return (Normal(old_mean, old_std).log_prob(old_mean) - Normal(mean, std).log_prob(old_mean)).sum(-1)

    def entropy_difference(old_mean, old_std, mean, std):
        return (Normal(mean, std).entropy() - Normal(old_mean, old_std).entropy()).sum(-1)

    def sign(old_mean, old_std, mean, std):
        return -Right.by_torch(old_mean, old_std, mean, std)

    def bits__all(old_mean, old_std, mean, std):
        return Right.by_torch(old_mean, old_std, mean, std) * math.log2(math.e)

    def bits__of_stds(old_mean, old_std, mean, std):
        return (torch.log2(std / old_std) + (old_std**2 + (mean - old_mean) ** 2) / (2 * std**2) - 0.5).sum(-1)

    def eps_in_log__older_rsl_rl(old_mean, old_std, mean, std):
        quotient = (torch.square(old_std) + torch.square(old_mean - mean)) / (2.0 * torch.square(std))
        return torch.sum(torch.log(std / old_std + 1.0e-5) + quotient - 0.5, axis=-1)

    def per_component(old_mean, old_std, mean, std):
        return kl_divergence(Normal(old_mean, old_std), Normal(mean, std))

    def mean_over_actions(old_mean, old_std, mean, std):
        return Wrong.per_component(old_mean, old_std, mean, std).mean(dim=-1)

    def over_batch(old_mean, old_std, mean, std):
        return Wrong.per_component(old_mean, old_std, mean, std).sum(dim=-1).mean()

    def wrong_dimension(old_mean, old_std, mean, std):
        return Wrong.per_component(old_mean, old_std, mean, std).mean(dim=0)

    def product(old_mean, old_std, mean, std):
        return Wrong.per_component(old_mean, old_std, mean, std).prod(dim=-1)

    def multiplied_by_variance__brackets(old_mean, old_std, mean, std):
        return (torch.log(std / old_std) + (old_std**2 + (mean - old_mean) ** 2) / 2 * std**2 - 0.5).sum(-1)

    def old_variance_not_divided__brackets(old_mean, old_std, mean, std):
        return (torch.log(std / old_std) + old_std**2 + (mean - old_mean) ** 2 / (2 * std**2) - 0.5).sum(-1)

    def quotient_halved_twice__brackets(old_mean, old_std, mean, std):
        return (torch.log(std / old_std) + (old_std**2 + (mean - old_mean) ** 2) / (2 * std) ** 2 - 0.5).sum(-1)

    def square_of_sum(old_mean, old_std, mean, std):
        return (torch.log(std / old_std) + (old_std + (mean - old_mean)) ** 2 / (2 * std**2) - 0.5).sum(-1)

    def square_of_sum__difference(old_mean, old_std, mean, std):
        return (torch.log(std / old_std) + (old_std**2 + mean**2 - old_mean**2) / (2 * std**2) - 0.5).sum(-1)

    def std_difference(old_mean, old_std, mean, std):
        return (torch.log(std / old_std) + ((std - old_std) ** 2 + (mean - old_mean) ** 2) / (2 * std**2) - 0.5).sum(-1)

    def ratio_not_logged(old_mean, old_std, mean, std):
        return (std / old_std + (old_std**2 + (mean - old_mean) ** 2) / (2 * std**2) - 0.5).sum(-1)

    def quotient_of_logs(old_mean, old_std, mean, std):
        log = torch.log(std) / torch.log(old_std)
        return (log + (old_std**2 + (mean - old_mean) ** 2) / (2 * std**2) - 0.5).sum(-1)

    def std_as_log_std(old_mean, old_std, mean, std):
        return kl_divergence(Normal(old_mean, old_std.exp()), Normal(mean, std.exp())).sum(-1)

    def probabilities__kl_div_of_means(old_mean, old_std, mean, std):
        return F.kl_div(old_mean, mean, reduction="none").sum(-1)

    def probabilities__softmax(old_mean, old_std, mean, std):
        return F.kl_div(mean.log_softmax(-1), old_mean.softmax(-1), reduction="none").sum(-1)

    def probabilities__of_stds(old_mean, old_std, mean, std):
        return (old_std * (old_std / std).log()).sum(-1)

    def probabilities__with__over_batch(old_mean, old_std, mean, std):
        return F.kl_div(old_mean, mean)

    def standard_normal__vae(old_mean, old_std, mean, std):
        return -0.5 * torch.sum(1 + 2 * std.log() - mean.pow(2) - std.pow(2), dim=-1)

    def cross_entropy(old_mean, old_std, mean, std):
        each = 0.5 * math.log(2 * math.pi) + std.log() + (old_std**2 + (mean - old_mean) ** 2) / (2 * std**2)
        return each.sum(-1)

    def squared_differences(old_mean, old_std, mean, std):
        return ((mean - old_mean) ** 2 + (std - old_std) ** 2).sum(-1)

    def one_action__the_new_mean(old_mean, old_std, mean, std):
        return (Normal(old_mean, old_std).log_prob(mean) - Normal(mean, std).log_prob(mean)).sum(-1)

    def eps_in_quotient(old_mean, old_std, mean, std):
        quotient = (old_std**2 + (mean - old_mean) ** 2) / (2 * std**2 + 1e-3)
        return (torch.log(std / old_std) + quotient - 0.5).sum(-1)

    def components_lost__loop_from_1(old_mean, old_std, mean, std):
        total = torch.zeros(len(mean))
        for i in range(1, mean.shape[1]):
            total = total + Wrong.per_component(old_mean, old_std, mean, std)[:, i]
        return total

    def random__monte_carlo(old_mean, old_std, mean, std):
        action = old_mean + old_std * torch.randn(1000, *mean.shape)
        return (Normal(old_mean, old_std).log_prob(action) - Normal(mean, std).log_prob(action)).sum(-1).mean(0)

    def negated_argument__means_added(old_mean, old_std, mean, std):
        return (torch.log(std / old_std) + (old_std**2 + (mean + old_mean) ** 2) / (2 * std**2) - 0.5).sum(-1)

    def reversed__with__mean_over_actions(old_mean, old_std, mean, std):
        return kl_divergence(Normal(mean, std), Normal(old_mean, old_std)).mean(-1)

    def reversed__with__minus_half_missing(old_mean, old_std, mean, std):
        return (torch.log(old_std / std) + (std**2 + (mean - old_mean) ** 2) / (2 * old_std**2)).sum(-1)

    def reversed__with__variance_as_std(old_mean, old_std, mean, std):
        return kl_divergence(Normal(mean, std**2), Normal(old_mean, old_std**2)).sum(-1)

    def reversed__with__std_as_variance(old_mean, old_std, mean, std):
        return 0.5 * (torch.log(old_std / std) + (std + (mean - old_mean) ** 2) / old_std - 1).sum(-1)

    def reversed__with__per_component(old_mean, old_std, mean, std):
        return kl_divergence(Normal(mean, std), Normal(old_mean, old_std))

    def log_ratio_inverted__with__old_variance(old_mean, old_std, mean, std):
        return (torch.log(old_std / std) + (old_std**2 + (mean - old_mean) ** 2) / (2 * old_std**2) - 0.5).sum(-1)

    def log_ratio_halved__with__doubled(old_mean, old_std, mean, std):
        return (torch.log(std / old_std) + (old_std**2 + (mean - old_mean) ** 2) / std**2 - 1).sum(-1)

    def std_as_variance__with__mean_over_actions(old_mean, old_std, mean, std):
        return 0.5 * (torch.log(std / old_std) + (old_std + (mean - old_mean) ** 2) / std - 1).mean(-1)

    def minus_half_missing__with__distance_missing(old_mean, old_std, mean, std):
        return (torch.log(std / old_std) + old_std**2 / (2 * std**2)).sum(-1)

    def in_place__std(old_mean, old_std, mean, std):
        kl = (std / old_std).log()
        kl += 0.5 * (old_std.square_() + (mean - old_mean) ** 2) / std**2
        return (kl - 0.5).sum(-1)

    def result_unsqueezed__kept_dim(old_mean, old_std, mean, std):
        return Wrong.per_component(old_mean, old_std, mean, std).sum(-1, keepdim=True)

    def wrong_type__pair(old_mean, old_std, mean, std):
        return Right.by_torch(old_mean, old_std, mean, std), Wrong.reversed(old_mean, old_std, mean, std)

    def unknown__log_of_difference(old_mean, old_std, mean, std):
        return (torch.log(std - old_std) + (old_std**2 + (mean - old_mean) ** 2) / (2 * std**2) - 0.5).sum(-1)

    def nan__root_of_negative(old_mean, old_std, mean, std):
        return Right.by_torch(old_mean, old_std, mean, std) + torch.sqrt(old_mean - mean).sum(-1)

    def ratio_squared_twice(old_mean, old_std, mean, std):
        old_log_var, log_var = 2 * old_std.log(), 2 * std.log()
        ratio = (old_log_var - log_var).exp() ** 2
        return 0.5 * (log_var - old_log_var + ratio + (mean - old_mean) ** 2 / log_var.exp() - 1).sum(1)
