"""Gunicorn's settings: `gunicorn rsolv.wsgi --config deploy/gunicorn.conf.py`.

Options on the command line take precedence.
"""

import os
from typing import Any

# One process per core, with threads for requests that wait for the database: docs/decisions/017.
# The worker buffers requests, so that slow clients do not occupy threads: docs/decisions/020.
worker_class = "core.server.worker.BufferingWorker"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 4
# A connection needs a file descriptor, and a second one if its body is buffered on disk. Together they stay
# below the usual limit of 1,024.
worker_connections = 400
sendfile = False  # with it, a client that reads slowly would occupy the thread


def post_worker_init(worker: Any) -> None:
    from core.gc_tuning import freeze_loaded
    from phases.engine_pool import warm_up

    warm_up()
    freeze_loaded()


def child_exit(server: Any, worker: Any) -> None:
    """Add the metrics of a worker that has exited to the totals of all exited workers."""
    from core.metrics.processes import find_folder, merge_ended_processes

    if (folder := find_folder()) is not None:
        merge_ended_processes(folder)
