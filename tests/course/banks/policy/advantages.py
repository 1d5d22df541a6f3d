"""Answers that people give to `advantages`. The name of each wrong answer starts with its mistake."""

import numpy as np
import torch


class Gae:
    """A right estimate, made of parts that the wrong answers below replace."""

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


def variant(**parts):
    """Return an answer made of Gae, with some methods replaced."""
    return type("Variant", (Gae,), {name: staticmethod(part) for name, part in parts.items()})()


class Right:
    def as_rsl_rl(rewards, values, dones, last_value, gamma, lam):
        returns = torch.zeros_like(values)
        advantage = 0
        for step in reversed(range(rewards.shape[0])):
            next_values = last_value if step == rewards.shape[0] - 1 else values[step + 1]
            next_is_not_terminal = 1.0 - dones[step].float()
            delta = rewards[step] + next_is_not_terminal * gamma * next_values - values[step]
            advantage = delta + next_is_not_terminal * gamma * lam * advantage
            returns[step] = advantage + values[step]
        return returns - values

    def by_sums(rewards, values, dones, last_value, gamma, lam):
        """Use the definition, the sum of (gamma lam)^k delta_{t+k} up to the end of the episode."""
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

    def by_matrix(rewards, values, dones, last_value, gamma, lam):
        """Compute all advantages without a loop: A = W delta, with W[t, s] = (gamma lam)^(s-t) within an episode."""
        following = torch.cat([values[1:], last_value[None]])
        delta = rewards + gamma * following * (1 - dones) - values
        episode = dones.cumsum(0) - dones  # [time, envs]
        t = torch.arange(len(rewards))
        weight = (gamma * lam) ** (t - t[:, None]).clamp(min=0).double()
        inside = (episode[:, None] == episode) & (t[:, None] <= t)[..., None]
        return torch.einsum("ts,tse,se->te", weight, inside.double(), delta.double())

    def by_numpy(rewards, values, dones, last_value, gamma, lam):
        r, d = rewards.numpy(), dones.numpy() > 0
        v = np.vstack([values.numpy(), last_value.numpy()])
        out, carried = np.zeros_like(r), np.zeros(r.shape[1])
        for t in range(len(r) - 1, -1, -1):
            target = np.where(d[t], r[t], r[t] + gamma * (v[t + 1] + lam * carried))
            out[t] = carried = target - v[t]
        return torch.from_numpy(out)

    def from_lambda_returns(rewards, values, dones, last_value, gamma, lam):
        after, later, found = last_value, last_value, []
        for reward, value, done in zip(rewards.flip(0), values.flip(0), dones.flip(0), strict=True):
            total = reward + gamma * (1 - done) * torch.lerp(after, later, lam)
            found.append(total - value)
            after, later = value, total
        return torch.stack(found[::-1])

    def by_recursion(rewards, values, dones, last_value, gamma, lam):
        def later(t):
            if t == len(rewards):
                return []
            rest = later(t + 1)
            following = values[t + 1] + lam * rest[0] if rest else last_value
            return [rewards[t] - values[t] + torch.where(dones[t] == 1, 0.0, gamma * following), *rest]

        return torch.stack(later(0))

    def by_while(rewards, values, dones, last_value, gamma, lam):
        """Work in place, but only on its own tensors."""
        ends, t = dones.bool(), len(rewards) - 1
        running, following, out = torch.zeros_like(last_value), last_value.clone(), torch.empty_like(rewards.double())
        while t >= 0:
            running[ends[t]], following[ends[t]] = 0, 0
            running.mul_(gamma * lam).add_(rewards.data[t] + gamma * following - values.data[t])
            out[t], following = running, values[t].clone()
            t -= 1
        return out

    in_parts = variant()


