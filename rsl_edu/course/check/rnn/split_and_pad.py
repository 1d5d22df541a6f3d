"""Exercise ``split_and_pad``: cut a rollout into padded trajectories."""

import itertools
from typing import Any

import torch

from ..exercise import Answer, Case, Exercise, Mistake, Part
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
)

Pieces = list[torch.Tensor]  # [steps, features] each


def _cut(
    x: torch.Tensor,
    dones: torch.Tensor,
    after: int = 1,
    keep: Part = lambda piece, done: len(piece),
    at_end: bool = True,
) -> Pieces:
    """The pieces of a rollout, environment by environment.

    ``after`` is 1 to cut after the done step, 0 before it; ``keep`` says whether a piece with its dones is one;
    ``at_end`` whether the end of the rollout is a cut.
    """
    if not at_end:
        x, dones = x.transpose(0, 1).reshape(-1, 1, x.shape[-1]), dones.T.reshape(-1, 1)
    pieces = []
    for steps, ends in zip(x.unbind(1), dones.unbind(1), strict=True):
        cuts = [0, *(ends.nonzero().flatten() + after).tolist(), len(x)]
        both = [(steps[start:end], ends[start:end]) for start, end in itertools.pairwise(cuts)]
        pieces += [piece for piece, done in both if keep(piece, done)]
    return pieces


def _by_time(x: torch.Tensor, dones: torch.Tensor, key: int) -> list[int]:
    """Order of the trajectories by their first (key 0) or last (key 1) step, and where equal by environment."""
    marks = _cut(torch.arange(len(x)).reshape(-1, 1, 1).expand(-1, x.shape[1], 1), dones)
    return sorted(range(len(marks)), key=lambda i: int(marks[i][-key]))


def _in_order(order: Part) -> Part:
    def cut(x: torch.Tensor, dones: torch.Tensor) -> Pieces:
        pieces = _cut(x, dones)
        return [pieces[i] for i in order(x, dones, pieces)]

    return cut


def _flat(x: torch.Tensor, dones: torch.Tensor) -> Pieces:
    """Cuts the rollout as it lies in memory, step by step, all environments in one row."""
    return _cut(x.reshape(-1, 1, x.shape[-1]), dones.reshape(-1, 1))


def _without_done(x: torch.Tensor, dones: torch.Tensor) -> Pieces:
    """The pieces without the steps that are done."""
    marked = torch.cat([x, dones.unsqueeze(-1)], dim=-1)
    return [piece[piece[:, -1] == 0, :-1] for piece in _cut(marked, dones)]


def _pad(pieces: Pieces, time: int) -> torch.Tensor:
    return torch.nn.utils.rnn.pad_sequence(pieces)


def _pad_to(length: Part, value: Part = lambda piece: 0) -> Part:
    """Padding to another length, or by another value than 0."""

    def pad(pieces: Pieces, time: int) -> torch.Tensor:
        to = length([len(piece) for piece in pieces], time)
        padded = [torch.cat([piece, piece.new_zeros(to, piece.shape[1]) + value(piece)])[:to] for piece in pieces]
        return torch.stack(padded, dim=1)

    return pad


