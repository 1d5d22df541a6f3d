"""Select the parameters that `make test` uses; `make test-all` and CI use all of them."""

import pytest

exhaustive = pytest.mark.exhaustive


def tiers(values, first):
    """Return all values as parameters; `make test` leaves out those that are not in ``first``."""
    return [pytest.param(value, marks=[] if value in first else [exhaustive]) for value in values]
