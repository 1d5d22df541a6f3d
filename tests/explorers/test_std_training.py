"""Explorer *std under training*: each parametrization has its symptom, and the numbers match the library."""

import dataclasses
import math
import re

import numpy as np
import pytest
import torch
from recomputed import equalities, evaluated

from rsl_edu.explorers.bench.drawing import Drawing
from rsl_edu.explorers.std_training import CHEETAH, StdTraining
from rsl_edu.explorers.std_training.picture import GAP, spread
from rsl_edu.explorers.std_training.state import STEPS
from rsl_edu.modules import GaussianDistribution

FLOAT32 = 1e-5
WHOLE = {"parameter": "scalar", "steps": STEPS}
FROZEN = {"parameter": "frozen", "steps": STEPS}


@pytest.fixture(scope="module")
def cheetah():
    return StdTraining()


def small(samples=200, joints=2, **state):
    """Rewards that a linear and a quadratic term explain fully; exploration lowers them."""
    actions = 2 * torch.rand(samples, joints, generator=torch.Generator().manual_seed(0)) - 1
    return StdTraining(actions, 0.5 * actions[:, 0] - actions.square().sum(1), **state)


def line(figure, label, axes=0):
    return next(line for line in figure.axes[axes].lines if line.get_label() == label)


def test_captions_of_the_corners_differ(cheetah):
    results = [cheetah.compute(state) for state in cheetah.corners()]
    captions = {cheetah.title(result) + cheetah.describe(result) for result in results}
    assert len(captions) > 8  # a few corners equal the default
    assert all(len(cheetah.describe(result)) <= 420 for result in results)


def test_caption_names_no_joint_before_the_first_step(cheetah):
    caption = cheetah.describe(cheetah.compute(cheetah.at(steps=0)))
    assert not any(name in caption for name in CHEETAH)


def test_fit_recovers_a_quadratic_reward():
    explorer = small()
    assert explorer.linear.tolist() == pytest.approx([0.5, 0.0], abs=FLOAT32)
    assert explorer.square.tolist() == pytest.approx([-1.0, -1.0], abs=FLOAT32)
    assert explorer.reward(torch.tensor([0.5, 0.0])).item() == pytest.approx(0.0, abs=FLOAT32)


def test_exploration_lowers_the_reward_for_every_joint(cheetah):
    assert (cheetah.square < 0).all()


@pytest.mark.parametrize("parameter", ["scalar", "log"])
def test_first_gradient_and_entropy_match_the_library(parameter):
    explorer = small()
    result = explorer.compute(explorer.at(parameter=parameter, steps=0, init=0.5, entropy=0.1, batch=32, seed=3))
    policy = GaussianDistribution(2, init_std=0.5, std_type=parameter)
    policy.update(torch.zeros(32, 2))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        actions = policy.sample()
    reward = explorer.reward(actions)
    advantage = (reward - reward.mean()) / reward.std()
    (-(advantage * policy.log_prob(actions)).mean() - 0.1 * policy.entropy.mean()).backward()
    (param,) = policy.parameters()
    assert result.gradient[0] == pytest.approx(param.grad[list(result.joints)].numpy(), abs=FLOAT32)
    assert result.entropy[0] == pytest.approx(policy.entropy[0].item(), abs=FLOAT32)
    assert result.reward[0] == pytest.approx(reward.mean().item(), abs=FLOAT32)


def test_first_adam_step_has_the_size_of_the_learning_rate(cheetah):
    result = cheetah.compute(cheetah.at(parameter="scalar", steps=5, rate=0.003))
    np.testing.assert_allclose(result.asked[1] - result.asked[0], -0.003 * np.sign(result.gradient[0]), atol=FLOAT32)


def test_entropy_follows_from_the_stds(cheetah):
    result = cheetah.compute(cheetah.at(**WHOLE, rate=0.001))
    each = np.log(result.asked) + 0.5 * math.log(2 * math.pi * math.e)
    np.testing.assert_allclose(result.entropy, each.sum(1), atol=1e-4)


