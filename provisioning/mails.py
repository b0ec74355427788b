"""The mails of the first week: which still apply, and what they say."""

from typing import Any

from billing.models import BillingAccount, UsageRecord
from billing.selectors.entitlements import get_entitlement
from core.mail import send_templated_mail
from customers.models import User
from phases.models import PhaseExecution

from .models import ProvisioningEvent

Step = ProvisioningEvent.Step


def applies(event: ProvisioningEvent) -> bool:
    """Whether a step's mail still says something that its customer has not done, and wants to hear."""
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
        context=_prepare(event),
        reference=event.pk,
    )


def _has_no_way_in(user: User) -> bool:
    """Neither a password nor a login so far, by GitHub say. Who has just signed up has not logged in yet."""
    return not user.last_login and not user.has_usable_password()


def _prepare(event: ProvisioningEvent) -> dict[str, Any]:
    customer = event.customer
    owner = customer.memberships.select_related("user").filter(role="owner").first()
    return {
        "customer": customer,
        "needs_password": owner is not None and _has_no_way_in(owner.user),
        "has_scanned": PhaseExecution.objects.filter(customer=customer).exists(),
        "entitlement": get_entitlement(customer=customer),
    }
