"""Format the measurements as a table, next to their targets. Targets are shown, not asserted."""

from collections.abc import Mapping

TARGETS = {
    "authenticate_cached": "0 queries, under 200 µs",
    "analyze_10": "≥ 50 % of the bare view",
    "analyze_200": "p95 < 15 ms",
    "generate_300": "< 8 ms",
    "generate_10000": "< 150 ms",
    "phases_store": "p95 < 30 ms",
    "webhook_ack": "p95 < 25 ms, ≥ 200/s",
    "portal_overview": "p95 < 150 ms, constant queries",
}
ROW = "{:<22} {:>8} {:>8} {:>9} {:>9} {:>6} {:>8} {:>8}  {}"


def write_table(entries: Mapping[str, Mapping[str, float]]) -> str:
    """Return a table with one row per case. `auth µs` is the authentication alone, within the process."""
    lines = [ROW.format("", "p50 ms", "p95 ms", "req/s", "bare/s", "share", "queries", "auth µs", "target")]
    for name, entry in entries.items():
        lines.append(
            ROW.format(
                name,
                f"{entry['p50_ms']:.2f}",
                f"{entry['p95_ms']:.2f}",
                f"{entry['rps']:.0f}",
                f"{entry['baseline_rps']:.0f}",
                f"{entry['share_of_baseline'] * 100:.0f}%",
                f"{entry['queries']:g}",
                f"{entry['authentication_us']:.0f}" if "authentication_us" in entry else "",
                TARGETS.get(name, ""),
            ).rstrip()
        )
    return "\n".join(lines)
