"""Rebuilds a policy from its weights, whose shapes determine the number and the sizes of its layers."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any

import torch

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
from rsl_edu.run_folder import CheckpointError

from .policy import Policy

_OF_THE_STATE: dict[str, Any] = {
    kind.__name__: kind for kind in (HeteroscedasticGaussianDistribution, BetaDistribution)
}
"""The distributions whose std is an output of the network, so that a checkpoint has no parameter for the std."""


class SettingError(CheckpointError):
    """A setting does not fit the weights, or no rsl_rl module accepts it."""


def rebuild_policy(
    weights: Mapping[str, torch.Tensor], config: Mapping[str, Any], images: Mapping[str, tuple[int, int]]
) -> Policy:
    """Build the policy with these weights, in evaluation mode and without gradients.

    Args:
        weights: The actor's weights under the names of rsl_rl 5.
        config: The actor's configuration, as for :func:`.checkpoint.read`.
        images: Height and width of each image observation, by its name.

    Raises:
        CheckpointError: The weights do not fit together, or the weights and the configuration do not determine the
            policy.
    """
    weights = _without_empty_normalizer(weights)
    linear = _shapes(weights, "mlp.", dims=2)
    mean = weights.get("obs_normalizer._mean")
    if mean is not None and (mean.dim() != 2 or len(mean) != 1):
        raise CheckpointError(f"expected obs_normalizer._mean of shape [1, features], got {list(mean.shape)}")
    try:
        normalizer = None if mean is None else EmpiricalNormalization(list(mean.shape[1:]))
        with torch.random.fork_rng(devices=[]):  # modules draw random initial weights
            distribution = _distribution(weights, config.get("distribution_cfg"), linear[-1][0])
            hidden = [size for size, _ in linear[:-1]]
            mlp = MLP(linear[0][1], distribution.input_dim, hidden, config.get("activation", "elu"))
            names = dict.fromkeys(name.split(".")[1] for name in weights if name.startswith("cnns."))
            cnns = {name: _cnn(name, weights, config.get("cnn_cfg") or {}, images) for name in names}
            policy = Policy(mlp, distribution, normalizer, _rnn(weights), cnns)
    except CheckpointError:
        raise
    except (TypeError, ValueError, AttributeError, RuntimeError) as error:  # a module refuses the settings
        raise SettingError(str(error)) from None
    _fill(policy, weights)
    _check_sizes(policy, None if mean is None else mean.numel(), linear[0][1])
    return policy.eval().requires_grad_(False)


def mlp_shapes(weights: Mapping[str, torch.Tensor]) -> list[tuple[int, ...]]:
    """Return ``[outputs, inputs]`` of each layer of an actor's MLP; an empty list if the layers do not fit together."""
    try:
        return _shapes(weights, "mlp.", dims=2)
    except CheckpointError:
        return []


def shown_network(weights: Mapping[str, torch.Tensor], releases: Iterable[int]) -> dict[str, Any]:
    """Return what an actor's weights show about its settings; an empty dictionary if they do not fit together.

    Args:
        weights: The actor's weights.
        releases: Major releases of rsl_rl that may have written them.

    Returns:
        ``hidden_dims``; ``recurrent``; and ``std``, which is ``std``, ``log std``, or empty if the std is an output of
        the network. ``std`` is left out if the release has no setting for it, like rsl_rl 2.1.
    """
    layers = mlp_shapes(weights)
    if not layers:
        return {}
    stds = {"distribution.std_param": "std", "distribution.log_std_param": "log std"}
    std = next((word for name, word in stds.items() if name in weights), "")
    shown = {
        "hidden_dims": [outputs for outputs, _ in layers[:-1]],
        "recurrent": any(name.startswith("rnn.") for name in weights),
    }
    return shown if std == "std" and 2 in releases else shown | {"std": std}


