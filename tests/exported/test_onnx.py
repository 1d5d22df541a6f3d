"""ONNX files are read as data: the policy is recognized in the graph, and weights may only be next to the file."""

import re
import sys

import pytest
import torch
from exporters import FEATURES, IsaacLab, OnnxMemory, policy
from exporters import to_onnx as save
from torch import nn

from rsl_edu.exported import ExportError, mlp_of, read_export
from rsl_edu.modules import mlp

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402 (after checking that it is installed)


@pytest.fixture(scope="module")
def newest(tmp_path_factory):
    """A network exported to two files by torch's newer exporter: the folder and the actor."""
    pytest.importorskip("onnxscript")
    actor, folder = policy(hidden=(64, 32)), tmp_path_factory.mktemp("newest")
    save(IsaacLab(actor, actor.obs_normalizer), folder / "policy.onnx", opset_version=18, dynamo=True, verbose=False)
    return folder, actor


@pytest.fixture
def moved(newest, tmp_path):
    """Copies of these files, under other names."""

    def copy(**names):
        for old, new in {"onnx": "policy.onnx", "data": "policy.onnx.data", **names}.items():
            if new is not None:
                ending = "policy.onnx.data" if old == "data" else "policy.onnx"
                (tmp_path / new).write_bytes((newest[0] / ending).read_bytes())
        return tmp_path / names.get("onnx", "policy.onnx")

    return copy


def same_weights(export, actor):
    state = {name: x for name, x in actor.state_dict().items() if name.startswith(("mlp", "rnn"))}
    assert set(export.weights) == set(state)
    for name, tensor in state.items():
        torch.testing.assert_close(export.weights[name], tensor, rtol=0, atol=0)
    mean, divisor = export.normalizer
    torch.testing.assert_close(mean, actor.obs_normalizer.mean.double())
    torch.testing.assert_close(divisor, actor.obs_normalizer.std.double() + 0.01, rtol=1e-6, atol=0)


def test_export_of_the_newer_exporter_in_two_files_is_read(moved, newest):
    export = read_export(moved())
    same_weights(export, newest[1])
    assert (export.format, export.activation, export.features) == ("ONNX", "elu", FEATURES)
    assert export.made_by.startswith("pytorch")
    assert (export.observation, export.action, dict(export.state)) == ("obs", "actions", {})
    whole = onnx.load_model_from_string(export.program)
    assert not [tensor.name for tensor in whole.graph.initializer if tensor.external_data]


@pytest.mark.parametrize("opset", [11, 17])
def test_export_of_the_older_exporter_is_read(opset, tmp_path):
    actor = policy()
    same_weights(
        read_export(save(IsaacLab(actor, actor.obs_normalizer), tmp_path / "p.onnx", opset_version=opset)), actor
    )


def test_transposed_weights_of_a_three_dimensional_input_are_read(tmp_path):
    actor = policy()
    path = save(IsaacLab(actor, actor.obs_normalizer), tmp_path / "p.onnx", (torch.zeros(1, 1, FEATURES),))
    export = read_export(path)
    assert "mlp.0.weight" not in export.tensors
    same_weights(export, actor)


@pytest.mark.parametrize(("kind", "layers"), [("lstm", 1), ("lstm", 2), ("gru", 2)])
def test_gates_of_an_rnn_are_in_torchs_order(kind, layers, tmp_path):
    actor = policy(rnn=kind, layers=layers)
    module = OnnxMemory(actor, actor.obs_normalizer)
    export = read_export(save(module, tmp_path / "p.onnx", module.inputs(), module.names()))
    same_weights(export, actor)
    states = {"h_in": "h_out"} | ({"c_in": "c_out"} if kind == "lstm" else {})
    assert dict(export.state) == states
    assert (export.observation, export.action, export.activation) == ("obs", "actions", "elu")


@pytest.mark.parametrize("activation", [name for name in mlp.ACTIVATIONS if name != "crelu"])
def test_activation_is_recognized_by_its_operations(activation, tmp_path):
    path = save(IsaacLab(policy(activation=activation)), tmp_path / "p.onnx")
    assert mlp_of(path)[0] == read_export(path).activation == activation
    weights = read_export(path).weights
    assert mlp_of(path)[1] == [tuple(x.shape) for name, x in weights.items() if re.fullmatch(r"mlp.*weight", name)]


def test_activation_is_none_if_there_are_two(tmp_path):
    network = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2))
    assert mlp_of(save(network, tmp_path / "p.onnx"))[0] is None


def test_activation_is_none_for_two_parallel_networks(tmp_path):
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = (nn.Sequential(nn.Linear(6, 4), nn.ELU(), nn.Linear(4, 2)) for _ in range(2))

        def forward(self, x):
            return self.a(x) + self.b(x)

    assert mlp_of(save(Two(), tmp_path / "p.onnx"))[0] is None