class Wrong:
    def ignores_dones(rewards, values, dones, last_value, gamma, lam):
        return Right.as_rsl_rl(rewards, values, torch.zeros_like(dones), last_value, gamma, lam)

    def done_not_in_delta(rewards, values, dones, last_value, gamma, lam):
        delta = rewards + gamma * torch.cat([values[1:], last_value.unsqueeze(0)]) - values
        out = delta.clone()
        for t in range(len(rewards) - 2, -1, -1):
            out[t] += gamma * lam * (1 - dones[t]) * out[t + 1]
        return out

    def done_not_in_recursion(rewards, values, dones, last_value, gamma, lam):
        out = rewards + gamma * (1 - dones) * torch.cat([values[1:], last_value.unsqueeze(0)]) - values
        for t in range(len(rewards) - 2, -1, -1):
            out[t] += gamma * lam * out[t + 1]
        return out

    def done_of_next_step__cleanrl(rewards, values, dones, last_value, gamma, lam):
        """CleanRL's loop, where a done marks the first step of an episode."""
        out, lastgaelam = torch.zeros_like(rewards), 0
        for t in reversed(range(len(rewards))):
            if t == len(rewards) - 1:
                nextnonterminal, nextvalues = 1.0 - dones[-1], last_value
            else:
                nextnonterminal, nextvalues = 1.0 - dones[t + 1], values[t + 1]
            delta = rewards[t] + gamma * nextvalues * nextnonterminal - values[t]
            out[t] = lastgaelam = delta + gamma * lam * nextnonterminal * lastgaelam
        return out

    def done_of_next_step__shifted(rewards, values, dones, last_value, gamma, lam):
        shifted = torch.cat([dones[1:], torch.zeros(1, dones.shape[1])])
        return Right.by_matrix(rewards, values, shifted, last_value, gamma, lam)

    def done_of_step_before(rewards, values, dones, last_value, gamma, lam):
        shifted = torch.zeros_like(dones)
        shifted[1:] = dones[:-1]
        return Right.by_sums(rewards, values, shifted, last_value, gamma, lam)

    def done_inverted(rewards, values, dones, last_value, gamma, lam):
        return Right.as_rsl_rl(rewards, values, 1 - dones, last_value, gamma, lam)

    def resets_all(rewards, values, dones, last_value, gamma, lam):
        anyone = (dones.sum(1, keepdim=True) > 0).float().expand(dones.shape)
        return Right.as_rsl_rl(rewards, values, anyone, last_value, gamma, lam)

    def ends_at_rollout__zero(rewards, values, dones, last_value, gamma, lam):
        return Right.by_sums(rewards, values, dones, torch.zeros_like(last_value), gamma, lam)

    def last_step_left_out__short(rewards, values, dones, last_value, gamma, lam):
        out, running = torch.zeros_like(rewards), 0
        for t in reversed(range(len(rewards) - 1)):
            delta = rewards[t] + gamma * values[t + 1] * (1 - dones[t]) - values[t]
            out[t] = running = delta + gamma * lam * (1 - dones[t]) * running
        return out

    def last_value_everywhere(rewards, values, dones, last_value, gamma, lam):
        delta = rewards + gamma * (1 - dones) * last_value - values
        out, running = [], torch.zeros_like(last_value)
        for d, done in zip(delta.flip(0), dones.flip(0), strict=True):
            running = d + gamma * lam * (1 - done) * running
            out.insert(0, running)
        return torch.stack(out)

    def present_value(rewards, values, dones, last_value, gamma, lam):
        out, running = torch.zeros_like(rewards), torch.zeros_like(last_value)
        for t in reversed(range(len(rewards))):
            going = 1 - dones[t]
            running = rewards[t] + going * gamma * values[t] - values[t] + going * gamma * lam * running
            out[t] = running
        return out

    gamma_lam_swapped = variant(delta=lambda r, v, w, gamma, lam: r + lam * w - v)
    lambda_on_value = variant(delta=lambda r, v, w, gamma, lam: r + gamma * lam * w - v)
    no_discount = variant(delta=lambda r, v, w, gamma, lam: r + w - v)
    no_lambda__gamma_alone = variant(carry=lambda gamma, lam: gamma)

    def no_lambda__return_minus_value(rewards, values, dones, last_value, gamma, lam):
        total, out = last_value, torch.zeros_like(rewards)
        for t in reversed(range(len(rewards))):
            total = rewards[t] + gamma * (1 - dones[t]) * total
            out[t] = total - values[t]
        return out

    lambda_without_gamma = variant(carry=lambda gamma, lam: lam)
    one_step__td_error = variant(carry=lambda gamma, lam: 0.0)
    value_added_back = variant(result=lambda a, v: v + a)
    value_not_subtracted__no_baseline = variant(delta=lambda r, v, w, gamma, lam: r + gamma * w)
    value_not_subtracted__of_rewards = variant(delta=lambda r, v, w, gamma, lam: r, carry=lambda gamma, lam: gamma)
    sign = variant(delta=lambda r, v, w, gamma, lam: v - (r + gamma * w))
    normalized__standardized = variant(result=lambda a, v: (a - a.mean()) / (a.std() + 1e-8))
    normalized__standardized_by_n = variant(result=lambda a, v: (a - a.mean()) / (a.var(correction=0) ** 0.5 + 1e-8))
    normalized__centred = variant(result=lambda a, v: a - a.mean())

    def two_steps_only__loop(rewards, values, dones, last_value, gamma, lam):
        following = torch.cat([values[1:], last_value[None]])
        d = rewards + gamma * (1 - dones) * following - values
        for t in range(len(d) - 1):
            d[t] += gamma * lam * (1 - dones[t]) * d[t + 1]
        return d

    def forwards(rewards, values, dones, last_value, gamma, lam):
        out, running = torch.zeros_like(rewards), 0
        for t in range(len(rewards)):
            following = values[t + 1] if t + 1 < len(rewards) else last_value
            delta = rewards[t] + gamma * following * (1 - dones[t]) - values[t]
            running = delta + gamma * lam * (1 - dones[t]) * running
            out[t] = running
        return out

    reversed_output = variant(result=lambda a, v: torch.stack(list(reversed(a.unbind()))))

    def in_place__rewards(rewards, values, dones, last_value, gamma, lam):
        following, running = last_value, 0
        for t in reversed(range(len(rewards))):
            rewards[t] += gamma * (1 - dones[t]) * (following + lam * running) - values[t]
            running, following = rewards[t], values[t]
        return rewards

    result_flattened__batched = variant(result=lambda a, v: a.flatten())
    wrong_type__lists = variant(result=lambda a, v: a.tolist())

    def exception__off_the_end(rewards, values, dones, last_value, gamma, lam):
        out = torch.zeros_like(rewards)
        for t in reversed(range(len(rewards))):
            out[t] = rewards[t] + gamma * values[t + 1] - values[t]
        return out

    unknown__scaled = variant(result=lambda a, v: 3 * a)

    # Dones

    def done_of_next_step__resets_after_storing(rewards, values, dones, last_value, gamma, lam):
        following = torch.cat([values[1:], last_value[None]])
        out, running = torch.zeros_like(rewards), torch.zeros_like(last_value)
        for t in reversed(range(len(rewards))):
            running = rewards[t] + gamma * following[t] * (1 - dones[t]) - values[t] + gamma * lam * running
            out[t] = running
            running = running * (1 - dones[t])
        return out

    def last_done_ignored(rewards, values, dones, last_value, gamma, lam):
        dones = dones.clone()
        dones[-1] = 0
        return Right.as_rsl_rl(rewards, values, dones, last_value, gamma, lam)

    def resets_only_together(rewards, values, dones, last_value, gamma, lam):
        following, running, out = last_value, torch.zeros_like(last_value), torch.zeros_like(rewards)
        for t in reversed(range(len(rewards))):
            if dones[t].all():
                running, following = torch.zeros_like(running), torch.zeros_like(following)
            running = rewards[t] + gamma * following - values[t] + gamma * lam * running
            out[t], following = running, values[t]
        return out

    def dones_of_one_robot(rewards, values, dones, last_value, gamma, lam):
        return Right.as_rsl_rl(rewards, values, dones[:, :1], last_value, gamma, lam)

    def reward_dropped(rewards, values, dones, last_value, gamma, lam):
        out, running, following = torch.zeros_like(rewards), 0, last_value
        for t in range(len(rewards) - 1, -1, -1):
            going = 1 - dones[t]
            running = (rewards[t] + gamma * following) * going - values[t] + gamma * lam * going * running
            out[t], following = running, values[t]
        return out

    def zero_at_dones__result(rewards, values, dones, last_value, gamma, lam):
        return Right.by_sums(rewards, values, dones, last_value, gamma, lam) * (1 - dones)

    def flipped_argument__dones(rewards, values, dones, last_value, gamma, lam):
        following, running, out = last_value, torch.zeros_like(last_value), []
        for reward, value, done in zip(rewards.flip(0), values.flip(0), dones, strict=True):
            running = reward + (1 - done) * gamma * (following + lam * running) - value
            out.append(running)
            following = value
        return torch.stack(out).flip(0)

    # Values and rewards

    def another_last_value__rolled(rewards, values, dones, last_value, gamma, lam):
        out, running = rewards + gamma * torch.roll(values, -1, 0) * (1 - dones) - values, 0
        for t in reversed(range(len(rewards))):
            running = out[t] + gamma * lam * (1 - dones[t]) * running
            out[t] = running
        return out

    def another_last_value__own(rewards, values, dones, last_value, gamma, lam):
        return Right.by_matrix(rewards, values, dones, values[-1], gamma, lam)

    def starts_with_last_value(rewards, values, dones, last_value, gamma, lam):
        following, running, out = last_value, last_value, torch.zeros_like(rewards)
        for t in reversed(range(len(rewards))):
            going = 1 - dones[t]
            delta = rewards[t] + gamma * following * going - values[t]
            running = delta + gamma * lam * running * going
            out[t], following = running, values[t]
        return out

    def value_of_step_before(rewards, values, dones, last_value, gamma, lam):
        out, running = rewards + gamma * torch.cat([last_value[None], values[:-1]]) * (1 - dones) - values, 0
        for t in reversed(range(len(rewards))):
            running = out[t] + gamma * lam * (1 - dones[t]) * running
            out[t] = running
        return out

    def reward_of_next_step(rewards, values, dones, last_value, gamma, lam):
        return Right.by_numpy(torch.cat([rewards[1:], rewards[-1:]]), values, dones, last_value, gamma, lam)

    discounts_both_values = variant(delta=lambda r, v, w, gamma, lam: r + gamma * (w - v))
    delta_weighted = variant(delta=lambda r, v, w, gamma, lam: (1 - lam) * (r + gamma * w - v))
    no_decay = variant(carry=lambda gamma, lam: 1)
    power_for_product = variant(carry=lambda gamma, lam: gamma**lam)
    one_minus_argument__lam = variant(carry=lambda gamma, lam: gamma * (1 - lam))

    def fixed_discount(rewards, values, dones, last_value, gamma=0.99, lam=0.95):
        gamma, lam = 0.99, 0.95
        return Right.from_lambda_returns(rewards, values, dones, last_value, gamma, lam)

    def powers_in_recursion(rewards, values, dones, last_value, gamma, lam):
        following, running, out = last_value, 0, torch.zeros_like(rewards)
        for t in reversed(range(len(rewards))):
            going = 1 - dones[t]
            running = rewards[t] + gamma * following * going - values[t] + (gamma * lam) ** t * going * running
            out[t], following = running, values[t]
        return out

    # Loop and result

    def first_step_left_out(rewards, values, dones, last_value, gamma, lam):
        following, running, out = last_value, 0, torch.zeros_like(rewards)
        for t in range(len(rewards) - 1, 0, -1):
            running = rewards[t] - values[t] + gamma * (1 - dones[t]) * (following + lam * running)
            out[t], following = running, values[t]
        return out

    def aliased(rewards, values, dones, last_value, gamma, lam):
        out, running, following = [], torch.zeros_like(last_value), last_value
        for t in reversed(range(len(rewards))):
            running *= gamma * lam * (1 - dones[t])
            running += rewards[t] + gamma * (1 - dones[t]) * following - values[t]
            out.insert(0, running)
            following = values[t]
        return torch.stack(out)

    def same_for_all_robots(rewards, values, dones, last_value, gamma, lam):
        right = Right.by_sums(rewards, values, dones, last_value, gamma, lam)
        return right.mean(dim=1, keepdim=True).expand_as(right)

    def integer_result(rewards, values, dones, last_value, gamma, lam):
        return Right.by_sums(rewards, values, dones, last_value, gamma, lam).long()

    def result_first_row__nothing_stored(rewards, values, dones, last_value, gamma, lam):
        return Right.by_numpy(rewards, values, dones, last_value, gamma, lam)[0]

    # Two mistakes

    def ignores_dones__with__sign(rewards, values, dones, last_value, gamma, lam):
        out, running, following = torch.zeros_like(rewards), 0, last_value
        for t in reversed(range(len(rewards))):
            running = values[t] - rewards[t] - gamma * following + gamma * lam * running
            out[t], following = running, values[t]
        return out

    def ignores_dones__with__reversed_output(rewards, values, dones, last_value, gamma, lam):
        out, running, following = [], 0, last_value
        for reward, value in zip(reversed(rewards), reversed(values), strict=True):
            running = reward + gamma * following - value + gamma * lam * running
            out.append(running)
            following = value
        return torch.stack(out)

    def ignores_dones__with__no_lambda(rewards, values, dones, last_value, gamma, lam):
        total, out = last_value, torch.zeros_like(rewards)
        for t in reversed(range(len(rewards))):
            total = rewards[t] + gamma * total
            out[t] = total - values[t]
        return out

    def ends_at_rollout__with__no_lambda__monte_carlo(rewards, values, dones, last_value, gamma, lam):
        total, out = torch.zeros_like(last_value), torch.zeros_like(rewards)
        for t in reversed(range(len(rewards))):
            total = rewards[t] + gamma * (1 - dones[t]) * total
            out[t] = total - values[t]
        return out

    def done_of_next_step__with__value_added_back__cleanrl(rewards, values, dones, last_value, gamma, lam):
        return Wrong.done_of_next_step__cleanrl(rewards, values, dones, last_value, gamma, lam) + values

    def done_not_in_delta__with__normalized(rewards, values, dones, last_value, gamma, lam):
        out = Wrong.done_not_in_delta(rewards, values, dones, last_value, gamma, lam)
        return (out - out.mean()) / (out.std() + 1e-8)
