"""The benchmark measures the same operations of both libraries, and the README shows all of them."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture(scope="module")
def bench():
    pytest.importorskip("rsl_rl.modules")
    import bench_speed

    return bench_speed


@pytest.mark.parametrize("kind", ["operations", "gradients"])
def test_every_operation_runs_in_both_libraries(bench, kind):
    tables = [getattr(bench, kind)(package, 4) for package in (bench.rsl_edu.modules, bench.rsl_rl.modules)]
    assert list(tables[0]) == list(tables[1])
    for table in tables:
        for operation in table.values():
            operation()
            operation()


def test_the_limits_name_operations(bench):
    assert set(bench.LIMITS) <= set(bench.operations(bench.rsl_edu.modules, 4))


def test_the_readme_shows_every_operation_and_keeps_the_limits_of_its_own_run(bench):
    start, end = (README.read_text(encoding="utf-8").index(mark) for mark in bench.MARKS)
    table = README.read_text(encoding="utf-8")[start:end]
    rows = re.findall(r"^\| `(.+)` \| ([\d.]+) \| ([\d.]+) \|$", table, re.MULTILINE)
    package = bench.rsl_edu.modules
    assert [name for name, *_ in rows] == [*bench.operations(package, 4), *bench.gradients(package, 4)]
    for name, *ratios in rows:
        if not name.startswith("RNN.reset"):  # it copies, on purpose
            assert all(float(r) >= limit for r, limit in zip(ratios, bench.LIMITS.get(name, (0.95, 0.95)), strict=True))
