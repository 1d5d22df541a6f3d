"""The base of all explorers: states are checked, pictures follow the state, failures change nothing."""

import asyncio
import base64
import dataclasses
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
import torch

from rsl_edu import explorers
from rsl_edu.explorers import Control, Explorer, control
from rsl_edu.explorers.bench import output
from rsl_edu.explorers.bench.controls import Space
from rsl_edu.explorers.bench.drawing import Drawing
from rsl_edu.explorers.bench.instrument import cached
from rsl_edu.explorers.bench.theme import theme

VIEW = "application/vnd.jupyter.widget-view+json"


@dataclasses.dataclass(frozen=True)
class LineState:
    slope: float = control(1.0, "slope", "Rise per step.", range=(-2.0, 2.0, 0.5))
    points: int = control(3, "points", "How many.", range=(2, 9, 1), play=True)
    style: str = control("straight", "style", "Form.", choices={"a line": "straight", "a curve": "bent"})
    gain: float = control(1.0, "gain", "Factor.", unit="m", steps=(0.1, 1.0, 10.0))
    broken: bool = control(False, "break it", "Fail.")


class Line(Explorer[LineState, np.ndarray]):
    State = LineState
    size = (3.0, 2.0)
    swept = ({"points": ..., "style": ...}, {"points": 3})
    question = Control("height", "How high it ends.", range=(-2.0, 2.0, 0.1))

    def compute(self, state):
        if state.broken:
            raise ValueError("broken: this switch breaks the explorer")
        x = np.linspace(0, 1, state.points)
        return state.slope * (x if state.style == "straight" else x**2)

    def stage(self, figure):
        axes = figure.subplots()
        axes.set(xlim=(0, 1), ylim=(-2, 2))
        axes.plot([0, 1], [0, 0], color="C4")
        return {"line": axes.plot([], [])[0], "bars": [axes.stairs([0.0, 0.0], [0, 0.5, 1], fill=True, alpha=0.5)]}

    def draw(self, artists, result):
        artists["line"].set_data(np.linspace(0, 1, len(result)), result)
        artists["bars"][0].set_data(values=result[:2])

    def describe(self, result):
        return f"{len(result)} points up to {result[-1]:.1f}"

    def numbers(self, result):
        return {"height": f"{result[-1]:.1f} m"}


def _at(live, name):
    """Return the value that a control shows."""
    place = list(LineState().__dict__).index(name)
    return Line().controls[name].positions()[live.place[place]]


def move(live, **values):
    """Move controls like the browser, which remembers the positions that it requested last."""
    asked = vars(live).setdefault("asked", list(live.place))
    controls = Line().controls
    for name, value in values.items():
        asked[list(controls).index(name)] = controls[name].positions().index(value)
    live._receive(live, {"place": list(asked), "serial": "1"}, [])


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
        ({"colour": "red"}, r"colour: expected one of the controls slope, points, style, gain, broken"),
        ({"points": 3.5}, r"points: expected a whole number from 2 to 9, got 3.5"),
        ({"gain": 2.0}, r"gain: expected one of 0.1, 1.0, 10.0; got 2.0"),
        ({"gain": True}, r"gain: expected one of 0.1, 1.0, 10.0; got True"),
        ({"gain": torch.tensor([1.0, 10.0])}, r"gain: expected one of 0.1, 1.0, 10.0; got \[1.0, 10.0\]"),
        ({"slope": np.ones((1, 2))}, r"slope: expected a number from -2.0 to 2.0, got \[\[1.0, 1.0\]\]"),
    ],
)
@pytest.mark.parametrize("live", [False, True])
def test_invalid_value_raises_an_error_and_changes_nothing(line, change, message, live):
    if live:
        assert line.live.svg
    before = line.at()
    with pytest.raises(ValueError, match=message):
        line.set(**change)
    assert line.at() == before == LineState()


def test_failing_compute_raises_an_error_below_the_picture_and_keeps_the_state(line):
    live = line.live
    svg = live.svg
    with pytest.raises(ValueError, match="this switch breaks"):
        line.set(broken=True)
    assert line.at() == LineState()
    assert live.svg == svg
    assert live.error == "broken: this switch breaks the explorer"
    line.set(slope=2.0)
    assert live.error == ""
    assert live.svg != svg


