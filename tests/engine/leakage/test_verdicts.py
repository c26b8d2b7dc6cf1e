"""The detectors' verdicts by leak strength: the table is the pipeline's own, and each
detector is held to what it can see.
"""

from __future__ import annotations

import numpy as np
import pytest

from engine.leakage import pipeline, process
from engine.leakage.audit.findings import DETECTORS
from engine.leakage.dose import GRID, NAMES, DoseParams, verdicts
from engine.leakage.dose.verdicts import Verdicts
from engine.leakage.dose.verdicts import figure as figures
from engine.leakage.pipeline import MECHANISMS, Doses
from engine.leakage.process import World


def test_the_table_is_what_the_model_sees_before_scaling() -> None:
    world = World(n_rows=150, n_noise=0, seed=1)
    made = pipeline.prepare(process.draw(world, len(MECHANISMS)), Doses())
    table = verdicts.table_of(world, Doses()).to_pandas()
    assert len(table) == 150 and (table["split"] == "test").sum() == 50
    assert set(table.columns) == {"y", "split", "month", "customer", "region", *made.names}
    scaled = (table["rolling_mean"] - made.mean[1]) / made.spread[1]
    assert scaled[:100].to_numpy() == pytest.approx(made.X_train[:100, 1])
    assert (
        table["refund"].sum() == 0 and table["month"][:100].max() < 12 < table["month"][100:].min()
    )
    full = verdicts.table_of(world, Doses(target_leak=1.0)).to_pandas()
    assert full["refund"].to_numpy() == pytest.approx(full["y"].to_numpy())
    copied = verdicts.table_of(world, Doses(resampling=1.0)).to_pandas()
    assert len(copied) > 150 and copied.duplicated().any()


@pytest.mark.parametrize(
    ("focus", "seen", "dose"),
    [
        ("target_leak", "single-feature score", 1.0),
        ("duplicates", "exact duplicates", 0.25),
        ("target_encoding", "target encoding", 1.0),
        ("group_overlap", "group overlap", 0.25),
        ("random_split", "time overlap", 0.25),
        ("selection", None, None),
        ("scaling", None, None),
    ],
)
def test_each_leak_is_seen_by_its_detector_or_by_none(
    focus: pipeline.Mechanism, seen: str | None, dose: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verdicts, "N_SEEDS", 1)
    found = verdicts.run(DoseParams(focus=NAMES[focus], n_noise=100))
    assert found.complete and found.false_alarms == []
    if seen is None:
        assert found.seen == {} and "**No detector** sees" in found.verdict
    else:
        assert found.seen[seen] == dose and f"{seen} from {dose:.0%}" in found.verdict  # type: ignore[index]
    assert all("timing" not in shares for shares in found.shares), "no moment is declared"


def test_the_first_dose_by_hand_and_the_figure() -> None:
    shares = [
        {"identifier": 0.0, "missingness": 1.0},
        {"identifier": 0.3, "missingness": 1.0},
        *[{"identifier": 1.0}] * 3,
    ]
    found = Verdicts(DoseParams(), tuple(shares), complete=True)  # type: ignore[arg-type]
    assert found.seen == {"identifier": 0.5} and found.false_alarms == ["missingness"]
    once = Verdicts(
        DoseParams(), tuple({"identifier": share} for share in (0.0, 1.0, 0.0, 1.0, 1.0))
    )
    assert once.seen == {"identifier": 0.75}, "from that strength on, not at some strength"
    assert found.verdict.endswith("False alarms on the clean table: missingness.")
    figure = figures.detectors(found)
    cells = np.array(figure.data[0].z, dtype=float)
    assert cells.shape == (len(DETECTORS), len(GRID)) and cells[
        DETECTORS.index("identifier")
    ].tolist() == [0, 0.3, 1, 1, 1]
    assert figure.data[0].text[DETECTORS.index("timing")][0] == "cannot run"
    assert "being audited" in Verdicts(DoseParams(), ()).verdict
