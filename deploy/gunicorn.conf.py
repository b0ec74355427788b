"""Gunicorn's settings: `gunicorn rsolv.wsgi --config deploy/gunicorn.conf.py`. The command line wins."""

import os
from typing import Any

# One process for each core, and threads that wait for the database: docs/decisions/017.
# The threads get complete requests; slow clients hold none of them: docs/decisions/020.
worker_class = "core.server.worker.BufferingWorker"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 4
# Each is a file, and so is what is stored for it when it is long: together below the usual 1,024.
worker_connections = 400
sendfile = False  # a client that does not read a file would hold the thread


def post_worker_init(worker: Any) -> None:
    from core.gc_tuning import freeze_loaded
    from phases.engine_pool import warm_up

    warm_up()
    freeze_loaded()


def child_exit(server: Any, worker: Any) -> None:
    """What a worker has counted is kept with what others counted that have ended."""
    from core.metrics.processes import find_folder, merge_ended_processes

    if (folder := find_folder()) is not None:
        merge_ended_processes(folder)
