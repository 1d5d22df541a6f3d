"""What people answer to `split_and_pad`; the name of a wrong answer begins with the name of its mistake."""

import torch
from torch.nn.utils.rnn import pad_sequence

from rsl_edu.modules.trajectories import split_and_pad_trajectories


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


class Right:
    def by_loops(x, dones):
        pieces = pieces_of(x, dones)
        longest = max(len(piece) for piece in pieces)
        padded = torch.zeros(longest, len(pieces), x.shape[2])
        mask = torch.zeros(longest, len(pieces), dtype=torch.bool)
        for i, piece in enumerate(pieces):
            for t, step in enumerate(piece):
                padded[t, i], mask[t, i] = step, True
        return [padded, mask]

    def by_library(x, dones):
        padded, mask = split_and_pad_trajectories(x, dones)
        longest = mask.sum(0).max()
        return padded[:longest], mask[:longest]

    def as_rsl_rl(x, dones):
        dones = dones.clone()
        dones[-1] = 1
        flat_dones = dones.transpose(1, 0).reshape(-1, 1)
        done_indices = torch.cat((flat_dones.new_tensor([-1]), flat_dones.nonzero()[:, 0]))
        lengths = done_indices[1:] - done_indices[:-1]
        padded = pad_sequence(torch.split(x.transpose(1, 0).flatten(0, 1), lengths.tolist()))
        return padded, lengths > torch.arange(0, len(padded)).unsqueeze(1)

    def by_scatter(x, dones):
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


