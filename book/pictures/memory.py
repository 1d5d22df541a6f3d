"""Lesson 3: which hidden states are reset, and when: correctly, and as it was in rsl_rl."""

import torch

from rsl_edu import data

from .body import ant, body
from .svg import BLUE, FAINT, INK, ORANGE, RED, line, picture, shade, text

STEP, ROW, TOP = 2.5, 10.5, 126
ANT = 14
"""The robot whose first episode is drawn pose by pose."""


def draw() -> str:
    """Return the picture."""
    run = data.rollout("Ant-v5", steps=128, envs=16)
    dones = run.dones.long()  # [steps, envs]
    should = dones.bool()
    was = torch.zeros_like(should)
    for t, done in enumerate(dones):
        hidden = torch.ones(1, 16, 1)
        hidden[..., done, :] = 0.0  # the line in rsl_rl: integers are used as an index
        was[t] = hidden[0, :, 0] == 0
    parts = [
        *_episode(ant(run, ANT)),
        *_panel(52, "Hidden states reset correctly", should, should),
        *_panel(418, "In rsl_rl, without an error message", should, was),
        text(42, TOP + 6, "0", "end muted"),
        text(42, TOP + 15 * ROW + 6, "15", "end muted"),
        f'<text transform="translate(24 {TOP + 108}) rotate(-90)" class="middle muted">robot</text>',
        text(52 + 64 * STEP, TOP + 194, "128 steps", "middle muted"),
        *_legend(),
    ]
    title = "16 robots: rsl_rl's line kept hidden states past the end of an episode, and reset robot 0 at each step."
    return picture(372, title, *parts)


def _episode(motion: data.Motion) -> list[str]:
    """Return the poses of one ant until its episode ends, and the reason."""
    floor, last = 68, len(motion.ends) - 1
    parts = [
        text(24, floor - 20, f"robot {ANT}", "head"),
        text(24, floor, "one of 16 ants", "muted"),
        line([(136, floor + 1), (602, floor + 1)], FAINT),
    ]
    for place, step in enumerate(range(3, last + 1, 3)):
        parts.append(body(motion, step, 168 + 67 * place, floor, 32, BLUE))
    return [
        *parts,
        line([(612, floor - 44), (612, floor + 1)], INK, 1.6),
        text(622, floor - 20, "it jumps:"),
        text(622, floor, "an episode ends"),
    ]


def _panel(left: float, name: str, ends: torch.Tensor, erased: torch.Tensor) -> list[str]:
    parts = [text(left, TOP - 24, name, "head")]
    for robot in range(ends.shape[1]):
        y = TOP + ROW * robot
        foreign, start, segments = False, 0, []
        for t in range(len(ends)):
            end, gone = bool(ends[t, robot]), bool(erased[t, robot])
            if not (end or gone):
                continue
            segments.append((start, t, foreign))
            if gone and not end:
                segments.append((t, t, None))  # reset in the middle of an episode
            foreign, start = not gone and (foreign or end), t + 1
        segments.append((start, len(ends) - 1, foreign))
        for number, (first, last, kind) in enumerate(segments):
            if last < first:
                continue
            colour = ORANGE if kind is None else RED if kind else (BLUE, shade(BLUE, 0.65))[number % 2]
            x = left + STEP * first, left + STEP * last + (STEP - 1.5 if kind is None else 1)
            parts.append(f'<path d="M{x[0]:.1f} {y:.1f}H{x[1]:.1f}" stroke="{colour}" stroke-width="6"/>')
        for t in ends[:, robot].nonzero().flatten().tolist():
            x = left + STEP * (t + 0.8)
            parts.append(line([(x, y - 5), (x, y + 5)], INK, 1.6))
    parts.append(line([(left, TOP + 178), (left + 128 * STEP, TOP + 178)], FAINT, 1))
    return parts


def _legend() -> list[str]:
    entries = (
        (24, BLUE, "hidden state of an episode"),
        (262, shade(BLUE, 0.65), "of the next"),
        (384, RED, "of earlier episodes, too"),
        (576, ORANGE, "reset too early"),
    )
    parts = []
    for x, colour, words in entries:
        parts += [f'<path d="M{x} {TOP + 222}h18" stroke="{colour}" stroke-width="6"/>', text(x + 26, TOP + 227, words)]
    return parts
