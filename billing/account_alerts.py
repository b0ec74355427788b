"""Alerts that explain an account's state to its members, and what to do about it. No database access."""

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
    """Links for a member who manages billing. `support` is an email address."""

    support: str
    plans_url: str
    cap_url: str


@dataclass(frozen=True)
class AccountAlert:
    """Why fixes are blocked or soon will be, and the one next step.

    `tone` is "warn" or "bad". `action_label` is empty for a member who cannot resolve it.
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
    contact: ContactOptions | None,
) -> AccountAlert | None:
    """Return why fixes are blocked or about to be, or None.

    Pass None as `contact` for a member whose role does not include billing. `invoices` are the open ones.
    """
    reason = entitlement.blocked_reason
    # A limit of zero: this mailbox or domain has had its trials (docs/decisions/022).
    if reason == "trial_exhausted" and not entitlement.included:
        title = _("This account has no free fixes")
        text = _(
            "Each email address and repository owner gets one trial, and an email domain a few per year. "
            "Yours went to another account. Scans and proofs continue; fixes need a plan."
        )
        return _suggest_plan("warn", title, text, contact)
    if reason == "trial_exhausted":
        title = _("Your free fixes are used up: %(used)s of %(included)s") % {
            "used": entitlement.used,
            "included": entitlement.included,
        }
        text = _("Scans and proofs continue; new fixes wait until you choose a plan.")
        return _suggest_plan("warn", title, text, contact)
    if reason == "owner_trial_exhausted":
        return _explain_shared_trial(contact)
    if reason == "subscription_canceled":
        text = _("Nothing more is billed and no new fixes are made. Choose a plan to continue.")
        return _suggest_plan("bad", _("Your plan is canceled"), text, contact)
    if reason == "spend_cap_reached":
        return _explain_cap(entitlement, contact)
    if reason == "subscription_unpaid":
        text = _(
            "Every attempt to charge your card failed. Pay the open invoice, and fixes resume automatically."
        )
        return _suggest_payment("bad", _("Fixes are paused: an invoice is unpaid"), text, invoices, contact)
    if reason in ("payment_past_due", "subscription_past_due"):
        text = _("Pay the open invoice, and fixes resume automatically.")
        return _suggest_payment(
            "bad", _("Fixes are paused: your last payment failed"), text, invoices, contact
        )
    # Nothing is blocked yet: the grace period is still running.
    if entitlement.status == "past_due":
        return _explain_grace(entitlement.grace_ends_at, invoices, contact)
    if reason:
        title = _("Fixes are paused")
        text = _("This account needs manual review. Contact support, and we will look into it.")
        return _build("bad", title, text, contact, *_link_support(contact, title))
    return None


def _explain_shared_trial(contact: ContactOptions | None) -> AccountAlert:
    text = _(
        "All accounts that store results for a GitHub organization share its ten free fixes, until one "
        "proves that it owns the organization. If you own it, write to support; otherwise choose a plan."
    )
    return _suggest_plan("warn", _("The free fixes of your GitHub organization are used up"), text, contact)


def _explain_cap(entitlement: Entitlement, contact: ContactOptions | None) -> AccountAlert:
    cap = format_cents(entitlement.spend_cap_cents or 0, is_short=True)
    text = _("New fixes wait until the next period begins or the cap is raised. Scans and proofs continue.")
    title = _("Your spend cap of %(cap)s is reached") % {"cap": cap}
    return _build("warn", title, text, contact, _("Raise the cap"), contact.cap_url if contact else "")


def _explain_grace(
    ends_at: datetime | None, invoices: Sequence[InvoiceLine], contact: ContactOptions | None
) -> AccountAlert:
    if ends_at:
        grace = _("Fixes continue until %(date)s.") % {"date": format_date(ends_at)}
    else:
        grace = _("Fixes continue for now.")
    advice = _(
        "The charge is retried over the next days. Pay the open invoice before then, and nothing is paused."
    )
    return _suggest_payment("warn", _("Your last payment failed"), f"{grace} {advice}", invoices, contact)


def _suggest_plan(tone: str, title: str, text: str, contact: ContactOptions | None) -> AccountAlert:
    url = contact.plans_url if contact else ""
    return _build(tone, title, f"{text} {_describe_prices()}", contact, _("Choose a plan"), url)


def _describe_prices() -> str:
    """Quote today's prices: only customers without a running plan see them, who have no own price."""
    return _(
        "Pay as you go costs %(payg)s a fix. Teams costs %(month)s a month with %(included)s fixes included, "
        "then %(each)s each."
    ) % {
        "payg": format_cents(PLANS["payg"].unit_price_cents, is_short=True),
        "month": format_cents(PLANS["teams"].monthly_price_cents, is_short=True),
        "included": PLANS["teams"].included,
        "each": format_cents(PLANS["teams"].unit_price_cents, is_short=True),
    }


def _suggest_payment(
    tone: str, title: str, text: str, invoices: Sequence[InvoiceLine], contact: ContactOptions | None
) -> AccountAlert:
    action = _find_payment(invoices) or _link_support(contact, _("Payment"))
    return _build(tone, title, text, contact, *action)


def _build(
    tone: str, title: str, text: str, contact: ContactOptions | None, label: str, url: str
) -> AccountAlert:
    if contact is None:
        advice = _("Ask an owner of your account to resolve this.")
        return AccountAlert(tone, title, f"{text} {advice}")
    return AccountAlert(tone, title, text, label, url)


def _link_support(contact: ContactOptions | None, subject: str) -> tuple[str, str]:
    support = contact.support if contact else ""
    return _("Write to support"), f"mailto:{support}?subject={quote(subject)}"


def _find_payment(invoices: Sequence[InvoiceLine]) -> tuple[str, str] | None:
    """Return the label and URL of the newest open invoice that has a hosted page."""
    return next(
        (
            (_("Pay invoice %(number)s") % {"number": line.number}, line.page_url)
            for line in invoices
            if line.status == "open" and line.page_url
        ),
        None,
    )
