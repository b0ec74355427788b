"""What the frameworks of JavaScript share: reading a test file, reading a test's code, writing it."""
