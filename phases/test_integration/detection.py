"""Tells which test framework a project uses, from its manifests and the names of its files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from phases.test_integration.errors import FrameworkNotDetected, InvalidValue, NothingToDetect
from phases.test_integration.framework import Framework, Signals
from phases.test_integration.frameworks import FRAMEWORKS
from phases.test_integration.manifests import (
    LONGEST_MANIFEST,
    MOST_FILES,
    READERS,
    Finding,
    Location,
    Mention,
)
from phases.test_integration.words import split_path


@dataclass(frozen=True, slots=True)
class Detection:
    framework: str
    version: str | None
    test_dir: str
    compatible_with: tuple[str, ...]


def detect_framework(manifests: Mapping[str, object]) -> Detection:
    """The project's framework, and the others that were found beside it.

    `manifests` has the request's own keys (`packageJson`, `gemfile`, ..., `configFiles`); null is absent.
    Raises NothingToDetect, FrameworkNotDetected, and InvalidValue for what is of a wrong type.
    """
    given = {
        key: value
        for key, value in manifests.items()
        if value is not None and (key in READERS or key == "configFiles")
    }
    if not given:
        raise NothingToDetect
    config_files = _config_files(given.pop("configFiles", []))
    texts = {key: len(value) for key, value in given.items() if isinstance(value, str)}
    if sum(texts.values()) > LONGEST_MANIFEST:
        message = f"the manifests may have {LONGEST_MANIFEST} characters together"
        raise InvalidValue(message, field=max(texts, key=lambda key: texts[key]))
    findings = [finding for key, value in given.items() for finding in READERS[key](key, value)]
    mentions = [finding for finding in findings if isinstance(finding, Mention)]
    found = [each for each in FRAMEWORKS.values() if _is_named(each.signals, mentions, config_files)]
    if not found:
        raise FrameworkNotDetected
    first, *others = found
    return Detection(
        framework=first.name,
        version=_version(first.signals, mentions),
        test_dir=_test_dir(first, findings),
        compatible_with=tuple(other.name for other in others),
    )


def _config_files(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise InvalidValue("must be a list of file names", field="configFiles")
    if len(value) > MOST_FILES:
        raise InvalidValue(f"must have at most {MOST_FILES} file names", field="configFiles")
    return ["/" + "/".join((*directories, name)) for directories, name in map(split_path, value)]


def _is_named(signals: Signals, mentions: Iterable[Mention], config_files: Iterable[str]) -> bool:
    ends = tuple(f"/{name}" for name in signals.config_files)
    if any(path.endswith(ends) for path in config_files):
        return True
    names = {ecosystem: frozenset(packages) for ecosystem, packages in signals.packages.items()}
    return any(
        mention.package in names.get(mention.ecosystem, ())
        or mention.package.startswith(signals.implied_by.get(mention.ecosystem, ()))
        for mention in mentions
    )


def _version(signals: Signals, mentions: Iterable[Mention]) -> str | None:
    """The first that is given, asking the framework's own package before those that go with it."""
    versions: dict[tuple[str, str], str] = {}
    for mention in mentions:
        if mention.version:
            versions.setdefault((mention.ecosystem, mention.package), mention.version)
    for ecosystem, packages in signals.packages.items():
        for package in packages:
            if version := versions.get((ecosystem, package)):
                return version
    return None


def _test_dir(framework: Framework, findings: Iterable[Finding]) -> str:
    configured = (each for each in findings if isinstance(each, Location))
    return next(
        (each.directory for each in configured if each.framework == framework.name), framework.test_dir
    )
