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

SINGLE, HALF = 1e-5, 1e-3
"""Differences that rounding makes, in stds of the actions: in single and in half precision."""
_MOST = {False: 1e-3, True: 0.05}  # the largest tolerance, in single and in half precision
_SMALL = (16, 64)  # steps and environments of what many guesses are tried on


@dataclasses.dataclass(frozen=True, eq=False)
class Evidence:
    """A checkpoint, an export, and what the export did on some observations.

    Attributes:
        checkpoint: What was trained.
        export: What was deployed.
        sample: The observations.
        siblings: Reads the other checkpoints of the run.
        played: What the export did, or what its tensors give where its code was not run.
        ran: Whether it was run.
        repeated: What it did on the first observations when it was shown them once more, ``[time, envs, actions]``.
    """

    checkpoint: Checkpoint
    export: Export
    sample: Sample
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
        """Std of the actions over the observations, of all actions together."""
        return max(_spread(self.expected), 1e-3 * self.expected.abs().max().item(), 1e-12)

    @functools.cached_property
    def tolerance(self) -> float:
        """The largest difference that is taken for rounding, in stds: ten times what rounding does to the policy."""
        return max(HALF if self.export.half else SINGLE, self._rounding(self.base))

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
        larger = max(1.0, _spread(self.actions) / self.scale)  # large actions are rounded more
        if self.miss(model, small=True) > max(self.tolerance, _MOST[self.export.half]) * larger:
            return False
        miss = self.miss(model)
        return miss <= self.tolerance * larger or miss <= self._rounding(model, larger)

    def _rounding(self, model: Model, larger: float = 1.0) -> float:
        """Return ten times what the export's precision does to the actions of a model, in stds, up to a limit."""
        weights = self.export.weights.values() if self.export.half else ()
        dtype = next((x.dtype for x in weights if x.is_floating_point()), torch.float32)
        error = self.error(self.play(model.rounded(dtype)), self.play(model))
        return min(10 * error, _MOST[self.export.half] * larger)

    @functools.cached_property
    def noise(self) -> torch.Tensor:
        """Std of the noise on the export's actions, ``[actions]``, from what it did when it was loaded anew."""
        time, envs = self.played.again.shape[:2]
        apart = self.played.again.double() - self.actions[:time, :envs]
        return apart.flatten(0, 1).std(0) / 2**0.5


def _spread(actions: torch.Tensor) -> float:
    """Return the std of actions ``[time, envs, actions]``, of all together."""
    return actions.flatten(0, 1).var(0, correction=0).mean().sqrt().item()
