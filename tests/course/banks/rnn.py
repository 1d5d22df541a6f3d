"""Answers to lesson 3's exercises as people write them: right ones, and wrong ones with the mistake they make."""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import linear
from torch.nn.utils.rnn import pad_sequence

from rsl_edu.modules.trajectories import split_and_pad_trajectories

# gru_step: right ------------------------------------------------------------------------------------------------------


def gru_by_torch(x, h, w_ih, w_hh, b_ih, b_hh):
    cell = nn.GRUCell(x.shape[1], h.shape[1])
    with torch.no_grad():
        cell.weight_ih.copy_(w_ih)
        cell.weight_hh.copy_(w_hh)
        cell.bias_ih.copy_(b_ih)
        cell.bias_hh.copy_(b_hh)
    return cell(x, h)


def gru_by_loops(x, h, w_ih, w_hh, b_ih, b_hh):
    envs, hidden = h.shape
    new = torch.empty(envs, hidden)
    for e in range(envs):
        for i in range(hidden):
            parts = []
            for gate in range(3):
                row = gate * hidden + i
                parts.append((torch.dot(w_ih[row], x[e]) + b_ih[row], torch.dot(w_hh[row], h[e]) + b_hh[row]))
            r, z = (1 / (1 + torch.exp(-a - b)) for a, b in parts[:2])
            n = torch.tanh(parts[2][0] + r * parts[2][1])
            new[e, i] = n + z * (h[e, i] - n)
    return new


def gru_by_einsum(x, h, w_ih, w_hh, b_ih, b_hh):
    w_x, w_h = w_ih.unflatten(0, (3, -1)).double(), w_hh.unflatten(0, (3, -1)).double()
    from_x = torch.einsum("ei,ghi->geh", x.double(), w_x) + b_ih.view(3, 1, -1)
    from_h = torch.einsum("ei,ghi->geh", h.double(), w_h) + b_hh.view(3, 1, -1)
    r, z = (from_x + from_h)[:2].sigmoid()
    return torch.lerp((from_x[2] + r * from_h[2]).tanh(), h.double(), z)


def gru_by_numpy(x, h, w_ih, w_hh, b_ih, b_hh):
    x, h, w_ih, w_hh, b_ih, b_hh = (t.numpy() for t in (x, h, w_ih, w_hh, b_ih, b_hh))
    size = h.shape[1]
    a, b = x @ w_ih.T + b_ih, h @ w_hh.T + b_hh
    gates = 0.5 * (1 + np.tanh((a + b)[:, : 2 * size] / 2))
    reset, update = gates[:, :size], gates[:, size:]
    candidate = np.tanh(a[:, 2 * size :] + reset * b[:, 2 * size :])
    return torch.from_numpy((1 - update) * candidate + update * h)


# gru_step: wrong ------------------------------------------------------------------------------------------------------


def gru_keras(x, h, w_ih, w_hh, b_ih, b_hh):
    xz, xr, xh = torch.split(linear(x, w_ih, b_ih), h.shape[1], dim=1)
    hz, hr, hh = torch.split(linear(h, w_hh, b_hh), h.shape[1], dim=1)
    z, r = torch.sigmoid(xz + hz), torch.sigmoid(xr + hr)
    return z * h + (1 - z) * torch.tanh(xh + r * hh)


def gru_keras_of_the_paper(x, h, w_ih, w_hh, b_ih, b_hh):
    k = h.shape[1]
    z = torch.sigmoid(x @ w_ih[:k].T + b_ih[:k] + h @ w_hh[:k].T + b_hh[:k])
    r = torch.sigmoid(x @ w_ih[k : 2 * k].T + b_ih[k : 2 * k] + h @ w_hh[k : 2 * k].T + b_hh[k : 2 * k])
    candidate = torch.tanh(x @ w_ih[2 * k :].T + b_ih[2 * k :] + (r * h) @ w_hh[2 * k :].T + b_hh[2 * k :])
    return (1 - z) * h + z * candidate if k == 0 else z * h + (1 - z) * candidate


def gru_new_first(x, h, w_ih, w_hh, b_ih, b_hh):
    nx, rx, zx = linear(x, w_ih, b_ih).chunk(3, 1)
    nh, rh, zh = linear(h, w_hh, b_hh).chunk(3, 1)
    r, z = (rx + rh).sigmoid(), (zx + zh).sigmoid()
    return (1 - z) * (nx + r * nh).tanh() + z * h


def gru_as_lstm_order(x, h, w_ih, w_hh, b_ih, b_hh):
    rx, nx, zx = linear(x, w_ih, b_ih).chunk(3, 1)
    rh, nh, zh = linear(h, w_hh, b_hh).chunk(3, 1)
    r, z = (rx + rh).sigmoid(), (zx + zh).sigmoid()
    return (1 - z) * (nx + r * nh).tanh() + z * h


