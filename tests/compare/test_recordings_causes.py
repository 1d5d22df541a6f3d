"""Time steps, commands, standing robots and ties: each difference gets its own cause and no other."""

import legged
import numpy as np
import pytest
from legged import NAMES, columns, walk

from rsl_edu.compare import compare_recordings

POS, VEL = columns("joint_pos"), columns("joint_vel")


def kinds(found):
    return [each.kind for each in found.differences]


@pytest.mark.parametrize("named", [True, False], ids=["named", "unnamed"])
def test_every_second_step_is_another_time_step_despite_recorded_actions(named):
    slow = {name: x[::2] for name, x in walk(9, steps=800).items()}
    found = compare_recordings(walk(0), slow, names=NAMES if named else ())
    assert kinds(found) == ["time step"]
    assert {*POS, *VEL} <= set(found.differences[0].columns)
    assert found.unchecked["scale"] == "needs recordings with the same time step"


def test_time_step_is_found_despite_noise_and_from_a_fifth_on(monkeypatch):
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


def test_faster_gait_is_not_another_time_step():
    assert compare_recordings(walk(0), walk(1, speed=1.25), names=NAMES).same


def scaled(factor, places, seed=1):
    made = walk(seed)
    made["observations"][..., places] *= factor
    return made


COMMANDS, ACTIONS = columns("velocity_commands"), columns("actions")
QUIET = [i for i in range(len(NAMES)) if i not in COMMANDS]


@pytest.mark.parametrize("named", [True, False], ids=["named", "unnamed"])
def test_smaller_commands_are_neither_another_scale_nor_another_motion(named):
    first, second = walk(0), walk(1)
    for made in (first, second):  # commands change now and then, and the robot follows them
        made["observations"][..., :3] += 3 * made["observations"][..., COMMANDS]
    second["observations"][..., [*range(3), *COMMANDS]] *= 0.2
    assert compare_recordings(first, second, names=NAMES if named else ()).same


def test_standing_robot_is_another_motion_and_not_noisier_sensors():
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
    """Record a rover whose observations are mostly lidar rays that correlate with nothing else."""
    draw = np.random.default_rng(seed)
    x = np.cumsum(draw.normal(size=(steps, envs, 22)), 0) / 10
    return np.concatenate([2 + np.abs(x[..., :16]), x[..., 16:] % 2], -1) + 0.02 * draw.normal(size=x.shape)


@pytest.mark.parametrize(
    ("kind", "change"), [("scale", lambda x: 0.25 * x), ("clipped", lambda x: x.clip(0, 2.4))], ids=["scale", "clip"]
)
def test_factor_or_limit_of_one_term_is_not_another_motion(kind, change):
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
    assert "of 21 features (without commands and actions) have a different mean or std" in found.differences[0].figure


def test_robot_that_falls_halfway_has_no_other_scale():
    second = walk(1)
    second["observations"][200:, :, [*range(6), *VEL]] *= 0.15
    assert "scale" not in kinds(compare_recordings(walk(0), second))


def drone(seed, steps=400, envs=12):
    """Record rotating bodies: quaternion (w, x, y, z), noisy rates, and a height."""
    draw = np.random.default_rng(seed)
    q, rates, rows = np.tile([1.0, 0, 0, 0], (envs, 1)), np.zeros((envs, 3)), []
    for _ in range(steps):
        noisy = rates + 0.05 * draw.normal(size=rates.shape)
        rows.append(np.concatenate([draw.normal(size=(envs, 1)), q, noisy], 1))
        rates = 0.95 * rates - 1.5 * q[:, :1] * q[:, 1:] + 0.5 * draw.normal(size=rates.shape)
        (w, *v), (a, b, c) = q.T, 0.01 * rates.T
        x, y, z = v
        q = q + np.stack(
            [-x * a - y * b - z * c, w * a + y * c - z * b, w * b + z * a - x * c, w * c + x * b - y * a], 1
        )
        q /= np.linalg.norm(q, axis=1, keepdims=True)
    return np.stack(rows)


def test_quaternion_with_opposite_sign_or_other_order_is_found():
    first, second = drone(0), drone(1)
    turned = [0, 2, 3, 4, 1, 5, 6, 7]
    assert compare_recordings(first, second).same
    found = compare_recordings(first, second[..., turned])
    assert [(each.kind, each.columns) for each in found.differences] == [("order", (1, 2, 3, 4))]
    assert found.differences[0].figure.endswith("scalar at the other end: xyzw, in the first recording wxyz")
    found = compare_recordings(first[..., turned], second)
    assert [each.kind for each in found.differences] == ["order"]
    assert found.differences[0].figure.endswith("scalar at the other end: wxyz, in the first recording xyzw")
    found = compare_recordings(first, second * np.array([1, -1, -1, -1, -1, 1, 1, 1]))
    assert [(each.kind, each.columns) for each in found.differences] == [("sign", (1, 2, 3, 4))]
    assert "the same rotation" in found.differences[0].figure


LEFT_RIGHT = [1, 0, 3, 2]


