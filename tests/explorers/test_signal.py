"""Explorer *signal*: what it shows of each layer is what the library's network does, measured independently."""

import numpy as np
import pytest
import torch
from rsl_edu.explorers.bench.figure import Drawing
from torch import nn

from rsl_edu.explorers.signal import Signal
from rsl_edu.modules import MLP, EmpiricalNormalization

FLOAT32 = 1e-4  # relative


@pytest.fixture(scope="module")
def ant():
    return Signal()


@pytest.fixture
def x():
    torch.manual_seed(0)  # the networks of the tests too
    return torch.randn(200, 12)


def _layers(explorer, **changes):
    return explorer.compute(explorer.at(**changes)).layers


def _line(axes, label):
    return next(line for line in axes.lines if line.get_label() == label)


def _table(figure):
    """Return the words of the shown rows, from the input up."""
    texts = [text.get_text() for text in [*figure.texts, *figure.axes[0].texts]]
    columns = [texts[1:13], texts[14:26], texts[27:39], texts[40:52]]  # each after its head
    return [row for row in zip(*columns, strict=True) if row[0]]


def test_every_corner_draws_and_says_something_else(ant):
    captions = {ant.describe(ant.compute(state)) for state in ant.corners()}
    assert len(captions) >= 15
    assert all(len(caption) <= 300 and "nan" not in caption and "inf " not in caption for caption in captions)


def test_std_is_that_of_the_library_network_layer_by_layer(ant):
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


def test_torch_default_is_what_the_library_builds_without_init(ant):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = MLP(105, 8, [16], "relu")
    hidden = network[1](network[0](ant.observations))
    layers = _layers(ant, activation="relu", depth=1, width=16, normalize=False)
    assert layers.std[1] == pytest.approx(hidden.std(0, correction=0).square().mean().sqrt().item(), rel=FLOAT32)


def test_gradient_is_the_norm_of_a_random_error_sent_back(x):
    network = MLP(12, 3, [20], "tanh")
    inputs = x.clone().requires_grad_()
    hidden = network[1](network[0](inputs))
    error = torch.randn(200, 3, generator=torch.Generator().manual_seed(0))
    gradients = torch.autograd.grad(network[2](hidden), (inputs, hidden), error)
    expected = [(gradient.norm() / error.norm()).item() for gradient in gradients]
    np.testing.assert_allclose(_layers(Signal(x, network)).gradient, [*expected, 1], rtol=FLOAT32)


def test_orthogonal_linear_network_preserves_norms_as_the_reference_says(ant):
    result = ant.compute(ant.at(activation="identity", init="orthogonal", width=128, depth=9))
    np.testing.assert_allclose(result.layers.std[:-1], result.ideal_std[:-1], rtol=FLOAT32)
    np.testing.assert_allclose(result.layers.gradient[1:], result.ideal_gradient[1:], rtol=FLOAT32)
    assert not result.layers.flat[1:-1].any()


@pytest.mark.parametrize(("activation", "right"), [("relu", 1.41), ("tanh", 1.2)])
def test_one_gain_for_every_activation_makes_the_deep_net_silent(ant, activation, right):
    deep = {"activation": activation, "depth": 10, "init": "orthogonal", "width": 256}
    silent, heard = (_layers(ant, **deep, gain=gain).std[-2] for gain in (0.5, right))
    assert silent < 1e-3 < 0.1 < heard


def test_tiny_gain_leaves_nothing_but_rounding_and_says_so(ant):
    state = ant.at(activation="sigmoid", gain=0.1, depth=10)
    result = ant.compute(state)
    assert result.layers.std[-2] == 0
    assert "nothing but rounding is left in layer 10" in ant.describe(result)
    figure = ant.render(activation="sigmoid", gain=0.1, depth=10)
    beyond = next(line for line in figure.axes[2].lines if line.get_marker() == "<")
    assert len(beyond.get_xdata()) == (result.layers.std == 0).sum() > 5


def test_large_gain_explodes_where_nothing_bounds_it(ant):
    layers = _layers(ant, activation="relu", init="orthogonal", gain=3.0, depth=10)
    assert layers.std[-2] > 100
    assert layers.gradient[1] > 100


