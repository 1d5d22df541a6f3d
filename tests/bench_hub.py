"""Measure what a class costs on one machine, with JupyterHub as ``make hub`` starts it: ``make bench-hub``.

Learners log in at the hub, a few at a time. Each opens a lesson, runs all its cells, and then drags a slider of an
explorer. All messages go through the hub's proxy, like those of a browser (hub_learner.py). The learners run in this
process, on the same cores as the servers. ``--book`` writes the figures into ``book/hub/measured.json`` and the page.
"""

import argparse
import asyncio
import contextlib
import json
import os
import platform
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from importlib import metadata
from pathlib import Path

from hub_learner import LESSONS, HubError, Learner

ROOT = Path(__file__).parents[1]
PAGE, MEASURED = ROOT / "book" / "hub.md", ROOT / "book" / "hub" / "measured.json"
MARKS = "<!-- hub: made by `make bench-hub BENCH_ARGS=--book` -->", "<!-- /hub -->"
TOGETHER = 2
"""Number of learners who log in and run their lesson at the same time: one for each of two cores."""
NEEDED_MB, LEAST_MB = 1500, 1000
"""Available memory below which no learner is added, and below which the benchmark stops."""
DRAGGING = (1, 5, 10, 20)
LONGEST = 1800
"""Seconds after which the benchmark gives up."""
PASSWORD = secrets.token_urlsafe(12)


def free_port():
    """Return the first of three free ports."""
    while True:
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                for other in (port + 1, port + 2):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", other))
            except (OSError, OverflowError):
                continue
            return port


@contextlib.contextmanager
def hub(data, environment=os.environ, patience=600.0):
    """Start the hub as ``make hub`` does; yield its process and address. End it, and fail if a process is left."""
    port = free_port()
    command = [sys.executable, str(ROOT / "book" / "hub" / "serve.py"), "--port", str(port), "--data", str(data)]
    log = Path(data).with_suffix(".log")
    with log.open("w") as output:
        own = dict(environment) | {"RSL_EDU_HUB_PASSWORD": PASSWORD}
        process = subprocess.Popen(command, env=own, stdout=output, stderr=subprocess.STDOUT)
    url, end = f"http://127.0.0.1:{port}", time.monotonic() + patience
    try:
        while not _answers(f"{url}/hub/login"):
            if process.poll() is not None or time.monotonic() > end:
                raise HubError(f"the hub did not start:\n{log.read_text()}")
            time.sleep(0.2)
        yield process, url
    finally:
        known = {process.pid, *tree(process.pid)}
        process.send_signal(signal.SIGINT)  # as Ctrl-C does
        try:
            process.wait(patience)
        finally:
            left = [pid for pid in known if alive(pid)]
            for pid in left:
                os.kill(pid, 9)
    if left:
        raise HubError(f"processes were left after the hub had ended: {left}\n{log.read_text()}")


def _answers(url):
    try:
        urllib.request.urlopen(url).close()
    except OSError:
        return False
    return True


# Processes


def tree(root):
    """Return the descendants of a process: the id of each with the id of its parent."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    below, grown = {root}, True
    while grown:
        new = {pid for pid, parent in parents.items() if parent in below} - below
        below |= new
        grown = bool(new)
    return {pid: parents[pid] for pid in below - {root}}


def alive(pid):
    """Return whether a process runs; a zombie does not count."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def kinds(root):
    """Return ``(kind, learner)`` for each process of the hub; kinds are hub, proxy, server and kernel."""
    found = {root: ("hub", "")}
    for pid in tree(root):
        with contextlib.suppress(OSError):
            command = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
            variables = dict(part.partition("=")[::2] for part in Path(f"/proc/{pid}/environ").read_text().split("\0"))
            kind = "proxy" if "configurable-http-proxy" in command else "other"
            kind = "kernel" if "ipykernel" in command else "server" if "singleuser" in command else kind
            found[pid] = kind, variables.get("JUPYTERHUB_USER", "")
    return found


def memory(pid):
    """Return RSS, PSS and private memory of a process in MB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kib = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    private = kib["Private_Clean"] + kib["Private_Dirty"]
    return {"rss": kib["Rss"] / 1024, "pss": kib["Pss"] / 1024, "private": private / 1024}


def cpu_seconds(pids):
    """Return the seconds of CPU that each process has used."""
    used = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            used[pid] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return used


def available_mb():
    """Return the available memory of the machine."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("MemAvailable")).split()[1]) / 1024


# The class


async def start(learner, gate):
    """Let a learner log in, open the lesson and run it, when the learner's turn comes."""
    async with gate:
        if (left := available_mb()) < NEEDED_MB:
            raise HubError(f"only {left:.0f} MB of memory are left: run with fewer, --learners")
        await learner.__aenter__()
        await learner.log_in()
        await learner.open()
        await learner.run()
        print(f"  {learner.name}, {learner.lesson}: {_times(learner)}", flush=True)


def _times(learner):
    return ", ".join(f"{what} {seconds:.1f} s" for what, seconds in learner.seconds.items())


