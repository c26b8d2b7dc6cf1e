"""The log of reported inputs: every file of ``tests/cases`` has its row, every row a test that is
there.
"""

from __future__ import annotations

import re
from pathlib import Path

CASES = Path(__file__).parents[1] / "cases"
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in (CASES / "README.md").read_text("utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| file ")
]


def test_every_file_has_a_row_with_source_right_value_and_test() -> None:
    assert all(len(row) == 4 and all(row) for row in ROWS)
    named = {name for row in ROWS for name in re.findall(r"`([^`]+)`", row[0])}
    files = {path.name for path in CASES.iterdir()} - {"README.md"}
    assert not files - named, "add a row to tests/cases/README.md"


def test_every_test_that_a_row_names_is_there() -> None:
    for *_, test in ROWS:
        paths = re.findall(r"(?:tests/)?(engine/[\w/]+\.py)(?:::(\w+))?", test)
        for path, name in paths:
            text = (CASES.parent / path).read_text("utf-8")
            assert not name or f"def {name}" in text, (path, name)
