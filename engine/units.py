"""Numbers as people read them: one function for each kind, each used everywhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime, timedelta

MINUS = "−"
NEW_YEAR_2013 = date(2013, 1, 1)  # the flights are of 2013


def _fixed(value: float, digits: int) -> str:
    """Return ``value`` with thousands, ``digits`` decimals and the true minus sign; zero has no
    sign.
    """
    text = f"{abs(value):,.{digits}f}"
    return MINUS + text if value < 0 and any(one in text for one in "123456789") else text


def _short(value: float, digits: int) -> str:
    """Return ``value`` with ``digits`` decimals, with fewer where they say the same."""
    while digits and math.isclose(round(value, digits - 1), value, rel_tol=1e-12, abs_tol=1e-12):
        digits -= 1
    return _fixed(value, digits)


def format_number(value: float, digits: int = 0) -> str:
    """Return a number with thousands and the true minus sign: ``"20,000"``, ``"−0.010"``."""
    return _fixed(value, digits) if math.isfinite(value) else "–"


def format_signed(value: float, digits: int = 3) -> str:
    """Return a difference: ``"+0.015"``, ``"−0.010"``, and ``"0.000"`` where it rounds to zero."""
    text = format_number(value, digits)
    return text if value <= 0 or text == format_number(0, digits) else f"+{text}"


def format_share(share: float) -> str:
    """Return a share in per cent, with digits by its size: ``"97%"``, ``"5.8%"``, ``"0.64%"``.

    Only 0 is written ``"0%"`` and only 1 ``"100%"``; what is close to them has enough digits to
    show it: ``"0.0042%"``, ``"99.92%"``, at the utmost ``"<0.0001%"`` and ``">99.9999%"``.
    """
    if not math.isfinite(share):
        return "–"
    percent = round(100 * share, 9)
    size, rest = abs(percent), abs(100 - abs(percent))
    if 0 < size < 1e-4:
        return "<0.0001%" if percent > 0 else f">{MINUS}0.0001%"
    if 0 < rest < 1e-4:
        return ">99.9999%" if percent < 100 else "<100.0001%"
    if 0 < size < 0.995:
        digits = min(4, 1 - math.floor(math.log10(size)))
    elif 0 < rest < 0.505:
        digits = -math.floor(math.log10(rest))
    else:
        digits = 1 if size < 9.95 else 0
    return f"{_short(percent, digits)}%"


def format_factor(factor: float) -> str:
    """Return a ratio: ``"0.25×"``, ``"1.0×"``, ``"6.3×"``, ``"48×"``, ``"1,200×"``."""
    if 0 < factor < 0.095:
        return f"{_short(factor, min(6, 1 - math.floor(math.log10(factor))))}×"
    return f"{_fixed(factor, 2 if factor < 0.95 else 1 if factor < 9.95 else 0)}×"


def format_range(low: float, high: float, write: Callable[[float], str] | int = 0) -> str:
    """Return a range: ``"2–5"``, ``"3.4 ms–1.25 s"``; ``"−2 to 5"`` where a sign would read as a
    dash.

    ``write`` is how a number is written, or the digits of ``format_number``.
    """
    texts = _written(low, write), _written(high, write)
    signs = any(text[0] in f"{MINUS}+<>" for text in texts)
    return (" to " if signs else "–").join(texts)


def format_interval(low: float, high: float, write: Callable[[float], str] | int = 3) -> str:
    """Return a 95% confidence interval: ``"95% CI 0.604 to 0.677"``, ``"95% CI 1.2% to 4.8%"``.

    ``write`` is how a number is written, or the digits of ``format_number``.
    """
    return f"95% CI {_written(low, write)} to {_written(high, write)}"


def _written(value: float, write: Callable[[float], str] | int) -> str:
    return format_number(value, write) if isinstance(write, int) else write(value)


def format_bytes(size_bytes: float) -> str:
    """Return a size in powers of 1,000: ``"512 B"``, ``"5.13 MB"``."""
    return _bytes(size_bytes, 1000, ("B", "kB", "MB", "GB", "TB", "PB"))


def format_binary_bytes(size_bytes: float) -> str:
    """Return a size in powers of 1,024, as memory settings are given: ``"64 MiB"``, ``"4 GiB"``."""
    return _bytes(size_bytes, 1024, ("B", "KiB", "MiB", "GiB", "TiB", "PiB"), _short)


def _bytes(
    size: float,
    step: int,
    units: tuple[str, ...],
    write: Callable[[float, int], str] = _fixed,
) -> str:
    value, unit = float(size), units[0]
    for unit in units:
        if abs(value) < step - 0.5 or unit == units[-1]:
            break
        value /= step
    if unit == units[0]:
        return f"{_fixed(value, 0)} {unit}"
    return f"{write(value, 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0)} {unit}"


def format_seconds(seconds: float) -> str:
    """Return a duration: ``"12 µs"``, ``"3.4 ms"``, ``"1.25 s"``, ``"1.5 min"``, ``"2.1 h"``,
    ``"3 days"``. Minutes begin at 90 s, hours at 90 min, days at 48 h.
    """
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 0.9995:
        return f"{seconds * 1e3:.{1 if seconds < 0.01 else 0}f} ms"
    if seconds < 89.5:
        return f"{seconds:.{2 if seconds < 9.995 else 0}f} s"
    if seconds < 89.5 * 60:
        return f"{_short(seconds / 60, 1 if seconds < 597 else 0)} min"
    days = seconds >= 48 * 3600
    return f"{_short(seconds / (86_400 if days else 3600), 1)} {'days' if days else 'h'}"


def format_day(day: date) -> str:
    """Return a date: ``"24 Jun 2013"``."""
    return f"{day.day} {day:%b %Y}"


def format_time(moment: datetime, *, seconds: bool = False) -> str:
    """Return a date and a time of day: ``"24 Jun 2013 21:40"``, with ``seconds`` ``… 21:40:05``."""
    return f"{format_day(moment)} {moment:{'%H:%M:%S' if seconds else '%H:%M'}}"


def day_of_2013(day: int) -> date:
    """Return the date of a day of 2013, counted from 1."""
    return NEW_YEAR_2013 + timedelta(day - 1)
