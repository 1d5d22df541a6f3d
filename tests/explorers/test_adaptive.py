"""Explorer *adaptive rate*: the rule matches rsl_rl, the KL matches the library, and each mistake has its symptom."""

import re

import numpy as np
import pytest
import torch
from recomputed import number
from torch.distributions import Normal, kl_divergence

from rsl_edu.explorers.adaptive import AdaptiveRate, _features
from rsl_edu.explorers.adaptive.picture import answer_to, targets
from rsl_edu.explorers.adaptive.state import BATCHES, EPOCHS, LIMITS, UPDATES, adapted

ITERATION = EPOCHS * BATCHES


@pytest.fixture(scope="module")
def explorer():
    return AdaptiveRate()


@pytest.fixture
def small():
    torch.manual_seed(0)
    return torch.randn(5, 3, 4), torch.randn(5, 3, 2), torch.randn(5, 3)


def at(explorer, **changes):
    return explorer.compute(explorer.at(**changes))


def ends(run):
    return run.kl[ITERATION - 1 :: ITERATION]


def line(axes, label):
    return next(line for line in axes.lines if line.get_label() == label)


@pytest.mark.parametrize(
    ("kl", "rate", "expected"),
    [
        (0.021, 1e-3, 1e-3 / 1.5),
        (0.0049, 1e-3, 1.5e-3),
        (0.02, 1e-3, 1e-3),
        (0.005, 1e-3, 1e-3),
        (0.0, 1e-3, 1e-3),  # at the first mini-batch of an iteration, the policy has not changed
        (1.0, 1.2e-5, 1e-5),
        (1e-9, 9e-3, 1e-2),
    ],
)
def test_rule_matches_rsl_rl(kl, rate, expected):
    assert adapted(rate, kl, 0.01, 1.5) == pytest.approx(expected)


def test_rate_of_each_update_follows_from_its_kl(explorer):
    run = at(explorer, factor=2.0).run
    rate = 1e-3
    for kl, shown in zip(np.nan_to_num(run.kl), run.rate, strict=True):
        rate = adapted(rate, kl, 0.01, 2.0)
        assert shown == rate


def test_kl_is_nan_only_at_the_start_of_each_iteration(explorer):
    missing = np.flatnonzero(np.isnan(at(explorer).run.kl))
    assert missing.tolist() == list(range(0, UPDATES, ITERATION))


