from smtplib import SMTPServerDisconnected

import pytest
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from billing.models import Notification
from billing.services.notifications import send_notification as module
from billing.services.notifications.notify_customer import notify_customer
from billing.services.notifications.send_notification import send_notification
from billing.services.sweep_billing import sweep_billing
from core import outbox
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


class TestMailNotice:
    def test_writes_to_the_billing_address_in_text_and_html(self, notification, mailoutbox):
        assert mail(notification).mailed_at is not None
        (sent,) = mailoutbox
        html, kind = sent.alternatives[0]
        assert (sent.to, kind) == ([notification.customer.email], "text/html")
        assert sent.subject == "80% of your trial fixes are used"
        assert "8 of the 10" in sent.body and "8 of the 10" in html

    def test_writes_names_as_they_are(self, notification, mailoutbox):
        mail(notification)
        assert "A & B" in mailoutbox[0].body
        assert "A &amp; B" in mailoutbox[0].alternatives[0][0]

    def test_has_one_button(self, notification, mailoutbox, settings):
        mail(notification)
        html = mailoutbox[0].alternatives[0][0]
        assert html.count('class="button"') == 1
        assert f'href="{settings.BASE_URL}/dashboard/billing/"' in html

    def test_names_the_mail_after_its_row(self, notification, mailoutbox):
        mail(notification)
        assert mailoutbox[0].message()["Message-ID"] == f"<{notification.pk}@localhost>"

    def test_repeating_it_sends_nothing(self, notification, mailoutbox):
        mail(mail(notification))
        assert len(mailoutbox) == 1

    def test_a_notice_that_another_worker_holds_is_left_alone(self, notification, mailoutbox):
        outbox.claim(Notification.objects.all(), pk=notification.pk)
        send_notification(notification_id=notification.pk)
        assert mailoutbox == []

    def test_a_mail_server_that_is_away_puts_it_off(self, notification, broken):
        assert mail(notification).mailed_at is None
        assert notification.next_attempt_at > timezone.now()
        assert notification.last_error == "SMTPServerDisconnected: gone"

    def test_the_sweep_tries_it_again(self, notification, mailoutbox, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            sweep_billing()
        assert len(mailoutbox) == 1

    def test_is_given_up_after_a_day_until_staff_ask_again(
        self, notification, broken, monkeypatch, mailoutbox
    ):
        Notification.objects.update(failures=Notification.policy.max_failures - 1)
        assert mail(notification).next_attempt_at is None
        monkeypatch.undo()
        outbox.retry_now(Notification.objects.all(), at=timezone.now())
        assert mail(notification).mailed_at is not None

    def test_an_address_that_no_mail_can_go_to_is_given_up_too(self, notification):
        Customer.objects.update(email="x@" + "\u00fc" * 60 + ".com")
        assert mail(notification).last_error.startswith("UnicodeError: ")
        Notification.objects.update(failures=Notification.policy.max_failures - 1)
        assert (mail(notification).mailed_at, notification.next_attempt_at) == (None, None)

    def test_death_after_the_mail_sends_it_again(self, notification, mailoutbox, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(module, "_finish", lambda _: (_ for _ in ()).throw(SystemExit))
            with pytest.raises(SystemExit):
                module.send_notification(notification_id=notification.pk)
        assert mail(notification).mailed_at is not None
        first, second = (sent.extra_headers["Message-ID"] for sent in mailoutbox)
        assert first == second


class TestWhoWantsMailAboutUsage:
    def test_nobody_so_none_is_sent_and_none_waits(self, notification, mailoutbox):
        MembershipFactory(customer=notification.customer, wants_alerts=False)
        MembershipFactory(customer=notification.customer, role="member")
        assert mail(notification).next_attempt_at is None
        assert notification.last_error == "Not mailed: nobody wants mail about usage."
        assert mailoutbox == []

    @pytest.mark.parametrize("role", ["owner", "admin", "billing"])
    def test_one_of_those_who_look_after_the_money_is_enough(self, notification, mailoutbox, role):
        MembershipFactory(customer=notification.customer, wants_alerts=False)
        MembershipFactory(customer=notification.customer, role=role)
        mail(notification)
        assert len(mailoutbox) == 1

    @pytest.mark.parametrize(("kind", "sent"), [("cap", 0), ("payment_failed", 1), ("blocked", 1)])
    def test_payments_are_told_to_everybody(self, notification, mailoutbox, kind, sent):
        MembershipFactory(customer=notification.customer, wants_alerts=False)
        Notification.objects.update(kind=kind)
        mail(notification)
        assert len(mailoutbox) == sent
