"""ETL or ELT: one job transformed before loading (Arrow) and after (SQL in DuckDB), and which of
them can apply a new rule.

The job: flights that arrived late, by day and airline. Real: both ways run on the same flights and
their results are compared row by row; each new rule runs as SQL on what each way has in its
warehouse: it rebuilds, answers wrongly, or DuckDB names the missing column. Times are measured
(``engine.etl.elt.timing``), each repeat in a new warehouse file. Simplified: the source keeps its
last days whole and nothing older.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc

from engine.etl.elt.job import (
    SUMMARY_SQL,
    WAYS,
    Way,
    clean,
    database,
    raw_rows,
    register,
    summarise,
)
from engine.etl.elt.timing import Race, race, race_steps
from engine.etl.ledger import reconcile
from engine.ranges import Choice, Params, Range
from engine.units import format_bytes, format_factor

__all__ = [
    "LOADS",
    "N_DAYS",
    "RULES",
    "WAYS",
    "EltParams",
    "EltResult",
    "Race",
    "Rebuild",
    "Way",
    "race",
    "race_steps",
    "rule_sql",
    "run",
]

Loads = Literal["summary", "cleaned rows"]
LOADS: tuple[Loads, ...] = get_args(Loads)
Rule = Literal[
    "mean delay", "another limit", "by destination", "diverted are late", "by maker of the plane"
]
RULES: tuple[Rule, ...] = get_args(Rule)
Outcome = Literal["rebuilds", "silently wrong", "cannot"]
N_DAYS = (7, 28, 91, 365)
# on rows, raw or cleaned; {late} is the first limit, {new} the new one
RULE_SQL: Final[dict[Rule, str]] = {
    "mean delay": (
        "SELECT carrier, sum(arr_delay)::DOUBLE / count(arr_delay) AS answer FROM {rows} GROUP"
        " BY ALL"
    ),
    "another limit": (
        "SELECT day_of_year, carrier, count(*) FILTER (arr_delay > {new}) AS answer FROM {rows}"
        " WHERE arr_delay IS NOT NULL GROUP BY ALL"
    ),
    "by destination": (
        "SELECT dest, count(*) FILTER (arr_delay > {late}) AS answer FROM {rows} "
        "WHERE arr_delay IS NOT NULL GROUP BY ALL"
    ),
    "diverted are late": (
        "SELECT carrier, count(*) FILTER (arr_delay > {late} OR arr_delay IS NULL) "
        "AS answer FROM {rows} WHERE dep_delay IS NOT NULL GROUP BY ALL"
    ),
    "by maker of the plane": (
        "SELECT p.manufacturer AS maker, count(*) FILTER (arr_delay > {late}) AS answer FROM"
        " {rows} JOIN planes p USING (tailnum) WHERE arr_delay IS NOT NULL GROUP BY ALL"
    ),
}
SUMMARY_RULE_SQL: Final[dict[Rule, str]] = {
    "mean delay": (
        "SELECT carrier, sum(delay)::DOUBLE / sum(flights) AS answer FROM {rows} GROUP BY ALL"
    )
}
WHAT: Final[dict[Rule, str]] = {
    "mean delay": "mean delay per airline",
    "another limit": "late is more than {new} min, not {late}",
    "by destination": "late flights per destination",
    "diverted are late": "diverted flights count as late",
    "by maker of the plane": "late flights per maker of the plane",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EltParams(Params):
    """The job, what ETL loads of it, and the new rule."""

    loads: Loads = "summary"  # what ETL brings into the warehouse
    late_minutes: Annotated[int, Range(0, 120, step=5)] = 15  # late is more than this
    rule: Rule = "another limit"
    new_minutes: Annotated[int, Range(0, 120, step=5)] = 30  # of the rule “another limit”
    # the source still has so many of the last days
    retention_days: Annotated[int, Range(0, 365)] = 7
    n_days: Annotated[int, Choice(N_DAYS)] = 28  # from 1 January on

    @property
    def way(self) -> Way:
        """The ETL that ``loads`` names."""
        return WAYS[LOADS.index(self.loads)]


@dataclass(frozen=True, slots=True)
class Rebuild:
    """A new rule applied to one warehouse."""

    rule: Rule
    way: Way
    outcome: Outcome
    detail: str  # one sentence
    sql: str


@dataclass(frozen=True, slots=True, eq=False)
class EltResult:
    """Both ways' results, what each moved, and every rule applied to every warehouse."""

    params: EltParams
    etl: pa.Table  # the summary by Arrow
    elt: pa.Table  # the summary by SQL
    equal: bool  # row by row
    moved_bytes: dict[Way, int]  # into the warehouse
    moved_rows: dict[Way, int]
    rebuilds: tuple[Rebuild, ...]  # rule by rule, in each the ways in order

    def rebuild(self, rule: Rule, way: Way) -> Rebuild:
        """Return the outcome of a rule on one warehouse."""
        return next(found for found in self.rebuilds if (found.rule, found.way) == (rule, way))

    @property
    def chosen(self) -> Rebuild:
        """The rule in view, applied to what this ETL loaded."""
        return self.rebuild(self.params.rule, self.params.way)

    @property
    def outcome(self) -> Outcome:
        """The outcome of the rule in view on what this ETL loaded."""
        return self.chosen.outcome

    @property
    def bytes_factor(self) -> float:
        """Bytes that ELT moves for each byte of this ETL."""
        return self.moved_bytes["ELT, raw rows"] / self.moved_bytes[self.params.way]

    @property
    def rebuilt_days(self) -> int:
        """Days for which ETL can give the new answer: all, or those that the source still has."""
        return (
            self.params.n_days
            if self.outcome == "rebuilds"
            else min(self.params.retention_days, self.params.n_days)
        )

    @property
    def rebuilt_share(self) -> float:
        """The same as a share of all days, 0–1."""
        return self.rebuilt_days / self.params.n_days

    @property
    def n_rules_rebuilt(self) -> int:
        """Rules of five that this ETL's warehouse can rebuild."""
        return sum(
            found.outcome == "rebuilds" for found in self.rebuilds if found.way == self.params.way
        )

    @property
    def verdict(self) -> str:
        """Whether ETL can apply the new rule, and for how many days."""
        p, more = self.params, f"ELT moves {format_factor(self.bytes_factor)} the bytes"
        if self.outcome == "rebuilds":
            return f"**ETL can apply the new rule** ({self.what()}) to what it loaded. {more}."
        start = (
            f"**ETL cannot apply the new rule** ({self.what()})."
            if self.outcome == "cannot"
            else f"**ETL answers the new rule wrongly, without an error** ({self.what()})."
        )
        return (
            f"{start} From the source it can rebuild **{self.rebuilt_days} of {p.n_days} days**;"
            f" ELT can rebuild all. {more}."
        )

    def what(self) -> str:
        """The new rule in words."""
        return WHAT[self.params.rule].format(
            new=self.params.new_minutes, late=self.params.late_minutes
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        way, raw = self.params.way, WAYS[2]
        return [
            "**Same answer**: transforming before or after loading gives "
            + ("equal rows." if self.equal else "**different** rows."),
            f"**Bytes**: {way} moves {format_bytes(self.moved_bytes[way])}"
            f" ({self.moved_rows[way]:,} rows), ELT {format_bytes(self.moved_bytes[raw])}"
            f" ({self.moved_rows[raw]:,} rows).",
            f"**The new rule** on {way}: {self.chosen.detail}",
            f"**Of {len(RULES)} new rules** the summary can answer {self._count('ETL, summary')},"
            f" the cleaned rows {self._count('ETL, cleaned rows')}, the raw rows"
            f" {self._count('ELT, raw rows')}.",
            "**Personal data** must be removed before loading, or governed after: ELT keeps"
            " everything.",
        ]

    def _count(self, way: Way) -> int:
        return sum(found.outcome == "rebuilds" for found in self.rebuilds if found.way == way)

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        return {
            "n_summary_rows": self.etl.num_rows,
            "n_late": int(pc.sum(self.etl["late"]).as_py()),
            "equal": self.equal,
            "etl_rows_moved": self.moved_rows[self.params.way],
            "elt_rows_moved": self.moved_rows["ELT, raw rows"],
            "outcome": self.outcome,
            "rebuilt_days": self.rebuilt_days,
        }

    def table(self) -> pa.Table:
        """Return one row for each rule and warehouse."""
        names = ("rule", "way", "outcome", "detail")
        return pa.table({name: [getattr(found, name) for found in self.rebuilds] for name in names})


def rule_sql(rule: Rule, rows: str, late: int, new: int) -> str:
    """Return the SQL of a rule on ``rows``: raw, cleaned or summary; the limits are minutes."""
    of_summary = SUMMARY_RULE_SQL if rows == "summary" else {}
    return of_summary.get(rule, RULE_SQL[rule]).format(rows=rows, late=late, new=new)


# ---- the job, both ways


@lru_cache(maxsize=32)
def _job(n_days: int, late_minutes: int) -> tuple[pa.Table, pa.Table, pa.Table, bool]:
    """Return the cleaned rows, the summary by Arrow, the summary by SQL, and whether the two are
    equal.
    """
    raw = raw_rows(n_days)
    cleaned = clean(raw)
    by_arrow = summarise(cleaned, late_minutes)
    with database().cursor() as cursor:
        register(cursor)
        cursor.register("raw", raw)
        by_sql = cursor.sql(SUMMARY_SQL.format(rows="raw", late=late_minutes)).to_arrow_table()
    return cleaned, by_arrow, by_sql, reconcile(by_arrow, by_sql, ("day_of_year", "carrier")).exact


@lru_cache(maxsize=64)
def _applied(n_days: int, late_minutes: int, new_minutes: int) -> tuple[Rebuild, ...]:
    """Apply every rule to every warehouse."""
    raw = raw_rows(n_days)
    cleaned, summary, _, _ = _job(n_days, late_minutes)
    found = []
    with database().cursor() as cursor:
        register(cursor)
        for name, rows in (("raw", raw), ("cleaned", cleaned), ("summary", summary)):
            cursor.register(name, rows)
        for rule in RULES:
            limits = {"late": late_minutes, "new": new_minutes}
            truth = _answer(cursor, rule_sql(rule, "raw", **limits))
            for way, rows in zip(WAYS, ("summary", "cleaned", "raw"), strict=True):
                found.append(_apply(cursor, rule, way, rule_sql(rule, rows, **limits), truth))
    return tuple(found)


def _answer(cursor: Any, sql: str) -> dict[tuple[Any, ...], float]:
    return {row[:-1]: round(float(row[-1]), 9) for row in cursor.execute(sql).fetchall()}


def _apply(
    cursor: Any, rule: Rule, way: Way, sql: str, truth: dict[tuple[Any, ...], float]
) -> Rebuild:
    import duckdb

    try:
        answer = _answer(cursor, sql)
    except duckdb.Error as error:
        return Rebuild(rule, way, "cannot", _missing(error), sql)
    wrong = sum(answer.get(key) != value for key, value in truth.items())
    if not wrong and len(answer) == len(truth):
        return Rebuild(rule, way, "rebuilds", f"all {len(truth):,} numbers are correct.", sql)
    key = next((key for key, value in truth.items() if answer.get(key) != value), next(iter(truth)))
    detail = (
        f"{wrong:,} of {len(truth):,} numbers are wrong: {key[0]} has {answer.get(key, 0):g},"
        f" correct: {truth[key]:g}."
    )
    return Rebuild(rule, way, "silently wrong", detail, sql)


def _missing(error: Exception) -> str:
    """Return DuckDB's complaint about a column as a sentence."""
    found = re.search(r'column (?:named )?"(\w+)"', str(error), re.IGNORECASE)
    return f"the column `{found[1]}` was not loaded." if found else f"DuckDB refuses it: {error}"


def run(params: EltParams) -> EltResult:
    """Do the job both ways and apply every new rule to what each has in its warehouse."""
    p = params
    raw = raw_rows(p.n_days)
    cleaned, by_arrow, by_sql, equal = _job(p.n_days, p.late_minutes)
    loaded = dict(zip(WAYS, (by_arrow, cleaned, raw), strict=True))
    return EltResult(
        p,
        by_arrow,
        by_sql,
        equal,
        {way: table.nbytes for way, table in loaded.items()},
        {way: table.num_rows for way, table in loaded.items()},
        _applied(p.n_days, p.late_minutes, p.new_minutes),
    )
