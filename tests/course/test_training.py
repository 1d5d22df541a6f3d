"""A training uses the learner's functions that are right, and reports which ones it uses."""

import matplotlib.pyplot as plt
import pytest
import torch

from rsl_edu.course import check, training
from rsl_edu.course.training import (
    STEP_FAULTS,
    Parts,
    Watch,
    gradient_step,
    make_robots,
    mean_return,
    save,
    step_fault,
    working_parts,
)


def zeroed_at_the_end(loss, models, optimizer, max_grad_norm):
    loss.backward()
    for model in models:
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)
    optimizer.step()
    for model in models:
        model.zero_grad()


def raises(loss, models, optimizer, max_grad_norm):
    raise ValueError("no loss")


def unanswered(*_):
    raise NotImplementedError


def endless(*_):
    while True:
        pass


@pytest.mark.parametrize("answer", [gradient_step, zeroed_at_the_end])
def test_right_gradient_step_has_no_fault(answer):
    assert step_fault(answer) is None


@pytest.mark.parametrize("words", STEP_FAULTS)
def test_fault_of_a_wrong_gradient_step_is_named(words):
    assert step_fault(STEP_FAULTS[words]) == words


def test_gradient_step_that_raises_or_never_ends_is_reported_as_a_fault():
    assert step_fault(raises) == "yours raises ValueError: no loss"
    assert step_fault(unanswered) == "not answered yet"
    assert "ran for more than" in step_fault(endless, seconds=0.1)


def clipped_too_early(loss, models, optimizer, max_grad_norm):
    optimizer.zero_grad()
    for model in models:
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)
    loss.backward()
    optimizer.step()


def clipped_too_late(loss, models, optimizer, max_grad_norm):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    for model in models:
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)


def test_clipping_before_backward_or_after_step_is_named():
    clip = torch.nn.utils.clip_grad_norm_
    assert "before loss.backward()" in step_fault(clipped_too_early)
    assert "after optimizer.step()" in step_fault(clipped_too_late)
    assert torch.nn.utils.clip_grad_norm_ is clip


def test_unknown_wrong_gradient_step_is_a_fault():
    def twice(loss, models, optimizer, max_grad_norm):
        gradient_step(loss, models, optimizer, max_grad_norm)
        optimizer.step()

    assert "weights are not what" in step_fault(twice)


def test_checking_a_step_does_not_change_the_random_numbers():
    torch.manual_seed(0)
    wanted = torch.rand(3)
    torch.manual_seed(0)
    step_fault(gradient_step)
    assert torch.equal(torch.rand(3), wanted)


def test_wrong_functions_are_replaced_with_the_lessons(capsys):
    def bootstrap(rewards, values, time_outs, gamma):
        return torch.where(time_outs > 0, rewards + gamma * values, rewards)

    def surrogate_loss(log_prob, old_log_prob, advantage, clip):
        return log_prob.mean()

    parts = working_parts(
        advantages=unanswered, bootstrap=bootstrap, surrogate_loss=surrogate_loss, gradient_step=unanswered
    )
    assert parts == Parts(bootstrap=bootstrap)
    assert parts.advantages is check.EXERCISES["advantages"].reference
    assert capsys.readouterr().out.splitlines() == [
        "advantages      the lesson's (not answered yet)",
        "bootstrap       yours",
        "surrogate_loss  the lesson's (your loss is wrong in this case: the same policy, so a ratio of 1)",
        "gradient_step   the lesson's (not answered yet)",
    ]


def test_verdict_of_a_slow_answer_is_cached(monkeypatch, capsys):
    calls = []

    def wrong(*_):
        calls.append(1)
        return torch.zeros(1)

    monkeypatch.setattr(training, "_slow", {})
    working_parts(bootstrap=wrong)
    once = len(calls)
    monkeypatch.setattr(training, "SLOW", -1.0)
    working_parts(bootstrap=wrong)
    assert len(calls) == 2 * once
    working_parts(bootstrap=wrong)
    assert len(calls) == 2 * once
    assert len(set(capsys.readouterr().out.splitlines())) == 1
    working_parts(bootstrap=lambda *_: wrong())
    assert len(calls) == 3 * once


def test_mean_return_stops_when_the_pendulum_falls():
    assert mean_return(lambda observation: torch.full((len(observation), 1), 3.0), episodes=2) < 20


def test_robots_have_a_time_limit():
    robots = make_robots("InvertedPendulum-v5", 2, time_limit=2)
    robots.reset(seed=0)
    ends = [robots.step(torch.zeros(2, 1).numpy())[3].tolist() for _ in range(2)]
    robots.close()
    assert ends == [[False, False], [True, True]]


def test_checkpoint_has_rsl_rls_name_and_layout(tmp_path):
    save(tmp_path / "run", 3, actor=torch.nn.Linear(1, 1))
    stored = torch.load(tmp_path / "run" / "model_3.pt", weights_only=True)
    assert {*stored} == {"actor_state_dict", "iter", "infos"}


def test_watch_has_a_panel_for_each_curve(monkeypatch):
    monkeypatch.setenv("TQDM_DISABLE", "1")
    watch, log = Watch(5, band={"KL": (0.005, 0.02)}), [{"return": 1.0, "KL": 0.01}]
    watch(log)
    watch([*log, {"return": 20.0, "KL": 0.02}], last=True)
    assert [panel.get_title() for panel in watch.panels] == ["return", "KL"]
    assert watch.panels[0].lines[0].get_ydata().tolist() == [1.0, 20.0]
    assert not plt.fignum_exists(watch.figure.number)


def test_step_that_exits_or_is_none_is_reported(capsys):
    def leaves(*_):
        raise SystemExit

    for answer, words in ((leaves, "yours raises SystemExit"), (None, "expected a function, got NoneType")):
        working_parts(gradient_step=answer)
        assert words in capsys.readouterr().out


def test_unknown_part_is_refused_before_anything_is_checked(capsys):
    with pytest.raises(ValueError, match=r"answers: expected names of advantages, .*; got Advantages"):
        working_parts(gradient_step=gradient_step, Advantages=None)
    assert capsys.readouterr().out == ""


def test_step_with_another_norm_or_update_rule_is_a_fault():
    def fixed_norm(loss, models, optimizer, max_grad_norm):
        gradient_step(loss, models, optimizer, 1.0)

    def by_hand(loss, models, optimizer, max_grad_norm):
        optimizer.step, step = (lambda: None), optimizer.step
        gradient_step(loss, models, optimizer, max_grad_norm)
        optimizer.step = step
        with torch.no_grad():
            for weight in (weight for model in models for weight in model.parameters()):
                weight -= 0.1 * weight.grad

    assert step_fault(fixed_norm)
    assert step_fault(by_hand)
