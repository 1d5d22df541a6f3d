"""Explorer *signal*: the numbers of each layer match independent measurements of the library's network."""

import re

import numpy as np
import pytest
import torch
from torch import nn

from rsl_edu.explorers.bench.drawing import Drawing
from rsl_edu.explorers.signal import Signal
from rsl_edu.modules import MLP, EmpiricalNormalization

FLOAT32 = 1e-4  # relative


@pytest.fixture(scope="module")
def ant():
    return Signal()


@pytest.fixture
def x():
    torch.manual_seed(0)  # also seeds the networks of the tests
    return torch.randn(200, 12)


def _layers(explorer, **changes):
    return explorer.compute(explorer.at(**changes)).layers


def _line(axes, label):
    return next(line for line in axes.lines if line.get_label() == label)


def _rows(figure):
    """Return the labels of the shown rows, from the input up: name, std, shape of the weights, parameters."""
    _, forward, _, _, sizes = figure.axes
    names = [label.get_text() for label in forward.get_yticklabels()]
    stds, words = ([text.get_text() for text in axes.texts] for axes in (forward, sizes))
    columns = stds[: len(names)], words[: len(names)], words[len(words) // 2 :][: len(names)]
    assert not any(words[len(names) : len(words) // 2] + stds[len(names) : len(words) // 2])
    return list(zip(names, *columns, strict=True))


def _plain(words):
    """Return text with its numbers in Python's notation."""
    digits = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    words = re.sub(
        "(·|(?<![\\d.]))10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda ten: ("" if ten[1] else "1") + "e" + ten[2].translate(digits), words
    )
    return words.replace("−", "-").replace(",", "")


def _number(words):
    return float(_plain(words).strip("()"))


def test_captions_of_the_corners_differ(ant):
    captions = {ant.describe(ant.compute(state)) for state in ant.corners()}
    assert len(captions) >= 15
    assert all(len(caption) <= 420 and "nan" not in caption and "inf " not in caption for caption in captions)


def test_std_of_every_layer_matches_the_library(ant):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        network = MLP(105, 8, [32, 32, 32], "tanh")
        network.init_weights((1.41, 1.41, 1.41, 1.0))
    norm = EmpiricalNormalization(105)
    norm.update(ant.observations)
    rows = [norm(ant.observations)]
    for end in (2, 4, 6, 7):
        rows.append(nn.Sequential(*list(network)[:end])(rows[0]))
    expected = [h.std(0, correction=0).square().mean().sqrt().item() for h in rows]
    layers = _layers(ant, activation="tanh", depth=3, width=32, init="orthogonal", gain=1.41, seed=3)
    np.testing.assert_allclose(layers.std, expected, rtol=FLOAT32)
    assert layers.units == (105, 32, 32, 32, 8)
    assert layers.parameters == (0, 105 * 32 + 32, 32 * 32 + 32, 32 * 32 + 32, 32 * 8 + 8)
    outside = (rows[1].abs() > 0.95).double().mean().item()
    np.testing.assert_allclose(
        layers.bars[1][np.abs(np.linspace(-3, 3, 62)[:-1] + 3 / 61) > 0.97].sum(), outside, atol=0.02
    )


def test_torch_default_matches_the_library_without_init(ant):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = MLP(105, 8, [16], "relu")
    hidden = network[1](network[0](ant.observations))
    layers = _layers(ant, activation="relu", depth=1, width=16, normalize=False)
    assert layers.std[1] == pytest.approx(hidden.std(0, correction=0).square().mean().sqrt().item(), rel=FLOAT32)


def test_gradient_is_the_norm_of_a_backpropagated_random_error(x):
    network = MLP(12, 3, [20], "tanh")
    inputs = x.clone().requires_grad_()
    hidden = network[1](network[0](inputs))
    error = torch.randn(200, 3, generator=torch.Generator().manual_seed(0))
    gradients = torch.autograd.grad(network[2](hidden), (inputs, hidden), error)
    expected = [(gradient.norm() / error.norm()).item() for gradient in gradients]
    np.testing.assert_allclose(_layers(Signal(x, network)).gradient, [*expected, 1], rtol=FLOAT32)


def test_orthogonal_linear_network_preserves_norms(ant):
    result = ant.compute(ant.at(activation="identity", init="orthogonal", width=128, depth=9))
    np.testing.assert_allclose(result.layers.std[:-1], result.ideal_std[:-1], rtol=FLOAT32)
    np.testing.assert_allclose(result.layers.gradient[1:], result.ideal_gradient[1:], rtol=FLOAT32)
    assert not result.layers.flat[1:-1].any()


@pytest.mark.parametrize(("activation", "right"), [("relu", 1.41), ("tanh", 1.2)])
def test_signal_vanishes_in_a_deep_network_with_the_wrong_gain(ant, activation, right):
    deep = {"activation": activation, "depth": 10, "init": "orthogonal", "width": 256}
    vanished, preserved = (_layers(ant, **deep, gain=gain).std[-2] for gain in (0.5, right))
    assert vanished < 1e-3 < 0.1 < preserved


def test_tiny_gain_leaves_only_rounding_errors(ant):
    state = ant.at(activation="sigmoid", gain=0.1, depth=10)
    result = ant.compute(state)
    assert result.layers.std[-2] == 0
    assert ant.title(result) == "The signal is lost: in layer 10, only rounding errors vary."
    figure = ant.render(activation="sigmoid", gain=0.1, depth=10)
    beyond = next(line for line in figure.axes[1].lines if line.get_marker() == "<")
    assert len(beyond.get_xdata()) == (result.layers.std == 0).sum() > 5


def test_signal_explodes_with_a_large_gain_and_an_unbounded_activation(ant):
    layers = _layers(ant, activation="relu", init="orthogonal", gain=3.0, depth=10)
    assert layers.std[-2] > 100
    assert layers.gradient[1] > 100


def test_raw_input_saturates_tanh(ant):
    raw, normalized = (_layers(ant, activation="tanh", init="orthogonal", normalize=n) for n in (False, True))
    assert raw.std[0] == pytest.approx(ant.observations.std(0, correction=0).square().mean().sqrt().item(), rel=FLOAT32)
    assert raw.flat[1] > 5 * normalized.flat[1]


def test_dead_units_are_zero_for_all_samples(x):
    network = MLP(12, 2, [30, 40], "relu")
    network[2].bias.data[:13] = -1e3
    layers = _layers(Signal(x, network))
    zero = nn.Sequential(*list(network)[:4])(x) == 0
    assert layers.asleep[2] == pytest.approx(zero.all(0).double().mean().item())
    assert layers.asleep[2] >= 13 / 40
    assert layers.flat[2] == pytest.approx(zero.double().mean().item())


def test_saturated_units_are_flat_for_nearly_all_samples(x):
    network = MLP(12, 2, [20], "tanh")
    network[0].bias.data[:5] = 50
    assert _layers(Signal(x, network)).asleep[1:-1].tolist() == pytest.approx([5 / 20])


def test_leaky_relu_never_dies(ant):
    layers = _layers(ant, activation="lrelu", depth=10, normalize=False)
    assert not layers.flat[1:-1].any()


def test_shared_activation_shows_the_last_layer_everywhere(ant):
    right, wrong = (ant.compute(ant.at(depth=4, shared=shared)) for shared in (False, True))
    assert len(set(right.layers.std)) == 6
    for field in ("std", "gradient", "bars"):
        rows = getattr(wrong.layers, field)
        assert (rows[1:5] == getattr(right.layers, field)[4]).all()
        assert (rows[[0, 5]] == getattr(right.layers, field)[[0, 5]]).all()  # input and output are unaffected
    assert "the same histogram" in ant.describe(wrong)
    assert ant.numbers(wrong)["std, first hidden"] == "✗ " + ant.numbers(right)["std, last hidden"]


def test_shared_activation_of_a_single_layer_changes_nothing(ant):
    right, wrong = (ant.compute(ant.at(depth=1, shared=shared)) for shared in (False, True))
    assert ant.numbers(wrong) == ant.numbers(right)


def test_own_network_with_a_shared_activation_is_measured_correctly(x):
    activation = nn.ELU()
    linear = [nn.Linear(12, 8), nn.Linear(8, 8), nn.Linear(8, 2)]
    network = nn.Sequential(linear[0], activation, linear[1], activation, linear[2])
    hidden = activation(linear[0](x))
    expected = hidden.std(0, correction=0).square().mean().sqrt().item()
    assert _layers(Signal(x, network)).std[1] == pytest.approx(expected, rel=FLOAT32)


def test_artists_follow_the_data(ant):
    figure = ant.render(depth=3, activation="relu", gain=2.0)
    layers = _layers(ant, depth=3, activation="relu", gain=2.0)
    ridge, forward, backward, share, _ = figure.axes
    drawn = [patch for patch in ridge.patches if not np.isnan(patch.get_data().values).any()]
    assert len(drawn) == 5
    heights = drawn[2].get_data().values - drawn[2].get_data().baseline
    np.testing.assert_allclose((heights / heights.max()) ** 2, layers.bars[2] / layers.bars[2].max(), atol=1e-9)
    assert any(list(line.get_xdata()) == list(layers.std) for line in forward.lines)
    assert any(list(line.get_xdata()) == list(layers.gradient) for line in backward.lines)
    np.testing.assert_array_equal(_line(share, "units").get_xdata(), 100 * layers.asleep)


def test_each_row_has_its_name_std_shape_and_parameters(ant):
    rows = _rows(ant.render(depth=10, width=256))
    assert [row[0] for row in rows] == ["input", *map(str, range(1, 11)), "output"]
    assert rows[0][2:] == ("105", "–")
    assert rows[1][2:] == ("105 → 256", "27,136")
    assert rows[-1][2:] == ("256 → 8", "2,056")
    assert len(_rows(ant.render(depth=1))) == 3


def test_rows_and_numbers_show_the_same_std(ant):
    rows = _rows(ant.render(gain=0.3))
    numbers = ant.numbers(ant.compute(ant.at(gain=0.3)))
    assert [rows[1][1], rows[-2][1], rows[-1][1]] == [
        numbers[f"std, {where}"] for where in ("first hidden", "last hidden", "output")
    ]
    assert "·10⁻" in rows[-1][1]


def test_everything_drawn_is_within_the_axes(ant):
    drawing = Drawing(ant)
    for state in [*ant.corners(), *ant.grid(20)]:
        drawing.move(ant.compute(state))
        for axes in drawing.figure.axes[1:3]:
            low, high = axes.get_xlim()
            assert all(((low <= line.get_xdata()) & (line.get_xdata() <= high)).all() for line in axes.lines)


def test_prediction_is_drawn_at_the_last_hidden_layer(x):
    explorer = Signal(x, depth=4)
    explorer.predict(2e-5)
    axes = explorer.render().axes[1]
    guess = next(line for line in axes.lines if line.get_marker() == "X")
    line = next(line for line in axes.lines if len(line.get_xdata()) == 6)
    assert guess.get_xydata().tolist() == [[2e-5, line.get_ydata()[-2]]]
    assert axes.get_xlim()[0] <= 2e-5


def test_ghosts_stay_within_the_axes(x):
    explorer = Signal(x, activation="relu", gain=0.1, depth=10)
    explorer.compare()
    for axes in explorer.render(gain=3.0, init="orthogonal").axes[1:3]:
        ghosts = [line for line in axes.lines if line.get_label() == "_pinned"]
        low, high = axes.get_xlim()
        assert ghosts
        assert all(((low <= ghost.get_xdata()) & (ghost.get_xdata() <= high)).all() for ghost in ghosts)


def test_ghosts_are_in_the_rows_of_their_layers(x):
    explorer = Signal(x, depth=3)
    explorer.compare()
    drawing = Drawing(explorer)
    for depth in (10, 1):
        drawing.move(explorer.compute(explorer.at(depth=depth)))
        for axes in drawing.figure.axes[1:3]:
            now = next(line for line in axes.lines if len(line.get_ydata()) == depth + 2)
            ghost = next(line for line in axes.lines if line.get_label() == "_pinned")
            common = min(depth, 3) + 1
            assert list(ghost.get_ydata()[:common]) == list(now.get_ydata()[:common])


# Texts, spots and handles


def test_title_is_correct_in_all_states(ant):
    for state in [*ant.corners(), *ant.grid(60)]:
        result = ant.compute(state)
        title, layers = ant.title(result), result.layers
        signal = layers.std[-2] / result.ideal_std[-2]
        gradient = layers.gradient[1] / result.ideal_gradient[1]
        assert len(title) <= 90
        assert title not in ant.describe(result)
        if title.startswith("Both arrive"):
            assert 0.4 <= signal <= 2.5
            assert 0.4 <= gradient <= 2.5
        elif title.startswith("The signal arrives, but"):
            assert 0.4 <= signal <= 2.5
            assert ("fades" in title or "vanishes" in title) == (gradient < 0.4)
            assert ("grows" in title or "explodes" in title) == (gradient > 2.5)
        elif title.startswith("The signal is lost"):
            assert layers.std[-2] == 0
        elif title.startswith("The signal"):
            assert ("dies" in title or "fades" in title) == (signal < 0.4)
            assert ("dies" in title) == (signal < 0.03)
            assert ("grows" in title or "explodes" in title) == (signal > 2.5)
            assert ("explodes" in title) == (signal > 1 / 0.03)
        elif title.startswith("Layer 1 is saturated"):
            assert state.activation in ("tanh", "sigmoid")
            assert layers.flat[1] > 0.3
        else:
            assert title.startswith("Wrong measurement")
            assert state.shared


def test_first_title_states_that_the_signal_dies(ant):
    assert (
        ant.title(ant.compute(ant.at())) == "The signal dies: its std goes from 0.68 at the input to 0.016 in layer 6."
    )


@pytest.mark.parametrize(
    ("network", "title"),
    [
        (nn.Sequential(nn.Linear(12, 3)), "A single linear layer: the input has a std of"),
        (nn.Sequential(nn.Linear(12, 9), nn.Hardtanh(), nn.Linear(9, 2)), "Layer 1 is saturated"),
    ],
)
def test_own_network_has_a_title(x, network, title):
    explorer = Signal(x, network, scale=100.0)
    assert explorer.title(explorer.compute(explorer.at())).startswith(title)


def test_title_states_that_a_constant_input_has_no_signal():
    explorer = Signal(torch.ones(9, 3))
    assert explorer.title(explorer.compute(explorer.at())).endswith("there is no signal.")


def test_spot_of_a_row_has_a_mark_in_every_panel_that_shows_it(ant):
    result = ant.compute(ant.at(depth=3))
    spots = ant.spots(result)
    assert [spot.name for spot in spots] == ["input", "layer 1", "layer 2", "layer 3", "output"]
    assert [{mark.panel for mark in spot.marks} for spot in spots[1:4]] == [
        {"values", "signal", "gradient", "flat", "sizes"}
    ] * 3
    assert "flat" not in {mark.panel for mark in spots[-1].marks}
    places = {mark.panel: (mark.x, mark.y) for mark in spots[2].marks}
    line = next(line for line in ant.render(depth=3).axes[1].lines if line.get_marker() == "o")
    assert places["signal"] == (line.get_xdata()[2], line.get_ydata()[2])


@pytest.mark.parametrize("changes", [{}, {"activation": "tanh", "init": "orthogonal", "gain": 3.0}, {"scale": 0.01}])
def test_arithmetic_of_a_unit_and_of_its_layer_is_correct(ant, changes):
    explorer = Signal(ant.observations, **changes)
    result = explorer.compute(explorer.at())
    for spot, std in zip(explorer.spots(result)[1:], result.layers.std[1:], strict=True):
        head, total, *bent, one, layer = spot.arithmetic
        assert "first observation" in head
        assert all(len(step) <= 100 for step in spot.arithmetic)
        sum_, z = total.removeprefix("z = ").rsplit(" = ", 1)
        products = [term.split(" (sum of ")[0].split("·") for term in _plain(sum_).split(" + ")]
        terms = [np.prod([_number(factor) for factor in factors]) for factors in products]
        assert _number(z) == pytest.approx(sum(terms), abs=0.01 * np.abs(terms).max())
        if bent:
            name, inner, outer = re.fullmatch(r"h = (\w+)\((.+)\) = (.+)", bent[0]).groups()
            expected = getattr(nn, name)()(torch.tensor(_number(inner))).item()
            assert _number(outer) == pytest.approx(expected, rel=0.01)
        assert _number(layer.rsplit(" = ", 1)[1]) == pytest.approx(std, rel=0.01)
        assert _number(one.rsplit(": ", 1)[1]) > 0


def test_arithmetic_shows_the_most_typical_unit(x):
    network = MLP(12, 2, [20], "relu")
    explorer = Signal(x, network)
    hidden = network[1](network[0](x))
    head, *_, one, _ = explorer.spots(explorer.compute(explorer.at()))[1].arithmetic
    unit = int(re.search(r"unit (\d+)", head)[1])
    assert _number(one.rsplit(": ", 1)[1]) == pytest.approx(hidden[:, unit].std(correction=0).item(), rel=0.01)
    typical = (hidden.std(0, correction=0) - hidden.std(0, correction=0).square().mean().sqrt()).abs().argmin()
    assert unit == typical


def test_arithmetic_shows_what_a_hook_on_a_shared_activation_records(ant):
    spots = ant.spots(ant.compute(ant.at(shared=True)))
    assert ["so it shows 0.0159, the std of layer 6" in spot.arithmetic[-1] for spot in spots] == [
        False, *[True] * 5, False, False
    ]  # fmt: skip


def test_handle_is_at_the_output_and_sets_the_depth(ant):
    (grip,) = ant.grips(ant.compute(ant.at()))
    assert grip.controls == ("depth",)
    line = next(line for line in ant.render(depth=9).axes[1].lines if len(line.get_xdata()) == 11)
    assert grip.points[(9,)][1] == line.get_ydata()[-1]


def test_answers_of_the_questions_match_the_computed_layers(ant):
    number, gain, dead = ant.questions
    layers = _layers(ant, **number.show)
    assert f"{layers.std[-2]:.2g}" == number.answer
    assert f"{layers.std[0]:.2g}" in number.text
    loss = {}
    for choice in gain.choices:
        result = ant.compute(ant.at(**{**gain.show, "gain": float(choice)}))
        shares = result.layers.std[-2] / result.ideal_std[-2], result.layers.gradient[1]
        loss[choice] = max(abs(np.log(share)) for share in shares)
    assert min(loss, key=loss.get) == gain.answer
    shares = {"none": 0, "one in ten": 1 / 10, "one in three": 1 / 3}
    assert (
        min(shares, key=lambda choice: abs(shares[choice] - np.nanmean(_layers(ant, **dead.show).asleep)))
        == dead.answer
    )


def test_showing_an_answer_sets_all_controls(ant):
    moved = Signal(width=8, scale=10.0, normalize=False, shared=True, seed=3)
    for question in moved.questions:
        assert moved.at(**question.show) == ant.at(**question.show)


def test_own_data_get_no_questions(x):
    assert Signal(x).questions == Signal(x, MLP(12, 2, [4])).questions == ()


@pytest.mark.parametrize("guess", [0, -1.0, float("nan"), 1e20])
def test_prediction_out_of_range_raises_an_error(x, guess):
    with pytest.raises(ValueError, match="guess: expected a number from"):
        Signal(x).predict(guess)


def test_own_network_offers_only_the_controls_of_the_input(x):
    network = MLP(12, (2, 3), [9, -1], "gelu")
    explorer = Signal(x, network, scale=3.0)
    assert list(explorer.controls) == ["normalize", "scale"]
    layers = _layers(explorer)
    assert layers.units == (12, 9, 12, 6)
    assert layers.std[-1] == pytest.approx(
        network(3 * x).std(0, correction=0).square().mean().sqrt().item(), rel=FLOAT32
    )
    assert "Your network, with 2 hidden layers, on 200 observations." in repr(explorer)
    assert {frame.state.normalize for frame in explorer.frames()} == {True, False}
    assert Signal.from_state(explorer.state, x, network).at() == explorer.at()


def test_own_network_is_not_modified(x):
    norm = EmpiricalNormalization(12)
    network = nn.Sequential(norm, nn.Linear(12, 5), nn.BatchNorm1d(5), nn.ReLU(inplace=True), nn.Linear(5, 1))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    explorer = Signal(x, network)
    assert explorer.sweep().startswith("Signal: ")
    assert all((value == before[name]).all() for name, value in network.state_dict().items())
    assert network.training
    assert network[3].inplace
    assert not network[1]._forward_hooks
    assert 0.2 < _layers(explorer).flat[1] < 0.8
    assert _layers(explorer).parameters == (0, 65 + 10, 6)


def test_network_without_hidden_layers_is_described_as_a_single_layer(x):
    explorer = Signal(x, nn.Sequential(nn.Linear(12, 3)))
    assert "A single linear layer" in repr(explorer)
    assert explorer.numbers(explorer.compute(explorer.at()))["dead or saturated"] == "–"
    assert explorer.sweep().startswith("Signal: ")


@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (1, 5, 4), (5000, 3)])
def test_observations_of_any_size_work(shape):
    explorer = Signal(torch.randn(shape))
    assert explorer.observations.shape == (min(1024, int(np.prod(shape[:-1]))), shape[-1])
    drawing = Drawing(explorer)
    for state in explorer.corners():
        result = explorer.compute(state)
        drawing.move(result)
        assert "nan" not in explorer.describe(result) + str(explorer.numbers(result)) + str(explorer.spots(result))


def test_result_does_not_depend_on_inference_mode_or_change_the_global_generator(x):
    explorer, state = Signal(x), torch.random.get_rng_state()
    with torch.inference_mode():
        first = _layers(Signal(x.clone()))
    np.testing.assert_array_equal(first.gradient, _layers(explorer).gradient)
    assert (torch.random.get_rng_state() == state).all()


@pytest.mark.parametrize(
    ("observations", "message"),
    [
        (torch.zeros(4), r"observations: expected shape \[samples, features\] or \[time, envs, features\], got \[4\]"),
        (torch.zeros(0, 3), r"got \[0, 3\]"),
        (torch.full((4, 3), torch.inf), "observations: expected finite values"),
    ],
)
def test_bad_observations_raise_an_error(observations, message):
    with pytest.raises(ValueError, match=message):
        Signal(observations)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (nn.Linear(12, 2), "network: expected an nn.Sequential such as MLP, got Linear"),
        (nn.Sequential(nn.ReLU()), "network: expected 1 to 11 linear layers, got 0"),
        (MLP(12, 1, [4] * 11), "network: expected 1 to 11 linear layers, got 12"),
        (MLP(11, 1, [4]), "network: expected 12 inputs, one per feature of observations, got 11"),
        (nn.Sequential(nn.Linear(12, 4), nn.Linear(5, 2)), "network: fails on observations"),
        (nn.Sequential(nn.Linear(12, 4), nn.GRU(4, 4)), "network: fails on observations"),
    ],
)
def test_bad_networks_raise_an_error(x, network, message):
    with pytest.raises(ValueError, match=message):
        Signal(x, network)


def test_network_with_weights_that_are_not_finite_raises_an_error(x):
    network = MLP(12, 1, [4])
    network[0].weight.data[0] = torch.nan
    with pytest.raises(ValueError, match="network: expected finite values in all layers, got NaN or infinity"):
        Signal(x, network)


def test_own_network_rejects_the_controls_of_the_built_network(x):
    with pytest.raises(ValueError, match="depth: expected one of the controls normalize, scale"):
        Signal(x, MLP(12, 1, [4]), depth=3)


def test_single_observations_and_units_are_singular():
    torch.manual_seed(0)
    explorer = Signal(torch.randn(1, 3), MLP(3, 1, [4]))
    result = explorer.compute(explorer.at())
    assert ", on a single observation. " in explorer.describe(result)
    lines = [line for spot in explorer.spots(result) for line in spot.arithmetic]
    assert any("std over 1 observation of this unit" in line for line in lines)
    assert any("(sum of 1 other)" in line for line in lines)  # two of the three inputs are written out
    assert not [line for line in lines if re.search(r"\b1 (observations|others|units)\b|all 1 ", line)]
    few = Signal(torch.randn(2, 3))
    assert ", on 2 observations. " in few.describe(few.compute(few.at()))
