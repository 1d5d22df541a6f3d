"""The observations that a policy is shown: the user's own, those of a Gymnasium robot, or random numbers."""

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
"""Number of steps and number of robots in a rollout. A recurrent policy is shown at most these numbers of both."""
SAMPLES = 1024
"""Maximum number of samples that a policy without a hidden state is shown."""
_CRITIC = ("critic", "privileged", "privileged_obs", "critic_obs")
"""Usual names of a critic's observations, the most common first."""
_EXPECTED = "expected observations, a tensor or a dictionary of tensors in .pt, .npy or .npz"
_VECTORS = ("policy", "actor", "obs", "observations")
"""Usual names of an actor's vector observations, the most common first."""


@dataclasses.dataclass(frozen=True)
class Sample:
    """Observations, and what was recorded along with them.

    Attributes:
        observations: ``[time, envs, features]``, float32; for independent samples, time is 1.
        source: Where they come from, in words.
        real: Whether they are real observations rather than random numbers.
        names: Names of the features, or empty.
        images: Each of the policy's images by name, ``[time, envs, channels, height, width]``.
        dones: Whether the episode ended in this step, bool ``[time, envs]``, or None.
        actions: The policy's actions, ``[time, envs, actions]``, or None.
        rewards: The reward of each step, float64 ``[time, envs]``, or None.
        critic: The critic's observations, ``[time, envs, features]``, or None.
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
        """Return the subset that a policy is shown.

        A policy without a hidden state is shown samples that are spread evenly over the recording. A recurrent policy
        is shown consecutive steps of some robots. In a long recording, these are the steps in which the largest number
        of episodes end, and the robots with the largest number of episode ends.
        """
        time, envs = self.observations.shape[:2]
        if recurrent:
            ends = torch.zeros(time, envs) if self.dones is None else self.dones.float()
            start = 0
            if time > STEPS:  # ends in the last quarter do not count, as the steps after an end are needed, too
                start = int(ends.sum(1)[: -(STEPS // 4)].unfold(0, 3 * STEPS // 4, 1).sum(1).argmax())
            here = slice(start, start + STEPS)
            robots = ends[here].sum(0).argsort(descending=True, stable=True)[:ENVS].sort().values
            return self._each(lambda x: x[here, robots])
        kept = torch.arange(min(SAMPLES, time * envs)) * (time * envs) // min(SAMPLES, time * envs)
        return self._each(lambda x: x.flatten(0, 1)[kept].unsqueeze(0))

    def as_sequence(self) -> Sample:
        """Return independent samples ``[1, samples, ...]`` as the steps of one robot, ``[samples, 1, ...]``."""
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
    """Return height and width of all images in the result of :func:`load`, for :func:`.checkpoint.read`."""
    named = recorded if isinstance(recorded, Mapping) else {}
    return {name: (x.shape[-2], x.shape[-1]) for name, x in named.items() if len(getattr(x, "shape", ())) >= 4}


def load(path: str | Path) -> torch.Tensor | dict[str, torch.Tensor]:
    """Read recorded observations from a file without executing anything in it.

    Args:
        path: A ``.pt`` file with a tensor or a dictionary of tensors, or a ``.npy`` or ``.npz`` file.

    Raises:
        ValueError: The file contains something else or is damaged; the message names it.
        OSError: The file cannot be read.
    """
    path = regular(Path(path))
    try:
        if path.suffix in (".npy", ".npz"):
            with path.open("rb") as file:
                stored = np.load(file, allow_pickle=False)
                stored = {name: stored[name] for name in stored.files} if path.suffix == ".npz" else stored
        else:
            with warnings.catch_warnings():  # torch warns about pickles that it did not write
                warnings.simplefilter("ignore")
                stored = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # a damaged file makes torch and numpy raise nearly anything
        raise ValueError(f"{path.name}: {_EXPECTED}, got {_refusal(path, error)}") from None
    if isinstance(stored, Mapping) and any(isinstance(x, Mapping) for x in stored.values()):
        got = "a checkpoint" if any(str(name).endswith("_state_dict") for name in stored) else "nested dictionaries"
        raise ValueError(f"{path.name}: {_EXPECTED}, got {got}: {', '.join(map(str, stored))}"[:300])
    read: torch.Tensor | dict[str, torch.Tensor] = _tensors(path.name, stored)
    tensors = read.values() if isinstance(read, dict) else [read]
    if path.suffix == ".pt" and sum(x.numel() * x.element_size() for x in tensors) > path.stat().st_size:
        raise ValueError(f"{path.name}: it declares more numbers than the file contains")
    return read


def _refusal(path: Path, error: Exception) -> str:
    """Describe a file that torch or NumPy refused to read."""
    what = (what_is(path) or "").partition("; ")[0]
    asked = re.search(r"GLOBAL (\S+)", str(error))
    if what and not what.startswith(("an array of NumPy", "arrays of NumPy")):
        return what
    if asked or "allow_pickle" in str(error):
        named = f" ({asked[1]})" if asked else ""
        return f"objects{named}; they are not loaded because that could execute code"
    return "a damaged file; copy or record it again"


def own(policy: Policy, recorded: Any, source: str = "your observations") -> Sample:
    """Check the user's own observations against the inputs of the policy.

    Args:
        policy: The policy.
        recorded: Observations ``[samples, features]`` or ``[time, envs, features]``, or a dictionary. A dictionary can
            contain vector observations of these shapes under any names (the policy's input, or the groups that are
            joined to form it), images ``[..., channels, height, width]`` under the policy's names for them, and, if
            they were recorded, ``dones``, ``actions``, ``rewards`` and the critic's observations as ``critic``.
        source: Where they come from, in words.

    Raises:
        TypeError, ValueError: The observations do not fit the policy; the message says what the policy expects.
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
    """Run the policy on a Gymnasium robot, with its exploration noise.

    Args:
        policy: The policy.
        robot: Name of the robot, such as ``InvertedPendulum-v5``.

    Raises:
        ValueError: There is no such robot, or its numbers of observations and actions differ from the policy's.
    """
    if policy.cnns:
        raise ValueError(f"robot: {robot} provides no image {next(iter(policy.cnns))!r}; give observations instead")
    probe = rollout(robot, steps=1, envs=1)
    sizes = probe.observations.shape[2], probe.actions.shape[2]
    if sizes != (policy.features, policy.actions):
        raise ValueError(
            f"robot: expected one with {policy.features} observations and {policy.actions} actions, like the policy; "
            f"{robot} has {sizes[0]} and {sizes[1]}"
        )
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)  # torch.manual_seed also reseeds the learner's GPU
        policy.reset()
        run = rollout(robot, STEPS, ENVS, policy=_Exploring(policy))
        policy.reset()
    source = f"{STEPS * ENVS:,} steps of {robot}, controlled by the last checkpoint"
    return Sample(run.observations, source, names=run.names, dones=run.dones)


