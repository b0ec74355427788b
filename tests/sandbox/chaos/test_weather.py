import random

from sandbox.chaos.weather import SILENCE, WEATHERS, draw_disorder, draw_weather
from sandbox.stripe.faults import Fault, FaultBook


def draw(seed: int) -> list[tuple[str, dict]]:
    return [(rule.kind, rule.fault) for rule in draw_weather(random.Random(seed))]


class TestDrawWeather:
    def test_draws_the_same_from_the_same_seed(self):
        assert draw(5) == draw(5)
        assert draw(5) != draw(6)

    def test_knows_only_faults_of_the_sandbox(self):
        for seed in range(50):
            for _, fault in draw(seed):
                assert Fault(**fault).times is None

    def test_has_every_kind_now_and_then(self):
        assert {kind for seed in range(50) for kind, _ in draw(seed)} == set(WEATHERS)

    def test_is_an_outage_at_times(self):
        assert any(len(draw(seed)) == 1 for seed in range(50))


class TestDrawDisorder:
    def test_loses_no_webhook(self):
        kinds = {rule.kind for rule in draw_disorder(random.Random(1))}
        assert kinds == {"webhook_duplicated", "webhook_reordered", "webhook_late"}


class TestSilence:
    def test_lets_neither_an_answer_nor_a_webhook_through(self):
        faults = FaultBook()
        for rule in SILENCE:
            faults.add(**rule.fault)
        (struck,) = faults.for_request("POST", "/v1/subscriptions")
        assert struck.kind == "cut_after"
        assert faults.for_request("GET", "/v1/subscriptions") == []
        assert faults.for_webhook("customer.subscription.created") is not None
