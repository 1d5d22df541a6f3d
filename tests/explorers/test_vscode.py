"""The messages of a kernel that shows a quiz and an explorer meet the requirements of VS Code.

VS Code itself is not run. A kernel is, and its messages are compared with the requirements in the sources of VS Code.
Files named in comments are from github.com/microsoft/vscode-jupyter at 3d24702; after "bundle:", from its widget
bundle, microsoft/vscode-jupyter-ipywidgets at 8214646; after "base:", from jupyter-widgets/ipywidgets at fbc0d6e, which
is part of that bundle.
"""

import copy
import json
import os
import re
import sys
from pathlib import Path

import patience
import pytest
from jupyter_client.manager import start_new_kernel

from rsl_edu import explorers

pytestmark = pytest.mark.slow

VIEW = "application/vnd.jupyter.widget-view+json"
DISPLAYS = ("display_data", "update_display_data", "execute_result")
BUNDLED = ("@jupyter-widgets/base", "@jupyter-widgets/controls", "@jupyter-widgets/output")
QUIZ = "from rsl_edu import explorers\nexplorer = explorers.Divergence()\nexplorers.Quiz(explorer)"
VERSION = "import ipywidgets\nprint(ipywidgets.__version__)"
RECORDED = "Recorded."
"""Start of the line below an answered question."""


class Kernel:
    """A kernel with all requests sent to it and all its messages on iopub."""

    def __init__(self, folder: Path) -> None:
        home = {"IPYTHONDIR": str(folder), "JUPYTER_WIDGETS_ECHO": "1"}
        self.manager, self.client = start_new_kernel(patience.SECONDS, env=os.environ | home)
        self.asked: dict[str, dict] = {}
        self.said: list[dict] = []

    def run(self, code: str) -> str:
        """Run a cell like VS Code, and return the id of the request after all its messages have arrived."""
        return self._ask("execute_request", {"code": code, "silent": False, "store_history": True})

    def tell(self, comm: str, **data) -> str:
        """Send a message of a widget in the browser."""
        return self._ask("comm_msg", {"comm_id": comm, "data": data})

    def open(self, target: str, comm: str, **metadata) -> str:
        """Open a comm from the browser."""
        return self._ask("comm_open", {"comm_id": comm, "target_name": target, "data": {}}, metadata)

    def wait(self, wanted) -> dict:
        """Read messages until a wanted one arrives, and return it."""
        while True:
            message = self.client.get_iopub_msg(timeout=patience.SECONDS)
            self.said.append(message)
            if wanted(message):
                return message

    def answers(self, request: str) -> list[dict]:
        """Return the messages that answer a request."""
        return [message for message in self.said if message["parent_header"].get("msg_id") == request]

    def _ask(self, kind: str, content: dict, metadata: dict | None = None) -> str:
        request = self.client.session.msg(kind, content, metadata=metadata)
        name = request["header"]["msg_id"]
        self.asked[name] = request
        self.client.shell_channel.send(request)
        self.wait(lambda said: said["parent_header"].get("msg_id") == name and _state(said) == "idle")
        return name


def _state(message):
    return message["content"].get("execution_state")


def opened(messages):
    """Return the content of the messages that opened comms, by comm id."""
    return {said["content"]["comm_id"]: said["content"] for said in messages if said["msg_type"] == "comm_open"}


def displays(messages, kind="display_data"):
    return [said["content"] for said in messages if said["msg_type"] == kind]


def viewed(messages):
    """Return the id of the model shown by a cell."""
    (model,) = [shown["data"][VIEW]["model_id"] for shown in displays(messages) if VIEW in shown["data"]]
    return model


def updates(messages, comm, method="update"):
    """Yield the changes of a model's state."""
    for said in messages:
        content = said["content"]
        if said["msg_type"] == "comm_msg" and content["comm_id"] == comm and content["data"]["method"] == method:
            yield content["data"]["state"]


def state_of(messages, comm):
    """Return a model's state in the browser."""
    state = copy.copy(opened(messages)[comm]["data"]["state"])
    for change in updates(messages, comm):
        state |= change
    return state


