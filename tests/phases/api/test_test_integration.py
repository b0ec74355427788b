import ast
from dataclasses import replace

import pytest
from django.test import Client

from phases.test_integration.frameworks import FRAMEWORKS

ANALYZE, GENERATE = "/api/v1/test-integration/analyze", "/api/v1/test-integration/generate"
NAMING, DETECT = "/api/v1/test-integration/naming", "/api/v1/framework/detect"

OLD = "import pytest\n\n\ndef test_home(client):\n    assert client.get('/').status_code == 200\n"
RED = {
    "testName": "search is not open to SQL injection",
    "testCode": "response = client.get('/search?q=%27 OR 1=1 --')\nassert response.json == []",
    "attackVector": "' OR 1=1 --",
}


def generate_body(**changes):
    body = {
        "targetFileContent": OLD,
        "testSuite": {"redTests": [RED]},
        "framework": "pytest",
        "language": "python",
        "requestId": "run-1",
    }
    return {name: value for name, value in (body | changes).items() if value is not ...}


def analyze_body(**changes):
    body = {
        "vulnerableFile": "app/controllers/users_controller.rb",
        "candidateTestFiles": ["spec/models/user_spec.rb", "spec/controllers/users_controller_spec.rb"],
        "framework": "rspec",
    }
    return {name: value for name, value in (body | changes).items() if value is not ...}


def error_of(response):
    return response.status_code, response.json()["error"]["code"]


class TestLargeBody:
    @pytest.mark.parametrize(
        ("path", "body", "field"),
        [
            (ANALYZE, {"candidateTestFiles": ["a"] * 20_001}, "candidateTestFiles"),
            (ANALYZE, {"candidateTestFiles": [{}] * 100_000}, "candidateTestFiles"),
            (ANALYZE, {"vulnerableFile": "a/" * 10_001}, "vulnerableFile"),
            (ANALYZE, {"vulnerabilityType": "a_" * 10_001}, "vulnerabilityType"),
            (GENERATE, {"testSuite": {"redTests": [{}] * 100_000}}, "testSuite"),
            (DETECT, {"configFiles": [0] * 20_001}, "configFiles"),
        ],
        ids=range(6),
    )
    def test_is_rejected_by_field(self, alice_api, path, body, field):
        whole = {ANALYZE: analyze_body, GENERATE: generate_body, DETECT: dict}[path](**body)
        response = alice_api.post(path, whole)
        assert error_of(response) == (400, "INVALID_REQUEST")
        assert [name.partition(".")[0] for name in response.json()["error"]["fields"]] == [field]

    def test_is_rejected_by_naming(self, alice_api):
        response = alice_api.post(NAMING, {"vulnerableFile": "a/" * 10_001, "type": "x", "framework": "go"})
        assert response.status_code == 400


class TestAnalyze:
    def test_ranks_all_candidates(self, alice_api):
        answer = alice_api.post(ANALYZE, analyze_body()).json()
        paths = [each["path"] for each in answer["recommendations"]]
        assert paths == ["spec/controllers/users_controller_spec.rb", "spec/models/user_spec.rb"]
        assert answer["recommendations"][0]["score"] > 1.4
        assert set(answer["recommendations"][0]) == {"path", "score", "reason"}

    def test_fallback_equals_the_result_of_naming(self, alice_api):
        body = analyze_body(candidateTestFiles=[], vulnerabilityType="sql_injection")
        answer = alice_api.post(ANALYZE, body).json()
        named = {"vulnerableFile": body["vulnerableFile"], "type": "sql_injection", "framework": "rspec"}
        assert answer["recommendations"] == []
        assert answer["fallback"]["path"] == alice_api.post(NAMING, named).json()["testPath"]

    @pytest.mark.parametrize("name", ["vulnerableFile", "candidateTestFiles", "framework"])
    @pytest.mark.parametrize("value", [..., 7, {"x": 1}])
    def test_names_the_missing_or_invalid_field(self, alice_api, name, value):
        response = alice_api.post(ANALYZE, analyze_body(**{name: value}))
        assert error_of(response) == (400, "INVALID_REQUEST")
        assert name in response.json()["error"]["fields"]

    def test_rejects_an_unknown_framework(self, alice_api):
        response = alice_api.post(ANALYZE, analyze_body(framework="nose"))
        assert error_of(response) == (400, "INVALID_REQUEST")
        assert "unsupported framework" in response.json()["error"]["message"].lower()


