"""Real JUnit 5 runs: old tests pass, the new one fails by assertion until the code is fixed."""

import os
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.phases.test_integration.frameworks.shared import Into, red
from tests.phases.test_integration.runners.needs import need

pytestmark = pytest.mark.slow

JARS = [
    f"/usr/share/java/{name}.jar"
    for name in (
        "apiguardian-api",
        "junit-jupiter-api",
        "junit-jupiter-engine",
        "junit-jupiter-params",
        "junit-platform-commons",
        "junit-platform-console",
        "junit-platform-engine",
        "junit-platform-launcher",
        "junit-platform-reporting",
        "opentest4j",
        "picocli",
    )
]
VULNERABLE = (
    "package shop;\n\nclass Users {\n    String find(String name) {\n"
    '        return "WHERE name = \'" + name + "\'";\n    }\n}\n'
)
FIXED = VULNERABLE.replace('"WHERE name = \'" + name + "\'"', '"WHERE name = ?"')
FILES = {
    "StaticTest.java": (
        "package shop;\n\nimport static org.junit.jupiter.api.Assertions.assertNotNull;\n\n"
        "import org.junit.jupiter.api.Disabled;\nimport org.junit.jupiter.api.Nested;\n"
        "import org.junit.jupiter.api.Test;\n\nclass StaticTest {\n"
        "    private final Users users = new Users();\n\n"
        '    @Test\n    void old() {\n        assertNotNull(users.find("x"));\n    }\n\n'
        "    @Disabled\n    @Nested\n    class Off {\n        @Test\n        void never() {\n"
        "        }\n    }\n}\n"
    ),
    "ClassTest.java": (
        "package shop;\r\n\r\nimport org.junit.jupiter.api.*;\r\n\r\npublic class ClassTest {\r\n"
        '\t@Test public void testOld() { Assertions.assertNotNull(new Users().find("x")); }\r\n}'
    ),
    "WholeTest.java": (
        "package shop;\n\nimport org.junit.jupiter.api.Assertions;\nimport org.junit.jupiter.api.Test;\n\n"
        "class WholeTest {\n  @Test\n  void old() {\n    Assertions.assertTrue(true);\n  }\n}\n"
    ),
}
CODES = {
    "StaticTest.java": (
        'String query = users.find(List.of("\' OR 1=1").get(0));\n'
        'assertFalse(query.contains("OR 1=1"), """\n  two\n lines""");'
    ),
    "ClassTest.java": (
        "@Test\nvoid attack() {\n"
        '    Assertions.assertEquals(-1, new Users().find("\' OR 1=1").indexOf("OR"));\n}'
    ),
    "WholeTest.java": (
        "package other;\n\nimport org.junit.jupiter.api.BeforeEach;\nimport org.junit.jupiter.api.Test;\n"
        "import static org.junit.jupiter.api.Assertions.*;\n\npublic class AttackTest {\n"
        "    private Users users;\n\n"
        "    @BeforeEach\n    void setUp() {\n        users = new Users();\n    }\n\n"
        "    @Test\n    void attack() {\n"
        '        assertFalse(users.find("OR 1=1").contains("OR"));\n    }\n}\n'
    ),
}


def run(directory: Path, users: str) -> dict[str, str]:
    """Return the outcome of every test: passed, skipped, failure (by assertion) or error."""
    (directory / "Users.java").write_text(users)
    path = ":".join([*JARS, "classes"])
    sources = [each.name for each in directory.glob("*.java")]
    command = ["javac", "-encoding", "US-ASCII", "-d", "classes", "-cp", path, *sources]
    compiled = subprocess.run(
        command, cwd=directory, capture_output=True, text=True, timeout=120, check=False
    )
    assert compiled.returncode == 0, compiled.stderr
    launcher = ["org.junit.platform.console.ConsoleLauncher", "--disable-banner"]
    command = ["java", "-cp", path, *launcher, "--scan-classpath", "classes", "--reports-dir", "reports"]
    finished = subprocess.run(
        command, cwd=directory, capture_output=True, text=True, timeout=120, check=False
    )
    report = directory / "reports" / "TEST-junit-jupiter.xml"
    assert report.exists(), finished.stdout + finished.stderr
    outcomes = {}
    for case in ET.parse(report).iter("testcase"):
        bad = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        outcomes[f"{case.get('classname')}::{case.get('name')}"] = bad[0] if bad else "passed"
    return outcomes


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("java", "javac")
    if missing := [jar for jar in JARS if not Path(jar).exists()]:
        assert os.environ.get("CI") != "true", f"not installed: {missing}"
        pytest.skip(f"not installed: {', '.join(missing)}")
    directory = tmp_path_factory.mktemp("junit5")
    for name, content in FILES.items():
        test = red(CODES[name], attack="' OR 1=1 -- \\u000a } é", vulnerableCodePath="shop/Users.java")
        result = Into("junit5", "java").insert(content, test)
        assert result.method == "ast"
        (directory / name).write_bytes(result.content.encode())
    return directory


def test_on_vulnerable_code_only_the_new_ones_fail_and_by_assertion(project):
    outcomes = run(project, VULNERABLE)
    old = {name: result for name, result in outcomes.items() if "old" in name.lower()}
    new = {name: result for name, result in outcomes.items() if name not in old and "Off" not in name}
    assert set(old.values()) == {"passed"}
    assert (len(old), len(new)) == (3, 3)
    assert set(new.values()) == {"failure"}


def test_on_fixed_code_all_pass(project):
    outcomes = {name: result for name, result in run(project, FIXED).items() if "Off" not in name}
    assert len(outcomes) == 6
    assert set(outcomes.values()) == {"passed"}
