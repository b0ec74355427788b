"""Creates and runs small Ruby projects with vulnerable or fixed code."""

import os
import subprocess
from pathlib import Path

from phases.test_integration.services import generate

VULNERABLE = "def find(name)\n  \"SELECT * FROM users WHERE name = '#{name}'\"\nend\n"
FIXED = "def find(name)\n  ['SELECT * FROM users WHERE name = ?', name].first\nend\n"
ATTACK = "' OR 1=1 --"


def write_project(directory: Path, framework: str, files: dict[str, str], tests: dict[str, str]) -> None:
    """Write every file with its new test."""
    for name, content in files.items():
        red_test = {
            "testName": "keeps quotes out of the query",
            "testCode": tests[name],
            "attackVector": ATTACK,
            "vulnerableCodePath": "shop.rb",
        }
        result = generate(
            target_file_content=content, red_tests=[red_test], framework=framework, language="ruby"
        )
        (directory / name).write_bytes(result.content.encode())


def run(directory: Path, shop: str, *command: str) -> str:
    """Run the command and return its output."""
    (directory / "shop.rb").write_text(shop)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("RUBY", "SPEC"))}
    finished = subprocess.run(
        command,
        cwd=directory,
        env=environment | {"LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return finished.stdout + finished.stderr