def trot(seed, steps=400, envs=8, policy=0, noisy=True):
    """Record four legs in a trot: roll, pitch, one joint per leg with its velocity, and the last action.

    Diagonal legs move together, the others half a period later. The noise of the policy is each leg's own.
    """
    draw, other = np.random.default_rng(seed), np.random.default_rng(policy)
    width, early = 0.5 * (1 + 0.15 * other.normal(size=4)), 0.15 * noisy * other.normal(size=4)
    clock = draw.uniform(0, 6.28, (envs, 1)) + 0.25 * np.arange(steps)[:, None, None]
    action = width * np.sin(clock + np.pi * np.array([0, 1, 1, 0]) + early) + 0.1 * noisy * draw.normal(
        size=(steps, envs, 4)
    )
    legs, body = np.zeros((steps, envs, 8)), np.zeros((steps, envs, 4))
    for t in range(1, steps):
        q, qd = legs[t - 1, :, :4], legs[t - 1, :, 4:]
        qd = qd + 0.02 * (150 * (action[t - 1] - q) - 20 * qd)
        legs[t] = np.concatenate([q + 0.02 * qd, qd], 1)
        tilt, rate = body[t - 1, :, :2], body[t - 1, :, 2:]
        push = legs[t, :, :4] @ np.array([[1, 0.6], [-0.2, 0.6], [0.3, -0.2], [-0.4, -0.3]])
        rate = rate + 0.02 * (40 * push - 60 * tilt - 8 * rate)
        body[t] = np.concatenate([tilt + 0.02 * rate, rate], 1)
    sensed = np.concatenate([body, legs], -1) + 0.002 * draw.normal(size=(steps, envs, 12))
    last = np.concatenate([0 * action[:1], action[:-1]])
    return {"observations": np.concatenate([sensed, last], -1), "actions": action}


TROT = tuple(
    f"{n}[{i}]"
    for n, k in (("tilt", 2), ("rate", 2), ("joint_pos", 4), ("joint_vel", 4), ("actions", 4))
    for i in range(k)
)


def swapped_legs(made, *starts):
    made = {name: x.copy() for name, x in made.items()}
    for start in starts:
        made["observations"][..., start : start + 4] = made["observations"][..., start + np.array(LEFT_RIGHT)]
    return made


def test_swapped_legs_in_a_trot_are_found_from_noise_and_reported_as_a_tie_without_it():
    first = trot(0)
    for second in (trot(1), trot(2, steps=1200, envs=1)):
        assert compare_recordings(first, second, names=TROT).same
        found = compare_recordings(first, swapped_legs(second, 4, 8, 12), names=TROT)
        assert kinds(found) == ["order"]
        assert "joint_pos 0 to 3 of the first are 1, 0, 3, 2 of the second" in found.differences[0].figure
    found = compare_recordings(trot(0, noisy=False), swapped_legs(trot(1, noisy=False), 4, 8, 12), names=TROT)
    tie = found.differences[0]
    assert "either legs or sides are swapped, or " in tie.figure
    assert "have the opposite sign: in a regular gait, both fit equally well" in tie.figure
    assert "of the first are" not in tie.figure


@pytest.mark.parametrize("policy", [4, 5, 11, 12])
def test_another_policy_for_the_same_gait_is_neither_a_lag_nor_a_sign(policy):
    first, second = trot(0), trot(1, policy=policy)
    for pair in ((first, second), (second, first)):
        for names in ((), TROT):
            assert compare_recordings(*pair, names=names).same


def test_term_swapped_with_the_last_action_is_found_from_copies_of_actions():
    second = walk(1)
    second["observations"][..., [*VEL, *ACTIONS]] = second["observations"][..., [*ACTIONS, *VEL]]
    for names in ((), NAMES):
        found = compare_recordings(walk(0), second, names=names)
        assert [(each.kind, each.columns) for each in found.differences] == [("order", (*VEL, *ACTIONS))]
    assert "found from the copies of recorded actions" in found.differences[0].figure


def test_two_swapped_actions_are_found_from_their_copies():
    second = walk(1)
    second["observations"][..., ACTIONS[:2]] = second["observations"][..., ACTIONS[1::-1]]
    found = compare_recordings(walk(0), second, names=NAMES)
    assert [(each.kind, each.columns) for each in found.differences] == [("order", tuple(ACTIONS[:2]))]


def test_uncorrelated_feature_is_not_checked_for_a_lag():
    found = compare_recordings(rays(0), rays(1))
    assert found.unchecked["order, sign, lag of features 0 to 21"] == "they correlate with no other feature"
    found = compare_recordings(walk(0), walk(1), names=NAMES)
    assert [name for name in found.unchecked if "lag of" in name] == ["order, sign, lag of velocity_commands"]


@pytest.mark.parametrize("factor", [0.1, 5.0, 10.0, 57.3])
def test_scale_of_nearly_all_features_is_found(factor):
    """Too few other features remain to show how fast the robot moves; none is the velocity of another."""
    draw, t = np.random.default_rng(0), np.arange(400)[:, None, None]
    made = []
    for _ in range(2):
        phase = draw.uniform(0, 6.28, (1, 8, 12))
        made.append(3 * np.sin(t * np.linspace(0.05, 0.4, 12) + phase) + 0.3 * draw.normal(size=(400, 8, 12)))
    assert compare_recordings(*made).same
    (found,) = compare_recordings(made[0], factor * made[1]).differences
    assert (found.kind, len(found.columns)) == ("scale", 12)
