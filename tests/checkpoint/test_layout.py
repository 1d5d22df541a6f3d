"""The actor is found in files of all releases, and the release is recognized by the names in the file."""

import itertools
import re

import pytest
import torch
from actors import PLAYED, SAVED, built, contents, refusal, saved, trained, without

from rsl_edu import checkpoint
from rsl_edu.modules import EmpiricalNormalization


@pytest.mark.parametrize("major", "2345")
def test_there_are_checkpoints_of_each_major_release(major):
    assert any(name.startswith(major) for name in PLAYED)


def test_student_of_a_distillation_in_rsl_rl_3_is_read(tmp_path):
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
def test_student_of_a_distillation_is_read(path):
    found = checkpoint.read(path)
    stored = torch.load(path, weights_only=True)
    student = stored.get("student_state_dict") or stored["model_state_dict"]
    first = student.get("mlp.0.weight", student.get("student.0.weight"))
    assert torch.equal(found.policy.mlp[0].weight, first)
    assert not found.critic_normalized  # there is no critic
    assert (found.iteration, found.learning_rate, found.unread) == (1, 0.01, ())


@pytest.mark.parametrize(
    "optimizer",
    [5, [], {}, {"param_groups": []}, {"param_groups": [{"lr": "fast"}]}, {"param_groups": torch.ones(2)}]
    + [{"param_groups": [{"lr": rate}]} for rate in (None, torch.ones(3), 10**400)],
)
def test_missing_learning_rate_is_none(optimizer, tmp_path):
    assert checkpoint.read(saved(tmp_path, contents(optimizer_state_dict=optimizer))).learning_rate is None
    assert checkpoint.read(saved(tmp_path, without(contents(), "optimizer_state_dict"))).learning_rate is None


def test_parameters_that_no_rsl_rl_model_has_are_listed(tmp_path):
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
def test_invalid_critic_raises_no_error(others, tmp_path):
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


def test_all_releases_are_listed_if_the_names_are_ambiguous(tmp_path):
    layers = {name.replace("mlp", "actor"): tensor for name, tensor in built().mlp.state_dict(prefix="mlp.").items()}
    found = checkpoint.read(saved(tmp_path, {"model_state_dict": layers | {"std": torch.ones(2)}}))
    assert (found.releases, found.layout) == ((2, 3), "rsl_rl 2 or 3")


# Names that are not rsl_rl's.


@pytest.mark.parametrize(
    "wrap",
    [
        lambda name: f"_orig_mod.{name}",  # torch.compile of the model
        lambda name: name.replace("mlp.", "mlp._orig_mod."),  # torch.compile of a part of the model
        lambda name: f"module.{name}",  # DistributedDataParallel
        lambda name: f"module._orig_mod.{name}",
        lambda name: f"_orig_mod.module.{name}",
    ],
    ids=range(5),
)
def test_prefixes_of_torch_are_removed_from_names(wrap, tmp_path):
    stored = trained()
    expected = checkpoint.read(saved(tmp_path, stored))
    for model in ("actor_state_dict", "critic_state_dict"):
        stored[model] = {wrap(name): tensor for name, tensor in stored[model].items()}
    found = checkpoint.read(saved(tmp_path, stored))
    torch.testing.assert_close(dict(found.policy.state_dict()), dict(expected.policy.state_dict()), rtol=0, atol=0)
    assert found.critic.weights.keys() == expected.critic.weights.keys()
    assert (found.layout, found.unread, found.optimizer) == ("rsl_rl 5", (), expected.optimizer)


def test_parameter_named_module_keeps_its_name(tmp_path):
    weights = {"module.0.weight": torch.ones(2)}
    assert checkpoint.read(saved(tmp_path, contents(weights))).unread == ("module.0.weight",)


def layers(prefix, *sizes):
    made = {}
    for i, (before, after) in enumerate(itertools.pairwise(sizes)):
        made |= {f"{prefix}.{2 * i}.weight": torch.ones(after, before), f"{prefix}.{2 * i}.bias": torch.ones(after)}
    return made


FORKS = {
    "extreme-parkour": (
        {"model_state_dict": {"std": torch.ones(12)} | layers("actor.actor_backbone", 114, 32, 12)}
        | {"estimator_state_dict": layers("mlp", 5, 3)},
        r"std \[12\]; actor.actor_backbone: 114 → 32 → 12",
    ),
    "HumanoidVerse": (
        {"actor_model_state_dict": layers("actor_module.module", 38, 16, 23) | {"std": torch.ones(23)}, "iter": 3},
        r"actor_model_state_dict \(actor_module.module: 38 → 16 → 23; std \[23\]\), iter",
    ),
    "walk-these-ways": (
        layers("adaptation_module", 30, 8, 2) | layers("actor_body", 32, 16, 12) | {"std": torch.ones(12)},
        r"adaptation_module: 30 → 8 → 2; actor_body: 32 → 16 → 12; std \[12\]",
    ),
    "MoE": (
        {"model_state_dict": layers("actor.experts.0", 4, 3, 2) | layers("actor.experts.1", 4, 3, 2)},
        r"actor.experts.0: 4 → 3 → 2; actor.experts.1: 4 → 3 → 2",
    ),
    "scan encoder": (
        {"model_state_dict": {"encoders.scan.0.weight": torch.ones(8, 1, 3, 3), "backbone.weight": torch.ones(2, 8)}},
        r"encoders.scan \[8, 1, 3, 3\]; backbone: 8 → 2",
    ),
}


@pytest.mark.parametrize("fork", FORKS)
def test_actor_under_other_names_is_described(fork, tmp_path):
    stored, described = FORKS[fork]
    message = refusal(saved(tmp_path, stored))
    assert re.search(described, message), message
    assert not re.search(r"\b(mlp|actor)\.0\.", message)  # these names are not in the file
    named = re.findall(r"[a-z_]+(?:\.[a-z_0-9]+)+", message.replace("rsl_rl", ""))
    held = str([*stored, *(list(table) for table in stored.values() if isinstance(table, dict))])
    assert all(name in held for name in named), named


def test_file_with_many_networks_names_the_first(tmp_path):
    stored = {f"net_{i}_{'x' * 100}": layers("a", 4, 3) for i in range(500)}
    message = refusal(saved(tmp_path, stored))
    assert "net_0_" in message
    assert "and 492 more" in message or len(message) > 900
    assert "net_9_" not in message


def test_entries_that_are_not_plain_tensors_are_left_out_of_the_description(tmp_path):
    stored = {"net": {"a": torch.ones(2).to_sparse(), "b": "x", 3: torch.ones(1), "c": torch.ones(2, device="meta")}}
    assert "the file contains net" in refusal(saved(tmp_path, stored))
