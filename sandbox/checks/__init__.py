"""What CI looks for beside lint and tests: secrets in tracked files, vulnerabilities in dependencies."""