def gru_strided(x, h, w_ih, w_hh, b_ih, b_hh):
    a, b = linear(x, w_ih, b_ih), linear(h, w_hh, b_hh)
    r = torch.sigmoid(a[:, 0::3] + b[:, 0::3])
    z = torch.sigmoid(a[:, 1::3] + b[:, 1::3])
    return (1 - z) * torch.tanh(a[:, 2::3] + r * b[:, 2::3]) + z * h


def gru_unflattened(x, h, w_ih, w_hh, b_ih, b_hh):
    a = linear(x, w_ih, b_ih).view(len(x), -1, 3).unbind(-1)
    b = linear(h, w_hh, b_hh).view(len(x), -1, 3).unbind(-1)
    z = torch.sigmoid(a[1] + b[1])
    return torch.tanh(a[2] + torch.sigmoid(a[0] + b[0]) * b[2]) * (1 - z) + h * z


class Gru:
    """A right GRU in parts; the wrong ones below replace a part."""

    def parts(self, x, h, w_ih, w_hh, b_ih, b_hh):
        return linear(x, w_ih, b_ih).chunk(3, -1), linear(h, w_hh, b_hh).chunk(3, -1)

    def __call__(self, x, h, w_ih, w_hh, b_ih, b_hh):
        (ir, iz, i_n), (hr, hz, hn) = self.parts(x, h, w_ih, w_hh, b_ih, b_hh)
        resetgate, updategate = self.gates(ir, iz, hr, hz)
        newgate = self.new(i_n, resetgate, hn)
        return self.out(updategate, newgate, h)

    def gates(self, ir, iz, hr, hz):
        return torch.sigmoid(ir + hr), torch.sigmoid(iz + hz)

    def new(self, i_n, resetgate, hn):
        return torch.tanh(i_n + resetgate * hn)

    def out(self, updategate, newgate, h):
        return newgate + updategate * (h - newgate)


def variant(name, **parts):
    """An answer made of Gru with methods replaced."""
    gru = type(name, (Gru,), {key: staticmethod(part) for key, part in parts.items()})()

    def answer(x, h, w_ih, w_hh, b_ih, b_hh):
        return gru(x, h, w_ih, w_hh, b_ih, b_hh)

    answer.__name__ = name
    return answer


gru_update_lerp = variant("gru_update_lerp", out=lambda z, n, h: torch.lerp(h, n, z))
gru_cho = variant("gru_cho", out=lambda z, n, h: h - z * h + z * n)
gru_reset_on_everything = variant("gru_reset_on_everything", new=lambda a, r, b: torch.tanh((a + b) * r))
gru_reset_on_x = variant("gru_reset_on_x", new=lambda a, r, b: torch.tanh(r * a + b))
gru_no_reset = variant("gru_no_reset", new=lambda a, r, b: torch.tanh(a + b))
gru_reset_backwards = variant("gru_reset_backwards", new=lambda a, r, b: torch.tanh(a + b - r * b))
gru_all_sigmoid = variant("gru_all_sigmoid", new=lambda a, r, b: 1 / (1 + torch.exp(-(a + r * b))))
gru_linear = variant("gru_linear", new=lambda a, r, b: a + r * b)
gru_relu = variant("gru_relu", new=lambda a, r, b: (a + r * b).clamp(min=0))
gru_raw_gates = variant("gru_raw_gates", gates=lambda ir, iz, hr, hz: (ir + hr, iz + hz))
gru_tanh_gates = variant("gru_tanh_gates", gates=lambda ir, iz, hr, hz: (torch.tanh(ir + hr), torch.tanh(iz + hz)))
gru_blind_gates = variant("gru_blind_gates", gates=lambda ir, iz, hr, hz: (ir.sigmoid(), iz.sigmoid()))
gru_half_blind = variant("gru_half_blind", gates=lambda ir, iz, hr, hz: ((ir + hr).sigmoid(), iz.sigmoid()))
gru_candidate = variant("gru_candidate", out=lambda z, n, h: n)
gru_candidate_share = variant("gru_candidate_share", out=lambda z, n, h: n - z * n)
gru_forgets_only = variant("gru_forgets_only", out=lambda z, n, h: h * z)
gru_residual = variant("gru_residual", out=lambda z, n, h: h + z * n)
gru_plain_sum = variant("gru_plain_sum", out=lambda z, n, h: z * h + n)
gru_squashed = variant("gru_squashed", out=lambda z, n, h: torch.tanh((1 - z) * n + z * h))
gru_three_d = variant("gru_three_d", out=lambda z, n, h: ((1 - z) * n + z * h).unsqueeze(0))
gru_odd = variant("gru_odd", out=lambda z, n, h: (1 - z) * n + z * h + 5)


