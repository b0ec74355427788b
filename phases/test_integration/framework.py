"""The description of a test framework. Each module of `frameworks/` defines one `Framework`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from phases.test_integration.words import camel, pascal, snake, split_extension, split_path

if TYPE_CHECKING:
    from phases.test_integration.plan.protocols import Inserter


@dataclass(frozen=True, slots=True)
class NamingSubject:
    """The vulnerable file and the vulnerability type, split into the parts of a test file's name."""

    directories: tuple[str, ...]
    module: str
    extension: str
    vulnerability_type: str

    @classmethod
    def of(cls, vulnerable_file: str, vulnerability_type: str) -> NamingSubject:
        directories, file_name = split_path(vulnerable_file)
        stem, extension = split_extension(file_name)
        if stem == "__init__" and directories:
            stem = directories[-1]
        return cls(tuple(directories), stem, extension.lower(), vulnerability_type)

    @property
    def module_snake(self) -> str:
        return snake(self.module, "module")

    @property
    def module_pascal(self) -> str:
        return pascal(self.module, "Module")

    @property
    def type_snake(self) -> str:
        return snake(self.vulnerability_type, "security")

    @property
    def type_camel(self) -> str:
        return camel(self.vulnerability_type, "security")

    @property
    def type_pascal(self) -> str:
        return self.type_camel[0].upper() + self.type_camel[1:]


@dataclass(frozen=True, slots=True)
class DetectionHints:
    """What identifies a framework in a project's manifests.

    `packages` maps an ecosystem (npm, gem, pypi, maven, composer, hex, go) to lower-case package names
    whose version is the framework's, the best first. `implied_by` maps it to name prefixes of packages that
    require the framework but have their own version. `config_files` are file names, or the last segments of
    a path.
    """

    packages: Mapping[str, tuple[str, ...]]
    implied_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    config_files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Framework:
    """A test framework: its languages, how its files are named and detected, how a test is inserted.

    Where a project has several frameworks, the one with the lowest `precedence` is reported. `inserter` is
    None for a framework that is only named and detected; `inserters` overrides it by language.
    """

    name: str
    languages: tuple[str, ...]
    test_dir: str
    test_path: Callable[[NamingSubject], str]
    detection_hints: DetectionHints
    precedence: int
    inserter: Inserter | None = None
    inserters: Mapping[str, Inserter] = field(default_factory=dict)

    def inserter_for(self, language: str) -> Inserter | None:
        return self.inserters.get(language, self.inserter)
