"""Registry: Feast's own registry and reads as oracles; `feast apply` in its own folder; a visitor's
repository unchanged.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

from engine import scripts, workspace
from engine.feature_store import lab_repo, registry, serving, snapshot
from engine.feature_store.own import registry as own_registry
from engine.feature_store.registry import FEATURES, RegistryParams
from engine.feature_store.registry import figure as figures
from engine.feature_store.registry.result import FOCUS, Answer, Change
from engine.feature_store.snapshot import Snapshot, Thing
from engine.jobs import run_to_end
from tests.engine.printed import run_script

DROPPED = RegistryParams(change="drop a feature")


# ---- what each change does to its readers, on Feast


def test_an_added_feature_disturbs_nobody_and_makes_a_version() -> None:
    result = registry.run(RegistryParams(change="add a feature"))
    assert (result.versions, result.consumer, result.consumer_pinned) == (
        ("v0", "v1"),
        "works",
        "works",
    )
    assert set(result.newest["online"]) == {*FEATURES, "created_hour"} and not result.silent


@pytest.mark.parametrize(
    ("change", "lost"), [("drop a feature", "last_delay"), ("rename a feature", "mean_delay")]
)
def test_a_lost_name_breaks_who_does_not_pin(change: Any, lost: str) -> None:
    result = registry.run(RegistryParams(change=change))
    assert (result.versions, result.consumer, result.consumer_pinned) == (
        ("v0", "v1"),
        "fails",
        "works",
    )
    for where in ("online", "offline"):
        assert f"contains {lost} which the FeatureView doesn't have" in result.after[where]
        assert result.pinned[where] == result.before[where]
    assert str(result.after["online"]) in " ".join(result.why)


def test_another_meaning_makes_no_version_and_splits_the_pinned_reader() -> None:
    result = registry.run(RegistryParams(change="another window, same names"))
    assert result.versions == ("v0",) and result.consumer == "another number" and result.silent
    _, five, twenty = (table.to_pandas() for table in registry.tables())
    last = {
        name: frame[frame["tailnum"] == result.plane].iloc[-1]
        for name, frame in (("5", five), ("20", twenty))
    }
    assert (
        result.before["online"]
        == result.before["offline"]
        == {name: pytest.approx(last["5"][name]) for name in FEATURES}
    )
    assert (
        result.after["online"]
        == result.after["offline"]
        == {name: pytest.approx(last["20"][name]) for name in FEATURES}
    )
    assert (
        result.pinned["offline"] == result.before["offline"]
        and result.pinned["online"] == result.after["online"]
    )
    assert any(reason.startswith("**Pinned to v0**") for reason in result.why)


def test_a_ttl_is_kept_by_training_alone_and_makes_no_version() -> None:
    result = registry.run(RegistryParams(change="a TTL of one hour"))
    assert result.versions == ("v0",) and result.consumer == "null"
    assert (
        result.after["offline"] == dict.fromkeys(FEATURES)
        and result.after["online"] == result.before["online"]
    )


@pytest.mark.parametrize(
    ("change", "happens"),
    [
        ("add a feature", "works"),
        ("drop a feature", "fails"),
        ("another window, same names", "another number"),
    ],
)
def test_a_change_reaches_every_model_that_lineage_names(change: Any, happens: str) -> None:
    result = registry.run(RegistryParams(change=change))
    down = {name.partition(" · ")[2] for name in result.downstream if name.startswith("model")}
    assert down == {"departure delay", "turnaround planner"} and result.n_models_hit == 2
    assert result.reach == {
        model: happens if model in down else "works"
        for model in ("departures board", "departure delay", "turnaround planner")
    }
    assert {trace.name for trace in figures.reuse(result).data} == set(result.reach.values())


def test_outcomes_by_hand() -> None:
    old: dict[str, Answer] = {
        "online": {"a": 1.0, "b": None},
        "offline": {"a": 1.0, "b": 2.0},
    }
    assert registry.outcome(old, old) == "works"
    assert registry.outcome(old, {**old, "online": {"a": 1.5, "b": None}}) == "another number"
    assert registry.outcome(old, {"online": {"a": 1.5}, "offline": {"a": None, "b": 2.0}}) == "null"
    assert registry.outcome(old, {**old, "offline": "no such feature"}) == "fails"


@pytest.mark.parametrize("change", ["another window, same names", "drop a feature"])
def test_the_script_is_feast_itself(change: Any) -> None:
    params = RegistryParams(change=change)
    assert run_script(scripts.render(params)) == registry.run(params).headline()


def test_looking_elsewhere_asks_feast_for_nothing_and_folders_go() -> None:
    assert RegistryParams(focus=FOCUS[0]).job == RegistryParams().job
    assert (
        registry.run(RegistryParams(focus=FOCUS[0])).snapshot
        is registry.run(RegistryParams()).snapshot
    )
    assert not list((workspace.server() / "scratch").glob("feast-registry-*"))


# ---- the snapshot and its lineage


def test_the_snapshot_holds_the_definitions() -> None:
    taken = registry.run(DROPPED).snapshot
    assert tuple(thing.id for thing in taken.things) == FOCUS
    named = {thing.id: thing for thing in taken.things}
    weather = named["feature view · weather"]
    assert weather.owner == "weather team" and ("domain", "weather") in weather.tags
    assert weather.features[0] == ("temp", "Float64", "°F") and ("versions", "v0") in weather.facts
    assert ("materialized until", "8 Jul 2013 00:00 UTC") in weather.facts
    assert ("logged", "yes") in named["feature service · delay_inputs"].facts
    assert ("takes", "weather (temp, visib)") in named["feature service · board_inputs"].facts
    assert (
        taken.verdict
        == "Project **flights**: 3 sources, 2 entities, 2 feature views, 1 on-demand view, 3"
        " feature services, 3 models."
    )


def test_lineage_is_what_the_definitions_say() -> None:
    taken = registry.run(DROPPED).snapshot
    down = taken.reached("source · weather_hourly", forward=True)
    assert {name.partition(" · ")[2] for name in down if name.startswith("model")} == {
        "departure delay",
        "departures board",
    }
    assert taken.reached("model · turnaround planner", forward=False) == {
        "feature service · turnaround_inputs",
        "feature view · plane_history",
        "source · plane_landings",
        "entity · plane",
    }
    assert registry.run(RegistryParams(focus="source · plane_landings")).n_models_hit == 2


def test_reach_ends_in_a_circle() -> None:
    ring = Snapshot("p", (), (("a", "b"), ("b", "c"), ("c", "a")))
    assert (
        ring.reached("a", forward=True) == {"b", "c"}
        and ring.reached("x", forward=True) == frozenset()
    )


def test_the_words_and_tables_say_the_result() -> None:
    result = registry.run(DROPPED)
    assert "plane_history feeds **2 of 3** models" in result.verdict
    assert "**fail**; readers pinned to v0 **still work**" in result.verdict
    assert result.table().num_rows == len(FOCUS) == len(result.snapshot.things)
    rows = result.versions_side_by_side()
    assert [row["reader"] for row in rows] == list(result.readers)
    assert rows[0]["online"] == rows[2]["online"]


@pytest.mark.parametrize("change", get_args(Change))
def test_what_is_expected_before_the_run_is_what_feast_then_says(change: Any) -> None:
    params = RegistryParams(change=change, focus="source · weather_hourly")
    early, result = registry.expected(params), registry.run(params)
    assert not early.complete and early.versions == result.versions
    assert (early.consumer, early.consumer_pinned) == (result.consumer, result.consumer_pinned)
    assert early.snapshot.edges == result.snapshot.edges and early.silent == result.silent
    assert early.verdict == f"Not measured yet. Expected: {result.verdict}"


def test_the_chart_of_readers_has_a_cell_for_each_answer() -> None:
    result = registry.run(DROPPED)
    cells = {trace.name: len(trace.y) for trace in figures.readers(result).data}
    assert cells == {"works": 6, "fails": 2}


def test_the_graph_colours_what_is_reached() -> None:
    taken = registry.run(DROPPED).snapshot
    figure = figures.lineage(taken, "source · plane_landings")
    shown = {trace.name: set(trace.text) for trace in figure.data if trace.name}
    assert len(shown[figures.HERE]) == 1 and len(shown[figures.DOWN]) == 6 and not shown[figures.UP]
    places = figures.lay_out(taken)
    assert len(set(places.values())) == len(taken.things), "nothing lies on top of another"
    assert all(places[a][0] < places[b][0] for a, b in taken.edges), "every edge runs to the right"
    assert len(figure.to_json()) < 100_000
    alone = Snapshot("p", (Thing("model", "m"),), ())
    assert not figures.lineage(alone, "model · m").data[-2].text, "nothing is downstream"


# ---- definitions as a file, and the command


def made(folder: Path) -> Path:
    weather, planes, _ = registry.tables()
    return lab_repo.write(folder, weather, planes)


def test_feast_apply_registers_the_same_as_the_lab(tmp_path: Path) -> None:
    """The command, in a folder that knows nothing of this project."""
    from feast import FeatureStore

    folder = made(tmp_path / "commanded")
    assert "engine" not in (folder / lab_repo.DEFINITIONS).read_text(encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(Path(sys.executable).parent / "feast"), "apply"]
    out = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert out.returncode == 0, out.stderr[-2000:]
    with serving.feast_alone():
        commanded = snapshot.take(FeatureStore(repo_path=str(folder)))
    ours = snapshot.take(lab_repo.applied(made(tmp_path / "ours")))
    assert commanded == ours and len(ours.things) == len(FOCUS)


# ---- a repository of one's own


def test_an_own_registry_is_read_and_nothing_in_it_changes(tmp_path: Path) -> None:
    folder = made(tmp_path)
    store = lab_repo.applied(folder)
    serving.materialize(store, registry.SINCE, registry.UNTIL, ["weather"])
    before = {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    taken = run_to_end(own_registry.steps(str(folder)))
    after = {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    assert after == before and tuple(thing.id for thing in taken.things) == FOCUS
    assert not list((workspace.server() / "scratch").glob("own-repo-*")), "the copies are gone"
