"""Checkpoints that rsl_rl saved: read as data, in the layouts of all its releases, and rebuilt from our modules."""

from __future__ import annotations

import dataclasses
import itertools
import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rsl_edu.modules import (
    CNN,
    MLP,
    RNN,
    BetaDistribution,
    Distribution,
    EmpiricalNormalization,
    GaussianDistribution,
    HeteroscedasticGaussianDistribution,
)
from rsl_edu.modules.validate import whole
from rsl_edu.run_folder import NUMBERED, CheckpointError, agent_config, checkpoint_files, reason

_OF_THE_STATE: dict[str, Any] = {
    kind.__name__: kind for kind in (HeteroscedasticGaussianDistribution, BetaDistribution)
}
_ACTOR = {  # the first word of a parameter's name, before rsl_rl 4 -> since rsl_rl 5
    "actor": "mlp",
    "actor_obs_normalizer": "obs_normalizer",
    "actor_cnns": "cnns",
    "memory_a": "rnn",
    "student": "mlp",
    "student_obs_normalizer": "obs_normalizer",
    "memory_s": "rnn",
    "std": "distribution.std_param",
    "log_std": "distribution.log_std_param",
} | {name: name for name in ("mlp", "obs_normalizer", "cnns", "rnn", "distribution")}
_CRITIC = ("critic", "critic_obs_normalizer", "critic_cnns", "memory_c")
_TEACHER = ("teacher", "teacher_obs_normalizer", "memory_t")
_NORMALIZERS = ("obs_norm_state_dict", "critic_obs_norm_state_dict", "privileged_obs_norm_state_dict")  # rsl_rl 2
_NUMBERS = (torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.int32)
_PLAIN = (torch.strided, torch.device("cpu"))


class Policy(nn.Module):
    r"""The actor of rsl_rl: normaliser :math:`\to` (CNN | RNN) :math:`\to` MLP :math:`\to` distribution.

    Its ``state_dict`` has the names of rsl_rl 5.

    Args:
        mlp: What maps the latent to the distribution's parameters.
        distribution: Of the actions.
        obs_normalizer: Of the observations that are vectors; None: they enter as they are.
        rnn: Memory between normaliser and MLP; None: there is none.
        cnns: For the name of each observation that is an image, what makes features of it.
    """

    def __init__(
        self,
        mlp: MLP,
        distribution: Distribution,
        obs_normalizer: nn.Module | None = None,
        rnn: RNN | None = None,
        cnns: Mapping[str, CNN] | None = None,
    ) -> None:
        super().__init__()
        self.obs_normalizer = nn.Identity() if obs_normalizer is None else obs_normalizer
        self.rnn = rnn
        self.cnns = nn.ModuleDict(cnns or {})
        self.mlp = mlp
        self.distribution = distribution

    @property
    def features(self) -> int:
        """Features of an observation, its images left out."""
        if self.rnn is not None:
            return int(self.rnn.rnn.input_size)
        seen: int = sum(cnn.output_dim for cnn in self.cnns.values())  # type: ignore[misc]
        first: Any = self.mlp[0]
        return int(first.in_features) - seen

    @property
    def actions(self) -> int:
        """Dimensions of an action."""
        return self.distribution.output_dim

    @property
    def normalizer(self) -> EmpiricalNormalization | None:
        """The normaliser, if the policy has one."""
        return self.obs_normalizer if isinstance(self.obs_normalizer, EmpiricalNormalization) else None

    def latent(self, observations: torch.Tensor, images: Mapping[str, torch.Tensor] | None = None) -> torch.Tensor:
        """Return what enters the MLP, ``[envs, latent]``; a recurrent policy takes one step.

        Args:
            observations: ``[envs, features]``.
            images: For each name in ``cnns`` ``[envs, channels, height, width]``.
        """
        latent = self.obs_normalizer(observations)
        if self.rnn is not None:
            latent = self.rnn(latent).squeeze(0)
        seen = [cnn((images or {})[name]) for name, cnn in self.cnns.items()]
        return torch.cat([latent, *seen], dim=-1) if seen else latent

    def forward(self, observations: torch.Tensor, images: Mapping[str, torch.Tensor] | None = None) -> torch.Tensor:
        """Return the mean action, ``[envs, actions]``, as a trained policy plays it (arguments: :meth:`latent`)."""
        return self.distribution.deterministic_output(self.mlp(self.latent(observations, images)))

    def reset(self, dones: torch.Tensor | None = None) -> None:
        """Forget the memory of the environments whose episode ended, ``dones [envs]``, or all of it."""
        if self.rnn is not None:
            self.rnn.reset(dones)


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """What one file held.

    Attributes:
        path: The file.
        layout: Releases of rsl_rl that write files like this.
        iteration: Of the training: the number in the file's name, or else in the file.
        policy: The actor, in evaluation mode.
        learning_rate: Of the optimiser, or None if there is none in the file.
        critic_normalized: Whether the observations of the critic are normalised.
        unread: Names of parameters that stand beside actor and critic, and are in no model of rsl_rl.
    """

    path: Path
    layout: str
    iteration: int
    policy: Policy
    learning_rate: float | None
    critic_normalized: bool
    unread: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Run:
    """The checkpoints of one training.

    Attributes:
        path: The folder, or the one file.
        checkpoints: In the order of their iterations; all of one architecture.
        skipped: For each file that could not be read: why.
        left_out: How many files were not read because there are so many.
    """

    path: Path
    checkpoints: tuple[Checkpoint, ...]
    skipped: Mapping[Path, str]
    left_out: int = 0


