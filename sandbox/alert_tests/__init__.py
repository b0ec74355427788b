"""`make test-alerts`: check with a real Prometheus that panels have data and alerts fire by their faults."""
