"""What each kind of difference usually means, and what to change."""

from __future__ import annotations

import dataclasses

from .falls import PART, TILT
from .limits import BEYOND, CLIPPED
from .noise import NOISE
from .repairs import BROKEN, RESTORED
from .scales import EXACT, FACTOR, LENGTH, STEP
from .spikes import ABSURD, FEW
from .values import HELD, OTHERWISE, SHIFT, SURE


@dataclasses.dataclass(frozen=True)
class Meaning:
    """A row of the table of differences.

    Attributes:
        threshold: From where on it is one.
        meaning: What it usually means.
        change: What to change.
        lesson: Number of the lesson that explains it.
    """

    threshold: str
    meaning: str
    change: str
    lesson: int


_TOGETHER = (
    f"an agreement (1: as in the first, -1: the opposite) lower by {BROKEN:g} than the first's own parts have; undoing "
    f"it restores {100 * (1 - RESTORED):.0f} % of what is missing to 1, in each quarter of the recording"
)
MEANINGS = {
    "size": Meaning(
        threshold="the same number",
        meaning="The policy of the one recording cannot have been fed the other. Terms that the robot has no sensor "
        "for (base_lin_vel), a height scan or a history are usual reasons.",
        change="the observation groups: the same terms, in the same order, with the same history_length",
        lesson=4,
    ),
    "history": Meaning(
        threshold="another place",
        meaning="A history of observations is laid out otherwise. Isaac Lab and mjlab keep all frames of a term "
        "together, the oldest first; others put one frame after another, or the newest first. Mean and std of all "
        "features stay the same, so no statistic of single features shows it.",
        change="build the history as the training does: the order of frames, and whether terms or frames come first",
        lesson=3,
    ),
    "constant": Meaning(
        threshold="never another value, where the other varies within an episode",
        meaning="A sensor that is absent, or a term that is filled with zeros. The policy learned to use what moved in "
        "training; where the training never moved it, the normalizer divides by a std near 0.",
        change="feed the term, or train without it",
        lesson=4,
    ),
    "spike": Meaning(
        threshold=f"{ABSURD:g} times as far from the median as {100 * (1 - FEW):.0f} % of the samples",
        meaning="A value that no sensor can have measured: a message cut short, an encoder that wrapped around, memory "
        "that was never written. One such step is enough for a wild action. The other tests leave these values out.",
        change="find out who writes it; clip observations to what the training had, before the network",
        lesson=4,
    ),
    "fallen": Meaning(
        threshold=f"{TILT:g}° beyond the largest tilt of the first, or half its range below the least height, in "
        f"{100 * PART:.0f} % of the samples",
        meaning="The robot fell and was recorded further: what it sees while it lies says nothing of what it saw "
        "before. The report's other lines are about the time before the fall.",
        change="end the recording, or set `dones`, at the fall; then look for what made it fall",
        lesson=6,
    ),
    "held": Meaning(
        threshold=f"{100 * HELD:.0f} % of the steps",
        meaning="The sensor, or the message that brings it, is slower than the control loop: the policy acts on old "
        "values.",
        change="the rate of the sensor, or a decimation in training that is as slow",
        lesson=3,
    ),
    "normalized": Meaning(
        threshold="mean 0 and std 1 in 85 % of the features of one recording, in less than half of the other's",
        meaning="One was recorded before the normalizer, the other behind it. If the robot's network is fed what is "
        "already normalized, its normalizer is applied twice.",
        change="record both at the same place; feed raw observations to a network that holds its normalizer",
        lesson=4,
    ),
    "length": Meaning(
        threshold=f"{100 * LENGTH:.0f} % more than in the first",
        meaning="The parts of a vector of fixed length (projected gravity, quaternion, sine and cosine) do not belong"
        " together: one is missing, or has another sign, scale or time.",
        change="the code that assembles this vector",
        lesson=4,
    ),
    "lag": Meaning(
        threshold="one step, in most features of a term",
        meaning="These values are older than the others by the time they reach the policy. In simulation they are "
        "not: a filter, a message queue, or the order of read, act and write in the loop.",
        change="read sensors right before the policy; or train with the delay",
        lesson=3,
    ),
    "order": Meaning(
        threshold=_TOGETHER,
        meaning="The same values in other places. Isaac Lab orders joints by kind over all legs, URDF files and SDKs "
        "leg by leg (FL FR RL RR, or FR FL RR RL); terms are concatenated as configured, or by their names; a"
        " history begins with its oldest or its newest frame.",
        change="map joints by name on both sides; build the observation from the list of terms of the training",
        lesson=4,
    ),
    "sign": Meaning(
        threshold=_TOGETHER,
        meaning="A joint that turns the other way than in the model, an axis of the IMU, or the inverse of a rotation"
        " (gravity in the world's frame instead of the body's).",
        change="the direction of the joint or axis, in observations and in actions",
        lesson=4,
    ),
    "scale": Meaning(
        threshold=f"{EXACT:g} times by velocities, {FACTOR:g} times by size, {100 * LENGTH:.0f} % by length",
        meaning="Other units, or an observation scale that is applied on one side only. The network sees values that "
        "it never saw, and saturates or ignores them.",
        change="units and scale of the term, as the training has them",
        lesson=4,
    ),
    "time step": Meaning(
        threshold=f"{STEP:g} times, and more than noise can do",
        meaning="The loop runs at another rate than in training: the same policy then acts for longer, or shorter, on"
        " each observation.",
        change="rate of the control loop = 1 / (sim.dt * decimation) of the training",
        lesson=3,
    ),
    "clipped": Meaning(
        threshold=f"{100 * CLIPPED:.0f} % of the samples at the limit, {100 * BEYOND:.0f} % beyond it in the other",
        meaning="A sensor saturates, or one side clips observations or actions and the other does not.",
        change="clip of the term, clip_actions of the wrapper, range of the sensor",
        lesson=4,
    ),
    "noise": Meaning(
        threshold=f"{100 * NOISE:.0f} % of the variance",
        meaning="The sensor is noisier than in training. Velocities from differentiated encoders are the usual case; "
        "the policy answers with shaking.",
        change="a filter on the robot, or as much noise in training",
        lesson=5,
    ),
    "shift": Meaning(
        threshold=f"{SHIFT:g} std, and {SURE:g} standard errors",
        meaning="An offset: joint positions without the default pose taken off, the zero of an encoder, the tilt of "
        "an IMU. Or the robot was somewhere else: on a slope, with another load.",
        change="the offset of the term (default joint positions)",
        lesson=4,
    ),
    "motion": Meaning(
        threshold=f"{100 * OTHERWISE:.0f} % of the features, each by {2 * SHIFT:g} std or 3 times the std",
        meaning="Nothing is wrong with how the observations go together, but the robot does something else: it fell, "
        "or stands, or follows other commands; or the actions act differently (scale, offset, gains, delay).",
        change="compare recordings of the same task; then look at the action side: scale, default pose, kp and kd",
        lesson=6,
    ),
    "actions": Meaning(
        threshold="5 % of the std of the actions",
        meaning="The recorded actions are not what this checkpoint does with these observations: another network, "
        "another normalizer, or actions that were scaled or clipped before they were recorded.",
        change="`rsl-edu compare CHECKPOINT EXPORT` tells which",
        lesson=6,
    ),
}
