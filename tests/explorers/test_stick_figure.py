"""Explorer *stick figure*: bodies are drawn where they were recorded, and the texts match what happened to them."""

import dataclasses
import math
import re

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex

from rsl_edu import data
from rsl_edu.explorers import StickFigure
from rsl_edu.explorers.bench.drawing import Drawing
from rsl_edu.explorers.bench.theme import RED
from rsl_edu.explorers.stick_figure import picture


def balance(observation):
    return (observation @ torch.tensor([[0.25], [3.5], [0.6], [0.8]])).clamp(-3, 3)


@pytest.fixture(scope="module")
def pendulums():
    return {
        "before": data.motion("InvertedPendulum-v5"),
        "after": data.motion("InvertedPendulum-v5", policy=balance),
    }


@pytest.fixture
def figure(pendulums):
    return StickFigure(pendulums)


def panel(drawn, label):
    return next(axes for axes in drawn.axes if axes.get_label() == label)


def number(words):
    return float(words.replace("−", "-").replace(",", "").strip("()°"))


def rods(axes):
    """Return the lines of the rods in a panel, in the order of the parts, without their rims."""
    return [line for line in axes.lines[2:] if to_hex(line.get_color()) != to_hex(axes.get_facecolor())]


def test_rods_are_drawn_where_they_were_recorded(figure, pendulums):
    axes = panel(figure.render(step=30), "robot 1")
    assert axes.get_title("left") == "after"
    cart = rods(axes)[1]
    ends = pendulums["after"].ends[30, 1].numpy()
    np.testing.assert_allclose(cart.get_xdata(), ends[:, 0], atol=0.011)  # the lines are 1 cm longer
    np.testing.assert_allclose(cart.get_ydata(), ends[:, 2], atol=1e-6)


def test_lines_are_as_thick_as_the_rods(figure):
    drawn = figure.render()
    drawn.canvas.draw()
    axes = panel(drawn, "robot 1")
    pixels = axes.transData.transform([(0, 0), (1, 0)])
    metre = (pixels[1] - pixels[0])[0] * 72 / drawn.dpi  # in points
    assert rods(axes)[1].get_linewidth() == pytest.approx(0.2 * metre, rel=0.02)


def test_fallen_robot_keeps_its_last_pose(figure, pendulums):
    steps = len(pendulums["before"].rewards)
    shown = figure.compute(figure.at(step=100)).poses["before"]
    assert shown.status == f"fell after {steps} steps"
    np.testing.assert_array_equal(shown.rods, pendulums["before"].ends[-1].numpy()[..., [0, 2]])
    axes = panel(figure.render(step=100), "robot 0")
    assert shown.status in {text.get_text() for text in axes.texts if text.get_color() == RED}
    assert re.search(
        f"Before: fell after {steps} steps, return {steps - 1}, pole at .* from upright; after: up, return 100, pole",
        repr(StickFigure(pendulums, step=100)),
    )


def test_return_is_the_cumulative_reward(figure, pendulums):
    earned = panel(figure.render(step=40), "return")
    curves = {line.get_label(): line for line in earned.lines}
    np.testing.assert_allclose(curves["after"].get_ydata(), np.arange(41))
    assert len(curves["before"].get_ydata()) == len(pendulums["before"].rewards) + 1


@pytest.mark.parametrize(("view", "axes"), [("side", [0, 2]), ("front", [1, 2]), ("above", [0, 1])])
def test_each_view_is_along_one_axis(view, axes):
    ant = data.motion("Ant-v5", steps=4)
    figure = StickFigure({"ant": ant})
    rods = figure.compute(figure.at(view=view, step=3)).poses["ant"].rods
    middle = ant.ends[3].mean((0, 1)).numpy() * [1, 1, 0]
    np.testing.assert_allclose(rods, (ant.ends[3].numpy() - middle)[..., axes], atol=1e-5)


def test_nearer_parts_cover_farther_ones():
    ant = data.motion("Ant-v5", steps=1)
    figure = StickFigure({"ant": ant})
    drawn = rods(panel(figure.render(view="above", step=0), "robot 0"))
    heights = ant.ends[0, :, :, 2].mean(1).numpy()
    layers = np.array([line.get_zorder() for line in drawn])
    assert (np.diff(layers[np.argsort(heights, kind="stable")]) > 0).all()


