"""Records described in words and money, for the pages that a customer sees."""

from datetime import UTC, datetime
from typing import Any

from sandbox.stripe.render import present
from sandbox.stripe.store import Record, Store

SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£"}
STATUS_TEXTS = {
    "active": "Active",
    "canceled": "Ended",
    "incomplete": "Waiting for the first payment",
    "incomplete_expired": "Never paid",
    "past_due": "Payment overdue",
    "trialing": "Trial",
    "unpaid": "Unpaid",
}


def money(cents: int, currency: str = "usd") -> str:
    """`-$1,234.50`"""
    return f"{'-' if cents < 0 else ''}{SYMBOLS.get(currency, '')}{abs(cents) / 100:,.2f}"


def day(timestamp: int | None) -> str:
    """`3 Nov 2026`"""
    if timestamp is None:
        return ""
    date = datetime.fromtimestamp(timestamp, UTC)
    return f"{date.day} {date:%b %Y}"


def price(store: Store, item: Record) -> str:
    """Return `$499.00 a month`, or a text that it is billed by usage."""
    found = store.find(item["price"]) or {}
    if found["recurring"]["usage_type"] == "metered":
        return "by usage" if found["unit_amount"] is None else f"{money(found['unit_amount'])} each"
    every = found["recurring"]
    count, unit = every["interval_count"], every["interval"]
    amount = (found["unit_amount"] or 0) * item["quantity"]
    return f"{money(amount, found['currency'])} {'a ' + unit if count == 1 else f'every {count} {unit}s'}"


def plan(store: Store, subscription: Record) -> dict[str, Any]:
    """Describe a subscription for its owner: product, price, status, possible actions."""
    items = subscription["items"]["data"]
    names = [product(store, item["price"]) for item in items]
    status, ends = subscription["status"], subscription["cancel_at"]
    running = status in ("active", "past_due", "trialing")
    return {
        "id": subscription["id"],
        "name": ", ".join(dict.fromkeys(names)),
        "price": ", ".join(price(store, item) for item in items),
        "status_text": f"Ends {day(ends)}" if running and ends else STATUS_TEXTS[status],
        "until": day(subscription["ended_at"] or items[0]["current_period_end"]),
        "running": running,
        "ending": bool(ends),
        "overdue": status == "past_due",
    }


def product(store: Store, price: str) -> str:
    found = store.find(price) or {}
    return str((store.find(found.get("product", "")) or {}).get("name", "Plan"))


def card(method: Record | None) -> str:
    """`Visa ending in 4242`"""
    if method is None:
        return ""
    brand = {"amex": "American Express"}.get(method["card"]["brand"], method["card"]["brand"].title())
    return f"{brand} ending in {method['card']['last4']}"


def invoice(store: Store, record: Record) -> dict[str, Any]:
    """Describe an invoice: lines and sums in money, its status in a sentence."""
    view = present(store, record)
    currency = view["currency"]
    taken = view["amount_due"] - view["total"]
    if view["status"] != "paid" and view["ending_balance"] is None:
        taken = 0
    return {
        "id": view["id"],
        "number": view["number"] or "Draft",
        "name": view["customer_name"],
        "email": view["customer_email"],
        "lines": [
            {
                "text": line["description"],
                "period": f"{day(line['period']['start'])} to {day(line['period']['end'])}",
                "amount": money(line["amount"], currency),
            }
            for line in record["lines"]["data"]
        ],
        "date": day(view["status_transitions"]["finalized_at"] or view["created"]),
        "total": money(view["total"], currency),
        "balance": money(taken, currency) if taken else "",
        "due": money(view["amount_due"], currency),
        "status": view["status"],
        "status_text": _write_status(view),
    }


def _write_status(view: Record) -> str:
    moments = view["status_transitions"]
    match view["status"]:
        case "paid":
            return f"Paid on {day(moments['paid_at'])}"
        case "open":
            return f"Due {day(view['due_date'])}" if view["due_date"] else "Payment due"
        case "void":
            return "Void: nothing is owed"
        case "uncollectible":
            return "Written off"
        case _:
            return "Not final yet"
