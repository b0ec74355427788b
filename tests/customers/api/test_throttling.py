import pytest
from django.core.exceptions import ImproperlyConfigured
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from core.api.throttling import SCOPES, Scope
from core.api.views import ApiView
from customers.api.throttling import CustomerThrottle


def make_view(scope):
    class View(ApiView):
        authentication_classes = ()
        permission_classes = ()
        rate_scope = scope

        def get(self, request):
            return Response({})

    return View.as_view()


def call(view, times):
    return [view(APIRequestFactory().get("/")).status_code for _ in range(times)]


@pytest.fixture
def exports(monkeypatch, settings):
    """A second scope beside test integration's."""
    monkeypatch.setitem(SCOPES, "exports", Scope("API_EXPORTS_PER_MINUTE"))
    settings.API_EXPORTS_PER_MINUTE, settings.API_TEST_INTEGRATION_PER_MINUTE = 1, 3


class TestRateScope:
    def test_has_its_declared_limit(self, exports, db):
        assert call(make_view("exports"), 2) == [200, 429]
        assert call(make_view("test-integration"), 4) == [200, 200, 200, 429]

    def test_unknown_scope_fails_when_the_view_is_created(self):
        with pytest.raises(ImproperlyConfigured, match="'scans'"):
            make_view("scans")

    def test_unknown_scope_never_falls_back_to_another_limit(self):
        class View(APIView):
            authentication_classes = ()
            permission_classes = ()
            throttle_classes = (CustomerThrottle,)
            rate_scope = "scans"

            def get(self, request):
                return Response({})

        assert call(View.as_view(), 1) == [500]

    @pytest.mark.parametrize("scope", SCOPES.values())
    def test_names_an_existing_setting(self, scope, settings):
        assert getattr(settings, scope.setting) > 0
