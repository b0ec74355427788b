import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.models import UsageRecord
from customers.models import ForgeAccount
from customers.services.prove_namespace import prove_namespace
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
    def test_returns_the_id_and_the_phase(self, alice_api, phase):
        response = alice_api.post(STORE, make_body(phase=phase))
        assert response.status_code == 200
        assert response.json() == {
            "success": True,
            "id": str(PhaseExecution.objects.get().pk),
            "phase": phase,
        }

    def test_accepts_snake_case_names(self, alice_api):
        body = make_body(commitSha=..., issueNumber=...) | {"commit_sha": "abc", "issue_number": 7}
        assert alice_api.post(STORE, body).status_code == 200
        assert retrieve(alice_api).json() == {"mitigation": {"issue-7": {"fixed": True}}}

    def test_scan_needs_no_issue_number(self, alice_api):
        assert alice_api.post(STORE, make_body(phase="scan", issueNumber=...)).status_code == 200

    @pytest.mark.parametrize("name", ["phase", "repo", "commitSha", "issueNumber", "data"])
    def test_names_the_missing_parameter(self, alice_api, name):
        response = alice_api.post(STORE, make_body(**{name: ...}))
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
    def test_rejects_an_invalid_value(self, alice_api, changes):
        response = alice_api.post(STORE, make_body(**changes))
        assert (response.status_code, response.json()["error"]["code"]) == (400, "INVALID_REQUEST")
        assert not PhaseExecution.objects.exists()

    def test_rejects_a_namespace_proven_by_another_customer(self, alice_api, mallory_api):
        prove_namespace(customer=alice_api.customer, namespace="acme", at=timezone.now())
        response = mallory_api.post(STORE, make_body(repo="ACME/other"))
        assert (response.status_code, response.json()["error"]["code"]) == (403, "FORBIDDEN")
        assert ForgeAccount.objects.get().customer == alice_api.customer

    def test_rejects_a_customer_who_stored_there_before_the_proof(self, alice_api, mallory_api):
        mallory_api.post(STORE, make_body())
        prove_namespace(customer=alice_api.customer, namespace="acme", at=timezone.now())
        assert mallory_api.post(STORE, make_body(issueNumber=8)).status_code == 403
        assert retrieve(mallory_api).json() == {"mitigation": {"issue-7": {"fixed": True}}}

    def test_isolates_two_customers_of_one_unproven_namespace(self, alice_api, mallory_api):
        for client, number in ((alice_api, 1), (mallory_api, 2)):
            assert client.post(STORE, make_body(data={"fixed": True, "n": number})).status_code == 200
        for client, number in ((alice_api, 1), (mallory_api, 2)):
            assert retrieve(client).json() == {"mitigation": {"issue-7": {"fixed": True, "n": number}}}

    def test_bills_each_customer_for_its_own_fix(self, alice_api, mallory_api):
        for client in (alice_api, mallory_api, alice_api):
            client.post(STORE, make_body())
        customers = UsageRecord.objects.values_list("customer", flat=True)
        assert sorted(customers) == sorted([alice_api.customer.pk, mallory_api.customer.pk])

    def test_explains_the_limit_of_namespaces(self, mallory_api):
        names = ("google", "microsoft", "github", "apple", "meta", "amazon")
        answers = [mallory_api.post(STORE, make_body(repo=f"{name}/x", phase="scan")) for name in names]
        assert [answer.status_code for answer in answers] == [200] * 5 + [403]
        error = answers[-1].json()["error"]
        assert error["code"] == "FORBIDDEN"
        assert "Release one on the Repositories page" in error["message"]

    def test_logs_a_namespace_claim_with_the_key(self, alice_api):
        alice_api.post(STORE, make_body(), User_Agent="curl/8.0")
        entry = alice_api.customer.audit_log_entries.get(action="namespace_claimed")
        key = alice_api.customer.api_keys.get()
        assert (entry.subject, entry.address, entry.device) == (
            f"acme (API key {key.prefix}…)",
            "127.0.0.1",
            "curl",
        )

    def test_rejects_repositories_over_the_limit(self, alice_api, settings):
        settings.REPOSITORIES_TRIAL = 2
        answers = [alice_api.post(STORE, make_body(repo=f"acme/shop-{n}")).status_code for n in (1, 2, 3, 1)]
        assert answers == [200, 200, 403, 200]

    def test_accepts_bodies_larger_than_the_default_of_django(self, alice_api):
        data = {"fixed": True, "log": "x" * 3_000_000}
        assert alice_api.post(STORE, make_body(data=data)).status_code == 200
        assert retrieve(alice_api).json()["mitigation"]["issue-7"] == data

    def test_scan_runs_a_limited_number_of_queries(self, alice_api, django_assert_max_num_queries):
        alice_api.post(STORE, make_body(phase="scan", commitSha="first"))
        with django_assert_max_num_queries(8):
            alice_api.post(STORE, make_body(phase="scan", commitSha="second"))

    def test_fix_runs_a_limited_number_of_queries(self, alice_api, django_assert_max_num_queries):
        alice_api.post(STORE, make_body())
        with django_assert_max_num_queries(15):
            alice_api.post(STORE, make_body(issueNumber=8))


