"""Design: a pipeline for 1 TB per day by choices; the page answers with what follows from them."""

from __future__ import annotations

from html import escape
from typing import Any

import streamlit as st

from engine.practice import design, evidence, measures
from engine.practice.design import Consequence, DesignParams, Totals
from engine.practice.measures import Measures
from engine.units import format_bytes, format_factor, format_number, format_seconds, format_share
from pages.shell import controls, latest, texts
from pages.tabs.practice import look

D = DesignParams()
NAMES = {
    "source": "Source",
    "load": "Load",
    "format": "Format",
    "partitioning": "Partitions",
    "engine": "Engine",
    "schedule": "Schedule",
    "lookback_days": "Lookback",
    "checks": "Checks",
}
SAYS = ("works", "watch it", "wrong or expensive", "does not work")
DECIDES = {"engine": "spark.crossover", "schedule": "spark.crossover", "format": "formats.race"}
NEEDED = ("formats.race", "spark.crossover")  # experiments whose job must have run


def found(source: str) -> tuple[Any, str] | None:
    """Return the learner's Result of a source, else the server's, with the mark of its run."""
    mine = latest.result(source)
    if mine is not None:
        return mine[0], evidence.Evidence(source, "", "yours", mine[1]).mark
    return measures.find(source)


def _params() -> DesignParams:
    def box(field: str, label: str, help: str) -> Any:
        return controls.selectbox(D, field, label, help=help)

    chosen = {
        "source": box("source", "Source", "How rows come from the source"),
        "load": box("load", "Load", "How a run writes its rows"),
        "format": box("format", "Format", "Of the files"),
        "partitioning": box("partitioning", "Partitions", "Of the table"),
        "engine": box("engine", "Engine", "For the transform; all but Spark on one machine"),
        "schedule": box("schedule", "Schedule", "When a run starts"),
        "lookback_days": controls.slider(
            D, "lookback_days", "Lookback, days", help="Earlier days that each run builds again"
        ),
        "checks": controls.multiselect(D, "checks", "Checks", help="Before a day is published"),
    }
    with st.expander("Assumptions"):
        for field, label, help in (
            ("tb_per_day", "TB per day", "As CSV"),
            ("retention_days", "Retention, days", "How long a day is kept"),
            ("wanted_hours", "Age accepted, h", "Of the newest rows, by readers"),
            ("memory_gb", "Memory, GB", "Of the one machine"),
            ("spark_cores", "Spark cores", "Of the cluster"),
            ("customers", "Customers", "Partitions below each event day"),
            ("storage_price", "USD per TB and month", "An assumption: your provider's price"),
            ("core_price", "USD per core and hour", "An assumption: your provider's price"),
        ):
            chosen[field] = controls.slider(D, field, label, help=help)
    return DesignParams(**chosen)


def show() -> None:
    """Draw the tab."""
    left, right = st.columns((1.05, 3.4), gap="small")
    with left.container(key="controls", border=True, gap="xsmall"):
        params = _params()
    with right:
        with st.spinner("Reading what this machine has measured"):
            known = measures.collect(found)
        listed = design.consequences(params, known)
        st.markdown("**Design a pipeline for 1 TB daily.** Choose at the left; the page answers.")
        st.markdown(f"### {_verdict(listed)}")
        _canvas(params, listed, known)
        _missing(known)
        if any(source in known.marks for source in NEEDED):
            _totals(design.totals(params, known))
        texts.table(
            [
                {
                    "choice": NAMES[one.choice],
                    "": SAYS[one.severity],
                    "what follows": one.text,
                    "measured in": ", ".join(map(look.name_of, one.sources)) or "–",
                }
                for one in listed
            ],
            "What follows from each choice, the worst first",
        )
        _followup(design.weakest(listed))
        _figures(known)


def _verdict(listed: list[Consequence]) -> str:
    """Return how many choices fail, and the weakest one."""
    weak = design.weakest(listed)
    if weak is None:
        return "No choice is weak. The follow-up asks what breaks first when the volume grows."
    broken, wrong = (len({one.choice for one in listed if one.severity == n}) for n in (3, 2))
    parts = [f"{broken} do{'es' * (broken == 1)} not work"] if broken else []
    parts += [f"{wrong} {'is' if wrong == 1 else 'are'} wrong or expensive"] if wrong else []
    counts = f"Of {len(NAMES)} choices {', '.join(parts)}. " if parts else "Works, with gaps. "
    return f"{counts}Weakest: {NAMES[weak.choice].lower()}"


