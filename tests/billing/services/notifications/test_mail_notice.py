from smtplib import SMTPServerDisconnected

import pytest
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from billing.models import Notice
from billing.services.notifications import mail_notice as module
from billing.services.notifications.give_notice import give_notice
from billing.services.notifications.mail_notice import mail_notice
from billing.services.sweep_billing import sweep_billing
from core import outbox
from customers.models import Customer
from tests.factories import CustomerFactory, MembershipFactory
from tests.outbox import make_due


@pytest.fixture
def notice(db):
    customer = CustomerFactory(name="A & B")
    data = {"percent": 80, "used": 8, "included": 10, "plan": "trial"}
    give_notice(customer=customer, kind="included", reference="80", data=data, at=timezone.now())
    return Notice.objects.get()


@pytest.fixture
def broken(monkeypatch):
    def fail(self):
        raise SMTPServerDisconnected("gone")

    monkeypatch.setattr(EmailMultiAlternatives, "send", fail)


def mail(notice):
    make_due(Notice.objects.filter(pk=notice.pk))
    mail_notice(notice_id=notice.pk)
    notice.refresh_from_db()
    return notice


class TestMailNotice:
    def test_writes_to_the_billing_address_in_text_and_html(self, notice, mailoutbox):
        assert mail(notice).mailed_at is not None
        (sent,) = mailoutbox
        html, kind = sent.alternatives[0]
        assert (sent.to, kind) == ([notice.customer.email], "text/html")
        assert sent.subject == "80% of your trial fixes are used"
        assert "8 of the 10" in sent.body and "8 of the 10" in html

    def test_writes_names_as_they_are(self, notice, mailoutbox):
        mail(notice)
        assert "A & B" in mailoutbox[0].body
        assert "A &amp; B" in mailoutbox[0].alternatives[0][0]

    def test_has_one_button(self, notice, mailoutbox, settings):
        mail(notice)
        html = mailoutbox[0].alternatives[0][0]
        assert html.count('class="button"') == 1
        assert f'href="{settings.BASE_URL}/dashboard/billing/"' in html

    def test_names_the_mail_after_its_row(self, notice, mailoutbox):
        mail(notice)
        assert mailoutbox[0].message()["Message-ID"] == f"<{notice.pk}@localhost>"

    def test_repeating_it_sends_nothing(self, notice, mailoutbox):
        mail(mail(notice))
        assert len(mailoutbox) == 1

    def test_a_notice_that_another_worker_holds_is_left_alone(self, notice, mailoutbox):
        outbox.claim(Notice.objects.all(), pk=notice.pk)
        mail_notice(notice_id=notice.pk)
        assert mailoutbox == []

    def test_a_mail_server_that_is_away_puts_it_off(self, notice, broken):
        assert mail(notice).mailed_at is None
        assert notice.next_attempt_at > timezone.now()
        assert notice.last_error == "SMTPServerDisconnected: gone"

    def test_the_sweep_tries_it_again(self, notice, mailoutbox, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            sweep_billing()
        assert len(mailoutbox) == 1

    def test_is_given_up_after_a_day_until_staff_ask_again(self, notice, broken, monkeypatch, mailoutbox):
        Notice.objects.update(failures=Notice.policy.max_failures - 1)
        assert mail(notice).next_attempt_at is None
        monkeypatch.undo()
        outbox.retry_now(Notice.objects.all(), at=timezone.now())
        assert mail(notice).mailed_at is not None

    def test_an_address_that_no_mail_can_go_to_is_given_up_too(self, notice):
        Customer.objects.update(email="x@" + "\u00fc" * 60 + ".com")
        assert mail(notice).last_error.startswith("UnicodeError: ")
        Notice.objects.update(failures=Notice.policy.max_failures - 1)
        assert (mail(notice).mailed_at, notice.next_attempt_at) == (None, None)

    def test_death_after_the_mail_sends_it_again(self, notice, mailoutbox, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(module, "_finish", lambda _: (_ for _ in ()).throw(SystemExit))
            with pytest.raises(SystemExit):
                module.mail_notice(notice_id=notice.pk)
        assert mail(notice).mailed_at is not None
        first, second = (sent.extra_headers["Message-ID"] for sent in mailoutbox)
        assert first == second


class TestWhoWantsMailAboutUsage:
    def test_nobody_so_none_is_sent_and_none_waits(self, notice, mailoutbox):
        MembershipFactory(customer=notice.customer, wants_alerts=False)
        MembershipFactory(customer=notice.customer, role="member")
        assert mail(notice).next_attempt_at is None
        assert notice.last_error == "Not mailed: nobody wants mail about usage."
        assert mailoutbox == []

    @pytest.mark.parametrize("role", ["owner", "admin", "billing"])
    def test_one_of_those_who_look_after_the_money_is_enough(self, notice, mailoutbox, role):
        MembershipFactory(customer=notice.customer, wants_alerts=False)
        MembershipFactory(customer=notice.customer, role=role)
        mail(notice)
        assert len(mailoutbox) == 1

    @pytest.mark.parametrize(("kind", "sent"), [("cap", 0), ("payment_failed", 1), ("blocked", 1)])
    def test_payments_are_told_to_everybody(self, notice, mailoutbox, kind, sent):
        MembershipFactory(customer=notice.customer, wants_alerts=False)
        Notice.objects.update(kind=kind)
        mail(notice)
        assert len(mailoutbox) == sent
