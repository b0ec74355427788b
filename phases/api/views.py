"""`phases/store` and `phases/retrieve`."""

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.response import Response

from core.api.fields import read
from core.api.views import ApiRequest, ApiView
from customers.api.auth import find_origin, get_customer
from customers.api.idempotency import idempotent
from phases.selectors.results import StoredResults, get_results
from phases.services.store_phase import PhaseReport, store_phase

from . import serializers


class StorePhaseView(ApiView):
    error_statuses = ("403",)
    verbatim_members = frozenset({"data"})

    @extend_schema(
        operation_id="storePhase",
        summary="Store a phase's result; repeating it changes nothing",
        request=serializers.StorePhaseSerializer,
        responses={
            200: serializers.StoredPhaseSerializer,
            403: OpenApiResponse(
                description="Another customer has proven that the namespace is theirs, or this account has "
                "as many namespaces or repositories as it may have: `FORBIDDEN`"
            ),
            413: OpenApiResponse(
                description="The body, or the phase's `data`, is too large: `PAYLOAD_TOO_LARGE`. The account "
                "stores as much as it may: `STORAGE_LIMIT_EXCEEDED`"
            ),
        },
    )
    @idempotent
    def post(self, request: ApiRequest) -> Response:
        sent = read(serializers.StorePhaseSerializer, request.data)
        namespace, name = sent["repo"]
        report = PhaseReport(
            phase=sent["phase"],
            namespace=namespace,
            repository_name=name,
            commit_sha=sent["commitSha"],
            issue_number=sent.get("issueNumber"),
            branch=sent.get("branch") or "",
            data=sent["data"],
            data_text=request.slice("data"),
        )
        execution = store_phase(
            customer=get_customer(request), report=report, at=timezone.now(), origin=find_origin(request)
        )
        return Response({"success": True, "id": str(execution.pk), "phase": execution.phase})


class RetrievePhasesView(ApiView):
    @extend_schema(
        operation_id="retrievePhases",
        summary="What is stored for a commit and an issue",
        parameters=[
            OpenApiParameter("repo", serializers.REPO_PARAMETER, required=True, description="owner/name"),
            OpenApiParameter("issue", serializers.ISSUE_PARAMETER, required=True),
            OpenApiParameter("commit", serializers.COMMIT_PARAMETER, required=True),
        ],
        responses=serializers.RetrievedPhasesSerializer,
    )
    def get(self, request: ApiRequest) -> HttpResponse:
        sent = read(serializers.RetrievePhasesSerializer, request.query_params)
        namespace, name = sent["repo"]
        results = get_results(
            customer=get_customer(request),
            namespace=namespace,
            name=name,
            issue=sent["issue"],
            commit=sent["commit"],
        )
        return HttpResponse(_join(results, issue=sent["issue"]), content_type="application/json")


def _join(results: StoredResults, *, issue: int) -> bytes:
    """Join the stored texts without parsing them, so that they are returned exactly as they were sent.

    Works on bytes: as `str` they may take four times the memory, and twice that while they are joined.
    """
    members = []
    if results.scan is not None:
        members.append(b'"scan":' + results.scan.encode())
    for phase, text in (("validation", results.validation), ("mitigation", results.mitigation)):
        if text is not None:
            members.append(b'"%b":{"issue-%d":%b}' % (phase.encode(), issue, text.encode()))
    return b"{%b}" % b",".join(members)
