"""What notifications say, in mails and in the portal: what happened, what to do, one button. Pure.

`data` is a notification's own; amounts are integer US cents, times ISO text. A name that is missing leaves
its half of the sentence out. Prices are the customer's own when the notification was written, never today's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.plans import PLANS
from core.formats import format_cents, format_date

Data = Mapping[str, Any]


@dataclass(frozen=True)
class Words:
    """A notification put into words. `button` leads to `address`, `billing` or a page of Stripe's."""

    title: str
    paragraphs: tuple[str, ...]
    button: str = ""
    address: str = ""


def describe_notification(kind: str, data: Data) -> Words:
    """The words for a notification of a kind. An empty `address` is the billing page."""
    words = NOTIFICATION_TYPES[kind].describe(data)
    return words if words.button else replace(words, button=_("Open billing"))


def _describe_included(data: Data) -> Words:
    percent, names = data.get("percent", 0), {"used": data.get("used", 0), "of": data.get("included", 0)}
    if data.get("plan") == "trial":
        facts = _("You have used %(used)s of the %(of)s fixes of your trial.") % names
        advice = _(
            "When they are used up, scans and proofs go on and new fixes wait until you choose a plan."
        )
        title = _("%(percent)s%% of your trial fixes are used") % {"percent": percent}
        return Words(title, (facts, advice), _("Choose a plan"))
    if data.get("period_end"):
        text = _(
            "You have used %(used)s of the %(of)s fixes that your plan includes in the period until %(date)s."
        )
        names["date"] = _date(data["period_end"])
    else:
        text = _("You have used %(used)s of the %(of)s fixes that your plan includes.")
    title = _("%(percent)s%% of your included fixes are used") % {"percent": percent}
    advice = _("A monthly spend cap keeps the bill within a bound you set.")
    return Words(title, (text % names, f"{_say_price(data)} {advice}"), _("Set a spend cap"))


def _say_price(data: Data) -> str:
    if "unit_price_cents" not in data:
        return _("Each fix beyond them costs the plan's price.")
    return _("Each fix beyond them costs %(price)s.") % {"price": _price(data, "unit_price_cents")}


def _describe_cap(data: Data) -> Words:
    names = {
        "cap": format_cents(data.get("cap_cents", 0)),
        "spent": format_cents(data.get("spent_cents", 0)),
    }
    if data.get("period_end"):
        text = _("This period has cost %(spent)s of the %(cap)s that you allow in the period until %(date)s.")
        names["date"] = _date(data["period_end"])
    else:
        text = _("This period has cost %(spent)s of the %(cap)s that you allow.")
    facts, percent = text % names, data.get("percent", 0)
    # At 100 the next fix is rejected, even if the amount spent is still below the cap.
    if percent == 100:
        advice = _(
            "Fixes that would cost more are rejected before they are made. Raise the cap to go on sooner."
        )
        return Words(_("Your spend cap is reached"), (facts, advice), _("Change the cap"))
    advice = _("At the cap, fixes that would cost more are rejected before they are made. Nothing is lost.")
    title = _("%(percent)s%% of your spend cap is used") % {"percent": percent}
    return Words(title, (facts, advice), _("Look at the cap"))


def _describe_payment_failed(data: Data) -> Words:
    if data.get("invoice"):
        facts = _("Your bank did not let us charge %(amount)s for invoice %(invoice)s.") % _payment(data)
    else:
        facts = _("Your bank did not let us charge %(amount)s.") % _payment(data)
    if data.get("grace_ends_at"):
        until = _("Fixes go on until %(date)s.") % {"date": _date(data["grace_ends_at"])}
    else:
        until = _("Fixes go on for a few days.")
    advice = _("Update your card or pay the invoice before then and nothing is paused.")
    return Words(_("Your payment failed"), (facts, f"{until} {advice}"), _("Pay the invoice"), _address(data))


def _describe_action_required(data: Data) -> Words:
    if data.get("invoice"):
        text = _("Your bank asks you to confirm the payment of %(amount)s for invoice %(invoice)s.")
    else:
        text = _("Your bank asks you to confirm the payment of %(amount)s.")
    advice = _("Open the invoice and follow your bank's steps. Until then the payment is open.")
    return Words(
        _("Confirm your payment"),
        (text % _payment(data), advice),
        _("Confirm the payment"),
        _address(data),
    )


def _describe_blocked(data: Data) -> Words:
    facts = _("Your payment is still open and the time that we wait for it is over: new fixes are paused.")
    advice = _(
        "Scans and proofs go on, and what you have stays yours. Pay the invoice and fixes go on at once."
    )
    return Words(_("Fixes are paused"), (facts, advice), _("Pay the invoice"), _address(data))


def _describe_recovered(data: Data) -> Words:
    text = _("Thank you. Fixes go on. There is nothing left for you to do.")
    return Words(_("Your payment arrived"), (text,))


