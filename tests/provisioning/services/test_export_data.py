import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.models import Customer, User
from customers.services.manage_keys import create_api_key
from provisioning.services.export_data import export_data
from tests.factories import MembershipFactory, UsageRecordFactory, make_mitigation_of
from tests.tenants import make_owner


@pytest.fixture(autouse=True)
def owner(customer: Customer) -> User:
    return make_owner(customer).user


def write(customer: Customer) -> str:
    by = customer.memberships.get().user
    return "".join(export_data(customer=customer, by=by, at=timezone.now()))


def export(customer: Customer) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(write(customer))
    return document


class TestExportData:
    def test_contains_all_data_of_the_customer(self, customer) -> None:
        UsageRecordFactory(execution=make_mitigation_of(customer))
        create_api_key(customer=customer, name="CI")
        exported = export(customer)
        assert exported["phases"][0]["data"] == '{"fixed": true}'
        lengths = {name: len(rows) for name, rows in exported.items() if name != "exported_at"}
        assert {name for name, length in lengths.items() if length == 1} == {
            *("account", "plan", "members", "api_keys", "namespaces", "repositories", "phases", "usage"),
        }
        assert [entry["action"] for entry in exported["audit_log"]] == ["data_exported", "key_made"]
        empty = ("invitations", "corrections", "refunds_and_disputes", "notifications", "invoices")
        assert {name for name, length in lengths.items() if length == 0} == set(empty)

    def test_excludes_data_of_other_customers(self, customer) -> None:
        other = MembershipFactory(customer__name="Other").customer
        UsageRecordFactory(execution=make_mitigation_of(other))
        create_api_key(customer=other, name="theirs")
        exported = export(customer)
        assert exported["phases"] == exported["usage"] == exported["api_keys"] == []
        assert exported["repositories"] == []

    def test_contains_no_secrets(self, customer) -> None:
        made = create_api_key(customer=customer, name="CI")
        text = write(customer)
        assert made.raw not in text
        assert made.api_key.key_hash not in text

    def test_runs_the_same_queries_for_more_rows(self, customer) -> None:
        def count() -> int:
            with CaptureQueriesContext(connection) as queries:
                write(customer)
            return len(queries)

        make_mitigation_of(customer)
        few = count()
        for _ in range(9):
            make_mitigation_of(customer)
            create_api_key(customer=customer, name="CI")
        assert count() == few

    def test_is_streamed(self, customer, owner) -> None:
        for _ in range(3):
            make_mitigation_of(customer)
        pieces = list(export_data(customer=customer, by=owner, at=timezone.now()))
        assert max(piece.count('"commit_sha"') for piece in pieces) == 1