def test_kl_matches_the_same_updates_in_torch(small):
    explorer = AdaptiveRate(*small, schedule="fixed", rate=1e-3, init_std=0.5)
    net, policy = explorer._policy(explorer.at())
    batches = explorer._collect(net, policy, torch.Generator().manual_seed(0))
    adam = torch.optim.Adam([*net.parameters(), policy.log_std_param], lr=1e-3)
    kls = []
    for batch in (batches * EPOCHS)[:12]:
        x, actions, old_log_prob, advantage, mean, std = map(torch.from_numpy, vars(batch).values())
        new, old = Normal(net(x), policy.log_std_param.exp()), Normal(mean, std)
        kls.append(kl_divergence(old, new).sum(1).mean().item())
        ratio = (new.log_prob(actions).sum(1) - old_log_prob).exp()
        loss = -torch.min(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
    np.testing.assert_allclose(at(explorer).run.kl[1:12], kls[1:], rtol=1e-6)


def test_advantages_follow_from_the_reward_model(explorer):
    explorer = AdaptiveRate(*explorer.own_data(lambda *shape: torch.randn(shape, generator=torch.manual_seed(0))))
    x, a, b = explorer._x, *torch.randn(2, len(explorer._x), 2, dtype=torch.float64)
    expected = (_features(x, a) - _features(x, b)) @ explorer._weights
    torch.testing.assert_close(explorer._gain(a) - explorer._gain(b), expected)


def test_too_high_a_rate_is_lowered_within_an_iteration(explorer):
    high = at(explorer, rate=1e-2)
    assert high.run.rate[ITERATION - 1] < 1e-4
    assert ends(high.run)[1:].max() < 0.1
    assert ends(at(explorer, rate=1e-2, schedule="fixed").run).min() > 2 * ends(high.run)[1:].max()


def test_too_low_a_rate_is_raised(explorer):
    run = at(explorer, rate=1e-5).run
    assert run.rate.max() > 1e-4


def test_fixed_rate_lets_the_kl_grow_while_the_std_shrinks(explorer):
    run = at(explorer, schedule="fixed", rate=1e-2).run
    assert run.std[-1] < 0.7
    largest = [np.nanmax(each) for each in np.split(run.kl, UPDATES // ITERATION)]
    assert largest[-1] > 1.5 * largest[0]
    assert (run.rate == 1e-2).all()


def test_rate_stays_within_its_limits(explorer):
    for changes in ({"factor": 3.0}, {"target": 0.1, "init_std": 2.0}, {"target": 0.001, "rate": 1e-2}):
        rate = at(explorer, **changes).run.rate
        assert LIMITS[0] <= rate.min()
        assert rate.max() <= LIMITS[1]


def test_mean_over_dimensions_understates_the_kl_and_lets_it_grow(explorer):
    right, wrong = at(explorer), at(explorer, mistake="mean")
    known = ~np.isnan(wrong.run.told)
    np.testing.assert_allclose(wrong.run.told[known], wrong.run.kl[known] / 6)  # HalfCheetah has six actuators
    assert np.median(ends(wrong.run)) > 2 * np.median(ends(right.run))
    assert "✗ Mean over dimensions: the rule gets 0.17 times the true KL" in explorer.describe(wrong)


def test_reversed_kl_hardly_differs_between_close_policies(explorer):
    run = at(explorer, mistake="reversed").run
    known = ~np.isnan(run.told)
    assert (run.told[known] != run.kl[known]).any()
    np.testing.assert_allclose(run.told[known], run.kl[known], rtol=0.3)


def test_rule_applied_once_per_iteration_changes_the_rate_once_per_iteration(explorer):
    result = at(explorer, mistake="once", rate=1e-2)
    assert len(set(result.run.rate.tolist())) <= 1 + UPDATES // ITERATION
    assert np.isfinite(result.run.told).sum() == UPDATES // ITERATION
    assert result.shares[2] > at(explorer, rate=1e-2).shares[2] + 0.2
    assert "The rule is applied once per iteration" in explorer.describe(result)


def test_fixed_schedule_ignores_the_rule_and_does_not_train_again(explorer):
    runs = [at(explorer, schedule="fixed", **c).run for c in ({}, {"target": 0.1}, {"factor": 3.0})]
    assert all((run.std == runs[0].std).all() for run in runs)
    assert "✗" not in explorer.describe(at(explorer, schedule="fixed", mistake="mean"))


def test_shares_count_the_updates_below_inside_and_above_the_band(explorer):
    result = at(explorer)
    kl = np.nan_to_num(result.run.kl)
    assert len(kl) == UPDATES
    assert result.shares == pytest.approx(
        ((kl < 0.005).mean(), ((kl >= 0.005) & (kl <= 0.02)).mean(), (kl > 0.02).mean())
    )


def test_shares_of_five_updates_are_fifths(explorer):
    for seed in range(4):
        result = at(explorer, updates=5, seed=seed)
        assert 5 * np.array(result.shares) == pytest.approx(np.round(5 * np.array(result.shares)))
        assert sum(result.shares) == pytest.approx(1)
        assert f"{result.inside} of 5 updates" in explorer.title(result)


def test_title_states_whether_the_rate_rises_falls_or_swings(explorer):
    seen = set()
    for changes in ({}, {"rate": 1e-2}, {"target": 0.1}, {"target": 0.001}):
        for updates in range(5, UPDATES + 1, 5):
            result = at(explorer, updates=updates, **changes)
            steps, title = np.diff([result.state.rate, *result.run.rate]), explorer.title(result)
            word = title.split()[2]
            seen.add(word)
            assert (word == "rises") == bool((steps >= 0).all() and steps.any()), title
            assert (word == "falls") == bool((steps <= 0).all() and steps.any()), title
    assert seen >= {"rises", "falls", "swings"}


def test_series_of_fewer_updates_are_the_start_of_the_full_run(explorer):
    whole, part = at(explorer).run, at(explorer, updates=35).run
    for name, series in vars(part).items():
        np.testing.assert_array_equal(series, getattr(whole, name)[:35])


def test_artists_follow_the_run(explorer):
    kl, shares, rate, _ = explorer.render(updates=50).axes
    run = at(explorer, updates=50).run
    np.testing.assert_array_equal(line(kl, "KL").get_ydata(), run.kl)
    np.testing.assert_array_equal(line(rate, "rate").get_ydata(), run.rate)
    assert shares.texts[0].get_text() == f"{100 * at(explorer, updates=50).shares[0]:.0f} % below"


def test_kl_of_the_rule_is_drawn_only_if_it_differs(explorer):
    right, wrong = (line(explorer.render(mistake=m).axes[0], "KL the rule gets") for m in ("right", "mean"))
    assert np.isnan(right.get_ydata()).all()
    assert np.nanmax(wrong.get_ydata()) > 0


def test_caption_depends_on_every_control_and_has_no_exponents(explorer):
    start = explorer.describe(at(explorer))
    for name, control in explorer.controls.items():
        text = explorer.describe(
            at(explorer, **{name: next(v for v in control.positions(3) if v != getattr(explorer.at(), name))})
        )
        assert text != start, name
        assert "e-" not in text
        assert len(text) <= 300


def test_guess_is_drawn_at_the_end_of_the_run(small):
    explorer = AdaptiveRate(*small)
    explorer.predict(5e-4)
    guess = next(line for line in explorer.render(updates=20).axes[2].lines if line.get_marker() == "X")
    assert guess.get_xydata().tolist() == [[UPDATES, 5e-4]]


def test_run_depends_only_on_the_seed(small):
    one, same = (at(AdaptiveRate(*small)).run for _ in range(2))
    np.testing.assert_array_equal(one.kl, same.kl)
    assert (one.std != at(AdaptiveRate(*small), seed=1).run.std).any()


def test_training_does_not_change_the_global_generator(small):
    before = torch.get_rng_state()
    at(AdaptiveRate(*small))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 4, 1, 1), (7, 1, 3, 2)])
