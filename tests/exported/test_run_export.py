"""An export runs in a sandbox, acts like its module, and is stopped if it does not finish."""

import pytest
import torch
from exporters import ACTIONS, FEATURES, IsaacLab, OnnxMemory, in_this_process, policy, script, to_onnx
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
    """Writes a module as ONNX; skips the test if the packages for it are missing."""
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    return lambda module, *more: read_export(to_onnx(module, tmp_path / "policy.onnx", *more))


def torch_file(module, tmp_path):
    return read_export(script(module.eval(), tmp_path / "policy.pt"))


def played(actor, observations=OBSERVATIONS):
    actor.reset()
    return torch.stack([actor(x) for x in observations])


def test_torchscript_runs_in_the_sandbox_and_keeps_its_hidden_state(bwrap, tmp_path):
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
    assert result.where == "in a separate process, without a sandbox"


def test_onnx_runs_in_the_sandbox_if_there_is_one(bwrap, onnx_file):
    actor = policy()
    result = run_export(onnx_file(IsaacLab(actor, actor.obs_normalizer)), OBSERVATIONS)
    torch.testing.assert_close(result.actions, played(actor))
    assert result.where == "in a sandbox"


def test_torchscript_without_a_sandbox_does_not_run(no_bwrap, tmp_path):
    with pytest.raises(SandboxError, match="cannot run bwrap: No such file or directory"):
        run_export(torch_file(IsaacLab(policy()), tmp_path), OBSERVATIONS)


def test_failing_sandbox_and_missing_sandbox_give_different_errors(monkeypatch, tmp_path):
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
    assert str(error.value) == "policy.onnx: it ran, but it used more than 0.2 s of CPU time"


@pytest.mark.slow
def test_torchscript_that_does_not_end_is_stopped(bwrap, tmp_path):
    export = torch_file(Forever(), tmp_path)
    with pytest.raises(ExportError) as error:
        run_export(export, OBSERVATIONS, limits=Limits(cpu=0.2))
    assert str(error.value) == "policy.pt: it ran, but it used more than 0.2 s of CPU time"


def test_observations_that_do_not_fit_give_a_one_line_error(onnx_file, no_bwrap):
    with pytest.raises(ExportError) as error:
        run_export(onnx_file(IsaacLab(policy())), torch.zeros(1, 2, FEATURES + 1))
    said = "its input obs takes 6 features, but the observations have 7"
    assert str(error.value) == f"policy.onnx: it does not run on these observations: {said}"


class OfATable(nn.Module):
    def forward(self, obs: dict[str, torch.Tensor]):
        return obs["policy"]


class OfAList(nn.Module):
    def forward(self, obs: list[torch.Tensor]):
        return obs[0]


class OfStates(nn.Module):
    def forward(self, obs, h):
        return obs, h


class OfAHistory(nn.Module):
    def forward(self, obs):
        assert obs.dim() == 3
        return obs[:, -1]


class OfText(nn.Module):
    def forward(self, obs):
        return "a text"


class OnAGpu(nn.Module):
    def forward(self, obs):
        return obs.to("cuda:0")


@pytest.mark.parametrize(
    ("module", "says"),
    [
        (
            OfATable(),
            r"its forward takes Dict\[str, Tensor\] as obs; it gets one observation at a time, as a tensor \[",
        ),
        (OfAList(), r"its forward takes List\[Tensor\] as obs; it gets one observation at a time"),
        (
            OfStates(),
            "its forward takes more than an observation: Tensor obs, Tensor h; it gets one observation at",
        ),
        (OfAHistory(), r"\w+Error.*, at `assert obs.dim\(\) == 3`, called with a tensor \[1, features\]$"),
        (OfText(), "TypeError: it returns str, not a tensor"),
        (OnAGpu(), r"\w+Error: .*, at `return obs.to\(\"cuda:0\"\)`, .*; its code refers to a GPU: export it"),
    ],
)
def test_policy_with_other_inputs_gives_a_one_sentence_error(module, says, tmp_path, monkeypatch):
    in_this_process(monkeypatch)
    if isinstance(module, OnAGpu) and torch.cuda.is_available():
        pytest.skip("it runs here")
    with pytest.raises(ExportError, match=f"^policy.pt: it does not run on these observations: {says}") as error:
        run_export(torch_file(module, tmp_path), OBSERVATIONS)
    assert len(str(error.value)) < 400


def test_graph_that_takes_a_history_gives_an_error(onnx_file, monkeypatch):
    in_this_process(monkeypatch)
    export = onnx_file(OfAHistory(), (torch.zeros(1, 5, FEATURES),))
    with pytest.raises(ExportError, match=r"its input obs takes \[1, 5, 6\]; it gets one observation at a time"):
        run_export(export, OBSERVATIONS)


def test_graph_with_a_fixed_batch_size_runs(onnx_file, monkeypatch):
    in_this_process(monkeypatch)
    actor = policy()
    module = IsaacLab(actor, actor.obs_normalizer)
    result = run_export(onnx_file(module, (torch.zeros(16, FEATURES),)), OBSERVATIONS)
    torch.testing.assert_close(result.actions, module(OBSERVATIONS), rtol=1e-4, atol=1e-5)


@pytest.fixture
def forged(tmp_path, monkeypatch):
    """A worker that writes a given answer, as untrusted code in it could."""

    def forge(answer):
        worker = tmp_path / "worker.py"
        worker.write_text(f"import sys; sys.stdin.buffer.read(); sys.stdout.buffer.write({answer!r})")
        monkeypatch.setattr(run, "_WORKER", worker)
        return torch_file(IsaacLab(policy()), tmp_path)

    return forge


def test_trusted_file_runs_without_a_sandbox(forged, no_bwrap):
    actions = torch.arange(90.0).view(30, 3)
    export = forged(b'\n{"shape": [30, 3]}\n' + actions.numpy().tobytes())
    result = run_export(export, OBSERVATIONS, unsafe=True)
    torch.testing.assert_close(result.actions, actions[:15].view(3, 5, 3))
    torch.testing.assert_close(result.again, actions[15:].view(3, 5, 3))
    assert result.where == "in a separate process, without a sandbox"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"", "its answer cannot be read"),
        (b"\n{", "its answer cannot be read"),
        (b"\n" + b"[" * 100_000, "its answer cannot be read"),
        (b'\n{"shape": [30, 3]}\n', "it ran, but did not return actions"),
        (b'\n{"shape": [30, 1000000000000]}\n' + b"x" * 360, "it ran, but did not return actions"),
        (b'\n{"shape": [-30, -3]}\n' + b"x" * 360, "it ran, but did not return actions"),
        (b'\n{"shape": "many"}\n', "its answer cannot be read"),
        (
            b'\n{"error": "\\u001b[31m RuntimeError: cuda:0"}\n',
            r"\?\[31m RuntimeError: cuda:0; its code refers to a GPU",
        ),
        (b'\n{"error": "No module named onnxruntime"}\n', r"pip install 'rsl_edu\[onnx\]'"),
    ],
)
def test_malformed_answer_is_refused(answer, says, forged):
    with pytest.raises(ExportError, match=says):
        run_export(forged(answer), OBSERVATIONS, unsafe=True)
