"""*Spark or pandas* in the bench: the ladder up to more than 1 GB, run for real, and what a tweak
of the model costs.
"""

from __future__ import annotations

from engine.jobs import run_to_end
from engine.spark import crossover
from engine.spark.contest import curves, data
from engine.spark.contest.curves import Cluster
from engine.spark.crossover import N_ROWS, CrossoverParams, figure
from engine.units import format_bytes, format_seconds
from tests.bench.harness import Tab, measure, payloads, slider

TAB = Tab(
    "Spark or pandas (cores, model)",
    "spark?spark_tab=Spark+or+pandas&crossover_view=On+a+cluster",
    slider("crossover_cores"),
    "crossover_model",
)


def compute() -> None:
    """Print every engine at every size up to more than 1 GB (the files stay in the workspace), then
    the model's compute.
    """
    for asked in N_ROWS:
        files = run_to_end(data.steps(asked))
        print(f"  {files.n_rows:,} rows on disk: {format_bytes(files.size_bytes)}")
    for work in ("group-by", "join"):
        result = crossover.run(CrossoverParams(work=work, n_rows=N_ROWS[-1]))
        assert result.same_answers
        for cell in sorted(
            result.cells, key=lambda cell: (cell.asked, cell.median_seconds if cell.seconds else 0)
        ):
            runs = (
                f"{format_seconds(min(cell.seconds))} … {format_seconds(max(cell.seconds))}"
                if cell.seconds
                else cell.refused
            )
            told = (
                f"median {format_seconds(cell.median_seconds)}, peak"
                f" {format_bytes(cell.peak_bytes)}"
                if cell.seconds
                else ""
            )
            print(
                f"    {work}, {cell.n_rows:>9,} rows, {cell.contestant:8}{told} ({runs}, n ="
                f" {len(cell.seconds)})"
            )
        found = result.crossing()
        print(f"    {work}: Spark overtakes pandas: {found.words if found else 'not measured'}")
    measure(
        "Spark or pandas, model and chart", lambda i: figure.model(result, Cluster(cores=2 + i))
    )
    seconds = {
        name: {cell.n_rows: cell.seconds for cell in result.points(name)}
        for name in ("Spark", "pandas")
    }
    measure(
        "Spark or pandas, crossing",
        lambda i: curves.crossing(seconds["Spark"], seconds["pandas"], seed=i),
    )
    shown = figure.model(result, Cluster())
    payloads({"Spark or pandas": figure.chart(result), "Spark or pandas, model": shown})
