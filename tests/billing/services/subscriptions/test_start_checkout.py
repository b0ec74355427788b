from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from billing.plans import PAYG, PLANS, TEAMS
from billing.services.subscriptions.cancel_plan import cancel_plan
from billing.services.subscriptions.choose_plan import PlanAlreadyChosen
from billing.services.subscriptions.start_checkout import finish_checkout, start_checkout
from billing.stripe_gateway.errors import StripeUnavailable
from billing.stripe_gateway.prices import sync_plans
from tests.billing.billing_env import run_together
from tests.factories import CustomerFactory

RETURN = "https://rsolv.test/billing/"


@pytest.fixture
def plan():
    return "trial"


def checkout(customer, plan=TEAMS):
    return start_checkout(customer=customer, plan=plan, return_url=RETURN, at=timezone.now())


def find_session(url):
    return urlsplit(url).path.rpartition("/")[2]


class TestStartCheckout:
    @pytest.mark.parametrize("key", ["payg", "teams"])
    def test_sets_the_plan_once_it_is_paid(self, billing_env, customer, key):
        session = find_session(checkout(customer, PLANS[key]))
        billing_env.stripe.control.complete_checkout(session)
        billing_env.deliver()
        account = billing_env.account(customer)
        assert (account.plan, account.status) == (key, "active")

    def test_returns_the_person_with_the_session(self, billing_env):
        checkout(CustomerFactory())
        success = billing_env.stripe.control.objects("checkout.session")[0]["success_url"]
        assert parse_qs(urlsplit(success).query)["checkout"] == ["done"]
        assert success.endswith("session={CHECKOUT_SESSION_ID}")

    def test_returns_the_same_page_when_repeated(self, billing_env, customer):
        assert checkout(customer) == checkout(customer)
        assert len(billing_env.stripe.control.objects("customer")) == 1

    def test_another_plan_closes_the_page_of_the_first(self, billing_env, customer):
        assert checkout(customer, PAYG) != checkout(customer, TEAMS)
        states = [each["status"] for each in billing_env.stripe.control.objects("checkout.session")]
        assert states == ["expired", "open"]

    def test_an_expired_page_is_followed_by_a_new_one(self, billing_env, customer):
        first = checkout(customer)
        billing_env.stripe.control.advance(days=2)
        assert checkout(customer) != first

    def test_is_rejected_while_a_plan_is_active(self, billing_env):
        with pytest.raises(PlanAlreadyChosen):
            checkout(billing_env.subscribe("payg"))

    def test_is_rejected_before_the_event_of_a_paid_page_arrives(self, billing_env, customer):
        billing_env.stripe.control.complete_checkout(find_session(checkout(customer)))
        with pytest.raises(PlanAlreadyChosen):
            checkout(customer)
        assert (billing_env.account(customer).plan, billing_env.account(customer).status) == (
            "teams",
            "active",
        )
        assert len(billing_env.stripe.control.objects("checkout.session")) == 1

    def test_a_cancelled_customer_subscribes_again(self, billing_env):
        customer = billing_env.subscribe("payg")
        cancel_plan(customer=customer)
        billing_env.stripe.control.complete_checkout(find_session(checkout(customer)))
        billing_env.deliver()
        assert (billing_env.account(customer).plan, billing_env.account(customer).status) == (
            "teams",
            "active",
        )

    @pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
    @pytest.mark.parametrize("path", ["/v1/customers", "/v1/checkout/sessions"])
    def test_makes_one_page_when_repeated_after_an_outage(self, billing_env, customer, kind, path):
        billing_env.stripe.control.add_fault(kind, method="POST", path=path, times=3)
        with pytest.raises(StripeUnavailable):
            checkout(customer)
        checkout(customer)
        assert len(billing_env.stripe.control.objects("checkout.session")) == 1
        assert len(billing_env.stripe.control.objects("customer")) == 1


class TestFinishCheckout:
    def test_activates_the_plan_before_any_event_arrives(self, billing_env, customer):
        session = find_session(checkout(customer))
        billing_env.stripe.control.complete_checkout(session)
        account = finish_checkout(customer=customer, session_id=session)
        assert (account.plan, account.status) == ("teams", "active")

    def test_a_page_that_is_not_paid_changes_nothing(self, billing_env, customer):
        session = find_session(checkout(customer))
        assert finish_checkout(customer=customer, session_id=session).status == "trialing"

    def test_a_session_of_another_customer_changes_nothing(self, billing_env):
        alice, mallory = CustomerFactory(), CustomerFactory()
        session = find_session(checkout(alice))
        checkout(mallory)
        billing_env.stripe.control.complete_checkout(session)
        assert finish_checkout(customer=mallory, session_id=session).status == "trialing"
        assert billing_env.account(alice).status == "trialing"

    def test_does_nothing_without_a_checkout(self, billing_env):
        assert finish_checkout(customer=CustomerFactory(), session_id="cs_1").status == "trialing"


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
class TestConcurrentRequests:
    def test_get_one_page(self, stripe_sandbox):
        sync_plans()
        customer = CustomerFactory()
        urls = run_together(lambda: checkout(customer), lambda: checkout(customer))
        assert urls[0] == urls[1]
        assert len(stripe_sandbox.control.objects("checkout.session")) == 1
        assert len(stripe_sandbox.control.objects("customer")) == 1

    def test_for_two_plans_leave_one_page_open(self, stripe_sandbox):
        sync_plans()
        customer = CustomerFactory()
        run_together(lambda: checkout(customer, PAYG), lambda: checkout(customer, TEAMS))
        states = [each["status"] for each in stripe_sandbox.control.objects("checkout.session")]
        assert sorted(states) == ["expired", "open"]
