"""What is known about a checkpoint and an export, including the export's actions."""

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
"""Largest differences, in stds of the actions, that always count as rounding: in single and in half precision."""
TIMES = {False: 10, True: 2}
"""Differences below this multiple of the effect of rounding on the checkpoint's own policy also count as rounding."""
MOST = {False: 1e-3, True: 0.25}
"""Largest difference that can count as rounding."""
_SMALL = (16, 64)  # steps and environments that every guess is tried on first


@dataclasses.dataclass(frozen=True, eq=False)
class Evidence:
    """A checkpoint, an export, and the export's actions on some observations.

    Attributes:
        checkpoint: The trained policy.
        export: The deployed policy.
        sample: The observations.
        large: Which observations were drawn far from the mean, ``[time, envs]``, bool.
        reach: Largest distance of all other observations from the mean, in stds; 0 for recorded observations.
        siblings: Function that reads the other checkpoints of the run.
        played: Actions of the export, or of the policy rebuilt from its tensors if its code was not run.
        ran: Whether the export was run.
        repeated: The export's actions when it got the first observations a second time, ``[time, envs, actions]``.
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
    _last: dict[str, Any] = dataclasses.field(
        default_factory=dict
    )  # cache of the last network: many endings are tried on it

    @functools.cached_property
    def others(self) -> Sequence[Checkpoint]:
        """The other checkpoints of the run, the nearest in time first."""
        here = self.checkpoint.iteration
        return sorted(self.family.checkpoints, key=lambda other: abs(other.iteration - here))

    @functools.cached_property
    def family(self) -> Siblings:
        """Other checkpoints of the run, and the number of files that were not read."""
        return self.siblings(self)

    @functools.cached_property
    def base(self) -> Model:
        """The checkpoint's unchanged policy."""
        return Model.of(self.checkpoint)

    @functools.cached_property
    def models(self) -> Mapping[Path, Model]:
        """Unchanged policies of the other checkpoints, by file."""
        return {other.path: Model.of(other) for other in self.others}

    @functools.cached_property
    def own(self) -> Policy | None:
        """The policy with the export's weights; None if some weights cannot be identified or do not fit."""
        return rebuilt(self.export, self.base.policy)

    @functools.cached_property
    def named(self) -> Mapping[str, torch.Tensor]:
        """The export's weights, by their names in the checkpoint's policy."""
        return weights_for(self.export, self.checkpoint.policy)

    @functools.cached_property
    def start(self) -> tuple[torch.Tensor, ...]:
        """Initial hidden state in the export's file, ``[layers, 1, hidden]`` each; an empty tuple means zeros."""
        memory = sorted(self.export.memory.items(), key=lambda item: "cell" in item[0])
        return tuple(tensor.double() for _, tensor in memory) if self.checkpoint.policy.rnn is not None else ()

    @property
    def actions(self) -> torch.Tensor:
        """The export's actions ``[time, envs, actions]``, in double precision."""
        return self.played.actions.double()

    @functools.cached_property
    def expected(self) -> torch.Tensor:
        """Actions of the checkpoint's policy, ``[time, envs, actions]``."""
        actions = self.play(self.base)
        if not actions.isfinite().all():
            raise ValueError(
                f"{self.checkpoint.path.name}: its policy returns NaN or infinity; run `rsl-edu xray` on it"
            )
        return actions

    @functools.cached_property
    def scale(self) -> float:
        """Std of all actions together, over all observations except the large ones."""
        usual = self.expected[~self.large]
        return max(_spread(usual), 1e-3 * usual.abs().max().item(), 1e-12)

    @functools.cached_property
    def tolerance(self) -> float:
        """Largest difference that counts as rounding, in stds."""
        return max(LEAST[self.export.half], self._rounding(self.base))

    @property
    def only_large(self) -> bool:
        """Whether the actions differ only on large observations."""
        usual = ~self.large
        same = self.error(self.expected[usual], self.actions[usual]) <= self.tolerance
        return same and bool(self.large.any())

    @functools.cached_property
    def noisy(self) -> bool:
        """Whether the export's actions changed when it was loaded again."""
        time, envs = self.played.again.shape[:2]
        return self.error(self.played.again, self.played.actions[:time, :envs]) > self.tolerance

    def play(self, model: Model, small: bool = False) -> torch.Tensor:
        """Return a model's actions on all observations, or only on those of the first steps and environments."""
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
        """Return the largest difference between two sets of actions, in stds; infinite if a value is NaN."""
        worst = (one.double() - other.double()).abs().max().item() / self.scale
        return worst if worst == worst else float("inf")

    def miss(self, model: Model, small: bool = False) -> float:
        """Return the largest difference between a model's actions and the export's, in stds."""
        played = self.play(model, small)
        time, envs = played.shape[:2]
        return self.error(played, self.actions[:time, :envs])

    def fits(self, model: Model) -> bool:
        """Return whether a model reproduces the export's actions, apart from rounding and noise."""
        if self.noisy:
            missed = (self.actions - self.play(model)).flatten(0, 1)
            spread, centre = missed.std(0), missed.mean(0)
            as_noisy = (spread / self.noise - 1).abs() < 0.15
            return bool((as_noisy & (centre.abs() < 6 * spread / len(missed) ** 0.5)).all())
        larger = max(1.0, _spread(self.actions[~self.large]) / self.scale)  # rounding errors grow with the actions
        if self.miss(model, small=True) > max(self.tolerance, MOST[self.export.half]) * larger:
            return False
        miss = self.miss(model)
        return miss <= self.tolerance * larger or miss <= self._rounding(model, larger)

    def _rounding(self, model: Model, larger: float = 1.0) -> float:
        """Return the tolerance for rounding, in stds: a multiple of its effect on a model's actions, up to a limit."""
        half = self.export.half
        weights = self.export.weights.values() if half else ()
        dtype = next((x.dtype for x in weights if x.is_floating_point()), torch.float32)
        error = self.error(self.play(model.rounded(dtype)), self.play(model))
        return min(TIMES[half] * error, MOST[half] * larger)

    @functools.cached_property
    def noise(self) -> torch.Tensor:
        """Std of the noise on the export's actions, ``[actions]``, estimated from a second run of the export."""
        time, envs = self.played.again.shape[:2]
        apart = self.played.again.double() - self.actions[:time, :envs]
        return apart.flatten(0, 1).std(0) / 2**0.5


def _spread(actions: torch.Tensor) -> float:
    """Return the std of all actions ``[samples, actions]`` together."""
    return actions.var(0, correction=0).mean().sqrt().item()
