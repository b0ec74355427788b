"""Formatting of sizes. Pure."""

KB, MB, GB = 1_000, 1_000_000, 1_000_000_000


def format_size(size: int) -> str:
    """Format bytes in decimal units, the units of the plans' limits: `49.9 MB`, `5 GB`."""
    unit, name = next(((each, name) for each, name in ((GB, "GB"), (MB, "MB")) if size >= each), (KB, "kB"))
    return f"{size / unit:.1f}".removesuffix(".0") + f" {name}"
