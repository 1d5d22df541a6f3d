"""Shared helpers of these tests: faults that the fixture ``edited`` plants in the files of a run."""

import torch
import yaml

from rsl_edu.checkpoint import Policy
from rsl_edu.modules import MLP, EmpiricalNormalization, GaussianDistribution

ROBOT = "InvertedPendulum-v5"


def names(diagnosis):
    return [finding.name for finding in diagnosis.findings]


def actor(stored):
    return stored["actor_state_dict"]


def nan_weight(stored, last):
    if last:
        actor(stored)["mlp.0.weight"][0, 0] = torch.nan


def no_normalizer(stored, last):
    for name in [name for name in actor(stored) if name.startswith("obs_normalizer")]:
        del actor(stored)[name]


def std_of(value):
    def edit(stored, last):
        if last:
            actor(stored)["distribution.std_param"].fill_(value)

    return edit


def policy_of(features=6, actions=4, activation="elu", norm_std=None):
    """An untrained policy; ``norm_std`` is the running std of its normalizer for each feature."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        normalizer = None if norm_std is None else EmpiricalNormalization(features)
        policy = Policy(MLP(features, actions, [16, 16], activation), GaussianDistribution(actions), normalizer)
    if norm_std is not None:
        std = torch.tensor(norm_std)[None]
        normalizer.load_state_dict(
            {"_mean": torch.zeros(1, features), "_var": std**2, "_std": std, "count": torch.tensor(1000)}
        )
    return policy.eval().requires_grad_(False)


def save_run(folder, checkpoints, policy=None):
    """Write checkpoints of rsl_rl 5; ``checkpoints`` maps iterations to their ``std``, ``lr`` and weight ``scale``."""
    policy = policy or policy_of()
    folder.mkdir(parents=True, exist_ok=True)
    for iteration, said in checkpoints.items():
        weights = {name: tensor.clone() for name, tensor in policy.state_dict().items()}
        weights["distribution.std_param"][:] = torch.as_tensor(said.get("std", 1.0))
        for place in (0, 2, 4):
            weights[f"mlp.{place}.weight"] *= said.get("scale", 1)
        optimizer = {"state": {}, "param_groups": [{"lr": said.get("lr", 1e-3)}]}
        stored = {"actor_state_dict": weights, "optimizer_state_dict": optimizer, "iter": iteration, "infos": None}
        torch.save(stored, folder / f"model_{iteration}.pt")
    return folder


def save_names(run, **terms):
    """Write an ``env.yaml`` next to a run; ``terms`` maps each observation term to its number of features."""
    said = {name: {"func": "tasks.mdp:own", "scale": [1.0] * size} for name, size in terms.items()}
    (run / "params").mkdir()
    (run / "params" / "env.yaml").write_text(yaml.dump({"observations": {"policy": said}}, sort_keys=False))
