"""What people answer to `bootstrap`; the name of a wrong answer begins with the name of its mistake."""

import torch


class Right:
    def as_rsl_rl(rewards, values, time_outs, gamma):
        rewards = rewards.clone()
        for step in range(len(rewards)):
            rewards[step] += gamma * torch.squeeze(values[step].unsqueeze(1) * time_outs[step].unsqueeze(1), 1)
        return rewards

    def where(rewards, values, time_outs, gamma):
        return torch.where(time_outs.bool(), rewards + gamma * values, rewards)

    def masked(rewards, values, time_outs, gamma):
        out = rewards.double()
        up = time_outs > 0
        out[up] += gamma * values[up]
        return out

    def by_loop(rewards, values, time_outs, gamma):
        rows = [
            [r + gamma * v if up else r for r, v, up in zip(*row, strict=True)]
            for row in zip(rewards.tolist(), values.tolist(), time_outs.tolist(), strict=True)
        ]
        return torch.tensor(rows)

    def addcmul(rewards, values, time_outs, gamma):
        return torch.addcmul(rewards, values, time_outs, value=gamma)


class Wrong:
    def gamma_missing(rewards, values, time_outs, gamma):
        return torch.where(time_outs == 1, rewards + values, rewards)

    def everywhere(rewards, values, time_outs, gamma):
        return torch.add(rewards, values, alpha=gamma)

    def inverted__indexed(rewards, values, time_outs, gamma):
        out = rewards.clone()
        out[time_outs == 0] += gamma * values[time_outs == 0]
        return out

    def inverted__where(rewards, values, time_outs, gamma):
        return torch.where(time_outs > 0, rewards, rewards + gamma * values)

    def subtracted(rewards, values, time_outs, gamma):
        return rewards - gamma * time_outs * values

    def replaces_reward__indexed(rewards, values, time_outs, gamma):
        out = rewards.clone()
        out[time_outs.bool()] = gamma * values[time_outs.bool()]
        return out

    def replaces_reward__sum(rewards, values, time_outs, gamma):
        return rewards * (1 - time_outs) + values * time_outs

    def value_of_next_step__loop(rewards, values, time_outs, gamma):
        out = rewards.clone()
        for t in range(len(rewards) - 1):
            out[t] += gamma * values[t + 1] * time_outs[t]
        return out

    def value_of_next_step__rolled(rewards, values, time_outs, gamma):
        return rewards + gamma * torch.roll(values, -1, dims=0) * time_outs

    def one_step_late(rewards, values, time_outs, gamma):
        out = rewards.clone()
        out[1:] += gamma * (values * time_outs)[:-1]
        return out

    def one_step_early(rewards, values, time_outs, gamma):
        out = rewards.clone()
        for t in range(1, len(rewards)):
            out[t - 1] += gamma * values[t] * time_outs[t]
        return out

    def discounts_reward(rewards, values, time_outs, gamma):
        return (rewards + time_outs * values) * gamma

    def bonus_only(rewards, values, time_outs, gamma):
        return torch.where(time_outs == 1, gamma * values, 0.0)

    def drops_rewards(rewards, values, time_outs, gamma):
        return torch.where(time_outs.bool(), rewards + gamma * values, torch.zeros_like(rewards))

    def all_robots(rewards, values, time_outs, gamma):
        out = rewards.clone()
        for t in range(len(rewards)):
            if time_outs[t].any():
                out[t] += gamma * values[t]
        return out

    def unchanged(rewards, values, time_outs, gamma):
        rewards = rewards.clone()
        rewards[time_outs.bool()].add_(gamma * values[time_outs.bool()])
        return rewards

    def in_place__all(rewards, values, time_outs, gamma):
        rewards += gamma * values * time_outs
        return rewards

    def in_place__indexed(rewards, values, time_outs, gamma):
        up = time_outs.bool()
        rewards[up] = rewards[up] + gamma * values[up]
        return rewards

    def wrong_shape__summed(rewards, values, time_outs, gamma):
        return (rewards + gamma * values * time_outs).sum(0)

    def exception__float_index(rewards, values, time_outs, gamma):
        out = rewards.clone()
        out[time_outs] += gamma * values[time_outs]
        return out

    def wrong_type__lists(rewards, values, time_outs, gamma):
        return Right.where(rewards, values, time_outs, gamma).tolist()

    def unknown__squared(rewards, values, time_outs, gamma):
        return rewards + gamma * values**2 * time_outs
