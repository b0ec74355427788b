import pytest

from provisioning.checks import check_github_settings


@pytest.mark.parametrize(
    ("client_id", "secret", "count"), [("", "", 0), ("a", "b", 0), ("a", "", 1), ("", "b", 1)]
)
def test_half_an_application_at_github_is_a_mistake(settings, client_id, secret, count):
    settings.GITHUB_CLIENT_ID, settings.GITHUB_CLIENT_SECRET = client_id, secret
    assert len(check_github_settings()) == count
