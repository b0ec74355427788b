import pytest

from customers import key_cache
from sandbox.revocation_check import METHODS, _RevocationCheck, run_check


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
class TestRunCheck:
    def test_finds_no_key_accepted_after_its_end(self):
        verdict = run_check(authentications=2000, revocations=70, threads=8)
        assert (verdict.authentications, verdict.revocations) == (2000, 70)
        assert set(verdict.methods) == set(METHODS)
        assert verdict.accepted > 0 < verdict.rejected
        assert verdict.accepted_after_end == 0

    def test_finds_keys_that_are_not_invalidated(self, monkeypatch):
        monkeypatch.setattr(key_cache, "invalidate", lambda hashes: None)
        # A dropped entry is as good as an invalidated one: on a slow machine, all might be dropped in time.
        monkeypatch.setattr(_RevocationCheck, "_drop_cache_entries", lambda check: None)
        assert run_check(authentications=2000, revocations=70, threads=8).accepted_after_end > 0
