"""A capture checks its arguments and leaves the modules unchanged.

No test here needs a GPU: they run the parts of a capture on the CPU, and a complete capture with a simulated graph that
replays by running Python. The tests in `test_cuda_graph_on_gpu.py` compare real graphs with the captured steps.
"""

import contextlib
import copy
import types

import pytest
import torch
from rollout_steps import DISTRIBUTIONS, ENVS, HIDDEN, OBS, Actor, RecurrentActor, observations, run, statistics
from torch import nn

from rsl_edu import cuda_graph
from rsl_edu.cuda_graph import (
    PlacedModules,
    SavedState,
    argument_names,
    capture_step,
    check_examples,
    check_inputs,
    warm_up,
)
from rsl_edu.modules import RNN, EmpiricalDiscountedVariationNormalization


@pytest.mark.skipif(torch.cuda.is_available(), reason="only without a CUDA device")
def test_error_without_cuda_names_what_is_needed():
    with pytest.raises(RuntimeError, match="CUDA device and a CUDA build of torch"):
        capture_step(Actor(), torch.zeros(ENVS, OBS), modules=[])


def test_arguments_are_named_as_in_the_step():
    def step(observations, hidden, *rest, scale=1):
        pass

    assert argument_names(step, 2) == ["observations", "hidden"]
    assert argument_names(step, 4) == ["observations", "hidden", "argument 3", "argument 4"]
    assert argument_names(Actor(), 1) == ["observations"]
    assert argument_names(torch.add, 2) == ["argument 1", "argument 2"]


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        ([torch.zeros(4, 3)], TypeError, r"expected 2 arguments \(x, dones\), got 1"),
        ([torch.zeros(4, 3), [0, 0, 0, 0]], TypeError, "dones: expected a tensor, got list"),
        ([torch.zeros(5, 3), torch.zeros(4)], ValueError, r"x: expected shape \[4, 3\], got \[5, 3\]"),
        ([torch.zeros(4, 3), torch.zeros(4, 1)], ValueError, r"dones: expected shape \[4\], got \[4, 1\]"),
        ([torch.zeros(4, 3).double(), torch.zeros(4)], TypeError, "x: expected dtype torch.float32 .*torch.float64"),
        (
            [torch.zeros(4, 3, device="meta"), torch.zeros(4)],
            ValueError,
            "x: expected a tensor on cpu, got a tensor on meta",
        ),
    ],
)
def test_inputs_that_differ_from_the_examples_are_rejected_by_name(inputs, error, message):
    with pytest.raises(error, match=message):
        check_inputs(["x", "dones"], [torch.zeros(4, 3), torch.zeros(4)], inputs)


def test_inputs_like_the_examples_are_accepted():
    check_inputs(["x", "dones"], [torch.zeros(4, 3), torch.zeros(4)], [torch.ones(3, 4).T, torch.ones(4)])


@pytest.mark.parametrize(
    ("examples", "error", "message"),
    [
        ([], ValueError, "examples: expected a tensor for each argument"),
        ([3.0], TypeError, "x: expected a tensor, got float"),
        ([torch.zeros(3)], ValueError, "x: expected a tensor on a CUDA device, got a tensor on cpu"),
    ],
)
def test_examples_must_be_on_a_cuda_device(examples, error, message):
    with pytest.raises(error, match=message):
        check_examples(["x"][: len(examples)], examples)


def test_modules_must_be_modules():
    with pytest.raises(TypeError, match="modules: expected torch modules, got function"):
        SavedState([Actor(), run])


@pytest.mark.parametrize("seen", [0, 3])
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_warm_up_does_not_change_modules_or_random_numbers(distribution, seen):
    actor = Actor(distribution)
    run(actor, observations(seen))
    untouched, before = copy.deepcopy(actor), statistics(actor)
    places = [buffer.data_ptr() for buffer in actor.buffers()]
    torch.manual_seed(3)
    with torch.no_grad():
        warm_up(actor, [observations()[0]], SavedState([actor]))
    assert torch.rand(()) == torch.rand((), generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(statistics(actor), before, rtol=0, atol=0)
    assert [buffer.data_ptr() for buffer in actor.buffers()] == places  # a graph reads and writes at these addresses
    torch.testing.assert_close(run(actor, observations()), run(untouched, observations()), rtol=0, atol=0)
    torch.testing.assert_close(statistics(actor), statistics(untouched), rtol=0, atol=0)


def test_warm_up_restores_modules_even_if_the_step_fails():
    actor = Actor()
    before = statistics(actor)

    def step(x):
        actor(x)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), torch.no_grad():
        warm_up(step, [observations()[0]], SavedState([actor]))
    torch.testing.assert_close(statistics(actor), before, rtol=0, atol=0)


@pytest.mark.parametrize("steps_before", [0, 1])
@pytest.mark.parametrize(
    ("make", "shape", "named"),
    [
        (lambda: RNN(OBS, HIDDEN, 1, "gru"), (ENVS, OBS), "RNN.hidden_state"),
        (lambda: RNN(OBS, HIDDEN, 1, "lstm"), (ENVS, OBS), "RNN.hidden_state"),
        (lambda: EmpiricalDiscountedVariationNormalization([]), (ENVS,), "_DiscountedSum.avg"),
    ],
)
def test_state_that_a_replay_cannot_carry_is_rejected(make, shape, named, steps_before):
    module = make()
    for _ in range(steps_before):
        module(torch.ones(shape))
    with pytest.raises(ValueError, match=f"step: replaces {named} with a new tensor"), torch.no_grad():
        warm_up(module, [torch.ones(shape)], SavedState([nn.Sequential(module)]))


