"""What a test framework is to us. Each one is a file in `frameworks/` that makes one `Framework`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from phases.test_integration.words import camel, pascal, snake, split_extension, split_path

if TYPE_CHECKING:
    from phases.test_integration.insertion import Inserter


@dataclass(frozen=True, slots=True)
class Subject:
    """The vulnerable file and the kind of its flaw, cut into the parts that a test's name is made of."""

    directories: tuple[str, ...]
    module: str
    extension: str
    kind: str

    @classmethod
    def of(cls, vulnerable_file: str, kind: str) -> Subject:
        directories, file_name = split_path(vulnerable_file)
        stem, extension = split_extension(file_name)
        if stem == "__init__" and directories:
            stem = directories[-1]
        return cls(tuple(directories), stem, extension.lower(), kind)

    @property
    def module_snake(self) -> str:
        return snake(self.module, "module")

    @property
    def module_pascal(self) -> str:
        return pascal(self.module, "Module")

    @property
    def kind_snake(self) -> str:
        return snake(self.kind, "security")

    @property
    def kind_camel(self) -> str:
        return camel(self.kind, "security")

    @property
    def kind_pascal(self) -> str:
        return self.kind_camel[0].upper() + self.kind_camel[1:]


@dataclass(frozen=True, slots=True)
class Signals:
    """What gives a framework away in a project's manifests.

    `packages` maps an ecosystem (npm, gem, pypi, maven, composer, hex, go) to names in lower case whose
    version is the framework's, the best first; `implied_by` to beginnings of names that need the framework
    and have a version of their own. `config_files` are file names, or the last segments of a path.
    """

    packages: Mapping[str, tuple[str, ...]]
    implied_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    config_files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Framework:
    """One test framework: its languages, where its tests go, how it is recognised, how a test is inserted.

    Of several frameworks in one project the lowest `precedence` is the one that is named.
    `inserter` is None while we can name and detect the framework's files, but not yet insert into them;
    `inserters` has those of languages that want another one.
    """

    name: str
    languages: tuple[str, ...]
    test_dir: str
    test_path: Callable[[Subject], str]
    signals: Signals
    precedence: int
    inserter: Inserter | None = None
    inserters: Mapping[str, Inserter] = field(default_factory=dict)

    def inserter_for(self, language: str) -> Inserter | None:
        return self.inserters.get(language, self.inserter)
