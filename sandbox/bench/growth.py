"""`python -m sandbox.bench.growth`: the cost of the hot paths as tables grow; writes var/bench-growth.json.

Each path runs in this process, in a transaction that is rolled back. EXPLAIN of each of its queries then
shows how many rows PostgreSQL read, and which tables it scanned sequentially.
"""

import argparse
import json
import logging
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.processes import interrupt_on_signals

from .prepare import ROOT, prepare

SIZES = (100, 10_000, 1_000_000)
ROUNDS = 7
CUSTOMERS_PER_ROW = 100
FEWEST_CUSTOMERS = 5
# A sequential scan of so few rows costs less than an index.
SMALL_TABLE = 1000


@dataclass(frozen=True)
class Cost:
    """The cost of one path at one size. `seq_scans`: tables over 1,000 rows that were read sequentially."""

    queries: int
    p50_ms: float
    memory_kb: int
    rows_read: int
    seq_scans: list[str]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.bench.growth", description=__doc__)
    parser.add_argument(
        "--sizes", default=",".join(map(str, SIZES)), help="numbers of phase rows, separated by commas"
    )
    parser.add_argument("--data-dir", type=Path, default=ROOT / "var" / "bench-growth")
    parser.add_argument("--output", type=Path, default=ROOT / "var" / "bench-growth.json")
    args = parser.parse_args()
    sizes = [int(size) for size in args.sizes.split(",")]
    found: dict[str, dict[int, Cost]] = {}
    with interrupt_on_signals(), prepare(args.data_dir.resolve()):
        logging.disable(logging.INFO)
        for size in sizes:
            print(f"{size} rows …", file=sys.stderr, flush=True)
            for name, cost in measure_all(size).items():
                found.setdefault(name, {})[size] = cost
    report = {name: {size: asdict(cost) for size, cost in costs.items()} for name, costs in found.items()}
    args.output.write_text(json.dumps(report, indent=2) + "\n")
    print(write_table(found, sizes))
    return 0


def measure_all(size: int) -> dict[str, Cost]:
    """Replace all rows by `size` phase rows, and return the cost of each path."""
    from django.db import connection

    from .paths import make_paths
    from .rows import seed

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE customers_customer, customers_user CASCADE")
    at = datetime.now(UTC)
    seeded = seed(rows=size, customers=max(FEWEST_CUSTOMERS, size // CUSTOMERS_PER_ROW), api_clients=1, at=at)
    return {name: measure(path) for name, path in make_paths(seeded, at + timedelta(minutes=1)).items()}


def measure(path: Callable[[int], object]) -> Cost:
    """Measure one path. It is called with a new number each time, for actions that can be done only once."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    seconds = []
    for number in range(ROUNDS + 1):
        began = time.perf_counter()
        _roll_back(lambda number=number: path(number))  # type: ignore[misc]
        seconds.append(time.perf_counter() - began)
    # A separate run, because tracing allocations makes everything slower.
    tracemalloc.start()
    _roll_back(lambda: path(ROUNDS + 1))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    plans: list[dict[str, Any]] = []

    def explain_all() -> int:
        with CaptureQueriesContext(connection) as captured:
            path(ROUNDS + 2)
        queries = [each["sql"] for each in captured.captured_queries]
        queries = [sql for sql in queries if sql.startswith(("SELECT", "UPDATE", "INSERT", "DELETE", "("))]
        plans.extend(_explain(sql) for sql in queries if not sql.startswith("INSERT"))
        return len(queries)

    count = _roll_back(explain_all)
    nodes = [node for plan in plans for node in _list_nodes(plan)]
    return Cost(
        queries=count,
        p50_ms=round(statistics.median(seconds[1:]) * 1000, 1),  # the first run is a warm-up
        memory_kb=peak // 1024,
        rows_read=sum(_count_read(node) for node in nodes),
        seq_scans=sorted({node["Relation Name"] for node in nodes if _is_seq_scan(node)}),
    )


def _roll_back(work: Callable[[], Any]) -> Any:
    """Return the work's result, and roll back what it wrote."""
    from django.db import transaction

    with transaction.atomic():
        result = work()
        transaction.set_rollback(True)
    return result


def _explain(sql: str) -> dict[str, Any]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}".replace("%", "%%"), ())
        found: dict[str, Any] = cursor.fetchone()[0][0]["Plan"]
    return found


def _list_nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", ()) for node in _list_nodes(child))]


def _count_read(node: Mapping[str, Any]) -> int:
    """Return the number of rows that a scan of a table or index examined."""
    # A bitmap heap scan reads the rows that its bitmap index scan has already counted.
    if "Scan" not in node["Node Type"] or node["Node Type"] == "Bitmap Heap Scan":
        return 0
    looked_at = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return int(looked_at * node["Actual Loops"])


def _is_seq_scan(node: Mapping[str, Any]) -> bool:
    looked_at = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return bool(node["Node Type"] == "Seq Scan" and looked_at > SMALL_TABLE)


def write_table(found: Mapping[str, Mapping[int, Cost]], sizes: list[int]) -> str:
    """Format queries, milliseconds, kB and rows read by path and size; sequential scans of the last size."""
    heads = [f"{size:,} rows" for size in sizes]
    lines = [f"| path | {' | '.join(heads)} | sequential scans |", f"|---|{'---|' * (len(sizes) + 1)}"]
    for name, costs in found.items():
        cells = [
            f"{cost.queries} q, {cost.p50_ms} ms, {cost.memory_kb} kB, {cost.rows_read:,} read"
            for cost in (costs[size] for size in sizes)
        ]
        seq_scans = ", ".join(costs[sizes[-1]].seq_scans) or "nothing"
        lines.append(f"| {name} | {' | '.join(cells)} | {seq_scans} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
