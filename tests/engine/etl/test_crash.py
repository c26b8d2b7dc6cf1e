"""The crash lab: real kills against the script's own bookkeeping; random crashes and reruns; a
source with faults.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import processes, scripts
from engine.errors import InputError
from engine.etl import crash, flight_days, ledger, warehouse
from engine.etl.crash import (
    CRASH_POINTS,
    CrashParams,
    api,
    bad_input,
    daily,
    expected,
    flaky,
    retries,
)
from engine.etl.crash import figure as figures
from engine.etl.crash.api import Faults
from engine.etl.crash.child import CrashError
from engine.etl.crash.daily import Plan
from engine.etl.crash.flaky import FlakyParams
from engine.etl.crash.retries import Client, GivenUpError, Policy, Tally
from engine.etl.warehouse import STRATEGIES
from tests.engine.printed import run_script

DAY = 174


# ---- killed for real


def test_a_real_kill_leaves_what_the_script_predicts() -> None:
    result = crash.run(CrashParams())
    assert {ending for lane in result.lanes for ending in lane.ended} == {"SIGKILL"}
    assert run_script(scripts.render(CrashParams())) == result.headline()
    unmeasured = expected.run(CrashParams())
    assert unmeasured.headline() == result.headline() and not unmeasured.complete
    assert unmeasured.verdict.startswith("Not measured yet.") and len(unmeasured.why) == 3
    assert result.n_half_visible == 10 and result.n_exact == 18, (
        "no transaction: half-done; append without one: wrong for good"
    )
    assert all(not result.half_visible(lane) for lane in result.lanes if lane.cell.transaction)
    assert result.lane("append", "both").rerun.exact
    appended = result.lane("append", "neither")
    assert appended.rerun.n_duplicated == appended.crashed.n_target
    direct, staged = result.lane("upsert", "transaction"), result.lane("upsert", "both")
    assert direct.calls > staged.calls == result.n_pages
    assert len(result.why) == 4 and result.table().num_rows == 40
    assert "**10 of 20** tables show a partial load" in result.verdict


@pytest.mark.parametrize(
    "params",
    [
        CrashParams(crash_at="validate", before="the day as of midnight"),
        CrashParams(crash_at="commit", ending="exception", n_crashes=2),
    ],
)
def test_other_crashes_against_the_script(params: CrashParams) -> None:
    result = crash.run(params)
    assert run_script(scripts.render(params)) == result.headline()
    assert expected.run(params).headline() == result.headline()
    assert {ending for lane in result.lanes for ending in lane.ended} == {
        "SIGKILL" if params.ending == "kill -9" else "exception"
    }


def test_the_matrix_shows_every_ledger() -> None:
    result = crash.run(CrashParams())
    figure = figures.matrix(result, result)
    bars = [bar for bar in figure.data if bar.type == "bar"]
    assert len(bars) == 20 and len(figure.to_json()) < 100_000
    for bar in bars:
        column = 0 if bar.xaxis in (None, "x") else int(bar.xaxis[1:]) - 1
        lanes = [result.lane(strategy, crash.SAFEGUARDS[column].name) for strategy in STRATEGIES]
        expected = [
            found.counts()[bar.name] for lane in lanes for found in (lane.crashed, lane.rerun)
        ]
        assert list(bar.x) == expected
    line = figures.timeline(result.lane("upsert", "both"))
    assert line.data[0].name == "extract" and line.data[0].x[0] > line.data[0].x[1], (
        "the rerun finds the pages on disk"
    )
    assert [note.text for note in line.layout.annotations] == [f"{result.n_pages} calls", "0 calls"]


# ---- random crashes, in this process


@pytest.fixture(scope="module")
def calm() -> Iterator[str]:
    with api.serve() as served:
        yield served.address


class _Crashes:
    """Raise at the given step, once."""

    def __init__(self, at: str) -> None:
        self.at = at

    def __call__(self, step: str) -> None:
        if step == self.at:
            raise CrashError


@settings(max_examples=10, deadline=None)
@given(
    strategy=st.sampled_from(["upsert", "overwrite partition", "delete-insert"]),
    staging=st.booleans(),
    crashes=st.lists(st.sampled_from(CRASH_POINTS), max_size=3),
    days=st.lists(st.sampled_from([DAY, DAY + 1]), min_size=1, max_size=3),
    stale=st.booleans(),
)
def test_transactional_and_rerun_to_the_end_it_equals_the_source(
    calm: str,
    tmp_path_factory: pytest.TempPathFactory,
    strategy: Any,
    staging: bool,
    crashes: list[str],
    days: list[int],
    stale: bool,
) -> None:
    folder = tmp_path_factory.mktemp("invariant")
    with warehouse.connect(folder / "w.duckdb") as connection:
        daily.create_notes(connection)
        warehouse.create(connection, "flights")
        if stale:
            held = flight_days.rows_at(flight_days.midnight(DAY + 1), DAY)
            connection.register("held", held)
            connection.execute("INSERT INTO flights SELECT *, false FROM held")
        for turn, day in enumerate(days):
            plan = Plan(
                day=day,
                address=calm,
                table="flights",
                strategy=strategy,
                transaction=True,
                staging=staging,
                folder=folder / f"{turn}",
            )
            for at in crashes:
                before = ledger.state_hash(warehouse.rows(connection))
                try:
                    daily.run_day(connection, plan, _Crashes(at))
                except CrashError:
                    after = ledger.state_hash(warehouse.rows(connection))
                    assert at == "commit" or after == before, "nothing half-done is ever visible"
            daily.run_day(connection, plan, lambda step: None)
        for day in set(days):
            rows = warehouse.rows(connection)
            rows = rows.filter(pc.equal(rows["flight_date"], flight_days.date_of(day)))
            assert ledger.reconcile(flight_days.truth(day), rows, flight_days.KEYS).exact


def test_a_staged_rerun_asks_only_for_pages_it_lacks(tmp_path: Path) -> None:
    with (
        api.serve(Faults(poisoned=(1,))) as served,
        warehouse.connect(tmp_path / "w.duckdb") as connection,
    ):
        daily.create_notes(connection)
        warehouse.create(connection, "flights")
        options: dict[str, Any] = {
            "day": DAY,
            "table": "flights",
            "strategy": "upsert",
            "transaction": True,
            "staging": True,
        }
        plan = Plan(
            address=served.address,
            folder=tmp_path / "pages",
            policy=Policy(attempts=2, base_seconds=0.0),
            **options,
        )
        with pytest.raises(
            InputError,
            match="must answer page 1 of 24 Jun 2013. It gave up after 2 attempts.*: 500",
        ):
            daily.run_day(connection, plan, lambda step: None)
        with api.serve() as well:
            plan = Plan(address=well.address, folder=tmp_path / "pages", **options)
            costs = daily.run_day(connection, plan, lambda step: None)
            assert costs.tally.calls == api.n_pages(DAY) - 1 and well.turns[(DAY, 0)] == 0
            assert daily.run_day(connection, plan, lambda step: None).skipped


def test_rows_without_a_key_or_with_one_twice_are_put_aside(tmp_path: Path) -> None:
    rows = json.loads(api.page_json(DAY, 0, False))[:5]
    rows[1]["carrier"] = None
    rows[3] = rows[2] | {"updated_at": "2013-01-01 00:00:00"}
    answer = retries.Answer(200, json.dumps(rows), {"x-pages": "1"})
    with (
        patch.object(daily, "fetch", lambda *arguments: answer),
        warehouse.connect(tmp_path / "w.duckdb") as connection,
    ):
        daily.create_notes(connection)
        warehouse.create(connection, "flights")
        plan = Plan(
            day=DAY,
            address="http://nowhere/",
            table="flights",
            strategy="append",
            transaction=True,
            staging=True,
            folder=tmp_path,
        )
        daily.run_day(connection, plan, lambda step: None)
        reasons = connection.execute("SELECT reason FROM dead_letters ORDER BY reason").fetchall()
        assert [reason for (reason,) in reasons] == [
            "a key column is missing",
            "the key comes twice",
        ]
        assert warehouse.rows(connection).num_rows == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<html>", "Page 2 must be JSON"),
        ("[]", "It lacks flight_date"),
        ('[{"flight_date": 1}]', "It lacks carrier"),
    ],
)
def test_a_page_that_is_no_page_is_a_sentence(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        daily.check_columns(text, 2)


# ---- what must not harm the warehouse


def test_four_bad_inputs_leave_the_warehouse_whole_and_say_what_to_do() -> None:
    cases = bad_input.run()
    assert [case.name for case in cases] == [
        "a changed schema",
        "an unreachable source",
        "a full disk (simulated)",
        "two parallel runs",
    ]
    assert all(case.whole and case.n_rows == 908 for case in cases)
    says = (
        "lacks arr_delay and has arrival_delay instead",
        "the last one: 503",
        "The disk is full",
        "open in another run",
    )
    assert all(text in case.sentence for text, case in zip(says, cases, strict=True))


def test_the_disk_is_really_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with warehouse.connect(path) as connection:
        warehouse.create(connection)
    with pytest.raises(InputError, match="DuckDB says: .*(write|File too large|space)"):
        processes.run_limited("engine.etl.crash.rival", "fill", str(path), "100000")
    with warehouse.connect(path) as connection:
        assert warehouse.rows(connection).num_rows == 0


# ---- the API and retries


def test_faults_are_drawn_by_page_and_turn_not_by_the_clock() -> None:
    faults = Faults(error_share=0.3, timeout_share=0.2, seed=3)
    drawn = [faults.status(DAY, page, turn) for page in range(40) for turn in range(25)]
    assert drawn == [faults.status(DAY, page, turn) for page in range(40) for turn in range(25)]
    counts = Counter(drawn)
    assert abs(counts[500] / 1_000 - 0.3) < 0.06 and abs(counts[504] / 1_000 - 0.2) < 0.05
    assert (
        Faults(down=True).status(DAY, 0, 9) == 503
        and Faults(poisoned=(2,)).status(DAY, 2, 9) == 500
    )
    with pytest.raises(InputError, match="error_share must be 0–1. Got 2"):
        Faults(error_share=2)
    with pytest.raises(InputError, match="at most 1 together"):
        Faults(error_share=0.6, timeout_share=0.6)


class _Script:
    """A client whose answers are given."""

    def __init__(self, *outcomes: Any) -> None:
        self.outcomes = list(outcomes)

    def get(self, query: dict[str, int], timeout_seconds: float) -> retries.Answer:
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return retries.Answer(outcome, "", {"retry-after": "0.5"} if outcome == 429 else {})


def test_waits_double_and_retry_after_is_heeded() -> None:
    waits: list[float] = []
    policy, tally = Policy(jitter=False, base_seconds=0.1, attempts=6), Tally()
    client: Any = _Script(500, TimeoutError(), ConnectionResetError(), 429, 200)
    retries.fetch(client, {}, policy, tally, random.Random(0), waits.append)
    assert waits == pytest.approx([0.1, 0.2, 0.4, 0.5 + 0.8]) and tally.calls == 5
    assert tally.outcomes == {"500": 1, "timeout": 1, "ConnectionResetError": 1, "429": 1, "200": 1}
    assert tally.waited_seconds == pytest.approx(sum(waits))


def test_a_permanent_error_is_not_retried() -> None:
    for outcomes, attempts, last in (((404,), 1, "404"), ((500, 500, 500), 3, "500")):
        client: Any = _Script(*outcomes)
        with pytest.raises(GivenUpError, match=f"the last one: {last}") as caught:
            retries.fetch(
                client, {}, Policy(attempts=3), Tally(), random.Random(0), lambda seconds: None
            )
        assert caught.value.attempts == attempts


def test_jitter_spreads_evenly_up_to_the_full_wait() -> None:
    rng = random.Random(0)
    waits = [Policy(base_seconds=0.1).wait_seconds(3, 0.0, rng) for _ in range(2_000)]
    assert (
        0 <= min(waits) < 0.01 and 0.39 < max(waits) <= 0.4 and abs(sum(waits) / 2_000 - 0.2) < 0.01
    )
    assert Policy(backoff=False).wait_seconds(3, 9.0, rng) == 0
    assert Policy(base_seconds=1, jitter=False).wait_seconds(9, 0, rng) == retries.MAX_WAIT_SECONDS


def test_the_api_over_http_is_the_day_page_by_page() -> None:
    with api.serve(Faults(calls_per_window=2)) as served:
        client, tally = Client(served.address), Tally()
        rows: list[Any] = []
        for page in range(api.n_pages(DAY)):
            answer = retries.fetch(
                client, {"day": DAY, "page": page}, Policy(attempts=9), tally, random.Random(0)
            )
            rows += json.loads(answer.text)
        client.close()
    assert (
        len(rows) == flight_days.truth(DAY).num_rows + 25
        and sum(row["deleted"] for row in rows) == 25
    )
    assert tally.outcomes["200"] == served.statuses[200] == api.n_pages(DAY)
    assert served.statuses[429] == tally.outcomes["429"]


def test_a_call_that_hangs_times_out_and_the_next_one_works() -> None:
    late_once = [504, 200]
    seed = next(
        seed
        for seed in range(99)
        if [Faults(timeout_share=0.5, seed=seed).status(DAY, 0, turn) for turn in (0, 1)]
        == late_once
    )
    with api.serve(Faults(timeout_share=0.5, seed=seed)) as served:
        client, tally = Client(served.address), Tally()
        retries.fetch(
            client, {"day": DAY, "page": 0}, Policy(timeout_seconds=0.2), tally, random.Random(0)
        )
        client.close()
    assert tally.outcomes == {"timeout": 1, "200": 1}


def test_every_policy_accounts_for_every_page_and_dead_letters_are_fetched_later() -> None:
    result = flaky.run(FlakyParams(poisoned=True, clients=3, attempts=3, timeout_share=0.0))
    assert [lane.policy for lane in result.lanes] == list(flaky.POLICIES)
    for lane in result.lanes:
        assert lane.n_got == lane.outcomes["200"] and lane.n_got + len(
            lane.dead
        ) == lane.n_pages == 3 * api.n_pages(DAY)
        assert lane.n_fetched_later == len(lane.dead)
        assert {(day, what) for day, what, _ in lane.dead} >= {
            (DAY + i, "page 2") for i in range(3)
        }, "poison never works"
    assert len(result.lanes[0].calls) == result.lanes[0].n_pages, "one call for a page"
    figure = figures.calls(result)
    assert sum(len(trace.x) for trace in figure.data) == sum(
        len(lane.calls) for lane in result.lanes
    )
    assert len(result.rows()) == 4
    assert flaky.FlakyResult(result.params, ()).verdict == "0 of 4 policies have run."
