"""The repairs: for each leak the wrong pipeline (those of *Spot the leak*) and the lines that fix
it.

``changes`` turn the wrong text into the right one; ``bad`` and ``good`` are the beginnings of the
lines that matter.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.leakage.rounds.cases import CASES, END, IMPORTS, NUMBERS, SPLIT, STREET_RATE, Case

HERE, FIXED = "  # ← here it leaks", "  # ← fixed"
RANDOM = "train, test = train_test_split(table, test_size=0.3, random_state=0)\n"
BALANCE = (
    (
        'rare = table[table["y"] == 1]\ntable = pd.concat([table, rare.sample(len(table),'
        " replace=True, random_state=0)])\n"
    ),
    (
        'rare = train[train["y"] == 1]\ntrain = pd.concat([train, rare.sample(len(train),'
        " replace=True, random_state=0)])\n"
    ),
)
SCALED = (
    "\n\ndef scaled(rows):\n    return rows if rows is test or rows is train else (rows[COLUMNS] -"
    " mean) / spread\n\n"
)
LOOP_END = (
    "chosen])[:, 1])\n    if auc > score:\n        score, model, COLUMNS = auc, tried,"
    " chosen\n\n\ndef predict(rows):\n    return model.predict_proba(rows[COLUMNS])[:, 1]\n"
)


@dataclass(frozen=True, slots=True)
class Repair:
    """One leak and its repair. ``case`` names the round that the table and the wrong pipeline come
    from.
    """

    case: str
    bad: str
    good: str
    changes: tuple[tuple[str, str], ...]
    rule: str
    wrong_code: str = ""  # where the wrong pipeline is not the round's


REPAIRS: dict[str, Repair] = {
    "feature selection on all rows": Repair(
        "genes",
        "strength = ",
        "model = ",
        (
            ("import f_classif", "import SelectKBest, f_classif"),
            ('strength = f_classif(table[GENES], table["y"])[0]\n', ""),
            ("COLUMNS = [GENES[i] for i in np.argsort(-strength)[:20]]", "COLUMNS = GENES"),
            ("make_pipeline(StandardScaler(),", "make_pipeline(SelectKBest(f_classif, k=20), "
                                                "StandardScaler(),"),
        ),
        "A step that uses the answers belongs inside the pipeline: it is then fitted on training "
        "rows only, in every fold.",
    ),
    "target encoding on all rows": Repair(
        "street rate",
        "rate = table.groupby",
        "encode = ",
        (
            ('"age", "street_rate"]', '"age", "street"]'),
            ('rate = table.groupby("street")["y"].mean()\n'
             'table["street_rate"] = table["street"].map(rate)\n',
             'folds = KFold(5, shuffle=True, random_state=0)\n'
             'encode = ColumnTransformer([("street", TargetEncoder(cv=folds), ["street"])], '
             'remainder="passthrough")\n'),
            ("make_pipeline(StandardScaler(),", "make_pipeline(encode, StandardScaler(),"),
            ("import StandardScaler\n",
             "import StandardScaler, TargetEncoder\n"
             "from sklearn.compose import ColumnTransformer\n"),
            ("import train_test_split", "import KFold, train_test_split"),
            (STREET_RATE, "rows[COLUMNS]"),
        ),
        "TargetEncoder encodes training rows out of fold, and test rows from training rows only.",
    ),
    "resampling before the split": Repair(
        "balanced",
        "table = pd.concat",
        "train = pd.concat",
        ((BALANCE[0], ""), (RANDOM, RANDOM + BALANCE[1])),
        "Split first, then resample the training rows: no test row has a copy there, and the test "
        "set keeps its class shares.",
    ),
    "a column that is an effect": Repair(
        "refunds",
        "COLUMNS = ",
        "COLUMNS = ",
        ((', "refund"]', "]"),),
        "Leave out a column that is written after the prediction, however well it scores.",
    ),
    "a column known too late": Repair(
        "departed late",
        "COLUMNS = ",
        "COLUMNS = ",
        ((', "dep_delay"]', "]"),),
        "Note for each column when it is known. One known after the prediction is no feature.",
    ),
    "missing because it happened": Repair(
        "tail numbers",
        'table["no_tail"]',
        "COLUMNS = ",
        (
            (', "no_tail"]', "]"),
            ('table["no_tail"] = table["tailnum"].isna()\n', ""),
            ('rows.assign(no_tail=rows["tailnum"].isna())[COLUMNS]', "rows[COLUMNS]"),
        ),
        "If the outcome empties a cell, do not use its value, its indicator or an imputed value.",
    ),
    "groups on both sides": Repair(
        "visits",
        "train, test = ",
        "split = ",
        (
            ("from sklearn.model_selection import train_test_split", "from "
                                                                     "sklearn.model_selection "
                                                                     "import GroupShuffleSplit"),
            (RANDOM, "split = GroupShuffleSplit(1, test_size=0.3, random_state=0)\n"
             'train, test = (table.iloc[rows] for rows in next(split.split(table, '
             'groups=table["customer"])))\n'),
        ),
        "Split by the unit that is new in production: patient, customer, machine.",
    ),
    "random split over time": Repair(
        "shuffled days",
        "train, test = ",
        "train, test = ",
        ((RANDOM, 'cut = table["day"].quantile(0.7)\n'
                  'train, test = table[table["day"] <= cut], table[table["day"] > cut]\n'),),
        "Test on rows later than the training rows, as production does.",
    ),
    "a centred window": Repair(
        "smoothed sales",
        "table = smooth",
        "table = smooth",
        (("table = smooth(table, center=True)", "table = smooth(table, center=False)"),),
        "A window ends at the moment of prediction: trailing, never centred.",
    ),
    "best of many on one test set": Repair(
        "a hundred models",
        "    if auc > score",
        "score = ",
        (
            ("train, test = train_test_split(table, test_size=0.4, random_state=0)\n",
             "train, rest = train_test_split(table, test_size=0.4, random_state=0)\n"
             "valid, test = train_test_split(rest, test_size=0.5, random_state=0)\n"),
            ("score, rng = 0.0,", "best, rng = 0.0,"),
            ('auc = roc_auc_score(test["y"], tried.predict_proba(test[',
             'auc = roc_auc_score(valid["y"], tried.predict_proba(valid['),
            (LOOP_END,
             LOOP_END.replace("auc > score", "auc > best").replace("score, model", "best, model")
             + '\n\nscore = roc_auc_score(test["y"], predict(test))\n'),
        ),
        "Choose the model on validation rows; use the test set once, for the chosen model.",
    ),
    "an id that knows": Repair(
        "case numbers",
        "COLUMNS = ",
        "COLUMNS = ",
        ((', "case_id"]', "]"),),
        "An id names a row; leave it out, and ask who numbered the rows, and when.",
    ),
    "scaling on all rows": Repair(
        "plain",
        "table[COLUMNS] = ",
        "model = ",
        (("table[COLUMNS] = StandardScaler().fit_transform(table[COLUMNS])\n", ""),
         ("make_pipeline(LogisticRegression())", "make_pipeline(StandardScaler(), "
                                                 "LogisticRegression())"),
         ("predict_proba(scaled(rows)[COLUMNS])", "predict_proba(rows[COLUMNS])"),
         ("mean, spread = table[COLUMNS].mean(), table[COLUMNS].std(ddof=0)\n", ""),
         (SCALED, "")),
        "A scaler sees no answers, so this leak has no measurable effect. Inside the pipeline it "
        "is clean at no cost.",
        IMPORTS + f"\nCOLUMNS = {NUMBERS}\nmean, spread = table[COLUMNS].mean(), "
                  "table[COLUMNS].std(ddof=0)\n"
        + "table[COLUMNS] = StandardScaler().fit_transform(table[COLUMNS])"
        + SPLIT.replace("StandardScaler(), LogisticRegression()", "LogisticRegression()")
        + SCALED
        + END.replace("rows[COLUMNS]", "scaled(rows)[COLUMNS]"),
    ),
}  # fmt: skip
MECHANISMS = tuple(REPAIRS)


def case_of(mechanism: str) -> tuple[int, Case]:
    """Return the round that a repair takes its table from, with its place."""
    place = next(i for i, case in enumerate(CASES) if case.name == REPAIRS[mechanism].case)
    return place, CASES[place]


def codes(mechanism: str) -> tuple[str, str]:
    """Return the wrong and the right pipeline as text, each with the line that matters marked."""
    repair = REPAIRS[mechanism]
    wrong = repair.wrong_code or case_of(mechanism)[1].code
    right = wrong
    for old, new in repair.changes:
        if old not in right:
            raise ValueError(f"{mechanism}: {old!r} must be in the wrong code")
        right = right.replace(old, new)
    return marked(wrong, repair.bad, HERE), marked(right, repair.good, FIXED)


def marked(code: str, start: str, note: str) -> str:
    """Return the code with ``note`` behind the last line that begins with ``start``."""
    lines = code.strip().split("\n")
    place = max(i for i, line in enumerate(lines) if line.startswith(start))
    lines[place] += note
    return "\n".join(lines) + "\n"
