"""Properties of every explorer of the course, on a subset of its grid and at its corners."""

import dataclasses
import gc
import io
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.collections import PolyCollection
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch
from recomputed import equalities

from rsl_edu import explorers
from rsl_edu.explorers.bench import theme
from rsl_edu.explorers.bench.drawing import Drawing

EXPLORERS = list(explorers.EXPLORERS)
STATES = 16
"""Number of states of the grid that are drawn, in addition to all corners."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=EXPLORERS)
def explorer(request):
    return getattr(explorers, request.param)()


@pytest.fixture(scope="module")
def states(explorer):
    return [*explorer.corners(), *explorer.grid(STATES)]


@pytest.fixture(scope="module")
def worn(explorer, states):
    """Return a drawing that has drawn all states one after the other, and the frames."""
    drawing = Drawing(explorer)
    return drawing, [drawing.frame(state) for state in states]


@pytest.fixture(scope="module")
def tensors(explorer):
    """Return data like those of a training run: with gradients, in half precision."""
    generator = torch.Generator().manual_seed(0)
    data = type(explorer).own_data(lambda *shape: torch.randn(shape, generator=generator).half().requires_grad_())
    if not data:
        pytest.skip("it takes no data")
    return data


@pytest.fixture(scope="module")
def own(explorer, tensors):
    """Return the explorer with a learner's own tensors."""
    return type(explorer)(*tensors)


def test_own_tensors_can_have_gradients_and_half_precision(explorer, own):
    assert own.live.svg != explorer.live.svg
    assert own.describe(own.compute(own.at()))


def test_own_arrays_are_accepted_and_other_types_raise_an_error(explorer, tensors, own):
    assert type(explorer)(*map(_array, tensors)).live.svg == own.live.svg
    wrong = [("much", "much")] * 2 if isinstance(tensors[0], tuple) else ["much"] * len(tensors)
    with pytest.raises((TypeError, ValueError), match=r"^\w+: expected "):
        type(explorer)(*wrong)


def _array(own):
    if isinstance(own, dict):
        return {name: _array(each) for name, each in own.items()}
    if isinstance(own, tuple):
        return tuple(map(_array, own))
    return own if isinstance(own, str) else own.detach().numpy()


def _contents(figure):
    """Return all numbers in the moving artists of a figure."""
    for axes in figure.axes:
        for artist in axes.get_children():
            if isinstance(artist, Line2D):
                yield from (np.asarray(data, float) for data in artist.get_data(orig=False))
            elif isinstance(artist, StepPatch):
                yield np.asarray(artist.get_data().values, float)
            elif isinstance(artist, AxesImage):
                yield np.ma.filled(artist.get_array().astype(float), np.nan)
            elif isinstance(artist, PolyCollection):
                yield from (path.vertices for path in artist.get_paths())


def _fingerprint(figure):
    return hash(tuple(data.tobytes() for data in _contents(figure)))


def test_pictures_and_texts_are_valid_in_all_states(explorer, states):
    drawing, seen, said = Drawing(explorer), set(), set()
    names = None
    for state in states:
        result = explorer.compute(state)
        drawing.move(result)
        where = explorer.write(state)
        assert not any(np.isinf(data).any() for data in _contents(drawing.figure)), where
        title, caption, numbers = explorer.title(result), explorer.describe(result), explorer.numbers(result)
        spots = explorer.spots(result)
        arithmetic = [line for spot in spots for line in (spot.name, spot.numbers, *spot.arithmetic)]
        words = " ".join([title, caption, *numbers.values(), *arithmetic])
        assert not re.search(r"\b(nan|inf|None)\b|(?<!\w)-\d|e\+|\{", words), f"{where}: {words}"
        assert 10 < len(title) <= 90, f"{where}: {title}"
        assert title.endswith("."), f"{where}: {title}"
        assert title not in caption
        assert 30 < len(caption) <= 420, f"{where}: {caption}"
        assert len({spot.name for spot in spots}) == len(spots), where
        assert all(len(line) <= 110 for line in arithmetic), where
        names = names or list(numbers)
        assert list(numbers) == names, where
        seen.add(_fingerprint(drawing.figure))
        said.add(words)
    assert len(seen) > 0.6 * len(set(states)), "the artists depend on the state"
    assert len(said) > 0.5 * len(set(states)), "the texts depend on the state"
    assert 3 <= len(names) <= 9


def test_equations_in_the_arithmetic_are_correct(explorer, states):
    if type(explorer).__name__ in ("Features", "Memory"):
        pytest.skip("three decimals are too few for this test; separate tests compare them with torch")
    for state in states:
        for spot in explorer.spots(explorer.compute(state)):
            equalities(spot.arithmetic)


