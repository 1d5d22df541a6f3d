"""Configuration of the book. Sphinx uses the repository's root as its source folder, so that nothing is copied."""

import dataclasses
import hashlib
import importlib.util
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).parents[1]
BUILD = Path(os.environ.get("RSL_EDU_BOOK_BUILD", ROOT / "book" / "_build"))
EXECUTED = sorted(
    Path(os.environ.get("RSL_EDU_BOOK_EXECUTED", os.devnull)).glob("*.ipynb")
)  # lessons that the tests executed
LESSONS = os.environ.get("RSL_EDU_BOOK_LESSONS", "[1-9]_*").split()  # the tests build a book with few of them
sys.path[:0] = [str(ROOT), str(ROOT / "book")]

import house  # noqa: E402
import house_picture  # noqa: E402

from rsl_edu import __version__  # noqa: E402
from rsl_edu.explorers import Explorer  # noqa: E402
from rsl_edu.explorers.bench import scripts, static_page  # noqa: E402
from rsl_edu.folders import ensure_home  # noqa: E402

ensure_home()  # the kernels that execute the lessons write files there
os.environ |= {
    "RSL_EDU_BOOK": "1",  # explorers take the form that they have in a page
    "TQDM_DISABLE": "1",
    "OMP_NUM_THREADS": "1",  # two lessons are executed at the same time
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    # A kernel without the warning "Kernel is running over TCP without encryption", which would appear for each lesson.
    "JUPYTER_PATH": os.pathsep.join(filter(None, (str(ROOT / "book" / "jupyter"), os.environ.get("JUPYTER_PATH")))),
}

project = "rsl_edu"
author = "the authors of rsl_edu"
copyright = "2026, the authors of rsl_edu"
version = release = __version__
language = "en"
root_doc = "book/index"
include_patterns = ["book/*.md", "book/api/*.md", *(f"notebooks/{lesson}.ipynb" for lesson in LESSONS)]
if "RSL_EDU_BOOK_LESSONS" in os.environ:  # links to the missing lessons are broken
    suppress_warnings = ["toc.not_readable", "toc.excluded", "myst.xref_missing", "ref.doc"]
exclude_patterns = ["book/_build", "book/README.md"]
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
]
nitpicky = True
nitpick_ignore_regex = [
    # The inventories of other projects are not available offline.
    ("py:.*", r"(abc|collections|datetime|ipywidgets|matplotlib|nn|np|numpy|pathlib|torch|typing)\..*"),
    # Type variables, and names that only type checkers import.
    ("py:(class|obj)", r"(.*\.)?([RS]|Own)|Answer|Figure|Grid|Grip|Question|Spot|Live|Form|Motion|Path|MeanAndStd"),
]

myst_enable_extensions = ["amsmath", "attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
mathjax_path = "mathjax/tex-svg.js"  # one file, which downloads nothing

# The cache notices changes of a notebook's code. If the package changes, the cache is in another folder.
_sources = sorted(path for path in (ROOT / "rsl_edu").rglob("*") if path.suffix in {".py", ".js", ".css", ".j2"})
_state = hashlib.sha256(b"".join(path.read_bytes() for path in _sources)).hexdigest()[:16]
nb_execution_mode = "cache"
nb_execution_cache_path = str(BUILD / "cache" / _state)
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_ipywidgets_js: dict[str, Any] = {}  # without a kernel, widgets would stay empty
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_default_options = {"members": True}

html_theme = "sphinx_book_theme"
html_title = "rsl_edu"
html_static_path = ["static", str(BUILD / "static")]
html_css_files = ["book.css", "explorers.css"]
html_js_files = [("explorers.js", {"defer": "defer"})]
html_context = {"default_mode": "auto"}
html_show_search_summary = False  # it downloads pages, which browsers forbid for pages opened from a file
html_theme_options = {
    "use_download_button": True,
    "use_fullscreen_button": False,
    "show_toc_level": 2,
    "home_page_in_toc": False,
    "navbar_persistent": [],
}


class House(SphinxDirective):
    """Directive that draws the parts of rsl_edu and their imports, from the current code."""

    def run(self) -> list[nodes.Node]:
        """Return the picture. If the package or the drawing code changes, Sphinx renders the page again."""
        for file in (house.__file__, house_picture.__file__):
            self.env.note_dependency(file)
        return [nodes.raw("", house_picture.picture(), format="html")]


def _list_controls(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """List the controls of an explorer, which are its keyword arguments, under its description."""
    if what != "class" or not issubclass(obj, Explorer) or obj is Explorer:
        return
    lines += ["**Controls**", ""]
    for field in dataclasses.fields(obj.State):
        control = field.metadata["control"]
        lines.append(f"- ``{field.name}``: {control.words}, {field.default!r} at first. {control.help}")
    lines.append("")


def _prepare(app: Sphinx, config: Any) -> None:
    """Write the scripts and styles of the explorers into the folder of static files, and create the cache."""
    from jupyter_cache import get_cache
    from jupyter_cache.base import CacheBundleIn

    cache = get_cache(nb_execution_cache_path)
    cache.list_cache_records()  # creates it, before two processes do so at the same time
    for lesson in EXECUTED:
        bundle = CacheBundleIn(nbformat.read(lesson, 4), str(lesson))
        cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    folder = BUILD / "static"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "explorers.js").write_text(scripts.page_script(), "utf-8")
    (folder / "explorers.css").write_text(scripts.page_style(), "utf-8")


def _link_notebook(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document) -> None:
    """Let explorers link to the notebook, which is next to the page."""
    if doctree and static_page.NOTEBOOK in context["body"]:
        address = context["pathto"](f"_sources/{context['sourcename']}", 1)
        context["body"] = context["body"].replace(static_page.NOTEBOOK, address)


def _finish(app: Sphinx, failed: Exception | None) -> None:
    """Add MathJax and a page that redirects to the landing page; remove the script that draws icons a second time."""
    if failed:
        return
    icons = re.compile(
        r"<script [^>]*fontawesome\.js[^>]*></script>"
    )  # half a megabyte; the style sheet already has a font
    for file in Path(app.outdir).rglob("*.html"):
        text = file.read_text("utf-8")
        if icons.search(text):
            file.write_text(icons.sub("", text), "utf-8")
    package = importlib.util.find_spec("sphinx-mathjax-offline")
    assert package is not None
    there = Path(app.outdir, "_static", mathjax_path)
    there.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(Path(str(package.origin)).parent / "static" / mathjax_path, there)
    first = f'<!DOCTYPE html><html lang="en"><title>{project}</title><meta http-equiv="refresh" content="0; url=@">'
    first = f'{first}<a href="@">{project}</a></html>'.replace("@", f"{root_doc}.html")
    Path(app.outdir, "index.html").write_text(first, "utf-8")


def setup(app: Sphinx) -> None:
    """Connect the additions of this configuration to Sphinx."""
    app.add_directive("house", House)
    app.add_config_value("rsl_edu_state", _state, "env")  # if it changes, every page is read again
    app.connect("config-inited", _prepare)
    app.connect("autodoc-process-docstring", _list_controls)
    app.connect("html-page-context", _link_notebook)
    app.connect("build-finished", _finish)
