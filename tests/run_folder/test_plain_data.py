"""Pickles and YAML are read as plain data or refused: nothing in them is called, and they take no memory."""

import collections
import contextlib
import enum
import io
import os
import pickle
import pickletools
import struct

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from peak_memory import peak_memory

from rsl_edu.run_folder.plain_pickle import NotPlainError, plain_pickle
from rsl_edu.run_folder.plain_yaml import plain_yaml

law = settings(max_examples=200, deadline=None, derandomize=True)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
names = st.text() | st.integers() | st.booleans() | st.none()
plain = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(names, inner) | st.lists(inner).map(tuple), max_leaves=20
)
EXAMPLE = [{"policy": {"activation": "tanh", "dims": [128, 128.5], "x": None}, "y": True}, ("z", -1, 10**30, "z" * 300)]


# Pickles.


@law
@given(plain, st.integers(2, pickle.HIGHEST_PROTOCOL))
def test_plain_data_in_a_pickle_is_read_as_by_pickle(data, protocol):
    assert repr(plain_pickle(pickle.dumps(data, protocol))) == repr(data)
    fast = io.BytesIO()  # like older writers, without references
    pickler = pickle.Pickler(fast, protocol)
    pickler.fast = True
    pickler.dump(data)
    assert repr(plain_pickle(fast.getvalue())) == repr(data)


def test_shared_and_circular_references_are_preserved():
    table = {"a": 1}
    read = plain_pickle(pickle.dumps([table, table]))
    assert read[0] is read[1]
    table["b"] = table
    circle = plain_pickle(pickle.dumps(table))
    assert circle["b"] is circle


