import json
import threading

import pytest
from django.core.management import call_command
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from billing.models import UsageRecord
from phases.gauges import read_storage_gauges
from phases.models import PhaseExecution, StorageUse
from phases.selectors.storage import get_storage, measure_storage
from phases.services.charge_storage import StorageFull
from phases.services.recount_storage import recount_storage
from phases.services.set_storage_limit import set_storage_limit
from phases.services.store_phase import PhaseReport, store_phase
from phases.sizes import format_size
from tests.factories import BillingAccountFactory, CustomerFactory, UserFactory, make_mitigation_of

STORE = "/api/v1/phases/store"
ROW = StorageUse.ROW_BYTES
MB = 1_000_000


def make_body(phase="scan", size=0, **changes):
    """Return a request body with data of about `size` bytes."""
    body = {"phase": phase, "repo": "acme/shop", "commitSha": "abc", "issueNumber": 7}
    return body | {"data": {"fixed": True, "x": "y" * size}} | changes


def limit_to(customer, megabytes):
    StorageUse.objects.update_or_create(customer=customer, defaults={"limit_mb": megabytes})


def fill(customer):
    """Use up the customer's storage limit of 1 MB."""
    limit_to(customer, 1)
    StorageUse.objects.filter(customer=customer).update(stored_bytes=MB)


def count(customer):
    return StorageUse.objects.get(customer=customer).stored_bytes


class TestSizeLimitOfAPhase:
    @pytest.mark.parametrize("phase", ["scan", "validation", "mitigation"])
    def test_rejects_larger_data_and_names_the_limit(self, alice_api, settings, phase):
        settings.PHASE_MAX_BYTES = {phase: 10_000}
        response = alice_api.post(STORE, make_body(phase, 10_000))
        error = response.json()["error"]
        assert (response.status_code, error["code"]) == (413, "PAYLOAD_TOO_LARGE")
        assert "10 kB" in error["fields"]["data"]
        assert not PhaseExecution.objects.exists()

    def test_accepts_a_scan_of_the_maximum_body_size(self, alice_api, settings):
        body = json.dumps(make_body())
        body = body.replace('"x": "', '"x": "' + "y" * (settings.API_MAX_BODY_BYTES - len(body)))
        assert len(body) == settings.API_MAX_BODY_BYTES
        assert alice_api.post(STORE, body).status_code == 200

    def test_counts_bytes_instead_of_characters(self, alice_api, settings):
        settings.PHASE_MAX_BYTES = {"scan": 10_000}
        text = json.dumps(make_body(data={"x": "é" * 5_000}), ensure_ascii=False)
        assert alice_api.post(STORE, text).status_code == 413


class TestStoredBytes:
    def test_include_the_data_and_the_row(self, alice_api):
        alice_api.post(STORE, '{"phase":"scan","repo":"a/b","commitSha":"c","data":{"x":"é"}}')
        assert count(alice_api.customer) == len('{"x":"é"}'.encode()) + ROW

    def test_do_not_grow_by_repetition(self, alice_api):
        for _ in range(2):
            alice_api.post(STORE, make_body(size=100))
        assert count(alice_api.customer) == measure_storage(customer=alice_api.customer)

    @pytest.mark.parametrize("size", [10, 500])
    def test_change_by_the_difference_of_an_overwrite(self, alice_api, size):
        alice_api.post(STORE, make_body(size=100))
        before = count(alice_api.customer)
        alice_api.post(STORE, make_body(size=size))
        assert (
            count(alice_api.customer) == before + size - 100 == measure_storage(customer=alice_api.customer)
        )

    def test_are_counted_per_customer(self, alice_api, mallory_api):
        alice_api.post(STORE, make_body(size=100))
        assert get_storage(customer=mallory_api.customer).used == 0


