import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.addresses import find_mailbox, find_organization, is_disposable, normalize_email
from customers.mail_providers import BY_DOMAIN


class TestNormalizeEmail:
    @pytest.mark.parametrize(
        ("written", "kept"),
        [
            (" Ann@ACME.test ", "ann@acme.test"),
            ("ann@bücher.example", "ann@xn--bcher-kva.example"),
            ("ann+ci@acme.test", "ann+ci@acme.test"),
            ("nonsense", "@nonsense"),
        ],
    )
    def test_returns_one_spelling(self, written, kept):
        assert normalize_email(written) == kept


class TestIsDisposable:
    @pytest.mark.parametrize("address", ["a@mailinator.com", "a@MAILINATOR.com", "a@x.y.mailinator.com"])
    def test_includes_subdomains(self, address):
        assert is_disposable(address)

    @pytest.mark.parametrize("address", ["a@acme.test", "a@gmail.com", "a@notmailinator.com.example"])
    def test_excludes_other_domains(self, address):
        assert not is_disposable(address)


class TestFindMailbox:
    def test_removes_tags(self):
        assert find_mailbox("Ann+one+two@Acme.test") == "ann@acme.test"

    @pytest.mark.parametrize(
        ("address", "mailbox"),
        [
            ("A.n.n+x@googlemail.com", "ann@gmail.com"),
            ("a.n.n@acme.test", "a.n.n@acme.test"),
            ("ann-x@acme.test", "ann-x@acme.test"),
            ("ann-x@yahoo.co.uk", "ann@yahoo.co.uk"),
            ("ann@yahoo.de", "ann@yahoo.de"),
            ("a_n.n@pm.me", "ann@proton.me"),
            ("x@ann.fastmail.fm", "ann@fastmail.fm"),
            ("+tag@gmail.com", "+tag@gmail.com"),
            ("...@gmail.com", "...@gmail.com"),
            ('"ann+x"@acme.test', "ann@acme.test"),
            ("nonsense", "@nonsense"),
        ],
    )
    def test_follows_the_rules_of_the_provider(self, address, mailbox):
        assert find_mailbox(address) == mailbox
        assert find_mailbox(mailbox) == mailbox

    @given(st.emails())
    def test_is_idempotent(self, address):
        assert find_mailbox(find_mailbox(address)) == find_mailbox(address)


class TestFindOrganization:
    @pytest.mark.parametrize(
        ("address", "organization"),
        [
            ("a@acme.test", "acme.test"),
            ("a@mail.eu.acme.co.uk", "acme.co.uk"),
            ("a@bücher.example", "xn--bcher-kva.example"),
            ("a@mine.duckdns.org", "duckdns.org"),
            ("a@gmail.com", ""),
            ("a@ann.fastmail.com", ""),
            ("a@mail.gmail.com", "gmail.com"),
            ("a@co.uk", "co.uk"),
        ],
    )
    def test_is_the_registered_domain(self, address, organization):
        assert find_organization(address) == organization


def test_no_mail_provider_is_disposable():
    assert not [domain for domain in BY_DOMAIN if is_disposable(f"a@{domain}")]
