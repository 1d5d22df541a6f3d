"""Exercise ``split_and_pad``: cut a rollout into padded trajectories."""

import torch

from ..exercise import Case, Exercise, Mistake
from .rollouts import ramp, random_rollout


def split_and_pad(x: torch.Tensor, dones: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Cut a rollout where episodes end, and lay the pieces side by side, padded with zeros.

    ``x [time, envs, features]`` is the rollout; ``dones [time, envs]`` is 1 at the last step of an episode, else 0.
    The end of the rollout ends a trajectory too. Trajectories come environment by environment, each in order of time.

    Returns ``padded [longest, trajectories, features]`` and ``mask [longest, trajectories]``, True at real steps.
    """
    last = dones.bool().clone()  # [time, envs]; the caller's dones stay as they are
    last[-1] = True  # the rollout ends a trajectory of every environment
    ends = last.T.flatten().nonzero().flatten()  # [trajectories], counted environment by environment
    lengths = ends.diff(prepend=ends.new_tensor([-1]))
    pieces = x.transpose(0, 1).flatten(0, 1).split(lengths.tolist())  # [steps, features] each
    padded = torch.nn.utils.rnn.pad_sequence(pieces)  # [longest, trajectories, features]
    mask = torch.arange(len(padded)).unsqueeze(1) < lengths  # [longest, trajectories]
    return padded, mask


def _draw(generator: torch.Generator) -> Case:
    return Case("a random rollout", random_rollout(generator))


CASES = (
    Case.of("one environment, an episode end after two steps", ramp(3, 1), [[0], [1], [0]]),
    Case.of("two episode ends, the first at once", ramp(4, 1), [[1], [0], [1], [0]]),
    Case.of("two environments", ramp(4, 2), [[0, 1], [0, 0], [1, 0], [0, 0]]),
    Case.of("an episode that ends at the last step", ramp(3, 2), [[0, 0], [0, 1], [1, 1]]),
    Case.of("no episode end", ramp(2, 3), [[0, 0, 0], [0, 0, 0]]),
    Case.of("an observation of zero", [[[0.0]], [[1.0]], [[2.0]], [[0.0]]], [[1], [0], [0], [0]]),
    Case.of("two features", torch.cat([ramp(4, 2), -ramp(4, 2)], dim=-1), [[1, 0], [1, 0], [0, 1], [0, 0]]),
    Case.of(
        "trajectories of many lengths",
        (torch.arange(30.0).reshape(5, 3, 2) * 7 % 30 - 11.5) / 2,
        [[1, 0, 0], [0, 0, 1], [0, 0, 0], [1, 1, 0], [0, 0, 1]],
    ),
)

_ENDS = "last.T.flatten().nonzero().flatten()"
_RIMS = "torch.arange(1, x.shape[1] + 1) * len(x) - 1"  # the last step of every environment
_DONE = "dones[end % len(x), end // len(x)]"  # of the last step of a piece
_MASK = "torch.arange(len(padded)).unsqueeze(1) < lengths"
_NONE: tuple[dict[str, str], ...] = (  # what comes of no pieces: an error, or no trajectory
    {},
    *({"pad_sequence(pieces)": f"pad_sequence(pieces) if pieces else {no}"} for no in ("x[:0, :0]", "x[:0]")),
)


def _pieces(pieces: str, before: str = "  # [steps, features] each") -> dict[str, str]:
    """Other pieces, from an expression of the right ones, before a text of the source."""
    lengths = "torch.tensor([len(piece) for piece in pieces])"
    return {before: f"\n    pieces = {pieces}\n    lengths = {lengths}\n    {before.lstrip()}"}


def _by(key: str) -> dict[str, str]:
    """The trajectories in the order of a key."""
    order = f"order = ({key}).argsort(stable=True)"
    return {"padded = ": f"{order}\n    pieces, lengths = [pieces[i] for i in order], lengths[order]\n    padded = "}


MISTAKES = {
    "splits-before-done": Mistake(
        "you cut before the step that is done: it starts the next trajectory.",
        "done says that this step was the last of its episode. Cut after it.",
        {"last[-1] = ": "last = last.roll(-1, 0)\n    last[-1] = "},
        {_ENDS: f"torch.cat([dones.T.flatten().nonzero()[:, 0] - 1, {_RIMS}]).sort().values"},
    ),
    "drops-done-step": Mistake(
        "you lose the last step of each episode.",
        "The step that is done belongs to its episode: cut after it, x[start : t + 1].",
        _pieces(f"[piece[:-1] if {_DONE} else piece for piece, end in zip(pieces, ends)]"),
        _pieces(f"[piece[: len(piece) - {_DONE}] for piece, end in zip(pieces, ends) if len(piece) > {_DONE}]"),
    ),
    "drops-last-step": Mistake(
        "you lose the last step of each trajectory.",
        "A slice ends before its second number: step t is in x[start : t + 1], and not in x[start:t].",
        _pieces("[piece[:-1] for piece in pieces]"),
    ),
    "drops-last-row": Mistake(
        "you lose the last step of the rollout.",
        "It belongs to the last trajectory of each environment: take the steps up to the end of x.",
        {"last = dones": "x, dones = x[:-1], dones[:-1]\n    last = dones"},
    ),
    "drops-rest": Mistake(
        "you lose the steps after the last done.",
        "The end of the rollout ends a trajectory too: set the last step to done, in a copy.",
        *(_pieces(f"[piece for piece, end in zip(pieces, ends) if {_DONE}]", "padded = ") | none for none in _NONE),
    ),
    "crosses-environments": Mistake(
        "your trajectories run from one environment into the next.",
        "The end of the rollout ends a trajectory in every environment: last = dones.clone(); last[-1] = 1.",
        {"last[-1] = ": "last[-1, -1] = "},
        *({"last[-1] = True": "pass", ".split(": "[: lengths.sum()].split("} | none for none in _NONE),
    ),
    "flattened-by-time": Mistake(
        "your trajectories mix the environments: steps of the same time stand one after another.",
        "x is [time, envs, features]: transpose(0, 1) first, so that the steps of an environment stand together.",
        {"last.T": "last", "x.transpose(0, 1)": "x"},
        {"last.T": "last", "x.transpose(0, 1)": "x", "last[-1] = ": "last[-1, -1] = "},
        {"x.transpose(0, 1)": "x"},
    ),
    "ends-by-time": Mistake(
        "you list the ends step by step, but the steps of x environment by environment.",
        "Both must be in the same order: transpose dones as well, so that an environment's ends stand together.",
        {"last.T": "last"},
    ),
    "ordered-by-time": Mistake(
        "your trajectories are in order of time, not of environment.",
        "All of environment 0 come first, in order of time, then all of environment 1: unpad relies on it.",
        _by("ends % len(x)"),
        _by("(ends - lengths + 1) % len(x)"),
    ),
    "ordered-by-length": Mistake(
        "your trajectories are sorted by length.",
        "Nothing here needs it, and unpad could not undo it: keep environment 0 first, then time.",
        _by("-lengths"),
        _by("lengths"),
    ),
    "ordered-backwards": Mistake(
        "your trajectories are in reverse order.",
        "All of environment 0 come first, in order of time, then all of environment 1: unpad relies on it.",
        _by("-ends"),
    ),
    "not-split": Mistake(
        "you do not cut at the episode ends: each environment is one trajectory.",
        "A done ends a trajectory; the next step starts another one.",
        {"dones.bool()": "torch.zeros_like(dones).bool()"},
    ),
    "cuts-all": Mistake(
        "the end of one robot's episode cuts the trajectories of all robots.",
        "Each environment ends on its own: look at its own column of dones.",
        {"dones.bool()": "dones.bool().any(1, keepdim=True).expand_as(dones)"},
    ),
    "cuts-as-first": Mistake(
        "you cut all environments where the first one's episodes end.",
        "Each environment ends on its own: look at its own column of dones.",
        {"dones.bool()": "dones[:, :1].bool().expand_as(dones)"},
    ),
    "cuts-once": Mistake(
        "you cut each environment at one of its dones only.",
        "An episode can end several times in one rollout: each done ends a trajectory.",
        {"dones.bool()": "(dones.bool() & (dones.cumsum(0) == 1))"},
        {"dones.bool()": "(dones.bool() & (dones.flip(0).cumsum(0).flip(0) == 1))"},
    ),
    "first-environment-only": Mistake(
        "you return the trajectories of the first environment only.",
        "Go through all environments. In a loop, return after its end, not inside it.",
        {"last = dones": "x, dones = x[:, :1], dones[:, :1]\n    last = dones"},
    ),
    "steps-of-first": Mistake(
        "you take the steps of the first environment for those of all.",
        "Each environment has its own column of x: x[start : t + 1, env].",
        {"x.transpose": "x[:, :1].expand_as(x).transpose"},
    ),
    "start-not-moved": Mistake(
        "each of your trajectories begins at the first step of the rollout.",
        "After a done the next trajectory begins: in a loop, move its start, start = t + 1.",
        _pieces("[x[: end % len(x) + 1, end // len(x)] for end in ends]"),
    ),
    "done-step-twice": Mistake(
        "the step that is done stands in two trajectories: in its own, and in the next.",
        "The next trajectory begins one step later: start = t + 1.",
        _pieces(
            "[x[max(end % len(x) - length, 0) : end % len(x) + 1, end // len(x)] "
            "for end, length in zip(ends.tolist(), lengths.tolist())]"
        ),
    ),
    "start-not-reset": Mistake(
        "the first trajectory of every environment but the first is empty.",
        "In a loop over the environments, begin each of them at its first step: start = 0 inside that loop.",
        _pieces(
            "[piece[len(piece) * (len(x) <= end == end // len(x) * len(x) + len(piece) - 1) :] "
            "for piece, end in zip(pieces, ends.tolist())]"
        ),
    ),
    "empty-trajectory": Mistake(
        "you make a trajectory of no steps where an episode ends with the rollout.",
        "The last step is an end once, done or not: set it to done instead of adding a further end.",
        {_ENDS: f"torch.cat([dones.T.flatten().nonzero()[:, 0], {_RIMS}]).sort().values"},
    ),
    "drops-short": Mistake(
        "you leave out the trajectories of a single step.",
        "An episode of one step is an episode too, and unpad needs every step.",
        _pieces("[piece for piece in pieces if len(piece) > 1]"),
    ),
    "padded-to-rollout": Mistake(
        "you pad to the length of the rollout.",
        "rsl_rl does so, and it is not wrong there. Here the longest trajectory is enough: less to compute.",
        {"pad_sequence(pieces)": "pad_sequence([*pieces, x[:, 0]])[:, :-1]"},
    ),
    "padded-too-long": Mistake(
        "you pad one step further than the longest trajectory.",
        "The longest trajectory needs no padding: padded has as many rows as it has steps.",
        {"pad_sequence(pieces)": "pad_sequence([*pieces, x[:1, 0].expand(lengths.max() + 1, -1)])[:, :-1]"},
    ),
    "cut-to-shortest": Mistake(
        "you cut all trajectories to the length of the shortest.",
        "No step may be lost: pad the short ones to the longest.",
        {"pad_sequence(pieces)": "pad_sequence(pieces)[: lengths.min()]"},
        {"pad_sequence(pieces)": "pad_sequence([piece[-min(map(len, pieces)) :] for piece in pieces])"},
    ),
    "cut-to-first": Mistake(
        "you cut or pad all trajectories to the length of the first.",
        "No step may be lost: pad to the longest of all.",
        {"pad_sequence(pieces)": "pad_sequence(pieces)[: lengths[0]]"},
    ),
    "padded-in-front": Mistake(
        "your padding stands before the steps.",
        "A trajectory starts at step 0, with the memory it began with; the padding comes after its end.",
        {"pad_sequence(pieces)": "pad_sequence([piece.flip(0) for piece in pieces]).flip(0)"},
    ),
    "steps-reversed": Mistake(
        "your trajectories run backwards in time.",
        "The first step of a trajectory is its first row; nothing needs a flip.",
        _pieces("[piece.flip(0) for piece in pieces]"),
    ),
    "padding-not-zero": Mistake(
        "your padding is not zero.",
        "Fill up with zeros: padding that looks like a step is easily taken for one.",
        *(
            {"sequence(pieces": f"sequence(pieces, padding_value={value}"}
            for value in ("-1.0", "1.0", "torch.nan", "torch.inf", "-torch.inf", "-100.0")
        ),
        {"sequence(pieces": "sequence([torch.cat([piece, piece[-1:].expand(len(x), -1)]) for piece in pieces]"}
        | {"  # [longest, trajectories, features]": "[: lengths.max()]"},
    ),
    "trajectories-first": Mistake(
        "your result is [trajectories, time, features].",
        "Time comes first, as torch's recurrent networks take it: transpose(0, 1).",
        {"  # [longest, trajectories, features]": ".transpose(0, 1)"},
    ),
    "mask-inverted": Mistake(
        "your mask is True at the padding.",
        "Here True says that a step is real. (key_padding_mask of torch's attention has it the other way.)",
        {"mask = ": "mask = ~", _MASK: f"({_MASK})"},
    ),
    "mask-all-true": Mistake(
        "your mask takes the padding for real steps.",
        "It is True up to the length of a trajectory, False after it: arange(longest).unsqueeze(1) < lengths.",
        {_MASK: "torch.ones(padded.shape[:2], dtype=torch.bool)"},
    ),
    "mask-from-values": Mistake(
        "your mask is made from the values of padded, and takes real steps for padding.",
        "A real step can be zero or negative. Make the mask from the lengths.",
        {_MASK: "(padded != 0).any(-1)"},
        {_MASK: "padded.sum(-1) != 0"},
        {_MASK: "(padded != 0).all(-1)"},
        {_MASK: "padded[..., 0] != 0"},
        {_MASK: "padded[..., 0] > 0"},
        {_MASK: "padded.sum(-1) > 0"},
    ),
    "mask-one-off": Mistake(
        "your mask is one step too short or too long.",
        "A trajectory of 2 steps has the steps 0 and 1: True where the step is less than the length.",
        {"< lengths": "< lengths - 1"},
        {"< lengths": "<= lengths"},
    ),
    "mask-last-row": Mistake(
        "the last row of your mask is the same for all trajectories.",
        "Each trajectory has its own length. Do you leave out the last row, as mask[length:-1] does?",
        {"return padded": "mask[-1] = True\n    return padded"},
        {"return padded": "mask[-1] = False\n    return padded"},
    ),
    "mask-last-step": Mistake(
        "your mask is True at the last step of each trajectory only.",
        "It is True at every real step: compare with <, not with ==.",
        {"< lengths": "== lengths - 1"},
    ),
    "mask-of-first": Mistake(
        "your mask has the length of the first trajectory for all of them.",
        "Each trajectory has its own length: compare with all lengths, [trajectories].",
        {"< lengths": "< lengths[:1].expand_as(lengths)"},
    ),
    "mask-of-rollout": Mistake(
        "your mask is [time, envs], as the rollout is.",
        "It says which steps of padded are real: [longest, trajectories].",
        {_MASK: "torch.ones_like(dones).bool()"},
        {_MASK: "dones.bool()"},
        {_MASK: "dones == 0"},
    ),
    "mask-of-features": Mistake(
        "your mask has a further dimension, that of the features.",
        "A step is real with all its features: the mask is [longest, trajectories].",
        {"return padded, mask": "return padded, mask.unsqueeze(-1)"},
        {"return padded, mask": "return padded, mask.unsqueeze(-1).expand_as(padded)"},
        {_MASK: "padded != 0"},
    ),
    "mask-transposed": Mistake(
        "your mask is [trajectories, time].",
        "It has the first two dimensions of padded: [time, trajectories].",
        {"return padded, mask": "return padded, mask.T"},
    ),
}

HINTS = (
    "Take one environment. At which steps does a trajectory end, and where does the next one begin? The end of the "
    "rollout ends a trajectory too.",
    "In a copy of `dones`, set the last step of every environment to 1: no piece may run from one environment into the "
    "next. Collect the pieces `[steps, features]` environment by environment; a done ends a piece, and belongs to it. "
    "`torch.nn.utils.rnn.pad_sequence` pads them to the longest. For the mask, compare `torch.arange(longest)` with "
    "the lengths. Loops are a right answer.",
    "Without loops, transpose first, so that the steps of an environment stand together: `ends = "
    "last.T.flatten().nonzero().flatten()`, where `last` is the copy of `dones`, lists the ends; their differences, "
    "beginning from −1, are the lengths. Split `x.transpose(0, 1).flatten(0, 1)` by them, and pad. The mask is "
    "`torch.arange(longest).unsqueeze(1) < lengths`. With loops: begin with `x.new_zeros(longest, trajectories, "
    "features)`, and copy piece `i` into `[: len(piece), i]`.",
)

EXERCISE = Exercise(split_and_pad, ("padded", "mask"), CASES, MISTAKES, HINTS, _draw)
