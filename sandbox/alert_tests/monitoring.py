"""Read `deploy/monitoring`: rules, alerts, and the queries of the dashboards."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "monitoring"

TEXT = re.compile(r"\"[^\"]*\"|'[^']*'")
MATCHERS = re.compile(r"\{[^}]*\}")
LABELS = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
WINDOW = re.compile(r"\[[^\]]*\]")
NAME = re.compile(r"(?<![\w:.$])[a-zA-Z_:][\w:]*(?!\s*\(|[\w:])")
WORDS = {"and", "or", "unless", "offset", "bool", "by", "without", "on", "ignoring", "inf", "nan"}


@dataclass(frozen=True)
class Alert:
    """An alert. `source` is the name of its rule file, without the extension."""

    name: str
    expr: str
    severity: str
    annotations: dict[str, str]
    source: str


@dataclass(frozen=True)
class Query:
    """A query of a panel, which Grafana calls a target."""

    dashboard: str
    panel: str
    ref: str
    expr: str

    @property
    def name(self) -> str:
        return f"{self.dashboard}: {self.panel} [{self.ref}]"


def read_rules() -> dict[str, Any]:
    """Return the content of each rule file, by its name without the extension."""
    return {file.stem: yaml.safe_load(file.read_text()) for file in sorted(FOLDER.glob("rules/*.yml"))}


def list_rules() -> Iterator[tuple[str, dict[str, Any]]]:
    for source, content in read_rules().items():
        for group in content["groups"]:
            for rule in group["rules"]:
                yield source, rule


def list_alerts() -> list[Alert]:
    return [
        Alert(rule["alert"], rule["expr"], rule["labels"]["severity"], rule["annotations"], source)
        for source, rule in list_rules()
        if "alert" in rule
    ]


def list_records() -> dict[str, str]:
    """Return the expressions of the recording rules, by name."""
    return {rule["record"]: rule["expr"] for _, rule in list_rules() if "record" in rule}


def read_dashboards() -> dict[str, Any]:
    return {
        file.stem: json.loads(file.read_text()) for file in sorted(FOLDER.glob("grafana/dashboards/*.json"))
    }


def list_queries() -> list[Query]:
    return [
        Query(name, panel["title"], target["refId"], target["expr"])
        for name, dashboard in read_dashboards().items()
        for panel in dashboard["panels"]
        for target in panel.get("targets", ())
    ]


def find_metrics(expr: str) -> set[str]:
    """Return the names of the metrics that a PromQL expression reads, including recorded ones."""
    for pattern in (TEXT, MATCHERS, LABELS, WINDOW):
        expr = pattern.sub(" ", expr)
    return {name for name in NAME.findall(expr) if name.lower() not in WORDS}