async def drag(learners, count, seconds, process):
    """Let some learners drag at the same time; return the times, and the busy cores for each kind of process.

    If one drags alone, each lesson is measured in turn, because the pictures of explorers take different times.
    """
    turns = [[learner] for learner in learners[: len(LESSONS)]] if count == 1 else [learners[:count]]
    processes = kinds(process.pid)
    before, begin = cpu_seconds([*processes, os.getpid()]), time.monotonic()
    taken = []
    for turn in turns:
        for times in await asyncio.gather(*(learner.drag(seconds / len(turns)) for learner in turn)):
            taken += times
    passed, after = time.monotonic() - begin, cpu_seconds([*processes, os.getpid()])
    cores = dict.fromkeys(("kernel", "server", "proxy", "hub", "other", "bench"), 0.0)
    for pid in after.keys() & before.keys():
        cores[processes[pid][0] if pid in processes else "bench"] += (after[pid] - before[pid]) / passed
    p50, p95 = (1e3 * statistics.quantiles(taken, n=100)[at] for at in (49, 94))
    return {"learners": count, "events": len(taken), "p50_ms": p50, "p95_ms": p95, "cores": cores}


def held(process, learners):
    """Return the memory of each learner's server and kernel, in MB."""
    of = {learner.name: {"lesson": learner.lesson} for learner in learners}
    for pid, (kind, name) in kinds(process.pid).items():
        if name in of and kind in ("server", "kernel"):
            of[name][kind] = memory(pid)
    return list(of.values())


async def watch():
    """End with an error before the machine is out of memory."""
    while True:
        await asyncio.sleep(0.5)
        if (left := available_mb()) < LEAST_MB:
            raise HubError(f"stopped: only {left:.0f} MB of memory are left; run with fewer, --learners")


async def measure(process, url, count, seconds):
    """Simulate a class, and return the measurements."""
    learners = [Learner(url, f"learner{i + 1}", LESSONS[i % len(LESSONS)], PASSWORD) for i in range(count)]
    free, gate = available_mb(), asyncio.Semaphore(TOGETHER)
    print(f"{count} learners, {TOGETHER} at a time; {free:.0f} MB of memory are free", flush=True)
    watcher = asyncio.create_task(watch())
    try:
        await _or_stop(watcher, start(learners[0], gate))  # the first learner alone, as on an idle machine
        await _or_stop(watcher, asyncio.gather(*(start(learner, gate) for learner in learners[1:])))
        rows = []
        for dragging in sorted({number for number in DRAGGING if number < count} | {count}):
            rows.append(await _or_stop(watcher, drag(learners, dragging, seconds, process)))
            print(f"  {dragging} dragging: {rows[-1]['p50_ms']:.0f} / {rows[-1]['p95_ms']:.0f} ms", flush=True)
        return {
            "machine": machine(),
            "learners": count,
            "seconds": seconds,
            "together": TOGETHER,
            "memory": held(process, learners),
            "added_mb": (free - available_mb()) / count,
            "hub": {kind: memory(pid) for pid, (kind, _) in kinds(process.pid).items() if kind in ("hub", "proxy")},
            "times": [learner.seconds for learner in learners],
            "dragging": rows,
        }
    finally:
        watcher.cancel()
        for learner in learners:
            await learner.__aexit__()


def machine():
    """Return a description of what the figures depend on."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("torch", "jupyterlab", "jupyterhub"))
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{os.cpu_count()} cores, {total:.0f} GB, {platform.machine()}"
    return f"{system}, Python {platform.python_version()}, {versions}"


async def _or_stop(watcher, work):
    task = asyncio.ensure_future(work)
    await asyncio.wait((watcher, task), return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        watcher.result()  # raises
    return task.result()


# The tables


def rounded(value):
    """Return the measurements with three digits, which is more than their precision."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return float(f"{value:.3g}") if isinstance(value, float) else value


def used(row):
    """Return the number of cores that the hub and its descendants kept busy."""
    return sum(cores for kind, cores in row["cores"].items() if kind != "bench")


def capacity(found):
    """Return the number of learners that a core and a GB can serve.

    For a core, each learner gets as many pictures per second as one who drags alone, and a picture costs as much as
    when all drag. For a GB, the mean share (PSS) of server and kernel counts.
    """
    alone, together = found["dragging"][0], found["dragging"][-1]
    core_seconds = used(together) * found["seconds"] / together["events"]
    rate = alone["events"] / alone["learners"] / found["seconds"]
    pss = statistics.mean(one["server"]["pss"] + one["kernel"]["pss"] for one in found["memory"])
    return {
        "picture_ms": 1e3 * core_seconds,
        "core": 1 / (core_seconds * rate),
        "rate": rate,
        "gb": 1024 / pss,
        "mb": pss,
    }


