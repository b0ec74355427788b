"""Billing models: accounts, the usage ledger, the outbox rows of requests to Stripe, and webhooks from it."""

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
