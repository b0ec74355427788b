from uuid import UUID

from core.mail.build import Content, build_mail, render_mail
from core.mail.catalog import get_mail

REFERENCE = UUID(int=7)
CONTENT = Content("Subject", "Text\n", "<p>HTML</p>\n")


class TestBuildMail:
    def test_carries_text_and_html(self) -> None:
        mail = build_mail(CONTENT, to="alice@acme.test", reference=REFERENCE)
        assert (mail.subject, mail.body, mail.to) == ("Subject", "Text\n", ["alice@acme.test"])
        assert mail.alternatives == [("<p>HTML</p>\n", "text/html")]

    def test_is_named_after_its_row(self, settings) -> None:
        settings.BASE_URL = "https://app.rsolv.test:8443"
        mail = build_mail(CONTENT, to="alice@acme.test", reference=REFERENCE)
        assert mail.extra_headers == {"Message-ID": f"<{REFERENCE}@app.rsolv.test>"}

    def test_comes_from_the_address_of_the_settings(self, settings) -> None:
        settings.DEFAULT_FROM_EMAIL = "RSOLV <hello@rsolv.test>"
        mail = build_mail(CONTENT, to="alice@acme.test", reference=REFERENCE)
        assert mail.from_email == settings.DEFAULT_FROM_EMAIL


class TestRenderMail:
    def test_writes_names_as_they_are_in_the_text_and_escaped_in_the_html(self) -> None:
        mail = get_mail("provisioning/mail/closed")
        content = render_mail(mail, {"customer": {"name": "A & B"}, "by": {"email": "alice@acme.test"}})
        assert "A & B" in content.subject and "A & B" in content.text
        assert "A &amp; B" in content.html

    def test_makes_html_of_a_mail_that_has_text_only(self) -> None:
        mail = get_mail("account/email/new_device")
        content = render_mail(mail, mail.example)
        assert "<h1>New sign-in to RSOLV from a new device</h1>" in content.html
        assert "192.0.2.7" in content.html