class Unclamped(GaussianDistribution):
    """A std without a lower limit, sampled as in rsl_rl."""

    def sample(self):
        return torch.normal(self.mean.detach(), self.std.detach())

    def _std_of(self, raw):
        return raw, None


class Frozen(GaussianDistribution):
    """A clamped std, whose gradient is zero beyond the limits."""

    def _std_of(self, raw):
        return raw.clamp(*self.std_range), None


KINDS = {"scalar": GaussianDistribution, "log": GaussianDistribution, "unclamped": Unclamped, "frozen": Frozen}


def trained_by_the_library(explorer, steps, parameter, rate, entropy, init, batch, raw, seed):
    """Train with a distribution, autograd and torch's Adam; return std, gradient, entropy and reward of each step."""
    joints = len(explorer.linear)
    rows = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        policy = KINDS[parameter](joints, init_std=init, std_type="log" if parameter == "log" else "scalar")
        (param,) = policy.parameters()
        mean = torch.zeros(joints, requires_grad=True)
        adam = torch.optim.Adam([mean, param], lr=rate)
        for _ in range(steps):
            policy.update(mean.expand(batch, joints))
            try:
                actions = policy.sample()
            except RuntimeError as raised:
                return rows, str(raised)
            reward = explorer.reward(actions)
            advantage = (reward - reward.mean()) / (1 if raw else reward.std() + 1e-8)
            adam.zero_grad()
            (-(advantage * policy.log_prob(actions)).mean() - entropy * policy.entropy[0]).backward()
            asked = (param.clamp(*policy.log_std_range).exp() if parameter == "log" else param).detach().clone()
            rows.append((asked, param.grad.clone(), policy.entropy[0].item(), reward.mean().item()))
            torch.nn.utils.clip_grad_norm_([mean, param], 1.0)
            adam.step()
    return rows, ""


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("parameter", list(KINDS))
def test_every_step_matches_the_library_with_autograd(cheetah, parameter, raw):
    setting = {"parameter": parameter, "rate": 0.02, "entropy": 0.02, "init": 0.5, "batch": 32, "raw": raw, "seed": 4}
    training = cheetah._train(*setting.values())
    below = np.flatnonzero((training.asked < 1e-6).any(1))
    # Just below the limit, the gradient is huge and rounding errors grow, so compare only a few steps further.
    steps = min(STEPS, below[0] + 3) if len(below) else STEPS
    rows, error = trained_by_the_library(cheetah, steps, **setting)
    assert error == (training.error if parameter == "unclamped" else "")
    assert steps < STEPS or parameter == "log" or raw  # most of them reach the limit
    asked, gradient, entropy, reward = ([row[i] for row in rows] for i in range(4))
    shown = slice(len(rows))
    np.testing.assert_allclose(training.asked[shown], torch.stack(asked), atol=1e-4)
    np.testing.assert_allclose(training.gradient[shown], torch.stack(gradient), rtol=1e-2, atol=1e-2)
    np.testing.assert_allclose(training.entropy[shown], entropy, atol=1e-2)
    np.testing.assert_allclose(training.reward[shown], reward, atol=1e-4)


def test_std_without_a_clamp_crashes_with_the_error_of_torch(cheetah):
    result = cheetah.compute(cheetah.at(parameter="unclamped", steps=STEPS))
    assert result.error == "normal expects all elements of std >= 0.0"
    assert result.asked[-1, 0] < 0 < result.asked[:-1].min()  # the joint with the lowest std comes first
    assert result.below == len(result.asked) - 1 < STEPS
    assert np.isnan(result.gradient[-1]).all()
    assert cheetah.title(result).startswith(f"Crash at step {result.below}: the std of back thigh is below zero")
    assert result.error in cheetah.describe(result)
    assert cheetah.numbers(result)["below zero"] == f"✗ crash, step {result.below}"


def test_no_text_mentions_the_crash_before_it_happens(cheetah):
    crash = cheetah.compute(cheetah.at(parameter="unclamped", steps=STEPS)).below
    result = cheetah.compute(cheetah.at(parameter="unclamped", steps=crash - 1 - crash % 5))
    assert result.below is None
    assert not result.error
    assert "rash" not in cheetah.title(result) + cheetah.describe(result) + str(cheetah.numbers(result))


