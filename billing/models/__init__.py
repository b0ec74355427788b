"""Money: where customers stand, the ledger, what Stripe is still to be told, and what it told us."""

from .account import BillingAccount
from .claims import UsageClaim
from .corrections import CorrectionReport, UsageCorrection
from .feature_flags import FeatureFlag
from .inbox import InboxEvent
from .incidents import PaymentIncident
from .notifications import Notification
from .reconciliation import Discrepancy, Reconciliation
from .subscription_request import SubscriptionRequest
from .usage import UsageRecord, UsageReport

__all__ = [
    "BillingAccount",
    "FeatureFlag",
    "CorrectionReport",
    "Discrepancy",
    "InboxEvent",
    "Notification",
    "PaymentIncident",
    "Reconciliation",
    "SubscriptionRequest",
    "UsageClaim",
    "UsageCorrection",
    "UsageRecord",
    "UsageReport",
]
