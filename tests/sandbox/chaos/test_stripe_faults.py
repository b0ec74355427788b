import random

from sandbox.chaos.stripe_faults import (
    LOST_RESPONSES,
    STRIPE_FAULT_KINDS,
    draw_stripe_faults,
    draw_webhook_faults,
)
from sandbox.stripe.faults import Fault, FaultRules


def draw(seed: int) -> list[tuple[str, dict]]:
    return [(rule.kind, rule.fault) for rule in draw_stripe_faults(random.Random(seed))]


class TestDrawStripeFaults:
    def test_draws_the_same_from_the_same_seed(self):
        assert draw(5) == draw(5)
        assert draw(5) != draw(6)

    def test_draws_only_faults_that_the_sandbox_supports(self):
        for seed in range(50):
            for _, fault in draw(seed):
                assert Fault(**fault).times is None

    def test_draws_every_kind(self):
        assert {kind for seed in range(50) for kind, _ in draw(seed)} == set(STRIPE_FAULT_KINDS)

    def test_draws_an_outage_sometimes(self):
        assert any(len(draw(seed)) == 1 for seed in range(50))


class TestDrawWebhookFaults:
    def test_loses_no_webhook(self):
        kinds = {rule.kind for rule in draw_webhook_faults(random.Random(1))}
        assert kinds == {"webhook_duplicated", "webhook_reordered", "webhook_late"}


class TestLostResponses:
    def test_drops_responses_and_webhooks(self):
        faults = FaultRules()
        for rule in LOST_RESPONSES:
            faults.add(**rule.fault)
        (injected,) = faults.for_request("POST", "/v1/subscriptions")
        assert injected.kind == "cut_after"
        assert faults.for_request("GET", "/v1/subscriptions") == []
        assert faults.for_webhook("customer.subscription.created") is not None
