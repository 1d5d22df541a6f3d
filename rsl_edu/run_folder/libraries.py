"""Which library wrote a file of torch that has no actor of rsl_rl, by the names in it."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ANOTHER = "which is another library; the x-ray reads the checkpoints of rsl_rl"
_FORK = "a fork of rsl_rl whose policy has more parts than an actor"
_WRITERS = (  # pattern of a key, of a parameter's name; who writes it. Each pattern that is given must be met.
    (r"qnet.*", "", "a checkpoint of FastTD3 or SAC (with {key}), not of PPO; the x-ray reads rsl_rl's"),
    (r"pytorch-lightning_version", "", f"a checkpoint of PyTorch Lightning, {_ANOTHER}"),
    (r"actor_model_state_dict", "", f"a checkpoint of HumanoidVerse or ASAP, {_FORK}"),
    (r"policy", r"(net_container|policy_layer|value_layer)\..*|log_std_parameter", f"an agent of skrl, {_ANOTHER}"),
    (r".*_preprocessor", "", f"an agent of skrl, {_ANOTHER}"),
    ("", r"a2c_network\..*", f"a checkpoint of rl_games, {_ANOTHER}"),
    (r"last_mean_rewards", "", f"a checkpoint of rl_games, {_ANOTHER}"),
    (r"critic_target|log_alpha|target_.*", "", "a checkpoint of SAC or TD3 (with {key}), not of PPO"),
    ("", r"actor_logstd", f"an agent of CleanRL, {_ANOTHER}"),
    ("", r"actor_body\..*", f"a checkpoint of walk-these-ways, {_FORK}"),
    ("", r"actor\.actor_backbone\..*", f"a checkpoint of extreme-parkour or of a relative, {_FORK}"),
    ("", r"(_encoder|_dynamics|_world_model|rssm|encoder\._?rssm)\..*", "a world model, such as TD-MPC2 or Dreamer"),
)


def whose(keys: Iterable[object], names: Iterable[object] = ()) -> str | None:
    """Say in a line which library wrote a file that torch could read, or return None if the names do not tell.

    Args:
        keys: The keys at the top of the file.
        names: Names of the tensors, wherever in the file they are.

    Returns:
        ``an agent of skrl, which is another library; the x-ray reads the checkpoints of rsl_rl``.
    """
    keys, names = list(map(str, keys)), list(map(str, names))
    for key, name, writer in _WRITERS:
        met = next((word for word in keys if re.fullmatch(key, word)), None) if key else ""
        if met is not None and (not name or any(re.fullmatch(name, word) for word in names)):
            return writer.format(key=met)
    return None
