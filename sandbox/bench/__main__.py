"""`python -m sandbox.bench [--only name,…]`: benchmark the hot paths over HTTP.

Prints a table and writes var/bench.json. Exits with 1 if a response is not as expected. Needs PostgreSQL and
Redis, on which it creates its own databases.
"""

import argparse
import json
import sys
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from core.commands.terminal import escape_controls
from sandbox import probe
from sandbox.processes import (
    NotReady,
    ProcessEnded,
    Supervisor,
    interrupt_on_signals,
    is_port_free,
    pick_port,
)
from sandbox.services import NoFreeRedisDatabase
from sandbox.stack import HOST

from .client import BARE, Client, UnexpectedResponse
from .measure import Plan, measure
from .prepare import FIRST_PORT, ROOT, prepare
from .report import write_table
from .stack import BenchStack

NAMES = (
    "authenticate_cached",
    "authenticate_uncached",
    "authenticate_library",
    "analyze_10",
    "analyze_200",
    "generate_300",
    "generate_10000",
    "phases_store",
    "entitlement",
    "webhook_ack",
    "portal_overview",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.bench", description=__doc__)
    parser.add_argument("--only", type=_split, default=list(NAMES), help="names, separated by commas")
    parser.add_argument("--rounds", type=int, default=Plan.rounds)
    parser.add_argument("--seconds", type=float, default=Plan.seconds, help="of full load in each round")
    parser.add_argument("--connections", type=int, default=Plan.connections)
    parser.add_argument("--rows", type=int, default=300_000, help="phase rows in the database")
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--data-dir", type=Path, default=ROOT / "var" / "bench", help="emptied at the start")
    parser.add_argument("--output", type=Path, default=ROOT / "var" / "bench.json")
    args = parser.parse_args()
    plan = Plan(rounds=args.rounds, seconds=args.seconds, connections=args.connections)
    try:
        with interrupt_on_signals(), prepare(args.data_dir.resolve()) as stack:
            entries = run(stack, args.only, plan, rows=args.rows, customers=args.customers)
    except KeyboardInterrupt:
        return 130
    except UnexpectedResponse as error:
        print(f"Unexpected response: {escape_controls(str(error))}", file=sys.stderr)
        return 1
    except (probe.NotReachable, NoFreeRedisDatabase, NotReady, ProcessEnded) as error:
        print(
            f"{escape_controls(str(error))}\nLogs of the processes: {args.data_dir / 'log'}",
            file=sys.stderr,
        )
        return 2
    args.output.write_text(json.dumps(entries, indent=2) + "\n")
    print(write_table(entries))
    return 0


def _split(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if unknown := set(names) - set(NAMES):
        raise argparse.ArgumentTypeError(f"unknown names: {', '.join(sorted(unknown))}")
    return names


def run(
    stack: BenchStack, names: list[str], plan: Plan, *, rows: int, customers: int
) -> dict[str, dict[str, float]]:
    """Seed the database, start web processes, measure, and return the report's entries by name."""
    from .authentication import time_authentication
    from .cases import make_cases
    from .rows import seed

    with ExitStack() as exit_stack:
        seeded = seed(rows=rows, customers=customers, api_clients=50, at=datetime.now(UTC))
        cases = make_cases(seeded)
        usual = _start(exit_stack, stack, "usual")
        without_cache = replace(stack, web_port=pick_port(stack.web_port + 1), key_cache_seconds=0)
        clients = dict.fromkeys(names, usual)
        if "authenticate_uncached" in names:
            clients["authenticate_uncached"] = _start(exit_stack, without_cache, "without-cache")
        limit = measure_client_limit(plan)
        print(f"The client's own limit is {limit} requests per second.", file=sys.stderr, flush=True)
        entries = {}
        for name in names:
            print(f"{name} …", file=sys.stderr, flush=True)
            entries[name] = measure(clients[name], cases[name], BARE, plan) | time_authentication(
                name, seeded
            )
        return entries


def _start(exit_stack: ExitStack, stack: BenchStack, name: str) -> Client:
    """Start and warm up web processes, which `exit_stack` stops."""
    log_dir = stack.data_dir / "log" / name
    log_dir.mkdir()
    supervisor = exit_stack.enter_context(
        Supervisor(environment=stack.environment, log_dir=log_dir, stop_timeout=5)
    )
    stack.start_web(supervisor)
    stack.wait_for_web(supervisor)
    client = Client(HOST, stack.web_port)
    client.measure_rate(BARE, connections=8, seconds=0.5)
    return client


def measure_client_limit(plan: Plan) -> int:
    """Return how many requests per second the client can send to a server that does nothing."""
    port = pick_port(FIRST_PORT)
    with Supervisor(environment={}) as supervisor:
        supervisor.start("echo", [sys.executable, "-m", "sandbox.bench.echo_server", str(port)])
        supervisor.wait_for("the echo server", lambda: not is_port_free(port))
        return int(Client(HOST, port).measure_rate(BARE, connections=plan.connections, seconds=1))


if __name__ == "__main__":
    sys.exit(main())
