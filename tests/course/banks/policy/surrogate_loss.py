"""Answers that people give to `surrogate_loss`. The name of each wrong answer starts with its mistake."""

import math

import torch


class Right:
    def as_rsl_rl(log_prob, old_log_prob, advantage, clip):
        ratio = torch.exp(log_prob - torch.squeeze(old_log_prob))
        surrogate = -torch.squeeze(advantage) * ratio
        surrogate_clipped = -torch.squeeze(advantage) * torch.clamp(ratio, 1.0 - clip, 1.0 + clip)
        return torch.max(surrogate, surrogate_clipped).mean()

    def as_in_the_paper(log_prob, old_log_prob, advantage, clip):
        ratio = log_prob.double().exp() / old_log_prob.double().exp()
        gain = torch.min(ratio * advantage, ratio.clip(1 - clip, 1 + clip) * advantage)
        return -gain.sum() / len(gain)

    def by_loop(log_prob, old_log_prob, advantage, clip):
        losses = []
        for new, old, a in zip(log_prob, old_log_prob, advantage, strict=True):
            ratio = torch.exp(new - old)
            bounded = min(max(ratio, torch.tensor(1 - clip)), torch.tensor(1 + clip))
            losses.append(max(-a * ratio, -a * bounded))
        return sum(losses) / len(losses)

    def by_sign(log_prob, old_log_prob, advantage, clip):
        """The form in OpenAI's Spinning Up, with a limit of the gain that depends on the sign of the advantage."""
        bound = torch.where(advantage > 0, (1 + clip) * advantage, (1 - clip) * advantage)
        return -torch.minimum((log_prob - old_log_prob).exp() * advantage, bound).mean()

    def by_einsum(log_prob, old_log_prob, advantage, clip):
        ratio = (log_prob - old_log_prob).exp()
        too_far = torch.where(advantage > 0, ratio > 1 + clip, ratio < 1 - clip)
        used = torch.where(too_far, 1 + clip * advantage.sign(), ratio)
        return -torch.einsum("b,b->", used, advantage) / len(advantage)

    def by_branches(log_prob, old_log_prob, advantage, clip):
        """Clamp the ratio on only one side, which depends on the sign of the advantage."""
        total = 0
        for new, old, a in zip(log_prob, old_log_prob.tolist(), advantage.tolist(), strict=True):
            ratio = torch.exp(new - old)
            total = total - a * (ratio.clamp(max=1 + clip) if a >= 0 else ratio.clamp(min=1 - clip))
        return total / len(log_prob)

    def by_excess(log_prob, old_log_prob, advantage, clip):
        """Add to the plain loss how much larger the clipped loss is."""
        ratio = torch.exp(log_prob.double() - old_log_prob.detach())
        plain = -advantage * ratio
        return (plain + torch.relu(-advantage * ratio.clamp(1 - clip, 1 + clip) - plain)).mean()

    def by_change(log_prob, old_log_prob, advantage, clip):
        change = torch.expm1(log_prob - old_log_prob)
        return -(torch.minimum(advantage * change, advantage * change.clamp(-clip, clip)) + advantage).mean()


