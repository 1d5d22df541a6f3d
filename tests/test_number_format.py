"""Numbers are formatted for readers."""

import pytest

from rsl_edu.number_format import counted, large, power, round_up, short, small


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-0.0, "0"), (-1e-300 * 1e-300, "0"), (0.0123, "0.012"), (1234.5, "1,200"), (300.0, "300"),
        (-0.077, "-0.077"), (2.6e-5, "2.6·10⁻⁵"), (-1e-10, "-10⁻¹⁰"), (0.00034, "0.00034"), (123456.0, "120,000"),
    ],
)  # fmt: skip
def test_number_has_two_digits_and_no_e_notation(value, text):
    assert short(value) == text


def test_decimals_are_kept_on_request():
    assert short(-0.04, 1) == "0"
    assert short(0.16, 1) == "0.2"


def test_power_of_ten():
    assert power(34567.0) == "3.5·10⁴"
    assert power(1e-9) == "10⁻⁹"


def test_large_numbers_are_powers_of_ten():
    written = [large(value) for value in (999_000.0, 2.6e12, -1e6, 0.5, float("inf"))]
    assert written == ["1,000,000", "2.6·10¹²", "-10⁶", "0.5", "infinity"]


def test_numbers_below_a_thousandth_are_not_written_out():
    assert [small(value) for value in (0.0, 4e-4, 0.0123)] == ["0", "under 0.001", "0.012"]


@pytest.mark.parametrize(
    ("value", "above"), [(0.3, 0.5), (1.0, 1.0), (2.1, 5.0), (7.0, 10.0), (1e-5, 1e-5), (99.9, 100.0)]
)
def test_rounding_up_goes_to_the_next_round_number(value, above):
    assert round_up(value) == pytest.approx(above)


def test_rounding_up_keeps_the_requested_digits():
    assert round_up(9.0, (1, 2, 4, 8)) == 10
    assert round_up(3.0, (1, 2, 4, 8)) == 4


def test_noun_is_singular_only_for_one():
    assert [counted(number, "row") for number in (0, 1, 2)] == ["0 rows", "1 row", "2 rows"]