class TestFullAccount:
    def test_rejects_with_usage_and_advice(self, alice_api):
        fill(alice_api.customer)
        response = alice_api.post(STORE, make_body())
        error = response.json()["error"]
        assert (response.status_code, error["code"]) == (413, "STORAGE_LIMIT_EXCEEDED")
        assert "stores 1 MB of the 1 MB" in error["message"]
        assert "Choose a plan" in error["message"]
        assert not PhaseExecution.objects.exists()

    def test_still_stores_and_bills_a_fix(self, alice_api):
        fill(alice_api.customer)
        assert alice_api.post(STORE, make_body("mitigation", 60_000)).status_code == 200
        assert UsageRecord.objects.count() == 1

    def test_rejects_a_large_fix(self, alice_api):
        fill(alice_api.customer)
        assert alice_api.post(STORE, make_body("mitigation", 70_000)).status_code == 413
        assert not UsageRecord.objects.exists()

    def test_limits_small_fixes(self, alice_api):
        fill(alice_api.customer)
        bodies = [make_body("mitigation", 60_000, issueNumber=n) for n in range(1, 6)]
        answers = [alice_api.post(STORE, body).status_code for body in bodies]
        assert answers == [200, 200, 200, 413, 413]

    def test_accepts_a_smaller_overwrite(self, alice_api):
        alice_api.post(STORE, make_body(size=500))
        fill(alice_api.customer)
        assert alice_api.post(STORE, make_body(size=100)).status_code == 200
        assert alice_api.post(STORE, make_body(size=600)).status_code == 413

    def test_trial_is_limited_to_fifty_megabytes(self, alice_api):
        answers = [alice_api.post(STORE, make_body(size=7_900_000, commitSha=f"{n}")) for n in range(8)]
        assert [each.status_code for each in answers] == [200] * 6 + [413] * 2
        assert count(alice_api.customer) <= 50 * MB

    def test_counts_the_rows_of_small_results(self, alice_api):
        limit_to(alice_api.customer, 1)
        StorageUse.objects.update(stored_bytes=MB - 3 * ROW)
        answers = [alice_api.post(STORE, make_body(data={}, commitSha=f"{n}")).status_code for n in range(4)]
        assert answers == [200, 200, 413, 413]

    @pytest.mark.parametrize(
        ("account", "limit"),
        [
            ({}, 50 * MB),
            ({"plan": "payg", "status": "active"}, 5_000 * MB),
            ({"plan": "payg", "status": "past_due"}, 5_000 * MB),
            ({"plan": "payg", "status": "canceled"}, 50 * MB),
        ],
    )
    def test_limit_depends_on_the_plan(self, alice_api, account, limit):
        BillingAccountFactory(customer=alice_api.customer, **account)
        assert get_storage(customer=alice_api.customer).limit == limit

    def test_staff_can_raise_the_limit(self, alice_api):
        fill(alice_api.customer)
        staff = UserFactory(is_staff=True)
        for _ in range(2):
            set_storage_limit(customer=alice_api.customer, limit_mb=2, by=staff, at=timezone.now())
        assert alice_api.post(STORE, make_body()).status_code == 200
        assert alice_api.customer.audit_log_entries.get(action="staff_acted").subject == "storage limit: 2 MB"


class TestRecountStorage:
    def test_corrects_an_inaccurate_count(self, db):
        customer = CustomerFactory()
        make_mitigation_of(customer, data='{"é": 1}')
        recount = recount_storage(customer=customer)
        assert (recount.counted, recount.found) == (0, len('{"é": 1}'.encode()) + ROW)
        assert not recount_storage(customer=customer).has_drifted
        assert count(customer) == recount.found

    def test_is_available_as_a_command(self, db, capsys):
        make_mitigation_of(CustomerFactory())
        for _ in range(2):
            call_command("recount_storage")
        said = capsys.readouterr().out
        assert "1 customers counted, 1 corrected." in said
        assert said.endswith("1 customers counted, 0 corrected.\n")


def test_gauges_report_the_sum_and_nearly_full_customers(db):
    StorageUse.objects.create(customer=CustomerFactory(), stored_bytes=900_000, limit_mb=1)
    StorageUse.objects.create(customer=CustomerFactory(), stored_bytes=100_000)
    values = {metric.name: metric.samples[0].value for metric in read_storage_gauges()}
    assert values == {"rsolv_phases_stored_bytes": 1_000_000, "rsolv_phases_storage_nearly_full": 1}


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 kB"), (1_500, "1.5 kB"), (50 * MB, "50 MB"), (5_000 * MB, "5 GB")]
)
def test_sizes_are_formatted_in_decimal_units(size, text):
    assert format_size(size) == text


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_concurrent_results_respect_the_limit_and_are_counted_exactly():
    customer = CustomerFactory()
    limit_to(customer, 1)
    StorageUse.objects.update(stored_bytes=MB - 10 * (ROW + 2))
    PhaseExecution.objects.all().delete()
    start, answers = threading.Barrier(8), []

    def run(runner):
        start.wait()
        for number in range(4):
            fields = {"phase": "scan", "namespace": "acme", "repository_name": "shop", "branch": ""}
            report = PhaseReport(
                **fields, commit_sha=f"{runner}-{number}", issue_number=None, data={}, data_text="{}"
            )
            try:
                store_phase(customer=customer, report=report, at=timezone.now())
                answers.append("stored")
            except StorageFull:
                answers.append("full")
        connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (answers.count("stored"), answers.count("full")) == (10, 22)
    assert PhaseExecution.objects.count() == 10
    assert count(customer) == MB


class TestStaffPage:
    def test_shows_usage_and_limit(self, staff):
        StorageUse.objects.create(customer=CustomerFactory(name="Acme"), stored_bytes=12_300_000)
        page = staff.get(reverse("admin:phases_storageuse_changelist")).text
        assert "12.3 MB" in page and "50 MB" in page

    def test_sets_a_limit_and_keeps_the_count(self, staff):
        use = StorageUse.objects.create(customer=CustomerFactory(), stored_bytes=5)
        address = reverse("admin:phases_storageuse_change", args=[use.pk])
        assert staff.post(address, {"limit_mb": 70}).status_code == 302
        use.refresh_from_db()
        assert (use.limit_mb, use.stored_bytes) == (70, 5)
        assert use.customer.audit_log_entries.get().subject == "storage limit: 70 MB"
