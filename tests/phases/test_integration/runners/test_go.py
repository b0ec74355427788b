"""Real `go test` runs: old tests pass, the new one fails with its own message until the code is fixed."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from phases.test_integration.services import generate
from tests.phases.test_integration.runners.needs import need

pytestmark = pytest.mark.slow

VULNERABLE = (
    "package shop\n\nfunc Find(name string) string {\n"
    '\treturn "SELECT * FROM users WHERE name = \'" + name + "\'"\n}\n'
)
FIXED = 'package shop\n\nfunc Find(name string) string {\n\treturn "SELECT * FROM users WHERE name = ?"\n}\n'
OLD = '{\n\tif Find("x") == "" {\n\t\tt.Fatal("empty")\n\t}\n}\n'
ATTACK = "' OR 1=1 --"

FILES = {
    "body_test.go": 'package shop\n\nimport "testing"\n\nfunc TestOldBody(t *testing.T) ' + OLD,
    "group_test.go": 'package shop\n\nimport "testing"\n\nfunc TestSecurity(t *testing.T) {\n'
    '\tt.Run("old", func(t *testing.T) {\n\t\tif Find("x") == "" {\n\t\t\tt.Fatal("empty")\n\t\t}\n\t})\n}\n',
    "whole_test.go": 'package shop\r\n\r\nimport (\r\n\ttt "testing"\r\n)\r\n\r\nfunc TestOldWhole(t *tt.T) '
    + OLD.replace("\n", "\r\n").rstrip(),
    "outer_test.go": 'package shop_test\n\nimport (\n\t"testing"\n\n\t"example.com/shop"\n)\n\n'
    "func TestOldOuter(t *testing.T) " + OLD.replace("Find", "shop.Find"),
    "empty_test.go": "",
}
CODES = {
    "body_test.go": '    query := Find("\' OR 1=1 --")\n    if strings.Contains(query, "OR 1=1") {\n'
    '        t.Errorf("injected: %s", query)\n    }',
    "group_test.go": 'if got := Find("\' OR 1=1 --"); strings.Contains(got, `OR 1=1`) {\n'
    '\tt.Error("injected")\n}',
    "whole_test.go": 'package shop\n\nimport (\n\t"regexp"\n\t"testing"\n)\n\nvar attack = "\' OR 1=1 --"\n\n'
    "func query() string { return Find(attack) }\n\nfunc TestQueryIsClean(t *testing.T) {\n"
    '\tif regexp.MustCompile(`OR 1=1`).MatchString(query()) {\n\t\tt.Fatal("injected")\n\t}\n}\n',
    "outer_test.go": 'if strings.Contains(shop.Find("\' OR 1=1 --"), "OR 1=1") {\n\tt.Fatal("injected")\n}',
    "empty_test.go": 'if strings.Contains(Find("\' OR 1=1 --"), "OR 1=1") {\n\tt.Fatal("injected")\n}',
}
NEW = {
    "TestSecurityShopKeepsQuotesOutBody",
    "TestSecurity/keeps_quotes_out_group",
    "TestSecurity",
    "TestQueryIsCleanShop",
    "TestSecurityShopKeepsQuotesOutOuter",
    "TestSecurityShopKeepsQuotesOutEmpty",
}
OLD_TESTS = {"TestOldBody", "TestSecurity/old", "TestOldWhole", "TestOldOuter"}


def run(directory: Path, shop: str) -> tuple[dict[str, str], str]:
    """Return the outcome of every test, and the output."""
    (directory / "shop.go").write_text(shop)
    environment = {"GOFLAGS": "-mod=mod", "GOPROXY": "off", "GO111MODULE": "on", "GOTOOLCHAIN": "local"}
    done = subprocess.run(
        ["go", "test", "-json", "-vet=off", "./..."],
        cwd=directory,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    outcomes = {
        event["Test"]: event["Action"]
        for event in events
        if event.get("Test") and event["Action"] in ("pass", "fail", "skip")
    }
    return outcomes, "".join(event.get("Output", "") for event in events) + done.stderr


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("go")
    directory = tmp_path_factory.mktemp("project")
    (directory / "go.mod").write_text("module example.com/shop\n\ngo 1.19\n")
    for name, content in FILES.items():
        red_test = {
            "testName": f"keeps quotes out {name.removesuffix('_test.go')}",
            "testCode": CODES[name],
            "attackVector": ATTACK,
            "vulnerableCodePath": "shop/shop.go",
        }
        result = generate(target_file_content=content, red_tests=[red_test], framework="go", language="go")
        (directory / name).write_bytes(result.content.encode())
    return directory


@pytest.fixture(scope="module")
def outcome(project: Path) -> tuple[dict[str, str], str]:
    return run(project, VULNERABLE)


class TestOnVulnerableCode:
    def test_old_tests_pass(self, outcome):
        assert {test for test, result in outcome[0].items() if result == "pass"} == OLD_TESTS, outcome[1]

    def test_every_new_one_fails_with_its_own_message(self, outcome):
        assert {test for test, result in outcome[0].items() if result == "fail"} == NEW
        assert outcome[1].count(": injected") == len(FILES)
        assert "panic" not in outcome[1]


class TestOnFixedCode:
    def test_all_pass(self, project):
        outcomes, output = run(project, FIXED)
        assert set(outcomes) == NEW | OLD_TESTS, output
        assert set(outcomes.values()) == {"pass"}
