"""The page *How it is built* shows the imports in the code, and all files that it names exist."""

import html
import re

import house
import house_picture
import pytest
from course.banks import RIGHT, WRONG

PAGE = (house.ROOT / "book" / "building.md").read_text("utf-8")
SECTIONS = {part.partition("\n")[0]: part for part in PAGE.split("\n## ")[1:]}
NAMED = re.compile(r"`([\w.-]+(?:/[\w.-]+)+|[\w.-]+\.(?:py|js|css|md|yml|toml|txt))`")
DRAWN = {form.name: house_picture.drawn(form) for form in house_picture.FORMS}


def exists(name):
    """Whether a path exists in the repository or in rsl_edu. The built book need not exist yet."""
    places = [house.ROOT / name, house.PACKAGE / name]
    return any(place.exists() or place.with_suffix(".py").exists() for place in places) or "_build" in name


def test_every_file_that_the_page_names_exists():
    names = NAMED.findall(PAGE)
    assert len(names) > 50
    assert not [name for name in names if not exists(name)]


@pytest.mark.parametrize("section", ["How a slider value becomes a picture", "How a submission is graded"])
def test_section_has_ten_steps_and_each_names_its_file(section):
    steps = re.findall(r"^\d+\. `(.+?)`", SECTIONS[section], re.MULTILINE)
    assert len(steps) == 10
    assert all((house.PACKAGE / step).is_file() for step in steps)


def test_banks_contain_as_many_answers_as_the_page_says():
    said = re.search(r"more than (\d+) right and (\d+) wrong answers to the (\d+) exercises", PAGE)
    right, wrong = (sum(map(len, answers.values())) for answers in (RIGHT, WRONG))
    assert right > int(said[1])
    assert wrong > int(said[2])
    assert len(RIGHT) == int(said[3])


@pytest.mark.parametrize("form", DRAWN)
def test_picture_shows_every_part_and_an_arrow_for_every_import(form):
    picture = DRAWN[form]
    words = html.unescape(re.sub("<[^>]*>", " ", picture)).split()
    for part, stated in house.stated().items():
        assert set(stated.words.replace("`", "").split()) <= set(words), part
    inside = sum(len(others & inner_parts(part)) for part, others in house.arrows().items())
    between = sum(len(others) for others in house_picture.rooms().values())
    assert picture.count('class="rsl-arrow"') == picture.count('class="rsl-head"') == inside + between


def inner_parts(part):
    """Return the parts in the same folder of rsl_edu as a part, including the folder itself."""
    return {other for other in house.stated() if other.partition("/")[0] == part.partition("/")[0]}


@pytest.mark.parametrize("form", house_picture.FORMS, ids=lambda form: form.name)
def test_arrows_point_down_and_rows_are_not_too_full(form):
    imports = house_picture.rooms()
    row = house_picture.rows(imports, form.most)
    assert all(row[room] < row[other] for room, others in imports.items() for other in others)
    numbers = list(row.values())
    assert all(numbers.count(number) <= form.most for number in range(1, max(numbers) + 1))
