"""`make load`: send many requests at once to real processes, then check that nothing is lost."""
