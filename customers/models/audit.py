"""What was done that matters to a customer's security."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .customer import Customer
from .people import User


class AuditLogEntry(models.Model):
    """One action, who did it, from where, and to what. Append-only; the customer reads and exports it.

    `actor_name` stays when the person goes. `actor` None: the product itself, or an API key. `device` is the
    browser and system as `describe_browser` names them, empty where no request made the change.
    """

    class Action(models.TextChoices):
        SIGN_IN_FROM_NEW_DEVICE = "login_from_new_place", _("Logged in from a new place")
        PASSWORD_CHANGED = "password_changed", _("Changed their password")
        EMAIL_CHANGED = "email_changed", _("Changed their email address")
        EMAIL_ADDED = "email_added", _("Added an email address")
        EMAIL_REMOVED = "email_removed", _("Removed an email address")
        TWO_FACTOR_ON = "two_factor_on", _("Turned 2-step login on")
        TWO_FACTOR_OFF = "two_factor_off", _("Turned 2-step login off")
        RECOVERY_CODES_MADE = "recovery_codes_made", _("Generated recovery codes")
        SESSIONS_ENDED = "sessions_ended", _("Ended sessions")
        REAUTHENTICATION_FAILED = "reauthentication_failed", _("Failed to confirm their identity")
        LOGIN_CONNECTED = "login_connected", _("Connected another way to log in")
        LOGIN_DISCONNECTED = "login_disconnected", _("Disconnected a way to log in")
        KEY_MADE = "key_made", _("Made an API key")
        KEY_ROTATED = "key_rotated", _("Rotated an API key")
        KEY_REVOKED = "key_revoked", _("Revoked an API key")
        KEY_RENAMED = "key_renamed", _("Renamed an API key")
        KEY_REASSIGNED = "key_reassigned", _("Reassigned an API key")
        MEMBER_INVITED = "member_invited", _("Invited a member")
        INVITATION_REVOKED = "invitation_revoked", _("Took an invitation back")
        INVITATION_EXPIRED = "invitation_expired", _("An invitation expired")
        MEMBER_ADDED = "member_added", _("Joined")
        MEMBER_REMOVED = "member_removed", _("Removed a member")
        ROLE_CHANGED = "role_changed", _("Changed a member's role")
        OWNERSHIP_TRANSFERRED = "ownership_transferred", _("Transferred ownership")
        PERSON_RENAMED = "person_renamed", _("Changed their name")
        CUSTOMER_RENAMED = "customer_renamed", _("Renamed the account")
        MAIL_CHOSEN = "mail_chosen", _("Changed which mail they get")
        NAMESPACE_CLAIMED = "namespace_claimed", _("Claimed a GitHub organization")
        NAMESPACE_PROVEN = "namespace_proven", _("Proved ownership of a GitHub organization")
        NAMESPACE_RELEASED = "namespace_released", _("Released a GitHub organization")
        CHECKOUT_OPENED = "checkout_opened", _("Opened Stripe's page to choose a plan")
        PLAN_CHANGED = "plan_changed", _("Changed the plan")
        PLAN_CANCELED = "plan_canceled", _("Canceled the plan")
        CAP_CHANGED = "cap_changed", _("Changed the spend cap")
        FIX_CORRECTED = "fix_corrected", _("Corrected a fix")
        DATA_EXPORTED = "data_exported", _("Exported data")
        ACCOUNT_CLOSED = "account_closed", _("Closed the account")
        STAFF_ACTED = "staff_acted", _("Staff acted for the customer")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="audit_log_entries")
    action = models.CharField(max_length=30, choices=Action.choices)
    actor = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    actor_name = models.CharField(max_length=254)
    subject = models.CharField(max_length=254, blank=True, help_text="What it was done to, in words.")
    address = models.GenericIPAddressField(null=True, blank=True)
    device = models.CharField(max_length=60, blank=True)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-at",)
        verbose_name_plural = "audit entries"
        indexes = (models.Index(fields=("customer", "-at"), name="audit_of_customer"),)

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.get_action_display()}"
