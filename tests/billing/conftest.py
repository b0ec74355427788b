"""The customer of billing's tests, on the plan that a test asks for."""

import pytest

from billing.plans import TRIAL
from customers.models import Customer
from tests.factories import CustomerFactory


@pytest.fixture
def plan() -> str:
    """The plan of `customer`. Override it in a module, class or parametrization."""
    return "payg"


@pytest.fixture
def customer(request: pytest.FixtureRequest, db: None, plan: str) -> Customer:
    """A customer subscribed to `plan` at the sandbox Stripe, or on a trial and unknown to Stripe."""
    if plan == TRIAL.key:
        return CustomerFactory()
    customer: Customer = request.getfixturevalue("billing_env").subscribe(plan)
    return customer
