"""An answer with a typical endless loop."""

import torch

from rsl_edu.course import check
from rsl_edu.course.check import judging


def counts_nothing(rewards, values, dones, last_value, gamma, lam):
    result, advantage, t = torch.zeros_like(rewards), 0, len(rewards) - 1
    while t >= 0:
        following = last_value if t == len(rewards) - 1 else values[t + 1]
        advantage = rewards[t] - values[t] + gamma * (1 - dones[t]) * (following + lam * advantage)
        result[t] = advantage
    return result


def test_endless_loop_is_stopped_and_one_of_its_lines_is_named(monkeypatch):
    monkeypatch.setattr(judging, "_SECONDS", 0.2)
    verdict = check.advantages(counts_nothing)
    assert verdict.mistake == "stopped"
    headline, tried, line, advice = verdict.message.splitlines()
    assert headline == "your code was stopped: it ran for more than 0.2 s."
    assert tried.startswith("  tried:    advantages(rewards=[[3]]")
    assert any(text in line for text in ("while t >= 0", "following =", "advantage =", "result[t] ="))
    assert "Does a loop never end?" in advice
    monkeypatch.undo()
    assert check.advantages(check.advantages.reference).passed
