"""Explorer *rewards*: its numbers match the library, and each mistake has its symptom."""

import math
import re

import numpy as np
import pytest
import torch
from recomputed import number
from tiers import tiers

from rsl_edu.explorers.bench.drawing import Drawing
from rsl_edu.explorers.rewards import Rewards, picture
from rsl_edu.modules import EmpiricalDiscountedVariationNormalization, EmpiricalNormalization

FLOAT32 = 1e-5


@pytest.fixture(scope="module")
def humanoid():
    return Rewards()


@pytest.fixture
def small():
    generator = torch.Generator().manual_seed(0)
    rewards = 1 + torch.randn(96, 4, generator=generator)
    return Rewards(rewards, torch.rand(96, 4, generator=generator) < 0.1)


def trace(explorer, **changes):
    return explorer.compute(explorer.at(**changes)).trace


def value_std(explorer, **changes):
    result = explorer.compute(explorer.at(step=512, **changes))
    return result.trace.values[result.late].std()


def sums_of(rewards, dones, gamma):
    total, sums = np.zeros(rewards.shape[1]), []
    for reward, done in zip(rewards, dones, strict=True):
        total = gamma * total + reward
        sums.append(total)
        total = total * (1 - done)
    return np.array(sums)


def test_captions_of_the_corners_differ(humanoid):
    captions = {humanoid.describe(humanoid.compute(state)) for state in humanoid.corners()}
    assert len(captions) >= 12  # the defaults are among the corners


@pytest.mark.parametrize("ends", [True, False])
def test_std_of_returns_matches_the_library(small, ends):
    scaler = EmpiricalDiscountedVariationNormalization((), gamma=0.9)
    expected, stds = [], []
    for reward, done in zip(small.rewards, small.dones, strict=True):
        expected.append(scaler(reward, done if ends else None))
        stds.append(scaler.emp_norm.std)
    shown = trace(small, gamma=0.9, ends=ends)
    np.testing.assert_allclose(shown.normalized, torch.stack(expected).numpy(), rtol=FLOAT32)
    np.testing.assert_allclose(shown.std, torch.stack(stds).numpy(), rtol=FLOAT32)


@pytest.mark.parametrize("divide", ["rewards", "centred"])
def test_running_statistics_of_rewards_match_the_normalizer(small, divide):
    norm, means, stds = EmpiricalNormalization(()), [], []
    for reward in small.rewards:
        norm.update(reward)
        means.append(norm.mean)
        stds.append(norm.std)
    shown = trace(small, divide=divide)
    if divide == "rewards":
        np.testing.assert_allclose(shown.std, torch.stack(stds).numpy(), rtol=FLOAT32)
    else:
        centred = small.rewards - torch.stack(means).unsqueeze(1)
        np.testing.assert_allclose(shown.normalized, centred.numpy() / shown.std[:, None], atol=1e-4)


def test_constant_rewards_are_divided_by_one():
    same = Rewards(torch.full((40, 7), 0.1))
    for divide in ("rewards", "each step"):
        shown = trace(same, divide=divide, gamma=0.0)
        assert (shown.std == 0).all()
        np.testing.assert_array_equal(shown.normalized, shown.rewards)


def test_sums_end_with_their_episodes(small):
    shown = trace(small, gamma=0.97)
    expected = sums_of(small.rewards.numpy(), small.dones.numpy(), 0.97)
    np.testing.assert_allclose(shown.sums, expected, rtol=FLOAT32, atol=FLOAT32)
    assert shown.truth == pytest.approx(expected.std(), rel=FLOAT32)
    assert shown.std[-1] == pytest.approx(shown.truth, rel=1e-4)


def test_values_are_discounted_sums_up_to_the_episode_ends(small):
    shown = trace(small, gamma=0.97, ends=False)
    expected = sums_of(shown.normalized, small.dones.numpy(), 0.97)
    np.testing.assert_allclose(shown.values, expected, rtol=1e-4, atol=FLOAT32)


def test_normalized_rewards_do_not_depend_on_the_reward_scale(humanoid):
    small, large = (trace(humanoid, scale=scale) for scale in (0.01, 100.0))
    np.testing.assert_allclose(small.normalized, large.normalized, rtol=1e-3, atol=FLOAT32)
    assert large.std[-1] == pytest.approx(1e4 * small.std[-1], rel=1e-4)


