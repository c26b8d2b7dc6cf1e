"""The one Prefect server of this app: started in the background, watched, started again on its port
when it dies.

Real: Prefect's API and services on SQLite in ``<workspace>/server/prefect``, on 127.0.0.1, without
telemetry. With ``PREFECT_API_URL`` (and ``PREFECT_API_KEY``) set, the lab uses *that* server or
Prefect Cloud and starts none. This process speaks to it by its REST API alone and never imports
Prefect.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlparse

import httpx

from engine import hosted, processes, workspace
from engine.errors import InputError, require

Kind = Literal["own", "attached"]
Stage = Literal["cold", "starting", "ready", "restarting", "unreachable"]
REACH_SECONDS = 5.0  # an unreachable server is said within ten
WATCH_SECONDS = 0.25
ATTACHED_WATCH_SECONDS = 3.0
# a start takes about 10 s on a machine that is free, a minute on one that is busy
START_SECONDS = 240.0
BUSY = (429, 500, 502, 503, 504)  # 500 and 503 are how "database is locked" arrives
# how long a call is tried again: longer than a restart takes, and than SQLite waits for its lock
PATIENCE_SECONDS = 75.0
# a question that hangs is asked again after that, then after twice as long, and so on
READ_SECONDS = 5.0
CALL_SECONDS = 20.0  # what changes something is waited for


@dataclass(frozen=True, slots=True)
class ServerState:
    """Which server this is and how it is."""

    kind: Kind
    stage: Stage
    url: str  # of the API
    ui_url: str
    message: str  # one sentence for a page

    @property
    def ready(self) -> bool:
        """Whether it answers."""
        return self.stage == "ready"

    @property
    def sentence(self) -> str:
        """``message``, and a link to Prefect's own pages for who can open them."""
        if not self.ready or hosted.on():  # its pages are for the machine of the server alone
            return self.message
        return f"{self.message} [Prefect's own pages]({self.ui_url})"


def ui_of(url: str) -> str:
    """Return the address of Prefect's own pages for an API address."""
    if "/accounts/" in url:
        return (
            url.replace("://api.", "://app.")
            .replace("/api/accounts/", "/account/")
            .replace("/workspaces/", "/workspace/")
        )
    return url.removesuffix("/").removesuffix("/api")


def named(variable: str) -> str:
    """Return what the environment says, ``""`` for nothing, and on a shared server."""
    return "" if hosted.on() else os.environ.get(variable, "").strip().rstrip("/")


def epoch(text: str | None) -> float | None:
    """Return a time of the API as seconds since the epoch."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() if text else None


def iso(seconds: float) -> str:
    """Return seconds since the epoch as the API takes them."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


