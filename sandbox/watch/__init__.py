"""`make watch`: a real Prometheus watches real processes; every panel has data, every alert fires once."""