def test_normalized_sums_have_a_std_near_one(humanoid):
    for gamma in (0.0, 0.5, 0.9, 0.97, 0.99, 0.997, 0.999):
        assert 0.8 < value_std(humanoid, gamma=gamma, ends=True) < 1.2


def test_without_episode_ends_the_std_is_three_times_too_large(humanoid):
    shown = humanoid.compute(humanoid.at(step=512, ends=False))
    assert shown.trace.std[-1] == pytest.approx(114, abs=1)  # as the lesson prints it
    assert shown.trace.truth == pytest.approx(35, abs=1)
    assert humanoid.numbers(shown)["std of their sums"] == "0.29"
    # as the lesson finds
    assert "below 1, but a value function can still learn well from them" in humanoid.describe(shown)


def test_returns_are_too_large_if_divided_by_the_std_of_rewards(humanoid):
    assert value_std(humanoid, divide="rewards") > 20
    shown = trace(humanoid, divide="rewards")
    assert shown.std[-1] == pytest.approx(humanoid.rewards.std(correction=0).item(), rel=1e-4)
    assert "too large for a value function" in humanoid.describe(humanoid.compute(humanoid.at(divide="rewards")))


def test_std_over_robots_fluctuates_between_steps(humanoid):
    each, right = (trace(humanoid, divide=divide).std[256:] for divide in ("each step", "returns"))
    assert np.abs(np.diff(np.log(each))).max() > 20 * np.abs(np.diff(np.log(right))).max()


def test_sum_over_robots_does_not_depend_on_episode_ends(small):
    shown = [trace(Rewards(small.rewards, dones), divide="across").std for dones in (None, small.dones)]
    np.testing.assert_array_equal(*shown)
    expected = np.cumsum(small.rewards.numpy(), 1)
    np.testing.assert_allclose(trace(small, divide="across", gamma=0.999).sums, expected, rtol=0.01, atol=0.01)


def test_subtracting_the_mean_removes_the_reward_for_staying_alive(humanoid):
    right, centred = (trace(humanoid, divide=divide, ends=True) for divide in ("returns", "centred"))
    alive = humanoid.rewards.numpy()[256:] > 4.5
    assert right.normalized[256:][alive].mean() > 0.1
    assert abs(centred.normalized[256:].mean()) < 0.01
    np.testing.assert_array_equal(right.std, centred.std)


def test_subtracting_the_mean_removes_a_shift_of_the_rewards(small):
    for divide, keeps in (("returns", True), ("centred", False)):
        here, there = (
            trace(small, divide=divide, gamma=0.0, shift=shift) for shift in (0.0, small.controls["shift"].range[1])
        )
        assert np.allclose(here.normalized, there.normalized, atol=1e-3) is not keeps


def test_first_normalized_rewards_are_far_too_large(humanoid):
    shown = trace(humanoid)
    assert np.abs(shown.normalized[0]).min() > 100 * np.abs(shown.normalized[-1]).max()


def test_artists_follow_the_data(small):
    figure = small.render(step=50, env=2)
    shown = small.compute(small.at(step=50, env=2))
    names = {"reward": "rewards", "normalized": "normalized", "values": "values"}
    for label, series in names.items():
        axes = next(a for a in figure.axes if a.get_label() == label)
        line = axes.lines[-1]
        np.testing.assert_array_equal(line.get_xdata(), np.arange(1, 51))
        np.testing.assert_array_equal(line.get_ydata(), getattr(shown.trace, series)[:50, 2])
    marks = figure.axes[0].lines[0].get_xdata()[::3]
    np.testing.assert_array_equal(marks, small.dones[:50, 2].nonzero().flatten() + 1)
    assert figure.axes[4].lines[-2].get_ydata()[-1] == shown.trace.std[49]


def test_sums_beyond_the_histogram_are_in_its_outermost_bins(small):
    far = {"divide": "rewards", "gamma": 0.999, "shift": small.controls["shift"].range[1], "step": 96}
    values = trace(Rewards(small.rewards), **far).values
    bars = Rewards(small.rewards).render(**far).axes[5].patches[-1].get_data().values
    assert values.max() < 1000
    assert bars[-20:].sum() / bars.sum() == pytest.approx((values > 10).mean(), abs=1e-9)  # bins beyond 10


def test_later_steps_do_not_change_earlier_ones(small):
    early, late = (small.render(step=step).axes[1].lines[-1].get_ydata() for step in (40, 96))
    np.testing.assert_array_equal(late[:40], early)


