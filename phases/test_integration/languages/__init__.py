"""One package per language: reads its test files, plans an insertion and renders the test's text."""
