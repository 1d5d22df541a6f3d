"""The picture of the explorer *memory*: ``stage`` lays out its panels, ``draw`` updates them to a result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rsl_edu.number_format import large

from ..bench.theme import BLUE, FAINT, GREY, ORANGE, PINK, RED
from ..bench.touch import Grip, grip

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .state import MemoryResult

FELT = 0.01
"""An input has an effect, by definition, if its gradient is at least this share of the largest gradient."""
DECADES = 6
"""Number of decades on the gradient axis and in the gradient map."""


def stage(figure: Figure, dones: np.ndarray, batch: np.ma.MaskedArray[Any, Any], feature: str) -> dict[str, Any]:
    """Lay out resets, units and distance over time. Below are the gradient, the gradient map and the padded batch.

    Args:
        figure: An empty figure.
        dones: True where an episode ended, ``[time, envs]``.
        batch: One feature of the padded batch, ``[trajectories, time]``, with the padding masked.
        feature: Name of this feature.
    """
    time, envs = dones.shape
    grid = figure.add_gridspec(2, 1, height_ratios=(1.5, 1))
    upper, lower = grid[0].subgridspec(2, 2, width_ratios=(1.15, 1)), grid[1].subgridspec(1, 3)
    places = {"resets": upper[0, 0], "distance": upper[:, 1], "units": upper[1, 0]}
    places |= {"gradient": lower[0], "gradients": lower[1], "batch": lower[2]}
    axes = {label: figure.add_subplot(place, label=label) for label, place in places.items()}
    for label in ("resets", "units", "distance", "gradient"):
        axes[label].set(xlim=(-0.5, time - 0.5), xlabel="time step")
        axes[label].locator_params("x", integer=True, min_n_ticks=1)
    for label in ("resets", "gradients", "batch"):
        axes[label].locator_params(integer=True, min_n_ticks=1)
    axes["resets"].set(ylim=(envs - 0.4, -0.6), ylabel="robot", title="resets of all robots")
    axes["units"].set(ylim=(1, 0), yticks=[], ylabel="unit", title="hidden units")
    axes["distance"].set_yscale("symlog", linthresh=1e-6, linscale=0.5)
    axes["distance"].set(
        yticks=(0, 1e-4, 1e-2, 1), ylabel="rms over all units", xlabel="time step (lines: episode ends)"
    )
    axes["distance"].set_title("distance from the correct state")
    axes["gradient"].set(
        yscale="log", xlabel="time step (▴ gradient cut)", ylabel="‖∂y/∂x‖", title="gradient of the current output"
    )
    axes["gradients"].set(xlim=(-0.5, time - 0.5), ylim=(time - 0.5, -0.5), title="gradient of every output")
    axes["gradients"].set(xlabel="time step of the input x", ylabel="time step of the output y")
    axes["batch"].set(facecolor=FAINT, xlabel="step (grey: padding)", ylabel="trajectory")
    axes["batch"].set_title(f"padded batch: {feature}")
    artists: dict[str, Any] = {"axes": axes}
    _stage_images(artists, figure, axes, batch, time)
    _stage_curves(artists, axes)
    _stage_marks(artists, axes)
    return artists


def _stage_images(
    artists: dict[str, Any], figure: Figure, axes: dict[str, Any], batch: np.ma.MaskedArray[Any, Any], time: int
) -> None:
    units, gradients = axes["units"], axes["gradients"]
    shown: dict[str, Any] = {"aspect": "auto", "interpolation": "nearest"}
    over_time = (-0.5, time - 0.5, 1, 0)
    artists["units"] = units.imshow(np.zeros((1, 1)), cmap="RdBu_r", vmin=-1, vmax=1, extent=over_time, **shown)
    # Labels that depend on the controls are moving artists, so that the background stays the same.
    look: dict[str, Any] = {"size": 9, "transform": units.transAxes, "ha": "right", "va": "bottom", "in_layout": False}
    artists["units note"] = units.text(1, 1.03, "", **look)
    artists["gradients note"] = gradients.text(0.97, 0.9, "", **look | {"transform": gradients.transAxes})
    whole = (-0.5, time - 0.5, time - 0.5, -0.5)
    limits: dict[str, Any] = {"norm": "log", "vmin": 10.0**-DECADES, "vmax": 1}
    artists["gradients"] = gradients.imshow(np.ones((1, 1)), cmap="viridis", extent=whole, **limits, **shown)
    low, high = np.percentile(batch.compressed(), (2, 98))
    axes["batch"].imshow(batch, cmap="viridis", vmin=low, vmax=max(high, low + 1e-6), **shown)
    scale = figure.colorbar(artists["units"], cax=units.inset_axes((1.015, 0, 0.02, 1)))
    scale.set_ticks((-1, 0, 1), labels=("−", "0", "+"))
    figure.colorbar(artists["gradients"], cax=gradients.inset_axes((1.025, 0, 0.035, 1))).minorticks_off()


def _stage_curves(artists: dict[str, Any], axes: dict[str, Any]) -> None:
    resets, distance, gradient = axes["resets"], axes["distance"], axes["gradient"]
    (artists["distance"],) = distance.plot([], [], color=BLUE, linewidth=2)
    (artists["guess"],) = distance.plot([], [], "X", color=ORANGE, markersize=10, zorder=4)
    (artists["gradient"],) = gradient.plot([], [], ".-", color=BLUE, linewidth=2, label="this episode")
    (artists["leak"],) = gradient.plot([], [], color=RED, linewidth=2, linestyle="--", label="earlier")
    artists["marks"] = {  # curves in nested dictionaries are not copied as ghosts
        "row": resets.plot([], [], color=FAINT, linewidth=6, zorder=0)[0],
        "right": resets.plot([], [], "|", color=GREY, markersize=7, label="right")[0],
        "wrong": resets.plot([], [], "x", color=RED, markersize=4, label="too early")[0],
        "missed": resets.plot([], [], "o", color=BLUE, markersize=5, fillstyle="none", label="missed")[0],
    }
    narrow: dict[str, Any] = {"columnspacing": 0.9, "handlelength": 1.2, "handletextpad": 0.3, "borderaxespad": 0}
    resets.legend(loc="lower right", bbox_to_anchor=(1.02, 1.0), ncols=3, **narrow)
    gradient.legend(loc="upper left", **narrow)


def _stage_marks(artists: dict[str, Any], axes: dict[str, Any]) -> None:
    marks, gradient, batch = artists["marks"], axes["gradient"], axes["batch"]
    thin: dict[str, Any] = {"color": GREY, "linewidth": 1, "zorder": 1.5}
    marks["ends"] = [
        axes[name].plot([], [], transform=axes[name].get_xaxis_transform(), **thin)[0]
        for name in ("units", "distance", "gradient")
    ]
    cursor: dict[str, Any] = {"color": PINK, "linewidth": 1.5}
    marks["now"] = [axes[name].axvline(0, **cursor) for name in ("resets", "units", "distance", "gradient")]
    marks["output"] = axes["gradients"].axhline(0, **cursor)
    (marks["felt"],) = gradient.plot([], [], "o:", color=GREY, markersize=4, linewidth=1)
    low = gradient.get_xaxis_transform()
    (marks["cuts"],) = gradient.plot([], [], "^", color=GREY, markersize=5, transform=low)
    (marks["box"],) = batch.plot([], [], clip_on=False, **cursor)
    (marks["dot"],) = batch.plot([], [], "o", color=PINK, markersize=6, clip_on=False)


def draw(artists: dict[str, Any], result: MemoryResult) -> None:
    """Update the images, the curves, the marks and the lines at the current step to show a result."""
    state, marks, axes = result.state, artists["marks"], artists["axes"]
    size, time = result.hidden.shape
    most = next(limit for limit in (0.1, 0.25, 0.5, 1) if np.abs(result.hidden).max() <= limit)
    artists["units note"].set_text(f"layer {state.layer}, {size} units, −{most} to {most}")
    artists["units"].set_data(result.hidden / most)
    steps = np.arange(time)
    artists["distance"].set_data(steps, result.distance)
    axes["distance"].set_ylim(-2e-7, decade(result.distance.max()))

    row = np.where(result.gradients[state.time] > 0, result.gradients[state.time], np.nan)
    top = decade(result.gradients.max())
    axes["gradient"].set_ylim(top * 10.0**-DECADES, top)
    artists["gradients"].set_data(np.ma.masked_equal(result.gradients, 0) / top)
    artists["gradients note"].set_text("" if top == 1 else f"times {large(top)}")
    here = slice(result.born, state.time + 1)
    artists["gradient"].set_data(steps[here], row[here])
    artists["leak"].set_data(steps[: result.born + 1], row[: result.born + 1])
    level = felt_level(result)
    felt = ([], []) if result.reach is None else ([state.time - result.reach, state.time], [level, level])
    marks["felt"].set_data(*felt)
    marks["cuts"].set_data(result.cuts + 0.5, np.full(len(result.cuts), 0.04))
    _draw_marks(marks, result, time)


def _draw_marks(marks: dict[str, Any], result: MemoryResult, time: int) -> None:
    state = result.state
    marks["row"].set_data([-0.5, time - 0.5], [state.env, state.env])
    for name, places in result.forgotten.items():
        marks[name].set_data(places[:, 0] + 0.5, places[:, 1])
    for line in marks["ends"]:
        line.set_data(np.repeat(result.ends + 0.5, 3), np.tile([0, 1, np.nan], len(result.ends)))
    for line in marks["now"]:
        line.set_xdata([state.time, state.time])
    marks["output"].set_ydata([state.time, state.time])
    begin, present, end = result.trajectories
    marks["box"].set_data([-0.5, time - 0.5, time - 0.5, -0.5, -0.5], np.array([begin, begin, end, end, begin]) - 0.5)
    marks["dot"].set_data([state.time - result.born], [present])


def grips(result: MemoryResult, envs: int) -> list[Grip]:
    """Return a handle for the time step in every panel with a time axis, and a handle for the robot at its row."""
    time = result.hidden.shape[1]
    heights = {"resets": envs, "units": 1.0, "distance": -1.0, "gradient": 0.0}  # lower edge
    cursors = [grip("time", name, {t: (t, y) for t in range(time)}, along="x") for name, y in heights.items()]
    robot = grip("env", "resets", {env: (-0.5, env) for env in range(envs)}, along="y")
    return [*cursors, robot] if envs > 1 else cursors


def felt_level(result: MemoryResult) -> float:
    """Return the gradient above which an input counts as having an effect."""
    return FELT * float(np.max(result.gradients[result.state.time], initial=0))


def decade(value: float) -> float:
    """Return the next power of ten above a value. The result is at least 1."""
    return float(10.0 ** max(0, np.ceil(np.log10(max(value, 1e-9)))))
