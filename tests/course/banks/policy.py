"""Answers to lesson 6's exercises as people write them: right ones, and wrong ones with the mistake they make."""

import math

import numpy as np
import torch

# advantages: right ----------------------------------------------------------------------------------------------------


def gae_as_rsl_rl(rewards, values, dones, last_value, gamma, lam):
    returns = torch.zeros_like(values)
    advantage = 0
    for step in reversed(range(rewards.shape[0])):
        next_values = last_value if step == rewards.shape[0] - 1 else values[step + 1]
        next_is_not_terminal = 1.0 - dones[step].float()
        delta = rewards[step] + next_is_not_terminal * gamma * next_values - values[step]
        advantage = delta + next_is_not_terminal * gamma * lam * advantage
        returns[step] = advantage + values[step]
    return returns - values


def gae_by_sums(rewards, values, dones, last_value, gamma, lam):
    """The definition: the sum of (gamma lam)^k delta_{t+k} until the episode ends."""
    time, envs = rewards.shape
    result = torch.zeros(time, envs, dtype=torch.float64)
    for env in range(envs):
        for t in range(time):
            weight = 1.0
            for s in range(t, time):
                after = last_value[env] if s == time - 1 else values[s + 1, env]
                target = rewards[s, env] if dones[s, env] else rewards[s, env] + gamma * after
                result[t, env] += weight * (target - values[s, env])
                weight *= gamma * lam
                if dones[s, env]:
                    break
    return result


def gae_by_matrix(rewards, values, dones, last_value, gamma, lam):
    """All at once: A = W delta, with W[t, s] = (gamma lam)^(s-t) inside one episode."""
    following = torch.cat([values[1:], last_value[None]])
    delta = rewards + gamma * following * (1 - dones) - values
    episode = dones.cumsum(0) - dones  # [time, envs]
    t = torch.arange(len(rewards))
    weight = (gamma * lam) ** (t - t[:, None]).clamp(min=0).double()
    inside = (episode[:, None] == episode) & (t[:, None] <= t)[..., None]
    return torch.einsum("ts,tse,se->te", weight, inside.double(), delta.double())


def gae_by_numpy(rewards, values, dones, last_value, gamma, lam):
    r, d = rewards.numpy(), dones.numpy() > 0
    v = np.vstack([values.numpy(), last_value.numpy()])
    out, carried = np.zeros_like(r), np.zeros(r.shape[1])
    for t in range(len(r) - 1, -1, -1):
        target = np.where(d[t], r[t], r[t] + gamma * (v[t + 1] + lam * carried))
        out[t] = carried = target - v[t]
    return torch.from_numpy(out)


def gae_from_lambda_returns(rewards, values, dones, last_value, gamma, lam):
    after, later, found = last_value, last_value, []
    for reward, value, done in zip(rewards.flip(0), values.flip(0), dones.flip(0), strict=True):
        total = reward + gamma * (1 - done) * torch.lerp(after, later, lam)
        found.append(total - value)
        after, later = value, total
    return torch.stack(found[::-1])


# advantages: wrong ----------------------------------------------------------------------------------------------------


def gae_leaking(rewards, values, dones, last_value, gamma, lam):
    return gae_as_rsl_rl(rewards, values, torch.zeros_like(dones), last_value, gamma, lam)


def gae_mask_in_recursion(rewards, values, dones, last_value, gamma, lam):
    delta = rewards + gamma * torch.cat([values[1:], last_value.unsqueeze(0)]) - values
    out = delta.clone()
    for t in range(len(rewards) - 2, -1, -1):
        out[t] += gamma * lam * (1 - dones[t]) * out[t + 1]
    return out


def gae_mask_in_delta(rewards, values, dones, last_value, gamma, lam):
    out = rewards + gamma * (1 - dones) * torch.cat([values[1:], last_value.unsqueeze(0)]) - values
    for t in range(len(rewards) - 2, -1, -1):
        out[t] += gamma * lam * out[t + 1]
    return out


