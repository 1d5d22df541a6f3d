"""The pictures that open the lessons show current results, and are files that any notebook can show."""

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "notebooks" / "pictures"
sys.path.insert(0, str(ROOT / "book"))

from pictures import PICTURES  # noqa: E402
from pictures.svg import GROUND, INK, MUTED, words  # noqa: E402

NAMES = list(PICTURES)


@pytest.fixture(scope="module", params=NAMES)
def stored(request):
    return (FOLDER / f"{request.param}.svg").read_text("utf-8")


@pytest.fixture(scope="module")
def page(browser):
    page = browser.new_page()
    yield page
    page.close()


def luminance(colour):
    """Return the relative luminance, as WCAG defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_every_stored_picture_is_drawn_by_a_function():
    assert {path.name for path in FOLDER.iterdir()} == {f"{name}.svg" for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_stored_picture_shows_what_the_package_computes_now(name):
    drawn, kept = PICTURES[name](), (FOLDER / f"{name}.svg").read_text("utf-8")
    assert words(drawn) == words(kept), "run `python book/pictures`"
    assert re.findall(r"<(\w+)", drawn) == re.findall(r"<(\w+)", kept), "run `python book/pictures`"


def test_picture_is_small_and_loads_no_other_file(stored):
    ElementTree.fromstring(stored)
    assert len(stored) < 300_000
    assert "<script" not in stored
    assert not re.findall(r"""(?:href|src)=["'](?!data:)""", stored)
    assert set(re.findall(r"url\(([^)]*)\)", stored)) <= {f"#{name}" for name in re.findall(r'id="(\w+)"', stored)}


def test_words_are_inside_the_picture(page, stored):
    page.set_content(f"<body style='margin: 0'>{stored}")
    boxes = page.evaluate("""() => {
        const frame = document.querySelector("svg").getBoundingClientRect();
        const outside = text => {
            const box = text.getBoundingClientRect();
            return box.left < frame.left + 8 || box.right > frame.right - 8 || box.bottom > frame.bottom - 8;
        };
        return [...document.querySelectorAll("text")].filter(outside).map(text => text.textContent);
    }""")
    assert boxes == []


def test_words_do_not_overlap(page, stored):
    page.set_content(f"<body style='margin: 0'>{stored}")
    overlaps = page.evaluate("""() => {
        const texts = [...document.querySelectorAll("text")];
        const meet = (one, other) => {
            const a = one.getBoundingClientRect(), b = other.getBoundingClientRect();
            return a.left < b.right && b.left < a.right && a.top + 3 < b.bottom && b.top + 3 < a.bottom;
        };
        const met = (one, i) => texts.slice(i + 1).filter(other => meet(one, other)).map(other => [one, other]);
        return texts.flatMap(met).map(pair => pair.map(text => text.textContent));
    }""")
    assert overlaps == []


def test_text_has_enough_contrast_with_the_background():
    assert contrast(INK, GROUND) > 7
    assert contrast(MUTED, GROUND) > 4.5


@pytest.mark.parametrize(
    ("motion", "shown", "hidden"), [("no-preference", "moving", "still"), ("reduce", "still", "moving")]
)
def test_robots_stand_still_for_readers_who_prefer_reduced_motion(page, motion, shown, hidden):
    page.emulate_media(reduced_motion=motion)
    page.set_content((FOLDER / "robots.svg").read_text("utf-8"))
    display = "found => found.map(element => getComputedStyle(element).display)"
    assert set(page.locator(f".{shown}").evaluate_all(display)) == {"inline"}
    assert set(page.locator(f".{hidden}").evaluate_all(display)) == {"none"}
    assert page.locator(".still animate, .still animateTransform").count() == 0
    assert page.locator(".moving animate").count() > 30
