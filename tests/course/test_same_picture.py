"""A stored picture is kept if the new one shows the same."""

import base64
import io

import nbformat
import numpy as np
import pytest
from PIL import Image

from rsl_edu.course.same_picture import keep_pictures, show_the_same

PIXELS = np.random.default_rng(0).integers(20, 230, (60, 90, 4)).astype(np.uint8)


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return base64.b64encode(file.getvalue()).decode()


def changed(by, pixels=1):
    other = PIXELS.copy()
    other.reshape(-1, 4)[:pixels] += np.uint8(by)
    return other


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (PIXELS, True),
        (changed(1, 5400), True),
        (changed(20, 5), True),
        (changed(20, 6), False),
        (PIXELS[:-1], False),
        (PIXELS[:, ::-1], False),
    ],
)
def test_pictures_that_differ_only_by_rounding_count_as_the_same(other, same):
    assert show_the_same(png(PIXELS), png(other)) is same


def notebook(picture, words="one"):
    data = {"image/png": picture, "text/html": f'<p>{words}</p><img src="data:image/png;base64,{picture}">'}
    cell = nbformat.v4.new_code_cell("x", id="x", outputs=[nbformat.v4.new_output("display_data", data)])
    return nbformat.v4.new_notebook(cells=[cell])


def test_stored_picture_is_kept_and_text_is_updated():
    old, new = png(PIXELS), png(changed(1))
    ran = notebook(new, "two")
    keep_pictures(ran, notebook(old))
    assert ran == notebook(old, "two")


def test_new_picture_replaces_a_different_one_or_none():
    new = png(changed(50, 999))
    for stored in (notebook(png(PIXELS)), nbformat.v4.new_notebook()):
        ran = notebook(new)
        keep_pictures(ran, stored)
        assert ran == notebook(new)
