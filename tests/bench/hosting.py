"""``make hosting [SESSIONS=25] [MINUTES=5] [OPENS=500]``: what a shared server withstands, as one
table: many visitors, faults, bad input, and a tweak against a bare page.

Faults and bad input are tests, run here; each row names what they prove.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from engine.units import format_bytes
from tests.bench import load

ROOT = Path(__file__).parents[2]
BROWSER, ENGINE, PAGES = "tests/browser", "tests/engine", "tests/pages"
KILLED, FUZZED = f"{BROWSER}/test_killed.py", f"{ENGINE}/test_uploads_fuzzed.py"
BROUGHT, PREFECT = f"{PAGES}/test_brought_files.py", f"{ENGINE}/orchestration"
CHANGED = f"{FUZZED}::test_a_real_file_changed_at_random_is_read_or_refused"
FAULTS = {  # -> the tests that cause it
    "Streamlit's process killed in mid-job": (f"{KILLED}::test_a_server_that_is_killed",),
    "restart under an open tab": (f"{KILLED}::test_a_server_that_is_killed",),
    "tab closed in mid-job": (f"{KILLED}::test_a_tab_that_is_closed",),
    "workspace deleted under the server": (
        f"{KILLED}::test_a_tab_that_is_closed",
        f"{ENGINE}/spark/test_session.py::test_spark_comes_back_after_its_folder",
        f"{PREFECT}/test_server.py::test_a_database_that_was_deleted",
    ),
    "Spark's Java process killed": (
        f"{ENGINE}/spark/test_restarts.py::test_a_run_is_repeated_when_spark_dies",
    ),
    "Spark's executor killed": (
        f"{ENGINE}/spark/test_watched_cluster.py::test_what_the_lost_executor_held",
    ),
    "Prefect's server killed in mid-run": (f"{PREFECT}/test_server.py::test_a_server_killed",),
    "Prefect's worker or flow killed": (
        f"{PREFECT}/test_server.py::test_a_run_that_a_crashed_app_left",
        f"{PREFECT}/test_components.py::test_a_killed_process",
    ),
    "pipeline run killed": (f"{ENGINE}/pipeline/test_flow.py::test_a_run_that_was_killed",),
    "upload reader killed": (f"{ENGINE}/test_house.py::test_a_reader_that_is_killed",),
    "kept result deleted, corrupt, half written": (
        f"{PAGES}/test_kept.py::test_kept_files_that_go",
        f"{ENGINE}/test_kept.py::test_a_damaged_file",
    ),
    "records of runs corrupt": (f"{ENGINE}/test_damaged.py::test_a_record_with_any_damage",),
    "Feast registry deleted or corrupt": (
        f"{ENGINE}/feature_store/test_damaged_repo.py::test_a_store_that_is_gone",
        f"{ENGINE}/feature_store/test_damaged_repo.py::test_a_snapshot_outlives",
    ),
    "disk full: upload, job, pipeline": (f"{ENGINE}/test_full_disk.py::test_",),
    "clock an hour off": (
        f"{ENGINE}/test_clock.py::test_",
        f"{PAGES}/test_learner.py::test_a_change_is_the_newest",
    ),
}
BAD_INPUT = {
    **{kind: (f"{CHANGED}[.{kind.lower()}]",) for kind in ("CSV", "JSON", "Parquet", "Avro")},
    "text as CSV": (f"{ENGINE}/test_uploads_csv.py::test_any_bytes_give_a_table",),
    "talk": (
        f"{BROUGHT}::test_a_talk_with_any_damage",
        f"{PAGES}/talk/test_talk.py::test_a_hostile_",
    ),
    "lesson": (f"{BROUGHT}::test_a_lesson_with_any_damage",),
    "progress file with notebook": (f"{BROUGHT}::test_a_record_",),
    "Feast repository": (
        f"{ENGINE}/feature_store/test_damaged_repo.py::test_any_",
        f"{ENGINE}/feature_store/test_damaged_repo.py::test_hostile",
    ),
    "links, every key on every tab": (f"{PAGES}/test_links_fuzzed.py::test_a_link",),
}
EXAMPLES = re.compile(r"^(tests/\S+::\w+):\n(?:.+\n|\n(?!tests/))*?.* (\d+) passing", re.MULTILINE)


def ids(name: str) -> list[str]:
    """Return the ids of the tests of a file whose names begin so, with what ``name`` has in [ ]."""
    file, _, begin = name.partition("::")
    begin, bracket, case = begin.partition("[")
    defined = re.findall(rf"^def ({begin}\w*)", (ROOT / file).read_text("utf-8"), re.MULTILINE)
    return [f"{file}::{function}{bracket}{case}" for function in defined]


def run(wanted: list[str]) -> dict[str, tuple[bool, int]]:
    """Run tests and return for each case whether it passed and how many inputs it tried."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "--hypothesis-show-statistics"]
        said = subprocess.run(
            [*command, f"--junitxml={report}", *wanted], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ).stdout
        examples = {name: int(n) for name, n in EXAMPLES.findall(said)}
        found = {}
        for case in ET.parse(report).iter("testcase"):
            name = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
            noted = sum(int(one.get("value", "0")) for one in case.iter("property"))
            bad = any(case.find(kind) is not None for kind in ("failure", "error", "skipped"))
            found[name] = (not bad, noted or examples.get(name, 1))
    if not all(passed for passed, _ in found.values()):
        print(said, file=sys.stderr)
    return found


