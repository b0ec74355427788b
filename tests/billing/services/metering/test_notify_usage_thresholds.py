from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from billing.models import BillingAccount, Notification
from billing.services.metering.record_usage import record_usage
from billing.services.metering.set_spend_cap import set_spend_cap
from tests.factories import BillingAccountFactory, CustomerFactory, make_mitigation_of

START = timezone.now() - timedelta(days=3)


def use(customer, fixes):
    for _ in range(fixes):
        execution = make_mitigation_of(customer)
        record_usage(customer=customer, execution=execution, occurred_at=timezone.now())


def subscribe(plan, **fields):
    period = {"current_period_start": START, "current_period_end": START + timedelta(days=30)}
    account = BillingAccountFactory(plan=plan, status="active", **(period | fields))
    return account.customer


def list_given(customer, kind):
    given = Notification.objects.filter(customer=customer, kind=kind).order_by("created_at")
    return [notification.data["percent"] for notification in given]


@pytest.mark.django_db
class TestIncludedFixes:
    def test_of_the_trial_notify_once_at_each_threshold(self):
        customer = CustomerFactory()
        use(customer, 4)
        assert list_given(customer, "included") == []
        use(customer, 8)
        assert list_given(customer, "included") == [50, 80, 100]

    def test_of_teams_notify_once_at_each_threshold(self):
        customer = subscribe("teams")
        use(customer, 62)
        assert list_given(customer, "included") == [50, 80, 100]
        last = Notification.objects.get(reference__startswith="100-")
        assert (last.data["used"], last.data["included"], last.data["plan"]) == (60, 60, "teams")

    def test_notify_again_in_the_next_period(self):
        customer = subscribe("teams")
        use(customer, 30)
        later = START + timedelta(days=30)
        BillingAccount.objects.update(current_period_start=later)
        use(customer, 1)  # none of the period before is sent yet, so all are of this one
        assert list_given(customer, "included") == [50, 50]

    def test_of_a_larger_trial_notify_again(self):
        customer = BillingAccountFactory(trial_fixes_limit=2).customer
        use(customer, 2)
        BillingAccount.objects.update(trial_fixes_limit=5)
        use(customer, 1)
        assert list_given(customer, "included") == [50, 100, 50]

    def test_beyond_the_trial_notify_no_more(self):
        customer = BillingAccountFactory(trial_fixes_limit=1).customer
        use(customer, 3)
        assert list_given(customer, "included") == [100]


@pytest.mark.django_db
class TestSpendCapThresholds:
    def test_notifies_once_at_each_threshold(self):
        customer = subscribe("payg", spend_cap_cents=15_000)
        use(customer, 12)
        assert list_given(customer, "cap") == [50, 80, 100]

    def test_counts_as_reached_when_the_next_fix_exceeds_it(self):
        customer = subscribe("payg", spend_cap_cents=4000)
        use(customer, 2)
        assert list_given(customer, "cap") == [100]
        notification = Notification.objects.get()
        assert (notification.data["spent_cents"], notification.data["cap_cents"]) == (3000, 4000)

    def test_notifies_again_after_it_is_raised(self):
        customer = subscribe("payg", spend_cap_cents=1500)
        use(customer, 1)
        set_spend_cap(customer=customer, cap_cents=6000, at=timezone.now())
        use(customer, 1)
        assert list_given(customer, "cap") == [100, 50]

    def test_does_not_notify_when_unset(self):
        customer = subscribe("payg")
        use(customer, 3)
        assert not Notification.objects.exists()


@pytest.mark.django_db
class TestAlert:
    def test_rolls_back_with_its_fix(self):
        customer = BillingAccountFactory(trial_fixes_limit=1).customer
        with pytest.raises(RuntimeError), transaction.atomic():
            use(customer, 1)
            raise RuntimeError
        assert not Notification.objects.exists()

    def test_is_sent_by_mail(self, mailoutbox, django_capture_on_commit_callbacks):
        customer = BillingAccountFactory(trial_fixes_limit=1).customer
        with django_capture_on_commit_callbacks(execute=True):
            use(customer, 1)
        assert [mail.to for mail in mailoutbox] == [[customer.email]]
        assert Notification.objects.get().mailed_at is not None
