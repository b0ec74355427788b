"""Load on real processes: many requests at once, and everything that was sent looked for afterwards."""
