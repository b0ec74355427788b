"""Scenario: many people sign up at once, each from their own network address; then each confirms."""

import json
import re
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from customers.models import Customer
from provisioning.models import ProvisioningEvent
from provisioning.selectors import GRACE_PERIOD, list_broken_signups
from provisioning.services.confirm_signup import confirm_onboarding
from provisioning.services.retry_steps import retry_steps

from .arrivals import all_at_once
from .environment import LoadEnvironment
from .requests import TimedRequest, send_all
from .results import Result

TARGET_MS = 2000
LINK = re.compile(r"/onboarding/([\w-]+)/")
MAILS = 2  # the confirmation link and the welcome mail
STEPS = (ProvisioningEvent.Step.STRIPE_CUSTOMER, ProvisioningEvent.Step.WELCOME_MAIL)
NO_PASSWORD = make_password(None)
OWNER = "djstripe_subscriber"  # the metadata key of Stripe's customer that holds our customer's id
# Half of the requests to Stripe fail, half of those after the work was done.
FAULTS = (
    {"kind": "status", "status": 500, "times": None, "probability": 0.25, "seed": 1},
    {"kind": "cut_after", "times": None, "probability": 1 / 3, "seed": 2},
)


@dataclass(frozen=True)
class Signups:
    """`count` signups. `with_faults`: half of Stripe's answers and half of the mails fail."""

    name: str = "signups"
    count: int = 100
    with_faults: bool = False

    def run(self, env: LoadEnvironment) -> Result:
        domain = f"{self.name.replace('_', '-')}.example.com"
        emails = [f"person{number}@{domain}" for number in range(self.count)]
        if self.with_faults:
            env.mail.rejection_rate = 0.5
            for fault in FAULTS:
                env.stripe.add_fault(fault)
        began = int(time.time())
        try:
            answers = send_all(env.stack.url, self._make_requests(emails), connections=self.count)
            recovery_began = time.monotonic()
            accepted = [email for email, each in zip(emails, answers, strict=True) if each.is_success]
            env.wait_until_none(lambda: sum(_find_token(env, email) is None for email in accepted))
            _confirm(env, accepted)
            left = env.wait_until_none(lambda: self._count_open(domain))
            recovery_seconds = round(time.monotonic() - recovery_began, 1)
            faults = self._describe_faults(env)
        finally:
            env.mail.rejection_rate = 0.0
            env.stripe.clear_faults()
        complete, reasons = _find_complete(env, domain, began)
        missing = [
            f"{email}: {reasons.get(email, 'no customer')}"
            for email, answer in zip(emails, answers, strict=True)
            if answer.is_success and email not in complete
        ]
        more = {"complete_after_s": recovery_seconds, "steps_left": left, **faults}
        return Result(self.name, answers, missing, TARGET_MS, more)

    def _make_requests(self, emails: list[str]) -> list[TimedRequest]:
        """Return the signup requests, each with its own client address as set by a proxy, for the limits."""
        # A different block per scenario, so that the scenarios do not share the limits per address.
        block = sum(self.name.encode()) % 200 + 20
        return [
            TimedRequest(
                path="/api/v1/customers/onboard",
                content=json.dumps({"name": f"Load {number}", "email": email}).encode(),
                headers={"X-Forwarded-For": f"10.{block}.{number // 250}.{number % 250 + 1}"},
                due=due,
                expected=201,
            )
            for number, (email, due) in enumerate(zip(emails, all_at_once(len(emails)), strict=True))
        ]

    def _count_open(self, domain: str) -> int:
        if self.with_faults:
            retry_steps(at=timezone.now())
        return ProvisioningEvent.objects.filter(
            customer__email__endswith=f"@{domain}", step__in=STEPS, status=ProvisioningEvent.Status.PENDING
        ).count()

    def _describe_faults(self, env: LoadEnvironment) -> dict[str, Any]:
        if not self.with_faults:
            return {}
        return {
            "stripe_failures": sum(env.stripe.list_hits().values()),
            "mails_rejected": env.mail.rejected,
        }


def _find_token(env: LoadEnvironment, email: str) -> str | None:
    found = LINK.search(env.mail.read_last(email))
    return found[1] if found else None


def _confirm(env: LoadEnvironment, emails: list[str]) -> None:
    """Confirm each signup by the link of its mail. Call the service directly, because it is not measured."""
    for email in emails:
        if token := _find_token(env, email):
            confirm_onboarding(
                token=token, with_key=True, at=timezone.now(), address=None, name=email, password=NO_PASSWORD
            )


def _find_complete(env: LoadEnvironment, domain: str, began: int) -> tuple[set[str], dict[str, str]]:
    """Return the addresses with one customer, key and Stripe customer and two mails, and what others lack."""
    broken = {
        each.customer_id: ", ".join(each.reasons)
        for each in list_broken_signups(at=timezone.now() + GRACE_PERIOD)
    }
    at_stripe = Counter(
        each["metadata"].get(OWNER)
        for each in env.stripe.list_all("customers", **{"created[gte]": str(began - 5)})
    )
    complete, reasons = set(), {}
    for customer in Customer.objects.filter(email__endswith=f"@{domain}"):
        mails, accounts = env.mail.count_for(customer.email), at_stripe[str(customer.pk)]
        if customer.pk in broken:
            reasons[customer.email] = broken[customer.pk]
        elif (mails, accounts, customer.api_keys.count()) != (MAILS, 1, 1):
            reasons[customer.email] = f"{mails} mails, {accounts} Stripe customers"
        else:
            complete.add(customer.email)
    return complete, reasons
