"""Reads the configuration of the training from an ``agent.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .errors import CheckpointError, reason


def agent_config(file: str | Path) -> dict[str, Any]:
    """Return the actor's configuration in rsl_rl 5's names from an ``agent.yaml``, as Isaac Lab writes it beside a run.

    Args:
        file: The file; where there is none, nothing is said.

    Raises:
        CheckpointError: The file is no YAML.
    """
    import yaml  # type: ignore[import-untyped]

    class Plain(yaml.SafeLoader):  # type: ignore[misc]
        """Reads a Python tuple as a list, and executes nothing."""

    def plain(loader: Any, suffix: str, node: Any) -> Any:
        return loader.construct_sequence(node) if isinstance(node, yaml.SequenceNode) else None

    Plain.add_multi_constructor("tag:yaml.org,2002:python/", plain)
    file = Path(file)
    if not file.is_file():
        return {}
    try:
        said = yaml.load(file.read_text("utf-8"), Plain)
    except OSError:
        raise
    except Exception as error:  # what claims to be a date or a number makes yaml raise nearly anything
        raise CheckpointError(f"{file}: expected YAML, got {reason(error)}") from None
    said = said if isinstance(said, dict) else {}
    actor = next((part for name in ("actor", "student", "policy") if isinstance(part := said.get(name), dict)), {})
    config = {name: actor[name] for name in ("activation", "cnn_cfg", "distribution_cfg") if actor.get(name)}
    if actor.get("actor_cnn_cfg"):  # rsl_rl 3
        config["cnn_cfg"] = actor["actor_cnn_cfg"]
    if actor.get("state_dependent_std"):  # rsl_rl 3 and 4
        std_type = actor.get("noise_std_type", "scalar")
        config["distribution_cfg"] = {"class_name": "HeteroscedasticGaussianDistribution", "std_type": std_type}
    return config
