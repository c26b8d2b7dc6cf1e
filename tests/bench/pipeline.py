"""The Pipeline page in the bench."""

from __future__ import annotations

from engine.jobs import run_to_end, timed
from engine.pipeline import flow, tracer, weeks
from engine.pipeline.flow import figure as flow_figures
from engine.pipeline.tracer import figure as tracer_figures
from engine.pipeline.weeks import figure as weeks_figures
from tests.bench.harness import Tab, measure, payloads, slider

TABS = (
    Tab("Run (measured, look closer)", "pipeline", ".st-key-flow_view [role=radio]", "flow_graph"),
    Tab(
        "Row tracer (flight)",
        "pipeline?pipeline_tab=Row+tracer",
        slider("tracer_flight"),
        "tracer_timeline",
    ),
    Tab(
        "Monitor (distance)",
        "pipeline?pipeline_tab=Monitor",
        ".st-key-weeks_distance [role=radio]",
        "weeks_scores",
    ),
    Tab(
        "Break it (look closer)",
        "pipeline?pipeline_tab=Break+it",
        ".st-key-faults_view [role=radio]",
        "faults_gates",
    ),
    Tab(
        "Find the cause (case)",
        "pipeline?pipeline_tab=Find+the+cause",
        slider("game_case"),
        "game_prices",
    ),
)


def compute() -> None:
    """Print what the default run takes, and what a traced flight does."""
    seconds, result = timed(lambda: run_to_end(flow.steps(flow.FlowParams())))
    print(f"  Run of three weeks, cold or kept         {seconds:.1f} s")
    traced = measure("Row tracer", lambda i: tracer.run(tracer.TracerParams(flight=i + 1)))
    payloads(
        {
            "Run": flow_figures.graph(result),
            "Row tracer": tracer_figures.timeline(traced),
            "Row tracer, reasons": tracer_figures.effects(traced),
            "Monitor": weeks_figures.scores(weeks.run(weeks.WeeksParams())),
        }
    )
