"""What people answer to `surrogate_loss`; the name of a wrong answer begins with the name of its mistake."""

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
        """As OpenAI's Spinning Up explains it: a bound on the gain that depends on the sign of the advantage."""
        bound = torch.where(advantage > 0, (1 + clip) * advantage, (1 - clip) * advantage)
        return -torch.minimum((log_prob - old_log_prob).exp() * advantage, bound).mean()

    def by_einsum(log_prob, old_log_prob, advantage, clip):
        ratio = (log_prob - old_log_prob).exp()
        too_far = torch.where(advantage > 0, ratio > 1 + clip, ratio < 1 - clip)
        used = torch.where(too_far, 1 + clip * advantage.sign(), ratio)
        return -torch.einsum("b,b->", used, advantage) / len(advantage)


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

    def normalizes_advantage__standardised(log_prob, old_log_prob, advantage, clip):
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        return Right.as_rsl_rl(log_prob, old_log_prob, advantage, clip)

    def normalizes_advantage__standardised_by_n(log_prob, old_log_prob, advantage, clip):
        centred = advantage - advantage.mean()
        return Right.by_loop(log_prob, old_log_prob, centred / (centred.square().mean().sqrt() + 1e-8), clip)

    def in_place__log_prob(log_prob, old_log_prob, advantage, clip):
        ratio = log_prob.sub_(old_log_prob).exp()
        return torch.max(-advantage * ratio, -advantage * ratio.clamp(1 - clip, 1 + clip)).mean()

    def wrong_shape__each(log_prob, old_log_prob, advantage, clip):
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
