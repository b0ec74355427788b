"""When requests are due, in seconds from the start. Pure."""


def all_at_once(count: int) -> list[float]:
    return [0.0] * count


def at_a_rate(count: int, per_second: float) -> list[float]:
    """Evenly spread, whatever becomes of the ones before: a slow answer does not thin out the load."""
    return [number / per_second for number in range(count)]
