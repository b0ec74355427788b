from smtplib import SMTPServerDisconnected

import pytest
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from billing.models import Notification
from billing.services.notifications import send_notification as module
from billing.services.notifications.notify_customer import notify_customer
from billing.services.notifications.send_notification import send_notification
from billing.services.sweep_billing import sweep_billing
from core.outbox import leases, operators
from customers.models import Customer
from tests.factories import CustomerFactory, MembershipFactory
from tests.outbox import make_due


@pytest.fixture
def notification(db):
    customer = CustomerFactory(name="A & B")
    data = {"percent": 80, "used": 8, "included": 10, "plan": "trial"}
    notify_customer(customer=customer, kind="included", reference="80", data=data, at=timezone.now())
    return Notification.objects.get()


@pytest.fixture
def broken(monkeypatch):
    def fail(self):
        raise SMTPServerDisconnected("gone")

    monkeypatch.setattr(EmailMultiAlternatives, "send", fail)


def mail(notification):
    make_due(Notification.objects.filter(pk=notification.pk))
    send_notification(notification_id=notification.pk)
    notification.refresh_from_db()
    return notification


class TestSendNotification:
    def test_writes_to_the_billing_address_in_text_and_html(self, notification, mailoutbox):
        assert mail(notification).mailed_at is not None
        (sent,) = mailoutbox
        html, kind = sent.alternatives[0]
        assert (sent.to, kind) == ([notification.customer.email], "text/html")
        assert sent.subject == "80% of your trial fixes are used"
        assert "8 of the 10" in sent.body and "8 of the 10" in html

    def test_does_not_escape_names_in_text(self, notification, mailoutbox):
        mail(notification)
        assert "A & B" in mailoutbox[0].body
        assert "A &amp; B" in mailoutbox[0].alternatives[0][0]

    def test_has_one_button(self, notification, mailoutbox, settings):
        mail(notification)
        html = mailoutbox[0].alternatives[0][0]
        assert html.count('class="button"') == 1
        assert f'href="{settings.BASE_URL}/dashboard/billing/"' in html

    def test_derives_the_message_id_from_its_row(self, notification, mailoutbox):
        mail(notification)
        assert mailoutbox[0].message()["Message-ID"] == f"<{notification.pk}@localhost>"

    def test_repeating_it_sends_nothing(self, notification, mailoutbox):
        mail(mail(notification))
        assert len(mailoutbox) == 1

    def test_skips_a_notification_leased_by_another_worker(self, notification, mailoutbox):
        leases.claim(Notification.objects.all(), pk=notification.pk)
        send_notification(notification_id=notification.pk)
        assert mailoutbox == []

    def test_is_rescheduled_while_the_mail_server_is_unavailable(self, notification, broken):
        assert mail(notification).mailed_at is None
        assert notification.next_attempt_at > timezone.now()
        assert notification.last_error == "SMTPServerDisconnected: gone"

    def test_is_retried_by_the_sweep(self, notification, mailoutbox, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            sweep_billing()
        assert len(mailoutbox) == 1

    def test_is_parked_after_a_day_until_staff_retry(self, notification, broken, monkeypatch, mailoutbox):
        Notification.objects.update(failures=Notification.policy.max_failures - 1)
        assert mail(notification).next_attempt_at is None
        monkeypatch.undo()
        operators.retry_now(Notification.objects.all(), at=timezone.now())
        assert mail(notification).mailed_at is not None

    def test_is_parked_for_an_undeliverable_address(self, notification):
        Customer.objects.update(email="x@" + "\u00fc" * 60 + ".com")
        assert mail(notification).last_error.startswith("UnicodeError: ")
        Notification.objects.update(failures=Notification.policy.max_failures - 1)
        assert (mail(notification).mailed_at, notification.next_attempt_at) == (None, None)

    def test_sends_again_when_the_worker_dies_after_the_mail(self, notification, mailoutbox, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(module, "_finish", lambda _: (_ for _ in ()).throw(SystemExit))
            with pytest.raises(SystemExit):
                module.send_notification(notification_id=notification.pk)
        assert mail(notification).mailed_at is not None
        first, second = (sent.extra_headers["Message-ID"] for sent in mailoutbox)
        assert first == second


class TestUsageMailOptOut:
    def test_sends_nothing_when_nobody_wants_it(self, notification, mailoutbox):
        MembershipFactory(customer=notification.customer, wants_alerts=False)
        MembershipFactory(customer=notification.customer, role="member")
        assert mail(notification).next_attempt_at is None
        assert notification.last_error == "Not mailed: nobody wants mail about usage."
        assert mailoutbox == []

    @pytest.mark.parametrize("role", ["owner", "admin", "billing"])
    def test_sends_when_one_billing_manager_wants_it(self, notification, mailoutbox, role):
        MembershipFactory(customer=notification.customer, wants_alerts=False)
        MembershipFactory(customer=notification.customer, role=role)
        mail(notification)
        assert len(mailoutbox) == 1

    @pytest.mark.parametrize(("kind", "sent"), [("cap", 0), ("payment_failed", 1), ("blocked", 1)])
    def test_sends_payment_mails_regardless_of_preference(self, notification, mailoutbox, kind, sent):
        MembershipFactory(customer=notification.customer, wants_alerts=False)
        Notification.objects.update(kind=kind)
        mail(notification)
        assert len(mailoutbox) == sent
