"""What the routes of a room share: limits, forms, cookies, and pages under a strict policy."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from functools import cache
from html import escape
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response

from engine.errors import InputError, require
from engine.rooms.limits import RateLimit

HERE = Path(__file__).parent
MOST_BYTES = 2_000  # of a form
MOST_FIELDS = 16
WAIT_SECONDS = 10.0  # for a form that comes slowly
COOKIE_SECONDS = 12 * 3600
# Both are for a whole hall behind one address: 300 phones that ask every 3 s, and vote at once.
ASKS: Final = RateLimit(per_second=150, burst=1_000)
FORMS: Final = RateLimit(per_second=30, burst=400)
TOO_MANY = "Too many requests came from your network at once. Wait a moment, then press again."


def is_admitted(request: Request) -> bool:
    """Whether the request is within the limits of its address."""
    address = request.client.host if request.client else ""
    return (FORMS if request.method == "POST" else ASKS).admits(address)


async def form(request: Request) -> dict[str, str]:
    """Return the fields of a small form.

    Raises
    ------
    InputError
        It is too long, comes too slowly, or is no form.
    """
    body = b""
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            async for chunk in request.stream():
                body += chunk
                n = len(body)
                require(n <= MOST_BYTES, "A form must be ≤ {:,} bytes. Got {:,}.", MOST_BYTES, n)
        return dict(parse_qsl(body.decode(), max_num_fields=MOST_FIELDS, keep_blank_values=True))
    except TimeoutError as error:
        raise InputError("A form must come within 10 s. It did not: press again.") from error
    except ClientDisconnect as error:
        raise InputError("A form must come whole. The connection ended before: press again.") from (
            error
        )
    except InputError:
        raise
    except ValueError as error:
        raise InputError("A form must be fields of text. Got something else.") from error


def whole(text: str) -> int:
    """Return a whole number of a form, of at most six digits; ``InputError`` for anything else."""
    plain = text.isascii() and text.isdigit() and len(text) <= 6
    require(plain, "A number must be 0–999,999. Got {!r}.", text[:20])
    return int(text)


def page(title: str, body: str, kind: str, status: int = 200, **data: str) -> HTMLResponse:
    """Return a whole page with the style and script of ``kind``, which may load nothing else.

    ``title`` and ``data`` (attributes of the body) are escaped here, ``body`` is HTML already.
    """
    style, script, policy = _look(kind)
    attributes = "".join(f' data-{name}="{escape(value)}"' for name, value in data.items())
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head>"
        f"<body{attributes}>{body}<script>{script}</script></body></html>"
    )
    return HTMLResponse(text, status, headers={**PRIVATE, "Content-Security-Policy": policy})


@cache
def _look(kind: str) -> tuple[str, str, str]:
    """Return style, script and policy of the pages of ``kind``, read once: a hall asks at once."""
    style = (HERE / "room.css").read_text("utf-8") + (HERE / f"{kind}.css").read_text("utf-8")
    script = (HERE / f"{kind}.js").read_text("utf-8")
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)};"
        " connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    )
    return style, script, policy


# No copy stays in the browser or on the way, and no address is handed on to another site. (With no
# referrer at all a browser sends forms without their origin, and the guard refuses them.)
PRIVATE: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def remember(response: Response, name: str, value: str, path: str) -> None:
    """Set a cookie that no script reads and no other site's page sends."""
    response.set_cookie(
        name, value, max_age=COOKIE_SECONDS, path=path, httponly=True, samesite="strict"
    )


def _hash(code: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"