class Wrong:
    def splits_before_done(x, dones):
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

    def drops_done_step(x, dones):
        pieces = []
        for env in range(x.shape[1]):
            start = 0
            for t in dones[:, env].nonzero().flatten().tolist():
                pieces.append(x[start:t, env])
                start = t + 1
            if start < len(x):
                pieces.append(x[start:, env])
        return laid_out(pieces)

    def drops_rest(x, dones):
        pieces = []
        for env in range(x.shape[1]):
            start = 0
            for t in range(len(x)):
                if dones[t, env]:
                    pieces.append(x[start : t + 1, env])
                    start = t + 1
        return laid_out(pieces)

    def crosses_environments__with_rest(x, dones):
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

    def crosses_environments__without_rest(x, dones):
        ends = dones.T.flatten().nonzero().flatten() + 1
        steps = x.transpose(0, 1).flatten(0, 1)
        return laid_out(list(steps[: ends[-1]].tensor_split(ends[:-1])))

    def flattened_by_time(x, dones):
        last = dones.clone()
        last[-1] = 1
        ends = last.flatten().nonzero().flatten()
        lengths = ends.diff(prepend=torch.tensor([-1]))
        return laid_out(list(x.flatten(0, 1).split(lengths.tolist())))

    def ordered_by_time__by_end(x, dones):
        pieces, open_since = [], [0] * x.shape[1]
        for t in range(len(x)):
            for env in range(x.shape[1]):
                if dones[t, env] or t + 1 == len(x):
                    pieces.append(x[open_since[env] : t + 1, env])
                    open_since[env] = t + 1
        return laid_out(pieces)

    def ordered_by_time__by_start(x, dones):
        pieces = []
        for t in range(len(x)):
            for env in range(x.shape[1]):
                if t == 0 or dones[t - 1, env]:
                    end = t
                    while end < len(x) - 1 and not dones[end, env]:
                        end += 1
                    pieces.append(x[t : end + 1, env])
        return laid_out(pieces)

    def ordered_by_length(x, dones):
        return laid_out(sorted(pieces_of(x, dones), key=len, reverse=True))  # as pack_padded_sequence wants it

    def not_split(x, dones):
        return x.clone(), torch.ones(x.shape[:2], dtype=torch.bool)

    def cuts_all(x, dones):
        anyone = torch.zeros_like(dones)
        anyone[dones.sum(1) > 0] = 1
        return Right.as_rsl_rl(x, anyone)

    def cuts_once(x, dones):
        pieces = []
        for env in range(x.shape[1]):
            end = int(dones[:, env].argmax()) + 1 if dones[:, env].any() else len(x)
            pieces += [piece for piece in (x[:end, env], x[end:, env]) if len(piece)]
        return laid_out(pieces)

    def empty_trajectory(x, dones):
        pieces = []
        for env in range(x.shape[1]):
            cuts = (dones[:, env].nonzero().flatten() + 1).tolist()
            pieces += torch.tensor_split(x[:, env], cuts)
        return laid_out(pieces)

    def padded_to_rollout(x, dones):
        return split_and_pad_trajectories(x, dones)

    def cut_to_shortest(x, dones):
        pieces = pieces_of(x, dones)
        shortest = min(map(len, pieces))
        padded = torch.stack([piece[:shortest] for piece in pieces], dim=1)
        return padded, torch.ones(padded.shape[:2], dtype=torch.bool)

    def padded_in_front(x, dones):
        padded, mask = laid_out(pieces_of(x, dones))
        shift = (~mask).sum(0)
        roll = [padded[:, i].roll(int(shift[i]), 0) for i in range(len(shift))]
        return torch.stack(roll, dim=1), mask.flip(0)

    def padding_not_zero__minus_one(x, dones):
        pieces = pieces_of(x, dones)
        return pad_sequence(pieces, padding_value=-1.0), laid_out(pieces)[1]

    def padding_not_zero__repeating_last(x, dones):
        pieces = pieces_of(x, dones)
        longest = max(map(len, pieces))
        rows = [torch.cat([p, p[-1:].expand(longest - len(p), -1)]) for p in pieces]
        return torch.stack(rows, 1), laid_out(pieces)[1]

    def trajectories_first(x, dones):
        pieces = pieces_of(x, dones)
        return pad_sequence(pieces, batch_first=True), laid_out(pieces)[1].T

    def mask_inverted(x, dones):
        padded, mask = laid_out(pieces_of(x, dones))
        return padded, mask.logical_not()

    def mask_all_true(x, dones):
        padded = pad_sequence(pieces_of(x, dones))
        return padded, torch.full(padded.shape[:2], True)

    def mask_from_values(x, dones):
        padded = pad_sequence(pieces_of(x, dones))
        return padded, padded.abs().sum(-1) > 0

    def mask_one_off__short(x, dones):
        pieces = pieces_of(x, dones)
        padded = pad_sequence(pieces)
        mask = torch.zeros(padded.shape[:2], dtype=torch.bool)
        for i, piece in enumerate(pieces):
            mask[: len(piece) - 1, i] = True
        return padded, mask

    def mask_one_off__long(x, dones):
        pieces = pieces_of(x, dones)
        padded = pad_sequence(pieces)
        return padded, torch.arange(len(padded))[:, None] <= torch.tensor([len(piece) for piece in pieces])

    def mask_transposed(x, dones):
        padded, mask = Right.as_rsl_rl(x, dones)
        return padded, mask.transpose(0, 1)

    def wrong_type__mask_of_floats(x, dones):
        padded, mask = Right.as_rsl_rl(x, dones)
        return padded, mask.float()

    def wrong_type__mask_of_integers(x, dones):
        padded, mask = Right.as_rsl_rl(x, dones)
        return padded, mask.long()

    def wrong_shape__mask_with_features(x, dones):
        padded, mask = Right.as_rsl_rl(x, dones)
        return padded, mask.unsqueeze(-1)

    def in_place__dones(x, dones):
        dones[-1] = 1
        return Right.as_rsl_rl(x, dones)

    def wrong_type__no_mask(x, dones):
        return pad_sequence(pieces_of(x, dones))

    def wrong_type__list(x, dones):
        pieces = pieces_of(x, dones)
        return pieces, laid_out(pieces)[1]

    def no_return__mask(x, dones):
        return laid_out(pieces_of(x, dones))[0], None

    def exception__uneven(x, dones):
        pieces = pieces_of(x, dones)
        return torch.stack(pieces, dim=1), torch.ones(len(pieces[0]), len(pieces), dtype=torch.bool)

    def unknown__doubled(x, dones):
        padded, mask = Right.as_rsl_rl(x, dones)
        return 2 * padded, mask
