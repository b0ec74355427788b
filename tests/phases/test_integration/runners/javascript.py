"""Creates projects for real runs of the JavaScript frameworks."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from phases.test_integration.services import generate
from tests.phases.test_integration.runners.needs import need

NODE_MODULES = Path(__file__).parent / "node/node_modules"
ATTACK = "' OR 1=1 --"
NAME = "keeps quotes out of the query"
VULNERABLE = "const find = (name) => `SELECT * FROM users WHERE name = '${name}'`;\n"
FIXED = "const find = (name) => ['SELECT * FROM users WHERE name = ?', name][0];\n"
COMMON_JS = "module.exports = { find };\n"
MODULE = "export { find };\n"


def need_node(package: str) -> None:
    need("node")
    if (NODE_MODULES / package).exists():
        return
    message = f"{package} is not installed: npm ci in {NODE_MODULES.parent}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def make_project(directory: Path, framework: str, files: Mapping[str, tuple[str, str]], kind: str) -> Path:
    """Write the project; `files` maps each file name to its content and the code of the new test."""
    (directory / "package.json").write_text(json.dumps({"name": "shop", "type": kind}))
    (directory / "node_modules").symlink_to(NODE_MODULES)
    for name, (content, code) in files.items():
        red_test = {
            "testName": NAME,
            "testCode": code,
            "attackVector": ATTACK,
            "vulnerableCodePath": "shop.js",
        }
        language = "typescript" if ".ts" in name else "javascript"
        result = generate(
            target_file_content=content, red_tests=[red_test], framework=framework, language=language
        )
        (directory / name).write_bytes(result.content.encode())
    return directory


def run(directory: Path, *command: str) -> str:
    """Run the command and return its standard output, whatever its exit code."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("NODE_", "JEST_"))}
    finished = subprocess.run(
        ["node", *command],
        cwd=directory,
        env={**environment, "CI": "true", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.stdout, finished.stderr
    return finished.stdout
