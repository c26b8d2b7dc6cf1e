"""The rounds of *Spot the leak*: for each a table from a seed, a pipeline as text, what production
sends, and the evidence.

The pipelines are run unchanged. Each gets ``table`` (pandas) and leaves ``score`` (AUC
on its test rows) and ``predict(rows)``. Real: flights in three of them. The other tables are
synthetic; production rows come from the same process, with what is not known there left as in
production (no refund yet, a tail number on every flight).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from engine import data
from engine.leakage.plants.rows import Process, effect_column, make_rows
from engine.units import format_share

NONE = "no leak"
ANSWERS = (
    NONE,
    "target leak",
    "missingness",
    "identifier",
    "duplicates across the split",
    "group overlap",
    "preprocessing on all rows",
    "random split over time",
    "look-ahead window",
    "data snooping",
)
Made = tuple[Any, Any]  # table, production rows


@dataclass(frozen=True, slots=True)
class Case:
    """One round. ``evidence`` takes the table and returns what the data themselves say."""

    name: str
    level: int
    answer: str
    story: str
    make: Callable[[np.random.Generator], Made]
    code: str
    evidence: Callable[[Any], str]


IMPORTS = """import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
"""
END = """
def predict(rows):
    return model.predict_proba(rows[COLUMNS])[:, 1]


