"""A scraped page, read as Prometheus reads it."""

from typing import Any

from django.test import Client
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families


def parse(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(text)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def find(text: str, name: str, **labels: str) -> float | None:
    return parse(text).get((name, frozenset(labels.items())))


def scrape(**options: Any) -> str:
    response = Client().get("/metrics", **options)
    assert response.status_code == 200
    return response.content.decode()


class Growth:
    """Measure how much a metric has grown since this object was created."""

    def __init__(self, name: str, **labels: str) -> None:
        self.name, self.labels = name, labels
        self.before = self.read()

    def read(self) -> float:
        return REGISTRY.get_sample_value(self.name, self.labels) or 0

    @property
    def so_far(self) -> float:
        return self.read() - self.before
