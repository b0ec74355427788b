"""The key cache, with a real Redis."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from core.redis.client import RedisClient, get_redis_client
from customers import key_cache, keys, selectors
from customers.models import ApiKey, Customer, KeyInvalidation
from customers.services.authenticate_key import authenticate_api_key
from customers.services.block_customer import block_customer, unblock_customer
from customers.services.manage_keys import create_api_key, revoke_api_key, rotate_api_key
from provisioning.services.close_account import close_account
from tests.factories import BillingAccountFactory, MembershipFactory, UserFactory

pytestmark = pytest.mark.services

UNREACHABLE = "redis://127.0.0.1:9/0"


@pytest.fixture(autouse=True)
def quick_lease(settings) -> None:
    settings.KEY_CACHE_LEASE_SECONDS = 0.3


@pytest.fixture
def raw(db) -> str:
    """A key that is in the cache."""
    member = MembershipFactory()
    BillingAccountFactory(customer=member.customer)
    made = create_api_key(customer=member.customer, name="test")
    assert authenticate_api_key(made.raw)
    return made.raw


@pytest.fixture
def cut_off(settings, monkeypatch) -> Iterator[Callable[[], None]]:
    """Return a function that disconnects this process from Redis, and reconnects it when called again."""
    ours, unreachable = get_redis_client(), RedisClient(UNREACHABLE)
    clients = {"now": ours}
    for module in ("customers.key_cache", "customers.key_uses"):
        monkeypatch.setattr(f"{module}.get_redis_client", lambda: clients["now"])
    yield lambda: clients.update(now=unreachable if clients["now"] is ours else ours)


def get_key(raw: str) -> ApiKey:
    return ApiKey.objects.get(key_hash=keys.hash_key(raw))


def get_owner(customer: Customer):
    return customer.memberships.get().user


class TestAuthenticateApiKey:
    def test_runs_no_query_for_a_cached_key(self, raw, django_assert_num_queries):
        with django_assert_num_queries(0):
            principal = authenticate_api_key(raw)
        assert principal is not None and principal.customer_id == get_key(raw).customer_id

    def test_caches_an_unknown_key(self, raw, django_assert_num_queries):
        unknown = keys.generate_key()
        assert authenticate_api_key(unknown) is None
        with django_assert_num_queries(0):
            assert authenticate_api_key(unknown) is None

    def test_cache_contains_no_raw_key(self, raw):
        client = get_redis_client().client
        kept = [name + (client.get(name) or b"") for name in client.keys("rsolv:keys:*") if b":of:" in name]
        assert kept and not [text for text in kept if raw.encode() in text or raw[6:].encode() in text]

    def test_accepts_a_new_key_that_was_cached_as_unknown(
        self, raw, monkeypatch, django_capture_on_commit_callbacks
    ):
        early = keys.generate_key()
        assert authenticate_api_key(early) is None
        monkeypatch.setattr(keys, "generate_key", lambda: early)
        with django_capture_on_commit_callbacks(execute=True):
            create_api_key(customer=get_key(raw).customer, name="late")
        assert authenticate_api_key(early) is not None

    def test_queries_the_database_while_redis_is_unavailable(self, raw, cut_off, django_assert_num_queries):
        cut_off()
        with django_assert_num_queries(1):
            assert authenticate_api_key(raw) is not None

    def test_rejects_a_cached_key_after_it_expired(self, customer, time_machine):
        ends_at = timezone.now() + timedelta(hours=1)
        raw = create_api_key(customer=customer, name="test", expires_at=ends_at).raw
        assert authenticate_api_key(raw) is not None
        time_machine.move_to(ends_at)
        assert authenticate_api_key(raw) is None


def revoke(key):
    revoke_api_key(api_key=key, at=timezone.now())


def rotate(key):
    rotate_api_key(api_key=key, overlap=timedelta(0), by=get_owner(key.customer), at=timezone.now())


def close(key):
    close_account(customer=key.customer, by=get_owner(key.customer), at=timezone.now())


def block(key):
    block_customer(customer=key.customer, by=UserFactory(is_staff=True), at=timezone.now())


def save_by_hand(key):
    key.revoked_at = timezone.now()
    key.save()


def delete_customer(key):
    customer = key.customer
    customer.billing_account.delete()
    customer.delete()


ENDINGS = {
    "revoked": revoke,
    "rotated": rotate,
    "closed": close,
    "blocked": block,
    "saved by hand": save_by_hand,
    "deleted": lambda key: key.delete(),
    "deleted in bulk": lambda key: ApiKey.objects.filter(pk=key.pk).delete(),
    "revoked in bulk": lambda key: ApiKey.objects.filter(revoked_at=None).update(revoked_at=timezone.now()),
    "expired in bulk": lambda key: ApiKey.objects.bulk_update(
        [ApiKey(pk=key.pk, expires_at=timezone.now())], ["expires_at"]
    ),
    "closed in bulk": lambda key: Customer.objects.update(closed_at=timezone.now()),
    "customer deleted": delete_customer,
}


class TestEndedKey:
    @pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS)
    def test_is_rejected_by_the_next_request(self, raw, end, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            end(get_key(raw))
        assert authenticate_api_key(raw) is None
        assert not KeyInvalidation.objects.exists()

    @pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS)
    def test_is_rejected_if_redis_was_unavailable_when_it_ended(
        self, raw, end, cut_off, django_capture_on_commit_callbacks
    ):
        cut_off()
        with django_capture_on_commit_callbacks(execute=True):
            end(get_key(raw))
        assert KeyInvalidation.objects.exists()
        cut_off()
        assert authenticate_api_key(raw) is None
        assert not KeyInvalidation.objects.exists()

    def test_is_rejected_if_the_process_died_before_invalidating_it(self, raw, monkeypatch):
        monkeypatch.setattr(
            key_cache, "invalidate", lambda hashes: None
        )  # killed before its on_commit hook ran
        revoke(get_key(raw))
        monkeypatch.undo()
        get_redis_client().client.delete(key_cache.LEASE)  # as if it had expired
        assert authenticate_api_key(raw) is None

    def test_is_not_restored_by_a_concurrent_cache_fill(self, raw):
        key = get_key(raw)
        key_cache.invalidate([key.key_hash])
        marker = key_cache.begin_fill(key.key_hash)
        principal, _ = selectors.get_principal_by_key_hash(key_hash=key.key_hash)
        revoke(key)
        assert key_cache.end_fill(key.key_hash, marker, principal) is False
        assert authenticate_api_key(raw) is None

    def test_works_again_after_its_customer_is_unblocked(self, raw):
        staff = UserFactory(is_staff=True)
        block_customer(customer=get_key(raw).customer, by=staff, at=timezone.now())
        assert authenticate_api_key(raw) is None
        unblock_customer(customer=get_key(raw).customer, by=staff, at=timezone.now())
        assert authenticate_api_key(raw) is not None


class TestLease:
    def test_expires_even_if_its_renewal_is_slow(self, raw):
        get_redis_client().client.delete(key_cache.LEASE)
        began_at = key_cache.begin_lease()
        key_cache.grant_lease(began_at - 10_000)
        assert key_cache.read(keys.hash_key(raw)) == key_cache.NO_LEASE

    def test_is_renewed_by_one_caller(self, raw):
        get_redis_client().client.delete(key_cache.LEASE)
        assert key_cache.begin_lease() is not None
        assert key_cache.begin_lease() is None
        assert authenticate_api_key(raw) is not None

    def test_clears_the_cache_after_redis_restarted(self, raw):
        client = get_redis_client().client
        client.set(key_cache.RUN, b"another run")
        client.delete(key_cache.LEASE, key_cache.RENEWING)
        key_cache.begin_lease()
        assert key_cache.count_entries() == 0