def test_picture_does_not_depend_on_earlier_states(explorer, states):
    explorer.reset()
    first = explorer.live.svg
    for state in states[:: len(states) // 6]:
        explorer.go(state)
    explorer.reset()
    assert explorer.live.svg == first
    assert type(explorer).from_state(explorer.state).live.svg == first


def test_panels_equal_those_of_a_new_drawing(explorer, states, worn):
    frame = worn[1][-1]
    fresh = Drawing(explorer).frame(states[-1])
    assert (frame.grounds, frame.moving, frame.spots, frame.grips) == (
        fresh.grounds, fresh.moving, fresh.spots, fresh.grips,
    )  # fmt: skip


def test_first_panels_are_few_and_fit_a_phone(explorer):
    first = [panel for panel in Drawing(explorer).panels if not panel.more]
    assert 1 <= len(first) <= 3
    for panel in first:
        _, _, width, height = panel.box
        assert width <= 72 * explorer.size[0]
        assert height <= 72 * 4, f"{panel.name} leaves no space for a slider"


def test_every_picture_has_spots_or_handles_with_arithmetic(explorer, worn):
    drawing, frames = worn
    frame = drawing.frame(explorer.start)
    assert frame.spots or frame.grips
    assert any(arithmetic for _, _, arithmetic, _, _ in frame.spots), "no spot has arithmetic"
    for frame in frames:
        for controls, panel, along, points in frame.grips:
            assert along in ("x", "y", "xy")
            left, top, width, height = drawing.panels[panel].box
            assert len(points) > 1, f"{controls} cannot be dragged"
            for values, (x, y) in points.items():
                assert left - 1 <= x <= left + width + 1, f"{controls} {values}"
                assert top - 1 <= y <= top + height + 1, f"{controls} {values}"
                for name, value in zip(controls, values, strict=True):
                    assert explorer.controls[name].check(name, value) == value


def test_questions_have_answers_and_a_stored_picture_that_shows_them(explorer):
    assert explorer.questions
    for question in explorer.questions:
        assert question.answer
        assert not question.choices or question.answer in question.choices
        assert question.show, question.text
        assert explorer.at(**question.show) in explorer.swept_states()


def test_many_updates_leak_no_artists_figures_or_memory(explorer, states):
    drawing = Drawing(explorer)
    results = [explorer.compute(state) for state in states[:8]]

    def update(times):
        for i in range(times):
            drawing.move(results[i % len(results)])
        gc.collect()
        return len(drawing.figure.findobj()), len(gc.get_objects())

    gc.freeze()  # existing objects are neither counted nor scanned
    update(16)
    artists, objects = update(16)
    artists_later, objects_later = update(1000 if isinstance(explorer, explorers.Stream) else 48)  # full rounds
    assert artists_later == artists
    assert objects_later < objects + 32  # fewer than one per update
    assert not plt.get_fignums()


def test_compute_depends_only_on_the_state_and_does_not_change_the_explorer(explorer, states):
    fresh = type(explorer)()
    first, other = explorer.start, states[0]
    before = _contained(fresh.compute(first))
    fresh.predict(fresh.question.positions(9)[2])
    fresh.go(other)
    fresh.compare()
    kept = {name: value for name, value in vars(fresh).items() if not name.startswith("_results_of_")}
    known = _contained(kept)
    assert _contained(fresh.compute(first)) == before
    now = {name: value for name, value in vars(fresh).items() if not name.startswith("_results_of_")}
    assert _contained(now) == known


def _contained(value):
    """Return the contents of a value in a form that can be compared."""
    if isinstance(value, torch.Tensor):
        value = value.detach().numpy()
    if isinstance(value, np.ndarray):
        return value.shape, np.ma.filled(value, np.nan).tobytes() if value.dtype != object else value.tolist()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _contained(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: _contained(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_contained(each) for each in value]
    if isinstance(value, torch.nn.Module):
        return {name: _contained(each) for name, each in value.state_dict().items()}
    return repr(value)


def test_labels_and_help_of_all_controls_are_valid(explorer):
    assert 2 <= len(explorer.controls) <= 11
    for name, control in explorer.controls.items():
        assert 1 <= len(control.words) <= 28, name
        assert control.help.endswith("."), name


def test_guess_is_drawn(explorer):
    assert explorer.question is not None
    fresh = type(explorer)()
    before = fresh.live.svg
    few = explorer.question.positions(9)
    fresh.predict(few[2])
    assert fresh.live.svg != before


def test_state_is_restored_from_its_text(explorer, states):
    for state in states[:3]:
        explorer.go(state)
        again = type(explorer).from_state(explorer.write(state))
        assert again.at() == state
    explorer.reset()


def test_frames_are_few_enough_for_a_page_and_include_the_current_one(explorer):
    explorer.reset()
    states = explorer.swept_states()
    assert 1 < len(states) < 210  # Memory has 203 with the robots of MuJoCo 3, otherwise the maximum is 192
    assert explorer.at() in states


def test_swept_values_are_positions_of_their_controls(explorer):
    for grid in explorer.swept:
        for name, values in grid.items():
            assert name in {field.name for field in dataclasses.fields(explorer.State)}
            if isinstance(values, tuple):
                assert set(values) <= set(explorer.controls[name].positions()), name
            else:
                assert values is ... or isinstance(values, int), name


def test_dark_frame_is_the_recoloured_light_frame(explorer):
    name, control = next(iter(explorer.controls.items()))
    values = {name: control.positions(3)}
    colour = re.compile(r"#[0-9a-f]{6}\b")
    dark_of = theme.recolouring()
    for light, dark in zip(explorer.frames(**values), explorer.frames(dark=True, **values), strict=True):
        recoloured = colour.sub(lambda found: dark_of.get(found[0], found[0]), light.svg)
        assert without_ids(recoloured) == without_ids(dark.svg)


def test_frame_has_the_same_elements_as_the_svg_of_matplotlib(explorer, worn):
    frame = worn[0].frame(explorer.start)
    rendered = explorer.render(**explorer.values(frame.state))
    file = io.StringIO()
    with theme.theme(False):
        rendered.savefig(file, format="svg")
    for tag in ("<text ", "<path d", "<use ", "<image "):  # not "<path id": both layers define the markers
        assert frame.svg.count(tag) == file.getvalue().count(tag), tag


def without_ids(svg):
    return re.sub(r'(id="|#|url\(#)rsl-[a-z][0-9a-f]{10}', r"\1", svg)
