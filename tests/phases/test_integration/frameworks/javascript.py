"""Helpers for the tests of the JavaScript frameworks."""

import textwrap

from phases.test_integration.engine import Integration
from phases.test_integration.services import generate

NAME, ATTACK = "rejects SQL injection", "' OR 1=1 --"


def red(code: str, name: str = NAME, attack: str = ATTACK, **others: str) -> dict[str, str]:
    return {"testName": name, "testCode": code, "attackVector": attack, **others}


def insert(
    framework: str, target: str, *codes: str, language: str = "typescript", **others: str
) -> Integration:
    return generate(
        target_file_content=target,
        red_tests=[red(code, **others) for code in codes or ("expect(1).toBe(2);",)],
        framework=framework,
        language=language,
    )


def dedent(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


def codes(integration: Integration) -> list[str]:
    return [warning.code for warning in integration.warnings]


def parent_of(integration: Integration) -> str:
    assert integration.point is not None
    return integration.point.parent


def strategy_of(integration: Integration) -> str:
    assert integration.point is not None
    return integration.point.strategy


def without_inserted(result: Integration) -> str:
    content = result.content.encode()
    for span in reversed(result.inserted):
        content = content[: span.start] + content[span.end :]
    return content.decode()
