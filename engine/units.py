"""Numbers as people read them: bytes in powers of 1,000, durations, factors."""

from __future__ import annotations


def human_bytes(size_bytes: float) -> str:
    """Return bytes as people read them, in powers of 1,000: ``human_bytes(5_134_769) == "5.13
    MB"``.
    """
    value, unit = float(size_bytes), "B"
    for unit in ("B", "kB", "MB", "GB", "TB", "PB"):
        if abs(value) < 999.5 or unit == "PB":
            break
        value /= 1000
    if unit == "B":
        return f"{value:,.0f} B"
    digits = 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0
    return f"{value:,.{digits}f} {unit}"


def human_seconds(seconds: float) -> str:
    """Return a duration as people read it: ``"12 µs"``, ``"3.4 ms"``, ``"1.25 s"``, ``"4 min"``,
    ``"2.1 h"``.
    """
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 0.9995:
        return f"{seconds * 1e3:.{1 if seconds < 0.01 else 0}f} ms"
    if seconds < 120:
        return f"{seconds:.{2 if seconds < 10 else 0}f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:,.1f} h" if seconds < 172_800 else f"{seconds / 86_400:,.1f} days"


def human_factor(factor: float) -> str:
    """Return a ratio as people read it: ``"1.0×"``, ``"6.3×"``, ``"48×"``, ``"1,200×"``."""
    return f"{factor:,.{1 if factor < 9.95 else 0}f}×"
