"""The mails of a signup: its confirmation, those of the first week, and the last one of a closed account."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from billing.models import BillingAccount, UsageRecord
from billing.selectors.entitlements import get_entitlement
from core.mail.build import build_mail, render_mail
from core.mail.catalog import Mail, get_mail
from customers.models import Customer, User
from phases.models import PhaseExecution

from .models import ProvisioningEvent

Step = ProvisioningEvent.Step


@dataclass(frozen=True)
class StepMail:
    """A mail that a step sends: how long after the signup, whether it still applies, and what turns it off.

    Its templates are `provisioning/mail/<step>_…`.
    """

    step: Step
    after: timedelta
    still_applies: Callable[[Customer], bool] = lambda customer: True
    opt_out: str = "wants_guidance"

    @property
    def key(self) -> str:
        return f"provisioning/mail/{self.step}"


def _has_not_scanned(customer: Customer) -> bool:
    return not PhaseExecution.objects.filter(customer=customer).exists()


def _has_no_fix(customer: Customer) -> bool:
    return not UsageRecord.objects.filter(customer=customer).exists()


def _has_no_plan(customer: Customer) -> bool:
    account = BillingAccount.objects.filter(customer=customer).first()
    return account is not None and not account.has_subscription


STEP_MAILS = (
    StepMail(Step.WELCOME_MAIL, timedelta(0), opt_out=""),
    StepMail(Step.MAIL_DAY_1, timedelta(days=1), _has_not_scanned),
    StepMail(Step.MAIL_DAY_3, timedelta(days=3), _has_no_fix),
    StepMail(Step.MAIL_DAY_7, timedelta(days=7), _has_no_plan),
)
MAILS = (
    Mail(
        "provisioning/mail/onboarding",
        example={
            "asked": {
                "name": "acme",
                "asked_from": "192.0.2.7",
                "created_at": datetime(2026, 3, 7, tzinfo=UTC),
                "key_prefix": "rsolv_abc",
            },
            "path": "/onboarding/token/",
        },
    ),
    Mail(
        "provisioning/mail/closed",
        example={"customer": {"name": "acme"}, "by": {"email": "alice@acme.test"}},
    ),
    *(
        Mail(
            each.key,
            outbox="provisioning.ProvisioningEvent",
            opt_out=each.opt_out,
            example={
                "customer": {"name": "acme"},
                "needs_password": True,
                "has_scanned": True,
                "entitlement": {"included": 10, "used": 3},
            },
        )
        for each in STEP_MAILS
    ),
)


def is_applicable(event: ProvisioningEvent) -> bool:
    """Return whether the mail's advice still applies to the customer and its owner accepts such mail."""
    customer, mail = event.customer, _find(event)
    if customer.closed_at is not None:
        return False
    if mail.opt_out and not customer.memberships.filter(role="owner", **{mail.opt_out: True}).exists():
        return False
    return mail.still_applies(customer)


def send(event: ProvisioningEvent) -> None:
    """Send a step's mail to the customer's address. Raises what the mail backend raises."""
    content = render_mail(get_mail(_find(event).key), _build_context(event))
    build_mail(content, to=event.customer.email, reference=event.pk).send()


def _find(event: ProvisioningEvent) -> StepMail:
    return next(each for each in STEP_MAILS if each.step == event.step)


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
