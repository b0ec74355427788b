"""Real PHPUnit runs: old tests pass, the new one fails by assertion until the code is fixed."""

import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.phases.test_integration.frameworks.shared import Into, red
from tests.phases.test_integration.runners.needs import need

pytestmark = pytest.mark.slow

VULNERABLE = (
    "<?php\nnamespace Shop;\nclass Users {\n"
    "    public function find(string $name): string { return \"WHERE name = '$name'\"; }\n}\n"
)
FIXED = VULNERABLE.replace("\"WHERE name = '$name'\"", "strlen($name) ? 'WHERE name = ?' : ''")
HEAD = "<?php\n\nnamespace Shop\\Tests;\n\nuse PHPUnit\\Framework\\TestCase;\nuse Shop\\Users;\n\n"
OLD = (
    "    public function testOld(): void\n    {\n"
    "        $this->assertNotSame('', (new Users())->find('x'));\n    }\n"
)
FILES = {
    "PrefixTest.php": HEAD + "final class PrefixTest extends TestCase\n{\n" + OLD + "}\n",
    "AnnotationTest.php": HEAD.replace("\n", "\r\n")
    + (
        "class AnnotationTest extends TestCase {\n    private $users;\n\n"
        "    protected function setUp(): void {\n"
        "        $this->users = new Users();\n    }\n\n    /** @test */\n    public function testOld() {\n"
        "        $this->assertNotNull($this->users);\n    }\n\n    /** @test */\n"
        "    public function it_is() {\n"
        "        $this->assertNotNull($this->users);\n    }\n}"
    ).replace("\n", "\r\n"),
    "WholeTest.php": HEAD + "abstract class Base extends TestCase {}\n\nclass WholeTest extends Base\n{\n"
    "\tprivate function helper() {}\n\n" + OLD.replace("    ", "\t") + "}\n",
}
ASSERTION = "$this->assertStringNotContainsString('OR 1=1', {}->find(\"' OR 1=1 --\"));"
CODES = {
    "PrefixTest.php": ASSERTION.format("(new Users())"),
    "AnnotationTest.php": ASSERTION.format("$this->users"),
    "WholeTest.php": (
        "<?php\nuse Shop\\Users as Accounts;\n\nclass AttackTest extends TestCase {\n"
        "    private $accounts;\n\n"
        "    protected function setUp(): void {\n        parent::setUp();\n"
        "        $this->accounts = new Accounts();\n"
        "    }\n\n    /** @dataProvider attacks */\n    public function testAttack($attack): void {\n"
        "        $this->assertStringNotContainsString('OR 1=1', $this->accounts->find($attack));\n    }\n\n"
        '    public static function attacks(): array { return [["\' OR 1=1 --"]]; }\n}\n'
    ),
}


def run(directory: Path, users: str) -> dict[str, str]:
    """Return the outcome of every test: passed, failure (by assertion) or error."""
    (directory / "Users.php").write_text(users)
    report = directory / "junit.xml"
    command = [
        "phpunit",
        "--no-configuration",
        "--bootstrap",
        "Users.php",
        "--log-junit",
        str(report),
        "tests",
    ]
    finished = subprocess.run(
        command, cwd=directory, capture_output=True, text=True, timeout=120, check=False
    )
    assert report.exists(), finished.stdout + finished.stderr
    outcomes = {}
    for case in ET.parse(report).iter("testcase"):
        bad = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        outcomes[f"{case.get('class')}::{case.get('name')}"] = bad[0] if bad else "passed"
    return outcomes


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("php", "phpunit")
    directory = tmp_path_factory.mktemp("phpunit")
    (directory / "tests").mkdir()
    for name, content in FILES.items():
        test = red(CODES[name], attack="' OR 1=1 -- ?>", vulnerableCodePath="Users.php")
        result = Into("phpunit", "php").insert(content, test)
        assert result.method == "ast"
        (directory / "tests" / name).write_bytes(result.content.encode())
    return directory


def test_on_vulnerable_code_only_the_new_ones_fail_and_by_assertion(project):
    outcomes = run(project, VULNERABLE)
    old = {name: result for name, result in outcomes.items() if name.endswith(("testOld", "it_is"))}
    new = {name: result for name, result in outcomes.items() if name not in old}
    assert set(old.values()) == {"passed"}
    assert (len(old), len(new)) == (4, 3)
    assert set(new.values()) == {"failure"}


def test_on_fixed_code_all_pass(project):
    outcomes = run(project, FIXED)
    assert len(outcomes) == 7
    assert set(outcomes.values()) == {"passed"}
