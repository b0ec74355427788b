"""JUnit 5: tests are annotated methods of classes and of their `@Nested` classes."""

from __future__ import annotations

import re

from tree_sitter import Tree

from phases.test_integration.framework import DetectionHints, Framework, NamingSubject
from phases.test_integration.languages.java.outline import GRAMMAR, read_outline
from phases.test_integration.languages.java.target import JunitTarget
from phases.test_integration.read.document import Document
from phases.test_integration.read.syntax import Grammar

_MAIN = ("src", "main", "java")


class JunitInserter:
    """Reads JUnit 5 files."""

    grammars: tuple[Grammar, ...] = (GRAMMAR,)

    def read(self, document: Document, tree: Tree) -> JunitTarget:
        return JunitTarget(read_outline(document, tree))


def _test_path(subject: NamingSubject) -> str:
    """Return a path in the class's package, as Maven and Gradle require: `src/test/java/<package>/`."""
    name = f"{subject.module_pascal}{subject.type_pascal}Test.java"
    return "/".join((*_directory(subject.directories), name))


def _directory(directories: tuple[str, ...]) -> tuple[str, ...]:
    if all(re.fullmatch(r"[A-Za-z_][\w.-]*", part, re.ASCII) for part in directories):
        for start in range(len(directories) - 2):
            if directories[start : start + 3] == _MAIN:
                return (*directories[:start], "src", "test", "java", *directories[start + 3 :])
    return ("src", "test", "java", "security")


FRAMEWORK = Framework(
    name="junit5",
    languages=("java",),
    test_dir="src/test/java/",
    test_path=_test_path,
    detection_hints=DetectionHints(
        packages={
            "maven": (
                "org.junit.jupiter:junit-jupiter",
                "org.junit.jupiter:junit-jupiter-api",
                "org.junit.jupiter:junit-jupiter-engine",
                "org.junit:junit-bom",
            )
        },
        implied_by={"maven": ("org.junit.jupiter:", "org.springframework.boot:spring-boot-starter-test")},
        config_files=("junit-platform.properties",),
    ),
    precedence=90,
    inserter=JunitInserter(),
)