def memory_table(found):
    """Return the memory of the learners for each lesson, and the memory of the shared processes."""
    lines = ["| MB per learner: RSS, PSS, private | server | kernel | together |", "|---|---|---|---|"]
    for lesson in LESSONS:
        if of := [one for one in found["memory"] if one["lesson"] == lesson]:
            sizes = {
                kind: [statistics.mean(one[kind][measure] for one in of) for measure in ("rss", "pss", "private")]
                for kind in ("server", "kernel")
            }
            sizes["together"] = [sum(pair) for pair in zip(sizes["server"], sizes["kernel"], strict=True)]
            cells = (", ".join(f"{value:.0f}" for value in row) for row in sizes.values())
            lines.append(f"| lesson {lesson.partition('_')[0]} | {' | '.join(cells)} |")
    hub, proxy = found["hub"]["hub"]["rss"], found["hub"]["proxy"]["rss"]
    fell = f"The available memory of the machine fell by {found['added_mb']:.0f} MB per learner."
    return [*lines, "", f"The hub uses {hub:.0f} MB and its proxy {proxy:.0f} MB (RSS). {fell}"]


def times_table(found):
    """Return the times after the log-in."""
    first, *others = found["times"]
    one = "seconds after log-in, first learner"
    rest_head = f"seconds after log-in, other learners ({found['together']} at a time): median, maximum"
    lines = [f"| what the learner sees | {one} | {rest_head} |", "|---|---|---|"]
    words = {"server": "the page of JupyterLab", "picture": "the first picture", "explorer": "the first explorer"}
    for key, what in (words | {"done": "the results of all cells"}).items():
        rest = [times[key] for times in others]
        cell = f"{statistics.median(rest):.1f}, {max(rest):.1f}" if rest else "–"
        lines.append(f"| {what} | {first[key]:.1f} | {cell} |")
    return lines


def dragging_table(found):
    """Return the time for a picture, and the number of learners that a core can serve."""
    lines = [
        "| learners dragging | time from slider to picture, median | 95th percentile "
        "| pictures per second for each learner | busy cores |"
    ]
    lines.append("|---|---|---|---|---|")
    for row in found["dragging"]:
        rate = row["events"] / row["learners"] / found["seconds"]
        times = f"{row['p50_ms']:.0f} ms | {row['p95_ms']:.0f} ms"
        lines.append(f"| {row['learners']} | {times} | {rate:.1f} | {used(row):.2f} |")
    last = found["dragging"][-1]["cores"]
    busy = ", ".join(f"{kind}s {last[kind]:.2f}" for kind in ("kernel", "server"))
    busy += ", " + ", ".join(f"{kind} {last[kind]:.2f}" for kind in ("proxy", "hub"))
    program = f"The program that simulates the learners used another {last['bench']:.2f} cores; "
    program += "in a class, the learners' browsers do this work on their own machines."
    return [*lines, "", f"While all learners drag, these processes keep this many cores busy: {busy}. {program}"]


def tables(found):
    """Return the figures as Markdown."""
    carried = capacity(found)
    said = (
        f"**One core serves {carried['core']:.1f} learners** who drag without a pause, with {carried['rate']:.1f} "
        f"pictures per second for each learner and {carried['picture_ms']:.0f} ms of CPU time for each picture. "
        f"**One GB serves {carried['gb']:.1f} learners** with one lesson open, at {carried['mb']:.0f} MB of PSS per "
        "learner."
    )
    machine = (
        f"Measured with {found['learners']} learners, {found['seconds']:.0f} s for each row of dragging, on "
        f"{found['machine']}."
    )
    parts = [memory_table(found), times_table(found), dragging_table(found), [said], [machine]]
    return "\n\n".join("\n".join(part) for part in parts)


def with_tables(page, found):
    """Return the page with new figures between its marks."""
    before, rest = page.split(MARKS[0])
    _, after = rest.split(MARKS[1])
    return f"{before}{MARKS[0]}\n{tables(found)}\n{MARKS[1]}{after}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--learners", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each round of dragging")
    parser.add_argument("--book", action="store_true", help="write the figures into the book")
    options = parser.parse_args()
    if options.learners < 1 or options.seconds < 1:
        parser.error("--learners and --seconds must be at least 1")
    if not Path("/proc/meminfo").exists():
        parser.error("memory and CPU time of processes are read from /proc, which only Linux has")
    begin = time.monotonic()
    try:
        with tempfile.TemporaryDirectory() as folder, hub(Path(folder, "data")) as (process, url):
            work = measure(process, url, options.learners, options.seconds)
            found = rounded(asyncio.run(asyncio.wait_for(work, LONGEST)))
    except asyncio.TimeoutError:
        raise SystemExit(f"bench-hub: not done after {LONGEST} seconds") from None
    except HubError as error:
        raise SystemExit(f"bench-hub: {error}") from error
    print(f"\n{tables(found)}\n\n{time.monotonic() - begin:.0f} s")
    result = ROOT / "build" / "bench_hub.json"
    result.parent.mkdir(exist_ok=True)
    result.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if options.book:
        MEASURED.write_text(result.read_text("utf-8"), encoding="utf-8")
        PAGE.write_text(with_tables(PAGE.read_text("utf-8"), found), encoding="utf-8")


if __name__ == "__main__":
    main()
