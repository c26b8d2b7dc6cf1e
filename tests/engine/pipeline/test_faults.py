"""Every fault is executed once, and each row of the table is proved: the gate that caught it, its
hop, when, and what became of the predictions. Then each case of the game is played through.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from engine import scripts, workspace
from engine.jobs import run_to_end
from engine.pipeline import choice, faults, game
from engine.pipeline.faults import FaultsParams, FaultsResult, OneParams, figure, incident
from engine.pipeline.faults.executed import Executed, auc_change, missed_minutes
from engine.pipeline.faults.incident import DAILY, IncidentParams
from engine.pipeline.faults.kinds import FAULTS, KINDS, NONE
from engine.pipeline.faults.watch import MINUTES_OF_DAY, farthest_day, gate, reference_of
from engine.pipeline.game import GameParams, GameResult
from engine.pipeline.game import figure as game_figures
from engine.pipeline.game.cases import ANSWERS, CASES, CLUES, NO_FAULT
from engine.pipeline.records import Run

HOPS = [stage.name for stage in DAILY]
STOPPED = {  # fault -> the hop at which it ends the run, and what the gate says
    "schema_change": ("ingest", "Missing: dep_delay. Not known: departure_delay"),
    "duplicated_batch": ("validate", "carrier, flight, time_hour must be unique"),
    "leaking_column": ("audit", "last_delay alone reaches AUC"),
}
RECOVERED = {  # fault -> hop, failed attempts, what the first one says
    "late_file": ("ingest", 3, "flights-2013-02-21.csv must be at the source"),
    "flaky_api": ("ingest", 2, "HTTP Error 503"),
    "killed_worker": ("load", 1, "Got signal 9 after"),
    "full_disk": ("load", 1, "File too large"),
    "killed_spark": ("features", 1, "its Java process has ended"),
}


@pytest.fixture(scope="module")
def result(run: Run) -> FaultsResult:
    """Every fault, executed on one clean run."""
    return run_to_end(faults.steps(FaultsParams(every=True)))


@pytest.fixture(scope="module")
def clean(result: FaultsResult) -> Executed:
    return result.executed[NONE]


def test_the_day_without_a_fault_passes_every_gate(clean: Executed) -> None:
    assert [one.stage for one in clean.stages] == HOPS
    assert clean.caught is None and clean.fired == [] and clean.failures == ()
    assert clean.served is not None and len(clean.served.p) == clean.raw["n_flights"]
    assert 0.5 < (clean.auc or 0) < 0.9
    gates = {one["gate"] for one in clean.alerts}
    assert gates == {"freshness", "volume", "skew", "missing", "drift", "score"}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_caught_where_the_table_says(
    result: FaultsResult, clean: Executed, fault: str
) -> None:
    one = result.executed[fault]
    assert HOPS.index(KINDS[fault].hop) <= HOPS.index(one.stages[-1].stage)
    row = result.rows()[FAULTS.index(fault)]  # type: ignore[arg-type]
    assert row["fault"] == KINDS[fault].title
    caught = one.caught
    assert (caught.hop if caught else "") == KINDS[fault].expected
    assert row["caught by"] == (
        f"{caught.gate}, {incident.TITLES[caught.hop]}" if caught else "no gate"
    )
    if caught:
        assert caught.minute >= 0 and caught.evidence
    if fault in STOPPED:
        hop, said = STOPPED[fault]
        assert one.stopped_at == hop and said in one.failures[0].error
        assert len(one.failures) == 1 and one.served is None and one.alerts == ()
        assert auc_change(one, clean) is None
        announced = missed_minutes(one, clean, 0.3)
        assert announced == missed_minutes(replace(clean, served=None), clean, 0.3) > 0
    elif fault in RECOVERED:
        hop, n_failed, said = RECOVERED[fault]
        assert [one.hop for one in one.failures] == [hop] * n_failed
        assert said in one.failures[0].error
        assert one.minutes >= sum(KINDS[fault].waits[:n_failed])
        assert [r.digest for r in one.stages] == [r.digest for r in clean.stages]
        assert auc_change(one, clean) == (0.0, 0.0, 0.0) and missed_minutes(one, clean, 0.3) == 0
    else:
        assert one.failures == () and one.stopped_at == "" and one.served is not None
        assert one.served.p.tolist() != clean.served.p.tolist()  # type: ignore[union-attr]
        change = auc_change(one, clean)
        assert change is not None and change[1] <= change[0] <= change[2]
        assert change[0] == pytest.approx((one.auc or 0) - (clean.auc or 0))


def test_what_was_stored_before_a_kill_or_a_full_disk_stays(result: FaultsResult) -> None:
    for fault in ("killed_worker", "full_disk"):
        one = result.executed[fault]
        load = one.record("load")
        assert load is not None and load.state == "done"
        assert load.details["days"] == incident.N_DAYS
    assert "5 of 10 days" in result.executed["killed_worker"].failures[0].error


def test_faults_of_the_served_day_are_seen_by_the_gate_that_measures_them(
    result: FaultsResult,
) -> None:
    unit = {one["rule"] for one in result.executed["unit_change"].fired}
    assert unit == {"temp no farther than a learned day"}
    assert result.minutes is not None
    late = result.executed["unit_change"].caught
    assert late is not None and late.minute >= MINUTES_OF_DAY
    stale = result.executed["stale_features"]
    assert {one["gate"] for one in stale.fired} == {"freshness", "skew"}
    assert stale.caught is not None and stale.caught.minute < 120
    assert result.missed == ["time_zone_slip"]
    assert "time zone slip" in result.verdict


def test_the_page_shows_the_executed_faults(result: FaultsResult) -> None:
    alone = FaultsResult(FaultsParams(fault="killed_spark"), {})
    assert not alone.complete and "Not executed yet" in alone.verdict
    planned = {trace.name: trace for trace in figure.gates(alone).data if trace.name}
    assert len(planned["expected, not executed"].y) == len(FAULTS)
    drawn = {trace.name: trace for trace in figure.gates(result).data if trace.name}
    assert len(drawn["gate catches"].y) == result.n_caught == len(FAULTS) - 1
    assert list(drawn["no gate"].y) == ["Time zone slip"]
    served = [fault for fault in FAULTS if result.executed[fault].served is not None]
    assert len(figure.metric(result).data[0].x) == len(served)
    fired = {row["rule"]: row["fired by"] for row in result.alerts() if row["fired by"]}
    assert "Unit change" in fired["temp no farther than a learned day"]
    assert not any("no fault" in names for names in fired.values())
    for fault in FAULTS:
        shown = replace(result, params=FaultsParams(fault=fault))
        assert len(shown.why) >= 3 and len(shown.hops()) == len(HOPS)
        if fault in RECOVERED:
            assert shown.same_predictions(fault)


def test_a_gate_fires_above_its_limit_and_without_a_value() -> None:
    assert [
        gate("a", "serve", "r", value, 2.0, 0.0)["fired"] for value in (1.9, 2.0, 2.1, None)
    ] == [
        False,
        False,
        True,
        True,
    ]


def test_the_farthest_day_is_in_deviations_of_all_days() -> None:
    import pandas as pd

    days = np.repeat([1, 2, 3], 100)
    values = np.where(days == 3, 6.0, 0.0)
    learned = pd.DataFrame({"flight_date": days, "temp": values})
    assert farthest_day(learned, "temp", reference_of(learned, "temp")) == pytest.approx(
        4.0 / values.std()
    )


def test_the_daily_run_may_have_few_days_and_is_not_among_the_runs(run: Run) -> None:
    from engine.pipeline import store

    days = incident.daily_days(run)
    assert days[1] - choice.FIRST_RUN.days[1] == timedelta(incident.N_LATER)
    assert IncidentParams(days=days, base=run.id).n_days == incident.N_DAYS
    assert all(one.params.get("fault") is None for one in store.runs())
    assert days[1] == date(2013, 2, 21)


@pytest.fixture(scope="module")
def played(result: FaultsResult) -> Iterator[dict[int, game.Pair]]:
    yield {
        number: game.run(GameParams(case=number)).pair  # type: ignore[misc]
        for number in range(1, len(CASES) + 1)
    }


@pytest.mark.parametrize("case", range(1, len(CASES) + 1))
def test_each_case_can_be_played_to_its_end(played: dict[int, game.Pair], case: int) -> None:
    fault, level = CASES[case - 1]
    start = GameResult(GameParams(case=case), played[case])
    assert start.pair is not None and start.pair.one.fault == fault and start.level == level
    assert start.minutes == start.delay_minutes == 0 and start.opened() == {}
    truth = ANSWERS[fault]
    assert (
        truth not in start.verdict and KINDS.get(fault, KINDS["late_file"]).story not in start.why
    )
    clues = tuple(CLUES)
    open_all = GameResult(GameParams(case=case, clues=clues, answer=truth), played[case])
    assert open_all.right and open_all.minutes == sum(clue.minutes for clue in CLUES.values())
    assert open_all.delay_minutes == pytest.approx(open_all.risk * open_all.minutes)
    assert open_all.money_usd == pytest.approx(open_all.delay_minutes * 0.25 * 100)
    other = "Flaky API"
    wrong = GameResult(GameParams(case=case, clues=("log",), answer=other), played[case])
    assert wrong.wrong and wrong.minutes == CLUES["log"].minutes + game.WRONG_MINUTES
    assert truth.lower() in wrong.verdict.lower()
    shown = open_all.opened()
    assert shown["Run log"] and shown["Raw lines"]
    if level < 3:
        assert start.risk > 0 and shown["Run log"][-1]["state"] == "failed"
        assert shown["Feature drift"] == []
    else:
        assert len(shown["Run log"]) == len(HOPS) and shown["Feature drift"]
    bars = game_figures.price_list(wrong).data
    assert sum(len(trace.y) for trace in bars) == len(CLUES) + 1
    assert set(bars[0].y) == {"Run log", game_figures.WRONG}


def test_the_ten_cases_have_three_levels_and_one_has_no_fault(
    played: dict[int, game.Pair],
) -> None:
    assert len(CASES) == 10 and {level for _, level in CASES} == {1, 2, 3}
    assert [fault for fault, _ in CASES].count(NONE) == 1
    assert len({fault for fault, _ in CASES}) == 10
    case = [fault for fault, _ in CASES].index(NONE) + 1
    sound = GameResult(GameParams(case=case, clues=("log",), answer=NO_FAULT), played[case])
    assert sound.right and sound.risk == 0 == sound.money_usd
    wrong = GameResult(GameParams(case=case, answer="Killed Spark"), played[case])
    assert wrong.delay_minutes == pytest.approx(wrong.risk * game.WRONG_MINUTES) and wrong.risk > 0
    dear = GameResult(GameParams(case=case, answer="Killed Spark", minute_usd=200), played[case])
    assert dear.money_usd == pytest.approx(2 * wrong.money_usd)


def test_a_job_that_is_closed_stops_the_day(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "load_kept", lambda fault: None)
    monkeypatch.setattr(faults, "SIGN_OF_LIFE_SECONDS", 0.01)
    ended: list[str] = []

    def slow(fault: str, base: Run, report: Any) -> Executed:
        try:
            while True:
                report(base, "ingest", 0.5)
        finally:
            ended.append(fault)

    monkeypatch.setattr(faults, "perform", slow)
    work = faults.one(OneParams(fault="late_file"))
    next(work)
    work.close()
    assert ended == ["late_file"]


@pytest.mark.parametrize(
    ("module", "params"),
    [
        (faults, FaultsParams(fault="schema_change")),
        (game, GameParams(case=4, clues=("log",), answer="Late file")),
    ],
)
def test_the_scripts_print_the_headline(result: FaultsResult, module: Any, params: Any) -> None:
    expected = module.run(params).headline()
    call = [sys.executable, "-c", scripts.render(params)]
    done = subprocess.run(call, capture_output=True, text=True, cwd=workspace.REPOSITORY)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == expected
