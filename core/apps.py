from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Has no models. Registers the metrics, checks and traces of the process itself."""

    name = "core"

    def ready(self) -> None:
        from . import tracing  # noqa: F401 - connects to Celery's signals
        from .metrics import checks, task_counts  # noqa: F401 - registers them
        from .metrics.queue import register_queue_collectors

        register_queue_collectors()
