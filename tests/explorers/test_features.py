"""Explorer *features*: what it shows is what the library computes, at every setting."""

import numpy as np
import pytest
import torch
from rsl_edu.explorers.bench.figure import RED
from torch import nn

from rsl_edu.diagnosis.feature_maps import receptive_field
from rsl_edu.explorers.features import Features, FeaturesState
from rsl_edu.modules import CNN

FLOAT32 = 1e-5


@pytest.fixture(scope="module")
def terrain():
    return Features()


def own(padding="none", norm="none", pool=False, activation="relu", **settings):
    torch.manual_seed(0)
    network = CNN((24, 20), 1, (3, 12), 3, 2, padding=padding, norm=norm, max_pool=pool, activation=activation)
    return Features(torch.randn(5, 1, 24, 20), network.eval(), **settings)


def shown(explorer, **changes):
    return explorer.compute(explorer.at(**changes))


def line(figure, label):
    return next(line for axes in figure.axes for line in axes.lines if line.get_label() == label)


def words(figure):
    return [text.get_text() for text in (*figure.texts, *(text for axes in figure.axes for text in axes.texts))]


def test_maps_are_those_of_the_library():
    explorer = own(padding="zeros", norm="batch", pool=True, layer=1, seed=3)
    result = shown(explorer, offset=0.2)
    expected = nn.Sequential(*list(explorer.network)[:-1])(explorer.scans[3:4] + 0.2)[0].detach()
    np.testing.assert_allclose(result.shown.maps, expected.numpy(), atol=FLOAT32)
    assert result.run.flat == explorer.network.output_dim == expected.numel()


def test_own_network_equals_one_built_by_hand(terrain):
    state = terrain.at(kernel=2, stride="1, max pool", dilation=2, padding="circular", norm="layer", seed=4, layer=2)
    network = CNN((64, 64), 1, (8, 8, 8), 2, 1, 2, "circular", "layer", "relu", True, flatten=False)
    torch.manual_seed(4)
    network.init_weights()
    with torch.no_grad():
        expected = network(terrain.scans[4:5] + 0.5)[0]
    np.testing.assert_allclose(terrain.compute(state).shown.maps, expected.numpy(), atol=FLOAT32)


