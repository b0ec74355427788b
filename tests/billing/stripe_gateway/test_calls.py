import pytest
import stripe
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from billing.stripe_gateway import http
from billing.stripe_gateway.client import get_client
from billing.stripe_gateway.errors import StripeRejected, StripeUnavailable, translate_errors


@pytest.fixture
def naps(monkeypatch):
    """The waits after each 429, which are recorded instead of slept."""
    waited = []
    monkeypatch.setattr(http, "sleep", waited.append)
    return waited


def count(outcome):
    labels = {"call": "find_price_ids_of_nothing", "outcome": outcome}
    return REGISTRY.get_sample_value("rsolv_billing_stripe_calls_total", labels) or 0


def retrieve():
    with translate_errors("find_price_ids_of_nothing"):
        get_client().v1.products.list()


class TestCall:
    def test_logs_stripes_request_id(self, stripe_sandbox):
        with capture_logs() as lines:
            retrieve()
        line = next(each for each in lines if each["event"] == "stripe_call")
        request_id = stripe_sandbox.control.requests()[-1]["request_id"]
        assert (line["outcome"], line["requests"], line["stripe_request_id"]) == ("done", 1, request_id)

    @pytest.mark.parametrize(
        ("status", "outcome"),
        [(400, "rejected"), (401, "unavailable"), (404, "rejected"), (500, "unavailable")],
    )
    def test_is_counted_by_outcome(self, stripe_sandbox, naps, status, outcome):
        stripe_sandbox.control.add_fault("status", path="/v1/products", status=status, times=None)
        before = count(outcome)
        with pytest.raises((StripeUnavailable, StripeRejected)):
            retrieve()
        assert count(outcome) == before + 1

    def test_with_a_reused_idempotency_key_needs_a_new_one(self):
        with (
            pytest.raises(StripeUnavailable),
            translate_errors("find_price_ids_of_nothing"),
        ):
            raise stripe.IdempotencyError("Keys for idempotent requests ...", http_status=400)

    def test_broken_by_our_own_error_is_counted_as_failed(self):
        before = count("failed")
        with pytest.raises(ZeroDivisionError), translate_errors("find_price_ids_of_nothing"):
            1 / 0  # noqa: B018
        assert count("failed") == before + 1

    def test_is_given_up_after_three_requests(self, stripe_sandbox, naps):
        stripe_sandbox.control.add_fault("cut_before", path="/v1/products", times=None)
        with pytest.raises(StripeUnavailable):
            retrieve()
        assert len(stripe_sandbox.control.faults()) == 1
        assert stripe_sandbox.control.faults()[0]["hits"] == 3


class TestTooManyRequests:
    def test_are_waited_for_and_retried(self, stripe_sandbox, naps):
        stripe_sandbox.control.add_fault("status", path="/v1/products", status=429, times=2)
        retrieve()
        assert len(naps) == 2
        assert naps[0] < naps[1]

    def test_are_given_up_after_three(self, stripe_sandbox, naps):
        stripe_sandbox.control.add_fault("status", path="/v1/products", status=429, times=None)
        with pytest.raises(StripeUnavailable):
            retrieve()
        assert len(naps) == 2


class TestFindWaitSeconds:
    @pytest.mark.parametrize(
        ("headers", "waited", "least"),
        [({}, 0, 0.5), ({}, 1, 1), ({"Retry-After": "3"}, 0, 3), ({"Retry-After": "soon"}, 0, 0.5)],
    )
    def test_is_what_stripe_asks_for_or_doubles(self, headers, waited, least):
        assert least <= http.find_wait_seconds(headers, waited) <= least * 1.25

    def test_gives_up_on_a_wait_beyond_the_maximum(self, naps, monkeypatch):
        answer = (b"{}", 429, {"Retry-After": "60"})
        monkeypatch.setattr(stripe.RequestsClient, "request", lambda *_: answer)
        assert http.RetryingClient().request("get", "https://stripe.test", None) == answer
        assert naps == []


class TestDjStripe:
    def test_uses_our_timeout_and_retries(self, settings):
        assert isinstance(stripe.default_http_client, http.RetryingClient)
        assert stripe.default_http_client._timeout == settings.STRIPE_TIMEOUT_SECONDS
        assert stripe.max_network_retries == http.MAX_RETRIES
