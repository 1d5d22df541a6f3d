"""The scripts and style sheets for the browser, each assembled from several files."""

from pathlib import Path

HERE = Path(__file__).parent
PICTURE = ("dom.js", "controls.js", "touch.js", "explorer.js")
FORM = ("dom.js", "form.js")


def text(*files: str) -> str:
    """Return the contents of files in this folder, joined in the given order."""
    return "\n".join((HERE / file).read_text("utf-8") for file in files)


def picture_module() -> str:
    """Return the script of a live explorer."""
    return text(*PICTURE) + "\nexport default { render };\n"


def form_module() -> str:
    """Return the script of a live quiz."""
    return text(*FORM) + "\nexport default { render: renderForm };\n"


def page_script() -> str:
    """Return the script for a page without a kernel: the scripts of the widgets, and code that replaces the kernel.

    It is a classic script, not a module, because browsers do not load modules from local files.
    """
    return f"(() => {{\n{text(*PICTURE, 'form.js', 'static_page.js')}}})();\n"


def page_style() -> str:
    """Return the style sheet of a page."""
    return text("explorer.css", "form.css", "static_page.css")
