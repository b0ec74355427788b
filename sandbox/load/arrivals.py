"""Compute when requests are due, in seconds from the start. Pure."""


def all_at_once(count: int) -> list[float]:
    return [0.0] * count


def at_a_rate(count: int, per_second: float) -> list[float]:
    """Return evenly distributed times. Slow responses do not delay later requests."""
    return [number / per_second for number in range(count)]
