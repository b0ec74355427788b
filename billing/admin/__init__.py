"""Staff's view of money: the ledger is looked at, corrected by new rows, and what is stuck tried again."""

from .accounts import BillingAccountAdmin, UsageClaimAdmin
from .corrections import CorrectionReportAdmin, UsageCorrectionAdmin
from .inbox import InboxEventAdmin
from .incidents import DiscrepancyAdmin, PaymentIncidentAdmin, ReconciliationAdmin
from .ledger import UsageRecordAdmin, UsageReportAdmin
from .notices import NoticeAdmin
from .rate_limits import RateLimitAdmin
from .stripe_mirror import WebhookEventTriggerAdmin
from .switches import BillingSwitchAdmin

__all__ = [
    "BillingAccountAdmin",
    "BillingSwitchAdmin",
    "CorrectionReportAdmin",
    "DiscrepancyAdmin",
    "InboxEventAdmin",
    "NoticeAdmin",
    "PaymentIncidentAdmin",
    "RateLimitAdmin",
    "ReconciliationAdmin",
    "UsageClaimAdmin",
    "UsageCorrectionAdmin",
    "UsageRecordAdmin",
    "UsageReportAdmin",
    "WebhookEventTriggerAdmin",
]
