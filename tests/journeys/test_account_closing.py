"""An owner closes an account with an active plan: Stripe ends it, keys are rejected, a mail confirms."""

from django.core import mail
from django.utils import timezone

from billing.plans import PAYG
from billing.services.subscriptions.start_checkout import start_checkout
from billing.stripe_gateway.subscriptions import create_subscription
from customers.services.authenticate_key import authenticate_api_key
from provisioning.services.close_account import close_account
from tests.billing.billing_env import BillingEnv
from tests.factories import MembershipFactory
from tests.scenario import ApiScenario


class TestCloseAccount:
    def test_invoices_usage_ends_the_plan_and_revokes_keys(self, billing_env: BillingEnv) -> None:
        scenario = ApiScenario.begin(billing_env, "payg")
        customer = scenario.customer
        owner = MembershipFactory(customer=customer).user
        scenario.fix(1)
        with billing_env.run_tasks():
            close_account(customer=customer, by=owner, at=timezone.now())
        assert billing_env.account(customer).status == "canceled"
        assert billing_env.stripe.control.objects("invoice")[-1]["total"] == 1500
        assert authenticate_api_key(scenario.client.key) is None
        assert customer.email in {to for sent in mail.outbox for to in sent.to}

    def test_ends_a_plan_whose_events_have_not_arrived(self, billing_env: BillingEnv) -> None:
        membership = MembershipFactory()
        customer, now = membership.customer, timezone.now()
        start_checkout(customer=customer, plan=PAYG, return_url="http://127.0.0.1:9/back", at=now)
        billing_env.stripe.control.complete_checkout(
            billing_env.stripe.control.objects("checkout.session")[0]["id"]
        )
        close_account(customer=customer, by=membership.user, at=now)
        assert [each["status"] for each in billing_env.stripe.control.objects("subscription")] == ["canceled"]

    def test_ends_a_second_plan_without_billing_fixes_twice(self, billing_env: BillingEnv) -> None:
        scenario = ApiScenario.begin(billing_env, "payg")
        customer = scenario.customer
        owner = MembershipFactory(customer=customer).user
        scenario.fix(1)
        create_subscription(
            stripe_customer_id=billing_env.account(customer).stripe_customer_id or "",
            plan=PAYG,
            request_key="again",
            attempt=0,
        )
        close_account(customer=customer, by=owner, at=timezone.now())
        assert {each["status"] for each in billing_env.stripe.control.objects("subscription")} == {"canceled"}
        assert sum(each["total"] for each in billing_env.stripe.control.objects("invoice")) == 1500

    def test_expires_an_open_checkout(self, billing_env: BillingEnv) -> None:
        membership = MembershipFactory()
        customer, now = membership.customer, timezone.now()
        start_checkout(customer=customer, plan=PAYG, return_url="http://127.0.0.1:9/back", at=now)
        close_account(customer=customer, by=membership.user, at=now)
        assert [each["status"] for each in billing_env.stripe.control.objects("checkout.session")] == [
            "expired"
        ]
