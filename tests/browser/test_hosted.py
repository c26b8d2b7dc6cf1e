"""A shared server as it runs: it starts only with its names, answers what a page needs, shows no
secret of its environment, and keeps its visitors apart.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from engine import hosted
from engine.processes import free_port
from pages.shell import chart
from tests import deployment
from tests.bench import load
from tests.bench.sessions import Visitor, run
from tests.browser import hostile, nginx
from tests.browser.serve import ROOT, launch
from tests.browser.test_traces import inside

KEY = "k3y-of-the-operator"
ENVIRONMENT = {
    **load.HOSTED,
    "STREAMLIT_SERVER_ADDRESS": "127.0.0.1",
    "STREAMLIT_SERVER_ALLOWED_HOSTS": f"127.0.0.1 {nginx.NAME}",
    "PREFECT_API_URL": f"https://{KEY}@127.0.0.1:9/api",
    "PREFECT_API_KEY": KEY,
    "PLAYGROUND_FEAST_REPO": f"/srv/{KEY}",
    "PLAYGROUND_FEAST_REDIS": f"redis://:{KEY}@127.0.0.1:9/0",
    "PLAYGROUND_FEAST_POSTGRES": f"postgresql://user:{KEY}@127.0.0.1:9/x",
    "STREAMLIT_SERVER_COOKIE_SECRET": KEY,
}
OFF = {  # a page and its settings -> what is off there
    ("orchestration", "Monitoring", "alerts_part", "Alerts"): "webhook",
    ("orchestration", "Run monitor", "", ""): "prefect",
    ("feature_store", "Registry", "", ""): "feast",
    ("etl", "Quality gate", "quality_view", "Tests"): "tests",
    ("spark", "Spark SQL", "sql_name", "Your own"): "sql",
    ("spark", "Cluster", "", ""): "cluster",
    ("talks", "", "", ""): "room",
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """The files and the environment of the image, below a path, as behind a proxy."""
    workspace, image = tmp_path_factory.mktemp("shared"), tmp_path_factory.mktemp("image")
    deployment.copy_to(image)
    before = inside(image)
    secrets = tmp_path_factory.mktemp("operator") / "secrets.toml"
    secrets.write_text(f'[warehouse]\npassword = "{KEY}"\n', encoding="utf-8")
    settings = {**deployment.environment(), **ENVIRONMENT, "STREAMLIT_SECRETS_FILES": str(secrets)}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        with launch("app.py", workspace, folder=image, base="playground") as (address, server):
            yield address, server.pid
    assert inside(image) == before, "the image's file system may be read-only"
    log = (workspace / "server.log").read_text(encoding="utf-8")
    assert KEY not in log, "a log may be read by more people than the environment"


class Reader(Visitor):
    """A visitor that looks for the operator's key in all that it gets."""

    def _take(self, data: bytes) -> None:
        if KEY.encode() in data:
            self.problems.append("the operator's key")
        super()._take(data)


