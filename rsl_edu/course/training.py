"""Tools for the training in lesson 6: robots, a score, live curves, checkpoints, and the learner's own functions."""

from __future__ import annotations

import dataclasses
import os
import time
import unittest.mock
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .check import EXERCISES
from .check.failure import failure
from .check.limit import TooLongError, limited

Step = Callable[[torch.Tensor, Iterable[torch.nn.Module], torch.optim.Optimizer, float], Any]


def make_robots(robot: str, envs: int, time_limit: int = 1000) -> Any:
    """Make parallel robots. When an episode ends, the robot is reset within the same step, as in the simulators.

    Args:
        robot: Name of a Gymnasium environment.
        envs: Number of robots.
        time_limit: Steps after which an episode times out.
    """
    import gymnasium

    options = {"autoreset_mode": gymnasium.vector.AutoresetMode.SAME_STEP}
    how: dict[str, Any] = {"vectorization_mode": "sync", "vector_kwargs": options, "disable_env_checker": True}
    return gymnasium.make_vec(robot, envs, max_episode_steps=time_limit, **how)


@torch.no_grad()
def mean_return(
    policy: Callable[[torch.Tensor], torch.Tensor], robot: str = "InvertedPendulum-v5", episodes: int = 10
) -> float:
    """Return the mean return of a policy over several episodes.

    Args:
        policy: Maps observations ``[envs, features]`` to actions ``[envs, actions]``; for an actor, to its mean action.
        robot: Name of a Gymnasium environment.
        episodes: Number of episodes, one per robot, always from the same initial states.
    """
    robots = make_robots(robot, episodes)
    observation, _ = robots.reset(seed=1000)
    total, running = np.zeros(episodes), np.ones(episodes, dtype=bool)
    while running.any():
        action = policy(torch.as_tensor(observation, dtype=torch.float32))
        observation, reward, terminated, truncated, _ = robots.step(action.numpy())
        total += reward * running
        running &= ~(terminated | truncated)
    robots.close()
    return float(total.mean())


def save(folder: Path, iteration: int, **parts: Any) -> None:
    """Save a checkpoint with rsl_rl's layout and file name, ``model_<iteration>.pt``.

    Args:
        folder: Folder for the checkpoint; made if it does not exist.
        iteration: Number of the iteration.
        parts: Objects with a ``state_dict()``: ``actor``, ``critic``, ``optimizer``.
    """
    states = {f"{name}_state_dict": part.state_dict() for name, part in parts.items()}
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({**states, "iter": iteration, "infos": None}, folder / f"model_{iteration}.pt")


class Watch:
    """A progress bar and live curves of a training run, redrawn once a second.

    Args:
        iterations: Largest number of iterations.
        band: Range to shade, by the name of the curve.
    """

    def __init__(self, iterations: int, band: Mapping[str, tuple[float, float]] | None = None) -> None:
        from tqdm.auto import tqdm

        self.band = band or {}
        quiet = bool(os.environ.get("TQDM_DISABLE"))  # tqdm's notebook bar ignores this variable
        self.bar = tqdm(total=iterations, desc="training", unit="iteration", disable=quiet)
        self.handle: Any = None
        self.drawn = time.monotonic()

    def __call__(self, log: Sequence[Mapping[str, float]], last: bool = False) -> None:
        """Show the log so far, one entry per iteration. With ``last``, draw the final curves and close the bar."""
        if not last:
            self.bar.update(1)
        else:
            self.bar.total = self.bar.n  # if solved before the last iteration, show the bar as full
            self.bar.refresh()
            self.bar.close()
        if last or time.monotonic() > self.drawn + 1:
            self._draw(log)
            self.drawn = time.monotonic()

    def _draw(self, log: Sequence[Mapping[str, float]]) -> None:
        import matplotlib.pyplot as plt
        from IPython.display import display

        if self.handle is None:
            self.figure, self.panels = plt.subplots(1, len(log[0]), figsize=(11, 2.4), layout="constrained")
            plt.close(self.figure)  # show the figure through its handle only
            self.handle = display(self.figure, display_id=True)  # type: ignore[no-untyped-call]
        for panel, name in zip(self.panels, log[0], strict=True):
            panel.clear()
            panel.plot([entry[name] for entry in log], color="#0072B2")
            panel.set(title=name, xlabel="iteration", yscale="log" if name in ("return", "learning rate") else "linear")
            if name in self.band:
                panel.axhspan(*self.band[name], color="#009E73", alpha=0.2, linewidth=0)
        if self.handle is not None:  # there is no handle outside a notebook
            self.handle.update(self.figure)