class TestRetrieve:
    def test_returns_data_exactly_as_stored(self, alice_api):
        data = (
            '{"z": 1, "a": {"y": null, "b": [1.10, 1e2, 1234567890123456789]}, "t": "\\u00e9", "fixed":true}'
        )
        body = (
            f'{{"phase":"mitigation","repo":"acme/shop","data" : {data} ,"commitSha":"abc","issueNumber":7}}'
        )
        assert alice_api.post(STORE, body).status_code == 200
        assert retrieve(alice_api).content.decode() == f'{{"mitigation":{{"issue-7":{data}}}}}'

    def test_finds_a_scan_by_commit(self, alice_api):
        alice_api.post(STORE, make_body(phase="scan", data={"vulnerabilities": [1]}))
        alice_api.post(STORE, make_body(phase="scan", commitSha="def", data={"vulnerabilities": [2]}))
        assert retrieve(alice_api).json() == {"scan": {"vulnerabilities": [1]}}
        assert retrieve(alice_api, commit="def").json() == {"scan": {"vulnerabilities": [2]}}

    def test_finds_a_mitigation_regardless_of_its_commit(self, alice_api):
        alice_api.post(STORE, make_body(commitSha="fix-commit"))
        assert retrieve(alice_api, commit="abc").json() == {"mitigation": {"issue-7": {"fixed": True}}}

    def test_returns_the_latest_validation(self, alice_api):
        for number in (1, 2, 3):
            alice_api.post(STORE, make_body(phase="validation", data={"validated": True, "n": number}))
        assert retrieve(alice_api).json() == {"validation": {"issue-7": {"validated": True, "n": 3}}}

    def test_ignores_case_of_the_repository(self, alice_api):
        alice_api.post(STORE, make_body())
        assert "mitigation" in retrieve(alice_api, repo="Acme/SHOP").json()

    @pytest.mark.parametrize("known", [True, False])
    def test_is_empty_without_results(self, alice_api, known):
        if known:
            alice_api.post(STORE, make_body(issueNumber=8))
        response = retrieve(alice_api)
        assert (response.status_code, response.json()) == (200, {})

    @pytest.mark.parametrize("proven", [True, False])
    def test_response_does_not_reveal_repositories_of_other_customers(self, alice_api, mallory_api, proven):
        alice_api.post(STORE, make_body())
        if proven:
            prove_namespace(customer=alice_api.customer, namespace="acme", at=timezone.now())
        retrieve(mallory_api)  # fills the key cache
        answers = []
        for repo in ("acme/shop", "nobody/shop"):
            with CaptureQueriesContext(connection) as queries:
                response = retrieve(mallory_api, repo=repo)
            answers.append((response.status_code, response.content, len(queries)))
        assert answers[0] == answers[1]
        assert answers[0][:2] == (200, b"{}")

    @pytest.mark.parametrize("name", ["repo", "issue", "commit"])
    def test_names_the_missing_parameter(self, alice_api, name):
        query = {"repo": "acme/shop", "issue": 7, "commit": "abc"}
        del query[name]
        response = alice_api.get(RETRIEVE, query)
        assert (response.status_code, response.json()["error"]["code"]) == (400, "MISSING_PARAMETERS")

    @pytest.mark.parametrize("issue", ["0", "x", "1" * 30, "-1"])
    def test_rejects_an_invalid_issue_number(self, alice_api, issue):
        assert retrieve(alice_api, issue=issue).status_code == 400


