"""Exercise ``dead_fraction``: find the share of dead units."""

import torch

from ..exercise import Case, Exercise, Mistake
from ..verdict import text


def dead_fraction(activations: torch.Tensor) -> torch.Tensor:
    """Share of dead units in ``activations [samples, units]`` after a ReLU: those that are 0 for every sample."""
    dead = (activations == 0).all(dim=0)  # [units]: 0 for every sample
    return dead.float().mean()


def _show(activations: torch.Tensor) -> str:
    """The call, with numbers near 0 as they are."""
    rows = [", ".join(f"{x:.3g}" for x in row) for row in activations.tolist()]
    shown = f"[[{'], ['.join(rows)}]]" if activations.numel() <= 24 else text(activations)
    return f"dead_fraction(activations={shown})"


def _draw(generator: torch.Generator) -> Case:
    samples, units = torch.randint(1, 6, (2,), generator=generator).tolist()
    return Case("random activations", (torch.randn(samples, units, generator=generator).relu(),))


CASES = (
    Case.of("one sample", [[0.0, 1.0, 2.0, 3.0]]),
    Case.of("a unit that is 0 for some samples only", [[0.0, 0.0], [0.0, 3.0], [0.0, 0.0]]),
    Case.of("a sample for which all units are 0", [[2.0, 0.0, 1.0, 4.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 3.0, 1.0]]),
    Case.of("a unit that is almost always almost 0", [[0.0, 0.0, 0.0], [0.0, 1e-7, 0.0]]),
    Case("a unit that is 0 for all but one of 200 samples", (torch.eye(200)[:, :1] * torch.tensor([3.0, 0.0, 2.0]),)),
    Case.of("a unit that is the same for all samples, and not 0", [[2.0, 0.0, 1.0], [2.0, 0.0, 3.0]]),
    Case.of("a unit that is small beside the others", [[0.001, 5.0, 0.0], [0.0, 3.0, 0.0], [0.0, 4.0, 0.0]]),
    Case.of("units that are all dead", [[0.0, 0.0]]),
    Case.of("units that are all alive", [[1.0, 2.0], [3.0, 4.0]]),
    Case.of("zeros, but no dead unit", [[0.0, 1.0], [2.0, 0.0], [3.0, 4.0]]),
    Case.of(
        "units that are 0 for different samples",
        [
            [0.0, 2.0, 0.0, 0.0, 0.0, 1.5],
            [0.0, 0.0, 0.0, 0.5, 3.0, 2.0],
            [0.0, 0.0, 0.0, 0.0, 1.0, 0.0],
            [0.0, 0.0, 4.0, 1.2, 2.5, 3.0],
        ],
    ),
)


_MASK = "(activations == 0).all(dim=0)"
_MEAN = "dead.float().mean()"


