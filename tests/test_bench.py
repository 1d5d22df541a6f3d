"""The benchmark measures the same operations of both libraries, and the book shows all of them."""

import json
import os
import re
import subprocess
from pathlib import Path

import on_gpu
import pytest
import torch

PAGE = (Path(__file__).parents[1] / "book" / "measured.md").read_text(encoding="utf-8")
KINDS = ["operations", "gradients"]


@pytest.fixture(scope="module")
def bench():
    pytest.importorskip("rsl_rl.modules")
    import bench_speed

    return bench_speed


@pytest.fixture(scope="module")
def gpu():
    pytest.importorskip("rsl_rl.modules")
    import bench_gpu

    return bench_gpu


def names(bench):
    """Return the names of all operations, in order."""
    package = bench.rsl_edu.modules
    return [*bench.operations(package, 4), *bench.gradients(package, 4)]


def between(marks, text):
    return text[text.index(marks[0]) : text.index(marks[1])]


@pytest.mark.parametrize("kind", KINDS)
def test_every_operation_runs_in_both_libraries(bench, kind):
    tables = [getattr(bench, kind)(package, 4) for package in (bench.rsl_edu.modules, bench.rsl_rl.modules)]
    assert list(tables[0]) == list(tables[1])
    for table in tables:
        for operation in table.values():
            operation()
            operation()


def test_every_limit_belongs_to_an_operation(bench, gpu):
    assert {*bench.LIMITS, *gpu.LIMITS} <= set(names(bench))


def test_book_shows_every_operation_within_its_limit(bench):
    rows = re.findall(r"^\| `(.+)` \| ([\d.]+) \| ([\d.]+) \|$", between(bench.MARKS, PAGE), re.MULTILINE)
    assert [name for name, *_ in rows] == names(bench)
    for name, *ratios in rows:
        if not name.startswith("RNN.reset"):  # it copies the hidden state on purpose
            assert all(float(r) >= limit for r, limit in zip(ratios, bench.LIMITS.get(name, (0.95, 0.95)), strict=True))


def test_new_table_replaces_the_old_one(bench):
    text = bench.with_table(PAGE, "new")
    assert between(bench.MARKS, text) == f"{bench.MARKS[0]}\nnew\n"
    assert bench.with_table(text, between(bench.MARKS, PAGE)[len(bench.MARKS[0]) + 1 : -1]) == PAGE


# On a GPU; these tests run on the CPU as well -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def result(gpu):
    """Result of the GPU benchmark, measured on the CPU with small batches. The graph's times are made up."""
    return {
        "machine": f"no card, {gpu.versions()}",
        "operations": list(gpu.operation_rows("cpu", batches=(2, 4, 8), rounds=1)),
        "iterations": [gpu.iteration_row(network, "cpu", envs=8, rounds=1, steps=4) for network in gpu.NETWORKS],
        "graph": [{"batch": 4, "step_us": 100.0, "graph_us": 10.0}],
    }


def test_gpu_rows_contain_every_operation_and_batch_size_with_its_limit(bench, gpu, result):
    rows = result["operations"]
    assert {(row["operation"], row["batch"]) for row in rows} == {(name, n) for name in names(bench) for n in (2, 4, 8)}
    assert all(row["peer_us"] > 0 and row["ours_us"] > 0 and row["peer_launches"] == 0 for row in rows)
    assert {row["limit"] for row in rows if row["operation"].startswith("EmpiricalNormalization.update")} == {1.0, 1.1}
    assert {row["limit"] for row in rows if row["operation"].startswith("MLP")} == {gpu.LEAST}


def test_ppo_iterations_use_the_modules_of_each_library(gpu, result, monkeypatch):
    assert [row["operation"] for row in result["iterations"]] == [
        "an iteration of PPO, MLP",
        "an iteration of PPO, LSTM",
    ]
    seen = []
    learn = gpu.OnPolicyRunner.learn
    monkeypatch.setattr(gpu.OnPolicyRunner, "learn", lambda self, n: (seen.append(self), learn(self, n)))
    gpu.iteration_row("MLP", "cpu", envs=8, rounds=2, steps=4)
    packages = [type(runner.alg.actor.mlp).__module__.split(".")[0] for runner in seen]
    assert packages == ["rsl_rl", "rsl_edu", "rsl_rl", "rsl_edu", "rsl_rl", "rsl_edu"]


def test_rollout_step_for_the_graph_runs(gpu):
    act, modules, observations = gpu.rollout_step(4, "cpu")
    actions, log_prob = act(observations)
    assert actions.shape == (4, gpu.ACTIONS)
    assert log_prob.shape == (4,)
    assert modules[0].count == 4


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_launches_are_counted_and_graph_is_timed(gpu):
    x = torch.ones(4, device="cuda")
    assert gpu.launches(lambda: x + 1, "cuda") == 1
    assert gpu.launches(lambda: (x + 1, x.clone(), x.zero_()), "cuda") == 3
    assert gpu.graph_row(4, "cuda", rounds=1)["graph_us"] > 0


