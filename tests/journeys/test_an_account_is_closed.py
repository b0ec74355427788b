"""An owner closes an account whose plan runs: the plan ends at Stripe, keys are refused, a mail says so."""

from datetime import timedelta

from django.core import mail
from django.utils import timezone

from billing.models import UsageReport
from billing.plans import PAYG
from billing.services.metering.record_usage import record_usage
from billing.services.subscriptions.start_checkout import start_checkout
from billing.stripe_gateway.subscriptions import create_subscription
from customers.services.authenticate_key import authenticate_api_key
from customers.services.manage_keys import create_api_key
from provisioning.services.close_account import close_account
from tests.billing.billing_env import BillingEnv
from tests.factories import MembershipFactory, make_mitigation_of


class TestClosingAnAccount:
    def test_invoices_what_was_used_and_ends_everything(self, billing_env: BillingEnv) -> None:
        customer = billing_env.subscribe("payg")
        owner = MembershipFactory(customer=customer).user
        raw = create_api_key(customer=customer, name="CI").raw
        with billing_env.run_tasks():
            record_usage(
                customer=customer, execution=make_mitigation_of(customer), occurred_at=timezone.now()
            )
        UsageReport.objects.update(reported_at=timezone.now() - timedelta(minutes=3))
        billing_env.stripe.control.advance(60)
        with billing_env.run_tasks():
            close_account(customer=customer, by=owner, at=timezone.now())
        assert billing_env.account(customer).status == "canceled"
        assert billing_env.stripe.control.objects("invoice")[-1]["total"] == 1500
        assert authenticate_api_key(raw) is None
        assert customer.email in {to for sent in mail.outbox for to in sent.to}

    def test_ends_a_plan_whose_news_has_not_come(self, billing_env: BillingEnv) -> None:
        membership = MembershipFactory()
        customer, now = membership.customer, timezone.now()
        start_checkout(customer=customer, plan=PAYG, return_url="http://127.0.0.1:9/back", at=now)
        billing_env.stripe.control.complete_checkout(
            billing_env.stripe.control.objects("checkout.session")[0]["id"]
        )
        close_account(customer=customer, by=membership.user, at=now)
        assert [each["status"] for each in billing_env.stripe.control.objects("subscription")] == ["canceled"]

    def test_ends_a_second_plan_too_without_billing_its_fixes_again(self, billing_env: BillingEnv) -> None:
        customer = billing_env.subscribe("payg")
        owner = MembershipFactory(customer=customer).user
        with billing_env.run_tasks():
            record_usage(
                customer=customer, execution=make_mitigation_of(customer), occurred_at=timezone.now()
            )
        UsageReport.objects.update(reported_at=timezone.now() - timedelta(minutes=3))
        billing_env.stripe.control.advance(60)
        create_subscription(
            stripe_customer_id=billing_env.account(customer).stripe_customer_id or "",
            plan=PAYG,
            request_key="again",
            attempt=0,
        )
        close_account(customer=customer, by=owner, at=timezone.now())
        assert {each["status"] for each in billing_env.stripe.control.objects("subscription")} == {"canceled"}
        assert sum(each["total"] for each in billing_env.stripe.control.objects("invoice")) == 1500

    def test_leaves_no_checkout_open_that_would_subscribe_later(self, billing_env: BillingEnv) -> None:
        membership = MembershipFactory()
        customer, now = membership.customer, timezone.now()
        start_checkout(customer=customer, plan=PAYG, return_url="http://127.0.0.1:9/back", at=now)
        close_account(customer=customer, by=membership.user, at=now)
        assert [each["status"] for each in billing_env.stripe.control.objects("checkout.session")] == [
            "expired"
        ]
