"""Options of a layer that a case may leave out."""

from typing import Any


def given(**options: Any) -> dict[str, Any]:
    """The options that a case sets; None leaves the default."""
    return {name: value for name, value in options.items() if value is not None}