def gae_as_cleanrl(rewards, values, dones, last_value, gamma, lam):
    """CleanRL's loop, with its meaning of done."""
    out, lastgaelam = torch.zeros_like(rewards), 0
    for t in reversed(range(len(rewards))):
        if t == len(rewards) - 1:
            nextnonterminal, nextvalues = 1.0 - dones[-1], last_value
        else:
            nextnonterminal, nextvalues = 1.0 - dones[t + 1], values[t + 1]
        delta = rewards[t] + gamma * nextvalues * nextnonterminal - values[t]
        out[t] = lastgaelam = delta + gamma * lam * nextnonterminal * lastgaelam
    return out


def gae_next_done(rewards, values, dones, last_value, gamma, lam):
    shifted = torch.cat([dones[1:], torch.zeros(1, dones.shape[1])])
    return gae_by_matrix(rewards, values, shifted, last_value, gamma, lam)


def gae_previous_done(rewards, values, dones, last_value, gamma, lam):
    shifted = torch.zeros_like(dones)
    shifted[1:] = dones[:-1]
    return gae_by_sums(rewards, values, shifted, last_value, gamma, lam)


def gae_done_kept(rewards, values, dones, last_value, gamma, lam):
    return gae_as_rsl_rl(rewards, values, 1 - dones, last_value, gamma, lam)


def gae_any_done(rewards, values, dones, last_value, gamma, lam):
    anyone = (dones.sum(1, keepdim=True) > 0).float().expand(dones.shape)
    return gae_as_rsl_rl(rewards, values, anyone, last_value, gamma, lam)


def gae_without_last_value(rewards, values, dones, last_value, gamma, lam):
    return gae_by_sums(rewards, values, dones, torch.zeros_like(last_value), gamma, lam)


def gae_short(rewards, values, dones, last_value, gamma, lam):
    out, running = torch.zeros_like(rewards), 0
    for t in reversed(range(len(rewards) - 1)):
        delta = rewards[t] + gamma * values[t + 1] * (1 - dones[t]) - values[t]
        out[t] = running = delta + gamma * lam * (1 - dones[t]) * running
    return out


def gae_constant_next(rewards, values, dones, last_value, gamma, lam):
    delta = rewards + gamma * (1 - dones) * last_value - values
    out, running = [], torch.zeros_like(last_value)
    for d, done in zip(delta.flip(0), dones.flip(0), strict=True):
        running = d + gamma * lam * (1 - done) * running
        out.insert(0, running)
    return torch.stack(out)


def gae_same_value(rewards, values, dones, last_value, gamma, lam):
    out, running = torch.zeros_like(rewards), torch.zeros_like(last_value)
    for t in reversed(range(len(rewards))):
        going = 1 - dones[t]
        running = rewards[t] + going * gamma * values[t] - values[t] + going * gamma * lam * running
        out[t] = running
    return out


class Gae:
    """A right estimate in parts; the wrong ones below replace a part."""

    def __call__(self, rewards, values, dones, last_value, gamma, lam):
        out, running = [None] * len(rewards), torch.zeros_like(last_value)
        following = [*values[1:], last_value]
        for t in range(len(rewards) - 1, -1, -1):
            going = 1 - dones[t]
            delta = self.delta(rewards[t], values[t], following[t] * going, gamma, lam)
            running = delta + self.carry(gamma, lam) * going * running
            out[t] = running
        return self.result(torch.stack(out), values)

    def delta(self, reward, value, following, gamma, lam):
        return reward + gamma * following - value

    def carry(self, gamma, lam):
        return gamma * lam

    def result(self, advantage, values):
        return advantage


def variant(name, **parts):
    """An answer made of Gae with methods replaced."""
    gae = type(name, (Gae,), {key: staticmethod(part) for key, part in parts.items()})()

    def answer(rewards, values, dones, last_value, gamma, lam):
        return gae(rewards, values, dones, last_value, gamma, lam)

    answer.__name__ = name
    return answer