class Wrong:
    def sign__gain(log_prob, old_log_prob, advantage, clip):
        return -Right.as_in_the_paper(log_prob, old_log_prob, advantage, clip)

    def sign__without_minus(log_prob, old_log_prob, advantage, clip):
        ratio = (log_prob - old_log_prob).exp()
        return torch.max(advantage * ratio, advantage * ratio.clamp(1 - clip, 1 + clip)).mean()

    def optimistic(log_prob, old_log_prob, advantage, clip):
        ratio = (log_prob - old_log_prob).exp()
        return torch.min(-advantage * ratio, -advantage * ratio.clamp(1 - clip, 1 + clip)).mean()

    def no_clip(log_prob, old_log_prob, advantage, clip):
        return -torch.mean(advantage * torch.exp(log_prob) / torch.exp(old_log_prob))

    def clipped_only(log_prob, old_log_prob, advantage, clip):
        ratio = (log_prob - old_log_prob).exp().clamp(1 - clip, 1 + clip)
        return -(ratio * advantage).mean()

    def clips_log_ratio(log_prob, old_log_prob, advantage, clip):
        difference = log_prob - old_log_prob
        bounded = difference.clamp(-clip, clip)
        return torch.max(-advantage * difference.exp(), -advantage * bounded.exp()).mean()

    def clips_around_zero(log_prob, old_log_prob, advantage, clip):
        ratio = torch.exp(log_prob - old_log_prob)
        return -torch.minimum(ratio * advantage, torch.clamp(ratio, -clip, clip) * advantage).mean()

    def clips_one_side__above(log_prob, old_log_prob, advantage, clip):
        ratio = torch.exp(log_prob - old_log_prob)
        bounded = torch.minimum(ratio, torch.tensor(1 + clip))
        return -torch.minimum(ratio * advantage, bounded * advantage).mean()

    def clips_one_side__below(log_prob, old_log_prob, advantage, clip):
        ratio = torch.exp(log_prob - old_log_prob)
        return -torch.minimum(ratio * advantage, torch.clamp(ratio, min=1 - clip) * advantage).mean()

    def clips_product(log_prob, old_log_prob, advantage, clip):
        gain = advantage * torch.exp(log_prob - old_log_prob)
        return -torch.min(gain, torch.clamp(gain, 1 - clip, 1 + clip)).mean()

    def ratio_inverted(log_prob, old_log_prob, advantage, clip):
        return Right.as_rsl_rl(old_log_prob, log_prob, advantage, clip)

    def log_ratio(log_prob, old_log_prob, advantage, clip):
        ratio = log_prob - old_log_prob
        return -torch.min(ratio * advantage, ratio.clip(1 - clip, 1 + clip) * advantage).mean()

    def quotient_of_logs(log_prob, old_log_prob, advantage, clip):
        ratio = torch.div(log_prob, old_log_prob)
        return -torch.min(ratio * advantage, ratio.clip(1 - clip, 1 + clip) * advantage).mean()

    def difference_of_probabilities(log_prob, old_log_prob, advantage, clip):
        ratio = log_prob.exp() - old_log_prob.exp()
        return -torch.min(ratio * advantage, ratio.clip(1 - clip, 1 + clip) * advantage).mean()

    def no_old_policy__vanilla(log_prob, old_log_prob, advantage, clip):
        return torch.mean(-log_prob * advantage)

    def no_old_policy__without_old(log_prob, old_log_prob, advantage, clip):
        return Right.as_rsl_rl(log_prob, torch.zeros_like(old_log_prob), advantage, clip)

    def sum_for_mean(log_prob, old_log_prob, advantage, clip):
        return Right.by_loop(log_prob, old_log_prob, advantage, clip) * len(log_prob)

    def maximum_of_means(log_prob, old_log_prob, advantage, clip):
        ratio = (log_prob - old_log_prob).exp()
        plain, clipped = (-advantage * ratio).mean(), (-advantage * ratio.clamp(1 - clip, 1 + clip)).mean()
        return max(plain, clipped)

    def normalizes_advantage__standardized(log_prob, old_log_prob, advantage, clip):
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        return Right.as_rsl_rl(log_prob, old_log_prob, advantage, clip)

    def normalizes_advantage__standardized_by_n(log_prob, old_log_prob, advantage, clip):
        centred = advantage - advantage.mean()
        return Right.by_loop(log_prob, old_log_prob, centred / (centred.square().mean().sqrt() + 1e-8), clip)

    def in_place__log_prob(log_prob, old_log_prob, advantage, clip):
        ratio = log_prob.sub_(old_log_prob).exp()
        return torch.max(-advantage * ratio, -advantage * ratio.clamp(1 - clip, 1 + clip)).mean()

    def not_averaged(log_prob, old_log_prob, advantage, clip):
        ratio = (log_prob - old_log_prob).exp()
        return torch.max(-advantage * ratio, -advantage * ratio.clamp(1 - clip, 1 + clip))

    def exception__python_max(log_prob, old_log_prob, advantage, clip):
        ratio = (log_prob - old_log_prob).exp()
        return torch.max(-advantage * ratio, -advantage * max(min(ratio, 1 + clip), 1 - clip), clip).mean()

    def wrong_type__dict(log_prob, old_log_prob, advantage, clip):
        return {"loss": Right.by_loop(log_prob, old_log_prob, advantage, clip)}

    def unknown__with_bonus(log_prob, old_log_prob, advantage, clip):
        return Right.by_loop(log_prob, old_log_prob, advantage, clip) - 0.01

    def no_gradient__floats(log_prob, old_log_prob, advantage, clip):
        total = 0.0
        for new, old, a in zip(log_prob.tolist(), old_log_prob.tolist(), advantage.tolist(), strict=True):
            ratio = math.exp(new - old)
            bounded = max(min(ratio, 1 + clip), 1 - clip)
            total += max(-a * ratio, -a * bounded)
        return total / len(log_prob)

    def no_gradient__item(log_prob, old_log_prob, advantage, clip):
        ratio = torch.exp(log_prob - old_log_prob)
        return torch.max(-advantage * ratio, -advantage * torch.clamp(ratio, 1 - clip, 1 + clip)).mean().item()

    def no_gradient__without_grad(log_prob, old_log_prob, advantage, clip):
        with torch.no_grad():
            ratio = torch.exp(log_prob - old_log_prob)
            return torch.max(-advantage * ratio, -advantage * torch.clamp(ratio, 1 - clip, 1 + clip)).mean()

    def gradient_of_a_copy__wrapped(log_prob, old_log_prob, advantage, clip):
        loss = Right.as_rsl_rl(log_prob, old_log_prob, advantage, clip).item()
        return torch.tensor(loss, requires_grad=True)

    def gradient_of_a_copy__new_leaf(log_prob, old_log_prob, advantage, clip):
        return Right.as_rsl_rl(log_prob.detach().requires_grad_(), old_log_prob, advantage, clip)

    def gradient_of_one_loss(log_prob, old_log_prob, advantage, clip):
        ratio = torch.exp(log_prob - old_log_prob)
        with torch.no_grad():
            clipped = -advantage * ratio.clamp(1 - clip, 1 + clip)
        return torch.max(-advantage * ratio, clipped).mean()

    def no_gradient__list(log_prob, old_log_prob, advantage, clip):
        log_prob = torch.tensor(log_prob.tolist())
        return Right.as_rsl_rl(log_prob, old_log_prob, advantage, clip)

    # Which of the two losses, and the limits

    def bounded_twice__dual_clip(log_prob, old_log_prob, advantage, clip):
        ratio = torch.exp(log_prob - old_log_prob)
        gain = torch.min(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage)
        return -torch.where(advantage < 0, torch.max(gain, 3.0 * advantage), gain).mean()

    def bounded_twice__tianshou(log_prob, old_log_prob, advantage, clip):
        gain = -torch.max(-advantage * (r := (log_prob - old_log_prob).exp()), -advantage * r.clamp(1 - clip, 1 + clip))
        return -torch.where(advantage < 0, torch.max(gain, 5.0 * advantage), gain).mean()

    def bounded_twice__for_stability(log_prob, old_log_prob, advantage, clip):
        return Right.by_sign(torch.clamp(log_prob - old_log_prob, -2, 2), 0 * old_log_prob, advantage, clip)

    def compares_ratios(log_prob, old_log_prob, advantage, clip):
        ratio = (log_prob - old_log_prob).exp()
        return -(torch.min(ratio, ratio.clamp(1 - clip, 1 + clip)) * advantage).mean()

    def combines_both(log_prob, old_log_prob, advantage, clip):
        ratio = (log_prob - old_log_prob).exp()
        return -(ratio * advantage).mean() - (ratio.clamp(1 - clip, 1 + clip) * advantage).mean()

    def drops_outside(log_prob, old_log_prob, advantage, clip):
        ratio = (log_prob - old_log_prob).exp()
        inside = (ratio > 1 - clip) & (ratio < 1 + clip)
        return -(ratio * advantage * inside).mean()

    def clips_at_clip(log_prob, old_log_prob, advantage, clip):
        ratio = (log_prob - old_log_prob).exp()
        return -torch.min(ratio * advantage, torch.clamp(ratio, clip) * advantage).mean()

    def limit_for_ratio__swapped(log_prob, old_log_prob, advantage, clip):
        ratio = (log_prob - old_log_prob).exp()
        return -torch.min(ratio * advantage, torch.clamp(ratio, 1 + clip, 1 - clip) * advantage).mean()

    def reciprocal_limits(log_prob, old_log_prob, advantage, clip):
        ratio = (log_prob - old_log_prob).exp()
        return -torch.min(ratio * advantage, ratio.clamp(1 / (1 + clip), 1 + clip) * advantage).mean()

    def fixed_clip(log_prob, old_log_prob, advantage, clip=0.2):
        return Right.as_in_the_paper(log_prob, old_log_prob, advantage, 0.2)

    def halved_argument__clip(log_prob, old_log_prob, advantage, clip):
        return Right.by_sign(log_prob, old_log_prob, advantage, clip / 2)

    def limit_for_ratio(log_prob, old_log_prob, advantage, clip):
        ratio = (log_prob - old_log_prob).exp()
        return -torch.min(ratio * advantage, (1 + clip) * advantage).mean()

    # The factors

    def clips_advantage(log_prob, old_log_prob, advantage, clip):
        ratio = (log_prob - old_log_prob).exp()
        return torch.max(-advantage * ratio, -torch.clamp(advantage, 1 - clip, 1 + clip) * ratio).mean()

    def clipped_without_advantage(log_prob, old_log_prob, advantage, clip):
        ratio = (log_prob - old_log_prob).exp()
        return -torch.min(ratio * advantage, ratio.clamp(1 - clip, 1 + clip)).mean()

    def linear_ratio(log_prob, old_log_prob, advantage, clip):
        ratio = 1 + log_prob - old_log_prob
        return -torch.min(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage).mean()

    def ratio_minus_one(log_prob, old_log_prob, advantage, clip):
        ratio = torch.expm1(log_prob - old_log_prob)
        return -torch.min(ratio * advantage, ratio.clamp(-clip, clip) * advantage).mean()

    def one_exp_only(log_prob, old_log_prob, advantage, clip):
        ratio = log_prob.exp() / old_log_prob
        return -torch.min(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage).mean()

    def another_base(log_prob, old_log_prob, advantage, clip):
        return Right.as_rsl_rl(log_prob * math.log(10), old_log_prob * math.log(10), advantage, clip)

    def log_prob_in_loss(log_prob, old_log_prob, advantage, clip):
        ratio = (log_prob - old_log_prob).exp().clamp(1 - clip, 1 + clip).detach()
        return -(ratio * advantage * log_prob).mean()

    def bad_actions_dropped(log_prob, old_log_prob, advantage, clip):
        return Right.as_rsl_rl(log_prob, old_log_prob, torch.relu(advantage), clip)

    def never_negative(log_prob, old_log_prob, advantage, clip):
        ratio = (log_prob - old_log_prob).exp()
        return torch.max(-advantage * ratio, -advantage * ratio.clamp(1 - clip, 1 + clip)).abs().mean()

    def one_of_batch__median(log_prob, old_log_prob, advantage, clip):
        ratio = (log_prob - old_log_prob).exp()
        return torch.max(-advantage * ratio, -advantage * ratio.clamp(1 - clip, 1 + clip)).median()

    # Two mistakes

    def sum_for_mean__with__sign(log_prob, old_log_prob, advantage, clip):
        ratio = (log_prob - old_log_prob).exp()
        return torch.min(advantage * ratio, advantage * ratio.clamp(1 - clip, 1 + clip)).sum()

    def sum_for_mean__with__no_clip(log_prob, old_log_prob, advantage, clip):
        return -(log_prob - old_log_prob).exp() @ advantage

    def sign__with__clipped_only(log_prob, old_log_prob, advantage, clip):
        return (advantage * torch.exp(log_prob - old_log_prob).clamp(1 - clip, 1 + clip)).mean()

    def ratio_inverted__with__optimistic(log_prob, old_log_prob, advantage, clip):
        ratio = (old_log_prob - log_prob).exp()
        return torch.min(-advantage * ratio, -advantage * ratio.clamp(1 - clip, 1 + clip)).mean()

    def log_ratio__with__clips_around_zero(log_prob, old_log_prob, advantage, clip):
        ratio = log_prob - old_log_prob
        return -torch.min(advantage * ratio, advantage * ratio.clamp(-clip, clip)).mean()

    def not_averaged__with__sign(log_prob, old_log_prob, advantage, clip):
        ratio = (log_prob - old_log_prob).exp()
        return torch.min(advantage * ratio, advantage * ratio.clamp(1 - clip, 1 + clip))

    def normalizes_advantage__with__sum_for_mean(log_prob, old_log_prob, advantage, clip):
        advantage = (advantage - advantage.mean()) / (advantage.std(correction=0) + 1e-8)
        return Right.by_sign(log_prob, old_log_prob, advantage, clip) * len(advantage)

    def every_with_every(log_prob, old_log_prob, advantage, clip):
        ratio = (log_prob - old_log_prob).exp().unsqueeze(-1)
        return -torch.min(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage).mean()
