"""Data types for causes and explanations."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

from .evidence import Evidence
from .model import Model


@dataclasses.dataclass(frozen=True)
class Variant:
    """One way in which a cause may have changed a policy.

    Attributes:
        words: How the model was changed, such as ``without the normalizer``; empty if its name is enough.
        model: The changed policy.
    """

    words: str
    model: Model


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cause:
    """A row of the table of causes.

    Attributes:
        name: Name of the cause.
        variants: Function that yields all changes of a model that this cause can make; none if it cannot apply.
        change: What to change, with the exporters' own names.
        lesson: Number of the lesson that explains the cause.
        late: Whether to try it only after all others and never in pairs, because the cause is slow to try, and a
            failure does not rule it out.
    """

    name: str
    variants: Callable[[Evidence, Model], Iterable[Variant]]
    change: Callable[[Evidence], str] | str
    lesson: int
    late: bool = False


@dataclasses.dataclass(frozen=True)
class Explanation:
    """Why an export differs from its checkpoint.

    Attributes:
        causes: One cause, or two causes together; empty if nothing explains the difference.
        variants: The change that each cause made.
        tried: Names of the causes that do not explain the difference.
    """

    causes: tuple[Cause, ...]
    variants: tuple[Variant, ...]
    tried: tuple[str, ...]
