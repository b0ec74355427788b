"""Compare the ledger snapshot with the plan. Pure: returns counts, and a sentence for each finding."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from .plan import Client, Issue, Plan
from .prices import TRIAL_FIXES, compute_invoiced_cents

USAGE_ID = 36  # length of a ledger row's id, with which its meter event's identifier begins


@dataclass(frozen=True)
class LedgerRow:
    usage_id: str
    client: int
    repository: str
    issue: int
    coverage: str


@dataclass(frozen=True)
class MeterEvent:
    """What Stripe's meter counted for a client."""

    client: int
    identifier: str
    value: int


@dataclass(frozen=True)
class LedgerSnapshot:
    """The content of the ledger and of Stripe at the end of a run.

    `invoiced_cents` and `subscriptions`, which includes ended ones, are by client. `unknown_owners` counts
    meter events and invoices of customers who are not in the plan.
    """

    ledger: tuple[LedgerRow, ...]
    events: tuple[MeterEvent, ...]
    invoiced_cents: dict[int, int]
    unknown_owners: int = 0
    subscriptions: dict[int, int] = field(default_factory=dict)


@dataclass
class Verdict:
    """Counts of errors by kind, in fixes or cents, and a sentence for each in `findings`."""

    lost: int = 0
    duplicated: int = 0
    wrongly_billed: int = 0
    invoice_difference_cents: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.duplicated or self.wrongly_billed or self.invoice_difference_cents)

    def add_finding(self, kind: str, count: int, text: str) -> None:
        if count:
            setattr(self, kind, getattr(self, kind) + count)
            self.findings.append(f"{kind} {count}: {text}")


def judge(plan: Plan, snapshot: LedgerSnapshot) -> Verdict:
    """Compare a run with its plan.

    Each fix must be in the ledger once, each metered one on the meter once, nothing else in either, and each
    client must be invoiced exactly what it owes.
    """
    verdict = Verdict()
    rows: dict[int, list[LedgerRow]] = defaultdict(list)
    events: dict[int, list[MeterEvent]] = defaultdict(list)
    for row in snapshot.ledger:
        rows[row.client].append(row)
    for event in snapshot.events:
        events[event.client].append(event)
    for client in plan.clients:
        _judge_client(verdict, plan, client, rows[client.number], events[client.number])
        opened = snapshot.subscriptions.get(client.number, 0)
        verdict.add_finding("duplicated", max(0, opened - 1), f"{client.email} was subscribed {opened} times")
        owed = compute_invoiced_cents(client.plan, len(plan.list_counting(client)))
        invoiced = snapshot.invoiced_cents.get(client.number, 0)
        text = f"{client.email} ({client.plan}) owes {owed}, is invoiced {invoiced}"
        verdict.add_finding("invoice_difference_cents", abs(owed - invoiced), text)
    verdict.add_finding(
        "wrongly_billed", snapshot.unknown_owners, "meter events or invoices of unknown customers"
    )
    return verdict


def _judge_client(
    verdict: Verdict, plan: Plan, client: Client, rows: list[LedgerRow], events: list[MeterEvent]
) -> None:
    counting = plan.list_counting(client)
    entered: dict[tuple[int, str, int], list[LedgerRow]] = defaultdict(list)
    for row in rows:
        entered[(row.client, row.repository, row.issue)].append(row)
    counted = Counter[str]()
    for event in events:
        counted[event.identifier[:USAGE_ID]] += event.value
    unmatched = sum(counted.values()) - sum(counted[row.usage_id] for row in rows)
    for issue in counting:
        found = entered.pop(issue.key, [])
        reached = sum(counted[row.usage_id] for row in found)
        unmatched -= _judge_issue(verdict, client, issue, found, reached, unmatched)
    for key, found in entered.items():
        verdict.add_finding("wrongly_billed", len(found), f"{client.email}: {key} did not succeed")
    verdict.add_finding("duplicated", max(0, unmatched), f"{client.email}: meter events without a ledger row")
    if client.plan == "trial":
        _judge_trial(verdict, client, counting, rows)


def _judge_issue(
    verdict: Verdict, client: Client, issue: Issue, found: list[LedgerRow], reached: int, unmatched: int
) -> int:
    """Judge one fix. Return 1 if it is not on the meter and an unmatched event explains that, otherwise 0."""
    where = f"{client.email} {issue.repository}#{issue.number}"
    if not found:
        verdict.add_finding("lost", 1, f"{where} is not in the ledger")
        return 0
    verdict.add_finding("duplicated", len(found) - 1, f"{where} is in the ledger {len(found)} times")
    if client.plan == "trial":
        verdict.add_finding("wrongly_billed", reached, f"{where} is at the meter, on a trial")
        return 0
    if reached > 1:
        verdict.add_finding("duplicated", reached - 1, f"{where} is at the meter {reached} times")
    if reached == 0 and unmatched > 0:
        return 1
    verdict.add_finding("lost", int(reached == 0), f"{where} is not at the meter")
    return 0


def _judge_trial(verdict: Verdict, client: Client, counting: list[Issue], rows: list[LedgerRow]) -> None:
    """Judge a trial: ten fixes are free, and none is metered."""
    covered = Counter(row.coverage for row in rows)
    verdict.add_finding("wrongly_billed", covered["metered"], f"{client.email}: metered on a trial")
    free = min(TRIAL_FIXES, len(counting))
    text = f"{client.email}: {covered['trial']} fixes free instead of {free}"
    verdict.add_finding("wrongly_billed", abs(covered["trial"] - free), text)