def test_logged_mean_is_above_zero_at_the_crash(cheetah):
    assert cheetah.compute(cheetah.at(parameter="unclamped", steps=STEPS)).mean[-1] > 0.1


def test_plain_clamp_has_no_gradient_and_freezes_the_std(cheetah):
    result = cheetah.compute(cheetah.at(parameter="frozen", steps=STEPS))
    frozen = result.asked[-1] < 0
    assert frozen.any()
    assert not frozen.all()
    last = result.gradient[-100:, frozen]
    assert (last == 0).all()
    assert (result.asked[-100:, frozen] < 0).all()
    assert f"has frozen {frozen.sum()} of 6 stds, the first at step {result.below}" in cheetah.title(result)
    assert cheetah.numbers(result)["gradient"] == "0"


def test_clamped_std_of_the_library_recovers(cheetah):
    result = cheetah.compute(cheetah.at(**WHOLE))
    least = result.asked.min(1)
    assert (np.diff((least > 0).astype(int)) == 1).any()  # below zero, then above it
    assert result.below == cheetah.compute(cheetah.at(parameter="unclamped", steps=STEPS)).below


def test_log_of_the_std_never_reaches_zero(cheetah):
    for rate in cheetah.controls["rate"].positions():
        result = cheetah.compute(cheetah.at(parameter="log", rate=rate, steps=STEPS))
        assert result.asked.min() > 0
        assert result.below is None


def test_entropy_bonus_prevents_the_crash(cheetah):
    assert cheetah.compute(cheetah.at(parameter="unclamped", entropy=0.0, steps=STEPS)).error
    assert not cheetah.compute(cheetah.at(parameter="unclamped", entropy=0.5, steps=STEPS)).error


def test_small_learning_rate_slows_the_decrease_of_the_std(cheetah):
    stds = [cheetah.compute(cheetah.at(**WHOLE, rate=rate)).std for rate in (1e-4, 1e-3, 3e-3)]
    assert stds[0] > stds[1] > stds[2] > 0


def test_standardized_advantages_crash_and_raw_ones_do_not(cheetah):
    unit, raw = (
        cheetah.compute(cheetah.at(parameter="unclamped", rate=0.01, raw=raw, steps=STEPS)) for raw in (False, True)
    )
    assert unit.error
    assert not raw.error


def test_result_does_not_depend_on_the_global_generator(cheetah):
    one, other = StdTraining(), StdTraining()
    first = one.compute(one.at(seed=1)).asked
    torch.manual_seed(99)
    before = torch.random.get_rng_state()
    np.testing.assert_array_equal(other.compute(other.at(seed=1)).asked, first)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_artists_follow_the_data(cheetah):
    result = cheetah.compute(cheetah.at(steps=50))
    figure = cheetah.render(steps=50)
    for place, joint in enumerate(result.joints):
        assert result.names[place] == CHEETAH[joint]
        for axes, series in ((0, result.asked), (1, result.gradient)):
            np.testing.assert_array_equal(line(figure, CHEETAH[joint], axes).get_ydata(), series[:, place])
    np.testing.assert_array_equal(line(figure, "logged mean").get_ydata(), result.mean)
    np.testing.assert_array_equal(figure.axes[2].lines[0].get_ydata(), result.entropy)
    np.testing.assert_array_equal(figure.axes[3].lines[0].get_ydata(), result.mean)


def test_crash_is_marked_in_every_panel(cheetah):
    crash = cheetah.compute(cheetah.at()).below
    figure = cheetah.render()
    for axes in figure.axes:
        assert any(list(each.get_xdata()) == [crash, crash] for each in axes.lines)
    words = [text.get_text().replace("\n", " ") for text in figure.axes[0].texts]
    assert "✗ normal expects all elements of std >= 0.0" in words


def test_equal_steps_line_up_in_all_panels(cheetah):
    assert len({axes.get_xlim() for axes in cheetah.render().axes}) == 1


