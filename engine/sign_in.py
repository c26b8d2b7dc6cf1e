"""Who may enter a shared server that asks for a sign-in: where the operator's secrets have
``[auth]`` (OpenID Connect).

Streamlit speaks with the provider, and keeps what the provider said of a person in a signed cookie.
Here: whether the settings are whole, who may enter, and what a browser without a sign-in gets.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Collection, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Match

from engine.web import App, Receive, Scope, Send, is_own

ALLOWED: Final = "PLAYGROUND_HOSTED_ALLOWED"  # e-mail addresses and domains, by commas
LASTS_SECONDS: Final = 12 * 3600  # a sign-in, from when the provider said who it is
KEYS: Final = ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")
SHORTEST_SECRET: Final = 32  # characters
CALLBACK: Final = "/oauth2callback"  # where the provider sends a browser back to
RETURN_COOKIE: Final = "playground_return"
LONGEST_RETURN: Final = 3_500  # bytes; browsers keep 4,096 of a cookie
RETURN_SECONDS: Final = 600
# Streamlit's addresses of what pages made or were given. The rest is its own files and the
# websocket, over which an unknown person gets the sign-in page alone.
CONTENT: Final = re.compile(r"/+((media|component)(/|$)|_stcore/+(?!(health|host-config|stream)$))")
PATH: Final = re.compile(r"/(?![/\\])[!-~]*")  # of this server, whatever a browser makes of it
Person = Mapping[str, Any]  # claims of the provider; empty for nobody


def allowed() -> tuple[str, ...]:
    """Return the addresses and domains that may enter, in lower case; none: whoever signs in."""
    listed = (part.strip().lower() for part in os.environ.get(ALLOWED, "").split(","))
    return tuple(part.removeprefix("@") for part in listed if part)


def start_problem(auth: Mapping[str, Any], base: str) -> str:
    """Return why a server below the path ``base`` cannot ask as ``[auth]`` says, ``""`` if it can
    or need not.
    """
    if not auth:
        return f"{ALLOWED} needs [auth] in secrets.toml: see HOSTING.md." if allowed() else ""
    if missing := [key for key in KEYS if not auth.get(key)]:
        return f"[auth] in secrets.toml must have {', '.join(KEYS)}. Missing: {', '.join(missing)}."
    if len(str(auth["cookie_secret"])) < SHORTEST_SECRET:
        return f"cookie_secret of [auth] must have at least {SHORTEST_SECRET} random characters."
    path = urlsplit(str(auth["redirect_uri"])).path
    if path != f"{base}{CALLBACK}":
        return f"redirect_uri of [auth] must end in {base}{CALLBACK}. Got {path!r}."
    return ""


def is_signed_in(person: Person) -> bool:
    """Whether somebody signed in, not too long ago."""
    issued = person.get("iat")
    if person.get("is_logged_in") is not True or not isinstance(issued, int | float):
        return False
    return time.time() - issued < LASTS_SECONDS


def refusal(person: Person) -> str:
    """Return why somebody who signed in may not enter, ``""`` for who may."""
    email, listed = str(person.get("email") or "").strip().lower(), allowed()
    name, _, domain = email.rpartition("@")
    is_listed = bool(name) and (email in listed or domain in listed)
    if not listed or (is_listed and person.get("email_verified", True) in (True, "true")):
        return ""
    return (
        f"{email or 'An account without an e-mail address'} may not enter this server. Sign in with"
        " another account, or ask who runs it."
    )


def may_enter(person: Person) -> bool:
    """Whether the pages are for this person."""
    return is_signed_in(person) and not refusal(person)


class Door:
    """Refuses what pages made or were given to who may not enter, and returns a person who signs in
    to the page where they were asked.

    Parameters
    ----------
    app
        The ASGI application behind.
    base
        The path that all of the server is below, ``""`` for none.
    routes
        Further addresses that are for those who may enter.
    person
        Returns who a request's cookies say it is.
    """

    def __init__(
        self,
        app: App,
        base: str,
        routes: Collection[BaseRoute],
        person: Callable[[Mapping[str, str]], Person],
    ) -> None:
        self.app, self.base, self.routes, self.person = app, base, routes, person

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is not refused."""
        if scope["type"] == "http":
            request = HTTPConnection(scope)
            path = scope["path"].removeprefix(self.base)
            if path == "/auth/login":
                send = self._noting(request, send)
            elif path == CALLBACK:
                send = self._returning(request, send)
            elif self._is_content(scope, path) and not may_enter(self.person(request.cookies)):
                refused = PlainTextResponse("Sign in to see this.", 401)
                await refused(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _is_content(self, scope: Scope, path: str) -> bool:
        return bool(CONTENT.match(path)) or any(
            route.matches(scope)[0] != Match.NONE for route in self.routes
        )

    def _noting(self, request: HTTPConnection, send: Send) -> Send:
        """Note in a cookie the page that asks for the sign-in, as the browser names it."""
        came = urlsplit(request.headers.get("referer", ""))
        own = is_own(f"{came.scheme}://{came.netloc}", request.headers.get("host", ""))
        page = f"{came.path or '/'}{came.query and f'?{came.query}'}"
        return _setting(send, self._cookie(quote(page, safe=""), RETURN_SECONDS)) if own else send

    def _returning(self, request: HTTPConnection, send: Send) -> Send:
        """Send who has signed in to the page that was noted instead of to Home."""
        page = unquote(request.cookies.get(RETURN_COOKIE, ""))
        below = f"{urlsplit(page).path}/".startswith(f"{self.base}/")
        if not (PATH.fullmatch(page) and below):
            return send

        async def returning(message: MutableMapping[str, Any]) -> None:
            headers = message.get("headers", ())
            if any(n.lower() == b"set-cookie" and USER.match(value) for n, value in headers):
                kept = [pair for pair in headers if pair[0].lower() != b"location"]
                message = {**message, "headers": [*kept, (b"location", page.encode())]}
            await send(message)

        return _setting(returning, self._cookie("", 0))

    def _cookie(self, value: str, seconds: int) -> str:
        if len(value) > LONGEST_RETURN:  # a long link: then Home it is
            value, seconds = "", 0
        path = self.base or "/"
        return f"{RETURN_COOKIE}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax"


USER: Final = re.compile(rb'_streamlit_user=[^;"]')  # set to somebody, not deleted


def _setting(send: Send, cookie: str) -> Send:
    async def adding(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), (b"set-cookie", cookie.encode())]
            message = {**message, "headers": headers}
        await send(message)

    return adding
