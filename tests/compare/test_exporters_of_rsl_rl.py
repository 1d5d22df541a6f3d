"""Exports by rsl_rl of every architecture are the same as their checkpoints."""

import pytest
import torch
from exporters import in_this_process, script, to_onnx
from peer import DISTRIBUTIONS, NETWORKS, needs_rsl_rl

from rsl_edu.compare import compare_export

pytestmark = needs_rsl_rl
SIZE = (8, 8)
CASES = [
    *[("mlp", distribution) for distribution in DISTRIBUTIONS],
    *[(network, "gaussian") for network in NETWORKS if network != "mlp"],
    ("lstm", "heteroscedastic"),
]


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Return a function that makes an rsl_rl model with normalizer statistics and saves its checkpoint."""
    from rsl_rl import models
    from tensordict import TensorDict

    in_this_process(monkeypatch)

    def make(network, distribution):
        torch.manual_seed(0)
        config = dict(NETWORKS[network])
        groups = {"policy": torch.randn(64, 5) * 2 + 1}
        groups |= {"scan": torch.rand(64, 1, *SIZE)} if network == "cnn" else {}
        seen = TensorDict(groups, [64])
        chosen = dict(DISTRIBUTIONS[distribution])
        chosen["class_name"] = f"rsl_rl.modules.distribution:{chosen['class_name']}"
        options = {name: value for name, value in config.items() if name != "class_name"}
        model = getattr(models, config["class_name"])(
            seen, {"actor": list(groups)}, "actor", 3, [16, 16], "elu", True, chosen, **options
        )
        model.train()
        model.update_normalization(seen)
        settings = {"activation": "elu", "distribution_cfg": DISTRIBUTIONS[distribution]}
        settings |= {"cnn_cfg": config["cnn_cfg"]} if network == "cnn" else {}
        stored = {"actor_state_dict": model.state_dict(), "critic_state_dict": {}, "iter": 7, "infos": None}
        torch.save(
            stored | {"optimizer_state_dict": {"state": {}, "param_groups": [{"lr": 1e-3}]}}, tmp_path / "model_7.pt"
        )
        observations = groups if network == "cnn" else None
        return model, settings, observations, tmp_path / "model_7.pt"

    return make


@pytest.mark.parametrize(("network", "distribution"), CASES)
def test_torchscript_of_rsl_rl_is_the_same(network, distribution, made, tmp_path):
    model, settings, observations, checkpoint = made(network, distribution)
    export = script(model.as_jit(), tmp_path / "policy.pt")
    comparison = compare_export(checkpoint, export, observations, config=settings)
    assert comparison.same, str(comparison)


@pytest.mark.parametrize(("network", "distribution"), CASES)
def test_onnx_of_rsl_rl_is_the_same(network, distribution, made, tmp_path):
    pytest.importorskip("onnxruntime")
    model, settings, observations, checkpoint = made(network, distribution)
    module = model.as_onnx(False)
    names = module.input_names, module.output_names
    export = to_onnx(module, tmp_path / "policy.onnx", module.get_dummy_inputs(), names)
    comparison = compare_export(checkpoint, export, observations, config=settings)
    assert comparison.same, str(comparison)


def test_onnx_with_images_needs_no_recording(made, tmp_path):
    pytest.importorskip("onnxruntime")
    model, settings, _, checkpoint = made("cnn", "gaussian")
    module = model.as_onnx(False)
    names = module.input_names, module.output_names
    export = to_onnx(module, tmp_path / "policy.onnx", module.get_dummy_inputs(), names)
    comparison = compare_export(checkpoint, export, config=settings)
    assert comparison.same, str(comparison)
    assert comparison.about["input"].startswith("64 random observations")


def test_stds_returned_with_the_means_are_named(made, tmp_path):
    """Isaac Lab's exporter also returns the stds, which are half of the outputs."""
    model, settings, _, checkpoint = made("mlp", "heteroscedastic")
    network = torch.nn.Sequential(model.obs_normalizer, model.mlp)
    comparison = compare_export(checkpoint, script(network.eval(), tmp_path / "policy.pt"), config=settings)
    assert [reason.name for reason in comparison.reasons] == ["means and stds are returned together"]
    assert "the export returns 6 numbers for 3 actions" in comparison.reasons[0].found


@pytest.mark.slow
def test_dynamo_exporter_of_torch_as_rsl_rl_calls_it(made, tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    model, settings, _, checkpoint = made("lstm", "gaussian")
    module = model.as_onnx(False)
    options = {"dynamo": True, "opset_version": 18, "verbose": False}
    names = module.input_names, module.output_names
    export = to_onnx(module, tmp_path / "policy.onnx", module.get_dummy_inputs(), names, **options)
    comparison = compare_export(checkpoint, export, config=settings)
    assert comparison.same, str(comparison)
