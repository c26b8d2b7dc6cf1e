"""The script of *terabyte*: what the code panel shows."""

from __future__ import annotations

from engine import scripts
from engine.formats.terabyte import TerabyteParams
from engine.source_code import fill

PROJECTION = """for name in PARAMS.formats:
    stored = numbers[f"{name} bytes"] * @raw_tb * 1e12 / numbers["CSV bytes"]
    numbers[f"{name} stored GB"] = round(stored / 1e9, 3)
    numbers[f"{name} USD a month"] = round(stored / 1e12 * @price, 2)
"""


def script(params: TerabyteParams) -> str:
    """Return the script: the race's, and its files carried to full size."""
    projection = fill(PROJECTION, raw_tb=params.raw_tb, price=params.price)
    before, last = scripts.render(params.race).rsplit("print(", 1)
    return f"{before}{projection}print({last}"
