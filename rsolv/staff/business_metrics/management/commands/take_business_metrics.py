"""`manage.py take_business_metrics`: compute, store and print today's business metrics."""

from typing import Any

from django.forms.models import model_to_dict
from django.utils import timezone

from core.commands.base import BaseCommand
from rsolv.staff.business_metrics.services import take_business_metrics


class Command(BaseCommand):
    help = "Compute today's business metrics, store and print them. Repeating it replaces them."

    def handle(self, **options: Any) -> None:
        metrics = take_business_metrics(at=timezone.now())
        for name, value in model_to_dict(metrics, exclude=("id", "day")).items():
            self.stdout.write(f"{name:<28} {'-' if value is None else value}")