def test_camera_follows_the_robot_over_the_floor():
    away = torch.zeros(11, 1, 2, 3)
    away[:, 0, 1, 2] = 1.0  # a vertical post
    away[:, :, :, 0] = 0.5 * torch.arange(11.0)[:, None, None]  # moves by half a metre per step
    figure = StickFigure({"post": away})
    one, other = (figure.compute(figure.at(step=step)).poses["post"] for step in (0, 3))
    np.testing.assert_allclose(one.rods, other.rods)
    assert other.distance == pytest.approx(1.5)
    marks = [np.unique(pose.floor[~np.isnan(pose.floor[:, 0]), 0]) % 1 for pose in (one, other)]
    np.testing.assert_allclose(marks[0], 0)
    np.testing.assert_allclose(marks[1], 0.5)


def test_trail_shows_earlier_poses(figure, pendulums):
    trail = figure.compute(figure.at(step=30, trail=2)).poses["after"].trail
    first = pendulums["after"].ends[22, 1:].numpy()[..., [0, 2]]
    assert len(trail) == 2 * 2 * 3  # two poses of two moving parts
    np.testing.assert_allclose(trail.reshape(2, 2, 3, 2)[0, :, :2], first, atol=1e-6)
    assert not len(figure.compute(figure.at(step=30, trail=0)).poses["after"].trail)


def test_guess_is_drawn_at_its_step(figure):
    figure.predict(30)
    guess = next(line for line in panel(figure.render(), "return").lines if line.get_marker() == "X")
    assert guess.get_xydata().tolist() == [[30, 0]]


# The pole


def test_angle_of_the_pole_matches_the_observation(pendulums):
    seen = []

    def watched(observation):
        seen.append(observation[0, 1].item())
        return balance(observation)

    recorded = data.motion("InvertedPendulum-v5", policy=watched)
    figure = StickFigure({"balanced": recorded})
    shown = [math.radians(figure.compute(figure.at(step=step)).poses["balanced"].angle) for step in range(0, 200, 2)]
    np.testing.assert_allclose(shown, seen[::2], atol=0.0018)  # the rod is 1 mm off its joint


def test_pole_falls_beyond_the_limit_in_the_panel(figure, pendulums):
    axes = panel(figure.render(step=200), "angle")
    (limit,) = {round(abs(line.get_ydata()[0]), 6) for line in axes.lines if line.get_linestyle() == ":"}
    curve = next(line for line in axes.lines if line.get_label() == "before").get_ydata()
    assert abs(curve[-1]) > limit > abs(curve[:-1]).max()
    assert len(curve) == len(pendulums["before"].rewards) + 1
    fall = next(line for line in axes.lines if line.get_marker() == "v" and len(line.get_xdata()))
    assert fall.get_xydata().tolist() == [[len(curve) - 1, curve[-1]]]


def test_angle_is_written_at_the_tip_only_in_the_side_view(figure):
    shown = figure.compute(figure.at(step=30)).poses["after"]
    side, front = (panel(figure.render(step=30, view=view), "robot 1") for view in ("side", "front"))
    (tilt,) = (text for text in side.texts if text.get_text().endswith("°"))
    assert number(tilt.get_text()) == pytest.approx(shown.angle, abs=0.051)
    np.testing.assert_allclose(tilt.xy, shown.rods[2, 0])
    assert not [text for text in front.texts if text.get_text().endswith("°")]


def test_angle_of_a_pole_with_two_links_is_from_pivot_to_tip():
    recorded = data.motion("InvertedDoublePendulum-v5")
    figure = StickFigure({"two links": recorded})
    result = figure.compute(figure.at(step=3))
    ends = recorded.ends[3]
    across, _, up = (ends[3, 0] - ends[2, 1]).tolist()
    assert result.poses["two links"].angle == pytest.approx(math.degrees(math.atan2(across, up)), abs=1e-4)
    assert [spot.name for spot in figure.spots(result)] == ["cart", "link 1", "upper link", "return"]


def test_robot_without_a_pole_has_no_angle_panel():
    figure = StickFigure({"ant": data.motion("Ant-v5", steps=3)})
    assert [axes.get_label() for axes in figure.render().axes] == ["robot 0", "return"]
    assert figure.more == ()
    assert [grip.panel for grip in figure.grips(figure.compute(figure.at()))] == ["return"]
    assert "ant: forwards" in figure.numbers(figure.compute(figure.at()))


