from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from billing.models import BillingAccount
from core.outbox import operators
from customers.models import Customer
from provisioning.models import ProvisioningEvent
from provisioning.selectors import list_broken_signups
from provisioning.services.provision_customer import provision_customer
from provisioning.services.run_step import run_step
from provisioning.services.sweep_provisioning import sweep_provisioning
from tests.factories import MitigationFactory, make_mitigation_of
from tests.outbox import make_due


@pytest.fixture
def signed_up(db):
    """A customer who has just signed up, with the steps that follow."""
    return provision_customer(name="Acme", email="alice@acme.test").customer


def run(customer, step):
    """Make the step due, run it and return it."""
    events = customer.provisioning_events.filter(step=step)
    make_due(events)
    run_step(event_id=events.get().pk)
    return events.get()


class TestStripeCustomer:
    def test_is_created_once(self, billing_env, signed_up):
        assert run(signed_up, "stripe_customer").status == "done"
        run_step(event_id=signed_up.provisioning_events.get(step="stripe_customer").pk)
        assert len(billing_env.stripe.control.objects("customer")) == 1
        assert BillingAccount.objects.get().stripe_customer_id

    def test_is_created_once_if_the_response_is_lost(self, billing_env, signed_up):
        billing_env.stripe.control.add_fault("cut_after", method="POST", path="/v1/customers", times=3)
        assert run(signed_up, "stripe_customer").status == "pending"
        assert run(signed_up, "stripe_customer").status == "done"
        assert len(billing_env.stripe.control.objects("customer")) == 1

    def test_is_rescheduled_while_stripe_is_unavailable(self, billing_env, signed_up):
        billing_env.stripe.control.add_fault("status", status=500, times=None)
        event = run(signed_up, "stripe_customer")
        assert (event.status, event.attempts) == ("pending", 1)
        assert event.next_attempt_at > timezone.now()
        assert event.last_error.startswith("StripeUnavailable")


class TestMails:
    def test_welcome_mentions_a_missing_password(self, signed_up):
        user = signed_up.memberships.get().user
        run(signed_up, "welcome_mail")
        assert "You have no password yet" in mail.outbox[-1].body
        user.set_password("chosen at signup")
        user.save()
        operators.reopen(signed_up.provisioning_events.filter(step="welcome_mail"), at=timezone.now())
        run(signed_up, "welcome_mail")
        assert "no password" not in mail.outbox[-1].body

    def test_welcome_is_sent_once_in_text_and_html(self, signed_up):
        assert run(signed_up, "welcome_mail").status == "done"
        run_step(event_id=signed_up.provisioning_events.get(step="welcome_mail").pk)
        (sent,) = mail.outbox
        assert (sent.to, sent.subject) == (["alice@acme.test"], "Welcome to RSOLV, “Acme”")
        assert "10 free fixes" in sent.body
        assert sent.alternatives[0][1] == "text/html"
        assert "rsolv_" not in sent.body + sent.alternatives[0][0]

    def test_is_rescheduled_while_the_mail_server_is_unavailable(self, signed_up, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
        assert run(signed_up, "welcome_mail").status == "pending"

    def test_parks_a_mail_that_cannot_be_built(self, signed_up):
        Customer.objects.update(email="x@" + "\u00fc" * 60 + ".com")
        assert run(signed_up, "welcome_mail").last_error.startswith("UnicodeError")
        signed_up.provisioning_events.update(failures=49)
        assert run(signed_up, "welcome_mail").status == "parked"

    def test_day_1_explains_the_first_scan(self, signed_up):
        assert run(signed_up, "mail_day_1").status == "done"
        assert "first scan" in mail.outbox[0].subject

    @pytest.mark.parametrize(("step", "sent"), [("mail_day_1", 0), ("mail_day_3", 1)])
    def test_customer_with_a_scan_gets_only_later_guidance(self, signed_up, step, sent):
        make_mitigation_of(signed_up, outcome="failed")
        assert run(signed_up, step).status == ("done" if sent else "skipped")
        assert len(mail.outbox) == sent

    @pytest.mark.parametrize("step", ["mail_day_1", "mail_day_3", "mail_day_7"])
    def test_skips_members_who_opted_out_of_guidance(self, signed_up, step):
        signed_up.memberships.update(wants_guidance=False)
        assert run(signed_up, step).status == "skipped"

    def test_skips_the_plan_reminder_for_a_paying_customer(self, signed_up):
        BillingAccount.objects.update(plan="payg", status="active")
        assert run(signed_up, "mail_day_7").status == "skipped"

    def test_skips_guidance_that_is_days_late(self, signed_up, time_machine):
        time_machine.move_to(timezone.now() + timedelta(days=4, minutes=1))
        assert run(signed_up, "mail_day_1").status == "skipped"
        assert run(signed_up, "welcome_mail").status == "done"

    def test_ignores_scans_of_other_customers(self, signed_up):
        MitigationFactory()
        assert run(signed_up, "mail_day_1").status == "done"


class TestSweep:
    def test_enqueues_only_due_steps(self, signed_up, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks() as callbacks:
            assert sweep_provisioning() == 2
        assert len(callbacks) == 2


class TestListBrokenSignups:
    def list_reasons_after_an_hour(self, time_machine):
        time_machine.move_to(timezone.now() + timedelta(hours=1))
        return {reason for signup in list_broken_signups(at=timezone.now()) for reason in signup.reasons}

    def test_excludes_recent_signups(self, signed_up):
        assert list_broken_signups(at=timezone.now()) == []

    def test_reports_what_is_missing(self, signed_up, time_machine):
        assert self.list_reasons_after_an_hour(time_machine) == {"no welcome mail", "0 Stripe customers"}

    def test_is_empty_after_all_steps(self, billing_env, signed_up, time_machine):
        for step in ("stripe_customer", "welcome_mail"):
            run(signed_up, step)
        assert self.list_reasons_after_an_hour(time_machine) == set()

    def test_reports_a_customer_without_key_owner_and_steps(self, signed_up, time_machine):
        signed_up.api_keys.all().delete()
        signed_up.memberships.all().delete()
        signed_up.provisioning_events.all().delete()
        reasons = {"no key", "no owner", f"0 of {len(ProvisioningEvent.Step.choices)} steps"}
        assert reasons <= self.list_reasons_after_an_hour(time_machine)
