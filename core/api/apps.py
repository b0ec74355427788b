from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "core.api"
    label = "api"

    def ready(self) -> None:
        from core import tracing as traces  # noqa: F401 - listens to tasks
        from core.api import schema  # noqa: F401 - registers the key with drf-spectacular
