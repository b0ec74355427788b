"""PHPUnit: tests are methods of classes that extend `TestCase`."""

from __future__ import annotations

from tree_sitter import Tree

from phases.test_integration.framework import DetectionHints, Framework, NamingSubject
from phases.test_integration.languages.php.outline import GRAMMAR, read_outline
from phases.test_integration.languages.php.target import PhpunitTarget
from phases.test_integration.read.document import Document
from phases.test_integration.read.syntax import Grammar


class PhpunitInserter:
    """Reads PHPUnit files."""

    grammars: tuple[Grammar, ...] = (GRAMMAR,)

    def read(self, document: Document, tree: Tree) -> PhpunitTarget:
        return PhpunitTarget(read_outline(document, tree))


def _test_path(subject: NamingSubject) -> str:
    return f"tests/Security/{subject.module_pascal}{subject.type_pascal}Test.php"


FRAMEWORK = Framework(
    name="phpunit",
    languages=("php",),
    test_dir="tests/",
    test_path=_test_path,
    detection_hints=DetectionHints(
        packages={"composer": ("phpunit/phpunit",)},
        config_files=("phpunit.xml", "phpunit.xml.dist", "phpunit.dist.xml"),
    ),
    precedence=80,
    inserter=PhpunitInserter(),
)
