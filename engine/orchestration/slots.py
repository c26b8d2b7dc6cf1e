"""Where the launcher runs one flow at a time: a warm worker process that takes lines of JSON."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True, eq=False)
class Slot:
    """One worker process and what it does."""

    process: subprocess.Popen[str] | None = None
    ready: bool = False
    run_id: str = ""
    held: bool = False

    def send(self, **message: Any) -> None:
        """Send the worker a line; one that is gone is noticed by the end of its output."""
        try:
            assert self.process is not None and self.process.stdin is not None
            self.process.stdin.write(json.dumps(message) + "\n")
            self.process.stdin.flush()
        except (BrokenPipeError, OSError, ValueError):
            pass
