"""Carry out one step after a signup, and try again until it is done."""

from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from billing.services.subscriptions.ensure_stripe_customer import ensure_stripe_customer
from billing.stripe_gateway.errors import StripeRejected
from core import outbox
from provisioning import mails
from provisioning.metrics import READY_SECONDS, STEPS
from provisioning.models import ProvisioningEvent, ProvisioningRun

log = structlog.get_logger(__name__)

Status = ProvisioningEvent.Status
Step = ProvisioningEvent.Step

# A mail about the next step is of no use long after it was due.
STALE_AFTER = timedelta(days=3)
# What a signup is ready after.
AT_ONCE = (Step.STRIPE_CUSTOMER, Step.WELCOME_MAIL)
OVER = (Status.DONE, Status.SKIPPED)


def run_step(*, event_id: UUID) -> None:
    """Carry out a step that is due. Repeating it is safe; a failure is rescheduled with a longer wait.

    A mail that was sent by a process that died before it could write so is sent again, under the same
    Message-ID. What Stripe rejects, or fails too often, waits for staff.
    """
    event = outbox.claim(ProvisioningEvent.objects.select_related("customer"), pk=event_id)
    if event is None:
        return
    try:
        status = _carry_out(event)
    except StripeRejected as error:
        outbox.park(event, outbox.describe(error))
        return
    except Exception as error:  # whatever it is, it is counted: nothing is tried for ever
        outbox.fail(event, outbox.describe(error))
        log.warning("provisioning_step_failed", step=event.step, error=type(error).__name__)
        return
    if _finish(event, status):
        log.info("provisioning_step", step=event.step, state=str(status), customer=str(event.customer_id))


def _carry_out(event: ProvisioningEvent) -> Status:
    if event.step == Step.STRIPE_CUSTOMER:
        ensure_stripe_customer(customer_id=event.customer_id, attempt=event.attempts)
        return Status.DONE
    is_stale = event.step != Step.WELCOME_MAIL and timezone.now() - event.due_at > STALE_AFTER
    if is_stale or not mails.applies(event):
        return Status.SKIPPED
    mails.send(event)
    return Status.DONE


@transaction.atomic
def _finish(event: ProvisioningEvent, status: Status) -> bool:
    """Write the end of a step, and of the signup's last that was due at once.

    The run is locked, so that of two that end together one knows that it is the last.
    """
    now, is_at_once = timezone.now(), event.step in AT_ONCE
    if is_at_once:
        ProvisioningRun.objects.select_for_update().filter(pk=event.customer_id).first()
    if not outbox.complete(event, status=status, done_at=now):
        return False
    transaction.on_commit(STEPS.labels(step=event.step, state=str(status)).inc)
    at_once = ProvisioningEvent.objects.filter(customer=event.customer_id, step__in=AT_ONCE)
    if is_at_once and not at_once.exclude(status__in=OVER).exists():
        seconds = (now - event.customer.created_at).total_seconds()
        transaction.on_commit(lambda: READY_SECONDS.observe(seconds))
    return True