def _mask(padded: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    return torch.arange(len(padded)).unsqueeze(1) < lengths


def _split(cut: Part = _cut, pad: Part = _pad, mask: Part = _mask) -> Answer:
    """Splitting with some part done wrong."""

    def answer(x: torch.Tensor, dones: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        pieces = cut(x, dones)
        padded = pad(pieces, len(x)) if pieces else x.new_zeros(0, 0, x.shape[-1])
        return padded, mask(padded, torch.tensor([len(piece) for piece in pieces]))

    return answer


def _or_raise(answer: Answer) -> tuple[Answer, Answer]:
    """A mistake that can leave no trajectory, as it is and as code that fails then."""

    def fails(x: torch.Tensor, dones: torch.Tensor) -> Any:
        padded, mask = answer(x, dones)
        if padded.numel() == 0:
            raise ValueError("no trajectories")
        return padded, mask

    return answer, fails


MISTAKES = {
    "splits-before-done": Mistake(
        "you cut before the step that is done: it starts the next trajectory.",
        "done says that this step was the last of its episode. Cut after it.",
        _split(lambda x, dones: _cut(x, dones, after=0)),
        _split(lambda x, dones: _cut(x, dones, after=0, keep=lambda piece, done: True)),
    ),
    "drops-done-step": Mistake(
        "you lose the last step of each episode.",
        "The step that is done belongs to its episode: cut after it, x[start : t + 1].",
        _split(_without_done),
        _split(lambda x, dones: [piece for piece in _without_done(x, dones) if len(piece)]),
    ),
    "drops-rest": Mistake(
        "you lose the steps after the last done.",
        "The end of the rollout ends a trajectory too: set the last step to done, in a copy.",
        *_or_raise(_split(lambda x, dones: _cut(x, dones, keep=lambda piece, done: done.any()))),
    ),
    "crosses-environments": Mistake(
        "your trajectories run from one environment into the next.",
        "The end of the rollout ends a trajectory in every environment: last = dones.clone(); last[-1] = 1.",
        _split(lambda x, dones: _cut(x, dones, at_end=False)),
        *_or_raise(_split(lambda x, dones: _cut(x, dones, keep=lambda piece, done: done.any(), at_end=False))),
    ),
    "flattened-by-time": Mistake(
        "your trajectories mix the environments: steps of the same time stand one after another.",
        "x is [time, envs, features]: transpose(0, 1) first, so that the steps of an environment stand together.",
        _split(lambda x, dones: _flat(x, torch.cat([dones[:-1], torch.ones_like(dones[:1])]))),
        _split(_flat),
    ),
    "ordered-by-time": Mistake(
        "your trajectories are in order of time, not of environment.",
        "All of environment 0 come first, in order of time, then all of environment 1: unpad relies on it.",
        _split(_in_order(lambda x, dones, pieces: _by_time(x, dones, 1))),
        _split(_in_order(lambda x, dones, pieces: _by_time(x, dones, 0))),
    ),
    "ordered-by-length": Mistake(
        "your trajectories are sorted by length.",
        "Nothing here needs it, and unpad could not undo it: keep environment 0 first, then time.",
        _split(_in_order(lambda x, dones, pieces: sorted(range(len(pieces)), key=lambda i: -len(pieces[i])))),
        _split(_in_order(lambda x, dones, pieces: sorted(range(len(pieces)), key=lambda i: len(pieces[i])))),
    ),
    "not-split": Mistake(
        "you do not cut at the episode ends: each environment is one trajectory.",
        "A done ends a trajectory; the next step starts another one.",
        _split(lambda x, dones: _cut(x, 0 * dones)),
    ),
    "cuts-all": Mistake(
        "the end of one robot's episode cuts the trajectories of all robots.",
        "Each environment ends on its own: look at its own column of dones.",
        _split(lambda x, dones: _cut(x, dones.any(1, keepdim=True).expand_as(dones))),
    ),
    "cuts-once": Mistake(
        "you cut each environment at its first done only.",
        "An episode can end several times in one rollout: each done ends a trajectory.",
        _split(lambda x, dones: _cut(x, dones * (dones.cumsum(0) == 1))),
    ),
    "empty-trajectory": Mistake(
        "you make a trajectory of no steps where an episode ends with the rollout.",
        "The last step is an end once, done or not: set it to done instead of adding a further end.",
        _split(lambda x, dones: _cut(x, dones, keep=lambda piece, done: True)),
    ),
    "padded-to-rollout": Mistake(
        "you pad to the length of the rollout.",
        "rsl_rl does so, and it is not wrong there. Here the longest trajectory is enough: less to compute.",
        _split(pad=_pad_to(lambda lengths, time: time)),
    ),
    "cut-to-shortest": Mistake(
        "you cut all trajectories to the length of the shortest.",
        "No step may be lost: pad the short ones to the longest.",
        _split(pad=_pad_to(lambda lengths, time: min(lengths))),
    ),
    "padded-in-front": Mistake(
        "your padding stands before the steps.",
        "A trajectory starts at step 0, with the memory it began with; the padding comes after its end.",
        _split(pad=lambda pieces, time: _pad([piece.flip(0) for piece in pieces], time).flip(0)),
    ),
    "padding-not-zero": Mistake(
        "your padding is not zero.",
        "Fill up with zeros: padding that looks like a step is easily taken for one.",
        _split(pad=_pad_to(lambda lengths, time: max(lengths), lambda piece: piece[-1])),
        _split(pad=_pad_to(lambda lengths, time: max(lengths), lambda piece: -1)),
        _split(pad=_pad_to(lambda lengths, time: max(lengths), lambda piece: torch.nan)),
    ),
    "trajectories-first": Mistake(
        "your result is [trajectories, time, features].",
        "Time comes first, as torch's recurrent networks take it: transpose(0, 1).",
        _split(pad=lambda pieces, time: _pad(pieces, time).transpose(0, 1)),
    ),
    "mask-inverted": Mistake(
        "your mask is True at the padding.",
        "Here True says that a step is real. (key_padding_mask of torch's attention has it the other way.)",
        _split(mask=lambda padded, lengths: ~_mask(padded, lengths)),
    ),
    "mask-all-true": Mistake(
        "your mask takes the padding for real steps.",
        "It is True up to the length of a trajectory, False after it: arange(longest).unsqueeze(1) < lengths.",
        _split(mask=lambda padded, lengths: torch.ones(padded.shape[:2], dtype=torch.bool)),
    ),
    "mask-from-values": Mistake(
        "your mask takes an observation of zero for padding.",
        "A real step can be zero. Make the mask from the lengths, not from the values.",
        _split(mask=lambda padded, lengths: (padded != 0).any(-1)),
        _split(mask=lambda padded, lengths: padded.sum(-1) != 0),
        _split(mask=lambda padded, lengths: (padded != 0).all(-1)),
    ),
    "mask-one-off": Mistake(
        "your mask is one step too short or too long.",
        "A trajectory of 2 steps has the steps 0 and 1: True where the step is less than the length.",
        _split(mask=lambda padded, lengths: _mask(padded, lengths - 1)),
        _split(mask=lambda padded, lengths: _mask(padded, lengths + 1)),
    ),
    "mask-transposed": Mistake(
        "your mask is [trajectories, time].",
        "It has the first two dimensions of padded: [time, trajectories].",
        _split(mask=lambda padded, lengths: _mask(padded, lengths).T),
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
