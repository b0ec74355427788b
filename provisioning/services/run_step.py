"""Run one provisioning step, and retry it until it is done."""

from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from billing.services.subscriptions.ensure_stripe_customer import ensure_stripe_customer
from billing.stripe_gateway.errors import StripeRejected
from core.outbox import leases
from provisioning import mails
from provisioning.metrics import READY_SECONDS, STEPS
from provisioning.models import ProvisioningEvent, ProvisioningRun

log = structlog.get_logger(__name__)

Status = ProvisioningEvent.Status
Step = ProvisioningEvent.Step

# Advice about the next step is useless long after it was due.
STALE_AFTER = timedelta(days=3)
# A signup is ready once these steps are done.
IMMEDIATE_STEPS = (Step.STRIPE_CUSTOMER, Step.WELCOME_MAIL)
FINISHED = (Status.DONE, Status.SKIPPED)


def run_step(*, event_id: UUID) -> None:
    """Run a due step. Safe to repeat; a failure is rescheduled with a longer wait.

    If a worker dies after sending a mail and before recording it, the mail is sent again with the same
    Message-ID. A step that Stripe rejects, or that fails too often, is parked for staff.
    """
    event = leases.claim(ProvisioningEvent.objects.select_related("customer"), pk=event_id)
    if event is None:
        return
    try:
        status = _run(event)
    except StripeRejected as error:
        leases.park(event, leases.describe(error))
        return
    except Exception as error:  # counts any error as a failure, so that retries end
        leases.fail(event, leases.describe(error))
        log.warning("provisioning_step_failed", step=event.step, error=type(error).__name__)
        return
    if _finish(event, status):
        log.info("provisioning_step", step=event.step, state=str(status), customer=str(event.customer_id))


def _run(event: ProvisioningEvent) -> Status:
    if event.step == Step.STRIPE_CUSTOMER:
        ensure_stripe_customer(customer_id=event.customer_id, attempt=event.attempts)
        return Status.DONE
    # The welcome mail is sent however late: it tells a person without a password how to set one.
    is_stale = event.step != Step.WELCOME_MAIL and timezone.now() - event.due_at > STALE_AFTER
    if is_stale or not mails.is_applicable(event):
        return Status.SKIPPED
    mails.send(event)
    return Status.DONE


@transaction.atomic
def _finish(event: ProvisioningEvent, status: Status) -> bool:
    """Record the end of a step, and the time to readiness if it was the last immediate step.

    Locks the run: of two steps that end at the same time, exactly one sees that all are finished.
    """
    now, is_at_once = timezone.now(), event.step in IMMEDIATE_STEPS
    if is_at_once:
        ProvisioningRun.objects.select_for_update().filter(pk=event.customer_id).first()
    if not leases.complete(event, status=status, done_at=now):
        return False
    transaction.on_commit(STEPS.labels(step=event.step, state=str(status)).inc)
    at_once = ProvisioningEvent.objects.filter(customer=event.customer_id, step__in=IMMEDIATE_STEPS)
    if is_at_once and not at_once.exclude(status__in=FINISHED).exists():
        seconds = (now - event.customer.created_at).total_seconds()
        transaction.on_commit(lambda: READY_SECONDS.observe(seconds))
    return True
