"""Answers that people give to `reset_done`. The name of each wrong answer starts with its mistake."""

import copy

import torch


class Right:
    def masked(hidden, dones):
        new = hidden.clone()
        new[:, dones == 1] = 0.0
        return new

    def multiplied(hidden, dones):
        return hidden * (1 - dones).view(1, -1, 1)

    def by_loop(hidden, dones):
        new = hidden.double()
        for env, done in enumerate(dones.tolist()):
            if done:
                for layer in range(len(hidden)):
                    new[layer, env] = torch.zeros(hidden.shape[2])
        return new

    def by_einsum(hidden, dones):
        return torch.einsum("leh,e->leh", hidden, (dones == 0).float())

    def filled(hidden, dones):
        return hidden.masked_fill(dones.bool()[:, None], 0)

    def by_places(hidden, dones):
        return hidden.index_fill(1, dones.nonzero().squeeze(1), 0.0)

    def kept(hidden, dones):
        new, keep = torch.zeros_like(hidden), dones != 1
        new[:, keep] = hidden[:, keep]
        return new

    def stacked(hidden, dones):
        return torch.stack([0 * hidden[:, i] if dones[i] else hidden[:, i] for i in range(len(dones))], dim=1)

    def only_if_any(hidden, dones):
        if not dones.any():
            return hidden
        mask = dones.bool()[None, :, None].expand_as(hidden)
        new = hidden * 1
        new[mask] = 0
        return new

    def by_diagonal(hidden, dones):
        return torch.diag(1.0 - dones) @ hidden