def test_raw_input_is_seen_at_the_bottom_and_saturates_tanh(ant):
    raw, normalized = (_layers(ant, activation="tanh", init="orthogonal", normalize=n) for n in (False, True))
    assert raw.std[0] == pytest.approx(ant.observations.std(0, correction=0).square().mean().sqrt().item(), rel=FLOAT32)
    assert raw.flat[1] > 5 * normalized.flat[1]


def test_dead_units_are_those_that_are_zero_on_all_samples(x):
    network = MLP(12, 2, [30, 40], "relu")
    network[2].bias.data[:13] = -1e3
    layers = _layers(Signal(x, network))
    zero = nn.Sequential(*list(network)[:4])(x) == 0
    assert layers.asleep[2] == pytest.approx(zero.all(0).double().mean().item())
    assert layers.asleep[2] >= 13 / 40
    assert layers.flat[2] == pytest.approx(zero.double().mean().item())


def test_saturated_units_are_flat_on_nearly_all_samples(x):
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
        assert (rows[[0, 5]] == getattr(right.layers, field)[[0, 5]]).all()  # the rest of the network is the same
    assert "the same histogram" in ant.describe(wrong)
    assert ant.numbers(wrong)["std, first hidden"] == "✗ " + ant.numbers(right)["std, last hidden"]


def test_shared_activation_of_a_single_layer_is_no_mistake(ant):
    right, wrong = (ant.compute(ant.at(depth=1, shared=shared)) for shared in (False, True))
    assert ant.numbers(wrong) == ant.numbers(right)


def test_learners_network_that_shares_its_activation_is_shown_right(x):
    activation = nn.ELU()
    linear = [nn.Linear(12, 8), nn.Linear(8, 8), nn.Linear(8, 2)]
    network = nn.Sequential(linear[0], activation, linear[1], activation, linear[2])
    hidden = activation(linear[0](x))
    expected = hidden.std(0, correction=0).square().mean().sqrt().item()
    assert _layers(Signal(x, network)).std[1] == pytest.approx(expected, rel=FLOAT32)


def test_artists_follow_the_data(ant):
    figure = ant.render(depth=3, activation="relu", gain=2.0)
    layers = _layers(ant, depth=3, activation="relu", gain=2.0)
    _, ridge, forward, backward, share = figure.axes
    drawn = [patch for patch in ridge.patches if not np.isnan(patch.get_data().values).any()]
    assert len(drawn) == 5
    heights = drawn[2].get_data().values - drawn[2].get_data().baseline
    np.testing.assert_allclose((heights / heights.max()) ** 2, layers.bars[2] / layers.bars[2].max(), atol=1e-9)
    assert any(list(line.get_xdata()) == list(layers.std) for line in forward.lines)
    assert any(list(line.get_xdata()) == list(layers.gradient) for line in backward.lines)
    np.testing.assert_array_equal(_line(share, "dead or saturated units").get_xdata(), 100 * layers.asleep)


def test_table_has_a_row_for_each_layer_with_its_shape_and_parameters(ant):
    rows = _table(ant.render(depth=10, width=256))
    assert [row[0] for row in rows] == ["input", *map(str, range(1, 11)), "output"]
    assert rows[0][1:3] == ("105", "–")
    assert rows[1][1:3] == ("105 → 256", "27,136")
    assert rows[-1][1:3] == ("256 → 8", "2,056")
    assert len(_table(ant.render(depth=1))) == 3


def test_table_and_numbers_give_the_std_in_the_same_words(ant):
    rows = _table(ant.render(gain=0.3))
    numbers = ant.numbers(ant.compute(ant.at(gain=0.3)))
    assert [rows[1][3], rows[-2][3], rows[-1][3]] == [
        numbers[f"std, {where}"] for where in ("first hidden", "last hidden", "output")
    ]
    assert "·10⁻" in rows[-1][3]


def test_limits_hold_what_is_drawn_at_every_corner(ant):
    drawing = Drawing(ant)
    for state in [*ant.corners(), *ant.grid(20)]:
        drawing.move(ant.compute(state))
        for axes in drawing.figure.axes[2:4]:
            low, high = axes.get_xlim()
            assert all(((low <= line.get_xdata()) & (line.get_xdata() <= high)).all() for line in axes.lines)


