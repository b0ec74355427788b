"""A plan is chosen on Stripe's Checkout page, so that no card passes through here."""

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
from billing.stripe_gateway.checkout import find_subscription_of, open_checkout
from billing.stripe_gateway.subscriptions import sync_live_subscriptions, sync_subscription
from core.errors import DomainError
from customers.models import Customer


class NothingAtStripe(DomainError):
    code, status = "CONFLICT", 409
    message = gettext_noop("There are no cards or invoices yet. Choose a plan first.")


def start_checkout(
    *, customer: Customer, plan: Plan, return_url: str, at: datetime, by: Author | None = None
) -> str:
    """The address of Stripe's page where the customer subscribes to a plan. Calls out.

    Asking again gives the same page while it is open, and closes one for another plan. Stripe sends the
    person back to `return_url` with `checkout=done&session=…` or `checkout=left` in its query; hand the
    session to `finish_checkout`. The plan changes when it is paid, as done by the person whose page it was.
    Raises PlanAlreadyChosen, StripeUnavailable, StripeRejected.
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
                # The braces are Stripe's, and stay as they are.
                success_url=f"{return_url}{joint}checkout=done&session={{CHECKOUT_SESSION_ID}}",
                cancel_url=f"{return_url}{joint}checkout=left",
            )
    # Raised out here, so that what was learnt from Stripe stays.
    raise PlanAlreadyChosen


def _has_subscription(customer: Customer, stripe_customer_id: str) -> bool:
    """Whether one runs, by our rows or by Stripe: the news of a page that was just paid may be on its way."""
    if get_account(customer=customer).has_subscription:
        return True
    if not sync_live_subscriptions(stripe_customer_id=stripe_customer_id):
        return False
    refresh_account(stripe_customer_id=stripe_customer_id)
    return True


def finish_checkout(*, customer: Customer, session_id: str) -> BillingAccount:
    """The account after a visit to Checkout, without waiting for Stripe's news. Calls out; safe to repeat.

    A session that is not the customer's, or is not paid, changes nothing. Raises StripeUnavailable,
    StripeRejected.
    """
    account = get_account(customer=customer)
    if account.stripe_customer_id is None:
        return account
    with lock_stripe_customer(account.stripe_customer_id):
        subscription_id = find_subscription_of(
            checkout_session_id=session_id, stripe_customer_id=account.stripe_customer_id
        )
        if subscription_id is not None:
            sync_subscription(subscription_id)
            refresh_account(stripe_customer_id=account.stripe_customer_id)
    return get_account(customer=customer)