@pytest.mark.parametrize(
    ("kernel", "stride", "dilation", "pool", "padding"),
    [(3, 1, 1, False, "none"), (5, 2, 1, False, "zeros"), (2, 3, 2, False, "zeros"), (3, 1, 2, True, "none")],
)
def test_receptive_field_is_where_the_gradient_is(kernel, stride, dilation, pool, padding):
    torch.manual_seed(0)
    side = 65
    network = CNN((side, side), 1, (4, 4), kernel, stride, dilation, padding, max_pool=pool, flatten=False)
    steps = []
    for module in network:
        if isinstance(module, nn.Conv2d):
            steps.append((kernel, stride, dilation, module.padding))
        elif isinstance(module, nn.MaxPool2d):
            steps.append((3, 2, 1, (1, 1)))
    field, jump, first = receptive_field(steps)
    seen = torch.zeros(side, side)
    for _ in range(60 if pool else 1):  # max pooling passes the gradient of one pixel only
        scan = torch.randn(1, 1, side, side, requires_grad=True)
        maps = network(scan)
        unit = [n // 2 for n in maps.shape[2:]]
        (gradient,) = torch.autograd.grad(maps[0, :, unit[0], unit[1]].sum(), scan)
        seen += gradient[0, 0].abs()
    for axis in (0, 1):
        pixels = seen.sum(1 - axis).nonzero().flatten()
        start = first[axis] + jump * unit[axis]
        assert (pixels[0].item(), pixels[-1].item()) == (start, start + field - 1)


def test_frames_of_the_picture_are_the_receptive_fields(terrain):
    result = shown(terrain, layer=1, padding="zeros")
    figure = terrain.render(layer=1, padding="zeros")
    assert result.shown.field == 13  # 5 + 4 · 2
    centre, corner = (line(figure, f"seen by the {unit} unit").get_xydata() for unit in ("centre", "corner"))
    assert np.ptp(centre, axis=0).tolist() == np.ptp(corner, axis=0).tolist() == [13, 13]
    assert corner[0].tolist() == [*reversed(result.shown.first)]
    assert abs(centre[:4].mean(0) - 32).max() <= result.shown.jump / 2


@pytest.mark.parametrize("padding", ["zeros", "reflect", "replicate", "circular"])
def test_padding_changes_only_the_units_that_see_it(terrain, padding):
    def units(padding):
        maps = shown(terrain, stride="1", padding=padding).shown
        pad = 2 if padding == "none" else 0  # without padding the map is smaller
        return np.pad(maps.maps, ((0, 0), (pad, pad), (pad, pad)), constant_values=np.nan), maps

    (none, _), (padded, layer) = units("none"), units(padding)
    inside = np.isfinite(none)
    np.testing.assert_allclose(padded[inside], none[inside], atol=FLOAT32)
    assert layer.padded.tolist() == [True, True] + [False] * (len(layer.padded) - 2)


def test_zeros_around_terrain_are_a_cliff_to_a_slope_filter_the_higher_the_offset(terrain):
    cliff = shown(terrain, padding="zeros")
    assert cliff.shown.border[0] > 10 * cliff.shown.inside[0]
    assert "a cliff" in terrain.describe(cliff)
    assert terrain.numbers(cliff)["mean at the border"].startswith("✗")
    assert shown(terrain, padding="zeros", offset=0.0).shown.border[0] < cliff.shown.border[0] / 3
    calm = shown(terrain, padding="replicate").shown
    assert calm.border[0] < 2 * calm.inside[0]


def test_profile_is_the_mean_by_ring():
    explorer = own(padding="zeros")
    layer = shown(explorer, channel=2).shown
    maps = explorer.network[1](explorer.network[0](explorer.scans))[:, 2].detach().abs().mean(0).numpy()
    ring = np.ones_like(maps, bool)
    ring[1:-1, 1:-1] = False
    assert layer.strength[2, 0] == pytest.approx(maps[ring].mean(), abs=FLOAT32)
    curve = line(explorer.render(channel=2), "sees the scan alone").get_xydata()
    np.testing.assert_array_equal(curve, np.column_stack([layer.distance, layer.strength[2]]))
    assert layer.distance[1] == 2  # pixels of the scan: the stride


def test_kernel_larger_than_the_map_is_told_in_the_red_row_and_the_layers_before_it_stay(terrain):
    with pytest.raises(ValueError, match="layer 2") as error:
        CNN((64, 64), 1, (8, 8, 8), 11, 2)
    state = terrain.at(kernel=11, layer=2)
    figure = terrain.render(kernel=11, layer=2)
    assert str(error.value) in terrain.describe(terrain.compute(state))
    rows = [text for text in figure.texts if text.get_text().startswith("✗ 2")]
    assert [row.get_color() for row in rows] == [RED]
    assert str(error.value) in " ".join(words(figure)).replace("\n", " ")
    before = shown(terrain, kernel=11, layer=1)
    assert before.shown.maps.shape == (8, 9, 9)
    assert before.run.flat is None
    assert terrain.numbers(before)["flattened size"] == "✗ none"


def test_first_layer_may_fail_too():
    explorer = Features(torch.randn(2, 1, 4, 4))
    result = explorer.compute(explorer.at())
    assert result.run.layers == ()
    assert "layer 0: kernel_size 5" in explorer.describe(result)
    assert set(explorer.numbers(result).values()) == {"–", "✗ none"}


def test_row_that_worked_again_is_not_red(terrain):
    from rsl_edu.explorers.bench.figure import Drawing

    drawing = Drawing(terrain)
    for kernel in (11, 5):
        drawing.move(shown(terrain, kernel=kernel))
    assert not any("✗" in word for word in words(drawing.figure))
    assert all(text.get_color() != RED for text in drawing.figure.texts if text.get_text().strip())


def test_batch_norm_of_one_scan_uses_the_statistics_of_that_scan(terrain):
    result = shown(terrain, norm="batch of 1", channel=5)
    conv = nn.Conv2d(1, 8, 5, 2)
    conv.weight.data = torch.as_tensor(result.shown.filters)
    conv.bias.data.zero_()
    maps = conv(terrain.scans[:1] + 0.5)[0].detach()
    std, mean = torch.std_mean(maps, dim=(1, 2), correction=0, keepdim=True)
    np.testing.assert_allclose(result.shown.maps, ((maps - mean) / (std**2 + 1e-5).sqrt()).clamp(0).numpy(), atol=1e-3)
    assert result.off > 0.2
    assert "off those in a batch of 32" in terrain.describe(result)
    assert shown(terrain, norm="batch of 32").off is None


def test_batch_norm_of_one_value_fails_as_in_torch():
    explorer = Features(torch.randn(3, 1, 8, 8), kernel=3, norm="batch of 1", padding="zeros", layer=2)
    result = explorer.compute(explorer.at())
    assert len(result.run.layers) == 2
    assert "layer 2: Expected more than 1 value per channel" in explorer.describe(result)


def test_head_would_get_what_leaves_the_network(terrain):
    result = shown(terrain, stride="1", padding="zeros")
    assert result.run.flat == 8 * 64 * 64
    row = next(word for word in words(terrain.render(stride="1", padding="zeros")) if word.startswith("head"))
    assert "Linear(32768, 256)" in row
    assert f"{sum(p.numel() for p in nn.Linear(32768, 256).parameters()):,}" in row


@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
def test_parameters_of_the_layers_add_up(norm):
    explorer = own(norm=norm)
    layers = shown(explorer).run.layers
    assert sum(layer.parameters for layer in layers) == sum(p.numel() for p in explorer.network.parameters())


@pytest.mark.parametrize("seed", [0, 7])
def test_weights_do_not_depend_on_the_padding_or_on_the_depth_that_can_be_built(terrain, seed):
    filters = [
        shown(terrain, seed=seed, layer=1, kernel=11, padding=padding).shown.filters for padding in ("none", "zeros")
    ]
    np.testing.assert_array_equal(*filters)


def test_filters_set_by_hand_are_as_large_as_the_random_ones(terrain):
    filters = shown(terrain, kernel=9).shown.filters[:, 0]
    np.testing.assert_allclose(np.square(filters[:4]).sum((1, 2)), 2, rtol=1e-5)  # Kaiming: k² times 2 / k²
    for zero_sum in (0, 1, 3):
        assert filters[zero_sum].sum() == pytest.approx(0, abs=1e-4)


def test_compute_leaves_the_global_generator_and_the_learners_network_alone():
    network = CNN((16, 16), 1, (2,), 3, norm="batch")
    before = {name: value.clone() for name, value in network.state_dict().items()}
    explorer = Features(torch.randn(4, 1, 16, 16), network)
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    explorer.compute(explorer.at())
    Features(explorer.scans).compute(FeaturesState())
    assert torch.rand(1) == expected
    assert network.training
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])


