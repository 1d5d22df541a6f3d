"""Explorer *features*: its numbers match the library in all states."""

import re

import numpy as np
import pytest
import torch
from torch import nn

from rsl_edu.diagnosis.feature_maps import receptive_field
from rsl_edu.explorers.bench.drawing import Drawing
from rsl_edu.explorers.bench.theme import RED
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


def panel(figure, label):
    return next(axes for axes in figure.axes if axes.get_label() == label)


def outline(figure, label):
    """Return the frame of the chosen pixel or of its receptive field."""
    return next(line.get_xydata() for line in panel(figure, label).lines if line.get_path_effects())


def words(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def spot_of(explorer, name, **changes):
    return next(spot for spot in explorer.spots(shown(explorer, **changes)) if spot.name.startswith(name))


def number(text):
    return float(text.rpartition("= ")[2].replace("−", "-").replace(",", ""))


def test_maps_match_the_library():
    explorer = own(padding="zeros", norm="batch", pool=True, layer=1, seed=3)
    result = shown(explorer, offset=0.2)
    expected = nn.Sequential(*list(explorer.network)[:-1])(explorer.scans[3:4] + 0.2)[0].detach()
    np.testing.assert_allclose(result.shown.maps, expected.numpy(), atol=FLOAT32)
    assert result.run.flat == explorer.network.output_dim == expected.numel()


def test_maps_match_a_network_built_by_hand(terrain):
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
def test_receptive_field_matches_the_gradient(kernel, stride, dilation, pool, padding):
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
    for _ in range(60 if pool else 1):  # max pooling passes the gradient to one pixel only
        scan = torch.randn(1, 1, side, side, requires_grad=True)
        maps = network(scan)
        unit = [n // 2 for n in maps.shape[2:]]
        (gradient,) = torch.autograd.grad(maps[0, :, unit[0], unit[1]].sum(), scan)
        seen += gradient[0, 0].abs()
    for axis in (0, 1):
        pixels = seen.sum(1 - axis).nonzero().flatten()
        start = first[axis] + jump * unit[axis]
        assert (pixels[0].item(), pixels[-1].item()) == (start, start + field - 1)


@pytest.mark.parametrize(("row", "column", "at"), [(0, 0, (0, 0)), (100, 0, (15, 0)), (42, 58, (6, 9))])
def test_frame_in_the_scan_is_the_receptive_field_of_the_pixel(terrain, row, column, at):
    changes = {"layer": 1, "padding": "zeros", "row": row, "column": column}
    result, figure = shown(terrain, **changes), terrain.render(**changes)
    assert result.pixel == at
    field, pixel = outline(figure, "scan"), outline(figure, "map")
    assert result.shown.field == 13  # 5 + 4 · 2
    start = [first + 4 * place for first, place in zip(result.shown.first, at, strict=True)]
    low, high = -8.5, 72.5  # the edge of the picture
    assert field[0].tolist() == [max(low, start[1]), max(low, start[0])]
    assert field[2].tolist() == [min(high, start[1] + 13), min(high, start[0] + 13)]
    assert pixel[0].tolist() == [4 * at[1], 4 * at[0]]  # 16 pixels fill the width of 64
    assert np.ptp(pixel, axis=0).tolist() == [4, 4]


@pytest.mark.parametrize("changes", [{}, {"layer": 1}, {"layer": 2}, {"stride": "1"}])
def test_handle_can_be_dragged_to_every_pixel(terrain, changes):
    result = shown(terrain, **changes)
    grip = next(grip for grip in terrain.grips(result) if grip.panel == "map")
    height, width = result.shown.maps.shape[1:]
    met = set()
    for (row, column), (x, y) in grip.points.items():
        pixel = shown(terrain, row=row, column=column, **changes).pixel
        assert (int(y * height / 64), int(x * width / 64)) == pixel
        met.add(pixel)
    assert len(met) == len(grip.points)
    if height <= 32:
        assert len(met) == height * width
    else:
        assert 25**2 <= len(met) <= 32**2 + 200
    assert (terrain.at().row, terrain.at().column) in grip.points


def test_handle_can_be_dragged_to_the_stored_pixels(terrain):
    points = next(grip.points for grip in terrain.grips(shown(terrain)) if grip.panel == "map")
    frames = {(s.row, s.column) for s in terrain.swept_states() if (s.layer, s.padding, s.kernel) == (0, "none", 5)}
    assert len(frames & {*points}) >= 9


def test_channel_can_be_chosen_among_the_maps(terrain):
    grip = next(grip for grip in terrain.grips(shown(terrain)) if grip.controls == ("channel",))
    assert grip.panel == "channels"
    figure = terrain.render()
    left, right, bottom, top = panel(figure, "channels").images[1].get_extent()
    x, y = grip.points[(5,)]
    assert (x - left) / (right - left) == 1.5 / 4
    assert (y - top) / (bottom - top) == pytest.approx(0.75)


def check_norm(lines):
    """Check that the normalized number follows from the numbers in its line."""
    for line in lines:
        if "norm, " in line:
            told = line.partition("): (")[2].partition(" = ")[0].replace("−", "-").replace("·", "*")
            assert eval(f"({told}") == pytest.approx(number(line), abs=3e-3, rel=2e-2)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"layer": 1, "channel": 1},
        {"kernel": 11, "layer": 0, "channel": 2},
        {"kernel": 3, "padding": "reflect", "row": 0, "column": 100},
        {"padding": "zeros", "row": 0, "column": 0, "channel": 5},
        {"padding": "circular", "layer": 2, "channel": 2, "row": 100, "column": 0},
        {"stride": "1, max pool", "layer": 1, "channel": 2, "dilation": 2},
        {"stride": "1, max pool", "norm": "batch of 32", "row": 0},
        {"norm": "batch of 1", "channel": 5},
        {"norm": "batch of 32", "layer": 1, "channel": 3},
        {"norm": "layer", "channel": 2, "layer": 2},
    ],
)
def test_arithmetic_of_a_pixel_leads_to_its_value(terrain, changes):
    result = shown(terrain, **changes)
    value = float(result.shown.maps[(result.channel, *result.pixel)])
    spot = spot_of(terrain, "this pixel", **changes)
    assert spot.numbers.startswith(f"{value:.3f}".replace("-", "−"))
    lines = " ".join(spot.arithmetic)
    last = spot.arithmetic[-1]
    ended = number(last) if "=" in last else float(last.rpartition(": ")[2])
    assert ended == pytest.approx(value, abs=6e-4)
    assert len(spot.arithmetic) <= 6
    assert all(len(line) <= 100 for line in spot.arithmetic)
    assert ("max pooling" in lines) == ("pool" in result.state.stride)
    assert ("norm" in lines) == (result.state.norm != "none")
    check_norm(spot.arithmetic)


