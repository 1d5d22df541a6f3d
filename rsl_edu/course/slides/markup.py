"""Render the parts of a slide as HTML, with nbconvert's filters."""

from __future__ import annotations

import base64
import html
import re
from pathlib import Path
from typing import Any

from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from .formula import formula

_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg"}


class _Renderer(IPythonRenderer):
    """nbconvert's renderer, with formulas that need no script."""

    def inline_math(self, body: str) -> str:
        """Return a formula inside a line."""
        return _formula(body)

    def block_math(self, body: str) -> str:
        """Return a formula on its own line."""
        return _formula(body, block=True)


def _formula(latex: str, block: bool = False) -> str:
    try:
        return formula(html.unescape(latex), block)
    except ValueError:  # show the LaTeX code, which is at least readable
        return f'<code class="unset">{html.escape(latex)}</code>'


def rendered(markdown: str, links: str = "") -> str:
    """Return the HTML of Markdown.

    Args:
        markdown: The text.
        links: Prefix of links to other lessons: the path to their folder.
    """
    linked = re.sub(r"\]\((?![a-z]+:|#|/)", f"]({links}", markdown)
    renderer = _Renderer(escape=False, exclude_anchor_links=True)
    made: Any = MarkdownWithMath(renderer=renderer).render(linked)
    alone = r'<p>(<div class="formula block">(?:(?!</?p>).)*</div>)</p>'  # a div is not allowed in a paragraph
    return re.sub(alone, r"\1", str(made).strip(), flags=re.DOTALL)


def inline(markdown: str, links: str = "") -> str:
    """Return the HTML of a line of Markdown, without the paragraph around it."""
    return re.sub(r"^<p>|</p>$", "", rendered(markdown, links))


def highlighted(code: str) -> str:
    """Return the HTML of Python code, with the classes of Pygments for colours."""
    return str(Highlight2HTML(pygments_lexer="python")(code))


def picture(file: Path, alternative: str) -> str:
    """Return the HTML of a picture that is embedded in the page."""
    return embedded(_TYPES[file.suffix], base64.b64encode(file.read_bytes()).decode(), alternative)


def embedded(kind: str, data: str, alternative: str) -> str:
    """Return the HTML of an embedded picture from its bytes in base64."""
    return f'<img src="data:{kind};base64,{"".join(data.split())}" alt="{html.escape(alternative)}">'