def test_own_network_has_only_the_controls_that_change_something():
    explorer = own()
    assert list(explorer.controls) == ["layer", "channel", "seed", "offset"]
    assert explorer.controls["layer"].range == (0, 1, 1)
    assert explorer.controls["channel"].range == (0, 11, 1)
    with pytest.raises(ValueError, match="kernel: expected one of the controls layer, channel, seed, offset"):
        explorer.set(kernel=3)


def test_channels_of_a_wide_layer_are_shown_eight_at_a_time():
    explorer = own(layer=1)
    assert "maps 8 to 11" in words(explorer.render(channel=9))
    assert "maps 0 to 7" in words(explorer.render(channel=7))
    assert shown(explorer, layer=0, channel=9).channel == 2  # this layer has three


def test_images_are_the_maps_and_the_padded_scan(terrain):
    result = shown(terrain, padding="reflect", channel=3)
    scan, large, *_ = (axes.images[0] for axes in terrain.render(padding="reflect", channel=3).axes if axes.images)
    np.testing.assert_array_equal(large.get_array(), result.shown.maps[3])
    assert scan.get_array().shape == (68, 68)  # two pixels at each side make 32 of 64
    assert tuple(scan.get_extent()) == (-2, 66, 66, -2)
    np.testing.assert_array_equal(scan.get_array()[0, 2:-2], result.scan[2])  # the border itself is not repeated


