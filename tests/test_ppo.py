"""The PPO code in the notebook of lesson 6 solves the pendulum with most seeds."""

import time
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import pytest
from tiers import exhaustive

LESSON = Path(__file__).parents[1] / "notebooks" / "6_policy.ipynb"
SEEDS = 5
SOLVED = 950  # of 1000; mean return of ten episodes with the mean action

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lesson():
    """Return what the cells with the tag ppo define."""
    namespace: dict = {}
    with plt.rc_context():  # a style would affect the entire process
        for cell in nbformat.read(LESSON, as_version=4).cells:
            if "ppo" in cell.metadata.get("tags", []):
                exec(compile(cell.source, cell.id, "exec"), namespace)
    return namespace


@exhaustive
def test_four_of_five_seeds_solve_the_pendulum(lesson, record_property):
    returns = []
    for seed in range(SEEDS):
        start = time.perf_counter()
        actor, _, log = lesson["train"](seed=seed)
        record_property(f"seed {seed}", f"{len(log)} iterations, {time.perf_counter() - start:.1f} s")
        returns.append(lesson["mean_return"](actor))
        if sum(mean >= SOLVED for mean in returns) == SEEDS - 1:  # the last seed cannot change the result
            break
    assert sum(mean >= SOLVED for mean in returns) >= SEEDS - 1, returns


def test_same_seed_trains_the_same_policy(lesson):
    one, again, other = (lesson["train"](seed=seed, iterations=2)[2] for seed in (3, 3, 4))
    assert one == again
    assert one != other


def test_time_out_bootstraps_and_failure_does_not(lesson):
    import torch

    robots, observation, actor, critic = lesson["start"]("InvertedPendulum-v5", 0, lesson["Settings"](num_envs=2))
    robots.close()
    ones = torch.ones(1, 2)
    rollout = observation[None], torch.zeros(1, 2, 1), ones, ones, torch.tensor([[0.0, 1.0]])
    for bootstrap in (True, False):
        cfg = lesson["Settings"](gamma=0.5, bootstrap=bootstrap)
        *_, values, returns, _ = lesson["prepare"](actor, critic, rollout, observation, cfg, lesson["parts"])
        failed, timed_out = returns.tolist()
        assert failed == pytest.approx(1)
        assert timed_out == pytest.approx(1 + 0.5 * values[1].item() * bootstrap)


def test_training_uses_the_learners_functions(lesson):
    called = []

    def gradient_step(loss, models, optimizer, max_grad_norm):
        called.append(loss.item())
        lesson["parts"].gradient_step(loss, models, optimizer, max_grad_norm)

    parts = lesson["working_parts"](gradient_step=gradient_step)
    called.clear()
    log = lesson["train"](seed=3, iterations=2, use=parts)[2]
    assert len(called) == 2 * 5 * 4
    assert log == lesson["train"](seed=3, iterations=2)[2]


def test_untrained_policy_falls(lesson):
    actor, _, log = lesson["train"](seed=0, iterations=0)
    assert log == []
    assert lesson["mean_return"](actor) < 100


def test_last_advantage_is_strongly_negative_if_time_outs_count_as_failures(lesson, capsys):
    case = next(
        cell.source for cell in nbformat.read(LESSON, as_version=4).cells if cell.source.startswith("def worth(")
    )
    namespace = lesson | {"gamma": 0.99}
    exec(case, namespace)
    failure, bootstrapped = namespace["failure"], namespace["bootstrapped"]
    assert bootstrapped > failure + 20
    assert 1 - failure < -40
    assert -1 < 1 + 0.99 * bootstrapped - bootstrapped < 1
    assert f"worth {failure:.0f}," in capsys.readouterr().out
