"""Fixtures: checkpoints that rsl_rl trained for the tests of this folder."""

import functools

import pytest
from peer import Recorded, configuration


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Trains a network with a distribution once; returns its algorithm, its configuration and the checkpoint's path."""

    @functools.cache
    def train(network, distribution):
        folder = tmp_path_factory.mktemp(f"{network}-{distribution}")
        config = configuration(network, distribution)
        recorded = Recorded(config).learn(2)
        recorded.runner.save(str(folder / "model_2.pt"))
        return recorded.runner.alg, config, folder / "model_2.pt"

    return train


@pytest.fixture(scope="session")
def drafts(tmp_path_factory):
    """A folder in which all examples of a property-based test overwrite the same files."""
    return tmp_path_factory.mktemp("drafts")
