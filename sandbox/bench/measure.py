"""Measure a case and its baseline in turns, so that other load on the machine affects both."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from .client import Case, Client
from .counting import ANSWER, ASK


@dataclass(frozen=True)
class Plan:
    """How much is asked: `rounds` of `seconds` at full load each, and `one_by_one` requests in all."""

    rounds: int = 5
    seconds: float = 1.5
    connections: int = 8
    one_by_one: int = 300
    # Each of the api_clients once, and each thread: their keys are then known, as in steady traffic.
    warm_up: int = 60
    counted: int = 20


@dataclass
class Samples:
    """What one case took. Latencies in seconds, of requests one after another."""

    latencies: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    @property
    def rps(self) -> float:
        return round(statistics.median(self.rates), 1)

    def find_ms(self, percent: int) -> float:
        return round(find_percentile(self.latencies, percent) * 1000, 2)


def find_percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that so many percent of them do not exceed."""
    return sorted(values)[max(0, -(-len(values) * percent // 100) - 1)]


def measure(client: Client, case: Case, baseline: Case, plan: Plan) -> dict[str, float]:
    """The case's entry in the report. Raises WrongAnswer at the first answer that is not right."""
    client.time_one_by_one(case, plan.warm_up)
    own, bare = Samples(), Samples()
    for _ in range(plan.rounds):
        for each, samples in ((baseline, bare), (case, own)):
            samples.latencies += client.time_one_by_one(each, max(1, plan.one_by_one // plan.rounds))
            samples.rates.append(
                client.count_per_second(each, connections=plan.connections, seconds=plan.seconds)
            )
    ratios = [own_rate / bare_rate for own_rate, bare_rate in zip(own.rates, bare.rates, strict=True)]
    return {
        "p50_ms": own.find_ms(50),
        "p95_ms": own.find_ms(95),
        "rps": own.rps,
        "baseline_rps": bare.rps,
        "queries": count_queries(client, case, plan.counted),
        "baseline_p50_ms": bare.find_ms(50),
        "share_of_baseline": round(statistics.median(ratios), 3),
    }


def count_queries(client: Client, case: Case, requests: int) -> float:
    """The mean of several requests, as the server counted them itself."""
    header = f"{ASK}: 1\r\n".encode()
    answers = [client.ask(case, headers=header) for _ in range(requests)]
    return round(statistics.mean(_read_count(answer) for answer in answers), 2)


def _read_count(answer: bytes) -> int:
    head = answer.split(b"\r\n\r\n", 1)[0].lower()
    return int(head.split(ANSWER.lower().encode() + b": ", 1)[1].split(b"\r\n", 1)[0])