def test_moving_a_control_changes_state_picture_and_caption(line):
    live = line.live
    before = live.svg
    move(live, points=5)
    assert line.at().points == 5
    assert live.svg != before
    assert live.caption == "5 points up to 1.0"
    assert live.words == ["1", "5", "a line", "1", "off"]


def test_moved_counts_changes_that_do_not_come_from_the_controls(line):
    live = line.live
    moved = live.moved
    move(live, points=5)
    live._receive(live, {"do": "compare", "serial": "2"}, [])
    line.set(points=5)  # no change
    assert live.moved == moved
    line.set(points=6)
    line.reset()
    assert live.moved == moved + 2
    move(live, points=7)
    assert live.moved == moved + 2


def test_invalid_control_value_raises_an_error_outside_a_browser(line):
    with pytest.raises(ValueError, match="this switch breaks"):
        move(line.live, broken=True)


def test_set_moves_the_controls_and_draws_once(line, monkeypatch):
    live, drawn = line.live, []
    monkeypatch.setattr(Line, "draw", lambda self, artists, result: drawn.append(result))
    line.set(slope=-1.0, points=7, style="bent")
    assert len(drawn) == 1
    assert [_at(live, name) for name in ("slope", "points", "style")] == [-1.0, 7, "bent"]


def test_same_state_gives_the_same_bytes(line):
    first = line.live.svg
    line.set(slope=-1.5)
    line.set(slope=1.0)
    assert line.live.svg == first == Line().live.svg


def test_render_draws_another_state_without_changing_the_current_one(line):
    figure = line.render(points=9)
    assert len(figure.axes[0].lines[1].get_xdata()) == 9
    assert line.at() == LineState()


def test_corners_include_every_choice_and_both_ends_of_each_range():
    line = Line(broken=False)
    states = list(line.corners())
    assert {state.points for state in states} >= {2, 9}
    assert {state.style for state in states} == {"straight", "bent"}
    assert {state.broken for state in states} == {True, False}


def test_sweep_raises_an_error_at_a_failing_corner_and_restores_the_state(line):
    line.set(points=4)
    with pytest.raises(ValueError, match="this switch breaks"):
        line.sweep()
    assert line.at().points == _at(line.live, "points") == 4
    assert line.live.error == ""


def test_sweep_draws_every_corner_without_a_widget(line, monkeypatch):
    monkeypatch.setattr(Line, "compute", lambda self, state: np.linspace(0, state.slope, state.points))
    drawn = []
    monkeypatch.setattr(Line, "draw", lambda self, artists, result: drawn.append(len(result)))
    assert line.sweep() == f"Line: {len(list(line.corners()))} pictures drawn"
    assert len(drawn) >= len(list(line.corners()))
    assert {2, 9} <= set(drawn)
    assert line.at() == line.default
    assert _at(line.live, "points") == line.default.points


def test_outputs_are_a_still_with_texts_and_a_separate_widget(line, monkeypatch):
    bundle, metadata = line._repr_mimebundle_()
    assert bundle["text/plain"] == "Line(): 3 points up to 1.0"
    assert bundle["image/png"].startswith("iVBOR")
    assert 'alt="3 points up to 1.0"' in bundle["text/html"]
    assert bundle["image/png"] in bundle["text/html"]
    assert metadata == {}

    shown = []
    monkeypatch.setattr(output, "get_ipython", lambda: SimpleNamespace(kernel=True))
    monkeypatch.setattr(output, "display", lambda data, metadata, raw, display_id=None: shown.append((data, metadata)))
    monkeypatch.setattr(
        type(line.live), "_repr_mimebundle_", lambda self: ({VIEW: {}, "text/plain": "x"}, {VIEW: "colab"})
    )
    line._ipython_display_()
    (still, _), (view, told) = shown
    assert VIEW not in still
    assert view == {VIEW: {}, "text/plain": ""}
    assert told == {VIEW: "colab"}, "Colab needs this metadata"