def test_all_weights_of_a_small_filter_are_written_out(terrain):
    result = shown(terrain, kernel=3, channel=0)
    row, column = (2 * place for place in result.pixel)
    patch, weight = result.scan[row : row + 3, column : column + 3], result.shown.filters[0, 0]
    *rows, last = spot_of(terrain, "this pixel", kernel=3).arithmetic
    for text, w, v in zip(rows, weight, patch, strict=True):
        factors = [[float(f.strip("()").replace("−", "-")) for f in each.split("·")] for each in
                   text.partition(" = ")[0].replace(" − ", " + −").split(" + ")]  # fmt: skip
        np.testing.assert_allclose(factors, np.column_stack([w, v]), atol=6e-4)
        assert number(text) == pytest.approx(w @ v, abs=6e-4)
    assert number(last) == pytest.approx(max(0, float((weight * patch).sum())), abs=6e-4)


@pytest.mark.parametrize("settings", [{"norm": "batch"}, {"norm": "layer", "pool": True}, {"activation": "elu"}])
def test_arithmetic_of_an_own_network_leads_to_its_map(settings):
    explorer = own(**settings, padding="zeros")
    with torch.no_grad():
        for module in explorer.network:
            if isinstance(module, (nn.BatchNorm2d, nn.LayerNorm)):
                module.weight.normal_(1, 0.3)
                module.bias.normal_()
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_()
    for layer, channel in ((0, 1), (0, 2), (1, 9)):
        result = shown(explorer, layer=layer, channel=channel)
        lines = spot_of(explorer, "this pixel", layer=layer, channel=channel).arithmetic
        check_norm(lines)
        last = lines[-1].replace(": ", "= ")
        assert number(last) == pytest.approx(float(result.shown.maps[(result.channel, *result.pixel)]), abs=6e-4)


