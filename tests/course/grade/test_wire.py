"""Data between grader and student process arrive unchanged; malformed data are refused."""

import json
import math
import os
import struct
import threading

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings

from rsl_edu.course.grade import wire

DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool]
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.tuples(inner) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


def over_a_pipe(value, refer=None, dereference=None, trusted=False):
    source, out = os.pipe()
    try:
        wire.send(out, value, refer)
        return wire.receive(source, dereference, trusted=trusted)
    finally:
        os.close(source)
        os.close(out)


def received(header, body=b"", lengths=None):
    """Return the value that a frame of these bytes is read as."""
    source, out = os.pipe()
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    frame = struct.pack("<II", *(lengths or (len(header), len(body)))) + header + body
    writer = threading.Thread(target=lambda: (os.write(out, frame), os.close(out)))  # a pipe can buffer only 64 KB
    writer.start()
    try:
        return wire.receive(source, lambda reference: reference)
    finally:
        while os.read(source, 1 << 16):
            pass
        writer.join()
        os.close(source)


@given(values)
@settings(deadline=None)
def test_plain_data_arrive_unchanged(value):
    assert repr(over_a_pipe(value)) == repr(value)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (3,), (2, 0, 3), (2, 3)], ids=str)
def test_tensors_arrive_unchanged(dtype, shape):
    tensor = (10 * torch.randn(shape)).to(dtype)
    for sent in (tensor, tensor.clone().requires_grad_() if dtype.is_floating_point else tensor):
        seen = over_a_pipe([sent])[0]
        assert type(seen) is torch.Tensor
        assert seen.dtype == dtype
        assert not seen.requires_grad
        assert torch.equal(seen, tensor)


@pytest.mark.parametrize("requires_grad", [True, False])
def test_parameter_arrives_with_its_gradient(requires_grad):
    parameter = torch.nn.Parameter(torch.arange(3.0), requires_grad)
    assert over_a_pipe(parameter).grad is None
    parameter.grad = torch.arange(3.0) + 5
    seen = over_a_pipe({"weight": parameter})["weight"]
    assert isinstance(seen, torch.nn.Parameter)
    assert seen.requires_grad == requires_grad
    assert seen.tolist() == [0, 1, 2]
    assert seen.grad.tolist() == [5, 6, 7]


def test_tensor_that_requires_a_gradient_can_be_tracked():
    source, out = os.pipe()
    tensors = [torch.ones(2), torch.nn.Parameter(torch.zeros(3))]
    wire.send(out, tensors, track=lambda tensor: type(tensor).__name__)
    seen = wire.receive(source, None, tracked=lambda tensor, known: (tensor.tolist(), known))
    assert seen[0].tolist() == [1, 1]
    assert seen[1] == ([0, 0, 0], "Parameter")
    os.close(source)
    os.close(out)


@pytest.mark.parametrize(
    "view", [lambda x: x[::3, ::2], lambda x: x.T, lambda x: x[:1, ::3], lambda x: x.expand(2, 3, 4)]
)
def test_views_arrive_unchanged(view):
    tensor = view(torch.arange(12.0).reshape(3, 4))
    assert torch.equal(over_a_pipe(tensor), tensor)
    single = torch.ones(1, 1, 1)[:, :, ::3]  # contiguous, but with an unusual stride
    assert torch.equal(over_a_pipe(single), single)


def test_arrays_and_functions_of_torch_arrive():
    assert np.array_equal(over_a_pipe(np.eye(2)), np.eye(2))
    assert over_a_pipe(np.float32(0.5)) == 0.5
    assert over_a_pipe(torch.relu, trusted=True) is torch.relu


def test_other_values_are_refused_or_sent_as_references():
    with pytest.raises(TypeError, match="object is not plain data"):
        over_a_pipe([object()])
    assert over_a_pipe({"a": object()}, lambda value: type(value).__name__, lambda name: f"a {name}") == {
        "a": "a object"
    }


@pytest.mark.parametrize(
    "frame",
    {
        "not JSON": (b"{",),
        "not text": (b"\xff\xfe",),
        "an unknown kind": ({"pickle": "x"},),
        "a gradient that nobody asked for": ({"tracked": ["float32", [1], 0]}, b"1234"),
        "a parameter that may require no gradient": ({"parameter": ["int64", [1], True, False]}, b"12345678"),
        "a parameter that may require anything": ({"parameter": ["float32", [1], "x", False]}, b"1234"),
        "a parameter without its gradient": ({"parameter": ["float32", [1], True, True]}, b"1234"),
        "two kinds": ({"list": [], "tuple": []},),
        "a function": ({"torch": "load"},),
        "an unknown dtype": ({"tensor": ["object", [1]]}, b"12345678"),
        "a shape that is none": ({"tensor": ["float32", [-1]]}, b""),
        "a shape of text": ({"tensor": ["float32", ["1"]]}, b"1234"),
        "too few bytes": ({"tensor": ["float32", [2]]}, b"1234"),
        "too many bytes": ({"tensor": ["float32", [1]]}, b"12345678"),
        "a list of billions": ({"tensor": ["float32", [10**9, 0]]},),
        "many dimensions": ({"tensor": ["float32", [1] * 65]}, b"1234"),
        "deep": (b'{"list":[' * 20 + b"]}" * 20,),
        "very deep": (b"[" * 100_000,),
        "long": ({"list": [0] * 200_000},),
        "a huge header": (b"", b"", (1 << 31, 0)),
        "a huge body": (b"", b"", (2, 1 << 31)),
        "a key that is a list": ({"dict": [[{"list": []}, 1]]},),
        "digits": (b"9" * 10_000,),
    }.items(),
    ids=lambda item: item[0],
)
def test_malformed_frames_are_refused(frame):
    with pytest.raises(wire.MalformedError):
        received(*frame[1])


def test_ended_process_is_noticed():
    with pytest.raises(EOFError):
        received(b"", b"", (100, 0))


def test_waiting_can_be_given_up():
    source, out = os.pipe()

    def give_up(arrived=0):
        raise TimeoutError(arrived)

    with pytest.raises(TimeoutError):
        wire.receive(source, None, give_up)
    os.write(out, struct.pack("<II", 1, 0) + b"3")
    arrived = []
    assert wire.receive(source, None, arrived.append) == 3
    assert arrived == [0, 8]
    os.set_blocking(out, False)
    while True:  # fill the pipe
        try:
            os.write(out, bytes(4096))
        except BlockingIOError:
            break
    with pytest.raises(TimeoutError):
        wire.send(out, "x", None, give_up)
    assert math.isnan(over_a_pipe(math.nan))
    os.close(source)
    os.close(out)
