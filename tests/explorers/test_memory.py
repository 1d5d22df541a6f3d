"""Explorer *memory*: hidden states, resets and gradients match the library, including the wrong resets."""

import numpy as np
import pytest
import torch
from tiers import tiers

from rsl_edu.diagnosis import recurrent_memory
from rsl_edu.explorers.bench.drawing import Drawing
from rsl_edu.explorers.memory import Memory, recurrent_steps
from rsl_edu.modules import RNN, split_and_pad_trajectories

FLOAT32 = 1e-6
ENVS = 16


@pytest.fixture(scope="module")
def ant():
    return Memory()


@pytest.fixture
def own():
    """Return a small rollout and an own network for it."""
    torch.manual_seed(0)
    observations = torch.randn(20, 3, 4)
    dones = torch.zeros(20, 3)
    dones[[6, 12], [0, 2]] = 1
    return observations, dones, RNN(4, hidden_dim=5, num_layers=3, type="lstm")


def result_of(explorer, **changes):
    return explorer.compute(explorer.at(**changes))


def line(figure, panel, label):
    axes = next(axes for axes in figure.axes if axes.get_label() == panel)
    return next(line for line in axes.lines if line.get_label() == label)


def spot_of(explorer, name, **changes):
    return next(spot for spot in explorer.spots(result_of(explorer, **changes)) if spot.name == name)


def written(value):
    return f"{value:.3f}".replace("-", "−")


def test_units_match_the_rollout_mode(own):
    observations, dones, network = own
    memory = Memory(*own)
    for t in range(20):
        output = network(observations[t])[0]
        for env in (0, 1):
            shown = result_of(memory, env=env, layer=3).hidden[:, t]
            np.testing.assert_allclose(shown, output[env].detach(), atol=FLOAT32)
        network.reset(dones[t])


def test_gradient_matches_an_unrolled_rollout(own):
    observations, dones, network = own
    head = torch.randn(5, generator=torch.Generator().manual_seed(0)) / 5**0.5
    x = observations.clone().requires_grad_()
    for t in range(17):
        y = network(x[t])[0, 0] @ head
        network.reset(dones[t])
    (gradient,) = torch.autograd.grad(y, x)
    shown = result_of(Memory(*own), env=0, time=16).gradients[16]
    np.testing.assert_allclose(shown, gradient[:, 0].norm(dim=1), rtol=1e-4)
    assert (shown[:7] == 0).all()  # the previous episode
    assert (shown[7:17] > 0).all()


@pytest.mark.parametrize("how", recurrent_memory.RESETS)
@pytest.mark.parametrize(("kind", "layers", "hidden"), [("gru", 2, 16), ("lstm", 2, 8), ("gru", 1, 5), ("lstm", 3, 6)])
def test_hidden_states_and_gradients_match_the_module_with_autograd(ant, kind, layers, hidden, how):
    torch.manual_seed(0)
    network = RNN(ant.observations.shape[2], hidden, num_layers=layers, type=kind).requires_grad_(False)
    for weights in network.parameters():
        weights *= 1.5  # so that not all gates are near 0.5
    expected = recurrent_memory.carried_memory(network, ant.observations, ant.dones, how)
    carried = recurrent_steps.carried_memory(network, ant.observations, ant.dones, how)
    begins = expected.begins[:, :, :, :ENVS]  # followed by those with the right resets
    for found, values in zip(vars(carried).values(), (expected.hidden, expected.distance, begins), strict=True):
        torch.testing.assert_close(found, values, rtol=1e-4, atol=1e-5)
    for env, detach in ((1, 0), (14, 8)):
        x, begins = ant.observations[:, env], expected.begins[:, :, :, env]
        cut, head = recurrent_memory.cuts(ant.dones, how, env, detach), torch.randn(hidden)
        gradients = recurrent_memory.gradients_through_time(network, x, begins, cut, head)
        found = recurrent_steps.gradients_through_time(network, x, begins, cut, head)
        np.testing.assert_allclose(found, gradients, rtol=1e-3, atol=1e-6)
        np.testing.assert_array_equal(found == 0, gradients == 0)


