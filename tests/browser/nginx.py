"""A real nginx before a server: ``deploy/nginx.conf`` as it is, but for its port, the server's port
and the three files that it names; with a certificate made for it and one person who knows the
password.
"""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from engine.processes import free_port
from tests.deployment import DEPLOY

NAME = "playground.example.com"  # of the file
LOGIN = ("ada", "difference-engine")
# What /etc/nginx/nginx.conf is around a server block, with all files in one folder.
FRAME = """{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/server.conf;
}}
"""


def found() -> str | None:
    """Return the path of nginx, ``None`` where there is none."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin")


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for ``NAME`` and its key, and return their paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "playground.pem", folder / "playground.key"
    pem.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    plain = serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    return pem, secret


def configuration(folder: Path, port: int, server_port: int) -> str:
    """Return ``deploy/nginx.conf`` with ports and files of this machine."""
    users = folder / "playground.users"
    users.write_text(f"{LOGIN[0]}:{{PLAIN}}{LOGIN[1]}\n", encoding="utf-8")
    pem, secret = certificate(folder)
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    for there, here in {
        "listen 443 ": f"listen 127.0.0.1:{port} ",
        "http://127.0.0.1:8501;": f"http://127.0.0.1:{server_port};",
        "/etc/ssl/playground.pem": str(pem),
        "/etc/ssl/playground.key": str(secret),
        "/etc/nginx/playground.users": str(users),
    }.items():
        assert text.count(there) == 1, there
        text = text.replace(there, here)
    return text


@contextmanager
def nginx(folder: Path, server_port: int) -> Iterator[int]:
    """Run nginx before the server on ``server_port`` and yield its port, for https."""
    program, port = found(), free_port()
    assert program is not None, "nginx is missing: make test leaves these tests out without it"
    (folder / "server.conf").write_text(configuration(folder, port, server_port), "utf-8")
    user = "user root;" if os.geteuid() == 0 else ""  # who else may read a test's folder
    (folder / "nginx.conf").write_text(FRAME.format(folder=folder, user=user), "utf-8")
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf")]
    log = folder / "error.log"
    process = subprocess.Popen([*command, "-e", str(log)])
    try:
        for _ in range(100):
            try:
                httpx.get(f"https://127.0.0.1:{port}/", verify=False)
                break
            except httpx.TransportError:
                assert process.poll() is None, log.read_text(encoding="utf-8")
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)
