"""Reads YAML as plain data without calling anything: Python tuples become lists, and Python objects become None."""

from __future__ import annotations

from typing import Any

_PYTHON = "tag:yaml.org,2002:python/"
_DEEPEST = 100
"""The deepest nesting of dictionaries and lists; deeper nesting would overflow the stack, or take hours."""


def plain_yaml(text: str) -> Any:
    """Return the first YAML document in a text: dictionaries, lists, strings, numbers, bools, dates and None.

    Args:
        text: YAML as ``yaml.dump`` writes it; ``!!python/name:a.b`` is read as the string ``a.b``.

    Raises:
        Exception: Nearly any exception, if the text is not YAML.
    """
    import yaml  # type: ignore[import-untyped]

    scalars = yaml.SafeLoader("")
    anchored: dict[str, Any] = {}
    tables = [_Table([])]  # the open tables, the innermost last; the first one contains the document
    # Events, not nodes, because yaml makes nodes by a recursion in C, which a file can make deep enough to crash.
    for event in yaml.parse(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        if isinstance(event, yaml.DocumentEndEvent):
            break
        if isinstance(event, yaml.CollectionEndEvent):
            tables.pop()
        elif isinstance(event, yaml.AliasEvent):
            tables[-1].add(anchored[event.anchor])
        elif isinstance(event, yaml.NodeEvent):
            opened = None
            if isinstance(event, yaml.ScalarEvent):
                value = _scalar(scalars, event)
            else:
                opened = value = {} if isinstance(event, yaml.MappingStartEvent) else []
                if str(event.tag).startswith(_PYTHON + "object"):
                    value = None
            tables[-1].add(value)
            if event.anchor:
                anchored[event.anchor] = value
            if opened is not None:
                tables.append(_Table(opened))
            if len(tables) > _DEEPEST:
                raise ValueError(f"expected at most {_DEEPEST} nested tables, got more")
    (root,) = tables[0].content or [None]
    return root


class _Table:
    """A dictionary or list during construction."""

    def __init__(self, content: Any) -> None:
        self.content = content
        self._names: list[Any] = []

    def add(self, value: Any) -> None:
        """Add an entry; for a dictionary, names and values are added in turn."""
        if isinstance(self.content, list):
            self.content.append(value)
        elif self._names:
            self.content[self._names.pop()] = value
        elif isinstance(value, (dict, list)):
            raise ValueError("expected a scalar as the name of an entry, got a table")
        else:
            self._names.append(value)


def _scalar(loader: Any, event: Any) -> Any:
    import yaml

    tag = event.tag
    if tag is None or tag == "!":
        tag = loader.resolve(yaml.ScalarNode, event.value, event.implicit)
    if tag.startswith(_PYTHON):
        kind, _, name = tag.removeprefix(_PYTHON).partition(":")
        return name if kind in ("name", "module") else None if kind.startswith("object") else event.value
    if tag in ("tag:yaml.org,2002:merge", "tag:yaml.org,2002:value"):  # << and =
        return event.value
    return loader.yaml_constructors[tag](loader, yaml.ScalarNode(tag, event.value))
