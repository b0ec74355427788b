"""The metrics that dashboards and alerts query exist, and promtool accepts their names."""

import shutil
import subprocess

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from core.metrics.collectors import read_gauges
from core.metrics.endpoint import write_page

COUNTERS = """
rsolv_billing_stripe_calls rsolv_billing_reconciliation_differences rsolv_billing_meter_errors
rsolv_billing_usage_recorded rsolv_billing_usage_reported rsolv_billing_webhooks_received
rsolv_billing_webhooks_processed rsolv_billing_payments rsolv_phases_stored rsolv_provisioning_signups
rsolv_provisioning_steps rsolv_test_integration_analyze rsolv_test_integration_generate
rsolv_celery_tasks rsolv_metrics_collect_errors
"""
HISTOGRAMS = """
rsolv_billing_stripe_call_seconds rsolv_billing_webhook_lag_seconds rsolv_provisioning_ready_seconds
rsolv_test_integration_analyze_duration_seconds rsolv_test_integration_generate_duration_seconds
rsolv_test_integration_generate_lines_integrated rsolv_celery_task_seconds
django_http_requests_latency_seconds_by_view_method
"""
GAUGES = """
rsolv_billing_usage_unreported rsolv_billing_usage_oldest_unreported_seconds rsolv_billing_usage_rejected
rsolv_billing_webhooks_unprocessed rsolv_billing_webhooks_failed rsolv_billing_notifications_unsent
rsolv_billing_webhooks_oldest_unprocessed_seconds rsolv_billing_reconciliation_open_differences
rsolv_provisioning_unfinished rsolv_provisioning_oldest_unfinished_seconds rsolv_provisioning_mail_unsent
rsolv_provisioning_broken rsolv_queue_depth rsolv_queue_oldest_seconds rsolv_service_up
"""


@pytest.fixture
def page(db, settings):
    Client().get("/api/health/live")  # loads every module, as in a process that serves requests
    (settings.DATA_DIR / "queue").mkdir(exist_ok=True)
    return write_page(read_gauges()).decode()


class TestMetricNames:
    def test_include_every_documented_metric(self, page):
        kinds = {family.name: family.type for family in text_string_to_metric_families(page)}
        wanted = dict.fromkeys(COUNTERS.split(), "counter")
        wanted |= dict.fromkeys(HISTOGRAMS.split(), "histogram") | dict.fromkeys(GAUGES.split(), "gauge")
        assert {name: kinds.get(name) for name in wanted} == wanted

    def test_labels_identify_no_customer(self, page):
        labels = {
            name
            for family in text_string_to_metric_families(page)
            if family.name.startswith("rsolv_")
            for sample in family.samples
            for name in sample.labels
        }
        assert not labels & {"customer", "customer_id", "key", "repository", "repo", "email", "address"}

    @pytest.mark.skipif(not shutil.which("promtool"), reason="needs promtool, of Debian's prometheus")
    def test_pass_promtool(self, page):
        ours = "".join(f"{line}\n" for line in page.splitlines() if "rsolv_" in line)
        checked = subprocess.run(["promtool", "check", "metrics"], input=ours, capture_output=True, text=True)
        assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
