"""What happened to the staged customers, day by day before today."""

from dataclasses import dataclass

from .acts import Act, cancel, change_card, fix, join, subscribe


@dataclass(frozen=True)
class Moment:
    days_ago: float
    actor: str
    act: Act


STORY = (
    Moment(40, "payg", join),
    Moment(40, "payg", subscribe("payg")),
    Moment(36, "pastdue", join),
    Moment(36, "pastdue", subscribe("teams")),
    Moment(27, "cancelled", join),
    Moment(27, "cancelled", subscribe("payg")),
    Moment(25, "exhausted", join),
    Moment(20, "teams", join),
    Moment(20, "teams", subscribe("teams")),
    # Of payg's first month, which is invoiced and paid some days later.
    Moment(15, "payg", fix(7, over_days=20)),
    # This card is accepted and then declines: the renewal that follows is not paid.
    Moment(14, "pastdue", fix(12, over_days=20)),
    Moment(13, "pastdue", change_card("pm_card_chargeCustomerFail")),
    Moment(12, "cancelled", fix(4, over_days=14)),
    Moment(9, "trial", join),
    Moment(6, "cancelled", cancel),
    Moment(4, "exhausted", fix(10, over_days=20)),
    Moment(2, "payg", fix(1, over_days=1, end="failed")),
    Moment(1, "payg", fix(1, over_days=1, end="unverified")),
    Moment(0.5, "payg", fix(3, over_days=5)),
    Moment(0.4, "teams", fix(64, over_days=18)),
    # The eleventh: stored, and never billed.
    Moment(0.3, "exhausted", fix(1, over_days=1)),
    Moment(0.1, "trial", fix(3, over_days=7)),
)
