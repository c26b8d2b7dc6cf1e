"""The calls of a feature store's life: what is asked for, and what each call touched and left."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

import pyarrow as pa

from engine.feature_store.calls.trace import COMPONENTS
from engine.ranges import Choice, Params, Range
from engine.units import format_number, format_seconds

Push = Literal["online", "online and offline"]
CALLS = ("apply", "train", "serve too soon", "materialize", "serve", "push", "serve again",
         "train again")  # fmt: skip
CODE = {
    "apply": "store.apply([plane, delays])",
    "train": "store.get_historical_features(labels, features).to_df()",
    "serve too soon": "store.get_online_features(features, [{{'tailnum': {plane}}}])",
    "materialize": "store.materialize(start, end)",
    "serve": "store.get_online_features(features, [{{'tailnum': {plane}}}])",
    "push": "store.push('landed', row, to=PushMode.{mode})",
    "serve again": "store.get_online_features(features, [{{'tailnum': {plane}}}])",
    "train again": "store.get_historical_features(labels, features).to_df()",
}
# what the calls are known to touch, shown until they have run
EXPECTED = {
    "apply": ("SDK", "registry", "compute engine", "online store"),
    "train": ("SDK", "registry", "offline store"),
    "serve too soon": ("SDK", "registry", "online store"),
    "materialize": ("SDK", "registry", "compute engine", "offline store", "online store"),
    "serve": ("SDK", "registry", "online store"),
    "push": ("SDK", "registry", "online store"),
    "serve again": ("SDK", "registry", "online store"),
    "train again": ("SDK", "registry", "offline store"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsParams(Params):
    """The call to look at, the age of the last batch, and where a push goes."""

    call: Annotated[str, Choice(CALLS)] = "materialize"
    batch_hours: Annotated[int, Range(1, 48)] = 12  # since the last batch run
    push: Push = "online and offline"

    @property
    def job(self) -> CallsParams:
        """What Feast runs; another call to look at needs no new run."""
        return replace(self, call=CallsParams().call)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the SDK, as it was watched."""

    name: str
    seconds: dict[str, float]  # by component
    entries: dict[str, int]  # times that a component was entered from another
    functions: tuple[tuple[str, str, int], ...]  # component, function, times entered
    statements: tuple[tuple[str, int], ...]  # SQL of the online store: kind and table, times
    n_rows: int  # in the online store afterwards: one per key and feature
    value: float | None = None  # what a read answers for the plane
    age_hours: float | None = None  # of the served value; None: nothing was served

    @property
    def touched(self) -> tuple[str, ...]:
        """Components that the call entered, in order."""
        return tuple(name for name in COMPONENTS if self.entries.get(name))