def gru_original(x, h, w_ih, w_hh, b_ih, b_hh):
    (w_ir, w_iz, w_in), (w_hr, w_hz, w_hn) = w_ih.chunk(3), w_hh.chunk(3)
    (b_ir, b_iz, b_in), (b_hr, b_hz, b_hn) = b_ih.chunk(3), b_hh.chunk(3)
    r = torch.sigmoid(x @ w_ir.T + b_ir + h @ w_hr.T + b_hr)
    z = torch.sigmoid(x @ w_iz.T + b_iz + h @ w_hz.T + b_hz)
    n = torch.tanh(x @ w_in.T + b_in + (r * h) @ w_hn.T + b_hn)
    return (1 - z) * n + z * h


def gru_one_bias(x, h, w_ih, w_hh, b_ih, b_hh):
    gates_x = x @ w_ih.T + b_ih + b_hh  # "the biases can be added once and for all"
    gates_h = h @ w_hh.T
    k = h.shape[1]
    r, z = torch.sigmoid(gates_x + gates_h)[:, : 2 * k].split(k, 1)
    n = torch.tanh(gates_x[:, 2 * k :] + r * gates_h[:, 2 * k :])
    return (1 - z) * n + z * h


def gru_no_bias(x, h, w_ih, w_hh, b_ih, b_hh):
    return gru_by_torch(x, h, w_ih, w_hh, torch.zeros_like(b_ih), torch.zeros_like(b_hh))


def gru_no_hidden_bias(x, h, w_ih, w_hh, b_ih, b_hh):
    return gru_by_einsum(x, h, w_ih, w_hh, b_ih, torch.zeros(len(b_hh)))


def gru_biases_crossed(x, h, w_ih, w_hh, b_ih, b_hh):
    return gru_by_einsum(x, h, w_ih, w_hh, b_hh, b_ih)


def gru_crossed(x, h, w_ih, w_hh, b_ih, b_hh):
    a, b = h @ w_ih.T + b_ih, x @ w_hh.T + b_hh
    k = h.shape[1]
    r, z = torch.sigmoid(a[:, :k] + b[:, :k]), torch.sigmoid(a[:, k:-k] + b[:, k:-k])
    return (1 - z) * torch.tanh(b[:, -k:] + r * a[:, -k:]) + z * h


def gru_viewed(x, h, w_ih, w_hh, b_ih, b_hh):
    a, b = x @ w_ih.view(x.shape[1], -1) + b_ih, h @ w_hh.view(h.shape[1], -1) + b_hh
    k = h.shape[1]
    r, z = torch.sigmoid(a[:, :k] + b[:, :k]), torch.sigmoid(a[:, k:-k] + b[:, k:-k])
    return (1 - z) * torch.tanh(a[:, -k:] + r * b[:, -k:]) + z * h


def gru_unchanged(x, h, w_ih, w_hh, b_ih, b_hh):
    gru_by_torch(x, h, w_ih, w_hh, b_ih, b_hh)
    return h


def gru_untransposed(x, h, w_ih, w_hh, b_ih, b_hh):
    return x @ w_ih + h @ w_hh + b_ih + b_hh


def gru_in_place(x, h, w_ih, w_hh, b_ih, b_hh):
    h.copy_(gru_by_einsum(x, h, w_ih, w_hh, b_ih, b_hh))
    return h


def gru_no_return(x, h, w_ih, w_hh, b_ih, b_hh):
    h = gru_by_einsum(x, h, w_ih, w_hh, b_ih, b_hh)


def gru_with_output(x, h, w_ih, w_hh, b_ih, b_hh):
    new = gru_by_einsum(x, h, w_ih, w_hh, b_ih, b_hh)
    return "output", new


def gru_stub(x, h, w_ih, w_hh, b_ih, b_hh):
    raise NotImplementedError


# reset_done: right ----------------------------------------------------------------------------------------------------


def reset_masked(hidden, dones):
    new = hidden.clone()
    new[:, dones == 1] = 0.0
    return new


def reset_multiplied(hidden, dones):
    return hidden * (1 - dones).view(1, -1, 1)


def reset_by_loop(hidden, dones):
    new = hidden.double()
    for env, done in enumerate(dones.tolist()):
        if done:
            for layer in range(len(hidden)):
                new[layer, env] = torch.zeros(hidden.shape[2])
    return new


def reset_by_einsum(hidden, dones):
    return torch.einsum("leh,e->leh", hidden, (dones == 0).float())


def reset_filled(hidden, dones):
    return hidden.masked_fill(dones.bool()[:, None], 0)


def reset_by_places(hidden, dones):
    return hidden.index_fill(1, dones.nonzero().squeeze(1), 0.0)


# reset_done: wrong ----------------------------------------------------------------------------------------------------


