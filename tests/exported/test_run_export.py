"""An export runs where it can harm nothing, does what its module does, and is stopped if it does not end."""

import pytest
import torch
from exporters import ACTIONS, FEATURES, IsaacLab, OnnxMemory, policy, script, to_onnx
from torch import nn

from rsl_edu.exported import ExportError, read_export, run, run_export
from rsl_edu.sandbox import Limits, SandboxError

OBSERVATIONS = torch.randn(3, 5, FEATURES, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def no_bwrap(monkeypatch, tmp_path):
    """A machine without bubblewrap."""
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def onnx_file(tmp_path):
    """Writes a module as ONNX; without the packages for it: a skip."""
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    return lambda module, *more: read_export(to_onnx(module, tmp_path / "policy.onnx", *more))


def torch_file(module, tmp_path):
    return read_export(script(module.eval(), tmp_path / "policy.pt"))


def played(actor, observations=OBSERVATIONS):
    actor.reset()
    return torch.stack([actor(x) for x in observations])


def test_torchscript_runs_in_the_sandbox_with_its_memory_carried_along(bwrap, tmp_path):
    actor = policy(rnn="lstm")
    export = torch_file(IsaacLab(actor, actor.obs_normalizer), tmp_path)
    result = run_export(export, OBSERVATIONS, recurrent=True)
    torch.testing.assert_close(result.actions, played(actor))
    torch.testing.assert_close(result.again, result.actions, rtol=0, atol=0)
    assert (result.evaluated, result.where) == (None, "in a sandbox")


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_onnx_runs_with_its_state_fed_back(kind, onnx_file, no_bwrap):
    actor = policy(rnn=kind)
    module = OnnxMemory(actor, actor.obs_normalizer)
    result = run_export(onnx_file(module, module.inputs(), module.names()), OBSERVATIONS, recurrent=True)
    torch.testing.assert_close(result.actions, played(actor))
    assert result.where == "in a process of its own, without a sandbox"


def test_onnx_runs_in_the_sandbox_if_there_is_one(bwrap, onnx_file):
    actor = policy()
    result = run_export(onnx_file(IsaacLab(actor, actor.obs_normalizer)), OBSERVATIONS)
    torch.testing.assert_close(result.actions, played(actor))
    assert result.where == "in a sandbox"


def test_torchscript_without_a_sandbox_does_not_run(no_bwrap, tmp_path):
    with pytest.raises(SandboxError, match="cannot run bwrap: No such file or directory"):
        run_export(torch_file(IsaacLab(policy()), tmp_path), OBSERVATIONS)


def test_a_sandbox_that_does_not_start_is_told_from_one_that_is_missing(monkeypatch, tmp_path):
    refusing = tmp_path / "bwrap"
    refusing.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    refusing.chmod(0o755)
    export = torch_file(IsaacLab(policy()), tmp_path)
    for folder, refused in ((tmp_path, True), (tmp_path / "empty", False)):
        monkeypatch.setenv("PATH", str(folder))
        with pytest.raises(SandboxError, match="bwrap") as error:
            run_export(export, OBSERVATIONS)
        assert error.value.refused is refused


class Forever(nn.Module):
    def forward(self, x):
        while bool((x == x).all()):
            x = x + 0
        return x


def test_code_that_does_not_end_is_stopped(onnx_file, no_bwrap):
    onnx = pytest.importorskip("onnx")
    helper, number = onnx.helper, onnx.TensorProto.FLOAT
    true = helper.make_tensor("t", onnx.TensorProto.BOOL, [], [True])
    nodes = [helper.make_node("Constant", [], ["go"], value=true), helper.make_node("Identity", ["x"], ["y"])]
    value = helper.make_tensor_value_info
    given = [value("i", onnx.TensorProto.INT64, []), value("c", onnx.TensorProto.BOOL, []), value("x", number, [1, 6])]
    body = helper.make_graph(nodes, "body", given, [value("go", onnx.TensorProto.BOOL, []), value("y", number, [1, 6])])
    loop = helper.make_node("Loop", ["", "always", "obs"], ["actions"], body=body)
    nodes = [helper.make_node("Constant", [], ["always"], value=true), loop]
    made = helper.make_graph(nodes, "policy", [value("obs", number, [1, 6])], [value("actions", number, [1, 6])])
    model = helper.make_model(made, producer_name="x", opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    export = onnx_file(nn.Linear(FEATURES, ACTIONS))
    export.path.write_bytes(model.SerializeToString())
    with pytest.raises(ExportError) as error:
        run_export(read_export(export.path), OBSERVATIONS, limits=Limits(cpu=0.2))
    assert str(error.value) == "policy.onnx: it was run, but it used more than 0.2 s of CPU time"


@pytest.mark.slow
def test_torchscript_that_does_not_end_is_stopped(bwrap, tmp_path):
    export = torch_file(Forever(), tmp_path)
    with pytest.raises(ExportError) as error:
        run_export(export, OBSERVATIONS, limits=Limits(cpu=0.2))
    assert str(error.value) == "policy.pt: it was run, but it used more than 0.2 s of CPU time"


def test_observations_that_do_not_fit_are_an_error_of_one_line(onnx_file, no_bwrap):
    with pytest.raises(ExportError, match=r"^policy.onnx: it does not run on these observations \(.*") as error:
        run_export(onnx_file(IsaacLab(policy())), torch.zeros(1, 2, FEATURES + 1))
    assert str(error.value).isprintable()


@pytest.fixture
def forged(tmp_path, monkeypatch):
    """A worker that writes what it is told: a stranger's code runs in it, so it may write the answer itself."""

    def forge(answer):
        worker = tmp_path / "worker.py"
        worker.write_text(f"import sys; sys.stdin.buffer.read(); sys.stdout.buffer.write({answer!r})")
        monkeypatch.setattr(run, "_WORKER", worker)
        return torch_file(IsaacLab(policy()), tmp_path)

    return forge


def test_a_file_that_is_trusted_runs_without_a_sandbox(forged, no_bwrap):
    actions = torch.arange(90.0).view(30, 3)
    export = forged(b'\n{"shape": [30, 3]}\n' + actions.numpy().tobytes())
    result = run_export(export, OBSERVATIONS, unsafe=True)
    torch.testing.assert_close(result.actions, actions[:15].view(3, 5, 3))
    torch.testing.assert_close(result.again, actions[15:].view(3, 5, 3))
    assert result.where == "in a process of its own, without a sandbox"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"", "its answer cannot be read"),
        (b"\n{", "its answer cannot be read"),
        (b"\n" + b"[" * 100_000, "its answer cannot be read"),
        (b'\n{"shape": [30, 3]}\n', "what it returns are no actions"),
        (b'\n{"shape": [30, 1000000000000]}\n' + b"x" * 360, "what it returns are no actions"),
        (b'\n{"shape": [-30, -3]}\n' + b"x" * 360, "what it returns are no actions"),
        (b'\n{"shape": "many"}\n', "its answer cannot be read"),
        (b'\n{"error": "\\u001b[31m RuntimeError: cuda:0"}\n', r"\?\[31m RuntimeError: cuda:0\); its code names a GPU"),
        (b'\n{"error": "No module named onnxruntime"}\n', r"pip install 'rsl_edu\[onnx\]'"),
    ],
)
def test_an_answer_that_no_honest_worker_sends_is_refused(answer, says, forged):
    with pytest.raises(ExportError, match=says):
        run_export(forged(answer), OBSERVATIONS, unsafe=True)
