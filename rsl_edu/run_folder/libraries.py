"""Recognizes which library wrote a torch file that has no rsl_rl actor. The names in the file show this."""

from __future__ import annotations

import re
from collections.abc import Iterable

_OTHER = "which is another library; the x-ray reads checkpoints of rsl_rl"
_FORK = "a fork of rsl_rl with another kind of policy; the x-ray reads checkpoints of rsl_rl itself"
_NOT_PPO = "not of PPO; the x-ray reads checkpoints of rsl_rl"
_BY_KEY = {  # a top-level key of the file
    r"qnet.*": f"a checkpoint of FastTD3 or another off-policy method (it contains {{}}), {_NOT_PPO}",
    r"critic_target|log_alpha|target_\w+": f"a checkpoint of an off-policy method (it contains {{}}), {_NOT_PPO}",
    r"pytorch-lightning_version": f"a checkpoint of PyTorch Lightning, {_OTHER}",
    r"actor_model_state_dict": f"a checkpoint of HumanoidVerse or ASAP, {_FORK}",
    r"\w+_preprocessor": f"an agent of skrl, {_OTHER}",
    r"last_mean_rewards": f"a checkpoint of rl_games, {_OTHER}",
    r"algo_name": f"a policy of robomimic, {_OTHER}",
}
_BY_NAME = {  # the beginning of a tensor's name, after a dot or at its start
    r"(net_container|policy_layer|value_layer)\.|log_std_parameter": f"an agent of skrl, {_OTHER}",
    r"(mlp|pi_features|vf_features)_extractor\.": f"a policy of Stable-Baselines3, {_OTHER}",
    r"a2c_network\.": f"a checkpoint of rl_games, {_OTHER}",
    r"actor_logstd": f"an agent of CleanRL, {_OTHER}",
    r"actor_module\.": f"a checkpoint of HumanoidVerse or ASAP, {_FORK}",
    r"actor_body\.": f"a checkpoint of walk-these-ways, {_FORK}",
    r"actor_backbone\.": f"a checkpoint of extreme-parkour or one of its relatives, {_FORK}",
    r"(_encoder|_dynamics|rssm)\.": f"a world model, such as those of TD-MPC2 and Dreamer, {_NOT_PPO}",
}


def whose(keys: Iterable[object], names: Iterable[object] = ()) -> str | None:
    """Describe in one line the library that wrote a file, or return None if the names do not show it.

    Args:
        keys: The top-level keys of the file.
        names: Names of the tensors anywhere in the file.

    Returns:
        The description, such as ``an agent of skrl, which is another library; the x-ray reads checkpoints of rsl_rl``.
    """
    tops = [str(key) for key in keys]
    for pattern, writer in _BY_KEY.items():
        if found := next((key for key in tops if re.fullmatch(pattern, key)), None):
            return writer.format(found)
    inner = tops + [str(name) for name in names]
    for pattern, writer in _BY_NAME.items():
        if any(re.search(rf"(^|\.)({pattern})", name) for name in inner):
            return writer
    if "epoch" in tops:
        return "a checkpoint of another training program in torch (it contains epoch); the x-ray reads those of rsl_rl"
    return None
