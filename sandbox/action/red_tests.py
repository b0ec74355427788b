"""The failing tests that prove a finding: here what a model would write, for the shop's search."""

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
    """Tests in the shape of `test-integration/generate`: red while the finding stands, green once fixed."""
    return [
        {
            "testName": TEST_NAME,
            "testCode": TEST_CODE,
            "attackVector": ATTACK,
            "expectedBehavior": "The query's text is searched for; nothing of it is executed.",
            "vulnerableCodePath": f"{finding.file}:{finding.line}",
            "vulnerablePattern": finding.snippet,
        }
    ]
