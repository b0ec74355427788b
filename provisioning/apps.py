from django.apps import AppConfig


class ProvisioningConfig(AppConfig):
    name = "provisioning"

    def ready(self) -> None:
        from core.metrics.collectors import register_collector
        from core.queue.due_work import register_due_work

        from . import checks  # noqa: F401 - registers them
        from .gauges import read_provisioning
        from .selectors import list_due_steps

        register_collector("provisioning", read_provisioning)
        register_due_work("provisioning", list_due_steps)