def test_last_picture_replaces_the_stored_one_once(line, browser, monkeypatch):
    shown, live = [], line.live
    monkeypatch.setattr(output, "display", lambda data, **how: shown.append((data, how)))
    monkeypatch.setattr("rsl_edu.explorers.bench.widget.REST", 0.0)

    async def moves():
        for points in (4, 5, 7):
            move(live, points=points)
        while not shown:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0)

    browser(lambda: asyncio.run(moves()))
    ((data, how),) = shown
    assert how == {"raw": True, "display_id": live.still, "update": True}
    assert data["text/plain"] == repr(line)
    assert f'alt="{live.caption}"' in data["text/html"]
    svg = base64.b64decode(data["text/html"].partition("svg+xml;base64,")[2].partition('"')[0]).decode()
    assert svg.partition(">")[2] == live.svg.partition(">")[2]
    ElementTree.fromstring(svg)


def test_change_by_a_cell_does_not_replace_the_stored_picture(line):
    live = line.live

    async def cell():
        line.set(points=7)

    with ThreadPoolExecutor(1) as thread:  # this thread may already have playwright's event loop
        thread.submit(asyncio.run, cell()).result()
    assert live.caption == "7 points up to 1.0"
    assert live._rest is None


def test_explorer_without_a_kernel_prints_its_sentence(line, capsys):
    line._ipython_display_()
    assert capsys.readouterr().out == "Line(): 3 points up to 1.0\n"


def test_thousand_updates_leak_no_artists_or_figures(line):
    figure = line.live._drawing.figure
    artists = len(figure.findobj())
    for i in range(1000):
        line.set(points=2 + i % 8)
    assert len(figure.findobj()) == artists
    import matplotlib.pyplot as plt

    assert not plt.get_fignums()


def test_state_is_a_line_of_text_that_restores_the_picture(line):
    line.set(slope=-1.5, points=7, style="bent", gain=10.0)
    assert line.state == "Line(slope=-1.5, points=7, style='bent', gain=10.0, broken=False)"
    again = Line.from_state(line.state)
    assert again.at() == line.at()
    assert again.live.svg == line.live.svg


@pytest.mark.parametrize(
    "state",
    [
        "Other(slope=1.0)",
        "Line(1.0)",
        "slope=1",
        "Line(slope=abs(1))",
        "Line(**{})",
        "Line(",
        "",
        None,
        "Line(slope=1)(points=3)",
    ],
)
def test_invalid_state_text_raises_an_error(state):
    with pytest.raises(ValueError, match=r"state: expected the text Line\(field=value, ...\), got"):
        Line.from_state(state)


def test_state_text_with_an_invalid_value_raises_an_error():
    with pytest.raises(ValueError, match="points: expected a number from 2 to 9, got 99"):
        Line.from_state("Line(points=99)")


def test_repr_contains_the_changed_controls(line):
    line.set(points=5)
    assert repr(line) == "Line(points=5): 5 points up to 1.0"


def test_reset_restores_the_initial_state():
    line = Line(points=5)
    line.set(slope=2.0, points=9)
    line.compare()
    line.reset()
    assert line.at() == LineState(points=5)
    assert line.pinned is None
    assert line.live.svg == Line(points=5).live.svg


@pytest.mark.parametrize("live", [False, True])
def test_compare_shows_ghosts_and_pinned_numbers(line, live):
    if live:
        assert line.live.svg
    line.set(slope=2.0)
    line.compare()
    line.set(slope=-1.0)
    axes = line.render().axes[0] if not live else line.live._drawing.figure.axes[0]
    (ghost,) = [curve for curve in axes.lines if curve.get_label() == "_pinned"]
    (now,) = [curve for curve in axes.lines if curve.get_label() == "_child1"]
    assert ghost.get_ydata()[-1] == 2.0
    assert now.get_ydata()[-1] == -1.0
    assert ghost.get_zorder() < now.get_zorder()
    assert sum(patch.get_label() == "_pinned" for patch in axes.patches) == 1
    assert line.live.numbers == [["height", "-1.0 m", "2.0 m"]]


def test_comparing_twice_keeps_one_ghost_and_ending_it_restores_the_picture(line):
    before = line.live.svg
    for slope in (2.0, 1.0):
        line.set(slope=slope)
        line.compare()
    assert sum(curve.get_label() == "_pinned" for curve in line.live._drawing.figure.axes[0].lines) == 1
    line.compare(False)
    assert line.live.svg == before
    assert line.live.numbers == [["height", "1.0 m"]]