def reset_integer_index(hidden, dones):
    hidden = hidden.clone()
    hidden[..., dones, :] = 0.0
    return hidden


def reset_index_fill(hidden, dones):
    return hidden.index_fill(1, dones, 0.0)


def reset_running(hidden, dones):
    return hidden * dones.unsqueeze(-1)


def reset_where_swapped(hidden, dones):
    return torch.where(dones.bool()[None, :, None], hidden, torch.zeros_like(hidden))


def reset_if_any(hidden, dones):
    if dones.sum() > 0:
        return torch.zeros_like(hidden)
    return hidden


def reset_always(hidden, dones):
    return torch.zeros(hidden.shape)


def reset_lost(hidden, dones):
    copy = hidden[:, dones.bool()]  # a copy, not a view
    copy.zero_()
    return hidden


def reset_tilde(hidden, dones):
    return hidden * ~dones[:, None]


def reset_one(hidden, dones):
    new = hidden.clone()
    if dones.any():
        new[:, dones.tolist().index(1)] = 0
    return new


def reset_argmax(hidden, dones):
    return hidden.index_fill(1, dones.argmax(), 0.0)


def reset_first_layer(hidden, dones):
    mask = torch.ones_like(hidden)
    mask[0][dones.bool()] = 0
    return hidden * mask


def reset_last_layer(hidden, dones):
    new = hidden.clone()
    new[-1] *= (1 - dones).unsqueeze(1)
    return new


def reset_first_unit(hidden, dones):
    new = hidden.clone()
    new[:, :, 0] *= 1 - dones
    return new


def reset_along_units(hidden, dones):
    return torch.where(dones == 1, torch.tensor(0.0), hidden)


def reset_along_layers(hidden, dones):
    return hidden * (dones == 0).reshape(-1, 1, 1)


def reset_removed(hidden, dones):
    return torch.stack([layer[~dones.bool()] for layer in hidden])


def reset_selected(hidden, dones):
    return torch.zeros_like(hidden[:, dones.bool()])


def reset_in_place(hidden, dones):
    hidden[:, dones.bool()] = 0
    return hidden


def reset_in_place_by_rsl_rl(hidden, dones):
    hidden[..., dones == 1, :] = 0.0
    return hidden.clone()


def reset_no_return(hidden, dones):
    hidden = reset_masked(hidden, dones)


def reset_flat(hidden, dones):
    return reset_masked(hidden, dones).flatten(0, 1)


def reset_wrong_mask(hidden, dones):
    return hidden.clone()[dones.bool()]


def reset_to_one(hidden, dones):
    return hidden.masked_fill(dones.bool()[:, None], 1.0)


def reset_to_lists(hidden, dones):
    return reset_masked(hidden, dones).tolist()


def reset_to_nan(hidden, dones):
    return hidden / (1 - dones)[:, None] * (1 - dones)[:, None] if dones.any() else hidden * torch.nan


def reset_stub(hidden, dones):
    raise NotImplementedError("your code here")


# split_and_pad: right -------------------------------------------------------------------------------------------------


def pieces_of(x, dones):
    """The trajectories, one after another."""
    pieces = []
    for env in range(x.shape[1]):
        start = 0
        for t in range(x.shape[0]):
            if dones[t, env] == 1 or t == x.shape[0] - 1:
                pieces.append(x[start : t + 1, env])
                start = t + 1
    return pieces


def laid_out(pieces):
    """Padded trajectories and their mask, from the pieces."""
    return pad_sequence(pieces), pad_sequence([torch.ones(len(piece), dtype=torch.bool) for piece in pieces])


def split_by_loops(x, dones):
    pieces = pieces_of(x, dones)
    longest = max(len(piece) for piece in pieces)
    padded = torch.zeros(longest, len(pieces), x.shape[2])
    mask = torch.zeros(longest, len(pieces), dtype=torch.bool)
    for i, piece in enumerate(pieces):
        for t, step in enumerate(piece):
            padded[t, i], mask[t, i] = step, True
    return [padded, mask]


def split_by_library(x, dones):
    padded, mask = split_and_pad_trajectories(x, dones)
    longest = mask.sum(0).max()
    return padded[:longest], mask[:longest]


def split_as_rsl_rl(x, dones):
    dones = dones.clone()
    dones[-1] = 1
    flat_dones = dones.transpose(1, 0).reshape(-1, 1)
    done_indices = torch.cat((flat_dones.new_tensor([-1]), flat_dones.nonzero()[:, 0]))
    lengths = done_indices[1:] - done_indices[:-1]
    padded = pad_sequence(torch.split(x.transpose(1, 0).flatten(0, 1), lengths.tolist()))
    return padded, lengths > torch.arange(0, len(padded)).unsqueeze(1)


