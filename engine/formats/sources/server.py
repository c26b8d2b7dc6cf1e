"""A flights service on loopback: the table in pages, and its changes as a stream of lines.

Real: HTTP (``engine.local_http``). The service has a clock of its own: each call for a page says
how late it comes, in minutes of the day, so that the table changes between two pages as it does in
production, and nobody has to wait.

- ``GET /flights?minute=900&offset=20&limit=20``: rows in order of id, as a JSON array.
- ``GET /changes?minute=900``: one JSON object a line, in the order of the log.
"""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from engine import local_http
from engine.formats.sources.day import Change, state, until


def to_json(value: Any) -> str:
    """Return a row or a change as JSON, which has no type for a time: it becomes a text."""
    return json.dumps(value, default=lambda moment: moment.isoformat())


def message(change: Change) -> dict[str, Any]:
    """Return a change as the stream sends it."""
    return {"position": change.position, "minute": change.minute, "op": change.op, **change.row}


class _Handler(local_http.Handler):
    def respond(self) -> None:
        asked = urlsplit(self.path)
        query = {name: float(values[0]) for name, values in parse_qs(asked.query).items()}
        seen = until(query["minute"])
        if asked.path == "/changes":
            body = "".join(f"{to_json(message(change))}\n" for change in seen)
        else:
            rows = list(state(seen).values())
            first = int(query["offset"])
            body = to_json(rows[first : first + int(query["limit"])])
        self.answer(body)


def serve() -> AbstractContextManager[str]:
    """Run the service on a free port of loopback; the block gets its address."""
    return local_http.serve(_Handler)