def _canvas(params: DesignParams, listed: list[Consequence], known: Measures) -> None:
    """Draw the choices as a row of boxes, each with its worst consequence in a word."""
    boxes = []
    for field, name in NAMES.items():
        value = getattr(params, field)
        shown = ", ".join(value) or "none" if isinstance(value, tuple) else str(value)
        severities = [one.severity for one in listed if one.choice == field]
        worst = max(severities, default=0)
        said = SAYS[worst]
        if not severities and DECIDES.get(field, "etl.late") not in known.marks:
            said = "not measured yet"
        boxes.append(
            f'<div class="s{worst}"><span>{escape(name)}</span><b>{escape(shown)}</b>'
            f"<i>{said}</i></div>"
        )
    st.html(f'<div class="canvas">{"".join(boxes)}</div>')


def _totals(sums: Totals) -> None:
    """Draw money, size and age; a dash where an experiment has not run."""

    def shown(value: float | None, write: Any) -> str:
        return "–" if value is None else str(write(value))

    def usd(value: float) -> str:
        return f"{format_number(value)} USD"

    for column, (label, value) in zip(
        st.columns(4),
        (
            ("Storage per month", shown(sums.storage_usd, usd)),
            ("Compute per month", shown(sums.compute_usd, usd)),
            ("Oldest new row", shown(sums.age_seconds, format_seconds)),
            ("One day stored", shown(sums.stored_bytes, format_bytes)),
        ),
        strict=True,
    ):
        column.metric(label, value)


def _missing(known: Measures) -> None:
    """Draw what has not run here, each with the button that runs it."""
    missing = [source for source in NEEDED if source not in known.marks]
    if missing:
        st.markdown("Not measured here yet, so its figures are missing:")
        with st.container(horizontal=True):
            for source in missing:
                look.run_button(source, "design")


def _followup(weak: Consequence | None) -> None:
    """Draw the interviewer's question on the weakest choice."""
    rule = weak.rule if weak else "none"
    text, answer = design.followups()[rule]
    where = NAMES[weak.choice].lower() if weak else "design"
    with st.container(border=True, key="design_followup"):
        st.markdown(f"**The interviewer asks about your {where}:** {text}")
        if st.toggle("Show an answer", key=f"design_answer_{rule}"):
            st.markdown(answer)


def _figures(known: Measures) -> None:
    """Draw every figure with the run that it is from, and what is assumed."""
    with st.expander("Where the figures come from"):
        rows = []
        for name, form in known.formats.items():
            value = (
                f"{format_share(form.stored)} of CSV's bytes, {_rate(form.write_seconds)} written"
            )
            rows.append(("formats.race", name, value))
        for name, engine in known.engines.items():
            memory = "" if engine.memory is None else f", {format_factor(engine.memory)} in memory"
            value = f"{_rate(engine.each_seconds)} of CSV on {known.cores} cores{memory}"
            value += f", measured up to {format_bytes(engine.largest_bytes)}"
            rows.append(("spark.crossover", name, value))
        if known.late:
            rows.append(("etl.late", "Late rows", f"{format_share(known.late[0])} of all"))
        for name, factor in known.repeated.items():
            rows.append(("etl.loads", f"{name}, run twice", f"{format_factor(factor)} the rows"))
        texts.table(
            [
                {
                    "figure": name,
                    "value": value,
                    "measured in": look.name_of(source),
                    "run": known.marks[source],
                }
                for source, name, value in rows
            ],
            "Figures with their sources",
        )
        st.caption(
            "Bytes are multiplied, nothing else changes: measure larger sizes in Spark or pandas"
            " for a better estimate. Spark's cost per byte is divided by the"
            " cluster's cores, without a network. Prices, memory, cores and retention are"
            " assumptions that you set at the left."
        )


def _rate(seconds_per_byte: float) -> str:
    return f"{format_bytes(1 / seconds_per_byte)}/s" if seconds_per_byte else "–"
