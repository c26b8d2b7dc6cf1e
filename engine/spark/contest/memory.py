"""Memory in *Spark or pandas*: what a process has used at most, what is free, and a guard before a
run that cannot fit.

Real: the peak is the kernel's own high-water mark of resident memory where there is one (Linux),
set back before each size; elsewhere the process's resident memory at its end. The guard estimates
from the bytes on disk and from how the peak grew with them at the smaller sizes of this very run.
"""

from __future__ import annotations

from pathlib import Path

import psutil

from engine.errors import require
from engine.spark.contest.curves import Curve
from engine.units import format_bytes

USABLE_SHARE = 0.8  # of the free memory: the rest is for everybody else
CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def forget_peak(pid: int) -> None:
    """Set the high-water mark of a process back to what it holds now, where the kernel offers
    that.
    """
    try:
        Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        # no such kernel, or not allowed: the mark then holds for the whole life of the process
        pass


def peak_bytes(pid: int) -> int:
    """Return the most resident memory of a process since ``forget_peak``."""
    try:
        for line in (
            Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
        ):
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return int(psutil.Process(pid).memory_info().rss)


def available_bytes(cgroups: tuple[tuple[str, str], ...] = CGROUPS) -> int:
    """Return the memory that is free for a run: of the machine, or of the container if that is
    less.
    """
    free = int(psutil.virtual_memory().available)
    for limit_file, used_file in cgroups:
        try:
            limit, used = (
                Path(name).read_text(encoding="ascii").strip() for name in (limit_file, used_file)
            )
        except OSError:
            continue
        if limit.isdigit():
            free = min(free, max(0, int(limit) - int(used)))
    return free


def allowed_bytes(memory_gb: float, available: int | None = None) -> int:
    """Return what one engine may hold: ``memory_gb``, or the usable share of what is free if that
    is less.
    """
    free = available_bytes() if available is None else available
    return int(min(memory_gb * 1e9, USABLE_SHARE * free))


def check_fits(
    contestant: str, n_rows: int, size_bytes: int, growth: Curve | None, allowed: int
) -> None:
    """Raise ``InputError`` if a run cannot fit: ``growth`` gives the peak by bytes on disk; without
    it nothing is known.

    Raises
    ------
    InputError
        In plain words, with the estimate and what to do.
    """
    if growth is None:
        return
    needed = growth.value_at(size_bytes)
    require(
        needed <= allowed,
        "Memory for {} must be at least {} at {:,} rows ({} on disk × {:.1f}, as measured on"
        " smaller sizes, + {} to begin with). Got {}. Choose {}DuckDB or Spark, which work on disk"
        " with what memory cannot hold, or fewer rows.",
        contestant,
        format_bytes(needed),
        n_rows,
        format_bytes(size_bytes),
        growth.each,
        format_bytes(growth.start),
        format_bytes(allowed),
        "Polars, which needs less, " if contestant == "pandas" else "",
    )
