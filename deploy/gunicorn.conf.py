"""Gunicorn's settings: `gunicorn rsolv.wsgi --config deploy/gunicorn.conf.py`. The command line wins."""

from typing import Any

worker_class = "gthread"
threads = 8


def child_exit(server: Any, worker: Any) -> None:
    """What a worker has counted is kept with what others counted that have ended."""
    from rsolv.metrics.processes import find_folder, fold_ended

    if (folder := find_folder()) is not None:
        fold_ended(folder)
