"""Failing tests that prove a finding. Hard-coded for the shop's search; the real Action asks a model."""

from typing import Any

from .findings import Finding

TEST_NAME = "test_search_never_runs_sql_from_the_query"
ATTACK = "%' OR published = 0 --"
TEST_CODE = f'''
def {TEST_NAME}(client):
    response = client.get("/products/search", query_string={{"q": "{ATTACK}"}})
    assert response.status_code == 200
    assert response.get_json()["products"] == []
'''.strip()


def write_red_tests(finding: Finding) -> list[dict[str, Any]]:
    """Return tests, in the format of `test-integration/generate`, that fail until the finding is fixed."""
    return [
        {
            "testName": TEST_NAME,
            "testCode": TEST_CODE,
            "attackVector": ATTACK,
            "expectedBehavior": "The query is treated as text to search for; no part of it is executed.",
            "vulnerableCodePath": f"{finding.file}:{finding.line}",
            "vulnerablePattern": finding.snippet,
        }
    ]
