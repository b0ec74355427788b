"""Go's test files: reading one, reading a test's code, writing it."""