@pytest.mark.parametrize(
    ("settings", "secrets", "said"),
    [
        ({}, "", "server.allowedHosts"),
        (load.HOSTED, f"[auth\ncookie_secret = '{KEY}'", "secrets.toml must be"),
    ],
)
def test_it_does_not_start_without_its_names_nor_with_secrets_that_it_cannot_read(
    settings: dict[str, str], secrets: str, said: str, tmp_path: Path
) -> None:
    environment = {**os.environ, hosted.VARIABLE: "1", "PLAYGROUND_WORKSPACE": str(tmp_path)}
    if secrets:
        path = tmp_path / "secrets.toml"
        path.write_text(secrets, encoding="utf-8")
        environment["STREAMLIT_SECRETS_FILES"] = str(path)
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
    ended = subprocess.run(
        [*command, f"--server.port={free_port()}"],
        cwd=ROOT,
        env={**environment, **settings},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    output = ended.stdout + ended.stderr
    assert ended.returncode == 1 and said in output.strip().splitlines()[-1]
    assert "Traceback" not in output and KEY not in output


def test_it_answers_what_a_page_needs(shared: tuple[str, int]) -> None:
    address, _ = shared
    with httpx.Client(base_url=address) as client:
        for path in ("metrics", "agent/openapi.json", "script-health-check"):
            assert client.get(f"/_stcore/{path}").status_code == 404, path
        assert client.post("/_stcore/agent/interact", json={}).status_code == 404
        assert client.get("/", headers={"Host": "evil.example"}).status_code == 403
        assert KEY not in client.get("/_stcore/host-config").text
        answer = client.get("/_stcore/health", headers={"X-Forwarded-Proto": "https"})
        cookie = answer.headers["set-cookie"].lower()
        assert answer.status_code == 200 and "; secure" in cookie and "samesite=lax" in cookie


def test_what_is_off_says_so_and_no_page_has_a_secret(shared: tuple[str, int]) -> None:
    async def visit(page: str, what: str, settings: dict[str, str]) -> None:
        async with Reader(shared[0], 1) as reader:
            await reader.open(page, **settings)
            sentence = hosted.off(what)  # type: ignore[arg-type]
            assert sentence and any(sentence in text for text in reader.texts), (what, reader.texts)
            assert not any("http://127.0.0.1" in text for text in reader.texts), what
            assert reader.problems == []

    for (page, tab, key, value), what in OFF.items():
        settings = {f"{page}_tab": tab, **({key: value} if key else {})}
        run(visit(page, what, settings))


def test_a_link_below_the_path_draws_its_chart(shared: tuple[str, int], page: Page) -> None:
    page.goto(f"{shared[0]}/formats?formats_tab=Anatomy")
    expect(page.locator(".main-svg").first).to_be_visible()
    assert page.get_by_test_id("stException").count() == 0


def test_an_upload_is_bounded_before_it_is_read(shared: tuple[str, int]) -> None:
    async def offered() -> list[int]:
        async with Visitor(shared[0], 1) as visitor:
            await visitor.open("sampling", lineage_source="upload")
            uploaders = [w for w in visitor.widgets.values() if w.kind == "file_uploader"]
            return [widget.proto.max_upload_size_mb for widget in uploaders]

    assert run(offered()) == [hosted.Bounds().upload_mb]


def test_many_visitors_at_a_time_are_answered_and_kept_apart(
    shared: tuple[str, int],
) -> None:
    address, pid = shared
    report = run(load.walk(address, pid, 6, 0.0, n_actions=3, think=(0.0, 0.2)))
    assert report.problems == [] and report.n_actions == 6 * 3
    assert len(report.samples) > 1 and all(each.n_files for each in report.samples)


@pytest.fixture(scope="module")
def proxy(shared: tuple[str, int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The port of a real nginx before that server, as ``deploy/nginx.conf`` sets it up."""
    with nginx.nginx(tmp_path_factory.mktemp("nginx"), urlsplit(shared[0]).port or 0) as port:
        yield f"{nginx.NAME}:{port}"


@pytest.fixture
def client(proxy: str) -> Iterator[httpx.Client]:
    """Somebody who knows the password of the proxy."""
    address = proxy.replace(nginx.NAME, "https://127.0.0.1")
    with httpx.Client(
        base_url=address,
        headers={"Host": proxy},
        auth=nginx.LOGIN,
        verify=False,
    ) as client:
        yield client


def test_nginx_asks_for_the_password_and_passes_on_what_the_server_needs(
    client: httpx.Client, proxy: str
) -> None:
    for path in ("/playground/", "/playground/formats", "/playground/_stcore/health"):
        assert client.get(path, auth=("", "")).status_code == 401, path
        assert client.get(path).status_code == 200, path
    moved = client.get("/playground")
    assert (moved.status_code, moved.headers["location"]) == (301, f"https://{proxy}/playground/")
    assert client.get("/playground/").headers["content-security-policy"]
    health = client.get("/playground/_stcore/health").headers["set-cookie"]
    assert "; Secure" in health, "the server is told that the browser's connection is encrypted"
    for path in ("/", "/vote/ABCDE", "/playground/_stcore/metrics"):
        assert client.get(path).status_code == 404, path
    other = {"Host": "evil.example"}
    assert client.get("/playground/", headers=other).status_code == 403
    own, foreign = {"Origin": f"https://{proxy}"}, {"Origin": "https://evil.example"}
    assert client.get("/playground/", headers=own).status_code == 200
    assert client.get("/playground/", headers=foreign).status_code == 403


def test_nginx_passes_an_upload_within_the_limit_and_no_larger_one(client: httpx.Client) -> None:
    token = client.get("/playground/_stcore/health").cookies["_streamlit_xsrf"]
    client.headers["X-Xsrftoken"] = token
    client.headers["Cookie"] = f"_streamlit_xsrf={token}"

    def put(megabytes: int) -> tuple[int, str]:
        answer = client.put(
            "/playground/_stcore/upload_file/nobody/1", content=b"0" * (megabytes * 1_048_576)
        )
        return answer.status_code, answer.text

    limit = hosted.Bounds().upload_mb
    (status, text), larger = put(limit), put(limit + 6)
    assert status == 400 and "session" in text, "the server answers"
    assert larger[0] == 413 and "nginx" in larger[1]


def test_nginx_passes_pages_charts_and_uploads(
    proxy: str, browser: Browser, tmp_path: Path
) -> None:
    context = browser.new_context(
        ignore_https_errors=True,
        http_credentials={"username": nginx.LOGIN[0], "password": nginx.LOGIN[1]},
    )
    page = context.new_page()
    page.set_default_timeout(60_000)
    sockets, answers = [], {}
    page.on("websocket", lambda socket: sockets.append(socket.url))
    page.on("response", lambda answer: answers.update({answer.url: answer.status}))
    home = f"https://{proxy}/playground"
    for path in ("glossary", "etl?etl_tab=Late+data", "formats?formats_tab=Anatomy&anatomy_seed=7"):
        page.goto(f"{home}/{path}")
        expect(page.locator("h1,h2").first).to_be_visible()
        assert page.url == f"{home}/{path}"
    expect(page.locator(".main-svg").first).to_be_visible()
    assert set(sockets) == {f"wss://{proxy}/playground/_stcore/stream"}
    assert answers[f"{home}{chart.LIBRARY}"] == 200
    page.goto(f"{home}/sampling?lineage_source=upload")
    large = tmp_path / "large.csv"
    large.write_bytes(b"a,b\n" * (hosted.Bounds().upload_mb * 1_048_576 // 4 + 1))
    page.locator("input[type=file]").first.set_input_files(large)
    expect(page.get_by_text(f"{hosted.Bounds().upload_mb}.0MB or smaller")).to_be_visible()
    page.locator("input[type=file]").first.set_input_files(hostile.upload(tmp_path, "parquet"))
    expect(page.locator(".st-key-lineage_plane .main-svg").first).to_be_visible()
    assert page.get_by_test_id("stException").count() == 0
    tries = ("/_stcore/health", "/_stcore/host-config")  # below a page's address, by Streamlit
    refused = [url for url, status in answers.items() if status >= 400 and not url.endswith(tries)]
    assert refused == []
    context.close()
