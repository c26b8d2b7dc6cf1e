"""The script of *rounds*: what the code panel shows."""

from __future__ import annotations

from engine.leakage.rounds import RoundsParams, deal
from engine.leakage.rounds.cases import CASES
from engine.source_code import Code, fill

SCRIPT = '''"""The pipeline of this round as it stands on screen; the table is engine.leakage's."""

import json

from engine.leakage import rounds

table, fresh = rounds.tables(@case, @seed)

@code

numbers = {"reported AUC": round(float(score), 4)}
if @revealed:
    numbers["production AUC"] = round(float(roc_auc_score(fresh["y"], predict(fresh))), 4)
print(json.dumps(numbers))
'''


def script(params: RoundsParams) -> str:
    """Return the script: the round's own pipeline."""
    place = deal(params.level, params.number, params.seed)
    return fill(
        SCRIPT,
        case=place,
        seed=params.seed,
        revealed=params.revealed,
        code=Code(CASES[place].code.strip()),
    )
