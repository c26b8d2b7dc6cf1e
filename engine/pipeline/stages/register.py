"""Register: the model becomes the champion only if it is better than what is there.

Better: the lower end of the 95% interval of the gain in AUC is above 0, on days that neither model
has learned from. Without a champion the rival is the baseline. A champion that has learned from the
days of the comparison cannot be compared on them: it stays unless the new model beats the baseline
and knows later days. A model that is the champion already, byte for byte, stays it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine import workspace
from engine.pipeline import store
from engine.pipeline.records import Count
from engine.pipeline.runner import Stage, Task
from engine.pipeline.stages import train
from engine.pipeline.stages.audit import TARGET


def registry(lead_minutes: int, scale: int) -> Path:
    """Return the file that names the champion of a moment of prediction and a scale."""
    return store.folder() / "registry" / f"lead-{lead_minutes}-scale-{scale}.json"


def champion(lead_minutes: int, scale: int) -> dict[str, Any] | None:
    """Return the champion, ``None`` if there is none or its model is gone."""
    try:
        found: dict[str, Any] = json.loads(registry(lead_minutes, scale).read_text("utf-8"))
        return found if Path(store.folder() / found["model"]).is_file() else None
    except (OSError, ValueError, KeyError):
        return None


def gain_over(task: Task, model: Path) -> tuple[float, tuple[float, float]]:
    """Return the new model's gain in AUC over ``model`` on the days of comparison, with its 95%
    interval.
    """
    import joblib
    from sklearn.metrics import roc_auc_score

    frame, days = train.read_rows(task), train.deal(task.params.dates)
    compared = frame[frame["flight_date"].isin(days.compare)]
    answers = compared[TARGET].to_numpy(bool)
    models = {"new": task.read("train", "model.joblib"), "old": model}
    scores = {name: joblib.load(path).predict(compared) for name, path in models.items()}
    draws = train.bootstrap(scores, answers, compared["flight_date"].to_numpy(), task.params.seed)
    gain = roc_auc_score(answers, scores["new"]) - roc_auc_score(answers, scores["old"])
    return float(gain), train.interval(draws["new"] - draws["old"])


def decide(task: Task, scores: dict[str, Any], old: dict[str, Any] | None) -> dict[str, Any]:
    """Return whether the new model is registered, against whom, and by how much."""
    rival, gain, interval = "baseline", scores["gain"], tuple(scores["gain_interval"])
    better = interval[0] > 0
    if old is not None:
        if old["learned_until"] < scores["compare"]["first"]:
            rival = "champion"
            gain, interval = gain_over(task, store.folder() / old["model"])
            better = interval[0] > 0
        else:
            better = better and scores["calibrate"]["last"] > old["learned_until"]
    return {"registered": better, "rival": rival, "gain": gain, "gain_interval": interval}


def is_champion(task: Task, old: dict[str, Any] | None) -> bool:
    """Return whether the new model is the champion's, byte for byte."""
    if old is None:
        return False
    models = (store.folder() / old["model"], task.read("train", "model.joblib"))
    return len({store.digest(model) for model in models}) == 1


def work(task: Task) -> Count:
    """Decide, and register by replacing one file."""
    scores = json.loads(task.read("train", "scores.json").read_text("utf-8"))
    lead, scale = task.params.lead_minutes, task.params.scale
    old = champion(lead, scale)
    same = is_champion(task, old)
    decision = decide(task, scores, None if same else old)  # it is no rival of its own
    decision |= {"registered": decision["registered"] or same, "already_champion": same}
    model = task.read("train", "model.joblib").relative_to(store.folder())
    if decision["registered"]:
        entry = {
            "model": model.as_posix(),
            "auc": scores["model"]["auc"],
            "auc_interval": scores["model"]["auc_interval"],
            "learned_until": scores["calibrate"]["last"],
        }
        workspace.write(registry(lead, scale), json.dumps(entry, indent=1))
    decision["champion"] = (champion(lead, scale) or {}).get("model", "")
    (task.folder / "decision.json").write_text(json.dumps(decision, indent=1), encoding="utf-8")
    n = sum(scores[part]["rows"] for part in ("learn", "calibrate", "compare"))
    return Count(n, n, details=decision)


STAGE = Stage(
    "register",
    "Register",
    ("training_set", "train"),
    ("lead_minutes", "scale", "days", "seed"),
    work,
)
