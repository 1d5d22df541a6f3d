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
