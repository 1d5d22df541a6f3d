"""The actor is found in the files of all releases, and the names in them tell which release wrote them."""

import pytest
import torch
from actors import PLAYED, SAVED, built, contents, refusal, saved, without

from rsl_edu import checkpoint
from rsl_edu.modules import EmpiricalNormalization


@pytest.mark.parametrize("major", "2345")
def test_there_are_checkpoints_of_each_major_release(major):
    assert any(name.startswith(major) for name in PLAYED)


def test_of_a_distillation_of_rsl_rl_3_the_student_is_read(tmp_path):
    student = built(hidden=(5,)).state_dict()
    names = {"mlp": "student", "obs_normalizer": "student_obs_normalizer", "distribution": ""}
    weights = {"std": student["distribution.std_param"]}
    for name, tensor in student.items():
        first, _, rest = name.partition(".")
        if names[first]:
            weights[f"{names[first]}.{rest}"] = tensor
            weights[f"{names[first]}.{rest}".replace("student", "teacher")] = tensor + 1
    found = checkpoint.read(saved(tmp_path, {"model_state_dict": weights}))
    torch.testing.assert_close(dict(found.policy.state_dict()), dict(student), rtol=0, atol=0)
    assert (found.layout, found.critic_normalized, found.unread) == ("rsl_rl 3", False, ())


@pytest.mark.parametrize("path", sorted(SAVED.glob("*-distillation.pt")), ids=lambda path: path.stem)
def test_of_a_distillation_the_student_is_read(path):
    found = checkpoint.read(path)
    stored = torch.load(path, weights_only=True)
    student = stored.get("student_state_dict") or stored["model_state_dict"]
    first = student.get("mlp.0.weight", student.get("student.0.weight"))
    assert torch.equal(found.policy.mlp[0].weight, first)
    assert not found.critic_normalized  # there is none
    assert (found.iteration, found.learning_rate, found.unread) == (1, 0.01, ())


@pytest.mark.parametrize(
    "optimizer",
    [5, [], {}, {"param_groups": []}, {"param_groups": [{"lr": "fast"}]}, {"param_groups": torch.ones(2)}]
    + [{"param_groups": [{"lr": rate}]} for rate in (None, torch.ones(3), 10**400)],
)
def test_a_learning_rate_that_is_not_there_is_none(optimizer, tmp_path):
    assert checkpoint.read(saved(tmp_path, contents(optimizer_state_dict=optimizer))).learning_rate is None
    assert checkpoint.read(saved(tmp_path, without(contents(), "optimizer_state_dict"))).learning_rate is None


def test_parameters_of_no_model_of_rsl_rl_are_named(tmp_path):
    weights = {"encoder.0.weight": torch.ones(2), "memory.x": torch.ones(1)}
    assert checkpoint.read(saved(tmp_path, contents(weights))).unread == tuple(weights)


@pytest.mark.parametrize(
    "others",
    [
        {"critic_state_dict": {1: torch.ones(2)}},
        {"critic_state_dict": torch.ones(2)},
        {"critic_state_dict": None},
        {"teacher_state_dict": 5},
    ],
)
def test_what_stands_for_the_critic_is_not_looked_into(others, tmp_path):
    assert not checkpoint.read(saved(tmp_path, contents(**others))).critic_normalized


def test_the_normalizers_of_rsl_rl_2_are_checked(tmp_path):
    weights = {name.replace("mlp", "actor"): tensor for name, tensor in built().mlp.state_dict(prefix="mlp.").items()}
    older = {"model_state_dict": weights | {"std": torch.ones(2)}, "iter": 1}
    statistics = dict(EmpiricalNormalization(4).state_dict())
    found = checkpoint.read(saved(tmp_path, older | {"obs_norm_state_dict": statistics}))
    assert (found.layout, found.policy.normalizer.count) == ("rsl_rl 2", 0)
    wrong = [torch.ones(2), {"_mean": torch.ones(1, 5)}, without(statistics, "_std"), {"_mean": "x"}]
    for table in wrong:
        assert "obs_norm" in refusal(saved(tmp_path, older | {"obs_norm_state_dict": table}))
    found = checkpoint.read(saved(tmp_path, older | {"critic_obs_norm_state_dict": torch.ones(2)}))
    assert found.critic_normalized


def test_releases_that_the_names_leave_open_are_all_said(tmp_path):
    layers = {name.replace("mlp", "actor"): tensor for name, tensor in built().mlp.state_dict(prefix="mlp.").items()}
    found = checkpoint.read(saved(tmp_path, {"model_state_dict": layers | {"std": torch.ones(2)}}))
    assert (found.releases, found.layout) == ((2, 3), "rsl_rl 2 or 3")
