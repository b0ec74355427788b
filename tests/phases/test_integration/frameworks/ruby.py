"""Helpers for the tests of the Ruby frameworks."""

import textwrap

from phases.test_integration.engine import Integration
from phases.test_integration.services import generate

NAME, ATTACK = "rejects SQL injection", "' OR 1=1 --"


def red(code: str, name: str = NAME, attack: str = ATTACK, **others: str) -> dict[str, str]:
    return {"testName": name, "testCode": code, "attackVector": attack, **others}


def insert_all(framework: str, target: str, *tests: dict[str, str]) -> Integration:
    return generate(target_file_content=target, red_tests=list(tests), framework=framework, language="ruby")


def dedent(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


def without_inserted(result: Integration) -> str:
    content = result.content.encode()
    for span in reversed(result.inserted):
        content = content[: span.start] + content[span.end :]
    return content.decode()


def parent_of(result: Integration) -> str:
    assert result.point is not None
    return result.point.parent


def codes(result: Integration) -> list[str]:
    return [warning.code for warning in result.warnings]