def test_prediction_is_drawn_at_the_last_step(small):
    small.predict(5.0)
    axes = small.render().axes[4]
    guess = next(line for line in axes.lines if line.get_marker() == "X")
    assert guess.get_xydata().tolist() == [[96, 5.0]]


def test_prediction_beyond_the_axis_is_drawn_at_its_edge(small):
    small.predict(1e6)
    axes = small.render().axes[4]
    guess = next(line for line in axes.lines if line.get_marker() == "X")
    assert guess.get_ydata()[0] == axes.get_ylim()[1]


def test_caption_states_that_constant_rewards_do_not_vary():
    constant = Rewards(torch.full((20, 3), 0.1))
    constant.set(gamma=0.0)
    assert "nothing varies" in repr(constant)
    assert constant.numbers(constant.compute(constant.at()))["running std"] == "0"
    assert np.isnan(constant.render().axes[4].lines[1].get_ydata()).all()  # the axis is logarithmic


def test_texts_are_short_and_contain_no_minus_zero(humanoid):
    for state in humanoid.grid(25):
        result = humanoid.compute(state)
        text = " ".join([humanoid.describe(result), *humanoid.numbers(result).values()])
        assert len(humanoid.describe(result)) <= 300
        for bad in ("−0 ", "-", "e+", "nan", "inf"):
            assert bad not in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(4),), r"rewards: expected shape \[time, envs\], got \[4\]"),
        ((torch.zeros(0, 2),), r"got \[0, 2\]"),
        ((torch.full((4, 2), torch.nan),), "rewards: expected finite values"),
        ((torch.zeros(4, 2), torch.zeros(4, 3)), r"dones: expected shape \[time, envs\], here \[4, 2\], got \[4, 3\]"),
        ((torch.zeros(4, 2), torch.full((4, 2), 2)), "dones: expected 0 and 1"),
        ((None, torch.zeros(4, 2)), "dones: expected None because rewards is None"),
    ],
)
def test_bad_arguments_raise_an_error(arguments, message):
    with pytest.raises(ValueError, match=message):
        Rewards(*arguments)


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.float32])
def test_dones_can_have_any_type(small, dtype):
    np.testing.assert_array_equal(trace(Rewards(small.rewards, small.dones.to(dtype))).std, trace(small).std)


@pytest.mark.slow
@pytest.mark.parametrize("shape", tiers([(1, 1), (3, 1), (1, 5), (70, 2)], [(1, 1), (3, 1)]))
def test_small_recordings_work(shape):
    explorer = Rewards(1e-3 * torch.randn(shape))
    last = explorer.at(step=explorer.controls["step"].range[1])
    assert explorer.compute(last).trace.values.shape == shape
    for state in list(explorer.corners())[-2:]:
        explorer.render(**vars(state)).canvas.draw()


def test_default_ignores_episode_ends_as_rsl_rl_except_for_own_data(humanoid, small):
    assert not humanoid.at().ends
    assert small.at().ends


def test_own_data_get_no_questions(small):
    assert small.questions == ()
    assert small.html("").count("<rsl-explorer") == 1


TITLES = {
    "Episode ends are ignored: rewards are divided by 118, 3.3 times the correct 35.5.": {},
    "Episode ends are ignored: rewards are divided by 114, 3.2 times the correct 35.5.": {"step": 512},
    "After 512 steps, rewards are divided by 35.5; the right divisor is 35.5.": {"step": 512, "ends": True},
    "Divided by their own std, rewards add up to sums with std 36 instead of 1.": {"divide": "rewards"},
    "The mean is subtracted: rewards average 0 instead of 0.13.": {"divide": "centred", "ends": True},
}


@pytest.mark.parametrize(("title", "changes"), TITLES.items())
def test_titles(humanoid, title, changes):
    assert humanoid.title(humanoid.compute(humanoid.at(**changes))) == title


