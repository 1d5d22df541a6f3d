"""Explorer *divergence*: closed forms match the library, integrals are correct, and each mistake is visible."""

import math

import numpy as np
import pytest
import torch
from recomputed import equalities, evaluated
from torch.distributions import Normal, kl_divergence

from rsl_edu.explorers.bench.arithmetic import exponential, rounded
from rsl_edu.explorers.bench.drawing import Drawing
from rsl_edu.explorers.divergence import MISTAKES, QUANTITIES, Divergence

INTEGRAL = 1e-6
WIDE = {"old_std": 0.3, "new_std": 2.0, "old_mean": -1.0, "new_mean": 0.4}


@pytest.fixture(scope="module")
def explorer():
    return Divergence()


@pytest.fixture
def own():
    torch.manual_seed(0)
    return (torch.randn(5), torch.rand(5) + 0.05), (torch.randn(5), torch.rand(5) + 0.05)


def at(explorer, **changes):
    return explorer.compute(explorer.at(**changes))


def line(axes, label):
    return next(line for line in axes.lines if line.get_label() == label)


def test_closed_forms_match_torch_summed_over_dimensions(explorer):
    old, new = (Normal(torch.tensor(m).double(), torch.tensor(s).double()) for m, s in ((-1.0, 0.3), (0.4, 2.0)))
    truth = [old.entropy(), new.entropy(), kl_divergence(old, new), kl_divergence(new, old)]
    np.testing.assert_allclose(at(explorer, **WIDE, dimensions=12).closed, 12 * np.array(truth), rtol=1e-6)


def test_integrals_equal_the_correct_closed_forms(explorer):
    for state in [*explorer.corners(), *explorer.grid()]:
        result = explorer.compute(explorer._space.changed(state, {"mistake": "right"}))
        np.testing.assert_allclose(result.integral, result.closed, rtol=INTEGRAL, atol=INTEGRAL)
        assert not result.wrong.any()


def test_area_of_the_drawn_integrands_is_the_kl(explorer):
    result = at(explorer, action=1.0)
    for integrand, kl in zip(result.integrands, result.integral[2:], strict=True):
        assert np.trapezoid(integrand, result.actions) == pytest.approx(kl, rel=1e-2)


def test_log_probability_of_the_action_matches_torch(explorer):
    result = at(explorer, **WIDE, action=0.7)
    assert result.log_prob[0] == pytest.approx(Normal(-1.0, 0.3).log_prob(torch.tensor(0.7)).item(), rel=1e-5)
    assert result.log_prob[1] == pytest.approx(Normal(0.4, 2.0).log_prob(torch.tensor(0.7)).item(), rel=1e-5)


def test_probability_ratio_matches_the_densities(explorer):
    result = at(explorer, action=0.2)
    said = evaluated(explorer.numbers(result)["new/old(action)"])
    assert said == pytest.approx(math.exp(result.log_prob[1] - result.log_prob[0]), rel=0.05)
    far = explorer.numbers(at(explorer, new_std=0.05, action=4.0))
    assert far["new/old(action)"] == "5.7·10⁻¹⁰⁶⁰"
    near = at(explorer, new_std=0.1, action=1.0)
    assert "the new density is 6.1·10⁻⁵ times the old one" in explorer.describe(near)