def test_every_measurement_is_printed(gpu, result, monkeypatch, capsys):
    iterations = dict(zip(gpu.NETWORKS, result["iterations"], strict=True))
    monkeypatch.setattr(gpu.torch.cuda, "get_device_name", lambda device: "a card")
    monkeypatch.setattr(gpu, "operation_rows", lambda device: result["operations"])
    monkeypatch.setattr(gpu, "iteration_row", lambda network, device: iterations[network])
    monkeypatch.setattr(gpu, "graph_row", lambda batch, device: {"batch": batch, "step_us": 100.0, "graph_us": 10.0})
    measured = gpu.measured("cuda")
    assert measured["machine"] == f"a card, {gpu.versions()}"
    assert measured["operations"] == result["operations"]
    assert measured["iterations"] == result["iterations"]
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(result["operations"]) + len(gpu.NETWORKS) + len(gpu.BATCHES)
    assert sum("below its limit" in line for line in lines) == len(gpu.shortfalls(measured))


def test_operations_below_their_limit_are_reported(gpu, result):
    row = result["operations"][0] | {"ratio": 0.5, "limit": 0.95}
    assert gpu.shortfalls({"operations": [row], "iterations": []}) == [
        "EmpiricalNormalization.update, batch 2: 0.50, limit 0.95"
    ]


def test_new_gpu_tables_replace_the_old_ones(bench, gpu, result):
    text = gpu.with_section(PAGE, gpu.section(result))
    assert text.index(bench.MARKS[1]) < text.index(gpu.MARKS[0])
    assert gpu.with_section(text, between(gpu.MARKS, PAGE)[len(gpu.MARKS[0]) + 1 : -1]) == PAGE
    shown = re.findall(r"^\| `(.+)` \| [\d.]+ \| [\d.]+ \| [\d.]+ \| 0 / 0 \|$", between(gpu.MARKS, text), re.MULTILINE)
    assert shown == names(bench)
    assert "no card, torch" in text


def test_gpu_tables_in_the_book_are_within_the_limits(bench, gpu):
    table = between(gpu.MARKS, PAGE)
    rows = re.findall(r"^\| `(.+)` \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| .+ \|$", table, re.MULTILINE)
    assert [name for name, *_ in rows] == names(bench)
    for name, *ratios in rows:
        assert min(map(float, ratios)) >= gpu.LIMITS.get(name, gpu.LEAST), name
    assert re.search(r"torch [\d.]+.*, rsl-rl-lib [\d.]+", table)


def test_point_masses_end_at_the_time_limit_and_when_far_away(gpu):
    torch.manual_seed(0)
    environment = gpu.PointMasses(8, masses=2, limit=5)
    environment.episode_length_buf = torch.arange(8) % 5
    _, _, dones, extras = environment.step(torch.zeros(8, 2))
    assert dones.tolist() == extras["time_outs"].long().tolist() == [0, 0, 0, 0, 1, 0, 0, 0]
    assert environment.episode_length_buf.tolist() == [1, 2, 3, 4, 0, 1, 2, 3]
    environment.position[0] = 4
    observations, rewards, dones, extras = environment.step(torch.zeros(8, 2))
    assert dones[0] == 1
    assert not extras["time_outs"][0]
    assert rewards[0] < -4
    assert observations["policy"][0, :2].tolist() == [0, 0]
    assert environment.episode_length_buf[0] == 0


# The run on a machine with a GPU --------------------------------------------------------------------------------------


def test_run_on_a_gpu_collects_its_tests_without_nbval_and_playwright(tmp_path):
    for name in ("nbval", "playwright"):
        (tmp_path / f"{name}.py").write_text("raise ModuleNotFoundError('missing on purpose')")
    path = f"{tmp_path}{os.pathsep}{on_gpu.ROOT}"
    environment = os.environ | {"PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = on_gpu.command(["--collect-only"])
    done = subprocess.run(command, cwd=on_gpu.ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for file in ("tests/modules/test_no_sync.py", "tests/test_cuda_graph_on_gpu.py", "tests/test_bench.py"):
        assert f"{file}::" in done.stdout


def test_run_on_a_gpu_writes_its_results(gpu, result, tmp_path):
    on_gpu.write(tmp_path, result, gpu.section(result), ["MLP.forward, batch 64: 0.50, limit 0.95"])
    assert {path.name for path in tmp_path.iterdir()} == {"bench_gpu.json", "bench_gpu.md", "slow.txt"}
    assert gpu.section(result) in (tmp_path / "bench_gpu.md").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "bench_gpu.json").read_text(encoding="utf-8"))["machine"].startswith("no card")