def test_json_documents_round_trip(alice_api):
    """A document with every kind of value, stored, retrieved and compared as text."""
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
    alice_api.post(STORE, f'{{"phase":"scan","repo":"acme/shop","commitSha":"abc","data":{text}}}')
    assert retrieve(alice_api).content.decode() == f'{{"scan":{text}}}'


# Test output as the Action sends it: NULs, lone surrogates, a backslash before an escape.
UNFIT = '"a\\u0000b \\ud800 \\udc00\\ud83d \\\\u0000 \\ud83d\\ude00"'


class TestUnstorableCharacters:
    @pytest.mark.parametrize("phase", ["scan", "validation", "mitigation"])
    @pytest.mark.parametrize("data", [f'{{"x": {UNFIT}}}', f"{{{UNFIT}: [{UNFIT}, null]}}"])
    def test_round_trip_in_data(self, alice_api, phase, data):
        body = f'{{"phase":"{phase}","repo":"acme/shop","commitSha":"abc","issueNumber":7,"data": {data} }}'
        assert alice_api.post(STORE, body).status_code == 200
        assert data.encode() in retrieve(alice_api).content
        assert alice_api.post(STORE, body).status_code == 200
        assert PhaseExecution.objects.get().data == data

    def test_are_replaced_in_columns(self, alice_api):
        finding = f'{{"type": {UNFIT}, "title": {UNFIT}, "severity": "high"}}'
        data = f'{{"validated": true, "vulnerabilities": [{finding}]}}'
        body = f'{{"phase":"validation","repo":"acme/shop","commitSha":"abc","issueNumber":7,"data":{data}}}'
        assert alice_api.post(STORE, body).status_code == 200
        row = PhaseExecution.objects.get()
        assert (row.severity, row.title) == ("high", "a\ufffdb \ufffd \ufffd\ufffd \\u0000 \U0001f600")
        assert row.vulnerability_type == row.title

    @pytest.mark.parametrize("name", ["repo", "commitSha", "branch", "extra"])
    def test_are_rejected_in_every_other_field(self, alice_api, name):
        body = json.dumps(make_body(**{name: "a\0b", "data": {"x": "\0"}}))
        response = alice_api.post(STORE, body)
        assert (response.status_code, response.json()["error"]["code"]) == (400, "INVALID_REQUEST")
        assert "NUL character" in response.json()["error"]["message"]

    @pytest.mark.parametrize(
        "members", ['"\\u0000": 1', '"data": {"x": "\\u0000"}, "data": {}', '"x": "\\udead"']
    )
    def test_are_rejected_outside_data(self, alice_api, members):
        body = json.dumps(make_body())[:-1] + ", " + members + "}"
        assert alice_api.post(STORE, body).status_code == 400


class TestUnknownPhase:
    @pytest.mark.parametrize("missing", [(), ("issueNumber",), ("issueNumber", "repo", "data")])
    @pytest.mark.parametrize("phase", ["deploy", "SCAN", 7, ["scan"], {}])
    def test_is_reported_before_missing_fields(self, alice_api, phase, missing):
        response = alice_api.post(STORE, make_body(phase=phase, **dict.fromkeys(missing, ...)))
        error = response.json()["error"]
        assert (response.status_code, error["code"]) == (400, "INVALID_REQUEST")
        assert list(error["fields"]) == ["phase"]
        assert "Unknown phase" in error["message"]