# Texts, spots and handles


def test_title_states_which_robot_fell_first_and_which_is_up(figure, pendulums):
    fall = len(pendulums["before"].rewards)
    titles = {step: figure.title(figure.compute(figure.at(step=step))) for step in (0, 2, 200)}
    assert titles == {
        0: "Both robots are upright at the start: press play to see for how long.",
        2: "Both robots are still up after 2 steps.",
        200: f"“before” fell after {fall} steps; “after” is still up.",
    }


@pytest.mark.parametrize("number", [1, 2, 3])
def test_texts_fit_with_long_names_in_all_states(pendulums, number):
    long = {f"a name of a robot that is long, {i}": pendulums["after" if i == 1 else "before"] for i in range(number)}
    figure = StickFigure(long)
    for state in [*figure.corners(), *figure.grid(20)]:
        result = figure.compute(state)
        title, over = figure.title(result), [pose.over for pose in result.poses.values()]
        assert 20 < len(title) <= 90
        assert ("fell" in title) == any(over)
        assert ("still up" in title) == (not all(over) and state.step > 0)
        assert len(figure.describe(result)) <= 420
        assert 3 <= len(figure.numbers(result)) <= 9


def test_return_is_precise_to_one():
    figure = StickFigure(step=136)
    assert "return 136" in figure.describe(figure.compute(figure.at()))
    assert figure.numbers(figure.compute(figure.at()))["linear feedback: return"] == "136"


def test_texts_do_not_claim_that_own_rods_are_up():
    figure = StickFigure({"mine": torch.randn(8, 2, 2, 3)})
    assert figure.title(figure.compute(figure.at(step=3))) == "“mine” at step 3 of 7."
    assert "up" not in figure.describe(figure.compute(figure.at()))


def test_playback_starts_at_the_first_step_and_reset_returns_to_it():
    figure = StickFigure()
    assert figure.at().step == figure.controls["step"].positions()[0] == 0
    assert figure.controls[figure.autoplay].play
    figure.set(step=200)
    assert (
        figure.title(figure.compute(figure.at())) == "“no control” fell after 24 steps; “linear feedback” is still up."
    )
    figure.reset()
    assert figure.at().step == 0


def test_numbers_of_a_rod_are_the_positions_of_its_ends(figure, pendulums):
    spots = {spot.name: spot for spot in figure.spots(figure.compute(figure.at(step=30)))}
    assert list(spots) == [f"{what} of “{name}”" for name in ("before", "after") for what in ("cart", "pole", "return")]
    cart, ends = spots["cart of “after”"], pendulums["after"].ends[30, 1, :, [0, 2]]
    found = [number(each) for each in re.findall(r"[−\d.]+", cart.numbers)]
    np.testing.assert_allclose(found, ends.flatten(), atol=0.0051)
    length = number(cart.arithmetic[0].split(" = ")[-1].removesuffix(" m"))
    assert length == pytest.approx((ends[1] - ends[0]).norm().item(), abs=6e-4)


def test_arithmetic_of_angle_and_return_is_correct(figure, pendulums):
    spots = {spot.name: spot for spot in figure.spots(figure.compute(figure.at(step=30)))}
    across, up, angle = re.search(r"atan2\((.+), (.+)\) = (.+)", spots["pole of “after”"].arithmetic[-1]).groups()
    assert math.degrees(math.atan2(number(across), number(up))) == pytest.approx(number(angle), abs=0.12)
    assert spots["pole of “after”"].numbers.startswith(f"{angle} from upright")
    early = {spot.name: spot for spot in figure.spots(figure.compute(figure.at(step=4)))}
    terms, total = re.search(r"rewards = (.+) = (.+)", early["return of “after”"].arithmetic[0]).groups()
    assert sum(map(number, terms.split(" + "))) == number(total) == pendulums["after"].rewards[:4].sum()
    assert spots["return of “before”"].arithmetic[0].endswith(f"= {len(pendulums['before'].rewards) - 1}")


def test_marks_of_a_part_are_where_it_is_drawn(figure):
    result = figure.compute(figure.at(step=30))
    axes = panel(figure.render(step=30), "robot 1")
    (pole,) = (spot for spot in figure.spots(result) if spot.name == "pole of “after”")
    marked = [(mark.x, mark.y) for mark in pole.marks if mark.panel == "robot 1"]
    np.testing.assert_allclose(marked[::2], rods(axes)[2].get_xydata(), atol=0.011)


