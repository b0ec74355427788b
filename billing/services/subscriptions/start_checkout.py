"""Start and finish a Checkout session, in which Stripe collects the card instead of us."""

from datetime import datetime

from django.utils.translation import gettext_noop

from billing.locks import lock_stripe_customer
from billing.models import BillingAccount
from billing.plans import Plan
from billing.selectors.entitlements import get_account
from billing.services.subscriptions.choose_plan import PlanAlreadyChosen
from billing.services.subscriptions.ensure_stripe_customer import ensure_stripe_customer
from billing.services.subscriptions.record_plan_change import Author
from billing.services.subscriptions.refresh_account import refresh_account
from billing.stripe_gateway.checkout import find_checkout_subscription, open_checkout
from billing.stripe_gateway.subscriptions import sync_live_subscriptions, sync_subscription
from core.errors import DomainError
from customers.models import Customer


class NoStripeCustomer(DomainError):
    code, status = "CONFLICT", 409
    message = gettext_noop("You have no cards or invoices yet. Choose a plan first.")


def start_checkout(
    *, customer: Customer, plan: Plan, return_url: str, at: datetime, by: Author | None = None
) -> str:
    """Return the URL of a Checkout session in which the customer subscribes to a plan.

    Commits; calls Stripe. Safe to repeat: an open session for the same plan is reused, and one for another
    plan is expired. Stripe redirects the person to `return_url` with `checkout=done&session=…` or
    `checkout=left` in its query; pass the session to `finish_checkout`. The plan starts when it is paid, and
    is attributed to the person who opened the session.
    Raises PlanAlreadyChosen, StripeUnavailable, StripeRejected.
    Source: https://docs.stripe.com/api/checkout/sessions/create
    """
    if get_account(customer=customer).has_subscription:
        raise PlanAlreadyChosen
    BillingAccount.objects.get_or_create(customer=customer)
    stripe_customer_id = ensure_stripe_customer(customer_id=customer.pk, attempt=int(at.timestamp()))
    joint = "&" if "?" in return_url else "?"
    with lock_stripe_customer(stripe_customer_id):
        if not _has_subscription(customer, stripe_customer_id):
            return open_checkout(
                stripe_customer_id=stripe_customer_id,
                plan=plan,
                person=str(by.user.pk) if by else "",
                request_key=f"{customer.pk}-{at.timestamp()}",
                # Stripe replaces this placeholder, so its braces must not be URL-encoded.
                success_url=f"{return_url}{joint}checkout=done&session={{CHECKOUT_SESSION_ID}}",
                cancel_url=f"{return_url}{joint}checkout=left",
            )
    # Raised outside the lock's transaction, which commits the subscription that was just synced.
    raise PlanAlreadyChosen


def _has_subscription(customer: Customer, stripe_customer_id: str) -> bool:
    """Whether a subscription runs here or at Stripe. The webhook of a paid session may still be pending."""
    if get_account(customer=customer).has_subscription:
        return True
    if not sync_live_subscriptions(stripe_customer_id=stripe_customer_id):
        return False
    refresh_account(stripe_customer_id=stripe_customer_id)
    return True


def finish_checkout(*, customer: Customer, session_id: str) -> BillingAccount:
    """Sync the subscription of a Checkout session without waiting for its webhook; return the account.

    A session of another customer, or an unpaid one, changes nothing. Commits; calls Stripe; safe to repeat.
    Raises StripeUnavailable, StripeRejected.
    """
    account = get_account(customer=customer)
    if account.stripe_customer_id is None:
        return account
    with lock_stripe_customer(account.stripe_customer_id):
        subscription_id = find_checkout_subscription(
            checkout_session_id=session_id, stripe_customer_id=account.stripe_customer_id
        )
        if subscription_id is not None:
            sync_subscription(subscription_id)
            refresh_account(stripe_customer_id=account.stripe_customer_id)
    return get_account(customer=customer)
