from django.apps import AppConfig


class ProvisioningConfig(AppConfig):
    name = "provisioning"

    def ready(self) -> None:
        from core.metrics.collectors import register_collector

        from . import checks  # noqa: F401 - registers them
        from .gauges import read_provisioning

        register_collector("provisioning", read_provisioning)
