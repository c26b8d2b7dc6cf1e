"""Alerts against numbers worked by hand, numpy, a real failing run with its hook, a local
server that gets the POST.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
from scipy import stats as scipy_stats

from engine import scripts
from engine.errors import InputError
from engine.orchestration import alerts, history, hooks, launch, predict, records
from engine.orchestration.alerts import AlertsParams, figure, webhook
from engine.orchestration.alerts.webhook import POST, checked, post
from engine.orchestration.flows import RunParams
from engine.orchestration.records import Run
from tests.engine.printed import run_script

QUICK = RunParams(
    flow="meant to fail",
    tasks=1,
    width=1,
    duration_seconds=0.02,
    retries=0,
    failure_probability=0.0,
)


def lasting(
    seconds: float,
    place: int,
    state: records.RunState = "completed",
    waited: float = 0.0,
    **settings: object,
) -> Run:
    """A run that took so long; ``place`` orders them, the later the larger."""
    base = predict.run(RunParams(**settings))  # type: ignore[arg-type]
    at = 1e9 + 100 * place
    times = {"submitted_at": at, "started_at": at + waited, "ended_at": at + waited + seconds}
    return replace(
        base, id=f"run-{place}", name=f"run {place}", state=state, predicted=False, **times
    )  # type: ignore[arg-type]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path))
    return tmp_path


class Receiver(BaseHTTPRequestHandler):
    """Keeps what it gets; answers 200, or 500 under /broken, or nothing for a while under /slow."""

    got: ClassVar[list[dict[str, str]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Receiver.got.append(body)
        if self.path == "/slow":
            time.sleep(1.0)
        self.send_response(500 if self.path == "/broken" else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    Receiver.got.clear()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_too_slow_is_median_plus_k_mad_of_the_runs_before() -> None:
    past = [10.0, 11.0, 12.0, 13.0, 14.0]
    found = alerts.past_of(past)
    assert found.n == 5 and found.median_seconds == 12.0
    assert found.sigma_seconds == pytest.approx(
        scipy_stats.median_abs_deviation(past, scale="normal"), rel=1e-4
    )
    runs = tuple(lasting(s, k) for k, s in enumerate([*past, 16.5, 16.4]))[::-1]
    last, before, *_ = alerts.watch(runs, 5)
    assert before.past == found and last.past is not None and last.past.n == 6
    params = AlertsParams(k=3.0)
    (alert,) = alerts.alerts_of(before, params, {})
    assert (
        alert.rule == "too slow" and alert.because == "16.50 s > 12.00 + 3 × 1.48 = 16.45 s, n = 5"
    )
    assert alerts.alerts_of(before, replace(params, k=3.5), {}) == []
    assert alerts.alerts_of(before, replace(params, rules=("failed",)), {}) == []


def test_a_run_is_judged_by_completed_runs_of_its_own_settings_only() -> None:
    others = [lasting(100.0, k, tasks=3) for k in range(5)] + [
        lasting(100.0, 5 + k, state="failed") for k in range(5)
    ]
    mine = [lasting(1.0, 10 + k, seed=k) for k in range(5)] + [lasting(50.0, 20, seed=9)]
    watched = alerts.watch((*others, *mine)[::-1], 5)
    assert (
        watched[0].past is not None
        and watched[0].past.median_seconds == 1.0
        and watched[0].past.n == 5
    )
    assert watched[0].past.sigma_seconds == 0.05, "equal durations: 5 % of the median, not zero"
    assert [one.past for one in watched[1:6]] == [None] * 5, "too few runs before"


def test_scores_are_numpys() -> None:
    rng = np.random.default_rng(0)
    seconds = rng.lognormal(1, 0.4, 60)
    watched = alerts.watch(
        tuple(lasting(float(s), k, seed=k) for k, s in enumerate(seconds))[::-1], 5
    )[::-1]
    for k in range(5, 60):
        middle = np.median(seconds[:k])
        sigma = max(
            alerts.TO_SIGMA * np.median(np.abs(seconds[:k] - middle)), alerts.LEAST_SHARE * middle
        )
        assert watched[k].score == pytest.approx((seconds[k] - middle) / sigma, abs=1e-5)


def test_failures_and_late_starts_have_their_reason() -> None:
    failed = predict.run(RunParams(flow="meant to fail", failure_probability=0.0))
    (one,) = alerts.watch((replace(failed, id="x", predicted=False, submitted_at=-20.0),), 5)
    first, second = alerts.alerts_of(
        one, AlertsParams(), {"x": hooks.HookCall("x", "on_failure", "Failed", "", 0.0, 0.012)}
    )
    assert (
        first.rule == "failed"
        and first.because.startswith("upload, attempt ")
        and first.source == "on_failure, after 12 ms"
    )
    assert second.rule == "late" and second.because == "waited 20.0 s > 15 s"
    assert alerts.alerts_of(one, AlertsParams(late_seconds=20.0, rules=("late",)), {}) == []
    drawn = figure.scores(alerts.AlertsResult(AlertsParams(), (one,), False, {}))
    assert {"failed", "late"} <= {trace.name for trace in drawn.data}
    assert {"text", "rule", "run_id", "flow", "state"} <= set(first.body())


def test_how_often_chance_rings() -> None:
    assert alerts._one_in(3.0) == pytest.approx(1 / scipy_stats.norm.sf(3.0))


def test_hooks_write_a_line_that_is_read_again(workspace: Path) -> None:
    ended = time.time() - 2
    for name, (hook,) in hooks.options().items():
        state = SimpleNamespace(
            name="Failed", message=None, timestamp=SimpleNamespace(timestamp=lambda: ended)
        )
        hook(None, SimpleNamespace(id=f"of {name}"), state)
    with hooks.path().open("a") as file:
        file.write("half a li")
    calls = hooks.calls()
    assert {one.hook for one in calls.values()} == set(hooks.HOOKS)
    assert all(2 <= one.after_seconds < 10 for one in calls.values())


def test_only_http_addresses_are_taken() -> None:
    assert checked(" https://example.com/a ") == "https://example.com/a"
    for bad in (
        "ftp://x/y",
        "file:///etc/passwd",
        "example.com",
        "http://",
        "javascript:1",
        "http://a b",
        "http://[",
        "http://a:b",
    ):
        with pytest.raises(InputError, match="webhook must be an http or https address"):
            checked(bad)


def test_a_post_says_what_came_back(receiver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"text": "hello"}
    assert post(receiver, body).ok and Receiver.got == [body]
    broken = post(f"{receiver}/broken", body)
    assert not broken.ok and broken.answer.startswith("500")
    monkeypatch.setattr(webhook, "TIMEOUT_SECONDS", 0.2)
    assert post(f"{receiver}/slow", body).answer == "no answer within 0.2 s"
    gone = post("http://127.0.0.1:9/", body)
    assert not gone.ok and "Connect" in gone.answer


def test_a_real_run_that_fails_is_heard_from_its_hook_and_sent(receiver: str) -> None:
    """Real Prefect, real hook, real POST: from the failing task to the webhook."""
    owner, params = "2" * 32, AlertsParams(rules=("failed",))
    launch.wait(launch.submit(QUICK))  # one record is enough for the webhook
    POST.set(owner, receiver, params)
    try:
        assert POST.test(owner).ok and POST.sent(owner)[0].about.startswith("Test alert")
        run_id = launch.submit(replace(QUICK, seed=1))
        launch.wait(run_id)
        deadline = time.monotonic() + 60  # a busy machine is slow, not wrong
        while (
            run_id not in {body.get("run_id") for body in Receiver.got}
            and time.monotonic() < deadline
        ):
            time.sleep(0.2)
    finally:
        POST.set(owner, "", params)
    bodies = [body for body in Receiver.got if body.get("run_id")]
    assert [body["run_id"] for body in bodies] == [run_id], "this run's alert, once, and no old one"
    assert "upload" in bodies[0]["text"] and bodies[0]["rule"] == "failed"
    result = alerts.run(replace(params, source="recorded"))
    (alert,) = [alert for alert in result.alerts if alert.run.id == run_id]
    assert alert.source.startswith("on_failure, ") and "unsupported operand" in alert.because
    assert any(reason.startswith("**Hooks**") for reason in result.why), result.why
    assert POST.sent(owner) == []


def test_an_unset_webhook_cannot_be_tested() -> None:
    with pytest.raises(InputError, match="webhook must be set"):
        POST.test("nobody")


def test_simulated_runs_are_watched_until_enough_are_recorded(workspace: Path) -> None:
    result = alerts.run(AlertsParams())
    assert result.simulated and "simulated" in result.verdict
    assert len(result.watched) == history.N_SIMULATED
    failing = predict.run(RunParams(flow="meant to fail"))
    for k in range(history.ENOUGH):
        assert alerts.run(AlertsParams()).simulated
        records.save(replace(failing, id=f"run-{k}", predicted=False, submitted_at=float(k)))
        sent = webhook._recorded(AlertsParams())
        assert not sent.simulated and sent.n_failed == k + 1, "a webhook gets real alerts, if few"
    result = alerts.run(AlertsParams())
    assert not result.simulated and result.n_failed == history.ENOUGH


@pytest.mark.parametrize(
    "given",
    [
        {"source": "simulated"},
        {"source": "simulated", "k": 1.0, "min_runs": 3, "rules": ("too slow",)},
    ],
)
def test_the_script_prints_the_headline(given: dict[str, object], tmp_path: Path) -> None:
    params = AlertsParams(**given)  # type: ignore[arg-type]
    assert run_script(scripts.render(params)) == alerts.run(params).headline()