def test_loading_a_checkpoint_keeps_the_address_of_every_tensor():
    actor, other = Actor(), Actor()
    run(other, observations())
    placed = PlacedModules(list(actor.modules()))
    actor.load_state_dict(other.state_dict())
    placed.check()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda actor: actor.eval(), "Actor: no longer in training mode"),
        (lambda actor: actor.normalizer.eval(), "EmpiricalNormalization: no longer in training mode"),
        (lambda actor: actor.normalizer.double(), "EmpiricalNormalization._mean: no longer where the graph"),
        (lambda actor: actor.mlp.double(), "Linear.weight: no longer where the graph"),
    ],
)
def test_changed_modules_need_a_new_capture(change, message):
    actor = Actor()
    placed = PlacedModules(list(actor.modules()))
    run(actor, observations())
    actor.train().float().requires_grad_()
    placed.check()
    change(actor)
    with pytest.raises(RuntimeError, match=f"{message}.*capture the step again"):
        placed.check()


def test_recurrent_step_with_hidden_state_as_argument_is_accepted():
    actor = RecurrentActor()
    arguments = [observations()[0], torch.ones(1, ENVS, HIDDEN), torch.zeros(ENVS, dtype=torch.bool)]
    with torch.no_grad():
        warm_up(actor, arguments, SavedState([actor]))


class Simulation:
    """Simulates CUDA: a graph that replays the last call of the step on its static tensors."""

    def __init__(self, monkeypatch, step):
        self.step, self.calls = step, []
        fakes = {
            "is_available": lambda: True,
            "get_sync_debug_mode": lambda: 0,
            "set_sync_debug_mode": lambda mode: None,
            "device": lambda device: contextlib.nullcontext(),
            "Stream": lambda: None,
            "stream": lambda stream: contextlib.nullcontext(),
            "CUDAGraph": lambda: types.SimpleNamespace(replay=self.replay),
            "graph": lambda graph, stream: contextlib.nullcontext(),
        }
        for name, fake in fakes.items():
            monkeypatch.setattr(torch.cuda, name, fake)
        monkeypatch.setattr(cuda_graph, "check_examples", lambda names, examples: None)

    def __call__(self, *inputs):
        results = self.step(*inputs)
        self.calls.append((inputs, results))
        return results

    def replay(self):
        inputs, results = self.calls[-1]
        for place, result in zip(results, self.step(*inputs), strict=True):
            place.copy_(result)


def test_simulated_capture_copies_inputs_and_overwrites_outputs(monkeypatch):
    step = Simulation(monkeypatch, lambda a, b: (a + b, a * b))
    a, b = torch.ones(3), torch.full((3,), 2.0)
    captured = capture_step(step, a, b, modules=[])
    assert len(step.calls) == cuda_graph.WARM_UP + 1
    assert a.data_ptr() != step.calls[-1][0][0].data_ptr()
    assert captured.__wrapped__ is step  # and with it everything that a replay may read
    total, product = captured(a, b)
    assert total.tolist() == [3, 3, 3]
    again, _ = captured(torch.full((3,), 5.0), b.requires_grad_())
    assert again is total
    assert total.tolist() == [7, 7, 7]
    assert product.tolist() == [10, 10, 10]
    assert not step.calls[-1][0][1].requires_grad
    with pytest.raises(ValueError, match=r"argument 1: expected shape \[3\], got \[4\]"):
        captured(torch.ones(4), b)


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad, torch.enable_grad])
def test_simulated_capture_returns_normal_tensors_without_gradients_in_every_mode(monkeypatch, mode):
    actor = Actor()
    step = Simulation(monkeypatch, lambda x: actor(x)[:2])
    with mode():
        x = torch.ones(ENVS, OBS)
        captured = capture_step(step, x, modules=[actor])
        results = captured(x)
    assert not any(result.is_inference() or result.requires_grad for result in results)


def test_error_of_a_failed_simulated_capture_says_where_to_look(monkeypatch):
    def step(x):
        step.calls += 1
        if step.calls > cuda_graph.WARM_UP:
            raise RuntimeError("operation not permitted when stream is capturing")
        return (x,)

    step.calls = 0
    Simulation(monkeypatch, step)
    with pytest.raises(RuntimeError, match="step: cannot be captured") as caught:
        capture_step(step, torch.ones(3), modules=[])
    assert "not permitted" in str(caught.value.__cause__)


def test_error_about_a_step_that_waits_for_the_device_explains_the_reason(monkeypatch):
    def step(x):
        raise RuntimeError("called a synchronizing CUDA operation")

    monkeypatch.setattr(cuda_graph, "WARM_UP", 1)
    Simulation(monkeypatch, step)
    with pytest.raises(RuntimeError, match=r"step: waits for the GPU.*\.item\(\)"):
        capture_step(step, torch.ones(3), modules=[])
