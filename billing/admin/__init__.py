"""Billing in the admin. The ledger is read-only; staff add corrections and retry stuck rows."""

from .accounts import BillingAccountAdmin, UsageClaimAdmin
from .corrections import CorrectionReportAdmin, UsageCorrectionAdmin
from .feature_flags import FeatureFlagAdmin
from .inbox import InboxEventAdmin
from .incidents import DiscrepancyAdmin, PaymentIncidentAdmin, ReconciliationAdmin
from .ledger import UsageRecordAdmin, UsageReportAdmin
from .notifications import NotificationAdmin
from .rate_limits import RateLimitAdmin
from .stripe_mirror import WebhookEventTriggerAdmin

__all__ = [
    "BillingAccountAdmin",
    "FeatureFlagAdmin",
    "CorrectionReportAdmin",
    "DiscrepancyAdmin",
    "InboxEventAdmin",
    "NotificationAdmin",
    "PaymentIncidentAdmin",
    "RateLimitAdmin",
    "ReconciliationAdmin",
    "UsageClaimAdmin",
    "UsageCorrectionAdmin",
    "UsageRecordAdmin",
    "UsageReportAdmin",
    "WebhookEventTriggerAdmin",
]
