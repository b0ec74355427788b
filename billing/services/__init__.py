"""Every change of money's state, one module a verb."""

from .cancel_plan import NoPlanToCancel, UsageStillUnreported, cancel_plan
from .choose_plan import PlanAlreadyChosen, choose_plan, open_subscription
from .give_notice import give_notice
from .open_billing_portal import open_billing_portal
from .process_webhook import WebhookRefused, process_webhook, receive_webhook, replay_webhook
from .reconcile import reconcile
from .record_usage import record_usage
from .refresh_account import link_stripe_customer, refresh_account
from .report_usage import report_usage, requeue_report
from .resume_plan import NothingToResume, cancel_at_period_end, resume_plan
from .retry_now import Backlog, count_backlog, retry_now
from .start_checkout import NothingAtStripe, finish_checkout, start_checkout
from .sweep_billing import sweep_billing

__all__ = [
    "Backlog",
    "NoPlanToCancel",
    "NothingAtStripe",
    "NothingToResume",
    "PlanAlreadyChosen",
    "UsageStillUnreported",
    "WebhookRefused",
    "cancel_at_period_end",
    "cancel_plan",
    "choose_plan",
    "count_backlog",
    "finish_checkout",
    "give_notice",
    "link_stripe_customer",
    "open_billing_portal",
    "open_subscription",
    "process_webhook",
    "receive_webhook",
    "reconcile",
    "record_usage",
    "refresh_account",
    "replay_webhook",
    "report_usage",
    "requeue_report",
    "resume_plan",
    "retry_now",
    "start_checkout",
    "sweep_billing",
]
