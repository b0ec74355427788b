from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "customers"

    def ready(self) -> None:
        from core.admin.audit import register_staff_audit
        from core.mail.catalog import register_mails

        from . import receivers, staff_receivers  # noqa: F401 - registers them
        from .api import schema  # noqa: F401 - registers the key with drf-spectacular
        from .mails import MAILS
        from .staff_audit import CustomersStaffAudit

        register_staff_audit(CustomersStaffAudit())
        register_mails(*MAILS)
