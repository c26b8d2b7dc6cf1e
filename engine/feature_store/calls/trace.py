"""Which component of Feast a call passes through, from Python's own profile events.

Real: each function that Feast calls is seen as it begins and ends, each statement as SQLite gets
it; nothing of Feast is replaced. A component is a folder of Feast's source. What a component calls
outside of Feast (DuckDB, Arrow, SQLite) counts as its own. Simplified: being watched makes a call
slower, so its times are shares more than speeds.
"""

from __future__ import annotations

import re
import sqlite3
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any, Literal, get_args

Component = Literal["SDK", "registry", "offline store", "compute engine", "online store"]
COMPONENTS: tuple[Component, ...] = get_args(Component)
DEFINITION = "/feast/infra/offline_stores/file_source.py"  # what a source is, not the store
MAKERS = re.compile(r"__init__|get_\w+_from_config")  # make a component, and ask it for nothing
PLACES: dict[str, Component] = {  # part of a file's path in Feast's source -> component
    "/feast/feature_store.py": "SDK",
    "/feast/infra/passthrough_provider.py": "SDK",
    "/feast/infra/registry/": "registry",
    "/feast/infra/offline_stores/": "offline store",
    "/feast/infra/compute_engines/": "compute engine",
    "/feast/infra/online_stores/": "online store",
}
TABLE = re.compile(r'^\s*(CREATE|INSERT|SELECT|DELETE|DROP|UPDATE)\b.*?"(\w+)"', re.S | re.I)


@dataclass(slots=True)
class Trace:
    """One call as it passed: seconds and entries by component, what was entered, SQL by table."""

    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    entries: Counter[str] = field(default_factory=Counter)  # from another component
    functions: Counter[tuple[str, str]] = field(default_factory=Counter)  # entered: where, which
    statements: Counter[str] = field(default_factory=Counter)  # "INSERT table" -> times


class _Watcher:
    """The profile function: who is at work now, and since when."""

    def __init__(self) -> None:
        self.trace = Trace()
        self._stack: list[Component] = []
        self._since = time.perf_counter()
        self._places: dict[CodeType, Component | None] = {}
        self.connections: set[sqlite3.Connection] = set()

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call":
            self._sqlite(argument)
        elif event in ("call", "return"):
            component = self._place(frame.f_code)
            if component is not None:
                self._move(component, frame.f_code, entered=event == "call")

    def _place(self, code: CodeType) -> Component | None:
        if code not in self._places:
            path = code.co_filename.replace("\\", "/")
            found = [component for part, component in PLACES.items() if part in path]
            made = path.endswith(DEFINITION) or MAKERS.fullmatch(code.co_name)
            self._places[code] = found[0] if found and not made else None
        return self._places[code]

    def _move(self, component: Component, code: CodeType, *, entered: bool) -> None:
        now = time.perf_counter()
        here = self._stack[-1] if self._stack else None
        if here is not None:
            self.trace.seconds[here] += now - self._since
        self._since = now
        if not entered:
            if self._stack:
                self._stack.pop()
            return
        self._stack.append(component)
        if component != here:
            self.trace.entries[component] += 1
            self.trace.functions[component, code.co_qualname] += 1

    def _sqlite(self, function: Any) -> None:
        owner = getattr(function, "__self__", None)
        connection = owner.connection if isinstance(owner, sqlite3.Cursor) else owner
        if isinstance(connection, sqlite3.Connection) and connection not in self.connections:
            self.connections.add(connection)
            connection.set_trace_callback(self._statement)

    def _statement(self, sql: str) -> None:
        found = TABLE.match(sql)
        if found:
            self.trace.statements[f"{found[1].upper()} {found[2]}"] += 1


@contextmanager
def watching() -> Iterator[Trace]:
    """Watch what this thread calls; the trace is whole once the block is left."""
    watcher, before = _Watcher(), sys.getprofile()
    sys.setprofile(watcher)
    try:
        yield watcher.trace
    finally:
        sys.setprofile(before)
        for connection in watcher.connections:
            connection.set_trace_callback(None)
