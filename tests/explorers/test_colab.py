"""Explorers and quizzes in Colab: the metadata of a view name Colab's widget manager."""

import sys
from types import ModuleType, SimpleNamespace

import pytest
from anywidget import _util as anywidget_util

from rsl_edu import explorers
from rsl_edu.explorers.bench import output

VIEW = "application/vnd.jupyter.widget-view+json"
MANAGER = "https://example.org/manager.min.js"


@pytest.fixture
def enabled(monkeypatch):
    """Replace Colab's own module; the result counts how often its manager for third-party widgets was enabled."""
    calls = []
    colab = ModuleType("google.colab.output")
    colab._widgets = SimpleNamespace(_installed_url=None)

    def enable_custom_widget_manager():
        calls.append(1)
        colab._widgets._installed_url = MANAGER

    colab.enable_custom_widget_manager = enable_custom_widget_manager
    monkeypatch.setitem(sys.modules, "google.colab.output", colab)
    anywidget_util.enable_custom_widget_manager_once.cache_clear()
    yield calls
    anywidget_util.enable_custom_widget_manager_once.cache_clear()


def displayed(thing, monkeypatch):
    """Return data and metadata of each output of a cell that ends with ``thing``."""
    shown = []
    monkeypatch.setattr(output, "get_ipython", lambda: SimpleNamespace(kernel=True))
    monkeypatch.setattr(output, "display", lambda data, metadata, raw, display_id=None: shown.append((data, metadata)))
    thing._ipython_display_()
    return shown


@pytest.mark.parametrize("kind", ["explorer", "quiz"])
def test_view_names_the_widget_manager_of_colab(kind, enabled, monkeypatch):
    explorer = explorers.Divergence()
    still, view = displayed(explorer if kind == "explorer" else explorers.Quiz(explorer), monkeypatch)
    assert VIEW not in still[0]
    assert view[0][VIEW]["model_id"]
    assert view[1] == {VIEW: {"colab": {"custom_widget_manager": {"url": MANAGER}}}}
    assert enabled == [1]


def test_view_names_no_widget_manager_outside_colab(monkeypatch):
    _, (view, metadata) = displayed(explorers.Divergence(), monkeypatch)
    assert VIEW in view
    assert metadata == {}
