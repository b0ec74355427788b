from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from billing.models import CorrectionReport, UsageReport
from billing.services.metering.repair_usage import MINUTE, find_missing
from billing.services.reconciliation.reconcile import reconcile
from core.outbox import operators
from tests.billing.ledger import report_fixes
from tests.billing.services.corrections.test_report_correction import correct, list_totals, send

START = datetime(2026, 3, 1, tzinfo=UTC)


class FakeMeter:
    """Reported and metered fixes by minute, and the number of queries to the meter."""

    def __init__(self, reported, held):
        self.reported = {START + timedelta(minutes=minute): count for minute, count in reported.items()}
        self.held = {START + timedelta(minutes=minute): count for minute, count in held.items()}
        self.calls = 0

    def count_held(self, start, end):
        self.calls += 1
        return sum(count for minute, count in self.held.items() if start <= minute < end)

    def count_known(self, start, end):
        return sum(count for minute, count in self.reported.items() if start <= minute < end)

    def find(self):
        minutes = sorted(self.reported)
        return find_missing(minutes, count_held=self.count_held, count_known=self.count_known)


class TestFindMissing:
    @given(st.dictionaries(st.integers(0, 5000), st.tuples(st.integers(1, 3), st.integers(0, 3))))
    def test_finds_every_minute_that_lacks_fixes(self, minutes):
        reported = {minute: count for minute, (count, _) in minutes.items()}
        held = {minute: max(0, count - lost) for minute, (count, lost) in minutes.items()}
        books = FakeMeter(reported, held)
        lacking = {minute: count - books.held[minute] for minute, count in books.reported.items()}
        assert books.find() == {minute: count for minute, count in lacking.items() if count}

    def test_finds_one_of_a_thousand_in_few_calls(self):
        reported = dict.fromkeys(range(1000), 1)
        books = FakeMeter(reported, {minute: 1 for minute in range(1000) if minute != 700})
        assert books.find() == {START + 700 * MINUTE: 1}
        assert books.calls <= 21


class TestVoidedFixMissingOnMeter:
    @pytest.fixture
    def lost(self, billing_env, customer):
        """Stripe rejects the usage afterwards, and the thin event is lost."""
        (report,) = report_fixes(customer, 1)
        billing_env.stripe.control.report_meter_error(identifier=report.identifier)
        return report

    def void(self, billing_env):
        billing_env.pass_time(days=3)
        return send(correct(UsageReport.objects.get().usage))

    def test_is_withdrawn_when_it_cost_nothing(self, billing_env, customer, lost):
        billing_env.close_month()
        assert self.void(billing_env).resolution == "nothing"
        reconcile(at=timezone.now())
        assert UsageReport.objects.get().status == "withdrawn"
        billing_env.close_month()
        assert sum(list_totals(customer)) == 0

    def test_is_billed_when_it_was_credited(self, billing_env, customer, lost):
        assert self.void(billing_env).amount_cents == 1500
        reconcile(at=timezone.now())
        assert UsageReport.objects.get().status == "pending"

    def test_is_left_to_a_void_in_progress(self, billing_env, customer, lost):
        self.void(billing_env)
        operators.reopen(CorrectionReport.objects.all(), at=timezone.now())
        reconcile(at=timezone.now())
        assert UsageReport.objects.get().status == "reported"
