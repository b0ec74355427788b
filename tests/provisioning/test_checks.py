import pytest

from provisioning.checks import check_github_settings


@pytest.mark.parametrize(
    ("client_id", "secret", "count"), [("", "", 0), ("a", "b", 0), ("a", "", 1), ("", "b", 1)]
)
def test_partial_github_settings_are_an_error(settings, client_id, secret, count):
    settings.GITHUB_CLIENT_ID, settings.GITHUB_CLIENT_SECRET = client_id, secret
    assert len(check_github_settings()) == count