gae_lam_in_delta = variant("gae_lam_in_delta", delta=lambda r, v, w, gamma, lam: r + lam * w - v)
gae_both_in_delta = variant("gae_both_in_delta", delta=lambda r, v, w, gamma, lam: r + gamma * lam * w - v)
gae_undiscounted = variant("gae_undiscounted", delta=lambda r, v, w, gamma, lam: r + w - v)
gae_gamma_alone = variant("gae_gamma_alone", carry=lambda gamma, lam: gamma)
gae_lam_alone = variant("gae_lam_alone", carry=lambda gamma, lam: lam)
gae_td_error = variant("gae_td_error", carry=lambda gamma, lam: 0.0)
gae_returns = variant("gae_returns", result=lambda a, v: v + a)
gae_no_baseline = variant("gae_no_baseline", delta=lambda r, v, w, gamma, lam: r + gamma * w)
gae_of_rewards = variant("gae_of_rewards", delta=lambda r, v, w, gamma, lam: r, carry=lambda gamma, lam: gamma)
gae_negative = variant("gae_negative", delta=lambda r, v, w, gamma, lam: v - (r + gamma * w))
gae_standardised = variant("gae_standardised", result=lambda a, v: (a - a.mean()) / (a.std() + 1e-8))
gae_standardised_by_n = variant(
    "gae_standardised_by_n", result=lambda a, v: (a - a.mean()) / (a.var(correction=0) ** 0.5 + 1e-8)
)
gae_centred = variant("gae_centred", result=lambda a, v: a - a.mean())
gae_backwards = variant("gae_backwards", result=lambda a, v: torch.stack(list(reversed(a.unbind()))))
gae_scaled = variant("gae_scaled", result=lambda a, v: 3 * a)
gae_batched = variant("gae_batched", result=lambda a, v: a.flatten())
gae_lists = variant("gae_lists", result=lambda a, v: a.tolist())


def gae_return_minus_value(rewards, values, dones, last_value, gamma, lam):
    total, out = last_value, torch.zeros_like(rewards)
    for t in reversed(range(len(rewards))):
        total = rewards[t] + gamma * (1 - dones[t]) * total
        out[t] = total - values[t]
    return out


def gae_forwards(rewards, values, dones, last_value, gamma, lam):
    out, running = torch.zeros_like(rewards), 0
    for t in range(len(rewards)):
        following = values[t + 1] if t + 1 < len(rewards) else last_value
        delta = rewards[t] + gamma * following * (1 - dones[t]) - values[t]
        running = delta + gamma * lam * (1 - dones[t]) * running
        out[t] = running
    return out


def gae_in_place(rewards, values, dones, last_value, gamma, lam):
    following, running = last_value, 0
    for t in reversed(range(len(rewards))):
        rewards[t] += gamma * (1 - dones[t]) * (following + lam * running) - values[t]
        running, following = rewards[t], values[t]
    return rewards


def gae_no_return(rewards, values, dones, last_value, gamma, lam):
    gae_by_matrix(rewards, values, dones, last_value, gamma, lam)


def gae_off_the_end(rewards, values, dones, last_value, gamma, lam):
    out = torch.zeros_like(rewards)
    for t in reversed(range(len(rewards))):
        out[t] = rewards[t] + gamma * values[t + 1] - values[t]
    return out


def gae_stub(rewards, values, dones, last_value, gamma, lam):
    raise NotImplementedError


# surrogate_loss: right ------------------------------------------------------------------------------------------------


def loss_as_rsl_rl(log_prob, old_log_prob, advantage, clip):
    ratio = torch.exp(log_prob - torch.squeeze(old_log_prob))
    surrogate = -torch.squeeze(advantage) * ratio
    surrogate_clipped = -torch.squeeze(advantage) * torch.clamp(ratio, 1.0 - clip, 1.0 + clip)
    return torch.max(surrogate, surrogate_clipped).mean()


def loss_as_in_the_paper(log_prob, old_log_prob, advantage, clip):
    ratio = log_prob.double().exp() / old_log_prob.double().exp()
    gain = torch.min(ratio * advantage, ratio.clip(1 - clip, 1 + clip) * advantage)
    return -gain.sum() / len(gain)


def loss_by_loop(log_prob, old_log_prob, advantage, clip):
    losses = []
    for new, old, a in zip(log_prob, old_log_prob, advantage, strict=True):
        ratio = torch.exp(new - old)
        bounded = min(max(ratio, torch.tensor(1 - clip)), torch.tensor(1 + clip))
        losses.append(max(-a * ratio, -a * bounded))
    return sum(losses) / len(losses)


def loss_by_sign(log_prob, old_log_prob, advantage, clip):
    """As OpenAI's Spinning Up explains it: a bound on the gain that depends on the sign of the advantage."""
    bound = torch.where(advantage > 0, (1 + clip) * advantage, (1 - clip) * advantage)
    return -torch.minimum((log_prob - old_log_prob).exp() * advantage, bound).mean()


