"""Business metrics, one row a day."""

from django.db import models

from rsolv.staff.business_metrics.formulas import Ratio


class DailyBusinessMetrics(models.Model):
    """The metrics of one UTC day, as last computed on it. formulas.py defines each.

    Ratios are stored as two counts, so that they can be summed over days.
    """

    day = models.DateField(unique=True)
    taken_at = models.DateTimeField()
    signups = models.PositiveIntegerField(help_text="In the last 30 days, from whatever source.")
    on_trial = models.PositiveIntegerField(help_text="Accounts without a paid plan, closed ones left out.")
    on_payg = models.PositiveIntegerField(help_text="Pay-as-you-go plans that run, failed payments included.")
    on_teams = models.PositiveIntegerField(help_text="Teams plans that run, failed payments included.")
    payment_failed = models.PositiveIntegerField(help_text="Of these plans, those with a failed payment.")
    converted = models.PositiveIntegerField(help_text="Had a paid plan within 30 days of signing up.")
    convertible = models.PositiveIntegerField(help_text="Signed up 30 to 60 days ago.")
    activated = models.PositiveIntegerField(help_text="Stored a scan within 7 days of signing up.")
    activatable = models.PositiveIntegerField(help_text="Signed up 7 to 37 days ago.")
    churned = models.PositiveIntegerField(help_text="Had a paid plan 30 days ago and have none now.")
    churnable = models.PositiveIntegerField(help_text="Had a paid plan 30 days ago.")
    recurring_cents = models.PositiveBigIntegerField(
        help_text="What the running plans cost a month before any fix, at their own prices, in US cents."
    )
    collected_cents = models.PositiveBigIntegerField(
        help_text="Paid on invoices in the last 30 days, refunds not taken off, in US cents."
    )
    first_scan_median_seconds = models.FloatField(
        null=True, help_text="From signup to a first scan of the last 30 days."
    )
    first_scan_p90_seconds = models.FloatField(null=True, help_text="The same, for nine of ten.")

    class Meta:
        ordering = ("-day",)
        verbose_name = verbose_name_plural = "business metrics"

    def __str__(self) -> str:
        return f"metrics of {self.day}"

    @property
    def conversion(self) -> Ratio:
        return Ratio(self.converted, self.convertible)

    @property
    def activation(self) -> Ratio:
        return Ratio(self.activated, self.activatable)

    @property
    def churn(self) -> Ratio:
        return Ratio(self.churned, self.churnable)
