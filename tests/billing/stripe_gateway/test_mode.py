from datetime import timedelta

import pytest
from django.utils import timezone
from djstripe.models import Subscription

from billing.stripe_gateway.audits import sync_invoices
from billing.stripe_gateway.customers import create_customer
from billing.stripe_gateway.errors import OtherMode
from billing.stripe_gateway.prices import sync_plans
from billing.stripe_gateway.subscriptions import sync_subscription
from billing.stripe_gateway.webhooks import register_webhook
from tests.core.metrics.pages import Growth


class TestObjectOfTheOtherMode:
    def test_is_counted_and_not_mirrored(self, billing_env, customer, settings):
        subscription_id = billing_env.account(customer).subscription_id
        billing_env.stripe.control.advance(days=40)
        before = Subscription.objects.get().stripe_data
        settings.STRIPE_LIVE_MODE = True
        rejected = Growth("rsolv_billing_other_mode_total", kind="object")
        with pytest.raises(OtherMode):
            sync_subscription(subscription_id)
        assert (Subscription.objects.get().stripe_data, rejected.so_far) == (before, 1)

    def test_is_rejected_whatever_its_kind(self, billing_env, customer, settings):
        billing_env.stripe.control.advance(days=32)
        subscription_id = billing_env.account(customer).subscription_id
        settings.STRIPE_LIVE_MODE = True
        for write in (
            sync_plans,
            lambda: create_customer(customer_id="c", name="Acme", email="a@acme.test", attempt=1),
            lambda: sync_invoices(subscription_id=subscription_id, since=timezone.now() - timedelta(days=60)),
            lambda: register_webhook("https://rsolv.test/hook", event_types=["invoice.paid"]),
        ):
            with pytest.raises(OtherMode):
                write()
