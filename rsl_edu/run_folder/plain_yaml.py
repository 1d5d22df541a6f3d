"""Reads YAML as plain data, whatever Python wrote into it: a tuple is a list, an object None. Nothing is called."""

from __future__ import annotations

from typing import Any

_PYTHON = "tag:yaml.org,2002:python/"
_DEEPEST = 100
"""Tables in tables: deeper ones would overflow the stack, or take hours."""


def plain_yaml(text: str) -> Any:
    """Return the first document in a text: dictionaries, lists, texts, numbers, truth values, dates, and None.

    Args:
        text: YAML, as ``yaml.dump`` writes it; ``!!python/name:a.b`` is read as the text ``a.b``.

    Raises:
        Exception: Nearly any, if this is no YAML.
    """
    import yaml  # type: ignore[import-untyped]

    scalars = yaml.SafeLoader("")
    anchored: dict[str, Any] = {}
    tables = [_Table([])]  # those that are open, the innermost last; the first one holds the document
    # By events, and not by nodes: yaml makes a node by a recursion in C, which a file can make deep enough to crash.
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
                raise ValueError(f"more than {_DEEPEST} tables, each in another")
    (root,) = tables[0].content or [None]
    return root


class _Table:
    """A dictionary or list that is being filled."""

    def __init__(self, content: Any) -> None:
        self.content = content
        self._names: list[Any] = []

    def add(self, value: Any) -> None:
        """Add an entry; to a dictionary, its name comes before it."""
        if isinstance(self.content, list):
            self.content.append(value)
        elif self._names:
            self.content[self._names.pop()] = value
        elif isinstance(value, (dict, list)):
            raise ValueError("a table as the name of an entry")
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
