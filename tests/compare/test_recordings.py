"""Comparison of two recordings: every planted difference is named, and correct recordings are the same."""

import functools
import re

import numpy as np
import pytest
import torch
from legged import DT, NAMES, TERMS, columns, late, walk
from tiers import tiers

from rsl_edu.compare import compare_recordings

POS, VEL, ACT, IMU, LIN, GRAVITY = (
    columns(term) for term in ("joint_pos", "joint_vel", "actions", "base_ang_vel", "base_lin_vel", "projected_gravity")
)
LEGS, BY_KIND = [3, 4, 5, 0, 1, 2], [0, 2, 4, 1, 3, 5]


@functools.cache
def recorded(seed, **options):
    return walk(seed, **options)


def changed(seed, change):
    """Return a recording with changed observations."""
    made = recorded(seed)
    return made | {"observations": change(made["observations"].copy())}


def times(factor, features):
    def change(x):
        x[..., features] *= factor
        return x

    return change


def reordered(order, *terms):
    def change(x):
        places = np.arange(x.shape[2])
        for term in terms:
            places[term] = np.array(term)[order]
        return x[..., places]

    return change


def plus(offset, features):
    def change(x):
        x[..., features] += offset
        return x

    return change


def clip(limit, features):
    def change(x):
        x[..., features] = x[..., features].clip(-limit, limit)
        return x

    return change


def noisy(share, features):
    def change(x):
        spread = share * x[..., features].std((0, 1))
        x[..., features] += spread * np.random.default_rng(0).normal(size=x[..., features].shape)
        return x

    return change