def loss_by_einsum(log_prob, old_log_prob, advantage, clip):
    ratio = (log_prob - old_log_prob).exp()
    too_far = torch.where(advantage > 0, ratio > 1 + clip, ratio < 1 - clip)
    used = torch.where(too_far, 1 + clip * advantage.sign(), ratio)
    return -torch.einsum("b,b->", used, advantage) / len(advantage)


# surrogate_loss: wrong ------------------------------------------------------------------------------------------------


def loss_gain(log_prob, old_log_prob, advantage, clip):
    return -loss_as_in_the_paper(log_prob, old_log_prob, advantage, clip)


def loss_without_minus(log_prob, old_log_prob, advantage, clip):
    ratio = (log_prob - old_log_prob).exp()
    return torch.max(advantage * ratio, advantage * ratio.clamp(1 - clip, 1 + clip)).mean()


def loss_minimum(log_prob, old_log_prob, advantage, clip):
    ratio = (log_prob - old_log_prob).exp()
    return torch.min(-advantage * ratio, -advantage * ratio.clamp(1 - clip, 1 + clip)).mean()


def loss_unclipped(log_prob, old_log_prob, advantage, clip):
    return -torch.mean(advantage * torch.exp(log_prob) / torch.exp(old_log_prob))


def loss_always_clipped(log_prob, old_log_prob, advantage, clip):
    ratio = (log_prob - old_log_prob).exp().clamp(1 - clip, 1 + clip)
    return -(ratio * advantage).mean()


def loss_clipped_logs(log_prob, old_log_prob, advantage, clip):
    difference = log_prob - old_log_prob
    bounded = difference.clamp(-clip, clip)
    return torch.max(-advantage * difference.exp(), -advantage * bounded.exp()).mean()


def loss_clip_from_zero(log_prob, old_log_prob, advantage, clip):
    ratio = torch.exp(log_prob - old_log_prob)
    return -torch.minimum(ratio * advantage, torch.clamp(ratio, -clip, clip) * advantage).mean()


def loss_clip_above(log_prob, old_log_prob, advantage, clip):
    ratio = torch.exp(log_prob - old_log_prob)
    bounded = torch.minimum(ratio, torch.tensor(1 + clip))
    return -torch.minimum(ratio * advantage, bounded * advantage).mean()


def loss_clip_below(log_prob, old_log_prob, advantage, clip):
    ratio = torch.exp(log_prob - old_log_prob)
    return -torch.minimum(ratio * advantage, torch.clamp(ratio, min=1 - clip) * advantage).mean()


def loss_clipped_product(log_prob, old_log_prob, advantage, clip):
    gain = advantage * torch.exp(log_prob - old_log_prob)
    return -torch.min(gain, torch.clamp(gain, 1 - clip, 1 + clip)).mean()


def loss_old_over_new(log_prob, old_log_prob, advantage, clip):
    return loss_as_rsl_rl(old_log_prob, log_prob, advantage, clip)


def loss_without_exp(log_prob, old_log_prob, advantage, clip):
    ratio = log_prob - old_log_prob
    return -torch.min(ratio * advantage, ratio.clip(1 - clip, 1 + clip) * advantage).mean()


def loss_of_log_quotient(log_prob, old_log_prob, advantage, clip):
    ratio = torch.div(log_prob, old_log_prob)
    return -torch.min(ratio * advantage, ratio.clip(1 - clip, 1 + clip) * advantage).mean()


def loss_of_probabilities(log_prob, old_log_prob, advantage, clip):
    ratio = log_prob.exp() - old_log_prob.exp()
    return -torch.min(ratio * advantage, ratio.clip(1 - clip, 1 + clip) * advantage).mean()


def loss_vanilla(log_prob, old_log_prob, advantage, clip):
    return torch.mean(-log_prob * advantage)


def loss_without_old(log_prob, old_log_prob, advantage, clip):
    return loss_as_rsl_rl(log_prob, torch.zeros_like(old_log_prob), advantage, clip)


def loss_summed(log_prob, old_log_prob, advantage, clip):
    return loss_by_loop(log_prob, old_log_prob, advantage, clip) * len(log_prob)


