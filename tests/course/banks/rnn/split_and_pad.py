"""Answers that people give to `split_and_pad`. The name of each wrong answer starts with its mistake."""

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from rsl_edu.modules.trajectories import split_and_pad_trajectories


def pieces_of(x, dones):
    """Return the trajectories as a list."""
    pieces = []
    for env in range(x.shape[1]):
        start = 0
        for t in range(x.shape[0]):
            if dones[t, env] == 1 or t == x.shape[0] - 1:
                pieces.append(x[start : t + 1, env])
                start = t + 1
    return pieces


def laid_out(pieces):
    """Return the padded trajectories and their mask."""
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
        """Compute the target position of all steps without a loop, in float64."""
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

    def by_lists(x, dones):
        pieces = [[step.tolist() for step in piece] for piece in pieces_of(x, dones)]
        longest, nothing = max(map(len, pieces)), [0.0] * x.shape[2]
        rows = [[piece[t] if t < len(piece) else nothing for piece in pieces] for t in range(longest)]
        return torch.tensor(rows), torch.tensor([[t < len(piece) for piece in pieces] for t in range(longest)])

    def by_numpy(x, dones):
        last = dones.numpy().copy()
        last[-1] = 1
        steps, cuts = x.numpy().swapaxes(0, 1).reshape(-1, x.shape[2]), np.flatnonzero(last.T)[:-1] + 1
        pieces = np.split(steps, cuts)
        padded = np.zeros((max(map(len, pieces)), len(pieces), x.shape[2]))
        for i, piece in enumerate(pieces):
            padded[: len(piece), i] = piece
        lengths = np.array([len(piece) for piece in pieces])
        return torch.from_numpy(padded), torch.from_numpy(np.arange(len(padded))[:, None] < lengths)

    def by_numbers(x, dones):
        ends = torch.cat([dones[:-1], torch.ones_like(dones[:1])]).T.flatten()
        number, steps = ends.cumsum(0) - ends, x.transpose(0, 1).flatten(0, 1)
        pieces = [steps[number == i] for i in range(int(number[-1]) + 1)]
        longest, pad = max(map(len, pieces)), torch.nn.functional.pad
        padded = torch.stack([pad(piece, (0, 0, 0, longest - len(piece))) for piece in pieces], dim=1)
        ones = [pad(torch.ones(len(piece)), (0, longest - len(piece))) for piece in pieces]
        return padded, torch.stack(ones, dim=1) == 1


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
        return laid_out(
            sorted(pieces_of(x, dones), key=len, reverse=True)
        )  # the order that pack_padded_sequence expects

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

    def mask_of_features__one(x, dones):
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

    def drops_last_step(x, dones):
        pieces = []
        for env in range(x.shape[1]):
            start = 0
            for t in range(len(x)):
                if dones[t, env] or t == len(x) - 1:
                    pieces.append(x[start:t, env])
                    start = t + 1
        return laid_out(pieces)

    def splits_before_done__with__drops_last_row(x, dones):
        pieces = []
        for env in range(x.shape[1]):
            start = 0
            for t in range(len(x)):
                if dones[t, env] or t == len(x) - 1:
                    pieces.append(x[start:t, env])
                    start = t
        return laid_out(pieces)

    def drops_last_row(x, dones):
        return laid_out(pieces_of(x[:-1], dones[:-1]))

    def drops_last_step__with__drops_rest(x, dones):
        pieces = []
        for env in range(x.shape[1]):
            start = 0
            for t in range(len(x)):
                if dones[t, env]:
                    pieces.append(x[start:t, env])
                    start = t + 1
        return laid_out(pieces)

    def start_not_moved(x, dones):
        pieces = []
        for env in range(x.shape[1]):
            start = 0
            for t in range(len(x)):
                if dones[t, env] or t == len(x) - 1:
                    pieces.append(x[start : t + 1, env])
        return laid_out(pieces)

    def done_step_twice(x, dones):
        pieces = []
        for env in range(x.shape[1]):
            start = 0
            for t in range(len(x)):
                if dones[t, env] or t == len(x) - 1:
                    pieces.append(x[start : t + 1, env])
                    start = t
        return laid_out(pieces)

    def start_not_reset(x, dones):
        pieces, start = [], 0
        for env in range(x.shape[1]):
            for t in range(len(x)):
                if dones[t, env] or t == len(x) - 1:
                    pieces.append(x[start : t + 1, env])
                    start = t + 1
        return laid_out(pieces)

    def first_environment_only(x, dones):
        return laid_out(pieces_of(x[:, :1], dones))

    def ordered_backwards(x, dones):
        return laid_out(pieces_of(x, dones)[::-1])

    def steps_of_first(x, dones):
        return laid_out(pieces_of(x[:, [0] * x.shape[1]], dones))

    def padded_too_long(x, dones):
        padded, mask = laid_out(pieces_of(x, dones))
        nothing = torch.zeros(1, *padded.shape[1:])
        return torch.cat([padded, nothing]), torch.cat([mask, nothing[..., 0].bool()])

    def cuts_as_first(x, dones):
        return laid_out(pieces_of(x, dones[:, [0] * x.shape[1]]))

    def cuts_once__at_the_last(x, dones):
        pieces = []
        for env in range(x.shape[1]):
            ends = [t for t in range(len(x)) if dones[t, env]]
            cut = ends[-1] + 1 if ends else 0
            pieces += [piece for piece in (x[:cut, env], x[cut:, env]) if len(piece)]
        return laid_out(pieces)

    def cuts_once__with__splits_before_done(x, dones):
        pieces = []
        for env in range(x.shape[1]):
            cut = int(dones[:, env].argmax())
            pieces += [piece for piece in (x[:cut, env], x[cut:, env]) if len(piece)]
        return laid_out(pieces)

    def cuts_all__with__splits_before_done(x, dones):
        cuts = [t for t in range(1, len(x)) if dones[t].any()]
        return laid_out([piece for env in range(x.shape[1]) for piece in x[:, env].tensor_split(cuts)])

    def drops_short(x, dones):
        return laid_out([piece for piece in pieces_of(x, dones) if len(piece) > 1])

    def steps_reversed(x, dones):
        return laid_out([piece.flip(0) for piece in pieces_of(x, dones)])

    def ends_by_time(x, dones):
        last = dones.clone()
        last[-1] = 1
        ends = last.flatten().nonzero().flatten().tolist()
        lengths = torch.tensor([end - start for start, end in zip([-1, *ends], ends, strict=False)])
        return laid_out(list(x.transpose(0, 1).flatten(0, 1).split(lengths.tolist())))

    def flattened_by_time__reshaped(x, dones):
        last = dones.clone()
        last[-1] = 1
        lengths = last.T.flatten().nonzero().flatten().diff(prepend=torch.tensor([-1]))
        return laid_out(list(x.reshape(x.shape[1], len(x), -1).flatten(0, 1).split(lengths.tolist())))

    def cut_to_first(x, dones):
        pieces = pieces_of(x, dones)
        padded = x.new_zeros(len(pieces[0]), len(pieces), x.shape[2])
        for i, piece in enumerate(pieces):
            end = min(len(piece), len(padded))
            padded[:end, i] = piece[:end]
        return padded, laid_out(pieces)[1][: len(padded)]

    def mask_last_row__true(x, dones):
        pieces = pieces_of(x, dones)
        padded = pad_sequence(pieces)
        mask = torch.ones(padded.shape[:2], dtype=torch.bool)
        for i, piece in enumerate(pieces):
            mask[len(piece) : -1, i] = False
        return padded, mask

    def mask_last_row__false(x, dones):
        padded, mask = laid_out(pieces_of(x, dones))
        mask[-1] = False
        return padded, mask

    def mask_last_step(x, dones):
        pieces = pieces_of(x, dones)
        padded = pad_sequence(pieces)
        mask = torch.zeros(padded.shape[:2], dtype=torch.bool)
        for i, piece in enumerate(pieces):
            mask[len(piece) - 1, i] = True
        return padded, mask

    def mask_of_first(x, dones):
        padded, mask = laid_out(pieces_of(x, dones))
        return padded, mask[:, [0] * mask.shape[1]]

    def mask_of_rollout__ones(x, dones):
        return pad_sequence(pieces_of(x, dones)), torch.ones(x.shape[:2]).bool()

    def mask_of_rollout__dones(x, dones):
        return pad_sequence(pieces_of(x, dones)), dones == 1

    def mask_of_features__values(x, dones):
        padded = pad_sequence(pieces_of(x, dones))
        return padded, padded.bool()

    def mask_from_values__sign(x, dones):
        padded = pad_sequence(pieces_of(x, dones))
        return padded, padded[:, :, 0] > 0

    def mask_inverted__with__mask_transposed(x, dones):
        padded, mask = laid_out(pieces_of(x, dones))
        return padded, ~mask.T

    def ordered_by_time__with__trajectories_first(x, dones):
        padded, mask = Wrong.ordered_by_time__by_end(x, dones)
        return padded.transpose(0, 1), mask.T

    def ordered_by_time__with__padded_to_rollout(x, dones):
        padded, mask = Wrong.ordered_by_time__by_end(x, dones)
        longer = torch.zeros(len(x), *padded.shape[1:])
        longer[: len(padded)] = padded
        return longer, mask

    def ordered_by_length__with__padding_not_zero(x, dones):
        pieces = sorted(pieces_of(x, dones), key=len, reverse=True)
        return pad_sequence(pieces, padding_value=-1.0), laid_out(pieces)[1]

    def done_step_twice__with__padded_in_front(x, dones):
        padded, mask = Wrong.done_step_twice(x, dones)
        for i, length in enumerate(mask.sum(0).tolist()):
            padded[:, i] = padded[:, i].roll(len(padded) - length, 0)
        return padded, mask.flip(0)

    def empty_trajectory__with__padded_to_rollout(x, dones):
        padded, mask = Wrong.empty_trajectory(x, dones)
        return torch.cat([padded, torch.zeros(len(x) - len(padded), *padded.shape[1:])]), mask

    def integer_result(x, dones):
        padded, mask = Right.as_rsl_rl(x, dones)
        return padded.long(), mask

    def unknown__shifted(x, dones):
        padded, mask = Right.as_rsl_rl(x, dones)
        return padded + 5 * mask.unsqueeze(-1), mask
