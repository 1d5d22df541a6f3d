"""Explorers and quizzes in a page without a kernel contain every picture and its texts."""

import base64
import html
import json
import re
import zlib

import pytest

from rsl_edu.explorers import Divergence, HeteroscedasticFit, Question, Quiz
from rsl_edu.explorers.bench import scripts
from rsl_edu.explorers.bench.svg import thin


@pytest.fixture(scope="module")
def explorer():
    return HeteroscedasticFit()


@pytest.fixture(scope="module")
def element(explorer):
    return explorer.html()


def told(element):
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', element, re.DOTALL)[1])


@pytest.mark.slow
def test_element_contains_every_frame(explorer, element):
    drawn = json.loads(zlib.decompress(base64.b64decode(told(element)["drawn"])))
    frames = list(explorer.frames())
    assert len(drawn["frames"]) == len(frames)
    for frame, one in zip(frames, drawn["frames"], strict=True):
        for layer, panels in (("grounds", frame.grounds), ("moving", frame.moving)):
            assert tuple("".join(drawn["elements"][place] for place in panel) for panel in one[layer]) == panels
        assert (one["title"], one["caption"]) == (frame.title, frame.caption)
        assert dict(one["numbers"]) == frame.numbers
        assert [spot[0] for spot in one["spots"]] == [spot[0] for spot in frame.spots]
        assert HeteroscedasticFit.from_state(one["state"]).at() == frame.state


def test_every_frame_has_valid_positions_of_the_controls(explorer, element):
    page_of = told(element)
    drawn = json.loads(zlib.decompress(base64.b64decode(page_of["drawn"])))
    places = [tuple(frame["place"]) for frame in drawn["frames"]]
    assert len(set(places)) == len(places)
    assert tuple(page_of["start"]) in places
    for place in places:
        assert all(
            0 <= i < len(control["values"]) for i, control in zip(place, page_of["spec"]["controls"], strict=True)
        )


def test_fixed_controls_are_listed_with_their_values(element):
    assert told(element)["fixed"] == ["learning rate 0.02", "initial std 1", "hidden units 16", "seed 0"]


@pytest.mark.slow
def test_sliders_with_few_positions_become_choices(element):
    controls = told(Divergence().html())["spec"]["controls"]
    kinds = {control["words"]: (control["kind"], len(control["values"])) for control in controls}
    assert kinds["new std"] == ("slider", 5)
    assert kinds["action dimensions"] == ("choice", 3)


@pytest.mark.slow
def test_current_state_is_among_the_frames_and_is_shown_first():
    element = HeteroscedasticFit(rate=0.1, steps=150).html()
    assert "learning rate 0.1" in told(element)["fixed"]
    explorer = HeteroscedasticFit(rate=0.1, steps=150)
    assert f'alt="{html.escape(explorer.describe(explorer.compute(explorer.at())))}"' in element


def test_text_in_an_element_cannot_end_its_script(explorer):
    quiz = Quiz(Divergence(), {"</script><b>": None, "a < b?": ("</b>", "no")})
    assert quiz.html().count("</script>") == 1
    assert told(quiz.html())[0]["text"] == "</script><b>"
    assert "<b>" not in quiz.html()


def test_quiz_is_a_list_without_javascript_and_has_its_range():
    element = Quiz(Divergence(), {"How large?": None, "Which?": ("old", "new")}).html()
    assert "<li>How large?</li><li>Which? (old / new)</li>" in element
    number, choice = told(element)
    assert (number["choices"], number["unit"], number["range"]) == (None, "nats", [0.0, 1000.0])
    assert choice["choices"] == ["old", "new"]


def test_page_contains_the_picture_of_an_answer():
    asked = Question("Which?", ("old", "new"), "old", {"new_mean": -1.7, "new_std": 0.1})
    explorer = type("Asking", (Divergence,), {"questions": (asked,)})()
    (one,) = told(Quiz(explorer).html())
    page_of = told(explorer.html())
    drawn = json.loads(zlib.decompress(base64.b64decode(page_of["drawn"])))
    wanted = {int(control): place for control, place in one["places"].items()}
    shown = {
        page_of["spec"]["controls"][i]["words"]: page_of["spec"]["controls"][i]["values"][j] for i, j in wanted.items()
    }
    assert shown == {"new mean": "−1.7", "new std": "0.1"}
    assert any(all(frame["place"][i] == j for i, j in wanted.items()) for frame in drawn["frames"])


def test_script_is_classic_and_loads_nothing():
    script, style = scripts.page_script(), scripts.page_style()
    assert not re.search(r"^\s*(import|export)\b", script, re.MULTILINE)
    assert "://" not in re.sub(r"http://www\.w3\.org/[\w/]+", "", script) + style  # names, not addresses


def test_cell_in_the_book_shows_the_element_without_a_widget(monkeypatch, explorer):
    monkeypatch.setenv("RSL_EDU_BOOK", "1")
    assert explorer._repr_mimebundle_()[0].keys() == {"text/plain", "text/html"}
    assert explorer.sweep().endswith("pictures, which the notebook draws")
    assert "live" not in vars(explorer)
    assert Quiz(explorer, {"How much?": None})._repr_mimebundle_()[0].keys() == {"text/plain", "text/html"}


def test_paths_of_straight_lines_become_relative():
    lines, curve = "M 1 2 \nL 1.52 2 \nL 0.5 3 \nz\nM 7 8 \nL 7 9 \n", "M 0 0 \nC 1 2 3 4 5 6 \n"
    svg = f'<?xml?><svg><path d="{lines}"/><path d="{curve}"/></svg>'
    assert thin(svg) == f'<svg><path d="M1 2l0.5 0 -1 1 zM7 8l0 1"/><path d="{curve}"/>'
