"""Registry of due work: each app names the rows that a worker should take up now.

An app registers its function in `ready()`; the queue's age is measured over all of them.
"""

from datetime import datetime
from typing import Any, Protocol

from django.db.models import QuerySet


class ListDue(Protocol):
    """Rows that are due at a time, by the dotted path of the task that handles one of them."""

    def __call__(self, *, at: datetime) -> dict[str, QuerySet[Any]]: ...


_registered: dict[str, ListDue] = {}


def register_due_work(app: str, list_due: ListDue) -> None:
    """Register what an app has due. Registering an app again replaces its function."""
    _registered[app] = list_due


def list_due_work(*, at: datetime) -> dict[str, QuerySet[Any]]:
    """Due rows of all apps, by task. No query runs until a queryset is read."""
    return {task: rows for list_due in _registered.values() for task, rows in list_due(at=at).items()}
