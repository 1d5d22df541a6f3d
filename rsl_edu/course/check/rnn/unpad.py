"""Exercise ``unpad``: join padded trajectories into a rollout."""

import torch

from ..exercise import Case, Exercise, Mistake
from .rollouts import ramp, random_rollout
from .split_and_pad import split_and_pad


def unpad(padded: torch.Tensor, mask: torch.Tensor, time: int) -> torch.Tensor:
    """Join padded trajectories into a rollout, which is the inverse of split_and_pad.

    Args:
        padded: Trajectories [longest, trajectories, features], environment by environment. Each trajectory is followed
            by padding, which need not be zero.
        mask: True at real steps, False at padding [longest, trajectories].
        time: Number of steps in the rollout.

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
    Case(
        "two environments, the second with an episode that ends after a single step",
        _padded(ramp(2, 2), [[0, 1], [0, 0]]),
    ),
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
_REAL = ".flatten(0, 1)[: mask.sum()]"  # the number of real steps
_BY_TIME = {"reshape(-1, time": "reshape(time, -1", _RESULT: "rollout"}


def _mask(mask: str) -> dict[str, str]:
    """The edit that uses a different mask."""
    return {"steps = ": f"mask = {mask}\n    steps = "}


def _flipped(dim: int) -> dict[str, str]:
    """The edit that reverses the environments (0) or the time (1) of the real steps."""
    steps = "  # [envs · time, features], environment by environment"
    return {steps: f".unflatten(0, (-1, time)).flip({dim}).flatten(0, 1)"}


MISTAKES = {
    "keeps-padding": Mistake(
        "you include the padding.",
        "Only the steps where mask is True are real: select them, trajectory by trajectory.",
        {"[mask.T]": _REAL},
        {"[mask.T]": ".flatten(0, 1)"},
        {_STEPS: f"{_ZEROED}.transpose(0, 1){_REAL}"},
        {_STEPS: f"{_ZEROED}.transpose(0, 1).flatten(0, 1)"},
        {_RESULT: "padded"},
        {_RESULT: _ZEROED},
        {_RESULT: f"{_ZEROED}[:time]"},
    ),
    "mixes-order": Mistake(
        "you select the first steps of all trajectories, then their second steps, and so on.",
        "padded[mask] goes row by row. Put the trajectories first: padded.transpose(0, 1)[mask.T].",
        {_PICKED: "[mask]"},
        {_PICKED: "[mask]"} | _BY_TIME,
    ),
    "environments-first": Mistake(
        "your result is [envs, time, features].",
        "Time comes first: call transpose(0, 1) at the end.",
        {_RESULT: "rollout"},
    ),
    "reshaped-by-time": Mistake(
        "you reshape to [time, envs], although the steps are in order of environment.",
        "Reshape to [envs, time, features], which is the order of the steps, then transpose(0, 1).",
        _BY_TIME,
    ),
    "flat": Mistake(
        "you return the real steps one after another.",
        "The steps are [envs · time, features]: reshape them to [envs, time, features], then transpose(0, 1).",
        {_RESULT: "steps"},
    ),
    "longest-for-time": Mistake(
        "you use the length of the longest trajectory as the length of the rollout.",
        "`padded` is only as long as the longest trajectory, but the rollout has `time` steps.",
        {"-1, time": "-1, len(padded)"},
    ),
    "first-for-time": Mistake(
        "you use the length of the first trajectory as the length of the rollout.",
        "A trajectory can be shorter than the rollout, which has `time` steps.",
        {"-1, time": "-1, int(mask[:, 0].sum())"},
    ),
    "trajectories-as-environments": Mistake(
        "you treat each trajectory as a separate environment.",
        "An environment can have several trajectories, one after another. Join their real steps: each environment "
        "has `time` of them.",
        {_RESULT: f"torch.cat([{_ZEROED}, padded.new_zeros(time, *padded.shape[1:])])[:time]"},
    ),
    "mask-inverted": Mistake(
        "you keep the padding and drop the real steps.",
        "mask is True at real steps: select with mask, not with ~mask.",
        _mask("~mask"),
    ),
    "integer-index": Mistake(
        "you use the mask as integers, so 0 and 1 select the indices 0 and 1 over and over.",
        "Only a bool mask selects the entries where it is True. mask already is one: leave out `.long()` or `.int()`.",
        _mask("mask.long()"),
        {"[mask.T]": "[mask.T.long()].flatten(0, -2)[: mask.sum()]"},
    ),
    "zeros-as-padding": Mistake(
        "you treat zeros as padding.",
        "A real step can be zero, and padding need not be zero. Only mask shows which steps are real.",
        _mask("(padded != 0).any(-1)"),
        _mask("(padded != 0).all(-1)"),
        _mask("mask & (padded != 0).any(-1)"),
    ),
    "takes-one-more": Mistake(
        "you take one step more from each trajectory than it has.",
        "A trajectory of n steps has steps 0 to n − 1: take padded[:n], or use mask unchanged.",
        _mask("torch.arange(len(mask)).unsqueeze(1) <= mask.sum(0)"),
    ),
    "first-environment-only": Mistake(
        "you return only the first environment.",
        "There are `time` steps for each environment, one environment after another: use all of them.",
        {"steps.reshape": "steps[:time].reshape"},
    ),
    "last-trajectory-lost": Mistake(
        "you lose the last trajectory, and with it the last environment.",
        "Use the steps of all trajectories: check where your loop or slice ends.",
        {"steps.reshape": "steps[: (len(steps) - mask[:, -1].sum()) // time * time].reshape"},
    ),
    "full-trajectories-only": Mistake(
        "you keep only the trajectories that have no padding.",
        "Short trajectories are real too: select individual steps with mask, not entire trajectories.",
        {_RESULT: "padded[:, mask.all(0)]"},
    ),
    "drops-features": Mistake(
        "you lose the feature dimension.",
        "A step is a vector of features, even if there is only one feature: the result is [time, envs, features].",
        *({_END: lost} for lost in ("[..., 0]", ".squeeze(-1)", ".squeeze()", ".flatten(1)")),
    ),
    "first-feature-only": Mistake(
        "you return only the first feature.",
        "A step is a vector of features: keep the last dimension unchanged.",
        {_END: "[..., :1]"},
    ),
    "reversed-time": Mistake(
        "the steps of your rollout are in reverse order.",
        "The first step of the first trajectory is the first step of the rollout, so no flip is needed.",
        _flipped(1),
    ),
    "reversed-trajectories": Mistake(
        "the steps of each trajectory are in reverse order.",
        "The first step of a trajectory is in its first row, so no flip is needed.",
        {_STEPS: "padded.flip(0).transpose(0, 1)[mask.flip(0).T]"},
    ),
    "trajectories-backwards": Mistake(
        "you go through the trajectories from the last to the first.",
        "The first trajectory contains the first steps of environment 0: keep the trajectories in order.",
        {_STEPS: "padded.flip(1).transpose(0, 1)[mask.flip(1).T]"},
    ),
    "features-torn-apart": Mistake(
        "your reshape splits up the features of a step.",
        "reshape keeps the numbers in their order, and the features of a step are next to each other: keep them in "
        "the last dimension.",
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
        "The first trajectories belong to environment 0, which comes first in the result.",
        _flipped(0),
    ),
}

HINTS = (
    "Remove the padding first. In which order does `padded[mask]` return the steps, and in which order do you "
    "need them?",
    "A mask selects along the first dimension first. Swap time and trajectories in both tensors before you "
    "select. Then the steps come trajectory by trajectory, and so environment by environment, with `time` "
    "steps for each environment.",
    "`padded.transpose(0, 1)[mask.T]` is `[envs * time, features]`. Each environment has exactly `time` steps: reshape "
    "to `[envs, time, features]`, then transpose to `[time, envs, features]`.",
)

SHORTCUTS = (torch.nn.utils.rnn.unpad_sequence,)

EXERCISE = Exercise(unpad, ("rollout",), CASES, MISTAKES, HINTS, _draw, shortcuts=SHORTCUTS)