def _describe_plan_changed(data: Data) -> Words:
    plan = PLANS.get(data.get("plan", ""))
    if data.get("cancel_at"):
        facts = _("Your plan ends on %(date)s. Until then everything goes on.")
        return Words(
            _("Your plan is going to end"),
            (facts % {"date": _date(data["cancel_at"])}, _("You can take that back until then.")),
            _("Keep the plan"),
        )
    if plan is None or plan.key == "trial":
        facts = _("Your plan has ended. What you used is on the last invoice; nothing more is billed.")
        advice = _("Choose a plan to make fixes again.")
        return Words(_("Your plan has ended"), (facts, advice), _("Choose a plan"))
    name = {"plan": plan.name}
    return Words(_("Your plan is %(plan)s") % name, (_("You are on %(plan)s now.") % name, *_terms(data)))


def _terms(data: Data) -> tuple[str, ...]:
    if "unit_price_cents" not in data:
        return ()
    names = {"each": _price(data, "unit_price_cents"), "month": _price(data, "monthly_price_cents")}
    count = data.get("included") or 0
    if not count:
        return (_("A fix costs %(each)s.") % names,)
    text = ngettext(
        "It costs %(month)s a month with %(count)s fix; each beyond it %(each)s.",
        "It costs %(month)s a month with %(count)s fixes; each beyond them %(each)s.",
        count,
    )
    return (text % (names | {"count": count}),)


def _describe_corrected(data: Data) -> Words:
    fix = _("the fix of issue %(issue)s in %(repository)s") % {
        "issue": data.get("issue_number", ""),
        "repository": data.get("repository") or _("your repository"),
    }
    is_void = data.get("kind") == "void"
    if is_void:
        title, facts = _("A fix no longer counts"), _("We have voided %(fix)s.") % {"fix": fix}
    else:
        title, facts = _("A fix is credited"), _("We give back what %(fix)s costs.") % {"fix": fix}
    money = {
        "trial": _("Its slot of your trial is free again.") if is_void else _("It was free."),
        "unbilled": _("It was never billed."),
    }.get(
        data.get("coverage", ""),
        _("What is not invoiced yet will not be; what is becomes credit on your next invoice."),
    )
    reason = _("The reason: %(reason)s") % {"reason": data.get("reason", "")}
    return Words(title, (facts, reason, money))


def _describe_refunded(data: Data) -> Words:
    if data.get("invoice"):
        facts = _("We have sent %(amount)s back to you for invoice %(invoice)s.") % _payment(data)
    else:
        facts = _("We have sent %(amount)s back to you.") % _payment(data)
    return Words(_("A payment is refunded"), (facts, _("Your bank takes five to ten days to show it.")))


def _describe_second_ended(data: Data) -> Words:
    facts = _("Your plan was subscribed to twice. We have ended the second subscription; the first goes on.")
    if data.get("amount_cents"):
        money = _("%(amount)s that it cost is credit on your balance and pays your next invoices.")
        money %= _payment(data)
    else:
        money = _("It has cost nothing.")
    return Words(_("A second subscription is ended"), (facts, money))


@dataclass(frozen=True)
class NotificationType:
    """One kind of notification: its words, example data, and whether people may turn off its mail."""

    describe: Callable[[Data], Words]
    example: Mapping[str, Any]
    is_optional: bool = False


_INVOICE = {"invoice": "A-1", "amount_cents": 1500, "page_url": "https://invoice.stripe.com/i/1"}
_TIME = "2026-03-07T00:00:00+00:00"

# Mails about payments are never optional: fixes are paused for a customer who misses them.
NOTIFICATION_TYPES: dict[str, NotificationType] = {
    "included": NotificationType(
        _describe_included, {"percent": 80, "used": 8, "included": 10, "plan": "trial"}, is_optional=True
    ),
    "cap": NotificationType(
        _describe_cap, {"percent": 80, "spent_cents": 4000, "cap_cents": 5000}, is_optional=True
    ),
    "payment_failed": NotificationType(_describe_payment_failed, _INVOICE | {"grace_ends_at": _TIME}),
    "action_required": NotificationType(_describe_action_required, _INVOICE),
    "blocked": NotificationType(_describe_blocked, _INVOICE),
    "recovered": NotificationType(_describe_recovered, {}),
    "plan_changed": NotificationType(_describe_plan_changed, {"plan": "payg", "unit_price_cents": 1500}),
    "corrected": NotificationType(
        _describe_corrected,
        {
            "kind": "credit",
            "coverage": "metered",
            "issue_number": 7,
            "repository": "acme/shop",
            "reason": "duplicate",
        },
    ),
    "refunded": NotificationType(_describe_refunded, _INVOICE),
    "second_ended": NotificationType(_describe_second_ended, {"amount_cents": 1500}),
}


def _price(data: Data, name: str) -> str:
    return format_cents(data.get(name, 0), is_short=True)


def _date(text: str) -> str:
    return format_date(datetime.fromisoformat(text))


def _payment(data: Data) -> dict[str, str]:
    cents, currency = data.get("amount_cents"), data.get("currency", "usd")
    amount = _("the amount due") if cents is None else format_cents(cents, currency=currency)
    return {"amount": amount, "invoice": str(data.get("invoice", ""))}


def _address(data: Data) -> str:
    return str(data.get("page_url") or "")
