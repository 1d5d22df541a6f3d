"""Answers that people give to `bootstrap`. The name of each wrong answer starts with its mistake."""

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

    def lerp(rewards, values, time_outs, gamma):
        return torch.lerp(rewards, rewards + gamma * values, time_outs)

    def index_put(rewards, values, time_outs, gamma):
        places = time_outs.nonzero(as_tuple=True)
        return torch.index_put(rewards.data, places, gamma * values[places], accumulate=True)

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

    def gamma_missing__with__replaces_reward__sum(rewards, values, time_outs, gamma):
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

    def result_summed(rewards, values, time_outs, gamma):
        return (rewards + gamma * values * time_outs).sum(0)

    def exception__float_index(rewards, values, time_outs, gamma):
        out = rewards.clone()
        out[time_outs] += gamma * values[time_outs]
        return out

    def wrong_type__lists(rewards, values, time_outs, gamma):
        return Right.where(rewards, values, time_outs, gamma).tolist()

    def squared_argument__values(rewards, values, time_outs, gamma):
        return rewards + gamma * values**2 * time_outs

    # Which value

    def value_of_step_before(rewards, values, time_outs, gamma):
        out = rewards.clone()
        for t in range(1, len(rewards)):
            out[t] += gamma * values[t - 1] * time_outs[t]
        return out

    def value_of_one_row__last(rewards, values, time_outs, gamma):
        return rewards + gamma * values[-1] * time_outs

    def value_of_one_row__mean(rewards, values, time_outs, gamma):
        return torch.where(time_outs > 0, rewards + gamma * values.mean(), rewards)

    def negative_values_left_out(rewards, values, time_outs, gamma):
        return rewards + gamma * torch.relu(values) * time_outs

    def absolute_argument__values(rewards, values, time_outs, gamma):
        return rewards + gamma * values.abs() * time_outs

    def exchanged_arguments(rewards, values, time_outs, gamma):
        return values + gamma * rewards * time_outs

    def own_value_subtracted(rewards, values, time_outs, gamma):
        return rewards + (gamma * values - values) * time_outs

    # At which steps

    def all_steps(rewards, values, time_outs, gamma):
        out = rewards.clone()
        for env in range(rewards.shape[1]):
            if time_outs[:, env].any():
                out[:, env] += gamma * values[:, env]
        return out

    def mask_as_index(rewards, values, time_outs, gamma):
        out, up = rewards.clone(), time_outs.long()
        out[up] += gamma * values[up]
        return out

    def picked_values_everywhere(rewards, values, time_outs, gamma):
        return rewards + gamma * torch.masked_select(values, time_outs > 0)

    def first_time_out_only(rewards, values, time_outs, gamma):
        out = rewards.clone()
        for t, env in time_outs.nonzero().tolist()[:1]:
            out[t, env] += gamma * values[t, env]
        return out

    def last_step_left_out(rewards, values, time_outs, gamma):
        out = rewards.clone()
        for t in range(len(rewards) - 1):
            out[t] += gamma * values[t] * time_outs[t]
        return out

    def first_step_left_out(rewards, values, time_outs, gamma):
        out = rewards.clone()
        out[1:] += gamma * values[1:] * time_outs[1:]
        return out

    # How much is added

    def divides_by_one_minus_gamma(rewards, values, time_outs, gamma):
        return rewards + values * time_outs / (1 - gamma)

    def discounted_by_time(rewards, values, time_outs, gamma):
        out = rewards.clone()
        for t in range(len(rewards)):
            out[t] += gamma ** (t + 1) * values[t] * time_outs[t]
        return out

    def fixed_gamma(rewards, values, time_outs, gamma):
        return rewards + 0.99 * values * time_outs

    def one_minus_argument__gamma(rewards, values, time_outs, gamma):
        return rewards + (1 - gamma) * values * time_outs

    def squared_argument__gamma(rewards, values, time_outs, gamma):
        return rewards + gamma**2 * values * time_outs

    def sums_rewards(rewards, values, time_outs, gamma):
        total, out = torch.zeros_like(rewards[0]), torch.zeros_like(rewards)
        for t in reversed(range(len(rewards))):
            total = rewards[t] + gamma * torch.where(time_outs[t] > 0, values[t], total)
            out[t] = total
        return out

    def multiplied_by_reward(rewards, values, time_outs, gamma):
        return torch.where(time_outs.bool(), rewards * gamma * values, rewards)

    # Two mistakes

    def gamma_missing__with__value_of_next_step(rewards, values, time_outs, gamma):
        return rewards + torch.cat([values[1:], torch.zeros_like(values[:1])]) * time_outs

    def gamma_missing__with__inverted(rewards, values, time_outs, gamma):
        return torch.where(time_outs.bool(), rewards, rewards + values)

    def gamma_missing__with__one_step_late(rewards, values, time_outs, gamma):
        out = rewards.clone()
        for t in range(1, len(rewards)):
            if (up := time_outs[t - 1] == 1).any():
                out[t][up] += values[t - 1][up]
        return out

    def gamma_missing__with__all_robots(rewards, values, time_outs, gamma):
        return rewards + values * time_outs.any(dim=1, keepdim=True)

    def gamma_missing__with__everywhere(rewards, values, time_outs, gamma):
        return torch.stack([r + v for r, v in zip(rewards, values, strict=True)])

    def inverted__with__subtracted(rewards, values, time_outs, gamma):
        return rewards - gamma * values * (1 - time_outs)

    def inverted__with__bonus_only(rewards, values, time_outs, gamma):
        return gamma * values * ~time_outs.bool()

    def everywhere__with__value_of_next_step(rewards, values, time_outs, gamma):
        return rewards + gamma * torch.cat([values[1:], torch.zeros_like(values[:1])])

    def replaces_reward__with__value_of_next_step(rewards, values, time_outs, gamma):
        return torch.where(time_outs > 0, gamma * values.roll(-1, 0), rewards)

    def unknown__larger_of_the_two(rewards, values, time_outs, gamma):
        return torch.where(time_outs > 0, torch.maximum(rewards, gamma * values), rewards)
