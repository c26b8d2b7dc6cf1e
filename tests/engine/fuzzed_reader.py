"""A child that has the upload reader read every file of a folder, each in a process of its own:
``python -m tests.engine.fuzzed_reader FOLDER`` prints one JSON line a file. What is slow to import
is imported once.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from engine.upload_reader.__main__ import main


def read(path: Path) -> dict[str, object]:
    """Read one file and return how that ended: exit code, seconds, bytes held, what was printed."""
    said, began = path.with_name(f"{path.name}.said"), time.monotonic()
    child = os.fork()
    if child == 0:
        output = os.open(said, os.O_WRONLY | os.O_CREAT)
        os.dup2(output, 1)
        os.dup2(output, 2)
        main(str(path), f"{path}.arrow")
        sys.stdout.flush()
        os._exit(0)
    _, status, usage = os.wait4(child, 0)
    text = said.read_text("utf-8", "replace")
    said.unlink()
    return {
        "name": path.name,
        "code": os.waitstatus_to_exitcode(status),
        "seconds": time.monotonic() - began,
        "held_bytes": usage.ru_maxrss * 1_024,
        "said": text,
    }


if __name__ == "__main__":
    for one in sorted(Path(sys.argv[1]).iterdir()):
        print(json.dumps(read(one)), flush=True)