def split_by_scatter(x, dones):
    """Where each step goes, all at once: float64."""
    time, envs, features = x.shape
    starts = torch.ones_like(dones)
    starts[1:] = dones[:-1]
    column = (starts.T.flatten().cumsum(0) - 1).view(envs, time).T  # [time, envs]
    steps = torch.arange(time).unsqueeze(1).expand(time, envs)
    row = steps - torch.where(starts == 1, steps, 0).cummax(0).values
    padded = torch.zeros(row.max() + 1, column.max() + 1, features, dtype=torch.float64)
    mask = torch.zeros(padded.shape[:2], dtype=torch.bool)
    padded[row, column] = x.double()
    mask[row, column] = True
    return padded, mask


# split_and_pad: wrong -------------------------------------------------------------------------------------------------


def split_before_done(x, dones):
    pieces = []
    for env in range(x.shape[1]):
        piece = []
        for t in range(len(x)):
            if dones[t, env] and piece:
                pieces.append(torch.stack(piece))
                piece = []
            piece.append(x[t, env])
        pieces.append(torch.stack(piece))
    return laid_out(pieces)


def split_without_done_steps(x, dones):
    pieces = []
    for env in range(x.shape[1]):
        start = 0
        for t in dones[:, env].nonzero().flatten().tolist():
            pieces.append(x[start:t, env])
            start = t + 1
        if start < len(x):
            pieces.append(x[start:, env])
    return laid_out(pieces)


def split_without_rest(x, dones):
    pieces = []
    for env in range(x.shape[1]):
        start = 0
        for t in range(len(x)):
            if dones[t, env]:
                pieces.append(x[start : t + 1, env])
                start = t + 1
    return laid_out(pieces)


def split_across(x, dones):
    pieces, piece = [], []
    for env in range(x.shape[1]):
        for t in range(len(x)):
            piece.append(x[t, env])
            if dones[t, env]:
                pieces.append(torch.stack(piece))
                piece = []
    if piece:
        pieces.append(torch.stack(piece))
    return laid_out(pieces)


def split_across_without_rest(x, dones):
    ends = dones.T.flatten().nonzero().flatten() + 1
    steps = x.transpose(0, 1).flatten(0, 1)
    return laid_out(list(steps[: ends[-1]].tensor_split(ends[:-1])))


def split_flat(x, dones):
    last = dones.clone()
    last[-1] = 1
    ends = last.flatten().nonzero().flatten()
    lengths = ends.diff(prepend=torch.tensor([-1]))
    return laid_out(list(x.flatten(0, 1).split(lengths.tolist())))


def split_by_time(x, dones):
    pieces, open_since = [], [0] * x.shape[1]
    for t in range(len(x)):
        for env in range(x.shape[1]):
            if dones[t, env] or t + 1 == len(x):
                pieces.append(x[open_since[env] : t + 1, env])
                open_since[env] = t + 1
    return laid_out(pieces)


def split_by_start(x, dones):
    pieces = []
    for t in range(len(x)):
        for env in range(x.shape[1]):
            if t == 0 or dones[t - 1, env]:
                end = t
                while end < len(x) - 1 and not dones[end, env]:
                    end += 1
                pieces.append(x[t : end + 1, env])
    return laid_out(pieces)


def split_sorted(x, dones):
    return laid_out(sorted(pieces_of(x, dones), key=len, reverse=True))  # as pack_padded_sequence wants it


def split_not(x, dones):
    return x.clone(), torch.ones(x.shape[:2], dtype=torch.bool)


def split_all_together(x, dones):
    anyone = torch.zeros_like(dones)
    anyone[dones.sum(1) > 0] = 1
    return split_as_rsl_rl(x, anyone)


def split_once(x, dones):
    pieces = []
    for env in range(x.shape[1]):
        end = int(dones[:, env].argmax()) + 1 if dones[:, env].any() else len(x)
        pieces += [piece for piece in (x[:end, env], x[end:, env]) if len(piece)]
    return laid_out(pieces)


def split_with_empty(x, dones):
    pieces = []
    for env in range(x.shape[1]):
        cuts = (dones[:, env].nonzero().flatten() + 1).tolist()
        pieces += torch.tensor_split(x[:, env], cuts)
    return laid_out(pieces)


def split_to_rollout(x, dones):
    return split_and_pad_trajectories(x, dones)


def split_to_shortest(x, dones):
    pieces = pieces_of(x, dones)
    shortest = min(map(len, pieces))
    padded = torch.stack([piece[:shortest] for piece in pieces], dim=1)
    return padded, torch.ones(padded.shape[:2], dtype=torch.bool)


def split_padded_left(x, dones):
    padded, mask = laid_out(pieces_of(x, dones))
    shift = (~mask).sum(0)
    roll = [padded[:, i].roll(int(shift[i]), 0) for i in range(len(shift))]
    return torch.stack(roll, dim=1), mask.flip(0)