def test_prediction_is_drawn_at_the_last_hidden_layer(x):
    explorer = Signal(x, depth=4)
    explorer.predict(2e-5)
    axes = explorer.render().axes[2]
    guess = next(each for each in axes.lines if each.get_label() == "your guess")
    line = next(line for line in axes.lines if len(line.get_xdata()) == 6)
    assert guess.get_xydata().tolist() == [[2e-5, line.get_ydata()[-2]]]
    assert axes.get_xlim()[0] <= 2e-5


def test_what_is_compared_stays_within_the_axes(x):
    explorer = Signal(x, activation="relu", gain=0.1, depth=10)
    explorer.compare()
    for axes in explorer.render(gain=3.0, init="orthogonal").axes[2:4]:
        ghosts = [line for line in axes.lines if line.get_label() == "_pinned"]
        low, high = axes.get_xlim()
        assert ghosts
        assert all(((low <= ghost.get_xdata()) & (ghost.get_xdata() <= high)).all() for ghost in ghosts)


@pytest.mark.parametrize("guess", [0, -1.0, float("nan"), 1e20])
def test_prediction_that_cannot_be_drawn_is_refused(x, guess):
    with pytest.raises(ValueError, match="guess: expected a number from"):
        Signal(x).predict(guess)


def test_own_network_is_shown_as_it_is_and_offers_only_what_changes_it(x):
    network = MLP(12, (2, 3), [9, -1], "gelu")
    explorer = Signal(x, network, scale=3.0)
    assert list(explorer.controls) == ["normalize", "scale"]
    layers = _layers(explorer)
    assert layers.units == (12, 9, 12, 6)
    assert layers.std[-1] == pytest.approx(
        network(3 * x).std(0, correction=0).square().mean().sqrt().item(), rel=FLOAT32
    )
    assert repr(explorer).startswith("Signal(scale=3.0): Your network, 2 hidden layers: ")
    assert {frame.state.normalize for frame in explorer.frames()} == {True, False}
    assert Signal.from_state(explorer.state, x, network).at() == explorer.at()


def test_own_network_with_normalisation_and_inplace_activations_stays_untouched(x):
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


def test_network_without_hidden_layers_is_told_as_one_map(x):
    explorer = Signal(x, nn.Sequential(nn.Linear(12, 3)))
    assert "one linear map" in repr(explorer)
    assert explorer.numbers(explorer.compute(explorer.at()))["dead or saturated"] == "–"
    assert explorer.sweep().startswith("Signal: ")


@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (1, 5, 4), (5000, 3)])
def test_any_rollout_works(shape):
    explorer = Signal(torch.randn(shape))
    assert explorer.observations.shape == (min(1024, int(np.prod(shape[:-1]))), shape[-1])
    drawing = Drawing(explorer)
    for state in explorer.corners():
        result = explorer.compute(state)
        drawing.move(result)
        assert "nan" not in explorer.describe(result) + str(explorer.numbers(result))


def test_result_does_not_depend_on_the_mode_it_is_asked_in_nor_touch_the_global_generator(x):
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
def test_bad_observations_are_named(observations, message):
    with pytest.raises(ValueError, match=message):
        Signal(observations)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (nn.Linear(12, 2), "network: expected an nn.Sequential such as MLP, got Linear"),
        (nn.Sequential(nn.ReLU()), "network: expected 1 to 11 linear layers, got 0"),
        (MLP(12, 1, [4] * 11), "network: expected 1 to 11 linear layers, got 12"),
        (MLP(11, 1, [4]), "network: expected 12 inputs, as observations has features, got 11"),
        (nn.Sequential(nn.Linear(12, 4), nn.Linear(5, 2)), "network: cannot map"),
        (nn.Sequential(nn.Linear(12, 4), nn.GRU(4, 4)), "network: cannot map"),
    ],
)
def test_bad_networks_are_named(x, network, message):
    with pytest.raises(ValueError, match=message):
        Signal(x, network)


def test_network_with_broken_weights_is_named(x):
    network = MLP(12, 1, [4])
    network[0].weight.data[0] = torch.nan
    with pytest.raises(ValueError, match="network: expected finite values in all layers, got NaN or infinity"):
        Signal(x, network)


def test_control_that_a_network_of_ones_own_does_not_have_is_refused(x):
    with pytest.raises(ValueError, match="depth: expected one of the controls normalize, scale"):
        Signal(x, MLP(12, 1, [4]), depth=3)
