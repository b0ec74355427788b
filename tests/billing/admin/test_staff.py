"""Staff actions on billing, through the admin's pages."""

import pytest
from django.urls import reverse
from django.utils import timezone

from billing.models import BillingAccount, CorrectionReport, FeatureFlag, InboxEvent, UsageCorrection
from billing.services.corrections.correct_usage import correct_usage
from customers.models import AuditLogEntry
from tests.factories import BillingAccountFactory, UsageRecordFactory
from tests.outbox import park, parked

from .rows import make_discrepancy, make_notification


def page(name, *args):
    return reverse(f"admin:billing_{name}", args=args)


def run_action(client, name, action, *rows):
    chosen = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    return client.post(page(f"{name}_changelist"), chosen)


class TestCorrection:
    def correct(self, client, usage, reason):
        filled = {"usage": str(usage.pk), "kind": "void", "reason": reason}
        return client.post(page("usagecorrection_add"), filled)

    def test_is_made_with_a_reason(self, staff):
        usage = UsageRecordFactory()
        assert self.correct(staff, usage, "Broke the build.").status_code == 302
        made = UsageCorrection.objects.get()
        assert (made.usage, made.kind, made.reason) == (usage, "void", "Broke the build.")
        assert made.made_by is not None and made.report.status == "done"
        entry = AuditLogEntry.objects.get(customer=made.customer)
        assert (entry.action, entry.actor_name) == ("fix_corrected", "RSOLV staff")

    @pytest.mark.parametrize("reason", ["", "   "])
    def test_is_not_made_without_one(self, staff, reason):
        assert self.correct(staff, UsageRecordFactory(), reason).status_code == 200
        assert not UsageCorrection.objects.exists()

    def test_is_not_made_twice(self, staff):
        usage = UsageRecordFactory()
        self.correct(staff, usage, "Broke the build.")
        assert self.correct(staff, usage, "Again.").status_code == 200
        assert UsageCorrection.objects.count() == 1

    def test_is_offered_beside_the_fix_until_it_is_made(self, staff):
        usage = UsageRecordFactory()
        offer = f"?usage={usage.pk}"
        assert offer in staff.get(page("usagerecord_changelist")).content.decode()
        self.correct(staff, usage, "Broke the build.")
        shown = staff.get(page("usagerecord_changelist")).content.decode()
        assert offer not in shown and "Does not count" in shown

    def test_is_never_changed_or_deleted(self, staff):
        self.correct(staff, UsageRecordFactory(), "Broke the build.")
        made = UsageCorrection.objects.get()
        assert staff.post(page("usagecorrection_change", made.pk), {"reason": "x"}).status_code == 403
        assert staff.post(page("usagecorrection_delete", made.pk), {"post": "yes"}).status_code == 403


class TestBillingFeatureFlag:
    def turn(self, client, **filled):
        return client.post(page("featureflag_add"), {"name": "billing_enabled", **filled})

    def test_turns_off_with_a_reason(self, staff):
        assert self.turn(staff, reason="An incident.").status_code == 302
        switch = FeatureFlag.objects.get()
        assert (switch.is_on, switch.reason) == (False, "An incident.")
        assert switch.changed_by is not None

    def test_turns_on_again(self, staff):
        self.turn(staff, reason="An incident.")
        filled = {"is_on": "on", "reason": "It is over."}
        staff.post(page("featureflag_change", "billing_enabled"), filled)
        assert FeatureFlag.objects.get().is_on

    def test_requires_a_reason_to_change(self, staff):
        assert self.turn(staff, reason="").status_code == 200
        assert not FeatureFlag.objects.exists()


