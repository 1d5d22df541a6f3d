"""The base of all explorers: states are checked, pictures follow, failures leave everything as it was."""

import dataclasses
import io

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.image import imread

from rsl_edu.explorers import Explorer, control


@dataclasses.dataclass(frozen=True)
class LineState:
    slope: float = control(1.0, "slope", "Rise per step.", range=(-2.0, 2.0, 0.5))
    points: int = control(3, "points", "How many.", range=(2, 9, 1), play=True)
    style: str = control("straight", "style", "Form.", choices={"a line": "straight", "a curve": "bent"})
    broken: bool = control(False, "break it", "Fail.")


class Line(Explorer[LineState, np.ndarray]):
    State = LineState
    size = (3.0, 2.0)

    def compute(self, state):
        if state.broken:
            raise ValueError("broken: this switch breaks the explorer")
        x = np.linspace(0, 1, state.points)
        return state.slope * (x if state.style == "straight" else x**2)

    def stage(self, figure):
        axes = figure.subplots()
        axes.set(xlim=(0, 1), ylim=(-2, 2))
        return axes.plot([], [])[0]

    def draw(self, artists, result):
        artists.set_data(np.linspace(0, 1, len(result)), result)

    def describe(self, result):
        return f"{len(result)} points up to {result[-1]:.1f}"


def _pixels(png):
    return np.round(255 * imread(io.BytesIO(png), format="png")).astype(np.uint8)


def _full(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


@pytest.fixture
def line():
    return Line()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"slope": 2.5}, r"slope: expected a number from -2.0 to 2.0, got 2.5"),
        ({"slope": float("nan")}, r"slope: expected a number from -2.0 to 2.0, got nan"),
        ({"points": "three"}, r"points: expected a number from 2 to 9, got 'three'"),
        ({"style": "wavy"}, r"style: expected one of 'straight', 'bent'; got 'wavy'"),
        ({"broken": 1}, r"broken: expected True or False, got 1"),
        ({"colour": "red"}, r"colour: expected one of the controls slope, points, style, broken"),
    ],
)
@pytest.mark.parametrize("live", [False, True])
def test_value_that_is_not_allowed_is_named_and_changes_nothing(line, change, message, live):
    if live:
        assert line.live.picture.data
    before = line.at()
    with pytest.raises(ValueError, match=message):
        line.set(**change)
    assert line.at() == before == LineState()


def test_failing_compute_raises_leaves_the_state_and_is_told_under_the_picture(line):
    picture = line.live.picture
    data = picture.data
    with pytest.raises(ValueError, match="this switch breaks"):
        line.set(broken=True)
    assert line.at() == LineState()
    assert picture.data == data
    assert picture.error == "broken: this switch breaks the explorer"
    line.set(slope=2.0)
    assert picture.error == ""
    assert picture.data != data


def test_control_moved_by_hand_moves_state_picture_and_caption(line):
    live = line.live
    before = live.picture.data
    live.widgets["points"].value = 5
    assert line.at().points == 5
    assert live.picture.data != before
    assert live.picture.caption == "5 points up to 1.0"


def test_control_that_breaks_the_explorer_raises_outside_a_browser(line):
    with pytest.raises(ValueError, match="this switch breaks"):
        line.live.widgets["broken"].value = True


def test_set_moves_the_controls_and_draws_once(line, monkeypatch):
    live, drawn = line.live, []
    monkeypatch.setattr(Line, "draw", lambda self, artists, result: drawn.append(result))
    line.set(slope=-1.0, points=7, style="bent")
    assert len(drawn) == 1
    assert [live.widgets[n].value for n in ("slope", "points", "style")] == [-1.0, 7, "bent"]


def test_same_state_gives_the_same_bytes(line):
    first = line.live.picture.data
    line.set(slope=-1.5)
    line.set(slope=1.0)
    assert line.live.picture.data == first == Line().live.picture.data


def test_live_picture_equals_a_full_draw(line):
    line.set(slope=-1.0)
    assert np.array_equal(_pixels(line.live.picture.data), _full(line.render()))


def test_picture_is_a_png_that_matplotlib_reads_back(line):
    assert _pixels(line.live.picture.data).shape == (200, 300, 3)


def test_render_draws_another_state_and_leaves_this_one(line):
    figure = line.render(points=9)
    assert len(figure.axes[0].lines[0].get_xdata()) == 9
    assert line.at() == LineState()


def test_corners_hold_every_choice_and_both_ends_of_each_range():
    line = Line(broken=False)
    states = list(line.corners())
    assert {state.points for state in states} >= {2, 9}
    assert {state.style for state in states} == {"straight", "bent"}
    assert {state.broken for state in states} == {True, False}


def test_sweep_raises_at_a_corner_that_fails_and_returns_to_the_present_state(line):
    line.set(points=4)
    with pytest.raises(ValueError, match="this switch breaks"):
        line.sweep()
    assert line.at().points == line.live.widgets["points"].value == 4
    assert line.live.picture.error == ""


def test_sweep_draws_every_corner_also_where_nothing_was_shown_yet(line, monkeypatch):
    monkeypatch.setattr(Line, "compute", lambda self, state: np.linspace(0, state.slope, state.points))
    drawn = []
    monkeypatch.setattr(Line, "draw", lambda self, artists, result: drawn.append(len(result)))
    assert line.sweep() == f"Line: {len(list(line.corners()))} pictures drawn"
    assert len(drawn) >= len(list(line.corners()))
    assert {2, 9} <= set(drawn)


def test_stored_output_is_one_sentence_a_picture_and_a_widget(line):
    bundle = line._repr_mimebundle_()
    assert bundle["text/plain"] == "Line(): 3 points up to 1.0"
    assert bundle["image/png"].startswith("iVBOR")
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_thousand_updates_leave_no_artist_and_no_figure_behind(line):
    figure = line.live._drawing.figure
    artists = len(figure.findobj())
    for i in range(1000):
        line.set(points=2 + i % 8)
    assert len(figure.findobj()) == artists
    import matplotlib.pyplot as plt

    assert not plt.get_fignums()
