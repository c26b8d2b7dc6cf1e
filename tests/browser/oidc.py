"""A real OpenID Connect provider on loopback, in a process of its own (``oidc-provider-mock``), and
the secrets of an operator whose server asks it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.processes import free_port

PEOPLE = (
    {"sub": "ada", "email": "Ada@example.org", "name": "Ada Lovelace", "email_verified": True},
    {"sub": "eve", "email": "eve@example.com", "name": "Eve", "email_verified": True},
)


@contextmanager
def provider(folder: Path) -> Iterator[str]:
    """Yield the address of a provider that knows ``PEOPLE`` and takes their word for it."""
    port = free_port()
    people = [part for person in PEOPLE for part in ("--user-claims", json.dumps(person))]
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), *people]
    address = f"http://127.0.0.1:{port}"
    with (folder / "provider.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"{address}/.well-known/openid-configuration"):
                    break
            except OSError:
                if process.poll() is not None:
                    said = (folder / "provider.log").read_text(encoding="utf-8")
                    raise RuntimeError(f"The provider ended: {said}") from None
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


def secrets_file(folder: Path, address: str, redirect_uri: str, key: str) -> Path:
    """Write ``secrets.toml`` for the provider at ``address``, every secret of it with ``key`` in
    it, and return its path.
    """
    path = folder / "secrets.toml"
    path.write_text(
        f"""
[auth]
redirect_uri = "{redirect_uri}"
cookie_secret = "{cookie_secret(key)}"
client_id = "playground"
client_secret = "{key}"
server_metadata_url = "{address}/.well-known/openid-configuration"
""",
        encoding="utf-8",
    )
    return path


def cookie_secret(key: str) -> str:
    """Return the secret that signs cookies in ``secrets_file``."""
    return f"{key}-{'0' * 32}"
