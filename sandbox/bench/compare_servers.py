"""`python -m sandbox.bench.compare_servers [--python PATH]`: compare application servers, as a table.

All servers run at once on one database and are measured in turn in every round, so that other load on the
machine affects them equally. Servers whose package is not installed are left out. `--python` is an
interpreter that has them in addition to RSOLV's own packages.
"""

import argparse
import statistics
import subprocess
import sys
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sandbox.processes import Supervisor, interrupt_on_signals, pick_port

from .client import BARE, Client
from .measure import find_percentile
from .prepare import ROOT, prepare
from .servers import SERVERS, Server
from .stack import BenchStack

MIX = ("entitlement", "phases_store", "generate_300", "analyze_10")
SEQUENTIAL_REQUESTS = 20


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.bench.compare_servers", description=__doc__)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--only", default=",".join(name for name in SERVERS if name != "deployed"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--rows", type=int, default=30_000)
    parser.add_argument("--data-dir", type=Path, default=ROOT / "var" / "bench-servers")
    args = parser.parse_args()
    servers = {name: replace(SERVERS[name], python=args.python) for name in args.only.split(",")}
    servers = {name: each for name, each in servers.items() if _is_installed(each)}
    with interrupt_on_signals(), prepare(args.data_dir.resolve()) as stack:
        compare(stack, servers, args.rounds, args.seconds, args.connections, rows=args.rows)


def _is_installed(server: Server) -> bool:
    found = subprocess.run([server.python, "-c", f"import {server.options[0]}"], capture_output=True)
    return found.returncode == 0


Samples = dict[tuple[str, str], list[float]]


def compare(
    stack: BenchStack,
    servers: dict[str, Server],
    rounds: int,
    seconds: float,
    connections: int,
    *,
    rows: int,
) -> None:
    """Measure each server in each round, and print the results so far after each round."""
    from .cases import make_cases
    from .rows import seed

    with ExitStack() as exit_stack:
        seeded = seed(rows=rows, customers=1000, api_clients=50, at=datetime.now(UTC))
        cases = {name: each for name, each in make_cases(seeded).items() if name in MIX} | {BARE.name: BARE}
        clients: dict[str, Client] = {}
        sent: dict[str, int] = {}
        for name, server in servers.items():
            one = replace(stack, server=server, web_port=pick_port(stack.web_port + 1 + len(clients)))
            log_dir = stack.data_dir / "log" / name
            log_dir.mkdir(parents=True)
            supervisor = exit_stack.enter_context(
                Supervisor(environment=one.environment, log_dir=log_dir, stop_timeout=3)
            )
            one.start_web(supervisor)
            one.wait_for_web(supervisor)
            # All clients share one count, so that each stored fix is new, whichever server stores it.
            clients[name] = Client("127.0.0.1", one.web_port, sent)
        rates: Samples = defaultdict(list)
        latencies: Samples = defaultdict(list)
        for round_number in range(rounds + 1):
            for what, case in cases.items():
                for name, client in clients.items():
                    taken = client.measure_latencies(case, SEQUENTIAL_REQUESTS)
                    rate = client.measure_rate(case, connections=connections, seconds=seconds)
                    if round_number:  # round 0 is the warm-up
                        latencies[name, what] += taken
                        rates[name, what].append(rate)
            print(f"round {round_number} of {rounds}", file=sys.stderr, flush=True)
            if round_number:
                print_table(list(clients), rates, latencies)


def print_table(names: list[str], rates: Samples, latencies: Samples) -> None:
    """Print requests per second and, in parentheses, the p95 of single requests in ms, by server and case.

    The mix contains equal numbers of the cases in MIX.
    """
    cases = (*MIX, "bare")
    print(f"| server | {' | '.join(cases)} | mix, requests/s |\n|---|{'---|' * (len(cases) + 1)}")
    for name in names:
        middle = {what: statistics.median(rates[name, what]) for what in cases}
        cells = [
            f"{middle[what]:.0f} ({find_percentile(latencies[name, what], 95) * 1000:.1f})" for what in cases
        ]
        mix = len(MIX) / sum(1 / middle[what] for what in MIX)
        print(f"| {name} | {' | '.join(cells)} | {mix:.0f} |", flush=True)


if __name__ == "__main__":
    main()
