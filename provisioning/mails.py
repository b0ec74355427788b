"""The mails of the first week: when they apply, and their content."""

from typing import Any

from billing.models import BillingAccount, UsageRecord
from billing.selectors.entitlements import get_entitlement
from core.mail import send_templated_mail
from customers.models import User
from phases.models import PhaseExecution

from .models import ProvisioningEvent

Step = ProvisioningEvent.Step


def is_applicable(event: ProvisioningEvent) -> bool:
    """Return whether the mail's advice still applies to the customer and its owner accepts such mail."""
    customer = event.customer
    if customer.closed_at is not None:
        return False
    if event.step == Step.WELCOME_MAIL:
        return True
    if not customer.memberships.filter(role="owner", wants_guidance=True).exists():
        return False
    if event.step == Step.MAIL_DAY_1:
        return not PhaseExecution.objects.filter(customer=customer).exists()
    if event.step == Step.MAIL_DAY_3:
        return not UsageRecord.objects.filter(customer=customer).exists()
    account = BillingAccount.objects.filter(customer=customer).first()
    return account is not None and not account.has_subscription


def send(event: ProvisioningEvent) -> None:
    """Send a step's mail to the customer's address. Raises what the mail backend raises."""
    send_templated_mail(
        template=f"provisioning/mail/{event.step}",
        to=[event.customer.email],
        context=_build_context(event),
        reference=event.pk,
    )


def _needs_password(user: User) -> bool:
    """Return whether the person has neither a password nor ever logged in by another method, such as GitHub.

    A person who has just signed up has not logged in yet.
    """
    return not user.last_login and not user.has_usable_password()


def _build_context(event: ProvisioningEvent) -> dict[str, Any]:
    customer = event.customer
    owner = customer.memberships.select_related("user").filter(role="owner").first()
    return {
        "customer": customer,
        "needs_password": owner is not None and _needs_password(owner.user),
        "has_scanned": PhaseExecution.objects.filter(customer=customer).exists(),
        "entitlement": get_entitlement(customer=customer),
    }