class Server:
    """Starts, watches, calls and stops the server. Thread-safe; every method may be called at any
    time.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.RLock())
        self._stage: Stage = "cold"
        self._error = ""
        self._url = ""
        self._process: subprocess.Popen[str] | None = None
        self._watcher: threading.Thread | None = None
        self._stopping = threading.Event()
        self._client: httpx.Client | None = None
        self.n_restarts = 0
        self.n_databases = 1  # one more each time that somebody deleted it
        self.when_lost: list[Callable[[], None]] = []  # called before the next one begins
        self.start_seconds = 0.0

    @property
    def kind(self) -> Kind:
        """Whether the environment names a server."""
        return "attached" if named("PREFECT_API_URL") else "own"

    @property
    def home(self) -> Path:
        """The folder of Prefect's database and results."""
        path = workspace.server() / "prefect"
        path.mkdir(parents=True, exist_ok=True)
        return path

    def start(self) -> None:
        """Start the server, or attach to the one that the environment names, in the background;
        again is no error.
        """
        with self._changed:
            if self._watcher is not None and self._watcher.is_alive():
                return
            self._stopping.clear()
            self._stage, self._error = "starting", ""
            self._url = self._url or self._address()
            watch = self._watch_attached if self.kind == "attached" else self._watch_own
            self._watcher = threading.Thread(target=watch, name="prefect-server", daemon=True)
            self._watcher.start()
        atexit.register(self.stop)

    def _address(self) -> str:
        return named("PREFECT_API_URL") or f"http://127.0.0.1:{processes.free_port()}/api"

    def ready(self, timeout: float = START_SECONDS) -> str:
        """Return the API's address once the server answers; starts it when needed.

        Raises
        ------
        InputError
            The server that the environment names cannot be reached or used, or ours does not start
            in time.
        """
        self.start()
        deadline = time.monotonic() + timeout
        with self._changed:
            while self._stage != "ready":
                require(self._stage != "unreachable", "{}", self._error)
                left = deadline - time.monotonic()
                require(
                    left > 0,
                    "Prefect's server must answer within {:.0f} s. It is {}.",
                    timeout,
                    self._stage,
                )
                self._changed.wait(min(left, 0.5))
            return self._url

    @property
    def state(self) -> ServerState:
        """What a page says about the server."""
        url = self._url or named("PREFECT_API_URL")
        where = (
            f"Prefect at {url}"
            if self.kind == "attached"
            else "Prefect's own server, on this machine"
        )
        message = {
            "cold": f"{where}, is not started yet.",
            "starting": (f"{where}, is starting (about 10 s)."),
            "ready": f"{where}.",
            "restarting": (
                f"{where}, stopped and is being restarted on its port and database. The records"
                " are safe."
            ),
            "unreachable": self._error,
        }[self._stage]
        if self._stage == "ready" and self.n_restarts:
            message = f"{where}. It was restarted {self.n_restarts}×; no recorded run was lost."
        if os.environ.get("PREFECT_API_URL", "").strip() and hosted.on():
            message += f" {hosted.off('prefect')}"
        return ServerState(self.kind, self._stage, url, ui_of(url) if url else "", message)

    def stop(self) -> None:
        """End the server; a second call does nothing."""
        self._stopping.set()
        with self._changed:
            watcher, process = self._watcher, self._process
            self._process = None
        if process is not None:
            processes.kill_group(process)
        if watcher is not None and watcher is not threading.current_thread():
            watcher.join(timeout=10)
        with self._changed:
            self._stage, self._url, self._watcher = "cold", "", None
            if self._client is not None:
                self._client.close()
                self._client = None

    def environment(self) -> dict[str, str]:
        """Return the settings of every Prefect process of the lab: whose server, whose home, no
        telemetry.
        """
        clean = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
        settings = {
            "PREFECT_API_URL": self._url,
            "PREFECT_HOME": str(self.home),
            "PREFECT_PROFILES_PATH": str(self.home / "profiles.toml"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "PREFECT_LOGGING_TO_API_BATCH_INTERVAL": "0.3",
            "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
            "PREFECT_LOGGING_LEVEL": "INFO",
            "PREFECT_CLIENT_MAX_RETRIES": "10",
            "PREFECT_CLI_PROMPT": "false",
        }
        if key := named("PREFECT_API_KEY"):
            settings["PREFECT_API_KEY"] = key
        return {**clean, **settings}

    def _launch(self) -> subprocess.Popen[str]:
        port = urlparse(self._url).port
        own = {
            "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL": "0.3",
            # Prefect takes its int(): 0 spins a core
            "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
            "PREFECT_SERVER_SERVICES_TELEMETRY_ENABLED": "false",
            "PREFECT_SERVER_UI_API_URL": self._url,
            "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
            "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        }
        log = (self.home / "server.log").open("a")
        try:
            return processes.start(
                "engine.orchestration.serve",
                str(port),
                environment={**self.environment(), **own},
                pipe=True,
                output=log,
            )
        finally:
            log.close()

    def _watch_own(self) -> None:
        """Keep a server of ours alive until ``stop``."""
        began = time.monotonic()
        while not self._stopping.is_set():
            if self._process is None:
                with self._changed:
                    if self._stopping.is_set():
                        return
                    self._process = self._launch()
            elif self._process.poll() is not None or self._is_lost():
                lost = self._is_lost()
                processes.kill_group(self._process)
                for call in self.when_lost if lost else ():
                    call()
                self.n_restarts += self._stage == "ready" and not lost
                self._process, began = None, time.monotonic()
                self._set("starting" if lost else "restarting")
                self.n_databases += lost
                self._stopping.wait(1.0)
            elif self._stage != "ready" and self._answers():
                self.start_seconds = time.monotonic() - began
                self._set("ready")
            self._stopping.wait(WATCH_SECONDS)

    def _is_lost(self) -> bool:
        """Whether the database of a server that answers is gone: the workspace was deleted."""
        return self._stage == "ready" and not (self.home / "prefect.db").exists()

    def _watch_attached(self) -> None:
        """Ask the server that the environment names every few seconds whether it is there."""
        while not self._stopping.is_set():
            try:
                answer = self._http().post(
                    f"{self._url}/flow_runs/count", json={}, timeout=REACH_SECONDS
                )
                error = "" if answer.is_success else f"it answers {answer.status_code}"
                if answer.status_code in (401, 403):
                    error += ": PREFECT_API_KEY must be valid for it"
            except (httpx.HTTPError, httpx.InvalidURL) as problem:
                error = str(problem) or type(problem).__name__
            if error:
                self._error = (
                    "PREFECT_API_URL must name a Prefect server that can be reached. Got"
                    f" {self._url}: {error}. Start that server, or unset PREFECT_API_URL: then the"
                    " lab starts its own. What is recorded stays in sight."
                )
            self._set("unreachable" if error else "ready")
            self._stopping.wait(ATTACHED_WATCH_SECONDS)

    def _set(self, stage: Stage) -> None:
        with self._changed:
            self._stage = stage
            self._changed.notify_all()

    def _answers(self) -> bool:
        try:
            return bool(self._http().get(f"{self._url}/health", timeout=2.0).is_success)
        except httpx.HTTPError:
            return False

    def _http(self) -> httpx.Client:
        with self._changed:
            if self._client is None:
                key = named("PREFECT_API_KEY")
                self._client = httpx.Client(
                    timeout=CALL_SECONDS, headers={"Authorization": f"Bearer {key}"} if key else {}
                )
            return self._client

    def call(
        self,
        path: str,
        body: dict[str, Any] | None = None,
        method: str = "",
        patience: float = PATIENCE_SECONDS,
    ) -> Any:
        """Return the JSON that the API answers; POST with a body, else GET (``method`` says
        otherwise).

        A busy answer ("database is locked"), a question that hangs and a server that is being
        restarted are tried again for ``patience`` seconds.

        Raises
        ------
        InputError
            The server stays away or refuses.
        """
        method = method or ("GET" if body is None else "POST")
        reads = method == "GET" or path.endswith(("/count", "/filter"))
        deadline, pause, wait = (
            time.monotonic() + patience,
            0.1,
            READ_SECONDS if reads else CALL_SECONDS,
        )
        while True:
            try:
                url = self.ready(max(1.0, deadline - time.monotonic()))
                answer = self._http().request(method, f"{url}/{path}", json=body, timeout=wait)
                if answer.is_success:
                    return answer.json() if answer.content else None
                error = f"{answer.status_code} {answer.text[:200]}"
                if answer.status_code not in BUSY:
                    raise InputError(f"Prefect's server refuses {path}: {error}")
            except httpx.HTTPError as problem:
                error = f"{type(problem).__name__} {problem}"
                wait = min(wait * 2, CALL_SECONDS)
            if time.monotonic() + pause > deadline:
                raise InputError(
                    f"Prefect's server must answer. It did not within {patience:.0f} s: {error}."
                )
            self._stopping.wait(pause)
            pause = min(pause * 2, 2.0)


SERVER = Server()  # the one Prefect server of this app
