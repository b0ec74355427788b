"""Concurrent signups, on PostgreSQL."""

import re
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from billing.models import BillingAccount
from core.errors import DomainError
from customers.models import Customer, Membership, User
from customers.services.authenticate_key import authenticate_api_key
from provisioning.models import SignupRequest, TrialGrant
from provisioning.services.confirm_signup import SignupNotValid, confirm_onboarding
from provisioning.services.provision_customer import SignupRejected, provision_customer
from provisioning.services.prune_signups import prune_signups
from provisioning.services.request_signup import request_onboarding
from tests.signup import deliver_mails

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
ALICE = "alice@acme.test"


def ask(count: int) -> list[tuple[str, str]]:
    """Request onboarding for one address `count` times; return pairs of key and token."""
    asked = timezone.now()
    keys = [request_onboarding(name="Acme", email=ALICE, at=asked, address=None).raw for _ in range(count)]
    deliver_mails()
    tokens = [re.search(r"/onboarding/([\w-]+)/", each.body)[1] for each in mail.outbox]  # type: ignore[index]
    return list(zip(keys, tokens, strict=True))


def run_concurrently(calls: list[Callable[[], Any]]) -> Counter[str]:
    """Run all calls concurrently; return how often each outcome occurred."""
    gate, outcomes = threading.Barrier(len(calls)), Counter[str]()

    def run(call: Callable[[], Any]) -> None:
        try:
            gate.wait()
            call()
            outcomes["done"] += 1
        except DomainError as error:
            outcomes[type(error).__name__] += 1
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def confirm(token: str) -> Callable[[], Any]:
    return lambda: confirm_onboarding(
        token=token, with_key=True, at=timezone.now(), address=None, name="Alice", password="!hashed"
    )


class TestConcurrentConfirmations:
    def test_of_two_requests_create_one_account_with_its_key(self) -> None:
        asked = ask(2)
        outcomes = run_concurrently([confirm(token) for _, token in asked])
        assert outcomes == {"done": 1, SignupNotValid.__name__: 1}
        assert (Customer.objects.count(), User.objects.count(), Membership.objects.count()) == (1, 1, 1)
        assert sum(authenticate_api_key(raw) is not None for raw, _ in asked) == 1
        assert not SignupRequest.objects.exists()

    def test_of_one_link_succeed_once(self) -> None:
        ((_, token),) = ask(1)
        assert run_concurrently([confirm(token)] * 4) == {"done": 1, SignupNotValid.__name__: 3}
        assert Customer.objects.count() == 1

    def test_during_pruning_succeed_completely_or_not_at_all(self) -> None:
        ((raw, token),) = ask(1)
        # An UPDATE, because a link has expired long before its request is old enough to prune.
        SignupRequest.objects.update(created_at=timezone.now() - timedelta(days=8))
        outcomes = run_concurrently([confirm(token), lambda: prune_signups(at=timezone.now())])
        is_made = outcomes["done"] == 2
        assert (authenticate_api_key(raw) is not None) is is_made
        assert Customer.objects.count() == User.objects.count() == int(is_made)
        assert not SignupRequest.objects.exists()


class TestConcurrentSignups:
    def test_of_one_mailbox_get_one_trial(self) -> None:
        names = ("ann@gmail.com", "a.nn@gmail.com", "ann+1@gmail.com", "ann@googlemail.com")
        run_concurrently([lambda name=name: provision_customer(name="Farm", email=name) for name in names])  # type: ignore[misc]
        assert sorted(BillingAccount.objects.values_list("trial_fixes_limit", flat=True)) == [0, 0, 0, 10]
        assert TrialGrant.objects.count() == 1

    def test_of_one_organization_get_five_trials(self) -> None:
        emails = [f"p{number}@farm.test" for number in range(8)]
        run_concurrently(
            [lambda email=email: provision_customer(name="Farm", email=email) for email in emails]
        )  # type: ignore[misc]
        limits = Counter(BillingAccount.objects.values_list("trial_fixes_limit", flat=True))
        assert limits == {10: 5, 0: 3}

    def test_with_one_address_create_one_account(self) -> None:
        outcomes = run_concurrently([lambda: provision_customer(name="Acme", email=ALICE)] * 3)
        assert outcomes == {"done": 1, SignupRejected.__name__: 2}
        assert (Customer.objects.count(), User.objects.count()) == (1, 1)
