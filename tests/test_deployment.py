"""The files of ``deploy/`` against the Makefile, the server's own options and HOSTING.md."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import fields
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import pytest
import uvicorn
import yaml
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from engine import hosted, sign_in, web
from tests.deployment import DEPLOY, ROOT, environment, of

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
HOSTING = (ROOT / "HOSTING.md").read_text(encoding="utf-8")


def test_the_image_installs_and_starts_as_the_makefile_does() -> None:
    venv, install, user = of("RUN")
    assert venv == "python -m venv .venv" and "-m venv .venv" in MAKEFILE
    pip, lock = "-m pip install --quiet --disable-pip-version-check", "-r requirements.txt"
    assert (
        install == f".venv/bin/python {pip} --no-cache-dir {lock}" and f"$(PY) {pip} -r" in MAKEFILE
    )
    start = json.loads(of("CMD")[0])
    assert start[:5] == [".venv/bin/python", "-m", "streamlit", "run", "app.py"]
    assert "streamlit run app.py --server.headless=" in MAKEFILE
    assert of("USER") == ["playground"] and "useradd" in user and of("STOPSIGNAL") == ["SIGINT"]


def test_the_image_is_sent_what_it_copies() -> None:
    listed = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    sources = {rest.split()[0] for rest in of("COPY")}
    assert {line[1:] for line in listed if line.startswith("!")} == sources
    assert ".streamlit/secrets.toml" in listed


def test_compose_keeps_the_file_system_read_only_but_for_the_workspace() -> None:
    service = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"][
        "playground"
    ]
    targets = [PurePosixPath(volume.split(":")[1]) for volume in service["volumes"]]
    assert service["read_only"] and service["cap_drop"] == ["ALL"]
    assert (
        [str(path) for path in targets] == of("VOLUME") == [environment()["PLAYGROUND_WORKSPACE"]]
    )
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_the_service_and_the_proxy_agree() -> None:
    unit = (DEPLOY / "playground.service").read_text(encoding="utf-8")
    proxy = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    base = re.findall(r"STREAMLIT_SERVER_BASE_URL_PATH=(\S+)", unit)
    assert re.findall(r"location /(\S+)/ {", proxy) == base
    assert re.findall(r"server_name (\S+);", proxy) == re.findall(r"ALLOWED_HOSTS=(\S+)", unit)
    for header in ("Host $http_host", "X-Forwarded-Proto $scheme", "Upgrade $http_upgrade"):
        assert f"proxy_set_header {header};" in proxy
    size = re.search(r"client_max_body_size (\d+)m", proxy)
    assert size is not None and int(size[1]) > hosted.Bounds().upload_mb
    assert "PLAYGROUND_HOSTED=1" in unit and "KillSignal=SIGINT" in unit


def test_the_image_believes_the_proxy_of_its_host(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(scope: web.Scope, receive: web.Receive, send: web.Send) -> None:
        text = PlainTextResponse("text")
        text.set_cookie("name", "value")
        await text(scope, receive, send)

    def cookie() -> str:
        trusted = uvicorn.Config(answer).forwarded_allow_ips
        believing = ProxyHeadersMiddleware(web.Front(answer), trusted)  # type: ignore[arg-type]
        browser = TestClient(believing, client=("172.17.0.1", 5_000))  # as of docker's network
        return str(browser.get("/", headers={"X-Forwarded-Proto": "https"}).headers["set-cookie"])

    assert not cookie().endswith("; Secure")
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", environment()["FORWARDED_ALLOW_IPS"])
    assert cookie().endswith("; Secure")


def test_the_secrets_of_the_guide_let_a_server_start_behind_the_proxy() -> None:
    shown = re.search(r"```toml\n(.*?)```", HOSTING, re.DOTALL)
    assert shown is not None
    auth = tomllib.loads(shown[1])["auth"]
    base, host = "/playground", "playground.example.com"
    assert set(auth) == set(sign_in.KEYS) and urlsplit(auth["redirect_uri"]).hostname == host
    assert f"{base}/" in (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    assert "cookie_secret" in sign_in.start_problem(auth, base), "nobody's secret is the guide's"
    assert sign_in.start_problem({**auth, "cookie_secret": "s" * 32}, base) == ""


def test_the_guide_lists_each_bound_with_its_default() -> None:
    listed = dict(re.findall(rf"`{hosted.VARIABLE}_(\w+)` \| (\d+) \|", HOSTING))
    defaults = hosted.Bounds()
    assert listed == {
        field.name.upper(): str(getattr(defaults, field.name)) for field in fields(defaults)
    }
    for path in re.findall(r"\]\(([\w/.]+)\)", HOSTING):
        assert (ROOT / path).is_file(), path
