"""What a cause is, and what it says."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

from .evidence import Evidence
from .model import Model


@dataclasses.dataclass(frozen=True)
class Variant:
    """One way in which a cause may have changed a policy.

    Attributes:
        words: What is done to the model: ``without the normalizer``; empty if its name says it.
        model: The changed policy.
    """

    words: str
    model: Model


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cause:
    """A row of the table of causes.

    Attributes:
        name: Name of the cause.
        variants: Changes a model in all ways in which this cause may; none if it cannot.
        change: What to change, with the names that the exporters have.
        lesson: Number of the lesson that explains it.
        late: Whether it is tried after all others, and alone: it takes long, and a failure rules nothing out.
    """

    name: str
    variants: Callable[[Evidence, Model], Iterable[Variant]]
    change: Callable[[Evidence], str] | str
    lesson: int
    late: bool = False


@dataclasses.dataclass(frozen=True)
class Explanation:
    """Why an export does something else.

    Attributes:
        causes: One cause, or two together; none if nothing explains it.
        variants: What each of them changed.
        tried: Names of the causes that do not explain it.
    """

    causes: tuple[Cause, ...]
    variants: tuple[Variant, ...]
    tried: tuple[str, ...]
