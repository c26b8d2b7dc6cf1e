"""A shared server as it runs: it starts only with its names, answers what a page needs, shows no
secret of its environment, and keeps its visitors apart.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from engine import hosted
from engine.processes import free_port
from tests import deployment
from tests.bench import load
from tests.bench.sessions import Visitor, run
from tests.browser.serve import ROOT, launch
from tests.browser.test_traces import inside

KEY = "k3y-of-the-operator"
ENVIRONMENT = {
    **load.HOSTED,
    "STREAMLIT_SERVER_ADDRESS": "127.0.0.1",
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
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """The files and the environment of the image, below a path, as behind a proxy."""
    workspace, image = tmp_path_factory.mktemp("shared"), tmp_path_factory.mktemp("image")
    deployment.copy_to(image)
    before = inside(image)
    settings = {**deployment.environment(), **ENVIRONMENT}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        with launch("app.py", workspace, folder=image, base="class") as (address, server):
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


def test_it_does_not_start_without_its_names(tmp_path: Path) -> None:
    environment = {**os.environ, hosted.VARIABLE: "1", "PLAYGROUND_WORKSPACE": str(tmp_path)}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
    ended = subprocess.run(
        [*command, f"--server.port={free_port()}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1 and "server.allowedHosts" in said.strip().splitlines()[-1]
    assert "Traceback" not in said


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
