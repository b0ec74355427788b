import json
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from billing import tasks
from billing.models import BillingAccount, Reconciliation


def reconcile(*arguments):
    out = StringIO()
    call_command("reconcile_billing", *arguments, stdout=out)
    return out.getvalue()


class TestReconcileBilling:
    def test_prints_what_it_found(self, customer):
        BillingAccount.objects.update(status="past_due")
        said = reconcile()
        assert f"repaired  {customer.name}: Account differs from its subscription" in said
        assert "1 accounts in" in said

    def test_prints_one_json_object_where_asked(self, customer):
        BillingAccount.objects.update(status="past_due")
        said = json.loads(reconcile("--json", "--customer", str(customer.pk)))
        assert (said["accounts"], said["unanswered"], said["is_complete"]) == (1, 0, True)
        assert [(row["kind"], row["state"]) for row in said["differences"]] == [("stale_account", "repaired")]

    def test_fails_when_stripe_did_not_answer_for_every_customer(self, billing_env):
        billing_env.subscribe("payg")
        path = "/v1/billing/meters/*/event_summaries"
        billing_env.stripe.control.add_fault("status", path=path, status=500, times=None)
        with pytest.raises(CommandError, match="did not answer for every account"):
            reconcile()

    def test_fails_when_stripe_is_unavailable(self, billing_env):
        billing_env.stripe.control.add_fault("status", path="/v1/subscriptions", status=500, times=None)
        with pytest.raises(CommandError, match="Stripe: "):
            reconcile()

    def test_fails_for_an_unknown_customer(self, billing_env):
        with pytest.raises(CommandError, match="No customer has the id"):
            reconcile("--customer", str(uuid4()))


class TestNightlyTask:
    def test_reconciles(self, billing_env):
        billing_env.subscribe("payg")
        tasks.reconcile_billing()
        assert Reconciliation.objects.get().finished_at is not None

    def test_leaves_an_unfinished_run_when_stripe_is_unavailable(self, billing_env):
        billing_env.stripe.control.add_fault("status", path="/v1/subscriptions", status=500, times=None)
        tasks.reconcile_billing()
        assert Reconciliation.objects.get().finished_at is None
