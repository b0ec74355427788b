"""What the frameworks of Python share: reading a test file, reading a test's code, writing it."""
