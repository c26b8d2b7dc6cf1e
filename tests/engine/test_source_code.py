"""What the playground writes as Python: a value stands in it as a literal, in every generator of
every lab.
"""

from __future__ import annotations

import ast
import copy
import datetime
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import data, scripts, workspace
from engine.errors import InputError
from engine.etl.backfill import BackfillParams
from engine.etl.quality import QualityParams, tests_code
from engine.formats import anatomy, bytes_read, evolution, race
from engine.formats.evolution.cell_code import snippet
from engine.leakage import audit
from engine.leakage.repairs import leak_tests
from engine.orchestration.schedule import ScheduleParams, deployment
from engine.sampling import lineage
from engine.source_code import Code, constructor, fill, literal
from engine.spark import partitioning
from pages.shell import experiments, lessons
from tests.test_architecture import TOPICS, modules

RUN = '__import__("os").system("true")'
HOSTILE = (
    f'"}} | {{{RUN}}} | {{"x',
    f"'] + [{RUN}] + ['",
    f'")); {RUN} #',
    f"\n{RUN}\n",
    f"\r{RUN}\u2028{RUN}\x85{RUN}",
    f'"""\n{RUN}\n"""',
    f"'''\n{RUN}\n'''",
    "@params @rules @gate @known @formats @n_rows @session @keys @case @code",
    f"{{{RUN}}} {{0.__class__}} %s",
    "\\",
    f"\\' + {RUN} + \\'",
    f'\\" + {RUN} + \\"',
    f"\x00{RUN}",
    f"\ud800{RUN}",
    f"\u202e\uff02) {RUN} (\uff02 # \uff07",
)
NAMES = [
    text for text in HOSTILE if "\x00" not in text and "\ud800" not in text
]  # Parquet holds no other
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text() | st.integers(-9, 9), inner, max_size=3)
    ),
    max_leaves=8,
)


