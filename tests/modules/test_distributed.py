"""Statistics over several processes: all ranks agree with each other, with rsl_rl, and with one process on all data."""

import contextlib
import importlib
import multiprocessing
import os

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from rsl_edu.modules import EmpiricalNormalization

FEATURES, UPDATES = 3, 4
MERGED = {"rtol": 1e-5, "atol": 1e-6}


def batch_sizes(ranks, update, kind):
    """Return how many samples each rank contributes to an update."""
    if kind == "uneven":
        return [1 + (3 * rank + 5 * update) % 11 for rank in range(ranks)]
    empty = (update + 1) % ranks  # a different rank each time, beginning with the second
    return [0 if rank == empty else 4 + rank for rank in range(ranks)]


def stream(ranks, kind, mean=0.0):
    """Batches ``[updates][ranks]`` of samples."""
    generator = torch.Generator().manual_seed(0)
    return [
        [torch.randn(size, FEATURES, generator=generator) + mean + rank for rank, size in enumerate(sizes)]
        for sizes in (batch_sizes(ranks, update, kind) for update in range(UPDATES))
    ]


CASES = [("uneven", 0.0, None), ("empty", 0.0, None), ("uneven", 1e4, None), ("uneven", 0.0, 20)]


def rank_main(rank, ranks, rendezvous, folder, peer=None):
    torch.set_num_threads(1)
    with contextlib.suppress(ModuleNotFoundError):
        peer = importlib.import_module("rsl_rl.modules")
    dist.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=ranks)
    results = []
    for kind, mean, until in CASES:
        norm = EmpiricalNormalization(FEATURES, until=until)
        norm.update(torch.zeros(0, FEATURES))  # no rank has samples yet
        for batches in stream(ranks, kind, mean):
            norm.update(batches[rank])
        results.append(norm.state_dict())
    apart = EmpiricalNormalization(FEATURES)  # as if only one rank had loaded a checkpoint
    apart._mean.fill_(1000.0 * rank)
    apart.count.fill_(10)
    for batches in stream(ranks, "uneven") * 200:
        apart.update(batches[rank])
    assert (apart.mean - results[0]["_mean"]).abs().max() < 1000 * ranks * 20 / apart.count
    broken = EmpiricalNormalization(FEATURES)
    batch = torch.randn(6, FEATURES) + 1e4
    batch[0, 0] = float("nan")
    broken.update(batch)
    assert broken.std[0] < 3
    if peer is not None:
        theirs = peer.EmpiricalNormalization(FEATURES)
        for batches in stream(ranks, "uneven"):
            theirs.update(batches[rank])
        torch.testing.assert_close(dict(results[0]), dict(theirs.state_dict()), **MERGED)
    torch.save(results, f"{folder}/{rank}.pt")
    dist.barrier()
    os._exit(0)  # when destroyed, torch 2.6's gloo may wait for its own thread, which waits for the GIL


@pytest.mark.slow
@pytest.mark.skipif(not dist.is_available(), reason="torch was built without torch.distributed")
@pytest.mark.parametrize("ranks", [2, pytest.param(4, marks=pytest.mark.exhaustive)])
def test_ranks_agree_with_each_other_and_with_one_process_over_the_joined_batches(ranks, tmp_path):
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    multiprocessing.get_context(method).set_forkserver_preload(["torch", "rsl_edu.modules"])  # imported only once
    mp.start_processes(rank_main, (ranks, tmp_path / "rendezvous", tmp_path), nprocs=ranks, start_method=method)
    first, *others = (torch.load(tmp_path / f"{rank}.pt") for rank in range(ranks))
    for other in others:
        torch.testing.assert_close(other, first, rtol=0, atol=0)
    for (kind, mean, until), state in zip(CASES, first, strict=True):
        alone = EmpiricalNormalization(FEATURES, until=until)
        for batches in stream(ranks, kind, mean):
            alone.update(torch.cat(batches))
        torch.testing.assert_close(dict(state), dict(alone.state_dict()), **MERGED)
