"""OpenTelemetry traces, from a request through its tasks to their calls to Stripe.

Without TRACES_URL, OpenTelemetry is not even imported. A span holds a name, an outcome and a request id, and
no body, path, query, key, argument or error message. Trace headers sent by clients are ignored.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from celery import states
from celery.signals import before_task_publish, task_postrun, task_prerun
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer


@contextmanager
def trace(
    name: str, *, kind: str = "INTERNAL", sender: Mapping[str, str] | None = None
) -> "Iterator[Span | None]":
    """Run the block in a span, as a child of the current span or of the one in `sender`'s headers.

    Yields None if tracing is off.
    """
    if not settings.TRACES_URL:
        yield None
        return
    from opentelemetry.trace import SpanKind, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    parent = TraceContextTextMapPropagator().extract(sender) if sender else None
    with get_tracer(os.getpid()).start_as_current_span(
        name, context=parent, kind=SpanKind[kind], record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except BaseException as error:
            span.set_status(StatusCode.ERROR)
            span.set_attribute("error.type", type(error).__name__)
            raise


@cache
def get_tracer(process: int) -> "Tracer":
    """One for each process: what sends spans is a thread, which a fork does not take along."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "rsolv"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.TRACES_URL)))
    return provider.get_tracer("rsolv")


class TraceMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.TRACES_URL:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with trace("request", kind="SERVER") as span:
            response = self.get_response(request)
            if span is not None:
                match = request.resolver_match
                span.update_name(match.view_name if match else "<unnamed view>")
                span.set_attribute("http.response.status_code", response.status_code)
                span.set_attribute("rsolv.request_id", response.get("X-Request-Id", ""))
            return response


@before_task_publish.connect(dispatch_uid="propagate_trace")
def propagate_trace(headers: dict[str, Any] | None = None, **_: Any) -> None:
    """Put the current trace into the headers of a task's message."""
    if settings.TRACES_URL and headers is not None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        TraceContextTextMapPropagator().inject(headers)


@task_prerun.connect(dispatch_uid="begin_span")
def begin_span(task: Any, **_: Any) -> None:
    if settings.TRACES_URL:
        traceparent = getattr(task.request, "traceparent", None)
        manager = trace(
            task.name, kind="CONSUMER", sender={"traceparent": traceparent} if traceparent else None
        )
        task.request.span = manager, manager.__enter__()


@task_postrun.connect(dispatch_uid="end_span")
def end_span(task: Any, state: str | None = None, **_: Any) -> None:
    """End the task's span.

    Celery has already caught the exception, so only the task's state shows that it failed.
    """
    manager, span = getattr(task.request, "span", (None, None))
    if manager is None or span is None:
        return
    if state == states.FAILURE:
        from opentelemetry.trace import StatusCode

        span.set_status(StatusCode.ERROR)
    manager.__exit__(None, None, None)
