"""The columns and queries behind the list of fixes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.errors import NotFound
from phases.models import PhaseExecution
from phases.selectors.fixes import FixFilter, get_fix_timeline, list_fixes
from phases.services.store_phase import store_phase
from tests.factories import CustomerFactory

from .test_services import make_report

PROOF = {"validated": True, "vulnerabilities": [{"type": "xss", "severity": "high", "description": "Echo"}]}


def store(customer, phase, data, *, later=0, **changes):
    at = timezone.now() + timedelta(minutes=later)
    return store_phase(customer=customer, report=make_report(data, phase=phase, **changes), at=at)


@pytest.mark.django_db
class TestColumns:
    def test_fix_copies_the_vulnerability_of_the_validation(self):
        customer = CustomerFactory()
        store(customer, "validation", PROOF)
        fix = store(customer, "mitigation", {"success": True, "attempts": 2})
        assert (fix.severity, fix.vulnerability_type, fix.title, fix.attempts) == ("high", "xss", "Echo", 2)

    def test_late_validation_updates_the_fix(self):
        customer = CustomerFactory()
        fix = store(customer, "mitigation", {"success": True})
        store(customer, "validation", PROOF)
        fix.refresh_from_db()
        assert (fix.severity, fix.title) == ("high", "Echo")

    def test_repeated_fix_keeps_its_time(self):
        customer = CustomerFactory()
        store(customer, "validation", PROOF)
        first = store(customer, "mitigation", {"success": True})
        again = store(customer, "mitigation", {"success": True}, later=5)
        assert again.updated_at == first.updated_at


@pytest.mark.django_db
class TestListFixes:
    @pytest.mark.parametrize("order", [("validation", "mitigation"), ("mitigation", "validation")])
    def test_contains_an_issue_once_in_any_order(self, order):
        customer, data = CustomerFactory(), {"validation": PROOF, "mitigation": {"success": True}}
        for phase in order:
            store(customer, phase, data[phase])
        assert [row.phase for row in list_fixes(customer=customer)] == ["mitigation"]

    def test_applies_every_filter(self):
        customer = CustomerFactory()
        proof = store(customer, "validation", PROOF, issue_number=1)
        store(customer, "mitigation", {"success": False}, issue_number=2)
        for fix_filter in (
            FixFilter(phase="validation"),
            FixFilter(severity="high"),
            FixFilter(outcome="succeeded"),
            FixFilter(repository_id=proof.repository_id, severity="high"),
            FixFilter(until=proof.updated_at + timedelta(microseconds=1)),
        ):
            assert [row.pk for row in list_fixes(customer=customer, fix_filter=fix_filter)] == [proof.pk]

    def test_excludes_scans(self):
        customer = CustomerFactory()
        store(customer, "scan", {"vulnerabilities": []}, issue_number=None)
        assert PhaseExecution.objects.get().findings == 0
        assert not list_fixes(customer=customer)


@pytest.mark.django_db
class TestGetFixTimeline:
    def test_is_the_same_for_validation_and_fix(self):
        customer = CustomerFactory()
        scan = store(customer, "scan", {"vulnerabilities": [{}]}, issue_number=None, later=-5)
        proof = store(customer, "validation", PROOF)
        fix = store(customer, "mitigation", {"success": True})
        timeline = get_fix_timeline(customer=customer, execution_id=proof.pk)
        assert (timeline.latest, timeline.validation, timeline.mitigation) == (fix, proof, fix)
        assert timeline.scan == scan

    def test_is_not_found_for_another_customer(self):
        fix = store(CustomerFactory(), "mitigation", {"success": True})
        with pytest.raises(NotFound):
            get_fix_timeline(customer=CustomerFactory(), execution_id=fix.pk)
