"""The folder of a run: which checkpoints it has, and what is written beside them. Imports no torch, to fail fast."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from rsl_edu.printable import printable

NUMBERED = re.compile(r"model_(\d+)\.pt")
"""Name of a checkpoint, with the iteration at which it was saved."""


class CheckpointError(ValueError):
    """A file that is no checkpoint of rsl_rl, or one that no policy can be rebuilt from; the message says why."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message[:1000]))  # it quotes what anyone wrote


def checkpoint_files(path: Path) -> list[Path]:
    """Return the checkpoints in a run folder, in the order of their iterations; or the one file that is given.

    Raises:
        CheckpointError: There is none in the folder; the message says which of its folders have some.
        OSError: The folder cannot be read, or does not exist.
    """
    if not path.exists():
        raise FileNotFoundError(2, "no such file or folder", str(path))
    if path.is_file():
        return [path]
    numbered = {int(found[1]): file for file in path.iterdir() if (found := NUMBERED.fullmatch(file.name))}
    if any(file.is_file() for file in numbered.values()):  # what else has such a name is left out later, with a reason
        return [numbered[number] for number in sorted(numbered)]
    below = [file for file in path.glob("*/model_*.pt") if NUMBERED.fullmatch(file.name) and file.is_file()]
    runs = sorted({file.parent.name for file in below})
    held = f"; its folders {', '.join(runs[-5:])} have some" if runs else ", nor in its folders"
    raise CheckpointError(f"{path}: no checkpoint (model_0.pt, model_50.pt, …) in this folder{held}")


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


def reason(error: Exception) -> str:
    """Return in a line what ``torch.load`` or another reader found wrong."""
    found = re.search(r"WeightsUnpickler error:\s*(.+)", str(error))  # torch's advice stands before it
    return found[1] if found else f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"[:120]
