"""Two pages of the book list every explorer as it describes itself."""

from pathlib import Path

import lists
import pytest

from rsl_edu import explorers

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", ["book/explorers.md", "book/api/explorers.md"])
def test_page_lists_every_explorer_as_it_describes_itself(page):
    text = (ROOT / page).read_text("utf-8")
    assert lists.written(page, text) == text, "run python book/lists.py to update it"
    assert all(name in text for name in explorers.EXPLORERS)


@pytest.mark.parametrize("name", explorers.EXPLORERS)
def test_explorer_has_the_attributes_for_a_list(name):
    explorer = explorers.EXPLORERS[name]
    assert explorer.lesson in range(1, 7)
    assert explorer.shows
    assert explorer.breaks


def test_package_offers_the_explorers_in_the_order_of_their_lessons():
    lessons = [explorer.lesson for explorer in explorers.EXPLORERS.values()]
    assert lessons == sorted(lessons)
    assert set(explorers.EXPLORERS) <= set(dir(explorers))
    assert explorers.Signal is explorers.EXPLORERS["Signal"]
    with pytest.raises(AttributeError, match=r"no attribute 'Signals'; its explorers are Signal, "):
        explorers.Signals  # noqa: B018
