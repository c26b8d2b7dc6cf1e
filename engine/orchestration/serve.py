"""``python -m engine.orchestration.serve PORT``: Prefect's own API server and services, for as long
as the parent lives.

What ``prefect server start`` runs (its app under uvicorn), without its command line: half the time
to start, and a child that ends with its parent, so that no crash of the app leaves a server behind.
Prefect answers pages of any site (CORS: *); ``web.Guard`` before it lets
its own pages and programs call, and no page of another site.
"""

from __future__ import annotations

import sys

from engine import web
from engine.processes import end_with_parent


def main(port: int) -> None:
    """Serve on 127.0.0.1 until the parent is gone."""
    end_with_parent()
    import uvicorn

    from engine.orchestration.prefect_internals import server_app

    origins = [f"http://localhost:{port}"]
    app = web.Guard(server_app(), origins=origins, policy="frame-ancestors 'self'")
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", timeout_keep_alive=15)


if __name__ == "__main__":
    main(int(sys.argv[1]))
