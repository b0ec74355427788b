from datetime import timedelta

import pytest
from django.utils import timezone

from billing.models import BillingAccount
from billing.selectors.entitlements import get_entitlement
from customers.models import Customer
from provisioning.models import TrialGrant
from provisioning.services.close_account import close_account
from provisioning.services.provision_customer import provision_customer
from tests.factories import UsageRecordFactory

pytestmark = pytest.mark.django_db


def sign_up(email: str, **options) -> BillingAccount:
    return provision_customer(name="Farm", email=email, **options).customer.billing_account


def use(account: BillingAccount, count: int) -> None:
    for _ in range(count):
        UsageRecordFactory(execution__repository__forge_account__customer=account.customer)


def close(account: BillingAccount) -> None:
    owner = account.customer.memberships.get().user
    close_account(customer=account.customer, by=owner, at=timezone.now())


class TestMailbox:
    @pytest.mark.parametrize(
        ("first", "alias"),
        [
            ("ann.lee@gmail.com", "a.nnlee@gmail.com"),
            ("annlee@gmail.com", "annlee+rsolv@gmail.com"),
            ("annlee@gmail.com", "Ann.Lee+2@GoogleMail.com"),
            ("ann@acme.test", "ann+1@acme.test"),
            ("ann@acme.test", '"ann"@acme.test'),
            ("ann@bücher.example", "ann+x@xn--bcher-kva.example"),
            ("ann@yahoo.com", "ann-shop@yahoo.com"),
            ("ann@outlook.com", "ann+x@outlook.com"),
            ("ann@proton.me", "a.n-n+x@protonmail.com"),
            ("ann@fastmail.com", "anything@ann.fastmail.com"),
            ("ann@icloud.com", "ann@me.com"),
        ],
    )
    def test_aliases_share_one_trial(self, first, alias):
        assert sign_up(first).trial_fixes_limit == 10
        assert sign_up(alias).trial_fixes_limit == 0
        assert TrialGrant.objects.count() == 1

    def test_of_another_person_has_its_own_trial(self):
        assert sign_up("ann@gmail.com").trial_fixes_limit == 10
        assert sign_up("bob@gmail.com").trial_fixes_limit == 10

    def test_new_account_gets_the_unused_fixes_of_a_closed_one(self):
        first = sign_up("ann@gmail.com")
        use(first, 4)
        close(first)
        second = sign_up("a.n.n@gmail.com")
        assert second.trial_fixes_limit == 6
        use(second, 1)
        close(second)
        assert sign_up("ann+3@gmail.com").trial_fixes_limit == 5

    def test_without_a_trial_has_no_included_fixes(self):
        sign_up("ann@gmail.com")
        account = sign_up("a.nn@gmail.com")
        entitlement = get_entitlement(customer=account.customer)
        assert (entitlement.blocked_reason, entitlement.included) == ("trial_exhausted", 0)


class TestOrganization:
    def test_has_five_trials_a_year_across_subdomains(self):
        domains = ("farm.test", "a.farm.test", "b.farm.test", "x.y.farm.test", "FARM.test", "c.farm.test")
        limits = [sign_up(f"p{n}@{domain}").trial_fixes_limit for n, domain in enumerate(domains)]
        assert limits == [10, 10, 10, 10, 10, 0]

    def test_has_another_trial_after_a_year(self, time_machine):
        now = timezone.now()
        time_machine.move_to(now - timedelta(days=366))
        sign_up("p0@farm.test")
        time_machine.move_to(now)
        for number in range(1, 5):
            sign_up(f"p{number}@farm.test")
        assert sign_up("p5@farm.test").trial_fixes_limit == 10

    def test_limit_is_configurable(self, settings):
        settings.TRIALS_PER_DOMAIN = 1
        assert [sign_up(f"p{n}@farm.test").trial_fixes_limit for n in range(2)] == [10, 0]

    def test_mail_providers_are_not_limited(self):
        limits = {sign_up(f"p{n}@gmail.com").trial_fixes_limit for n in range(7)}
        assert limits == {10}

    def test_customers_created_by_staff_are_not_limited(self):
        for number in range(6):
            made = sign_up(f"p{number}@farm.test", source=Customer.SignupSource.COMMAND)
            assert made.trial_fixes_limit == 10
        assert sign_up("p9@farm.test").trial_fixes_limit == 10
