"""Runs generated files in this process, one folder after another, as their readers would: the
script, then each of the tests.

Each folder holds ``script.py``, ``test_load.py`` and ``batch.parquet``. Prints for each a line with
what came of them.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import runpy
import sys
from pathlib import Path

from engine.etl.quality.load_tests import NAMES


def main(folders: list[str]) -> None:
    for folder in map(Path, folders):
        sink = io.StringIO()
        with contextlib.redirect_stdout(sink):
            runpy.run_path(str(folder / "script.py"), run_name="__main__")
        os.environ["BATCH"] = str(folder / "batch.parquet")
        module = runpy.run_path(str(folder / "test_load.py"))
        failed = []
        for name in NAMES:
            try:
                module[name]()
            except AssertionError:
                failed.append(name)
        print(json.dumps({"headline": json.loads(sink.getvalue()), "failed": failed}))


if __name__ == "__main__":
    main(sys.argv[1:])
