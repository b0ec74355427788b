"""Run a real Prometheus on real processes: every panel must have data, every alert must fire."""