def gradient_step(
    loss: torch.Tensor, models: Iterable[torch.nn.Module], optimizer: torch.optim.Optimizer, max_grad_norm: float
) -> None:
    """Make one gradient step on a loss, after clipping the gradient norm of each model separately."""
    optimizer.zero_grad()
    loss.backward()
    for model in models:
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)
    optimizer.step()


def _not_zeroed(loss: Any, models: Any, optimizer: Any, max_grad_norm: float) -> None:
    loss.backward()
    for model in models:
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)
    optimizer.step()


def _not_clipped(loss: Any, models: Any, optimizer: Any, max_grad_norm: float) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def _not_zeroed_not_clipped(loss: Any, models: Any, optimizer: Any, max_grad_norm: float) -> None:
    loss.backward()
    optimizer.step()


def _clipped_together(loss: Any, models: Any, optimizer: Any, max_grad_norm: float) -> None:
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_([p for model in models for p in model.parameters()], max_grad_norm)
    optimizer.step()


def _still(loss: Any, models: Any, optimizer: Any, max_grad_norm: float) -> None:
    pass


NOT_CLIPPED = "the gradients are not clipped when the optimizer steps: clip after backward(), before step()"
STEP_FAULTS: dict[str, Step] = {
    "the gradients of the previous step are added to the new ones: call optimizer.zero_grad() before loss.backward()": (
        _not_zeroed
    ),
    NOT_CLIPPED: _not_clipped,
    "nothing zeroes the gradients, and nothing clips them": _not_zeroed_not_clipped,
    "you clip the gradients of all models together: clip the gradients of each model separately": _clipped_together,
    "no weight changed: do you call optimizer.step(), and are the gradients still there when it runs?": _still,
}
"""Faults of a :func:`gradient_step`, each with a function that has this fault."""


def step_fault(answer: Step, seconds: float = 5.0) -> str | None:
    """Return what is wrong with a learner's :func:`gradient_step`, or None if it changes the weights as ours does.

    Args:
        answer: The learner's function.
        seconds: CPU time that it may take.
    """
    if not callable(answer):
        return f"expected a function, got {type(answer).__name__}"
    try:
        moved = limited(seconds, lambda: _weights_after(answer))
    except NotImplementedError:
        return "not answered yet"
    except TooLongError as error:
        return f"yours {error}"
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # the learner's code may raise anything, also through sys.exit()
        return f"yours raises {failure(error, lambda _: False).says}"
    if torch.allclose(moved, _weights_after(gradient_step), atol=1e-5):
        return None
    found = (words for words, wrong in STEP_FAULTS.items() if torch.allclose(moved, _weights_after(wrong), atol=1e-5))
    words = next(found, "after three steps, the weights are not what zero_grad, backward, clip and step produce")
    return _clipped_when(answer) if words == NOT_CLIPPED else words


