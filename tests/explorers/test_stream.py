"""Explorer *stream*: its numbers match the library in all states."""

import math
import re

import numpy as np
import pytest
import torch
from recomputed import evaluated, number

from rsl_edu.explorers import Stream
from rsl_edu.explorers.bench.drawing import Drawing
from rsl_edu.explorers.stream import picture
from rsl_edu.modules import EmpiricalNormalization

FLOAT32 = 1e-5


@pytest.fixture(scope="module")
def humanoid():
    return Stream()


@pytest.fixture
def small():
    torch.manual_seed(0)
    rollout = torch.randn(128, 8, 6) * torch.tensor([1.0, 10.0, 0.1, 1.0, 100.0, 0.0]) + torch.arange(6.0)
    return Stream(rollout)


def test_every_corner_can_be_drawn_and_captions_differ(humanoid):
    captions = {humanoid.describe(humanoid.compute(state)) for state in humanoid.corners()}
    assert len(captions) > 10  # the others differ only in the picture
    assert humanoid.sweep().startswith("Stream: ")


def test_right_merge_matches_the_library(small):
    result = small.compute(small.at(batch=8, seen=128, feature=4))
    norm = EmpiricalNormalization(6)
    stream = small.observations[:, :2].flatten(0, 1)  # a quarter of the 8 robots
    for batch in stream[:128].split(8):
        norm.update(batch)
    assert result.mean[-1] == pytest.approx(norm.mean[4].item(), rel=FLOAT32)
    assert result.std[-1] == pytest.approx(norm.std[4].item(), rel=FLOAT32)
    np.testing.assert_allclose(result.normalized, norm(stream[:128])[:, 4].numpy(), atol=FLOAT32)