@pytest.mark.parametrize("nats", [-1700.0, -709.0, -20.7, -9.0, -8.99, 0.0, 9.2, 11.0, 2302.6])
def test_power_of_e_is_written_as_a_power_of_ten(nats):
    written = exponential(nats)
    first, _, exponent = written.rpartition("10")
    if abs(nats) >= 9:
        digits = int(exponent.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")))
        value = digits + math.log10(float(first.rstrip("·") or 1))
        assert value == pytest.approx(nats / math.log(10), abs=0.03)
    else:
        assert evaluated(written) == pytest.approx(math.exp(nats), rel=0.05)
    assert exponential(-1e20) == "less than 10⁻⁹⁹⁹⁹"
    assert exponential(1e20) == "more than 10⁹⁹⁹⁹"


@pytest.mark.parametrize(
    ("value", "words"), [(-4.726, "−4.7"), (-0.001, "−0.001"), (-3e-7, "−3·10⁻⁷"), (-2.6e12, "−2.6·10¹²"), (-0.0, "0")]
)
def test_rounded_numbers_have_a_true_minus_sign(value, words):
    assert rounded(value) == words


def test_ticks_have_true_minus_signs(explorer):
    ticks = explorer.render(action=-1.0).axes[3].get_xticklabels()
    assert any(tick.get_text().startswith("−") for tick in ticks)


@pytest.mark.parametrize(
    ("mistake", "expected"),
    [
        ("reversed", lambda h, h2, kl, kl2, *_: (h, h2, kl2, kl)),
        ("half", lambda h, h2, kl, kl2, *_: (h - 1.5, h2 - 1.5, kl + 1.5, kl2 + 1.5)),
        ("mean", lambda *values: np.array(values) / 3),
    ],
)
def test_mistakes_of_the_sums_change_the_closed_forms_and_the_title(explorer, mistake, expected):
    right, wrong = at(explorer, dimensions=3), at(explorer, dimensions=3, mistake=mistake)
    np.testing.assert_allclose(wrong.closed, expected(*right.closed), atol=1e-8)
    np.testing.assert_array_equal(wrong.integral, right.integral)
    assert f"✗ {MISTAKES[mistake]}: KL(old‖new) comes out as" in explorer.title(wrong)


@pytest.mark.parametrize(("mistake", "std"), [("variance", lambda s: s * s), ("exponentiated", math.exp)])
def test_mistakes_of_the_std_give_the_kl_of_other_policies(explorer, mistake, std):
    result = at(explorer, **WIDE, mistake=mistake)
    other = kl_divergence(Normal(-1.0, std(0.3)), Normal(0.4, std(2.0)))
    assert result.closed[2] == pytest.approx(other.item(), rel=1e-4)
    assert result.wrong.all()


def test_wrong_numbers_start_with_a_cross_and_differ_from_the_integral(explorer):
    for mistake in list(MISTAKES)[1:]:
        result = at(explorer, mistake=mistake, dimensions=2)
        texts = [explorer.numbers(result)[name] for name in QUANTITIES]
        assert [text.startswith("✗ ") for text in texts] == result.wrong.tolist()
        assert result.wrong.any()
        for text in texts:
            if text.startswith("✗ "):
                said, truth = text[2:].split(" nats, not ")
                assert said != truth


def test_title_states_that_a_mistake_has_no_effect(explorer):
    same = at(explorer, mistake="reversed", new_std=1.0)  # with equal stds, KL is symmetric
    for title in (explorer.title(same), explorer.title(at(explorer, mistake="mean"))):
        assert title.startswith("✗ ")
        assert title.endswith("no effect at this setting, all four numbers are right.")


def test_kl_of_equal_policies_is_zero(explorer):
    result = at(explorer, new_mean=0.0, new_std=1.0)
    assert result.closed[2:].tolist() == [0, 0]
    assert result.integral[2:].tolist() == [0, 0]


def test_current_point_is_on_its_curve_except_with_a_mistake(explorer):
    def gap(mistake):
        axes = explorer.render(**WIDE, mistake=mistake).axes[2]
        curve, dot = axes.lines[1], axes.lines[3]  # lines: the one at equal stds, two curves, two dots
        x, y = dot.get_xydata()[0]
        return abs(np.interp(np.log(x), np.log(curve.get_xdata()), np.log(curve.get_ydata())) - np.log(y))

    assert gap("right") < 0.01
    assert gap("variance") > 0.5


def test_rows_of_the_table_follow_the_result(explorer):
    axes = explorer.render(**WIDE, mistake="variance").axes[3]
    result = at(explorer, **WIDE, mistake="variance")
    np.testing.assert_array_equal(line(axes, "closed form").get_xdata(), result.closed)
    np.testing.assert_array_equal(line(axes, "integral").get_xdata(), result.integral)
    low, high = axes.get_xlim()
    assert (low < result.closed).all()
    assert (result.closed < high).all()


def test_every_corner_fits_into_its_axes_and_its_caption(explorer):
    drawing = Drawing(explorer)
    for state in explorer.corners():
        result = explorer.compute(state)
        drawing.move(result)
        assert len(explorer.describe(result)) <= 420
        assert result.densities.max() <= drawing.figure.axes[0].get_ylim()[1]
        assert np.isfinite(result.integrands).all()


def test_texts_depend_on_every_control(explorer):
    def words(state):
        result = explorer.compute(state)
        return explorer.title(result), explorer.describe(result)

    for name, control in explorer.controls.items():
        changes = [v for v in control.positions(5) if v != getattr(explorer.at(), name)]
        assert words(explorer.at()) != words(explorer.at(**{name: changes[-1]})), name


def test_guess_is_drawn_in_the_row_of_its_kl():
    explorer = Divergence()
    explorer.predict(2.5)
    axes = explorer.render().axes[3]
    assert line(axes, "your guess").get_xydata().tolist() == [[2.5, 1]]
    assert "your guess" in [text.get_text() for text in axes.texts]
    assert axes.get_yticklabels()[2].get_text() == "KL(old‖new)"


@pytest.mark.parametrize(
    ("state", "title"),
    [
        ({}, "A narrower new policy: KL(old‖new) is 1.3 nats, the reverse only 0.44."),
        ({"new_std": 2.0}, "A wider new policy: KL(old‖new) is only 0.35 nats, the reverse 0.93."),
        ({"new_std": 1.0}, "With equal stds, KL is the same both ways: 0.12 nats."),
        ({"new_std": 1.0, "new_mean": 0.0}, "The two policies are the same: both KLs are 0."),
        ({"mistake": "reversed"}, "✗ KL reversed: KL(old‖new) comes out as 0.44 nats instead of 1.3."),
    ],
)
def test_titles(explorer, state, title):
    assert explorer.title(at(explorer, **state)) == title


def test_title_is_short_and_correct_in_all_states(explorer):
    for state in [*explorer.corners(), *explorer.grid()]:
        result = explorer.compute(state)
        title = explorer.title(result)
        assert len(title) <= 90
        assert title not in explorer.describe(result)
        assert ("narrower" in title or "wider" in title) <= (state.mistake == "right")
        if "narrower" in title:
            assert result.integral[2] > result.integral[3]
        if "wider" in title:
            assert result.integral[2] < result.integral[3]
        if state.mistake != "right":
            assert result.wrong.any() == ("no effect" not in title)


def test_limits_stay_the_same_while_means_change(explorer):
    limits = set()
    drawing = Drawing(explorer)
    for mean in explorer.controls["new_mean"].positions():
        drawing.move(explorer.compute(explorer.at(new_mean=mean)))
        axes = drawing.figure.axes
        limits |= {(axes[0].get_xlim(), axes[0].get_ylim(), axes[1].get_xlim())}
    assert len(limits) == 1


def test_arithmetic_leads_to_the_numbers_shown(explorer):
    for state in [*explorer.corners(), *explorer.grid(60)]:
        result = explorer.compute(state)
        spots = {spot.name: spot for spot in explorer.spots(result)}
        assert list(spots)[-4:] == list(QUANTITIES)
        for spot in spots.values():
            assert len(spot.arithmetic) <= 6
            assert max(map(len, spot.arithmetic)) <= 100
            assert equalities(spot.arithmetic) > 0 or spot.name == "new/old(action)"
        assert number(spots["log new(action)"].arithmetic[-1]) == pytest.approx(result.log_prob[1], rel=1e-3)
        for row, name in enumerate(QUANTITIES):
            right = [line for line in spots[name].arithmetic if not line.startswith("✗")]
            wrong = [line for line in spots[name].arithmetic if line.startswith("✗")]
            assert number(right[-1]) == pytest.approx(result.integral[row], rel=1e-3, abs=1e-3)
            assert bool(wrong) == result.wrong[row]
            if wrong:
                assert number(wrong[-1].replace(": ", " = ")) == pytest.approx(result.closed[row], rel=1e-3, abs=1e-3)


def number(line):
    return evaluated(line.rpartition(" = ")[2])


def test_arithmetic_of_an_own_policy_sums_different_dimensions(own):
    explorer = Divergence(*own)
    result = at(explorer, dimension=3)
    lines = explorer.spots(result)[-2].arithmetic
    assert equalities(lines) >= 3
    assert float(lines[-1].rpartition(" = ")[2]) == pytest.approx(result.integral[2], rel=1e-3)
    assert lines[-1].count("+") == 4


def test_spots_of_the_quantities_have_marks_in_their_panels(explorer):
    spots = {spot.name: spot for spot in explorer.spots(at(explorer))}
    assert {mark.panel for mark in spots["KL(old‖new)"].marks} == {"table", "integrands", "curve"}
    assert {mark.panel for mark in spots["entropy old"].marks} == {"table"}


def test_handles_are_on_the_densities(explorer):
    result = at(explorer, **WIDE, action=0.7)
    held = {(grip.controls[0], grip.panel): grip.points for grip in explorer.grips(result)}
    state = explorer._space.values(result.state)
    for name, mean, std in (("old", -1.0, 0.3), ("new", 0.4, 2.0)):
        bell = Normal(mean, std)
        for control, x in ((f"{name}_mean", mean), (f"{name}_std", mean + std)):
            points = held[control, "densities"]
            assert list(points) == [(value,) for value in explorer.controls[control].positions()]
            height = bell.log_prob(torch.tensor(x)).exp().item()
            assert points[(state[control],)] == pytest.approx((x, height), rel=1e-5)
    assert held["action", "densities"][(0.7,)] == (0.7, 0.0)
    assert held["new_std", "curve"][(2.0,)][0] == pytest.approx(2 / 0.3)


def test_answers_of_the_questions_match_the_computed_numbers(explorer):
    much, wider, joints = explorer.questions
    assert much.answer == f"{at(explorer, **much.show).integral[2]:.1f}"
    half, twice = (at(explorer, **{**wider.show, "new_std": std}).integral[2] for std in (0.5, 2.0))
    assert half > twice
    assert wider.answer == "half the old one"
    one = at(explorer, new_mean=0.6, new_std=1.0, dimensions=1).integral[2]
    assert at(explorer, **joints.show).integral[2] == pytest.approx(one) == pytest.approx(0.18)
    assert joints.answer == str(joints.show["new_mean"])
    assert not Divergence((torch.zeros(2), torch.ones(2)), (torch.zeros(2), torch.ones(2))).questions


def test_own_policy_is_drawn_in_one_dimension_and_summed_over_all(own):
    explorer = Divergence(*own)
    old, new = (Normal(mean.double(), std.double()) for mean, std in own)
    result = at(explorer, dimension=3)
    assert result.old == pytest.approx((own[0][0][3].item(), own[0][1][3].item()))
    np.testing.assert_allclose(result.closed[2], kl_divergence(old, new).sum(), rtol=1e-6)
    np.testing.assert_allclose(result.integral[3], kl_divergence(new, old).sum(), rtol=INTEGRAL)
    assert explorer.describe(result).startswith("In dimension 3, the old policy has mean")


def test_ticks_of_an_own_policy_are_round(own):
    axes = Divergence(*own).render(dimension=2).axes[0]
    for ticks in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert max(len(tick.get_text()) for tick in ticks) <= 5


def test_own_policy_can_be_restored_from_its_state(own):
    explorer = Divergence(*own, dimension=4, new_std=2.0)
    assert Divergence.from_state(explorer.state, *own).state == explorer.state


@pytest.mark.slow
@pytest.mark.parametrize(("actions", "scale"), [(1, 1e-4), (40, 300.0)])
def test_policies_of_any_size_can_be_drawn(actions, scale):
    torch.manual_seed(1)
    policy = (torch.randn(actions) * scale, (torch.rand(actions) + 0.1) * scale)
    explorer = Divergence(policy, (policy[0] + 0.1 * scale, policy[1] * 1.1))
    assert explorer.sweep().startswith("Divergence: ")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ((torch.zeros(2), torch.ones(2)), None, "new: expected both policies or neither, got only one"),
        ((torch.zeros(2), torch.ones(3)), (torch.zeros(2), torch.ones(2)), r"old: .* got \[2\] and \[3\]"),
        ((torch.zeros(2), torch.ones(2)), (torch.zeros(3), torch.ones(3)), "new: expected 2 actions as in old, got 3"),
        ((torch.zeros(2), torch.zeros(2)), (torch.zeros(2), torch.ones(2)), "old: expected finite means and finite"),
        (torch.zeros(2, 3), (torch.zeros(2), torch.ones(2)), "old: expected two tensors"),
    ],
)
def test_bad_policy_raises_an_error(old, new, message):
    with pytest.raises(ValueError, match=message):
        Divergence(old, new)
