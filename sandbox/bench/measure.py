"""Measure a case and its baseline in turns, so that other load on the machine affects both."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from .client import Case, Client
from .counting import REQUEST_HEADER, RESPONSE_HEADER


@dataclass(frozen=True)
class Plan:
    """The amount of load: `rounds` of `seconds` at full load each, and `sequential_requests` in total."""

    rounds: int = 5
    seconds: float = 1.5
    connections: int = 8
    sequential_requests: int = 300
    # Enough for each API client and each thread, so that all keys are cached, as in steady traffic.
    warm_up: int = 60
    counted: int = 20


@dataclass
class Samples:
    """Measurements of one case: latencies of sequential requests in seconds, and rates per second."""

    latencies: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    @property
    def rps(self) -> float:
        return round(statistics.median(self.rates), 1)

    def find_ms(self, percent: int) -> float:
        return round(find_percentile(self.latencies, percent) * 1000, 2)


def find_percentile(values: Sequence[float], percent: int) -> float:
    """Return the percentile by the nearest rank: the smallest value that `percent` % do not exceed."""
    return sorted(values)[max(0, -(-len(values) * percent // 100) - 1)]


def measure(client: Client, case: Case, baseline: Case, plan: Plan) -> dict[str, float]:
    """Measure a case and its baseline; return the case's entry in the report. Raises UnexpectedResponse."""
    client.measure_latencies(case, plan.warm_up)
    own, bare = Samples(), Samples()
    for _ in range(plan.rounds):
        for each, samples in ((baseline, bare), (case, own)):
            samples.latencies += client.measure_latencies(
                each, max(1, plan.sequential_requests // plan.rounds)
            )
            samples.rates.append(
                client.measure_rate(each, connections=plan.connections, seconds=plan.seconds)
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
    """Return the mean number of queries per request, as counted by the server."""
    header = f"{REQUEST_HEADER}: 1\r\n".encode()
    answers = [client.fetch(case, headers=header) for _ in range(requests)]
    return round(statistics.mean(_read_count(answer) for answer in answers), 2)


def _read_count(answer: bytes) -> int:
    head = answer.split(b"\r\n\r\n", 1)[0].lower()
    return int(head.split(RESPONSE_HEADER.lower().encode() + b": ", 1)[1].split(b"\r\n", 1)[0])