def test_number_of_spots_is_limited():
    ant = data.motion("Ant-v5", steps=2)
    figure = StickFigure({"one": ant, "two": ant, "three": ant})
    assert len(figure.spots(figure.compute(figure.at()))) <= 30


def test_time_cursor_is_at_the_step_in_both_panels(figure):
    drawing = Drawing(figure)
    for controls, place, along, points in drawing.frame(figure.at(step=30)).grips:
        axes = panel(drawing.figure, drawing.panels[place].name)
        x = axes.transData.transform((30, 0))[0] * 72 / drawing.figure.dpi
        assert (controls, along) == (("step",), "x")
        assert points[(30,)][0] == pytest.approx(x, abs=0.06)


# A learner's own rods


LONG = "a very long name of a robot that I recorded myself on Monday"


@pytest.fixture
def own():
    rods = torch.zeros(40, 2, 2, 3)
    rods[..., 1, 2] = 1.0
    rods[..., 0] += 0.03 * torch.arange(40.0)[:, None, None]
    rods[:, 1, 1, 1] = 0.5
    return rods


def test_texts_claim_nothing_unknown_about_own_rods(own):
    figure = StickFigure({LONG: own, "the second": own})
    result = figure.compute(figure.at(step=39))
    said = str([figure.title(result), figure.describe(result), figure.numbers(result), figure.spots(result)])
    assert not re.search(r"return|reward|\d s\b|fell|fallen", said)
    assert figure.numbers(result) == {
        "step": "39",
        f"{LONG}: forwards": "1.17 m",
        "the second: forwards": "1.17 m",
    }
    axes = panel(figure.render(step=39), "forwards")
    assert axes.get_ylabel() == "metres"
    curves = {line.get_label(): line for line in axes.lines}
    np.testing.assert_allclose(curves["the second"].get_ydata(), 0.03 * np.arange(40), atol=1e-5)
    assert [grip.panel for grip in figure.grips(result)] == ["forwards"]


def test_axis_of_rods_that_do_not_move_has_a_minimum_range(own):
    axes = panel(StickFigure({"still": own - own[..., :1]}).render(), "forwards")
    assert axes.get_ylim()[1] > 0.1


def test_limit_is_not_drawn_if_the_pole_stays_far_from_it(pendulums):
    axes = panel(StickFigure({"after": pendulums["after"]}).render(step=200), "angle")
    assert axes.get_ylim()[1] < 11
    assert not [line for line in axes.lines if line.get_linestyle() == ":"]


def test_axis_of_a_zero_return_has_a_minimum_range(pendulums):
    nothing = dataclasses.replace(pendulums["after"], rewards=torch.zeros(200))
    assert panel(StickFigure({"nothing": nothing}).render(), "return").get_ylim()[1] > 1


def test_recorded_robot_next_to_own_rods_has_a_return_but_no_time(own, pendulums):
    figure = StickFigure({"mine": own, "after": pendulums["after"]})
    result = figure.compute(figure.at(step=30))
    assert "Step 30, seen" in figure.describe(result)
    assert figure.numbers(result)["after: return"] == "30"
    assert "mine: return" not in figure.numbers(result)
    assert [
        line.get_label() for line in panel(figure.render(step=30), "return").lines if len(line.get_xdata()) > 9
    ] == ["after"]


def test_time_is_shown_only_if_all_robots_have_the_same_time_step(pendulums):
    slower = dataclasses.replace(pendulums["after"], dt=0.1)
    figure = StickFigure({"one": pendulums["after"], "slower": slower})
    assert "time" not in figure.numbers(figure.compute(figure.at(step=30)))
    equal = StickFigure(pendulums)
    assert equal.numbers(equal.compute(equal.at(step=50)))["time"] == "2 s"


