"""The Celery application. Tasks carry row ids only; the database holds the work."""

import os
from typing import Any

import structlog
from celery import Celery
from celery.signals import beat_init, celeryd_init, setup_logging, task_postrun, task_prerun

from core.private_files import create_only_private_files

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rsolv.settings.prod")

app = Celery("rsolv")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_init.connect
@beat_init.connect
def keep_files_private(**_: Any) -> None:
    """Set the umask when a worker or beat starts.

    Not at import: every management command imports this module, and collectstatic must write public files.
    """
    create_only_private_files()


@setup_logging.connect
def keep_django_logging(**_: Any) -> None:
    """Keep Django's logging: a receiver of this signal stops Celery from configuring its own."""


@task_prerun.connect
def bind_task(task_id: str, task: Any, **_: Any) -> None:
    structlog.contextvars.bind_contextvars(task=task.name, task_id=task_id)


@task_postrun.connect
def unbind_task(**_: Any) -> None:
    structlog.contextvars.unbind_contextvars("task", "task_id")
