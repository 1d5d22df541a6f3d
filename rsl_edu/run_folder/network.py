"""Compares the settings of an actor with its weights, to recognize settings of a different network."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_RECURRENT = {"ActorCriticRecurrent": True, "StudentTeacherRecurrent": True, "RNNModel": True}
_RECURRENT |= dict.fromkeys(("ActorCritic", "StudentTeacher", "ActorCriticCNN", "MLPModel", "CNNModel"), False)
"""Class of an actor → whether it is recurrent; for other classes, this is unknown."""
_STD_OF = {"GaussianDistribution": True, "HeteroscedasticGaussianDistribution": False, "BetaDistribution": False}
"""Class of a distribution → whether the std is a parameter."""
_PARAMETERS = {"scalar": "std", "log": "log std"}
"""Type of a std → what its parameter stores."""


def network(actor: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the settings of an actor say about its network.

    Args:
        actor: The actor's settings, as in an ``agent.yaml`` of any release.

    Returns:
        The following, as far as the settings contain it: ``hidden_dims``, a list of ints; ``recurrent``, a bool; and
        ``std``, which is ``std`` or ``log std`` if the std is a parameter, or empty if it is an output of the network.
    """
    said: dict[str, Any] = {}
    names = ("hidden_dims", "actor_hidden_dims", "student_hidden_dims")
    dims = next((actor[name] for name in names if isinstance(actor.get(name), (list, tuple)) and actor[name]), None)
    if dims is not None and all(type(size) is int and size > 0 for size in dims):  # -1 is the size of the input
        said["hidden_dims"] = list(dims)
    if (kind := _class(actor.get("class_name"))) in _RECURRENT:
        said["recurrent"] = _RECURRENT[kind]
    distribution = actor.get("distribution_cfg")
    if isinstance(distribution, Mapping) and distribution:
        owns, std_type = _STD_OF.get(_class(distribution.get("class_name"))), distribution.get("std_type")
    else:
        of_state, std_type = actor.get("state_dependent_std"), actor.get("noise_std_type")
        owns = False if of_state is True else True if std_type in ("scalar", "log") else None
    if owns is False:
        said["std"] = ""
    elif owns and isinstance(std_type, str) and std_type in _PARAMETERS:
        said["std"] = _PARAMETERS[std_type]
    return said


def contradiction(said: Mapping[str, Any], shown: Mapping[str, Any]) -> str:
    """Describe a setting that contradicts the weights; return an empty string if all settings fit.

    Args:
        said: The result of :func:`network`.
        shown: The same entries, as far as the weights show them.

    Returns:
        The description, such as ``it describes a different network: hidden layers of [32, 32], but the checkpoint has
        hidden layers of [256, 128]``.
    """
    for name, words in _WORDS.items():
        if name in said and name in shown and said[name] != shown[name]:
            return f"it describes a different network: {words(said[name])}, but the checkpoint has {words(shown[name])}"
    return ""


def _hidden(dims: Sequence[int]) -> str:
    return f"hidden layers of {list(dims)}" if dims else "no hidden layer"


_WORDS: dict[str, Any] = {
    "recurrent": lambda recurrent: "an RNN" if recurrent else "no RNN",
    "hidden_dims": _hidden,
    "std": lambda name: f"{name} as a parameter" if name else "a std that is an output of the network",
}
"""Name of a setting → function that puts its value into words."""


def _class(name: Any) -> str:
    return re.split("[.:]", name)[-1] if isinstance(name, str) else ""
