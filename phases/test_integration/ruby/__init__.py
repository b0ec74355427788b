"""What the frameworks of Ruby share: reading a test file, reading a test's code, writing it."""
