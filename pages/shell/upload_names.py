"""Names of uploads as the server receives them: short and printable, whatever the browser sent.

Streamlit answers a name of about 4,000 characters with a bare 400 and one with a null character
with an exception before the page's own code runs, so that nothing here could say a sentence.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ROUTE = "/_stcore/upload_file/"
MAX_NAME = 200  # characters; a file system takes 255 bytes
MAX_HEAD_BYTES = 65_536
NAME = re.compile(
    rb'(name=")([^"\r]*)(")'
)  # of the field and of the file: the browser sends it as both


class UploadNames:
    """ASGI middleware: rewrites the file name in the head of an upload, the rest passes through as
    it is.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "http" and scope["method"] == "PUT" and ROUTE in scope["path"]:
            receive = _renamed(receive)
        await self.app(scope, receive, send)


def short(name: bytes) -> bytes:
    """Return a name without control characters, its middle left out when it is long; its ending
    stays.
    """
    plain = "".join(
        letter if letter.isprintable() else "?" for letter in name.decode(errors="replace")
    )
    half = MAX_NAME // 2
    return (plain if len(plain) <= MAX_NAME else f"{plain[:half]}…{plain[-half:]}").encode()


def _renamed(receive: Receive) -> Receive:
    """Return ``receive`` whose first message holds the whole head of the first part, with its name
    shortened.
    """
    begun = False

    async def renamed() -> Message:
        nonlocal begun
        message = await receive()
        if begun or message["type"] != "http.request":
            return message
        begun = True
        body, more = message.get("body", b""), message.get("more_body", False)
        while more and b"\r\n\r\n" not in body and len(body) < MAX_HEAD_BYTES:
            following = await receive()
            if following["type"] != "http.request":
                return following
            body, more = body + following.get("body", b""), following.get("more_body", False)
        head, end, content = body.partition(b"\r\n\r\n")
        head = NAME.sub(lambda found: found[1] + short(found[2]) + found[3], head)
        return {"type": "http.request", "body": head + end + content, "more_body": more}

    return renamed