@pytest.mark.parametrize("view", ["side", "front", "above"])
def test_name_status_and_drawing_do_not_overlap(own, pendulums, view):
    for motions in ({LONG: own, f"{LONG} again": own}, {LONG: pendulums["before"], "after": pendulums["after"]}):
        figure = StickFigure(motions)
        drawing = Drawing(figure)
        for step in (0, 12, figure.controls["step"].positions()[-1]):
            drawing.frame(figure.at(step=step, view=view))
            renderer = drawing.figure.canvas.get_renderer()
            for place in range(2):
                axes = panel(drawing.figure, f"robot {place}")
                box = axes.get_window_extent(renderer)
                (status,) = (text for text in axes.texts if re.search("step|up", text.get_text()))
                name, words = (text.get_window_extent(renderer) for text in (axes._left_title, status))
                assert name.x1 + 0.1 * name.width < words.x0
                assert min(name.y0, words.y0) >= box.y1  # the drawing is clipped to the axes
                assert max(name.x1, words.x1) <= box.x1 + 1
                assert all(line.get_clip_on() for line in axes.lines)
                (x0, x1), (y0, y1) = axes.get_xlim(), axes.get_ylim()
                assert (x1 - x0) / box.width == pytest.approx((y1 - y0) / box.height, rel=0.01)


def test_shortened_names_stay_distinct(own):
    names = [f"pendulum with {kind} feedback of mine" for kind in ("linear", "no", "quadratic")]
    figure = StickFigure(dict.fromkeys(names, own))
    titles = [axes.get_title("left") for axes in figure.render().axes[:3]]
    assert len(set(titles)) == 3
    assert max(map(len, titles)) <= 22
    result = figure.compute(figure.at())
    assert all(f"{title}: step" in f"; {figure.describe(result)}" for title in titles)
    assert picture.short_names(["a", "b"]) == {"a": "a", "b": "b"}


def test_texts_use_true_minus_signs_and_one_step_is_singular(pendulums):
    bad = dataclasses.replace(pendulums["before"], rewards=-pendulums["before"].rewards - 0.5)
    one = dataclasses.replace(bad, ends=bad.ends[:2], rewards=bad.rewards[:1])
    for figure in (StickFigure({"bad": bad, "after": pendulums["after"]}), StickFigure({"bad": one})):
        for step in figure.controls["step"].positions()[:40]:
            result = figure.compute(figure.at(step=step))
            said = [figure.title(result), figure.describe(result), *figure.numbers(result).values()]
            said += [words for spot in figure.spots(result) for words in (spot.numbers, *spot.arithmetic)]
            said += [pose.status for pose in result.poses.values()]
            assert not re.search(r"-\d|(?<![\d.])1 steps", " ".join(said))
    asked = StickFigure({"before": pendulums["before"], "after": pendulums["after"]}).questions
    assert not re.search(r"-\d", str([question.choices for question in asked]))


def test_caption_counts_the_drawn_earlier_poses(figure):
    said = {step: figure.describe(figure.compute(figure.at(step=step, trail=2))) for step in (0, 4, 10, 100)}
    assert "earlier" not in said[0]
    assert "seen from the side, with one earlier pose. " in said[4]
    assert "with 2 earlier poses. " in said[10]
    assert "with 2 earlier poses. " in said[100]


# The questions


def test_answers_of_the_questions_match_the_recordings(figure, pendulums):
    when, earned, reward = figure.questions
    before, after = pendulums["before"], pendulums["after"]
    assert int(when.answer) == len(before.rewards)
    assert figure.compute(figure.at(**when.show)).poses["before"].over
    assert float(earned.answer) == after.rewards.sum()
    assert float(reward.answer) == before.rewards[-1]


def test_there_are_no_questions_if_no_robot_falls(pendulums):
    assert StickFigure({"after": pendulums["after"]}).questions == ()


@pytest.mark.parametrize(
    ("motions", "error", "message"),
    [
        ([], TypeError, "motions: expected a dictionary of motions by name, got list"),
        ({1: torch.zeros(3, 1, 2, 3)}, TypeError, "motions: expected strings as names, such as 'before', got 1"),
        ({}, ValueError, "motions: expected one to 3, got 0"),
        ({"a": torch.zeros(3, 2, 3)}, ValueError, r"motions: expected shape \[steps \+ 1, parts, 2, 3\]"),
        ({"a": torch.full((3, 1, 2, 3), torch.nan)}, ValueError, "motions: expected finite values"),
        ({"a": "much"}, TypeError, "motions: expected a tensor or an array"),
    ],
)
def test_bad_motions_raise_an_error(motions, error, message):
    with pytest.raises(error, match=message):
        StickFigure(motions)