def read(
    path: str | Path,
    activation: str | None = None,
    config: Mapping[str, Any] | None = None,
    images: Mapping[str, tuple[int, int]] | None = None,
) -> Checkpoint:
    """Read a checkpoint and rebuild its policy. Nothing in the file is executed.

    The sizes of the layers are those of the weights. What they do not say must be given:

    Args:
        path: A file that rsl_rl saved: ``model_50.pt``.
        activation: Of the hidden layers; None takes that of ``config``, or else ``elu``.
        config: The actor's configuration, as rsl_rl 5 names it: ``activation``; ``distribution_cfg`` if its std depends
            on the state, or if it is a Beta; ``cnn_cfg`` (``stride``, ``padding`` …) if it sees.
        images: Height and width of each observation that is an image, by its name.

    Raises:
        CheckpointError: No checkpoint of rsl_rl, a damaged one, or one that says too little; the message names it.
        OSError: The file cannot be read.
    """
    path, config = Path(path), dict(config or {})
    if activation is not None:
        config["activation"] = activation
    stored = _load(path)
    layout, actor, others = _actor(path, stored)
    weights, unread = {}, []
    for name, tensor in actor.items():
        first, dot, rest = name.partition(".")
        if first in _ACTOR:
            weights[_ACTOR[first] + dot + rest] = tensor
        elif first not in _CRITIC + _TEACHER:
            unread.append(name)
    try:
        policy = _rebuilt(weights, config, images or {})
    except CheckpointError as error:
        raise CheckpointError(f"{path.name}: {error}") from None
    number = NUMBERED.fullmatch(path.name)
    iteration = int(number[1]) if number else stored.get("iter")
    return Checkpoint(
        path=path,
        layout=layout,
        iteration=iteration if isinstance(iteration, int) else 0,
        policy=policy,
        learning_rate=_learning_rate(stored),
        critic_normalized=not others.isdisjoint(("critic_obs_normalizer._mean", "obs_normalizer._mean")),
        unread=tuple(unread),
    )