def test_rollouts_of_any_size_can_be_drawn(shape):
    time, envs, features, actions = shape
    torch.manual_seed(0)
    explorer = AdaptiveRate(
        torch.randn(time, envs, features), torch.randn(time, envs, actions), torch.randn(time, envs)
    )
    assert explorer.sweep().startswith("AdaptiveRate: ")


def test_constant_rewards_leave_the_policy_unchanged():
    explorer = AdaptiveRate(torch.randn(4, 2, 3), torch.randn(4, 2, 1), torch.zeros(4, 2))
    result = at(explorer)
    assert np.isnan(result.run.kl).all()
    assert explorer.numbers(result)["largest KL"] == "–"
    assert "nan" not in explorer.describe(result)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((torch.zeros(4, 3), torch.zeros(4, 3, 1), torch.zeros(4, 3)), r"observations: .* got \[4, 3\]"),
        (
            (torch.zeros(4, 3, 2), torch.zeros(4, 2, 1), torch.zeros(4, 3)),
            r"actions: expected shape \[4, 3, actions\], with .*, got \[4, 2, 1\]",
        ),
        (
            (torch.zeros(4, 3, 2), torch.zeros(4, 3, 1), torch.zeros(4)),
            r"rewards: expected shape \[4, 3\], with .*, got \[4\]",
        ),
        ((torch.zeros(4, 3, 2), None, None), "expected all three or none"),
        ((torch.full((4, 3, 2), torch.nan), torch.zeros(4, 3, 1), torch.zeros(4, 3)), "observations: expected finite"),
        ((torch.zeros(3, 1, 2), torch.zeros(3, 1, 1), torch.zeros(3, 1)), "expected at least 4 of them, got 3"),
    ],
)
def test_bad_data_raise_an_error_that_names_the_argument(data, message):
    with pytest.raises(ValueError, match=message):
        AdaptiveRate(*data)


