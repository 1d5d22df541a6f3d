"""Replies to the grader like its worker, but without torch, so that it starts quickly; for tests without a sandbox."""

import json
import os
import struct
import time


def read(length):
    data = b""
    while len(data) < length:
        data += os.read(0, length - len(data)) or os._exit(0)
    return data


def receive():
    """Read a request of the grader, without tensors."""
    header, body = struct.unpack("<II", read(8))
    question = json.loads(read(header))
    read(body)
    return plain(question)


def plain(value):
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "dict":
        return {key: plain(item) for key, item in content}
    return [plain(item) for item in content] if kind in ("list", "tuple") else None


def send(header, body=b"", length=None):
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    data = struct.pack("<II", length or len(header), len(body)) + header + body
    while data:
        data = data[os.write(1, data) :]


def reply(number, value=None):
    send({"dict": [["number", number], ["value", value]]})


def ready():
    send({"dict": [["cell", 0]]})
    send({"dict": [["ready", {"list": []}]]})


def burn(seconds):
    begin = time.process_time()
    while time.process_time() - begin < seconds:
        pass


def main():
    """Run a notebook whose functions take and return plain numbers."""
    names = {}
    cells = receive()["cells"]
    ready()
    for cell in cells:
        if not cell[4]:  # not a check
            exec(cell[1], names)
    while True:
        question = receive()
        if question["kind"] == "names":
            value = {"dict": [[name, "function"] for name in question["name"] if name in names]}
        elif question["kind"] == "at":
            value = False
        else:
            value = names[question["target"]](*question["arguments"])
        reply(question["number"], value)


if __name__ == "__main__":
    main()
