from dataclasses import replace

import pytest

from sandbox.chaos.plan import Client, Issue, Plan
from sandbox.chaos.prices import compute_invoiced_cents
from sandbox.chaos.verdict import LedgerRow, LedgerSnapshot, MeterEvent, Verdict, judge

PAYG, TEAMS, TRIAL = 0, 1, 2
CLIENTS = (Client(PAYG, "payg"), Client(TEAMS, "teams"), Client(TRIAL, "trial"))


def make_issue(client: int, number: int, *, counts: bool = True) -> Issue:
    return Issue(client, "api", number, (), counts)


# Three of pay-as-you-go and one that failed, 61 of teams, 12 of a trial.
PLAN = Plan(
    CLIENTS,
    (
        *(make_issue(PAYG, number) for number in (1, 2, 3)),
        make_issue(PAYG, 4, counts=False),
        *(make_issue(TEAMS, number) for number in range(1, 62)),
        *(make_issue(TRIAL, number) for number in range(1, 13)),
    ),
)


def make_row(client: int, issue: int, coverage: str = "metered") -> LedgerRow:
    return LedgerRow(f"{client:04d}-{issue:031d}", client, "api", issue, coverage)


def make_snapshot() -> LedgerSnapshot:
    """Return a snapshot without any error."""
    rows = [
        make_row(each.client, each.number) for each in PLAN.issues if each.counts and each.client != TRIAL
    ]
    events = [MeterEvent(row.client, row.usage_id, 1) for row in rows]
    free = [make_row(TRIAL, number, "trial" if number <= 10 else "unbilled") for number in range(1, 13)]
    return LedgerSnapshot((*rows, *free), tuple(events), {PAYG: 4500, TEAMS: 2 * 49900 + 800})


def count(verdict: Verdict) -> tuple[int, int, int, int]:
    return verdict.lost, verdict.duplicated, verdict.wrongly_billed, verdict.invoice_difference_cents


class TestJudge:
    def test_finds_nothing_in_a_correct_snapshot(self):
        verdict = judge(PLAN, make_snapshot())
        assert verdict.is_good and verdict.findings == []

    def test_counts_a_fix_that_the_ledger_lacks(self):
        snapshot = make_snapshot()
        assert count(
            judge(PLAN, replace(snapshot, ledger=snapshot.ledger[1:], events=snapshot.events[1:]))
        ) == (
            1,
            0,
            0,
            0,
        )

    def test_counts_a_fix_that_the_meter_lacks(self):
        snapshot = make_snapshot()
        assert count(judge(PLAN, replace(snapshot, events=snapshot.events[1:]))) == (1, 0, 0, 0)

    def test_counts_an_event_that_arrived_twice(self):
        snapshot = make_snapshot()
        assert count(judge(PLAN, replace(snapshot, events=(*snapshot.events, snapshot.events[0])))) == (
            0,
            1,
            0,
            0,
        )

    def test_counts_an_event_repeated_under_another_identifier(self):
        snapshot = make_snapshot()
        again = MeterEvent(PAYG, f"{snapshot.events[0].identifier}-2", 1)
        assert count(judge(PLAN, replace(snapshot, events=(*snapshot.events, again)))) == (0, 1, 0, 0)

    def test_counts_a_client_that_was_subscribed_twice(self):
        snapshot = replace(make_snapshot(), subscriptions={PAYG: 2, TEAMS: 1})
        assert count(judge(PLAN, snapshot)) == (0, 1, 0, 0)

    def test_counts_a_lost_and_a_duplicate_event_separately(self):
        snapshot = make_snapshot()
        events = (snapshot.events[0], snapshot.events[0], *snapshot.events[2:])
        assert count(judge(PLAN, replace(snapshot, events=events))) == (1, 1, 0, 0)

    def test_matches_unknown_events_to_missing_ones(self):
        snapshot = make_snapshot()
        unmatched = tuple(MeterEvent(event.client, f"x{at}", 1) for at, event in enumerate(snapshot.events))
        assert count(judge(PLAN, replace(snapshot, events=unmatched))) == (0, 0, 0, 0)
        again = (*unmatched, MeterEvent(PAYG, "once-more", 1))
        assert count(judge(PLAN, replace(snapshot, events=again))) == (0, 1, 0, 0)

    def test_counts_a_second_ledger_row(self):
        snapshot = make_snapshot()
        second = replace(snapshot.ledger[0], usage_id="f" * 36)
        assert count(judge(PLAN, replace(snapshot, ledger=(*snapshot.ledger, second)))) == (0, 1, 0, 0)

    def test_counts_a_failed_fix_that_is_billed(self):
        snapshot = make_snapshot()
        ledger = (*snapshot.ledger, make_row(PAYG, 4))
        assert count(judge(PLAN, replace(snapshot, ledger=ledger))) == (0, 0, 1, 0)

    def test_counts_a_trial_fix_at_the_meter(self):
        snapshot = make_snapshot()
        event = MeterEvent(TRIAL, snapshot.ledger[-1].usage_id, 1)
        assert count(judge(PLAN, replace(snapshot, events=(*snapshot.events, event)))) == (0, 0, 1, 0)

    def test_counts_an_eleventh_free_fix(self):
        snapshot = make_snapshot()
        ledger = (*snapshot.ledger[:-2], *(replace(row, coverage="trial") for row in snapshot.ledger[-2:]))
        assert count(judge(PLAN, replace(snapshot, ledger=ledger))) == (0, 0, 2, 0)

    def test_sums_invoice_differences_without_netting(self):
        invoiced = {PAYG: 4500 - 100, TEAMS: 2 * 49900 + 800 + 100}
        assert count(judge(PLAN, replace(make_snapshot(), invoiced_cents=invoiced))) == (0, 0, 0, 200)


class TestComputeInvoicedCents:
    @pytest.mark.parametrize(
        ("plan", "fixes", "cents"),
        [("trial", 14, 0), ("payg", 3, 4500), ("teams", 60, 99800), ("teams", 62, 101400)],
    )
    def test_follows_the_price_page(self, plan, fixes, cents):
        assert compute_invoiced_cents(plan, fixes) == cents
