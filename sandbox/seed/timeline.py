"""The timeline: what each persona did on which day before today."""

from dataclasses import dataclass

from .actions import Action, cancel, change_card, fix, join, subscribe


@dataclass(frozen=True)
class TimelineEvent:
    days_ago: float
    persona: str
    action: Action


TIMELINE = (
    TimelineEvent(40, "payg", join),
    TimelineEvent(40, "payg", subscribe("payg")),
    TimelineEvent(36, "pastdue", join),
    TimelineEvent(36, "pastdue", subscribe("teams")),
    TimelineEvent(27, "canceled", join),
    TimelineEvent(27, "canceled", subscribe("payg")),
    TimelineEvent(25, "exhausted", join),
    TimelineEvent(20, "teams", join),
    TimelineEvent(20, "teams", subscribe("teams")),
    # In payg's first month, whose invoice is paid some days later.
    TimelineEvent(15, "payg", fix(7, over_days=20)),
    # Stripe accepts this card and declines its charges: the next renewal is not paid.
    TimelineEvent(14, "pastdue", fix(12, over_days=20)),
    TimelineEvent(13, "pastdue", change_card("pm_card_chargeCustomerFail")),
    TimelineEvent(12, "canceled", fix(4, over_days=14)),
    TimelineEvent(9, "trial", join),
    TimelineEvent(6, "canceled", cancel),
    TimelineEvent(4, "exhausted", fix(10, over_days=20)),
    TimelineEvent(2, "payg", fix(1, over_days=1, end="failed")),
    TimelineEvent(1, "payg", fix(1, over_days=1, end="unverified")),
    TimelineEvent(0.5, "payg", fix(3, over_days=5)),
    TimelineEvent(0.4, "teams", fix(64, over_days=18)),
    # The eleventh fix of a trial: stored, and never billed.
    TimelineEvent(0.3, "exhausted", fix(1, over_days=1)),
    TimelineEvent(0.1, "trial", fix(3, over_days=7)),
)
