"""`customers/onboard`: an account without a browser."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from customers.models import Customer
from provisioning import services
from provisioning.limits import count_signup
from rsolv.api.fields import read
from rsolv.api.throttling import find_address
from rsolv.api.views import ApiRequest, ApiView

from . import serializers


class OnboardView(ApiView):
    """No key is asked for, so how often it may be tried is bounded by network and by mail address."""

    permission_classes = ()
    authentication_classes = ()

    @extend_schema(
        operation_id="onboardCustomer",
        summary="Sign up; the key is shown this once",
        request=serializers.OnboardSerializer,
        responses={201: serializers.OnboardedSerializer},
        auth=[],
    )
    def post(self, request: ApiRequest) -> Response:
        sent = read(serializers.OnboardSerializer, request.data)
        count_signup(email=sent["email"], address=find_address(request))
        made = services.provision_customer(
            name=sent["name"],
            email=sent["email"],
            source=Customer.SignupSource.API,
            at=timezone.now(),
        )
        account = made.customer.billing_account
        shown = {
            "id": str(made.customer.pk),
            "name": made.customer.name,
            "email": made.customer.email,
            "subscription_type": account.plan,
            "trial_fixes_limit": account.trial_fixes_limit,
            "trial_fixes_used": 0,
        }
        return Response({"customer": shown, "api_key": made.key.raw}, status=201)