class TestPauseCustomer:
    def save(self, client, account, **filled):
        return client.post(page("billingaccount_change", account.pk), {"trial_fixes_limit": 12, **filled})

    def test_starts_with_a_reason_and_ends(self, staff):
        account = BillingAccountFactory()
        self.save(staff, account, is_paused="on", paused_reason="A dispute.")
        account.refresh_from_db()
        assert account.paused_at is not None and account.paused_reason == "A dispute."
        self.save(staff, account, paused_reason="A dispute.")
        account.refresh_from_db()
        assert (account.paused_at, account.paused_reason) == (None, "")
        actions = AuditLogEntry.objects.filter(customer=account.customer, action="staff_acted")
        assert [e.subject for e in actions if "reporting" in e.subject][::-1] == [
            "paused reporting to Stripe",
            "resumed reporting to Stripe",
        ]

    def test_requires_a_reason(self, staff):
        account = BillingAccountFactory()
        assert self.save(staff, account, is_paused="on", paused_reason="").status_code == 200
        assert BillingAccount.objects.get().paused_at is None

    def test_changes_nothing_that_is_synced_from_stripe(self, staff):
        account = BillingAccountFactory(plan="payg", status="active")
        self.save(staff, account, plan="teams", status="canceled")
        account.refresh_from_db()
        assert (account.plan, account.status, account.trial_fixes_limit) == ("payg", "active", 12)


class TestParkedRows:
    def test_is_a_list_of_its_own_among_webhooks(self, staff):
        for number, fields in enumerate(({}, parked(), {"status": "processed", "next_attempt_at": None})):
            InboxEvent.objects.create(
                event_id=f"evt_{number}", event_type="invoice.paid", payload="{}", **fields
            )
        shown = {
            choice: [
                event.pk
                for event in staff.get(page("inboxevent_changelist"), {"progress": choice})
                .context["cl"]
                .queryset
            ]
            for choice in ("due", "parked", "done")
        }
        assert shown == {"due": ["evt_0"], "parked": ["evt_1"], "done": ["evt_2"]}

    def test_replays_a_parked_webhook(self, staff):
        event = InboxEvent.objects.create(
            event_id="evt_1", event_type="a", payload="{}", failures=12, **parked()
        )
        run_action(staff, "inboxevent", "replay", event)
        event.refresh_from_db()
        assert (event.status, event.failures) == ("pending", 0)

    def test_retries_a_mail_that_was_given_up(self, staff):
        notification = make_notification()
        run_action(staff, "notification", "retry_now", notification)
        notification.refresh_from_db()
        assert notification.next_attempt_at is not None

    def test_settles_a_discrepancy(self, staff):
        discrepancy = make_discrepancy()
        run_action(staff, "discrepancy", "settle", discrepancy)
        discrepancy.refresh_from_db()
        assert (discrepancy.state, discrepancy.settled_at is None) == ("resolved", False)

    def test_resends_a_rejected_credit(self, staff):
        usage = UsageRecordFactory()
        made = correct_usage(usage=usage, kind="credit", reason="Slow.", made_by=None, at=timezone.now())
        park(CorrectionReport.objects.all())
        run_action(staff, "correctionreport", "retry_now", made.report)
        made.report.refresh_from_db()
        assert made.report.status == "pending"


class TestStaffWithViewPermission:
    def test_see_no_actions(self, onlooker):
        notification, discrepancy = make_notification(), make_discrepancy()
        run_action(onlooker, "notification", "retry_now", notification)
        run_action(onlooker, "discrepancy", "settle", discrepancy)
        notification.refresh_from_db()
        discrepancy.refresh_from_db()
        assert (notification.next_attempt_at, discrepancy.state) == (None, "open")

    def test_cannot_correct_a_fix_or_change_a_flag(self, onlooker):
        usage = UsageRecordFactory()
        filled = {"usage": str(usage.pk), "kind": "void", "reason": "Mine."}
        assert onlooker.post(page("usagecorrection_add"), filled).status_code == 403
        switch = {"name": "billing_enabled", "reason": "Mine."}
        assert onlooker.post(page("featureflag_add"), switch).status_code == 403

    def test_cannot_pause_a_customer(self, onlooker):
        account = BillingAccountFactory()
        assert onlooker.get(page("billingaccount_change", account.pk)).status_code == 200
        filled = {"trial_fixes_limit": 99, "is_paused": "on", "paused_reason": "Mine."}
        assert onlooker.post(page("billingaccount_change", account.pk), filled).status_code == 403
