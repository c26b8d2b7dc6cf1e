"""A visitor without a browser: speaks Streamlit's websocket protocol, by the messages of the
installed package, and walks over the playground at random.

Each visitor carries a secret, which it types into texts and uploads as a file's name and content.
Whoever receives the secret of another has found a leak.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ButtonGroup_pb2 import ButtonGroup
from streamlit.proto.Common_pb2 import UploadedFileInfo
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.Slider_pb2 import Slider
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from pages.shell import lessons

T = TypeVar("T")
SECRET = re.compile(rb"zqx(\d{4})zqx")
UNFORESEEN = "did not expect"  # of the sentence for what nobody foresaw (engine.errors)
ANSWER_SECONDS = 120.0
TICK_SECONDS = 0.05
PAGES = ("", *lessons.topics(), "practice", "glossary", "notebook")
PROCESSES = ("orchestration", "pipeline")  # buttons there start processes: pressed by nobody here
TWEAKED = (
    "slider",
    "selectbox",
    "radio",
    "multiselect",
    "button_group",
    "checkbox",
    "number_input",
)
TYPED = ("text_input", "text_area")
USED = (*TWEAKED, *TYPED, "button", "file_uploader")


def secret(number: int) -> str:
    """Return the secret of the visitor with this number."""
    return f"zqx{number:04d}zqx"


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in a thread of its own: Playwright's loop runs in the tests'."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


@dataclass(slots=True)
class Widget:
    """A widget on screen: its message, the fragment that it stands in, and the labels of tabs."""

    kind: str
    proto: Any
    fragment: str
    labels: list[str]


class Visitor:
    """One session. ``problems`` says what must not happen, ``tweaks`` holds the seconds from a
    changed control to the end of its run.
    """

    def __init__(self, address: str, number: int) -> None:
        self.address, self.number, self.secret = address, number, secret(number)
        self.random = random.Random(number)
        self.problems: list[str] = []
        self.tweaks: list[float] = []
        self.texts: list[str] = []  # on screen, as Markdown
        self.widgets: dict[str, Widget] = {}  # on screen, by id
        self.n_actions = self.n_bytes = self.n_own = 0
        self._page = self._query = self._page_hash = self._session_id = ""
        self._tabs: dict[tuple[int, ...], Widget] = {}
        self._values: dict[str, WidgetState] = {}
        self._timers: dict[str, tuple[float, float]] = {}  # fragment -> interval, when next
        self._finished = asyncio.Event()
        self._turn = asyncio.Lock()
        self._urls: asyncio.Queue[Any] = asyncio.Queue()
        self._socket: ClientConnection | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Visitor:
        uri = f"{self.address.replace('http', 'ws', 1)}/_stcore/stream"
        self._socket = await connect(uri, max_size=None, **await self._greeting())
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._poll())]
        return self

    async def _greeting(self) -> dict[str, Any]:
        """Return what the websocket is opened with."""
        return {"subprotocols": ["streamlit"]}

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket is not None:
            await self._socket.close()

    async def open(self, page: str, **settings: Any) -> None:
        """Open a page by a link and wait until it is drawn."""
        async with self._turn:
            self._page, self._query = page, urlencode(settings, doseq=True)
            self._page_hash = ""
            self._values.clear()
            await self._run()

    async def walk(self, seconds: float, n_actions: int, think: tuple[float, float]) -> None:
        """Show the secret once, then do one thing after the other for ``seconds`` and ``n_actions``
        at least, with a pause of ``think`` seconds between.
        """
        until = time.monotonic() + seconds
        await self.open("sampling", lineage_source="drawn", lineage_drawn=self.secret)
        if not self.n_own:
            self.problems.append("its own secret is not on its page: no other would be seen")
        while time.monotonic() < until or self.n_actions < n_actions:
            await asyncio.sleep(self.random.uniform(*think))
            await self.act()

    async def act(self) -> None:
        """Change a control, a tab or the page; press, type or upload."""
        self.n_actions += 1
        chance = self.random.random()
        found = list(self.widgets.items())
        if chance < 0.12 or not found:
            await self._open_any()
        elif chance < 0.25 and (tabs := [each for each in found if each[1].kind == "tabs"]):
            await self._set(*self.random.choice(tabs))
        elif chance < 0.32 and (given := [e for e in found if e[1].kind == "file_uploader"]):
            await self._upload(*self.random.choice(given))
        elif chance < 0.45 and (given := [e for e in found if e[1].kind in TYPED]):
            await self._set(*self.random.choice(given))
        elif chance < 0.55 and self._page not in PROCESSES:
            await self._press([each for each in found if each[1].kind == "button"])
        elif given := [each for each in found if each[1].kind in TWEAKED]:
            start = time.perf_counter()
            await self._set(*self.random.choice(given))
            self.tweaks.append(time.perf_counter() - start)

    async def _open_any(self) -> None:
        """Open a page as it is, or at one of its scenes."""
        page = self.random.choice(PAGES)
        scenes = lessons.load(page).scenes if page in lessons.topics() else ()
        settings = (
            self.random.choice(scenes).params if scenes and self.random.random() < 0.6 else {}
        )
        await self.open(page, **settings)

    async def _set(self, key: str, widget: Widget) -> None:
        value = self._value(key, widget)
        if value is None:
            return
        async with self._turn:
            self._values[key] = value
            if bound := getattr(widget.proto, "query_param_key", ""):  # the address follows it
                kept = [pair for pair in self._query.split("&") if not pair.startswith(f"{bound}=")]
                self._query = "&".join(kept)
            await self._run(widget.fragment)

    async def _press(self, buttons: list[tuple[str, Widget]]) -> None:
        if buttons:
            key, widget = self.random.choice(buttons)
            async with self._turn:
                await self._run(widget.fragment, WidgetState(id=key, trigger_value=True))

    def _value(self, key: str, widget: Widget) -> WidgetState | None:
        """Return another value of a widget, ``None`` if there is none to choose."""
        state, proto, kind = WidgetState(id=key), widget.proto, widget.kind
        if kind == "slider" and proto.type == Slider.SELECT_SLIDER:
            chosen = sorted(self.random.choices(range(len(proto.options)), k=len(proto.default)))
            state.string_array_value.data.extend(proto.options[i] for i in chosen)
        elif kind == "slider":
            n = round((proto.max - proto.min) / proto.step) if proto.step else 0
            chosen = sorted(self.random.choices(range(n + 1), k=len(proto.default)))
            state.double_array_value.data.extend(proto.min + i * proto.step for i in chosen)
        elif kind in ("selectbox", "radio") and proto.options:
            state.string_value = self.random.choice(list(proto.options))
        elif kind == "multiselect" and proto.options:
            n = self.random.randint(1, min(3, len(proto.options)))
            state.string_array_value.data.extend(self.random.sample(list(proto.options), n))
        elif kind == "button_group" and proto.options:
            n = 1 if proto.click_mode == ButtonGroup.SINGLE_SELECT else min(2, len(proto.options))
            for option in self.random.sample(list(proto.options), n):
                name = f"{option.content_icon} {option.content}".strip()
                state.string_array_value.data.append(name)
        elif kind == "checkbox":
            state.bool_value = self.random.random() < 0.5
        elif kind == "number_input" and proto.has_min and proto.has_max:
            state.double_value = self.random.choice((proto.min, proto.max, proto.default))
        elif kind in TYPED:
            state.string_value = self.secret
        elif kind == "tabs" and widget.labels:
            state.string_value = self.random.choice(widget.labels)
        else:
            return None
        return state

    async def _upload(self, key: str, widget: Widget) -> None:
        """Upload a small file whose name and content hold the secret: a CSV where one is taken."""
        name, n = f"{self.secret}.csv", self.random.randint(5, 200)
        content = f"{self.secret},number\n" + "".join(f"{self.secret},{i}\n" for i in range(n))
        if (taken := list(widget.proto.type)) and ".csv" not in taken:  # as a browser would not
            name, content = f"{self.secret}{taken[0]}", f'{{"{self.secret}": {n}}}'
        async with self._turn, httpx.AsyncClient(base_url=self.address, timeout=60) as client:
            message = BackMsg()
            message.file_urls_request.request_id = name
            message.file_urls_request.file_names.append(name)
            message.file_urls_request.session_id = self._session_id
            await self._send(message)
            urls = (await asyncio.wait_for(self._urls.get(), ANSWER_SECONDS)).file_urls[0]
            await client.get("/_stcore/health")  # sets the cookie
            answer = await client.put(
                urls.upload_url,
                files={name: (name, content)},
                headers={"X-Xsrftoken": client.cookies.get("_streamlit_xsrf", "")},
            )
            if answer.status_code >= 400:
                self.problems.append(f"upload: {answer.status_code} {answer.text[:100]}")
                return
            state = WidgetState(id=key)
            state.file_uploader_state_value.uploaded_file_info.append(
                UploadedFileInfo(name=name, size=len(content), file_id=urls.file_id, file_urls=urls)
            )
            self._values[key] = state
            await self._run(widget.fragment)

    async def _send(self, message: BackMsg) -> None:
        assert self._socket is not None
        await self._socket.send(message.SerializeToString())

    async def _run(
        self, fragment: str = "", press: WidgetState | None = None, polled: bool = False
    ) -> None:
        """Ask for a run of the page or of a fragment and wait for its end."""
        message = BackMsg()
        client = message.rerun_script
        client.query_string, client.page_name = self._query, self._page
        client.page_script_hash, client.fragment_id = self._page_hash, fragment
        client.is_auto_rerun = polled
        client.widget_states.widgets.extend([*self._values.values(), *([press] if press else [])])
        self._finished.clear()
        try:
            await self._send(message)
            await asyncio.wait_for(self._finished.wait(), ANSWER_SECONDS)
        except TimeoutError:
            self.problems.append(f"{self._page or 'home'}: no answer in {ANSWER_SECONDS:g} s")
        except ConnectionClosed as error:
            self.problems.append(f"{self._page or 'home'}: connection closed: {error}")
            raise

    async def _poll(self) -> None:
        """Run the fragments that are to run every so often, as a browser does."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for fragment, (interval, due) in list(self._timers.items()):
                if due <= time.monotonic() and not self._turn.locked():
                    self._timers[fragment] = (interval, time.monotonic() + interval)
                    async with self._turn:
                        await self._run(fragment, polled=True)

    async def _listen(self) -> None:
        assert self._socket is not None
        with suppress(ConnectionClosed):
            async for data in self._socket:
                self._take(data if isinstance(data, bytes) else data.encode())
        self._finished.set()

    def _take(self, data: bytes) -> None:
        """Note what a message says."""
        self.n_bytes += len(data)
        message = ForwardMsg.FromString(data)
        kind = message.WhichOneof("type")
        for found in SECRET.findall(data):
            if int(found) == self.number:
                self.n_own += 1
            else:
                where = (
                    f"{self._page or 'home'}, {kind} {message.delta.new_element.WhichOneof('type')}"
                )
                self.problems.append(f"{where}: the secret of visitor {int(found)}")
        if kind == "new_session":
            self._begin(message)
        elif kind == "navigation":  # what is asked for from now on is asked of this page
            self._page_hash = message.navigation.page_script_hash
        elif kind == "delta":
            self._draw(message.delta, tuple(message.metadata.delta_path))
        elif kind == "auto_rerun":
            interval = message.auto_rerun.interval
            self._timers[message.auto_rerun.fragment_id] = (interval, time.monotonic() + interval)
        elif kind == "stop_auto_rerun":
            for fragment in message.stop_auto_rerun.fragment_ids:
                self._timers.pop(fragment, None)
        elif kind == "file_urls_response":
            self._urls.put_nowait(message.file_urls_response)
        elif kind == "page_not_found":
            self.problems.append(f"no page {self._page}")
        elif kind == "script_finished" and (
            message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
        ):
            self._finished.set()

    def _begin(self, message: ForwardMsg) -> None:
        """Forget what the run that begins will draw again."""
        ran = set(message.metadata.run.fragment_ids)
        self._session_id = message.new_session.initialize.session_id or self._session_id
        if not ran:
            self._timers.clear()
            self._tabs.clear()
            self.texts.clear()
        for fragment in ran:
            self._timers.pop(fragment, None)
        self.widgets = {
            key: widget
            for key, widget in self.widgets.items()
            if ran and widget.fragment not in ran
        }

    def _draw(self, delta: Delta, path: tuple[int, ...]) -> None:
        if delta.WhichOneof("type") == "add_block":
            block = delta.add_block
            if block.WhichOneof("type") == "tab_container" and block.tab_container.id:
                widget = Widget("tabs", block.tab_container, delta.fragment_id, [])
                self._tabs[path] = self.widgets[block.tab_container.id] = widget
            elif block.WhichOneof("type") == "tab" and path[:-1] in self._tabs:
                self._tabs[path[:-1]].labels.append(block.tab.label)
            return
        element = delta.new_element
        kind = element.WhichOneof("type")
        proto = getattr(element, kind) if kind else None
        if kind == "exception":
            self.problems.append(f"{self._page or 'home'}: {proto.type}: {proto.message[:300]}")
        elif kind in ("markdown", "alert", "text"):
            self.texts.append(proto.body)
            if kind == "alert" and UNFORESEEN in proto.body:
                self.problems.append(f"{self._page or 'home'}: {proto.body}")
        elif kind in USED and not proto.disabled and not proto.form_id:
            self.widgets[proto.id] = Widget(kind, proto, delta.fragment_id, [])
