"""Spark or pandas: answers against NumPy, crossings against the formula by hand, the guard, the
record, and a cancel.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine import processes, scripts, workspace
from engine.errors import InputError
from engine.jobs import run_to_end
from engine.spark import crossover, session
from engine.spark.contest import curves, data, engines, expected
from engine.spark.contest import memory as crossover_memory
from engine.spark.contest.curves import Cluster, Curve
from engine.spark.contest.data import Files
from engine.spark.contest.engines import Answer, Contestant, Work
from engine.spark.crossover import CONTESTANTS, WORKS, CrossoverParams, CrossoverResult, cells
from engine.spark.crossover import figure as figures
from engine.spark.crossover.cells import Cell
from engine.spark.crossover.text import describe_model
from engine.spark.target import Target
from tests.engine.printed import run_script

SMALL = CrossoverParams(n_rows=10_000, repeats=1)


@pytest.fixture(scope="module")
def files() -> Files:
    made: Files = run_to_end(data.steps(10_000))
    return made


@pytest.fixture(scope="module")
def result() -> CrossoverResult:
    return crossover.run(CrossoverParams(work="join", repeats=2))


def read(path: Path) -> dict[str, np.ndarray]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def by_hand(work: Work, files: Files) -> Answer:
    """The answer by NumPy and plain Python, from the text of the files."""
    lines, orders = read(files.lineitem), read(files.orders)
    key, price = lines["l_orderkey"].astype(int), lines["l_extendedprice"].astype(float)
    quantity = lines["l_quantity"].astype(float)
    if work == "filter":
        cents = np.round(lines["l_discount"].astype(float) * 100).astype(int)
        kept = (
            np.char.startswith(lines["l_shipdate"], "1994")
            & (cents >= 5)
            & (cents <= 7)
            & (quantity < 24)
        )
        return [[int(kept.sum()), float((price * cents / 100)[kept].sum())]]
    if work == "group-by":
        sold = np.bincount(lines["l_partkey"].astype(int), weights=quantity)
        top = sorted(range(len(sold)), key=lambda part: (-sold[part], part))[:10]
        return [[part, sold[part]] for part in top]
    if work == "join":
        priority = dict(
            zip(orders["o_orderkey"].astype(int), orders["o_orderpriority"], strict=True)
        )
        late = np.flatnonzero(
            lines["l_receiptdate"] > lines["l_commitdate"]
        )  # ISO dates sort as text
        of = np.array([priority[key[i]] for i in late])
        return [
            [str(name), int((of == name).sum()), float(price[late][of == name].sum())]
            for name in np.unique(of)
        ]
    dearest: dict[int, float] = {}
    for order, value in zip(key.tolist(), price.tolist(), strict=True):
        dearest[order] = max(dearest.get(order, 0.0), value)
    return [[len(dearest), sum(dearest.values())]]


@pytest.mark.parametrize("work", WORKS)
def test_every_engine_gives_what_numpy_gives(work: Work, files: Files) -> None:
    by_numpy = by_hand(work, files)
    found = {name: engines.answer(name, work, files) for name in ("pandas", "DuckDB", "Polars")}
    found["Spark"] = engines.spark_answer(session.session(), work, files)
    assert set(found) == set(CONTESTANTS)
    for name, answer in found.items():
        assert engines.same(engines.to_python(answer), by_numpy), name
    assert by_numpy[0][-1] > 0 and by_numpy[0][-2] != 0


def test_answers_differ_by_more_than_the_order_of_a_sum() -> None:
    assert engines.same([["a", 1, 1e9]], [["a", 1, 1e9 + 0.1]])
    assert not engines.same([["a", 1, 1e9]], [["a", 1, 1e9 + 10]])
    assert not engines.same([["a", 1]], [["b", 1]]) and not engines.same([["a", 1]], [])
    assert (
        engines.describe([["x", 1.0], ["y", 123456789.0], ["z", 3.0]])
        == "x 1; y 1.23457e+08; … 3 rows"
    )


def test_the_files_are_cut_from_one_generation(files: Files) -> None:
    assert files.n_rows == 10_000 and files.size_bytes == sum(
        p.stat().st_size for p in (files.lineitem, files.orders)
    )
    lines, orders = read(files.lineitem), read(files.orders)
    assert len(lines["l_orderkey"]) == 10_000 and set(lines["l_orderkey"]) == set(
        orders["o_orderkey"]
    )
    assert files.n_orders == len(orders["o_orderkey"])
    assert data.find(10_000) == files == run_to_end(data.steps(10_000))
    assert abs(files.size_bytes / files.n_rows / data.BYTES_A_ROW - 1) < 0.06
    assert crossover.N_ROWS[-1] * files.size_bytes / files.n_rows > 1e9, (
        "the largest size is more than 1 GB"
    )


def test_too_little_disk_is_said_before_anything_is_made() -> None:
    with pytest.raises(
        InputError,
        match=(
            r"Free disk must be at least 1.76 GB for 8,000,000 rows. Got 1.00 GB. Choose fewer rows"
        ),
    ):
        data.check_disk(8_000_000, free_bytes=1_000_000_000)
    data.check_disk(8_000_000, free_bytes=2_000_000_000)


def test_a_cancel_while_files_are_made_leaves_neither_process_nor_file() -> None:
    others = set(processes._alive)  # Prefect's, once its tests have run
    making = data.steps(1_000_000)
    next(making)
    own = processes._alive - others
    tree = [
        p
        for child in own
        for p in [psutil.Process(child.pid), *psutil.Process(child.pid).children(recursive=True)]
    ]
    assert tree
    making.close()
    assert not [
        p for p in psutil.wait_procs(tree, timeout=10)[1] if p.status() != psutil.STATUS_ZOMBIE
    ]
    assert not processes._alive & own and data.find(1_000_000) is None
    assert not list((workspace.server() / "scratch").glob("tpch-*"))


def test_a_cancel_while_an_engine_runs_ends_its_process_and_keeps_what_was_measured() -> None:
    others = set(processes._alive)
    running = crossover.steps(replace(SMALL, work="filter", repeats=9))
    progress = next(progress for progress in running if processes._alive - others)
    (child,) = processes._alive - others
    process = psutil.Process(child.pid)
    running.close()
    psutil.wait_procs([process], timeout=10)
    assert not process.is_running() and not processes._alive - others
    assert isinstance(progress.partial, CrossoverResult) and not progress.partial.complete


def test_a_run_measures_every_engine_at_every_size(result: CrossoverResult) -> None:
    assert result.complete and [(c.asked, c.contestant) for c in result.cells] == [
        (n, name) for name in CONTESTANTS for n in (10_000, 100_000)
    ]
    assert (
        all(len(cell.seconds) == 2 and min(cell.seconds) > 0 for cell in result.cells)
        and result.same_answers
    )
    assert all(cell.peak_bytes > 20_000_000 and cell.start_seconds > 0.01 for cell in result.cells)
    assert 0 < result.shuffle_bytes < 10_000, "the orders are small enough to be broadcast"
    assert result.refused == ()
    assert result.slowest in CONTESTANTS
    assert len(result.rows()) == 4 and result.table().num_rows == 8
    assert (
        result.answer.startswith(("Not at this size", "From about")) and "Spark" in result.verdict
    )
    assert "one machine" in result.answer and len(result.why) >= 5


def test_the_record_opens_the_next_visit(
    result: CrossoverResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = crossover.remembered(replace(result.params, repeats=9))
    assert again is not None
    assert {(c.contestant, c.asked) for c in again.recalled} == {
        (c.contestant, c.asked) for c in result.cells
    }
    known = {(c.contestant, c.asked): c for c in again.recalled}
    assert all(known[c.contestant, c.asked].seconds == c.seconds for c in result.cells)
    assert (
        again.rows()[0]["measured"].endswith("UTC")
        and not again.complete
        and again.headline() == {}
    )
    figure = figures.chart(again)
    assert {s for trace in figure.data if trace.marker.symbol for s in trace.marker.symbol} >= {
        "circle-open",
        "diamond-open",
    }
    monkeypatch.setattr(cells, "machine", lambda: {"cores": 4096})
    cells._read.cache_clear()
    assert cells.recall("join") == (), "another machine's record says nothing here"
    assert crossover.remembered(result.params) is None
    cells._read.cache_clear()


def test_a_damaged_record_is_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "join.json"
    for text in ("{", "[]", '{"machine": {}}'):
        path.write_text(text)
        assert cells._read(path, len(text)) == ()


def test_the_script_prints_the_headline(result: CrossoverResult) -> None:
    for work in WORKS:
        params = replace(SMALL, work=work)
        ran = result if work == "join" else crossover.run(replace(params, contestants=()))
        assert run_script(scripts.render(ran.params)) == ran.headline()


positive = st.floats(1e-4, 1e3)
slope = st.floats(1e-9, 1e-3)


@given(positive, slope, positive, slope)
def test_two_straight_curves_cross_where_the_formula_by_hand_says(
    a1: float, b1: float, a2: float, b2: float
) -> None:
    rows = [10_000, 100_000, 1_000_000, 10_000_000]
    one, other = ({n: (a + b * n,) * 3 for n in rows} for a, b in ((a1, b1), (a2, b2)))
    for runs, a, b in ((one, a1, b1), (other, a2, b2)):
        curve = curves.fit(rows, [runs[n][0] for n in rows])
        assert curve is not None
        assert all(curve.value_at(n) == pytest.approx(a + b * n, rel=1e-6) for n in rows)
    assume(abs(b1 / b2 - 1) > 0.01)
    by_hand = (a1 - a2) / (b2 - b1)
    assume(by_hand < 0 or 1_000 < by_hand < 1e9)
    assume(min(a1, a2) > 1e-4 * 1e7 * max(b1, b2))  # both parts can be seen in the doubles
    found = curves.crossing(one, other)
    assert found is not None
    if b1 > b2:
        assert found.n_rows is None
    elif by_hand < 0:
        assert found.n_rows == 0
    else:
        assert found.n_rows == pytest.approx(by_hand, rel=1e-2)
        assert found.low == pytest.approx(by_hand, rel=1e-2) and found.high == pytest.approx(
            by_hand, rel=1e-2
        )
        assert found.extrapolated == (found.n_rows > 10_000_000)


def test_a_crossing_says_how_sure_it_is() -> None:
    pandas = {10_000: (0.05, 0.06), 1_000_000: (1.0, 2.0)}
    spark = {10_000: (0.5, 0.6), 1_000_000: (1.4, 1.6)}
    found = curves.crossing(spark, pandas)
    assert (
        found is not None
        and found.n_rows is not None
        and found.low is not None
        and found.high is None
    )
    assert "never" in found.words, "runs of 1.0 s never let Spark pass"
    assert curves.crossing({10_000: (1.0,)}, pandas) is None
    never = curves.crossing(pandas, {10_000: (0.001,), 1_000_000: (0.1,)})
    assert (
        never is not None and never.words == "not up to 1,000,000 rows, and never by these slopes"
    )
    late = curves.crossing({10_000: (1.0,), 20_000: (1.01,)}, {10_000: (0.1,), 20_000: (0.2,)})
    assert (
        late is not None
        and late.extrapolated
        and late.n_rows == pytest.approx((0.99 - 0) / (1e-5 - 1e-6), rel=0.01)
    )
    assert (
        late.words
        == "not up to 20,000 rows; extrapolated: at about 110,000 rows (90% interval 110,000 to"
        " 110,000)"
    )
    blurred = curves.crossing(
        {10_000: (1.0, 1.3), 20_000: (1.0, 1.3)}, {10_000: (0.1,), 20_000: (0.103,)}
    )
    assert blurred is not None and blurred.doubtful and not late.doubtful
    assert blurred.words.startswith("not up to 20,000 rows; beyond, these sizes do not say")


def test_the_model_is_the_measured_curve_at_its_anchor() -> None:
    spark, pandas, memory = Curve(0.5, 2e-6), Curve(0.01, 1.5e-6), Curve(1e8, 100.0)
    for network in (0.1, 100.0):
        here = curves.model(spark, pandas, memory, 40.0, 2, Cluster(cores=2, network_gb=network))
        assert here.spark == spark and here.n_machines == 1 and here.n_crossing is None
    moved = curves.model(
        spark, pandas, memory, 40.0, 2, Cluster(cores=8, memory_gb=1, network_gb=1)
    )
    assert moved.n_machines == 4 and moved.spark.start == spark.start
    assert moved.spark.each == pytest.approx(2e-6 / 4 + 40 / 1e9 * 3 / 4)
    assert moved.n_crossing == pytest.approx(0.49 / (1.5e-6 - moved.spark.each))
    assert (
        moved.n_memory == pytest.approx((1e9 - 1e8) / 100) and moved.n_decides == moved.n_crossing
    )
    assert curves.model(spark, pandas, Curve(1e8, 0.0), 40.0, 2, Cluster()).n_memory is None


def cell(contestant: Contestant, n: int, seconds: float, peak: int) -> Cell:
    return Cell(contestant, n, n, 150 * n, "2026-01-01T00:00:00", (seconds,), peak, [[1, 2.0]], 0.5)


def synthetic() -> CrossoverResult:
    made = [
        (name, n, a + b * n)
        for n in (10_000, 100_000)
        for name, a, b in (("Spark", 0.5, 1e-6), ("pandas", 0.01, 2e-6))
    ]
    return CrossoverResult(
        SMALL, tuple(cell(name, n, s, 100_000_000 + 300 * n) for name, n, s in made), (), True
    )  # type: ignore[arg-type]


def test_the_figure_marks_crossing_and_end_of_memory() -> None:
    shown = figures.chart(synthetic())
    marks = [trace for trace in shown.data if trace.name == "Spark passes pandas (90%)"]
    assert (
        marks[0].x[0] == pytest.approx(490_000, rel=0.01)
        and marks[0].text[0] == "extrapolated break-even"
    )
    assert "pandas is 2.9× faster" in synthetic().verdict
    model = figures.model(synthetic(), Cluster(cores=2 * crossover.own_cores(), memory_gb=1))
    assert model is not None and "Spark is the choice from about" in model.layout.title.text
    (full,) = [trace for trace in model.data if trace.name == "pandas: memory full"]
    assert full.x[0] == pytest.approx(3_000_000, rel=0.01)
    assert figures.model(replace(synthetic(), cells=()), Cluster()) is None
    wide = [
        replace(c, seconds=(c.seconds[0], 1.6 * c.seconds[0])) if c.contestant == "Spark" else c
        for c in synthetic().cells
    ]
    doubtful = replace(synthetic(), cells=tuple(wide))
    assert not [
        trace for trace in figures.chart(doubtful).data if trace.name == "Spark passes pandas (90%)"
    ]
    shown_model = figures.model(doubtful, Cluster())
    assert shown_model is not None and "Uncertain" in shown_model.layout.title.text
    for figure in (shown, model, figures.chart(synthetic(), "Peak memory", synthetic())):
        assert len(figure.to_json()) < 300_000


@pytest.mark.parametrize("work", WORKS)
def test_before_a_run_the_chart_shows_what_another_machine_measured(work: Work) -> None:
    empty = CrossoverResult(replace(SMALL, work=work), (), ())
    label = "expected" if work == "group-by" else "group-by"
    lines = {trace.name: trace for trace in figures.chart(empty).data}
    assert set(lines) == {f"{name}, {label}" for name in CONTESTANTS}
    for name in CONTESTANTS:
        line = lines[f"{name}, {label}"]
        assert tuple(line.x) == expected.SIZES and tuple(line.y) == expected.MEDIANS[name]
        assert expected.WHERE in line.hovertext[0]
    assert "**pandas is 7.3× faster**" in empty.verdict and expected.WHERE in empty.verdict


def test_other_work_is_drawn_alone_as_soon_as_it_is_measured() -> None:
    pandas = tuple(c for c in synthetic().cells if c.contestant == "pandas")
    for work, names in (("group-by", {"Spark", "DuckDB", "Polars"}), ("join", set())):
        begun = CrossoverResult(replace(SMALL, work=work), pandas, ())  # type: ignore[arg-type]
        shown = {trace.name for trace in figures.chart(begun).data if ", " in trace.name}
        assert shown == {f"{name}, expected" for name in names}


def test_before_a_run_nothing_is_compared() -> None:
    empty = CrossoverResult(SMALL, (), ())
    assert empty.n_compared == 0 and "not compared yet" in empty.why[-1]
    both = synthetic()
    assert both.n_compared == 4 and both.same_answers and "All 4 answers agree" in both.why[-1]
    assert figures.model(empty, Cluster()) is None
    assert describe_model(empty, Cluster()).startswith("Not measured yet.")


def test_the_guard_refuses_what_cannot_fit_and_says_what_to_do(files: Files) -> None:
    growth = synthetic().growth("pandas")
    assert (
        growth is not None
        and growth.start == pytest.approx(1e8)
        and growth.each == pytest.approx(2.0)
    )
    crossover_memory.check_fits("pandas", 1_000_000, 150_000_000, growth, 400_000_001)
    crossover_memory.check_fits("pandas", 1_000_000, 150_000_000, None, 1)
    with pytest.raises(InputError) as said:
        crossover_memory.check_fits("pandas", 1_000_000, 150_000_000, growth, 300_000_000)
    assert (
        str(said.value)
        == "Memory for pandas must be at least 400 MB at 1,000,000 rows (150 MB on disk × 2.0, as"
        " measured on smaller sizes, + 100 MB to begin with). Got 300 MB. Choose Polars, which"
        " needs less, DuckDB or Spark, which work on disk with what memory cannot hold, or fewer"
        " rows."
    )
    ladder = crossover._Ladder(replace(SMALL, memory_gb=0.125))
    ladder.result = replace(synthetic(), params=replace(SMALL, memory_gb=0.125))
    ladder.files = {1_000_000: replace(files, n_rows=1_000_000, size_bytes=150_000_000)}
    assert list(ladder.measure("pandas", [1_000_000])) == [], "no process was started"
    (refused,) = ladder.result.refused
    assert (
        refused.refused.startswith("Memory for pandas must be at least 400 MB")
        and not refused.seconds
    )


def test_a_wrong_estimate_ends_the_child_with_a_sentence_and_the_run_goes_on() -> None:
    others = set(processes._alive)
    tight = crossover.run(replace(SMALL, work="window", memory_gb=0.0625, contestants=()))
    (stopped,) = tight.refused
    assert (
        stopped.contestant == "pandas"
        and "pandas was stopped: it held more than the 62.5 MB allowed" in stopped.refused
    )
    assert tight.complete and [c.contestant for c in tight.cells if c.seconds] == ["Spark"]
    assert not processes._alive - others


def test_a_spark_that_gives_up_is_a_result_and_no_end_of_the_run(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("Job aborted\nat org.apache.spark")

    monkeypatch.setattr(engines, "spark_answer", fail)
    ladder = crossover._Ladder(SMALL)
    ladder.files = {10_000: files}
    for _ in ladder.measure("Spark", [10_000]):
        pass
    assert [c.refused for c in ladder.result.refused] == [
        "Spark gave up: RuntimeError: Job aborted"
    ]


def test_free_memory_heeds_the_container(tmp_path: Path) -> None:
    limit, used = tmp_path / "max", tmp_path / "current"
    limit.write_text("1000\n")
    used.write_text("400\n")
    assert crossover_memory.available_bytes(((str(limit), str(used)),)) == 600
    limit.write_text("max\n")
    assert crossover_memory.available_bytes(((str(limit), str(used)),)) > 1_000_000
    assert crossover_memory.allowed_bytes(1.0, available=10_000_000_000) == 1_000_000_000
    assert crossover_memory.allowed_bytes(64.0, available=10_000_000_000) == 8_000_000_000


def test_spark_connect_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        session.Engine, "target", property(lambda _: Target("connect", "sc://host"))
    )
    with pytest.raises(InputError, match="Spark Connect has no tasks to measure"):
        next(crossover.steps(SMALL))
