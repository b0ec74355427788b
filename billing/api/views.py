"""`entitlement`, and where Stripe delivers its webhooks."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from billing import selectors, services
from rsolv.api.auth import get_customer
from rsolv.api.errors import build_error
from rsolv.api.middleware import get_request_id
from rsolv.api.views import ApiRequest, ApiView

from .serializers import EntitlementSerializer


class EntitlementView(ApiView):
    @extend_schema(
        operation_id="getEntitlement",
        summary="What the account may still do",
        responses=EntitlementSerializer,
    )
    def get(self, request: ApiRequest) -> Response:
        entitlement = selectors.get_entitlement(customer=get_customer(request))
        return Response(EntitlementSerializer(entitlement).data)


@csrf_exempt
@require_POST
def receive_stripe_webhook(request: HttpRequest) -> JsonResponse:
    """Not a DRF view: the signature is over the body's bytes, and nothing else may read them first."""
    try:
        services.receive_webhook(payload=request.body, signature=request.headers.get("Stripe-Signature", ""))
    except services.WebhookRefused as error:
        answer = build_error(error.code, error.message, get_request_id(request))
        return JsonResponse(answer, status=error.status)
    return JsonResponse({"status": "success"})
