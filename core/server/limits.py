"""Limits in time and size for connections, read from the environment."""

from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured

from core.environment import env

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Times are in seconds, sizes in bytes. All apply to one process."""

    head_seconds: float = 10
    # Time for a body, and for a response that its client reads slowly: this plus one second for every
    # `bytes_a_second` that have been transferred.
    transfer_seconds: float = 15
    bytes_a_second: int = 16 * 1024
    # For all connections together: requests being received, and responses not yet read by clients.
    stored_bytes: int = 256 * MEGABYTE
    # Slightly above the application's limit, so that the application answers 413.
    body_bytes: int = 9 * MEGABYTE
    head_bytes: int = 64 * 1024
    # Each chunk takes time to parse, however small it is.
    chunks: int = 20_000
    # Complete requests of one client that may wait for a thread.
    queued_per_client: int = 64
    trusted_proxies: int = 0


def read_limits() -> Limits:
    """Read the limits from environment variables. Raises ImproperlyConfigured for invalid values."""
    usual = Limits()
    limits = Limits(
        head_seconds=env.float("WEB_HEAD_SECONDS", default=usual.head_seconds),
        transfer_seconds=env.float("WEB_TRANSFER_SECONDS", default=usual.transfer_seconds),
        bytes_a_second=env.count("WEB_BYTES_A_SECOND", default=usual.bytes_a_second),
        stored_bytes=env.count("WEB_STORED_MEGABYTES", default=256) * MEGABYTE,
        queued_per_client=env.count("WEB_QUEUED_PER_CLIENT", default=usual.queued_per_client),
        trusted_proxies=env.int("TRUSTED_PROXY_COUNT", default=usual.trusted_proxies),
    )
    for name in ("head_seconds", "transfer_seconds"):
        if getattr(limits, name) <= 0:
            raise ImproperlyConfigured(f"WEB_{name.upper()}: must be more than 0")
    return limits