def test_unknown_inner_cell_is_run_by_the_module(ant):
    torch.manual_seed(0)
    network = RNN(ant.observations.shape[2], 6)
    network.rnn = torch.nn.LSTM(ant.observations.shape[2], 6, bias=False)
    memory = Memory(ant.observations, ant.dones, network)
    expected = recurrent_memory.carried_memory(memory._network("", 6, 0), ant.observations, ant.dones, "right")
    assert torch.equal(memory._carried("", 6, 0, "right").hidden, expected.hidden)
    assert memory.compute(memory.at()).gradients.max() > 0


def test_detaching_cuts_the_gradient_but_not_the_hidden_state(own):
    memory = Memory(*own)
    whole, cut = (result_of(memory, env=1, detach=k, time=18) for k in (0, 8))
    assert np.flatnonzero(cut.gradients[18]).tolist() == [16, 17, 18]
    np.testing.assert_allclose(cut.gradients[18, 16:], whole.gradients[18, 16:], rtol=1e-4)
    assert (cut.hidden == whole.hidden).all()
    assert result_of(memory, env=1, detach=1, time=18).reach == 0


def test_distance_is_zero_with_the_right_resets(ant):
    for kind in ("gru", "lstm"):
        assert all(result_of(ant, reset="right", env=env, type=kind).distance.max() == 0 for env in range(ENVS))


def test_distance_jumps_after_a_missed_reset_and_then_fades(ant):
    result = result_of(ant, reset="never")
    end = result.ends[0]
    assert (result.distance[: end + 1] == 0).all()
    assert result.distance[end + 1] > 0.1
    assert result.distance[end + 31] < 1e-3
    assert result.distance.max() == pytest.approx(result.distance[result.ends[result.ends < 127] + 1].max())


def test_gradient_reaches_an_earlier_episode_without_resets(ant):
    right, never = (result_of(ant, reset=reset, time=104) for reset in ("right", "never"))
    assert right.reach <= right.state.time - right.born < never.reach
    assert (right.gradients[right.state.time, : right.born] == 0).all()
    assert ant.numbers(never)["reach of the gradient"].startswith("✗ ")


def test_integer_index_resets_only_robots_0_and_1(ant):
    result = result_of(ant, reset="index", env=1)
    reset = np.zeros((128, ENVS), bool)
    for t, dones in enumerate(ant.dones.long()):  # the line that was shipped, applied to a state of ones
        state = torch.ones(1, ENVS, 1)
        state[..., dones, :] = 0.0
        reset[t] = state[0, :, 0].numpy() == 0
    assert set(map(tuple, result.forgotten["wrong"])) == set(zip(*np.nonzero(reset & ~ant.dones.numpy()), strict=True))
    assert set(result.forgotten["wrong"][:, 1]) == {0, 1}
    assert not ant.dones[:, 1].any()  # robot 1 never ends an episode, but is reset whenever another robot does
    assert result.distance.max() > 0.1
    assert (result_of(ant, reset="index", env=9).distance == 0).all()  # robot 9 never ends one and is never reset
    assert ant.numbers(result)["wrongly reset"].startswith("✗ 2 robots")


def test_resetting_all_robots_resets_running_ones(ant):
    result = result_of(ant, reset="all")
    assert set(result.forgotten["wrong"][:, 1]) == set(range(ENVS))
    assert not len(result.forgotten["missed"])
    assert result.distance.max() > 0.1


def test_reach_is_the_oldest_input_above_one_percent(ant):
    result = result_of(ant, reset="right", env=1, time=100)
    row = result.gradients[100]
    assert row[100 - result.reach] >= 0.01 * row.max() > row[: 100 - result.reach].max()


def test_padded_batch_matches_the_library_and_marks_the_current_step(ant):
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
    here, before = line(figure, "gradient", "this episode"), line(figure, "gradient", "earlier")
    assert here.get_xdata().tolist() == list(range(54, 61))
    assert here.get_ydata()[-1] == result.gradients[60, 60]
    assert before.get_xdata().tolist() == list(range(55))
    assert len(line(figure, "resets", "missed").get_xdata()) == ant.dones.sum()


