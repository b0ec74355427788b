from django.apps import AppConfig


class PhasesConfig(AppConfig):
    name = "phases"

    def ready(self) -> None:
        from core.api.throttling import SCOPES, Scope
        from core.metrics.collectors import register_collector

        from .gauges import read_storage_gauges

        register_collector("storage", read_storage_gauges)
        SCOPES["test-integration"] = Scope(
            "API_TEST_INTEGRATION_PER_MINUTE", of_caller="test_integration_per_minute"
        )
