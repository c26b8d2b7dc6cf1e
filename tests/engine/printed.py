"""What a script of the code panel prints, run as a reader would run it."""

from __future__ import annotations

import contextlib
import io
import json
from typing import Any

from engine.spark import session


def run_script(code: str) -> Any:
    """Run a script in this process and return the JSON of its last line.

    A script of Spark finds the Spark of these tests, where there would else be one with other
    settings for all tests that follow.
    """
    if "pyspark" in code:
        session.session()
    sink = io.StringIO()
    with contextlib.redirect_stdout(sink):
        exec(compile(code, "<script>", "exec"), {"__name__": "__main__"})
    return json.loads(sink.getvalue().splitlines()[-1])
