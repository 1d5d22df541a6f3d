"""Explorer *memory*: its memories, resets and gradients are those of the library, mistakes included."""

import numpy as np
import pytest
import torch
from rsl_edu.explorers.bench.figure import Drawing

from rsl_edu.diagnosis import recurrent_memory
from rsl_edu.explorers import recurrent_steps
from rsl_edu.explorers.memory import Memory
from rsl_edu.modules import RNN, split_and_pad_trajectories

FLOAT32 = 1e-6
ENVS = 16


@pytest.fixture(scope="module")
def ant():
    return Memory()


@pytest.fixture
def own():
    """A small rollout, a network of one's own, and what it does in rollout mode with the right resets."""
    torch.manual_seed(0)
    observations = torch.randn(20, 3, 4)
    dones = torch.zeros(20, 3)
    dones[[6, 12], [0, 2]] = 1
    return observations, dones, RNN(4, hidden_dim=5, num_layers=3, type="lstm")


def result_of(explorer, **changes):
    return explorer.compute(explorer.at(**changes))


def line(figure, panel, label):
    axes = next(axes for axes in figure.axes if axes.get_title("left").startswith(panel))
    return next(line for line in axes.lines if line.get_label() == label)


def test_units_are_those_of_the_rollout_mode(own):
    observations, dones, network = own
    memory = Memory(*own)
    for t in range(20):
        output = network(observations[t])[0]
        for env in (0, 1):
            shown = result_of(memory, env=env, layer=3).hidden[:, t]
            np.testing.assert_allclose(shown, output[env].detach(), atol=FLOAT32)
        network.reset(dones[t])


def test_gradient_is_that_of_an_unrolled_rollout(own):
    observations, dones, network = own
    head = torch.randn(5, generator=torch.Generator().manual_seed(0)) / 5**0.5
    x = observations.clone().requires_grad_()
    for t in range(17):
        y = network(x[t])[0, 0] @ head
        network.reset(dones[t])
    (gradient,) = torch.autograd.grad(y, x)
    shown = result_of(Memory(*own), env=0, time=16).gradients[16]
    np.testing.assert_allclose(shown, gradient[:, 0].norm(dim=1), rtol=1e-4)
    assert (shown[:7] == 0).all()  # the episode before
    assert (shown[7:17] > 0).all()


@pytest.mark.parametrize("how", recurrent_memory.RESETS)
@pytest.mark.parametrize(("kind", "layers", "hidden"), [("gru", 2, 16), ("lstm", 2, 8), ("gru", 1, 5), ("lstm", 3, 6)])
def test_memory_and_gradients_are_those_of_the_module_with_autograd(ant, kind, layers, hidden, how):
    torch.manual_seed(0)
    network = RNN(ant.observations.shape[2], hidden, num_layers=layers, type=kind).requires_grad_(False)
    for weights in network.parameters():
        weights *= 1.5  # so that the gates are not all near a half
    expected = recurrent_memory.carried_memory(network, ant.observations, ant.dones, how)
    carried = recurrent_steps.carried_memory(network, ant.observations, ant.dones, how)
    begins = expected.begins[:, :, :, :ENVS]  # then come those of the fresh memories
    for found, values in zip(vars(carried).values(), (expected.hidden, expected.distance, begins), strict=True):
        torch.testing.assert_close(found, values, rtol=1e-4, atol=1e-5)
    for env, detach in ((1, 0), (14, 8)):
        x, begins = ant.observations[:, env], expected.begins[:, :, :, env]
        cut, head = recurrent_memory.cuts(ant.dones, how, env, detach), torch.randn(hidden)
        gradients = recurrent_memory.gradients_through_time(network, x, begins, cut, head)
        found = recurrent_steps.gradients_through_time(network, x, begins, cut, head)
        np.testing.assert_allclose(found, gradients, rtol=1e-3, atol=1e-6)
        np.testing.assert_array_equal(found == 0, gradients == 0)


