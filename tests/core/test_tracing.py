import gzip
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from celery import shared_task
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from core import tracing as traces
from tests.conftest import make_client

FIX = {"phase": "mitigation", "repo": "acme/shop", "commitSha": "abc", "issueNumber": 7}


@pytest.fixture
def spans(settings, monkeypatch):
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(traces, "get_tracer", lambda process: provider.get_tracer("test"))
    settings.TRACES_URL = "http://127.0.0.1:9/v1/traces"
    yield exporter.get_finished_spans
    provider.shutdown()


class TestTrace:
    @pytest.mark.django_db(transaction=True)
    def test_connects_request_task_and_stripe_call(self, billing_env, spans):
        action = make_client(billing_env.subscribe("payg"))
        before = len(spans())
        assert action.post("/api/v1/phases/store", FIX | {"data": {"fixed": True}}).status_code == 200
        found = {span.name: span for span in spans()[before:]}
        names = {"phases-store", "billing.tasks.report_usage", "stripe report_usage"}
        chain = [span for name, span in found.items() if name in names or "StorePhase" in name]
        assert len(chain) == 3
        assert len({span.context.trace_id for span in chain}) == 1
        assert found["stripe report_usage"].attributes["stripe.request_id"].startswith("req_")

    def test_is_propagated_in_the_task_message(self, spans):
        headers: dict[str, str] = {}
        with traces.trace("request"):
            traces.propagate_trace(headers=headers)
        with traces.trace("task", sender=headers):
            pass
        assert len({span.context.trace_id for span in spans()}) == 1

    def test_records_only_the_type_of_an_error(self, spans):
        with pytest.raises(ValueError), traces.trace("task"):
            raise ValueError("sk_test_secret")
        assert "secret" not in spans()[0].to_json()
        assert spans()[0].attributes["error.type"] == "ValueError"

    def test_loads_no_exporter_when_disabled(self):
        code = "import django, sys; django.setup(); from rsolv.wsgi import application; import rsolv.urls;"
        code += "sys.exit(any(name.startswith('opentelemetry.exporter') for name in sys.modules))"
        assert subprocess.run([sys.executable, "-c", code]).returncode == 0

    def test_records_a_failed_task(self, spans):
        @shared_task(name="test.fail")
        def fail() -> None:
            raise ValueError("sk_test_secret")

        fail.apply()
        assert spans()[0].status.status_code is StatusCode.ERROR
        assert "secret" not in spans()[0].to_json()

    def test_is_sent_to_the_collector(self, settings):
        with HTTPServer(("127.0.0.1", 0), Collector) as server:
            server.received = []
            settings.TRACES_URL = f"http://127.0.0.1:{server.server_port}/v1/traces"
            thread = Thread(target=server.handle_request)
            thread.start()
            with traces.trace("request"):
                pass
            traces.get_tracer(os.getpid()).span_processor.force_flush()
            thread.join()
        traces.get_tracer.cache_clear()
        path, body = server.received[0]
        assert path == "/v1/traces"
        assert b"rsolv" in body and b"request" in body


class Collector(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        is_packed = self.headers.get("Content-Encoding") == "gzip"
        self.server.received.append((self.path, gzip.decompress(body) if is_packed else body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass
