"""Count Celery tasks and measure their duration in the worker."""

import time
from typing import Any

from celery.signals import task_postrun, task_prerun, worker_ready
from django.conf import settings
from prometheus_client import Counter, Histogram

from core.metrics.server import serve_metrics

TASKS = Counter("rsolv_celery_tasks", "Tasks that ended, by state.", ["task", "state"])
SECONDS = Histogram(
    "rsolv_celery_task_seconds",
    "How long tasks ran.",
    ["task"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800),
)


@task_prerun.connect(dispatch_uid="record_start")
def record_start(task: Any, **_: Any) -> None:
    task.request.started_at = time.perf_counter()


@task_postrun.connect(dispatch_uid="count_task")
def count_task(task: Any, state: str | None = None, **_: Any) -> None:
    """Count a task that ended. A worker that is killed counts nothing: its task is delivered again."""
    TASKS.labels(task.name, (state or "unknown").lower()).inc()
    SECONDS.labels(task.name).observe(time.perf_counter() - task.request.started_at)


@worker_ready.connect(dispatch_uid="serve_metrics")
def serve_own_metrics(**_: Any) -> None:
    """Serve `/metrics` on METRICS_PORT, for machines without a web process that can be scraped."""
    if settings.METRICS_PORT:
        serve_metrics(settings.METRICS_PORT)
