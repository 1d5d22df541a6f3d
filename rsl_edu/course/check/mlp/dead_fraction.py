"""Exercise ``dead_fraction``: find the share of dead units."""

import torch

from ..exercise import Answer, Case, Exercise, Mistake, Part


def dead_fraction(activations: torch.Tensor) -> torch.Tensor:
    """Share of dead units in ``activations [samples, units]`` after a ReLU: those that are 0 for every sample."""
    dead = (activations == 0).all(dim=0)  # [units]: 0 for every sample
    return dead.float().mean()


def _draw(generator: torch.Generator) -> Case:
    samples, units = torch.randint(1, 6, (2,), generator=generator).tolist()
    return Case("random activations", (torch.randn(samples, units, generator=generator).relu(),))


CASES = (
    Case.of("one sample", [[0.0, 1.0, 2.0, 3.0]]),
    Case.of("a unit that is 0 for some samples only", [[0.0, 0.0], [0.0, 3.0], [0.0, 0.0]]),
    Case.of("a sample for which all units are 0", [[2.0, 0.0, 1.0, 4.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 3.0, 1.0]]),
    Case.of("a unit that is almost always almost 0", [[0.0, 0.0, 0.0], [0.0, 1e-5, 0.0]]),
    Case.of("units that are all dead", [[0.0, 0.0]]),
    Case.of("units that are all alive", [[1.0, 2.0], [3.0, 4.0]]),
)


def _dead(fraction: Part) -> Answer:
    """From the mask of dead units and the activations."""
    return lambda activations: fraction((activations == 0).all(0).float(), activations)


def _share(mask: Part) -> Answer:
    return lambda activations: mask(activations).float().mean()


def _small(limit: float) -> tuple[Answer, ...]:
    return (
        _share(lambda a: (a < limit).all(0)),
        _share(lambda a: a.mean(0) < limit),
        _share(lambda a: a.std(0, correction=0) < limit),
    )


MISTAKES = {
    "share-of-zeros": Mistake(
        "you return the share of zeros among all numbers.",
        "A ReLU is often 0, and that is healthy. A unit is dead if it is 0 for all samples: all(dim=0) first.",
        _share(lambda a: a == 0),
    ),
    "any-for-all": Mistake(
        "you count a unit as dead if it is 0 for some sample.",
        "One zero does not make a unit dead: it has to be 0 for every sample. Take all, not any.",
        _share(lambda a: (a == 0).any(0)),
    ),
    "dead-samples": Mistake(
        "you look for samples for which all units are 0.",
        "activations is [samples, units]: to ask each unit about all samples, reduce over dim=0.",
        _share(lambda a: (a == 0).all(1)),
        _share(lambda a: (a == 0).any(1)),
    ),
    "negative-for-zero": Mistake(
        "you look for units that are negative; after a ReLU there are none.",
        "A ReLU turns all that is negative into exactly 0: compare with == 0.",
        _share(lambda a: (a < 0).all(0)),
        _share(lambda a: a < 0),
    ),
    "count-for-share": Mistake(
        "you return how many units are dead.",
        "The share is that number divided by the number of units: mean instead of sum.",
        _dead(lambda dead, a: dead.sum()),
    ),
    "alive-share": Mistake(
        "you return the share of units that are alive.",
        "The dead ones are asked for: 1 minus that.",
        _dead(lambda dead, a: 1 - dead.mean()),
        _share(lambda a: (a != 0).all(0)),
    ),
    "divided-by-samples": Mistake(
        "you divide the number of dead units by the number of samples.",
        "It is the share of units: divide by activations.shape[1], or take the mean of the mask.",
        _dead(lambda dead, a: dead.sum() / len(a)),
    ),
    "divided-by-all": Mistake(
        "you divide the number of dead units by the number of all activations.",
        "It is the share of units: divide by activations.shape[1], or take the mean of the mask.",
        _dead(lambda dead, a: dead.sum() / a.numel()),
    ),
    "small-counts-as-dead": Mistake(
        "you count a unit as dead if it is only small.",
        "A small positive number still passes a gradient. After a ReLU, dead is exactly 0.",
        *(answer for limit in (0.1, 0.05, 0.01, 1e-3, 1e-4) for answer in _small(limit)),
    ),
    "first-sample-only": Mistake(
        "you look at one sample only.",
        "A unit that is silent now may speak for another sample: look at all of them.",
        _share(lambda a: a[0] == 0),
        _share(lambda a: a[-1] == 0),
    ),
    "percent": Mistake(
        "you return percent.", "A share lies between 0 and 1.", _dead(lambda dead, a: 100 * dead.mean())
    ),
    "mask-returned": Mistake(
        "you return an answer for each unit, not their share.",
        "One step is missing: the mean over the units. Of a mask, take .float().mean().",
        _dead(lambda dead, a: dead),
        _dead(lambda dead, a: 1 - dead),
        _dead(lambda dead, a: (a == 0).float().mean(0)),
    ),
    "rounded": Mistake(
        "you round the share.",
        "Use / or mean of floats: whole-number division and int() cut off what is after the point.",
        _dead(lambda dead, a: dead.sum() // a.shape[1]),
        _dead(lambda dead, a: dead.mean().round()),
    ),
}

HINTS = (
    "Is a unit dead if it is 0 for one sample? Ask each unit, not each number: over which dimension?",
    "First find a truth value for each unit: is it 0 for *all* samples? Then take the share of the units for which "
    "that is true.",
    "`dead = (activations == 0).all(dim=0)` is `[units]`, of type bool. Booleans have no mean, floats have: return "
    "`dead.float().mean()`.",
)

EXERCISE = Exercise(dead_fraction, ("fraction",), CASES, MISTAKES, HINTS, _draw)