@pytest.mark.parametrize(
    "changes", [{}, {"stride": "1, max pool", "dilation": 2}, {"norm": "layer", "padding": "zeros"}]
)
def test_arithmetic_of_the_shapes_matches_the_table(terrain, changes):
    result = shown(terrain, **changes)
    for i, layer in enumerate(result.run.layers):
        rows, sees, parameters = spot_of(terrain, f"layer {i}", **changes).arithmetic
        assert (number(rows), number(parameters)) == (layer.maps.shape[1], layer.parameters)
        assert f"= {layer.field}" in sees
        left = parameters.split(": ")[1].partition(" = ")[0]
        left = left.replace(" for the norm", "").replace(",", "").replace("·", "*")
        assert eval(left) == layer.parameters
    assert number(spot_of(terrain, "head", **changes).arithmetic[0]) == result.run.flat


def test_marks_of_the_table_are_at_its_rows(terrain):
    figure = terrain.render()
    texts = {text.get_text()[:4].strip(): text.get_position()[1] for text in panel(figure, "table").texts}
    for name in ("0", "1", "2", "head"):
        (mark,) = spot_of(terrain, name if name == "head" else f"layer {name}").marks
        assert mark.panel == "table"
        assert mark.y[1] == pytest.approx(texts[name])


def test_spot_of_a_map_also_marks_its_filter(terrain):
    spot = spot_of(terrain, "map 6")
    assert [(mark.panel, mark.x, mark.y) for mark in spot.marks] == [
        ("channels", (2, 3), (3.9, 4.9)),
        ("channels", (2, 3), (1, 2)),
    ]
    assert len(spot_of(terrain, "map 6", layer=1).marks) == 1


def test_spots_and_titles_are_correct_in_all_states(terrain):
    for state in [*terrain.corners(), *terrain.grid(40)]:
        result = terrain.compute(state)
        title, spots = terrain.title(result), terrain.spots(result)
        assert 10 < len(title) <= 90, title
        assert title not in terrain.describe(result)
        assert len({spot.name for spot in spots}) == len(spots) <= 30
        assert sum(len(str(spot)) for spot in spots) < 8_000
        assert all(len(line) <= 100 for spot in spots for line in spot.arithmetic)
        assert all(len(spot.arithmetic) <= 6 for spot in spots)
        assert not any(bad in f"{title} {spots}" for bad in ("nan", "inf,"))
        if result.run.why:
            assert title.startswith(f"The network fails at layer {len(result.run.layers)}")
        elif "0 at every" in title:
            assert not result.shown.maps[result.channel].any()
        elif "creates a" in title:
            assert result.shown.border[result.channel] > 2 * result.shown.inside[result.channel]
        elif "sees" in title and "whole" not in title:
            assert f"{result.shown.field} × {result.shown.field}" in title


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({}, "This pixel of layer 0 sees 5 × 5 of the scan's 64 × 64 pixels"),
        ({"padding": "zeros"}, "Zero padding creates a cliff: map 0 is 17 times as strong at the border as inside"),
        ({"kernel": 11}, "The network fails at layer 2: choose a smaller kernel or stride, or a padding"),
        ({"norm": "batch of 1"}, "Batch norm over one scan: the maps differ by 43 % from those in a batch of 32"),
        ({"channel": 4}, "Map 4 of layer 0 is 0 at every pixel"),
        ({"padding": "replicate", "row": 0, "column": 0, "channel": 2},
         "This pixel of layer 0 sees 5 × 5 pixels, 64 % of them beyond the edge of the scan"),
    ],
)  # fmt: skip
def test_titles(terrain, changes, title):
    assert terrain.title(shown(terrain, **changes)) == f"{title}."


def test_answers_of_the_questions_match_the_computed_maps(terrain):
    field, head, cliff = (terrain.compute(terrain.at(**question.show)) for question in terrain.questions)
    assert str(field.shown.field) == terrain.questions[0].answer
    assert shown(terrain).run.flat == 200
    assert head.run.flat == 21632 > 20000
    assert terrain.questions[1].answer == "more than 20,000"
    assert cliff.channel == 0
    assert cliff.shown.border[0] > 10 * cliff.shown.inside[0]
    assert terrain.questions[2].answer == "more than ten times as strongly"