TITLES = {
    "The rate swings between 10⁻⁵ and 0.0034; the KL is in the band in 15 of 120 updates.": {},
    "The rate rises from 0.001 to 0.0034; the KL is in the band in 1 of 5 updates.": {"updates": 5},
    "Fixed rate 0.01: the KL reaches 100 targets; 4 of 120 updates are in the band.": {
        "schedule": "fixed",
        "rate": 1e-2,
    },
    "The rule gets 0.17 times the true KL, which reaches 23 targets.": {"mistake": "mean"},
    "The rule gets KL(new‖old), 0.99 times the true KL; 15 of 120 updates are in the band.": {"mistake": "reversed"},
    "Applied once per iteration, the rule keeps the KL in the band in 50 of 120 updates.": {"mistake": "once"},
}


@pytest.mark.parametrize(("title", "changes"), TITLES.items())
def test_titles(explorer, title, changes):
    assert explorer.title(at(explorer, **changes)) == title


def test_title_fits_and_its_numbers_match_the_run(explorer):
    for state in [*explorer.corners(), *explorer.grid(40)]:
        result = explorer.compute(state)
        title, kl = explorer.title(result), result.run.kl[~np.isnan(result.run.kl)] / state.target
        assert 0 < len(title) <= 90
        if found := re.search(r"(\d+) of (\d+) updates", title):
            assert int(found[1]) == ((kl >= 0.5) & (kl <= 2)).sum()
            assert int(found[2]) == state.updates
        if found := re.search(r"reaches ([\d.,]+) targets", title):
            assert float(found[1].replace(",", "")) == pytest.approx(kl.max(), rel=0.06)


def test_title_states_that_the_policy_does_not_change():
    still = AdaptiveRate(torch.randn(4, 2, 3), torch.randn(4, 2, 1), torch.zeros(4, 2))
    assert still.title(at(still)) == "The policy does not change, so the KL stays 0 and the rate stays the same."
    first_line = still.spots(at(still))[3].arithmetic[0]
    assert first_line == "KL = 0: the policy has not changed since the start of the iteration"


CASES = [{}, {"mistake": "mean"}, {"mistake": "reversed"}, {"target": 0.001, "factor": 3.0}, {"rate": 1e-2}]


@pytest.mark.parametrize("changes", CASES)
@pytest.mark.parametrize("updates", [20, 85, 120])
def test_arithmetic_of_each_update_leads_to_the_drawn_rate(explorer, changes, updates):
    result = at(explorer, updates=updates, **changes)
    spots = explorer.spots(result)
    assert len(spots) == (updates - 1) % ITERATION + 1
    for update, spot in zip(range(updates - len(spots), updates), spots, strict=True):
        assert spot.name == f"update {update + 1}"
        compared, rule = spot.arithmetic[-2:]
        before = result.run.rate[update - 1] if update else result.state.rate
        told, target = np.nan_to_num(result.run.told[update]), result.state.target
        if told:
            assert number(re.match(r"(?:wrong )?KL = ([\d.,·⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", compared)[1]) == pytest.approx(
                told, rel=1e-3
            )
        assert ("step too large" in compared) == (told > 2 * target)
        assert ("step too small" in compared) == (0 < told < target / 2)
        if "max(" in rule or "min(" in rule:
            limit, old, sign, factor, new = re.match(r"rate = m..\((\S+), (\S+) ([/·]) (\S+)\) = (\S+)", rule).groups()
            moved = number(old) / number(factor) if sign == "/" else number(old) * number(factor)
            bounded = max(number(limit), moved) if sign == "/" else min(number(limit), moved)
            assert bounded == pytest.approx(number(new), rel=1e-3)
            assert (number(old), number(factor)) == pytest.approx((before, result.state.factor), rel=1e-3)
        else:
            new = rule.removeprefix("rate = ").removesuffix(", as before")
        assert number(new) == pytest.approx(result.run.rate[update], rel=1e-3)


def test_arithmetic_shows_how_the_wrong_kl_is_computed(explorer):
    result = at(explorer, mistake="mean")
    kl, told = explorer.spots(result)[10].arithmetic[:2]
    assert number(told.split(" = ")[2]) == pytest.approx(number(kl.split(" = ")[1]) / 6, rel=1e-3)
    assert "wrong KL = KL / 6 dimensions" in told


