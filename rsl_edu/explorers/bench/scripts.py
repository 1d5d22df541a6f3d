"""The scripts and the style sheets of the browser, each put together from the files that it needs."""

from pathlib import Path

HERE = Path(__file__).parent
PICTURE = ("dom.js", "controls.js", "touch.js", "explorer.js")
FORM = ("dom.js", "form.js")


def text(*files: str) -> str:
    """Return what is in files of this folder, one after the other."""
    return "\n".join((HERE / file).read_text("utf-8") for file in files)


def picture_module() -> str:
    """Return the script of a live explorer."""
    return text(*PICTURE) + "\nexport default { render };\n"


def form_module() -> str:
    """Return the script of a live quiz."""
    return text(*FORM) + "\nexport default { render: renderForm };\n"


def page_script() -> str:
    """Return the script of a page: those of the live widgets, and what they ask instead of a kernel.

    It is a classic script: a browser loads no module from a file.
    """
    return f"(() => {{\n{text(*PICTURE, 'form.js', 'static_page.js')}}})();\n"


def page_style() -> str:
    """Return the style sheet of a page."""
    return text("explorer.css", "form.css", "static_page.css")