def test_title_fits_and_its_numbers_match_the_trace(humanoid):
    for state in [*humanoid.corners(), *humanoid.grid(60)]:
        result = humanoid.compute(state)
        title, std = humanoid.title(result), result.trace.std[state.step - 1]
        assert 0 < len(title) <= 90
        assert not re.search(r"nan|inf|-0 |e[+-]", title)
        if found := re.search(
            r"(?:divided by|divisor is) ([\d.,]+\d)[,;].*(?:right one is|right divisor is|correct) ([\d.,]+\d)", title
        ):
            assert number(found[1]) == pytest.approx(std, rel=0.06)
            assert number(found[2]) == pytest.approx(result.trace.truth, rel=0.06)
        if found := re.search(r"([\d.,]+) times the correct", title):
            assert number(found[1]) == pytest.approx(std / result.trace.truth, rel=0.06)
            assert not state.ends


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.9, 0.99, 0.999])
def test_title_attributes_to_ignored_ends_only_what_they_change(humanoid, small, gamma):
    unblamed = 0
    for explorer in (humanoid, small):
        for step in explorer.controls["step"].positions()[::8]:
            results = [explorer.compute(explorer.at(gamma=gamma, step=step, ends=ends)) for ends in (False, True)]
            off, on = (float(result.trace.std[step - 1]) for result in results)
            title, right = explorer.title(results[0]), results[0].trace.truth
            assert results[0].trace.ended[step - 1] == pytest.approx(on, rel=FLOAT32)
            unblamed += "changes nothing" in title
            if "changes nothing" in title:
                assert off == pytest.approx(on, rel=0.01)
            elif "are ignored" in title:
                assert abs(on - right) <= abs(off - right) + 0.5 * abs(off - on)
                assert f"{off:.3g}" != f"{on:.3g}"
            elif "moves the divisor" in title:
                told = [number(it) for it in re.search(r"from (.*) to (.*); the right one is (.*)\.", title).groups()]
                assert told == pytest.approx([on, off, right], rel=0.01)
    assert unblamed >= (8 if gamma == 0 else 0)


def test_ignored_ends_change_nothing_only_if_gamma_is_zero(humanoid):
    for gamma in humanoid.controls["gamma"].positions():
        result = humanoid.compute(humanoid.at(gamma=gamma, ends=False, step=512))
        ends = [it for it in humanoid.spots(result) if it.name.startswith("end at")]
        assert ends
        for lines in (it.arithmetic for it in ends if len(it.arithmetic) > 2):
            same = lines[1].split(" = ")[-1] == lines[2].split(" = ")[-1].partition(", ")[0]
            assert lines[2].endswith("the same here" if same else "as if the robot had not fallen"), lines
            assert same == (gamma == 0)


@pytest.mark.parametrize("unit", [1e-30, 1e-10, 1e10])
def test_results_do_not_depend_on_the_unit_of_the_rewards(small, unit):
    other = Rewards(small.rewards * unit, small.dones)
    shifts = other.controls["shift"].positions()
    assert shifts == pytest.approx([unit * shift for shift in small.controls["shift"].positions()], rel=1e-6)
    for shift, mine in zip(small.controls["shift"].positions(), shifts, strict=True):
        for divide in ("returns", "rewards", "across", "each step", "centred"):
            states = small.at(divide=divide, shift=shift, scale=100.0), other.at(divide=divide, shift=mine, scale=100.0)
            plain, scaled = (e.compute(state) for e, state in zip((small, other), states, strict=True))
            np.testing.assert_allclose(scaled.trace.normalized, plain.trace.normalized, rtol=1e-3, atol=1e-3)
            for name in ("normalized std", "std of their sums"):
                assert small.numbers(plain)[name] == other.numbers(scaled)[name]
            size = float(other.numbers(scaled)["std of rewards"] and scaled.trace.rewards[:48].std(dtype=float))
            assert number(other.numbers(scaled)["std of rewards"]) == pytest.approx(size, rel=0.06)
    figure = Drawing(other).finished()
    figure.draw_without_rendering()
    for axes in figure.axes[:4]:
        ticks = [label.get_text() for label in axes.get_yticklabels()]
        assert len(set(ticks)) == len(ticks) > 2
        assert max(map(len, ticks)) <= 7
        beside = min(label.get_window_extent().x0 for label in axes.get_yticklabels())
        assert axes.yaxis.label.get_window_extent().x1 < beside
    assert figure.axes[4].get_ylim()[0] < other.compute(other.at()).trace.truth < figure.axes[4].get_ylim()[1]


@pytest.mark.parametrize(("unit", "lost"), [(1e-10, False), (1e-30, True)])
def test_caption_states_that_the_variance_of_the_library_underflows(small, unit, lost):
    explorer, library = Rewards(small.rewards * unit), EmpiricalDiscountedVariationNormalization(())
    for reward in explorer.rewards:
        library(reward)
    assert (library.emp_norm.std == 0) == lost
    said = explorer.describe(explorer.compute(explorer.at()))
    assert ("it would divide by 1" in said) == lost
    assert len(said) <= 420


