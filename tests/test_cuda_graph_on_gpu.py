"""A captured step gives the same results as the step itself, and never waits for the GPU."""

import copy
import re
from pathlib import Path

import pytest
import torch
from rollout_steps import DISTRIBUTIONS, ENVS, HIDDEN, STEPS, Actor, RecurrentActor, observations, run, statistics

from rsl_edu import cuda_graph
from rsl_edu.cuda_graph import capture_step

CLOSE = {"rtol": 1e-5, "atol": 2e-5}
PAGE = Path(__file__).parents[1] / "book" / "gpu.md"
RECIPES = "\n".join(re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL))

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def test_code_in_the_book_runs_on_the_cpu_without_a_graph(monkeypatch):
    monkeypatch.setattr(cuda_graph, "capture_step", lambda step, *examples, modules: step)
    names = {}
    exec(compile(RECIPES.replace('"cuda"', '"cpu"'), PAGE.name, "exec"), names)
    assert names["kept"].shape == names["actions"].shape == (4096, 12)
    assert names["hidden"].shape == (1, 4096, 256)


@needs_gpu
def test_code_in_the_book_runs():
    names = {}
    exec(compile(RECIPES, PAGE.name, "exec"), names)
    assert names["normalizer"].count.item() == 4096
    assert names["kept"].isfinite().all()
    assert names["hidden"].abs().sum() > 0


@needs_gpu
@pytest.mark.parametrize("until", [None, 5 * ENVS])
@pytest.mark.parametrize("seen", [0, 3])
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_replays_give_the_same_samples_and_statistics_as_the_step(distribution, seen, until):
    actor = Actor(distribution, until).cuda()
    run(actor, observations(seen).cuda())
    eager, before = copy.deepcopy(actor), statistics(actor)
    inputs = observations().cuda()
    torch.manual_seed(3)
    captured = capture_step(actor, inputs[0], modules=[actor])
    drawn = torch.rand(8, device="cuda")
    torch.testing.assert_close(statistics(actor), before, rtol=0, atol=0)
    torch.manual_seed(3)
    torch.testing.assert_close(drawn, torch.rand(8, device="cuda"), rtol=0, atol=0)

    torch.testing.assert_close(run(captured, inputs), run(eager, inputs), **CLOSE)
    torch.testing.assert_close(statistics(actor), statistics(eager), **CLOSE)
    expected = (seen + STEPS) * ENVS if until is None else until
    assert actor.normalizer.count.item() == expected

    later = observations(3, mean=90.0).cuda()  # the modules work without the graph, and then with it again
    for step in (actor, captured):
        torch.testing.assert_close(run(step, later), run(eager, later), **CLOSE)
        torch.testing.assert_close(statistics(actor), statistics(eager), **CLOSE)


@needs_gpu
def test_recurrent_replays_carry_the_given_hidden_state():
    actor = RecurrentActor().cuda()
    eager = copy.deepcopy(actor)
    eager.rnn.rnn.flatten_parameters()
    inputs, dones = observations(mean=0.0).cuda(), torch.rand(STEPS, ENVS, device="cuda") < 0.2
    start = torch.zeros(1, ENVS, HIDDEN, device="cuda")
    captured = capture_step(actor, inputs[0], start, dones[0], modules=[actor])
    results = []
    with torch.no_grad():
        for step in (captured, eager):
            torch.manual_seed(2)
            hidden, taken = start, []
            for x, done in zip(inputs, dones, strict=True):
                actions, hidden = step(x, hidden, done)
                taken.append((actions.clone(), hidden.clone()))
            results.append(taken)
    torch.testing.assert_close(*results, **CLOSE)
    assert not torch.equal(results[0][0][1], results[0][-1][1])


@needs_gpu
def test_replay_does_not_wait_for_the_device():
    actor, inputs = Actor().cuda(), observations().cuda()
    captured = capture_step(actor, inputs[0], modules=[actor])
    captured(inputs[0])
    torch.cuda.set_sync_debug_mode("error")
    try:
        for x in inputs:
            captured(x)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@needs_gpu
def test_replay_uses_current_parameters_and_a_loaded_checkpoint():
    actor, other = Actor().cuda(), Actor().cuda()
    inputs = observations().cuda()
    run(other, inputs)
    captured = capture_step(actor, inputs[0], modules=[actor])
    run(captured, inputs[:2])
    actor.load_state_dict(other.state_dict())
    torch.testing.assert_close(run(captured, inputs), run(other, inputs), **CLOSE)


@needs_gpu
def test_step_that_waits_is_rejected_and_changes_nothing():
    actor, inputs = Actor().cuda(), observations().cuda()
    before = statistics(actor)

    def step(x):
        results = actor(x)
        return results if results[0].sum() > 0 else results[:2]

    with pytest.raises(RuntimeError, match="step: waits for the GPU"):
        capture_step(step, inputs[0], modules=[actor])
    torch.testing.assert_close(statistics(actor), before, rtol=0, atol=0)
    assert torch.cuda.get_sync_debug_mode() == 0
    run(capture_step(actor, inputs[0], modules=[actor]), inputs)  # a new capture works


@needs_gpu
def test_inputs_on_the_cpu_are_rejected():
    actor, inputs = Actor().cuda(), observations()
    with pytest.raises(ValueError, match="observations: expected a tensor on a CUDA device, got a tensor on cpu"):
        capture_step(actor, inputs[0], modules=[actor])
    captured = capture_step(actor, inputs[0].cuda(), modules=[actor])
    with pytest.raises(ValueError, match="observations: expected a tensor on cuda:0, got a tensor on cpu"):
        captured(inputs[0])


@needs_gpu
def test_failed_capture_does_not_change_torch():
    actor, inputs = Actor().cuda(), observations().cuda()
    before, stream = statistics(actor), torch.cuda.current_stream()

    def step(x):
        torch.cuda.synchronize()  # torch does not count this as waiting
        return actor(x)

    with pytest.raises(RuntimeError, match="step: cannot be captured"):
        capture_step(step, inputs[0], modules=[actor])
    torch.testing.assert_close(statistics(actor), before, rtol=0, atol=0)
    assert torch.cuda.current_stream() == stream
    assert torch.rand(3, device="cuda").isfinite().all()
    run(capture_step(actor, inputs[0], modules=[actor]), inputs)
