import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from djstripe.models import WebhookEndpoint

from tests.billing.billing_env import post_webhook

THIN = json.dumps({"id": "evt_1", "object": "v2.core.event", "type": "v1.billing.meter.no_meter_found"})


@pytest.mark.django_db
class TestEventDestination:
    def test_is_verified_with_its_stored_secret(self, monkeypatch):
        monkeypatch.setattr("sys.stdin", StringIO("whsec_thin\n"))
        call_command("register_webhook", "--destination", "ed_1", stdout=StringIO())
        assert post_webhook(THIN, secret="whsec_thin").status_code == 200

    def test_may_get_another_secret(self, monkeypatch):
        for secret in ("whsec_one", "whsec_two"):
            monkeypatch.setattr("sys.stdin", StringIO(secret))
            call_command("register_webhook", "--destination", "ed_1", stdout=StringIO())
        assert WebhookEndpoint.objects.get().secret == "whsec_two"

    def test_is_rejected_without_a_secret(self, monkeypatch):
        monkeypatch.setattr("sys.stdin", StringIO(""))
        with pytest.raises(CommandError, match="signing secret"):
            call_command("register_webhook", "--destination", "ed_1")
        assert not WebhookEndpoint.objects.exists()

    def test_is_not_used_for_events_of_the_endpoint(self, billing_env, monkeypatch):
        monkeypatch.setattr("sys.stdin", StringIO("whsec_thin"))
        url = "http://127.0.0.1:9/thin"
        call_command("register_webhook", url, "--destination", "ed_1", stdout=StringIO())
        out = StringIO()
        call_command("register_webhook", url, stdout=out)
        assert out.getvalue().startswith("we_")