def rows(tests: dict[str, tuple[str, ...]], found: dict[str, tuple[bool, int]]) -> list[str]:
    """Return a row for each entry: what its tests tried, which they are, whether all passed."""
    lines = []
    for what, names in tests.items():
        mine = [name for begin in names for name in ids(begin)]
        cases = [
            one for name, one in found.items() if name in mine or name.partition("[")[0] in mine
        ]
        passed = bool(cases) and all(one[0] for one in cases)
        where = ", ".join(sorted({name.partition("::")[0] for name in names}))
        tried = f"{sum(one[1] for one in cases):,} tried"
        lines.append(f"| {what} | {where} | {tried} | {'passed' if passed else 'FAILED'} |")
    return lines


def load_rows(report: load.Report) -> list[str]:
    """Return what the visitors met and what they cost the server."""
    first, *_, after = report.samples
    memory = [one.own_bytes for one in report.samples]
    bad = [problem for problem in report.problems if "secret" in problem]
    who = f"{report.n_visitors} visitors, {load.BROWSERS} browsers"
    figures = {
        "actions": (f"{report.n_actions:,}", True),
        "exceptions, in page or log": (str(len(report.problems) - len(bad)), not report.problems),
        "secrets of others seen": (str(len(bad)), not bad),
        "tweak to the end of its run": (report.tweak_line(), True),
        "memory of the server: start, most, end": (
            ", ".join(format_bytes(n) for n in (memory[0], max(memory), memory[-1])),
            True,
        ),
        "descriptors: start, end": (f"{first.n_files}, {after.n_files}", True),
        "threads: start, end": (f"{first.n_threads}, {after.n_threads}", True),
    }
    return [
        f"| {what} | {who} | {said} | {'passed' if good else 'FAILED'} |"
        for what, (said, good) in figures.items()
    ]


def table(report: load.Report) -> str:
    """Run the tests and a bench, and return all figures as Markdown."""
    tests = {**FAULTS, **BAD_INPUT}
    found = run(sorted({one for row in tests.values() for name in row for one in ids(name)}))
    lines = [*load_rows(report), *rows(FAULTS, found), *rows(BAD_INPUT, found)]
    report.problems += [line for line in lines if "FAILED" in line]
    bench = subprocess.run(
        [sys.executable, "-m", "tests.bench", "formats"],
        cwd=ROOT,
        env={**os.environ, "QUICK": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in bench.stdout.splitlines():
        if "the bare page (" in line:
            tab, _, said = line.strip().partition(": ")
            lines.append(f"| a tweak of {tab} | tests/bench | {said} | |")
    problems = [f"PROBLEM {problem}" for problem in report.problems]
    return "\n".join(["| what | by | figure | |", "|---|---|---|---|", *lines, *problems])


if __name__ == "__main__":
    sys.exit(load.main(table))
