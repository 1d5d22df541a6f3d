"""Points for right answers, no answers and wrong answers before an assignment is handed out."""

import re

import nbformat
import pytest
from course.grade import forked
from tiers import tiers

from rsl_edu.cli import main
from rsl_edu.course import assignment
from rsl_edu.course.assignment import Assignment
from rsl_edu.course.grade import sandbox, usage
from rsl_edu.course.grade.rehearsal import rehearse

NAMES = sorted(path.stem for path in assignment.folder().glob("*.ipynb"))
F = "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION"
FILES = (
    "def read(name):\n    ### BEGIN SOLUTION\n    return open(name).read()\n    ### END SOLUTION\n\n\n"
    "def write(name):\n    ### BEGIN SOLUTION\n    open(name, 'w').write('x')\n    ### END SOLUTION"
)
SHARE = "pass the content of a file as an argument, and let the answer return what it would write"
G = "def g(x):\n    ### BEGIN SOLUTION\n    return f(x) + 1\n    ### END SOLUTION"


@pytest.fixture(autouse=True)
def forks(monkeypatch, request):
    """Run answers in forks of this process, which start faster, unless a test uses a real sandbox."""
    if "bwrap" not in request.fixturenames:
        start_soon(monkeypatch)


def start_soon(monkeypatch):
    start = sandbox.start

    def start_fork(box, *limits):
        return forked.start(box, *limits) if box in ("bwrap", "unsafe") else start(box, *limits)

    monkeypatch.setattr(sandbox, "start", start_fork)
    monkeypatch.setattr(usage, "known", lambda _: True)


def cell(source, kind="code", **metadata):
    make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}[kind]
    return make(source, metadata={"nbgrader": {"schema_version": 3, **metadata}} if metadata else {})


def notebook(*cells):
    return nbformat.v4.new_notebook(cells=[*cells])


def answer(source, name):
    return cell(source, solution=True, grade_id=name)


def check(source, name, points=1):
    return cell(source, grade=True, grade_id=name, points=points)


SOUND = notebook(
    cell("import math"),
    answer(F, "f-answer"),
    cell("f(math.pi)"),
    check("assert f(1) == 1\n### BEGIN HIDDEN TESTS\nassert f(2) == 2\n### END HIDDEN TESTS", "cell-5a", 2),
    answer(G, "g-answer"),
    check("score = int(g(1) == 2) + int(g(2) == 3)\nscore", "cell-5b", 2),
    cell("Why?", "markdown", solution=True, grade=True, grade_id="why", points=3),
)


def said(source, **options):
    """Return whether there are no errors, and the report without times."""
    lines = []
    well = rehearse(Assignment("made", source), lines.append, **options)
    return well, [re.sub(r"\d+\.\d s", "T s", line) for line in lines]


@pytest.mark.parametrize("name", tiers(NAMES, ["3_rnn"]))
def test_course_assignments_are_ready(name):
    lines = []
    assert rehearse(assignment.find(name), lines.append), lines
    text = "\n".join(lines)
    assert "right answers: 20 of 20 points" in text
    assert "no answers: 0 of 20 points" in text
    assert lines[-1] == "0 errors, 0 warnings: ready to hand out"


@pytest.fixture(scope="module")
def wrong(tmp_path_factory):
    """Write notebooks with wrong answers, and an invalid one."""
    folder = tmp_path_factory.mktemp("wrong")
    source = Assignment("made", SOUND)

    def put(name, *changes):
        notebook = source.solution()
        for old, new in changes:
            for each in notebook.cells:
                each.source = each.source.replace(old, new)
        nbformat.write(notebook, folder / f"{name}.ipynb")

    put("both", ("return x", "return 2 * x"), ("return f(x) + 1", "return f(x)"))
    put("carried", ("return x", "return 2 * x"))
    put("hidden", ("return x", "return 1"))
    put("right")
    (folder / "torn.ipynb").write_text("{")
    return folder


@pytest.fixture(scope="module")
def sound(wrong, tmp_path_factory):
    with pytest.MonkeyPatch.context() as monkeypatch:  # fixtures of a module are created before those of its tests
        start_soon(monkeypatch)
        return said(SOUND, wrong=sorted(wrong.glob("*.ipynb")), folder=tmp_path_factory.mktemp("kernel"))


def test_exercises_and_points_are_listed(sound):
    assert sound[1][:4] == [
        "made: 3 exercises, 7 points",
        "  cell 4: cell-5a, 2 points, for f",
        "  cell 6: cell-5b, 2 points, for g; needs f",
        "  cell 7: why, 3 points, by hand",
    ]


def test_right_answers_get_all_points_and_no_answers_get_none(sound):
    assert sound[1][4:7] == [
        "right answers: 4 of 4 points, T s of CPU time",
        "no answers: 0 of 4 points, T s of CPU time",
        "Run All in the notebook as handed out: T s",
    ]


def test_report_shows_where_run_all_stops(sound):
    says = "NotImplementedError: f is not answered yet; cells 4, 6 raise errors, too"
    assert sound[1][7] == f"warning: cell 3, line 1: in the notebook as handed out, Run All stops here with {says}"


