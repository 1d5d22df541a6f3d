"""TorchScript files of any exporter are read as data, and nothing in them is run."""

import os
import pickle
import re
import zipfile

import pytest
import torch
from exporters import FEATURES, IsaacLab, policy, script
from torch import nn

from rsl_edu.exported import ExportError, mlp_of, read_export
from rsl_edu.exported.names import ACTIVATIONS
from rsl_edu.modules import mlp


def test_every_activation_of_the_modules_is_known():
    named = {made().__class__.__name__: name for name, made in mlp.ACTIVATIONS.items()}
    assert named == ACTIVATIONS


@pytest.mark.parametrize("activation", mlp.ACTIVATIONS)
def test_the_activation_is_read_without_running_anything(activation, tmp_path):
    path = script(IsaacLab(policy(activation=activation)), tmp_path / "policy.pt")
    assert mlp_of(path)[0] == read_export(path).activation == activation
    weights = read_export(path).weights
    assert mlp_of(path)[1] == [tuple(x.shape) for name, x in weights.items() if re.fullmatch(r"mlp.*weight", name)]


def test_weights_of_an_isaac_lab_export_get_the_names_of_rsl_rl_5(tmp_path):
    actor = policy(rnn="lstm", layers=2)
    export = read_export(script(IsaacLab(actor, actor.obs_normalizer), tmp_path / "policy.pt"))
    state = actor.state_dict()
    names = [name for name in state if name.startswith(("mlp", "rnn"))]
    assert set(export.weights) == set(names)
    for name in names:
        torch.testing.assert_close(export.weights[name], state[name], rtol=0, atol=0)
    mean, divisor = export.normalizer
    torch.testing.assert_close(mean, actor.obs_normalizer.mean.double())
    torch.testing.assert_close(divisor, actor.obs_normalizer.std.double() + 0.01)
    assert (export.format, export.features, export.activation) == ("TorchScript", FEATURES, "elu")
    assert export.made_by == "exporters.IsaacLab"
    assert set(export.memory) == {"hidden_state", "cell_state"}
    assert not export.has_reset


@pytest.mark.parametrize("how", ["script", "trace"])
def test_weights_of_a_legged_gym_export_get_the_names_of_rsl_rl_5(how, tmp_path):
    actor = policy(normalized=False)
    network = nn.Sequential(*actor.mlp)
    made = torch.jit.script(network) if how == "script" else torch.jit.trace(network, torch.zeros(1, FEATURES))
    made.save(str(tmp_path / "policy_1.pt"))
    export = read_export(tmp_path / "policy_1.pt")
    assert list(export.weights) == [name for name in actor.state_dict() if name.startswith("mlp")]
    assert (export.activation, export.normalizer, export.made_by.rpartition(".")[2]) == ("elu", None, "Sequential")


def test_actor_among_several_networks_is_recognized_by_its_name(tmp_path):
    class Exporter(nn.Module):
        def __init__(self):
            super().__init__()
            self.estimator = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 2))
            self.actor = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 2), nn.Tanh())

        def forward(self, x):
            return self.actor(torch.cat([x, self.estimator(x)], -1))

        @torch.jit.export
        def reset(self):
            pass

    module = Exporter()
    export = read_export(script(module, tmp_path / "policy.pt"))
    torch.testing.assert_close(export.weights["mlp.0.weight"], module.actor[0].weight.detach())
    assert (export.activation, export.ending, export.has_reset) == ("relu", ("Tanh",), True)


def test_activation_is_none_if_there_are_two(tmp_path):
    network = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2))
    path = script(network, tmp_path / "policy.pt")
    assert mlp_of(path)[0] is read_export(path).activation is None


def test_weights_of_a_frozen_module_are_read_from_its_constants(tmp_path):
    network = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 2)).eval()
    torch.jit.freeze(torch.jit.script(network)).save(str(tmp_path / "policy.pt"))
    export = read_export(tmp_path / "policy.pt")
    assert not export.weights
    torch.testing.assert_close(export.tensors["constants.c0"], network[0].weight.detach())


def test_half_precision_is_recognized(tmp_path):
    assert read_export(script(IsaacLab(policy()).half(), tmp_path / "policy.pt")).half
    assert not read_export(script(IsaacLab(policy()), tmp_path / "other.pt")).half


# Harmful and damaged files -------------------------------------------------------------------------------------------


def rewritten(path, changes, compression=zipfile.ZIP_STORED):
    """An export with some entries replaced; ``changes`` maps the ends of their names to new contents."""
    script(IsaacLab(policy()), path)
    with zipfile.ZipFile(path) as read_from:
        entries = {entry.filename: read_from.read(entry) for entry in read_from.infolist()}
    with zipfile.ZipFile(path, "w", compression) as written:
        for name, content in entries.items():
            new = next((value for end, value in changes.items() if name.endswith(end)), content)
            if new is not None:
                written.writestr(name, new(content) if callable(new) else new)
    return path


def refusal(path):
    with pytest.raises(ExportError) as error:
        read_export(path)
    message = str(error.value)
    assert message.startswith(f"{path.name}: ")
    assert message.isprintable()
    assert mlp_of(path)[0] is None
    return message.removeprefix(f"{path.name}: ")


class Calls:
    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("part", ["/data.pkl", "/constants.pkl"])
