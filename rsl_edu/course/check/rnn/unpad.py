"""Exercise ``unpad``: lay padded trajectories back into a rollout."""

from typing import Any

import torch

from ..exercise import Answer, Case, Exercise, Mistake, Part
from .rollouts import ramp, random_rollout
from .split_and_pad import split_and_pad


def unpad(padded: torch.Tensor, mask: torch.Tensor, time: int) -> torch.Tensor:
    """Lay padded trajectories back into a rollout: the inverse of split_and_pad.

    Args:
        padded: Trajectories [longest, trajectories, features], environment by environment; after the end of a
            trajectory stands padding, which need not be zero.
        mask: True at real steps, False at padding [longest, trajectories].
        time: Steps of the rollout.

    Returns:
        The rollout [time, envs, features].
    """
    steps = padded.transpose(0, 1)[mask.T]  # [envs · time, features], environment by environment
    return steps.reshape(-1, time, padded.shape[-1]).transpose(0, 1)


def _padded(x: torch.Tensor, dones: list[list[int]], padding: float = 0.0) -> tuple[torch.Tensor, torch.Tensor, int]:
    padded, mask = split_and_pad(x, torch.tensor(dones))
    return torch.where(mask.unsqueeze(-1), padded, padding), mask, len(x)


def _draw(generator: torch.Generator) -> Case:
    x, dones = random_rollout(generator)
    return Case("random trajectories", _padded(x, dones.tolist(), padding=7.0))


CASES = (
    Case("two environments, the episode of the second ends at once", _padded(ramp(2, 2), [[0, 1], [0, 0]])),
    Case("trajectories that are all shorter than the rollout", _padded(ramp(4, 1), [[0], [1], [0], [0]])),
    Case("padding that is not zero", _padded(ramp(2, 2), [[0, 1], [0, 0]], padding=9.0)),
    Case(
        "observations of zero", _padded(ramp(2, 2) - torch.tensor([[[11.0], [0.0]], [[12.0], [0.0]]]), [[0, 1], [0, 0]])
    ),
    Case("trajectories of many lengths", _padded(ramp(4, 2), [[0, 1], [0, 0], [1, 0], [0, 0]], padding=9.0)),
    Case(
        "two features",
        _padded(torch.cat([ramp(4, 2), -ramp(4, 2)], dim=-1), [[1, 0], [1, 0], [0, 1], [0, 0]], padding=9.0),
    ),
)


def _steps(padded: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return padded.transpose(0, 1)[mask.T]  # [steps, features], trajectory by trajectory


def _lay(steps: Part, short: bool = False) -> Answer:
    """Right but for the steps; ``short`` drops those that are too many."""

    def answer(padded: torch.Tensor, mask: torch.Tensor, time: int) -> Any:
        picked = steps(padded, mask)[: int(mask.sum()) if short else None]
        return picked.reshape(-1, time, padded.shape[-1]).transpose(0, 1)

    return answer


MISTAKES = {
    "keeps-padding": Mistake(
        "you take the padding along.",
        "Only the steps where mask is True are real: pick them, trajectory by trajectory.",
        _lay(lambda padded, mask: padded.transpose(0, 1).flatten(0, 1), short=True),
        _lay(lambda padded, mask: (padded * mask.unsqueeze(-1)).transpose(0, 1).flatten(0, 1), short=True),
        _lay(lambda padded, mask: padded.transpose(0, 1).flatten(0, 1)),
        lambda padded, mask, time: padded,
        lambda padded, mask, time: padded * mask.unsqueeze(-1),
    ),
    "mixes-order": Mistake(
        "you pick the steps of all trajectories at time 0 first, then at time 1, and so on.",
        "padded[mask] goes row by row. Put the trajectories first: padded.transpose(0, 1)[mask.T].",
        _lay(lambda padded, mask: padded[mask]),
        lambda padded, mask, time: padded[mask].reshape(time, -1, padded.shape[-1]),
    ),
    "environments-first": Mistake(
        "your result is [envs, time, features].",
        "Time comes first: transpose(0, 1) at the end.",
        lambda padded, mask, time: unpad(padded, mask, time).transpose(0, 1),
    ),
    "reshaped-by-time": Mistake(
        "you reshape to [time, envs] where the steps of one environment stand together.",
        "Reshape to [envs, time, features], as the steps lie, then transpose(0, 1).",
        lambda padded, mask, time: _steps(padded, mask).reshape(time, -1, padded.shape[-1]),
    ),
    "flat": Mistake(
        "you return the real steps one after another.",
        "They are [envs · time, features]: reshape them to [envs, time, features], then transpose(0, 1).",
        lambda padded, mask, time: _steps(padded, mask),
        lambda padded, mask, time: padded[mask],
    ),
    "longest-for-time": Mistake(
        "you take the longest trajectory for the length of the rollout.",
        "padded is only as long as the longest trajectory. The rollout has `time` steps.",
        lambda padded, mask, time: unpad(padded, mask, len(padded)),
    ),
    "mask-inverted": Mistake(
        "you keep the padding and drop the real steps.",
        "mask is True at real steps: pick with mask, not with ~mask.",
        _lay(lambda padded, mask: _steps(padded, ~mask)),
        _lay(lambda padded, mask: padded[~mask]),
    ),
    "zeros-as-padding": Mistake(
        "you take zeros for padding.",
        "A real step can be zero, and padding need not be. Only mask knows.",
        _lay(lambda padded, mask: _steps(padded, (padded != 0).any(-1))),
        _lay(lambda padded, mask: _steps(padded, mask & (padded != 0).any(-1))),
    ),
    "drops-features": Mistake(
        "you lose the dimension of the features.",
        "A step is a vector of features, even of one: the result is [time, envs, features].",
        lambda padded, mask, time: unpad(padded, mask, time)[..., 0],
        lambda padded, mask, time: unpad(padded, mask, time).squeeze(-1),
        lambda padded, mask, time: unpad(padded, mask, time).squeeze(),
        lambda padded, mask, time: unpad(padded, mask, time).flatten(1),
    ),
    "reversed-time": Mistake(
        "your steps run backwards in time.",
        "The first step of a trajectory is its first row; nothing needs a flip.",
        lambda padded, mask, time: unpad(padded, mask, time).flip(0),
    ),
}

HINTS = (
    "Throw the padding away first. In which order does `padded[mask]` give the steps, and in which order do you want "
    "them?",
    "A mask picks along the first dimension first. Swap time and trajectories in both tensors before you pick: then "
    "the steps come trajectory by trajectory, and so environment by environment, `time` of them for each.",
    "`padded.transpose(0, 1)[mask.T]` is `[envs * time, features]`. Each environment has exactly `time` steps: reshape "
    "to `[envs, time, features]`, then transpose to `[time, envs, features]`.",
)

EXERCISE = Exercise(unpad, ("rollout",), CASES, MISTAKES, HINTS, _draw)