def test_profile_and_table_are_hidden_at_first(terrain):
    assert {panel.name for panel in Drawing(terrain).panels if not panel.more} == {"scan", "map", "channels"}


@pytest.mark.parametrize("padding", ["zeros", "reflect", "replicate", "circular"])
def test_padding_changes_only_pixels_that_see_it(terrain, padding):
    def units(padding):
        maps = shown(terrain, stride="1", padding=padding).shown
        pad = 2 if padding == "none" else 0  # without padding, the map is smaller
        return np.pad(maps.maps, ((0, 0), (pad, pad), (pad, pad)), constant_values=np.nan), maps

    (none, _), (padded, layer) = units("none"), units(padding)
    inside = np.isfinite(none)
    np.testing.assert_allclose(padded[inside], none[inside], atol=FLOAT32)
    assert layer.padded.tolist() == [True, True] + [False] * (len(layer.padded) - 2)


def test_slope_filter_responds_strongly_to_zero_padding_with_an_offset(terrain):
    cliff = shown(terrain, padding="zeros")
    assert cliff.shown.border[0] > 10 * cliff.shown.inside[0]
    assert "a cliff" in terrain.describe(cliff)
    assert terrain.numbers(cliff)["mean at the border"].startswith("✗")
    assert shown(terrain, padding="zeros", offset=0.0).shown.border[0] < cliff.shown.border[0] / 3
    replicated = shown(terrain, padding="replicate").shown
    assert replicated.border[0] < 2 * replicated.inside[0]


def test_profile_is_the_mean_by_ring():
    explorer = own(padding="zeros")
    layer = shown(explorer, channel=2).shown
    maps = explorer.network[1](explorer.network[0](explorer.scans))[:, 2].detach().abs().mean(0).numpy()
    ring = np.ones_like(maps, bool)
    ring[1:-1, 1:-1] = False
    assert layer.strength[2, 0] == pytest.approx(maps[ring].mean(), abs=FLOAT32)
    curve = line(explorer.render(channel=2), "sees only the scan").get_xydata()
    np.testing.assert_array_equal(curve, np.column_stack([layer.distance, layer.strength[2]]))
    assert layer.distance[1] == 2  # pixels of the scan: the stride


def test_kernel_larger_than_the_map_is_reported_and_earlier_layers_remain(terrain):
    with pytest.raises(ValueError, match="layer 2") as error:
        CNN((64, 64), 1, (8, 8, 8), 11, 2)
    state = terrain.at(kernel=11, layer=2)
    figure = terrain.render(kernel=11, layer=2)
    assert str(error.value) in terrain.describe(terrain.compute(state))
    rows = [text for text in panel(figure, "table").texts if text.get_text().startswith("✗ 2")]
    assert [row.get_color() for row in rows] == [RED]
    assert str(error.value) in " ".join(words(figure)).replace("\n", " ")
    before = shown(terrain, kernel=11, layer=1)
    assert before.shown.maps.shape == (8, 9, 9)
    assert before.run.flat is None
    assert terrain.numbers(before)["flattened last layer"] == "✗ none"


def test_first_layer_can_fail():
    explorer = Features(torch.randn(2, 1, 4, 4), kernel=5)
    result = explorer.compute(explorer.at())
    assert result.run.layers == ()
    assert "layer 0: kernel_size 5" in explorer.describe(result)
    assert set(explorer.numbers(result).values()) == {"–", "✗ none"}


def test_row_of_a_valid_layer_is_no_longer_red(terrain):
    drawing = Drawing(terrain)
    for kernel in (11, 5):
        drawing.move(shown(terrain, kernel=kernel))
    assert not any("✗" in word for word in words(drawing.figure))
    assert all(text.get_color() != RED for text in panel(drawing.figure, "table").texts if text.get_text().strip())


def test_batch_norm_of_one_scan_uses_the_statistics_of_that_scan(terrain):
    result = shown(terrain, norm="batch of 1", channel=5)
    conv = nn.Conv2d(1, 8, 5, 2)
    conv.weight.data = torch.as_tensor(result.shown.filters)
    conv.bias.data.zero_()
    maps = conv(terrain.scans[:1] + 0.5)[0].detach()
    std, mean = torch.std_mean(maps, dim=(1, 2), correction=0, keepdim=True)
    np.testing.assert_allclose(result.shown.maps, ((maps - mean) / (std**2 + 1e-5).sqrt()).clamp(0).numpy(), atol=1e-3)
    assert result.off > 0.2
    assert "from those in a batch of 32" in terrain.describe(result)
    assert shown(terrain, norm="batch of 32").off is None


