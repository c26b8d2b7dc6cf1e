"""The files of ``deploy/`` as tests read them."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions in order, each a word and its arguments."""
    lines = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").splitlines()
    pairs = [line.partition(" ") for line in lines if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in pairs]


def of(word: str) -> list[str]:
    """Return the arguments of each instruction ``word``."""
    return [rest for found, rest in instructions() if found == word]


def environment() -> dict[str, str]:
    """Return the image's environment."""
    return dict(pair.split("=", 1) for rest in of("ENV") for pair in shlex.split(rest))


def copy_to(folder: Path) -> None:
    """Put into ``folder`` what the image has in its working directory."""
    for rest in of("COPY"):
        source, target = rest.split()
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, folder / target)
        else:
            shutil.copy2(ROOT / source, folder / target)
