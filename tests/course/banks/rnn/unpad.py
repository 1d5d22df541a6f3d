"""What people answer to `unpad`; the name of a wrong answer begins with the name of its mistake."""

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
        place = (mask.T.flatten().cumsum(0) - 1).view(mask.T.shape).T  # [longest, trajectories]: number of the step
        out = padded.new_zeros(int(mask.sum()) // time, time, padded.shape[2])
        out[place[mask] // time, place[mask] % time] = padded[mask]
        return out.permute(1, 0, 2)


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

    def flat__selected(padded, mask, time):
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

    def wrong_shape__batched(padded, mask, time):
        return Right.by_loops(padded, mask, time).unsqueeze(0)

    def wrong_type__lists(padded, mask, time):
        return Right.by_loops(padded, mask, time).tolist()

    def exception__mask_not_turned(padded, mask, time):
        return padded.transpose(0, 1)[mask].view(-1, time, padded.shape[-1]).transpose(0, 1)

    def unknown__halved(padded, mask, time):
        return Right.by_loops(padded, mask, time) / 2
