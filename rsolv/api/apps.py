from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "rsolv.api"
    label = "api"

    def ready(self) -> None:
        from . import schema  # noqa: F401 - registers the key with drf-spectacular
