"""What `make test` tries of a long list of parameters; `make test-all` and CI try all of them."""

import pytest

exhaustive = pytest.mark.exhaustive


def tiers(values, first):
    """Return all values as parameters; those that are not among the ``first`` are left out of `make test`."""
    return [pytest.param(value, marks=[] if value in first else [exhaustive]) for value in values]
