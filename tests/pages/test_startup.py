"""What the log says of a warm-up that fails, while the server runs and while it stops."""

from __future__ import annotations

import pytest

from pages import home, startup
from pages.shell import state


@pytest.mark.logs_traceback
@pytest.mark.parametrize("ending", [False, True])
def test_a_failed_warm_up_is_said_unless_the_server_stops(
    ending: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def cut(_: str) -> None:
        raise RuntimeError("can't register atexit after shutdown")

    monkeypatch.setattr(home, "early_preview", cut)
    monkeypatch.setattr(startup, "settle", lambda: None)
    was_warm = state.WARM.is_set()
    if ending:
        startup.ENDING.set()
    try:
        startup.warm()
    finally:
        startup.ENDING.clear()
        if not was_warm:
            state.WARM.clear()
    assert [record.message for record in caplog.records] == ([] if ending else ["warm-up failed"])
