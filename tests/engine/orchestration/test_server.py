"""The one Prefect server: loopback only, quiet, started again when it dies; attached ones said when
they are away.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer

import httpx
import psutil
import pytest

from engine import workspace
from engine.errors import InputError
from engine.orchestration import launch, monitor, predict, records, watch
from engine.orchestration.flows import RunParams
from engine.orchestration.launch import LAUNCHER, Launcher
from engine.orchestration.server import SERVER, Server, ui_of

SLOW = RunParams(
    flow="daily ETL",
    tasks=4,
    width=2,
    duration_seconds=1.0,
    failure_probability=0.0,
    retries=1,
    seed=2,
)


def until(condition, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def test_the_server_is_ours_on_this_machine_only_and_sends_nothing_home() -> None:
    url = SERVER.ready()
    state = SERVER.state
    assert (
        state.kind == "own"
        and state.ready
        and url.startswith("http://127.0.0.1:")
        and state.ui_url == url[:-4]
    )
    process = psutil.Process(SERVER._process.pid)
    listening = [c.laddr.ip for c in process.net_connections() if c.status == psutil.CONN_LISTEN]
    assert listening == ["127.0.0.1"]
    settings = SERVER.call("admin/settings")
    assert settings["server"]["analytics_enabled"] is False
    assert str(SERVER.home) in settings["home"] and os.getpgid(process.pid) != os.getpgid(0)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_no_page_of_another_site_reads_or_starts_anything(origin: str) -> None:
    url = SERVER.ready()
    foreign = {"Origin": origin}
    assert httpx.post(f"{url}/flows/", json={"name": "planted"}, headers=foreign).status_code == 403
    asks = {
        **foreign,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "content-type",
    }
    answer = httpx.options(f"{url}/deployments/x", headers=asks)
    assert answer.status_code == 403 and "access-control-allow-origin" not in answer.headers
    assert httpx.get(f"{url}/health", headers={"Host": "evil.example"}).status_code == 403
    assert "planted" not in {flow["name"] for flow in SERVER.call("flows/filter", {})}
    own = {"Origin": SERVER.state.ui_url}  # Prefect's own pages go on
    assert httpx.post(f"{url}/flows/filter", json={}, headers=own).status_code == 200
    page = httpx.get(SERVER.state.ui_url, headers={"Accept": "text/html"}, follow_redirects=True)
    assert (
        page.status_code == 200
        and page.headers["content-security-policy"] == "frame-ancestors 'self'"
    )


def test_start_again_is_no_error_and_starts_nothing() -> None:
    SERVER.ready()
    pid = SERVER._process.pid
    SERVER.start()
    assert SERVER._process.pid == pid and SERVER.ready() == SERVER.state.url


def test_a_server_killed_in_mid_run_is_said_comes_back_and_the_run_ends_or_can_be_rerun() -> None:
    kept = {run.id for run in records.runs()}
    run_id = launch.submit(SLOW)
    until(lambda: watch.read(SERVER, run_id).counts().get("running", 0) > 0, 120)
    url, before = SERVER.state.url, SERVER.n_restarts
    psutil.Process(SERVER._process.pid).kill()
    until(lambda: SERVER.state.stage == "restarting", 10)
    assert "is being restarted on its port and database" in SERVER.state.message
    assert watch.peek(run_id) is not None  # the page goes on with what it last read
    assert SERVER.ready(120) == url and SERVER.n_restarts == before + 1
    run = launch.wait(run_id, 180)
    assert run.ended and kept <= {run.id for run in records.runs()}
    again = launch.wait(launch.submit(records.load(run_id).params), 120)
    assert again.params == SLOW and again.state == "completed"
    assert monitor.result_of(again).outcomes() == monitor.result_of(predict.run(SLOW)).outcomes()


def test_a_database_that_was_deleted_under_the_server_is_made_anew_and_runs_go_on() -> None:
    before = SERVER.n_databases
    launch.wait(launch.submit(replace(SLOW, duration_seconds=0.0)), 120)
    workspace.remove(SERVER.home)
    until(lambda: SERVER.n_databases == before + 1, 10)
    assert SERVER.state.stage == "starting"
    SERVER.ready(300)
    run = launch.wait(launch.submit(replace(SLOW, duration_seconds=0.0)), 120)
    assert run.state == "completed" and SERVER.home.is_dir() and run.tasks


def locked_but_for_the_list(call):
    def answer(path: str, *rest: object, **named: object) -> object:
        if path == "flow_runs/filter":
            return call(path, *rest, **named)
        raise InputError(
            "Prefect's server must answer. It did not within 45 s: 503 database is locked."
        )

    return answer


def test_a_run_that_a_crashed_app_left_is_marked_and_one_that_waited_is_taken_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A second launcher on the same server finds what the first one, had it died, would have
    left.
    """
    call = SERVER.call
    flow_id = LAUNCHER._flow_id("daily ETL", 30.0)
    quick = RunParams(
        flow="daily ETL", tasks=1, width=1, duration_seconds=0.0, failure_probability=0.0
    )
    left = {}
    for kind in ("RUNNING", "SCHEDULED"):
        body = {
            "flow_id": flow_id,
            "parameters": {"settings": {**vars_of(quick)}},
            "state": {"type": kind},
        }
        left[kind] = call("flow_runs/", body)["id"]
    other = Launcher(SERVER)
    with (
        monkeypatch.context() as away
    ):  # and the server is locked just when the run is to be marked: it stays in sight
        away.setattr(SERVER, "call", locked_but_for_the_list(call))
        other._recover()
    assert left["RUNNING"] in other.unread and left["RUNNING"] in other.params
    other._finish(left["RUNNING"])
    assert records.load(left["RUNNING"]).state == "crashed"
    assert list(other.queue) == [left["SCHEDULED"]]
    call(
        f"flow_runs/{left['SCHEDULED']}/set_state", {"state": {"type": "CANCELLED"}, "force": True}
    )


