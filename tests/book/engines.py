"""Firefox and WebKit as Debian packages them, controlled through the W3C's WebDriver without further drivers.

Firefox supports WebDriver BiDi over a WebSocket. WebKitGTK has a driver for classic WebDriver, over HTTP.
"""

import base64
import contextlib
import io
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import patience
import websocket
from matplotlib.image import imread


class MissingError(Exception):
    """An engine is not installed; the message names the package."""


class Firefox:
    """A headless Firefox with its own profile; ``close()`` ends it."""

    def __init__(self):
        program = os.environ.get("FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")
        if not program:
            raise MissingError("no Firefox; to get it: apt-get install firefox-esr")
        with contextlib.ExitStack() as closing:
            profile = closing.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
            environment = os.environ | {"HOME": profile}  # Firefox rejects a home folder of another user
            options = ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"]
            log = Path(profile, "log")
            with log.open("w") as file:
                process = subprocess.Popen([program, *options, "about:blank"], env=environment, stderr=file)
            closing.callback(_end, process)
            while not (said := re.search(r"WebDriver BiDi listening on (ws://\S+)\n", log.read_text())):
                assert process.poll() is None, log.read_text()
                time.sleep(0.05)
            self._socket = websocket.create_connection(
                f"{said[1]}/session", timeout=patience.SECONDS, suppress_origin=True
            )
            closing.callback(self._socket.shutdown)
            self._calls = 0
            self._call("session.new", capabilities={})
            self._tab = self._call("browsingContext.getTree")["contexts"][0]["context"]
            self.close = closing.pop_all().close

    def _call(self, method, **parameters):
        self._calls += 1
        self._socket.send(json.dumps({"id": self._calls, "method": method, "params": parameters}))
        while (answer := json.loads(self._socket.recv())).get("id") != self._calls:
            pass  # an event
        assert answer["type"] == "success", answer
        return answer["result"]

    def open(self, url):
        """Open a page and wait until it has loaded."""
        self._call("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def run(self, body):
        """Run the body of an asynchronous JavaScript function, and return its result through JSON."""
        code = f"(async () => {{ {body} }})().then(JSON.stringify)"
        answer = self._call("script.evaluate", expression=code, target={"context": self._tab}, awaitPromise=True)
        assert answer["type"] == "success", answer["exceptionDetails"]["text"]
        return json.loads(answer["result"].get("value", "null"))

    def press(self, key):
        """Press a key, given as WebDriver's character, on the focused element."""
        self._call("input.performActions", context=self._tab, actions=[_stroke(key)])

    def screenshot(self):
        """Return a screenshot of the window, as PNG in base64."""
        return self._call("browsingContext.captureScreenshot", context=self._tab)["data"]


class WebKit:
    """WebKitGTK's MiniBrowser on a virtual screen; ``close()`` ends both."""

    def __init__(self):
        browsers = sorted(Path("/usr").glob("lib*/**/webkit2gtk-4*/MiniBrowser"))
        if not (browsers and shutil.which("WebKitWebDriver") and shutil.which("Xvfb")):
            raise MissingError("no WebKit; to get it: apt-get install webkit2gtk-driver xvfb")
        with contextlib.ExitStack() as closing:
            reader, writer = os.pipe()
            screen = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x900x24", "-nolisten", "tcp"]
            xvfb = subprocess.Popen(screen, pass_fds=[writer], stderr=subprocess.DEVNULL)
            closing.callback(_end, xvfb)
            os.close(writer)
            with os.fdopen(reader) as pipe:
                display = pipe.readline().strip()
            environment = os.environ | {
                "DISPLAY": f":{display}",
                "GDK_BACKEND": "x11",
                "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",  # it needs user namespaces; the pages are our own
            }
            port = _free_port()
            driver = subprocess.Popen(["WebKitWebDriver", f"--port={port}"], env=environment)
            closing.callback(_end, driver)
            self._address = f"http://127.0.0.1:{port}"
            while not self._answers():
                assert driver.poll() is None
                time.sleep(0.05)
            browser = {"binary": str(browsers[-1]), "args": ["--automation"]}
            wanted = {"alwaysMatch": {"webkitgtk:browserOptions": browser}}
            session = self._call("POST", "/session", capabilities=wanted)["sessionId"]
            self._address += f"/session/{session}"
            waits = {"script": patience.MILLISECONDS, "pageLoad": patience.MILLISECONDS}
            self._call("POST", "/timeouts", **waits)
            self._call("POST", "/window/rect", x=0, y=0, width=1280, height=900)
            self.close = closing.pop_all().close

    def _answers(self):
        try:
            return self._call("GET", "/status")["ready"]
        except urllib.error.URLError:
            return False

    def _call(self, method, path, **body):
        data = None if method == "GET" else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._address}{path}", data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=patience.SECONDS) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from error

    def open(self, url):
        """Open a page and wait until it has loaded."""
        self._call("POST", "/url", url=url)

    def run(self, body):
        """Run the body of an asynchronous JavaScript function, and return its result through JSON."""
        code = (
            f"const done = arguments[0]; (async () => {{ {body} }})()"
            ".then(JSON.stringify).then(done, (error) => done({error: String(error)}));"
        )
        answer = self._call("POST", "/execute/async", script=code, args=[])
        assert not isinstance(answer, dict), answer
        return None if answer is None else json.loads(answer)

    def press(self, key):
        """Press a key, given as WebDriver's character, on the focused element."""
        self._call("POST", "/actions", actions=[_stroke(key)])

    def screenshot(self):
        """Return a screenshot of the window, as PNG in base64."""
        return self._call("GET", "/screenshot")


def photograph(engine, selector):
    """Return the painted pixels [height, width, channels] of the first element that a selector finds."""
    left, top, right, bottom = engine.run(
        f"const element = document.querySelector({json.dumps(selector)});"
        "element.scrollIntoView({block: 'center', behavior: 'instant'});"
        "const box = element.getBoundingClientRect();"
        "return [box.left, box.top, box.right, box.bottom].map((side) => Math.max(0, Math.round(side)));"
    )
    return imread(io.BytesIO(base64.b64decode(engine.screenshot())), "png")[top:bottom, left:right]


def _end(process):
    process.terminate()
    process.wait(patience.SECONDS)


def _stroke(key):
    strokes = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
    return {"type": "key", "id": "keyboard", "actions": strokes}


def _free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
