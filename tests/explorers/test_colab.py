"""What Colab needs to show an explorer or a quiz: the metadata of a view name the manager of its widgets."""

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
    """Stands in for Colab's own module: says how often its manager for widgets of others was enabled."""
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
    """Returns data and metadata of each output that a cell with this on its last line sends."""
    shown = []
    monkeypatch.setattr(output, "get_ipython", lambda: SimpleNamespace(kernel=True))
    monkeypatch.setattr(output, "display", lambda data, metadata, raw, display_id=None: shown.append((data, metadata)))
    thing._ipython_display_()
    return shown


@pytest.mark.parametrize("kind", ["explorer", "quiz"])
def test_view_names_the_widget_manager_of_colab_which_was_enabled_once(kind, enabled, monkeypatch):
    explorer = explorers.Divergence()
    still, view = displayed(explorer if kind == "explorer" else explorers.Quiz(explorer), monkeypatch)
    assert VIEW not in still[0]
    assert view[0][VIEW]["model_id"]
    assert view[1] == {VIEW: {"colab": {"custom_widget_manager": {"url": MANAGER}}}}
    assert enabled == [1]


def test_elsewhere_the_view_names_no_widget_manager(monkeypatch):
    _, (view, metadata) = displayed(explorers.Divergence(), monkeypatch)
    assert VIEW in view
    assert metadata == {}
