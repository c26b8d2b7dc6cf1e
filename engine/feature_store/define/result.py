"""A feature view as a person defines it, and what Feast makes of it, in numbers and in words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

import numpy as np
import pyarrow as pa

from engine.errors import require
from engine.ranges import Choice, Params, Range, Text
from engine.source_code import literal
from engine.units import format_number, format_time

Entity = Literal["plane", "airport"]
KEYS: dict[Entity, str] = {"plane": "tailnum", "airport": "origin"}
Type = Literal["Float64", "Float32", "Int64", "String", "Bool"]
COLUMNS: dict[Entity, tuple[str, ...]] = {
    "plane": ("mean_delay", "last_delay"),
    "airport": ("temp", "wind_speed", "precip", "visib", "pressure"),
}
FIELDS = (*COLUMNS["plane"], *COLUMNS["airport"], "tailnum", "origin")
NONE = "none"
STAGES = ("define", "apply", "train", "materialize", "serve")
CALLS = {
    "define": "FeatureView(…)",
    "apply": "store.apply",
    "train": "get_historical_features",
    "materialize": "materialize",
    "serve": "get_online_features",
}
NAME = re.compile(r"[A-Za-z0-9_@:. -]*")
MOST_QUOTED = 110  # characters of Feast's words in the verdict
N_LABELS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class DefineParams(Params):
    """A feature view of one or two fields."""

    name: Annotated[str, Text(40)] = "my_delays"
    entity: Entity = "plane"
    ttl_hours: Annotated[int, Range(0, 168, options=(0, 1, 6, 12, 24, 72, 168))] = 12
    first: Annotated[str, Choice(FIELDS)] = "mean_delay"
    first_type: Type = "Float64"
    second: Annotated[str, Choice((NONE, *FIELDS))] = NONE
    second_type: Type = "Float64"

    def check_together(self) -> None:
        """Raise ``InputError`` unless the name is of letters, digits and few signs."""
        require(
            bool(NAME.fullmatch(self.name)),
            "name must be of letters, digits, space and _ - . @ : alone. Got {!r}.",
            self.name,
        )

    @property
    def schema(self) -> tuple[tuple[str, Type], ...]:
        """Name and type of each field."""
        fields: tuple[tuple[str, Type], ...] = ((self.first, self.first_type),)
        return fields if self.second == NONE else (*fields, (self.second, self.second_type))


@dataclass(frozen=True, slots=True, eq=False)
class DefineResult:
    """What happened at each stage, and what a training set and a request got.

    ``rows`` (n,) and ``asked`` (N_LABELS,) are seconds since 1970 of the key's rows in the source
    and of the labels; ``joined`` (N_LABELS,) is the place of the row that the definition asks for,
    -1 without one.
    """

    params: DefineParams
    key: str  # the plane or airport that the labels ask for
    rows: np.ndarray
    asked: np.ndarray
    joined: np.ndarray
    refused_at: str = ""  # one of STAGES; "" if Feast takes it all
    error: str = ""  # Feast's own words
    answers: tuple[dict[str, str | None], ...] = ()  # of each label, by field; None: null
    served: dict[str, str | None] | None = None
    newest: dict[str, str | None] | None = None  # the key's last row in the source, by field
    n_online: int = 0
    complete: bool = True

    @property
    def n_values(self) -> int:
        """Labels whose first field has a value, as Feast answered."""
        return sum(row[self.params.first] is not None for row in self.answers)

    @property
    def n_null(self) -> int:
        """Labels whose first field is null, as Feast answered."""
        return len(self.answers) - self.n_values

    @property
    def served_value(self) -> str:
        """What serving answers for the first field, or that Feast refuses the view."""
        if self.refused_at or self.served is None:
            return "refused"
        return self.served[self.params.first] or "null"

    @property
    def altered(self) -> tuple[tuple[str, str, str], ...]:
        """Fields whose served value is not the source's: name, source, serving."""
        source, served = self.newest or {}, self.served or {}
        return tuple(
            (name, source[name] or "null", text or "null")
            for name, text in served.items()
            if text != source.get(name)
        )

    @property
    def refused(self) -> str:
        """Where Feast refuses the definition: a stage, or nowhere."""
        return self.refused_at or "nowhere"

    @property
    def verdict(self) -> str:
        """Whether Feast takes the view, and what training gets from it."""
        params = self.params
        if not self.complete:
            n = int((self.joined >= 0).sum())
            return f"Not measured yet. Expected: **{n} of {N_LABELS}** labels get a value."
        if self.refused_at:
            words = self.error if len(self.error) <= MOST_QUOTED else f"{self.error[:MOST_QUOTED]}…"
            return f"**Refused** by `{CALLS[self.refused_at]}`: “{words}”"
        null = f", {self.n_null} get null" if self.n_null else ""
        if self.altered:
            name, source, served = self.altered[0]
            return (
                f"`{params.name}` is registered. Training gets {name} **{source}**, serving"
                f" **{served}**: no error."
            )
        limit = f" (TTL {params.ttl_hours} h)" if params.ttl_hours else " (no TTL)"
        return (
            f"`{params.name}` is registered: **{self.n_values} of {N_LABELS}** labels get a"
            f" value{null}{limit}."
        )

    @property
    def why(self) -> list[str]:
        """The reasons, with this run's numbers."""
        params = self.params
        reasons = [
            f"**Entity**: `{params.entity}` says what a row is about; its join key is"
            f" `{KEYS[params.entity]}`.",
            "**Fields**: names must be columns of the source. Training gets the source's own"
            " values; the declared type counts when values go online.",
        ]
        if self.refused_at:
            done = STAGES[: STAGES.index(self.refused_at)]
            before = f" after {', '.join(done)} went well" if done else ""
            reasons.insert(0, f"**Refused at {self.refused_at}**{before}: “{self.error}”")
        elif params.ttl_hours:
            reasons.append(
                f"**TTL**: the newest row before the label counts if it is at most"
                f" {params.ttl_hours} h old, else the value is null."
            )
        for name, source, served in self.altered:
            kind = dict(params.schema)[name]
            reasons.append(f"**Skew by type**: {kind} turns {name} {source} into {served} online.")
        if self.served:
            values = ", ".join(f"{name} {text or 'null'}" for name, text in self.served.items())
            reasons.append(f"**Served** for {self.key}: {values}. Serving ignores the TTL.")
        return reasons

    def headline(self) -> dict[str, int | str]:
        """Return the numbers that the script reproduces."""
        return {
            "refused": self.refused,
            "n_values": self.n_values,
            "n_null": self.n_null,
            "served_value": self.served_value,
            "n_online": self.n_online,
        }

    def table(self) -> pa.Table:
        """Return one row for each label."""
        return pa.Table.from_pylist(self.label_rows())

    def label_rows(self) -> list[dict[str, str]]:
        """Return each label with the row that it joins and what Feast answers, as texts."""
        rows = []
        for number, (asked, place) in enumerate(zip(self.asked, self.joined, strict=True)):
            used = "none" if place < 0 else format_time(_moment(self.rows[place]))
            age = "" if place < 0 else format_number((asked - self.rows[place]) / 3600, 1)
            answer = self.answers[number] if self.answers else {}
            values = {name: text or "null" for name, text in answer.items()}
            row = {KEYS[self.params.entity]: self.key, "label (UTC)": format_time(_moment(asked))}
            rows.append(row | {"row joined": used, "age, h": age} | values)
        return rows


def _moment(second: float) -> datetime:
    return datetime.fromtimestamp(float(second), UTC)


def definition(params: DefineParams) -> str:
    """Return the definition as Python; the person's text is a literal in it."""
    schema = "".join(
        f"        Field(name={literal(name)}, dtype={kind}),\n" for name, kind in params.schema
    )
    return (
        f"{params.entity} = Entity(name={literal(params.entity)},"
        f" join_keys=[{literal(KEYS[params.entity])}], value_type=ValueType.STRING)\n"
        "view = FeatureView(\n"
        f"    name={literal(params.name)},\n"
        f"    entities=[{params.entity}],\n"
        f"    ttl=timedelta(hours={literal(params.ttl_hours)}),\n"
        f"    schema=[\n{schema}    ],\n"
        "    source=FileSource(path=path, timestamp_field='event_timestamp',"
        " created_timestamp_column='created'),\n"
        ")\n"
        f"store.apply([{params.entity}, view])"
    )
