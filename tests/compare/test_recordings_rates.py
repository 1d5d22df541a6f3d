"""Rates of false alarms on correct recordings of Gymnasium robots, and of planted differences that are named."""

import functools

import numpy as np
import pytest
from gait import ROBOTS, walked
from legged import late
from tiers import tiers

from rsl_edu.compare import compare_recordings

SHAPES = ((400, 10, 400, 10), (600, 12, 600, 1), (200, 12, 150, 8))
"""Steps and robots of the first recording, and of the second."""
POLICIES = ({}, {"noise": 0.0}, {"noise": 0.1}, {"speed": 1.2})
ONE, ALL = (("HalfCheetah-v5",), (10,)), (tuple(ROBOTS), (10, 20))
"""Robots and seeds in `make test`, and in `make test-all`."""
sample = pytest.mark.parametrize("sample", tiers([ONE, ALL], [ONE]), ids=["one", "all"])


@functools.cache
def pool(robot, seed, policy):
    return walked(robot, seed, **POLICIES[policy])


def piece(recorded, envs, start, steps):
    return {name: x[start : start + steps, envs] for name, x in recorded.items()}


def pairs(robot, seed):
    """Yield pairs of recordings of one robot with different numbers of envs, lengths, seeds, noise and gaits."""
    first, names = pool(robot, seed, 0)
    draw = np.random.default_rng(seed)
    for policy in range(len(POLICIES)):
        second, _ = pool(robot, seed + (policy > 0), policy)
        for steps, envs, others, more in SHAPES:
            robots = draw.permutation(24)
            here = piece(first, robots[:envs], draw.integers(601 - steps), steps)
            there = piece(second, robots[-more:], draw.integers(601 - others), others)
            yield names, here, there
            if policy == 3:
                yield names, there, here


@pytest.mark.slow
@sample
def test_correct_recordings_hardly_ever_differ(sample):
    robots, seeds = sample
    told = [
        (robot, found.differences)
        for robot in robots
        for seed in seeds
        for names, first, second in pairs(robot, seed)
        if not (found := compare_recordings(first, second, names=names)).same
    ]
    assert len(told) <= 1.5 * len(robots) * len(seeds) / len(ROBOTS), told  # 3 of 120 for all


def faults(names):
    """Yield kinds of differences, the features that differ, and functions that make them differ."""

    def at(*terms):
        return [i for i, name in enumerate(names) if name.split("[")[0] in terms]

    def scaled(factor, features):
        return lambda x: np.where(np.isin(np.arange(x.shape[2]), features), factor * x, x)

    def ordered(order, *terms):
        places = np.arange(len(names))
        for term in terms:
            places[at(term)] = np.array(at(term))[order]
        return lambda x: x[..., places]

    p, v, a = at("joint_pos"), at("joint_vel"), at("actions")
    for term in ("base_ang_vel", "projected_gravity"):
        if at(term):
            yield "scale", at(term), scaled(9.81, at(term))
    yield "constant", at("base_lin_vel", "base_ang_vel"), scaled(0, at("base_lin_vel", "base_ang_vel"))
    for factor, features in ((57.3, p), (57.3, [*p, *v]), (20, v), (0.05, v)):
        yield "scale", features, scaled(factor, features)
    for features in (p[:1], [p[1], v[1]], [p[0], v[0], a[0]]):
        yield "sign", features, scaled(-1, features)
    for features in (v, [*p, *v], a):
        yield "lag", features, lambda x, features=features: late(x, features, 2)
    turned = np.roll(np.arange(len(p)), 1)
    halves = np.roll(np.arange(len(p)), len(p) // 2)
    for order, terms in ((turned, ("joint_pos", "joint_vel", "actions")), (halves, ("joint_pos", "joint_vel"))):
        yield "order", at(*terms), ordered(order, *terms)


@pytest.mark.slow
@sample
def test_planted_differences_are_named(sample):
    counts = {"right": 0, "part": 0, "missed": 0, "wrong": 0}
    for robot in sample[0]:
        first, names = pool(robot, 10, 0)
        for policy in (0, 1):
            second = piece(pool(robot, 11, policy)[0], slice(0, 8), 100, 400)
            for kind, features, change in faults(names):
                wrong = second | {"observations": change(second["observations"].astype(float))}
                found = compare_recordings(piece(first, slice(0, 16), 0, 500), wrong, names=names).differences
                columns = sorted(i for each in found for i in each.columns)
                named = {each.kind for each in found} == {kind}
                said = "missed" if not found else "wrong" if not named else "right" if columns == features else "part"
                counts[said] += 1
    total = sum(counts.values())
    assert counts["right"] >= 0.85 * total, counts
    assert counts["wrong"] <= 0.03 * total, counts
