"""Numbers as people read them, and nobody writes them by hand."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import units
from tests import visible

ROOT = Path(__file__).resolve().parents[2]
FINITE = st.floats(-1e9, 1e9)


@pytest.mark.parametrize(
    ("function", "arguments", "text"),
    [
        (units.format_share, (0,), "0%"),
        (units.format_share, (1,), "100%"),
        (units.format_share, (0.97,), "97%"),
        (units.format_share, (0.058,), "5.8%"),
        (units.format_share, (0.05,), "5%"),
        (units.format_share, (0.0064,), "0.64%"),
        (units.format_share, (0.000042,), "0.0042%"),
        (units.format_share, (2e-7,), "<0.0001%"),
        (units.format_share, (0.996,), "99.6%"),
        (units.format_share, (0.9992,), "99.92%"),
        (units.format_share, (1 - 2e-7,), ">99.9999%"),
        (units.format_share, (0.1 + 0.2 + 0.7,), "100%"),
        (units.format_share, (29.37,), "2,937%"),
        (units.format_share, (-0.12,), "−12%"),
        (units.format_share, (float("nan"),), "–"),
        (units.format_factor, (1,), "1.0×"),
        (units.format_factor, (6.34,), "6.3×"),
        (units.format_factor, (48.2,), "48×"),
        (units.format_factor, (1_200,), "1,200×"),
        (units.format_factor, (0.25,), "0.25×"),
        (units.format_factor, (0.01,), "0.01×"),
        (units.format_factor, (0.00034,), "0.00034×"),
        (units.format_number, (-1_980_584_442,), "−1,980,584,442"),
        (units.format_number, (20_000,), "20,000"),
        (units.format_signed, (-0.0104,), "−0.010"),
        (units.format_signed, (0.015,), "+0.015"),
        (units.format_signed, (-0.0001,), "0.000"),
        (units.format_signed, (8.25, 1), "+8.2"),
        (units.format_range, (2, 5), "2–5"),
        (units.format_range, (-2, 5), "−2 to 5"),
        (units.format_range, (0.0034, 1.25, units.format_seconds), "3.4 ms–1.25 s"),
        (units.format_interval, (0.604, 0.6771), "95% CI 0.604 to 0.677"),
        (units.format_interval, (-0.035, 0.015, units.format_signed), "95% CI −0.035 to +0.015"),
        (units.format_interval, (0.012, 0.048, units.format_share), "95% CI 1.2% to 4.8%"),
        (units.format_bytes, (999,), "999 B"),
        (units.format_bytes, (1_000,), "1.00 kB"),
        (units.format_bytes, (5_134_769,), "5.13 MB"),
        (units.format_bytes, (99_949_999,), "99.9 MB"),
        (units.format_bytes, (1e12,), "1.00 TB"),
        (units.format_binary_bytes, (64 * 1024,), "64 KiB"),
        (units.format_binary_bytes, (1024**2,), "1 MiB"),
        (units.format_binary_bytes, (4 * 1024**3,), "4 GiB"),
        (units.format_seconds, (1.2e-5,), "12 µs"),
        (units.format_seconds, (0.0034,), "3.4 ms"),
        (units.format_seconds, (0.25,), "250 ms"),
        (units.format_seconds, (1.25,), "1.25 s"),
        (units.format_seconds, (89,), "89 s"),
        (units.format_seconds, (90,), "1.5 min"),
        (units.format_seconds, (240,), "4 min"),
        (units.format_seconds, (118 * 60,), "2.0 h"),
        (units.format_seconds, (2.6 * 3600,), "2.6 h"),
        (units.format_seconds, (72 * 3600,), "3 days"),
        (units.format_day, (date(2013, 6, 4),), "4 Jun 2013"),
        (units.format_time, (datetime(2013, 6, 24, 21, 40),), "24 Jun 2013 21:40"),
        (units.day_of_2013, (39,), date(2013, 2, 8)),
    ],
)
def test_a_number_is_written_as_people_read_it(
    function: Any, arguments: tuple[Any, ...], text: Any
) -> None:
    assert function(*arguments) == text


@given(st.floats(0, 1))
def test_only_none_is_0_percent_and_only_all_is_100(share: float) -> None:
    text = units.format_share(share)
    assert (text == "0%") == (share < 5e-12) and (text == "100%") == (share > 1 - 6e-12)


@given(st.floats(0, 1))
def test_a_share_is_not_far_from_what_is_written(share: float) -> None:
    text = units.format_share(share).strip("<>%")
    assert float(text) == pytest.approx(100 * share, rel=0.06, abs=1e-4)


@given(FINITE, st.integers(0, 6))
def test_a_signed_number_has_the_true_minus_and_no_sign_at_zero(value: float, digits: int) -> None:
    text = units.format_signed(value, digits)
    assert "-" not in text and float(text.replace("−", "-").replace(",", "")) == pytest.approx(
        value, abs=0.51 * 10**-digits
    )
    assert text[0].isdigit() == (float(re.sub("[−+,]", "", text)) == 0)


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_longer_time_never_has_a_smaller_unit(one: float, other: float) -> None:
    names = ["µs", "ms", "s", "min", "h", "days"]
    first, second = (names.index(units.format_seconds(x).split()[1]) for x in sorted((one, other)))
    assert first <= second


BY_HAND = {
    "a space before %": r"[0-9}][ \u00a0\u202f]%(?![ ]?[({\w])|[0-9}][ \u00a0\u202f]% (?=of|is|in)",
    "a space before ×": r"[0-9}] ×(?= (the|as|of)\b|[)\"',;.]|$)",
    "a factor in words": r"(?:\d|\{\})(?:\*\*)? times (?:the|as|what)\b",
    "a range with …": r"[0-9}%] … [{+−\d-]",
}
FORMATS = {
    "a percent format": r":,?\.\d%\}",
    "a signed format": r":\+,?\.\d[fg]\}",
    "a date by hand": r":%Y-%m-%d|:%-?d %b|:%b",
}


def strings(code: str) -> list[str]:
    return [text for _, text in visible.strings(code)]


def shown() -> list[tuple[str, str]]:
    """Return the texts that people see, each with its file: strings of code, whole lessons."""
    found = []
    for path in sorted([*ROOT.glob("engine/**/*.py"), *ROOT.glob("pages/**/*.py")]):
        if path.name not in {"script.py", "example.py", "units.py"}:
            code = path.read_text(encoding="utf-8")
            found += [(path.relative_to(ROOT).as_posix(), text) for text in strings(code)]
    for path in sorted((ROOT / "pages" / "lessons").iterdir()):
        if path.suffix in {".md", ".toml"}:
            found.append((path.name, path.read_text(encoding="utf-8")))
    return found


def test_no_text_writes_a_number_in_another_form() -> None:
    texts = shown()
    assert len(texts) > 5_000
    assert [
        (kind, path, text[max(0, found.start() - 40) : found.end() + 20])
        for path, text in texts
        for kind, pattern in BY_HAND.items()
        for found in re.finditer(pattern, text)
    ] == []


def test_no_code_formats_by_hand_what_a_helper_formats() -> None:
    assert [
        (kind, path.relative_to(ROOT).as_posix(), line.strip())
        for path in sorted([*ROOT.glob("engine/**/*.py"), *ROOT.glob("pages/**/*.py")])
        if path.name not in {"script.py", "example.py", "units.py"}
        for line in path.read_text(encoding="utf-8").splitlines()
        for kind, pattern in FORMATS.items()
        if any("%{" not in line[: m.start()][-25:] for m in re.finditer(pattern, line))
    ] == []


@pytest.mark.parametrize(
    "text", ["95 % of", "it takes 5 %", "1.8 × the mean", "(3 ×)", "1 … 50", "{} … {}"]
)
def test_each_other_form_is_caught(text: str) -> None:
    assert any(re.search(pattern, text) for pattern in BY_HAND.values())
    assert strings(f"x = {text!r}") == [text]
