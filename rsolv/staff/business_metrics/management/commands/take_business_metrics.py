"""`manage.py take_business_metrics`: today's business figures, taken now and printed."""

from typing import Any

from django.forms.models import model_to_dict
from django.utils import timezone

from core.commands.base import BaseCommand
from rsolv.staff.business_metrics.services import take_business_metrics


class Command(BaseCommand):
    help = "Take today's business figures now and print them. Repeating it takes them anew."

    def handle(self, **options: Any) -> None:
        figures = take_business_metrics(at=timezone.now())
        for name, value in model_to_dict(figures, exclude=("id", "day")).items():
            self.stdout.write(f"{name:<28} {'-' if value is None else value}")
