"""Answers that people give to `unpad`. The name of each wrong answer starts with its mistake."""

import torch


class Right:
    def by_loops(padded, mask, time):
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

    def as_rsl_rl(padded, mask, time):
        return padded.transpose(1, 0)[mask.transpose(1, 0)].view(-1, time, padded.shape[-1]).transpose(1, 0)

    def by_lengths(padded, mask, time):
        columns = [padded[:length, i] for i, length in enumerate(mask.sum(0).tolist())]
        return torch.stack(torch.cat(columns).split(time), dim=1)

    def by_cumsum(padded, mask, time):
        place = (mask.T.flatten().cumsum(0) - 1).view(mask.T.shape).T  # [longest, trajectories]: index of the step
        out = padded.new_zeros(int(mask.sum()) // time, time, padded.shape[2])
        out[place[mask] // time, place[mask] % time] = padded[mask]
        return out.permute(1, 0, 2)

    def by_numpy(padded, mask, time):
        steps = padded.numpy().swapaxes(0, 1)[mask.numpy().T]
        return torch.from_numpy(steps.reshape(-1, time, steps.shape[-1]).swapaxes(0, 1).copy())

    def by_filling(padded, mask, time):
        out, t, env = torch.empty(time, int(mask.sum().item() / time), padded.shape[-1]), 0, 0
        for i, length in enumerate(mask.sum(0).tolist()):
            out[t : t + length, env] = padded[:length, i]
            t = (t + length) % time
            env += t == 0
        return out

    def by_places(padded, mask, time):
        places = mask.T.flatten().nonzero().squeeze(1)
        steps = padded.transpose(0, 1).flatten(0, 1).index_select(0, places)
        return steps.unflatten(0, (-1, time)).movedim(1, 0)

    def by_lists(padded, mask, time):
        steps = [padded[t, i].tolist() for i in range(mask.shape[1]) for t in range(len(mask)) if mask[t, i].item()]
        return torch.tensor([steps[t::time] for t in range(time)])


class Wrong:
    def keeps_padding__everything(padded, mask, time):
        return padded.permute(1, 0, 2).reshape(-1, time, padded.shape[2]).permute(1, 0, 2)

    def keeps_padding__first_rows(padded, mask, time):
        steps = padded.transpose(0, 1).reshape(-1, padded.shape[-1])
        envs = int(mask.sum()) // time
        return steps[: envs * time].view(envs, time, -1).transpose(0, 1)

    def keeps_padding__multiplied(padded, mask, time):
        return padded * mask[..., None]

    def mixes_order__view(padded, mask, time):
        steps = padded[mask]
        envs = len(steps) // time
        return steps.view(envs, time, -1).transpose(0, 1)

    def mixes_order__chunk(padded, mask, time):
        return torch.stack(padded[mask].chunk(time))

    def environments_first(padded, mask, time):
        return torch.stack(torch.cat([padded[mask[:, i], i] for i in range(mask.shape[1])]).split(time))

    def reshaped_by_time(padded, mask, time):
        steps = torch.cat([padded[mask[:, i], i] for i in range(mask.shape[1])])
        return steps.view(time, -1, padded.shape[-1])

    def flat__columns(padded, mask, time):
        return torch.cat([padded[mask[:, i], i] for i in range(mask.shape[1])])

    def flat__with__mixes_order(padded, mask, time):
        return torch.masked_select(padded, mask.unsqueeze(-1)).view(-1, padded.shape[-1])

    def longest_for_time(padded, mask, time):
        time = padded.shape[0]
        return padded.transpose(0, 1)[mask.T].view(-1, time, padded.shape[-1]).transpose(0, 1)

    def mask_inverted(padded, mask, time):
        keep = mask == 0
        return padded.transpose(0, 1)[keep.T].view(-1, time, padded.shape[-1]).transpose(0, 1)

    def zeros_as_padding(padded, mask, time):
        steps = padded.transpose(0, 1).flatten(0, 1)
        steps = steps[steps.abs().sum(1) > 0]
        return steps.view(-1, time, steps.shape[1]).transpose(0, 1)

    def drops_features__squeezed(padded, mask, time):
        return Right.by_lengths(padded, mask, time).squeeze()

    def drops_features__one_feature(padded, mask, time):
        return padded[..., 0].T[mask.T].view(-1, time).T

    def reversed_time(padded, mask, time):
        return torch.flip(Right.by_lengths(padded, mask, time), dims=[0])

    def in_place__padding(padded, mask, time):
        padded[~mask] = 0
        return padded.transpose(0, 1)[mask.T].view(-1, time, padded.shape[-1]).transpose(0, 1)

    def result_unsqueezed__batched(padded, mask, time):
        return Right.by_loops(padded, mask, time).unsqueeze(0)

    def wrong_type__lists(padded, mask, time):
        return Right.by_loops(padded, mask, time).tolist()

    def exception__mask_not_turned(padded, mask, time):
        return padded.transpose(0, 1)[mask].view(-1, time, padded.shape[-1]).transpose(0, 1)

    def integer_index__transposed(padded, mask, time):
        mask = mask.T.long()
        return padded.transpose(0, 1)[mask].reshape(-1, time, padded.shape[-1]).transpose(0, 1)

    def integer_index__as_many(padded, mask, time):
        steps = padded.transpose(0, 1)[mask.T.int()].reshape(-1, padded.shape[-1])[: int(mask.sum())]
        return steps.reshape(-1, time, padded.shape[-1]).transpose(0, 1)

    def integer_index__with__mixes_order(padded, mask, time):
        return padded[mask.long()].reshape(-1, time, padded.shape[-1]).transpose(0, 1)

    def integer_index__with__environments_first(padded, mask, time):
        return padded.transpose(0, 1)[mask.T.long()].reshape(-1, time, padded.shape[-1])

    def first_for_time(padded, mask, time):
        time = int(mask[:, 0].sum())
        return torch.stack(Wrong.flat__columns(padded, mask, time).split(time), dim=1)

    def trajectories_as_environments(padded, mask, time):
        out = torch.zeros(time, *padded.shape[1:])
        for i in range(padded.shape[1]):
            steps = padded[mask[:, i], i]
            out[: len(steps), i] = steps
        return out

    def takes_one_more(padded, mask, time):
        columns = [padded[: length + 1, i] for i, length in enumerate(mask.sum(0).tolist())]
        return torch.cat(columns).reshape(-1, time, padded.shape[-1]).transpose(0, 1)

    def first_environment_only(padded, mask, time):
        return torch.cat([padded[mask[:, i], i] for i in range(mask.shape[1])])[:time].unsqueeze(1)

    def last_trajectory_lost(padded, mask, time):
        steps = torch.cat([padded[mask[:, i], i] for i in range(mask.shape[1] - 1)])
        envs = len(steps) // time
        return steps[: envs * time].reshape(envs, time, padded.shape[-1]).transpose(0, 1)

    def full_trajectories_only(padded, mask, time):
        return torch.stack([padded[:, i] for i in range(mask.shape[1]) if mask[:, i].all()], dim=1)

    def first_feature_only(padded, mask, time):
        return Right.by_lengths(padded[..., [0]], mask, time)

    def reversed_trajectories(padded, mask, time):
        columns = [padded[mask[:, i], i].flip(0) for i in range(mask.shape[1])]
        return torch.stack(torch.cat(columns).split(time), dim=1)

    def trajectories_backwards(padded, mask, time):
        columns = [padded[mask[:, i], i] for i in reversed(range(mask.shape[1]))]
        return torch.stack(torch.cat(columns).split(time), dim=1)

    def features_torn_apart(padded, mask, time):
        return padded.transpose(0, 1)[mask.T].reshape(time, padded.shape[2], -1).transpose(1, 2)

    def reversed_environments(padded, mask, time):
        return Right.by_lengths(padded, mask, time).flip(1)

    def mixes_order__with__environments_first(padded, mask, time):
        return padded[mask].reshape(-1, time, padded.shape[-1])

    def mixes_order__with__longest_for_time(padded, mask, time):
        return padded[mask].reshape(-1, len(padded), padded.shape[-1]).transpose(0, 1)

    def mixes_order__with__zeros_as_padding(padded, mask, time):
        steps = padded[(padded != 0).any(-1)]
        return steps.reshape(-1, time, padded.shape[-1]).transpose(0, 1)

    def environments_first__with__mask_inverted(padded, mask, time):
        return padded.transpose(0, 1)[~mask.T].reshape(-1, time, padded.shape[-1])

    def environments_first__with__longest_for_time(padded, mask, time):
        return Wrong.flat__columns(padded, mask, time).reshape(-1, len(padded), padded.shape[-1])

    def environments_first__with__drops_features(padded, mask, time):
        return Wrong.environments_first(padded, mask, time).squeeze(-1)

    def keeps_padding__with__environments_first(padded, mask, time):
        steps = padded.transpose(0, 1).flatten(0, 1)[: int(mask.sum())]
        return steps.reshape(-1, time, padded.shape[-1])

    def flat__with__drops_features(padded, mask, time):
        return Wrong.flat__columns(padded, mask, time)[:, 0]

    def integer_result(padded, mask, time):
        out = torch.zeros(time, int(mask.sum()) // time, padded.shape[2], dtype=torch.long)
        for n, step in enumerate(Wrong.flat__columns(padded, mask, time)):
            out[n % time, n // time] = step
        return out

    def result_halved(padded, mask, time):
        return Right.by_loops(padded, mask, time) / 2