def test_texts_use_true_minus_signs_and_one_is_singular(humanoid, small):
    minus = 0
    for explorer in (humanoid, small, Rewards(torch.ones(3, 1) - 2 * torch.eye(3)[:, :1], torch.eye(3)[:, :1])):
        for state in [*explorer.corners(), *explorer.grid(60)]:
            result = explorer.compute(state)
            said = [explorer.title(result), explorer.describe(result), *explorer.numbers(result).values()]
            said += [it for spot in explorer.spots(result) for it in (spot.numbers, *spot.arithmetic)]
            assert not re.search(r"-\d|(?<![\d.,])1 (steps|episodes|robots)", " ".join(said)), said
            minus += "−" in said[1]
    assert minus > 5


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.1 + 0.2, "0.3"), (-2.5e-11, "−2.5e−11"), (2e-30, "2e−30"), (-1500, "−1.5k"), (2e6, "2e6"), (1e20, "1e20")],
)
def test_tick_labels_are_short_and_exact(value, words):
    assert picture.tick(value) == words


def test_title_of_constant_rewards():
    same = Rewards(torch.full((40, 7), 0.1), gamma=0.0)
    assert same.title(same.compute(same.at())) == "Nothing varies, so the divisor is 1."


def evaluated(expression):
    """Evaluate an expression as it is written in the arithmetic."""
    for shown, meant in (("−", "-"), ("·", "*"), (",", ""), ("²", "**2")):
        expression = expression.replace(shown, meant)
    return eval(expression, {"__builtins__": {}})


def spot(explorer, name, **changes):
    result = explorer.compute(explorer.at(**changes))
    return result, next(it for it in explorer.spots(result) if it.name == name)


CASES = [
    {},
    {"ends": True},
    {"ends": True, "env": 3, "gamma": 0.9},
    {"divide": "across", "env": 2},
    {"divide": "centred"},
    {"divide": "rewards"},
]


@pytest.mark.parametrize("changes", CASES)
@pytest.mark.parametrize("step", [8, 144, 256, 512])
def test_arithmetic_of_a_step_is_correct_and_leads_to_the_drawn_values(humanoid, changes, step):
    result, this = spot(humanoid, "this step", step=step, **changes)
    trace, env, t = result.trace, result.state.env, step - 1
    total, past, now, variance, std, after = this.arithmetic
    told = re.split(r" = |, because|, here |, only", total)
    assert any(
        number(it) == pytest.approx(trace.sums[t, env], rel=1e-3) for it in told if re.fullmatch(r"[−\d.,]+", it)
    )
    if "·" in total:
        expression = (
            total.split(", because")[0].split(" = ")[-2].replace("γ", "0.99").replace("r", str(trace.rewards[t, env]))
        )
        assert evaluated(expression) == pytest.approx(trace.sums[t, env], rel=2e-3)
    n, mean, var = (number(it) for it in re.findall(r"(?:n =|mean|variance) ([−\d.,]+\d)", past))
    before = trace.sums[:t].astype(float)
    assert (n, mean, var) == pytest.approx((before.size, before.mean(), before.var()), rel=1e-3)
    mean, var = (number(it) for it in re.findall(r"(?:mean|variance) ([−\d.,]+\d)", now))
    assert (mean, var) == pytest.approx((trace.sums[t].mean(), trace.sums[t].astype(float).var()), rel=1e-3)
    _, expression, found = variance.split(" = ")
    assert evaluated(expression) == pytest.approx(number(found), rel=2e-3)
    root, found = std.removeprefix("std = √").split(" = ")
    assert math.sqrt(number(root)) == pytest.approx(number(found), rel=1e-3)
    assert number(found) == pytest.approx(trace.std[t], rel=1e-3)
    _, expression, found = after.split(" = ")
    assert evaluated(expression) == pytest.approx(number(found), rel=5e-3, abs=1e-3)
    assert number(found) == pytest.approx(trace.normalized[t, env], rel=1e-3)


def test_arithmetic_of_the_first_step_shows_why_it_is_so_large(humanoid):
    result, first = spot(humanoid, "the first step")
    *_, std, after = first.arithmetic
    assert math.sqrt(number(std.split("√")[1].split(" = ")[0])) == pytest.approx(result.trace.std[0], rel=1e-3)
    _, expression, found = after.split(" = ")
    assert evaluated(expression) == pytest.approx(number(found), rel=1e-3)
    assert number(found) > 200


