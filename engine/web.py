"""Who may speak to a server of this playground, and where its pages may call: an ASGI middleware
for every one of them.

A server on 127.0.0.1 is reached by every page that is open in the reader's browser: by a request
across sites, or under a name that its owner points here (DNS rebinding). Real browsers say both, by
``Origin`` and ``Host``. What says neither is no browser, and is let through.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any, Final
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
# Whatever a text makes a page draw, the browser asks no other host for it, and no other site can
# lay the page under its own.
# Streamlit and Plotly write styles and scripts into the page, so inline ones stay; components come
# as blob: and data:.
PAGE_POLICY: Final = (
    "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; connect-src 'self' data: blob:;"
    " object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)

# What a page asks of Streamlit's own addresses. The rest (metrics, the agent API, a check that runs
# the pages) is for an operator, or is added by a later version.
CORE: Final = re.compile(r"_stcore/+([^/]*)")
CORE_PARTS: Final = frozenset({"health", "host-config", "stream", "upload_file", "bidi-components"})


def hostname(netloc: str) -> str:
    """Return the host of ``host:port`` in lower case, ``""`` for what is none."""
    try:
        return (urlsplit(f"//{netloc}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_loopback(address: str) -> bool:
    """Whether a request from ``address`` comes from this machine; what is no address does not."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)  # IPv4 as a server of both kinds sees it
    return bool((mapped or parsed).is_loopback)


def is_address(host: str) -> bool:
    """Whether a host is written as an address: no name, which its owner could point anywhere."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_own(origin: str, host: str) -> bool:
    """Whether a page of ``origin`` is one of the server that is called as ``host``."""
    return origin in (f"http://{host}", f"https://{host}")


class Guard:
    """Refuses what comes from another site's page or under another name; adds the page policy to
    HTML.

    Parameters
    ----------
    app
        The ASGI application behind.
    hosts
        Names under which the server may be called; ``None`` for any.
    origins
        Further origins that may call, as ``https://host:port``; a server's own may always.
    policy
        Content-Security-Policy of its HTML pages that bring none, ``""`` for none.
    network
        Of a server that other machines reach: the paths (as a whole) that they may GET and POST, at
        an address of this machine. ``None``: whoever reaches the server is as one of this machine.
    """

    def __init__(
        self,
        app: App,
        hosts: Collection[str] | None = LOOPBACK,
        origins: Collection[str] = (),
        policy: str = "",
        network: re.Pattern[str] | None = None,
    ) -> None:
        self.app, self.hosts, self.origins, self.policy = app, hosts, frozenset(origins), policy
        self.network = network

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 (a websocket: close before it opens) to what may not call, else pass on."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif problem := self.stranger(scope) or self.refusal(scope):
            await _refuse(scope["type"], problem, send)
        else:
            await self.app(scope, receive, self._with_policy(send) if self.policy else send)

    def stranger(self, scope: Scope) -> str:
        """Return why a request of another machine is refused, ``""`` for one that is not."""
        if self.network is None or not self._is_from_network(scope):
            return ""
        asks = scope["type"] == "http" and scope["method"] in ("GET", "HEAD", "POST")
        if asks and self.network.fullmatch(scope["path"]):
            return ""
        return "path must be the page of a vote: other machines get nothing else of this server."

    def _is_from_network(self, scope: Scope) -> bool:
        client = scope.get("client")
        return self.network is not None and not (client and is_loopback(client[0]))

    def refusal(self, scope: Scope) -> str:
        """Return why a request with these headers is refused, ``""`` for one that is not."""
        given = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host, origin = given.get(b"host", ""), given.get(b"origin")
        called = hostname(host)
        by_address = self._is_from_network(scope) and is_address(called)
        if self.hosts is not None and called not in self.hosts and not by_address:
            return (
                f"host must be one of {', '.join(sorted(self.hosts))}: this server is for its own"
                " machine."
            )
        if origin is None or origin in self.origins or is_own(origin, host):
            return ""
        return "origin must be this server: pages of other sites may not call it."

    def _with_policy(self, send: Send) -> Send:
        async def adding(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                given = {name.lower(): value for name, value in headers}
                html = given.get(b"content-type", b"").startswith(b"text/html")
                if html and b"content-security-policy" not in given:
                    message = {
                        **message,
                        "headers": [*headers, (b"content-security-policy", self.policy.encode())],
                    }
            await send(message)

        return adding


class Front:
    """Stands before a shared server: answers 404 for what only its operator needs, and sends
    cookies over encrypted connections alone where the browser's is one.

    Parameters
    ----------
    app
        The ASGI application behind.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what a page needs."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif (found := CORE.search(scope["path"])) and found[1] not in CORE_PARTS:
            await _refuse(scope["type"], "Not on a shared server.", send, status=404)
        else:
            await self.app(scope, receive, self._secure(send) if _encrypted(scope) else send)

    def _secure(self, send: Send) -> Send:
        async def adding(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = [
                    (name, value + b"; Secure")
                    if name.lower() == b"set-cookie" and b"; secure" not in value.lower()
                    else (name, value)
                    for name, value in message.get("headers", ())
                ]
                message = {**message, "headers": headers}
            await send(message)

        return adding


def _encrypted(scope: Scope) -> bool:
    """Whether the browser's connection is encrypted, as far as the proxy on this machine says."""
    return scope.get("scheme") in ("https", "wss")


async def _refuse(kind: str, problem: str, send: Send, status: int = 403) -> None:
    if kind == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": problem})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": problem.encode()})
