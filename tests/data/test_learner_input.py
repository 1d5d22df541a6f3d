"""A learner's own input is converted, or an error names the argument and what is wrong."""

import warnings

import numpy as np
import pytest
import torch

from rsl_edu.data.learner_input import episode_ends, finite_tensor


@pytest.mark.parametrize(
    "value",
    [
        [[1.0, 2.0], [3.0, 4.0]],
        np.array([[1.0, 2.0], [3.0, 4.0]]),
        np.array([[2.0, 1.0], [4.0, 3.0]])[:, ::-1],
        np.array([[1.0, 2.0], [3.0, 4.0]], ">f4"),
        np.array([[3.0, 4.0], [1.0, 2.0]])[::-1],
        torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True),
        torch.tensor([[1.0, 2.0], [3.0, 4.0]]).half(),
    ],
)
def test_numbers_are_accepted_in_every_form(value):
    tensor = finite_tensor("x", value, "[samples, features]")
    assert tensor.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert not tensor.requires_grad


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ("much", TypeError, "x: expected a tensor or an array of numbers, got str"),
        ([[1.0], [1.0, 2.0]], TypeError, r"x: expected a tensor or an array of numbers, got list \(expected sequence"),
        (torch.ones(2, 2, dtype=torch.complex64), TypeError, "x: expected real numbers, got torch.complex64"),
        (None, ValueError, r"x: expected shape \[samples, 2\] or \[time, envs, 2\], got None"),
        (np.array(3.0), ValueError, r"x: expected shape .*, got \[\]"),
        (torch.zeros(2), ValueError, r"x: expected shape \[samples, 2\] or .*, got \[2\]"),
        (torch.zeros(2, 3), ValueError, r"x: expected shape .*, got \[2, 3\]"),
        (torch.zeros(0, 2), ValueError, r"x: expected shape .*, got \[0, 2\]"),
        (torch.full((2, 2), torch.nan), ValueError, "x: expected finite values, got NaN or infinity"),
    ],
)
def test_invalid_input_is_named(value, error, message):
    with pytest.raises(error, match=message):
        finite_tensor("x", value, "[samples, 2]", "[time, envs, 2]")


def test_reversed_array_with_one_row_is_accepted():
    assert finite_tensor("x", np.ones((1, 2))[::-1], "[samples, features]").tolist() == [[1.0, 1.0]]


def test_message_contains_the_words_after_a_shape():
    assert finite_tensor("y", [1.0, 2.0], "[2], as x").tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match=r"y: expected shape \[3\], as x, got \[2\]"):
        finite_tensor("y", [1.0, 2.0], "[3], as x")


@pytest.mark.parametrize("dtype", [torch.bool, torch.float32, torch.int64, torch.uint8])
@pytest.mark.parametrize("shape", [(3, 2), (3, 2, 1)])
def test_ends_of_episodes_are_accepted_in_every_dtype(dtype, shape):
    dones = torch.tensor([0, 1, 0, 0, 1, 0]).reshape(shape).to(dtype)
    assert episode_ends("dones", dones, torch.Size((3, 2))).tolist() == [[False, True], [False, False], [True, False]]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, r"dones: expected shape \[time, envs\], here \[3, 2\], got None"),
        (torch.zeros(2, 3), r"dones: expected shape .*, got \[2, 3\]"),
        (torch.full((3, 2), 2), "dones: expected 0 and 1, or False and True, got other values"),
    ],
)
def test_ends_that_do_not_fit_are_named(value, message):
    with pytest.raises(ValueError, match=message):
        episode_ends("dones", value, torch.Size((3, 2)))


def test_warning_about_values_that_float32_cannot_resolve():
    close = torch.randn(99, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for fine in (close + 1e4, 1e-30 * close, close.float() + 1e8, torch.full((9, 2), 0.1, dtype=torch.float64)):
            finite_tensor("x", fine, "[samples, features]")
    with pytest.warns(
        UserWarning, match="x: values in column 1 vary by .* around 1e[+]07, which float32 cannot resolve"
    ):
        finite_tensor("x", close + torch.tensor([0.0, 1e7]), "[samples, features]")
