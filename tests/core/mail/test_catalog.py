"""Every mail has templates that render, and every template of a mail has an entry in the catalog."""

from pathlib import Path
from typing import Any

import allauth
import pytest
from django.apps import apps
from django.conf import settings

from billing.models import Notification
from core.mail.build import render_mail
from core.mail.catalog import Mail, UnknownMail, get_mail, list_mails, register_mails
from core.outbox.models import OutboxRow
from provisioning.models import ProvisioningEvent
from rsolv.portal.settings import MailForm
from tests.rsolv.portal.markup import read_page

ROOTS = (Path(settings.BASE_DIR) / "templates", Path(allauth.__file__).parent / "templates")
PARTS = ("_subject.txt", "_message.txt", "_message.html")
# Extended by allauth's mails, which fix their names.
LAYOUTS = {"account/email/base_message.txt", "account/email/base_notification.txt"}
# Of features of allauth's that are turned off in rsolv/settings/people.py.
UNUSED = {"account/email/login_code", "account/email/password_reset_code"}
MISSING = "MISSING"


def list_templates() -> list[str]:
    """The names of all templates of mails, ours and allauth's."""
    names = {
        path.relative_to(root).as_posix()
        for root in ROOTS
        for path in root.rglob("*.*")
        if path.parent.name in ("mail", "email")
    }
    return sorted(names - LAYOUTS)


@pytest.fixture
def strict_templates(settings: Any) -> None:
    """A variable that is not in the context is written out, not left out."""
    (engine,) = settings.TEMPLATES
    settings.TEMPLATES = [engine | {"OPTIONS": engine["OPTIONS"] | {"string_if_invalid": MISSING}}]


@pytest.mark.parametrize("mail", list_mails(), ids=lambda mail: mail.key)
class TestEveryMail:
    def test_renders_with_its_example(self, strict_templates: None, mail: Mail) -> None:
        content = render_mail(mail, mail.example)
        whole = content.subject + content.text + content.html
        assert content.subject and "\n" not in content.subject
        assert MISSING not in whole and "None" not in whole

    def test_has_text_and_html_with_the_reason_for_it(self, mail: Mail) -> None:
        content = render_mail(mail, mail.example)
        words, signature, _ = content.text.partition("\n--\nRSOLV\n")
        assert words.strip() and signature and "<" not in content.text
        read_page(content.html.strip())

    def test_is_delivered_by_a_row_of_the_outbox(self, mail: Mail) -> None:
        assert not mail.outbox or issubclass(apps.get_model(mail.outbox), OutboxRow)

    def test_is_turned_off_on_the_settings_page(self, mail: Mail) -> None:
        assert not mail.opt_out or mail.opt_out in MailForm.base_fields


class TestCatalog:
    @pytest.mark.parametrize("name", list_templates())
    def test_has_an_entry_for_every_template(self, name: str) -> None:
        prefixes = {name.removesuffix(part) for part in PARTS} - {name}
        assert prefixes & ({mail.prefix for mail in list_mails()} | UNUSED)

    def test_has_an_entry_for_every_kind_of_notification(self) -> None:
        assert all(get_mail(f"billing/mail/{kind}") for kind in Notification.Kind.values)

    def test_has_an_entry_for_every_step_that_sends_a_mail(self) -> None:
        steps = [step for step in ProvisioningEvent.Step.values if "mail" in step]
        assert all(get_mail(f"provisioning/mail/{step}") for step in steps)

    def test_rejects_a_second_mail_with_the_same_key(self) -> None:
        key = list_mails()[0].key
        with pytest.raises(ValueError, match="Two mails"):
            register_mails(Mail(key, example={}))

    def test_rejects_an_unregistered_mail(self) -> None:
        with pytest.raises(UnknownMail):
            get_mail("account/email/login_code")