@pytest.mark.parametrize("guess", [21, 999])
def test_guess_is_a_square_around_the_centre_and_never_out_of_the_picture(terrain, guess):
    explorer = Features(terrain.scans)
    explorer.predict(guess)
    square = line(explorer.render(), "your guess (last layer)").get_xydata()
    assert square[:4].mean(0).tolist() == [32, 32]
    assert np.ptp(square, axis=0).tolist() == [min(guess, 64 + 2 * 8.5)] * 2


@pytest.mark.parametrize("guess", [0, 2.5, float("nan")])
def test_guess_that_is_no_number_of_pixels_is_refused(terrain, guess):
    with pytest.raises(ValueError, match="guess: expected a"):
        terrain.predict(guess)


def test_captions_follow_every_control_and_stay_short(terrain):
    here = terrain.describe(terrain.compute(terrain.at(channel=2)))
    for name, value in {
        "layer": 1, "channel": 4, "seed": 1, "offset": 1.0, "kernel": 3, "stride": "1", "dilation": 2,
        "padding": "zeros", "norm": "layer",
    }.items():  # fmt: skip
        assert terrain.describe(terrain.compute(terrain.at(**{"channel": 2, name: value}))) != here, name
    for state in terrain.grid(60):
        result = terrain.compute(state)
        text = terrain.describe(result) + " ".join(terrain.numbers(result).values())
        assert len(terrain.describe(result)) <= 300
        assert not any(bad in text.split() for bad in ("nan", "inf", "-0", "NaN"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(4, 8, 8),), r"scans: expected shape \[scans, 1, height, width\], got \[4, 8, 8\]"),
        ((torch.zeros(4, 3, 8, 8),), r"got \[4, 3, 8, 8\]"),
        ((torch.zeros(0, 1, 8, 8),), r"got \[0, 1, 8, 8\]"),
        ((torch.full((1, 1, 8, 8), torch.inf),), "scans: expected finite values"),
        ((None, CNN((8, 8), 3, (2,), 3)), r"network: expected one for scans of shape \[1, 8, 8\], got one for \[3, 8"),
        ((torch.zeros(1, 1, 9, 9), CNN((8, 8), 1, (2,), 3)), r"\[1, 9, 9\], got one for \[1, 8, 8\]"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Features(*arguments)


def test_network_of_another_kind_or_with_broken_weights_is_named():
    with pytest.raises(TypeError, match=r"network: expected a rsl_edu.modules.CNN, got Linear"):
        Features(None, nn.Linear(1, 1))
    network = CNN((8, 8), 1, (2,), 3)
    network[0].weight.data[0] = torch.nan
    with pytest.raises(ValueError, match="network: expected finite weights"):
        Features(None, network)


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 1, 3, 9), (1, 1, 12, 7), (3, 1, 40, 33)])
def test_small_and_odd_scans_work_too(shape):
    torch.manual_seed(0)
    explorer = Features(torch.randn(shape))
    for state in explorer.corners():
        explorer.describe(explorer.compute(state))
    explorer.render(padding="replicate", kernel=1, stride="1")


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{"global_pool": "avg"}, {"flatten": False}, {"norm": "layer", "max_pool": True}])
def test_networks_with_another_end_work_too(settings):
    explorer = Features(None, CNN((20, 31), 1, (2, 5), 3, padding="reflect", **settings))
    size = explorer.network(explorer.scans[:1])[0].numel()
    assert shown(explorer, layer=1).run.flat == size
    assert explorer.sweep().startswith("Features: ")


def test_state_of_a_given_network_can_be_restored():
    explorer = own()
    explorer.set(channel=2, offset=0.3)
    assert Features.from_state(explorer.state, explorer.scans, explorer.network).at() == explorer.at()


def test_every_corner_draws(terrain):
    assert terrain.sweep().startswith("Features: ")
