"""Every lesson has the required structure; nbval checks its outputs."""

import ast
import base64
import io
import re
from pathlib import Path

import nbformat
import pytest
from matplotlib.image import imread

from rsl_edu.course import check

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"
LESSONS = sorted(NOTEBOOKS.glob("[1-9]_*.ipynb"))
FOLDED_SOLUTION = re.compile(r"<summary>Solution</summary>\s*```python\n(.*?)```", re.DOTALL)
CHECKED = re.compile(rf"^check\.({'|'.join(check.EXERCISES)})\((\w+)\)", re.MULTILINE)
CHOSEN = re.compile(r"^check\.(\w+)\(\.\.\.\)", re.MULTILINE)
ANSWER = re.compile(r"<summary>Answer</summary>\s*(.*?)\s*</details>", re.DOTALL)

pytestmark = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)


def all_cells(lesson):
    """Return the cells that a learner sees, without the hidden cell that installs rsl_edu."""
    return [cell for cell in nbformat.read(lesson, as_version=4).cells if cell.id != "install"]


def cells(lesson, kind):
    return [cell for cell in all_cells(lesson) if cell.cell_type == kind]


def test_lesson_is_short(lesson):
    assert len(all_cells(lesson)) <= 44
    assert max(len(cell.source.splitlines()) for cell in cells(lesson, "code")) <= 20


def test_rsl_edu_is_imported_before_matplotlib_because_it_sets_its_folder(lesson):
    code = "\n".join(cell.source for cell in cells(lesson, "code"))
    assert code.index("from rsl_edu") < code.index("import matplotlib")


def test_first_cell_lists_learning_goals_and_working_time(lesson):
    first = cells(lesson, "markdown")[0].source
    objectives = re.findall(r"^- \*\w+\*", first, re.MULTILINE)
    assert 3 <= len(objectives) <= 5
    assert re.search(r"\*\*Time:\*\* \d+ minutes", first)


def test_picture_of_the_failure_comes_before_any_code(lesson):
    title, picture, caption = cells(lesson, "markdown")[0].source.split("\n\n")[:3]
    assert all_cells(lesson)[0].cell_type == "markdown"
    assert title.startswith("# ")
    alternative, file = re.fullmatch(r"!\[([^]]+)\]\((pictures/\w+\.svg)\)", picture).groups()
    assert len(alternative) > 100
    assert (NOTEBOOKS / file).is_file()
    assert re.fullmatch(r"\*[A-Z][^*]{60,}\.\*", caption)


def test_first_code_cell_only_imports(lesson):
    cell = all_cells(lesson)[1]
    *imports, style = (line for line in ast.parse(cell.source).body if "set_num_threads" not in ast.unparse(line))
    assert all(isinstance(line, ast.Import | ast.ImportFrom) for line in imports)
    assert ast.unparse(style) == "plt.style.use('rsl_edu.any_theme')"
    folded = bool(cell.metadata.get("jupyter", {}).get("source_hidden"))
    assert folded == ("hide-input" in cell.metadata.get("tags", [])), (
        "the cell must be folded in JupyterLab and in the book"
    )
    assert folded or len(cell.source.splitlines()) <= 12


def test_sections_have_the_same_order_in_every_lesson(lesson):
    headings = re.findall(r"^## (.*)$", "\n".join(cell.source for cell in cells(lesson, "markdown")), re.MULTILINE)
    wanted = ["The case", "Build it", "See it", "Break it", "In the wild", "Check yourself", "In five lines"]
    found = [next((i for i, heading in enumerate(headings) if name in heading), None) for name in wanted]
    assert None not in found, f"missing: {wanted[found.index(None)]}"
    assert found == sorted(found)


def test_case_links_the_issue_it_comes_from(lesson):
    case = next(cell.source for cell in cells(lesson, "markdown") if "The case" in cell.source)
    assert re.search(r"\(https://github\.com/[\w.-]+/[\w.-]+/issues/\d+\)", case)


def test_learner_predicts_before_an_explorer_is_shown(lesson):
    shown = [
        name for cell in cells(lesson, "code") for name in re.findall(r"^explorers\.(Quiz)|^(\w+)$", cell.source, re.M)
    ]
    assert ("Quiz", "") in shown
    assert shown[0] == ("Quiz", ""), "the quiz must come before the picture"