def test_arithmetic_states_where_the_rule_is_not_applied(explorer):
    spots = explorer.spots(at(explorer, mistake="once"))
    skipped = [("applied only at the iteration's last" in " ".join(spot.arithmetic)) for spot in spots]
    assert skipped == [True] * (ITERATION - 1) + [False]
    fixed = explorer.spots(at(explorer, schedule="fixed"))
    assert all(spot.arithmetic[1] == "fixed: the rule is not used; rate = 0.001, as before" for spot in fixed)


def test_spot_of_an_update_highlights_its_kl_and_the_change_of_the_rate(explorer):
    result = at(explorer)
    kl, step = explorer.spots(result)[10].marks  # update 111
    assert (kl.panel, kl.x, step.panel, step.x) == ("KL", 111, "learning rate", 110.5)
    assert kl.y == pytest.approx(result.run.kl[110], rel=1e-3)
    assert step.y == pytest.approx(tuple(result.run.rate[109:111]), rel=1e-3)


def test_colours_of_dots_and_steps_match_what_the_rule_does(explorer):
    result = at(explorer)
    kl, _, rate, _ = explorer.render().axes
    for words, answer in (("rate rises", "up"), ("rate falls", "down"), ("stays", "stays")):
        wanted = [update + 1 for update in range(UPDATES) if answer_to(result, update) == answer]
        assert line(kl, words).get_xdata().tolist() == wanted
    steps = {it.get_color(): it.get_ydata().reshape(-1, 3) for it in rate.lines if it.get_linewidth() == 3}
    rises, falls = (steps[line(kl, words).get_color()] for words in ("rate rises", "rate falls"))
    assert (rises[:, 1] > rises[:, 0]).all()
    assert (falls[:, 1] < falls[:, 0]).all()
    changes = np.diff(np.concatenate([[1e-3], result.run.rate]))
    assert (len(rises), len(falls)) == ((changes > 0).sum(), (changes < 0).sum())


def test_spots_are_short(explorer):
    for state in [*explorer.corners(), *explorer.grid(20)]:
        spots = explorer.spots(explorer.compute(state))
        assert 5 <= len(spots) <= ITERATION
        assert max(len(line) for it in spots for line in (*it.arithmetic, it.numbers)) <= 100
        assert max(len(it.arithmetic) for it in spots) <= 6
        assert len(repr(spots)) < 9000


def test_cursor_is_at_the_updates_shown(explorer):
    (cursor,) = explorer.grips(at(explorer))
    assert (cursor.controls, cursor.panel, cursor.along) == (("updates",), "KL", "x")
    assert [(updates, x) for (updates,), (x, _) in cursor.points.items()] == [(n, n) for n in range(5, 121, 5)]


def test_answers_of_the_questions_match_the_computed_runs(explorer):
    way, share = explorer.questions
    assert way.answer == "it rises, then falls"
    for rates in at(explorer, **way.show).run.rate.reshape(-1, ITERATION):
        top = rates.argmax()
        assert 2 < top < ITERATION - 4
        assert (np.diff(rates[: top + 1]) >= 0).all()
        assert (np.diff(rates[top:]) <= 0).all()
    inside = at(explorer, **share.show).shares[1]
    near = min(
        {"nearly all": 1.0, "about half": 0.5, "one in eight": 1 / 8}.items(), key=lambda it: abs(it[1] - inside)
    )
    assert share.answer == near[0]


def test_stored_frames_include_those_of_the_answers(explorer):
    assert len(explorer.swept_states()) <= 50
    assert {explorer.at(**question.show) for question in explorer.questions} <= {*explorer.swept_states()}


def test_own_data_get_no_questions(small):
    assert AdaptiveRate(*small).questions == ()


def test_one_target_is_singular(explorer):
    assert [targets(value) for value in (0.0, 0.5, 1.0, 1.2)] == [
        "0 targets",
        "0.5 targets",
        "1 target",
        "1.2 targets",
    ]
    for state in [*explorer.corners(), *explorer.grid(40)]:
        result = explorer.compute(state)
        said = [explorer.title(result), explorer.describe(result), *explorer.numbers(result).values()]
        said += [spot.numbers for spot in explorer.spots(result)]
        assert not re.search(r"(?<![\d.,])1 targets", " ".join(said))
