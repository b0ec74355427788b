"""With a Redis that accepts connections and never answers, every request still completes soon."""

import signal
import time

import pytest
from celery import current_app
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from core import health
from core.api.errors import RateLimited
from core.api.throttling import hit
from core.queue.enqueue import enqueue_on_commit
from core.redis.client import get_redis_client
from customers.services.authenticate_key import authenticate_api_key
from customers.services.manage_keys import create_api_key, revoke_api_key
from provisioning.limits import BY_ADDRESS
from sandbox.processes import Supervisor, pick_any_port
from tests.factories import BillingAccountFactory, MembershipFactory

pytestmark = [pytest.mark.services, pytest.mark.django_db]

PASSWORD = "correct-horse-battery"
# Seconds: one or two timeouts of REDIS_TIMEOUT_SECONDS, plus the request's own work on a busy machine.
SOON = 2
LEASE_SECONDS = 1
FIX = {
    "phase": "mitigation",
    "repo": "acme/shop",
    "commitSha": "abc",
    "issueNumber": 7,
    "data": {"fixed": True},
}


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory):
    """A separate Redis, because these tests stop it."""
    port = pick_any_port()
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
    with Supervisor(environment={}, log_dir=tmp_path_factory.mktemp("redis")) as supervisor:
        child = supervisor.start("redis", ["redis-server", *options])
        time.sleep(0.3)
        yield child.popen, f"redis://127.0.0.1:{port}/0"


@pytest.fixture
def redis(redis_server, settings, monkeypatch):
    """Point the cache, the queue and the limiter at the separate Redis."""
    process, url = redis_server
    settings.REDIS_URL = url
    settings.CACHES = {"default": {"BACKEND": "core.redis.cache.FallbackRedisCache", "LOCATION": url}}
    settings.ACCOUNT_RATE_LIMITS = {"login": "100/m/ip", "login_failed": "100/m/ip,5/5m/key"}
    settings.KEY_CACHE_LEASE_SECONDS = LEASE_SECONDS
    names = ("broker_url", "broker_write_url", "broker_read_url")
    before = {name: current_app.conf[name] for name in (*names, "task_always_eager")}
    current_app.conf.update(dict.fromkeys(names, url), task_always_eager=False)
    monkeypatch.setitem(health.HEALTH_CHECKS, "stripe", lambda: None)
    get_redis_client().execute(lambda client: client.flushall(), force=True)
    yield process
    process.send_signal(signal.SIGCONT)
    current_app.conf.update(before)


@pytest.fixture
def member():
    found = MembershipFactory()
    BillingAccountFactory(customer=found.customer)
    found.user.set_password(PASSWORD)
    found.user.save()
    found.user.emailaddress_set.create(email=found.user.email, verified=True, primary=True)
    return found


@pytest.fixture
def key(member, redis):
    made = create_api_key(customer=member.customer, name="test")
    assert authenticate_api_key(made.raw)
    return made


@pytest.fixture
def enqueue(django_capture_on_commit_callbacks):
    def commit(an_id):
        with django_capture_on_commit_callbacks(execute=True):
            enqueue_on_commit("billing.tasks.report_usage", an_id)

    return commit


def load_pages(member):
    """Load the templates, so that the timed requests do not."""
    client = Client()
    client.get("/accounts/login/")
    client.force_login(member.user)
    client.get("/dashboard/")


@pytest.fixture
def hanging(redis, member, key, enqueue):
    """Stop Redis, so that it does not answer on connections that are already open."""
    cache.set("warm", 1)
    enqueue("warm")
    load_pages(member)
    redis.send_signal(signal.SIGSTOP)


def call(ask):
    """Return the result of `ask`, which must not take longer than SOON."""
    began = time.monotonic()
    answer = ask()
    assert time.monotonic() - began < SOON
    return answer


def log_in(client, member, password=PASSWORD):
    form = {"login": member.user.email, "password": password}
    return call(lambda: client.post("/accounts/login/", form))


