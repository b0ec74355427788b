from django.apps import AppConfig


class PhasesConfig(AppConfig):
    name = "phases"

    def ready(self) -> None:
        from core.metrics.collectors import register_collector

        from .gauges import read_storage_gauges

        register_collector("storage", read_storage_gauges)
