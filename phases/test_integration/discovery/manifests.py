"""Reads test frameworks and test directories from package manifests. Manifests are untrusted input."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from phases.test_integration.errors import InvalidValue

MAX_MANIFEST_LENGTH = 1_000_000  # characters, all manifests of a request together
MAX_SECTION_ENTRIES = 5_000  # of one section of packages
MAX_PATTERNS = 100  # of one test runner's configuration; the rest is ignored
MAX_FILES = 20_000
# tomllib's memory grows with the square of a dotted key's length; these limits keep a file below 0.5 s.
MAX_TOML_LENGTH = 262_144
MAX_DOTS_PER_TOML_LINE = 300

_NPM_SECTIONS = ("devDependencies", "dependencies", "peerDependencies", "optionalDependencies")
_NPM_PATTERNS = {"vitest": ("include",), "jest": ("testMatch",), "mocha": ("spec",)}
_VERSION = re.compile(r"[\s^~<>=v!]*(\d[\w.+-]*)")
_REQUIREMENT = re.compile(r"([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?([^;@]*)(@?)")
_GEM = re.compile(r"""\bgem[\s(]\s*(["'])([\w-]+)\1""")
# Possessive quantifiers: no text can make the pattern backtrack.
_GEM_CONSTRAINT = re.compile(r"""\s*+,\s*+\[?+\s*+(["'])([^"']*+)\1""")
_PROPERTY = re.compile(r"<([^<>\s/]+)>([^<]*)</\1>")
_GLOB = re.compile(r"[*?{}\[\]()!]")


@dataclass(frozen=True, slots=True)
class PackageMention:
    """A package named in a manifest; `package` is lower case, `version` None where none is given."""

    ecosystem: str
    package: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class ConfiguredDirectory:
    """A directory that a framework's configuration names as a place for tests."""

    framework: str
    directory: str


Finding = PackageMention | ConfiguredDirectory


def read_package_json(field: str, value: object) -> Iterator[Finding]:
    """Yield npm packages, and the frameworks and directories that package.json configures."""
    package = _object(field, value)
    for section in _NPM_SECTIONS:
        for name, version in _strings(f"{field}.{section}", package.get(section)):
            yield PackageMention("npm", name.lower(), _npm_version(version))
    for framework, keys in _NPM_PATTERNS.items():
        config = package.get(framework)
        if isinstance(config, Mapping):
            yield PackageMention("npm", framework)
            yield from _npm_locations(framework, config, keys)


def read_gemfile(field: str, value: object) -> Iterator[Finding]:
    """Yield gems with their constraints, joined by commas as written."""
    for line in _ruby_lines(_text(field, value)):
        for gem in _GEM.finditer(line):
            constraints = []
            position = gem.end()
            while constraint := _GEM_CONSTRAINT.match(line, position):
                constraints.append(constraint[2])
                position = constraint.end()
            yield PackageMention("gem", gem[2].lower(), ", ".join(constraints) or None)


def read_requirements(field: str, value: object) -> Iterator[Finding]:
    for line in _text(field, value).splitlines():
        yield from _requirement(line)


def read_pyproject(field: str, value: object) -> Iterator[Finding]:
    """Yield requirements of every packaging tool, and pytest's own configuration."""
    document = _toml(field, _text(field, value))
    for requirement in _pyproject_requirements(document):
        yield from _requirement(requirement)
    for name, version in _poetry_dependencies(_at(document, "tool", "poetry")):
        yield PackageMention("pypi", _pypi_name(name), _plain_version(version))
    options = _at(document, "tool", "pytest", "ini_options") or _at(document, "tool", "pytest")
    if options:
        yield PackageMention("pypi", "pytest")
        paths = options.get("testpaths")
        yield from _locations("pytest", paths.split() if isinstance(paths, str) else paths)


def read_pom(field: str, value: object) -> Iterator[Finding]:
    """Find dependencies by text search instead of an XML parser, so that no entity is expanded."""
    text = _without_blocks(_text(field, value), "<!--", "-->")
    # Reversed, so that the first of several definitions counts.
    properties = {name: inside.strip() for name, inside in reversed(_PROPERTY.findall(text))}
    for chunk in text.split("<dependency>")[1:]:
        dependency = chunk.partition("</dependency>")[0]
        group, artifact = _element(dependency, "groupId"), _element(dependency, "artifactId")
        version = _element(dependency, "version")
        if version and version.startswith("${"):
            version = properties.get(version[2:-1]) or None
        yield PackageMention("maven", f"{group}:{artifact}".lower(), version)


def read_composer(field: str, value: object) -> Iterator[Finding]:
    composer = _object(field, _json(field, value) if isinstance(value, str) else value)
    for section in ("require-dev", "require"):
        for name, version in _strings(f"{field}.{section}", composer.get(section)):
            yield PackageMention("composer", name.lower(), _plain_version(version))


def read_mix(field: str, value: object) -> Iterator[Finding]:
    """ExUnit is part of Elixir: every Mix project has it."""
    lines = (line.partition("#")[0] for line in _text(field, value).splitlines())
    if any("Mix.Project" in line or "def project" in line for line in lines):
        yield PackageMention("hex", "ex_unit")


def read_go_mod(field: str, value: object) -> Iterator[Finding]:
    """Go's testing package is part of Go: every module has it, in the version of the language."""
    lines = [line.partition("//")[0].split() for line in _text(field, value).splitlines()]
    if any(words[:1] == ["module"] and len(words) > 1 for words in lines):
        versions = (words[1] for words in lines if len(words) == 2 and words[0] == "go")
        yield PackageMention("go", "testing", next(versions, None))


READERS: dict[str, Callable[[str, object], Iterator[Finding]]] = {
    "packageJson": read_package_json,
    "gemfile": read_gemfile,
    "requirementsTxt": read_requirements,
    "pyprojectToml": read_pyproject,
    "pomXml": read_pom,
    "composerJson": read_composer,
    "mixExs": read_mix,
    "goMod": read_go_mod,
}


def _text(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidValue("must be a string", field=field)
    if len(value) > MAX_MANIFEST_LENGTH:
        raise InvalidValue(f"must have at most {MAX_MANIFEST_LENGTH} characters", field=field)
    return value.removeprefix("\ufeff")


def _object(field: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidValue("must be an object", field=field)
    return value


def _strings(field: str, value: object) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    packages = _object(field, value)
    if len(packages) > MAX_SECTION_ENTRIES:
        raise InvalidValue(f"must have at most {MAX_SECTION_ENTRIES} entries", field=field)
    for name, version in packages.items():
        if not isinstance(version, str):
            raise InvalidValue("must be an object of strings", field=field)
        yield name, version


def _json(field: str, text: str) -> object:
    try:
        return json.loads(_text(field, text))
    except (ValueError, RecursionError):
        raise InvalidValue("must be an object, or JSON of one", field=field) from None


def _toml(field: str, text: str) -> dict[str, Any]:
    # Not `splitlines`: a quoted key may contain a line end of Python's that is none in TOML.
    if len(text) > MAX_TOML_LENGTH or any(
        line.count(".") > MAX_DOTS_PER_TOML_LINE for line in text.split("\n")
    ):
        raise InvalidValue("is larger than a pyproject.toml that we read", field=field)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        raise InvalidValue("must be valid TOML", field=field) from None


def _at(document: object, *keys: str) -> dict[str, Any]:
    """Return the table under these keys, empty where it is missing or not a table."""
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}


def _plain_version(constraint: object) -> str | None:
    """Return the version without its operator (`^1.0.0`, `~29.0.0`, `==7.0.0`), None for no version."""
    found = _VERSION.match(constraint) if isinstance(constraint, str) else None
    return found[1].rstrip(".+-") if found else None


def _npm_version(constraint: str) -> str | None:
    # An alias: `npm:name@version`.
    if constraint.startswith("npm:"):
        constraint = constraint.rpartition("@")[2]
    return _plain_version(constraint.removeprefix("workspace:"))


def _npm_locations(
    framework: str, config: Mapping[str, Any], keys: Iterable[str]
) -> Iterator[ConfiguredDirectory]:
    nested = config.get("test")
    for section in (config, nested if isinstance(nested, Mapping) else {}):
        for key in keys:
            patterns = section.get(key)
            yield from _locations(framework, [patterns] if isinstance(patterns, str) else patterns)


def _locations(framework: str, patterns: object) -> Iterator[ConfiguredDirectory]:
    """Yield the fixed part of each glob: `<rootDir>/tests/**/*.test.ts` gives `tests/`."""
    for pattern in patterns[:MAX_PATTERNS] if isinstance(patterns, list) else []:
        if isinstance(pattern, str) and (directory := _fixed_directory(pattern)):
            yield ConfiguredDirectory(framework, directory)


def _fixed_directory(pattern: str) -> str:
    segments = pattern.replace("\\", "/").removeprefix("<rootDir>").split("/")
    fixed: list[str] = []
    for position, segment in enumerate(segments):
        if segment in ("", ".", "..") or (segment == "**" and not fixed):
            continue
        is_file = position == len(segments) - 1 and "." in segment
        if _GLOB.search(segment) or is_file:
            break
        fixed.append(segment)
    return "/".join(fixed) + "/" if fixed else ""


def _ruby_lines(text: str) -> Iterator[str]:
    """Yield lines of code without comments; a line that ends with a comma is joined to the next one."""
    in_comment = False
    held: list[str] = []
    for line in text.splitlines():
        if line.startswith(("=begin", "=end")):
            in_comment = line.startswith("=begin")
        elif not in_comment:
            code = re.sub(r"(^|\s)#.*", "", line).rstrip()
            if code.endswith(","):
                held += (code, " ")
                continue
            yield "".join((*held, code))
            held = []
    yield "".join(held)


def _requirement(line: str) -> Iterator[PackageMention]:
    found = _REQUIREMENT.match(re.sub(r"(^|\s)#.*", "", line).strip())
    if found:
        yield PackageMention(
            "pypi", _pypi_name(found[1]), None if found[3] else _plain_version(found[2].strip(" ("))
        )


def _pypi_name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _pyproject_requirements(document: dict[str, Any]) -> Iterator[str]:
    project, tool = _at(document, "project"), _at(document, "tool")
    lists = [
        project.get("dependencies"),
        _at(tool, "uv").get("dev-dependencies"),
        *_at(project, "optional-dependencies").values(),
        *_at(document, "dependency-groups").values(),
        *_at(tool, "pdm", "dev-dependencies").values(),
        *(_at(environment).get("dependencies") for environment in _at(tool, "hatch", "envs").values()),
    ]
    for requirements in lists:
        for requirement in requirements if isinstance(requirements, list) else []:
            if isinstance(requirement, str):
                yield requirement


def _poetry_dependencies(poetry: dict[str, Any]) -> Iterator[tuple[str, object]]:
    groups = (_at(group, "dependencies") for group in _at(poetry, "group").values())
    for table in (_at(poetry, "dependencies"), _at(poetry, "dev-dependencies"), *groups):
        for name, version in table.items():
            yield name, version.get("version") if isinstance(version, dict) else version


def _without_blocks(text: str, opener: str, closer: str) -> str:
    """Return the text without the blocks between the two; an unclosed block extends to the end."""
    pieces = text.split(opener)
    return pieces[0] + "".join(piece.partition(closer)[2] for piece in pieces[1:])


def _element(xml: str, name: str) -> str | None:
    inside = xml.partition(f"<{name}>")[2].partition(f"</{name}>")[0].strip()
    return inside or None
