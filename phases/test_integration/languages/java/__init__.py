"""Java: JUnit 5 files."""
