from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Has no models. Registers what the process itself reports: its services, its queue, its tasks."""

    name = "core"

    def ready(self) -> None:
        from . import tracing  # noqa: F401 - listens to tasks
        from .metrics import checks, task_counts  # noqa: F401 - registers them
        from .metrics.queue import register_queue_collectors

        register_queue_collectors()
