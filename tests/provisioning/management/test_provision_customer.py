import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from billing.models import BillingAccount
from customers.models import Customer, ForgeAccount, Membership
from customers.services.prove_namespace import prove_namespace
from tests.conftest import ApiClient


def provision(*arguments):
    out = io.StringIO()
    call_command("provision_customer", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
class TestProvisionCustomer:
    def test_creates_a_customer_whose_key_works(self):
        made = json.loads(provision("a@acme.test", "--name", "Acme", "--namespace", "acme", "--json"))
        customer = Customer.objects.get()
        assert (made["customer_id"], made["plan"], made["namespace"]) == (str(customer.pk), "trial", "acme")
        assert ApiClient(made["api_key"]).get("/api/v1/entitlement").json()["plan"] == "trial"
        assert ForgeAccount.objects.get().customer == customer
        assert Membership.objects.get().role == "owner"

    def test_prints_text_without_json(self):
        assert "rsolv_" in provision("a@acme.test", "--name", "Acme")

    def test_metered_plan_is_active_while_stripe_is_unavailable(self):
        made = json.loads(provision("a@acme.test", "--name", "Acme", "--plan", "payg", "--json"))
        entitlement = ApiClient(made["api_key"]).get("/api/v1/entitlement").json()
        assert (entitlement["plan"], entitlement["unitPriceCents"], entitlement["canUseService"]) == (
            "payg",
            1500,
            True,
        )

    @pytest.mark.parametrize("plan", ["payg", "teams"])
    def test_creates_the_subscription_at_stripe(self, billing_env, plan):
        with billing_env.run_tasks():
            provision("a@acme.test", "--name", "Acme", "--plan", plan, "--payment-method", "pm_card_visa")
        assert (BillingAccount.objects.get().plan, BillingAccount.objects.get().status) == (plan, "active")

    def test_rejects_a_second_customer_with_the_same_address(self):
        provision("a@acme.test", "--name", "Acme")
        with pytest.raises(CommandError, match="cannot be used"):
            provision("A@acme.test", "--name", "Other")

    def test_rolls_back_if_the_namespace_is_proven_by_another(self):
        provision("a@acme.test", "--name", "Acme", "--namespace", "acme")
        prove_namespace(customer=Customer.objects.get(), namespace="acme", at=timezone.now())
        with pytest.raises(CommandError, match="namespace"):
            provision("b@other.test", "--name", "Other", "--namespace", "ACME")
        assert Customer.objects.count() == 1

    def test_rejects_an_invalid_address(self):
        with pytest.raises(CommandError, match="cannot be used"):
            provision("nonsense", "--name", "Acme")