def test_std_over_robots_uses_only_the_current_step(humanoid):
    result, this = spot(humanoid, "this step", divide="each step")
    now, std = this.arithmetic[1:3]
    assert number(now.split("variance ")[1]) == pytest.approx(result.trace.sums[255].astype(float).var(), rel=1e-3)
    assert number(std.split(" = ")[-1]) == pytest.approx(result.trace.std[255], rel=1e-3)


def test_arithmetic_compares_the_sum_with_and_without_the_episode_end(humanoid):
    result = humanoid.compute(humanoid.at())
    end = int(result.ends[-1])
    _, ended = spot(humanoid, f"end at step {end + 1}")
    right, wrong = ended.arithmetic[1:]
    assert number(right.split(" = ")[1]) == pytest.approx(result.trace.right[end + 1, 0], rel=1e-3)
    expression, found = wrong.removeprefix("current: ").removesuffix(", as if the robot had not fallen").split(" = ")
    assert evaluated(expression) == pytest.approx(number(found), rel=1e-3)
    assert number(found) == pytest.approx(result.trace.sums[end + 1, 0], rel=1e-3)
    assert len(spot(humanoid, f"end at step {end + 1}", ends=True)[1].arithmetic) == 2


def test_sum_restarts_at_zero_after_an_episode_end(small):
    t = int(small.dones[:, 0].nonzero()[0]) + 1
    _, this = spot(small, "this step", step=t + 1)
    assert "because the previous step ended an episode" in this.arithmetic[0]


def test_spots_are_few_and_short(humanoid):
    for state in [*humanoid.corners(), *humanoid.grid(40)]:
        spots = humanoid.spots(humanoid.compute(state))
        assert 2 <= len(spots) <= 6
        assert max(len(line) for it in spots for line in (*it.arithmetic, it.numbers)) <= 100
        assert max(len(it.arithmetic) for it in spots) <= 6
        assert len(repr(spots)) < 8000


def test_cursor_is_at_the_steps_seen(humanoid):
    (cursor,) = humanoid.grips(humanoid.compute(humanoid.at()))
    assert (cursor.controls, cursor.panel, cursor.along) == (("step",), "reward", "x")
    assert [(step, x) for (step,), (x, _) in cursor.points.items()] == [(n, n) for n in range(8, 513, 8)]


def test_answers_of_the_questions_match_the_computed_traces(humanoid):
    divisor, moves = humanoid.questions
    without = trace(humanoid, **divisor.show).std[divisor.show["step"] - 1]
    assert divisor.answer == f"about {without:.0f}"
    with_ends = trace(humanoid, **moves.show).std[moves.show["step"] - 1]
    assert moves.answer == ("falls" if with_ends < 0.8 * without else "grows" if with_ends > 1.25 * without else "same")


def test_stored_frames_are_few_and_include_those_of_the_answers(humanoid):
    states = humanoid.swept_states()
    assert len(states) <= 150
    assert {humanoid.at(**question.show) for question in humanoid.questions} <= {*states}


def test_ratio_in_the_title_matches_its_printed_numbers(humanoid):
    ratios = 0
    for gamma in humanoid.controls["gamma"].positions():
        for step in (8, 128, 256, 512):
            title = humanoid.title(humanoid.compute(humanoid.at(gamma=gamma, step=step)))
            if found := re.search(r"divided by ([\d.,]+), ([\d.,]+) times the correct ([\d.,]+\d)", title):
                std, ratio, right = map(number, found.groups())
                assert f"{std / right:.2g}" == f"{ratio:.2g}", title
                ratios += 1
    assert ratios > 10


def test_numbers_of_a_spot_match_its_arithmetic(humanoid):
    result = humanoid.compute(humanoid.at())
    this, *_ = humanoid.spots(result)
    assert this.arithmetic[-1].split(" = ")[-1] == this.numbers.split("becomes ")[1]
    ends = [it for it in humanoid.spots(result) if it.name.startswith("end at step")]
    assert ends
    for end in ends:
        assert end.arithmetic[0].split(" = ")[1] == end.numbers.split("with a discounted sum of ")[1]


def test_menu_calls_no_divisor_right(humanoid):
    assert not humanoid.at().ends
    assert not any("right" in words for words in humanoid.controls["divide"].choices)
