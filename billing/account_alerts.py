"""What an account's state means for its people, and what to do about it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from django.utils.translation import gettext as _

from billing.plans import PLANS
from billing.selectors.entitlements import Entitlement
from billing.selectors.invoices import InvoiceLine
from core.formats import format_cents, format_date


@dataclass(frozen=True)
class ContactOptions:
    """Where a person who looks after billing goes to mend things. `support` is an email address."""

    support: str
    plans_url: str
    cap_url: str


@dataclass(frozen=True)
class AccountAlert:
    """Something that keeps fixes from being made, or soon will: why, and the one thing to do next.

    Without a label there is nothing that this person can do but ask another.
    """

    tone: str
    title: str
    text: str
    action_label: str = ""
    action_url: str = ""


def explain_account_state(
    entitlement: Entitlement,
    invoices: Sequence[InvoiceLine],
    *,
    ways: ContactOptions | None,
) -> AccountAlert | None:
    """Why fixes are held back or about to be, None where all is well.

    `ways` None: for a member who has no part in billing.
    """
    reason = entitlement.blocked_reason
    if reason == "trial_exhausted" and not entitlement.included:
        title = _("This account has no free fixes")
        text = _(
            "A trial is given once to a mailbox and to a repository's owner, and to a few accounts of one "
            "domain in a year: yours went to another account. Scans and proofs go on; fixes need a plan."
        )
        return _choose("warn", title, text, ways)
    if reason == "trial_exhausted":
        title = _("Your free fixes are used up: %(used)s of %(included)s") % {
            "used": entitlement.used,
            "included": entitlement.included,
        }
        text = _("Scans and proofs go on; new fixes wait until you choose a plan.")
        return _choose("warn", title, text, ways)
    if reason == "owner_trial_exhausted":
        return _explain_shared_trial(ways)
    if reason == "subscription_canceled":
        text = _("Nothing more is billed and no new fixes are made. Choose a plan to go on.")
        return _choose("bad", _("Your plan is canceled"), text, ways)
    if reason == "spend_cap_reached":
        return _explain_cap(entitlement, ways)
    if reason == "subscription_unpaid":
        text = _(
            "Every attempt to charge your card failed. Pay the open invoice and fixes go on by themselves."
        )
        return _pay("bad", _("Fixes are paused: an invoice is unpaid"), text, invoices, ways)
    if reason in ("payment_past_due", "subscription_past_due"):
        text = _("Pay the open invoice and fixes go on by themselves.")
        return _pay("bad", _("Fixes are paused: your last payment failed"), text, invoices, ways)
    if entitlement.status == "past_due":
        return _explain_grace(entitlement.grace_ends_at, invoices, ways)
    if reason:
        title = _("Fixes are paused")
        text = _("Something about this account needs a person. Write to support and we look into it.")
        return _do("bad", title, text, ways, *_write(ways, title))
    return None


def _explain_shared_trial(ways: ContactOptions | None) -> AccountAlert:
    text = _(
        "All accounts that store for a GitHub organization share its ten free fixes, until one proves that "
        "it owns the organization. If you own it, write to support; else choose a plan."
    )
    return _choose("warn", _("The free fixes of your GitHub organization are used up"), text, ways)


def _explain_cap(entitlement: Entitlement, ways: ContactOptions | None) -> AccountAlert:
    cap = format_cents(entitlement.spend_cap_cents or 0, is_short=True)
    text = _(
        "New fixes wait until the next period begins, or until the cap is raised. Scans and proofs go on."
    )
    title = _("Your spend cap of %(cap)s is reached") % {"cap": cap}
    return _do("warn", title, text, ways, _("Raise the cap"), ways.cap_url if ways else "")


def _explain_grace(
    ends_at: datetime | None, invoices: Sequence[InvoiceLine], ways: ContactOptions | None
) -> AccountAlert:
    if ends_at:
        goes_on = _("Fixes still go on until %(date)s.") % {"date": format_date(ends_at)}
    else:
        goes_on = _("Fixes still go on.")
    advice = _(
        "The charge is tried again over the next days: pay the open invoice before then and nothing is "
        "paused."
    )
    return _pay("warn", _("Your last payment failed"), f"{goes_on} {advice}", invoices, ways)


def _choose(tone: str, title: str, text: str, ways: ContactOptions | None) -> AccountAlert:
    url = ways.plans_url if ways else ""
    return _do(tone, title, f"{text} {_describe_choice()}", ways, _("Choose a plan"), url)


def _describe_choice() -> str:
    """Today's prices: only who has no plan that runs is offered one."""
    return _(
        "Pay as you go costs %(payg)s a fix. Teams costs %(month)s a month with %(included)s fixes included, "
        "then %(each)s each."
    ) % {
        "payg": format_cents(PLANS["payg"].unit_price_cents, is_short=True),
        "month": format_cents(PLANS["teams"].monthly_price_cents, is_short=True),
        "included": PLANS["teams"].included,
        "each": format_cents(PLANS["teams"].unit_price_cents, is_short=True),
    }


def _pay(
    tone: str, title: str, text: str, invoices: Sequence[InvoiceLine], ways: ContactOptions | None
) -> AccountAlert:
    return _do(tone, title, text, ways, *(_find_payment(invoices) or _write(ways, _("Payment"))))


def _do(tone: str, title: str, text: str, ways: ContactOptions | None, label: str, url: str) -> AccountAlert:
    if ways is None:
        ask = _("Ask an owner of your account to look after it.")
        return AccountAlert(tone, title, f"{text} {ask}")
    return AccountAlert(tone, title, text, label, url)


def _write(ways: ContactOptions | None, subject: str) -> tuple[str, str]:
    support = ways.support if ways else ""
    return _("Write to support"), f"mailto:{support}?subject={quote(subject)}"


def _find_payment(invoices: Sequence[InvoiceLine]) -> tuple[str, str] | None:
    """The newest open invoice that can be paid on a page, as words and address."""
    return next(
        (
            (_("Pay invoice %(number)s") % {"number": line.number}, line.page_url)
            for line in invoices
            if line.status == "open" and line.page_url
        ),
        None,
    )