def test_another_cell_inside_is_run_as_it_is(ant):
    torch.manual_seed(0)
    network = RNN(ant.observations.shape[2], 6)
    network.rnn = torch.nn.LSTM(ant.observations.shape[2], 6, bias=False)
    memory = Memory(ant.observations, ant.dones, network)
    expected = recurrent_memory.carried_memory(memory._network("", 6, 0), ant.observations, ant.dones, "right")
    assert torch.equal(memory._carried("", 6, 0, "right").hidden, expected.hidden)
    assert memory.compute(memory.at()).gradients.max() > 0


def test_detaching_cuts_the_gradient_and_leaves_the_memory_alone(own):
    memory = Memory(*own)
    whole, cut = (result_of(memory, env=1, detach=k, time=18) for k in (0, 8))
    assert np.flatnonzero(cut.gradients[18]).tolist() == [16, 17, 18]
    np.testing.assert_allclose(cut.gradients[18, 16:], whole.gradients[18, 16:], rtol=1e-4)
    assert (cut.hidden == whole.hidden).all()
    assert result_of(memory, env=1, detach=1, time=18).reach == 0


def test_memory_that_is_reset_rightly_is_fresh_in_every_robot(ant):
    assert all(
        result_of(ant, env=env, type=kind).distance.max() == 0 for env in range(ENVS) for kind in ("gru", "lstm")
    )


def test_without_reset_the_distance_jumps_where_an_episode_begins_and_then_fades(ant):
    result = result_of(ant, reset="never")
    end = result.ends[0]
    assert (result.distance[: end + 1] == 0).all()
    assert result.distance[end + 1] > 0.1
    assert result.distance[end + 31] < 1e-3
    assert result.distance.max() == pytest.approx(result.distance[result.ends[result.ends < 127] + 1].max())


def test_without_reset_the_gradient_reaches_an_earlier_episode(ant):
    right, never = (result_of(ant, reset=reset) for reset in ("right", "never"))
    assert right.reach <= right.state.time - right.born < never.reach
    assert (right.gradients[right.state.time, : right.born] == 0).all()
    assert ant.numbers(never)["reach of the gradient"].startswith("✗ ")


def test_integer_index_resets_robots_0_and_1_and_no_other(ant):
    result = result_of(ant, reset="index", env=1)
    reset = np.zeros((128, ENVS), bool)
    for t, dones in enumerate(ant.dones.long()):  # the line that was shipped, on a memory of ones
        state = torch.ones(1, ENVS, 1)
        state[..., dones, :] = 0.0
        reset[t] = state[0, :, 0].numpy() == 0
    assert set(map(tuple, result.forgotten["wrong"])) == set(zip(*np.nonzero(reset & ~ant.dones.numpy()), strict=True))
    assert set(result.forgotten["wrong"][:, 1]) == {0, 1}
    assert not ant.dones[:, 1].any()  # it never ended an episode, and forgets whenever another robot does
    assert result.distance.max() > 0.1
    assert (result_of(ant, reset="index", env=9).distance == 0).all()  # nor did this one, but it has a number above 1
    assert ant.numbers(result)["wrongly reset"].startswith("✗ 2 robots")


def test_reset_of_all_makes_running_robots_forget(ant):
    result = result_of(ant, reset="all")
    assert set(result.forgotten["wrong"][:, 1]) == set(range(ENVS))
    assert not len(result.forgotten["missed"])
    assert result.distance.max() > 0.1


def test_reach_is_the_oldest_input_above_one_percent(ant):
    result = result_of(ant, env=1, time=100)
    row = result.gradients[100]
    assert row[100 - result.reach] >= 0.01 * row.max() > row[: 100 - result.reach].max()


def test_batch_is_padded_as_the_library_does_and_the_present_step_is_marked(ant):
    result = result_of(ant, env=14, time=90)
    trajectories, masks = split_and_pad_trajectories(ant.observations[..., 0], ant.dones)
    assert result.padding == pytest.approx(1 - masks.float().mean().item())
    first, present, following = result.trajectories
    assert following - first == 5
    assert trajectories[90 - result.born, present] == ant.observations[90, 14, 0]


def test_velocities_are_masked(ant):
    assert ant.observations.shape == (128, ENVS, 13)  # of 27 positions and velocities


