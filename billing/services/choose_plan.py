"""A plan is chosen here at once, and opened at Stripe as soon as Stripe answers."""

from datetime import datetime
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from billing import stripe_gateway
from billing.locks import hold_stripe_customer
from billing.models import BillingAccount
from billing.plans import PLANS, Plan
from billing.retries import LEASE
from core.errors import DomainError
from core.queue.enqueue import enqueue_on_commit
from customers.models import Customer

from .ensure_stripe_customer import ensure_stripe_customer
from .record_usage import lock_account
from .refresh_account import refresh_account

log = structlog.get_logger(__name__)

Status = BillingAccount.Status


class PlanAlreadyChosen(DomainError):
    code, status = "CONFLICT", 409
    message = gettext_noop(
        "This account has a plan already. Pay what is open, or cancel it, before another is chosen."
    )


@transaction.atomic
def choose_plan(*, customer: Customer, plan: Plan, payment_method: str = "", at: datetime) -> BillingAccount:
    """Put a customer on a metered plan. Fixes count for it from now; its subscription is opened on commit.

    `payment_method` is Stripe's id. Choosing the same plan again changes nothing. Raises PlanAlreadyChosen.
    """
    account = lock_account(customer)
    if account.has_subscription:
        if account.plan != plan.key:
            raise PlanAlreadyChosen
        return account
    account.plan, account.status = plan.key, Status.PENDING
    account.set_terms(None)
    account.plan_chosen_at, account.next_attempt_at = at, at
    account.payment_method, account.attempts = payment_method, 0
    account.subscription = account.current_period_start = account.current_period_end = None
    account.save()
    enqueue_on_commit("billing.tasks.open_subscription", str(customer.pk))
    return account


def open_subscription(*, customer_id: UUID) -> None:
    """Make at Stripe what a pending account wishes for. Repeating it subscribes once.

    Raises StripeUnavailable, after which the sweep tries again, and StripeRefused, after which the account
    has no plan until another is chosen.
    """
    account = _lease_pending(customer_id, timezone.now())
    if account is None or account.plan_chosen_at is None:
        return
    wish = f"{customer_id}-{account.plan_chosen_at.timestamp()}"
    attempt = f"{account.plan_chosen_at.timestamp()}-{account.attempts}"
    try:
        stripe_customer_id = ensure_stripe_customer(customer_id=customer_id, attempt=attempt)
        if account.payment_method:
            stripe_gateway.set_payment_method(
                stripe_customer_id=stripe_customer_id,
                payment_method=account.payment_method,
                attempt=attempt,
            )
        with hold_stripe_customer(stripe_customer_id):
            stripe_gateway.create_subscription(
                stripe_customer_id=stripe_customer_id,
                plan=PLANS[account.plan],
                wish=wish,
                attempt=account.attempts,
            )
            refresh_account(stripe_customer_id=stripe_customer_id)
    except stripe_gateway.StripeRefused as error:
        BillingAccount.objects.filter(
            pk=customer_id, status=Status.PENDING, plan_chosen_at=account.plan_chosen_at
        ).update(status=Status.CANCELED, next_attempt_at=None)
        log.error("subscription_refused", customer=str(customer_id), code=error.code)
        raise


@transaction.atomic
def _lease_pending(customer_id: UUID, now: datetime) -> BillingAccount | None:
    account = (
        BillingAccount.objects.select_for_update(of=("self",))
        .select_related("customer")
        .filter(pk=customer_id, status=Status.PENDING, next_attempt_at__lte=now)
        .first()
    )
    if account is not None:
        account.next_attempt_at, account.attempts = now + LEASE, account.attempts + 1
        account.save(update_fields=["next_attempt_at", "attempts"])
    return account
