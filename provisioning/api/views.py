"""`customers/onboard`: an account without a browser."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from billing.plans import TRIAL
from core.api.fields import read
from core.api.throttling import find_address, find_ip
from core.api.views import ApiRequest, ApiView
from provisioning.limits import count_onboarding
from provisioning.services.request_signup import request_onboarding

from . import serializers


class OnboardView(ApiView):
    """No key is asked for, so how often it may be tried is bounded by network, by mail address and in all.

    Nothing but a request and one mail is made: the key works once the owner of the address confirms.
    """

    permission_classes = ()
    authentication_classes = ()

    @extend_schema(
        operation_id="onboardCustomer",
        summary="Sign up; the key is shown this once, and works once the address is confirmed",
        request=serializers.OnboardSerializer,
        responses={201: serializers.OnboardedSerializer},
        auth=[],
    )
    def post(self, request: ApiRequest) -> Response:
        sent = read(serializers.OnboardSerializer, request.data)
        count_onboarding(email=sent["email"], address=find_address(request))
        made = request_onboarding(
            name=sent["name"], email=sent["email"], at=timezone.now(), address=find_ip(request)
        )
        shown = {
            "id": str(made.request.pk),
            "name": made.request.name,
            "email": made.request.email,
            "subscription_type": TRIAL.key,
            "trial_fixes_limit": TRIAL.included,
            "trial_fixes_used": 0,
        }
        return Response({"customer": shown, "api_key": made.raw}, status=201)
