"""Explorer *adaptive rate*: how rsl_rl's PPO adapts the learning rate to keep the KL divergence near a target."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rsl_edu.data import rollout
from rsl_edu.data.learner_input import finite_tensor
from rsl_edu.modules import MLP, EmpiricalNormalization, GaussianDistribution
from rsl_edu.number_format import short

from ..bench.controls import Control
from ..bench.explorer import Explorer
from ..bench.instrument import Draw, cached
from ..bench.question import Question
from ..bench.touch import Grip, Spot
from . import picture
from .clipped_updates import MiniBatch, Trained, kl_divergence
from .state import (
    BATCHES,
    EPOCHS,
    LIMITS,
    UPDATES,
    AdaptiveRateResult,
    AdaptiveRateState,
    AdaptiveTraining,
    adapted,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CLIP = 0.2
"""PPO's clip range. The objective does not improve further once a probability ratio is this far from 1."""


class AdaptiveRate(Explorer[AdaptiveRateState, AdaptiveRateResult]):
    """PPO updates of a small policy on robot data, with rsl_rl's adaptive learning rate.

    A recorded rollout cannot show what a different action would have earned. The explorer therefore fits a model of the
    reward to the rollout and adds the residuals as noise. The model is linear in the observations, the actions, the
    squared actions and the products of observations and actions. The policy is trained on these rewards: each iteration
    draws an action for every observation and makes ``EPOCHS * BATCHES`` clipped updates with Adam. The policy learns
    log std, so no learning rate can make the std negative.

    Args:
        observations: A rollout ``[time, envs, features]``; by default, a rollout of ``HalfCheetah-v5``.
        actions: The actions taken, ``[time, envs, actions]``; required with ``observations``.
        rewards: The rewards received, ``[time, envs]``; required with ``observations``.
        state: Initial values of controls, by name; all other controls start at their defaults.

    Raises:
        ValueError: The data have the wrong shape, are too few, or are not finite.
    """

    State = AdaptiveRateState
    lesson = 5
    shows = "the KL and the learning rate of PPO in each mini-batch"
    breaks = "a fixed rate, an averaged or reversed KL"
    size = (8.6, 5.8)
    more = ("band", "exploration")
    swept = (
        {"schedule": ..., "updates": 7},
        {"mistake": ..., "updates": 5},
        {"schedule": ..., "rate": (1e-5, 3e-4, 1e-3, 1e-2)},
    )
    question = Control("learning rate", "The learning rate at the end of the run.", range=(*LIMITS, 1e-5))
    questions: tuple[Question, ...] = (
        Question(
            "How does the learning rate change over the 20 updates of an iteration?",
            ("it rises, then falls", "it falls, then rises", "it settles"),
            "it rises, then falls",
            {"updates": UPDATES, "schedule": "adaptive", "mistake": "right"},
        ),
        Question(
            "In how many of the updates is the KL in the green band, from half to twice the target?",
            ("nearly all", "about half", "one in eight"),
            "one in eight",
            {"updates": UPDATES, "schedule": "adaptive", "mistake": "right"},
        ),
    )

    def __init__(
        self,
        observations: torch.Tensor | None = None,
        actions: torch.Tensor | None = None,
        rewards: torch.Tensor | None = None,
        **state: Any,
    ) -> None:
        if observations is None or actions is None or rewards is None:
            if not all(given is None for given in (observations, actions, rewards)):
                raise ValueError("observations, actions, rewards: expected all three or none, got only some of them")
            robot = rollout("HalfCheetah-v5", steps=64, envs=16)
            observations, actions, rewards = robot.observations, robot.actions, robot.rewards
        else:
            self.questions = ()
        observations = finite_tensor("observations", observations, "[time, envs, features]")
        time, envs = observations.shape[:2]
        actions = finite_tensor("actions", actions, f"[{time}, {envs}, actions], with the observations' times and envs")
        rewards = finite_tensor("rewards", rewards, f"[{time}, {envs}], with the observations' times and envs")
        if rewards.numel() < BATCHES:
            raise ValueError(f"observations: expected at least {BATCHES} of them, got {rewards.numel()}")
        # Double precision, so that rounding cannot put a KL above twice the target on one machine but not on another.
        x, a, r = (each.double().flatten(0, 1) for each in (observations, actions, rewards))
        norm = EmpiricalNormalization(x.shape[1]).double()
        norm.update(x)
        self._x = norm(x)  # [samples, features]
        known = _features(self._x, a)  # [samples, known]
        ridge = torch.eye(known.shape[1], dtype=torch.float64)
        try:
            self._weights = torch.linalg.solve(known.T @ known + ridge, known.T @ r)
        except torch.linalg.LinAlgError:  # next to the squares of huge actions, the ridge is lost to rounding
            raise ValueError(f"actions: expected smaller values, got up to {float(a.abs().max()):.2g}") from None
        self._rest = r - known @ self._weights  # residuals of the reward model, [samples]
        self._actions = a.shape[1]
        super().__init__(**state)

    def compute(self, state: AdaptiveRateState) -> AdaptiveRateResult:
        """Train once for each setting, and return all series up to ``state.updates``."""
        setting = dataclasses.replace(state, updates=UPDATES)
        if state.schedule == "fixed":  # the adaptive rule is not used
            default = self.default
            setting = dataclasses.replace(
                setting, target=default.target, factor=default.factor, mistake=default.mistake
            )
        run = self._train(setting)
        shown = {name: series[: state.updates] for name, series in vars(run).items()}
        return AdaptiveRateResult(state, AdaptiveTraining(**shown), self._actions)

    @cached(64)
    def _train(self, state: AdaptiveRateState) -> AdaptiveTraining:
        """Train without autograd, with which training takes three times as long; a test compares both results."""
        with torch.inference_mode(False):
            generator = torch.Generator().manual_seed(state.seed)
            net, policy = self._policy(state)
            trained = Trained(net, policy)
            rate, rows = state.rate, []
            for update in range(UPDATES):
                now = update % (EPOCHS * BATCHES)
                if now == 0:
                    batches = self._collect(net, policy, generator)
                batch = batches[now % BATCHES]
                values, std = trained.forward(batch.x), trained.std
                kl = told = kl_divergence(batch.mean, batch.std, values[-1], std)
                if state.mistake == "reversed":
                    told = kl_divergence(values[-1], std, batch.mean, batch.std)
                elif state.mistake == "mean":
                    told = kl / self._actions
                asked = state.mistake != "once" or now == EPOCHS * BATCHES - 1
                if state.schedule == "adaptive" and asked:
                    rate = adapted(rate, told, state.target, state.factor)
                rows.append((kl, told if asked else 0.0, rate, float(std.mean()) / state.init_std))
                trained.step(trained.gradient(batch, values, CLIP), rate)
        kl_, told_, rates, stds = np.array(rows).T
        kl_, told_ = (np.where(values > 1e-9, values, np.nan) for values in (kl_, told_))
        return AdaptiveTraining(kl_, told_, rates, stds)

    def _policy(self, state: AdaptiveRateState) -> tuple[MLP, GaussianDistribution]:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(state.seed)  # torch.manual_seed would also reseed the learner's GPU
            net = MLP(self._x.shape[1], self._actions, [32, 32]).double()
            net.init_weights([2**0.5, 2**0.5, 0.01])
        return net, GaussianDistribution(self._actions, state.init_std, std_type="log").double()

    @torch.no_grad()
    def _collect(self, net: MLP, policy: GaussianDistribution, generator: torch.Generator) -> list[MiniBatch]:
        """Draw an action for each observation and split the samples into mini-batches."""
        x = self._x
        policy.update(net(x))
        mean, std = policy.params
        actions = mean + std * torch.randn(mean.shape, dtype=mean.dtype, generator=generator)
        noise = self._rest[torch.randperm(len(x), generator=generator)]
        advantage = self._gain(actions) - self._gain(mean) + noise
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        log_prob, shared = policy.log_prob(actions), std[0].numpy().copy()
        batches = []
        for rows in torch.randperm(len(x), generator=generator).tensor_split(BATCHES):
            x_, a, p, gain, m = (values[rows].numpy() for values in (x, actions, log_prob, advantage, mean))
            batches.append(MiniBatch(x_, a, p, gain, m, shared))
        return batches

    def _gain(self, actions: torch.Tensor) -> torch.Tensor:
        """Return the part of the modelled reward that depends on the actions, ``[samples]``."""
        weights, size = self._weights[1 + self._x.shape[1] :], self._actions
        linear, square, products = weights.tensor_split((size, 2 * size))
        slopes: torch.Tensor = self._x @ products.view(-1, size) + linear + actions * square
        return (slopes * actions).sum(1)

    def stage(self, figure: Figure) -> dict[str, Any]:
        """Lay out the panels: KL above learning rate on the left, KL histogram above std on the right."""
        return picture.stage(figure)

    def draw(self, artists: dict[str, Any], result: AdaptiveRateResult) -> None:
        """Update the curves over the updates, the band of the KL target and the bars."""
        picture.draw(artists, result)

    def title(self, result: AdaptiveRateResult) -> str:
        """State how the rate changes and whether it keeps the KL in the band."""
        return picture.title(result)

    def spots(self, result: AdaptiveRateResult) -> tuple[Spot, ...]:
        """Return the updates of the current iteration as hover targets."""
        return picture.spots(result)

    def grips(self, result: AdaptiveRateResult) -> tuple[Grip, ...]:
        """Return the handle that selects the last update shown."""
        return picture.grips(self.controls["updates"].positions())

    def mark(self, result: AdaptiveRateResult, guess: float) -> tuple[Any, Any]:
        """Return the position of the guess at the right end of the learning-rate panel."""
        return [UPDATES], [guess]

    @classmethod
    def own_data(cls, draw: Draw) -> tuple[Any, ...]:
        """Return small observations, actions and rewards for tests."""
        return draw(24, 4, 5), draw(24, 4, 2), draw(24, 4)

    def numbers(self, result: AdaptiveRateResult) -> dict[str, str]:
        """Return the learning rate, the KL relative to its target, and the std."""
        run, (_, inside, above) = result.run, result.shares
        finite = run.kl[np.isfinite(run.kl)]
        return {
            "learning rate": short(run.rate[-1]),
            "lowest rate": short(run.rate.min()),
            "highest rate": short(run.rate.max()),
            "KL now": f"{short(run.kl[-1])} nats" if np.isfinite(run.kl[-1]) else "–",
            "largest KL": picture.targets(finite.max() / result.state.target) if len(finite) else "–",
            "in the band": f"{100 * inside:.0f} %",
            "above band": f"{100 * above:.0f} %",
            "std / initial std": short(run.std[-1]),
        }

    def describe(self, result: AdaptiveRateResult) -> str:
        """Describe how the learning rate and the KL changed, and what the chosen mistake does."""
        state, run, (_, inside, above) = result.state, result.run, result.shares
        finite = run.kl[np.isfinite(run.kl)]
        largest = picture.targets(finite.max() / state.target if len(finite) else 0.0)
        went = "stayed" if state.schedule == "fixed" else f"went from {short(state.rate)} to {short(run.rate[-1])}"
        went += f" (lowest: {short(run.rate.min())})" if state.schedule == "adaptive" else f" at {short(state.rate)}"
        text = (
            f"Over {state.updates} updates, the rate {went}. The KL is inside the band around {state.target:g} nats in "
            f"{100 * inside:.0f} % of the updates and above it in {100 * above:.0f} %; its maximum is {largest}. "
            f"The std is now {short(run.std[-1])} times its initial value of {state.init_std:g}."
        )
        if state.mistake == "right" or state.schedule == "fixed":
            return text
        if state.mistake == "once":
            return f"{text} The rule is applied once per iteration, not at every mini-batch."
        words = "KL reversed" if state.mistake == "reversed" else "Mean over dimensions"
        return f"{text} ✗ {words}: the rule gets {result.told_share} times the true KL."


def _features(x: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
    """Return the inputs of the linear reward model, ``[samples, known]``."""
    products = (x.unsqueeze(2) * actions.unsqueeze(1)).flatten(1)
    return torch.cat([torch.ones_like(x[:, :1]), x, actions, actions.square(), products], 1)
