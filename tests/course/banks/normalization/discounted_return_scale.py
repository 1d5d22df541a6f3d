"""What people answer to `discounted_return_scale`; the name of a wrong answer begins with the name of its mistake."""

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
        """Every return at once: R = W r, with W[t, s] = gamma^(t-s) inside one episode."""
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

    def wrong_shape__all_sums(rewards, dones, gamma):
        return sums_of(rewards, dones, gamma)

    def unknown__doubled(rewards, dones, gamma):
        return 2 * Right.by_loops(rewards, dones, gamma) + 1