def test_operations_after_the_last_layer_are_listed(tmp_path):
    network = nn.Sequential(nn.Linear(6, 4), nn.ELU(), nn.Linear(4, 2), nn.Hardtanh(-1, 1))
    assert read_export(save(network, tmp_path / "p.onnx")).ending == ("Clip",)


def graph(nodes, inputs, outputs, weights=(), **others):
    """The bytes of a model with the given operations."""
    values = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in each.items()]
        for each in (inputs, outputs)
    ]
    made = helper.make_graph(nodes, "policy", *values, initializer=list(weights), **others)
    return helper.make_model(made, producer_name="tf2onnx", opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def constant(name, tensor):
    return numpy_helper.from_array(tensor.numpy(), name)


def test_normalizer_of_tf2onnx_is_read(tmp_path):
    """An export like mujoco_playground's: a normalizer with Mul, transposed weights, and a tanh at the end."""
    mean, std, weight, bias = torch.randn(6), torch.rand(6) + 0.5, torch.randn(6, 4), torch.randn(4)
    node = helper.make_node
    nodes = [
        node("Sub", ["obs", "mean"], ["a"]),
        node("Mul", ["a", "recip"], ["b"]),
        node("Gemm", ["b", "weight", "bias"], ["c"]),
        node("Split", ["c"], ["d", "e"], axis=-1),
        node("Tanh", ["d"], ["continuous_actions"]),
    ]
    weights = [constant(*each) for each in (("mean", mean), ("recip", 1 / std), ("weight", weight), ("bias", bias))]
    model = graph(nodes, {"obs": [1, 6]}, {"continuous_actions": [1, 2]}, weights)
    onnx.save(model, tmp_path / "policy.onnx")
    export = read_export(tmp_path / "policy.onnx")
    torch.testing.assert_close(export.weights["mlp.0.weight"], weight.T)
    torch.testing.assert_close(export.normalizer[1], std.double(), rtol=1e-6, atol=0)
    assert (export.action, export.ending) == ("continuous_actions", ("Split", "Tanh"))


def test_other_inputs_outputs_and_metadata_are_listed(tmp_path):
    """An export like whole_body_tracking's, which includes the motion."""
    node = helper.make_node
    nodes = [node("Gemm", ["obs", "w"], ["actions"]), node("Gather", ["motion", "step"], ["joint_pos"])]
    nodes[:0] = [node("Cast", ["time_step"], ["step"], to=TensorProto.INT64)]
    weights = [constant("w", torch.randn(6, 2)), constant("motion", torch.randn(9, 2))]
    inputs, outputs = {"obs": [1, 6], "time_step": [1, 1]}, {"actions": [1, 2], "joint_pos": [1, 1, 2]}
    model = graph(nodes, inputs, outputs, weights)
    helper.set_model_props(model, {"observation_names": "command,base_ang_vel"})
    onnx.save(model, tmp_path / "policy.onnx")
    export = read_export(tmp_path / "policy.onnx")
    assert (export.observation, export.action, dict(export.state)) == ("obs", "actions", {})
    assert export.metadata == {"observation_names": "command,base_ang_vel"}


# Weights in another file ----------------------------------------------------------------------------------------------


def refusal(path):
    with pytest.raises(ExportError) as error:
        read_export(path)
    message = str(error.value)
    assert message.startswith(f"{path.name}: ")
    assert message.isprintable()
    return message.removeprefix(f"{path.name}: ")


def test_missing_weights_are_named_and_the_activation_is_still_read(moved):
    path = moved(data=None)
    message = refusal(path)
    assert message.startswith(
        "its weights are in policy.onnx.data, which must be next to it under this name, but is not"
    )
    assert "external_data=False" in message
    assert mlp_of(path)[0] == "elu"


def test_error_for_a_renamed_file_says_which_name_it_needs(moved):
    message = refusal(moved(onnx="walk.onnx", data="walk.onnx.data"))
    assert "its weights are in policy.onnx.data" in message
    assert "The folder has walk.onnx.data: if that is the file, give it its old name." in message


def test_truncated_weights_are_named(moved):
    path = moved()
    data = path.with_name("policy.onnx.data")
    data.write_bytes(data.read_bytes()[:100])
    assert refusal(path).startswith("its weights in policy.onnx.data are incomplete: 'actor.")


def test_folder_of_links_is_read(moved, newest, tmp_path):
    (tmp_path / "snapshot").mkdir()
    path = moved(onnx="1a2b", data="3c4d")
    links = {"policy.onnx": path, "policy.onnx.data": tmp_path / "3c4d"}
    for name, blob in links.items():
        (tmp_path / "snapshot" / name).symlink_to(blob)
    same_weights(read_export(tmp_path / "snapshot" / "policy.onnx"), newest[1])


@pytest.mark.parametrize("where", ["../secret", "/etc/hostname", "", "link", "sub/../../secret"])
def test_no_file_outside_of_the_folder_is_read(where, moved, tmp_path):
    path = moved()
    (tmp_path.parent / "secret").write_bytes(bytes(1 << 16))
    (tmp_path / "link").symlink_to(tmp_path.parent / "secret")
    model = onnx.load(path, load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = where
    path.write_bytes(model.SerializeToString())
    assert refusal(path) == f"it refers to weights in {where!r}, outside its folder, which are not read"


def test_external_weights_of_operations_are_checked_too(tmp_path):
    """Not only the weights of the graph can refer to a file, but also attributes of operations."""
    outside = helper.make_tensor("w", TensorProto.FLOAT, [1], b"\0\0\0\0", raw=True)
    outside.ClearField("raw_data")
    outside.data_location = TensorProto.EXTERNAL
    outside.external_data.add(key="location", value="../secret")
    nodes = [helper.make_node("Constant", [], ["w"], value=outside), helper.make_node("Add", ["obs", "w"], ["actions"])]
    (tmp_path / "p.onnx").write_bytes(graph(nodes, {"obs": [1, 1]}, {"actions": [1, 1]}).SerializeToString())
    assert refusal(tmp_path / "p.onnx").startswith("it refers to weights in '../secret', outside its folder")


# Damaged files --------------------------------------------------------------------------------------------------------


def test_weight_that_declares_more_than_the_file_has_is_refused(tmp_path):
    weight = helper.make_tensor("w", TensorProto.FLOAT, [1, 1], b"\0\0\0\0", raw=True)
    weight.dims[:] = [1 << 30, 1 << 30]
    model = graph([helper.make_node("Gemm", ["obs", "w"], ["actions"])], {"obs": [1, 6]}, {"actions": [1, 2]}, [weight])
    (tmp_path / "p.onnx").write_bytes(model.SerializeToString())
    assert refusal(tmp_path / "p.onnx").startswith("damaged (")


def test_truncated_file_is_damaged(moved):
    path = moved()
    path.write_bytes(path.read_bytes()[:-50])
    assert refusal(path).startswith("damaged (DecodeError")
    assert mlp_of(path)[0] is None


def test_more_operations_than_any_policy_has_are_refused(tmp_path):
    nodes = [helper.make_node("Identity", [f"x{place}"], [f"x{place + 1}"]) for place in range(6000)]
    model = graph(nodes, {"x0": [1, 6]}, {"x6000": [1, 6]})
    (tmp_path / "p.onnx").write_bytes(model.SerializeToString())
    assert refusal(tmp_path / "p.onnx") == "its graph has 6,000 operations, more than any policy's"


def test_small_weights_are_not_unfolded_into_huge_ones(tmp_path):
    column, row = constant("a", torch.zeros(1 << 18, 1)), constant("b", torch.zeros(1, 1 << 18))
    nodes = [helper.make_node("Add", ["a", "b"], ["c"]), helper.make_node("MatMul", ["obs", "c"], ["actions"])]
    model = graph(nodes, {"obs": [1, 1 << 18]}, {"actions": [1, 1 << 18]}, [column, row])
    (tmp_path / "p.onnx").write_bytes(model.SerializeToString())
    assert not read_export(tmp_path / "p.onnx").weights


def test_deeply_nested_graphs_are_refused(tmp_path):
    inside = helper.make_graph([helper.make_node("Identity", ["obs"], ["x"])], "g", [], [])
    for _ in range(30):
        inside = helper.make_graph([helper.make_node("If", ["c"], ["x"], then_branch=inside)], "g", [], [])
    model = helper.make_model(inside)
    (tmp_path / "p.onnx").write_bytes(model.SerializeToString())
    assert refusal(tmp_path / "p.onnx") == "its graph is nested more deeply than any policy's"


def test_error_without_the_package_says_what_to_install(moved, monkeypatch):
    path = moved()
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert refusal(path) == "reading ONNX requires the package onnx: pip install 'rsl_edu[onnx]'"
    assert mlp_of(path)[0] is None


def test_celu_is_read_as_celu_or_elu(tmp_path):
    """CELU with an alpha of 1 is ELU, and the exporter may write either."""
    path = save(IsaacLab(policy(activation="crelu")), tmp_path / "p.onnx")
    assert mlp_of(path)[0] in ("elu", "crelu")
