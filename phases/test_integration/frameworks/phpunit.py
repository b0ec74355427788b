"""PHPUnit: tests are methods of classes that extend its test case."""

from __future__ import annotations

from tree_sitter import Tree

from phases.test_integration.document import Document
from phases.test_integration.framework import Framework, Signals, Subject
from phases.test_integration.php.layout import GRAMMAR, read_outline
from phases.test_integration.php.target import PhpunitTarget
from phases.test_integration.syntax import Grammar


class PhpunitInserter:
    """Reads and writes PHPUnit's files."""

    grammars: tuple[Grammar, ...] = (GRAMMAR,)

    def read(self, document: Document, tree: Tree) -> PhpunitTarget:
        return PhpunitTarget(read_outline(document, tree))


def _test_path(subject: Subject) -> str:
    return f"tests/Security/{subject.module_pascal}{subject.kind_pascal}Test.php"


FRAMEWORK = Framework(
    name="phpunit",
    languages=("php",),
    test_dir="tests/",
    test_path=_test_path,
    signals=Signals(
        packages={"composer": ("phpunit/phpunit",)},
        config_files=("phpunit.xml", "phpunit.xml.dist", "phpunit.dist.xml"),
    ),
    precedence=80,
    inserter=PhpunitInserter(),
)
