import json

import pytest

from customers.models import ForgeAccount
from phases.models import PhaseExecution

STORE, RETRIEVE = "/api/v1/phases/store", "/api/v1/phases/retrieve"


def make_body(**changes):
    body = {
        "phase": "mitigation",
        "repo": "acme/shop",
        "commitSha": "abc",
        "issueNumber": 7,
        "data": {"fixed": True},
    }
    return {name: value for name, value in (body | changes).items() if value is not ...}


def retrieve(client, repo="acme/shop", issue=7, commit="abc"):
    return client.get(RETRIEVE, {"repo": repo, "issue": issue, "commit": commit})


class TestStore:
    @pytest.mark.parametrize("phase", ["scan", "validation", "mitigation"])
    def test_answers_with_the_id_and_the_phase(self, alice, phase):
        response = alice.post(STORE, make_body(phase=phase))
        assert response.status_code == 200
        assert response.json() == {
            "success": True,
            "id": str(PhaseExecution.objects.get().pk),
            "phase": phase,
        }

    def test_takes_snake_case_names_too(self, alice):
        body = make_body(commitSha=..., issueNumber=...) | {"commit_sha": "abc", "issue_number": 7}
        assert alice.post(STORE, body).status_code == 200
        assert retrieve(alice).json() == {"mitigation": {"issue-7": {"fixed": True}}}

    def test_a_scan_needs_no_issue(self, alice):
        assert alice.post(STORE, make_body(phase="scan", issueNumber=...)).status_code == 200

    @pytest.mark.parametrize("name", ["phase", "repo", "commitSha", "issueNumber", "data"])
    def test_names_the_parameter_that_is_missing(self, alice, name):
        response = alice.post(STORE, make_body(**{name: ...}))
        error = response.json()["error"]
        assert (response.status_code, error["code"]) == (400, "MISSING_PARAMETERS")
        assert name in error["fields"]

    @pytest.mark.parametrize(
        "changes",
        [
            {"phase": "deploy"},
            {"repo": "acme"},
            {"repo": "acme/shop/x"},
            {"repo": "acme/.."},
            {"repo": "ac me/shop"},
            {"repo": 7},
            {"issueNumber": 0},
            {"issueNumber": -1},
            {"issueNumber": 2**63},
            {"issueNumber": 1.5},
            {"issueNumber": True},
            {"commitSha": 7},
            {"commitSha": "a" * 256},
            {"data": []},
            {"data": "text"},
            {"branch": {"x": 1}},
        ],
    )
    def test_refuses_a_value_of_the_wrong_shape(self, alice, changes):
        response = alice.post(STORE, make_body(**changes))
        assert (response.status_code, response.json()["error"]["code"]) == (400, "INVALID_REQUEST")
        assert not PhaseExecution.objects.exists()

    def test_refuses_a_namespace_held_by_another(self, alice, mallory):
        alice.post(STORE, make_body())
        response = mallory.post(STORE, make_body(repo="ACME/other"))
        assert (response.status_code, response.json()["error"]["code"]) == (403, "FORBIDDEN")
        assert ForgeAccount.objects.get().customer == alice.customer

    def test_takes_bodies_larger_than_django_would(self, alice):
        data = {"fixed": True, "log": "x" * 3_000_000}
        assert alice.post(STORE, make_body(data=data)).status_code == 200
        assert retrieve(alice).json()["mitigation"]["issue-7"] == data

    def test_a_scan_costs_a_known_number_of_queries(self, alice, django_assert_max_num_queries):
        alice.post(STORE, make_body(phase="scan", commitSha="first"))
        with django_assert_max_num_queries(8):
            alice.post(STORE, make_body(phase="scan", commitSha="second"))

    def test_a_fix_costs_a_known_number_of_queries(self, alice, django_assert_max_num_queries):
        alice.post(STORE, make_body())
        with django_assert_max_num_queries(15):
            alice.post(STORE, make_body(issueNumber=8))


class TestRetrieve:
    def test_gives_data_back_exactly_as_it_was_stored(self, alice):
        data = (
            '{"z": 1, "a": {"y": null, "b": [1.10, 1e2, 1234567890123456789]}, "t": "\\u00e9", "fixed":true}'
        )
        body = (
            f'{{"phase":"mitigation","repo":"acme/shop","data" : {data} ,"commitSha":"abc","issueNumber":7}}'
        )
        assert alice.post(STORE, body).status_code == 200
        assert retrieve(alice).content.decode() == f'{{"mitigation":{{"issue-7":{data}}}}}'

    def test_finds_a_scan_by_commit(self, alice):
        alice.post(STORE, make_body(phase="scan", data={"vulnerabilities": [1]}))
        alice.post(STORE, make_body(phase="scan", commitSha="def", data={"vulnerabilities": [2]}))
        assert retrieve(alice).json() == {"scan": {"vulnerabilities": [1]}}
        assert retrieve(alice, commit="def").json() == {"scan": {"vulnerabilities": [2]}}

    def test_finds_a_mitigation_whatever_its_commit(self, alice):
        alice.post(STORE, make_body(commitSha="fix-commit"))
        assert retrieve(alice, commit="abc").json() == {"mitigation": {"issue-7": {"fixed": True}}}

    def test_the_latest_validation_wins(self, alice):
        for number in (1, 2, 3):
            alice.post(STORE, make_body(phase="validation", data={"validated": True, "n": number}))
        assert retrieve(alice).json() == {"validation": {"issue-7": {"validated": True, "n": 3}}}

    def test_compares_repositories_without_case(self, alice):
        alice.post(STORE, make_body())
        assert "mitigation" in retrieve(alice, repo="Acme/SHOP").json()

    @pytest.mark.parametrize("known", [True, False])
    def test_is_empty_where_there_is_none(self, alice, known):
        if known:
            alice.post(STORE, make_body(issueNumber=8))
        response = retrieve(alice)
        assert (response.status_code, response.json()) == (200, {})

    def test_another_tenants_repository_is_not_found(self, alice, mallory):
        alice.post(STORE, make_body())
        assert retrieve(mallory).status_code == 404

    @pytest.mark.parametrize("name", ["repo", "issue", "commit"])
    def test_names_the_parameter_that_is_missing(self, alice, name):
        query = {"repo": "acme/shop", "issue": 7, "commit": "abc"}
        del query[name]
        response = alice.get(RETRIEVE, query)
        assert (response.status_code, response.json()["error"]["code"]) == (400, "MISSING_PARAMETERS")

    @pytest.mark.parametrize("issue", ["0", "x", "1" * 30, "-1"])
    def test_refuses_what_is_no_issue_number(self, alice, issue):
        assert retrieve(alice, issue=issue).status_code == 400


def test_bodies_that_are_json_come_back_as_they_are(alice):
    """A document with every kind of value, through the API and back, compared as text."""
    data = {
        "null": None,
        "no": False,
        "int": -0,
        "float": 0.1,
        "list": [[], {}],
        "text": 'é"\\\n😀',
        "": {"": ""},
    }
    text = json.dumps(data, ensure_ascii=False)
    alice.post(STORE, f'{{"phase":"scan","repo":"acme/shop","commitSha":"abc","data":{text}}}')
    assert retrieve(alice).content.decode() == f'{{"scan":{text}}}'