def test_every_explorer_is_drawn_at_its_corners(lesson):
    code = "\n".join(cell.source for cell in cells(lesson, "code"))
    explored = re.findall(r"^(\w+) = explorers\.(?!Quiz)\w+\(", code, re.MULTILINE)
    assert explored
    assert {name for name in explored if f"{name}.sweep()" not in code} == set()


def test_equations_are_numbered_where_the_text_refers_to_them(lesson):
    prose = "\n".join(cell.source for cell in cells(lesson, "markdown"))
    numbers = re.findall(r"\\tag\{(\d+)\}", prose)
    assert numbers == [str(1 + i) for i in range(len(numbers))]
    assert {number for number in numbers if f"({number})" not in prose} == set()


def test_figures_have_alt_texts(lesson):
    for cell in cells(lesson, "code"):
        if any("<Figure" in output.get("data", {}).get("text/plain", "") for output in cell.outputs):
            assert len(cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")) > 40, cell.id


def test_figures_have_no_background_so_that_they_are_legible_on_dark_pages(lesson):
    stored = [output.get("data", {}) for cell in cells(lesson, "code") for output in cell.outputs]
    figures = [data["image/png"] for data in stored if "<Figure" in data.get("text/plain", "")]
    assert figures
    for figure in figures:
        pixels = imread(io.BytesIO(base64.b64decode(figure)))
        assert (pixels[[0, 0, -1, -1], [0, -1, 0, -1], 3] == 0).all(), "a corner of the figure is not transparent"
    grounds = [output.get("metadata", {}) for cell in cells(lesson, "code") for output in cell.outputs]
    assert not [ground for ground in grounds if "needs_background" in ground], "IPython adds a background"


def test_every_exercise_has_three_folded_hints_and_a_folded_solution_that_passes(lesson):
    exercises = [found for cell in cells(lesson, "code") for found in CHECKED.findall(cell.source)]
    assert 3 <= len(exercises) <= 5
    prose = "\n".join(cell.source for cell in cells(lesson, "markdown"))
    assert prose.count("<summary>Hint ") == 3 * len(exercises)
    namespace = {}
    exec("import torch", namespace)
    for (name, answer), solution in zip(exercises, FOLDED_SOLUTION.findall(prose), strict=True):
        exec(compile(solution, f"<solution of {name}>", "exec"), namespace)
        assert check.EXERCISES[name](namespace[answer]).passed


def test_unanswered_exercises_say_that_they_are_not_answered_yet(lesson):
    stubs = [cell for cell in cells(lesson, "code") if CHECKED.search(cell.source)]
    for cell in stubs:
        assert "raise NotImplementedError" in cell.source
        assert "not answered yet" in cell.outputs[-1].data["text/plain"]


def test_every_choice_is_unanswered_with_its_options_above_and_the_folded_answer_below(lesson):
    prose = "\n".join(cell.source for cell in cells(lesson, "markdown"))
    chosen = [(name, cell) for cell in cells(lesson, "code") for name in CHOSEN.findall(cell.source)]
    assert len(ANSWER.findall(prose)) == len(chosen)
    for (name, cell), answer in zip(chosen, ANSWER.findall(prose), strict=True):
        choice = check.CHOICES[name]
        assert "not answered yet" in cell.outputs[-1].data["text/plain"]
        assert choice.right in answer
        assert all(f"`{words}`" in prose for words in choice.answers)


def test_lesson_is_listed_with_its_minutes_on_the_landing_page_and_in_the_readme(lesson):
    minutes = re.search(r"\*\*Time:\*\* (\d+) minutes", cells(lesson, "markdown")[0].source)[1]
    for page, link in ((NOTEBOOKS / "index.ipynb", lesson.name), (ROOT / "README.md", f"notebooks/{lesson.name}")):
        text = (
            "\n".join(cell.source for cell in cells(page, "markdown"))
            if page.suffix == ".ipynb"
            else page.read_text("utf-8")
        )
        assert re.search(rf"\]\({re.escape(link)}\) \|(.*\|)? {minutes} \|", text), page.name


def test_stored_pictures_of_explorers_have_a_caption(lesson):
    outputs = [output.get("data", {}) for cell in cells(lesson, "code") for output in cell.outputs]
    sentences = [data["text/plain"] for data in outputs if "image/png" in data and "<Figure" not in data["text/plain"]]
    assert sentences
    assert all(re.fullmatch(r"\w+\(.*?\): [A-Z].*\.", sentence) for sentence in sentences)
