"""The Formats lab in the bench."""

from __future__ import annotations

from dataclasses import replace

from engine.formats import anatomy, bytes_read, codecs, evolution, race, terabyte
from engine.formats.anatomy import figure as anatomy_figures
from engine.formats.bytes_read import figure as bytes_read_figures
from engine.formats.bytes_read.layout import figure as layout_figures
from engine.formats.codecs import figure as codecs_figures
from engine.formats.evolution import figure as evolution_figures
from engine.formats.race import figure as race_figures
from engine.formats.terabyte import figure as terabyte_figures
from tests.bench.harness import Tab, measure, payloads, slider

TABS = (
    Tab(
        "Race (measured, another time shown)",
        "formats?formats_tab=Race",
        ".st-key-race_operation [role=radio]",
        "race_chart",
    ),
    Tab(
        "Sources (file age)",
        "formats?formats_tab=Sources",
        slider("sources_age_hours"),
        "sources_matrix",
    ),
    Tab(
        "Bytes read (range)",
        "formats?formats_tab=Bytes+read",
        slider("bytes_read_window"),
        "bytes_read_strip",
    ),
    Tab(
        "Anatomy (distinct values)",
        "formats?formats_tab=Anatomy",
        slider("anatomy_cardinality"),
        "anatomy_fallback",
    ),
    Tab(
        "Codecs (measured, other speed)",
        "formats?formats_tab=Codecs",
        ".st-key-codecs_against [role=radio]",
        "codecs_tradeoff",
    ),
    Tab(
        "Schema evolution (rows)",
        "formats?formats_tab=Schema+evolution",
        slider("evolution_n_rows"),
        "evolution_matrix",
    ),
    Tab(
        "One terabyte (weight)",
        "formats?formats_tab=One+terabyte",
        slider("terabyte_storage_weight"),
        "terabyte_chart",
    ),
)


def compute() -> None:
    """Print what the server computes a tweak, the harness's share of the race, and the bytes of
    each figure.
    """
    asked = bytes_read.BytesReadParams()
    result = measure(
        "Bytes read", lambda i: bytes_read.run(replace(asked, window=(0.1 + i / 50, 0.2 + i / 50)))
    )
    asked_anatomy = anatomy.AnatomyParams(cardinality=10)
    pieces = measure(
        "Anatomy", lambda i: anatomy.run(replace(asked_anatomy, cardinality=10 + 1_000 * i))
    )
    matrix = measure(
        "Schema evolution", lambda i: evolution.run(evolution.EvolutionParams(n_rows=2 + i))
    )
    measured = race.run(race.RaceParams())
    terms = terabyte.TerabyteParams()
    projected = measure(
        "One terabyte", lambda i: terabyte.project(replace(terms, price=float(i)), measured)
    )
    print(
        f"  Race: the harness took {measured.overhead_share:.2%} of {measured.wall_seconds:.1f} s"
        " (goal ≤ 2 %)"
    )
    packed = codecs.run(codecs.CodecsParams(n_rows=10_000, repeats=1))
    figures = {
        "Race": race_figures.chart(measured, "read all"),
        "Bytes read, strip": bytes_read_figures.strip(result),
        "Bytes read, statistics": bytes_read_figures.statistics(result),
        "Bytes read, layout": layout_figures.layout(result),
        "Anatomy, map": anatomy_figures.byte_map(pieces),
        "Anatomy, curve": anatomy_figures.fallback(pieces),
        "Codecs": codecs_figures.tradeoff(packed, "write"),
        "Codecs, sorting": codecs_figures.sorting(packed),
        "Schema evolution": evolution_figures.matrix(matrix),
        "One terabyte": terabyte_figures.chart(projected),
    }
    payloads(figures)