@pytest.mark.usefixtures("hanging")
class TestPages:
    def test_allow_login(self, member):
        client = Client()
        assert call(lambda: client.get("/accounts/login/")).status_code == 200
        assert log_in(client, member).status_code == 302
        assert call(lambda: client.get("/dashboard/")).status_code == 200

    def test_limit_wrong_passwords(self, member):
        client = Client()
        for _ in range(5):
            assert b"not correct" in log_in(client, member, "wrong-wrong-wrong").content
        assert b"Too many failed" in log_in(client, member, "wrong-wrong-wrong").content
        assert log_in(client, member).status_code == 200, "the correct password is limited too"


@pytest.mark.usefixtures("hanging")
class TestApi:
    def test_reports_degraded_health(self):
        answer = call(lambda: Client().get("/api/health"))
        services = answer.json()["services"]
        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
        assert {name for name, state in services.items() if state != "healthy"} == {"cache", "queue"}

    def test_stores_a_phase(self, key, django_capture_on_commit_callbacks):
        def store():
            with django_capture_on_commit_callbacks(execute=True):
                headers = {"X-API-Key": key.raw}
                return Client().post("/api/v1/phases/store", FIX, "application/json", headers=headers)

        answer = call(store)
        assert answer.status_code == 200, answer.content

    def test_does_not_limit_authenticated_requests(self, key, settings):
        settings.API_REQUESTS_PER_MINUTE = 1
        headers = {"X-API-Key": key.raw}
        for _ in range(3):
            answer = call(lambda: Client().get("/api/v1/entitlement", headers=headers))
            assert answer.status_code == 200

    def test_limits_wrong_keys(self, settings):
        settings.API_BAD_KEYS_PER_MINUTE = 2
        headers = {"X-API-Key": "rsolv_wrong"}
        answers = [call(lambda: Client().get("/api/v1/entitlement", headers=headers)) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [401, 401, 429]

    def test_limits_signups(self):
        for _ in range(BY_ADDRESS.amount):
            call(lambda: hit(BY_ADDRESS, caller="192.0.2.1"))
        with pytest.raises(RateLimited):
            hit(BY_ADDRESS, caller="192.0.2.1")


@pytest.mark.usefixtures("hanging")
class TestKeys:
    @pytest.fixture
    def revoke(self, key, member, django_capture_on_commit_callbacks):
        def commit():
            with django_capture_on_commit_callbacks(execute=True):
                revoke_api_key(api_key=key.api_key, at=timezone.now(), by=member.user)

        return commit

    def test_revoking_waits_no_longer_than_a_lease(self, key, revoke):
        began = time.monotonic()
        revoke()
        assert time.monotonic() - began < LEASE_SECONDS + SOON
        assert authenticate_api_key(key.raw) is None

    def test_revoked_key_stays_revoked_after_redis_recovers(self, key, redis, revoke):
        revoke()
        redis.send_signal(signal.SIGCONT)
        get_redis_client().execute(lambda client: client.ping(), force=True)
        assert authenticate_api_key(key.raw) is None


@pytest.mark.usefixtures("hanging")
class TestQueue:
    def test_enqueuing_does_not_block(self, enqueue):
        call(lambda: [enqueue(str(number)) for number in range(20)])

    def test_accepts_tasks_after_redis_recovers(self, redis, enqueue):
        enqueue("lost")
        redis.send_signal(signal.SIGCONT)
        link = get_redis_client()
        link.execute(lambda client: client.ping(), force=True)
        before = link.execute(lambda client: client.llen("celery"))
        enqueue("arrives")
        assert link.execute(lambda client: client.llen("celery")) == before + 1


@pytest.mark.usefixtures("hanging")
class TestCache:
    def test_falls_back_to_the_process(self):
        call(lambda: cache.set("count", 1))
        assert [cache.incr("count"), cache.get_many(["count"]), cache.touch("count")] == [
            2,
            {"count": 2},
            True,
        ]
        assert cache.add("count", 5) is False

    def test_uses_redis_again_after_it_recovers(self, redis):
        for name in ("first", "here"):  # Redis runs the first command after SIGCONT
            cache.set(name, 1)
        redis.send_signal(signal.SIGCONT)
        get_redis_client().execute(lambda client: client.ping(), force=True)
        assert cache.get("here") is None
        assert cache.get("warm") == 1
