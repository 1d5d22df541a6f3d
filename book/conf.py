"""The book: `make book` runs Sphinx with the repository's root as its source folder, so that nothing is copied."""

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
EXECUTED = sorted(Path(os.environ.get("RSL_EDU_BOOK_EXECUTED", os.devnull)).glob("*.ipynb"))  # lessons: by the tests
LESSONS = os.environ.get("RSL_EDU_BOOK_LESSONS", "[1-9]_*").split()  # the tests build a book of few
sys.path[:0] = [str(ROOT), str(ROOT / "book")]

import house  # noqa: E402
import house_picture  # noqa: E402

from rsl_edu import __version__  # noqa: E402
from rsl_edu.explorers import Explorer  # noqa: E402
from rsl_edu.explorers.bench import scripts, static_page  # noqa: E402
from rsl_edu.folders import ensure_home  # noqa: E402

ensure_home()  # the kernels that execute the lessons keep files there
os.environ |= {
    "RSL_EDU_BOOK": "1",  # explorers show themselves as they do in a page
    "TQDM_DISABLE": "1",
    "OMP_NUM_THREADS": "1",  # two lessons are executed at a time
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    # A kernel that does not warn, for each lesson, that "Kernel is running over TCP without encryption".
    "JUPYTER_PATH": os.pathsep.join(filter(None, (str(ROOT / "book" / "jupyter"), os.environ.get("JUPYTER_PATH")))),
}

project = "rsl_edu"
author = "the authors of rsl_edu"
copyright = "2026, the authors of rsl_edu"
version = release = __version__
language = "en"
root_doc = "book/index"
include_patterns = ["book/*.md", "book/api/*.md", *(f"notebooks/{lesson}.ipynb" for lesson in LESSONS)]
if "RSL_EDU_BOOK_LESSONS" in os.environ:  # links to the lessons that are left out lead nowhere
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
    # Other projects have no inventory offline.
    ("py:.*", r"(abc|collections|datetime|ipywidgets|matplotlib|nn|np|numpy|pathlib|torch|typing)\..*"),
    # Type variables, and what only type checkers import.
    ("py:(class|obj)", r"(.*\.)?([RS]|Own)|Answer|Figure|Grid|Grip|Question|Spot|Live|Form|Motion|Path|MeanAndStd"),
]

myst_enable_extensions = ["amsmath", "attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
mathjax_path = "mathjax/tex-svg.js"  # one file, which fetches nothing

# The cache of executed notebooks knows their code; a change of the package that this code calls changes the folder.
_sources = sorted(path for path in (ROOT / "rsl_edu").rglob("*") if path.suffix in {".py", ".js", ".css", ".j2"})
_state = hashlib.sha256(b"".join(path.read_bytes() for path in _sources)).hexdigest()[:16]
nb_execution_mode = "cache"
nb_execution_cache_path = str(BUILD / "cache" / _state)
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_ipywidgets_js: dict[str, Any] = {}  # a widget without a kernel is a dead hole
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
html_show_search_summary = False  # it fetches pages, which a browser refuses to do from a file
html_theme_options = {
    "use_download_button": True,
    "use_fullscreen_button": False,
    "show_toc_level": 2,
    "home_page_in_toc": False,
    "navbar_persistent": [],
}


class House(SphinxDirective):
    """The picture of the house, drawn from the code as it is now."""

    def run(self) -> list[nodes.Node]:
        """Return the picture; a change of what draws it makes the page anew, as a change of the package does."""
        for file in (house.__file__, house_picture.__file__):
            self.env.note_dependency(file)
        return [nodes.raw("", house_picture.picture(), format="html")]


def _list_controls(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Write the controls of an explorer under its description: they are its keyword arguments."""
    if what != "class" or not issubclass(obj, Explorer) or obj is Explorer:
        return
    lines += ["**Controls**", ""]
    for field in dataclasses.fields(obj.State):
        control = field.metadata["control"]
        lines.append(f"- ``{field.name}``: {control.words}, {field.default!r} at first. {control.help}")
    lines.append("")


def _prepare(app: Sphinx, config: Any) -> None:
    """Write the scripts and styles of the explorers where Sphinx takes static files from; make the cache."""
    from jupyter_cache import get_cache
    from jupyter_cache.base import CacheBundleIn

    cache = get_cache(nb_execution_cache_path)
    cache.list_cache_records()  # makes it, before two processes do so at once
    for lesson in EXECUTED:
        bundle = CacheBundleIn(nbformat.read(lesson, 4), str(lesson))
        cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    folder = BUILD / "static"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "explorers.js").write_text(scripts.page_script(), "utf-8")
    (folder / "explorers.css").write_text(scripts.page_style(), "utf-8")


def _link_notebook(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document) -> None:
    """Let explorers point to the notebook, which lies beside the page."""
    if doctree and static_page.NOTEBOOK in context["body"]:
        address = context["pathto"](f"_sources/{context['sourcename']}", 1)
        context["body"] = context["body"].replace(static_page.NOTEBOOK, address)


def _finish(app: Sphinx, failed: Exception | None) -> None:
    """Add MathJax and a first page that leads to the landing page; leave out what draws the icons a second time."""
    if failed:
        return
    icons = re.compile(r"<script [^>]*fontawesome\.js[^>]*></script>")  # half a megabyte; the style sheet has a font
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
    """Connect what this configuration adds."""
    app.add_directive("house", House)
    app.add_config_value("rsl_edu_state", _state, "env")  # another one: read every page anew
    app.connect("config-inited", _prepare)
    app.connect("autodoc-process-docstring", _list_controls)
    app.connect("html-page-context", _link_notebook)
    app.connect("build-finished", _finish)