class TestGenerate:
    def test_returns_the_file_and_the_insertion_point(self, alice_api):
        answer = alice_api.post(GENERATE, generate_body()).json()
        ast.parse(answer["integratedContent"])
        assert answer["integratedContent"].startswith(OLD.rstrip())
        assert "security" in answer["integratedContent"]
        assert (answer["requestId"], answer["method"]) == ("run-1", "ast")
        assert set(answer["insertionPoint"]) == {"line", "strategy", "parent"}
        assert answer["timing"]["totalTimeMs"] > 0
        assert isinstance(answer["warnings"], list)

    def test_keeps_existing_white_space(self, alice_api):
        content = "\n\n" + OLD.replace("\n", "\r\n") + "   \r\n"
        answer = alice_api.post(GENERATE, generate_body(targetFileContent=content)).json()
        assert answer["integratedContent"].startswith("\n\nimport pytest\r\n")

    def test_generates_a_request_id(self, alice_api):
        response = alice_api.post(GENERATE, generate_body(requestId=...))
        assert response.json()["requestId"] == response["X-Request-Id"]

    def test_creates_a_new_file_from_empty_content(self, alice_api):
        answer = alice_api.post(GENERATE, generate_body(targetFileContent="")).json()
        assert "def test_" in answer["integratedContent"]

    @pytest.mark.parametrize("name", ["targetFileContent", "testSuite", "framework", "language"])
    @pytest.mark.parametrize("value", [..., 7, []])
    def test_names_the_missing_or_invalid_field(self, alice_api, name, value):
        response = alice_api.post(GENERATE, generate_body(**{name: value}))
        assert error_of(response) == (400, "INVALID_REQUEST")
        assert any(field.startswith(name) for field in response.json()["error"]["fields"])

    @pytest.mark.parametrize(
        "red_tests", [[], [{}], [7], "x", [RED | {"testCode": None}], [RED | {"testName": 7}]]
    )
    def test_requires_at_least_one_complete_red_test(self, alice_api, red_tests):
        response = alice_api.post(GENERATE, generate_body(testSuite={"redTests": red_tests}))
        assert error_of(response) == (400, "INVALID_REQUEST")

    @pytest.mark.parametrize(
        ("framework", "language"), [("pytest", "ruby"), ("nose", "python"), ("pytest", "cobol")]
    )
    def test_rejects_a_framework_of_another_language(self, alice_api, framework, language):
        response = alice_api.post(GENERATE, generate_body(framework=framework, language=language))
        assert error_of(response) == (400, "INVALID_REQUEST")

    def test_reports_a_framework_without_insertion(self, alice_api, monkeypatch, settings):
        settings.ENGINE_PROCESSES = 0  # a child would not see the change
        monkeypatch.setitem(FRAMEWORKS, "rspec", replace(FRAMEWORKS["rspec"], inserter=None))
        response = alice_api.post(GENERATE, generate_body(framework="rspec", language="ruby"))
        assert error_of(response) == (400, "INVALID_REQUEST")
        assert "not available yet" in response.json()["error"]["message"]

    def test_does_not_log_file_content(self, alice_api, caplog):
        alice_api.post(GENERATE, generate_body(targetFileContent=OLD + "\nSECRET_OF_THE_CUSTOMER = 1\n"))
        assert "SECRET_OF_THE_CUSTOMER" not in caplog.text


class TestNaming:
    @pytest.mark.parametrize(
        ("file", "framework", "path"),
        [
            ("users_controller.rb", "RSpec", "spec/security/users_controller_sql_injection_spec.rb"),
            (
                "src/controllers/UsersController.ts",
                "vitest",
                "__tests__/security/UsersController.sqlInjection.test.ts",
            ),
            (
                "app/controllers/users_controller.py",
                "pytest",
                "tests/security/test_sql_injection_users_controller.py",
            ),
        ],
    )
    def test_returns_the_path_of_a_new_file(self, alice_api, file, framework, path):
        body = {"vulnerableFile": file, "type": "sql_injection", "framework": framework}
        answer = alice_api.post(NAMING, body).json()
        assert answer == {"testFileName": path.rsplit("/", 1)[1], "testPath": path}

    @pytest.mark.parametrize("name", ["vulnerableFile", "type", "framework"])
    def test_missing_field_is_422(self, alice_api, name):
        body = {"vulnerableFile": "a.py", "type": "xss", "framework": "pytest"}
        del body[name]
        response = alice_api.post(NAMING, body)
        assert error_of(response) == (422, "VALIDATION_ERROR")
        assert name in response.json()["error"]["fields"]


@pytest.mark.django_db
class TestDetect:
    def detect(self, **body):
        return Client().post(DETECT, body, content_type="application/json")

    def test_needs_no_key(self):
        answer = self.detect(packageJson={"devDependencies": {"vitest": "^1.0.0", "jest": "~29.0.0"}}).json()
        assert answer == {
            "framework": "vitest",
            "version": "1.0.0",
            "testDir": "test/",
            "compatibleWith": ["jest"],
        }

    def test_empty_request_is_400(self):
        assert error_of(self.detect()) == (400, "INVALID_REQUEST")

    def test_unknown_framework_is_422(self):
        assert error_of(self.detect(requirementsTxt="requests==2\n")) == (422, "VALIDATION_ERROR")

    @pytest.mark.parametrize("body", [{"packageJson": "x"}, {"gemfile": 7}, {"configFiles": "x"}])
    def test_wrong_types_are_400(self, body):
        assert error_of(self.detect(**body)) == (400, "INVALID_REQUEST")
