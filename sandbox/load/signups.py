"""A hundred people sign up at the same time, each from an address of their own; then each confirms."""

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
from provisioning.selectors import PATIENCE, list_broken_signups
from provisioning.services import confirm_onboarding, retry_steps

from .arrivals import all_at_once
from .ground import Ground
from .shots import Shot, fire
from .tally import Result

AIM_MS = 2000
LINK = re.compile(r"/onboarding/([\w-]+)/")
MAILS = 2  # the link, and the welcome
STEPS = (ProvisioningEvent.Step.STRIPE_CUSTOMER, ProvisioningEvent.Step.WELCOME_MAIL)
NO_PASSWORD = make_password(None)
OWNER = "djstripe_subscriber"  # where Stripe's customer says whose it is
# Half of Stripe's requests fail: of those, half after the work was done.
FAULTS = (
    {"kind": "status", "status": 500, "times": None, "probability": 0.25, "seed": 1},
    {"kind": "cut_after", "times": None, "probability": 1 / 3, "seed": 2},
)


@dataclass(frozen=True)
class Signups:
    """`in_trouble`: Stripe and the mail server fail half the time, until all has healed itself."""

    name: str = "signups"
    count: int = 100
    in_trouble: bool = False

    def play(self, ground: Ground) -> Result:
        domain = f"{self.name.replace('_', '-')}.example.com"
        emails = [f"person{number}@{domain}" for number in range(self.count)]
        if self.in_trouble:
            ground.mail.refused_share = 0.5
            for fault in FAULTS:
                ground.stripe.add_fault(fault)
        began = int(time.time())
        try:
            answers = fire(ground.stack.url, self._make_shots(emails), connections=self.count)
            healed_from = time.monotonic()
            accepted = [email for email, each in zip(emails, answers, strict=True) if each.is_success]
            ground.wait_until_none(lambda: sum(_find_token(ground, email) is None for email in accepted))
            _confirm(ground, accepted)
            left = ground.wait_until_none(lambda: self._count_open(domain))
            healed = round(time.monotonic() - healed_from, 1)
            trouble = self._describe_trouble(ground)
        finally:
            ground.mail.refused_share = 0.0
            ground.stripe.clear_faults()
        whole, reasons = _find_whole(ground, domain, began)
        missing = [
            f"{email}: {reasons.get(email, 'no customer')}"
            for email, answer in zip(emails, answers, strict=True)
            if answer.is_success and email not in whole
        ]
        more = {"whole_after_s": healed, "steps_left": left, **trouble}
        return Result(self.name, answers, missing, AIM_MS, more)

    def _make_shots(self, emails: list[str]) -> list[Shot]:
        """Through a proxy of ours: each person's own network address, which the limits count by."""
        block = sum(self.name.encode()) % 200 + 20
        return [
            Shot(
                path="/api/v1/customers/onboard",
                content=json.dumps({"name": f"Load {number}", "email": email}).encode(),
                headers={"X-Forwarded-For": f"10.{block}.{number // 250}.{number % 250 + 1}"},
                due=due,
                expected=201,
            )
            for number, (email, due) in enumerate(zip(emails, all_at_once(len(emails)), strict=True))
        ]

    def _count_open(self, domain: str) -> int:
        if self.in_trouble:
            retry_steps(at=timezone.now())
        return ProvisioningEvent.objects.filter(
            customer__email__endswith=f"@{domain}", step__in=STEPS, status=ProvisioningEvent.Status.PENDING
        ).count()

    def _describe_trouble(self, ground: Ground) -> dict[str, Any]:
        if not self.in_trouble:
            return {}
        return {
            "stripe_failures": sum(ground.stripe.list_hits().values()),
            "mails_refused": ground.mail.refused,
        }


def _find_token(ground: Ground, email: str) -> str | None:
    found = LINK.search(ground.mail.read_last(email))
    return found[1] if found else None


def _confirm(ground: Ground, emails: list[str]) -> None:
    """Each follows the link of their mail. Here, not over HTTP: what is measured is the asking."""
    for email in emails:
        if token := _find_token(ground, email):
            confirm_onboarding(
                token=token, with_key=True, at=timezone.now(), address=None, name=email, password=NO_PASSWORD
            )


def _find_whole(ground: Ground, domain: str, began: int) -> tuple[set[str], dict[str, str]]:
    """Who became one customer with one key, one Stripe customer and two mails; what the others lack."""
    broken = {
        each.customer_id: ", ".join(each.reasons)
        for each in list_broken_signups(at=timezone.now() + PATIENCE)
    }
    at_stripe = Counter(
        each["metadata"].get(OWNER)
        for each in ground.stripe.list_all("customers", **{"created[gte]": str(began - 5)})
    )
    whole, reasons = set(), {}
    for customer in Customer.objects.filter(email__endswith=f"@{domain}"):
        mails, accounts = ground.mail.count_for(customer.email), at_stripe[str(customer.pk)]
        if customer.pk in broken:
            reasons[customer.email] = broken[customer.pk]
        elif (mails, accounts, customer.api_keys.count()) != (MAILS, 1, 1):
            reasons[customer.email] = f"{mails} mails, {accounts} Stripe customers"
        else:
            whole.add(customer.email)
    return whole, reasons
