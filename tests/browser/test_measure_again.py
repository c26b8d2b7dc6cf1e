"""Run again, pressed in a real browser after a job that is done, failed or cancelled, on a tab
of every lab.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import screens
from tests.browser.conftest import take_pipeline_runs
from tests.browser.serve import launch

SLOW = 300_000  # milliseconds that a run may take on a machine that is busy with other tests
QUICK = {  # lab -> a tab whose job is quick
    "formats": "formats_tab=Codecs&codecs_n_rows=5000&codecs_repeats=1",
    "etl": "etl_tab=Load+strategies&loads_n_days=1",
    "sampling": "sampling_tab=Arena",
    "leakage": "leakage_tab=Audit",
    "feature_store": "feature_store_tab=Registry+and+lineage",
    "spark": "spark_tab=Lazy+ledger",
    "orchestration": "orchestration_tab=Backpressure",
    "pipeline": "",
}
ASKED = {"orchestration": "Run 2 s of it in Prefect"}  # in faulty_app.py


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    workspace = tmp_path_factory.mktemp("workspace")
    take_pipeline_runs(workspace / "server")
    with launch("tests/browser/faulty_app.py", workspace, traceback_expected=True) as (address, _):
        yield address, workspace


@pytest.mark.parametrize("lab", QUICK)
def test_measure_again_measures_after_done_failed_and_cancelled(
    page: Page, faulty: tuple[str, Path], lab: str
) -> None:
    address, workspace = faulty
    hold, fail = workspace / "hold", workspace / "fail"
    for left in (hold, fail):  # by a test that failed half-way: it would hold up this one too
        left.unlink(missing_ok=True)
    again = page.get_by_role("button", name="Run again")
    cancel = page.get_by_role("button", name="Cancel")
    failed = page.get_by_text("Something went wrong that the playground did not expect.")
    page.goto(f"{address}/{lab}?{QUICK[lab]}")
    if lab in ASKED:  # what takes a real run of Prefect waits for a press
        page.get_by_role("button", name=ASKED[lab]).click()
    expect(again).to_be_visible(timeout=SLOW)

    def press() -> None:
        """Press it, see the job under way, let it go on."""
        hold.touch()
        again.click()
        # one of the warm-up's jobs may be before it
        expect(page.get_by_text("held by the test")).to_be_visible(timeout=SLOW)
        expect(cancel).to_be_visible(timeout=SLOW)
        expect(failed).to_have_count(0, timeout=SLOW)

    press()
    hold.unlink()
    expect(again).to_be_visible(timeout=SLOW)  # done
    press()
    fail.touch()
    hold.unlink()
    expect(failed).to_be_visible(timeout=SLOW)
    fail.unlink()
    press()  # after a failure: the old error is gone
    cancel.click()
    cancelled = page.get_by_text("Cancelled: what was measured until then is shown.")
    expect(cancelled).to_be_visible(timeout=SLOW)
    hold.unlink()
    press()  # after a cancel
    hold.unlink()
    expect(again).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("Cancelled:")).to_have_count(0, timeout=SLOW)
    assert screens.look(page, screens.SIZES["laptop"]) == [], "the chart fits once more"
