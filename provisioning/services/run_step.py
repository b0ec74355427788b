"""One step after a signup is carried out: once, and again until it is."""

from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from billing import stripe_gateway
from billing.retries import LEASE, schedule_retry
from billing.services import ensure_stripe_customer
from provisioning import mails
from provisioning.metrics import READY_SECONDS, STEPS
from provisioning.models import ProvisioningEvent

log = structlog.get_logger(__name__)

State = ProvisioningEvent.State
Step = ProvisioningEvent.Step

# A mail about the next step is of no use long after it was due.
STALE_AFTER = timedelta(days=3)
MAX_ATTEMPTS = 50
# What a signup is ready after.
AT_ONCE = (Step.STRIPE_CUSTOMER, Step.WELCOME_MAIL)
OVER = (State.DONE, State.SKIPPED)


def run_step(*, event_id: UUID) -> None:
    """Carry out a step that is due. Repeating it is safe; a failure is put off with a longer wait.

    A mail that was sent by a process that died before it could say so is sent again, under the same
    Message-ID. What Stripe or the mail server refuses for good waits for staff.
    """
    event = _take_lease(event_id)
    if event is None:
        return
    try:
        state = _carry_out(event)
    except stripe_gateway.StripeRefused as error:
        _give_up(event, error)
        return
    except Exception as error:  # whatever it is, it is counted: nothing is tried for ever
        _put_off(event, error)
        return
    _finish(event, state)
    log.info("provisioning_step", step=event.step, state=str(state), customer=str(event.customer_id))


@transaction.atomic
def _take_lease(event_id: UUID) -> ProvisioningEvent | None:
    now = timezone.now()
    event = (
        ProvisioningEvent.objects.select_for_update(of=("self",))
        .select_related("customer")
        .filter(pk=event_id, state=State.PENDING, next_attempt_at__lte=now)
        .first()
    )
    if event is not None:
        event.attempts += 1
        event.next_attempt_at = now + LEASE
        event.last_error = ""  # only what failed and waits has one
        event.save(update_fields=["attempts", "next_attempt_at", "last_error"])
    return event


def _carry_out(event: ProvisioningEvent) -> State:
    if event.step == Step.STRIPE_CUSTOMER:
        ensure_stripe_customer(customer_id=event.customer_id, attempt=event.attempts)
        return State.DONE
    is_stale = event.step != Step.WELCOME_MAIL and timezone.now() - event.due_at > STALE_AFTER
    if is_stale or not mails.applies(event):
        return State.SKIPPED
    mails.send(event)
    return State.DONE


@transaction.atomic
def _finish(event: ProvisioningEvent, state: State) -> None:
    """Note the end of a step, and of the signup's last that was due at once.

    Those are locked, so that of two that end together one knows that it is the last.
    """
    at_once = ProvisioningEvent.objects.filter(customer=event.customer_id, step__in=AT_ONCE)
    others = list(at_once.select_for_update().order_by("pk")) if event.step in AT_ONCE else []
    now = timezone.now()
    done = ProvisioningEvent.objects.filter(pk=event.pk).exclude(state__in=OVER)
    if not done.update(state=state, done_at=now, next_attempt_at=None, last_error=""):
        return
    transaction.on_commit(STEPS.labels(step=event.step, state=str(state)).inc)
    if others and all(other.state in OVER for other in others if other.pk != event.pk):
        seconds = (now - event.customer.created_at).total_seconds()
        transaction.on_commit(lambda: READY_SECONDS.observe(seconds))


def _put_off(event: ProvisioningEvent, error: Exception) -> None:
    if event.attempts >= MAX_ATTEMPTS:
        _give_up(event, error)
        return
    next_attempt_at = schedule_retry(attempts=event.attempts, now=timezone.now())
    ProvisioningEvent.objects.filter(pk=event.pk).update(
        next_attempt_at=next_attempt_at, last_error=_describe(error)
    )
    log.warning("provisioning_step_put_off", step=event.step, error=type(error).__name__)


def _give_up(event: ProvisioningEvent, error: Exception) -> None:
    ProvisioningEvent.objects.filter(pk=event.pk).update(
        state=State.FAILED, next_attempt_at=None, last_error=_describe(error)
    )
    STEPS.labels(step=event.step, state=State.FAILED).inc()
    log.error("provisioning_step_failed", step=event.step, customer=str(event.customer_id))


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]