def _clipped_when(answer: Step) -> str:
    """Return the message for a step whose clipping has no effect, which depends on when the step clips."""
    order: list[str] = []
    clip = torch.nn.utils.clip_grad_norm_

    def clipping(*args: Any, **options: Any) -> torch.Tensor:
        order.append("clip")
        return clip(*args, **options)

    def watched(loss: torch.Tensor, models: Any, optimizer: torch.optim.Optimizer, max_grad_norm: float) -> None:
        order.clear()
        loss.register_hook(lambda _: order.append("backward"))
        optimizer.register_step_pre_hook(lambda *_: order.append("step"))
        answer(loss, models, optimizer, max_grad_norm)

    with unittest.mock.patch.object(torch.nn.utils, "clip_grad_norm_", clipping):
        _weights_after(watched)
    if "clip" not in order:
        return NOT_CLIPPED
    if order.index("clip") < order.index("backward"):
        return "you clip before loss.backward(), when there are no gradients yet: clip after it"
    return "you clip after optimizer.step(), when the weights have already changed: clip before it"


def _weights_after(step: Step) -> torch.Tensor:
    """Return the weights of two small models after three steps; clipping affects only the first two steps."""
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        models, inputs = (torch.nn.Linear(3, 1), torch.nn.Linear(3, 1)), torch.randn(8, 3)
        weights = [weight for model in models for weight in model.parameters()]
        optimizer = torch.optim.SGD(
            weights, 0.1, momentum=0.5
        )  # with momentum, moving weights by hand gives different values
        for scale, norm in ((30.0, 1.0), (3.0, 0.5), (0.1, 1.0)):
            errors = [(model(inputs) - 1).square().mean() for model in models]
            step(scale * (errors[0] + 5 * errors[1]), models, optimizer, norm)
        return torch.cat([weight.detach().flatten() for weight in weights])


@dataclasses.dataclass(frozen=True)
class Parts:
    """The functions that make up a training run, by their names in the lesson."""

    advantages: Callable[..., torch.Tensor] = EXERCISES["advantages"].reference
    bootstrap: Callable[..., torch.Tensor] = EXERCISES["bootstrap"].reference
    surrogate_loss: Callable[..., torch.Tensor] = EXERCISES["surrogate_loss"].reference
    gradient_step: Step = gradient_step


def _one_fault(
    rewards: torch.Tensor, values: torch.Tensor, dones: torch.Tensor, last_value: torch.Tensor, gamma: float, lam: float
) -> torch.Tensor:
    # Spoiler: if you are looking for the fault in the lesson, this is the answer.
    return Parts().advantages(rewards, values, torch.zeros_like(dones), last_value, gamma, lam)


ONE_FAULT = Parts(advantages=_one_fault)
"""The parts of a training run, one of which is faulty. In the lesson, learners find the fault from the curves."""


SLOW = 3.0
"""Seconds of CPU time above which a verdict is cached."""

_slow: dict[str, tuple[Any, str | None]] = {}  # by name: the last answer whose check was slow, and its fault


def working_parts(**answers: Any) -> Parts:
    """Use those of the learner's functions that are right, and the lesson's functions for the rest.

    Print for each part which function is used, and why.

    Args:
        answers: Functions, by their names in :class:`Parts`.

    Raises:
        ValueError: If a name is not in :class:`Parts`.
    """
    parts = [part.name for part in dataclasses.fields(Parts)]
    if unknown := [name for name in answers if name not in parts]:
        raise ValueError(f"answers: expected names of {', '.join(parts)}; got {', '.join(unknown)}")
    chosen = {}
    for name, answer in answers.items():
        fault = _fault(name, answer)
        if fault is None:
            chosen[name] = answer
            print(f"{name:<15} yours")
        else:
            print(f"{name:<15} the lesson's ({fault})")
    return Parts(**chosen)


def _fault(name: str, answer: Any) -> str | None:
    """Return what is wrong with an answer, or None. A slow answer, such as an endless loop, is not run again."""
    if name in _slow and _slow[name][0] is answer:
        return _slow[name][1]
    began = time.process_time()
    if name not in EXERCISES:
        fault = step_fault(answer)
    else:
        verdict = EXERCISES[name].check(answer)
        why = "not answered yet" if verdict.mistake == "not-answered" else verdict.message.splitlines()[0].rstrip(".:")
        fault = None if verdict.passed else why
    if time.process_time() > began + SLOW:
        _slow[name] = (answer, fault)
    return fault
