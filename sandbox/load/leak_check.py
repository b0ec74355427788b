"""Compare memory and connections at the end of a run with those at its start."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis

from sandbox.services import connect

MEMORY_SHARE, MEMORY_MB = 1.25, 16
CONNECTIONS_SHARE, CONNECTIONS_MORE = 1.25, 3
PAGE_BYTES = 4096


@dataclass(frozen=True)
class ResourceUsage:
    """Resident memory in MB by role, of all its processes together, and numbers of open connections."""

    memory_mb: dict[str, float]
    postgresql: int
    redis: int

    def describe(self) -> dict[str, Any]:
        return asdict(self)


def find_growth(start: ResourceUsage, end: ResourceUsage) -> list[str]:
    """Return a sentence for each resource that grew beyond the tolerance."""
    allowed = {role: mb * MEMORY_SHARE + MEMORY_MB for role, mb in start.memory_mb.items()}
    found = [
        f"{role}: {start.memory_mb[role]} MB at the start, {end.memory_mb[role]} at the end"
        for role, most in allowed.items()
        if end.memory_mb[role] > most
    ]
    connections = (("PostgreSQL", start.postgresql, end.postgresql), ("Redis", start.redis, end.redis))
    return found + [
        f"{name}: {before} connections at the start, {after} at the end"
        for name, before, after in connections
        if after > before * CONNECTIONS_SHARE + CONNECTIONS_MORE
    ]


def measure(
    *, roles: Mapping[str, list[int]], admin_url: str, database_url: str, redis_url: str
) -> ResourceUsage:
    """Measure memory and connections. `roles` has the pids of process group leaders by role."""
    with connect(admin_url) as admin:
        count = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
        row = admin.execute(count, [urlsplit(database_url).path.strip("/")]).fetchone()
    with redis.Redis.from_url(redis_url) as client:
        number = urlsplit(redis_url).path.strip("/")
        # Do not count this connection.
        connected = sum(each["db"] == number for each in client.client_list()) - 1
    memory = {role: round(sum(map(_read_group_mb, groups)), 1) for role, groups in roles.items()}
    return ResourceUsage(memory, int(str(row[0])) if row else 0, connected)


def _read_group_mb(group: int) -> float:
    """Return the resident memory of all processes of a process group, in MB."""
    pages = 0
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            # Fields after the name, which is in parentheses and may contain spaces: state, parent, group.
            if int((entry / "stat").read_text().rpartition(")")[2].split()[2]) == group:
                pages += int((entry / "statm").read_text().split()[1])
        except OSError:
            continue
    return pages * PAGE_BYTES / 1024 / 1024
