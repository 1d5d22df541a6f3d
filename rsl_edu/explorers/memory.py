"""Explorer *memory*: what a recurrent network carries along, when it forgets, and how far back its gradient reaches."""

from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rsl_edu.data import rollout
from rsl_edu.data.learner_input import episode_ends, finite_tensor
from rsl_edu.diagnosis.recurrent_memory import CarriedMemory, cuts, resets, usable_rnn
from rsl_edu.modules import RNN, EmpiricalNormalization, split_and_pad_trajectories
from rsl_edu.number_format import short, small

from .bench.controls import Control, control
from .bench.explorer import Explorer
from .bench.instrument import Draw, cached
from .bench.theme import BLUE, FAINT, GREY, ORANGE, PINK, RED
from .recurrent_steps import carried_memory, gradients_through_time

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEPS, ENVS = 128, 16
"""What is shown of a larger rollout: its first steps and its first environments."""
FELT = 0.01
"""An input counts as felt if its gradient is above this share of the largest."""
DECADES = 6
"""Powers of ten that the gradient's axis and its map span."""


@dataclasses.dataclass(frozen=True)
class MemoryState:
    """State of :class:`Memory`."""

    time: int = control(90, "time step", "The present: where the cursor is.", range=(0, 127, 1), play=True)
    env: int = control(14, "environment", "Which of the parallel robots is shown.", range=(0, 15, 1))
    reset: str = control(
        "right",
        "reset",
        "Whose memory is set to zero after a step; all but the first are mistakes that people shipped.",
        choices={
            "dones as a mask: right": "right",
            "never (IsaacLab #3837)": "never",
            "dones as an integer index (rsl_rl #50)": "index",
            "all robots when any is done": "all",
        },
    )
    detach: int = control(
        0,
        "detach every",
        "Cuts the memory off from the steps that made it; 0: never.",
        unit="steps",
        steps=(0, 1, 2, 4, 8, 16, 32, 64),
    )
    type: str = control("gru", "type", "The recurrent cell.", choices={"GRU": "gru", "LSTM": "lstm"})
    hidden: int = control(16, "hidden size", "Units of a layer.", unit="units", steps=(8, 16, 32, 64))
    layer: int = control(1, "layer", "Which layer's units are shown.", range=(1, 2, 1))
    seed: int = control(0, "seed", "Seed of the weights, as before the first update.", range=(0, 9, 1))


@dataclasses.dataclass(frozen=True)
class MemoryResult:
    """What the picture shows."""

    state: MemoryState
    cell: str
    ends: np.ndarray  # [ends], steps after which an episode of this environment ended
    born: int  # first step of the present episode
    hidden: np.ndarray  # [hidden, time]
    distance: np.ndarray  # [time]
    gradients: np.ndarray  # [time of the output, time of the input]
    reach: int | None  # steps back to the last input that is felt; None if none is
    cuts: np.ndarray  # [cuts], steps after which the gradient is cut
    forgotten: dict[str, np.ndarray]  # (step, environment) of resets that are right, wrong (still running), missed
    trajectories: tuple[int, int, int]  # rows in the padded batch: the first of this robot, the present one, the next's
    padding: float  # share of the batch


