"""Explorer *memory*: a recurrent network's hidden state, the resets, and how far back the gradient reaches."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rsl_edu.data import rollout
from rsl_edu.data.learner_input import episode_ends, finite_tensor
from rsl_edu.diagnosis.recurrent_memory import CarriedMemory, cuts, resets, usable_rnn
from rsl_edu.modules import RNN, EmpiricalNormalization, split_and_pad_trajectories
from rsl_edu.number_format import counted, short, small

from ..bench.controls import Control
from ..bench.explorer import Explorer
from ..bench.instrument import Draw, cached
from ..bench.question import Question
from . import picture
from . import spots as pointed
from .recurrent_steps import Layer, carried_memory, gradients_through_time, is_plain, layers_of
from .state import MemoryResult, MemoryState

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..bench.touch import Grip, Spot
    from .spots import Step

STEPS, ENVS = 128, 16
"""Maximum numbers of steps and environments. The explorer shows only the beginning of a larger rollout."""
TIMES = (10, 40, 83, 97, 98, 99, 101, 104, 107, 120)
"""Steps that a page without a kernel can show. They are close together around the last episode end of robot 14."""


class Memory(Explorer[MemoryState, MemoryResult]):
    """The hidden state of a recurrent network over time, for several robots. Wrong resets at episode ends can be tried.

    The hidden state is computed in the rollout mode of :class:`.RNN`. Gradients are computed in its batched mode, for a
    random linear head on the last layer, ``y = w · h``; heads for actions and values have the same form.

    Args:
        observations: A rollout ``[time, envs, features]``. Only the first 128 steps of the first 16 robots are used. By
            default, the positions of an ``Ant-v5`` rollout without the velocities, which only a recurrent network can
            estimate.
        dones: 1 or True where an episode ended with this step, ``[time, envs]``; required with ``observations``.
        network: The learner's own network, which gets the observations unchanged. By default, the network has two
            untrained layers and gets normalized observations.
        state: Initial values of controls, by name; all other controls start at their defaults.

    Raises:
        TypeError, ValueError: An argument is invalid; the message names it.
    """

    State = MemoryState
    lesson = 3
    shows = "the hidden state of a GRU or an LSTM, its resets and its gradient through time"
    breaks = "no reset, `dones` used as an index, a reset of all robots, a detached hidden state"
    size = (9.0, 6.6)
    more = ("gradient", "gradients", "batch")
    swept = (
        {"reset": ..., "env": (0, 1, 14), "time": TIMES},
        {"detach": (0, 1, 8, 32), "time": (83, 98, 107, 120)},
        {"type": ..., "time": TIMES},
        {"layer": ...},
    )
    question = Control(
        "distance",
        "Distance (rms) between the hidden state and the correct hidden state at this step.",
        range=(0.0, 1.0, 0.01),
    )
    questions: tuple[Question, ...] = (
        Question(
            "The hidden state of robot 14 is not reset when its episode ends after step 97. All units are between −1 "
            "and 1. How far is the hidden state (rms) from the correct one at step 98?",
            answer="0.21",
            show={"reset": "never", "env": 14, "time": 98},
        ),
        Question(
            "The hidden state is never reset. Ten steps into a new episode, how far is it from the correct one?",
            ("as far as at the first step", "a few percent of that", "they are equal"),
            "a few percent of that",
            {"reset": "never", "env": 14, "time": 107},
        ),
        Question(
            "dones is used as an index. At step 97, only the episode of robot 14 ends. Which hidden states are reset?",
            ("that of robot 14", "those of robots 0 and 1", "all but that of robot 14"),
            "those of robots 0 and 1",
            {"reset": "index", "env": 14, "time": 98},
        ),
        Question(
            "With the right resets, how many steps back does the gradient at step 120 stay above 1 % of its maximum?",
            ("one or two", "about a dozen", "all 22, to the start of the episode"),
            "about a dozen",
            {"reset": "right", "env": 14, "time": 120},
        ),
    )

    def __init__(
        self,
        observations: torch.Tensor | None = None,
        dones: torch.Tensor | None = None,
        network: RNN | None = None,
        **state: Any,
    ) -> None:
        self._feature = "first feature"
        ours = observations is None
        if observations is None:
            if dones is not None:
                raise ValueError("dones: expected observations too, got only dones")
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
        self.observations = x  # [time, envs, features], the input of the network
        batch, self._mask = split_and_pad_trajectories(x[..., 0], self.dones)  # [time, trajectories]
        self._batch = np.ma.masked_array(batch.T.numpy(), ~self._mask.T.numpy())
        time, envs = self.dones.shape
        layers, fixed = 2, {}
        if self._given is not None:  # the network has a fixed type and size
            layers, fixed = self._given.rnn.num_layers, {"type": "", "hidden": self._given.rnn.hidden_size, "seed": 0}
        env = int(self.dones.sum(0).argmax())
        ends = self.dones[:-1, env].nonzero().flatten().tolist()
        # Start shortly after an episode end; with the default robots, soon enough to see the effect of a missed reset.
        later = 2 if ours else 10
        defaults: dict[str, Any] = {"env": env, "time": min(time - 1, ends[-1] + later) if ends else time - 1}
        if not ours or network is not None:
            self.questions = ()  # the questions are about the Ant and the untrained network
            defaults |= {"reset": "right"}  # with the learner's data or network, start with correct resets
        ranges = {"env": (0, envs - 1, 1), "layer": (1, layers, 1), "time": (0, time - 1, 1)}
        super().__init__(ranges=ranges, fixed=fixed, defaults=defaults, **state)

    def compute(self, state: MemoryState) -> MemoryResult:
        """Return what ``state`` shows from the hidden states and gradients of all steps, which are cached."""
        key = (state.type, state.hidden, state.seed, state.reset)
        carried, gradients = self._carried(*key), self._gradients(*key, state.env, state.detach)
        reset, dones = resets(self.dones, state.reset), self.dones
        ends = dones[:, state.env].nonzero().flatten().numpy()
        before = int((ends < state.time).sum())  # episodes
        # The rows of the batch are sorted by environment.
        begin = int(dones[:-1, : state.env].sum()) + state.env
        row = gradients[state.time]
        felt = np.flatnonzero(row >= picture.FELT * row.max())
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
                return copy.deepcopy(self._given)  # a run changes the hidden state, so each thread needs a copy
            torch.default_generator.manual_seed(seed)  # torch.manual_seed would also reseed the learner's GPU
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
        """Lay out the panels of resets, units and distance over time, and below them gradients and the padded batch."""
        return picture.stage(figure, self.dones.numpy(), self._batch, self._feature)

    def draw(self, artists: dict[str, Any], result: MemoryResult) -> None:
        """Update the images, the curves, the marks and the lines at the current step."""
        picture.draw(artists, result)

    def grips(self, result: MemoryResult) -> list[Grip]:
        """Return the handles that select the time step, and the handle that selects the robot."""
        return picture.grips(result, self.dones.shape[1])

    def spots(self, result: MemoryResult) -> list[Spot]:
        """Return the hover targets: a unit, its gates, the distance, the episode ends, and the gradient's reach."""
        state = result.state
        found = pointed.episodes(result, self.dones)
        steps = self._steps(state.type, state.hidden, state.seed, state.reset, state.env, state.time)
        if steps is not None:
            found = [*pointed.unit(steps[0], result), pointed.distance(*steps, result), *found]
        return [*found, pointed.reach(result)]

    def _steps(self, type: str, hidden: int, seed: int, how: str, env: int, time: int) -> tuple[Step, Step] | None:
        """Return the current step with the chosen and with the right resets; None if the type of cell is unknown."""
        layers = self._layers(type, hidden, seed)
        if layers is None:
            return None
        x = self.observations[time, env].numpy()
        begins = [self._carried(type, hidden, seed, each).begins[time, :, :, env].numpy() for each in (how, "right")]
        return pointed.step(layers, x, begins[0]), pointed.step(layers, x, begins[1])

    @cached(4)
    def _layers(self, type: str, hidden: int, seed: int) -> list[Layer] | None:
        network = self._network(type, hidden, seed)
        return layers_of(network) if is_plain(network) else None

    def mark(self, result: MemoryResult, guess: float) -> tuple[Any, Any]:
        """Return the position of the guess at the current step."""
        return [result.state.time], [guess]

    @classmethod
    def own_data(cls, draw: Draw) -> tuple[Any, ...]:
        """Return observations and episode ends for tests."""
        return draw(24, 4, 3), draw(24, 4) > 1.3

    def numbers(self, result: MemoryResult) -> dict[str, str]:
        """Return numbers on the errors of the hidden state, of the gradient and of the resets."""
        now, most = result.distance[result.state.time], result.distance.max()
        reach = "–" if result.reach is None else counted(result.reach, "step")
        if result.leaked:
            reach = f"✗ {reach}, {result.leaked} before this episode"
        wrong, missed = result.forgotten["wrong"], result.forgotten["missed"]
        robots = len(np.unique(wrong[:, 1]))
        return {
            "episodes of this robot": str(1 + int((result.ends < result.hidden.shape[1] - 1).sum())),
            "distance now": f"✗ {small(now)}" if now >= 1e-3 else small(now),
            "largest distance": f"✗ {small(most)}" if most >= 1e-3 else small(most),
            "reach of the gradient": reach,
            "wrongly reset": f"✗ {robots} robots, {len(wrong)} times" if robots else "none",
            "resets missed": f"✗ {len(missed)} of {int(self.dones.sum())}" if len(missed) else "none",
            "padding of the batch": f"{100 * result.padding:.0f} %",
        }

    def title(self, result: MemoryResult) -> str:
        """State the effect of a wrong or missed reset on the robot's hidden state at this step."""
        state, now = result.state, result.distance[result.state.time]
        hidden, kind, step = f"Robot {state.env}'s hidden state", *self._mistake(result)
        if kind == "missed" and now >= 0.01:
            return f"{hidden} is {short(now)} off: the reset after its last episode was missed."
        if kind == "missed":
            steps = counted(state.time - step, "step")
            return f"{hidden} has almost recovered, {steps} after the missed reset."
        if kind == "wrong" and now >= 0.01:
            return f"{hidden} is {short(now)} off: it was reset in mid-episode."
        if kind == "wrong":
            return f"{hidden} has almost recovered from a reset in mid-episode."
        if state.reset != "right":
            return f"{hidden} is correct: none of its resets has gone wrong so far."
        if state.detach:
            every = "every step" if state.detach == 1 else f"every {state.detach} steps"
            return f"Detached after {every}: the gradient is cut, but the hidden state stays the same."
        return f"{hidden} is reset only when its episode ends, as it should be."

    def _mistake(self, result: MemoryResult) -> tuple[str, int]:
        """Return the kind and the step of the latest wrong or missed reset that affects the current hidden state."""
        state = result.state
        steps = {
            kind: [t for t, env in places.tolist() if env == state.env] for kind, places in result.forgotten.items()
        }
        wrong = [step for step in steps["wrong"] if result.born <= step < state.time]
        if wrong:
            return "wrong", wrong[-1]
        return ("missed", result.born - 1) if result.born - 1 in steps["missed"] else ("", -1)

    def describe(self, result: MemoryResult) -> str:
        """Describe the numbers in the picture and the symptom of a wrong reset."""
        state = result.state
        symptom = {
            "right": "Each robot's hidden state is reset when its episode ends",
            "never": "Hidden states leak from one episode into the next",
            "index": "Only robots 0 and 1 are reset, in mid-episode",
            "all": "When one robot's episode ends, all robots are reset",
        }[state.reset]
        wrong, missed = (counted(len(result.forgotten[kind]), "reset") for kind in ("wrong", "missed"))
        most = f"{small(result.distance.max())} from the correct one"
        if result.distance.max() >= 1e-3:
            most += " (✗ should be 0)"
        on = "does not depend on any input"
        if result.reach is not None:
            on = f"depends on inputs up to {counted(result.reach, 'step')} back"
        if result.leaked:
            on += f", ✗ {result.leaked} of them before this episode"
        return (
            f"{symptom}: {wrong} in mid-episode, {missed} missed. Robot {state.env} is "
            f"{counted(state.time - result.born, 'step')} into its episode. The hidden state of its {result.cell} is "
            f"at most {most}; its output {on}. "
            f"Units of layer {state.layer} stay within ±{short(np.abs(result.hidden).max())}."
        )
