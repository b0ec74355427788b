"""`manage.py bench_portal [--times N]`: measure duration, CPU time and queries of each page of the portal."""

import logging
import os
import statistics
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from core.commands.base import BaseCommand
from core.gc_tuning import freeze_loaded
from customers.models import Membership, User
from phases.models import PhaseExecution, Repository
from sandbox.seed.portal_seed import EMAIL

ALLOWED_MS = 150


class Command(BaseCommand):
    help = (
        "Open each page as the busiest seeded customer, in this process. Prints queries, p50, p95 and CPU "
        "time, which includes the database's if it runs on this machine."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--times", type=int, default=40)

    def handle(self, *, times: int, **options: Any) -> None:
        logging.disable(logging.INFO)  # every request logs a line
        client = Client()
        with override_settings(ALLOWED_HOSTS=[*settings.ALLOWED_HOSTS, "testserver"], DEBUG=False):
            user = User.objects.get(email=EMAIL)
            client.force_login(user)
            _open(client, "/dashboard/")
            freeze_loaded()
            self.stdout.write(f"{'page':<58} {'queries':>7} {'p50 ms':>7} {'p95 ms':>7} {'CPU ms':>7}")
            slow = [path for path in _list_pages(user) if self._measure(client, path, times) > ALLOWED_MS]
        if slow:
            self.stdout.write(f"Slower than {ALLOWED_MS} ms: {', '.join(slow)}")

    def _measure(self, client: Client, path: str, times: int) -> float:
        """Print a page's measurements, and return its p95 in milliseconds. The first request is a warm-up."""
        _open(client, path)
        with CaptureQueriesContext(connection) as queries:
            _open(client, path)
        count = len(queries)  # before the next request, which resets them
        took, cpu_began = [], _read_cpu_seconds()
        for _ in range(times):
            began = time.perf_counter()
            _open(client, path)
            took.append((time.perf_counter() - began) * 1000)
        cpu_ms = (_read_cpu_seconds() - cpu_began) / times * 1000
        p95 = statistics.quantiles(took, n=20)[-1]
        shown = path if len(path) <= 58 else f"{path[:57]}…"
        self.stdout.write(
            f"{shown:<58} {count:>7} {statistics.median(took):>7.1f} {p95:>7.1f} {cpu_ms:>7.1f}"
        )
        return p95


def _read_cpu_seconds() -> float:
    """Return the CPU time of this process, plus that of its database backend if it is on this machine."""
    if connection.vendor != "postgresql":
        return time.process_time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), current_setting('data_directory')")
        pid, folder = cursor.fetchone()
    stat = Path(f"/proc/{pid}/stat")
    if not Path(folder).exists() or not stat.exists():
        return time.process_time()
    user, system = stat.read_text().rpartition(")")[2].split()[11:13]
    return time.process_time() + (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _open(client: Client, path: str) -> None:
    response = client.get(path)
    if response.status_code != 200:
        raise RuntimeError(f"{path}: {response.status_code}")
    if response.streaming:
        response.getvalue()


def _list_pages(user: User) -> list[str]:
    customer = Membership.objects.get(user=user).customer_id
    fix = PhaseExecution.objects.filter(customer=customer, phase="mitigation", outcome="succeeded").first()
    repository = Repository.objects.filter(forge_account__customer=customer).first()
    assert fix and repository
    fixes = "/dashboard/fixes/"
    return [
        "/dashboard/",
        fixes,
        f"{fixes}?page=20",
        f"{fixes}?severity=high&state=failed&since=2020-01-01",
        f"{fixes}?repository={repository.pk}",
        f"{fixes}{fix.pk}/",
        "/dashboard/repositories/",
        "/dashboard/usage/",
        "/dashboard/usage/?span=90d",
        "/dashboard/usage/?span=12m",
        "/dashboard/usage/rsolv-usage.csv?span=12m",
        "/dashboard/keys/",
        "/dashboard/setup/",
        "/dashboard/team/",
        "/dashboard/audit-log/",
        "/dashboard/settings/",
        "/accounts/2fa/",
        "/accounts/email/",
        "/accounts/sessions/",
        "/dashboard/billing/",
        "/dashboard/billing/invoices/",
    ]
