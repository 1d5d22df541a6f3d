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
        threshold: How large the effect must be to count.
        meaning: What the difference usually means.
        change: What to change.
        lesson: Number of the lesson that explains it.
    """

    threshold: str
    meaning: str
    change: str
    lesson: int


_TOGETHER = (
    f"a score lower by {BROKEN:g} than between parts of the first recording; undoing the difference must close "
    f"{100 * (1 - RESTORED):.0f} % of the gap to 1 in each quarter of the recording"
)
MEANINGS = {
    "size": Meaning(
        threshold="a different number of features",
        meaning="The two recordings cannot be inputs of the same policy. Usual reasons are terms that the robot has no "
        "sensor for (base_lin_vel), a height scan or a history.",
        change="use the same observation terms on both sides, in the same order, with the same history_length",
        lesson=4,
    ),
    "history": Meaning(
        threshold="another position",
        meaning="The history of observations has a different layout. Isaac Lab and mjlab keep all frames of a term "
        "together, the oldest first; other programs put one complete frame after another, or the newest first. The "
        "mean and std of all features stay the same, so statistics of single features do not show this.",
        change="build the history as in training: the order of frames, and whether it is grouped by term or by frame",
        lesson=3,
    ),
    "constant": Meaning(
        threshold="constant in one recording, while the other varies within an episode",
        meaning="A sensor is missing, or a term is filled with zeros. The policy learned to use features that varied "
        "in training. If a feature was constant in training instead, the normalizer now divides it by a std near 0.",
        change="give the policy the real term, or train without it",
        lesson=4,
    ),
    "spike": Meaning(
        threshold=f"{ABSURD:g} times as far from the median as {100 * (1 - FEW):.0f} % of the samples",
        meaning="No sensor can have measured such a value. Usual reasons are a truncated message, an encoder that "
        "wrapped around, or uninitialized memory. One such step is enough for a wild action. The other tests ignore "
        "these values.",
        change="find out where the value comes from; clip observations to their range in training before the network",
        lesson=4,
    ),
    "fallen": Meaning(
        threshold=f"{TILT:g}° beyond the largest tilt of the first recording, or below its lowest height by half its "
        f"range, in {100 * PART:.0f} % of the samples",
        meaning="The robot fell, and the recording continued. Observations of a robot on the ground show nothing about "
        "the time before. The other lines of the report are about the time before the fall.",
        change="end the recording at the fall, or set `dones` there; then find out why it fell",
        lesson=6,
    ),
    "held": Meaning(
        threshold=f"{100 * HELD:.0f} % of the steps",
        meaning="The sensor or its messages are slower than the control loop, so the policy acts on old values.",
        change="increase the rate of the sensor, or train with a decimation that is as slow",
        lesson=3,
    ),
    "normalized": Meaning(
        threshold="mean 0 and std 1 in 85 % of the features of one recording, and in less than half of the other's",
        meaning="One recording was made before the normalizer, the other after it. If the robot's network gets "
        "normalized observations and contains a normalizer, it normalizes twice.",
        change="record both at the same point; give raw observations to a network that contains its normalizer",
        lesson=4,
    ),
    "length": Meaning(
        threshold=f"{100 * LENGTH:.0f} % more than in the first recording",
        meaning="The components of a vector of constant length (projected gravity, quaternion, sine and cosine) do not "
        "fit together: one is missing, or has a different sign, scale or time.",
        change="check the code that assembles this vector",
        lesson=4,
    ),
    "lag": Meaning(
        threshold="one step, in most features of a term",
        meaning="When these values reach the policy, they are older than the others, unlike in simulation. Usual "
        "reasons are a filter, a message queue, or the order of reading, acting and writing in the loop.",
        change="read the sensors immediately before the policy, or train with the delay",
        lesson=3,
    ),
    "order": Meaning(
        threshold=_TOGETHER,
        meaning="The same values are at different positions. Isaac Lab sorts joints by kind across all legs, URDF "
        "files and SDKs leg by leg (FL FR RL RR, or FR FL RR RL). Terms are concatenated as configured, or sorted by "
        "name. A history begins with its oldest or its newest frame.",
        change="map joints by name on both sides; build the observation from the list of terms used in training",
        lesson=4,
    ),
    "sign": Meaning(
        threshold=_TOGETHER,
        meaning="A joint turns in the opposite direction from the model, an axis of the IMU is reversed, or a rotation "
        "is inverted (gravity in the world frame instead of the body frame).",
        change="correct the direction of the joint or axis, in observations and in actions",
        lesson=4,
    ),
    "scale": Meaning(
        threshold=f"a factor of {EXACT:g} between position and velocity, {FACTOR:g} in size, or "
        f"{100 * LENGTH:.0f} % in length",
        meaning="The units differ, or an observation scale is applied on one side only. The network gets values unlike "
        "any in training, and saturates or ignores them.",
        change="use the same units and scale of the term as in training",
        lesson=4,
    ),
    "time step": Meaning(
        threshold=f"a factor of {STEP:g}, and more than noise can cause",
        meaning="The loop runs at a different rate than in training, so each action of the policy lasts longer or "
        "shorter.",
        change="set the rate of the control loop to 1 / (sim.dt * decimation) of the training",
        lesson=3,
    ),
    "clipped": Meaning(
        threshold=f"{100 * CLIPPED:.0f} % of the samples at the limit, and in the other recording "
        f"{100 * BEYOND:.0f} % beyond it",
        meaning="A sensor saturates, or one side clips observations or actions and the other does not.",
        change="check the clip of the term, clip_actions of the wrapper, and the range of the sensor",
        lesson=4,
    ),
    "noise": Meaning(
        threshold=f"{100 * NOISE:.0f} % of the variance",
        meaning="The sensor is noisier than in training, so the robot shakes. The usual case is a velocity obtained by "
        "differentiating an encoder.",
        change="filter the sensor on the robot, or train with as much noise",
        lesson=5,
    ),
    "shift": Meaning(
        threshold=f"{SHIFT:g} std, and {SURE:g} standard errors",
        meaning="There is an offset: the default pose was not subtracted from joint positions, the zero of an encoder "
        "is wrong, or an IMU is tilted. Or the conditions differed, such as a slope or a different load.",
        change="correct the offset of the term (default joint positions)",
        lesson=4,
    ),
    "motion": Meaning(
        threshold=f"{100 * OTHERWISE:.0f} % of the features, each shifted by {2 * SHIFT:g} std or with 3 times the std",
        meaning="The observations are consistent with each other, but the robot moves differently: it fell, stands "
        "still or follows other commands, or the actions have a different effect (scale, offset, gains, delay).",
        change="compare recordings of the same task; then check the action side: scale, default pose, kp and kd",
        lesson=6,
    ),
    "actions": Meaning(
        threshold="5 % of the std of the actions",
        meaning="This checkpoint does not return the recorded actions for these observations. Another network or "
        "normalizer acted, or the actions were scaled or clipped before they were recorded.",
        change="run `rsl-edu compare CHECKPOINT EXPORT` to find out which",
        lesson=6,
    ),
}
