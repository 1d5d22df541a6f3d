"""Explorer *stick figure*: bodies stand where they were recorded, and words tell what became of them."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from rsl_edu.explorers.bench.figure import RED

from rsl_edu import data
from rsl_edu.explorers import StickFigure


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


def rods(axes):
    """The rods of a panel: what has a thick line over a rim, in the order of the parts."""
    return [line for line in axes.lines[2:] if to_hex(line.get_color()) != to_hex(axes.get_facecolor())]


def test_rods_stand_where_they_were(figure, pendulums):
    axes = figure.render(step=30).axes[2]  # the first axes hold the returns
    assert axes.get_title("left") == "after"
    cart = rods(axes)[1]
    ends = pendulums["after"].ends[30, 1].numpy()
    np.testing.assert_allclose(cart.get_xdata(), ends[:, 0], atol=0.011)  # a ball would have no length
    np.testing.assert_allclose(cart.get_ydata(), ends[:, 2], atol=1e-6)


def test_lines_are_as_thick_as_rods_are(figure):
    drawn = figure.render()
    drawn.canvas.draw()
    axes = drawn.axes[2]
    pixels = axes.transData.transform([(0, 0), (1, 0)])
    metre = (pixels[1] - pixels[0])[0] * 72 / drawn.dpi  # in points
    assert rods(axes)[1].get_linewidth() == pytest.approx(0.2 * metre, rel=0.02)


def test_robot_that_fell_stays_as_it_fell_and_the_panel_says_so(figure, pendulums):
    steps = len(pendulums["before"].rewards)
    shown = figure.compute(figure.at(step=100)).poses["before"]
    assert shown.status == f"fell after {steps} steps"
    np.testing.assert_array_equal(shown.rods, pendulums["before"].ends[-1].numpy()[..., [0, 2]])
    axes = figure.render(step=100).axes[1]
    assert axes.texts[0].get_text() == shown.status
    assert axes.texts[0].get_color() == RED
    assert f"Before: fell after {steps} steps, return {steps - 1}; after: up, return 100." in repr(
        StickFigure(pendulums, step=100)
    )


def test_returns_grow_as_they_were_earned(figure, pendulums):
    earned = figure.render(step=40).axes[0]
    curves = {line.get_label(): line for line in earned.lines}
    np.testing.assert_allclose(curves["after"].get_ydata(), np.arange(41))
    assert len(curves["before"].get_ydata()) == len(pendulums["before"].rewards) + 1


@pytest.mark.parametrize(("view", "axes"), [("side", [0, 2]), ("front", [1, 2]), ("above", [0, 1])])
def test_view_looks_along_one_axis(view, axes):
    ant = data.motion("Ant-v5", steps=4)
    figure = StickFigure({"ant": ant})
    rods = figure.compute(figure.at(view=view, step=3)).poses["ant"].rods
    middle = ant.ends[3].mean((0, 1)).numpy() * [1, 1, 0]
    np.testing.assert_allclose(rods, (ant.ends[3].numpy() - middle)[..., axes], atol=1e-5)


def test_nearer_parts_lie_over_farther_ones():
    ant = data.motion("Ant-v5", steps=1)
    figure = StickFigure({"ant": ant})
    drawn = rods(figure.render(view="above").axes[1])
    heights = ant.ends[0, :, :, 2].mean(1).numpy()
    layers = np.array([line.get_zorder() for line in drawn])
    assert (np.diff(layers[np.argsort(heights, kind="stable")]) > 0).all()


def test_camera_goes_with_the_robot_and_the_floor_passes_by():
    away = torch.zeros(11, 1, 2, 3)
    away[:, 0, 1, 2] = 1.0  # a post
    away[:, :, :, 0] = 0.5 * torch.arange(11.0)[:, None, None]  # that travels half a metre a step
    figure = StickFigure({"post": away})
    one, other = (figure.compute(figure.at(step=step)).poses["post"] for step in (0, 3))
    np.testing.assert_allclose(one.rods, other.rods)
    assert other.distance == pytest.approx(1.5)
    marks = [np.unique(pose.floor[~np.isnan(pose.floor[:, 0]), 0]) % 1 for pose in (one, other)]
    np.testing.assert_allclose(marks[0], 0)
    np.testing.assert_allclose(marks[1], 0.5)


def test_trail_shows_the_poses_before(figure, pendulums):
    trail = figure.compute(figure.at(step=30, trail=2)).poses["after"].trail
    first = pendulums["after"].ends[22, 1:].numpy()[..., [0, 2]]
    assert len(trail) == 2 * 2 * 3  # two poses of two moving parts
    np.testing.assert_allclose(trail.reshape(2, 2, 3, 2)[0, :, :2], first, atol=1e-6)
    assert not len(figure.compute(figure.at(step=30, trail=0)).poses["after"].trail)


def test_guess_is_drawn_at_its_step(figure):
    figure.predict(30)
    guess = next(line for line in figure.render().axes[0].lines if line.get_label() == "your guess")
    assert guess.get_xydata().tolist() == [[30, 0]]


@pytest.mark.parametrize(
    ("motions", "error", "message"),
    [
        ([], TypeError, "motions: expected motions by their names, got list"),
        ({}, ValueError, "motions: expected one to 3, got 0"),
        ({"a": torch.zeros(3, 2, 3)}, ValueError, r"motions: expected shape \[steps \+ 1, parts, 2, 3\]"),
        ({"a": torch.full((3, 1, 2, 3), torch.nan)}, ValueError, "motions: expected finite values"),
        ({"a": "much"}, TypeError, "motions: expected a tensor or an array"),
    ],
)
def test_bad_motions_are_named(motions, error, message):
    with pytest.raises(error, match=message):
        StickFigure(motions)
