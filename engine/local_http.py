"""A small HTTP service on 127.0.0.1, for as long as a block lasts: what a source of data is read
from.

Real: HTTP over a socket of this machine, by ``http.server`` of the standard library.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

POLL_SECONDS = 0.005  # how soon the service notices its end: a page waits for it


class Handler(BaseHTTPRequestHandler, ABC):
    """Answers JSON, and writes no line for each call: who makes it counts it."""

    def do_GET(self) -> None:
        """Leave the request to ``respond``."""
        self.respond()

    @abstractmethod
    def respond(self) -> None:
        """Look at ``path`` and ``answer``, or ``send_error``."""

    def answer(self, body: str) -> None:
        """Send ``body``, which is JSON."""
        content = body.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def serve(handler: type[Handler]) -> Iterator[str]:
    """Serve on a free port until the block ends; yields the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(
            target=server.serve_forever, args=(POLL_SECONDS,), name="local-http", daemon=True
        )
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
