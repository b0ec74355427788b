"""Errors of test insertion, each with the code, status and field that the API reports."""

from __future__ import annotations

from core.errors import DomainError


class TestIntegrationError(DomainError):
    """Base of all errors of the engine; `field` is the invalid field of the request, if there is one."""

    __test__ = False  # the name begins with Test, and pytest would try to collect it

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message, fields=None if field is None else {field: message})
        self.field = field


class InvalidValue(TestIntegrationError):
    """A value is missing, of the wrong type, or not text."""


class UnsupportedFramework(TestIntegrationError):
    """The framework is unknown."""

    def __init__(self, framework: str) -> None:
        super().__init__(f"unsupported framework: {framework[:60]!r}", field="framework")


class LanguageMismatch(TestIntegrationError):
    """The framework does not support the language, or the language is unknown."""

    def __init__(self, framework: str, language: str) -> None:
        super().__init__(f"{framework} does not belong to the language {language[:60]!r}", field="language")


class InsertionNotSupported(TestIntegrationError):
    """The framework is known for naming and detection only."""

    def __init__(self, framework: str) -> None:
        super().__init__(f"test insertion for {framework} is not available yet", field="framework")


class NothingToDetect(TestIntegrationError):
    """The request has no manifest."""

    def __init__(self) -> None:
        super().__init__("no manifest was given: send at least one of packageJson, gemfile, configFiles, ...")


class FrameworkNotDetected(TestIntegrationError):
    """No manifest names a test framework."""

    code = "VALIDATION_ERROR"
    status = 422

    def __init__(self) -> None:
        super().__init__("no test framework was found in what was given")


class InvalidTestCode(TestIntegrationError):
    """The test is not valid code in the target's language, so no file can take it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, field="testSuite.redTests")


class TargetRejected(TestIntegrationError):
    """The test cannot be inserted into this file safely."""

    code = "VALIDATION_ERROR"
    status = 422

    def __init__(self, message: str) -> None:
        super().__init__(message, field="targetFileContent")
