import pytest
from djstripe.models import Subscription

from billing.stripe_gateway.errors import OtherMode
from billing.stripe_gateway.subscriptions import sync_subscription
from tests.core.metrics.pages import Growth


class TestObjectOfTheOtherMode:
    def test_is_counted_and_not_mirrored(self, billing_env, customer, settings):
        subscription_id = billing_env.account(customer).subscription_id
        billing_env.stripe.control.advance(days=40)
        before = Subscription.objects.get().stripe_data
        settings.STRIPE_LIVE_MODE = True
        refused = Growth("rsolv_billing_other_mode_total", kind="object")
        with pytest.raises(OtherMode):
            sync_subscription(subscription_id)
        assert (Subscription.objects.get().stripe_data, refused.so_far) == (before, 1)