def _without_empty_normalizer(weights: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
    """Leave out the normalizer of an actor that takes only images: it has no features to normalize."""
    mean = weights.get("obs_normalizer._mean")
    if mean is None or mean.shape != (1, 0) or not any(name.startswith("cnns.") for name in weights):
        return weights
    return {name: tensor for name, tensor in weights.items() if not name.startswith("obs_normalizer.")}


def _check_sizes(policy: Policy, normalized: int | None, latent: int) -> None:
    """Check that normalizer, RNN and CNNs return as many features as the next part takes.

    Args:
        policy: The policy with its weights.
        normalized: Number of features of the policy's normalizer; None if the policy has no normalizer.
        latent: Number of input features of the policy's MLP.
    """
    if normalized is not None and normalized != policy.features:
        taken = latent if policy.rnn is None else policy.features
        seen = f", {latent - policy.features} of them from images" if policy.cnns else ""
        raise CheckpointError(
            f"the actor's parts do not fit together: its normalizer has {normalized} features, but its network takes "
            f"{taken}{seen}"
        )
    made: int = sum(cnn.output_dim for cnn in policy.cnns.values())  # type: ignore[misc]
    made += policy.rnn.rnn.hidden_size if policy.rnn else 0
    if made > latent or (policy.rnn and made != latent):
        part = "RNN" if policy.rnn else "CNN"
        raise CheckpointError(
            f"the actor's parts do not fit together: its {part} returns {made} features, but its MLP takes {latent}"
        )


def _shapes(weights: Mapping[str, torch.Tensor], prefix: str, dims: int) -> list[tuple[int, ...]]:
    """Return the shapes of the weights ``prefix``0.weight, ``prefix``2.weight, … that have ``dims`` dimensions."""
    pattern = re.compile(rf"{re.escape(prefix)}(\d{{1,6}})\.weight")
    found = {int(match[1]): tensor for name, tensor in weights.items() if (match := pattern.fullmatch(name))}
    shapes = [tuple(found[i].shape) for i in sorted(found) if found[i].dim() == dims and found[i].numel()]
    if not shapes:
        raise CheckpointError(f"the actor has no {prefix}0.weight with {dims} dimensions")
    for before, after in itertools.pairwise(shapes):  # otherwise a small file could lead to a large network
        if after[1] != before[0]:
            raise CheckpointError(
                f"the actor's parts do not fit together: a layer of {prefix[:-1]} has {before[0]} outputs, but the "
                f"next one has {after[1]} inputs"
            )
    return shapes


def _distribution(weights: Mapping[str, torch.Tensor], config: Any, outputs: int) -> Distribution:
    given = dict(config or {})
    kind = re.split("[.:]", str(given.get("class_name", "")))[-1]  # rsl_rl also accepts rsl_rl.modules:BetaDistribution
    limits = {"std_range": given["std_range"]} if "std_range" in given else {}
    if "distribution.std_param" in weights:
        return GaussianDistribution(outputs, std_type="scalar", **limits)
    if "distribution.log_std_param" in weights:
        return GaussianDistribution(outputs, std_type="log", **limits)
    if kind not in _OF_THE_STATE:
        raise CheckpointError(
            "the actor has no std parameter, so either the std depends on the state or the actions have a Beta "
            "distribution. The file does not say which: give distribution_cfg in config (or in an agent.yaml with "
            '--config), such as {"class_name": "HeteroscedasticGaussianDistribution"}'
        )
    if outputs % 2:
        raise CheckpointError(f"{kind} needs two outputs for each action, but the MLP has {outputs}")
    known = {name: given[name] for name in ("std_range", "std_type", "action_range") if name in given}
    made: Distribution = _OF_THE_STATE[kind](outputs // 2, **known)
    return made


def _rnn(weights: Mapping[str, torch.Tensor]) -> RNN | None:
    named = {name: tensor for name, tensor in weights.items() if name.startswith("rnn.rnn.weight_hh_l")}
    if not named:
        return None
    first, inside = weights.get("rnn.rnn.weight_ih_l0"), weights.get("rnn.rnn.weight_hh_l0")
    if first is None or inside is None or first.dim() != 2 or inside.dim() != 2:
        raise CheckpointError("the actor has an RNN without the weights of its first layer, rnn.rnn.weight_ih_l0")
    kind = {3: "gru", 4: "lstm"}.get(first.shape[0] // max(1, inside.shape[1]))  # by the number of gates
    if kind is None or inside.shape[0] != first.shape[0]:
        raise CheckpointError(f"expected 3 gates (GRU) or 4 gates (LSTM), got weights of shape {list(first.shape)}")
    layers = sum(tensor.shape == inside.shape for tensor in named.values())
    return RNN(first.shape[1], inside.shape[1], layers, kind)


def _cnn(
    group: str, weights: Mapping[str, torch.Tensor], config: Mapping[str, Any], images: Mapping[str, tuple[int, int]]
) -> CNN:
    if group not in images:
        raise CheckpointError(
            f"the actor takes the image {group!r}, but the file does not contain its size: "
            f"give observations with this image, or images={{{group!r}: (height, width)}}"
        )
    filters = _shapes(weights, f"cnns.{group}.", dims=4)
    if any(height != width for *_, height, width in filters):
        raise CheckpointError(f"expected square filters of {group!r}, got weights {[list(shape) for shape in filters]}")
    settings = config.get(group, config)  # one for all images, or one per image
    unsaid = ("stride", "dilation", "padding", "norm", "activation", "max_pool", "global_pool")
    return CNN(
        images[group],
        filters[0][1],
        [shape[0] for shape in filters],
        [shape[2] for shape in filters],
        **{name: settings[name] for name in unsaid if name in settings},
    )


def _fill(policy: Policy, weights: Mapping[str, torch.Tensor]) -> None:
    """Load the weights; raise an error that names the weights that do not fit."""
    expected = policy.state_dict()
    wrong = [
        f"{name} has shape {list(weights[name].shape)}, expected {list(expected[name].shape)}"
        for name in expected
        if name in weights and expected[name].shape != weights[name].shape
    ]
    missing, extra = expected.keys() - weights.keys(), weights.keys() - expected.keys()
    wrong += [f"{word}: {_some(names)}" for word, names in (("missing", missing), ("unexpected", extra)) if names]
    if wrong:
        raise CheckpointError(f"the actor's parts do not fit together: {'; '.join(wrong[:2])}")
    policy.load_state_dict(weights)


def _some(names: Iterable[str]) -> str:
    names = sorted(names)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
