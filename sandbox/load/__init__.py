"""Load test on real processes: send many requests at once, then check that nothing was lost."""
