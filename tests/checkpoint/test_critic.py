"""The critic is read from files of all releases, and its values equal those of the release."""

import re

import pytest
import torch
from actors import PLAYED, SAVED, contents, saved, trained
from peer import CLOSE

from rsl_edu import checkpoint
from rsl_edu.modules import MLP

REBUILT = [name for name in PLAYED if not re.search("lstm|gru|cnn", name)]


@pytest.mark.parametrize("name", REBUILT)
def test_values_equal_those_of_the_release_that_wrote_the_file(name):
    played = torch.load(SAVED / f"{name}.played.pt", weights_only=True)
    critic = checkpoint.read(SAVED / f"{name}.pt", config=settings(played)).critic
    observed = played.get("critic_observations", played["observations"])
    assert critic.features == observed.shape[-1]
    torch.testing.assert_close(critic.values(observed), played["values"], **CLOSE)


def settings(played):
    """The configuration for files whose actor has no std parameter."""
    kind = played["kind"]
    if kind == "beta":
        return {"distribution_cfg": {"class_name": "BetaDistribution"}}
    log = "log" if kind.endswith("log") else "scalar"
    cfg = {"class_name": "HeteroscedasticGaussianDistribution", "std_type": log}
    return {"distribution_cfg": cfg} if kind.startswith("heteroscedastic") else {}


@pytest.mark.parametrize("name", [name for name in PLAYED if name not in REBUILT])
def test_critic_with_an_rnn_or_cnn_is_read_but_not_rebuilt(name):
    played = torch.load(SAVED / f"{name}.played.pt", weights_only=True)
    options = {"config": {"cnn_cfg": played["cnn"]}, "images": {"scan": (8, 8)}} if "cnn" in played else {}
    critic = checkpoint.read(SAVED / f"{name}.pt", **options).critic
    assert critic.features is None
    assert critic.last.shape == (1, 6)
    assert any(part.startswith(("rnn.", "cnns.")) for part in critic.weights)


def test_critic_has_the_activation_of_the_actor(tmp_path):
    stored = trained()
    x = torch.randn(9, 4)
    for activation in ("elu", "tanh"):
        critic = checkpoint.read(saved(tmp_path, stored), activation).critic
        mlp = MLP(4, 1, [6, 5], activation)
        weights = {name[4:]: tensor for name, tensor in stored["critic_state_dict"].items() if name.startswith("mlp.")}
        mlp.load_state_dict(weights)
        mean, std = (stored["critic_state_dict"][f"obs_normalizer._{name}"] for name in ("mean", "std"))
        torch.testing.assert_close(critic.values(x), mlp((x - mean) / (std + 0.01)))


def test_weights_of_the_critic_are_not_copied(tmp_path):
    critic = checkpoint.read(saved(tmp_path, trained())).critic
    assert critic.last.data_ptr() == critic.weights["mlp.4.weight"].data_ptr()


@pytest.mark.parametrize("name", ["5.5.1-distillation.pt", pytest.param(None, id="weights of an actor alone")])
def test_critic_is_none_if_the_file_has_none(name, tmp_path):
    path = SAVED / name if name else saved(tmp_path, {"actor_state_dict": trained()["actor_state_dict"]})
    assert checkpoint.read(path).critic is None


@pytest.mark.parametrize(
    "change",
    [
        {"mlp.0.weight": torch.ones(6, 9)},  # does not fit the normalizer
        {"mlp.2.weight": torch.ones(5, 3)},
        {"mlp.2.bias": torch.ones(4)},
        {"mlp.0.weight": torch.ones(6, 4, 1)},
        {"mlp.8.weight": torch.ones(2, 1)},  # without a bias
        {"mlp.0.weight": torch.ones(6, 0)},
        {"obs_normalizer._mean": torch.ones(4)},
        {"obs_normalizer._std": torch.ones(1, 3)},
        {"extra": torch.ones(1)},
    ],
    ids=range(9),
)
def test_critic_whose_parts_do_not_fit_together_has_no_values(change, tmp_path):
    stored = trained()
    stored["critic_state_dict"] |= change
    critic = checkpoint.read(saved(tmp_path, stored)).critic
    assert critic.features is None
    assert critic.last is not None


@pytest.mark.parametrize(
    "change",
    [
        {"mlp.0.weight": torch.ones(6, 4).half()},
        {"mlp.2.bias": torch.ones(5).long()},
        {"mlp.9" + "9" * 5000 + ".weight": torch.ones(2, 2)},
    ],
    ids=range(3),
)
def test_unusual_but_consistent_critic_has_values(change, tmp_path):
    stored = trained()
    stored["critic_state_dict"] |= change
    critic = checkpoint.read(saved(tmp_path, stored)).critic
    assert critic.values(torch.ones(2, critic.features)).shape == (2, 1)


@pytest.mark.parametrize(
    "table",
    [
        5,
        None,
        torch.ones(2),
        {},
        {1: torch.ones(2)},
        {"mlp.0.weight": "x"},
        {"mlp.0.weight": torch.ones(1).expand(10**9)},
    ],
    ids=range(7),
)
def test_critic_is_none_for_an_invalid_entry(table, tmp_path):
    assert checkpoint.read(saved(tmp_path, contents(critic_state_dict=table))).critic is None