def stand_in(policy: Policy) -> Sample:
    """Draw random observations with the mean and std of the policy's normalizer, or 0 and 1 if it has none.

    Raises:
        ValueError: The policy has images, which random numbers cannot replace.
    """
    if policy.cnns:
        raise ValueError(f"observations: needed, because the policy takes the image {next(iter(policy.cnns))!r}")
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(STEPS, ENVS, policy.features, generator=draw)
    source = "random numbers with mean 0 and std 1, as no observations were given"
    if policy.normalizer is not None:
        x = policy.normalizer.mean + policy.normalizer.std * x
        source = "random numbers with the normalizer's mean and std, as no observations were given"
    return Sample(x.nan_to_num(), source, real=False)


class _Exploring:
    """A policy that samples its actions, and whose hidden state is reset when an episode ends."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.reset = policy.reset

    def __call__(self, observations: torch.Tensor) -> torch.Tensor:
        distribution = self._policy.distribution
        distribution.update(self._policy.mlp(self._policy.latent(observations)))
        return distribution.sample().nan_to_num()


def _tensors(name: str, value: Any) -> Any:
    """Return a tensor or an array, or a dictionary of them, as plain tensors."""
    if isinstance(value, Mapping):
        return {str(key): learner_tensor(f"{name}[{key!r}]", each) for key, each in value.items()}
    return learner_tensor(name, value)


def _vectors(policy: Policy, named: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the group of vectors that fits the policy's input, or all groups joined."""
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
