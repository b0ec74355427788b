"""`Idempotency-Key`: a request that changes state is executed once, and its response stored for a day.

The same key and body replays the response. Another body is rejected, and so is any request while the first
one is in flight. A request that fails changes nothing and frees its key.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from core.api.views import ApiRequest
from core.errors import DomainError
from customers.api.auth import get_customer
from customers.models import Customer, IdempotentAnswer

VALID_KEY = re.compile(r"[\x21-\x7e]{1,255}\Z")
KEPT = timedelta(hours=24)
# Stored responses per customer. A customer who sends more keys in a day loses the oldest ones.
MAX_STORED = 50_000
# After this time without a response, the process must have died, and the key may be taken over.
IN_FLIGHT = timedelta(seconds=60)

Handler = Callable[..., HttpResponse]


class BadKey(DomainError):
    message = "An Idempotency-Key is 1 to 255 visible ASCII characters."


class KeyReused(DomainError):
    code, status = "VALIDATION_ERROR", 422
    message = "This Idempotency-Key was used for another request. Use a new key for a new request."


class StillInFlight(DomainError):
    code, status = "CONFLICT", 409
    message = "A request with this Idempotency-Key is being processed. Try again in a moment."


def idempotent(handler: Handler) -> Handler:
    """Make an API view's handler honor the Idempotency-Key header if the request has one."""

    @wraps(handler)
    def handle_once(view: Any, request: ApiRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return handler(view, request, *args, **kwargs)
        if not VALID_KEY.match(key):
            raise BadKey
        request.data  # noqa: B018 - reads the body, which the fingerprint hashes
        fingerprint = _fingerprint(request)
        answer = claim_key(
            customer=get_customer(request), key=key, fingerprint=fingerprint, at=timezone.now()
        )
        if answer.status_code is not None:
            return _replay(answer)
        try:
            response = handler(view, request, *args, **kwargs)
        # Whatever ended the request: it changed nothing, so the key must be free for a retry.
        except BaseException:
            answer.delete()
            raise
        _store(answer, response)
        return response

    handle_once.is_idempotent = True  # type: ignore[attr-defined]  # for the OpenAPI document
    return handle_once


def _fingerprint(request: ApiRequest) -> str:
    digest = hashlib.sha256(request.path.encode() + b"\n")
    digest.update(request.raw_body)
    return digest.hexdigest()


def claim_key(*, customer: Customer, key: str, fingerprint: str, at: datetime) -> IdempotentAnswer:
    """Return the stored response, or a new row that reserves the key. Raises KeyReused, StillInFlight.

    Commits, so that other processes see the reservation.
    """
    try:
        with transaction.atomic():
            return IdempotentAnswer.objects.create(
                customer=customer, key=key, fingerprint=fingerprint, started_at=at
            )
    except IntegrityError:
        return _take_over(customer=customer, key=key, fingerprint=fingerprint, at=at)


@transaction.atomic
def _take_over(*, customer: Customer, key: str, fingerprint: str, at: datetime) -> IdempotentAnswer:
    row = IdempotentAnswer.objects.select_for_update().filter(customer=customer, key=key).first()
    if row is None:
        # The first request has failed and freed the key since our insert. A retry gets it.
        raise StillInFlight
    if row.fingerprint != fingerprint:
        raise KeyReused
    if row.status_code is None:
        if at - row.started_at < IN_FLIGHT:
            raise StillInFlight
        row.started_at = at
        row.save(update_fields=["started_at"])
    return row


def _store(answer: IdempotentAnswer, response: HttpResponse) -> None:
    data = response.data if isinstance(response, Response) else None
    answer.status_code, answer.body = response.status_code, JSONRenderer().render(data).decode()
    answer.save(update_fields=["status_code", "body"])


def _replay(answer: IdempotentAnswer) -> HttpResponse:
    response = HttpResponse(answer.body, status=answer.status_code, content_type="application/json")
    response["Idempotent-Replayed"] = "true"
    return response


def prune_answers(*, at: datetime) -> int:
    """Delete responses older than a day and those beyond MAX_STORED per customer. Return their number."""
    deleted, _ = IdempotentAnswer.objects.filter(started_at__lt=at - KEPT).delete()
    counted = IdempotentAnswer.objects.order_by().values("customer").annotate(answers=Count("pk"))
    for customer in counted.filter(answers__gt=MAX_STORED).values_list("customer", flat=True):
        rows = IdempotentAnswer.objects.filter(customer=customer)
        oldest_kept = rows.order_by("-started_at").values_list("started_at", flat=True)[MAX_STORED - 1]
        # Not the reservation of a request that is still running.
        deleted += rows.filter(started_at__lt=oldest_kept, status_code__isnull=False).delete()[0]
    return deleted
