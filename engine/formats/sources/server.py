"""A flights service on loopback: the table in pages, and its changes as a stream of lines.

Real: HTTP over a socket of this machine, by ``http.server`` of the standard library. The service
has a clock of its own: each call for a page says how late it comes, in minutes of the day, so that
the table changes between two pages as it does in production, and nobody has to wait.

- ``GET /flights?minute=900&offset=20&limit=20``: rows in order of id, as a JSON array.
- ``GET /changes?minute=900``: one JSON object a line, in the order of the log.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from engine.formats.sources.day import Change, state, until


def to_json(value: Any) -> str:
    """Return a row or a change as JSON, which has no type for a time: it becomes a text."""
    return json.dumps(value, default=lambda moment: moment.isoformat())


def message(change: Change) -> dict[str, Any]:
    """Return a change as the stream sends it."""
    return {"position": change.position, "minute": change.minute, "op": change.op, **change.row}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        query = {name: float(values[0]) for name, values in parse_qs(asked.query).items()}
        seen = until(query["minute"])
        if asked.path == "/changes":
            body = "".join(f"{to_json(message(change))}\n" for change in seen)
        else:
            rows = list(state(seen).values())
            first = int(query["offset"])
            body = to_json(rows[first : first + int(query["limit"])])
        content = body.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Write no line for each call."""


@contextmanager
def serve() -> Iterator[str]:
    """Run the service on a free port of loopback until the block ends; gives its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(
            target=server.serve_forever, args=(0.005,), name="flights-service", daemon=True
        )
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
