"""`POST customers/onboard`: sign up without a browser."""

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
    """Needs no key, so attempts are limited per network, per mail address and in total.

    Creates only a request and sends one mail: the key works once the owner of the address confirms.
    """

    permission_classes = ()
    authentication_classes = ()

    @extend_schema(
        operation_id="onboardCustomer",
        summary="Sign up. The key is shown once and works after the address is confirmed",
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
