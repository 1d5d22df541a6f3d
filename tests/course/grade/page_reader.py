"""Shared helpers for tests of the pages: an assignment, rows, and a parser of pages."""

import html.parser
import itertools
from types import SimpleNamespace

from course.banks import WRONG, mistake_of

from rsl_edu.course import check
from rsl_edu.course.assignment import Task
from rsl_edu.course.grade.gradebook import GRADED, Row
from rsl_edu.course.grade.marking import Mark

POINTS = {"reset_done": 3.0, "unpad": 4.0, "split_and_pad": 13.0}
NOT_ANSWERED = Mark("unpad", 0.0, "not-answered", "not answered yet.")


def assignment(points, manual=()):
    """Return an assignment with some exercises, some of them marked by hand."""
    tasks = [Task(name, most, "x", "", name in manual) for name, most in points.items()]
    return SimpleNamespace(name="3_rnn", maximum=sum(points.values()), tasks=tasks)


ASSIGNMENT = assignment(POINTS)


def right(task):
    return Mark(task, POINTS[task], None, "right.")


def wrong(task, place, points=0.0, answer=""):
    answers = {mistake_of(name): answer for name, answer in WRONG[task].items()}  # one of each
    verdict = check.EXERCISES[task].check([*answers.values()][place])
    return Mark(task, points, verdict.mistake, verdict.message, (), answer)


def row(*marks, name="Ada Lovelace_1", **fields):
    """Return a submission in which everything is right except the given marks."""
    given = {mark.task: mark for mark in marks}
    return Row(name, "key", GRADED, tuple(given.get(task, right(task)) for task in POINTS), **fields)


class Page(html.parser.HTMLParser):
    """The elements, attributes and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.attributes, self.open = [], [], []
        self.text, self.texts = "", []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        self.attributes += attributes
        if tag != "meta":
            self.open.append(tag)
        self.texts.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text += data
            self.texts.append(data)

    def handle_comment(self, data):
        raise AssertionError(data)

    def after(self, heading, until=()):
        """Return the texts after a heading, up to the next heading."""
        at = self.texts.index(heading)
        rest = itertools.takewhile(lambda text: text not in {*HEADINGS, *until}, self.texts[at + 1 :])
        return [text.strip() for text in rest if text.strip()]

    def line(self, heading, until=()):
        """Return the texts after a heading as one line."""
        return " ".join(" ".join(self.after(heading, until)).split())

    def all(self, attribute):
        """Return all values of an attribute."""
        return [value for name, value in self.attributes if name == attribute]


HEADINGS = [
    "To discuss in class",
    "Points",
    "Exercises",
    "Lines left out",
    "Compared with the earlier class",
    "Not graded",
]
