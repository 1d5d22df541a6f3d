"""The figures of the lessons are legible on light and on dark pages."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib_inline.backend_inline import _fetch_figure_metadata

STYLE = "rsl_edu.any_theme"
PAGES = {"light": "#ffffff", "dark": "#111111"}
INKED = ("text.color", "axes.edgecolor", "axes.labelcolor", "axes.titlecolor", "xtick.color", "ytick.color")


def luminance(colour):
    """Return the relative luminance, as WCAG defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return np.dot((0.2126, 0.7152, 0.0722), linear)


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
@pytest.mark.parametrize("ink", INKED)
def test_ink_has_enough_contrast_with_light_and_dark_pages(ink, page):
    with plt.style.context(STYLE):
        darker, lighter = sorted((luminance(plt.rcParams[ink]), luminance(page)))
    assert (lighter + 0.05) / (darker + 0.05) > 3.8


@pytest.fixture
def figure():
    with plt.style.context(STYLE):
        figure, axes = plt.subplots()
        axes.plot([1, 2], label="a line")
        axes.legend()
        yield figure
    plt.close(figure)


def test_figure_has_no_background(figure):
    file = io.BytesIO()
    figure.savefig(file, format="png")
    pixels = plt.imread(io.BytesIO(file.getvalue()))
    assert (pixels[..., 3] == 0).mean() > 0.8


def test_notebook_adds_no_background(figure):
    assert _fetch_figure_metadata(figure) is None