def test_curves_follow_the_cursor(ant):
    figure = ant.render(reset="never", time=60)
    result = result_of(ant, reset="never", time=60)
    assert line(figure, "distance", "_child0").get_ydata().tolist() == result.distance.tolist()
    here, before = line(figure, "gradient now", "this episode"), line(figure, "gradient now", "earlier")
    assert here.get_xdata().tolist() == list(range(54, 61))
    assert here.get_ydata()[-1] == result.gradients[60, 60]
    assert before.get_xdata().tolist() == list(range(55))
    assert len(line(figure, "resets", "missed").get_xdata()) == ant.dones.sum()


def test_guess_is_drawn_so_many_steps_back(own):
    memory = Memory(*own, env=1, time=15)
    memory.predict(4)
    guess = line(memory.render(), "gradient now", "your guess")
    assert list(guess.get_xdata()) == [11]
    assert guess.get_ydata()[0] == pytest.approx(0.01 * result_of(memory).gradients[15].max())


def test_caption_says_something_else_at_every_corner_and_stays_short(ant):
    captions = [ant.describe(ant.compute(state)) for state in ant.corners()]
    assert max(map(len, captions)) <= 300
    assert len(set(captions)) > 12
    assert not any("e-" in caption or "nan" in caption for caption in captions)


def test_every_corner_draws(ant):
    assert ant.sweep().startswith("Memory: ")


def test_controls_of_an_own_network_are_those_that_it_leaves_open(own):
    memory = Memory(*own)
    assert list(memory.controls) == ["time", "env", "reset", "detach", "layer"]
    assert memory.controls["layer"].range == (1, 3, 1)
    assert "LSTM" in repr(memory)
    assert Memory.from_state(memory.state, *own).state == memory.state


def test_own_network_keeps_its_memory_and_its_gradients(own):
    network = own[2]
    network(own[0][0])
    before = network.hidden_state[0].clone()
    result_of(Memory(*own))
    assert torch.equal(network.hidden_state[0], before)
    assert all(p.requires_grad and p.grad is None for p in network.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 1, 2), (40, 2, 1), (200, 20, 3)])
def test_small_and_large_rollouts_work_too(shape):
    memory = Memory(torch.randn(shape), torch.ones(*shape[:2], 1, dtype=torch.uint8), hidden=8)
    drawing = Drawing(memory)
    for state in memory.corners():
        result = memory.compute(state)
        drawing.move(result)
        assert not {"nan", "inf"} & set(memory.describe(result).split())
    assert drawing.png().startswith(b"\x89PNG")


def test_robots_that_never_fall_leave_nothing_to_reset():
    memory = Memory(torch.randn(30, 4, 2), torch.zeros(30, 4), reset="never")
    result = result_of(memory)
    assert memory.numbers(result)["resets missed"] == "none"
    assert result.padding == 0
    assert result.distance.max() == 0


def test_memory_works_inside_inference_mode(own):
    with torch.inference_mode():
        inside = result_of(Memory(*own), time=9)
    assert (inside.gradients == result_of(Memory(*own), time=9).gradients).all()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((torch.zeros(4, 3),), r"observations: expected shape \[time, envs, features\], got \[4, 3\]"),
        ((torch.full((4, 2, 3), torch.nan), torch.zeros(4, 2)), "observations: expected finite values"),
        ((torch.zeros(4, 2, 3),), r"dones: expected shape \[time, envs\], here \[4, 2\], got None"),
        ((torch.zeros(4, 2, 3), torch.zeros(2, 4)), r"dones: .* got \[2, 4\]"),
        ((torch.zeros(4, 2, 3), torch.full((4, 2), 2)), "dones: expected 0 and 1"),
        ((torch.zeros(4, 2, 3), torch.zeros(4, 2), RNN(5)), "network: expected input_size 3"),
        ((torch.zeros(4, 2, 3), torch.zeros(4, 2), torch.nn.GRU(3, 4)), "network: expected an RNN"),
        ((None, torch.zeros(4, 2)), "dones: expected observations with them"),
    ],
)
def test_bad_data_is_named(data, message):
    with pytest.raises((TypeError, ValueError), match=message):
        Memory(*data)