def loss_of_means(log_prob, old_log_prob, advantage, clip):
    ratio = (log_prob - old_log_prob).exp()
    plain, clipped = (-advantage * ratio).mean(), (-advantage * ratio.clamp(1 - clip, 1 + clip)).mean()
    return max(plain, clipped)


def loss_standardised(log_prob, old_log_prob, advantage, clip):
    advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    return loss_as_rsl_rl(log_prob, old_log_prob, advantage, clip)


def loss_standardised_by_n(log_prob, old_log_prob, advantage, clip):
    centred = advantage - advantage.mean()
    return loss_by_loop(log_prob, old_log_prob, centred / (centred.square().mean().sqrt() + 1e-8), clip)


def loss_in_place(log_prob, old_log_prob, advantage, clip):
    ratio = log_prob.sub_(old_log_prob).exp()
    return torch.max(-advantage * ratio, -advantage * ratio.clamp(1 - clip, 1 + clip)).mean()


def loss_no_return(log_prob, old_log_prob, advantage, clip):
    loss_by_loop(log_prob, old_log_prob, advantage, clip)


def loss_each(log_prob, old_log_prob, advantage, clip):
    ratio = (log_prob - old_log_prob).exp()
    return torch.max(-advantage * ratio, -advantage * ratio.clamp(1 - clip, 1 + clip))


def loss_python_max(log_prob, old_log_prob, advantage, clip):
    ratio = (log_prob - old_log_prob).exp()
    return torch.max(-advantage * ratio, -advantage * max(min(ratio, 1 + clip), 1 - clip), clip).mean()


def loss_and_ratio(log_prob, old_log_prob, advantage, clip):
    return {"loss": loss_by_loop(log_prob, old_log_prob, advantage, clip)}


def loss_with_bonus(log_prob, old_log_prob, advantage, clip):
    return loss_by_loop(log_prob, old_log_prob, advantage, clip) - 0.01


def loss_of_python_floats(log_prob, old_log_prob, advantage, clip):
    total = 0.0
    for new, old, a in zip(log_prob.tolist(), old_log_prob.tolist(), advantage.tolist(), strict=True):
        ratio = math.exp(new - old)
        bounded = max(min(ratio, 1 + clip), 1 - clip)
        total += max(-a * ratio, -a * bounded)
    return total / len(log_prob)


def loss_as_a_float(log_prob, old_log_prob, advantage, clip):
    ratio = torch.exp(log_prob - old_log_prob)
    return torch.max(-advantage * ratio, -advantage * torch.clamp(ratio, 1 - clip, 1 + clip)).mean().item()


def loss_without_grad(log_prob, old_log_prob, advantage, clip):
    with torch.no_grad():
        ratio = torch.exp(log_prob - old_log_prob)
        return torch.max(-advantage * ratio, -advantage * torch.clamp(ratio, 1 - clip, 1 + clip)).mean()


def loss_stub(log_prob, old_log_prob, advantage, clip):
    raise NotImplementedError


# bootstrap: right -----------------------------------------------------------------------------------------------------


def bootstrap_as_rsl_rl(rewards, values, time_outs, gamma):
    rewards = rewards.clone()
    for step in range(len(rewards)):
        rewards[step] += gamma * torch.squeeze(values[step].unsqueeze(1) * time_outs[step].unsqueeze(1), 1)
    return rewards


def bootstrap_where(rewards, values, time_outs, gamma):
    return torch.where(time_outs.bool(), rewards + gamma * values, rewards)


def bootstrap_masked(rewards, values, time_outs, gamma):
    out = rewards.double()
    up = time_outs > 0
    out[up] += gamma * values[up]
    return out


def bootstrap_by_loop(rewards, values, time_outs, gamma):
    rows = [
        [r + gamma * v if up else r for r, v, up in zip(*row, strict=True)]
        for row in zip(rewards.tolist(), values.tolist(), time_outs.tolist(), strict=True)
    ]
    return torch.tensor(rows)


def bootstrap_addcmul(rewards, values, time_outs, gamma):
    return torch.addcmul(rewards, values, time_outs, value=gamma)


# bootstrap: wrong -----------------------------------------------------------------------------------------------------


def bootstrap_undiscounted(rewards, values, time_outs, gamma):
    return torch.where(time_outs == 1, rewards + values, rewards)


def bootstrap_everywhere(rewards, values, time_outs, gamma):
    return torch.add(rewards, values, alpha=gamma)