def test_report_lists_points_of_wrong_answers(sound):
    assert sound[1][8:] == [
        "  both.ipynb         1  cell-5a 0 (unknown), cell-5b 1 (partial)",
        "  carried.ipynb      2  cell-5a 0 (unknown), cell-5b 2 (carried forward)",
        "  hidden.ipynb       2  cell-5a 0 (unknown), cell-5b 2 (carried forward)",
        "  right.ipynb        4",
        "warning: right.ipynb gets all points",
        sound[1][13],
        "1 error, 2 warnings: not ready to hand out",
    ]
    assert "torn.ipynb: " in sound[1][13]
    assert not sound[0]


LOSSES = {  # check, points for right answers, and the failing line
    "assert": ("assert f(1) == 1\n\nassert f(2) == 3, 'no'", 0, 3, "your answer is wrong. no"),
    "hidden": (
        "a = 2\n### BEGIN HIDDEN TESTS\nassert f(1) == 1\nassert f(a) == 3, a\n### END HIDDEN TESTS\n",
        *(0, 4, "your answer is wrong. 2"),
    ),
    "inside": (
        "assert f(0) == 0\nfor i in 1, 2:\n    assert f(i) == i\n    ### BEGIN HIDDEN TESTS\n    assert f(-i) == i\n"
        "    ### END HIDDEN TESTS",
        *(0, 2, "your answer is wrong."),
    ),
    "partial": ("score = 0.5 * f(1)\nscore\nscore", 0.5, 3, "partly right: 0.5 of 1 point."),
    "raises": ("f(1)\nf(1, 2)", 0, 2, "your code raises TypeError: f() takes 1 positional argument but 2 were given"),
    "magic": ("%%time\nassert f(1) == 2", 0, 2, "your answer is wrong."),
    "identity": (
        "a = [1]\nassert f(a) is a",
        *(0, 2, "your answer is wrong. (perhaps: values are copied between check and answer: compare values, not "),
        "identity)",
    ),
    "check-writes": (
        "import tempfile; name = tempfile.mkdtemp() + '/a.txt'\nopen(name, 'w').write('x')\nassert read(name) == 'x'",
        *(0, 3, f"an answer runs in a sandbox, which does not contain the files and folders of the check: {SHARE}"),
    ),
    "answer-writes": (
        "write('of-the-answer.txt')\nassert open('of-the-answer.txt').read() == 'x'",
        *(0, 2, f"a check cannot read files that an answer writes in its sandbox: {SHARE}"),
    ),
    "file-exists": (
        "import os\nwrite('of-the-answer.txt')\nassert os.path.exists('of-the-answer.txt')",
        *(0, 3, f"your answer is wrong. (perhaps: the check and the answers share no files: {SHARE})"),
    ),
    "open-file": (
        "import os\nwith open(os.devnull) as file:\n    f(file)",
        *(0, 2, "the check raises TypeError: value: TextIOWrapper cannot be passed to an answer: "),
        "pass the content of the file",
    ),
    "generator": (
        "import torch\nf(torch.Generator())",
        *(0, 2, "the check raises TypeError: value: Generator cannot be passed to an answer: "),
        "pass a seed, or first call torch.manual_seed, which also seeds torch where the answers run",
    ),
    "view": (
        "f({1: 2}.keys())",
        *(0, 1, "the check raises TypeError: value: dict_keys cannot be passed to an answer: pass plain data, "),
        "such as list(…) of the object, tensors, arrays, functions or iterators; or let the answer create the object",
    ),
    "gradient": (
        "import torch\nassert f(torch.ones(1)).requires_grad",
        *(0, 2, "your answer is wrong. (perhaps: in a check, the result of an answer requires a gradient only if it "),
        "is a parameter, or if an argument requires one)",
    ),
}


def test_report_names_the_line_that_fails_right_answers(bwrap):
    checks = [check(source, name) for name, (source, *_) in LOSSES.items()]
    well, lines = said(notebook(answer(F, "f-answer"), answer(FILES, "files-answer"), *checks))
    assert not well
    errors = [line for line in lines if line.startswith("error")]
    for error, (place, (name, (_, points, line, *says))) in zip(errors, enumerate(LOSSES.items(), 3), strict=True):
        assert error.startswith(
            f"error: cell {place}, line {line}: right answers get {points:g} of 1 point for {name}: "
        )
        assert error.endswith("".join(says))


def test_notebook_without_answers_gets_no_points():
    checks = [check("assert f", "easy"), check("try:\n    f(1)\nexcept Exception:\n    raise AssertionError", "odd")]
    well, lines = said(notebook(answer(F, "f-answer"), *checks))
    assert not well
    assert "error: cell 2, line 1: easy gives 1 point to a notebook without answers" in lines
    says = (
        "warning: cell 3, line 1: odd counts a notebook without answers as wrong instead of not answered: let the stub "
    )
    says += "raise NotImplementedError, and do not catch it in the check. Students now see: your answer is wrong."
    assert says in lines


