"""Every change of money's state, one module a verb."""

from .cancel_plan import NoPlanToCancel, cancel_plan, end_all_plans
from .change_plan import (
    ChangePreview,
    PaymentDeclined,
    PlanNotChangeable,
    PreviewOutdated,
    change_plan,
    preview_change,
)
from .choose_plan import PlanAlreadyChosen, PlanStillOpening, choose_plan, open_subscription
from .claim_fix import FixRefused, claim_fix
from .correct_usage import NothingToCorrect, ReasonMissing, correct_usage
from .ensure_stripe_customer import ensure_stripe_customer
from .follow_meter_error import follow_meter_error
from .follow_payment import block_overdue, follow_payment
from .give_notice import give_notice
from .mail_notice import mail_notice
from .note_plan import Author
from .open_billing_portal import open_billing_portal
from .pause_customer import pause_customer, resume_customer
from .process_webhook import WebhookRefused, process_webhook, receive_webhook, replay_webhook
from .prune_events import Pruned, prune_events
from .reconcile import reconcile
from .record_incident import record_dispute, record_refunds
from .record_usage import record_usage
from .refresh_account import forget_stripe_customer, link_stripe_customer, refresh_account
from .report_correction import report_correction
from .report_usage import report_usage
from .resume_plan import NothingToResume, cancel_at_period_end, resume_plan
from .retry_now import Backlog, count_backlog, retry_now
from .set_spend_cap import BadSpendCap, set_spend_cap
from .set_trial_limit import set_trial_limit
from .settle_discrepancy import settle_discrepancy
from .settle_usage import BillingIsPaused, UsageStillUnreported, settle_usage
from .start_checkout import NothingAtStripe, finish_checkout, start_checkout
from .sweep_billing import sweep_billing
from .turn_switch import turn_switch

__all__ = [
    "Author",
    "Backlog",
    "BadSpendCap",
    "BillingIsPaused",
    "FixRefused",
    "ChangePreview",
    "NoPlanToCancel",
    "NothingAtStripe",
    "NothingToCorrect",
    "NothingToResume",
    "PaymentDeclined",
    "PlanAlreadyChosen",
    "PlanNotChangeable",
    "PlanStillOpening",
    "PreviewOutdated",
    "Pruned",
    "ReasonMissing",
    "UsageStillUnreported",
    "WebhookRefused",
    "block_overdue",
    "cancel_at_period_end",
    "cancel_plan",
    "change_plan",
    "choose_plan",
    "claim_fix",
    "correct_usage",
    "count_backlog",
    "ensure_stripe_customer",
    "end_all_plans",
    "finish_checkout",
    "follow_meter_error",
    "follow_payment",
    "forget_stripe_customer",
    "give_notice",
    "link_stripe_customer",
    "mail_notice",
    "open_billing_portal",
    "open_subscription",
    "pause_customer",
    "preview_change",
    "process_webhook",
    "prune_events",
    "receive_webhook",
    "reconcile",
    "record_dispute",
    "record_refunds",
    "record_usage",
    "refresh_account",
    "replay_webhook",
    "report_correction",
    "report_usage",
    "resume_customer",
    "resume_plan",
    "retry_now",
    "set_spend_cap",
    "set_trial_limit",
    "settle_discrepancy",
    "settle_usage",
    "start_checkout",
    "sweep_billing",
    "turn_switch",
]