@dataclass(frozen=True, slots=True, eq=False)
class CallsResult:
    """Every call of one run in order, and what a feature store prevents."""

    params: CallsParams
    calls: tuple[Call, ...]
    plane: str
    skew_lost: float  # AUC that the skew injector's default setting costs
    complete: bool = True

    @property
    def shown(self) -> Call:
        """The call that is looked at."""
        return self.named(self.params.call)

    def named(self, name: str) -> Call:
        """Return a call by its name."""
        return next(call for call in self.calls if call.name == name)

    @property
    def age_before_hours(self) -> float:
        """Age of the value served after the batch run, in hours."""
        return self.named("serve").age_hours or 0.0

    @property
    def age_after_hours(self) -> float:
        """Age of the value served after the push, in hours."""
        return self.named("serve again").age_hours or 0.0

    @property
    def training_sees_push(self) -> str:
        """Whether the training join after the push gives the value that is served: yes or no."""
        return "yes" if self.named("train again").value == self.named("serve again").value else "no"

    @property
    def n_touched(self) -> int:
        """Components that the call entered."""
        return len(self.shown.touched)

    @property
    def verdict(self) -> str:
        """What the call touches and what it leaves."""
        call = self.shown
        early = "" if self.complete else "Not measured yet. Expected: "
        parts = [name for name in call.touched if name != "SDK"]
        text = f"{early}**{call.name}** passes the {_listed(parts)}"
        return f"{text}{self._left(call)}." if self.complete else f"{text}."

    def _left(self, call: Call) -> str:
        if call.name.startswith("serve"):
            if call.age_hours is None:
                return " and finds nothing: no value was written yet"
            return f": the value is **{format_seconds(call.age_hours * 3600)}** old"
        if call.name.startswith("train"):
            known = " and sees" if self.training_sees_push == "yes" else ", which does not see"
            return f"{known} the pushed row" if call.name == "train again" else ""
        return f": the online store holds **{call.n_rows:,}** rows"

    @property
    def why(self) -> list[str]:
        """The reasons, with this run's numbers."""
        ages = [
            format_seconds(hours * 3600) for hours in (self.age_before_hours, self.age_after_hours)
        ]
        cost = f" **{format_number(self.skew_lost, 3)} AUC**" if self.complete else " accuracy"
        reasons = [
            "**Why it exists**: two code paths for one feature drift apart. One wrong clock costs"
            f"{cost} and raises no error (*Skew injector*).",
            "**Registry**: a file that knows what is defined. Every call asks it first.",
            "**Offline store**: all rows with their history, here Parquet read by DuckDB.",
            "**Online store**: the last row of each key, here SQLite."
            " `materialize` copies it by the compute engine, `push` without.",
        ]
        if self.complete:
            reasons.append(
                f"**Push**: the served value is {ages[1]} old, after the batch run {ages[0]}."
            )
        if self.complete and self.training_sees_push == "no":
            reasons.append(
                "**Pushed online only**: serving has a value that training never saw. Push to both,"
                " or load the batch source soon."
            )
        return reasons

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        found: dict[str, int | float | str] = {
            "rows_after_materialize": self.named("materialize").n_rows,
            "rows_after_push": self.named("push").n_rows,
            "age_before_hours": round(self.age_before_hours, 3),
            "age_after_hours": round(self.age_after_hours, 3),
            "training_sees_push": self.training_sees_push,
        }
        return found | {f"{name} touched": len(self.named(name).touched) for name in CALLS}

    def table(self) -> pa.Table:
        """Return one row for each call and component that it entered."""
        return pa.Table.from_pylist(
            [
                {
                    "call": call.name,
                    "component": name,
                    "entered": call.entries[name],
                    "seconds": call.seconds.get(name, 0.0),
                }
                for call in self.calls
                for name in call.touched
            ]
        )

    def rows(self) -> list[dict[str, str]]:
        """Return each call as a row of texts: times entered and time by component."""
        return [
            {"call": call.name}
            | {
                name: f"{call.entries[name]}×, {format_seconds(call.seconds.get(name, 0.0))}"
                if call.entries.get(name)
                else ""
                for name in COMPONENTS
            }
            | {"online rows after": f"{call.n_rows:,}"}
            for call in self.calls
        ]

    def evidence(self) -> list[dict[str, str | int]]:
        """Return what the call entered and which SQL the online store got."""
        call = self.shown
        entered: list[dict[str, str | int]] = [
            {"component": where, "what": f"{function}()", "times": times}
            for where, function, times in call.functions
        ]
        return entered + [
            {"component": "online store", "what": f"SQL: {statement}", "times": times}
            for statement, times in call.statements
        ]


def code_of(params: CallsParams, plane: str) -> str:
    """Return the call as it is written."""
    mode = "ONLINE" if params.push == "online" else "ONLINE_AND_OFFLINE"
    return CODE[params.call].format(plane=repr(plane), mode=mode)


def expected(params: CallsParams) -> CallsResult:
    """Return, without Feast, which components each call passes."""
    both = params.push != "online"
    calls = []
    for name in CALLS:
        parts = EXPECTED[name] + (("offline store",) if name == "push" and both else ())
        calls.append(Call(name, {}, dict.fromkeys(parts, 1), (), (), 0))
    return CallsResult(params, tuple(calls), "", 0.0, complete=False)


def _listed(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