POSITIVE = (
    "def positive(x):\n    ### BEGIN SOLUTION\n    if x < 0:\n        raise ValueError\n    return x\n"
    "    ### END SOLUTION"
)
GIVES = "gives 1 point to answers that do"
POOR = {  # check, and the message about it
    "no-assert": (
        "try:\n    positive(-1)\nexcept ValueError:\n    pass",
        f"error: cell 3, line 1: no-assert {GIVES} nothing and return None",
    ),
    "no-else": (
        "assert positive(1) == 1\ntry:\n    positive(-1)\nexcept ValueError:\n    pass",
        f"error: cell 3, line 1: no-else {GIVES} not raise the errors that right answers raise: let the check fail if "
        "there is no error",
    ),
    "not-expected": (
        "assert positive(1) == 1",
        f"warning: cell 3, line 1: not-expected {GIVES} not raise the errors that right answers raise: "
        "no check tests these errors",
    ),
    "raises": ("assert positive(1) == 1\nwith pytest.raises(ValueError):\n    positive(-1)", None),
}


@pytest.mark.parametrize("name", POOR)
def test_check_must_reject_answers_that_do_nothing_or_never_raise(name):
    source, says = POOR[name]
    _, lines = said(notebook(cell("import pytest"), answer(POSITIVE, "answer"), check(source, name)))
    assert [line for line in lines if line.startswith(("error", "warning"))] == ([says] if says else [])


def test_last_value_above_the_points_is_reported():
    counts = "assert f(1)\nscore = 2 * f(1)\n### BEGIN HIDDEN TESTS\nscore += f(1)\n### END HIDDEN TESTS\nscore"
    not_last = "f(5)\n### BEGIN HIDDEN TESTS\nassert f(2) == 2\n### END HIDDEN TESTS"
    checks = [check(counts, "counts", 2), check(not_last, "not-last"), check("1.0 * f(1)", "one")]
    well, lines = said(notebook(answer(F, "f-answer"), *checks))
    assert not well
    assert [line for line in lines if line.startswith(("error", "warning"))] == [
        "error: cell 2, line 6: the last value of counts is 3, but its cell has only 2 points: nbgrader refuses to "
        "grade this, and here it counts as 2"
    ]


def test_kernel_that_ends_is_reported(tmp_path):
    ends = nbformat.v4.new_code_cell("import os\nos._exit(1)", metadata={"tags": ["demo"]})
    well, lines = said(notebook(ends, answer(F, "f-answer"), check("assert f(1)", "f")), folder=tmp_path)
    assert not well
    assert "error: Run All in the notebook as handed out: Kernel died" in lines


def test_set_up_that_raises_is_reported():
    well, lines = said(notebook(cell("1 / 0"), answer(F, "f-answer"), check("assert f(1)", "f")))
    assert not well
    assert "error: a cell before the checks raises ZeroDivisionError: division by zero" in lines


def test_assignment_marked_only_by_hand_is_not_run():
    why = cell("Why?", "markdown", solution=True, grade=True, grade_id="why", points=3)
    well, lines = said(notebook(why), box="no-such-command")
    assert well
    assert lines == [
        "made: 1 exercise, 3 points",
        "  cell 1: why, 3 points, by hand",
        "0 errors, 0 warnings: ready to hand out",
    ]


def test_nothing_runs_if_the_source_has_errors():
    well, lines = said(notebook(answer(F, "f-answer"), check("assert f(size)", "f")), box="no-such-command")
    assert not well
    assert lines[-2:] == [
        "error: cell 2, line 1: nothing defines size",
        "1 error, 0 warnings: not ready to hand out",
    ]


def test_command(tmp_path, capsys):
    source = notebook(answer(F, "f-answer"), check("assert f(1)", "f"))
    nbformat.write(source, tmp_path / "fine.ipynb")
    source.cells[1].source = "assert f(\n### BEGIN HIDDEN TESTS"
    nbformat.write(source, tmp_path / "odd.ipynb")
    given = ["--sources", str(tmp_path), "--check"]
    assert main(["assign", "fine", *given]) == 0
    out = capsys.readouterr().out
    assert "fine: 1 exercise, 1 point\n" in out
    assert "right answers: 1 of 1 point, " in out
    assert "0 errors, 1 warning: ready to hand out" in out
    assert main(["assign", "odd", *given]) == 1
    assert "error: odd, cell 2, line 2: '### BEGIN HIDDEN TESTS' without" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fine.ipynb", "odd.ipynb"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--check", "--out", "x"], "--out cannot be used with --check"),
        (["--check", "--force"], "--force cannot be used with --check"),
        (["--check", "--wrong", "no-such"], "--wrong: expected a folder with notebooks, got no-such"),
        (["--check", "--sandbox", "no-such-command"], "cannot run 'no-such-command'"),
        (["--out", "x", "--wrong", "y"], "--wrong needs --check"),
        (["--out", "x", "--unsafe"], "--unsafe needs --check"),
        ([], "give --out with a folder to write into, or --check"),
    ],
)
def test_incompatible_options_are_errors(arguments, says, capsys):
    with pytest.raises(SystemExit):
        main(["assign", "4_normalization", *arguments])
    assert says in capsys.readouterr().err