def test_batch_norm_of_one_value_fails_as_in_torch():
    explorer = Features(torch.randn(3, 1, 8, 8), kernel=3, stride="2", norm="batch of 1", padding="zeros", layer=2)
    result = explorer.compute(explorer.at())
    assert len(result.run.layers) == 2
    assert "layer 2: Expected more than 1 value per channel" in explorer.describe(result)


def test_head_gets_the_flattened_output_of_the_network(terrain):
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
def test_weights_do_not_depend_on_the_padding(terrain, seed):
    filters = [
        shown(terrain, seed=seed, layer=1, kernel=11, padding=padding).shown.filters for padding in ("none", "zeros")
    ]
    np.testing.assert_array_equal(*filters)


def test_filters_set_by_hand_have_the_norm_of_random_ones(terrain):
    filters = shown(terrain, kernel=9).shown.filters[:, 0]
    np.testing.assert_allclose(np.square(filters[:4]).sum((1, 2)), 2, rtol=1e-5)  # Kaiming: k² times 2 / k²
    for zero_sum in (0, 1, 3):
        assert filters[zero_sum].sum() == pytest.approx(0, abs=1e-4)


def test_compute_does_not_change_the_global_generator_or_an_own_network():
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


def test_own_network_has_only_controls_with_an_effect():
    explorer = own()
    assert list(explorer.controls) == ["layer", "row", "column", "channel", "offset", "seed"]
    assert explorer.controls["layer"].range == (0, 1, 1)
    assert explorer.controls["channel"].range == (0, 11, 1)
    with pytest.raises(ValueError, match="kernel: expected one of the controls layer, row, column, channel, off"):
        explorer.set(kernel=3)


def test_own_scans_and_networks_get_no_questions():
    for explorer in (own(), Features(torch.randn(4, 1, 24, 20)), Features(None, CNN((20, 31), 1, (2, 5), 3))):
        assert not explorer.questions
        assert len(explorer.swept_states()) > 1


def test_channels_of_a_wide_layer_are_shown_eight_at_a_time():
    explorer = own(layer=1)
    assert "maps 8 to 11" in words(explorer.render(channel=9))
    assert "maps 0 to 7" in words(explorer.render(channel=7))
    assert shown(explorer, layer=0, channel=9).channel == 2  # this layer has only three channels


def test_images_show_the_map_and_the_padded_scan(terrain):
    result = shown(terrain, padding="reflect", channel=3)
    scan, large, *_ = (axes.images[0] for axes in terrain.render(padding="reflect", channel=3).axes if axes.images)
    np.testing.assert_array_equal(large.get_array(), result.shown.maps[3])
    assert scan.get_array().shape == (68, 68)  # two pixels at each side make 32 of 64
    assert tuple(scan.get_extent()) == (-2, 66, 66, -2)
    np.testing.assert_array_equal(scan.get_array()[0, 2:-2], result.scan[2])  # the border itself is not repeated


@pytest.mark.parametrize("guess", [21, 999])
def test_guess_is_a_centred_square_within_the_picture(terrain, guess):
    explorer = Features(terrain.scans)
    explorer.predict(guess)
    (square,) = (line.get_xydata() for line in panel(explorer.render(), "scan").lines if line.get_marker() == "X")
    assert square[:4].mean(0).tolist() == [32, 32]
    assert np.ptp(square, axis=0).tolist() == [min(guess, 64 + 2 * 8.5)] * 2


@pytest.mark.parametrize("guess", [0, 2.5, float("nan")])
def test_invalid_guess_raises_an_error(terrain, guess):
    with pytest.raises(ValueError, match="guess: expected a"):
        terrain.predict(guess)


