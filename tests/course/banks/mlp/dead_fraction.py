"""Answers that people give to `dead_fraction`. The name of each wrong answer starts with its mistake."""

import numpy as np
import torch


class Right:
    def by_loops(activations):
        samples, units = activations.shape
        dead = 0
        for unit in range(units):
            if all(activations[sample, unit] == 0 for sample in range(samples)):
                dead += 1
        return dead / units

    def by_maximum(activations):
        return (activations.max(dim=0).values == 0).double().mean()

    def by_sum(activations):
        sums = torch.einsum("su->u", activations.double())
        return torch.count_nonzero(sums == 0) / len(sums)

    def by_numpy(activations):
        return np.mean(~activations.numpy().any(axis=0))

    def by_norm(activations):
        return (torch.linalg.vector_norm(activations, dim=0) == 0).float().mean()

    def by_set(activations):
        alive = set()
        for row in activations.tolist():
            alive |= {unit for unit, value in enumerate(row) if value > 0}
        return 1 - len(alive) / len(activations[0])

    def with_guard_against_rounding(activations):
        return torch.isclose(activations, torch.zeros_like(activations)).all(0).float().mean()

    def in_place_on_a_copy(activations):
        ones = activations.clone()
        ones[ones > 0] = 1
        return 1 - ones.max(0).values.mean()

    def by_any(activations):
        return 1 - activations.bool().any(0).float().mean().item()


class Wrong:
    def share_of_zeros(activations):
        return (activations.numel() - torch.count_nonzero(activations)) / activations.numel()

    def any_for_all(activations):
        return (activations.min(dim=0).values == 0).float().mean()

    def dead_samples(activations):
        return torch.tensor([float((row == 0).all()) for row in activations]).mean()

    def negative_for_zero(activations):
        return (activations.max(0).values < 0).float().mean().item()

    def count_for_share(activations):
        return int((activations.sum(0) == 0).sum())

    def alive_share(activations):
        return activations.bool().any(dim=0).float().mean()

    def divided_by_samples(activations):
        return (activations.sum(0) == 0).sum() / activations.shape[0]

    def divided_by_all(activations):
        return (activations.sum(0) == 0).sum() / activations.nelement()

    def small_counts_as_dead(activations):
        return (activations.abs().max(0).values < 1e-3).float().mean()

    def first_sample_only(activations):
        return (activations[0] == 0).float().mean()

    def percent(activations):
        return 100.0 * Right.by_loops(activations)

    def mask_returned(activations):
        return ~activations.bool().any(dim=0)

    def rounded_down(activations):
        return int(Right.by_loops(activations))

    def rounded(activations):
        return round(Right.by_loops(activations))

    def in_place__ones(activations):
        activations[activations > 0] = 1.0
        return 1 - activations.amax(0).mean()

    def exception__mean_of_mask(activations):
        return (activations == 0).all(dim=0).mean()

    def nan__std_of_one(activations):
        return (activations.std(0) == 0).float().mean() + 0 * activations.std(0).sum()

    def hardly_varies(activations):
        return (activations.std(0, unbiased=False) == 0).float().mean()

    def hardly_varies__unbiased(activations):
        return (activations.std(0) == 0).float().mean()

    def rarely_active(activations):
        return ((activations > 0).float().mean(0) < 0.05).float().mean()

    def rarely_active__mostly_zero(activations):
        return ((activations == 0).sum(0) > len(activations) / 2).float().mean()

    def rarely_active__median(activations):
        return (activations.median(0).values == 0).float().mean()

    def small_counts_as_dead__tiny(activations):
        return (activations < 1e-6).all(0).float().mean()

    def small_counts_as_dead__mean(activations):
        return (activations.mean(0) < 0.01).float().mean()

    def most_active_unit(activations):
        active = (activations > 0).float()
        return 1 - active.mean(0).max()

    def first_unit_only(activations):
        return (activations[:, 0] == 0).float().mean()

    def first_unit_only__return_in_the_loop(activations):
        dead = 0
        for unit in activations.T:
            dead += int((unit == 0).all())
            return dead / activations.shape[1]

    def unit_forgotten(activations):
        units = activations.shape[1]
        return sum((activations[:, i] == 0).all() for i in range(units - 1)) / units

    def zeros_counted(activations):
        return (activations == 0).sum() / activations.shape[1]

    def yes_or_no(activations):
        return float((activations == 0).all(0).any())

    def divided_by_alive(activations):
        dead = (activations == 0).all(0).sum()
        return dead / (activations.shape[1] - dead)

    def rounded_down__all_at_once(activations):
        return (activations == 0).all().float()

    def dead_samples__over_units(activations):
        return (activations == 0).all(1).sum() / activations.shape[1]

    def any_for_all__with__percent(activations):
        return 100 * (activations == 0).any(0).float().mean()

    def small_counts_as_dead__with__divided_by_samples(activations):
        return (activations < 1e-3).all(0).sum() / activations.shape[0]

    def rarely_active__with__one_minus_result(activations):
        return ((activations > 0).float().mean(0) >= 0.05).float().mean()

    def dead_samples__with__alive_share(activations):
        return (activations > 0).any(1).float().mean()

    def unknown__plus_one(activations):
        return (Wrong.count_for_share(activations) + 1) / activations.shape[1]