def test_guess_is_drawn_at_the_current_step_of_the_distance(own):
    memory = Memory(*own, env=1, time=15)
    memory.predict(0.4)
    (guess,) = [line for axes in memory.render().axes for line in axes.lines if line.get_marker() == "X"]
    assert guess.axes.get_label() == "distance"
    assert guess.get_xydata().tolist() == [[15, 0.4]]


def test_captions_of_the_corners_differ_and_are_short(ant):
    captions = [ant.describe(ant.compute(state)) for state in ant.corners()]
    assert max(map(len, captions)) <= 420
    assert len(set(captions)) > 12
    assert not any("e-" in caption or "nan" in caption for caption in captions)


def test_every_corner_can_be_drawn(ant):
    assert ant.sweep().startswith("Memory: ")


def test_own_network_has_only_controls_with_an_effect(own):
    memory = Memory(*own)
    assert list(memory.controls) == ["reset", "time", "env", "layer", "detach"]
    assert memory.controls["layer"].range == (1, 3, 1)
    assert "LSTM" in repr(memory)
    assert Memory.from_state(memory.state, *own).state == memory.state


def test_own_data_start_with_the_right_resets_and_get_no_questions(own):
    for memory in (Memory(*own), Memory(*own[:2]), Memory(network=RNN(13, 8))):
        assert memory.at().reset == "right"
        assert not memory.questions
        assert len(memory.swept_states()) > 1


