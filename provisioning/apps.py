from django.apps import AppConfig


class ProvisioningConfig(AppConfig):
    name = "provisioning"

    def ready(self) -> None:
        from core.admin.work_queue import register_work
        from core.mail.catalog import register_mails
        from core.mail.queue import register_mail_queue
        from core.metrics.collectors import register_collector

        from . import checks  # noqa: F401 - registers them
        from .account_mails import ACCOUNT_MAILS
        from .gauges import read_provisioning
        from .mails import MAILS
        from .services.send_mail import create_outgoing_mail
        from .work_queue import WORK

        register_collector("provisioning", read_provisioning)
        register_mails(*MAILS, *ACCOUNT_MAILS)
        register_mail_queue(create_outgoing_mail)
        register_work(*WORK)
