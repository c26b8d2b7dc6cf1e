"""What the executed faults did, and what it says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from engine.pipeline.faults.executed import Caught, Executed, auc_change, missed_minutes
from engine.pipeline.faults.incident import DAILY, TITLES
from engine.pipeline.faults.kinds import FAULTS, KINDS, NONE, Kind
from engine.pipeline.faults.params import FaultsParams
from engine.units import format_interval, format_number, format_seconds, format_signed

ANNOUNCED = 0.3  # probability from which on a flight is announced as late
HOPS = [stage.name for stage in DAILY]
NO_GATE = "no gate"


@dataclass(frozen=True, slots=True, eq=False)
class FaultsResult:
    """The executed faults by name, ``"none"`` among them; those that are missing are not executed
    yet.
    """

    params: FaultsParams
    executed: dict[str, Executed]

    def with_one(self, executed: Executed) -> FaultsResult:
        """Return the result with one more."""
        return replace(self, executed=self.executed | {executed.fault: executed})

    @property
    def kind(self) -> Kind:
        """The chosen fault."""
        return KINDS[self.params.fault]

    @property
    def one(self) -> Executed | None:
        """What the chosen fault did, ``None`` before it is executed."""
        return self.executed.get(self.params.fault)

    @property
    def clean(self) -> Executed | None:
        """What the day did without a fault."""
        return self.executed.get(NONE)

    @property
    def complete(self) -> bool:
        """Whether what is asked for is executed."""
        asked = FAULTS if self.params.every else (self.params.fault,)
        return {NONE, *asked} <= set(self.executed)

    def caught(self, fault: str) -> Caught | None:
        """Return the first gate that spoke; ``None`` without one or before the execution."""
        done = self.executed.get(fault)
        return done.caught if done else None

    def hop(self, fault: str) -> str:
        """Return the hop that caught a fault, before its execution the one that is expected to;
        ``""`` for none.
        """
        if fault not in self.executed:
            return KINDS[fault].expected
        caught = self.caught(fault)
        return caught.hop if caught else ""

    @property
    def caught_hop(self) -> str:
        """The hop that caught the chosen fault, or "no gate"."""
        return self.hop(self.params.fault) or NO_GATE

    @property
    def done(self) -> list[str]:
        """The faults that are executed."""
        return [fault for fault in FAULTS if fault in self.executed]

    @property
    def n_caught(self) -> int:
        """Executed faults that a gate caught."""
        return sum(self.caught(fault) is not None for fault in self.done)

    @property
    def missed(self) -> list[str]:
        """Executed faults that no gate caught."""
        return [fault for fault in self.done if self.caught(fault) is None]

    @property
    def n_before_serving(self) -> int:
        """Executed faults that are caught before a flight is predicted."""
        early = HOPS[: HOPS.index("serve")]
        return sum(self.hop(fault) in early for fault in self.done)

    @property
    def minutes(self) -> float | None:
        """Minutes until the chosen fault is caught; ``None`` if it is not."""
        caught = self.caught(self.params.fault)
        return caught.minute if caught else None

    @property
    def verdict(self) -> str:
        """What the gates did, the title of the first chart."""
        if not self.done:
            return "Not executed yet. Expected: the gate that each fault is made to meet."
        names = " and ".join(KINDS[fault].title.lower() for fault in self.missed)
        said = f"**{self.n_caught} of {len(self.done)} faults are caught**"
        said += f", {self.n_before_serving} before a flight is predicted"
        if names:
            said += f". No gate catches: **{names}**"
        if len(self.done) < len(FAULTS):
            said += f". Not executed yet: {len(FAULTS) - len(self.done)}"
        return f"{said}."

    @property
    def why(self) -> list[str]:
        """The chosen fault's story, with the numbers of its run."""
        found = [f"**{self.kind.title}.** {self.kind.story}"]
        one, clean = self.one, self.clean
        if one is None or clean is None:
            return [*found, "**Not executed yet.** The chart shows where a gate should catch it."]
        caught = one.caught
        if caught is None:
            found.append("**No gate catches it.** Every stage ends, every alert is silent.")
        else:
            after = format_seconds(60 * caught.minute)
            found.append(
                f"**Caught** at {TITLES[caught.hop]} by the {caught.gate} after {after}:"
                f" {caught.evidence}"
            )
        if one.failures and not one.stopped_at:
            n = len(one.failures)
            found.append(
                f"**Recovered.** {n} failed {'attempt' if n == 1 else 'attempts'}; the run is over"
                f" after {format_seconds(60 * one.minutes)} and makes the same predictions."
                if self.same_predictions(self.params.fault)
                else f"**Recovered** after {n} failed attempts."
            )
        return [*found, self.effect(self.params.fault)]

    def same_predictions(self, fault: str) -> bool:
        """Whether the served predictions are those of the day without a fault."""
        one, clean = self.executed[fault], self.clean
        if one.served is None or clean is None or clean.served is None:
            return False
        return bool(one.served.p.tolist() == clean.served.p.tolist())

    def effect(self, fault: str) -> str:
        """Return what a fault did to the predictions, in a sentence."""
        one, clean = self.executed[fault], self.clean
        if clean is None or clean.served is None:
            return ""
        missed = format_number(missed_minutes(one, clean, ANNOUNCED))
        change = auc_change(one, clean)
        if change is None:
            return (
                f"**Predictions.** None are served: {missed} delay minutes of flights that would"
                " have been announced are not."
            )
        if self.same_predictions(fault):
            return "**Predictions.** The same as without the fault."
        gain, low, high = change
        unclear = " No measurable effect on the AUC of this day." if low <= 0 <= high else ""
        return (
            f"**Predictions.** AUC {format_signed(gain)} ({format_interval(low, high)}); {missed}"
            f" delay minutes are not announced any more.{unclear}"
        )

    def headline(self) -> dict[str, Any]:
        """Return the numbers that the script reproduces: the chosen fault's."""
        one = self.one
        if one is None:
            return {}
        caught = one.caught
        return {
            "caught at": caught.hop if caught else NO_GATE,
            "failed attempts": len(one.failures),
            "predictions": 0 if one.served is None else len(one.served.p),
        }

    def rows(self) -> list[dict[str, str]]:
        """Return one row for each fault, as a page shows it."""
        found = []
        for fault in FAULTS:
            kind, one = KINDS[fault], self.executed.get(fault)
            caught = self.caught(fault)
            change = auc_change(one, self.clean) if one and self.clean else None
            found.append(
                {
                    "fault": kind.title,
                    "hits": TITLES[kind.hop],
                    "caught by": "not executed yet"
                    if one is None
                    else (f"{caught.gate}, {TITLES[caught.hop]}" if caught else NO_GATE),
                    "after": format_seconds(60 * caught.minute) if caught else "–",
                    "AUC change": "–"
                    if one is None
                    else ("not served" if change is None else format_signed(change[0])),
                    "attempts": "–" if one is None else str(len(one.failures) + 1),
                }
            )
        return found

    def alerts(self) -> list[dict[str, str]]:
        """Return each gate on the served day with the executed runs that fired it."""
        found: dict[tuple[str, str], dict[str, str]] = {}
        for fault, one in self.executed.items():
            for alert in one.alerts:
                row = found.setdefault(
                    (alert["gate"], alert["rule"]),
                    {
                        "gate": alert["gate"],
                        "rule": alert["rule"],
                        "limit": f"{alert['limit']:.3g}",
                        "fired by": "",
                    },
                )
                if alert["fired"]:
                    name = KINDS[fault].title if fault != NONE else "no fault"
                    value = "none" if alert["value"] is None else f"{alert['value']:.3g}"
                    row["fired by"] += f"{', ' if row['fired by'] else ''}{name} ({value})"
        return sorted(found.values(), key=lambda row: not row["fired by"])

    def hops(self) -> list[dict[str, str]]:
        """Return each stage of the chosen fault's run beside the run without it."""
        one, clean = self.one, self.clean
        if one is None or clean is None:
            return []
        found = []
        for name in HOPS:
            mine, theirs = one.record(name), clean.record(name)
            found.append(
                {
                    "stage": TITLES[name],
                    "state": mine.state if mine else "not reached",
                    "rows out": "–" if mine is None else format_number(mine.n_out),
                    "without the fault": "–" if theirs is None else format_number(theirs.n_out),
                    "dropped": "" if mine is None else _dropped(mine.dropped),
                    "content": "–"
                    if mine is None or theirs is None or not mine.digest
                    else ("the same" if mine.digest == theirs.digest else "differs"),
                }
            )
        return found

    def table(self) -> pa.Table:
        """Return one row for each fault."""
        return pa.Table.from_pylist(self.rows())


def _dropped(dropped: dict[str, int]) -> str:
    return "; ".join(f"{n:,}: {why}" for why, n in dropped.items())