def test_own_network_is_not_modified(own):
    network = own[2]
    network(own[0][0])
    before = network.hidden_state[0].clone()
    result_of(Memory(*own))
    assert torch.equal(network.hidden_state[0], before)
    assert all(p.requires_grad and p.grad is None for p in network.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("shape", tiers([(1, 1, 1), (3, 1, 2), (40, 2, 1), (200, 20, 3)], [(1, 1, 1), (40, 2, 1)]))
def test_small_and_large_rollouts_work(shape):
    memory = Memory(torch.randn(shape), torch.ones(*shape[:2], 1, dtype=torch.uint8), hidden=8)
    drawing = Drawing(memory)
    for state in memory.corners():
        frame = drawing.frame(state)
        assert not {"nan", "inf"} & set(f"{frame.title} {frame.caption} {frame.spots}".split())
        assert "</g>" in frame.svg


def test_default_state_shows_a_missed_reset(ant):
    title = ant.title(result_of(ant))
    assert title == "Robot 14's hidden state is 0.13 off: the reset after its last episode was missed."
    assert {panel.name for panel in Drawing(ant).panels if not panel.more} == {"resets", "distance", "units"}


@pytest.mark.parametrize("how", recurrent_memory.RESETS)
def test_title_states_the_reset_mistake_and_the_distance(ant, how):
    reset, seen = recurrent_memory.resets(ant.dones, how), set()
    for env in range(ENVS):
        for time in (5, 21, 49, 60, 97, 98, 99, 113, 127):
            result = result_of(ant, reset=how, env=env, time=time)
            title, now = ant.title(result), result.distance[time]
            assert len(title) <= 90
            born = max([0, *(1 + ant.dones[:time, env].nonzero().flatten()).tolist()])
            early = reset[born:time, env] & ~ant.dones[born:time, env]
            missed = born > 0 and not reset[born - 1, env]
            assert (f"is {now:.2g} off" in title) == bool(now >= 0.01), title
            assert ("in mid-episode" in title) == bool(early.any()), title
            assert ("missed" in title) == (missed and not early.any()), title
            correct = "is correct" in title or "as it should be" in title
            assert correct == (not early.any() and not missed), title
            if correct:
                assert now == 0
            seen.add(title.split()[5])
    assert len(seen) >= (1 if how == "right" else 2)


def test_title_states_that_detaching_cuts_only_the_gradient(ant):
    assert ant.title(result_of(ant, reset="right", detach=1)).startswith("Detached after every step: the gradient")
    assert ant.title(result_of(ant, reset="right", detach=8)).startswith("Detached after every 8 steps: the gradient")


@pytest.mark.parametrize("layer", [1, 2])
@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_arithmetic_of_a_unit_matches_torch(ant, kind, layer):
    changes = {"type": kind, "layer": layer, "time": 99}
    network = ant._network(kind, 16, 0)
    for step in ant.observations[:99]:
        network(step)
    units = (lambda: network.hidden_state) if kind == "gru" else (lambda: network.hidden_state[0])
    h = units()[layer - 1, 14].clone()
    cell = None if kind == "gru" else network.hidden_state[1][layer - 1, 14, 0].clone()
    network(ant.observations[99])
    after = units()[:, 14]
    x = ant.observations[99, 14] if layer == 1 else after[0]
    weights = [
        getattr(network.rnn, f"{name}_l{layer - 1}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    ]
    a, b = weights[0][::16] @ x + weights[2][::16], weights[1][::16] @ h + weights[3][::16]
    lines = spot_of(ant, "unit 1 now", **changes).arithmetic
    values = [line.rpartition("= ")[2] for line in lines]
    if kind == "gru":
        r, z = torch.sigmoid(a[:2] + b[:2])
        n = torch.tanh(a[2] + r * b[2])
        expected = [r, z, n, after[layer - 1, 0]]
        assert ((1 - z) * n + z * h[0] - after[layer - 1, 0]).abs() < FLOAT32
    else:
        (i, f, o), g = torch.sigmoid((a + b)[[0, 1, 3]]), torch.tanh(a[2] + b[2])
        expected = [i, f, g, o, f * cell + i * g, after[layer - 1, 0]]
    assert [float(value.replace("−", "-")) for value in values] == pytest.approx([float(e) for e in expected], abs=6e-4)
    gate = spot_of(ant, "update gate z of unit 1" if kind == "gru" else "forget gate f of unit 1", **changes).arithmetic
    for line_, total, w, v in zip(gate, (a[1], b[1]), weights[:2], (x, h), strict=False):
        assert f"{written(w[16, 0])}·" in line_
        assert f"{written(v[-1])}" in line_
        assert float(line_.rpartition("= ")[2].replace("−", "-")) == pytest.approx(float(total), abs=6e-4)


def test_arithmetic_of_the_distance_leads_to_the_distance(ant):
    for kind in ("gru", "lstm"):
        result = result_of(ant, type=kind, time=101)
        spot = spot_of(ant, "distance now", type=kind, time=101)
        assert spot.arithmetic[-1].endswith(f"= {result.distance[101]:.2g}")
        assert f"all {32 if kind == 'gru' else 64} differences" in spot.arithmetic[1]


def test_spot_of_an_episode_end_states_whether_the_reset_was_missed(ant):
    spot = spot_of(ant, "end after step 97")
    assert [mark.panel for mark in spot.marks] == ["resets", "units", "distance", "gradient"]
    assert all(mark.x == 97.5 for mark in spot.marks)
    assert spot.numbers.startswith("missed")
    h = written(result_of(ant).hidden[0, 97])
    assert spot.arithmetic[1:] == (
        f"right: h·(1 − done) = {h}·(1 − 1) = 0.000",
        f"here: h·(1 − reset) = {h}·(1 − 0) = {h}",
    )
    assert spot_of(ant, "end after step 97", reset="right").numbers.startswith("right")
    assert spot_of(ant, "latest reset in mid-episode", reset="index", env=0).numbers.startswith("wrong, step 98")


def test_spot_of_a_trajectory_marks_its_row_of_the_batch(ant):
    spot = spot_of(ant, "trajectory 35")
    _, masks = split_and_pad_trajectories(ant.observations[..., 0], ant.dones)
    assert spot.marks[0].y == (34.5, 35.5)
    assert spot.marks[0].x[1] == masks[:, 35].sum() - 0.5
    assert spot.numbers == "robot 14, 30 steps, then 98 steps of padding"


def test_spots_are_small_and_have_distinct_names(ant):
    for state in ant.corners():
        spots = ant.spots(ant.compute(state))
        assert 5 <= len(spots) <= 30
        assert len({spot.name for spot in spots}) == len(spots)
        assert sum(len(str(spot)) for spot in spots) < 12_000
        assert all(len(line) <= 100 for spot in spots for line in spot.arithmetic)
        assert all(len(spot.arithmetic) <= 6 for spot in spots)


def test_time_cursors_and_the_robot_can_be_dragged(ant):
    grips = ant.grips(result_of(ant))
    cursors = {grip.panel: grip for grip in grips if grip.controls == ("time",)}
    assert {*cursors} == {"resets", "units", "distance", "gradient"}
    assert all(grip.points[(t,)][0] == t for grip in cursors.values() for t in range(128))
    (robot,) = (grip for grip in grips if grip.controls == ("env",))
    assert [robot.points[(env,)][1] for env in range(ENVS)] == list(range(ENVS))


def test_answers_of_the_questions_match_the_computed_states(ant):
    first, later, index, reach = (ant.compute(ant.at(**question.show)) for question in ant.questions)
    assert f"{first.distance[98]:.2g}" == ant.questions[0].answer
    assert 97 in first.ends
    assert not first.distance[97] > 0.001
    assert 0.01 < later.distance[107] / later.distance[98] < 0.1
    assert ant.questions[1].answer == "a few percent of that"
    assert ant.dones[97].nonzero().flatten().tolist() == [14]
    assert [env for time, env in index.forgotten["wrong"].tolist() if time == 97] == [0, 1]
    assert [97, 14] in index.forgotten["missed"].tolist()
    assert ant.questions[2].answer == "those of robots 0 and 1"
    assert 9 <= reach.reach <= 15
    assert reach.state.time - reach.born == 22
    assert ant.questions[3].answer == "about a dozen"


def test_labels_of_layer_and_size_are_not_part_of_the_background(ant):
    drawing = Drawing(ant)
    units = [panel.name for panel in drawing.panels].index("units")
    grounds = {drawing.frame(ant.at(**changes)).grounds[units] for changes in ({}, {"layer": 2}, {"hidden": 64})}
    assert len(grounds) == 1


def test_no_reset_is_missed_if_no_episode_ends():
    memory = Memory(torch.randn(30, 4, 2), torch.zeros(30, 4), reset="never")
    result = result_of(memory)
    assert memory.numbers(result)["resets missed"] == "none"
    assert result.padding == 0
    assert result.distance.max() == 0


def test_explorer_works_in_inference_mode(own):
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
        ((None, torch.zeros(4, 2)), "dones: expected observations too"),
    ],
)
def test_bad_data_raise_an_error(data, message):
    with pytest.raises((TypeError, ValueError), match=message):
        Memory(*data)


def test_cross_marks_only_wrong_numbers_and_the_caption_explains_them(ant):
    seen = set()
    for how in recurrent_memory.RESETS:
        for env, time in ((0, 60), (0, 113), (14, 98), (14, 99), (14, 107), (14, 120)):
            result = result_of(ant, reset=how, env=env, time=time)
            numbers, caption = ant.numbers(result), ant.describe(result)
            before = result.born - (time - (result.reach or 0))
            assert ("✗" in numbers["reach of the gradient"]) == (before > 0)
            if before > 0:
                assert numbers["reach of the gradient"].endswith(f", {before} before this episode")
            assert (f"✗ {before} of them before this episode" in caption) == (before > 0)
            assert ("(✗ should be 0)" in caption) == ("✗" in numbers["largest distance"])
            assert ("✗" in numbers["distance now"]) == bool(result.distance[time] >= 1e-3)
            assert len(caption) <= 420
            if how == "right":
                assert "✗" not in f"{numbers} {caption}"
            seen.add(before > 0)
    assert seen == {True, False}
