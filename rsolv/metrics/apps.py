from django.apps import AppConfig


class MetricsConfig(AppConfig):
    name = "rsolv.metrics"
    label = "metrics"

    def ready(self) -> None:
        from . import checks, task_counts  # noqa: F401 - registers them
