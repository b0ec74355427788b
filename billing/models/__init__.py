"""Money: where customers stand, the ledger, what Stripe is still to be told, and what it told us."""

from .account import BillingAccount
from .claims import UsageClaim
from .corrections import CorrectionReport, UsageCorrection
from .inbox import InboxEvent
from .incidents import PaymentIncident
from .notices import Notice
from .reconciliation import Discrepancy, Reconciliation
from .subscription_request import SubscriptionRequest
from .switches import BillingSwitch
from .usage import UsageRecord, UsageReport

__all__ = [
    "BillingAccount",
    "BillingSwitch",
    "CorrectionReport",
    "Discrepancy",
    "InboxEvent",
    "Notice",
    "PaymentIncident",
    "Reconciliation",
    "SubscriptionRequest",
    "UsageClaim",
    "UsageCorrection",
    "UsageRecord",
    "UsageReport",
]
