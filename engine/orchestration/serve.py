"""``python -m engine.orchestration.serve PORT``: Prefect's own API server and services, for as long as the parent lives.

What ``prefect server start`` runs (``create_app`` under uvicorn), without its command line: half the time to start, and a
child that ends when its standard input closes, so that no crash of the app leaves a server behind.
"""

from __future__ import annotations

import os
import sys
import threading


def end_with_parent() -> None:
    """End this process at once when the parent closes the pipe, on purpose or by dying."""

    def watch() -> None:
        while sys.stdin.buffer.read(1):
            pass
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def let_the_scheduler_book() -> None:
    """Make Prefect's scheduler work on SQLAlchemy 2.1, which refuses to insert in bulk what has a hybrid attribute's name.

    Prefect 3.8 hands ``state`` along with the columns of the runs that it books, and stores it in a statement of its own right
    after; SQLAlchemy 2.0 left it aside, 2.1 raises ("supply a bulk_dml decorated function") and no run is ever scheduled.
    """
    from prefect.server.database.orm_models import FlowRun

    state = FlowRun.__mapper__.all_orm_descriptors["state"]
    if getattr(state, "bulk_dml_setter", False) is None:
        state.bulk_dml_setter = lambda _cls, _mapping, _value: None  # type: ignore[attr-defined]


def main(port: int) -> None:
    """Serve on 127.0.0.1 until the parent is gone."""
    end_with_parent()
    import uvicorn
    from prefect.server.api.server import create_app

    let_the_scheduler_book()
    uvicorn.run(create_app(final=True), host="127.0.0.1", port=port, log_level="warning", timeout_keep_alive=15)


if __name__ == "__main__":
    main(int(sys.argv[1]))