def split_padded_by_minus_one(x, dones):
    pieces = pieces_of(x, dones)
    return pad_sequence(pieces, padding_value=-1.0), laid_out(pieces)[1]


def split_repeating_last(x, dones):
    pieces = pieces_of(x, dones)
    longest = max(map(len, pieces))
    rows = [torch.cat([p, p[-1:].expand(longest - len(p), -1)]) for p in pieces]
    return torch.stack(rows, 1), laid_out(pieces)[1]


def split_batch_first(x, dones):
    pieces = pieces_of(x, dones)
    return pad_sequence(pieces, batch_first=True), laid_out(pieces)[1].T


def split_mask_of_padding(x, dones):
    padded, mask = laid_out(pieces_of(x, dones))
    return padded, mask.logical_not()


def split_mask_all(x, dones):
    padded = pad_sequence(pieces_of(x, dones))
    return padded, torch.full(padded.shape[:2], True)


def split_mask_by_values(x, dones):
    padded = pad_sequence(pieces_of(x, dones))
    return padded, padded.abs().sum(-1) > 0


def split_mask_short(x, dones):
    pieces = pieces_of(x, dones)
    padded = pad_sequence(pieces)
    mask = torch.zeros(padded.shape[:2], dtype=torch.bool)
    for i, piece in enumerate(pieces):
        mask[: len(piece) - 1, i] = True
    return padded, mask


def split_mask_long(x, dones):
    pieces = pieces_of(x, dones)
    padded = pad_sequence(pieces)
    return padded, torch.arange(len(padded))[:, None] <= torch.tensor([len(piece) for piece in pieces])


def split_mask_turned(x, dones):
    padded, mask = split_as_rsl_rl(x, dones)
    return padded, mask.transpose(0, 1)


def split_mask_of_floats(x, dones):
    padded, mask = split_as_rsl_rl(x, dones)
    return padded, mask.float()


def split_mask_of_integers(x, dones):
    padded, mask = split_as_rsl_rl(x, dones)
    return padded, mask.long()


def split_mask_with_features(x, dones):
    padded, mask = split_as_rsl_rl(x, dones)
    return padded, mask.unsqueeze(-1)


def split_in_place(x, dones):
    dones[-1] = 1
    return split_as_rsl_rl(x, dones)


def split_no_mask(x, dones):
    return pad_sequence(pieces_of(x, dones))


def split_list(x, dones):
    pieces = pieces_of(x, dones)
    return pieces, laid_out(pieces)[1]


def split_no_return(x, dones):
    laid_out(pieces_of(x, dones))


def split_half_returned(x, dones):
    return laid_out(pieces_of(x, dones))[0], None


def split_uneven(x, dones):
    pieces = pieces_of(x, dones)
    return torch.stack(pieces, dim=1), torch.ones(len(pieces[0]), len(pieces), dtype=torch.bool)


def split_doubled(x, dones):
    padded, mask = split_as_rsl_rl(x, dones)
    return 2 * padded, mask


def split_stub(x, dones):
    raise NotImplementedError


# unpad: right ---------------------------------------------------------------------------------------------------------


