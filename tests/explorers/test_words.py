"""Numbers are written for people."""

import pytest

from rsl_edu.explorers.words import power, short


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-0.0, "0"), (-1e-300 * 1e-300, "0"), (0.0123, "0.012"), (1234.5, "1,200"), (300.0, "300"),
        (-0.077, "-0.077"), (2.6e-5, "2.6·10⁻⁵"), (-1e-10, "-1·10⁻¹⁰"), (0.00034, "0.00034"), (123456.0, "120,000"),
    ],
)  # fmt: skip
def test_number_has_two_digits_and_no_exponent_of_a_programmer(value, text):
    assert short(value) == text


def test_decimals_are_kept_where_asked_for():
    assert short(-0.04, 1) == "0"
    assert short(0.16, 1) == "0.2"


def test_power_of_ten():
    assert power(34567.0) == "3.5·10⁴"
    assert power(1e-9) == "1·10⁻⁹"