def test_captions_depend_on_every_control_and_are_short(terrain):
    here = terrain.describe(terrain.compute(terrain.at(channel=2)))
    for name, value in {
        "layer": 1, "row": 0, "column": 0, "channel": 4, "seed": 1, "offset": 1.0, "kernel": 3, "stride": "1",
        "dilation": 2, "padding": "zeros", "norm": "layer",
    }.items():  # fmt: skip
        assert terrain.describe(terrain.compute(terrain.at(**{"channel": 2, name: value}))) != here, name
    for state in terrain.grid(60):
        result = terrain.compute(state)
        text = terrain.describe(result) + " ".join(terrain.numbers(result).values())
        assert len(terrain.describe(result)) <= 420
        assert not any(bad in text.split() for bad in ("nan", "inf", "-0", "NaN"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(4, 8, 8),), r"scans: expected shape \[scans, 1, height, width\], got \[4, 8, 8\]"),
        ((torch.zeros(4, 3, 8, 8),), r"got \[4, 3, 8, 8\]"),
        ((torch.zeros(0, 1, 8, 8),), r"got \[0, 1, 8, 8\]"),
        ((torch.full((1, 1, 8, 8), torch.inf),), "scans: expected finite values"),
        ((None, CNN((8, 8), 3, (2,), 3)), r"network: .* for scans of shape \[1, 8, 8\], got one for \[3, 8"),
        ((torch.zeros(1, 1, 9, 9), CNN((8, 8), 1, (2,), 3)), r"\[1, 9, 9\], got one for \[1, 8, 8\]"),
    ],
)
def test_bad_arguments_raise_an_error(arguments, message):
    with pytest.raises(ValueError, match=message):
        Features(*arguments)


def test_invalid_network_raises_an_error():
    with pytest.raises(TypeError, match=r"network: expected a rsl_edu.modules.CNN, got Linear"):
        Features(None, nn.Linear(1, 1))
    network = CNN((8, 8), 1, (2,), 3)
    network[0].weight.data[0] = torch.nan
    with pytest.raises(ValueError, match="network: expected finite weights"):
        Features(None, network)


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 1, 3, 9), (1, 1, 12, 7), (3, 1, 40, 33)])
def test_small_and_odd_scans_work(shape):
    torch.manual_seed(0)
    explorer = Features(torch.randn(shape))
    for state in explorer.corners():
        explorer.describe(explorer.compute(state))
    explorer.render(padding="replicate", kernel=1, stride="1")


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{"global_pool": "avg"}, {"flatten": False}, {"norm": "layer", "max_pool": True}])
def test_networks_with_other_outputs_work(settings):
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


@pytest.mark.parametrize("size", [(1, 1), (4, 4), (7, 9), (11, 17), (17, 11), (20, 20), (24, 20), (64, 64)])
def test_defaults_work_for_scans_of_any_size(size):
    explorer = Features(torch.rand(2, 1, *size))
    result = explorer.compute(explorer.at())
    assert not result.run.why
    assert len(result.run.layers) == 3
    assert min(result.run.layers[-1].maps.shape[1:]) >= min(2, *size)
    assert "fails" not in explorer.title(result)
    if size == (64, 64):
        assert (explorer.at().kernel, explorer.at().stride) == (5, "2")


@pytest.mark.parametrize(
    ("size", "broken", "advice", "fixed"),
    [
        (64, {"kernel": 11}, "smaller kernel", {"kernel": 5}),
        (64, {"kernel": 11}, "or a padding", {"kernel": 11, "padding": "zeros"}),
        (9, {"kernel": 7, "stride": "2", "padding": "reflect"}, "another padding", {"kernel": 7, "padding": "zeros"}),
        (8, {"kernel": 3, "stride": "2", "padding": "zeros", "norm": "batch of 1"}, "smaller stride", {"stride": "1"}),
    ],
)
def test_title_of_an_invalid_network_advises_a_fix_that_works(size, broken, advice, fixed):
    explorer = Features(torch.rand(2, 1, size, size), **broken)
    title = explorer.title(explorer.compute(explorer.at()))
    assert title.startswith("The network fails at layer ")
    assert advice in title
    assert "fails" not in explorer.title(explorer.compute(explorer.at(**fixed)))


def test_captions_write_sizes_and_means_in_standard_notation(terrain):
    texts = [terrain.describe(terrain.compute(state)) for state in [*terrain.corners(), *terrain.grid(40)]]
    assert not re.search(r"\|[\d.]+\||\dx\d", " ".join(texts))
    assert any("The mean |activation| is" in text for text in texts)
    assert any("the last layer's" in text for text in texts)
    assert re.search(r"has \d+ × \d+ pixels and padding", terrain.describe(shown(terrain, kernel=11)))
