"""Answers that people give to `discounted_return_scale`. The name of each wrong answer starts with its mistake."""

import math

import numpy as np
import torch


def sums_of(rewards, dones, gamma):
    returns = rewards.clone()
    for t in range(1, len(rewards)):
        returns[t] += gamma * returns[t - 1] * (1 - dones[t - 1])
    return returns


class Right:
    def by_loops(rewards, dones, gamma):
        values = []
        for env in range(rewards.shape[1]):
            total = 0.0
            for t in range(rewards.shape[0]):
                if t > 0 and dones[t - 1, env]:
                    total = 0.0
                total = gamma * total + rewards[t, env].item()
                values.append(total)
        mean = sum(values) / len(values)
        return math.sqrt(sum((v - mean) ** 2 for v in values) / len(values))

    def by_matrix(rewards, dones, gamma):
        """Compute all sums without a loop: R = W r, with W[t, s] = gamma^(t-s) within an episode."""
        time = torch.arange(len(rewards))
        episode = dones.cumsum(0) - dones  # [time, envs]
        power = gamma ** (time[:, None] - time).clamp(min=0).double()
        inside = (episode[:, None] == episode[None]) & (time[:, None] >= time)[..., None]
        returns = torch.einsum("ts,tse,se->te", power, inside.double(), rewards.double())
        return returns.var(correction=0).sqrt()

    def by_numpy(rewards, dones, gamma):
        r, ends = rewards.numpy(), dones.numpy().astype(bool)
        out = np.zeros_like(r)
        running = np.zeros(r.shape[1])
        for t in range(len(r)):
            running = gamma * running + r[t]
            out[t] = running
            running[ends[t]] = 0
        return float(out.std())

    def indexed(rewards, dones, gamma):
        returns = rewards.clone()
        for t in range(1, len(rewards)):
            returns[t] += gamma * returns[t - 1] * (1 - dones[t - 1])
        return (returns - returns.mean()).square().mean().sqrt()

    def in_place_on_own(rewards, dones, gamma):
        buf = torch.zeros_like(rewards)
        acc = torch.zeros(rewards.shape[1])
        for t, (r, d) in enumerate(zip(rewards, dones, strict=True)):
            acc.mul_(gamma).add_(r)
            buf[t] = acc
            acc[d.bool()] = 0.0
        return buf.std(correction=0)

    def by_floats(rewards, dones, gamma):
        steps, envs = rewards.shape
        values = []
        for e in range(envs):
            total = 0.0
            for t in range(steps):
                total = gamma * total + float(rewards[t, e])
                values.append(total)
                if dones[t, e]:
                    total = 0.0
        values = torch.tensor(values, dtype=torch.float64)
        return values.var(unbiased=False).sqrt().float()

    def preallocated(rewards, dones, gamma):
        not_done = 1 - dones
        total = torch.empty_like(rewards)
        total[0] = rewards[0]
        for t in range(1, total.shape[0]):
            total[t] = rewards[t] + gamma * not_done[t - 1] * total[t - 1]
        m = total.mean()
        return torch.sqrt(((total - m) ** 2).sum() / total.numel())

    def one_by_one(rewards, dones, gamma):
        n, mean, m2 = 0, 0.0, 0.0
        total = torch.zeros(rewards.shape[1], dtype=torch.float64)
        for r, d in zip(rewards.double(), dones.double(), strict=True):
            total = gamma * total + r
            for v in total:
                n += 1
                delta = v - mean
                mean += delta / n
                m2 += delta * (v - mean)
            total = total * (1 - d)
        return (m2 / n) ** 0.5

    def by_where(rewards, dones, gamma):
        total, sums = torch.zeros_like(rewards[0]), []
        prev = torch.ones_like(dones[0])
        for r, d in zip(rewards, dones, strict=True):
            total = torch.where(prev.bool(), r, gamma * total + r)
            prev = d
            sums += [total]
        return torch.stack(sums, dim=1).std(unbiased=False).item()

    def by_recursion(rewards, dones, gamma):
        def total(t):
            return rewards[0] if t == 0 else gamma * total(t - 1) * (1 - dones[t - 1]) + rewards[t]

        return torch.stack([total(t) for t in range(len(rewards))]).std(correction=0)


