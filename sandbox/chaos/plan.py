"""The plan of a run, drawn from a seed: the clients and the reports that they send. Pure.

The ledger snapshot is compared with the plan at the end.
"""

import random
from dataclasses import dataclass
from typing import Any, Literal

PlanKey = Literal["trial", "payg", "teams"]

FIXES_PER_CUSTOMER = 25
# Unbilled mitigations, as a share of the billed ones.
UNBILLED_SHARE = 0.15


@dataclass(frozen=True)
class Client:
    """A customer to sign up. An `early` one subscribes a month before: its period ends during the faults."""

    number: int
    plan: PlanKey
    early: bool = False

    @property
    def email(self) -> str:
        return f"client-{self.number:03d}@chaos.example"

    @property
    def namespace(self) -> str:
        return f"chaos-{self.number:03d}"


@dataclass(frozen=True)
class Step:
    """A report of a mitigation, sent `copies` times in parallel. `has_key`: with an Idempotency-Key."""

    data: dict[str, Any]
    commit: str
    copies: int = 1
    has_key: bool = False


@dataclass(frozen=True)
class Issue:
    """An issue in a client's repository, and the reports about it in sequence. `counts`: it is a fix."""

    client: int
    repository: str
    number: int
    steps: tuple[Step, ...]
    counts: bool

    @property
    def key(self) -> tuple[int, str, int]:
        return self.client, self.repository, self.number


@dataclass(frozen=True)
class Plan:
    """All clients, by number, and their issues, in the order of sending."""

    clients: tuple[Client, ...]
    issues: tuple[Issue, ...]

    def list_counting(self, client: Client) -> list[Issue]:
        """Return the client's issues whose fixes count."""
        return [issue for issue in self.issues if issue.client == client.number and issue.counts]


SUCCEEDED: tuple[dict[str, Any], ...] = (
    {"success": True, "testsPass": True},
    {"fixed": True},
    {"status": "success", "verification": {"testsPass": True}},
)
FAILED: tuple[dict[str, Any], ...] = (
    {"success": False, "error": "Two tests stay red."},
    {"fixed": False, "status": "failed"},
)
UNVERIFIED: tuple[dict[str, Any], ...] = (
    {"success": True, "testsPass": False},
    {"fixed": True, "verification": {"passed": False}},
    {"status": "success", "verified": False},
)


def draw_plan(*, seed: int, fixes: int, customers: int | None = None) -> Plan:
    """Draw a plan, the same for the same arguments. `fixes` is the number of successful ones.

    Unsuccessful ones are added: UNBILLED_SHARE of them.
    """
    rng = random.Random(f"plan-{seed}")
    clients = _draw_clients(rng, customers or max(6, fixes // FIXES_PER_CUSTOMER))
    shares = _share_out(rng, clients, fixes)
    issues: list[Issue] = []
    for client, share in zip(clients, shares, strict=True):
        unbilled = round(share * UNBILLED_SHARE)
        for number in range(1, share + unbilled + 1):
            issues.append(_draw_issue(rng, client, number, counts=number <= share))
    rng.shuffle(issues)
    return Plan(clients, tuple(issues))


def _draw_clients(rng: random.Random, count: int) -> tuple[Client, ...]:
    """Draw clients. Of ten, three are on a trial, two on Teams, five on pay-as-you-go, one of those early."""
    plans: list[PlanKey] = [*("trial",) * 3, *("teams",) * 2, *("payg",) * 5]
    pattern = [(plan, index == 9) for index, plan in enumerate(plans)]
    rng.shuffle(pattern)
    return tuple(Client(number, *pattern[number % len(pattern)]) for number in range(count))


def _share_out(rng: random.Random, clients: tuple[Client, ...], fixes: int) -> list[int]:
    """Distribute the fixes: trials get about 10 and Teams about 60, the rest goes to pay-as-you-go."""
    wanted = {"trial": lambda: rng.randint(6, 14), "teams": lambda: rng.randint(50, 75)}
    shares = [wanted[client.plan]() if client.plan in wanted else 0 for client in clients]
    payers = [index for index, client in enumerate(clients) if client.plan == "payg"]
    while (excess := sum(shares) - fixes + len(payers)) > 0:
        index = rng.choice([at for at, share in enumerate(shares) if share > 1])
        shares[index] -= min(shares[index] - 1, excess)
    for _ in range(fixes - sum(shares)):
        shares[rng.choice(payers)] += 1
    return shares


def _draw_issue(rng: random.Random, client: Client, number: int, *, counts: bool) -> Issue:
    good, bad = rng.choice(SUCCEEDED), rng.choice((*FAILED, *UNVERIFIED))
    has_key = rng.random() < 0.3

    def step(data: dict[str, Any], copies: int = 1) -> Step:
        commit = f"{rng.getrandbits(160):040x}"
        return Step({**data, "issueNumber": number, "fixCommit": commit}, commit, copies, has_key)

    steps: tuple[Step, ...]
    if not counts:
        first = step(bad, copies=rng.choice((1, 1, 2)))
        steps = rng.choice([(first,), (first, first), (first, step(rng.choice(FAILED)))])
    else:
        steps = _draw_success(rng, step(good, copies=_draw_copies(rng)), step(good), step(bad))
    return Issue(client.number, rng.choice(("api", "web", "jobs")), number, steps, counts)


def _draw_copies(rng: random.Random) -> int:
    return rng.choices((1, 2, 3), weights=(80, 12, 8))[0]


def _draw_success(rng: random.Random, good: Step, another: Step, bad: Step) -> tuple[Step, ...]:
    """Draw the reports of a success: one, or one repeated, replaced, or with a failure before or after it."""
    shapes = ((good,), (good, good), (good, another), (bad, good), (good, bad))
    return rng.choices(shapes, weights=(60, 12, 8, 12, 8))[0]
