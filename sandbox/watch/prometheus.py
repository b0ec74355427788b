"""A Prometheus of the run's own, with deploy/monitoring's configuration and shortened rules."""

import math
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from sandbox.processes import Supervisor
from sandbox.stack import HOST

from .monitoring import FOLDER, read_rules
from .shortened import SHORTEST_WINDOW, shorten

# Longer than a scrape takes that finds the database away.
SCRAPE_INTERVAL = "4s"
EVALUATION_INTERVAL = "1s"


class NoPrometheus(Exception):
    """The program is not installed."""


@dataclass(frozen=True)
class Prometheus:
    """Keeps its configuration and its data in `folder`, and scrapes `target` (host:port) with the token."""

    folder: Path
    port: int
    target: str
    token: str

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self, supervisor: Supervisor) -> None:
        """Raises NoPrometheus."""
        program = shutil.which("prometheus")
        if program is None:
            raise NoPrometheus("prometheus is missing: install Debian's package of that name")
        self._write_configuration()
        paths = [
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
        ]
        options = [*paths, f"--web.listen-address={HOST}:{self.port}", "--log.level=warn"]
        supervisor.start("prometheus", [program, *options])

    def is_scraping(self) -> bool:
        return bool(self.ask('up{job="rsolv-web"} == 1'))

    def ask(self, expr: str) -> list[dict[str, Any]]:
        """The samples of an instant query that have a value. None while Prometheus does not answer yet."""
        expr = expr.replace("$__rate_interval", f"{SHORTEST_WINDOW}s")
        try:
            answer = httpx.get(
                f"{self.url}/api/v1/query", params={"query": expr}, timeout=10, trust_env=False
            )
        except httpx.ConnectError:
            return []
        if answer.status_code == 503:
            return []
        answer.raise_for_status()
        samples: list[dict[str, Any]] = answer.json()["data"]["result"]
        return [sample for sample in samples if not math.isnan(float(sample["value"][1]))]

    def read_alerts(self) -> dict[str, str]:
        """The state of each alert: inactive, pending or firing."""
        answer = httpx.get(f"{self.url}/api/v1/rules", params={"type": "alert"}, timeout=10, trust_env=False)
        answer.raise_for_status()
        return {
            rule["name"]: rule["state"]
            for group in answer.json()["data"]["groups"]
            for rule in group["rules"]
        }

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
        configuration["scrape_configs"] = [self._aim(configuration["scrape_configs"])]
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))

    def _aim(self, jobs: list[dict[str, Any]]) -> dict[str, Any]:
        """The job of the web machines, at this run's one and with its token."""
        job: dict[str, Any] = next(each for each in jobs if each["job_name"] == "rsolv-web")
        del job["file_sd_configs"]
        job["authorization"]["credentials_file"] = str(self.folder / "token")
        return job | {"static_configs": [{"targets": [self.target]}]}
