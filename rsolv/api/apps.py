from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "rsolv.api"
    label = "api"

    def ready(self) -> None:
        from rsolv import traces  # noqa: F401 - listens to tasks

        from . import schema  # noqa: F401 - registers the key with drf-spectacular