def test_live_picture_with_a_ghost_equals_a_new_drawing(line):
    assert line.live.svg
    line.compare()
    line.set(slope=-1.0)
    assert line.live.svg == Drawing(line).frame(line.at()).svg


def test_buttons_of_the_picture_compare_and_reset(line):
    live = line.live
    live._handle_custom_msg({"do": "compare"}, [])  # what the front end sends
    assert line.pinned == LineState()
    assert live.pinned
    line.set(points=9)
    live._handle_custom_msg({"do": "reset"}, [])
    assert line.at() == LineState()
    assert not live.pinned


def test_matplotlib_settings_do_not_affect_the_picture_and_are_restored(line):
    before = line.live.svg
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "lines.linewidth": 9}):
        assert Line().live.svg == before
        assert matplotlib.rcParams["font.size"] == 30
    with theme(True), pytest.raises(ZeroDivisionError), theme(False):
        raise ZeroDivisionError
    assert matplotlib.rcParams["figure.facecolor"] == "white"


def test_frames_are_all_combinations_in_order_and_reproducible(line):
    frames = list(line.frames(points=(2, 9), style=("straight", "bent")))
    assert [(frame.state.points, frame.state.style) for frame in frames] == [
        (2, "straight"), (2, "bent"), (9, "straight"), (9, "bent"),
    ]  # fmt: skip
    assert all(frame.svg.startswith("<svg") and frame.svg.endswith("</svg>") for frame in frames)
    assert len({frame.svg for frame in frames}) == 3  # with two points, curve and line are equal
    assert frames[2].caption == "9 points up to 1.0"
    assert frames[2].numbers == {"height": "1.0 m"}
    assert [frame.svg for frame in line.frames(points=(2, 9), style=("straight", "bent"))] == [f.svg for f in frames]


def test_frames_are_the_swept_grids_by_default_without_duplicates(line):
    assert len(list(line.frames())) == 8 * 2


def test_grid_is_all_combinations_or_a_fixed_subset(line):
    assert len(set(line.grid(10_000))) == 5 * 5 * 2 * 3 * 2
    few = list(line.grid(50))
    assert len(set(few)) == 50
    assert few == list(line.grid(50))
    assert len({state.points for state in few}) == 5


def test_positions_of_a_slider_include_its_ends(line):
    assert line.controls["slope"].positions() == (-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)
    assert line.controls["points"].positions(3) == (2, 5, 9)
    assert Control("x", "", range=(1e-12, 1e12, 1e-12)).positions(2) == pytest.approx((1e-12, 1e12))
    assert Control("x", "", range=(0.0, 0.3, 0.1)).positions() == (0.0, 0.1, 0.2, 0.3)


