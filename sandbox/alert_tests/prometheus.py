"""The run's own Prometheus server, with the configuration of deploy/monitoring and shortened rules."""

import math
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from sandbox.processes import NotReady, Supervisor
from sandbox.stack import HOST

from .monitoring import FOLDER, find_metrics, list_alerts, read_rules
from .shortened_rules import SHORTEST_WINDOW, shorten

# A scrape waits 3 s for a connection while the database is unavailable, and must still end in time.
SCRAPE_INTERVAL = "5s"
EVALUATION_INTERVAL = "1s"
ANSWER_SECONDS = 60.0
SHOWN_SAMPLES = 6


class PrometheusMissing(Exception):
    """The program is not installed."""


@dataclass(frozen=True)
class Prometheus:
    """A Prometheus that scrapes `target` (host:port) with `token` and keeps all of its files in `folder`."""

    folder: Path
    port: int
    target: str
    token: str

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self, supervisor: Supervisor) -> None:
        """Start the server. Raises PrometheusMissing."""
        program = shutil.which("prometheus")
        if program is None:
            raise PrometheusMissing("prometheus is not installed: install the package prometheus")
        self._write_configuration()
        paths = [
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
        ]
        options = [*paths, f"--web.listen-address={HOST}:{self.port}", "--log.level=warn"]
        supervisor.start("prometheus", [program, *options])

    def is_scraping(self) -> bool:
        return bool(self.query('up{job="rsolv-web"} == 1'))

    def query(self, expr: str) -> list[dict[str, Any]]:
        """Return the samples of an instant query that have a value. Raises NotReady."""
        expr = expr.replace("$__rate_interval", f"{SHORTEST_WINDOW}s")
        samples: list[dict[str, Any]] = self._get("query", query=expr)["result"]
        return [sample for sample in samples if not math.isnan(float(sample["value"][1]))]

    def read_alerts(self) -> dict[str, str]:
        """Return the state of each alert: inactive, pending or firing. Raises NotReady."""
        groups = self._get("rules", type="alert")["groups"]
        return {rule["name"]: rule["state"] for group in groups for rule in group["rules"]}

    def describe_alert(self, name: str) -> str:
        """Return an alert's state and the values that its expression reads now."""
        expr = next(alert.expr for alert in list_alerts() if alert.name == name)
        return f"Prometheus: {self.read_alerts()[name]}; {self.describe_metrics(expr)}"

    def describe_metrics(self, expr: str) -> str:
        """Return the present values of the metrics that an expression reads, a few of each, and of `up`."""
        return "; ".join(self._describe_metric(name) for name in sorted(find_metrics(expr) | {"up"}))

    def _describe_metric(self, name: str) -> str:
        samples = self.query(name)
        shown = [f"{_write_labels(each['metric'])}{each['value'][1]}" for each in samples[:SHOWN_SAMPLES]]
        more = f" and {len(samples) - SHOWN_SAMPLES} more" if len(samples) > SHOWN_SAMPLES else ""
        return f"{name} = {', '.join(shown)}{more}" if samples else f"{name} has no value"

    def _get(self, path: str, **params: str) -> Any:
        """Retry while Prometheus starts, or is slow on a busy machine."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            try:
                answer = httpx.get(f"{self.url}/api/v1/{path}", params=params, timeout=10, trust_env=False)
            except httpx.TransportError as error:
                reason = repr(error)
            else:
                if answer.status_code != 503:
                    answer.raise_for_status()
                    return answer.json()["data"]
                reason = answer.text
            if time.monotonic() > deadline:
                raise NotReady(f"Prometheus did not answer {path} for {ANSWER_SECONDS:.0f} s: {reason}")
            time.sleep(0.2)

    def _write_configuration(self) -> None:
        (self.folder / "rules").mkdir(parents=True)
        for name, rules in read_rules().items():
            (self.folder / "rules" / f"{name}.yml").write_text(yaml.safe_dump(shorten(rules), width=1000))
        (self.folder / "token").write_text(self.token)
        configuration = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
        configuration["global"] = {
            "scrape_interval": SCRAPE_INTERVAL,
            "scrape_timeout": SCRAPE_INTERVAL,
            "evaluation_interval": EVALUATION_INTERVAL,
        }
        del configuration["alerting"]
        configuration["scrape_configs"] = [self._set_target(configuration["scrape_configs"])]
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))

    def _set_target(self, jobs: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the job of the web machines with this run's target and token."""
        job: dict[str, Any] = next(each for each in jobs if each["job_name"] == "rsolv-web")
        del job["file_sd_configs"]
        job["authorization"]["credentials_file"] = str(self.folder / "token")
        return job | {"static_configs": [{"targets": [self.target]}]}


def _write_labels(metric: dict[str, str]) -> str:
    kept = {key: value for key, value in metric.items() if key not in ("__name__", "instance", "job")}
    return f"{{{','.join(f'{key}={value}' for key, value in kept.items())}}} " if kept else ""