def statistics_by_the_library(explorer, batch, until, shift, independent, merge, seed):
    """Return mean and std after each update, ``[updates, features]``, by the normalizer or by a wrong merge."""
    x = explorer._samples(explorer._robots(seed), shift, independent, seed)
    norm = EmpiricalNormalization(1 if merge == "pooled" else x.shape[1], until=until or None)
    means, stds = [], []
    for samples in x[: len(x) // batch * batch].split(batch):
        count, var = int(norm.count), norm._var.clone()
        if merge == "last":
            norm.count.zero_()
        norm.update(samples.reshape(-1, 1) if merge == "pooled" else samples)
        if merge == "no shift" and int(norm.count) > count > 0:
            norm._var.copy_(var + (samples.var(0, correction=0) - var) * (batch / int(norm.count)))
            norm._std.copy_(norm._var.sqrt())
        means.append(norm.mean.expand(x.shape[1]))
        stds.append(norm.std.expand(x.shape[1]))
    return torch.stack(means).numpy(), torch.stack(stds).numpy()


@pytest.mark.parametrize("until", [0, 100])
@pytest.mark.parametrize("batch", [1, 8, 64])
@pytest.mark.parametrize("merge", ["chan", "no shift", "pooled", "last"])
def test_statistics_after_every_update_match_the_normalizer(small, merge, batch, until):
    run = (batch, until, 130, False, merge, 2)
    mean, std = statistics_by_the_library(small, *run)
    np.testing.assert_allclose(small._run(*run).mean, mean, rtol=1e-4, atol=1e-4)
    found = np.stack([small._std(*run, feature) for feature in range(6)], 1)
    np.testing.assert_allclose(found, std, rtol=1e-4, atol=1e-4)


def test_error_of_independent_samples_falls_as_one_over_root_n():
    torch.manual_seed(0)
    stream = Stream(torch.randn(512, 32, 64))
    result = stream.compute(stream.at(seen=4096))
    assert 0.7 < result.error[-1] * 4096**0.5 < 1.5  # the truth comes from 12,288 samples and is not exact either


def test_consecutive_samples_give_a_larger_error_than_independent_ones(humanoid):
    along, independent = (humanoid.compute(humanoid.at(independent=s, shift=0)) for s in (False, True))
    assert along.error[-1] > 1.5 * independent.error[-1]


def test_merging_only_the_last_batch_gives_its_mean(small):
    result = small.compute(small.at(merge="last", batch=8, seen=128, feature=0))
    assert result.mean[-1] == pytest.approx(small.observations[60:64, :2, 0].mean().item(), abs=FLOAT32)


def test_pooled_features_share_one_mean(small):
    means = [small.compute(small.at(merge="pooled", feature=f)).mean[-1] for f in (0, 4)]
    assert means[0] == means[1]


def test_merge_without_the_shift_term_has_zero_std_for_batches_of_one(small):
    result = small.compute(small.at(merge="no shift", batch=1, feature=4))
    assert result.std[-1] == 0


def test_until_freezes_the_statistics(humanoid):
    state = humanoid.at(until=512, seen=2048, batch=64)
    result = humanoid.compute(state)
    assert (result.mean[8:] == result.mean[7]).all()


def test_constant_feature_is_not_a_number_without_eps(small):
    small.set(feature=5, eps=0.0)
    assert "128 of the last 128 values are not numbers" in repr(small)
    small.set(eps=0.01)
    assert "mean 0 and std 0" in repr(small)


def test_constant_feature_has_a_true_std_of_exactly_zero(humanoid):
    result = humanoid.compute(humanoid.at(feature=74))
    mass = humanoid.observations[0, 0, 74].item()
    assert result.truth == (mass, 0, mass, 0)
    assert humanoid.numbers(result)["true std"] == "0"
    assert "the truth is always 6.6." in humanoid.describe(result)
    shift = next(it for it in humanoid.spots(result) if it.name == "the shift")
    assert "does not change" in shift.numbers


def test_caption_states_that_there_is_no_update_yet(humanoid):
    assert "no update yet" in humanoid.describe(humanoid.compute(humanoid.at(batch=512, seen=64)))


def test_seed_selects_the_robots_of_the_stream(small):
    first, second, again = (small.compute(small.at(seed=seed, feature=1)).values for seed in (0, 1, 1))
    np.testing.assert_array_equal(first, small.observations[:, :2, 1].flatten().numpy())
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(second, again)
    robots = {tuple(robot.tolist()) for robot in small.observations[:, :, 1].T}
    assert {tuple(robot.tolist()) for robot in second.reshape(-1, 2).T} < robots


def test_truth_comes_from_the_robots_outside_the_stream(small):
    for seed in (0, 3):
        result = small.compute(small.at(seed=seed, feature=1))
        streams = {tuple(robot.tolist()) for robot in result.values.reshape(-1, 2).T}
        others = [robot for robot in small.observations[:, :, 1].T if tuple(robot.tolist()) not in streams]
        assert len(others) == 6
        assert result.truth[0] == pytest.approx(torch.stack(others).mean().item(), rel=1e-4)


def test_seed_changes_the_independent_samples(small):
    first, second = (small.compute(small.at(independent=True, seed=seed, feature=1)).values for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_error_is_larger_than_of_independent_samples_for_every_seed(humanoid):
    errors = [humanoid.compute(humanoid.at(seed=seed, seen=2048)).error[-1] for seed in range(10)]
    assert min(errors) > 1 / 2048**0.5


def test_limits_are_round_and_few(humanoid):
    drawing, limits = Drawing(humanoid), []
    for feature in range(22, 45):
        drawing.move(humanoid.compute(humanoid.at(feature=feature)))
        axes = drawing.figure.axes[0]
        low, high = axes.get_ylim()
        values = axes.lines[0].get_ydata()
        assert ((low <= values) & (values <= high)).mean() > 0.95
        limits.append((low, high))
    assert len(set(limits)) < len(limits) / 2  # new limits need a new background


def test_another_feature_changes_the_name_but_no_title(humanoid):
    here, there = (humanoid.render(feature=feature).axes[0] for feature in (22, 23))
    assert here.get_title("left") == there.get_title("left")
    assert [axes.texts[0].get_text() for axes in (here, there)] == ["qvel[0]", "qvel[1]"]


def test_prediction_beyond_the_axis_is_drawn_at_its_edge(small):
    small.predict(0.001)
    axes = small.render().axes[1]
    guess = next(line for line in axes.lines if line.get_marker() == "X")
    assert guess.get_ydata()[0] == axes.get_ylim()[0]


def test_artists_follow_the_data(small):
    figure = small.render(seen=128, batch=8, feature=0)
    line = next(line for line in figure.axes[0].lines if line.get_label() == "running")
    assert line.get_xdata()[-1] == 128
    assert line.get_ydata()[-1] == small.compute(small.at(seen=128, batch=8, feature=0)).mean[-1]


def test_prediction_is_drawn_at_the_end_of_the_stream(small):
    small.predict(0.5)
    guess = next(line for line in small.render().axes[1].lines if line.get_marker() == "X")
    assert guess.get_xydata().tolist() == [[256, 0.5]]


def test_numbers_of_the_caption_are_rounded_and_never_minus_zero(humanoid):
    for state in humanoid.corners():
        text = humanoid.describe(humanoid.compute(state))
        assert "−0 " not in text
        assert "e+" not in text


@pytest.mark.parametrize("guess", [0, -1.0, float("nan"), "much"])
def test_invalid_prediction_raises_an_error_and_the_last_one_stays(small, guess):
    small.predict(0.5)
    with pytest.raises(ValueError, match="guess: expected a number from"):
        small.predict(guess)
    assert small.guess == 0.5


@pytest.mark.parametrize(
    ("observations", "message"),
    [
        (torch.zeros(4, 3), r"observations: expected shape \[time, envs, features\], got \[4, 3\]"),
        (torch.zeros(0, 2, 3), r"got \[0, 2, 3\]"),
        (torch.full((4, 2, 3), torch.nan), "observations: expected finite values"),
    ],
)
def test_bad_observations_raise_an_error(observations, message):
    with pytest.raises(ValueError, match=message):
        Stream(observations)


def test_feature_out_of_range_raises_an_error(small):
    with pytest.raises(ValueError, match="feature: expected a number from 0 to 5, got 6"):
        small.set(feature=6)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 1, 2), (40, 2, 1), (1, 64, 4)])