@pytest.mark.parametrize("protocol", [2, 4])
def test_no_function_is_called(part, protocol, tmp_path):
    harmful = pickle.dumps({"x": Calls(os.system, (f"touch {tmp_path / 'marker'}",))}, protocol)
    message = refusal(rewritten(tmp_path / "policy.pt", {part: harmful}))
    assert re.match(
        r"it (refers to (posix|nt)\.system, which no exported policy needs; not run|contains an unusual)", message
    )
    assert not (tmp_path / "marker").exists()


def test_code_with_an_endless_loop_is_not_run(tmp_path):
    class Forever(nn.Module):
        def forward(self, x):
            while bool((x == x).all()):
                x = x + 0
            return x

    path = script(nn.Sequential(nn.Linear(2, 2), Forever()), tmp_path / "policy.pt")
    assert read_export(path).ending == ("Forever",)


def with_shape(size, strides):
    """Change the shape of the first bias in a pickle; both sizes are below 256, in tuples with one element."""

    def change(pickled):
        place = pickled.index(b"(K\x10t(K\x01t")
        new = b"".join(b"(" + b"".join(pickle.dumps(n, 2)[2:-1] for n in part) + b"t" for part in (size, strides))
        return pickled[:place] + new + pickled[place + len(b"(K\x10t(K\x01t") :]

    return change


@pytest.mark.parametrize(
    ("size", "strides", "says"),
    [
        ((1 << 40,), (1,), "damaged: a tensor of shape [1099511627776], but 16 numbers in the file"),
        ((1 << 20, 1 << 20), (0, 0), "damaged: a tensor of shape [1048576, 1048576], but 16 numbers"),
        ((4,), (1 << 30,), "damaged: a tensor of shape [4] extends beyond the file"),
        ((-4,), (1,), "damaged: a tensor of shape [-4]"),
        ((4,), (-1,), "damaged: a tensor of shape [4]"),
    ],
)
def test_tensors_that_declare_more_than_the_file_has_are_refused(size, strides, says, tmp_path):
    assert refusal(rewritten(tmp_path / "policy.pt", {"/data.pkl": with_shape(size, strides)})).startswith(says)


@pytest.mark.parametrize("part", ["/data.pkl", "/data/0"])
def test_zip_bomb_is_not_unpacked(part, tmp_path):
    bomb = rewritten(tmp_path / "policy.pt", {part: bytes(1 << 26)}, zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 1 << 18
    assert "is larger than in any exported policy" in refusal(bomb)


def nested(depth):
    """A pickle of nested modules."""
    inside = b"c__torch__.m\nM\n)\x81}X\x01\x00\x00\x00a"
    return b"\x80\x02" + inside * depth + b"K\x01" + b"sb" * depth + b"."


def doubled(depth):
    """A pickle of few modules under very many names, as each contains the previous one twice."""
    module = b"c__torch__.m\nM\n)\x81}("
    pickled = b"\x80\x02" + module + b"X\x01\x00\x00\x00aK\x01ubq\x00"
    for level in range(depth):
        inside = b"h" + bytes([level])
        names = b"".join(b"X\x01\x00\x00\x00" + name + inside for name in (b"a", b"b"))
        pickled += module + names + b"ubq" + bytes([level + 1])
    return pickled + b"."


@pytest.mark.parametrize("pickled", [nested(1000), doubled(30)], ids=["deep", "wide"])
def test_endlessly_nested_modules_are_refused(pickled, tmp_path):
    path = rewritten(tmp_path / "policy.pt", {"/data.pkl": pickled})
    assert refusal(path) == "it has more nested modules than any policy"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"/data.pkl": None}, "damaged: a TorchScript archive without data.pkl"),
        ({"/data/0": None}, "damaged: policy/data/0 is missing"),
        ({"/data.pkl": b""}, "damaged ("),
        ({"/data.pkl": b"\x80\x02K\x01."}, "it contains no module"),
        ({"/data.pkl": b"\x80\x02K\x01"}, "damaged ("),
        ({"/data.pkl": b"\x80\x02h\x07."}, "damaged (KeyError"),
        ({"/data.pkl": b"\x80\x02]K\x01\x85R."}, "damaged (TypeError"),
        ({"/byteorder": b"big"}, "its numbers have a different byte order"),
    ],
)
def test_damaged_files_are_named(changes, says, tmp_path):
    assert refusal(rewritten(tmp_path / "policy.pt", changes)).startswith(says)


def test_truncated_file_is_not_an_export(tmp_path):
    path = script(IsaacLab(policy()), tmp_path / "policy.pt")
    path.write_bytes(path.read_bytes()[:-200])
    assert refusal(path).startswith("expected an exported policy, TorchScript or ONNX, got ")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"version https://git-lfs", b"\x08\x08\x12", b"<html>"])
def test_foreign_files_have_no_activation_and_raise_nothing(content, tmp_path):
    (tmp_path / "policy.pt").write_bytes(content)
    assert mlp_of(tmp_path / "policy.pt")[0] is None
    with pytest.raises(ExportError):
        read_export(tmp_path / "policy.pt")
    assert mlp_of(tmp_path / "nothing.pt")[0] is None
    assert mlp_of(tmp_path)[0] is None