def vars_of(params: RunParams) -> dict[str, object]:
    return asdict(params)


def test_the_addresses_of_prefects_own_pages() -> None:
    assert ui_of("http://127.0.0.1:4200/api") == "http://127.0.0.1:4200"
    cloud = "https://api.prefect.cloud/api/accounts/a1/workspaces/w1"
    assert ui_of(cloud) == "https://app.prefect.cloud/account/a1/workspace/w1"


def test_an_unreachable_server_is_said_and_none_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    server = Server()
    assert server.kind == "attached"
    with pytest.raises(
        InputError,
        match=r"PREFECT_API_URL must name a Prefect server .* Got http.://127.0.0.1:9/api: .*unset",
    ):
        server.ready(10)
    assert server.state.stage == "unreachable" and server._process is None
    assert "What is recorded stays in sight" in server.state.message
    server.stop()
    monkeypatch.setenv("PREFECT_API_URL", "nonsense")
    with pytest.raises(InputError, match="Got nonsense"):
        server.ready(10)
    server.stop()


def test_an_attached_server_is_used_and_left_running(monkeypatch: pytest.MonkeyPatch) -> None:
    url = SERVER.ready()
    monkeypatch.setenv("PREFECT_API_URL", url)
    server = Server()
    assert server.ready(20) == url and server._process is None
    assert server.state.message == f"Prefect at {url}." and server.call("flow_runs/count", {}) >= 0
    server.stop()
    assert SERVER.call("health") is True


@pytest.fixture
def busy() -> Iterator[tuple[str, list[str]]]:
    """A server that answers twice as Prefect does when SQLite is locked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            if "count" not in self.path:
                asked.append(self.headers.get("authorization", ""))
            code = (
                (503, 500)[len(asked) - 1] if "count" not in self.path and len(asked) <= 2 else 200
            )
            body = json.dumps(
                {"detail": "database is locked"} if code != 200 else {"id": "1"}
            ).encode()
            self.send_response(403 if "refused" in self.path else code)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    httpd = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}/api", asked
    httpd.shutdown()


def test_a_locked_database_is_tried_again_and_a_refusal_is_not(
    busy: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, asked = busy
    monkeypatch.setenv("PREFECT_API_URL", url)
    monkeypatch.setenv("PREFECT_API_KEY", "secret")
    server = Server()
    assert server.call("flow_runs/", {}) == {"id": "1"} and asked == ["Bearer secret"] * 3
    with pytest.raises(InputError, match="Prefect's server refuses refused: 403"):
        server.call("refused", {})
    assert len(asked) == 4
    server.stop()


def test_a_question_that_hangs_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, over = [], threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            if "filter" in self.path:
                asked.append(self.path)
                if len(asked) == 1:
                    over.wait(30)
                    return
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"[]")

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{httpd.server_port}/api")
    monkeypatch.setattr("engine.orchestration.server.READ_SECONDS", 0.2)
    server = Server()
    try:
        assert server.call("flow_runs/filter", {}, patience=15.0) == [] and len(asked) == 2
    finally:
        over.set()
        server.stop()
        httpd.shutdown()
