from django.apps import AppConfig


class MetricsConfig(AppConfig):
    name = "core.metrics"
    label = "metrics"

    def ready(self) -> None:
        from core.metrics import checks, task_counts  # noqa: F401 - registers them
