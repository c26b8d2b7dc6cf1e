"""Tables with a known truth: clean ones, and ones with a single planted leak of a known kind, dose
and place.

Everything here is made up, from a seed. A planted table also says how far the leak moves a score: a
random forest's with and without the planted columns, or on the table's own test rows against rows
that no leak touches (``audit.scoreboard.measure_effect``).

No threshold of a detector was ever set by a seed of ``EVALUATION_SEEDS``: those were tuned on
``TUNING_SEEDS`` alone. The scoreboard takes evaluation seeds only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa

from engine.errors import require_choice
from engine.leakage.plants import honest, kinds
from engine.leakage.plants.rows import Process, as_table, make_rows

TUNING_SEEDS = range(100_000)
EVALUATION_SEEDS = range(100_000, 200_000)
PlantKind = Literal[
    "copy of the answer",
    "value only one answer has",
    "missing where it happened",
    "id given by the answer",
    "encoding over all rows",
    "columns that add up",
    "copies across the split",
    "near copies across the split",
    "groups on both sides",
    "random split over time",
    "biased test rows",
    "effect, moment declared",
    "updated after the event",
    "look-ahead window",
    "sparse id by the answer",
    "id that repeats",
    "order of the rows",
    "copies with new ids and times",
]
PLANT_KINDS: tuple[PlantKind, ...] = get_args(PlantKind)
# shown beside them: no table tells it from an honest strong column
HIDDEN_KIND = "effect, moment not declared"


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A table with its roles. ``planted``: the columns that leak (none: the split does). ``fresh``:
    untouched rows.
    """

    table: pa.Table
    target: str
    planted: tuple[str, ...] = ()
    also_named: tuple[
        str, ...
    ] = ()  # columns that give the leak away and may be named too: the moment of the change
    dose: float = 0.0  # 0 none … 1 full, by kind
    time: str | None = None
    group: str | None = None
    split: str | None = None
    known_at: dict[str, Any] = field(default_factory=dict)
    fresh: pa.Table | None = None
    # not audited, but a model can make it of the leak: the row's place, a thing's rate
    unseen: pa.Table | None = None
    # whether the split itself is the leak, so that no other may stand in for it
    kept_split: bool = False
    features: tuple[str, ...] = ()  # what a model would be trained on, planted columns included


def planted(kind: str, seed: int) -> Made:
    """Return a table with one leak of ``kind``; the dose is drawn from the seed.

    Raises
    ------
    InputError
        ``kind`` is not one of ``PLANT_KINDS``.
    """
    require_choice("kind", kind, (*PLANT_KINDS, HIDDEN_KIND))
    rng = np.random.default_rng([seed, (*PLANT_KINDS, HIDDEN_KIND).index(kind)])
    made = kinds.PLANTERS[kind](rng)
    return Made(**made)


def clean(seed: int) -> Made:
    """Return a table without a leak: strong honest columns, ids, rare categories, gaps, honest
    histories, correlations.

    By turns: cut by time, split by group, no split but time and group, split at random; every other
    target is a number. Rows are in order of time, and the answer drifts a little with it; where no
    role needs the times, every other table has lost them.
    """
    rng = np.random.default_rng([seed, 1_000])
    numeric = bool(seed % 2)
    process = Process(rng, n_rows=int(rng.integers(1_200, 2_200)), numeric=numeric)
    drift = float(rng.uniform(-0.5, 0.5)) * np.linspace(-1, 1, process.n)
    columns = make_rows(process, drift)
    columns |= honest.honest(process, columns, rng)
    made: dict[str, Any] = {"target": "y"}
    turn = (seed // 2) % 4
    if turn in (1, 3) and (seed // 8) % 2:
        del columns["moment"], columns["signup"]
    if turn == 0:
        columns["part"] = np.where(np.arange(process.n) < 0.7 * process.n, "train", "test")
        made |= {"time": "moment", "split": "part"}
    elif turn == 1:
        tested = rng.random(process.n_groups) < 0.3
        columns["part"] = np.where(tested[process.group], "test", "train")
        made |= {"group": "customer", "split": "part"}
    elif turn == 2:
        made |= {"time": "moment", "group": "customer"}
    else:
        columns["part"] = np.where(rng.random(process.n) < 0.3, "test", "train")
        made |= {"split": "part"}
    if turn in (0, 2):
        made["known_at"] = {"usage": -24.0, "signup": "signup", "plan": 0.0}
    if "part" in columns:
        columns["city_rate"] = kinds.train_only_rate(
            columns["city"], columns["y"], columns["part"] == "train"
        )
    return Made(table=as_table(columns), **made)
