"""Actors and checkpoint files for the tests of this folder."""

import copy
from pathlib import Path

import pytest
import torch

from rsl_edu import checkpoint
from rsl_edu.checkpoint import CheckpointError, Policy
from rsl_edu.modules import MLP, RNN, EmpiricalNormalization, GaussianDistribution

SAVED = Path(__file__).parent / "files"
PLAYED = sorted(file.name.removesuffix(".played.pt") for file in SAVED.glob("*.played.pt"))
"""The checkpoints of all releases for which the actions are known."""


def built(rnn=None, cnns=None, hidden=(8,), features=4):
    """An actor with two actions and random weights."""
    latent = features if rnn is None else 3
    latent += sum(cnn.output_dim for cnn in (cnns or {}).values())
    with torch.random.fork_rng():
        torch.manual_seed(0)
        memory = rnn and RNN(features, 3, 2, rnn)
        return Policy(
            MLP(latent, 2, list(hidden)), GaussianDistribution(2), EmpiricalNormalization(features), memory, cnns
        )


def contents(weights=None, **others):
    """The contents of a file of rsl_rl 5; ``weights`` replace some of the actor's."""
    actor = dict(built().state_dict()) | (weights or {})
    optimizer = {"state": {}, "param_groups": [{"lr": 0.01}]}
    stored = {"actor_state_dict": actor, "critic_state_dict": {}, "optimizer_state_dict": optimizer, "iter": 3}
    return stored | {"infos": None} | others


def trained(steps=3):
    """The contents of a file of rsl_rl 5 after some Adam steps: with moments, and a critic with 4 observations."""
    critic = torch.nn.ModuleDict({"obs_normalizer": EmpiricalNormalization(4), "mlp": MLP(4, 1, [6, 5])})
    critic["obs_normalizer"].update(torch.randn(50, 4) + 2)
    policy = built()
    parameters = [*policy.distribution.parameters(), *policy.mlp.parameters(), *critic["mlp"].parameters()]
    adam = torch.optim.Adam(parameters, lr=0.01)
    for _ in range(steps):
        for parameter in parameters:
            parameter.grad = torch.randn_like(parameter)
        adam.step()
    actor = {f"distribution.{name}": x for name, x in policy.distribution.state_dict().items()}  # before the MLP
    actor |= {name: x for name, x in policy.state_dict().items() if not name.startswith("distribution.")}
    models = {"actor_state_dict": actor, "critic_state_dict": critic.state_dict()}
    return copy.deepcopy(models | {"optimizer_state_dict": adam.state_dict(), "iter": 7, "infos": None})


def without(table, name):
    return {key: value for key, value in table.items() if key != name}


def saved(folder, content, name="model_7.pt", **options):
    torch.save(content, folder / name, **options)
    return folder / name


def refusal(path, **options):
    """The error message for a file, which must be a single line about this file."""
    with pytest.raises(CheckpointError) as error:
        checkpoint.read(path, **options)
    message = str(error.value)
    assert message.startswith(f"{path.name}: ")
    assert message.isprintable()
    assert len(message) <= 1000
    return message.removeprefix(f"{path.name}: ")


class Calls:
    """An object that is pickled as a call, which unsafe loading would make."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call
