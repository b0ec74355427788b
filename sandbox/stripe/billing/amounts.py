"""Prices times quantities, in whole cents."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from sandbox.stripe.store import Record


@dataclass(frozen=True)
class Part:
    """The quantity and amount of one invoice line."""

    quantity: int
    unit_amount_decimal: str
    amount: int
    label: str = ""


def cents(amount: Decimal) -> int:
    """Round to whole cents, half a cent away from zero."""
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def parts(price: Record, quantity: int) -> list[Part]:
    """Return one part for a plain price, or one per reached tier for a graduated price."""
    if price["billing_scheme"] == "per_unit":
        return [_part(quantity, price["unit_amount_decimal"])]
    if price["tiers_mode"] == "volume":
        tier = next(tier for tier in price["_tiers"] if tier["up_to"] is None or quantity <= tier["up_to"])
        return [_part(quantity, tier["unit_amount_decimal"], tier["flat_amount_decimal"])]
    return _graduated(price["_tiers"], quantity)


def _graduated(tiers: list[Record], quantity: int) -> list[Part]:
    found: list[Part] = []
    floor = 0
    for number, tier in enumerate(tiers, start=1):
        ceiling = quantity if tier["up_to"] is None else min(quantity, tier["up_to"])
        # The first tier has a line even without usage.
        if number == 1 or ceiling > floor:
            label = f"Tier {number}"
            found.append(
                _part(ceiling - floor, tier["unit_amount_decimal"], tier["flat_amount_decimal"], label)
            )
        floor = ceiling
    return found


def _part(quantity: int, unit: str | None, flat: str | None = None, label: str = "") -> Part:
    amount = Decimal(unit or 0) * quantity + Decimal(flat or 0)
    return Part(quantity, unit or "0", cents(amount), label)


def share(amount: int, seconds: int, of: int) -> int:
    """Return the proportional amount for some seconds of a period."""
    return cents(Decimal(amount) * seconds / of) if of else 0