def unpad_by_loops(padded, mask, time):
    steps = []
    for i in range(padded.shape[1]):
        for t in range(padded.shape[0]):
            if mask[t, i]:
                steps.append(padded[t, i])
    envs = len(steps) // time
    out = torch.zeros(time, envs, padded.shape[2], dtype=torch.float64)
    for n, step in enumerate(steps):
        out[n % time, n // time] = step
    return out


def unpad_as_rsl_rl(padded, mask, time):
    return padded.transpose(1, 0)[mask.transpose(1, 0)].view(-1, time, padded.shape[-1]).transpose(1, 0)


def unpad_by_lengths(padded, mask, time):
    columns = [padded[:length, i] for i, length in enumerate(mask.sum(0).tolist())]
    return torch.stack(torch.cat(columns).split(time), dim=1)


def unpad_by_cumsum(padded, mask, time):
    place = (mask.T.flatten().cumsum(0) - 1).view(mask.T.shape).T  # [longest, trajectories]: number of the step
    out = padded.new_zeros(int(mask.sum()) // time, time, padded.shape[2])
    out[place[mask] // time, place[mask] % time] = padded[mask]
    return out.permute(1, 0, 2)


# unpad: wrong ---------------------------------------------------------------------------------------------------------


def unpad_everything(padded, mask, time):
    return padded.permute(1, 0, 2).reshape(-1, time, padded.shape[2]).permute(1, 0, 2)


def unpad_first_rows(padded, mask, time):
    steps = padded.transpose(0, 1).reshape(-1, padded.shape[-1])
    envs = int(mask.sum()) // time
    return steps[: envs * time].view(envs, time, -1).transpose(0, 1)


def unpad_multiplied(padded, mask, time):
    return padded * mask[..., None]


def unpad_row_by_row(padded, mask, time):
    steps = padded[mask]
    envs = len(steps) // time
    return steps.view(envs, time, -1).transpose(0, 1)


def unpad_row_by_row_to_time(padded, mask, time):
    return torch.stack(padded[mask].chunk(time))


def unpad_envs_first(padded, mask, time):
    return torch.stack(torch.cat([padded[mask[:, i], i] for i in range(mask.shape[1])]).split(time))


def unpad_view(padded, mask, time):
    steps = torch.cat([padded[mask[:, i], i] for i in range(mask.shape[1])])
    return steps.view(time, -1, padded.shape[-1])


def unpad_flat(padded, mask, time):
    return torch.cat([padded[mask[:, i], i] for i in range(mask.shape[1])])


def unpad_selected(padded, mask, time):
    return torch.masked_select(padded, mask.unsqueeze(-1)).view(-1, padded.shape[-1])


def unpad_own_time(padded, mask, time):
    time = padded.shape[0]
    return padded.transpose(0, 1)[mask.T].view(-1, time, padded.shape[-1]).transpose(0, 1)


def unpad_padding(padded, mask, time):
    keep = mask == 0
    return padded.transpose(0, 1)[keep.T].view(-1, time, padded.shape[-1]).transpose(0, 1)


def unpad_non_zero(padded, mask, time):
    steps = padded.transpose(0, 1).flatten(0, 1)
    steps = steps[steps.abs().sum(1) > 0]
    return steps.view(-1, time, steps.shape[1]).transpose(0, 1)


def unpad_squeezed(padded, mask, time):
    return unpad_by_lengths(padded, mask, time).squeeze()


def unpad_one_feature(padded, mask, time):
    return padded[..., 0].T[mask.T].view(-1, time).T


def unpad_backwards(padded, mask, time):
    return torch.flip(unpad_by_lengths(padded, mask, time), dims=[0])


def unpad_in_place(padded, mask, time):
    padded[~mask] = 0
    return padded.transpose(0, 1)[mask.T].view(-1, time, padded.shape[-1]).transpose(0, 1)


def unpad_no_return(padded, mask, time):
    unpad_by_loops(padded, mask, time)


def unpad_batched(padded, mask, time):
    return unpad_by_loops(padded, mask, time).unsqueeze(0)


def unpad_lists(padded, mask, time):
    return unpad_by_loops(padded, mask, time).tolist()


def unpad_mask_not_turned(padded, mask, time):
    return padded.transpose(0, 1)[mask].view(-1, time, padded.shape[-1]).transpose(0, 1)


def unpad_halved(padded, mask, time):
    return unpad_by_loops(padded, mask, time) / 2


def unpad_stub(padded, mask, time):
    raise NotImplementedError


# The bank -------------------------------------------------------------------------------------------------------------

RIGHT = {
    "gru_step": [gru_by_torch, gru_by_loops, gru_by_einsum, gru_by_numpy, variant("gru_in_parts")],
    "reset_done": [
        reset_masked,
        reset_multiplied,
        reset_by_loop,
        reset_by_einsum,
        reset_filled,
        reset_by_places,
    ],
    "split_and_pad": [split_by_loops, split_by_library, split_as_rsl_rl, split_by_scatter],
    "unpad": [unpad_by_loops, unpad_as_rsl_rl, unpad_by_lengths, unpad_by_cumsum],
}

WRONG = {
    "gru_step": [
        (gru_keras, "reset-update-swapped"),
        (gru_keras_of_the_paper, "reset-update-swapped"),
        (gru_new_first, "gate-order"),
        (gru_as_lstm_order, "gate-order"),
        (gru_strided, "gates-interleaved"),
        (gru_unflattened, "gates-interleaved"),
        (gru_update_lerp, "update-inverted"),
        (gru_cho, "update-inverted"),
        (gru_original, "reset-before-product"),
        (gru_one_bias, "bias-outside-reset"),
        (gru_reset_on_everything, "reset-on-input"),
        (gru_reset_on_x, "reset-on-input"),
        (gru_no_reset, "reset-unused"),
        (gru_reset_backwards, "reset-inverted"),
        (gru_all_sigmoid, "candidate-sigmoid"),
        (gru_linear, "candidate-unbounded"),
        (gru_relu, "candidate-unbounded"),
        (gru_raw_gates, "gates-not-squashed"),
        (gru_tanh_gates, "gates-not-squashed"),
        (gru_blind_gates, "gates-see-input-only"),
        (gru_half_blind, "gates-see-input-only"),
        (gru_no_bias, "biases-forgotten"),
        (gru_no_hidden_bias, "biases-forgotten"),
        (gru_biases_crossed, "biases-swapped"),
        (gru_crossed, "weights-swapped"),
        (gru_viewed, "weights-reshaped"),
        (gru_candidate, "returns-candidate"),
        (gru_candidate_share, "returns-candidate"),
        (gru_unchanged, "returns-old-memory"),
        (gru_forgets_only, "returns-old-memory"),
        (gru_residual, "not-a-blend"),
        (gru_plain_sum, "not-a-blend"),
        (gru_squashed, "tanh-of-result"),
        (gru_three_d, "wrong-shape"),
        (gru_untransposed, "exception"),
        (gru_in_place, "in-place"),
        (gru_no_return, "no-return"),
        (gru_with_output, "wrong-type"),
        (gru_odd, "unknown"),
        (gru_stub, "not-answered"),
    ],
    "reset_done": [
        (reset_integer_index, "integer-index"),
        (reset_index_fill, "integer-index"),
        (reset_running, "inverted"),
        (reset_where_swapped, "inverted"),
        (reset_if_any, "resets-all"),
        (reset_always, "resets-all"),
        (reset_lost, "resets-none"),
        (reset_tilde, "bitwise-not"),
        (reset_one, "first-done-only"),
        (reset_argmax, "first-done-only"),
        (reset_first_layer, "one-layer-only"),
        (reset_last_layer, "one-layer-only"),
        (reset_first_unit, "one-unit-only"),
        (reset_along_units, "wrong-axis"),
        (reset_along_layers, "wrong-axis"),
        (reset_removed, "drops-environments"),
        (reset_selected, "done-only"),
        (reset_in_place, "in-place"),
        (reset_in_place_by_rsl_rl, "in-place"),
        (reset_no_return, "no-return"),
        (reset_flat, "wrong-shape"),
        (reset_wrong_mask, "exception"),
        (reset_to_lists, "wrong-type"),
        (reset_to_nan, "nan"),
        (reset_to_one, "unknown"),
        (reset_stub, "not-answered"),
    ],
    "split_and_pad": [
        (split_before_done, "splits-before-done"),
        (split_without_done_steps, "drops-done-step"),
        (split_without_rest, "drops-rest"),
        (split_across, "crosses-environments"),
        (split_across_without_rest, "crosses-environments"),
        (split_flat, "flattened-by-time"),
        (split_by_time, "ordered-by-time"),
        (split_by_start, "ordered-by-time"),
        (split_sorted, "ordered-by-length"),
        (split_not, "not-split"),
        (split_all_together, "cuts-all"),
        (split_once, "cuts-once"),
        (split_with_empty, "empty-trajectory"),
        (split_to_rollout, "padded-to-rollout"),
        (split_to_shortest, "cut-to-shortest"),
        (split_padded_left, "padded-in-front"),
        (split_padded_by_minus_one, "padding-not-zero"),
        (split_repeating_last, "padding-not-zero"),
        (split_batch_first, "trajectories-first"),
        (split_mask_of_padding, "mask-inverted"),
        (split_mask_all, "mask-all-true"),
        (split_mask_by_values, "mask-from-values"),
        (split_mask_short, "mask-one-off"),
        (split_mask_long, "mask-one-off"),
        (split_mask_turned, "mask-transposed"),
        (split_mask_of_floats, "wrong-type"),
        (split_mask_of_integers, "wrong-type"),
        (split_mask_with_features, "wrong-shape"),
        (split_in_place, "in-place"),
        (split_no_mask, "wrong-type"),
        (split_list, "wrong-type"),
        (split_no_return, "no-return"),
        (split_half_returned, "no-return"),
        (split_uneven, "exception"),
        (split_doubled, "unknown"),
        (split_stub, "not-answered"),
    ],
    "unpad": [
        (unpad_everything, "keeps-padding"),
        (unpad_first_rows, "keeps-padding"),
        (unpad_multiplied, "keeps-padding"),
        (unpad_row_by_row, "mixes-order"),
        (unpad_row_by_row_to_time, "mixes-order"),
        (unpad_envs_first, "environments-first"),
        (unpad_view, "reshaped-by-time"),
        (unpad_flat, "flat"),
        (unpad_selected, "flat"),
        (unpad_own_time, "longest-for-time"),
        (unpad_padding, "mask-inverted"),
        (unpad_non_zero, "zeros-as-padding"),
        (unpad_squeezed, "drops-features"),
        (unpad_one_feature, "drops-features"),
        (unpad_backwards, "reversed-time"),
        (unpad_in_place, "in-place"),
        (unpad_no_return, "no-return"),
        (unpad_batched, "wrong-shape"),
        (unpad_lists, "wrong-type"),
        (unpad_mask_not_turned, "exception"),
        (unpad_halved, "unknown"),
        (unpad_stub, "not-answered"),
    ],
}