def test_small_rollouts_work(shape):
    stream = Stream(torch.randn(shape))
    for state in list(stream.corners())[-2:]:
        stream.render(**vars(state)).canvas.draw()
    assert stream.compute(stream.at()).values.shape == (shape[0] * max(1, shape[1] // 4),)


def test_default_shows_a_shift_and_own_data_show_none(humanoid, small):
    shown = humanoid.at()
    assert (shown.seen, shown.shift) == (1536, 1024)
    assert small.at().shift == 0
    assert not small.compute(small.at()).shifted


def test_own_data_get_no_questions(small):
    assert small.questions == ()
    assert small.html("").count("<rsl-explorer") == 1


def test_shift_can_be_true_or_false_as_in_older_states(small):
    assert [small.at(shift=shift).shift for shift in (True, False)] == [128, 0]
    assert Stream(small.observations, shift=True).at().shift == 128
    old = "Stream(seen=256, feature=1, batch=8, shift=True)"
    assert Stream.from_state(old, small.observations).at().shift == 128
    with pytest.raises(ValueError, match=r"shift: expected a whole number from 0 to 256, got 0\.5"):
        small.set(shift=0.5)


@pytest.mark.parametrize("shift", [8, 100, 248])
def test_data_shift_at_the_chosen_sample(small, shift):
    plain, shifted = (small.compute(small.at(shift=at, seen=256, batch=8, feature=1)) for at in (0, shift))
    mean, std, *later = shifted.truth
    np.testing.assert_array_equal(shifted.values[:shift], plain.values[:shift])
    np.testing.assert_allclose(shifted.values[shift:], mean + 3 * std + 2 * (plain.values[shift:] - mean), rtol=1e-5)
    assert later == pytest.approx([mean + 3 * std, 2 * std])


def test_shift_at_the_end_has_no_effect(humanoid):
    never, end = (humanoid.compute(humanoid.at(shift=shift, seen=2048)) for shift in (0, 2048))
    np.testing.assert_array_equal(never.values, end.values)
    np.testing.assert_array_equal(never.error, end.error)
    assert humanoid.title(never) == humanoid.title(end)


TITLES = {
    "The robot changed at sample 1,024; the running mean is still 0.98 stds off.": {},
    "After 1,024 samples, the means are 0.074 stds off; independent ones would give 0.031.": {"shift": 0, "seen": 1024},
    "After 2,048 samples, the means are 0.067 stds off; independent ones would give 0.022.": {"shift": 0, "seen": 2048},
    "Without the shift term, the running std is 0 times the true one.": {"merge": "no shift", "batch": 1},
    "Only the last batch counts: the mean fluctuates and is now 0.025 stds off.": {"merge": "last"},
    "One mean and std for all features: normalized, this one has std 0.0078.": {"merge": "pooled"},
    "Frozen after 512 samples, the running mean is now 1.5 stds off.": {"until": 512},
    "This feature never varies: only eps prevents a division by 0.": {"feature": 74},
    "The running std and eps are both 0, so normalized values are not numbers.": {"feature": 74, "eps": 0.0},
    "No update yet: the running mean is still 0, the running std 1.": {"batch": 512, "seen": 64},
}


@pytest.mark.parametrize(("title", "changes"), TITLES.items())
def test_titles(humanoid, title, changes):
    assert humanoid.title(humanoid.compute(humanoid.at(**changes))) == title


def test_title_fits_and_its_distance_matches_the_result(humanoid):
    for state in [*humanoid.corners(), *humanoid.grid(60)]:
        result = humanoid.compute(state)
        title = humanoid.title(result)
        assert 0 < len(title) <= 90
        assert not re.search(r"nan|inf|-0 |e[+-]", title)
        if "running mean is" in title and " off." in title:
            told = float(re.search(r"([\d.,]+) stds? off", title)[1])
            true_mean, true_std = result.truth[2 * (0 < state.shift < state.seen) :][:2]
            assert told == pytest.approx(abs(result.mean[-1] - true_mean) / true_std, rel=0.06, abs=1e-3)


def spot(explorer, name, **changes):
    result = explorer.compute(explorer.at(**changes))
    return result, next(it for it in explorer.spots(result) if it.name == name)


@pytest.mark.parametrize("feature", [22, 30])
@pytest.mark.parametrize("seen", [128, 1024, 1088, 1536])
def test_arithmetic_of_the_last_merge_leads_to_the_drawn_statistics(humanoid, feature, seen):
    result, merge = spot(humanoid, "the last merge", seen=seen, feature=feature)
    past, delta, mean, within, between, variance = merge.arithmetic
    values = result.values[:seen].astype(float)
    n, *moments = map(number, re.findall(r"(?:n|mean|variance) ([−\d.,]+[\d·⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", past))
    assert n == seen - 64
    wanted = [values[:-64].mean(), values[:-64].var(), 64, values[-64:].mean(), values[-64:].var()]
    assert moments == pytest.approx(wanted, rel=1e-3, abs=1e-4)
    for line in (delta, mean, within.partition(":")[2], between.partition(":")[2], variance.split(", std")[0]):
        *_, expression, told = line.split(" = ") if " = " in line else ()
        assert evaluated(expression) == pytest.approx(number(told), rel=2e-3, abs=1e-3)
    assert number(mean.split(" = ")[-1]) == pytest.approx(result.mean[-1], rel=1e-3)
    std = variance.split(", std = √")[1].split(" = ")
    assert math.sqrt(number(std[0])) == pytest.approx(number(std[1]), rel=1e-3)
    assert number(std[1]) == pytest.approx(result.std[-1], rel=1e-3)


@pytest.mark.parametrize("merge", ["no shift", "last", "pooled"])
@pytest.mark.parametrize("batch", [1, 64])
def test_arithmetic_of_a_wrong_merge_leads_to_its_wrong_statistics(humanoid, merge, batch):
    result, found = spot(humanoid, "the last merge", merge=merge, batch=batch)
    text = " ".join(found.arithmetic)
    line = found.arithmetic[1 if merge == "last" else 2].split("; earlier")[0]
    assert number(line.split(", std")[0].split(" = ")[-1]) == pytest.approx(result.mean[-1], rel=1e-3)
    assert number(re.findall(r"std = √.* = ([−\d.,]*\d)", text)[-1]) == pytest.approx(
        result.std[-1], rel=1e-3, abs=1e-6
    )
    assert ("left out" in text) == (merge == "no shift")


def test_arithmetic_states_the_first_batch_and_frozen_statistics(humanoid):
    assert spot(humanoid, "the last merge", seen=64)[1].arithmetic[1].startswith("first batch: ")
    result, frozen = spot(humanoid, "the last merge", until=512)
    assert frozen.arithmetic[2] == "not merged, because the count has reached until"
    assert number(frozen.arithmetic[0].split("std = ")[1]) == pytest.approx(result.std[-1], rel=1e-3)
    assert "not merged" not in " ".join(spot(humanoid, "the last merge", until=512, seen=512)[1].arithmetic)


def test_arithmetic_of_the_newest_value_matches_the_normalizer(humanoid):
    result, value = spot(humanoid, "the newest value", eps=1.0)
    quotient, told = value.arithmetic[1].removeprefix("z = "), value.arithmetic[2].split(" = ")
    assert evaluated(quotient) == pytest.approx(result.normalized[-1], rel=2e-3)
    assert evaluated(told[1]) == pytest.approx(number(told[2]), rel=2e-3)
    assert number(told[2]) == pytest.approx(result.normalized[-1], rel=1e-3)
    assert "not a number" in spot(humanoid, "the newest value", eps=0.0, feature=74)[1].numbers


def test_expected_mean_after_the_shift_is_close_to_the_measured_one(humanoid):
    result, shift = spot(humanoid, "the shift", seen=2048)
    expression, told = shift.arithmetic[-1].split(" = ")
    assert evaluated(expression) == pytest.approx(number(told), rel=1e-3)
    assert number(told) == pytest.approx(result.mean[-1], abs=0.1 * result.truth[3])


def test_spots_are_few_and_short(humanoid):
    for state in [*humanoid.corners(), *humanoid.grid(40)]:
        spots = humanoid.spots(humanoid.compute(state))
        assert 1 <= len(spots) <= 10
        assert max(len(line) for it in spots for line in (*it.arithmetic, it.numbers)) <= 100
        assert len(repr(spots)) < 8000
    _, merge = spot(humanoid, "the last merge")
    assert [mark.panel for mark in merge.marks] == ["statistics", "error"]


def test_handles_are_at_their_samples_and_at_different_heights(humanoid):
    result = humanoid.compute(humanoid.at())
    seen, shift = humanoid.grips(result)
    assert (seen.controls, shift.controls, seen.along, shift.along) == (("seen",), ("shift",), "x", "x")
    assert all(x == samples for it in (seen, shift) for (samples,), (x, _) in it.points.items())
    assert {samples for (samples,) in shift.points} == {0, *range(64, 2049, 64)}
    assert {y for _, y in seen.points.values()}.isdisjoint(y for _, y in shift.points.values())


def test_answers_of_the_questions_match_the_computed_statistics(humanoid):
    off, batches, forgotten = humanoid.questions
    error = humanoid.compute(humanoid.at(**off.show)).error[-1]
    assert off.answer == f"about {error:.1g}"
    ends = [humanoid.compute(humanoid.at(**{**batches.show, "batch": batch})) for batch in (1, 512)]
    assert ends[0].mean[-1] == pytest.approx(ends[1].mean[-1], rel=FLOAT32)
    assert batches.answer == "no difference"
    result = humanoid.compute(humanoid.at(**forgotten.show))
    assert (forgotten.answer == "no") == (result.error[-1] > 0.5)


def test_stored_frames_are_few_and_include_those_of_the_answers(humanoid):
    states = humanoid.swept_states()
    assert len(states) <= 155
    assert {humanoid.at(**question.show) for question in humanoid.questions} <= {*states}


def test_title_of_features_that_hardly_vary():
    flat = Stream(1e-10 * torch.randn(100, 8, 3, generator=torch.Generator().manual_seed(0)))
    assert (
        flat.title(flat.compute(flat.at())) == "No feature varies by more than 10⁻⁶, so there is no error to measure."
    )


def test_long_name_is_cut_to_fit_next_to_the_title():
    name = "left front hip abduction joint velocity (rad/s)"
    explorer = Stream(torch.randn(100, 8, 3), names=(name, "b", "c"), feature=0)
    figure = explorer.render()
    figure.canvas.draw()
    for axes in figure.axes:
        words = [text for text in axes.texts if text.get_text().endswith("…")]
        if axes.get_label() in ("statistics", "values"):
            (shown,) = words
            title = max((axes.title, axes._left_title), key=lambda text: len(text.get_text()))
            assert not shown.get_window_extent().overlaps(title.get_window_extent())
    assert name in explorer.describe(explorer.compute(explorer.at()))


def test_single_update_is_drawn_as_a_dot():
    explorer = Stream(torch.randn(100, 8, 3))
    for changes, dotted in (({"seen": 96, "batch": 64}, True), ({"seen": 192, "batch": 64}, False)):
        statistics, error = explorer.render(**changes).axes[:2]
        for axes, label in ((statistics, "running"), (error, "measured")):
            line = next(line for line in axes.lines if line.get_label() == label)
            assert (len(line.get_xdata()) == 1) is dotted
            assert (line.get_marker() == "o") is dotted
        assert (statistics.patches[0].get_linewidth() > 0) is dotted


def test_distances_are_plural_except_one():
    written = [picture.stds(value, "true std") for value in (0.5, 1.0, 1.2)]
    assert written == ["0.5 true stds", "1 true std", "1.2 true stds"]


def said(explorer, result):
    """Return all texts of a result."""
    words = [explorer.title(result), explorer.describe(result), *explorer.numbers(result).values()]
    return words + [it for spot in explorer.spots(result) for it in (spot.name, spot.numbers, *spot.arithmetic)]


@pytest.mark.parametrize("shape", [(100, 1, 3), (50, 8, 3), (1, 1, 1), (20, 4, 2)])
def test_small_recordings_start_with_an_update_and_use_the_singular(shape):
    explorer = Stream(torch.randn(shape, generator=torch.Generator().manual_seed(0)))
    assert len(explorer.compute(explorer.at()).samples)
    assert "No update yet" not in explorer.title(explorer.compute(explorer.at()))
    for state in [*explorer.corners(), *explorer.grid(40)]:
        for words in said(explorer, explorer.compute(state)):
            assert not re.search(r"(?<![\d,.])1 (more |independent )?(samples|values)", words), words


def test_panel_title_counts_at_most_all_samples():
    assert Stream(torch.randn(100, 1, 3)).render().axes[2].get_title("left") == "the last 100 samples"
    assert Stream(torch.randn(1, 1, 3)).render().axes[2].get_title("left") == "the last sample"


def test_texts_use_true_minus_signs(humanoid):
    minus = 0
    for state in [*humanoid.corners(), *humanoid.grid(60)]:
        words = " ".join(said(humanoid, humanoid.compute(state)))
        assert not re.search(r"(?<!\w)-\d|e-\d", words), words
        minus += "−" in humanoid.describe(humanoid.compute(state))
    assert minus > 5