def bootstrap_elsewhere(rewards, values, time_outs, gamma):
    out = rewards.clone()
    out[time_outs == 0] += gamma * values[time_outs == 0]
    return out


def bootstrap_where_swapped(rewards, values, time_outs, gamma):
    return torch.where(time_outs > 0, rewards, rewards + gamma * values)


def bootstrap_minus(rewards, values, time_outs, gamma):
    return rewards - gamma * time_outs * values


def bootstrap_replaced(rewards, values, time_outs, gamma):
    out = rewards.clone()
    out[time_outs.bool()] = gamma * values[time_outs.bool()]
    return out


def bootstrap_replaced_by_sum(rewards, values, time_outs, gamma):
    return rewards * (1 - time_outs) + values * time_outs


def bootstrap_next(rewards, values, time_outs, gamma):
    out = rewards.clone()
    for t in range(len(rewards) - 1):
        out[t] += gamma * values[t + 1] * time_outs[t]
    return out


def bootstrap_rolled(rewards, values, time_outs, gamma):
    return rewards + gamma * torch.roll(values, -1, dims=0) * time_outs


def bootstrap_late(rewards, values, time_outs, gamma):
    out = rewards.clone()
    out[1:] += gamma * (values * time_outs)[:-1]
    return out


def bootstrap_early(rewards, values, time_outs, gamma):
    out = rewards.clone()
    for t in range(1, len(rewards)):
        out[t - 1] += gamma * values[t] * time_outs[t]
    return out


def bootstrap_discounting_all(rewards, values, time_outs, gamma):
    return (rewards + time_outs * values) * gamma


def bootstrap_bonus(rewards, values, time_outs, gamma):
    return torch.where(time_outs == 1, gamma * values, 0.0)


def bootstrap_masking_all(rewards, values, time_outs, gamma):
    return torch.where(time_outs.bool(), rewards + gamma * values, torch.zeros_like(rewards))


def bootstrap_everyone(rewards, values, time_outs, gamma):
    out = rewards.clone()
    for t in range(len(rewards)):
        if time_outs[t].any():
            out[t] += gamma * values[t]
    return out


def bootstrap_forgotten(rewards, values, time_outs, gamma):
    rewards = rewards.clone()
    rewards[time_outs.bool()].add_(gamma * values[time_outs.bool()])
    return rewards


def bootstrap_in_place(rewards, values, time_outs, gamma):
    rewards += gamma * values * time_outs
    return rewards


def bootstrap_in_place_indexed(rewards, values, time_outs, gamma):
    up = time_outs.bool()
    rewards[up] = rewards[up] + gamma * values[up]
    return rewards


def bootstrap_no_return(rewards, values, time_outs, gamma):
    rewards = rewards + gamma * values * time_outs


def bootstrap_summed(rewards, values, time_outs, gamma):
    return (rewards + gamma * values * time_outs).sum(0)


def bootstrap_float_index(rewards, values, time_outs, gamma):
    out = rewards.clone()
    out[time_outs] += gamma * values[time_outs]
    return out


def bootstrap_lists(rewards, values, time_outs, gamma):
    return bootstrap_where(rewards, values, time_outs, gamma).tolist()


def bootstrap_squared(rewards, values, time_outs, gamma):
    return rewards + gamma * values**2 * time_outs


def bootstrap_stub(rewards, values, time_outs, gamma):
    raise NotImplementedError


# The bank -------------------------------------------------------------------------------------------------------------

RIGHT = {
    "advantages": [
        gae_as_rsl_rl,
        gae_by_sums,
        gae_by_matrix,
        gae_by_numpy,
        gae_from_lambda_returns,
        variant("gae_in_parts"),
    ],
    "surrogate_loss": [loss_as_rsl_rl, loss_as_in_the_paper, loss_by_loop, loss_by_sign, loss_by_einsum],
    "bootstrap": [bootstrap_as_rsl_rl, bootstrap_where, bootstrap_masked, bootstrap_by_loop, bootstrap_addcmul],
}