def read_run(
    path: str | Path,
    activation: str | None = None,
    config: Mapping[str, Any] | None = None,
    images: Mapping[str, tuple[int, int]] | None = None,
    most: int = 40,
) -> Run:
    """Read the checkpoints of a run folder, ``model_0.pt``, ``model_50.pt``, …; or one file.

    A file that cannot be read, or holds another architecture than the last one, is left out, and its reason kept.

    Args:
        path: The folder or the file.
        activation: As for :func:`read`.
        config: As for :func:`read`; None looks into ``params/agent.yaml`` beside the files, where Isaac Lab writes it.
        images: As for :func:`read`.
        most: Of more files than this, as many are read, evenly over the training.

    Raises:
        CheckpointError: No checkpoint at all, or none that can be read.
        OSError: The folder cannot be read.
    """
    path = Path(path)
    files = checkpoint_files(path)
    spread = range(whole("most", most))
    kept = {len(files) - 1 - i * (len(files) - 1) // max(1, most - 1) for i in spread}  # the last one in any case
    chosen = files if len(files) <= most else [files[i] for i in sorted(kept)]
    if config is None:
        config = agent_config((path.parent if path.is_file() else path) / "params" / "agent.yaml")
    found: list[Checkpoint] = []
    skipped: dict[Path, str] = {}
    for file in reversed(chosen):
        try:
            checkpoint = read(file, activation, config, images)
            if found and (other := _difference(found[0].policy, checkpoint.policy)):
                raise CheckpointError(f"{file.name}: {other}, unlike {found[0].path.name}")
        except (CheckpointError, OSError) as error:
            skipped[file] = str(error)
        else:
            found.append(checkpoint)
    if not found:
        raise CheckpointError(next(iter(skipped.values())))
    return Run(path, tuple(reversed(found)), skipped, len(files) - len(chosen))


def _load(path: Path) -> dict[str, Any]:
    """Return what ``torch.save`` wrote, if it is plain data that fits into memory."""
    size = path.stat().st_size
    if not size:
        raise CheckpointError(f"{path.name}: the file is empty (0 bytes)")
    with path.open("rb"):  # an OSError after this is one of a damaged file, which says where to look in it
        pass
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                entries = archive.infolist()
            if any("/code/" in entry.filename for entry in entries):
                raise CheckpointError(
                    f"{path.name}: an exported policy (TorchScript); expected a checkpoint such as model_50.pt"
                )
            # torch.save compresses nothing: what is packed may not fit
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
                raise CheckpointError(f"{path.name}: a compressed archive, which torch.save does not write")
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except CheckpointError:
        raise
    except Exception as error:  # a damaged file makes torch raise nearly anything
        called = re.search(r"GLOBAL (\S+)", str(error))
        if called:
            what = (
                f"expected tensors and plain data, but it asks for {called[1]}; not loaded, as that could run any code"
            )
        else:
            what = f"damaged, or not written by torch.save ({reason(error)})"
        raise CheckpointError(f"{path.name}: {what}") from None
    if not isinstance(stored, dict):
        raise CheckpointError(f"{path.name}: expected a checkpoint of rsl_rl, got one {type(stored).__name__}")
    return dict(dict.items(stored))  # a file can put attributes of its own in the place of an OrderedDict's methods


def _actor(path: Path, stored: Mapping[str, Any]) -> tuple[str, dict[str, torch.Tensor], set[str]]:
    """Return the layout, the parameters of the model that has the actor, and the names of all others."""
    names = ", ".join(map(str, list(stored)[:6])) or "nothing"
    part = next((n for n in ("actor_state_dict", "student_state_dict", "model_state_dict") if n in stored), None)
    if part is None:
        raise CheckpointError(
            f"{path.name}: expected a checkpoint of rsl_rl, with actor_state_dict or model_state_dict; it holds {names}"
        )
    actor = _tensors(path, part, stored[part])
    heads = {name.partition(".")[0] for name in actor}
    if not heads & {"mlp", "actor", "student"}:
        raise CheckpointError(
            f"{path.name}: expected an actor in {part} (mlp.0.weight or actor.0.weight), got "
            f"{', '.join(sorted(actor)[:4]) or 'nothing'}"
        )
    others = set(actor)
    if part == "model_state_dict":
        layout = "rsl_rl 2" if any(name in stored for name in _NORMALIZERS) else "rsl_rl 2 or 3"
        if any("obs_normalizer" in head for head in heads) or heads & {"actor_cnns", "student_obs_normalizer"}:
            layout = "rsl_rl 3"
        if "obs_norm_state_dict" in stored:
            statistics = _tensors(path, "obs_norm_state_dict", stored["obs_norm_state_dict"])
            actor |= {f"obs_normalizer.{name}": tensor for name, tensor in statistics.items()}
        others |= {"obs_normalizer._mean" for name in _NORMALIZERS[1:] if name in stored}
    else:
        layout = {True: "rsl_rl 4", False: "rsl_rl 4 or 5"}[bool(heads & {"std", "log_std"})]
        layout = "rsl_rl 5" if "distribution" in heads else layout
        critic = stored.get("critic_state_dict")
        others = set(critic) if isinstance(critic, Mapping) else set()
    return layout, actor, others


def _tensors(path: Path, part: str, table: Any) -> dict[str, torch.Tensor]:
    """Check that a state dict holds plain tensors that are not larger than their file."""
    if not isinstance(table, dict):
        raise CheckpointError(f"{path.name}: expected names and tensors in {part}, got {type(table).__name__}")
    tensors: dict[str, torch.Tensor] = dict(dict.items(table))  # as in _load
    size, claimed = path.stat().st_size, 0
    for name, tensor in tensors.items():
        if not isinstance(name, str):
            raise CheckpointError(f"{path.name}: expected names in {part}, got {name!r}")
        if not isinstance(tensor, torch.Tensor):
            raise CheckpointError(f"{path.name}: expected a tensor at {part}[{name!r}], got {type(tensor).__name__}")
        own = type(tensor) not in (torch.Tensor, nn.Parameter) or vars(tensor)  # methods or attributes
        if own or tensor.is_nested or tensor.dtype not in _NUMBERS or (tensor.layout, tensor.device) != _PLAIN:
            raise CheckpointError(f"{path.name}: expected a plain tensor of real numbers at {part}[{name!r}]")
        claimed += tensor.numel() * tensor.element_size()
    if claimed > size:
        raise CheckpointError(f"{path.name}: {part} claims {claimed:,} bytes of numbers in a file of {size:,}")
    return tensors


def _rebuilt(
    weights: dict[str, torch.Tensor], config: Mapping[str, Any], images: Mapping[str, tuple[int, int]]
) -> Policy:
    """Build the policy that has these weights, by the names of rsl_rl 5."""
    linear = _shapes(weights, "mlp.", dims=2)
    mean = weights.get("obs_normalizer._mean")
    blind = not any(name.startswith("cnns.") for name in weights)
    if mean is not None and mean.shape == (1, 0) and not blind:  # it sees images alone: there is nothing to normalise
        weights = {name: tensor for name, tensor in weights.items() if not name.startswith("obs_normalizer.")}
        mean = None
    if mean is not None and (mean.dim() != 2 or len(mean) != 1):
        raise CheckpointError(f"expected obs_normalizer._mean of shape [1, features], got {list(mean.shape)}")
    try:
        normalizer = None if mean is None else EmpiricalNormalization(list(mean.shape[1:]))
        with torch.random.fork_rng(devices=[]):  # modules begin with random weights
            distribution = _distribution(weights, config.get("distribution_cfg"), linear[-1][0])
            hidden = [size for size, _ in linear[:-1]]
            mlp = MLP(linear[0][1], distribution.input_dim, hidden, config.get("activation", "elu"))
            names = dict.fromkeys(name.split(".")[1] for name in weights if name.startswith("cnns."))
            cnns = {name: _cnn(name, weights, config.get("cnn_cfg") or {}, images) for name in names}
            policy = Policy(mlp, distribution, normalizer, _rnn(weights), cnns)
    except (TypeError, ValueError, AttributeError, RuntimeError) as error:  # of what the configuration says, too
        raise CheckpointError(str(error)) from None
    _fill(policy, weights)
    if mean is not None and mean.numel() != policy.features:
        seen = f", of which {linear[0][1] - policy.features} are features of images" if cnns else ""
        raise CheckpointError(
            f"the actor does not fit together: its normaliser has {mean.numel()} features, and its network takes "
            f"{linear[0][1] if policy.rnn is None else policy.features}{seen}"
        )
    made: int = sum(cnn.output_dim for cnn in cnns.values())  # type: ignore[misc]
    made += policy.rnn.rnn.hidden_size if policy.rnn else 0
    if made > linear[0][1] or (policy.rnn and made != linear[0][1]):
        part = "memory" if policy.rnn else "CNN"
        raise CheckpointError(
            f"the actor does not fit together: its {part} makes {made} features, and its network takes {linear[0][1]}"
        )
    return policy.eval().requires_grad_(False)


def _shapes(weights: Mapping[str, torch.Tensor], prefix: str, dims: int) -> list[tuple[int, ...]]:
    """Return the shapes of the weights ``prefix``0.weight, ``prefix``2.weight, … that have so many dimensions."""
    pattern = re.compile(rf"{re.escape(prefix)}(\d+)\.weight")
    found = {int(match[1]): tensor for name, tensor in weights.items() if (match := pattern.fullmatch(name))}
    shapes = [tuple(found[i].shape) for i in sorted(found) if found[i].dim() == dims and found[i].numel()]
    if not shapes:
        raise CheckpointError(f"the actor has no {prefix}0.weight of {dims} dimensions")
    for before, after in itertools.pairwise(shapes):  # or a small file could ask for a large network
        if after[1] != before[0]:
            raise CheckpointError(
                f"the actor does not fit together: a layer of {prefix[:-1]} has {before[0]} outputs, and the next "
                f"{after[1]} inputs"
            )
    return shapes


def _distribution(weights: Mapping[str, torch.Tensor], config: Any, outputs: int) -> Distribution:
    given = dict(config or {})
    kind = re.split("[.:]", str(given.get("class_name", "")))[-1]  # rsl_rl takes rsl_rl.modules:BetaDistribution too
    own = next((name for name in ("std_param", "log_std_param") if f"distribution.{name}" in weights), None)
    if own is not None:
        limits = {"std_range": given["std_range"]} if "std_range" in given else {}
        return GaussianDistribution(outputs, std_type="scalar" if own == "std_param" else "log", **limits)
    if kind not in _OF_THE_STATE:
        raise CheckpointError(
            "the actor has no std of its own, so it depends on the state, or the actions are of a Beta distribution. "
            "The file does not say which: give distribution_cfg in config (or in the agent.yaml that --config takes), "
            'such as {"class_name": "HeteroscedasticGaussianDistribution"}'
        )
    if outputs % 2:
        raise CheckpointError(f"{kind} takes two outputs for each action, but the MLP has {outputs}")
    known = {name: given[name] for name in ("std_range", "std_type", "action_range") if name in given}
    made: Distribution = _OF_THE_STATE[kind](outputs // 2, **known)
    return made


def _rnn(weights: Mapping[str, torch.Tensor]) -> RNN | None:
    named = {name: tensor for name, tensor in weights.items() if name.startswith("rnn.rnn.weight_hh_l")}
    if not named:
        return None
    first, inside = weights.get("rnn.rnn.weight_ih_l0"), weights.get("rnn.rnn.weight_hh_l0")
    if first is None or inside is None or first.dim() != 2 or inside.dim() != 2:
        raise CheckpointError("the actor has a memory without the weights of its first layer, rnn.rnn.weight_ih_l0")
    kind = {3: "gru", 4: "lstm"}.get(first.shape[0] // max(1, inside.shape[1]))  # by the number of gates
    if kind is None or inside.shape[0] != first.shape[0]:
        raise CheckpointError(f"expected the 3 gates of a GRU or the 4 of an LSTM, got weights {list(first.shape)}")
    layers = sum(tensor.shape == inside.shape for tensor in named.values())
    return RNN(first.shape[1], inside.shape[1], layers, kind)


def _cnn(
    group: str, weights: Mapping[str, torch.Tensor], config: Mapping[str, Any], images: Mapping[str, tuple[int, int]]
) -> CNN:
    if group not in images:
        raise CheckpointError(
            f"the actor sees {group!r}, and the file does not say how large that is: "
            f"give observations that have it, or images={{{group!r}: (height, width)}}"
        )
    filters = _shapes(weights, f"cnns.{group}.", dims=4)
    if any(height != width for *_, height, width in filters):
        raise CheckpointError(f"expected square filters of {group!r}, got weights {[list(shape) for shape in filters]}")
    own = config.get(group, config)
    unsaid = ("stride", "dilation", "padding", "norm", "activation", "max_pool", "global_pool")
    return CNN(
        images[group],
        filters[0][1],
        [shape[0] for shape in filters],
        [shape[2] for shape in filters],
        **{name: own[name] for name in unsaid if name in own},
    )


def _fill(policy: Policy, weights: dict[str, torch.Tensor]) -> None:
    """Load the weights; where they do not fit, say which."""
    expected = policy.state_dict()
    wrong = [
        f"with {name} of shape {list(weights[name].shape)} where {list(expected[name].shape)} fits"
        for name in expected
        if name in weights and expected[name].shape != weights[name].shape
    ]
    missing, extra = expected.keys() - weights.keys(), weights.keys() - expected.keys()
    wrong += [f"{word} {_some(names)}" for word, names in (("without", missing), ("with", extra)) if names]
    if wrong:
        raise CheckpointError(f"the actor does not fit together: {'; '.join(wrong[:2])}")
    policy.load_state_dict(weights)


def _difference(one: Policy, other: Policy) -> str:
    """Say in which way the architecture of another policy differs, if it does."""
    shapes, others = ({name: list(t.shape) for name, t in policy.state_dict().items()} for policy in (one, other))
    names = [name for name in shapes | others if shapes.get(name) != others.get(name)]
    return f"its {names[0]} is {others.get(names[0], 'missing')}" if names else ""


def _learning_rate(stored: Mapping[str, Any]) -> float | None:
    try:
        rate = stored["optimizer_state_dict"]["param_groups"][0]["lr"]
        return float(rate)
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError, OverflowError):
        return None


def _some(names: Iterable[str]) -> str:
    names = sorted(names)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
