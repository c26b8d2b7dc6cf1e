"""Schema evolution: each outcome held against plain Python lists, each script and snippet executed, the matrix by hand."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import re
from typing import Any

import plotly.graph_objects as go
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import data, figures
from engine.errors import InputError
from engine.formats import evolution, schema_changes
from engine.formats.evolution import CHANGES, FORMATS, OUTCOMES, Cell, EvolutionParams, EvolutionResult
from engine.formats.figures import evolution as evolution_figures
from engine.formats.schema_changes import Meeting

QUICK = settings(max_examples=20, deadline=None)
SETTINGS = [
    EvolutionParams(),
    EvolutionParams(csv_columns="by position", aliases=True, change="rename", format="Avro", n_rows=20),
    EvolutionParams(direction="forward", aliases=True, change="text to number", format="Parquet", n_rows=20, seed=7),
    EvolutionParams(direction="forward", csv_columns="by position", change="drop", format="JSON", n_rows=2, seed=3),
]


def printed(code: str) -> Any:
    """Run a script as a visitor would and return its one line of JSON."""
    sink = io.StringIO()
    with contextlib.redirect_stdout(sink):
        exec(compile(code, "<script>", "exec"), {"__name__": "__main__"})
    (line,) = sink.getvalue().splitlines()
    return json.loads(line)


def outcomes(result: EvolutionResult, format: str) -> str:
    short = {"same": "s", "filled": "f", "nulls": "n", "silently wrong": "W", "error": "e"}
    return "".join(short[result.cell(change, format).outcome] for change in CHANGES)


# ---- the matrix, worked out by hand
# in order: add with default, add without, drop, rename, reorder, widen, narrow, number to text, text to number


@pytest.mark.parametrize(
    ("params", "csv", "json_lines", "avro", "parquet"),
    [
        ({}, "nnsnsssWs", "nnsnsssee", "feseeseee".replace("seese", "sesse"), "nnsnsssss"),
        ({"csv_columns": "by position"}, "eeesWssWs", "nnsnsssee", "fesesseee", "nnsnsssss"),
        ({"aliases": True}, "nnsnsssWs", "nnsnsssee", "fesssseee", "nnsnsssss"),
        ({"n_rows": 20}, "nnsnsseWs", "nnsnsseee", "fesesseee", "nnsnssess"),  # one of 20 is more than 127 minutes late
        ({"direction": "forward"}, "ssnnssssW", "ssnnsssee", "sseeseees".replace("seees", "sesee"), "ssnnssssW"),
        ({"direction": "forward", "csv_columns": "by position"}, "eeesWsssW", "ssnnsssee", "sseesesee", "ssnnssssW"),
        ({"direction": "forward", "aliases": True}, "ssnnssssW", "ssnnsssee", "sseesesee", "ssnnssssW"),  # v1 knows no alias
    ],
)
def test_matrix(params: dict[str, Any], csv: str, json_lines: str, avro: str, parquet: str) -> None:
    result = evolution.run(EvolutionParams(**params))
    assert [outcomes(result, format) for format in FORMATS] == [csv, json_lines, avro, parquet]
