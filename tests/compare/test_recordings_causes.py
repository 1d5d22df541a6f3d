"""A difference of two recordings gets its own cause, and no other: time steps, commands, robots that stand, ties."""

import legged
import numpy as np
import pytest
from legged import NAMES, columns, walk

from rsl_edu.compare import compare_recordings

POS, VEL = columns("joint_pos"), columns("joint_vel")


def kinds(found):
    return [each.kind for each in found.differences]


@pytest.mark.parametrize("named", [True, False], ids=["named", "unnamed"])
def test_every_second_step_is_another_time_step_though_actions_were_recorded_too(named):
    slow = {name: x[::2] for name, x in walk(9, steps=800).items()}
    found = compare_recordings(walk(0), slow, names=NAMES if named else ())
    assert kinds(found) == ["time step"]
    assert {*POS, *VEL} <= set(found.differences[0].columns)
    assert found.unchecked["scale"] == "needs recordings with the same time step"


def test_a_time_step_is_found_in_spite_of_noise_and_from_a_fifth_on(monkeypatch):
    def noisy(seed):
        made, draw = walk(seed), np.random.default_rng(seed)
        for places, size in ((POS, 0.02), (VEL, 1.0)):
            made["observations"][..., places] += size * draw.normal(size=(400, 8, len(places)))
        return made

    first, honest = noisy(0), noisy(1)
    assert compare_recordings(first, honest, names=NAMES).same
    monkeypatch.setattr(legged, "DT", 0.025)
    for second in (noisy(1), walk(1)):
        assert kinds(compare_recordings(first, second, names=NAMES)) == ["time step"]


def test_a_faster_gait_is_no_other_time_step():
    assert compare_recordings(walk(0), walk(1, speed=1.25), names=NAMES).same


def scaled(factor, places, seed=1):
    made = walk(seed)
    made["observations"][..., places] *= factor
    return made


COMMANDS, ACTIONS = columns("velocity_commands"), columns("actions")
QUIET = [i for i in range(len(NAMES)) if i not in COMMANDS]


@pytest.mark.parametrize("named", [True, False], ids=["named", "unnamed"])
def test_commands_that_ask_for_less_are_no_other_scale_nor_another_motion(named):
    first, second = walk(0), walk(1)
    for made in (first, second):  # commands change now and then, and the robot follows them
        made["observations"][..., :3] += 3 * made["observations"][..., COMMANDS]
    second["observations"][..., [*range(3), *COMMANDS]] *= 0.2
    assert compare_recordings(first, second, names=NAMES if named else ()).same


def test_a_robot_that_stands_has_no_noisier_sensors_and_moves_otherwise():
    def sensed(seed, moves):
        made, draw = walk(seed), np.random.default_rng(seed)
        x = made["observations"]
        noise = 0.1 * walk(0)["observations"].std((0, 1)) * draw.normal(size=x.shape)
        if not moves:
            x[..., QUIET[:-6]] = [0] * 8 + [-1] + [0] * 12
        x[..., QUIET[:-6]] += noise[..., QUIET[:-6]]
        return made

    assert kinds(compare_recordings(sensed(0, True), sensed(1, False), names=NAMES)) == ["motion"]
    assert compare_recordings(sensed(0, True), sensed(1, True), names=NAMES).same


def rays(seed, steps=400, envs=12):
    """Record a rover with a lidar, which is most of what it observes, and nothing that moves with it."""
    draw = np.random.default_rng(seed)
    x = np.cumsum(draw.normal(size=(steps, envs, 22)), 0) / 10
    return np.concatenate([2 + np.abs(x[..., :16]), x[..., 16:] % 2], -1) + 0.02 * draw.normal(size=x.shape)


@pytest.mark.parametrize(
    ("kind", "change"), [("scale", lambda x: 0.25 * x), ("clipped", lambda x: x.clip(0, 2.4))], ids=["scale", "clip"]
)
def test_one_term_with_another_factor_or_limit_is_not_another_motion(kind, change):
    second = rays(1)
    assert compare_recordings(rays(0), second).same
    second[..., :16] = change(second[..., :16])
    found = compare_recordings(rays(0), second)
    assert kinds(found) == [kind]
    assert found.differences[0].columns == tuple(range(16))


def test_motion_counts_neither_commands_nor_actions():
    second = walk(1)
    mean = second["observations"].mean((0, 1))
    second["observations"][..., QUIET] = (mean + 0.02 * (second["observations"] - mean))[..., QUIET]
    found = compare_recordings(walk(0)["observations"], second["observations"], names=NAMES)
    assert kinds(found) == ["motion"]
    assert "of 21 features (without commands and actions) have another mean or size" in found.differences[0].figure


def test_a_robot_that_falls_halfway_has_no_other_scale():
    second = walk(1)
    second["observations"][200:, :, [*range(6), *VEL]] *= 0.15
    assert "scale" not in kinds(compare_recordings(walk(0), second))


def drone(seed, steps=400, envs=12):
    """Record bodies that turn: quaternion (w, x, y, z), rates with noise, and a height."""
    draw = np.random.default_rng(seed)
    q, rates, rows = np.tile([1.0, 0, 0, 0], (envs, 1)), np.zeros((envs, 3)), []
    for _ in range(steps):
        noisy = rates + 0.05 * draw.normal(size=rates.shape)
        rows.append(np.concatenate([draw.normal(size=(envs, 1)), q, noisy], 1))
        rates = 0.95 * rates - 1.5 * q[:, :1] * q[:, 1:] + 0.5 * draw.normal(size=rates.shape)
        (w, *v), (a, b, c) = q.T, 0.01 * rates.T
        x, y, z = v
        q = q + np.stack([-x * a - y * b - z * c, w * a + y * c - z * b, w * b + z * a - x * c, w * c + x * b - y * a], 1)
        q /= np.linalg.norm(q, axis=1, keepdims=True)
    return np.stack(rows)


def test_a_quaternion_has_two_signs_and_two_orders():
    first, second = drone(0), drone(1)
    turned = [0, 2, 3, 4, 1, 5, 6, 7]
    assert compare_recordings(first, second).same
    found = compare_recordings(first, second[..., turned])
    assert [(each.kind, each.columns) for each in found.differences] == [("order", (1, 2, 3, 4))]
    assert found.differences[0].figure.endswith("scalar at the other end: xyzw, in the first wxyz")
    found = compare_recordings(first[..., turned], second)
    assert [each.kind for each in found.differences] == ["order"]
    assert found.differences[0].figure.endswith("scalar at the other end: wxyz, in the first xyzw")
    found = compare_recordings(first, second * np.array([1, -1, -1, -1, -1, 1, 1, 1]))
    assert [(each.kind, each.columns) for each in found.differences] == [("sign", (1, 2, 3, 4))]
    assert "the same rotation" in found.differences[0].figure
