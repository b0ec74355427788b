"""System checks of the metrics settings, run by `manage.py check --deploy`."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register

from core.metrics.processes import find_folder


@register(deploy=True)
def check_metrics_settings(**_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not (settings.METRICS_TOKEN or settings.METRICS_ADDRESSES):
        hint = "Set METRICS_TOKEN, or METRICS_ADDRESSES to the networks that Prometheus scrapes from."
        found.append(Warning("No client may read /metrics.", hint=hint, id="metrics.W001"))
    if find_folder() is None:
        hint = "Set PROMETHEUS_MULTIPROC_DIR to a folder that all processes of this machine write to."
        found.append(Warning("Each process reports only its own counts.", hint=hint, id="metrics.W002"))
    return found
