"""Exercise ``dead_fraction``: compute the fraction of dead units."""

import torch

from ..exercise import Case, Exercise, Mistake
from ..verdict import text


def dead_fraction(activations: torch.Tensor) -> torch.Tensor:
    """Fraction of units in ``activations [samples, units]``, after a ReLU, that are dead: 0 for every sample."""
    dead = (activations == 0).all(dim=0)  # [units]: 0 for every sample
    return dead.float().mean()


def _show(activations: torch.Tensor) -> str:
    """The call as text, with numbers near 0 not rounded to 0."""
    rows = [", ".join(f"{x:.3g}" for x in row) for row in activations.tolist()]
    shown = f"[[{'], ['.join(rows)}]]" if activations.numel() <= 24 else text(activations)
    return f"dead_fraction(activations={shown})"


def _draw(generator: torch.Generator) -> Case:
    samples, units = torch.randint(1, 6, (2,), generator=generator).tolist()
    return Case("random activations", (torch.randn(samples, units, generator=generator).relu(),))


CASES = (
    Case.of("one sample", [[0.0, 1.0, 2.0, 3.0]]),
    Case.of("a unit that is 0 for only some samples", [[0.0, 0.0], [0.0, 3.0], [0.0, 0.0]]),
    Case.of("a sample in which all units are 0", [[2.0, 0.0, 1.0, 4.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 3.0, 1.0]]),
    Case.of("a unit that is 0 except for one tiny value", [[0.0, 0.0, 0.0], [0.0, 1e-7, 0.0]]),
    Case("a unit that is 0 for all but one of 200 samples", (torch.eye(200)[:, :1] * torch.tensor([3.0, 0.0, 2.0]),)),
    Case.of("a unit with the same non-zero output for all samples", [[2.0, 0.0, 1.0], [2.0, 0.0, 3.0]]),
    Case.of("a unit that is small compared with the others", [[0.001, 5.0, 0.0], [0.0, 3.0, 0.0], [0.0, 4.0, 0.0]]),
    Case.of("all units dead", [[0.0, 0.0]]),
    Case.of("all units alive", [[1.0, 2.0], [3.0, 4.0]]),
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
        "you return the fraction of zeros among all numbers.",
        "A healthy ReLU unit outputs 0 for many samples. A unit is dead only if it is 0 for all samples: "
        "use all(dim=0) first.",
        {_MASK: "activations == 0"},
    ),
    "any-for-all": Mistake(
        "you count a unit as dead if it is 0 for at least one sample.",
        "A single zero does not make a unit dead: it must be 0 for every sample. Use all, not any.",
        {".all(dim=0)": ".any(dim=0)"},
    ),
    "dead-samples": Mistake(
        "you look for samples in which all units are 0.",
        "activations is [samples, units]. To check each unit over all samples, reduce over dim=0.",
        {"all(dim=0)": "all(dim=1)"},
        {"all(dim=0)": "any(dim=1)"},
        {"all(dim=0)": "all(dim=1)", _MEAN: "dead.sum() / activations.shape[1]"},
    ),
    "negative-for-zero": Mistake(
        "you look for units with negative activations, but after a ReLU there are none.",
        "A ReLU turns negative values into exactly 0: compare with == 0.",
        {"activations == 0": "activations < 0"},
        {_MASK: "activations < 0"},
    ),
    "count-for-share": Mistake(
        "you return the number of dead units.",
        "The fraction is this number divided by the number of all units: use mean instead of sum.",
        {_MEAN: "dead.sum()"},
    ),
    "alive-share": Mistake(
        "you return the fraction of units that are alive.",
        "The exercise asks for the dead units: return 1 minus your result.",
        {"dead = (": "dead = ~("},
        {"activations == 0": "activations != 0"},
    ),
    "divided-by-samples": Mistake(
        "you divide the number of dead units by the number of samples.",
        "You need the fraction of units: divide by activations.shape[1], or take the mean of the mask.",
        {_MEAN: "dead.sum() / len(activations)"},
    ),
    "divided-by-all": Mistake(
        "you divide the number of dead units by the total number of activations.",
        "You need the fraction of units: divide by activations.shape[1], or take the mean of the mask.",
        {_MEAN: "dead.sum() / activations.numel()"},
    ),
    "small-counts-as-dead": Mistake(
        "you count a unit as dead if its activations are merely small.",
        "A small positive activation still passes a gradient. A unit is dead only if its activations are exactly 0.",
        *({"== 0": f"< {limit}"} for limit in (1e-1, 5e-2, 1e-2, 1e-3, 1e-4)),
        *({_MASK: f"activations.mean(dim=0) < {limit}"} for limit in (1e-1, 5e-2, 1e-2, 1e-3, 1e-4)),
        *({_MASK: f"activations.mean(dim=0) <= {share} * activations.mean()"} for share in (0.1, 0.05, 0.025, 0.01)),
    ),
    "hardly-varies": Mistake(
        "you count a unit as dead if its activations hardly vary.",
        "A unit that outputs the same number for every sample is dead only if this number is 0.",
        {_MASK: "activations.std(dim=0) == 0"},
        {_MASK: "activations.std(dim=0, correction=0) == 0"},
        *({_MASK: f"activations.std(dim=0, correction=0) < {limit}"} for limit in (5e-2, 1e-2, 1e-3, 1e-4)),
    ),
    "rarely-active": Mistake(
        "you count a unit as dead if it is active for only a few samples.",
        "A unit that is active for even one sample still learns from that sample. A dead unit is 0 for all samples.",
        *({_MASK: f"(activations > 0).float().mean(dim=0) < {share}"} for share in (0.01, 0.05, 0.1, 0.3, 0.5)),
        {_MASK: "(activations > 0).float().mean(dim=0) <= 0.5"},
        {_MASK: "activations.median(dim=0).values == 0"},
    ),
    "first-sample-only": Mistake(
        "you check only one sample.",
        "A unit that is 0 for one sample may be active for other samples: check all of them.",
        {_MASK: "activations[0] == 0"},
        {_MASK: "activations[-1] == 0"},
    ),
    "first-unit-only": Mistake(
        "you check only the first unit.",
        "Every column of activations is a unit. If you loop over them, `return` belongs after the loop, not inside it.",
        {_MASK: "activations[:, 0] == 0"},
        {_MASK: "(activations[:, 0] == 0).all()"},
        {_MEAN: "dead[0] / len(dead)"},
    ),
    "unit-forgotten": Mistake(
        "you leave out one unit, the last or the first.",
        "Every column of activations is a unit: range(activations.shape[1]) covers them all.",
        {_MEAN: "dead[:-1].sum() / len(dead)"},
        {_MEAN: "dead[1:].sum() / len(dead)"},
    ),
    "most-active-unit": Mistake(
        "you return how often a single unit is 0: either the most active or the least active unit.",
        "Check whether each unit is 0 for every sample, then return the fraction of units for which that is true.",
        {_MEAN: "(activations == 0).float().mean(dim=0).min()"},
        {_MEAN: "(activations == 0).float().mean(dim=0).max()"},
    ),
    "zeros-counted": Mistake(
        "you count zeros, not dead units.",
        "A unit is dead if it is 0 for all samples, and it counts once. Use all(dim=0) first, then take the "
        "fraction of units.",
        *({_MASK: "activations == 0", _MEAN: f"dead.sum(){by}"} for by in ("", " / dead.shape[1]", " / len(dead)")),
    ),
    "yes-or-no": Mistake(
        "you return 1 if any unit is dead, else 0.",
        "The question is not whether there are dead units, but what fraction of the units is dead.",
        {_MEAN: "dead.any().float()"},
    ),
    "divided-by-alive": Mistake(
        "you divide the number of dead units by the number of live units.",
        "A fraction is relative to all units: divide by activations.shape[1], or take the mean of the mask.",
        {_MEAN: "dead.sum() / (~dead).sum()"},
    ),
    "percent": Mistake("you return a percentage.", "Return a fraction between 0 and 1.", {"return ": "return 100 * "}),
    "mask-returned": Mistake(
        "you return one number for each unit, not the fraction of dead units.",
        "The last step is missing, the mean over the units. For a boolean mask, use .float().mean().",
        {_MEAN: "dead"},
        {_MEAN: "~dead"},
        {_MASK: "(activations == 0).float().mean(dim=0)", _MEAN: "dead"},
    ),
    "rounded-down": Mistake(
        "you return 1 if all units are dead, else 0: either you round down, or you call all() without a dim.",
        "`//` and `int()` drop the decimals: divide with `/`. `all()` without a dim combines all units into one truth "
        "value.",
        {_MEAN: "dead.sum() // activations.shape[1]"},
    ),
    "rounded": Mistake(
        "you round the fraction.", "Return the fraction without rounding it.", {_MEAN: "dead.float().mean().round()"}
    ),
}

HINTS = (
    "Is a unit dead if it is 0 for one sample? You need one answer for each unit, not for each number. Which "
    "dimension do you have to reduce?",
    "First find a truth value for each unit: is it 0 for *all* samples? Then take the fraction of units for "
    "which this is true.",
    "`dead = (activations == 0).all(dim=0)` has shape `[units]` and type bool. Booleans have no mean, but "
    "floats do: return `dead.float().mean()`.",
)

EXERCISE = Exercise(dead_fraction, ("fraction",), CASES, MISTAKES, HINTS, _draw, show=_show)
