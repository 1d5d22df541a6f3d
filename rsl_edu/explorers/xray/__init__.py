"""Explorer *x-ray*: the measurements of lessons 1 to 5, made on a policy at every checkpoint of its training run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rsl_edu.checkpoint import Run
from rsl_edu.data import example_run
from rsl_edu.diagnosis import Diagnosis, Examination, Finding, examine
from rsl_edu.diagnosis.findings import STALE
from rsl_edu.diagnosis.measures import Measures, kl
from rsl_edu.number_format import counted, short, small

from ..bench.controls import Control, control
from ..bench.explorer import Explorer
from ..bench.instrument import Draw, cached
from ..bench.question import Question
from ..bench.static_page import document
from ..bench.touch import Grip, Spot, grip
from . import layout, panels
from .findings import finding_spots, layer_name, other_spots, panel_of, topics

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REFERENCES = {"the previous": "before", "the first": "first", "the last": "last"}


@dataclasses.dataclass(frozen=True)
class XRayState:
    """State of :class:`XRay`; the possible iterations depend on the run."""

    iteration: int = control(0, "iteration", "The checkpoint that is shown.", steps=(0,), play=True)
    reference: str = control(
        "before", "KL from", "The checkpoint whose policy is the reference for the KL.", choices=REFERENCES
    )


@dataclasses.dataclass(frozen=True)
class XRayResult:
    """What the picture shows."""

    now: Measures
    iterations: np.ndarray  # [checkpoints]
    std: np.ndarray  # [checkpoints, actions]
    entropy: np.ndarray  # [checkpoints]
    kl: np.ndarray  # [checkpoints], KL from the reference; NaN without a reference
    learning_rate: np.ndarray  # [checkpoints]
    learning: Mapping[str, np.ndarray]  # values for critic and optimizer, each [checkpoints]
    place: int  # index of the shown checkpoint
    findings: tuple[Finding, ...]


class XRay(Explorer[XRayState, XRayResult]):
    """Layers, weights, normalizer, noise, KL and hidden state of a policy at every checkpoint of its training.

    Args:
        run: An rsl_rl run folder (``model_0.pt``, ``model_50.pt``, …), one of its files, or the result of
            :func:`.read_run` or :func:`rsl_edu.diagnosis.examine`. By default, the result of :func:`.example_run`.
            At most 40 checkpoints are shown.
        observations: Input of the policies: ``[samples, features]`` or ``[time, envs, features]``, or a dictionary that
            may also contain images, ``dones`` and ``actions`` (:func:`rsl_edu.diagnosis.own`). By default, random
            numbers with the normalizer's mean and std are used, and some findings are not available.
        robot: Instead of observations, a Gymnasium robot, such as ``"InvertedPendulum-v5"``, for the last checkpoint to
            control.
        activation: Activation of the hidden layers, which a checkpoint does not contain. By default, it is taken from a
            configuration file next to the checkpoint; without this file, it is elu.
        config: Other settings that a checkpoint does not contain; see :func:`rsl_edu.checkpoint.read`.
        state: Initial values of controls, by name; all other controls start at their defaults.

    Attributes:
        examination: All measurements.

    Raises:
        TypeError: ``run`` or ``config`` has an invalid type.
        ValueError: The run cannot be read, or the observations or the robot do not fit its policies.
    """

    State = XRayState
    lesson = 6
    shows = "layers, weights, normalizer, noise and KL of a policy at every checkpoint of its training"
    breaks = "none; it shows what went wrong in your own run"
    size = (9.6, 9.0)
    swept = ({"iteration": ..., "reference": ...},)
    question = Control("std", "The mean std of the actions at the last checkpoint.", range=(0.001, 100, 0.001))

    def __init__(
        self,
        run: str | Path | Run | Examination | None = None,
        observations: Any = None,
        robot: str | None = None,
        activation: str | None = None,
        config: Mapping[str, Any] | None = None,
        **state: Any,
    ) -> None:
        if run is None:
            run, robot = example_run(), robot if observations is not None else robot or "InvertedPendulum-v5"
        if not isinstance(run, Examination):
            try:
                run = examine(run, observations, robot, activation, config)
            except OSError as error:
                reason = error.strerror or error
                raise ValueError(
                    f"run: expected a run folder of rsl_rl or a checkpoint, got {run!r} ({reason})"
                ) from error
        self.examination = run
        self._measures = self.examination.measures
        iterations = tuple(measures.iteration for measures in self._measures)
        found = self._findings(len(iterations) - 1)
        there = {name for cell in layout.cells(self._measures, ()) for name in cell}
        self._cells = layout.cells(self._measures, [panel_of(finding, there) for finding in found])
        self._panels = [name for cell in self._cells for name in cell]
        super().__init__(step_values={"iteration": iterations}, defaults={"iteration": iterations[-1]}, **state)

    @property
    def more(self) -> tuple[str, ...]:  # type: ignore[override]
        """Names of all panels below the first row. At first, only the first row is visible; it shows the findings."""
        return tuple(name for cell in self._cells[layout.COLUMNS :] for name in cell)

    @property
    def questions(self) -> tuple[Question, ...]:  # type: ignore[override]
        """The questions of the lesson, with answers for this run."""
        first, last = self._measures[0], self._measures[-1]
        if first is last or any(m.broken for m in self._measures):
            return ()
        end = {"iteration": last.iteration}
        if first.raw_std.size:  # the policy has one std for all states
            text = "If the std of each action ends at q times its initial value, by how much has the entropy changed?"
            choices = ("log q for each action", "q − 1 for each action", "nothing")
            asked = [Question(text, choices, choices[0], end)]
        else:
            std, before = short(float(last.std.mean())), short(float(first.std.mean()))
            text = f"What is the mean std of the actions at the last checkpoint? It starts at {before}."
            asked = [Question(text, (), std, end)]
        growth = {layer_name(name): float(last.spectra[name][0] / first.spectra[name][0]) for name in last.spectra}
        if len(growth) > 1:
            most = max(growth, key=lambda name: growth[name])
            asked.append(Question("Which layer's largest singular value grows most?", (*growth,), most, end))
        whole, steps = float(self._kls("first")[-1]), float(np.nansum(self._kls("before")))
        if len(self._measures) > 2 and np.isfinite(whole):
            choices = ("less than the sum of all steps", "about the sum", "more than the sum")
            answer = choices[0 if whole < 0.8 * steps else 2 if whole > 1.25 * steps else 1]
            show = {**end, "reference": "first"}
            asked.append(Question("The KL from the first checkpoint to the last is …", choices, answer, show))
        return tuple(asked)

    def diagnosis(self) -> Diagnosis:
        """Return the likely problems of the policy at the shown iteration, as text and, in a notebook, as a table."""
        return self.examination.diagnosis(self._place(self.at()))

    def page(self) -> str:
        """Return a self-contained HTML page with the diagnosis of the run and all pictures."""
        return document(
            f"X-ray of {self.examination.name}",
            self.examination.diagnosis()._repr_html_(),
            self.html(notebook=""),
        )

    def compute(self, state: XRayState) -> XRayResult:
        """Select the measurements of the checkpoint that ``state`` selects."""
        place = self._place(state)
        measures = self._measures
        return XRayResult(
            now=measures[place],
            iterations=np.array([m.iteration for m in measures]),
            std=np.stack([m.std for m in measures]),
            entropy=np.array([m.entropy for m in measures]),
            kl=self._kls(state.reference),
            learning_rate=np.array([m.learning_rate for m in measures]),
            learning=panels.learning(measures),
            place=place,
            findings=self._findings(place),
        )

    def _place(self, state: XRayState) -> int:
        return [m.iteration for m in self._measures].index(state.iteration)

    @cached(len(REFERENCES))
    def _kls(self, reference: str) -> np.ndarray:
        """Return the KL of each checkpoint from the reference, ``[checkpoints]``.

        The KL is NaN for the reference itself. Without a reference, it is NaN for all checkpoints.
        """
        measures, policy = self._measures, self.examination.run.checkpoints[-1].policy
        ends = {"first": measures[0], "last": measures[-1]}
        old = [ends.get(reference, before) for before in (None, *measures)]
        pairs = zip(old, measures, strict=False)
        return np.array([np.nan if one is None or one is now else kl(policy, one, now) for one, now in pairs])

    @cached(40)
    def _findings(self, place: int) -> tuple[Finding, ...]:
        return self.examination.diagnosis(place).findings

    def stage(self, figure: Figure) -> dict[str, Any]:
        """Lay out the panels. The panels that show findings come first."""
        return layout.stage(figure, self._measures, self.examination.sample, self._cells)

    def draw(self, artists: dict[str, Any], result: XRayResult) -> None:
        """Update the layers, singular values, observations, curves, and the lines at the current iteration."""
        now, iterations = result.now, result.iterations
        panels.draw_layers(artists, now)
        panels.draw_weights(artists, now)
        panels.draw_observations(artists, now)
        panels.draw_stds(artists, iterations, result.std, self.guess)
        panels.draw_entropy(artists, iterations, result.entropy)
        panels.draw_kl(artists, iterations, result.kl, result.learning_rate)
        panels.draw_learning(artists, iterations, result.learning)
        (panels.draw_actions if now.memory is None else panels.draw_memory)(artists, now)
        for line in artists["cursors"]:
            line.set_data([iterations[result.place]] * 2, line.axes.get_ylim())

    def mark(self, result: XRayResult, guess: float) -> tuple[Any, Any]:
        """Return the position of the guess at the last checkpoint in the std panel."""
        return [result.iterations[-1]], [guess]

    @classmethod
    def own_data(cls, draw: Draw) -> tuple[Any, ...]:
        """Return the example run and observations for its policies, for tests."""
        return str(example_run()), draw(24, 4, 4)

    def title(self, result: XRayResult) -> str:
        """State the number of findings and the topics of these findings."""
        now = result.now
        when = f"Iteration {now.iteration:,} of {result.iterations[-1]:,}" if now.dated else "This checkpoint"
        if not result.findings:
            return f"{when}: no finding."
        number = "one finding" if len(result.findings) == 1 else counted(len(result.findings), "finding")
        return f"{when}: {number} about {topics(result.findings, self._panels)}."

    def spots(self, result: XRayResult) -> list[Spot]:
        """Return the hover targets: the findings, the std and the layers."""
        found = finding_spots(result.findings, self._panels, self._measures, result.place)
        return [*found, *other_spots(self._measures, result.place)]

    def grips(self, result: XRayResult) -> list[Grip]:
        """Return the handle that selects the iteration."""
        positions = self.controls["iteration"].positions()
        return [grip("iteration", "std", {it: (it, 0) for it in positions}, "x")] if len(positions) > 1 else []

    def describe(self, result: XRayResult) -> str:
        """Describe the policy at this iteration and its likely problems."""
        now = result.now
        when = f"Policy at iteration {now.iteration:,}." if now.dated else "Policy at an unknown iteration."
        start, asleep = _word(result.std[0].mean()), _asleep(now)
        names = [finding.name for finding in result.findings]
        rest = f" and {len(names) - 4} more" if len(names) > 5 else ""
        found = f"Findings: {', '.join(names[:4] if rest else names)}{rest}." if names else "No finding."
        broken = "Its weights contain NaN. " if now.broken else ""
        kls = result.kl[result.place]
        moved = f", and the KL is {small(kls)} nats" if np.isfinite(kls) else ""
        guess, many = self.examination.guessed_activation, int((now.off > STALE).sum())
        guessed = f" if the activation is {guess}, a guess" if guess else ""
        worst = self.examination.sample.name(int(now.off.argmax()))
        far = f"Far off: {many} of {len(now.off)} features, most of all {worst}. " if many else ""
        return (
            f"{when} {broken}The mean std of the actions is {_word(now.std.mean())} (first checkpoint: {start}), the "
            f"entropy is {_word(now.entropy)} nats{moved}. "
            f"{100 * asleep:.0f} % of the hidden units are dead or saturated{guessed}. {far}{found}"
        )

    def numbers(self, result: XRayResult) -> dict[str, str]:
        """Return the measured numbers of this checkpoint, by name."""
        now = result.now
        off = int((now.off > STALE).sum())
        still = int((now.norm_std < 1e-4).sum())
        kls = result.kl[result.place]
        return {
            "mean std": _word(now.std.mean()),
            "entropy": f"{_word(now.entropy)} nats",
            "KL": f"{small(kls)} nats" if np.isfinite(kls) else "–",
            "learning rate": short(now.learning_rate) if np.isfinite(now.learning_rate) else "–",
            "dead or saturated": f"{100 * _asleep(now):.0f} %",
            "last layer's norm per output": _word(now.gain),
            "features far off": f"{off} of {len(now.shift)}",
            "features without variance": "–" if now.count is None else f"{still} of {len(now.shift)}",
            "findings": str(len(result.findings)),
        }


def _asleep(now: Measures) -> float:
    """Return the share of all hidden units that are dead or saturated."""
    units, shares = np.array(now.layers.units), now.layers.asleep
    known = np.isfinite(shares)
    return float(shares[known] @ units[known] / units[known].sum()) if known.any() else 0.0


def _word(value: float) -> str:
    return short(value) if np.isfinite(value) else "broken"