def held(steps, features):
    def change(x):
        x[..., features] = x[np.arange(len(x)) // steps * steps][..., features]
        return x

    return change


def normalize(x):
    return (x - x.mean((0, 1))) / (x.std((0, 1)) + 0.01)


def swap_terms(x):
    order = [*LIN, *IMU, *GRAVITY, *columns("velocity_commands"), *VEL, *POS, *ACT]
    return x[..., order]


# Without names `make test` looks at fewer: some of the tests below have none.
named_or_not = pytest.mark.parametrize("named", tiers([True, False], [True]), ids=["named", "unnamed"])
OFFSETS = np.tile([0.6, -0.9, 0.8], 2).astype("f4")
PLANTED = {
    "absent": ("constant", LIN, times(0, LIN)),
    "held": ("held", IMU, held(3, IMU)),
    "normalized": ("normalized", range(len(NAMES)), normalize),
    "gravity in m/s²": ("scale", GRAVITY, times(9.81, GRAVITY)),
    "gravity a tenth": ("scale", GRAVITY, times(0.1, GRAVITY)),
    "positions in degrees": ("scale", POS, times(57.2958, POS)),
    "all joints in degrees": ("scale", [*POS, *VEL], times(57.2958, [*POS, *VEL])),
    "rates in degrees": ("scale", IMU, times(57.2958, IMU)),
    "velocities scaled": ("scale", VEL, times(0.05, VEL)),
    "velocities not scaled": ("scale", VEL, times(20, VEL)),
    "positions twice": ("scale", POS, times(2, POS)),
    "rates scaled": ("scale", IMU, times(0.25, IMU)),
    "a joint the other way": ("sign", [POS[1], VEL[1]], times(-1, [POS[1], VEL[1]])),
    "four joints the other way": (
        "sign",
        [*POS[:4], *VEL[:4], *ACT[:4]],
        times(-1, [*POS[:4], *VEL[:4], *ACT[:4]]),
    ),
    "inverse rotation": ("sign", GRAVITY[:2], times(-1, GRAVITY[:2])),
    "velocities late": ("lag", VEL, lambda x: late(x, VEL, 1)),
    "joints late": ("lag", [*POS, *VEL], lambda x: late(x, [*POS, *VEL], 2)),
    "IMU late": ("lag", [*IMU, *GRAVITY], lambda x: late(x, [*IMU, *GRAVITY], 2)),
    "last action late": ("lag", ACT, lambda x: late(x, ACT, 1)),
    "legs": ("order", [*POS, *VEL, *ACT], reordered(LEGS, POS, VEL, ACT)),
    "by kind of joint": ("order", [i for t in (POS, VEL) for i in t[1:5]], reordered(BY_KIND, POS, VEL)),
    "two joints": ("order", VEL[:2], reordered([1, 0, 2, 3, 4, 5], VEL)),
    "terms": ("order", [*POS, *VEL], swap_terms),
    "default pose": ("shift", POS, plus(OFFSETS, POS)),
    "saturated": ("clipped", VEL, clip(3, VEL)),
    "noisy": ("noise", VEL, noisy(0.5, VEL)),
}


@named_or_not
@pytest.mark.parametrize("fault", PLANTED)
def test_planted_difference_is_the_only_one_found(fault, named):
    kind, features, change = PLANTED[fault]
    if fault == "all joints in degrees" and not named:
        pytest.skip("positions and velocities are neighbours: one run of features")
    found = compare_recordings(recorded(0), changed(1, change), names=NAMES if named else ())
    assert {each.kind for each in found.differences} == {kind}, found
    assert sorted(i for each in found.differences for i in each.columns) == sorted(features)
    assert not found.same


@named_or_not
@pytest.mark.parametrize(
    "second",
    [
        {"seed": 2},
        {"seed": 3, "noise": 0.1},
        {"seed": 4, "noise": 0.0},
        {"seed": 5, "speed": 1.15},
        {"seed": 6, "envs": 1, "steps": 600},
        {"seed": 7, "steps": 150, "envs": 30},
        {"seed": 8, "steps": 60},
    ],
    ids=str,
)
def test_correct_recordings_are_the_same(second, named):
    names = NAMES if named else ()
    assert compare_recordings(recorded(0), recorded(**second), names=names).same
    assert compare_recordings(recorded(**second), recorded(0), names=names).same


def test_actions_and_dones_are_optional():
    first, second = (recorded(seed)["observations"] for seed in (0, 1))
    assert compare_recordings(first, second, names=NAMES).same
    found = compare_recordings(torch.as_tensor(first), reordered(LEGS, POS, VEL, ACT)(second), names=NAMES)
    assert [each.features for each in found.differences] == ["joint_pos, joint_vel, actions"]


def test_table_of_consecutive_rows_is_read_as_one_robot():
    first = recorded(0)["observations"]
    table = recorded(6, envs=1, steps=600)["observations"][:, 0]
    found = compare_recordings(first, late(table[:, None], VEL, 2)[:, 0], names=NAMES)
    assert found.about["second"] == "second: 600 steps of 1 robot, 30 features"
    assert [(each.kind, each.features) for each in found.differences] == [("lag", "joint_vel")]


def test_unordered_samples_get_the_tests_that_need_no_order():
    draw = np.random.default_rng(0)
    first, second = (draw.permutation(recorded(seed)["observations"].reshape(-1, len(NAMES))) for seed in (0, 1))
    assert compare_recordings(first, second, names=NAMES).same
    found = compare_recordings(first, times(57.3, IMU)(second.copy()), names=NAMES)
    assert found.about["first"] == "first: 3,200 samples, not in the order of time, 30 features"
    assert [(each.kind, each.features) for each in found.differences] == [("scale", "base_ang_vel")]
    assert found.unchecked["lag"] == "needs recordings in the order of time, [time, envs, features]"
    flipped = times(-1, [POS[0], POS[3]])(second.copy())
    found = compare_recordings(first, flipped, names=NAMES)
    assert [(each.kind, each.columns) for each in found.differences] == [("sign", (POS[0], POS[3]))]


def test_short_recording_gets_no_verdict_but_relations_of_every_step_are_checked():
    first, short = recorded(0), {name: x[:100, :1] for name, x in changed(1, times(9.81, GRAVITY)).items()}
    found = compare_recordings(first, short, names=NAMES)
    assert [each.features for each in found.differences] == ["projected_gravity"]
    assert any("the second has only 100 steps of 1 robot: a verdict needs 300" in note for note in found.notes)
    found = compare_recordings(first, {name: x[:100, :1] for name, x in recorded(1).items()}, names=NAMES)
    assert found.same
    assert not found.conclusive
    assert found.verdict.startswith("The recordings are too short for a verdict")
    assert found.unchecked["order, sign"] == "needs 300 samples of each recording"


def still(value, features):
    return lambda x: plus(value, features)(times(0, features)(x))


def test_constant_command_is_not_a_difference_but_other_constant_terms_are():
    commands = columns("velocity_commands")
    assert compare_recordings(recorded(0), changed(1, still(1, commands)), names=NAMES).same
    found = compare_recordings(changed(0, still(0, LIN)), recorded(1), names=NAMES)
    assert found.differences[0].figure.startswith("always 0 in the first recording, but -")
    found = compare_recordings(changed(0, still(0, LIN)), changed(1, still(2, LIN)), names=NAMES)
    assert found.differences[0].figure == "always 0 in the first recording, always 2 in the second"


def joined(made, *more):
    """Return a recording with more features."""
    return made | {"observations": np.concatenate([made["observations"], *more], -1).astype("f4")}


def test_features_that_a_single_robot_did_not_change_are_a_note():
    first, second = recorded(0), recorded(1, envs=1)
    kinds = np.broadcast_to(np.eye(3)[np.arange(8) % 3], (400, 8, 3))
    command = np.repeat(np.random.default_rng(0).uniform(-1, 1, (4, 8, 2)), 100, axis=0)
    force = np.where(np.random.default_rng(1).random((400, 8, 1)) < 0.05, 1.0, 0.0)
    kept = np.broadcast_to([0, 1, 0, 0.5, -0.5, 0], (400, 1, 6))
    first, second = joined(first, kinds, command, force), joined(second, kept)
    found = compare_recordings(first, second)
    assert found.same, found
    assert found.notes[0].startswith("features 30 to 35 never changed in the second")
    assert compare_recordings(second, first).same
    other = second | {"observations": second["observations"] + np.isin(range(36), [30, 31])}
    assert compare_recordings(second, other).same


def test_features_that_become_constant_are_one_finding():
    draw = np.random.default_rng(0)
    contacts = np.repeat(draw.integers(0, 2, (40, 8, 2)), 10, axis=0)
    absent = times(0, [*LIN, *POS])(recorded(1)["observations"].copy())
    first = joined(recorded(0), contacts)
    found = compare_recordings(first, joined(recorded(1) | {"observations": absent}, 0 * contacts))
    assert [(each.kind, each.features) for each in found.differences][:1] == [
        ("constant", "features 0 to 2, features 12 to 17, features 30 to 31")
    ]


def test_two_faults_are_both_found():
    found = compare_recordings(
        recorded(0), changed(1, lambda x: times(57.2958, IMU)(reordered(LEGS, POS, VEL)(x))), names=NAMES
    )
    assert {(each.kind, each.features) for each in found.differences} == {
        ("order", "joint_pos, joint_vel"),
        ("scale", "base_ang_vel"),
    }
    found = compare_recordings(
        recorded(0), changed(1, lambda x: times(0, LIN)(times(9.81, GRAVITY)(late(x, VEL, 1)))), names=NAMES
    )
    assert {each.kind for each in found.differences} == {"constant", "scale", "lag"}


def test_order_is_reported_as_indices_in_the_robot_s_program():
    found = compare_recordings(recorded(0), changed(1, reordered([1, 2, 0, 3, 4, 5], POS, VEL)), names=NAMES)
    assert "joint_pos 0 to 5 of the first are 2, 0, 1, 3, 4, 5 of the second; " in found.differences[0].figure
    found = compare_recordings(recorded(0), changed(1, swap_terms), names=NAMES)
    assert "joint_pos is where joint_vel should be; joint_vel is where joint_pos" in found.differences[0].figure


def test_unnamed_features_are_one_difference_per_kind_and_the_page_lists_all_positions():
    found = compare_recordings(recorded(0), changed(1, plus(OFFSETS * [1, 0, 1, 1, 0, 1], POS)))
    assert [(each.kind, each.features) for each in found.differences] == [
        ("shift", "feature 12, features 14 to 15, feature 17")
    ]
    assert found.differences[0].figure.count(" std, with about the same std") == 2
    found = compare_recordings(recorded(0), changed(1, reordered(LEGS, POS, VEL, ACT)))
    assert "and 12 more (--html FILE lists all)" in " ".join(str(found).split())
    assert found._repr_html_().count(" is at ") == 18


def test_lags_and_rates_are_in_seconds_if_the_time_step_is_known():
    found = compare_recordings(recorded(0), changed(1, lambda x: late(x, VEL, 1)), names=NAMES, dt=DT)
    assert "1 step (20 ms) late" in found.differences[0].figure
    slow = {name: x[::2] for name, x in walk(9, steps=800).items() if name == "observations"}
    found = compare_recordings({"observations": recorded(0)["observations"]}, slow, names=NAMES, dt=DT)
    (rate,) = found.differences
    assert rate.kind == "time step"
    assert re.search(r"per step at the same velocity: 0.0(3[5-9]|4\d?) s instead of 0.02 s$", rate.figure)


def test_robot_that_stands_still_is_another_motion_and_not_another_scale():
    standing = recorded(1)["observations"].copy()
    mean = standing.mean((0, 1))
    quiet = [i for term in TERMS for i in columns(term) if term != "velocity_commands"]
    standing[..., quiet] = mean[quiet] + 0.02 * (standing[..., quiet] - mean[quiet])
    found = compare_recordings(recorded(0)["observations"], standing, names=NAMES)
    assert [each.kind for each in found.differences] == ["motion"]


@named_or_not
@pytest.mark.parametrize("lying", [[0, 0.05, 0.998], [0.1, 0.95, -0.3]], ids=["on its back", "on its side"])
@pytest.mark.parametrize("part", [0.2, 0.5, 0.8])
def test_fallen_robot_is_the_only_finding(lying, part, named):
    made = {name: x[:, :1].copy() for name, x in recorded(1, steps=1000).items()}
    start = int(1000 * (1 - part))
    made["observations"][start:, :, GRAVITY] = lying
    found = compare_recordings(recorded(0), made, names=NAMES if named else ())
    assert [(each.kind, each.columns) for each in found.differences] == [("fallen", tuple(GRAVITY))]
    assert f"from step {start} of robot 0 on" in found.differences[0].figure


def test_low_base_is_a_fall_and_standing_robots_are_still_compared():
    heights = 0.3 + 0.02 * np.random.default_rng(0).normal(size=(400, 8, 1))
    low = heights.copy()
    low[100:, :3] = 0.1
    first, second = joined(recorded(0), heights), joined(changed(1, times(57.3, IMU)), low)
    found = compare_recordings(first, second, names=[*NAMES, "base_height"])
    assert [(each.kind, each.features) for each in found.differences] == [
        ("fallen", "base_height"),
        ("scale", "base_ang_vel"),
    ]


def test_joint_that_rarely_leaves_its_limit_is_not_a_spike():
    made = []
    for seed, steps in ((0, slice(100, 104)), (1, slice(300, 302))):
        x = recorded(seed)["observations"].copy()
        x[..., POS[0]] = 0.5 + 1e-4 * np.random.default_rng(seed).normal(size=x.shape[:2])
        x[steps, :, POS[0]] -= 0.4
        made.append(x)
    assert "spike" not in [each.kind for each in compare_recordings(*made, names=NAMES).differences]


@pytest.mark.parametrize(("value", "where"), [(1e30, np.s_[100:101, :]), (1e4, np.s_[50:53, 2:3])])
def test_absurd_values_are_located_and_left_out(value, where):
    def spoil(x):
        x[(*where, IMU[2])] = value
        return x

    found = compare_recordings(recorded(0), changed(1, spoil), names=NAMES)
    (spike,) = found.differences
    assert (spike.kind, spike.features) == ("spike", "base_ang_vel[2]")
    assert f"at step {where[0].start} of robot {where[1].start or 0} (and " in spike.figure
    wrong = changed(1, lambda x: spoil(times(57.3, IMU)(x)))
    assert [each.kind for each in compare_recordings(recorded(0), wrong, names=NAMES).differences] == ["spike", "scale"]
    found = compare_recordings(changed(1, spoil), recorded(0), names=NAMES)
    assert found.same
    assert found.notes[0].startswith("left out of the first recording: base_ang_vel[2] is ")


SENSED = [*LIN, *IMU, *GRAVITY, *POS, *VEL]


@named_or_not
@pytest.mark.parametrize("features", [SENSED, [*SENSED, *ACT]], ids=["sensors", "actions too"])
@pytest.mark.parametrize("steps", [2, 3])
def test_slow_sensors_are_found_even_if_all_are_slow(steps, features, named):
    found = compare_recordings(recorded(0), changed(1, held(steps, features)), names=NAMES if named else ())
    (slow,) = found.differences
    assert slow.kind == "held"
    assert sorted(slow.columns) == sorted(features)


def test_loop_at_half_the_rate_repeats_observations_and_actions():
    slow = {name: x[np.arange(len(x)) // 2 * 2] for name, x in recorded(1).items() if name != "dones"}
    found = compare_recordings(recorded(0), slow)
    assert [each.kind for each in found.differences] == ["held"]
    assert set(SENSED) < set(found.differences[0].columns)


def test_standing_robot_is_not_mistaken_for_slow_sensors():
    def rest(x):
        x[100:300, :, SENSED] = x[100, :, SENSED].T
        return x

    def coarse(x):
        centre = x[..., SENSED].mean((0, 1))
        x[..., SENSED] = np.round(centre + 0.02 * (x[..., SENSED] - centre), 2)
        return x

    for change in (rest, coarse):
        found = compare_recordings(recorded(0), changed(1, change), names=NAMES)
        assert "held" not in [each.kind for each in found.differences]


def test_two_valued_commands_of_one_robot_are_not_a_fast_sensor():
    one, many = (recorded(seed, steps=400, envs=envs)["observations"].copy() for seed, envs in ((0, 1), (1, 12)))
    draw, commands = np.random.default_rng(0), columns("velocity_commands")
    for x in (one, many):  # a command of its own for each half
        x[..., commands] = np.repeat(draw.uniform(-1, 1, (2, x.shape[1], len(commands))), 200, axis=0)
    assert "held" not in [each.kind for each in compare_recordings(one, many, names=NAMES).differences]


def test_effects_of_a_wrong_input_are_a_note():
    second = changed(1, lambda x: times(9.81, GRAVITY)(plus(3, LIN)(x)))
    found = compare_recordings(recorded(0), second, names=NAMES)
    assert [each.kind for each in found.differences] == ["scale"]
    assert found.notes[0].startswith("3 other features also have a different mean or std")
    assert found.unchecked["shift"] == "may be an effect of the difference above: fix that, and compare again"


def test_inputs_are_not_modified():
    first, second = recorded(0), changed(1, normalize)
    before = [x.copy() for each in (first, second) for x in each.values()]
    compare_recordings(first, second, names=NAMES)
    for x, y in zip(before, [x for each in (first, second) for x in each.values()], strict=True):
        np.testing.assert_array_equal(x, y)
