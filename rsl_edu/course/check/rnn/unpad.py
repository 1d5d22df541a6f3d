"""Exercise ``unpad``: lay padded trajectories back into a rollout."""

import torch

from ..exercise import Case, Exercise, Mistake
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
    rollout = steps.reshape(-1, time, padded.shape[-1])  # [envs, time, features]
    return rollout.transpose(0, 1)  # [time, envs, features]


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
    Case(
        "three environments of five steps",
        _padded(
            (torch.arange(30.0).reshape(5, 3, 2) * 7 % 30 - 11.5) / 2,
            [[1, 0, 0], [0, 0, 1], [0, 0, 0], [1, 1, 0], [0, 0, 1]],
            padding=0.25,
        ),
    ),
)


_STEPS, _PICKED = "padded.transpose(0, 1)[mask.T]", ".transpose(0, 1)[mask.T]"
_RESULT, _END = "rollout.transpose(0, 1)", "  # [time, envs, features]"
_ZEROED = "(padded * mask.unsqueeze(-1))"
_REAL = ".flatten(0, 1)[: mask.sum()]"  # as many steps as are real
_BY_TIME = {"reshape(-1, time": "reshape(time, -1", _RESULT: "rollout"}


def _mask(mask: str) -> dict[str, str]:
    """Another mask."""
    return {"steps = ": f"mask = {mask}\n    steps = "}


def _flipped(dim: int) -> dict[str, str]:
    """The real steps with their environments (0) or their time (1) turned round."""
    steps = "  # [envs · time, features], environment by environment"
    return {steps: f".unflatten(0, (-1, time)).flip({dim}).flatten(0, 1)"}


