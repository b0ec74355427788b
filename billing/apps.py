from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        from billing.stripe_gateway.client import configure_djstripe
        from core.admin.work_queue import register_work
        from core.health import register_health_check
        from core.mail.catalog import register_mails
        from core.metrics.collectors import register_collector

        from . import checks, receivers  # noqa: F401 - registers them
        from .gauges import read_billing
        from .health import StripeCheck
        from .ledger import install_ledger_triggers
        from .mails import MAILS
        from .work_queue import WORK

        configure_djstripe()
        post_migrate.connect(install_ledger_triggers, sender=self, dispatch_uid="install_ledger_triggers")
        register_collector("billing", read_billing)
        register_health_check("stripe", StripeCheck.check)
        register_mails(*MAILS)
        register_work(*WORK)