class Memory(Explorer[MemoryState, MemoryResult]):
    """Memory of a recurrent network in parallel robots whose episodes end, with its mistakes, over time.

    The memory runs in the rollout mode of :class:`.RNN`; gradients are those of its batched mode, of a random linear
    head on the last layer, ``y = w · h``, as an action or a value has one.

    Args:
        observations: A rollout ``[time, envs, features]``; None takes a robot's: the positions of ``Ant-v5``, whose
            velocities are masked, so that only a memory can tell them. Its first 128 steps of 16 robots are used.
        dones: 1 or True where an episode ended with this step, ``[time, envs]``; with observations of one's own.
        network: A network of one's own, which sees the observations as they are; without one, they are normalized, and
            the network has two layers of untrained weights.
        state: Values of the controls other than the defaults.

    Raises:
        TypeError, ValueError: An argument that does not fit; the message names it.
    """

    State = MemoryState
    lesson = 3
    shows = "what a GRU or an LSTM remembers, forgets, and learns from"
    breaks = "no reset, `dones` as an index, resets of everybody, detaching"
    size = (9.0, 6.4)
    swept = (
        {"reset": ..., "env": (0, 1, 14), "time": (10, 24, 40, 56, 72, 85, 95, 104, 107, 112, 120, 127)},
        {"detach": (0, 1, 8, 32), "time": (10, 24, 40, 56, 72, 85, 95, 104, 107, 112, 120, 127)},
        {"type": ..., "time": (10, 24, 40, 56, 72, 85, 95, 104, 107, 112, 120, 127)},
    )
    question = Control(
        "reach",
        "How many steps back the gradient stays above 1 % of its largest.",
        "steps",
        range=(0, STEPS - 1, 1),
    )

    def __init__(
        self,
        observations: torch.Tensor | None = None,
        dones: torch.Tensor | None = None,
        network: RNN | None = None,
        **state: Any,
    ) -> None:
        self._feature = "first feature"
        if observations is None:
            if dones is not None:
                raise ValueError("dones: expected observations with them, got none")
            robot = rollout("Ant-v5", steps=STEPS, envs=ENVS)
            positions = [i for i, name in enumerate(robot.names) if name.startswith("qpos")]
            observations, dones, self._feature = robot.observations[..., positions], robot.dones, "torso height"
        observations = finite_tensor("observations", observations, "[time, envs, features]")
        x = observations[:STEPS, :ENVS].float()
        self.dones = episode_ends("dones", dones, observations.shape[:2])[:STEPS, :ENVS]  # [time, envs]
        self._given = None if network is None else usable_rnn(network, x.shape[2])
        if network is None:
            normalization = EmpiricalNormalization(x.shape[2])
            normalization.update(x.flatten(0, 1))
            x = normalization(x)
        self.observations = x  # [time, envs, features], as the network sees them
        batch, self._mask = split_and_pad_trajectories(x[..., 0], self.dones)  # [time, trajectories]
        self._batch = np.ma.masked_array(batch.T.numpy(), ~self._mask.T.numpy())
        time, envs = self.dones.shape
        layers, fixed = 2, {}
        if self._given is not None:  # its type and size are no choice
            layers, fixed = self._given.rnn.num_layers, {"type": "", "hidden": self._given.rnn.hidden_size, "seed": 0}
        env = int(self.dones.sum(0).argmax())
        ends = self.dones[:-1, env].nonzero().flatten().tolist()
        defaults = {"env": env, "time": min(time - 1, ends[-1] + 10) if ends else time - 1}  # soon after an end
        ranges = {"env": (0, envs - 1, 1), "layer": (1, layers, 1), "time": (0, time - 1, 1)}
        super().__init__(ranges=ranges, fixed=fixed, defaults=defaults, **state)

    def compute(self, state: MemoryState) -> MemoryResult:
        """Run memory and gradient at all times, if that was not done yet, and pick what ``state`` asks for."""
        key = (state.type, state.hidden, state.seed, state.reset)
        carried, gradients = self._carried(*key), self._gradients(*key, state.env, state.detach)
        reset, dones = resets(self.dones, state.reset), self.dones
        ends = dones[:, state.env].nonzero().flatten().numpy()
        before = int((ends < state.time).sum())  # episodes
        # The batch lists trajectories environment by environment.
        begin = int(dones[:-1, : state.env].sum()) + state.env
        row = gradients[state.time]
        felt = np.flatnonzero(row >= FELT * row.max())
        return MemoryResult(
            state=state,
            cell=self._cell(state.type),
            ends=ends,
            born=int(ends[before - 1]) + 1 if before else 0,
            hidden=carried.hidden[:, state.layer - 1, state.env].T.numpy(),
            distance=carried.distance[:, state.env].numpy(),
            gradients=gradients,
            reach=state.time - int(felt[0]) if row.max() > 0 else None,
            cuts=cuts(dones, state.reset, state.env, state.detach).nonzero().flatten().numpy(),
            forgotten={
                "right": (reset & dones).nonzero().numpy(),
                "wrong": (reset & ~dones).nonzero().numpy(),
                "missed": (dones & ~reset).nonzero().numpy(),
            },
            trajectories=(begin, begin + before, begin + 1 + int(dones[:-1, state.env].sum())),
            padding=float(1 - self._mask.float().mean()),
        )

    def _cell(self, type: str) -> str:
        return type.upper() if self._given is None else self._given.rnn.__class__.__name__

    def _network(self, type: str, hidden: int, seed: int) -> RNN:
        with torch.inference_mode(False), torch.random.fork_rng(devices=[]):
            if self._given is not None:
                return copy.deepcopy(self._given)  # its memory is changed: each thread needs its own
            torch.default_generator.manual_seed(seed)  # torch.manual_seed also reseeds the learner's GPU
            return RNN(self.observations.shape[2], hidden, num_layers=2, type=type).requires_grad_(False)

    @cached(4)
    def _carried(self, type: str, hidden: int, seed: int, how: str) -> CarriedMemory:
        return carried_memory(self._network(type, hidden, seed), self.observations, self.dones, how)

    @cached(64)
    @torch.inference_mode(False)
    def _gradients(self, type: str, hidden: int, seed: int, how: str, env: int, detach: int) -> np.ndarray:
        network, carried = self._network(type, hidden, seed), self._carried(type, hidden, seed, how)
        head = torch.randn(network.rnn.hidden_size, generator=torch.Generator().manual_seed(seed))
        cut = cuts(self.dones, how, env, detach)
        return gradients_through_time(network, self.observations[:, env], carried.begins[:, :, :, env], cut, head)

    def stage(self, figure: Figure) -> dict[str, Any]:
        """Lay out four panels over time, the padded batch, and the gradients of all outputs."""
        time, envs = self.dones.shape
        grid = figure.add_gridspec(1, 2, width_ratios=(1.5, 1))
        left, right = grid[0].subgridspec(4, 1, height_ratios=(1.15, 1, 1, 1.15)), grid[1].subgridspec(2, 1)
        units, robots, distance, gradient = (figure.add_subplot(left[i]) for i in range(4))
        batch, lags = (figure.add_subplot(right[i]) for i in range(2))
        for axes in (units, robots, batch, lags):
            axes.locator_params(integer=True, min_n_ticks=1)
        for axes in (units, robots, distance, gradient):
            axes.set(xlim=(-0.5, time - 0.5))
            axes.locator_params("x", integer=True, min_n_ticks=1)
            axes.tick_params(labelbottom=axes is gradient)
        units.set(ylabel="unit")
        robots.set(ylim=(envs - 0.4, -0.6), ylabel="robot", title="resets")
        distance.set_yscale("symlog", linthresh=1e-6, linscale=0.5)
        distance.set(yticks=(0, 1e-4, 1e-2, 1), ylabel="rms", title="distance to a fresh memory of this episode")
        gradient.set(yscale="log", xlabel="time step (▴ gradient is cut)", ylabel="‖∂y/∂x‖", title="gradient now")
        lags.set(xlim=(-0.5, time - 0.5), ylim=(time - 0.5, -0.5), title="gradient of every output y")
        lags.set(xlabel="time step of the input x", ylabel="time step of the output y")
        batch.set(facecolor=FAINT, xlabel="step of the trajectory (grey: padding)", ylabel="trajectory")
        batch.set_title(f"padded batch: {self._feature}")

        artists: dict[str, Any] = {"axes": (units, distance, gradient)}
        self._stage_images(artists, figure, units, lags, batch)
        self._stage_curves(artists, figure, robots, distance, gradient)
        self._stage_marks(artists, (units, robots, distance, gradient), batch, lags)
        return artists

    def _stage_images(self, artists: dict[str, Any], figure: Figure, units: Any, lags: Any, batch: Any) -> None:
        time = len(self.dones)
        whole = (-0.5, time - 0.5, time - 0.5, -0.5)
        shown: dict[str, Any] = {"aspect": "auto", "interpolation": "nearest"}
        artists["units"] = units.imshow(np.zeros((1, 1)), cmap="RdBu_r", vmin=-1, vmax=1, extent=whole, **shown)
        artists["lags"] = lags.imshow(
            np.ones((1, 1)), cmap="viridis", norm="log", vmin=10.0**-DECADES, vmax=1, extent=whole, **shown
        )
        low, high = np.percentile(self._batch.compressed(), (2, 98))
        batch.imshow(self._batch, cmap="viridis", vmin=low, vmax=max(high, low + 1e-6), **shown)
        scale = figure.colorbar(artists["units"], cax=units.inset_axes((1.015, 0, 0.02, 1)))
        scale.set_ticks((-1, 0, 1), labels=("−", "0", "+"))
        figure.colorbar(artists["lags"], cax=lags.inset_axes((1.025, 0, 0.035, 1))).minorticks_off()

    def _stage_curves(self, artists: dict[str, Any], figure: Figure, robots: Any, distance: Any, gradient: Any) -> None:
        (artists["distance"],) = distance.plot([], [], color=BLUE, linewidth=2)
        (artists["gradient"],) = gradient.plot([], [], ".-", color=BLUE, linewidth=2, label="this episode")
        (artists["leak"],) = gradient.plot([], [], color=RED, linewidth=2, linestyle="--", label="earlier")
        (artists["guess"],) = gradient.plot([], [], "X", color=ORANGE, markersize=10, label="your guess", zorder=4)
        artists["marks"] = {  # a dictionary: no ghosts of these
            "row": robots.plot([], [], color=FAINT, linewidth=6, zorder=0)[0],
            "right": robots.plot([], [], "|", color=GREY, markersize=7, label="at an end: right")[0],
            "wrong": robots.plot([], [], "x", color=RED, markersize=4, label="in mid-episode")[0],
            "missed": robots.plot([], [], "o", color=BLUE, markersize=5, fillstyle="none", label="missed")[0],
        }
        above: dict[str, Any] = {"loc": "lower right", "bbox_to_anchor": (1.02, 0.97), "borderaxespad": 0, "ncols": 3}
        narrow: dict[str, Any] = {"columnspacing": 1, "handlelength": 1.4, "handletextpad": 0.4}
        for axes in (robots, gradient):  # legends of axes would be drawn anew in every picture, 5 ms each
            labelled = axes.get_legend_handles_labels()
            figure.legend(*labelled, bbox_transform=axes.transAxes, **above, **narrow)

    def _stage_marks(self, artists: dict[str, Any], over_time: tuple[Any, ...], batch: Any, lags: Any) -> None:
        units, _, distance, gradient = over_time
        marks = artists["marks"]
        marks["ends"] = [
            axes.plot([], [], color=GREY, linewidth=1, transform=axes.get_xaxis_transform(), zorder=1.5)[0]
            for axes in (units, distance, gradient)
        ]
        marks["now"] = [axes.axvline(0, color=PINK, linewidth=1.5) for axes in over_time]
        low = gradient.get_xaxis_transform()
        (marks["felt"],) = gradient.plot([], [], "o:", color=GREY, markersize=4, linewidth=1)
        (marks["cuts"],) = gradient.plot([], [], "^", color=GREY, markersize=5, transform=low)
        (marks["box"],) = batch.plot([], [], color=PINK, linewidth=1.5, clip_on=False)
        (marks["dot"],) = batch.plot([], [], "o", color=PINK, markersize=6, clip_on=False)
        marks["output"] = lags.axhline(0, color=PINK, linewidth=1.5)

    def draw(self, artists: dict[str, Any], result: MemoryResult) -> None:
        """Move images, curves, marks and the cursor."""
        state, marks = result.state, artists["marks"]
        units, distance, gradient = artists["axes"]
        size, time = result.hidden.shape
        most = next(limit for limit in (0.1, 0.25, 0.5, 1) if np.abs(result.hidden).max() <= limit)
        units.set(ylim=(size + 0.5, 0.5), title=f"hidden units of layer {state.layer} (−{most} to {most})")
        artists["units"].set_data(result.hidden / most)
        artists["units"].set_extent((-0.5, time - 0.5, size + 0.5, 0.5))
        steps = np.arange(time)
        artists["distance"].set_data(steps, result.distance)
        distance.set_ylim(-2e-7, _decade(result.distance.max()))

        row = np.where(result.gradients[state.time] > 0, result.gradients[state.time], np.nan)
        top = _decade(result.gradients.max())
        gradient.set_ylim(top * 10.0**-DECADES, top)
        artists["lags"].set_data(np.ma.masked_equal(result.gradients, 0))
        artists["lags"].set_clim(top * 10.0**-DECADES, top)
        here = slice(result.born, state.time + 1)
        artists["gradient"].set_data(steps[here], row[here])
        artists["leak"].set_data(steps[: result.born + 1], row[: result.born + 1])
        level = _felt_level(result)
        felt = ([], []) if result.reach is None else ([state.time - result.reach, state.time], [level, level])
        marks["felt"].set_data(*felt)
        marks["cuts"].set_data(result.cuts + 0.5, np.full(len(result.cuts), 0.04))

        marks["row"].set_data([-0.5, time - 0.5], [state.env, state.env])
        for name, places in result.forgotten.items():
            marks[name].set_data(places[:, 0] + 0.5, places[:, 1])
        for line in marks["ends"]:
            line.set_data(np.repeat(result.ends + 0.5, 3), np.tile([0, 1, np.nan], len(result.ends)))
        for line in marks["now"]:
            line.set_xdata([state.time, state.time])
        marks["output"].set_ydata([state.time, state.time])
        begin, present, end = result.trajectories
        marks["box"].set_data(
            [-0.5, time - 0.5, time - 0.5, -0.5, -0.5], np.array([begin, begin, end, end, begin]) - 0.5
        )
        marks["dot"].set_data([state.time - result.born], [present])

    def mark(self, result: MemoryResult, guess: float) -> tuple[Any, Any]:
        """Mark the guess as many steps before the present."""
        return [max(0, result.state.time - guess)], [_felt_level(result)]

    @classmethod
    def own_data(cls, draw: Draw) -> tuple[Any, ...]:
        """Return observations and the ends of episodes."""
        return draw(24, 4, 3), draw(24, 4) > 1.3

    def numbers(self, result: MemoryResult) -> dict[str, str]:
        """Return how far memory and gradient are from what they should be."""
        now, most = result.distance[result.state.time], result.distance.max()
        reach = f"{result.reach} steps"
        leaks = result.reach is not None and result.reach > result.state.time - result.born
        wrong, missed = result.forgotten["wrong"], result.forgotten["missed"]
        robots = len(np.unique(wrong[:, 1]))
        return {
            "episodes of this robot": str(1 + int((result.ends < result.hidden.shape[1] - 1).sum())),
            "distance now": f"✗ {small(now)}" if now else small(now),
            "largest distance": f"✗ {small(most)}" if most else small(most),
            "reach of the gradient": "–" if result.reach is None else f"✗ {reach}" if leaks else reach,
            "wrongly reset": f"✗ {robots} robots, {len(wrong)} times" if robots else "none",
            "resets missed": f"✗ {len(missed)} of {int(self.dones.sum())}" if len(missed) else "none",
            "padding of the batch": f"{100 * result.padding:.0f} %",
        }

    def describe(self, result: MemoryResult) -> str:
        """Name the numbers that the picture shows, and the symptom of a wrong reset."""
        state, wrong = result.state, result.forgotten["wrong"]
        symptom = {
            "right": "Each robot forgets when its episode ends",
            "never": "Memories of ended episodes leak into the next",
            "index": "Robots 0 and 1 forget while they run, all others never",
            "all": "One robot's end makes all robots forget",
        }[state.reset]
        now, most = (small(value) for value in (result.distance[state.time], result.distance.max()))
        felt = "feels no input" if result.reach is None else f"feels inputs up to {result.reach} steps back"
        age = state.time - result.born
        return (
            f"{symptom}: {len(wrong)} wrong resets. {result.cell} of robot {state.env}, {age} steps "
            f"into its episode: {now} from a fresh memory (at most {most}); its output {felt}. "
            f"Units of layer {state.layer} stay within ±{short(np.abs(result.hidden).max())}."
        )


def _felt_level(result: MemoryResult) -> float:
    """Return the gradient above which an input counts as felt."""
    return FELT * float(np.max(result.gradients[result.state.time], initial=0))


def _decade(value: float) -> float:
    """Return the power of ten above a value, but at least 1."""
    return float(10.0 ** max(0, np.ceil(np.log10(max(value, 1e-9)))))