class Wrong:
    def rewards_std(rewards, dones, gamma):
        return (rewards - rewards.mean()).square().mean().sqrt()

    def no_reset(rewards, dones, gamma):
        return torch.tensor(Right.by_loops(rewards, torch.zeros_like(dones), gamma))

    def resets_early(rewards, dones, gamma):
        returns = torch.zeros_like(rewards)
        running = torch.zeros(rewards.shape[1])
        for t in range(len(rewards)):
            running[dones[t].bool()] = 0
            running = gamma * running + rewards[t]
            returns[t] = running
        return returns.std(unbiased=False)

    def drops_last_reward(rewards, dones, gamma):
        running, returns = torch.zeros(rewards.shape[1]), []
        for reward, done in zip(rewards, dones, strict=True):
            running = running * gamma + reward
            running[done > 0] = 0.0
            returns.append(running.clone())
        return torch.stack(returns).std(unbiased=False).item()

    def resets_all(rewards, dones, gamma):
        anyone = dones.any(dim=1, keepdim=True).float().expand_as(dones)
        return Right.indexed(rewards, anyone, gamma)

    def resets_inverted(rewards, dones, gamma):
        return Right.indexed(rewards, 1 - dones, gamma)

    def reward_to_go__with_reset(rewards, dones, gamma):
        to_go = rewards.clone()
        for t in reversed(range(len(rewards) - 1)):
            to_go[t] += gamma * to_go[t + 1] * (1 - dones[t])
        return to_go.std(unbiased=False)

    def reward_to_go__without_reset(rewards, dones, gamma):
        return Wrong.reward_to_go__with_reset(rewards, 0 * dones, gamma)

    def discounts_from_start(rewards, dones, gamma):
        total, values = torch.zeros(rewards.shape[1]), []
        for t, reward in enumerate(rewards):
            total = total + gamma**t * reward
            values.append(total)
        return torch.stack(values).std(unbiased=False)

    def no_discount(rewards, dones, gamma):
        return Right.by_loops(rewards, dones, 1.0)

    def gamma_on_reward(rewards, dones, gamma):
        return gamma * Right.indexed(rewards, dones, gamma)

    def moving_average(rewards, dones, gamma):
        return Right.indexed((1 - gamma) * rewards, dones, gamma)

    def std_per_step(rewards, dones, gamma):
        return torch.stack([row.std(unbiased=False) for row in sums_of(rewards, dones, gamma)]).mean()

    def std_per_robot(rewards, dones, gamma):
        return torch.stack([column.std(unbiased=False) for column in sums_of(rewards, dones, gamma).T]).mean()

    def averages_robots(rewards, dones, gamma):
        return np.std(sums_of(rewards, dones, gamma).numpy().mean(axis=1))

    def last_step_only(rewards, dones, gamma):
        return sums_of(rewards, dones, gamma)[-1].std(unbiased=False)

    def unbiased_std(rewards, dones, gamma):
        return torch.std(sums_of(rewards, dones, gamma))

    def variance_for_std(rewards, dones, gamma):
        return Right.by_loops(rewards, dones, gamma) ** 2

    def root_mean_square(rewards, dones, gamma):
        sums = sums_of(rewards, dones, gamma)
        return sums.norm() / math.sqrt(sums.numel())

    def returns_normalized__divided(rewards, dones, gamma):
        return rewards / Right.indexed(rewards, dones, gamma)

    def returns_normalized__centred(rewards, dones, gamma):
        return (rewards - rewards.mean()) / Right.indexed(rewards, dones, gamma)

    def in_place__rewards(rewards, dones, gamma):
        for t in range(1, len(rewards)):
            rewards[t] += gamma * rewards[t - 1] * (1 - dones[t - 1])
        return rewards.std(unbiased=False)

    def returns_sums(rewards, dones, gamma):
        return sums_of(rewards, dones, gamma)

    def unknown__doubled(rewards, dones, gamma):
        return 2 * Right.by_loops(rewards, dones, gamma) + 1

    def aliased_sums(rewards, dones, gamma):
        total, sums = torch.zeros_like(rewards[0]), []
        for r, d in zip(rewards, dones, strict=True):
            total *= gamma
            total += r
            sums.append(total)
            total *= 1 - d
        return torch.stack(sums).std(correction=0)

    def drops_last_reward__aliased(rewards, dones, gamma):
        total, sums = torch.zeros_like(rewards[0]), []
        for r, d in zip(rewards, dones, strict=True):
            total = gamma * total + r
            sums.append(total)
            total *= 1 - d
        return torch.stack(sums).std(correction=0)

    def drops_last_reward__aliased_mask(rewards, dones, gamma):
        total, sums = torch.zeros_like(rewards[0]), []
        for r, d in zip(rewards, dones, strict=True):
            total = gamma * total + r
            sums.append(total)
            total[d.bool()] = 0
        return torch.stack(sums).std(correction=0)

    def resets_early__with__last_step_only(rewards, dones, gamma):
        total, sums = torch.zeros_like(rewards[0]), []
        for r, d in zip(rewards, dones, strict=True):
            total *= gamma * (1 - d)
            total += r
            sums.append(total)
        return torch.stack(sums).std(correction=0)

    def resets_together(rewards, dones, gamma):
        total, sums = torch.zeros_like(rewards[0]), []
        for r, d in zip(rewards, dones, strict=True):
            total = gamma * total + r
            sums.append(total)
            if d.all():
                total = torch.zeros_like(total)
        return torch.stack(sums).std(correction=0)

    def resets_all__condition(rewards, dones, gamma):
        total, sums = torch.zeros_like(rewards[0]), []
        for r, d in zip(rewards, dones, strict=True):
            total = gamma * total + r
            sums.append(total)
            if d.any():
                total = torch.zeros_like(total)
        return torch.stack(sums).std(correction=0)

    def no_reset__with__unbiased_std(rewards, dones, gamma):
        total, sums = torch.zeros_like(rewards[0]), []
        for r in rewards:
            total = gamma * total + r
            sums.append(total)
        return torch.stack(sums).std()

    def resets_early__with__unbiased_std(rewards, dones, gamma):
        total, sums = torch.zeros_like(rewards[0]), []
        for r, d in zip(rewards, dones, strict=True):
            total = gamma * total * (1 - d) + r
            sums.append(total)
        return torch.stack(sums).std()

    def no_reset__with__no_discount(rewards, dones, gamma):
        return rewards.cumsum(0).std(correction=0)

    def unbiased_std__with__no_discount(rewards, dones, gamma):
        return sums_of(rewards, dones, 1.0).std()

    def unbiased_std__with__reward_to_go(rewards, dones, gamma):
        total, sums = torch.zeros_like(rewards[0]), []
        for t in reversed(range(len(rewards))):
            total = rewards[t] + gamma * total * (1 - dones[t])
            sums.insert(0, total)
        return torch.stack(sums).std()

    def no_reset__with__root_mean_square(rewards, dones, gamma):
        total, sums = torch.zeros_like(rewards[0]), []
        for r in rewards:
            total = gamma * total + r
            sums.append(total)
        return torch.stack(sums).pow(2).mean().sqrt()

    def resets_early__with__moving_average(rewards, dones, gamma):
        total, sums = torch.zeros_like(rewards[0]), []
        for r, d in zip(rewards, dones, strict=True):
            total = gamma * total * (1 - d) + (1 - gamma) * r
            sums.append(total)
        return torch.stack(sums).std(correction=0)

    def resets_early__with__std_per_robot(rewards, dones, gamma):
        total, sums = torch.zeros_like(rewards[0]), []
        for r, d in zip(rewards, dones, strict=True):
            total = gamma * total * (1 - d) + r
            sums.append(total)
        return torch.stack(sums).std(0, correction=0).mean()

    def episode_sums_only(rewards, dones, gamma):
        total, ends = torch.zeros_like(rewards[0]), []
        for r, d in zip(rewards, dones, strict=True):
            total = gamma * total + r
            ends += [v.item() for v, x in zip(total, d, strict=True) if x]
            total = total * (1 - d)
        ends += total.tolist()
        return torch.tensor(ends).std(correction=0)

    def mean_for_std(rewards, dones, gamma):
        return sums_of(rewards, dones, gamma).mean()

    def maximum_for_std(rewards, dones, gamma):
        return sums_of(rewards, dones, gamma).abs().max()

    def first_step_lost(rewards, dones, gamma):
        total = rewards[0]
        sums = []
        for t in range(1, len(rewards)):
            total = gamma * total * (1 - dones[t - 1]) + rewards[t]
            sums.append(total)
        return torch.stack(sums).std(correction=0)

    def last_step_lost(rewards, dones, gamma):
        return sums_of(rewards[:-1], dones[:-1], gamma).std(correction=0)

    def starts_with_zero(rewards, dones, gamma):
        total = torch.zeros_like(rewards[0])
        sums = [total]
        for t in range(len(rewards)):
            total = gamma * total + rewards[t]
            sums.append(total)
            total = total * (1 - dones[t])
        return torch.stack(sums).std(correction=0)

    def stores_before_adding(rewards, dones, gamma):
        total, sums = torch.zeros_like(rewards[0]), []
        for r, d in zip(rewards, dones, strict=True):
            sums.append(total)
            total = gamma * total + r
            total = total * (1 - d)
        return torch.stack(sums).std(correction=0)

    def sums_over_robots(rewards, dones, gamma):
        total, sums = torch.zeros(len(rewards)), []
        for r, d in zip(rewards.T, dones.T, strict=True):
            total = gamma * total + r
            sums.append(total)
            total = total * (1 - d)
        return torch.stack(sums).std(correction=0)

    def sums_over_robots__flat(rewards, dones, gamma):
        total = 0
        sums = []
        for r, d in zip(rewards.flatten(), dones.flatten(), strict=True):
            total = gamma * total + r
            sums.append(total)
            total = total * (1 - d)
        return torch.stack(sums).std(correction=0)

    def gamma_ignored(rewards, dones, gamma=0.99):
        return sums_of(rewards, dones, 0.99).std(correction=0)

    def discounts_to_end(rewards, dones, gamma):
        steps = len(rewards)
        w = gamma ** torch.arange(steps - 1, -1, -1)
        return (w[:, None] * rewards).cumsum(0).std(correction=0)

    def last_reward_twice(rewards, dones, gamma):
        total, sums = torch.zeros_like(rewards[0]), []
        for r, d in zip(rewards, dones, strict=True):
            total = gamma * total + r
            sums.append(total)
            total = torch.where(d.bool(), r, total)
        return torch.stack(sums).std(correction=0)

    def masks_last_reward(rewards, dones, gamma):
        total, sums = torch.zeros_like(rewards[0]), []
        for r, d in zip(rewards, dones, strict=True):
            total = gamma * total + r * (1 - d)
            sums.append(total)
            total = total * (1 - d)
        return torch.stack(sums).std(correction=0)

    def adds_eps(rewards, dones, gamma):
        return sums_of(rewards, dones, gamma).std(correction=0) + 1e-2

    def first_robot_only(rewards, dones, gamma):
        return sums_of(rewards, dones, gamma)[:, 0].std(correction=0)

    def stops_at_done(rewards, dones, gamma):
        values = []
        for e in range(rewards.shape[1]):
            total = 0.0
            for t in range(rewards.shape[0]):
                total = gamma * total + rewards[t, e].item()
                values.append(total)
                if dones[t, e]:
                    break
        return torch.tensor(values).std(correction=0)

    def carries_to_next_robot(rewards, dones, gamma):
        values = []
        total = 0.0
        for e in range(rewards.shape[1]):
            for t in range(rewards.shape[0]):
                total = gamma * total + rewards[t, e].item()
                values.append(total)
                if dones[t, e]:
                    total = 0.0
        return torch.tensor(values).std(correction=0)

    def squared_argument__gamma(rewards, dones, gamma):
        total, sums = torch.zeros_like(rewards[0]), []
        for r, d in zip(rewards, dones, strict=True):
            total = gamma * total
            total = gamma * total + r
            sums.append(total)
            total = total * (1 - d)
        return torch.stack(sums).std(correction=0)

    def centres_rewards(rewards, dones, gamma):
        return sums_of(rewards - rewards.mean(), dones, gamma).std(correction=0)

    def first_step_only(rewards, dones, gamma):
        total, sums = torch.zeros_like(rewards[0]), []
        for r, d in zip(rewards, dones, strict=True):
            total = gamma * total + r
            sums.append(total)
            total = total * (1 - d)
            return torch.stack(sums).std(correction=0)

    def two_rewards_only(rewards, dones, gamma):
        total = rewards.clone()
        for t in range(1, len(total)):
            total[t] = rewards[t] + gamma * rewards[t - 1] * (1 - dones[t - 1])
        return total.std(correction=0)

    def adds_robots(rewards, dones, gamma):
        return sums_of(rewards, dones, gamma).sum(1).std(correction=0)

    def distance_for_std(rewards, dones, gamma):
        s = sums_of(rewards, dones, gamma)
        return (s - s.mean()).abs().mean()

    def distance_for_std__range(rewards, dones, gamma):
        s = sums_of(rewards, dones, gamma)
        return s.max() - s.min()

    def starts_from_one(rewards, dones, gamma):
        total, sums = torch.ones_like(rewards[0]), []
        for r, d in zip(rewards, dones, strict=True):
            total = gamma * total + r
            sums.append(total)
            total = total * (1 - d)
        return torch.stack(sums).std(correction=0)

    def one_minus_argument__gamma(rewards, dones, gamma):
        return sums_of(rewards, dones, 1 - gamma).std(correction=0)

    def result_cut(rewards, dones, gamma):
        return int(sums_of(rewards, dones, gamma).std(correction=0))

    def averages_time(rewards, dones, gamma):
        return sums_of(rewards, dones, gamma).mean(axis=0).std(unbiased=False)

    def sum_of_squares(rewards, dones, gamma):
        running, total, squares = torch.zeros_like(rewards[0]), 0.0, 0.0
        for r, d in zip(rewards, dones, strict=True):
            running = gamma * running + r
            total, squares = total + running.sum(), squares + running.square().sum()
            running = running * (1 - d)
        n = rewards.numel()
        return (squares / n - (total / n) ** 2).clamp(min=0).sqrt()
