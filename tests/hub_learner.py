"""Simulate a learner on JupyterHub, with a browser's messages: log in, open a lesson, run it, drag a slider."""

import asyncio
import json
import re
import struct
import time
import uuid

import aiohttp
import nbformat
from yarl import URL

SLIDERS = {  # for each lesson: an explorer, the dragged slider, and the control that changes when the slider turns back
    "1_mlp": ("Signal", "gain", "seed"),
    "2_cnn": ("Features", "pixel's row (%)", "seed"),
    "3_rnn": ("Memory", "time step", "environment"),
    "4_normalization": ("Stream", "samples seen", "feature"),
    "5_distributions": ("Divergence", "new mean", "action"),
}
LESSONS = tuple(SLIDERS)
TICK = 0.1
"""Minimum number of seconds between two events of the dragged slider."""
LAB = ("api/kernelspecs", "api/terminals", "lab/api/settings", "lab/api/translations", "lab/api/workspaces/default")
"""Requests that JupyterLab sends when it is opened, besides those for its own files."""


class HubError(Exception):
    """The hub or a server did not fulfil a request."""


class Learner:
    """A learner with a browser.

    Attributes:
        name: The user name.
        lesson: Name of the lesson.
        seconds: Seconds since the log-in: ``server`` until JupyterLab's page was there, ``picture`` until the first
            picture, ``explorer`` until the first explorer, ``done`` until all cells had run.
        explorer: The explorer whose slider is dragged: its comm, controls and position.
    """

    def __init__(self, url, name, lesson, password):
        self.url, self.name, self.lesson, self._password = url, name, lesson, password
        self.seconds, self.explorer = {}, None
        self._waiting = {}  # futures that end when a message arrives, by the request that it answers
        self._executed = 0
        self._session = uuid.uuid4().hex
        self._http = self._reader = None

    async def __aenter__(self):
        # Cookies for an address without a name; no limit on connections, because real learners have their own machines.
        jar = aiohttp.CookieJar(unsafe=True)
        self._http = aiohttp.ClientSession(self.url, cookie_jar=jar, timeout=aiohttp.ClientTimeout(600))
        return self

    async def __aexit__(self, *failure):
        if self._reader:
            self._reader.cancel()
        if self._http:
            await self._http.close()

    # The hub

    async def log_in(self):
        """Fill in the form and wait for the server, as the progress page does."""
        self._start = time.monotonic()
        form = await self._text("/hub/login")
        token = re.search(r'name="_xsrf" value="([^"]+)"', form).group(1)
        fields = {"username": self.name, "password": self._password, "_xsrf": token}
        async with self._http.post(f"/hub/login?_xsrf={token}", data=fields) as response:
            page, url = await response.text(), response.url
        if response.status != 200:
            raise HubError(f"{self.name} could not log in: {response.status} {_words(page)}")
        if "/hub/spawn-pending/" in str(url):
            (progress,) = re.findall(r'"(/hub/api/users/[^"]+/progress[^"]*)"', page)
            await self._ready(progress)
        page = await self._text(f"/user/{self.name}/lab/tree/{self.lesson}.ipynb")
        if "jupyter-config-data" not in page:
            raise HubError(f"{self.name} got no JupyterLab: {_words(page)}")
        self._note("server")
        await asyncio.gather(*(self._text(f"/user/{self.name}/{path}") for path in LAB))

    async def _ready(self, progress):
        async with self._http.get(progress) as response:
            async for line in response.content:
                if line.startswith(b"data:"):
                    event = json.loads(line[5:])
                    if event.get("failed"):
                        raise HubError(f"the server of {self.name} did not start: {event.get('message')}")
                    if event.get("ready"):
                        return
        raise HubError(f"the server of {self.name} did not start: {response.status}")

    # The server

    async def open(self):
        """Open the lesson: its file, a kernel and the connection to it."""
        file = await self._json("get", f"api/contents/{self.lesson}.ipynb?type=notebook&content=1")
        self._cells = [cell for cell in nbformat.from_dict(file["content"]).cells if cell.cell_type == "code"]
        asked = {"path": file["path"], "name": file["name"], "type": "notebook", "kernel": {"name": "python3"}}
        kernel = (await self._json("post", "api/sessions", json=asked))["kernel"]["id"]
        self._socket = await self._http.ws_connect(
            f"/user/{self.name}/api/kernels/{kernel}/channels?session_id={self._session}&_xsrf={self._token()}",
            protocols=("v1.kernel.websocket.jupyter.org",),
            max_msg_size=0,
            heartbeat=None,
        )
        if self._socket.protocol is None:
            raise HubError("the server does not speak the protocol that JupyterLab uses")
        self._reader = asyncio.create_task(self._read())
        await self._request("kernel_info_request", {})

    async def run(self, until=None):
        """Run all cells, or the cells until an entry is in ``seconds``; raise an error if a cell fails."""
        for cell in self._cells:
            if until in self.seconds:
                return
            reply = await self.execute(cell.source)
            if reply["status"] != "ok":
                raise HubError(f"{self.lesson}: {reply.get('ename')}: {reply.get('evalue')}")
        self._note("done")
        if self.explorer is None:
            raise HubError(f"{self.lesson} shows no {SLIDERS[self.lesson][0]}")

    async def execute(self, code):
        """Run code as a cell; return the kernel's reply."""
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": True}
        return await self._request("execute_request", content | {"user_expressions": {}, "stop_on_error": True})

    async def drag(self, seconds):
        """Drag the slider back and forth; return the seconds from each event to its picture.

        The next event is sent after the kernel has processed the previous one, as our script in the browser does, and
        not before the next tick. When the slider turns back, another control changes, so that the kernel has to draw
        each picture.
        """
        taken, end, step = [], time.monotonic() + seconds, 1
        place, slider, other = list(self.explorer["place"]), *self.explorer["moved"]
        last = [len(control["values"]) - 1 for control in self.explorer["spec"]["controls"]]
        while (begin := time.monotonic()) < end:
            if not 0 <= place[slider] + step <= last[slider]:
                step = -step
                place[other] = (place[other] + 1) % (last[other] + 1)
            place[slider] += step
            taken.append(await self._move(place))
            await asyncio.sleep(max(0.0, begin + TICK - time.monotonic()))
        return taken

    async def _move(self, place):
        serial = uuid.uuid4().hex
        picture, served = self._expect("place", str(place)), self._expect("served", serial)
        data = {"method": "custom", "content": {"place": place, "serial": serial}}
        begin = time.monotonic()
        await self._send("comm_msg", {"comm_id": self.explorer["comm"], "data": data})
        await served
        if not picture.done():
            raise HubError(f"{self.lesson}: no picture for {place}: {self.explorer.get('error')}")
        return await picture - begin

    # Messages

    def _expect(self, *key):
        self._waiting[key] = asyncio.get_running_loop().create_future()
        return self._waiting[key]

    def _arrived(self, value, *key):
        future = self._waiting.pop(key, None)
        if future and not future.done():  # a future that is done was abandoned
            future.set_result(value)

    async def _request(self, kind, content):
        header = self._header(kind)
        reply = self._expect("reply", header["msg_id"])
        await self._socket.send_bytes(_packed("shell", header, content))
        return await reply

    async def _send(self, kind, content):
        await self._socket.send_bytes(_packed("shell", self._header(kind), content))

    def _header(self, kind):
        date = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        of_all = {"username": self.name, "session": self._session, "version": "5.3"}
        return of_all | {"msg_id": uuid.uuid4().hex, "msg_type": kind, "date": date}

    async def _read(self):
        end = HubError(f"{self.lesson}: the connection to the kernel ended")
        try:
            async for message in self._socket:
                if message.type == aiohttp.WSMsgType.BINARY:
                    self._take(*_unpacked(message.data))
        except HubError as error:
            end = error
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(end)

    def _take(self, channel, header, parent, content):
        kind = header["msg_type"]
        if channel == "shell":
            self._arrived(content, "reply", parent.get("msg_id"))
        elif kind == "status" and content["execution_state"] in ("restarting", "dead"):
            raise HubError(f"{self.lesson}: the kernel of {self.name} died")
        elif kind == "comm_open":
            self._opened(content)
        elif kind == "comm_msg":
            self._changed(content)
        elif kind in ("display_data", "execute_result") and "image/png" in content["data"]:
            self._note("picture")

    def _opened(self, content):
        state = content["data"].get("state", {})
        spec = state.get("spec")
        name, *labels = SLIDERS[self.lesson]
        if self.explorer or not isinstance(spec, dict) or spec.get("name") != name:
            return
        self._note("picture")
        self._note("explorer")
        words = [control["words"] for control in spec["controls"]]
        missing = [label for label in labels if label not in words]
        if missing:
            raise HubError(f"{name} has no control {missing}, but {words}")
        moved = [words.index(label) for label in labels]
        self.explorer = {"comm": content["comm_id"], "spec": spec, "place": state["place"], "moved": moved}

    def _changed(self, content):
        state = content["data"].get("state", {})
        if not self.explorer or content["comm_id"] != self.explorer["comm"] or content["data"]["method"] != "update":
            return
        self.explorer |= {key: state[key] for key in ("place", "error") if key in state}
        for key in ("place", "served"):
            if key in state:
                self._arrived(time.monotonic(), key, str(state[key]))

    # HTTP

    def _token(self):
        cookies = self._http.cookie_jar.filter_cookies(URL(f"{self.url}/user/{self.name}/"))
        return cookies["_xsrf"].value if "_xsrf" in cookies else ""

    async def _text(self, path):
        async with self._http.get(path) as response:
            return await response.text()

    async def _json(self, method, path, **options):
        headers = {"X-XSRFToken": self._token(), "Referer": f"{self.url}/user/{self.name}/lab"}
        async with self._http.request(method, f"/user/{self.name}/{path}", headers=headers, **options) as response:
            text = await response.text()
            if response.status >= 400:
                raise HubError(f"{method} {path}: {response.status} {_words(text)}")
            return json.loads(text)

    def _note(self, what):
        self.seconds.setdefault(what, time.monotonic() - self._start)


def _words(page):
    body = re.sub(r"(?s)<(script|style).*?</\1>|<[^>]+>", " ", page)
    return " ".join(body.split())[:300]


def _packed(channel, header, content):
    """Return a message as JupyterLab sends it: the offset of each part, then the parts."""
    parts = [channel.encode(), *(json.dumps(part).encode() for part in (header, {}, {}, content))]
    offsets = [8 * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    return struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets) + b"".join(parts)


def _unpacked(data):
    """Return the channel, header, parent header and content of a message from the server."""
    (count,) = struct.unpack_from("<Q", data)
    offsets = struct.unpack_from(f"<{count}Q", data, 8)
    channel, header, parent, _, content = (data[offsets[i] : offsets[i + 1]] for i in range(5))
    return channel.decode(), json.loads(header), json.loads(parent), json.loads(content)
