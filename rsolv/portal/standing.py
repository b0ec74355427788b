"""What an account's state means for its people, and what to do about it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from billing.plans import PAYG, TEAMS
from billing.selectors import Entitlement, InvoiceLine

from .formats import format_cents


@dataclass(frozen=True)
class Standing:
    """Something that keeps fixes from being made, or soon will: why, and the one thing to do next."""

    tone: str
    title: str
    text: str
    action_label: str
    action_url: str


CHOICE = (
    f"Pay as you go costs {format_cents(PAYG.unit_price_cents, is_short=True)} a fix. Teams costs "
    f"{format_cents(TEAMS.monthly_price_cents, is_short=True)} a month with {TEAMS.included} fixes included, "
    f"then {format_cents(TEAMS.unit_price_cents, is_short=True)} each."
)


def explain_standing(
    entitlement: Entitlement, invoices: Sequence[InvoiceLine], *, support: str
) -> Standing | None:
    """Why fixes are held back or about to be, None where all is well. `support` is an email address."""
    choose = ("Choose a plan", f"mailto:{support}?subject=Choose%20a%20plan")
    pay = _find_payment(invoices) or ("Write to support", f"mailto:{support}?subject=Payment")
    if entitlement.blocked_reason == "trial_exhausted":
        return Standing(
            "warn",
            f"Your free fixes are used up: {entitlement.used} of {entitlement.included}",
            f"Scans and proofs go on; new fixes wait until you choose a plan. {CHOICE}",
            *choose,
        )
    if entitlement.blocked_reason == "subscription_canceled":
        return Standing(
            "bad",
            "Your plan is canceled",
            f"Nothing more is billed and no new fixes are made. Choose a plan to go on. {CHOICE}",
            *choose,
        )
    if entitlement.blocked_reason == "subscription_unpaid":
        return Standing(
            "bad",
            "Fixes are paused: an invoice is unpaid",
            "Every attempt to charge your card failed. Pay the open invoice and fixes go on by themselves.",
            *pay,
        )
    if "past_due" in (entitlement.status, entitlement.blocked_reason):
        return _explain_past_due(entitlement, pay)
    if entitlement.blocked_reason:
        return Standing(
            "bad",
            "Fixes are paused",
            "Something about this account needs a person. Write to support and we look into it.",
            "Write to support",
            f"mailto:{support}?subject=Fixes%20are%20paused",
        )
    return None


def _explain_past_due(entitlement: Entitlement, pay: tuple[str, str]) -> Standing:
    if entitlement.blocked_reason:
        title = "Fixes are paused: your last payment failed"
        return Standing("bad", title, "Pay the open invoice and fixes go on by themselves.", *pay)
    return Standing(
        "warn",
        "Your last payment failed",
        "Fixes still go on. The charge is tried again over the next days: pay the open invoice before then "
        "and nothing is paused.",
        *pay,
    )


def _find_payment(invoices: Sequence[InvoiceLine]) -> tuple[str, str] | None:
    """The newest open invoice that can be paid on a page, as words and address."""
    return next(
        (
            (f"Pay invoice {line.number}", line.page_url)
            for line in invoices
            if line.status == "open" and line.page_url
        ),
        None,
    )