class Calls:
    """An object that is pickled as a call."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


class Persistent(pickle.Pickler):
    def persistent_id(self, value):
        return "x" if isinstance(value, Calls) else None


def persistent(value):
    stream = io.BytesIO()
    Persistent(stream).dump([value])
    return stream.getvalue()


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_nothing_in_a_pickle_is_called(protocol, tmp_path):
    content = pickle.dumps([EXAMPLE, Calls(os.system, f"touch {tmp_path / 'marker'}")], protocol)
    with pytest.raises(
        NotPlainError, match=rf"^refers to {os.system.__module__}\.system; it is not loaded because that could execute"
    ):
        plain_pickle(content)
    assert not (tmp_path / "marker").exists()
    pickle.loads(content)
    assert (tmp_path / "marker").exists()


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps(value, protocol)
        for value in (
            enum.Enum,
            {1, 2},
            frozenset([1]),
            b"x",
            bytearray(b"x"),
            collections.OrderedDict(a=1),
            1j,
            range(3),
        )
        for protocol in (2, 4, 5)
    ]
    + [persistent(Calls(print)), b"\x80\x02\x82\x01.", b"\x80\x02\x83\x01\x01.", b"\x80\x02Px\n."],
)
def test_pickle_with_other_than_plain_data_is_refused(content):
    with pytest.raises(NotPlainError, match="refers to "):
        plain_pickle(content)


def test_text_protocol_0_is_refused():
    with pytest.raises(NotPlainError):
        plain_pickle(pickle.dumps({"a": [1, "b", 1.5]}, 0))


PLAIN = {
    "PROTO",
    "FRAME",
    "STOP",
    "MARK",
    "NONE",
    "NEWTRUE",
    "NEWFALSE",
    "BININT",
    "BININT1",
    "BININT2",
    "LONG1",
    "LONG4",
    "BINFLOAT",
    "BINUNICODE",
    "SHORT_BINUNICODE",
    "BINUNICODE8",
    "EMPTY_LIST",
    "APPEND",
    "APPENDS",
    "EMPTY_DICT",
    "SETITEM",
    "SETITEMS",
    "EMPTY_TUPLE",
    "TUPLE",
    "TUPLE1",
    "TUPLE2",
    "TUPLE3",
    "MEMOIZE",
    "BINPUT",
    "LONG_BINPUT",
    "BINGET",
    "LONG_BINGET",
}


@pytest.mark.parametrize("operation", pickletools.opcodes, ids=lambda operation: operation.name)
def test_all_other_pickle_operations_are_refused(operation):
    argument = {
        "decimalnl_short": b"1\n",
        "decimalnl_long": b"1L\n",
        "floatnl": b"1.5\n",
        "stringnl": b"'a'\n",
        "stringnl_noescape": b"a\n",
        "stringnl_noescape_pair": b"os\nsystem\n",
        "unicodestringnl": b"a\n",
    }.get(operation.arg.name if operation.arg else "", bytes(12))
    content = b"\x80\x04]](]" + operation.code.encode("latin-1") + argument + b"."
    if operation.name in PLAIN:
        with contextlib.suppress(Exception):
            plain_pickle(content)
    else:
        with pytest.raises(NotPlainError, match=f"refers to (os.system|{operation.name});"):
            plain_pickle(content)


def only_plain(value, seen=None):
    """Return whether a value consists of plain data, visiting each part only once."""
    queue, seen = [value], set()
    while queue:
        part = queue.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if type(part) is dict:
            queue += [*part, *part.values()]
        elif type(part) in (list, tuple):
            queue += part
        elif type(part) not in (int, float, str, bool, type(None)):
            return False
    return True


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.binary(max_size=60), st.integers(0, 400), st.booleans())
def test_pickle_with_random_bytes_gives_plain_data_or_an_error(noise, place, inserted):
    content = pickle.dumps(EXAMPLE)
    for damaged in (noise, content[:place], content[:place] + noise + content[place + len(noise) * (not inserted) :]):
        with contextlib.suppress(Exception):
            assert only_plain(plain_pickle(damaged))


@pytest.mark.parametrize("length", range(len(pickle.dumps(EXAMPLE))))
def test_truncated_pickle_raises_an_error(length):
    with pytest.raises(Exception, match=r"."):
        plain_pickle(pickle.dumps(EXAMPLE)[:length])


def bombs():
    tuples = b"\x80\x04)" + b"\x94h\x00\x86" + b"".join(b"\x94h" + bytes([i]) + b"\x86" for i in range(1, 60))
    return {
        "index": b"\x80\x02]r\xff\xff\xff\xffj\xff\xff\xff\xff\x86.",
        "frame": b"\x80\x04\x95" + struct.pack("<Q", 1 << 62) + b"N.",
        "text": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 62) + b"N.",
        "number": b"\x80\x02\x8b" + struct.pack("<i", 1 << 30) + b"N.",
        "tuples": tuples + b".",
        "tuples as a name": b"\x80\x04}" + tuples[2:] + b"Ns.",
        "deep": b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".",
        "deep tuple as a name": b"\x80\x02})" + b"\x85" * 100_000 + b"Ns.",
        "deep and not closed": b"\x80\x02" + b"(" * 100_000 + b".",
    }


@pytest.mark.parametrize("kind", bombs())
def test_pickle_bombs_take_no_memory_and_no_time(kind):
    before = peak_memory()
    with contextlib.suppress(Exception):
        plain_pickle(bombs()[kind])
    assert peak_memory() - before < 200_000  # KiB


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b".",
        b"\x80\x04N",
        b"\x80\x04NN.",
        b"\x80\x04Na.",
        b"\x80\x04]]e.",
        b"\x80\x04}Na.",
        b"\x80\x04](NNu.",
        b"\x80\x04}(Nu.",
        b"\x80\x04}]Ns.",
        b"\x80\x04N\x86.",
        b"\x80\x04h\x05.",
        b"\x80\x04t.",
        b"\x80\x04\x94.",
    ],
)
def test_operations_without_their_arguments_raise_an_error(content):
    with pytest.raises(Exception, match=r"."):
        plain_pickle(content)


# YAML.


@law
@given(plain)
def test_plain_data_in_yaml_is_read_as_by_yaml(data):
    listed = yaml.safe_load(yaml.safe_dump(data))
    assert repr(plain_yaml(yaml.safe_dump(data))) == repr(listed)
    assert repr(plain_yaml(yaml.dump(data, sort_keys=False, default_flow_style=True))) == repr(
        plain_yaml(yaml.dump(data, sort_keys=False))
    )


@pytest.mark.parametrize(
    "text",
    [
        "a: 1",
        "1.5",
        "- ~",
        "a: 2024-01-02",
        "a: 1e3\nb: 1.0e+3\nc: .inf",
        "a: 0x1F\nb: 0o17\nc: 1:30",
        "a: 'yes'\nb: yes",
        "a: |\n  x\n  y\n",
        "a: >\n  x\n  y\n",
        "a: !!str 1",
        "a: ! 1",
        "&a x",
        "a: &a [1]\nb: *a",
        "# nothing",
        "",
        "---\n",
        "a: 1\na: 2",
        "--- 1",
        '"a\\n": "\\u00e9"',
        "{a: [1, {b: c}], d: }",
        "? a\n: b",
        "- !!binary aGk=",
        "a: =\nb: x",
    ],
)
def test_strings_are_read_as_by_yaml(text):
    expected = None
    with contextlib.suppress(yaml.YAMLError):
        expected = yaml.safe_load(text)
    assert plain_yaml(text) == expected or "=" in text


class Joint(enum.Enum):
    SLIDE = "slide"


def function():
    """A function that a file refers to."""


def test_python_tags_are_read_as_plain_data():
    data = {"a": (1, (2,)), "b": slice(None), "c": function, "d": Joint.SLIDE, "e": {"f": Calls, "g": 1}, "h": 1j}
    read = plain_yaml(yaml.dump(data, sort_keys=False))
    assert read["a"] == [1, [2]]
    assert (read["b"], read["d"]) == (None, None)
    assert read["c"].endswith(".function")
    assert read["e"] == {"f": f"{__name__}.Calls", "g": 1}
    assert list(read) == list(data)


def test_python_objects_become_none_and_later_entries_are_read():
    text = "a: !!python/object:x.Y\n  b: {c: [1, 2]}\nd: !!python/object/apply:x.y [1, [2]]\n"
    text += "e: &e !!python/object:z {}\nf: *e\n"
    assert plain_yaml(text) == {"a": None, "d": None, "e": None, "f": None}


def test_merge_keys_are_not_merged():
    assert plain_yaml("a: &a {x: 1}\nb: {<<: *a, y: 2}") == {"a": {"x": 1}, "b": {"<<": {"x": 1}, "y": 2}}


@pytest.mark.parametrize("text", ["[" * 10**5, "- " * 10**5, "{a: " * 10**5, "[" * 10**5 + "]" * 10**5])
@pytest.mark.parametrize("fast", [True, False])
def test_deeply_nested_tables_raise_an_error(text, fast, monkeypatch):
    if not fast:
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    with pytest.raises(ValueError, match="expected at most 100 nested tables"):
        plain_yaml(text)


@law
@given(st.text(alphabet="ab:-?[]{},&*!#|>'\"%@` \n\t<=~0.", max_size=40))
def test_random_yaml_gives_plain_data_or_an_error(text):
    with contextlib.suppress(Exception):
        assert plain_yaml(text) is not Ellipsis