def test_saved_picture_has_the_format_of_its_suffix(line, tmp_path):
    for name, begin in (("a.png", b"\x89PNG"), ("a.pdf", b"%PDF"), ("a.svg", b"<?xml")):
        line.save(tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(begin)


def test_saving_without_a_name_or_in_an_unknown_format_raises_an_error(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, message in (("", "path: expected a file name, got '.*'"), ("a.foo", r"path: .* \.svg or \.pdf")):
        with pytest.raises(ValueError, match=message):
            line.save(name)
    assert not list(tmp_path.iterdir())


def test_numbers_of_other_types_are_converted_to_the_type_of_the_control(line):
    for value in (1, 1.0, np.float32(1), np.array(1.0), torch.tensor(1)):
        line.set(gain=value)
        assert repr(line.at().gain) == "1.0"
        assert type(line).from_state(line.state).at() == line.at()
    line.set(points=torch.tensor(3.0))
    assert repr(line.at().points) == "3"


def test_guess_out_of_range_raises_an_error(line):
    line.predict(1.5)
    assert line.guess == 1.5
    with pytest.raises(ValueError, match=r"guess: expected a number from -2.0 to 2.0, got 3"):
        line.predict(3)
    assert line.guess == 1.5


def test_specification_has_label_unit_help_and_positions_of_every_control(line):
    told = dict(zip(LineState().__dict__, line.live.spec["controls"], strict=True))
    assert told["gain"]["words"] == "gain (m)"
    assert told["gain"]["help"] == "Factor."
    assert told["gain"]["values"] == ["0.1", "1", "10"]
    assert not told["gain"]["play"]
    assert [one["kind"] for one in told.values()] == ["slider", "slider", "choice", "choice", "switch"]
    assert told["points"]["play"]


def test_error_is_cleared_by_another_control_without_losing_changes(line):
    """Cause an error with one control, change another one, and check that the change is kept once the error is gone."""
    live = line.live
    with pytest.raises(ValueError, match="this switch breaks"):
        move(live, broken=True)
    with pytest.raises(ValueError, match="this switch breaks"):
        move(live, points=7)
    assert line.at() == LineState()
    assert live.error
    move(live, broken=False)
    assert line.at() == LineState(points=7)
    assert not live.error


def test_value_between_two_positions_is_kept_until_its_control_is_moved():
    line = Line(slope=0.3)
    live = line.live
    assert live.words[0] == "0.3"
    move(live, points=5)
    assert line.at().slope == 0.3
    move(live, slope=0.0)
    assert line.at().slope == 0.0


def test_fixed_control_cannot_be_set_and_is_not_in_the_state_text():
    line = Line.__new__(Line)
    Explorer.__init__(line, fixed={"broken": False}, step_values={"gain": (1.0, 3.0)}, ranges={"points": (2, 5, 1)})
    assert list(line.controls) == ["slope", "points", "style", "gain"]
    assert line.controls["gain"].positions() == (1.0, 3.0)
    assert line.state == "Line(slope=1.0, points=3, style='straight', gain=1.0)"
    assert [told["words"] for told in line.live.spec["controls"]] == ["slope", "points", "style", "gain (m)"]
    with pytest.raises(ValueError, match=r"broken: expected one of the controls slope, points, style, gain"):
        line.set(broken=False)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"plain": 1.0}, r"Odd.plain: declare it with control"),
        ({"dark": control(1, "dark", "Dark.", range=(0, 2, 1))}, r"Odd.dark: an argument has this name"),
        ({"fixed": control(1, "fixed", "Fixed.", range=(0, 2, 1))}, r"Odd.fixed: an argument has this name"),
    ],
)
def test_invalid_state_class_raises_an_error(fields, message):
    odd = dataclasses.make_dataclass("Odd", [(name, float, field) for name, field in fields.items()], frozen=True)
    with pytest.raises(TypeError, match=message):
        Space(odd)


@pytest.mark.parametrize("given", ["ranges", "steps", "fixed"])
def test_setting_an_unknown_field_raises_an_error(given):
    with pytest.raises(ValueError, match="slop: expected one of the fields slope, points, style, gain, broken"):
        Space(LineState, **{given: {"slop": (0, 1, 1)}})


@pytest.mark.parametrize("points", [4.0, np.int64(4), np.float32(4)])
def test_whole_numbers_of_other_types_become_integers(points):
    line = Line(points=points)
    assert line.state == "Line(slope=1.0, points=4, style='straight', gain=1.0, broken=False)"
    assert _at(line.live, "points") == 4


def test_state_with_numpy_numbers_can_be_restored():
    line = Line(slope=np.float64(0.5), gain=np.float64(10), broken=np.bool_(False))
    assert Line.from_state(line.state).at() == line.at() == LineState(slope=0.5, gain=10.0)


def test_page_shows_a_value_between_two_positions():
    line = Line(slope=0.3)
    assert line.at() in [frame.state for frame in line.frames()]
    assert "slope 0.3" in line.html()
    swept = type("Swept", (Line,), {"swept": ({"slope": 3},)})(slope=0.3)
    assert [frame.state.slope for frame in swept.frames()] == [-2.0, 0.0, 0.3, 2.0]
    assert "0.3" in swept.html()


def test_missing_mark_raises_an_error(line, monkeypatch):
    stage = Line.stage

    def with_guess(self, figure):
        return stage(self, figure) | {"guess": figure.axes[0].plot([], [])[0]}

    monkeypatch.setattr(Line, "stage", with_guess)
    line.predict(1.0)
    with pytest.raises(NotImplementedError, match=r"Line\.mark: must return where"):
        line.render()


