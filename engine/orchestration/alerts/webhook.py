"""A webhook of the visitor's own: new alerts are sent there as JSON, by real HTTP POSTs, for as
long as it is set.

The address stays in this process's memory: it is written nowhere, is in no link and is
forgotten with the server. Only http and https, no redirects, five seconds at most; a failure is
shown.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

import httpx

from engine import hosted
from engine.errors import InputError, require
from engine.orchestration import alerts
from engine.orchestration.alerts import Alert, AlertsParams, AlertsResult

TIMEOUT_SECONDS = 5.0
LOOK_SECONDS = 2.0
LIFE_SECONDS = 3600.0  # without a visit
KEPT = 20


@dataclass(frozen=True, slots=True)
class Sent:
    """One POST: what it was about and what came back."""

    at: float
    about: str
    ok: bool
    answer: str


def checked(url: str) -> str:
    """Return the address if a POST may go there.

    Raises
    ------
    InputError
        It is no http or https address with a host.
    """
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = None, None
    fine = (
        parts is not None
        and parts.scheme in ("http", "https")
        and bool(host)
        and " " not in url
        and len(url) <= 2000
    )
    require(
        fine,
        "webhook must be an http or https address such as https://hooks.example.com/alerts. Got"
        " {!r}.",
        url[:80],
    )
    return url


def post(url: str, body: dict[str, str]) -> Sent:
    """Send one alert and say what came back; never raises for what the other side does."""
    about = body["text"]
    try:
        answer = httpx.post(
            checked(url), json=body, timeout=TIMEOUT_SECONDS, follow_redirects=False
        )
    except httpx.TimeoutException:
        return Sent(time.time(), about, False, f"no answer within {TIMEOUT_SECONDS:g} s")
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return Sent(time.time(), about, False, f"{type(error).__name__}: {error}"[:200])
    return Sent(
        time.time(),
        about,
        answer.is_success,
        f"{answer.status_code} {answer.reason_phrase}".strip(),
    )


@dataclass(slots=True, eq=False)
class Webhook:
    """One visitor's webhook."""

    url: str
    params: AlertsParams
    known: set[str]  # alerts that were there before, or are sent
    seen_at: float = field(default_factory=time.monotonic)
    sent: deque[Sent] = field(default_factory=lambda: deque(maxlen=KEPT))


class Post:
    """The webhooks of this server and the one thread that serves them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[str, Webhook] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def set(self, owner: str, url: str, params: AlertsParams) -> None:
        """Send the owner's alerts from now on to ``url``; "" ends it. What has been sent stays in
        sight.

        Raises
        ------
        InputError
            The address is none, or the server is shared.
        """
        hosted.refuse("webhook")
        with self._lock:
            before = self._found.get(owner)
            if not url.strip():
                self._found.pop(owner, None)
                return
            url = checked(url)
            if before is not None and before.url == url:
                before.params, before.seen_at = params, time.monotonic()
                return
        known = {alert.key for alert in _recorded(params).alerts}
        with self._lock:
            self._found[owner] = Webhook(url, params, known)
            if self._thread is None or not self._thread.is_alive():
                self._stopping.clear()
                self._thread = threading.Thread(target=self._work, name="webhooks", daemon=True)
                self._thread.start()

    def test(self, owner: str) -> Sent:
        """Send a test alert now and return what came back."""
        with self._lock:
            hook = self._found.get(owner)
        if hook is None:
            raise InputError("webhook must be set before it is tested.")
        sent = post(
            hook.url, {"text": "Test alert of the Data Pipeline Playground", "rule": "test"}
        )
        hook.sent.append(sent)
        return sent

    def sent(self, owner: str) -> list[Sent]:
        """Return the owner's latest POSTs, the latest first."""
        with self._lock:
            hook = self._found.get(owner)
            return list(hook.sent)[::-1] if hook is not None else []

    def look(self) -> None:
        """Send what is new, now."""
        with self._lock:
            for owner in [
                o
                for o, hook in self._found.items()
                if hook.seen_at < time.monotonic() - LIFE_SECONDS
            ]:
                del self._found[owner]
            hooks = list(self._found.values())
        for hook in hooks:
            for alert in reversed(self._new(hook)):
                hook.known.add(alert.key)
                hook.sent.append(post(hook.url, alert.body()))

    def _new(self, hook: Webhook) -> list[Alert]:
        result = _recorded(hook.params)
        return (
            []
            if result.simulated
            else [alert for alert in result.alerts if alert.key not in hook.known]
        )

    def _work(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS) and self._found:
            self.look()

    def stop(self) -> None:
        """End the thread (the server shuts down)."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=10)


def _recorded(params: AlertsParams) -> AlertsResult:
    """Return the alerts of the recorded runs, however few: only they are sent."""
    return alerts.run(replace(params, source="recorded"))


POST = Post()  # of this server
