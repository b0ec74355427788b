"""Plan: where a test goes and what text is needed, as data. Nothing here changes a file."""
