"""Exercise ``split_and_pad``: split a rollout into padded trajectories."""

import torch

from ..exercise import Case, Exercise, Mistake
from .rollouts import ramp, random_rollout


def split_and_pad(x: torch.Tensor, dones: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Split a rollout into trajectories where episodes end, and pad the trajectories with zeros.

    ``x [time, envs, features]`` is the rollout; ``dones [time, envs]`` is 1 at the last step of an episode, else 0.
    The end of the rollout also ends a trajectory. The trajectories are ordered by environment, then by time.

    Returns ``padded [longest, trajectories, features]`` and ``mask [longest, trajectories]``, True at real steps.
    """
    last = dones.bool().clone()  # [time, envs]; a copy, so that the caller's dones do not change
    last[-1] = True  # the end of the rollout ends a trajectory in every environment
    ends = last.T.flatten().nonzero().flatten()  # [trajectories]: index of each last step, environment by environment
    lengths = ends.diff(prepend=ends.new_tensor([-1]))
    pieces = x.transpose(0, 1).flatten(0, 1).split(lengths.tolist())  # [steps, features] each
    padded = torch.nn.utils.rnn.pad_sequence(pieces)  # [longest, trajectories, features]
    mask = torch.arange(len(padded)).unsqueeze(1) < lengths  # [longest, trajectories]
    return padded, mask


def _draw(generator: torch.Generator) -> Case:
    return Case("a random rollout", random_rollout(generator))


CASES = (
    Case.of("one environment, an episode that ends after two steps", ramp(3, 1), [[0], [1], [0]]),
    Case.of("two episodes that end, the first one after a single step", ramp(4, 1), [[1], [0], [1], [0]]),
    Case.of("two environments", ramp(4, 2), [[0, 1], [0, 0], [1, 0], [0, 0]]),
    Case.of("an episode that ends at the last step", ramp(3, 2), [[0, 0], [0, 1], [1, 1]]),
    Case.of("no episode that ends", ramp(2, 3), [[0, 0, 0], [0, 0, 0]]),
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
_DONE = "dones[end % len(x), end // len(x)]"  # done at the last step of a piece
_MASK = "torch.arange(len(padded)).unsqueeze(1) < lengths"
_NONE: tuple[dict[str, str], ...] = (  # results of an empty list of pieces: an error, or no trajectory
    {},
    *({"pad_sequence(pieces)": f"pad_sequence(pieces) if pieces else {no}"} for no in ("x[:0, :0]", "x[:0]")),
)


def _pieces(pieces: str, before: str = "  # [steps, features] each") -> dict[str, str]:
    """The edit that replaces the right pieces with ``pieces``, an expression; its lines are inserted at ``before``."""
    lengths = "torch.tensor([len(piece) for piece in pieces])"
    return {before: f"\n    pieces = {pieces}\n    lengths = {lengths}\n    {before.lstrip()}"}


def _by(key: str) -> dict[str, str]:
    """The edit that sorts the trajectories by a key."""
    order = f"order = ({key}).argsort(stable=True)"
    return {"padded = ": f"{order}\n    pieces, lengths = [pieces[i] for i in order], lengths[order]\n    padded = "}


MISTAKES = {
    "splits-before-done": Mistake(
        "you split before the step with done = 1, so that step starts the next trajectory.",
        "done = 1 marks the last step of an episode: split after it.",
        {"last[-1] = ": "last = last.roll(-1, 0)\n    last[-1] = "},
        {_ENDS: f"torch.cat([dones.T.flatten().nonzero()[:, 0] - 1, {_RIMS}]).sort().values"},
    ),
    "drops-done-step": Mistake(
        "you lose the last step of each episode.",
        "The step with done = 1 still belongs to its episode: split after it, x[start : t + 1].",
        _pieces(f"[piece[:-1] if {_DONE} else piece for piece, end in zip(pieces, ends)]"),
        _pieces(f"[piece[: len(piece) - {_DONE}] for piece, end in zip(pieces, ends) if len(piece) > {_DONE}]"),
    ),
    "drops-last-step": Mistake(
        "you lose the last step of each trajectory.",
        "A slice excludes its end index: x[start : t + 1] contains step t, but x[start:t] does not.",
        _pieces("[piece[:-1] for piece in pieces]"),
    ),
    "drops-last-row": Mistake(
        "you lose the last step of the rollout.",
        "The last step belongs to the last trajectory of each environment: include all steps up to the end of x.",
        {"last = dones": "x, dones = x[:-1], dones[:-1]\n    last = dones"},
    ),
    "drops-rest": Mistake(
        "you lose the steps after the last done.",
        "The end of the rollout also ends a trajectory: set dones to 1 at the last step, in a copy.",
        *(_pieces(f"[piece for piece, end in zip(pieces, ends) if {_DONE}]", "padded = ") | none for none in _NONE),
    ),
    "crosses-environments": Mistake(
        "your trajectories continue from one environment into the next.",
        "The end of the rollout ends a trajectory in every environment: last = dones.clone(); last[-1] = 1.",
        {"last[-1] = ": "last[-1, -1] = "},
        *({"last[-1] = True": "pass", ".split(": "[: lengths.sum()].split("} | none for none in _NONE),
    ),
    "flattened-by-time": Mistake(
        "your trajectories mix environments, because you join the steps time step by time step.",
        "x is [time, envs, features]: call transpose(0, 1) first, so that the steps of an environment are contiguous.",
        {"last.T": "last", "x.transpose(0, 1)": "x"},
        {"last.T": "last", "x.transpose(0, 1)": "x", "last[-1] = ": "last[-1, -1] = "},
        {"x.transpose(0, 1)": "x"},
    ),
    "ends-by-time": Mistake(
        "you list the ends time step by time step, but the steps of x environment by environment.",
        "Ends and steps must be in the same order: transpose dones as well, so that the ends of an environment are "
        "contiguous.",
        {"last.T": "last"},
    ),
    "ordered-by-time": Mistake(
        "you order the trajectories by time, not by environment.",
        "unpad needs all trajectories of environment 0 first, in order of time, then all of environment 1, and so on.",
        _by("ends % len(x)"),
        _by("(ends - lengths + 1) % len(x)"),
    ),
    "ordered-by-length": Mistake(
        "you sort the trajectories by length.",
        "Nothing here requires sorting, and unpad could not undo it: order the trajectories by environment, then by "
        "time.",
        _by("-lengths"),
        _by("lengths"),
    ),
    "ordered-backwards": Mistake(
        "your trajectories are in reverse order.",
        "unpad needs all trajectories of environment 0 first, in order of time, then all of environment 1, and so on.",
        _by("-ends"),
    ),
    "not-split": Mistake(
        "you do not split at the ends of episodes: each environment is one trajectory.",
        "A done ends a trajectory, and the next step starts a new one.",
        {"dones.bool()": "torch.zeros_like(dones).bool()"},
    ),
    "cuts-all": Mistake(
        "you split all environments when an episode ends in one of them.",
        "Episodes end independently in each environment: use each environment's own column of dones.",
        {"dones.bool()": "dones.bool().any(1, keepdim=True).expand_as(dones)"},
    ),
    "cuts-as-first": Mistake(
        "you split all environments where the episodes of the first environment end.",
        "Episodes end independently in each environment: use each environment's own column of dones.",
        {"dones.bool()": "dones[:, :1].bool().expand_as(dones)"},
    ),
    "cuts-once": Mistake(
        "you split each environment at only one of its dones.",
        "Several episodes can end in one rollout, and each done ends a trajectory.",
        {"dones.bool()": "(dones.bool() & (dones.cumsum(0) == 1))"},
        {"dones.bool()": "(dones.bool() & (dones.flip(0).cumsum(0).flip(0) == 1))"},
    ),
    "first-environment-only": Mistake(
        "you return only the trajectories of the first environment.",
        "Go through all environments. If you use a loop, return after it, not inside it.",
        {"last = dones": "x, dones = x[:, :1], dones[:, :1]\n    last = dones"},
    ),
    "steps-of-first": Mistake(
        "you use the steps of the first environment for all environments.",
        "Each environment has its own column of x: x[start : t + 1, env].",
        {"x.transpose": "x[:, :1].expand_as(x).transpose"},
    ),
    "start-not-moved": Mistake(
        "each of your trajectories begins at the first step of the rollout.",
        "A new trajectory begins after each done: if you use a loop, update the start, start = t + 1.",
        _pieces("[x[: end % len(x) + 1, end // len(x)] for end in ends]"),
    ),
    "done-step-twice": Mistake(
        "you put the step with done = 1 into two trajectories, its own and the next one.",
        "The next trajectory begins one step later: start = t + 1.",
        _pieces(
            "[x[max(end % len(x) - length, 0) : end % len(x) + 1, end // len(x)] "
            "for end, length in zip(ends.tolist(), lengths.tolist())]"
        ),
    ),
    "start-not-reset": Mistake(
        "your first trajectory is empty in every environment except the first.",
        "In a loop over the environments, start each environment at its first step: set start = 0 inside that loop.",
        _pieces(
            "[piece[len(piece) * (len(x) <= end == end // len(x) * len(x) + len(piece) - 1) :] "
            "for piece, end in zip(pieces, ends.tolist())]"
        ),
    ),
    "empty-trajectory": Mistake(
        "you create an empty trajectory if an episode ends at the last step of the rollout.",
        "The last step ends only one trajectory: set dones to 1 there, in a copy, instead of adding another end.",
        {_ENDS: f"torch.cat([dones.T.flatten().nonzero()[:, 0], {_RIMS}]).sort().values"},
    ),
    "drops-short": Mistake(
        "you leave out trajectories with a single step.",
        "An episode of one step is an episode too, and unpad needs every step.",
        _pieces("[piece for piece in pieces if len(piece) > 1]"),
    ),
    "padded-to-rollout": Mistake(
        "you pad to the length of the rollout.",
        "rsl_rl pads to this length, which is not wrong there. Here, pad only to the longest trajectory, which saves "
        "computation.",
        {"pad_sequence(pieces)": "pad_sequence([*pieces, x[:, 0]])[:, :-1]"},
    ),
    "padded-too-long": Mistake(
        "you pad one step further than the longest trajectory.",
        "The longest trajectory needs no padding: padded has as many rows as that trajectory has steps.",
        {"pad_sequence(pieces)": "pad_sequence([*pieces, x[:1, 0].expand(lengths.max() + 1, -1)])[:, :-1]"},
    ),
    "cut-to-shortest": Mistake(
        "you cut all trajectories to the length of the shortest.",
        "No step may be lost: pad the shorter trajectories to the length of the longest.",
        {"pad_sequence(pieces)": "pad_sequence(pieces)[: lengths.min()]"},
        {"pad_sequence(pieces)": "pad_sequence([piece[-min(map(len, pieces)) :] for piece in pieces])"},
    ),
    "cut-to-first": Mistake(
        "you cut or pad all trajectories to the length of the first.",
        "No step may be lost: pad to the length of the longest trajectory.",
        {"pad_sequence(pieces)": "pad_sequence(pieces)[: lengths[0]]"},
    ),
    "padded-in-front": Mistake(
        "you put the padding before the steps.",
        "A trajectory must start at row 0, where its initial hidden state is used. Put the padding after its end.",
        {"pad_sequence(pieces)": "pad_sequence([piece.flip(0) for piece in pieces]).flip(0)"},
    ),
    "steps-reversed": Mistake(
        "the steps of your trajectories are in reverse order.",
        "The first step of a trajectory belongs in its first row, so no flip is needed.",
        _pieces("[piece.flip(0) for piece in pieces]"),
    ),
    "padding-not-zero": Mistake(
        "your padding is not zero.",
        "Pad with zeros. Padding that looks like a real step is easily mistaken for one.",
        *(
            {"sequence(pieces": f"sequence(pieces, padding_value={value}"}
            for value in ("-1.0", "1.0", "torch.nan", "torch.inf", "-torch.inf", "-100.0")
        ),
        {"sequence(pieces": "sequence([torch.cat([piece, piece[-1:].expand(len(x), -1)]) for piece in pieces]"}
        | {"  # [longest, trajectories, features]": "[: lengths.max()]"},
    ),
    "trajectories-first": Mistake(
        "your result is [trajectories, time, features].",
        "Time comes first, as torch's recurrent networks expect by default: transpose(0, 1).",
        {"  # [longest, trajectories, features]": ".transpose(0, 1)"},
    ),
    "mask-inverted": Mistake(
        "your mask is True at the padding.",
        "Here, True marks a real step. (key_padding_mask in torch's attention uses the opposite convention.)",
        {"mask = ": "mask = ~", _MASK: f"({_MASK})"},
    ),
    "mask-all-true": Mistake(
        "your mask marks the padding as real steps.",
        "The mask should be True up to the length of a trajectory and False after that: arange(longest).unsqueeze(1) < "
        "lengths.",
        {_MASK: "torch.ones(padded.shape[:2], dtype=torch.bool)"},
    ),
    "mask-from-values": Mistake(
        "you compute the mask from the values in padded, so it marks some real steps as padding.",
        "A real step can be zero or negative. Compute the mask from the lengths.",
        {_MASK: "(padded != 0).any(-1)"},
        {_MASK: "padded.sum(-1) != 0"},
        {_MASK: "(padded != 0).all(-1)"},
        {_MASK: "padded[..., 0] != 0"},
        {_MASK: "padded[..., 0] > 0"},
        {_MASK: "padded.sum(-1) > 0"},
    ),
    "mask-one-off": Mistake(
        "your mask is one step too short or too long.",
        "A trajectory of 2 steps has steps 0 and 1, so the mask is True if the step index is less than the length.",
        {"< lengths": "< lengths - 1"},
        {"< lengths": "<= lengths"},
    ),
    "mask-last-row": Mistake(
        "the last row of your mask is the same for all trajectories.",
        "Each trajectory has its own length. Do you leave out the last row, as in mask[length:-1]?",
        {"return padded": "mask[-1] = True\n    return padded"},
        {"return padded": "mask[-1] = False\n    return padded"},
    ),
    "mask-last-step": Mistake(
        "your mask is True only at the last step of each trajectory.",
        "The mask should be True at every real step: compare with `<`, not with `==`.",
        {"< lengths": "== lengths - 1"},
    ),
    "mask-of-first": Mistake(
        "you use the length of the first trajectory in the mask of every trajectory.",
        "Each trajectory has its own length: compare with all lengths, [trajectories].",
        {"< lengths": "< lengths[:1].expand_as(lengths)"},
    ),
    "mask-of-rollout": Mistake(
        "your mask is [time, envs], like the rollout.",
        "The mask should show which steps of padded are real, so its shape is [longest, trajectories].",
        {_MASK: "torch.ones_like(dones).bool()"},
        {_MASK: "dones.bool()"},
        {_MASK: "dones == 0"},
    ),
    "mask-of-features": Mistake(
        "your mask has an additional dimension for the features.",
        "A step is either real with all its features or padding, so the mask is [longest, trajectories].",
        {"return padded, mask": "return padded, mask.unsqueeze(-1)"},
        {"return padded, mask": "return padded, mask.unsqueeze(-1).expand_as(padded)"},
        {_MASK: "padded != 0"},
    ),
    "mask-transposed": Mistake(
        "your mask is [trajectories, time].",
        "The mask should have the same first two dimensions as padded: [time, trajectories].",
        {"return padded, mask": "return padded, mask.T"},
    ),
}

HINTS = (
    "Take one environment. At which steps does a trajectory end, and where does the next one begin? The end of "
    "the rollout also ends a trajectory.",
    "In a copy of `dones`, set the last step of every environment to 1, so that no piece continues from one "
    "environment into the next. Collect the pieces `[steps, features]` environment by environment. A done ends a "
    "piece, and the step with the done belongs to that piece. `torch.nn.utils.rnn.pad_sequence` pads the pieces to "
    "the longest. For the mask, compare `torch.arange(longest)` with the lengths. You may use loops.",
    "Without loops, transpose first, so that the steps of an environment are contiguous. If `last` is the copy "
    "of `dones`, then `ends = last.T.flatten().nonzero().flatten()` lists the ends, and their differences, "
    "starting from −1, are the lengths. Split `x.transpose(0, 1).flatten(0, 1)` by the lengths, and pad. The "
    "mask is `torch.arange(longest).unsqueeze(1) < lengths`. With loops, start with `x.new_zeros(longest, "
    "trajectories, features)`, and copy piece `i` into `[: len(piece), i]`.",
)

EXERCISE = Exercise(split_and_pad, ("padded", "mask"), CASES, MISTAKES, HINTS, _draw)