class Wrong:
    def integer_index__ellipsis(hidden, dones):
        hidden = hidden.clone()
        hidden[..., dones, :] = 0.0
        return hidden

    def integer_index__index_fill(hidden, dones):
        return hidden.index_fill(1, dones, 0.0)

    def inverted__product(hidden, dones):
        return hidden * dones.unsqueeze(-1)

    def inverted__where(hidden, dones):
        return torch.where(dones.bool()[None, :, None], hidden, torch.zeros_like(hidden))

    def resets_all__if_any(hidden, dones):
        if dones.sum() > 0:
            return torch.zeros_like(hidden)
        return hidden

    def resets_all__always(hidden, dones):
        return torch.zeros(hidden.shape)

    def resets_none(hidden, dones):
        copy = hidden[:, dones.bool()]  # a copy, not a view
        copy.zero_()
        return hidden

    def bitwise_not(hidden, dones):
        return hidden * ~dones[:, None]

    def bitwise_not__index(hidden, dones):
        new = hidden.clone()
        new[:, ~dones] = 0
        return new

    def bitwise_not__kept(hidden, dones):
        new = torch.zeros_like(hidden)
        new[:, ~dones] = hidden[:, ~dones]
        return new

    def first_done_only__index(hidden, dones):
        new = hidden.clone()
        if dones.any():
            new[:, dones.tolist().index(1)] = 0
        return new

    def first_done_only__argmax(hidden, dones):
        return hidden.index_fill(1, dones.argmax(), 0.0)

    def one_layer_only__first(hidden, dones):
        mask = torch.ones_like(hidden)
        mask[0][dones.bool()] = 0
        return hidden * mask

    def one_layer_only__last(hidden, dones):
        new = hidden.clone()
        new[-1] *= (1 - dones).unsqueeze(1)
        return new

    def one_unit_only(hidden, dones):
        new = hidden.clone()
        new[:, :, 0] *= 1 - dones
        return new

    def wrong_axis__units(hidden, dones):
        return torch.where(dones == 1, torch.tensor(0.0), hidden)

    def wrong_axis__layers(hidden, dones):
        return hidden * (dones == 0).reshape(-1, 1, 1)

    def drops_environments(hidden, dones):
        return torch.stack([layer[~dones.bool()] for layer in hidden])

    def done_only(hidden, dones):
        return torch.zeros_like(hidden[:, dones.bool()])

    def in_place__masked(hidden, dones):
        hidden[:, dones.bool()] = 0
        return hidden

    def in_place__rsl_rl(hidden, dones):
        hidden[..., dones == 1, :] = 0.0
        return hidden.clone()

    def wrong_shape__flat(hidden, dones):
        return Right.masked(hidden, dones).flatten(0, 1)

    def exception__wrong_mask(hidden, dones):
        return hidden.clone()[dones.bool()]

    def wrong_type__lists(hidden, dones):
        return Right.masked(hidden, dones).tolist()

    def nan__divided(hidden, dones):
        return hidden / (1 - dones)[:, None] * (1 - dones)[:, None] if dones.any() else hidden * torch.nan

    def other_value__one(hidden, dones):
        return hidden.masked_fill(dones.bool()[:, None], 1.0)

    def other_value__subtracted(hidden, dones):
        return hidden - dones.view(1, -1, 1)

    def other_value__mean(hidden, dones):
        return torch.where(dones.view(-1, 1) == 1, hidden.mean(dim=1, keepdim=True), hidden)

    def integer_index__to_keep(hidden, dones):
        new, keep = torch.zeros_like(hidden), 1 - dones
        new[:, keep] = hidden[:, keep]
        return new

    def integer_index__detached(hidden, dones):
        new = hidden.detach().clone()
        new[:, dones] = 0
        return new

    def integer_index__with__one_layer_only(hidden, dones):
        new = hidden.clone()
        new[0, dones] = 0
        return new

    def resets_all_or_none(hidden, dones):
        return torch.zeros_like(hidden) if dones.all() else hidden.clone()

    def last_done_only(hidden, dones):
        new = hidden
        for i in range(len(dones)):
            if dones[i] == 1:
                new = hidden.clone()
                new[:, i] = 0
        return new

    def last_done_only__undefined(hidden, dones):
        for i in range(len(dones)):
            if dones[i] == 1:
                new = hidden.clone()
                new[:, i] = 0
        return new

    def last_done_only__with__one_layer_only(hidden, dones):
        new = hidden
        for i in dones.nonzero():
            new = hidden.clone()
            new[-1, i] = 0
        return new

    def first_done_only__returns_in_the_loop(hidden, dones):
        new = hidden.clone()
        for i, done in enumerate(dones):
            if done:
                new[:, i] = 0
                return new
        return new

    def first_done_only__raises_without(hidden, dones):
        return hidden.index_fill(1, torch.tensor(dones.tolist().index(1)), 0.0)

    def first_done_only__with__one_layer_only(hidden, dones):
        new = hidden.clone()
        if dones.any():
            new[0, dones.argmax()] = 0
        return new

    def first_environment_only(hidden, dones):
        new = hidden.clone()
        for i, done in enumerate(dones):
            if done:
                new[:, i] = 0
            return new

    def one_environment_left_out__first(hidden, dones):
        new = hidden.clone()
        for i in range(1, len(dones)):
            if dones[i]:
                new[:, i] = 0
        return new

    def one_environment_left_out__last(hidden, dones):
        new = hidden.clone()
        new[:, dones[:-1].nonzero().flatten()] = 0
        return new

    def wrong_axis__loop(hidden, dones):
        new = hidden.clone()
        for i in range(len(hidden)):
            if dones[i]:
                new[i] = 0
        return new

    def inverted__with__one_layer_only(hidden, dones):
        new = hidden.clone()
        new[0, dones == 0] = 0
        return new

    def inverted__with__one_unit_only(hidden, dones):
        new = hidden.clone()
        new[:, dones == 0, -1] = 0
        return new

    def inverted__with__wrong_axis(hidden, dones):
        return hidden * dones

    def inverted__with__resets_all(hidden, dones):
        return hidden if dones.any() else torch.zeros_like(hidden)

    def one_layer_only__with__one_unit_only(hidden, dones):
        new = hidden.clone()
        new[0, dones == 1, 0] = 0
        return new

    def shifted_argument(hidden, dones):
        new = hidden.clone()
        new[:, dones.nonzero().flatten() - 1] = 0
        return new

    def result_negated(hidden, dones):
        return hidden * (dones - 1).unsqueeze(1)

    def no_gradient__detached(hidden, dones):
        new = hidden.detach().clone()
        new[:, dones.bool()] = 0
        return new

    def no_gradient__data(hidden, dones):
        return torch.where(dones[:, None] == 1, 0.0, hidden.data)

    def no_gradient__no_grad(hidden, dones):
        with torch.no_grad():
            return hidden * (1 - dones)[:, None]

    def exception__deepcopy(hidden, dones):
        new = copy.deepcopy(hidden)
        new[:, dones.bool()] = 0
        return new

    def exception__numpy(hidden, dones):
        return torch.from_numpy(hidden.numpy() * (1 - dones.numpy())[:, None])

    def integer_result(hidden, dones):
        new, keep = torch.zeros(hidden.shape, dtype=torch.long), dones == 0
        new[:, keep] = hidden[:, keep].long()
        return new

    def random__new_memory(hidden, dones):
        return torch.where(dones.bool()[:, None], torch.randn_like(hidden), hidden)
