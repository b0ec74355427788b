"""Put a customer on a plan immediately, and create its subscription at Stripe asynchronously."""

from datetime import datetime
from uuid import UUID

import structlog
from django.db import transaction
from django.utils.translation import gettext_noop

from billing.locks import lock_stripe_customer
from billing.models import BillingAccount, SubscriptionRequest
from billing.plans import PLANS, Plan
from billing.services.metering.record_usage import lock_account
from billing.services.subscriptions.ensure_stripe_customer import ensure_stripe_customer
from billing.services.subscriptions.refresh_account import refresh_account
from billing.stripe_gateway.customers import set_payment_method
from billing.stripe_gateway.errors import StripeRejected
from billing.stripe_gateway.subscriptions import create_subscription
from core.errors import DomainError
from core.outbox import leases, operators
from core.outbox.sweep import enqueue
from customers.models import Customer

log = structlog.get_logger(__name__)

Status = BillingAccount.Status
Request = SubscriptionRequest.Status


class PlanAlreadyChosen(DomainError):
    code, status = "CONFLICT", 409
    message = gettext_noop(
        "This account already has a plan. Pay its open invoice or cancel it before you choose another."
    )


class PlanStillOpening(PlanAlreadyChosen):
    message = gettext_noop("Stripe is still processing the plan you chose last. Try again in a few minutes.")


@transaction.atomic
def choose_plan(*, customer: Customer, plan: Plan, payment_method: str = "", at: datetime) -> BillingAccount:
    """Put a customer on a metered plan, and enqueue the creation of its subscription on commit.

    Fixes count toward the plan from now on, before Stripe answers. `payment_method` is a Stripe id. Commits;
    makes no Stripe call. Choosing the same plan again changes nothing.
    Raises PlanAlreadyChosen, PlanStillOpening.
    """
    account = lock_account(customer)
    if account.has_subscription:
        if account.plan != plan.key:
            raise PlanAlreadyChosen
        return account
    account.plan, account.status = plan.key, Status.PENDING
    account.set_terms(None)
    account.plan_chosen_at = at
    account.subscription = account.current_period_start = account.current_period_end = None
    account.save()
    enqueue(_request_subscription(account, payment_method, at))
    return account


def _request_subscription(account: BillingAccount, payment_method: str, at: datetime) -> SubscriptionRequest:
    """Create or reuse the account's one request. Raises PlanStillOpening while a worker has leased it."""
    values = {"payment_method": payment_method, "requested_at": at}
    request, is_new = SubscriptionRequest.objects.get_or_create(
        account=account, defaults=values | {"next_attempt_at": at}
    )
    if not is_new:
        former = SubscriptionRequest.objects.filter(pk=account.pk)
        # reopen leaves pending rows alone, so an earlier request that still waits is closed first.
        operators.close(former, at=at, status=Request.DONE)
        if not operators.reopen(former, at=at, **values):
            raise PlanStillOpening
    return request


def open_subscription(*, customer_id: UUID) -> None:
    """Create the subscription of a pending account at Stripe. Commits; safe to repeat: it subscribes once.

    Raises StripeUnavailable, after which the request is rescheduled, and StripeRejected, after which the
    account has no plan until the customer chooses one again.
    """
    rows = SubscriptionRequest.objects.select_related("account")
    request = leases.claim(rows, pk=customer_id)
    if request is None:
        return
    try:
        if request.account.status == Status.PENDING:
            _open(request)
    except StripeRejected as error:
        _reject(request, error)
        raise
    except Exception as error:
        leases.reschedule(request, leases.describe(error))
        raise
    # The subscription exists at Stripe, but has not been derived into the account yet.
    if BillingAccount.objects.filter(pk=customer_id, status=Status.PENDING).exists():
        leases.reschedule(request, "waiting for the subscription to become active")
    else:
        leases.complete(request, status=Request.DONE, payment_method="")


def _open(request: SubscriptionRequest) -> None:
    account, asked_at = request.account, request.requested_at.timestamp()
    attempt = f"{asked_at}-{request.attempts}"
    stripe_customer_id = ensure_stripe_customer(customer_id=account.pk, attempt=attempt)
    if request.payment_method:
        set_payment_method(
            stripe_customer_id=stripe_customer_id, payment_method=request.payment_method, attempt=attempt
        )
    with lock_stripe_customer(stripe_customer_id):
        create_subscription(
            stripe_customer_id=stripe_customer_id,
            plan=PLANS[account.plan],
            request_key=f"{account.pk}-{asked_at}",
            attempt=request.attempts,
        )
        refresh_account(stripe_customer_id=stripe_customer_id)


@transaction.atomic
def _reject(request: SubscriptionRequest, error: StripeRejected) -> None:
    reason = f"{error.code}: {error}"
    if not leases.complete(request, status=Request.REJECTED, payment_method="", last_error=reason):
        return
    # Not if the customer has chosen again since.
    BillingAccount.objects.filter(
        pk=request.pk, status=Status.PENDING, plan_chosen_at=request.requested_at
    ).update(status=Status.CANCELED)
    log.error("subscription_rejected", customer=str(request.pk), code=error.code)
