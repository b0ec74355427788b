"""Detects a project's test framework from its manifests and file names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from phases.test_integration.discovery.manifests import (
    MAX_FILES,
    MAX_MANIFEST_LENGTH,
    READERS,
    ConfiguredDirectory,
    Finding,
    PackageMention,
)
from phases.test_integration.errors import FrameworkNotDetected, InvalidValue, NothingToDetect
from phases.test_integration.framework import DetectionHints, Framework
from phases.test_integration.frameworks import FRAMEWORKS
from phases.test_integration.words import split_path


@dataclass(frozen=True, slots=True)
class Detection:
    """The detected framework; `compatible_with` are the other frameworks found, in order of precedence."""

    framework: str
    version: str | None
    test_dir: str
    compatible_with: tuple[str, ...]


def detect_framework(manifests: Mapping[str, object]) -> Detection:
    """Return the project's framework, and the other frameworks that were found.

    `manifests` has the request's keys (`packageJson`, `gemfile`, ..., `configFiles`); None means absent.
    Raises NothingToDetect, FrameworkNotDetected, and InvalidValue for a value of the wrong type.
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
    if sum(texts.values()) > MAX_MANIFEST_LENGTH:
        message = f"the manifests may have {MAX_MANIFEST_LENGTH} characters together"
        raise InvalidValue(message, field=max(texts, key=lambda key: texts[key]))
    findings = [finding for key, value in given.items() for finding in READERS[key](key, value)]
    mentions = [finding for finding in findings if isinstance(finding, PackageMention)]
    found = [each for each in FRAMEWORKS.values() if _is_named(each.detection_hints, mentions, config_files)]
    if not found:
        raise FrameworkNotDetected
    first, *others = found
    return Detection(
        framework=first.name,
        version=_version(first.detection_hints, mentions),
        test_dir=_test_dir(first, findings),
        compatible_with=tuple(other.name for other in others),
    )


def _config_files(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise InvalidValue("must be a list of file names", field="configFiles")
    if len(value) > MAX_FILES:
        raise InvalidValue(f"must have at most {MAX_FILES} file names", field="configFiles")
    return ["/" + "/".join((*directories, name)) for directories, name in map(split_path, value)]


def _is_named(
    detection_hints: DetectionHints, mentions: Iterable[PackageMention], config_files: Iterable[str]
) -> bool:
    ends = tuple(f"/{name}" for name in detection_hints.config_files)
    if any(path.endswith(ends) for path in config_files):
        return True
    names = {ecosystem: frozenset(packages) for ecosystem, packages in detection_hints.packages.items()}
    return any(
        mention.package in names.get(mention.ecosystem, ())
        or mention.package.startswith(detection_hints.implied_by.get(mention.ecosystem, ()))
        for mention in mentions
    )


def _version(detection_hints: DetectionHints, mentions: Iterable[PackageMention]) -> str | None:
    """Return the version of the framework's own package, else of the first related package that has one."""
    versions: dict[tuple[str, str], str] = {}
    for mention in mentions:
        if mention.version:
            versions.setdefault((mention.ecosystem, mention.package), mention.version)
    for ecosystem, packages in detection_hints.packages.items():
        for package in packages:
            if version := versions.get((ecosystem, package)):
                return version
    return None


def _test_dir(framework: Framework, findings: Iterable[Finding]) -> str:
    configured = (each for each in findings if isinstance(each, ConfiguredDirectory))
    return next(
        (each.directory for each in configured if each.framework == framework.name), framework.test_dir
    )
