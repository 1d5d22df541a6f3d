"""What a policy is shown: the learner's own observations, a robot's, or where there are none, random numbers."""

from __future__ import annotations

import dataclasses
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rsl_edu.checkpoint import Policy
from rsl_edu.data import rollout
from rsl_edu.data.learner_input import learner_tensor
from rsl_edu.run_folder import regular, what_is

STEPS, ENVS = 64, 16
"""Steps and robots of a rollout, and the most that a recurrent policy is shown."""
SAMPLES = 1024
"""The most samples that a policy without memory is shown."""
_CRITIC = ("critic", "privileged", "privileged_obs", "critic_obs")
"""Names under which the observations of a critic are likely stored, likeliest first."""
_EXPECTED = "expected observations, a tensor or a dictionary of tensors in .pt, .npy or .npz"
_VECTORS = ("policy", "actor", "obs", "observations")
"""Names under which the vector observations of an actor are likely stored, likeliest first."""


@dataclasses.dataclass(frozen=True)
class Sample:
    """Observations, with what was recorded beside them.

    Attributes:
        observations: ``[time, envs, features]``, float32; single samples have a time of 1.
        source: Where they come from, in words.
        real: Whether a robot saw them.
        names: Of the features, or nothing.
        images: For each of the policy's images ``[time, envs, channels, height, width]``.
        dones: Whether the episode ended in this step, ``[time, envs]``, bool, or None.
        actions: What the policy did, ``[time, envs, actions]``, or None.
        rewards: Of each step, ``[time, envs]``, float64, or None.
        critic: The observations of a critic, ``[time, envs, features]``, or None.
    """

    observations: torch.Tensor
    source: str
    real: bool = True
    names: tuple[str, ...] = ()
    images: Mapping[str, torch.Tensor] = dataclasses.field(default_factory=dict)
    dones: torch.Tensor | None = None
    actions: torch.Tensor | None = None
    rewards: torch.Tensor | None = None
    critic: torch.Tensor | None = None

    def name(self, feature: int) -> str:
        """Return the name of a feature."""
        return self.names[feature] if self.names else f"feature {feature}"

    def thinned(self, recurrent: bool) -> Sample:
        """Return as much as is shown: single samples, evenly from all; for a memory, a stretch of time of some robots.

        Of a long recording, this is the stretch in which most episodes end, and the robots whose episodes they are.
        """
        time, envs = self.observations.shape[:2]
        if recurrent:
            ends = torch.zeros(time, envs) if self.dones is None else self.dones.float()
            start = 0
            if time > STEPS:  # what follows an end has to be seen too: those in the last quarter do not count
                start = int(ends.sum(1)[: -(STEPS // 4)].unfold(0, 3 * STEPS // 4, 1).sum(1).argmax())
            here = slice(start, start + STEPS)
            robots = ends[here].sum(0).argsort(descending=True, stable=True)[:ENVS].sort().values
            return self._each(lambda x: x[here, robots])
        kept = torch.arange(min(SAMPLES, time * envs)) * (time * envs) // min(SAMPLES, time * envs)
        return self._each(lambda x: x.flatten(0, 1)[kept].unsqueeze(0))

    def as_sequence(self) -> Sample:
        """Return single samples ``[1, samples, features]`` as the steps of one robot, ``[samples, 1, features]``."""
        return self._each(lambda x: x.transpose(0, 1))

    def beginning(self, steps: int, envs: int) -> Sample:
        """Return the first steps of the first robots."""
        return self._each(lambda x: x[:steps, :envs])

    def _each(self, pick: Any) -> Sample:
        beside = {name: getattr(self, name) for name in ("dones", "actions", "rewards", "critic")}
        picked: Any = {name: None if x is None else pick(x) for name, x in beside.items()}
        images = {name: pick(image) for name, image in self.images.items()}
        return dataclasses.replace(self, observations=pick(self.observations), images=images, **picked)


def image_sizes(recorded: Any) -> dict[str, tuple[int, int]]:
    """Return height and width of all images in what :func:`load` gave, for :func:`.checkpoint.read`."""
    named = recorded if isinstance(recorded, Mapping) else {}
    return {name: (x.shape[-2], x.shape[-1]) for name, x in named.items() if len(getattr(x, "shape", ())) >= 4}


def load(path: str | Path) -> torch.Tensor | dict[str, torch.Tensor]:
    """Read recorded observations: ``.pt`` of a tensor or of a dictionary of tensors, ``.npy`` or ``.npz``.

    Raises:
        ValueError: Another file, or a damaged one; the message names it. Nothing in it is executed.
        OSError: The file cannot be read.
    """
    path = regular(Path(path))
    try:
        if path.suffix in (".npy", ".npz"):
            with path.open("rb") as file:
                stored = np.load(file, allow_pickle=False)
                stored = {name: stored[name] for name in stored.files} if path.suffix == ".npz" else stored
        else:
            with warnings.catch_warnings():  # of pickles that torch did not write
                warnings.simplefilter("ignore")
                stored = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # a damaged file makes torch and numpy raise nearly anything
        raise ValueError(f"{path.name}: {_EXPECTED}, got {_refusal(path, error)}") from None
    if isinstance(stored, Mapping) and any(isinstance(x, Mapping) for x in stored.values()):
        got = "a checkpoint" if any(str(name).endswith("_state_dict") for name in stored) else "tables in a table"
        raise ValueError(f"{path.name}: {_EXPECTED}, got {got}: {', '.join(map(str, stored))}"[:300])
    read: torch.Tensor | dict[str, torch.Tensor] = _tensors(path.name, stored)
    tensors = read.values() if isinstance(read, dict) else [read]
    if path.suffix == ".pt" and sum(x.numel() * x.element_size() for x in tensors) > path.stat().st_size:
        raise ValueError(f"{path.name}: it claims more numbers than there are in the file")
    return read


def _refusal(path: Path, error: Exception) -> str:
    """Say what a file is that torch or numpy refused."""
    what = (what_is(path) or "").partition("; ")[0]
    asked = re.search(r"GLOBAL (\S+)", str(error))
    if what and not what.startswith(("an array of NumPy", "arrays of NumPy")):
        return what
    if asked or "allow_pickle" in str(error):
        named = f" ({asked[1]})" if asked else ""
        return f"objects{named}, which are not loaded, as that could run any code"
    return "a damaged file; copy or record it again"


def own(policy: Policy, recorded: Any, source: str = "your observations") -> Sample:
    """Check the learner's own observations against what the policy takes.

    Args:
        policy: The policy.
        recorded: ``[samples, features]`` or ``[time, envs, features]``; or a dictionary: vectors like these under any
            names (the policy's alone, or all that are joined to its input), images ``[..., channels, height, width]``
            under the policy's names for them, and if they were recorded ``dones``, ``actions``, ``rewards``, and what
            the critic sees as ``critic``.
        source: Where they come from, in words.

    Raises:
        TypeError, ValueError: They are not what the policy takes; the message says what it takes.
    """
    named = _tensors("observations", recorded)
    named = dict(named) if isinstance(named, dict) else {"observations": named}
    beside = {name: named.pop(name, None) for name in ("dones", "actions", "rewards")}
    of_critic = next((named[name].float() for name in _CRITIC if name in named), None)
    missing = [name for name in policy.cnns if name not in named]
    if missing:
        raise ValueError(f"observations: expected an image {missing[0]!r}, got {', '.join(named)}")
    seen = {name: named.pop(name) for name in policy.cnns}
    x = _vectors(policy, named).float()
    lead = x.shape[:-1]
    for name, image in seen.items():
        cnn: Any = policy.cnns[name]
        if image.shape != (*lead, *cnn.input_shape):
            raise ValueError(
                f"observations: expected {name} of shape {[*lead, *cnn.input_shape]}, got {list(image.shape)}"
            )
    if not x.isfinite().all() or not all(image.isfinite().all() for image in seen.values()):
        raise ValueError("observations: expected finite values, got NaN or infinity")
    if 0 in lead:
        raise ValueError("observations: expected at least one sample, got none")
    dones, actions = beside["dones"], beside["actions"]
    if dones is not None:
        if dones.shape not in (lead, (*lead, 1)):
            raise ValueError(f"dones: expected shape {list(lead)}, got {list(dones.shape)}")
        if not ((dones == 0) | (dones == 1)).all():
            raise ValueError("dones: expected 0 and 1, or False and True, got other values")
        dones = dones.reshape(lead).bool()
    if actions is not None and actions.shape != (*lead, policy.actions):
        raise ValueError(f"actions: expected shape {[*lead, policy.actions]}, got {list(actions.shape)}")
    if actions is not None and not actions.isfinite().all():
        raise ValueError("actions: expected finite values, got NaN or infinity")
    rewards = beside["rewards"]
    if rewards is not None:
        if rewards.shape not in (lead, (*lead, 1)):
            raise ValueError(f"rewards: expected shape {list(lead)}, got {list(rewards.shape)}")
        if not rewards.isfinite().all():
            raise ValueError("rewards: expected finite values, got NaN or infinity")
        rewards = rewards.reshape(lead).double()
    if of_critic is not None and (of_critic.shape[:-1] != lead or not of_critic.isfinite().all()):
        of_critic = None
    sample = Sample(x, source, True, (), {n: i.float() for n, i in seen.items()}, dones, actions, rewards, of_critic)
    return sample if x.dim() == 3 else sample._each(lambda values: values.unsqueeze(0))


def play(policy: Policy, robot: str) -> Sample:
    """Let the policy play a robot of Gymnasium, with the noise that it explores with.

    Args:
        policy: The policy.
        robot: Its name: ``InvertedPendulum-v5``.

    Raises:
        ValueError: No such robot, or one of another size; the message names both.
    """
    if policy.cnns:
        raise ValueError(f"robot: {robot} has no {next(iter(policy.cnns))!r} to see: give observations")
    probe = rollout(robot, steps=1, envs=1)
    sizes = probe.observations.shape[2], probe.actions.shape[2]
    if sizes != (policy.features, policy.actions):
        raise ValueError(
            f"robot: expected one of {policy.features} observations and {policy.actions} actions, as the policy has; "
            f"{robot} has {sizes[0]} and {sizes[1]}"
        )
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)  # torch.manual_seed also reseeds the learner's GPU
        policy.reset()
        run = rollout(robot, STEPS, ENVS, policy=_Exploring(policy))
        policy.reset()
    source = f"{STEPS * ENVS:,} steps of {robot}, played by the last checkpoint"
    return Sample(run.observations, source, names=run.names, dones=run.dones)


def stand_in(policy: Policy) -> Sample:
    """Draw observations from what the policy's normalizer saw, or else with mean 0 and std 1: no robot saw them."""
    if policy.cnns:
        raise ValueError(f"observations: needed, as the policy sees {next(iter(policy.cnns))!r}")
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(STEPS, ENVS, policy.features, generator=draw)
    source = "random numbers with mean 0 and std 1, as no observations were given"
    if policy.normalizer is not None:
        x = policy.normalizer.mean + policy.normalizer.std * x
        source = "random numbers with the normalizer's mean and std, as no observations were given"
    return Sample(x.nan_to_num(), source, real=False)


class _Exploring:
    """A policy that samples its actions, and forgets where an episode ended."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.reset = policy.reset

    def __call__(self, observations: torch.Tensor) -> torch.Tensor:
        distribution = self._policy.distribution
        distribution.update(self._policy.mlp(self._policy.latent(observations)))
        return distribution.sample().nan_to_num()


def _tensors(name: str, value: Any) -> Any:
    """Return tensors or arrays, one or named ones, as plain tensors."""
    if isinstance(value, Mapping):
        return {str(key): learner_tensor(f"{name}[{key!r}]", each) for key, each in value.items()}
    return learner_tensor(name, value)


def _vectors(policy: Policy, named: dict[str, torch.Tensor]) -> torch.Tensor:
    """Pick or join what the policy takes."""
    everything = named
    named = {name: x for name, x in named.items() if x.dim() in (2, 3)}
    fitting = [name for name, x in named.items() if x.shape[-1] == policy.features]
    first = next((name for name in _VECTORS if name in fitting), fitting[0] if len(fitting) == 1 else None)
    if first is not None:
        return named[first]
    leads = {x.shape[:-1] for x in named.values()}
    if len(named) > 1 and len(leads) == 1 and sum(x.shape[-1] for x in named.values()) == policy.features:
        return torch.cat([x.float() for x in named.values()], dim=-1)
    got = ", ".join(f"{name} {list(x.shape)}" for name, x in (named or everything).items()) or "none"
    raise ValueError(
        f"observations: expected shape [samples, {policy.features}] or [time, envs, {policy.features}], got {got}"
    )