WRONG = {
    "advantages": [
        (gae_leaking, "ignores-dones"),
        (gae_mask_in_recursion, "done-not-in-delta"),
        (gae_mask_in_delta, "done-not-in-recursion"),
        (gae_as_cleanrl, "done-of-next-step"),
        (gae_next_done, "done-of-next-step"),
        (gae_previous_done, "done-of-step-before"),
        (gae_done_kept, "done-inverted"),
        (gae_any_done, "resets-all"),
        (gae_without_last_value, "ends-at-rollout"),
        (gae_short, "ends-at-rollout"),
        (gae_constant_next, "last-value-everywhere"),
        (gae_same_value, "present-value"),
        (gae_lam_in_delta, "gamma-lam-swapped"),
        (gae_both_in_delta, "lambda-on-value"),
        (gae_undiscounted, "no-discount"),
        (gae_gamma_alone, "no-lambda"),
        (gae_return_minus_value, "no-lambda"),
        (gae_lam_alone, "lambda-without-gamma"),
        (gae_td_error, "one-step"),
        (gae_returns, "value-added-back"),
        (gae_no_baseline, "value-not-subtracted"),
        (gae_of_rewards, "value-not-subtracted"),
        (gae_negative, "sign"),
        (gae_standardised, "normalized"),
        (gae_standardised_by_n, "normalized"),
        (gae_centred, "normalized"),
        (gae_forwards, "forwards"),
        (gae_backwards, "reversed-output"),
        (gae_in_place, "in-place"),
        (gae_no_return, "no-return"),
        (gae_batched, "wrong-shape"),
        (gae_lists, "wrong-type"),
        (gae_off_the_end, "exception"),
        (gae_scaled, "unknown"),
        (gae_stub, "not-answered"),
    ],
    "surrogate_loss": [
        (loss_gain, "sign"),
        (loss_without_minus, "sign"),
        (loss_minimum, "optimistic"),
        (loss_unclipped, "no-clip"),
        (loss_always_clipped, "clipped-only"),
        (loss_clipped_logs, "clips-log-ratio"),
        (loss_clip_from_zero, "clips-around-zero"),
        (loss_clip_above, "clips-one-side"),
        (loss_clip_below, "clips-one-side"),
        (loss_clipped_product, "clips-product"),
        (loss_old_over_new, "ratio-inverted"),
        (loss_without_exp, "log-ratio"),
        (loss_of_log_quotient, "quotient-of-logs"),
        (loss_of_probabilities, "difference-of-probabilities"),
        (loss_vanilla, "no-old-policy"),
        (loss_without_old, "no-old-policy"),
        (loss_summed, "sum-for-mean"),
        (loss_of_means, "maximum-of-means"),
        (loss_standardised, "normalizes-advantage"),
        (loss_standardised_by_n, "normalizes-advantage"),
        (loss_in_place, "in-place"),
        (loss_no_return, "no-return"),
        (loss_each, "wrong-shape"),
        (loss_python_max, "exception"),
        (loss_and_ratio, "wrong-type"),
        (loss_with_bonus, "unknown"),
        (loss_of_python_floats, "no-gradient"),
        (loss_as_a_float, "no-gradient"),
        (loss_without_grad, "no-gradient"),
        (loss_stub, "not-answered"),
    ],
    "bootstrap": [
        (bootstrap_undiscounted, "gamma-missing"),
        (bootstrap_everywhere, "everywhere"),
        (bootstrap_elsewhere, "inverted"),
        (bootstrap_where_swapped, "inverted"),
        (bootstrap_minus, "subtracted"),
        (bootstrap_replaced, "replaces-reward"),
        (bootstrap_replaced_by_sum, "replaces-reward"),
        (bootstrap_next, "value-of-next-step"),
        (bootstrap_rolled, "value-of-next-step"),
        (bootstrap_late, "one-step-late"),
        (bootstrap_early, "one-step-early"),
        (bootstrap_discounting_all, "discounts-reward"),
        (bootstrap_bonus, "bonus-only"),
        (bootstrap_masking_all, "drops-rewards"),
        (bootstrap_everyone, "all-robots"),
        (bootstrap_forgotten, "unchanged"),
        (bootstrap_in_place, "in-place"),
        (bootstrap_in_place_indexed, "in-place"),
        (bootstrap_no_return, "no-return"),
        (bootstrap_summed, "wrong-shape"),
        (bootstrap_float_index, "exception"),
        (bootstrap_lists, "wrong-type"),
        (bootstrap_squared, "unknown"),
        (bootstrap_stub, "not-answered"),
    ],
}
