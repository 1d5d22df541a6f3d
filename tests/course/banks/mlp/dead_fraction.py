"""What people answer to `dead_fraction`; the name of a wrong answer begins with the name of its mistake."""

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

    def rounded(activations):
        return int(Right.by_loops(activations))

    def in_place__ones(activations):
        activations[activations > 0] = 1.0
        return 1 - activations.amax(0).mean()

    def exception__mean_of_mask(activations):
        return (activations == 0).all(dim=0).mean()

    def nan__std_of_one(activations):
        return (activations.std(0) == 0).float().mean() + 0 * activations.std(0).sum()

    def unknown__plus_one(activations):
        return (Wrong.count_for_share(activations) + 1) / activations.shape[1]
