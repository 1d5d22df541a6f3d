"""Fixtures: runs trained by rsl_rl, and copies of them with faults in their files."""

import functools
import itertools

import peer
import pytest
import torch

from rsl_edu.checkpoint import Checkpoint, read_run


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Trains InvertedPendulum once per seed and network and returns the run folder; skips the test without rsl_rl."""
    if peer.VecEnv is object:
        pytest.skip("needs rsl_rl")

    @functools.cache
    def train(seed=0, **options):
        folder = tmp_path_factory.mktemp("run")
        with torch.random.fork_rng(devices=[]):
            peer.train(folder, seed=seed, **options)
        return folder

    return lambda seed=0, **options: train(seed, **options)


@pytest.fixture
def edited(tmp_path):
    """Copies a run and edits each file with ``edit(stored, last)``; ``last`` is True for the last file."""
    numbers = itertools.count()

    def copy(folder, edit):
        copied = tmp_path / f"edited {next(numbers)}"
        copied.mkdir()
        checkpoints = read_run(folder, config={}).checkpoints
        for checkpoint in checkpoints:
            stored = torch.load(checkpoint.path, weights_only=True)
            edit(stored, checkpoint is checkpoints[-1])
            torch.save(stored, copied / checkpoint.path.name)
        return copied

    return copy


@pytest.fixture
def checkpoint_of(tmp_path):
    """A checkpoint that contains a given policy, as if it had been read from a file."""
    return lambda policy: Checkpoint(tmp_path / "model_3.pt", (5,), 3, policy.eval(), 0.01, True, ())