def test_texts_use_true_minus_signs(cheetah):
    for state in [*cheetah.corners(), *cheetah.grid(30)]:  # in one state a std is zero, so its gradient is undefined
        result = cheetah.compute(state)
        said = [cheetah.title(result), cheetah.describe(result), *cheetah.numbers(result).values()]
        said += [words for spot in cheetah.spots(result) for words in (spot.numbers, *spot.arithmetic)]
        assert not [words for words in said if re.search(r"-\d", words)]
    assert cheetah.numbers(cheetah.compute(cheetah.at(steps=100)))["entropy"].startswith("−")


def test_default_state_is_just_after_the_crash(cheetah):
    result = cheetah.compute(cheetah.at())
    assert result.error
    assert cheetah.at().steps - 5 < result.below <= cheetah.at().steps


@pytest.mark.parametrize("state", [{}, {"steps": 0}, {"steps": STEPS, "parameter": "log"}, {**WHOLE, "rate": 0.003}])
def test_names_at_the_lines_do_not_overlap(cheetah, state):
    result = cheetah.compute(cheetah.at(**state))
    axes = cheetah.render(**state).axes[0]
    heights = {text.get_text(): text.get_position()[1] for text in axes.texts if text.get_position()[1] != 0.2}
    names = [*(heights[name] for name in result.names), heights["logged mean"]]
    assert np.diff(sorted(names)).min() > 0.99 * GAP
    assert 0 < min(names) < max(names) < 1
    assert names[:-1] == sorted(names[:-1])  # in the order of their ends
    colours = {text.get_text(): text.get_color() for text in axes.texts}
    assert all(colours[name] == line(axes.figure, name).get_color() for name in CHEETAH)


@pytest.mark.parametrize("joints", [1, 2, 4])
def test_error_of_torch_does_not_overlap_the_names(joints):
    explorer = small(joints=joints, parameter="unclamped")
    for rate in (0.01, 0.02, 0.03, 0.1):
        state = explorer.at(rate=rate, steps=STEPS)
        if not explorer.compute(state).error or len(explorer.compute(state).asked) > 0.6 * STEPS:
            continue
        drawing = Drawing(explorer)
        drawing.move(explorer.compute(state))
        texts = [text for text in drawing.figure.axes[0].texts if text.get_text()]
        error = next(text for text in texts if text.get_text().startswith("✗")).get_window_extent()
        assert not [text for text in texts if text.get_text()[0] != "✗" and text.get_window_extent().overlaps(error)]


def test_names_are_moved_only_as_far_as_needed():
    np.testing.assert_allclose(spread(np.array([0.5, 0.2, 0.8])), [0.5, 0.2, 0.8])
    np.testing.assert_allclose(spread(np.array([0.5, 0.5])), [0.5 - GAP / 2, 0.5 + GAP / 2])


def test_title_is_short_and_correct_in_all_states(cheetah):
    for state in [*cheetah.corners(), *cheetah.grid(60)]:
        result = cheetah.compute(state)
        title, last = cheetah.title(result), result.asked[-1]
        assert len(title) <= 90, title
        assert title not in cheetah.describe(result)
        assert title.startswith("Crash") == bool(result.error)
        assert ("clamp" in title) == (result.below is not None and not result.error)
        if "shrinks" in title:
            assert 0 < last.min() < state.init
        if "grows" in title:
            assert last.min() > state.init


@pytest.mark.parametrize(
    ("state", "title"),
    [
        ({}, "Crash at step 102: the std of back thigh is below zero, though the mean is 0.16."),
        ({"steps": 0}, "Before the first step, all stds are 1."),
        (
            {"parameter": "frozen", "steps": STEPS},
            "The clamp has frozen 2 of 6 stds, the first at step 102: the gradient is zero.",
        ),
        (WHOLE, "From step 102, a std hits the clamp, but the gradient can raise it."),
        ({"rate": 0.003, "steps": STEPS}, "Exploration shrinks: after 300 steps, the lowest std is 0.12, down from 1."),
    ],
)
def test_titles(cheetah, state, title):
    assert cheetah.title(cheetah.compute(cheetah.at(**state))) == title


