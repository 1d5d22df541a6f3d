"""Grade a class of synthetic submissions and print time and memory: ``python tests/bench_grade.py 500``."""

import argparse
import inspect
import json
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path

import nbformat
import psutil
from course.banks import BANKS, answers_in  # answers of learners

from rsl_edu.course import assignment

NAME = "4_normalization"
ENTRY = "Moodle {0}_{1}_assignsubmission_file_/{2}.ipynb"


def ticks():
    """Return the CPU seconds of the entire machine: no process accounts for those killed with a sandbox."""
    times = psutil.cpu_times()
    return times.user + times.system


def submissions(number):
    """Yield notebooks like those of a class: right, wrong, unanswered, and a few that never end."""
    choose = random.Random(0)
    source = assignment.find(NAME)
    for _ in range(number):
        notebook = source.student()
        for cell in notebook.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
            if not name.endswith("-answer"):
                continue
            task = name.removesuffix("-answer")
            kind = choose.choices(["right", "wrong", "nothing", "loop"], [71, 20, 8.7, 0.3])[0]
            ours = source.answers[[task.name for task in source.tasks].index(task)]
            if kind == "loop":
                cell.source += "\nwhile True: pass"
            elif kind != "nothing":
                answers = answers_in(getattr(BANKS[task], kind.title()))
                answer = choose.choice([name for name in answers if name != "from_library"])
                cell.source = f"{inspect.getsource(BANKS[task])}\n{ours} = {kind.title()}.{answer}"
        yield nbformat.writes(notebook)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("number", type=int, nargs="?", default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "class.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for place, text in enumerate(submissions(options.number)):
                archive.writestr(ENTRY.format("Student", place, NAME), text)
        out = Path(folder) / "grades.csv"
        command = [Path(sys.executable).with_name("rsl-edu"), "grade", NAME, str(path), "--out", str(out), "--report"]
        cpu, begin, memory = ticks(), time.monotonic(), []
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            grader = psutil.Process(process.pid)
            while process.poll() is None:
                try:
                    own, tree = grader.memory_info().rss, grader.children(recursive=True)
                    memory.append((own, own + sum(child.memory_info().rss for child in tree)))
                except psutil.NoSuchProcess:
                    pass
                time.sleep(2)
        wall, cpu = time.monotonic() - begin, ticks() - cpu
        lines = [json.loads(line) for line in out.with_suffix(".journal.jsonl").read_text().splitlines()]
        rows = [line for line in lines if "status" in line]  # the other rows are tables
    middle = memory[len(memory) // 10 : len(memory) // 2], memory[len(memory) // 2 :]
    print(f"{len(rows)} submissions, {Counter(row['status'] for row in rows)}")
    print(f"wall {wall:.0f} s, {wall / len(rows):.2f} s each; CPU {cpu / len(rows):.2f} s each")
    print(
        f"peak memory: the grader {max(own for own, _ in memory) >> 20} MB, with all its processes "
        f"{max(tree for _, tree in memory) >> 20} MB; the first half {max(own for own, _ in middle[0]) >> 20} MB, "
        f"the second {max(own for own, _ in middle[1]) >> 20} MB"
    )


if __name__ == "__main__":
    main()