def test_each_state_is_computed_once(line, monkeypatch):
    line.live.refresh()
    computed, compute = [], Line.compute
    monkeypatch.setattr(Line, "compute", lambda self, state: computed.append(state.points) or compute(self, state))
    line.compare()
    assert sorted(computed) == [3, 3]
    for points in (4, 5, 6):
        line.set(points=points)
    assert computed[2:] == [4, 5, 6]


def test_cached_results_are_separate_for_each_object():
    class Kept:
        def __init__(self, factor):
            self.factor = factor

        @cached(2)
        def times(self, number):
            """Multiply."""
            return [self.factor * number]

    one, two = Kept(2), Kept(3)
    assert (one.times(5), two.times(5)) == ([10], [15])
    assert one.times(5) is one.times(5)
    first = one.times(1)
    one.times(2), one.times(3)
    assert one.times(1) is not first
    assert Kept.times.__doc__ == "Multiply."

    class More(Kept):
        @cached(2)
        def times(self, number):
            return [*super().times(number), number]

    assert More(2).times(5) == [10, 5]


@pytest.fixture
def browser(monkeypatch):
    """Make all events look like a browser's; yields a function that runs another one in a thread, like ipykernel."""
    monkeypatch.setattr("rsl_edu.explorers.bench.widget._from_browser", lambda: True)
    with ThreadPoolExecutor(1) as thread:
        yield lambda function, *given, **named: thread.submit(function, *given, **named).result()


def test_event_during_a_slow_drawing_is_not_lost(line, browser, monkeypatch):
    live, compute, drawing, goes_on = line.live, Line.compute, threading.Event(), threading.Event()

    def slow(self, state):
        drawing.set()
        assert goes_on.wait(60)
        return compute(self, state)

    monkeypatch.setattr(Line, "compute", slow)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(move, live, points=7)
        assert drawing.wait(60)
        second = threads.submit(move, live, style="bent")
        while live.asked[2] != 1:  # bent
            time.sleep(0.01)
        goes_on.set()
        first.result(60)
        second.result(60)
    assert line.at() == LineState(points=7, style="bent")
    assert [_at(live, name) for name in ("points", "style")] == [7, "bent"]


def test_error_in_a_browser_event_is_only_shown_below_the_picture(line, browser):
    live = line.live
    svg = live.svg
    browser(move, live, broken=True)
    assert live.error == "broken: this switch breaks the explorer"
    assert live.svg == svg
    browser(move, live, broken=False)
    assert live.error == ""


def test_next_positions_are_drawn_in_advance(line, browser, monkeypatch):
    sent, live = [], line.live
    monkeypatch.setattr(type(live), "send", lambda self, content, buffers=None: sent.append(content))

    async def step():
        move(live, points=4)
        while len(sent) < 2:
            await asyncio.sleep(0.01)

    browser(lambda: asyncio.run(step()))
    assert [message["frame"]["state"] for message in sent] == [Line(points=points).state for points in (5, 6)]
    assert all(message["epoch"] == live.epoch for message in sent)
    monkeypatch.setattr(Line, "compute", lambda self, state: pytest.fail("it has already been drawn"))
    before = dict(sent[0]["frame"])
    move(live, points=5)
    assert {name: getattr(live, name) for name in before} == before


def test_guess_and_comparison_invalidate_frames_drawn_in_advance(line):
    live = line.live
    epochs = [live.epoch]
    for change in (lambda: line.predict(1.0), line.compare, lambda: line.compare(False)):
        change()
        epochs.append(live.epoch)
    assert len(set(epochs)) == 4
    line.set(points=7)
    assert live.epoch == epochs[-1]


def test_only_changes_are_sent(line, monkeypatch):
    sent, live = [], line.live
    monkeypatch.setattr(
        type(live), "comm", SimpleNamespace(kernel=True, send=lambda data, buffers=None: sent.append(data))
    )
    line.set(slope=-1.0)
    names = {name for message in sent for name in message.get("state", {})}
    assert "moving0" in names
    assert not names & {"ground0", "spec", "spots", "pinned", "answers"}


def test_still_does_not_show_hidden_panels():
    drawing = Drawing(explorers.Features())
    hidden = [panel.name for panel in drawing.panels if panel.more]
    figure = drawing.finished(more=False)
    assert hidden
    assert all(axes.get_visible() != (axes.get_label() in hidden) for axes in figure.axes)