@pytest.mark.parametrize("parameter", list(KINDS))
@pytest.mark.parametrize("steps", [0, 50, 105, STEPS])
def test_arithmetic_of_a_joint_leads_to_its_next_std(cheetah, parameter, steps):
    state = cheetah.at(parameter=parameter, steps=steps)
    result = cheetah.compute(state)
    spots = {spot.name: spot for spot in cheetah.spots(result)}
    training = cheetah._train(parameter, state.rate, state.entropy, state.init, state.batch, state.raw, state.seed)
    for spot in spots.values():
        assert len(spot.arithmetic) <= 6
        assert max(map(len, spot.arithmetic), default=0) <= 100
    for joint, name in zip(result.joints, result.names, strict=True):
        lines = spots[name].arithmetic
        assert equalities(lines) >= 1
        said = next(one for one in lines if " after: " in one and "√" in one)
        after = evaluated(said.rpartition(" = ")[2])
        if result.step.number + 1 < len(training.parameter):
            assert after == pytest.approx(training.parameter[result.step.number + 1, joint], rel=2e-3, abs=2e-5)
    assert equalities(spots["mean std"].arithmetic) == 1
    assert equalities(spots["entropy"].arithmetic) >= 2


def test_spot_of_a_joint_marks_its_lines(cheetah):
    result = cheetah.compute(cheetah.at())
    spots = {spot.name: spot for spot in cheetah.spots(result)}
    for place, name in enumerate(result.names):
        marks = spots[name].marks
        assert {mark.panel for mark in marks} == {"std", "gradient"}
        for mark in marks:
            series = result.asked if mark.panel == "std" else result.gradient
            assert mark.y == pytest.approx(series[mark.x, place])
    assert spots["step 102"].arithmetic == spots["back thigh"].arithmetic


def test_steps_can_be_dragged_in_every_panel(cheetah):
    grips = cheetah.grips(cheetah.compute(cheetah.at()))
    assert [grip.panel for grip in grips] == ["std", "gradient", "entropy", "log"]
    for grip in grips:
        assert grip.controls == ("steps",)
        assert grip.along == "x"
        assert [x for x, _ in grip.points.values()] == list(range(0, STEPS + 1, 5))


def test_answers_of_the_questions_match_the_computed_runs(cheetah):
    least, log, frozen = cheetah.questions
    shown = [cheetah.compute(cheetah.at(**question.show)) for question in cheetah.questions]
    assert least.answer == f"{shown[0].std:.2f}"
    assert shown[1].std > 2 * shown[0].std
    assert log.answer == "larger"
    assert frozen.answer == str((shown[2].asked[-1] < 0).sum())
    assert not small().questions


def test_names_of_own_joints_are_shown():
    explorer = StdTraining(torch.rand(20, 2), torch.rand(20), names=("hip", "knee"))
    assert {"hip", "knee"} <= {spot.name for spot in explorer.spots(explorer.compute(explorer.at()))}
    assert small().names == ("joint 0", "joint 1")
    with pytest.raises(ValueError, match="names: expected 2 names, one for each joint, got 1: hip"):
        StdTraining(torch.rand(20, 2), torch.rand(20), names=("hip",))


@pytest.mark.slow
def test_everything_drawn_is_within_the_axes(cheetah):
    drawing = Drawing(cheetah)
    extremes = [cheetah.at(rate=0.1, init=init, parameter=p) for init in (0.1, 5.0) for p in ("frozen", "log")]
    for state in [*extremes, *cheetah.grid(12)]:
        result = cheetah.compute(state)
        drawing.move(result)
        low, high = drawing.figure.axes[0].get_ylim()
        assert low < result.asked.min() <= result.asked.max() < high
        low, high = drawing.figure.axes[2].get_ylim()
        assert not (result.entropy < low).any()
        assert not (result.entropy > high).any()


def test_prediction_is_drawn_at_the_last_step():
    explorer = small()
    explorer.predict(0.25)
    assert line(explorer.render(), "your guess").get_xydata().tolist() == [[STEPS, 0.25]]
    with pytest.raises(ValueError, match="guess: expected a number from"):
        explorer.predict(-1.0)