class Session:
    """A notebook in VS Code: its kernel, the executed cells, and the learner's actions."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.version = kernel.run(VERSION)
        self.quiz_cell, self.explorer_cell = kernel.run(QUIZ), kernel.run("explorer")
        self.quiz, self.explorer = (viewed(kernel.answers(cell)) for cell in (self.quiz_cell, self.explorer_cell))
        # The messages of form.js and explorer.js
        self.answered = kernel.tell(self.quiz, method="custom", content={"question": 0, "answer": "0.7"})
        place = state_of(kernel.said, self.explorer)["place"]
        moved = {"place": [place[0] + 1, *place[1:]], "serial": "a1"}
        self.moved = kernel.tell(self.explorer, method="custom", content=moved)
        self.renewed = kernel.wait(lambda said: said["msg_type"] == "update_display_data")
        # The message of ipywidgets' model when a view saves a trait
        self.saved = kernel.tell(self.explorer, method="update", state={"error": "of the browser"}, buffer_paths=[])


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """Return a function that starts a kernel; all kernels are stopped after the tests."""
    kernels = []

    def started():
        kernels.append(Kernel(tmp_path_factory.mktemp("ipython")))
        return kernels[-1]

    yield started
    for kernel in kernels:
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def session(start):
    return Session(start())


@pytest.fixture(scope="module")
def said(session):
    return session.kernel.said


def test_ipywidgets_has_a_version_supported_by_vscode(session):  # src/kernels/kernel.ts: _VSCODE_ipywidgets
    (version,) = [shown["text"] for shown in displays(session.kernel.answers(session.version), "stream")]
    assert version.startswith(("7.", "8."))


def test_comms_use_version_2_of_the_widget_protocol(session, said):  # base: base-manager/src/manager-base.ts
    assert {session.quiz, session.explorer} <= opened(said).keys()
    for message in said:
        if message["msg_type"] == "comm_open":
            assert message["content"]["target_name"] == "jupyter.widget"
            assert message["metadata"]["version"].split(".")[0] == "2"


def test_each_widget_is_in_the_bundle_or_contains_its_code(said):  # bundle: src/manager.ts: loadClass
    modules = set()
    for content in opened(said).values():
        state = content["data"]["state"]
        for part in ("model", "view"):
            modules.add(module := state[f"_{part}_module"])
            assert state[f"_{part}_name"]
            assert re.fullmatch(r"[~^]?\d+\.\d+\.(\d+|\*)", state[f"_{part}_module_version"])
        if module == "anywidget":
            assert re.search(r"export default \{ render\b", state["_esm"])
            assert state["_anywidget_id"]
    assert modules <= {*BUNDLED, "anywidget"}


def test_code_opens_no_window(said):  # webview-side/ipywidgets/kernel/index.ts: hookWindowFunctions raises
    codes = [content["data"]["state"].get("_esm", "") for content in opened(said).values()]
    assert sum(map(bool, codes)) == 2
    assert not re.search(r"\b(window\.open|alert)\(", "".join(codes))


def test_anywidget_is_available_offline(said):  # scriptSourceProvider/baseIPyWidgetScriptManager.ts
    share = Path(sys.prefix, "share", "jupyter")  # nbExtensionsPathProvider.node.ts
    entry = (share / "nbextensions" / "anywidget" / "extension.js").read_text("utf-8")
    config = entry[entry.index("requirejs?.config({") :].partition(")")[0]  # REQUIRE_PATTERNS
    lines = re.sub(r"//.*", "", config).split("{")[-1].split("}")[0].split(",")
    paths = dict([part.strip(" '\"\n") for part in line.split(":")] for line in lines if ":" in line)
    assert (share / f"{paths['anywidget']}.js").is_file()


def test_models_exist_before_others_refer_to_them(said):  # base: base/src/widget.ts: unpack_models
    there = set()
    for message in said:
        content = message["content"]
        for model in re.findall(r'"IPY_MODEL_(\w+)"', json.dumps(content)):
            assert model in there
        if message["msg_type"] == "comm_open":
            there.add(content["comm_id"])
        elif message["msg_type"] in DISPLAYS and VIEW in content["data"]:
            assert content["data"][VIEW]["model_id"] in there


def test_messages_are_strict_json_with_a_path_for_each_buffer(said):  # webview-side/ipywidgets/kernel/kernel.ts
    for message in said:
        json.dumps(message["content"], allow_nan=False)
        paths = message["content"].get("data", {}).get("buffer_paths", [])
        assert len(message["buffers"]) == len(paths)


def test_all_messages_answer_requests_of_this_notebook(
    session, said
):  # kernels/execution/cellExecutionMessageHandler.ts
    # and base: base/src/widget.ts, where an echo without its parent lets no later change through
    for message in said:
        if message["msg_type"].startswith("comm_") or message["msg_type"] in DISPLAYS:
            assert message["parent_header"]["msg_id"] in session.kernel.asked


@pytest.mark.parametrize("shown", ["quiz", "explorer"])
def test_cell_has_a_still_and_a_view_with_an_empty_fallback(session, shown):
    # webview-side/ipywidgets/renderer/index.ts: without its model, the next type of the same output is shown.
    # The still must therefore be a separate output, and the view needs an empty text; kernels/execution/helpers.ts
    # defines the order of the types.
    still, view = displays(session.kernel.answers(getattr(session, f"{shown}_cell")))
    kinds = {"text/plain", "text/html"} | ({"image/png"} if shown == "explorer" else set())
    assert still["data"].keys() == kinds
    assert 'class="rsl-still"' in still["data"]["text/html"]
    assert still["data"]["text/plain"]
    assert view["data"].keys() == {"text/plain", VIEW}
    assert view["data"]["text/plain"] == ""
    assert view["data"][VIEW]["version_major"] == 2  # webview-side/ipywidgets/kernel/manager.ts: renderWidget


@pytest.mark.parametrize("shown", ["quiz", "explorer"])
def test_cell_that_shows_a_widget_opens_its_comm(session, shown):  # cellExecutionMessageHandler.ts: ownedCommIds
    assert getattr(session, shown) in opened(session.kernel.answers(getattr(session, f"{shown}_cell")))


def test_control_moves_the_picture(session, said):
    expected = explorers.Divergence()
    name, control = next(iter(expected.controls.items()))
    positions = list(control.positions())
    expected.set(**{name: positions[positions.index(expected.values(expected.at())[name]) + 1]})
    expected.predict(0.7, expected.questions[0].text)
    told = {
        key: value
        for change in updates(session.kernel.answers(session.moved), session.explorer)
        for key, value in change.items()
    }
    assert told["served"] == "a1"  # explorer.js waits for it
    assert told["title"] == expected.live.title
    assert told["state"] == expected.state
    drawn = {key: value for key, value in told.items() if key.startswith(("ground", "moving"))}
    assert drawn
    assert all(value == getattr(expected.live, key) for key, value in drawn.items())


def test_answer_is_recorded_in_both_widgets(session, said):
    state = state_of(said, session.quiz)
    assert state["given"] == {"0": "0.7"}
    assert state["replies"][0][0].startswith(RECORDED)
    assert state_of(said, session.explorer)["answers"][0][1] == "0.7 nats"


def test_saved_trait_is_echoed(session):  # base: base/src/widget.ts: _handle_comm_msg
    echoed = list(updates(session.kernel.answers(session.saved), session.explorer, "echo_update"))
    assert echoed == [{"error": "of the browser"}]


def test_messages_of_the_browser_end_with_an_idle_status(session):  # base: base/src/widget.ts: _handle_status
    for request in (session.answered, session.moved, session.saved):
        states = [_state(said) for said in session.kernel.answers(request) if said["msg_type"] == "status"]
        assert states == ["busy", "idle"]


def test_still_is_updated_in_the_cell_that_owns_the_widget(
    session,
):  # handleUpdateDisplayDataMessage, ownedRequestMsgIds
    content = session.renewed["content"]
    still = displays(session.kernel.answers(session.explorer_cell))[0]
    assert content["transient"]["display_id"] == still["transient"]["display_id"]
    assert state_of(session.kernel.said, session.explorer)["title"] in content["data"]["text/html"]
    request = session.kernel.asked[session.renewed["parent_header"]["msg_id"]]
    assert request["msg_type"] == "comm_msg"
    assert request["content"]["comm_id"] == session.explorer


def test_widgets_print_no_output(session, said):  # errors of a widget would be printed below its cell
    printed = [message for message in said if message["msg_type"] in ("stream", "error", "clear_output")]
    assert [message["parent_header"]["msg_id"] for message in printed] == [session.version]


def test_kernel_lists_its_models_and_their_states(session, said):
    # VS Code requests the list (bundle: src/manager.ts: _get_comm_info); JupyterLab and Colab request the states
    # (base: base-manager/src/manager-base.ts: _loadFromKernel)
    models = opened(said).keys()
    reply = session.kernel.client.comm_info("jupyter.widget", reply=True, timeout=patience.SECONDS)
    assert reply["content"]["comms"].keys() == models
    session.kernel.open("jupyter.widget.control", "control", version="1.0.0")
    session.kernel.tell("control", method="request_states")
    (states,) = [message["content"]["data"] for message in said if message["content"].get("comm_id") == "control"]
    assert states["method"] == "update_states"
    assert states["states"].keys() == models
    model = states["states"][session.explorer]
    assert (model["model_module"], model["model_name"]) == ("anywidget", "AnyModel")
    assert model["state"]["title"] == state_of(said, session.explorer)["title"]


def test_kernel_can_shut_down_while_drawing_in_advance(start):
    kernel = start()
    kernel.run(QUIZ)
    model = viewed(kernel.answers(kernel.run("explorer")))
    place = state_of(kernel.said, model)["place"]
    kernel.tell(model, method="custom", content={"place": [place[0] + 1, *place[1:]], "serial": "a1"})
    process = kernel.manager.provisioner.process
    kernel.client.shutdown()
    assert process.wait(patience.SECONDS) == 0