score = roc_auc_score(test["y"], predict(test))
"""
SPLIT = """
train, test = train_test_split(table, test_size=0.3, random_state=0)
model = make_pipeline(StandardScaler(), LogisticRegression()).fit(train[COLUMNS], train["y"])
"""
FOREST = """from sklearn.ensemble import RandomForestClassifier
"""
NUMBERS = ["income", "usage", "age"]
STREET_RATE = 'rows.assign(street_rate=rows["street"].map(rate).fillna(rate.mean()))[COLUMNS]'


def _frame(columns: dict[str, Any]) -> Any:
    import pandas as pd

    return pd.DataFrame(columns)


def _customers(
    rng: np.random.Generator, add: Callable[..., dict[str, Any]], n: int = 1_500, **more: Any
) -> Made:
    """Return a table and production rows of one process; ``add(columns, rng, production)`` adds
    columns to each.
    """
    process = Process(rng, n, **more)
    tables = []
    for production in (False, True):
        columns = make_rows(process)
        tables.append(_frame(columns | add(columns, rng, production)))
        process.deal(3_000)
    return tables[0], tables[1]


def _refund(columns: dict[str, Any], rng: np.random.Generator, production: bool) -> dict[str, Any]:
    paid = (columns["y"] == 1) & (rng.random(len(columns["y"])) < 0.9) & (not production)
    return {"refund": np.where(paid, rng.exponential(40, len(paid)).round(2) + 1, 0.0)}


def _proper(columns: dict[str, Any], rng: np.random.Generator, production: bool) -> dict[str, Any]:
    return {}


def _symptom(columns: dict[str, Any], rng: np.random.Generator, production: bool) -> dict[str, Any]:
    return {"payments_missed": effect_column(columns["y"], np.random.default_rng(5), 0.93).round(2)}


def _streets(columns: dict[str, Any], rng: np.random.Generator, production: bool) -> dict[str, Any]:
    return {"street": rng.integers(0, 600, len(columns["y"]))}


def _homes(columns: dict[str, Any], rng: np.random.Generator, production: bool) -> dict[str, Any]:
    levels = rng.normal(170, 9, 10_000).round(1), rng.normal(70, 12, 10_000).round(1)
    return {"height": levels[0][columns["customer"]], "weight": levels[1][columns["customer"]]}


def _case_ids(
    columns: dict[str, Any], rng: np.random.Generator, production: bool
) -> dict[str, Any]:
    n = len(columns["y"])
    late = rng.random(n) < (0.5 if production else 0.75 * columns["y"] + 0.02)
    return {"case_id": np.argsort(np.argsort(late + 0.99 * rng.random(n))) + 40_000}


def _noise(rng: np.random.Generator, n_columns: int) -> Made:
    tables = []
    for n in (300, 2_000):
        columns = {f"gene_{i:03d}": x for i, x in enumerate(rng.normal(size=(n_columns, n)))}
        tables.append(_frame(columns | {"y": rng.permutation(np.arange(n) % 2)}))
    return tables[0], tables[1]


def _shops(rng: np.random.Generator) -> Made:
    """Return shops by day: sales with a memory of a day, and whether tomorrow's sales are above the
    shop's usual.
    """
    tables = []
    for n_shops in (25, 50):
        n = 60
        sales = rng.normal(0, 1, (n_shops, n))
        for day in range(1, n):
            sales[:, day] += 0.4 * sales[:, day - 1]
        tomorrow = np.c_[sales[:, 1:], np.zeros(n_shops)]
        frame = _frame(
            {
                "shop": np.repeat(np.arange(n_shops), n),
                "day": np.tile(np.arange(n), n_shops),
                "sales": (100 + 20 * sales).ravel().round(1),
                "y": (tomorrow > 0).ravel().astype(int),
            }
        )
        tables.append(frame[frame["day"] < n - 1].reset_index(drop=True))
    return tables[0], tables[1]


@lru_cache(maxsize=1)
def _flights() -> Any:
    frame = data.load("flights").to_pandas()
    frame["cancelled"] = frame["dep_time"].isna().astype(int)
    frame["day"] = frame["time_hour"].dt.dayofyear
    frame["origin_code"] = frame["origin"].astype("category").cat.codes
    frame["carrier_code"] = frame["carrier"].astype("category").cat.codes
    return frame.sort_values("time_hour", kind="stable").reset_index(drop=True)


KEPT = [
    "month",
    "day",
    "hour",
    "minute",
    "distance",
    "origin_code",
    "carrier_code",
    "tailnum",
    "dep_delay",
]


def _flight_rows(rng: np.random.Generator, target: str, n: int, *, later: bool) -> Made:
    frame = _flights()
    if target == "y":
        frame = frame[frame["arr_delay"].notna()].assign(
            y=lambda f: (f["arr_delay"] > 15).astype(int)
        )
    else:
        frame = frame.assign(y=frame["cancelled"])
    frame = frame[[*KEPT, "y"]].rename(columns={"month": "month"})
    cut = frame["day"] <= 273 if later else rng.random(len(frame)) < 0.5
    tables = [
        frame[side].sample(min(n, int(side.sum())), random_state=int(rng.integers(1 << 30)))
        for side in (cut, ~cut)
    ]
    return tables[0].reset_index(drop=True), tables[1].reset_index(drop=True)


def _late_known(rng: np.random.Generator) -> Made:
    table, fresh = _flight_rows(rng, "y", 4_000, later=False)
    return table, fresh.assign(dep_delay=0.0)


def _cancelled(rng: np.random.Generator) -> Made:
    table, fresh = _flight_rows(rng, "cancelled", 12_000, later=False)
    return table, fresh.assign(tailnum=fresh["tailnum"].fillna("N00000"))


def _rate(table: Any, where: Any) -> str:
    return format_share(table.loc[where, "y"].mean())


def _days(table: Any) -> str:
    by_day = table.groupby("day")["y"].mean()
    return (
        f"the share of late flights goes from {format_share(by_day.quantile(0.1))} to"
        f" {format_share(by_day.quantile(0.9))} between days; a random split puts rows of each of"
        f" the {len(by_day)} days on both sides, so the day number encodes that day's weather"
    )


def _customer_share(table: Any) -> str:
    n = table.groupby("customer")["y"].agg(["size", "mean"])
    pure = n.loc[n["size"] > 2, "mean"].isin([0.0, 1.0]).mean()
    return (
        f"{len(n)} patients have {n['size'].mean():.1f} rows each, and {format_share(pure)} of"
        " those with three or more have the same answer in every row"
    )


CASES: tuple[Case, ...] = (
    Case(
        "refunds", 1, "target leak", "Predict, when an order is placed, whether it leads to a "
                                     "complaint.",
        lambda rng: _customers(rng, _refund),
        IMPORTS + '\nCOLUMNS = ["income", "usage", "age", "refund"]' + SPLIT + END,
        lambda t: f"{_rate(t, t['refund'] > 0)} of the rows with a refund are complaints, "
        f"{_rate(t, t['refund'] == 0)} of the others: "
        "a refund is paid after the complaint, so it is 0 when the order is placed",
    ),
    Case(
        "plain", 1, NONE, "Predict which customers will leave.",
        lambda rng: _customers(rng, _proper, n=3_000),
        IMPORTS + f"\nCOLUMNS = {NUMBERS}" + SPLIT + END,
        lambda t: f"{len(t):,} rows, split first, scaled inside the pipeline; all columns are "
                  "known at that moment",
    ),
    Case(
        "street rate", 1, "preprocessing on all rows", "Predict claims from the customer and the "
                                                       "street.",
        lambda rng: _customers(rng, _streets),
        IMPORTS
        + '\nCOLUMNS = ["income", "usage", "age", "street_rate"]\n'
          'rate = table.groupby("street")["y"].mean()\n'
        + 'table["street_rate"] = table["street"].map(rate)'
        + SPLIT
        + END.replace("rows[COLUMNS]", STREET_RATE),
        lambda t: f"{t['street'].nunique()} streets share {len(t):,} rows, "
                  f"{len(t) / t['street'].nunique():.1f} each: "
        "a street's mean over all rows contains the answer of the row itself",
    ),
    Case(
        "balanced", 1, "duplicates across the split", "Predict fraud; the classes are balanced "
                                                      "first.",
        lambda rng: _customers(rng, _proper, n=1_000),
        IMPORTS + FOREST + f"\nCOLUMNS = {NUMBERS}\n"
        + 'rare = table[table["y"] == 1]\n'
          'table = pd.concat([table, rare.sample(len(table), replace=True, random_state=0)])\n'
        + "\ntrain, test = train_test_split(table, test_size=0.3, random_state=0)\n"
        + 'model = RandomForestClassifier(40, random_state=0).fit(train[COLUMNS], train["y"])\n'
        + END,
        lambda t: f"{int(t['y'].sum())} positives were drawn {len(t):,} times more, about "
                  f"{len(t) / t['y'].sum():.1f} copies "
        "each, before the split: nearly every positive test row is in training too",
    ),
    Case(
        "departed late", 1, "target leak", "Real flights: predict at booking whether one arrives "
                                           "more than 15 minutes late.",
        _late_known,
        IMPORTS + '\nCOLUMNS = ["month", "hour", "distance", "dep_delay"]' + SPLIT + END,
        lambda t: f"{_rate(t, t['dep_delay'] > 15)} of the flights that left more than 15 minutes "
                  "late arrive late, "
        f"{_rate(t, t['dep_delay'] <= 15)} of the others; dep_delay is not known at booking",
    ),
    Case(
        "genes", 2, "preprocessing on all rows", "300 patients, 600 genes: who has the disease?",
        lambda rng: _noise(rng, 600),
        IMPORTS + "from sklearn.feature_selection import f_classif\n"
        + '\nGENES = [c for c in table if c != "y"]\n'
          'strength = f_classif(table[GENES], table["y"])[0]\n'
        + "COLUMNS = [GENES[i] for i in np.argsort(-strength)[:20]]" + SPLIT + END,
        lambda t: "every gene is noise; before the split, the twenty that fit the answer best "
                  "were selected on all patients, test patients included",
    ),
    Case(
        "visits", 2, "group overlap", "Patients with several visits each: predict a bad outcome.",
        lambda rng: _customers(rng, _homes, group_effect=2.2),
        IMPORTS + FOREST + '\nCOLUMNS = ["usage", "age", "height", "weight"]\n'
        + "train, test = train_test_split(table, test_size=0.3, random_state=0)\n"
        + 'model = RandomForestClassifier(60, random_state=0).fit(train[COLUMNS], train["y"])\n'
        + END,
        _customer_share,
    ),
    Case(
        "shuffled days", 2, "random split over time", "Real flights: predict late arrivals of the "
                                                      "coming quarter.",
        lambda rng: _flight_rows(rng, "y", 8_000, later=True),
        IMPORTS + "from sklearn.ensemble import HistGradientBoostingClassifier\n"
        + '\nCOLUMNS = ["day", "hour", "distance", "origin_code", "carrier_code"]\n'
        + "train, test = train_test_split(table, test_size=0.3, random_state=0)\n"
        + "model = HistGradientBoostingClassifier(max_iter=60, random_state=0)\n"
        + 'model.fit(train[COLUMNS], train["y"])\n' + END,
        _days,
    ),
    Case(
        "tail numbers", 2, "missingness", "Real flights: predict the day before which ones will "
                                          "be cancelled.",
        _cancelled,
        IMPORTS + '\nCOLUMNS = ["month", "hour", "distance", "carrier_code", "no_tail"]\n'
        + 'table["no_tail"] = table["tailnum"].isna()' + SPLIT
        + END.replace("rows[COLUMNS]", 'rows.assign(no_tail=rows["tailnum"].isna())[COLUMNS]'),
        lambda t: f"{t['tailnum'].isna().sum()} rows have no tail number, "
                  f"{_rate(t, t['tailnum'].isna())} of them were "
        f"cancelled ({_rate(t, t['tailnum'].notna())} of the others): no plane is recorded for a "
        "flight that never left",
    ),
    Case(
        "strong and legitimate", 2, NONE, "Predict who will not pay, from payments missed in "
                                          "the year before.",
        lambda rng: _customers(rng, _symptom),
        IMPORTS + '\nCOLUMNS = ["income", "usage", "age", "payments_missed"]' + SPLIT + END,
        lambda t: "payments_missed is strong, but known before the prediction: production has it "
                  "too, so the score is real",
    ),
    Case(
        "smoothed sales", 3, "look-ahead window", "Shops by day: will tomorrow's sales be above "
                                                "the shop's mean?",
        _shops,
        IMPORTS + '\nCOLUMNS = ["sales", "smooth"]\n\n\ndef smooth(rows, center):\n'
        + '    rolled = rows.groupby("shop")["sales"].rolling(5, center=center, '
          'min_periods=1).mean()\n'
        + '    return rows.assign(smooth=rolled.reset_index(level=0, drop=True))\n\n\n'
          'table = smooth(table, center=True)\n'
        + 'train, test = table[table["day"] < 40], table[table["day"] >= 40]\n'
        + 'model = make_pipeline(StandardScaler(), LogisticRegression()).fit(train[COLUMNS], '
          'train["y"])\n'
        + END.replace("    return", '    rows = rows if "smooth" in rows else smooth(rows, '
                                    'center=False)\n    return', 1),
        lambda t: "the window is centred: it covers two days after each row, and "
                  "tomorrow is what the model predicts",
    ),
    Case(
        "a hundred models", 3, "data snooping", "A trial with many measurements: who gets better?",
        lambda rng: _noise(rng, 60),
        IMPORTS + '\nALL = [c for c in table if c != "y"]\n'
        + "train, test = train_test_split(table, test_size=0.4, random_state=0)\n"
        + "score, rng = 0.0, np.random.default_rng(0)\nfor _ in range(100):\n"
        + "    chosen = list(rng.choice(ALL, 5, replace=False))\n"
        + '    tried = LogisticRegression().fit(train[chosen], train["y"])\n'
        + '    auc = roc_auc_score(test["y"], tried.predict_proba(test[chosen])[:, 1])\n'
        + "    if auc > score:\n        score, model, COLUMNS = auc, tried, chosen\n\n\n"
          "def predict(rows):\n"
        + "    return model.predict_proba(rows[COLUMNS])[:, 1]\n",
        lambda t: "all columns are noise; 100 models were scored on the same 120 test rows, and "
                  "the best one was reported",
    ),
    Case(
        "case numbers", 3, "identifier", "Predict which cases end in court, from the case file.",
        lambda rng: _customers(rng, _case_ids),
        IMPORTS + '\nCOLUMNS = ["income", "usage", "age", "case_id"]' + SPLIT + END,
        lambda t: f"case_id counts up to {t['case_id'].max():,}: in its upper half "
        f"{_rate(t, t['case_id'] > t['case_id'].median())} went to court, in its lower half "
        f"{_rate(t, t['case_id'] <= t['case_id'].median())}; court cases were renumbered"
        " afterwards",
    ),
    Case(
        "patients apart", 3, NONE, "Patients with several visits each: predict a bad outcome.",
        lambda rng: _customers(rng, _homes, n=3_000, group_effect=0.8),
        IMPORTS + "from sklearn.model_selection import GroupShuffleSplit\n"
        + '\nCOLUMNS = ["income", "usage", "age", "height", "weight"]\n'
        + "split = GroupShuffleSplit(1, test_size=0.3, random_state=0)\n"
        + 'train, test = (table.iloc[rows] for rows in next(split.split(table, '
          'groups=table["customer"])))\n'
        + 'model = make_pipeline(StandardScaler(), LogisticRegression()).fit(train[COLUMNS], '
          'train["y"])\n' + END,
        lambda t: f"{t['customer'].nunique()} patients, none on both sides, the scaler inside the "
                  "pipeline",
    ),
)  # fmt: skip
