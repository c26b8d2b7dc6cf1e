"""``python -m engine.orchestration.serve PORT``: Prefect's own API server and services, for as long
as the parent lives.

What ``prefect server start`` runs (``create_app`` under uvicorn), without its command line: half
the time to start, and a child that ends when its standard input closes, so that no crash of the app
leaves a server behind. Prefect answers pages of any site (CORS: *); ``web.Guard`` before it lets
its own pages and programs call, and no page of another site.
"""

from __future__ import annotations

import os
import sys
import threading

from engine import web


def end_with_parent() -> None:
    """End this process at once when the parent closes the pipe, on purpose or by dying."""

    def watch() -> None:
        while sys.stdin.buffer.read(1):
            pass
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def main(port: int) -> None:
    """Serve on 127.0.0.1 until the parent is gone."""
    end_with_parent()
    import uvicorn
    from prefect.server.api.server import create_app

    app = web.Guard(
        create_app(final=True),
        origins=[f"http://localhost:{port}"],
        policy="frame-ancestors 'self'",
    )
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", timeout_keep_alive=15)


if __name__ == "__main__":
    main(int(sys.argv[1]))