@pytest.mark.slow
@pytest.mark.parametrize(("samples", "joints"), [(1, 1), (3, 4), (50, 1), (40, 29)])
def test_learners_own_actions_work(samples, joints):
    explorer = small(samples, joints)
    for parameter in ("log", "unclamped"):
        figure = explorer.render(parameter=parameter, rate=0.03)
        assert len(line(figure, "joint 0").get_xdata()) > 1
        assert len(figure.axes[0].lines) == joints + 4  # joints, mean, end, guess, marker of the crash
        assert len(explorer.spots(explorer.compute(explorer.at(parameter=parameter)))) <= 16


def test_entropy_bonus_raises_the_std_if_the_reward_is_constant():
    explorer = StdTraining(torch.rand(20, 2), torch.ones(20), entropy=0.1, steps=STEPS)
    result = explorer.compute(explorer.at())
    assert result.asked.min(1)[-1] > 1


@pytest.mark.parametrize(
    ("actions", "rewards", "message"),
    [
        (torch.zeros(4), torch.zeros(4), r"actions: expected shape \[samples, joints\], got \[4\]"),
        (None, torch.zeros(4), "actions: .* got None"),
        (torch.zeros(4, 2), None, "rewards: .* got None"),
        (torch.zeros(4, 2), torch.zeros(4, 1), r"rewards: expected shape \[4\].* got \[4, 1\]"),
        (torch.full((4, 2), torch.nan), torch.zeros(4), "actions: expected finite values"),
        (torch.zeros(4, 2), torch.full((4,), torch.inf), "rewards: expected finite values"),
    ],
)
def test_bad_input_raises_an_error_that_names_the_argument(actions, rewards, message):
    with pytest.raises(ValueError, match=message):
        StdTraining(actions, rewards)


@pytest.mark.parametrize("parameter", ["unclamped", "scalar", "frozen", "log"])
def test_texts_for_a_single_joint_do_not_compare_it_with_others(parameter):
    one = small(joints=1, parameter=parameter)
    crashed = False
    for steps in one.controls["steps"].positions():
        result = one.compute(one.at(steps=steps))
        said = f"{one.title(result)} {one.describe(result)}"
        assert not re.search("though the mean|above zero|only the mean|lowest|all stds|of 1 std|equally", said), said
        crashed |= bool(result.error)
        if result.error:
            assert "training logs show this std, which falls until" in said
    assert crashed == (parameter == "unclamped")


@pytest.mark.parametrize("rest", [-0.5, 0.5])
def test_title_contrasts_the_mean_with_the_crash_only_if_it_is_above_zero(cheetah, rest):
    result = cheetah.compute(cheetah.at())
    assert result.error
    asked, mean = result.asked.copy(), result.mean.copy()
    asked[-1, 1:], mean[-1] = rest, (asked[-1, 0] + 5 * rest) / 6
    said = dataclasses.replace(result, asked=asked, mean=mean)
    hides = "though the mean is" in cheetah.title(said)
    assert hides == ("stays above zero" in cheetah.describe(said)) == (rest > 0)
    assert ("so is the mean, −0.4" in cheetah.title(said)) == (rest < 0)


def test_axis_of_the_steps_ends_at_the_last_step(cheetah):
    figure = cheetah.render(steps=STEPS, parameter="log")
    for axes in figure.axes:
        assert axes.spines["bottom"].get_bounds() == (0, STEPS)
        areas = [patch.get_extents().transformed(axes.transData.inverted()) for patch in axes.patches]
        assert all(area.x1 < STEPS + 1 for area in areas)
    axes, end = figure.axes[0], cheetah.compute(cheetah.at(steps=STEPS, parameter="log")).names
    assert not [text for text in axes.texts if text.get_text() and text.get_text() not in (*end, "logged mean")]


@pytest.mark.parametrize("names", ["ab", b"ab", [1, 2]])
def test_names_that_are_not_strings_raise_an_error(names):
    with pytest.raises(TypeError, match="names: expected 2 names, one for each joint"):
        StdTraining(torch.rand(20, 2), torch.rand(20), names=names)
