"""What is known of a checkpoint and an export, and what the export did."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from rsl_edu.checkpoint import Checkpoint, Policy
from rsl_edu.diagnosis import Sample
from rsl_edu.exported import Export, Played

from .model import Model
from .rebuilt import rebuilt, weights_for
from .siblings import Siblings

LEAST = {False: 1e-5, True: 1e-3}
"""Differences that are always taken for rounding, in stds of the actions: in single and in half precision."""
TIMES = {False: 10, True: 2}
"""How many times what rounding does to the checkpoint's policy is taken for rounding, too."""
MOST = {False: 1e-3, True: 0.25}
"""The largest difference that may be."""
_SMALL = (16, 64)  # steps and environments of what many guesses are tried on


@dataclasses.dataclass(frozen=True, eq=False)
class Evidence:
    """A checkpoint, an export, and what the export did on some observations.

    Attributes:
        checkpoint: What was trained.
        export: What was deployed.
        sample: The observations.
        large: Which of them were drawn far from the mean, ``[time, envs]``, bool.
        reach: How far the others reach, in stds; 0 for recorded ones.
        siblings: Reads the other checkpoints of the run.
        played: What the export did, or what its tensors give where its code was not run.
        ran: Whether it was run.
        repeated: What it did on the first observations when it was shown them once more, ``[time, envs, actions]``.
    """

    checkpoint: Checkpoint
    export: Export
    sample: Sample
    large: torch.Tensor
    reach: float
    siblings: Callable[[Evidence], Siblings]
    played: Played = dataclasses.field(default_factory=lambda: Played(torch.empty(0), torch.empty(0), None, ""))
    ran: bool = True
    repeated: torch.Tensor = dataclasses.field(default_factory=lambda: torch.empty(0))
    _last: dict[str, Any] = dataclasses.field(default_factory=dict)  # what was played last: many endings follow

    @functools.cached_property
    def others(self) -> Sequence[Checkpoint]:
        """The other checkpoints of the run, the nearest in time first."""
        here = self.checkpoint.iteration
        return sorted(self.family.checkpoints, key=lambda other: abs(other.iteration - here))

    @functools.cached_property
    def family(self) -> Siblings:
        """The other checkpoints of the run, and how many files were not read."""
        return self.siblings(self)

    @functools.cached_property
    def base(self) -> Model:
        """The checkpoint's policy as it is."""
        return Model.of(self.checkpoint)

    @functools.cached_property
    def models(self) -> Mapping[Path, Model]:
        """The policies of the other checkpoints as they are, by their files."""
        return {other.path: Model.of(other) for other in self.others}

    @functools.cached_property
    def own(self) -> Policy | None:
        """The policy with the weights that are in the export; None if they cannot all be told, or do not fit."""
        return rebuilt(self.export, self.base.policy)

    @functools.cached_property
    def named(self) -> Mapping[str, torch.Tensor]:
        """The export's weights in the names of the policy."""
        return weights_for(self.export, self.checkpoint.policy)

    @functools.cached_property
    def start(self) -> tuple[torch.Tensor, ...]:
        """What the memory begins with by the export's file, ``[layers, 1, hidden]`` each; nothing stands for zeros."""
        memory = sorted(self.export.memory.items(), key=lambda item: "cell" in item[0])
        return tuple(tensor.double() for _, tensor in memory) if self.checkpoint.policy.rnn is not None else ()

    @property
    def actions(self) -> torch.Tensor:
        """What the export did, ``[time, envs, actions]``, in double precision."""
        return self.played.actions.double()

    @functools.cached_property
    def expected(self) -> torch.Tensor:
        """What the checkpoint's policy does, ``[time, envs, actions]``."""
        actions = self.play(self.base)
        if not actions.isfinite().all():
            raise ValueError(f"{self.checkpoint.path.name}: its policy returns NaN or infinity: see `rsl-edu xray`")
        return actions

    @functools.cached_property
    def scale(self) -> float:
        """Std of the actions over the observations but for large ones, of all actions together."""
        usual = self.expected[~self.large]
        return max(_spread(usual), 1e-3 * usual.abs().max().item(), 1e-12)

    @functools.cached_property
    def tolerance(self) -> float:
        """The largest difference that is taken for rounding, in stds."""
        return max(LEAST[self.export.half], self._rounding(self.base))

    @property
    def only_large(self) -> bool:
        """Whether only large observations show that the export does something else."""
        usual = ~self.large
        same = self.error(self.expected[usual], self.actions[usual]) <= self.tolerance
        return same and bool(self.large.any())

    @functools.cached_property
    def noisy(self) -> bool:
        """Whether the export did something else when it was loaded anew."""
        time, envs = self.played.again.shape[:2]
        return self.error(self.played.again, self.played.actions[:time, :envs]) > self.tolerance

    def play(self, model: Model, small: bool = False) -> torch.Tensor:
        """Return what a model does on the observations, or on the first of them."""
        time, envs = _SMALL if small else self.sample.observations.shape[:2]
        known = self._last.get("network")
        if known is None or known.network != model.network:
            images = {name: image[:time, :envs] for name, image in self.sample.images.items()}
            actions = model.actions(self.sample.observations[:time, :envs], images)
            if not small:
                self._last.update(network=model, actions=actions)
        else:
            actions = self._last["actions"][:time, :envs]
        return actions if model.ending is None else model.ending(actions)

    def error(self, one: torch.Tensor, other: torch.Tensor) -> float:
        """Return the largest difference in stds of the actions; infinite where one is no number."""
        worst = (one.double() - other.double()).abs().max().item() / self.scale
        return worst if worst == worst else float("inf")

    def miss(self, model: Model, small: bool = False) -> float:
        """Return by how much a model's actions miss those of the export, in stds."""
        played = self.play(model, small)
        time, envs = played.shape[:2]
        return self.error(played, self.actions[:time, :envs])

    def fits(self, model: Model) -> bool:
        """Tell whether a model does what the export does, apart from rounding and noise."""
        if self.noisy:
            missed = (self.actions - self.play(model)).flatten(0, 1)
            spread, centre = missed.std(0), missed.mean(0)
            as_noisy = (spread / self.noise - 1).abs() < 0.15
            return bool((as_noisy & (centre.abs() < 6 * spread / len(missed) ** 0.5)).all())
        larger = max(1.0, _spread(self.actions[~self.large]) / self.scale)  # large actions are rounded more
        if self.miss(model, small=True) > max(self.tolerance, MOST[self.export.half]) * larger:
            return False
        miss = self.miss(model)
        return miss <= self.tolerance * larger or miss <= self._rounding(model, larger)

    def _rounding(self, model: Model, larger: float = 1.0) -> float:
        """Return a multiple of what the export's precision does to the actions of a model, in stds, up to a limit."""
        half = self.export.half
        weights = self.export.weights.values() if half else ()
        dtype = next((x.dtype for x in weights if x.is_floating_point()), torch.float32)
        error = self.error(self.play(model.rounded(dtype)), self.play(model))
        return min(TIMES[half] * error, MOST[half] * larger)

    @functools.cached_property
    def noise(self) -> torch.Tensor:
        """Std of the noise on the export's actions, ``[actions]``, from what it did when it was loaded anew."""
        time, envs = self.played.again.shape[:2]
        apart = self.played.again.double() - self.actions[:time, :envs]
        return apart.flatten(0, 1).std(0) / 2**0.5


def _spread(actions: torch.Tensor) -> float:
    """Return the std of actions ``[samples, actions]``, of all together."""
    return actions.var(0, correction=0).mean().sqrt().item()