MISTAKES = {
    "keeps-padding": Mistake(
        "you take the padding along.",
        "Only the steps where mask is True are real: pick them, trajectory by trajectory.",
        {"[mask.T]": _REAL},
        {"[mask.T]": ".flatten(0, 1)"},
        {_STEPS: f"{_ZEROED}.transpose(0, 1){_REAL}"},
        {_STEPS: f"{_ZEROED}.transpose(0, 1).flatten(0, 1)"},
        {_RESULT: "padded"},
        {_RESULT: _ZEROED},
        {_RESULT: f"{_ZEROED}[:time]"},
    ),
    "mixes-order": Mistake(
        "you pick the steps of all trajectories at time 0 first, then at time 1, and so on.",
        "padded[mask] goes row by row. Put the trajectories first: padded.transpose(0, 1)[mask.T].",
        {_PICKED: "[mask]"},
        {_PICKED: "[mask]"} | _BY_TIME,
    ),
    "environments-first": Mistake(
        "your result is [envs, time, features].",
        "Time comes first: transpose(0, 1) at the end.",
        {_RESULT: "rollout"},
    ),
    "reshaped-by-time": Mistake(
        "you reshape to [time, envs] where the steps of one environment stand together.",
        "Reshape to [envs, time, features], as the steps lie, then transpose(0, 1).",
        _BY_TIME,
    ),
    "flat": Mistake(
        "you return the real steps one after another.",
        "They are [envs · time, features]: reshape them to [envs, time, features], then transpose(0, 1).",
        {_RESULT: "steps"},
    ),
    "longest-for-time": Mistake(
        "you take the longest trajectory for the length of the rollout.",
        "padded is only as long as the longest trajectory. The rollout has `time` steps.",
        {"-1, time": "-1, len(padded)"},
    ),
    "first-for-time": Mistake(
        "you take the first trajectory for the length of the rollout.",
        "A trajectory can be shorter than the rollout, which has `time` steps.",
        {"-1, time": "-1, int(mask[:, 0].sum())"},
    ),
    "trajectories-as-environments": Mistake(
        "you take each trajectory for an environment of its own.",
        "An environment can have several, one after another: lay their real steps in a row, `time` of them for each.",
        {_RESULT: f"torch.cat([{_ZEROED}, padded.new_zeros(time, *padded.shape[1:])])[:time]"},
    ),
    "mask-inverted": Mistake(
        "you keep the padding and drop the real steps.",
        "mask is True at real steps: pick with mask, not with ~mask.",
        _mask("~mask"),
    ),
    "integer-index": Mistake(
        "you use the mask as numbers: 0 and 1 pick the places 0 and 1, again and again.",
        "Only a mask of type bool picks where it is True. It is one: leave out .long() or .int().",
        _mask("mask.long()"),
        {"[mask.T]": "[mask.T.long()].flatten(0, -2)[: mask.sum()]"},
    ),
    "zeros-as-padding": Mistake(
        "you take zeros for padding.",
        "A real step can be zero, and padding need not be. Only mask knows.",
        _mask("(padded != 0).any(-1)"),
        _mask("(padded != 0).all(-1)"),
        _mask("mask & (padded != 0).any(-1)"),
    ),
    "takes-one-more": Mistake(
        "you take one step more of each trajectory than it has.",
        "A trajectory of n steps has the steps 0 to n − 1: take padded[:n], or mask as it is.",
        _mask("torch.arange(len(mask)).unsqueeze(1) <= mask.sum(0)"),
    ),
    "first-environment-only": Mistake(
        "you return the first environment only.",
        "Every environment has `time` steps, one environment after another: take all of them.",
        {"steps.reshape": "steps[:time].reshape"},
    ),
    "last-trajectory-lost": Mistake(
        "you lose the last trajectory, and with it the last environment.",
        "Take the steps of all trajectories: look at where your loop or slice ends.",
        {"steps.reshape": "steps[: (len(steps) - mask[:, -1].sum()) // time * time].reshape"},
    ),
    "full-trajectories-only": Mistake(
        "you keep only the trajectories that have no padding.",
        "Short trajectories are real too: pick single steps with mask, not whole trajectories.",
        {_RESULT: "padded[:, mask.all(0)]"},
    ),
    "drops-features": Mistake(
        "you lose the dimension of the features.",
        "A step is a vector of features, even of one: the result is [time, envs, features].",
        *({_END: lost} for lost in ("[..., 0]", ".squeeze(-1)", ".squeeze()", ".flatten(1)")),
    ),
    "first-feature-only": Mistake(
        "you return the first feature only.",
        "A step is a vector of features: keep the last dimension as it is.",
        {_END: "[..., :1]"},
    ),
    "reversed-time": Mistake(
        "your steps run backwards in time.",
        "The first step of a trajectory is its first row; nothing needs a flip.",
        _flipped(1),
    ),
    "reversed-trajectories": Mistake(
        "the steps of each trajectory run backwards in time.",
        "The first step of a trajectory is its first row; nothing needs a flip.",
        {_STEPS: "padded.flip(0).transpose(0, 1)[mask.flip(0).T]"},
    ),
    "trajectories-backwards": Mistake(
        "you take the trajectories from the last to the first.",
        "The first trajectory belongs to environment 0 and to its first steps: take them in their order.",
        {_STEPS: "padded.flip(1).transpose(0, 1)[mask.flip(1).T]"},
    ),
    "features-torn-apart": Mistake(
        "your reshape tears the features of a step apart.",
        "reshape keeps the numbers in their order, and the features of a step stand together: they come last.",
        {
            "reshape(-1, time, padded.shape[-1])": "reshape(time, padded.shape[-1], -1)",
            _RESULT: "rollout.transpose(1, 2)",
        },
        {
            "reshape(-1, time, padded.shape[-1])": "reshape(padded.shape[-1], time, -1)",
            _RESULT: "rollout.permute(1, 2, 0)",
        },
    ),
    "reversed-environments": Mistake(
        "your environments are in reverse order.",
        "The first trajectories belong to environment 0: it is the first one of the result.",
        _flipped(0),
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

SHORTCUTS = (torch.nn.utils.rnn.unpad_sequence,)

EXERCISE = Exercise(unpad, ("rollout",), CASES, MISTAKES, HINTS, _draw, shortcuts=SHORTCUTS)
