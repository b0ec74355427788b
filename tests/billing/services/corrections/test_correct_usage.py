import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from billing.models import Notification, UsageCorrection, UsageReport
from billing.selectors.entitlements import get_entitlement
from billing.services.corrections.correct_usage import NothingToCorrect, ReasonMissing, correct_usage
from billing.services.metering.record_usage import record_usage
from tests.factories import BillingAccountFactory, UserFactory, make_mitigation_of

Kind = UsageCorrection.Kind


def make_usage(**account):
    customer = BillingAccountFactory(**account).customer
    return record_usage(customer=customer, execution=make_mitigation_of(customer), occurred_at=timezone.now())


def correct(usage, kind=Kind.VOID, *, reason="The fix broke the build."):
    return correct_usage(usage=usage, kind=kind, reason=reason, made_by=UserFactory(), at=timezone.now())


@pytest.mark.django_db
class TestCorrectUsage:
    def test_a_voided_trial_fix_gives_its_slot_back(self):
        usage = make_usage(trial_fixes_limit=1)
        assert get_entitlement(customer=usage.customer).blocked_reason == "trial_exhausted"
        report = correct(usage).report
        assert (report.status, report.resolution) == ("done", "nothing")
        assert get_entitlement(customer=usage.customer).remaining == 1

    def test_a_credited_trial_fix_keeps_its_slot(self):
        usage = make_usage(trial_fixes_limit=1)
        correct(usage, Kind.CREDIT)
        assert get_entitlement(customer=usage.customer).remaining == 0

    def test_a_voided_fix_that_was_not_sent_is_withheld(self):
        usage = make_usage(plan="payg", status="active")
        report = correct(usage).report
        assert (report.status, report.resolution) == ("done", "withheld")
        assert UsageReport.objects.get().status == "withdrawn"
        assert get_entitlement(customer=usage.customer).used == 0

    def test_a_voided_fix_that_may_have_arrived_waits(self):
        usage = make_usage(plan="payg", status="active")
        UsageReport.objects.update(first_sent_at=timezone.now())
        assert correct(usage).report.status == "pending"
        assert UsageReport.objects.get().status == "pending"

    def test_a_credited_fix_still_counts(self):
        usage = make_usage(plan="payg", status="active")
        assert correct(usage, Kind.CREDIT).report.status == "pending"
        assert get_entitlement(customer=usage.customer).used == 1

    def test_notifies_the_customer_once_with_the_reason(self):
        usage = make_usage()
        correction = correct(usage, reason=" The fix broke the build. ")
        notification = Notification.objects.get(kind="corrected")
        assert (notification.customer, notification.reference) == (usage.customer, str(correction.pk))
        assert notification.data["reason"] == "The fix broke the build."

    def test_corrects_a_fix_once(self):
        usage = make_usage()
        correct(usage)
        with pytest.raises(NothingToCorrect):
            correct(usage, Kind.CREDIT)

    @pytest.mark.parametrize("reason", ["", "  "])
    def test_requires_a_reason(self, reason):
        with pytest.raises(ReasonMissing):
            correct(make_usage(), reason=reason)


@pytest.mark.django_db
class TestCorrectionsAreAppendOnly:
    def test_the_database_rejects_an_update(self):
        correct(make_usage())
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            UsageCorrection.objects.update(reason="Another.")

    @pytest.mark.services
    def test_the_database_rejects_a_delete(self):
        correction = correct(make_usage())
        correction.report.delete()
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            UsageCorrection.objects.all().delete()