class Blotted(ast.NodeTransformer):
    """A tree in which every plain value, and every list, tuple or dict of such, is the same."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        parts = [node.operand] if isinstance(node, ast.UnaryOp) else getattr(node, "elts", None)
        if isinstance(node, ast.Dict):
            parts = [*node.keys, *node.values]
        plain = parts is not None and all(isinstance(part, ast.Constant) for part in parts)
        return ast.Constant(0) if plain or isinstance(node, ast.Constant) else node


def shape(code: str) -> str:
    """The structure of a program, whatever its values."""
    return ast.dump(Blotted().visit(ast.parse(code)))


# ---- the literal


@given(PLAIN)
def test_a_literal_gives_the_value_back_and_fits_on_a_line(value: Any) -> None:
    text = literal(value)
    assert ast.literal_eval(text) == value and type(ast.literal_eval(text)) is type(value)
    assert len(text.splitlines()) == 1 and text.isprintable()


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_a_text(text: str) -> None:
    assert ast.literal_eval(literal(text)) == text
    assert shape(fill("value = @value", value=[text])) == shape("value = ['']")


class Text(str):
    """A text that writes itself as it likes."""

    def __repr__(self) -> str:
        return RUN


@pytest.mark.parametrize(
    "value",
    [
        Text("x"),
        Code(RUN),
        datetime.date(2013, 1, 1),
        datetime.datetime(2013, 1, 1),
        datetime.time(1),
        np.float64(1),
        np.int64(1),
        np.str_("x"),
        b"x",
        {"x"},
        1j,
        object(),
        math.inf,
        -math.inf,
        math.nan,
        2**64,
        10**5_000,
        [Text("x")],
        {"x": datetime.date(2013, 1, 1)},
        {Text("x"): 1},
        [[[[[[[[[[1]]]]]]]]]],
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_plain_is_refused(value: Any) -> None:
    with pytest.raises(InputError):
        literal(value)
    with pytest.raises(InputError):
        fill("@value", value=[value])


def test_marks_are_filled_once_and_to_the_end_of_the_word() -> None:
    assert fill("@a @ab @b @fixture", a="@b", ab="@a", b=1) == "'@b' '@a' 1 @fixture"
    assert fill("x = @a", a=Code("f(1)")) == "x = f(1)"
    assert fill("@p", p=QualityParams()) == repr(QualityParams())

    @dataclass
    class Stranger:
        x: int = 1

    with pytest.raises(TypeError):
        constructor(Stranger())


def test_a_tuple_of_days_is_written_as_calls_and_nothing_derived_from_a_day_is() -> None:
    class Day(datetime.date):
        def __repr__(self) -> str:
            return RUN

    params = BackfillParams()
    assert "dates=(date(2013, 6, 3), date(2013, 6, 30))" in constructor(params)
    for dates in ((Day(2013, 6, 3), Day(2013, 6, 30)), (params.dates[0], RUN)):
        with pytest.raises(InputError):
            constructor(with_field(params, "dates", dates))


# ---- every generator


def generators() -> dict[str, tuple[Any, Callable[[Any], str]]]:
    """Every function that writes Python, with params to begin with: name -> (params, function)."""
    found: dict[str, tuple[Any, Callable[[Any], str]]] = {}
    for topic in TOPICS:
        for name in lessons.load(topic).tabs:
            params = experiments.params_class(topic, name)()
            found[f"{topic}: {name}"] = (params, scripts.render)
    for kind in ("cron", "rrule", "interval"):
        params = ScheduleParams(kind=kind)
        found[f"deployment: {kind}"] = (
            params,
            lambda params: deployment.as_sent(params, "by this rule"),
        )
    found |= {
        f"quality: {table}": (QualityParams(table=table), tests_code.generate)
        for table in ("weather", "flights", "planes")
    }
    found["evolution: cell"] = (evolution.EvolutionParams(), snippet)
    found["leakage: tests"] = (leak_tests.Columns(), leak_tests.generate)
    return found


GENERATORS = generators()


def test_no_other_function_writes_code() -> None:
    """Whoever writes code does it through ``engine.source_code``; nobody replaces marks by hand."""
    for path in modules("engine"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\.replace\(f?[\"']@|replace\(mark|!r}.*\"\"\"", text), path


def with_field(params: Any, name: str, value: Any) -> Any:
    """The params with one field set past its rules, as if they had a hole."""
    changed = copy.copy(params)
    object.__setattr__(changed, name, value)
    return changed


def outcome(function: Callable[[Any], str], params: Any) -> str:
    """The shape of what is written, or that nothing is."""
    try:
        code = function(params)
    except (
        InputError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        FileNotFoundError,
    ) as error:
        return f"refused: {type(error).__name__}"
    return shape(code)


@pytest.mark.parametrize("name", GENERATORS)
def test_no_field_of_any_params_becomes_code(name: str) -> None:
    """Each field in turn holds hostile text, its rules left aside: the code has the same structure
    as with harmless text.
    """
    params, function = GENERATORS[name]
    assert shape(function(params))
    for field in fields(params):
        for wrap in (
            lambda text: text,
            lambda text: (text,),
            lambda text: (text, text),
            lambda text: [text],
        ):
            harmless = outcome(function, with_field(params, field.name, wrap("x")))
            for text in HOSTILE:
                found = outcome(function, with_field(params, field.name, wrap(text)))
                assert found == harmless or found.startswith("refused"), (field.name, text)


# ---- columns of an upload


def upload(folder: Path, name: str) -> str:
    """An uploaded file one of whose columns has this name, saved as the page saves it."""
    rng = np.random.default_rng(0)
    n = 2_000
    table = pa.table(
        {
            name: rng.normal(size=n),
            "other": rng.normal(size=n),
            "y": rng.integers(0, 2, n),
            "k": rng.integers(0, 9, n).astype(str),
        }
    )
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return str(data.save_upload(sink.getvalue().to_pybytes(), "a.parquet", folder))


def from_upload(path: str, name: str) -> dict[str, str]:
    """What each lab writes about an upload."""
    own: dict[str, Any] = {"upload": path}
    columns: dict[str, Any] = {
        "columns": (name, "other"),
        "predicate_column": name,
        "table": "upload",
    }
    read = bytes_read.BytesReadParams(order="by predicate column", **columns, **own)
    audited = audit.AuditParams(
        source="upload", target="y", time_column=name, group_column=name, **own
    )
    drawn = lineage.LineageParams(source="upload", x_column=name, label="y", **own)
    dealt = partitioning.PartitioningParams(table="upload", keys=(name,), **own)
    return {
        "bytes read": scripts.render(read),
        "race": scripts.render(race.RaceParams(**columns, **own)),
        "anatomy": scripts.render(anatomy.AnatomyParams(source="upload", column=name, **own)),
        "audit": scripts.render(audited),
        "lineage": scripts.render(drawn),
        "partitioning": scripts.render(dealt),
    }


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_column_of_an_upload_becomes_no_code(name: str) -> None:
    folder = workspace.session(workspace.new_session_id())
    try:
        harmless = from_upload(upload(folder, "harmless"), "harmless")
        found = from_upload(upload(folder, name), name)
        assert {lab: shape(code) for lab, code in found.items()} == {
            lab: shape(code) for lab, code in harmless.items()
        }
        assert all(
            literal(name) in code for lab, code in found.items() if lab != "anatomy"
        )  # that one names the file alone
    finally:
        workspace.remove(folder)
