"""What notices say, in mails and in the portal: what happened, what to do, one button. Pure.

`data` is a notice's own; amounts are integer US cents, instants ISO text. A name that is missing leaves its
half of the sentence out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.plans import PLANS
from core.formats import format_cents, format_date

Data = Mapping[str, Any]


@dataclass(frozen=True)
class Words:
    """A notice put into words. `button` leads to `address`, `billing` or a page of Stripe's."""

    title: str
    paragraphs: tuple[str, ...]
    button: str = "Open billing"
    address: str = ""


def describe_notice(kind: str, data: Data) -> Words:
    """The words for a notice of a kind. An empty `address` is the billing page."""
    return DESCRIBED[kind](data)


def _describe_included(data: Data) -> Words:
    used, included, percent = data.get("used", 0), data.get("included", 0), data.get("percent", 0)
    is_trial = data.get("plan") == "trial"
    whose = "trial's fixes" if is_trial else "fixes that your plan includes"
    title = f"{percent}% of your {'trial' if is_trial else 'included'} fixes are used"
    facts = f"You have used {used} of the {included} {whose}{_until(data)}."
    if is_trial:
        advice = "When they are used up, scans and proofs go on and new fixes wait until you choose a plan."
        return Words(title, (facts, advice), "Choose a plan")
    plan = PLANS.get(data.get("plan", ""))
    price = f" {format_cents(plan.unit_price_cents, is_short=True)}" if plan else " the plan's price"
    advice = f"Each fix beyond them costs{price}. A monthly spend cap keeps the bill within a bound you set."
    return Words(title, (facts, advice), "Set a spend cap")


def _describe_cap(data: Data) -> Words:
    cap, spent = format_cents(data.get("cap_cents", 0)), format_cents(data.get("spent_cents", 0))
    facts = f"This period has cost {spent} of the {cap} that you allow{_until(data)}."
    if data.get("percent") == 100:
        advice = "Fixes that would cost more are refused before they are made. Raise the cap to go on sooner."
        return Words("Your spend cap is reached", (facts, advice), "Change the cap")
    advice = "At the cap, fixes that would cost more are refused before they are made. Nothing is lost."
    return Words(f"{data.get('percent', 0)}% of your spend cap is used", (facts, advice), "Look at the cap")


def _describe_payment_failed(data: Data) -> Words:
    until = f" until {_date(data['grace_ends_at'])}" if data.get("grace_ends_at") else " for a few days"
    facts = f"Your bank did not let us charge {_amount(data)}{_invoice(data)}."
    advice = f"Fixes go on{until}. Update your card or pay the invoice before then and nothing is paused."
    return Words("Your payment failed", (facts, advice), "Pay the invoice", _address(data))


def _describe_action_required(data: Data) -> Words:
    facts = f"Your bank asks you to confirm the payment of {_amount(data)}{_invoice(data)}."
    advice = "Open the invoice and follow your bank's steps. Until then the payment is open."
    return Words("Confirm your payment", (facts, advice), "Confirm the payment", _address(data))


def _describe_blocked(data: Data) -> Words:
    facts = "Your payment is still open and the time that we wait for it is over: new fixes are paused."
    advice = "Scans and proofs go on, and what you have stays yours. Pay the invoice and fixes go on at once."
    return Words("Fixes are paused", (facts, advice), "Pay the invoice", _address(data))


def _describe_recovered(data: Data) -> Words:
    return Words("Your payment arrived", ("Thank you. Fixes go on. There is nothing left for you to do.",))


def _describe_plan_changed(data: Data) -> Words:
    plan = PLANS.get(data.get("plan", ""))
    if data.get("cancel_at"):
        facts = f"Your plan ends on {_date(data['cancel_at'])}. Until then everything goes on."
        return Words(
            "Your plan is going to end", (facts, "You can take that back until then."), "Keep the plan"
        )
    if plan is None or plan.key == "trial":
        facts = "Your plan has ended. What you used is on the last invoice; nothing more is billed."
        return Words("Your plan has ended", (facts, "Choose a plan to make fixes again."), "Choose a plan")
    facts = f"You are on {plan.name} now."
    each = format_cents(plan.unit_price_cents, is_short=True)
    month = format_cents(plan.monthly_price_cents, is_short=True)
    terms = f"A fix costs {each}."
    if plan.included:
        terms = f"It costs {month} a month with {plan.included} fixes; each beyond them {each}."
    return Words(f"Your plan is {plan.name}", (facts, terms))


def _describe_corrected(data: Data) -> Words:
    fix = f"the fix of issue {data.get('issue_number', '')} in {data.get('repository', 'your repository')}"
    if data.get("kind") == "void":
        title, facts = "A fix no longer counts", f"We have voided {fix}."
    else:
        title, facts = "A fix is credited", f"We give back what {fix} costs."
    money = {
        "trial": "Its slot of your trial is free again." if data.get("kind") == "void" else "It was free.",
        "unbilled": "It was never billed.",
    }.get(
        data.get("coverage", ""),
        "What is not invoiced yet will not be; what is becomes credit on your next invoice.",
    )
    return Words(title, (facts, f"The reason: {data.get('reason', '')}", money))


def _describe_refunded(data: Data) -> Words:
    facts = f"We have sent {_amount(data)} back to you{_invoice(data)}."
    return Words("A payment is refunded", (facts, "Your bank takes five to ten days to show it."))


def _describe_second_ended(data: Data) -> Words:
    facts = "Your plan was subscribed to twice. We have ended the second subscription; the first goes on."
    money = f"{_amount(data)} that it cost is credit on your balance and pays your next invoices."
    if not data.get("amount_cents"):
        money = "It has cost nothing."
    return Words("A second subscription is ended", (facts, money))


DESCRIBED: dict[str, Callable[[Data], Words]] = {
    "included": _describe_included,
    "cap": _describe_cap,
    "payment_failed": _describe_payment_failed,
    "action_required": _describe_action_required,
    "blocked": _describe_blocked,
    "recovered": _describe_recovered,
    "plan_changed": _describe_plan_changed,
    "corrected": _describe_corrected,
    "refunded": _describe_refunded,
    "second_ended": _describe_second_ended,
}


def _date(text: str) -> str:
    return format_date(datetime.fromisoformat(text))


def _until(data: Data) -> str:
    return f" in the period until {_date(data['period_end'])}" if data.get("period_end") else ""


def _amount(data: Data) -> str:
    cents = data.get("amount_cents")
    return "the amount due" if cents is None else format_cents(cents, currency=data.get("currency", "usd"))


def _invoice(data: Data) -> str:
    return f" for invoice {data['invoice']}" if data.get("invoice") else ""


def _address(data: Data) -> str:
    return str(data.get("page_url") or "")
