"""The endpoints `entitlement` and `entitlement/claim`, and Stripe's webhook endpoint."""

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.response import Response

from billing.selectors.entitlements import get_entitlement
from billing.services.metering.claim_fix import claim_fix
from billing.services.webhooks.process_webhook import receive_webhook
from core.api.bodies import read_body
from core.api.errors import build_error
from core.api.fields import read
from core.api.middleware import get_request_id
from core.api.views import ApiRequest, ApiView
from core.errors import DomainError
from customers.api.auth import find_origin, get_customer
from customers.api.idempotency import idempotent

from .serializers import ClaimFixSerializer, ClaimSerializer, EntitlementSerializer


class WebhookMethodNotAllowed(DomainError):
    code, status, message = "METHOD_NOT_ALLOWED", 405, "Stripe delivers webhooks by POST."


class EntitlementView(ApiView):
    @extend_schema(
        operation_id="getEntitlement",
        summary="Get the account's entitlement",
        responses=EntitlementSerializer,
    )
    def get(self, request: ApiRequest) -> Response:
        entitlement = get_entitlement(customer=get_customer(request))
        return Response(EntitlementSerializer(entitlement).data)


class ClaimView(ApiView):
    error_statuses = ("403",)

    @extend_schema(
        operation_id="claimFix",
        summary="Reserve one fix for an issue before work on it begins",
        request=ClaimFixSerializer,
        responses={
            201: ClaimSerializer,
            402: OpenApiResponse(
                description="No fix is left: `USAGE_LIMIT_EXCEEDED`, with the entitlement's `blockedReason`"
            ),
            403: OpenApiResponse(
                description="Another customer has proven ownership of the namespace, or this account has "
                "reached its limit of namespaces or repositories: `FORBIDDEN`"
            ),
        },
    )
    @idempotent
    def post(self, request: ApiRequest) -> Response:
        sent = read(ClaimFixSerializer, request.data)
        namespace, name = sent["repo"]
        claim = claim_fix(
            customer=get_customer(request),
            namespace=namespace,
            repository_name=name,
            issue_number=sent["issueNumber"],
            at=timezone.now(),
            origin=find_origin(request),
        )
        return Response({"granted": True, "expiresAt": claim.expires_at}, status=201)


@csrf_exempt
def receive_stripe_webhook(request: HttpRequest) -> JsonResponse:
    """Receive a webhook from Stripe.

    Not a DRF view, because the signature covers the raw bytes of the body, which a parser must not read
    first.
    """
    try:
        if request.method != "POST":
            raise WebhookMethodNotAllowed
        payload = read_body(request, request, limit=settings.WEBHOOK_MAX_BODY_BYTES)
        receive_webhook(payload=payload, signature=request.headers.get("Stripe-Signature", ""))
    except DomainError as error:
        return _render_error(request, error)
    return JsonResponse({"status": "success"})


def _render_error(request: HttpRequest, error: DomainError) -> JsonResponse:
    body = build_error(error.code, error.message, get_request_id(request))
    headers = {"Allow": "POST"} if isinstance(error, WebhookMethodNotAllowed) else {}
    return JsonResponse(body, status=error.status, headers=headers)
