"""A fixture that tests of the checks and the grader share: waiting for something."""

import time

import pytest


@pytest.fixture(scope="session")
def until():
    """Return a function that waits until a condition is true, even on a slow machine, and fails if it never is."""

    def until(fact):
        end = time.monotonic() + 600
        while not fact():
            assert time.monotonic() < end
            time.sleep(0.01)

    return until
