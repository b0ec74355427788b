"""Every change of money's state, one module a verb."""

from .cancel_plan import NoPlanToCancel, UsageStillUnreported, cancel_plan
from .choose_plan import PlanAlreadyChosen, choose_plan, open_subscription
from .give_notice import give_notice
from .process_webhook import WebhookRefused, process_webhook, receive_webhook, replay_webhook
from .record_usage import record_usage
from .refresh_account import link_stripe_customer, refresh_account
from .report_usage import report_usage, requeue_report
from .retry_now import Backlog, count_backlog, retry_now
from .sweep_billing import sweep_billing

__all__ = [
    "Backlog",
    "NoPlanToCancel",
    "PlanAlreadyChosen",
    "UsageStillUnreported",
    "WebhookRefused",
    "cancel_plan",
    "choose_plan",
    "count_backlog",
    "give_notice",
    "link_stripe_customer",
    "open_subscription",
    "process_webhook",
    "receive_webhook",
    "record_usage",
    "refresh_account",
    "replay_webhook",
    "report_usage",
    "requeue_report",
    "retry_now",
    "sweep_billing",
]