MISTAKES = {
    "share-of-zeros": Mistake(
        "you return the share of zeros among all numbers.",
        "A ReLU is often 0, and that is healthy. A unit is dead if it is 0 for all samples: all(dim=0) first.",
        {_MASK: "activations == 0"},
    ),
    "any-for-all": Mistake(
        "you count a unit as dead if it is 0 for some sample.",
        "One zero does not make a unit dead: it has to be 0 for every sample. Take all, not any.",
        {".all(dim=0)": ".any(dim=0)"},
    ),
    "dead-samples": Mistake(
        "you look for samples for which all units are 0.",
        "activations is [samples, units]: to ask each unit about all samples, reduce over dim=0.",
        {"all(dim=0)": "all(dim=1)"},
        {"all(dim=0)": "any(dim=1)"},
        {"all(dim=0)": "all(dim=1)", _MEAN: "dead.sum() / activations.shape[1]"},
    ),
    "negative-for-zero": Mistake(
        "you look for units that are negative; after a ReLU there are none.",
        "A ReLU turns all that is negative into exactly 0: compare with == 0.",
        {"activations == 0": "activations < 0"},
        {_MASK: "activations < 0"},
    ),
    "count-for-share": Mistake(
        "you return how many units are dead.",
        "The share is that number divided by the number of units: mean instead of sum.",
        {_MEAN: "dead.sum()"},
    ),
    "alive-share": Mistake(
        "you return the share of units that are alive.",
        "The dead ones are asked for: 1 minus that.",
        {"dead = (": "dead = ~("},
        {"activations == 0": "activations != 0"},
    ),
    "divided-by-samples": Mistake(
        "you divide the number of dead units by the number of samples.",
        "It is the share of units: divide by activations.shape[1], or take the mean of the mask.",
        {_MEAN: "dead.sum() / len(activations)"},
    ),
    "divided-by-all": Mistake(
        "you divide the number of dead units by the number of all activations.",
        "It is the share of units: divide by activations.shape[1], or take the mean of the mask.",
        {_MEAN: "dead.sum() / activations.numel()"},
    ),
    "small-counts-as-dead": Mistake(
        "you count a unit as dead if its activations are only small.",
        "A small positive number still passes a gradient. After a ReLU, dead is exactly 0.",
        *({"== 0": f"< {limit}"} for limit in (1e-1, 5e-2, 1e-2, 1e-3, 1e-4)),
        *({_MASK: f"activations.mean(dim=0) < {limit}"} for limit in (1e-1, 5e-2, 1e-2, 1e-3, 1e-4)),
        *({_MASK: f"activations.mean(dim=0) <= {share} * activations.mean()"} for share in (0.1, 0.05, 0.025, 0.01)),
    ),
    "hardly-varies": Mistake(
        "you count a unit as dead if it hardly varies.",
        "A unit that puts out the same number for every sample is not dead unless this number is 0.",
        {_MASK: "activations.std(dim=0) == 0"},
        {_MASK: "activations.std(dim=0, correction=0) == 0"},
        *({_MASK: f"activations.std(dim=0, correction=0) < {limit}"} for limit in (5e-2, 1e-2, 1e-3, 1e-4)),
    ),
    "rarely-active": Mistake(
        "you count a unit as dead if it is active for few samples only.",
        "Rarely is not never: a unit that is active for one sample still learns from it. Dead is 0 for all of them.",
        *({_MASK: f"(activations > 0).float().mean(dim=0) < {share}"} for share in (0.01, 0.05, 0.1, 0.3, 0.5)),
        {_MASK: "(activations > 0).float().mean(dim=0) <= 0.5"},
        {_MASK: "activations.median(dim=0).values == 0"},
    ),
    "first-sample-only": Mistake(
        "you look at one sample only.",
        "A unit that is 0 for this sample may be active for another one: look at all of them.",
        {_MASK: "activations[0] == 0"},
        {_MASK: "activations[-1] == 0"},
    ),
    "first-unit-only": Mistake(
        "you look at the first unit only.",
        "Every column of activations is a unit. In a loop over them, `return` belongs after the loop, not inside.",
        {_MASK: "activations[:, 0] == 0"},
        {_MASK: "(activations[:, 0] == 0).all()"},
        {_MEAN: "dead[0] / len(dead)"},
    ),
    "unit-forgotten": Mistake(
        "you leave out one unit, the last or the first.",
        "Every column of activations is a unit: range(activations.shape[1]) counts them all.",
        {_MEAN: "dead[:-1].sum() / len(dead)"},
        {_MEAN: "dead[1:].sum() / len(dead)"},
    ),
    "most-active-unit": Mistake(
        "you return how often a single unit is 0: the one that is active most often, or least often.",
        "Ask each unit whether it is 0 for every sample, then take the share of the units that are.",
        {_MEAN: "(activations == 0).float().mean(dim=0).min()"},
        {_MEAN: "(activations == 0).float().mean(dim=0).max()"},
    ),
    "zeros-counted": Mistake(
        "you count zeros, not dead units.",
        "A unit is dead if it is 0 for all samples, and counts once: all(dim=0) first, then the share of the units.",
        *({_MASK: "activations == 0", _MEAN: f"dead.sum(){by}"} for by in ("", " / dead.shape[1]", " / len(dead)")),
    ),
    "yes-or-no": Mistake(
        "you return 1 if any unit is dead, else 0.",
        "Not whether there are dead units is asked, but which share of the units they are.",
        {_MEAN: "dead.any().float()"},
    ),
    "divided-by-alive": Mistake(
        "you divide the number of dead units by the number of those that are alive.",
        "A share is a part of all: divide by activations.shape[1], or take the mean of the mask.",
        {_MEAN: "dead.sum() / (~dead).sum()"},
    ),
    "percent": Mistake("you return percent.", "A share lies between 0 and 1.", {"return ": "return 100 * "}),
    "mask-returned": Mistake(
        "you return an answer for each unit, not their share.",
        "One step is missing: the mean over the units. Of a mask, take .float().mean().",
        {_MEAN: "dead"},
        {_MEAN: "~dead"},
        {_MASK: "(activations == 0).float().mean(dim=0)", _MEAN: "dead"},
    ),
    "rounded-down": Mistake(
        "you return 1 only if all units are dead, else 0: the share is rounded down, or you ask for all units at once.",
        "// and int() cut off what is after the point: use /. And all() without a dim takes all units together.",
        {_MEAN: "dead.sum() // activations.shape[1]"},
    ),
    "rounded": Mistake("you round the share.", "Return it as it is.", {_MEAN: "dead.float().mean().round()"}),
}

HINTS = (
    "Is a unit dead if it is 0 for one sample? Ask each unit, not each number: over which dimension?",
    "First find a truth value for each unit: is it 0 for *all* samples? Then take the share of the units for which "
    "that is true.",
    "`dead = (activations == 0).all(dim=0)` is `[units]`, of type bool. Booleans have no mean, floats have: return "
    "`dead.float().mean()`.",
)

EXERCISE = Exercise(dead_fraction, ("fraction",), CASES, MISTAKES, HINTS, _draw, show=_show)
