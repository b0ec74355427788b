"""What billing leaves to a person."""

from django.db.models import Q

from core.admin.work_queue import Tone, WorkQueueEntry, parked_rows

from .models import (
    BillingAccount,
    CorrectionReport,
    Discrepancy,
    InboxEvent,
    Notification,
    PaymentIncident,
    SubscriptionRequest,
    UsageReport,
)

# Stripe's statuses of a dispute that we lose unless somebody answers: https://docs.stripe.com/disputes/how-disputes-work
DISPUTES_TO_ANSWER = ("needs_response", "warning_needs_response")

WORK = (
    WorkQueueEntry(
        "Disputes that need a response at Stripe",
        PaymentIncident,
        condition=Q(kind=PaymentIncident.Kind.DISPUTE, status__in=DISPUTES_TO_ANSWER),
        since="occurred_at",
        filters={"kind__exact": "dispute", "status__in": ",".join(DISPUTES_TO_ANSWER)},
        tone=Tone.URGENT,
    ),
    parked_rows("Plans that Stripe did not open", SubscriptionRequest, tone=Tone.URGENT),
    parked_rows("Fixes that are not on Stripe's meter", UsageReport, tone=Tone.URGENT),
    parked_rows("Corrections that are not credited", CorrectionReport, tone=Tone.URGENT),
    parked_rows("Webhooks that were not processed", InboxEvent, tone=Tone.URGENT),
    WorkQueueEntry(
        "Differences between ledger, Stripe and portal",
        Discrepancy,
        condition=Q(state=Discrepancy.State.OPEN),
        since="found_at",
        filters={"state__exact": "open"},
    ),
    parked_rows("Notifications that were not mailed", Notification),
    WorkQueueEntry(
        "Customers for whom reports to Stripe are paused",
        BillingAccount,
        condition=Q(paused_at__isnull=False),
        since="paused_at",
        filters={"paused_at__isempty": "0"},
        tone=Tone.NOTE,
    ),
)
