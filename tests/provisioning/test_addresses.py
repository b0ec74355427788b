import pytest

from provisioning.addresses import find_mailbox, is_disposable, normalise_email


class TestNormaliseEmail:
    @pytest.mark.parametrize(
        ("written", "kept"),
        [
            (" Ann@ACME.test ", "ann@acme.test"),
            ("ann@bücher.example", "ann@xn--bcher-kva.example"),
            ("ann+ci@acme.test", "ann+ci@acme.test"),
            ("nonsense", "@nonsense"),
        ],
    )
    def test_keeps_one_spelling(self, written, kept):
        assert normalise_email(written) == kept


class TestIsDisposable:
    @pytest.mark.parametrize("address", ["a@mailinator.com", "a@MAILINATOR.com", "a@x.y.mailinator.com"])
    def test_knows_domains_and_those_below_them(self, address):
        assert is_disposable(address)

    @pytest.mark.parametrize("address", ["a@acme.test", "a@gmail.com", "a@notmailinator.com.example"])
    def test_leaves_others_alone(self, address):
        assert not is_disposable(address)


class TestFindMailbox:
    def test_leaves_tags_out(self):
        assert find_mailbox("Ann+one+two@Acme.test") == "ann@acme.test"
