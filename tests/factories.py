"""The smallest valid objects. A test states only what matters to it."""

from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from billing.models import BillingAccount, UsageRecord
from customers.models import Customer, ForgeAccount, Membership, User
from phases.models import PhaseExecution, Repository


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"person{n}@example.com")


class CustomerFactory(DjangoModelFactory[Customer]):
    class Meta:
        model = Customer

    name = factory.Sequence(lambda n: f"Customer {n}")
    email = factory.Sequence(lambda n: f"billing{n}@example.com")


class MembershipFactory(DjangoModelFactory[Membership]):
    class Meta:
        model = Membership

    customer = factory.SubFactory(CustomerFactory)
    user = factory.SubFactory(UserFactory)
    role = Membership.Role.OWNER


class ForgeAccountFactory(DjangoModelFactory[ForgeAccount]):
    class Meta:
        model = ForgeAccount

    customer = factory.SubFactory(CustomerFactory)
    namespace = factory.Sequence(lambda n: f"namespace{n}")


class RepositoryFactory(DjangoModelFactory[Repository]):
    class Meta:
        model = Repository

    forge_account = factory.SubFactory(ForgeAccountFactory)
    name = factory.Sequence(lambda n: f"repository{n}")


class MitigationFactory(DjangoModelFactory[PhaseExecution]):
    class Meta:
        model = PhaseExecution

    customer = factory.SelfAttribute("repository.forge_account.customer")
    repository = factory.SubFactory(RepositoryFactory)
    phase = PhaseExecution.Phase.MITIGATION
    commit_sha = "c0ffee"
    issue_number = factory.Sequence(lambda n: n + 1)
    outcome = PhaseExecution.Outcome.SUCCEEDED
    data = '{"fixed": true}'
    created_at = factory.LazyFunction(timezone.now)
    updated_at = factory.SelfAttribute("created_at")


class BillingAccountFactory(DjangoModelFactory[BillingAccount]):
    class Meta:
        model = BillingAccount

    customer = factory.SubFactory(CustomerFactory)


class UsageRecordFactory(DjangoModelFactory[UsageRecord]):
    class Meta:
        model = UsageRecord

    customer = factory.SelfAttribute("execution.customer")
    execution = factory.SubFactory(MitigationFactory)
    repository = factory.SelfAttribute("execution.repository")
    issue_number = factory.SelfAttribute("execution.issue_number")
    coverage = UsageRecord.Coverage.TRIAL
    plan = "trial"
    unit_price_cents = 0
    occurred_at = factory.LazyFunction(timezone.now)


def make_mitigation_of(customer: Customer, **fields: Any) -> PhaseExecution:
    """A successful mitigation in a namespace of the customer's own."""
    account = customer.forge_accounts.first() or ForgeAccountFactory(customer=customer)
    repository = account.repositories.first() or RepositoryFactory(forge_account=account)
    return MitigationFactory(repository=repository, **fields)
