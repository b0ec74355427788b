"""The audit log that a customer sees."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .customer import Customer
from .people import User


class AuditLogEntry(models.Model):
    """One action relevant to a customer's security: who did what to which object, and from where.

    Append-only; the customer can read and export it. `actor_name` stays when the person is deleted. `actor`
    is None if RSOLV itself or an API key acted. `device` is the browser and system as named by
    `describe_browser`, empty if no request made the change.
    """

    class Action(models.TextChoices):
        SIGN_IN_FROM_NEW_DEVICE = "sign_in_from_new_device", _("Signed in from a new device")
        PASSWORD_CHANGED = "password_changed", _("Changed their password")
        EMAIL_CHANGED = "email_changed", _("Changed their email address")
        EMAIL_ADDED = "email_added", _("Added an email address")
        EMAIL_REMOVED = "email_removed", _("Removed an email address")
        TWO_FACTOR_ON = "two_factor_on", _("Turned on 2-step login")
        TWO_FACTOR_OFF = "two_factor_off", _("Turned off 2-step login")
        RECOVERY_CODES_MADE = "recovery_codes_made", _("Generated recovery codes")
        SESSIONS_ENDED = "sessions_ended", _("Ended sessions")
        REAUTHENTICATION_FAILED = "reauthentication_failed", _("Failed to confirm their identity")
        LOGIN_CONNECTED = "login_connected", _("Connected a login method")
        LOGIN_DISCONNECTED = "login_disconnected", _("Disconnected a login method")
        KEY_MADE = "key_made", _("Created an API key")
        KEY_ROTATED = "key_rotated", _("Rotated an API key")
        KEY_REVOKED = "key_revoked", _("Revoked an API key")
        KEY_RENAMED = "key_renamed", _("Renamed an API key")
        KEY_REASSIGNED = "key_reassigned", _("Reassigned an API key")
        MEMBER_INVITED = "member_invited", _("Invited a member")
        INVITATION_REVOKED = "invitation_revoked", _("Revoked an invitation")
        INVITATION_EXPIRED = "invitation_expired", _("An invitation expired")
        MEMBER_ADDED = "member_added", _("Joined")
        MEMBER_REMOVED = "member_removed", _("Removed a member")
        ROLE_CHANGED = "role_changed", _("Changed a member's role")
        OWNERSHIP_TRANSFERRED = "ownership_transferred", _("Transferred ownership")
        PERSON_RENAMED = "person_renamed", _("Changed their name")
        CUSTOMER_RENAMED = "customer_renamed", _("Renamed the account")
        MAIL_CHOSEN = "mail_chosen", _("Changed email preferences")
        NAMESPACE_CLAIMED = "namespace_claimed", _("Claimed a GitHub organization")
        NAMESPACE_PROVEN = "namespace_proven", _("Proved ownership of a GitHub organization")
        NAMESPACE_RELEASED = "namespace_released", _("Released a GitHub organization")
        CHECKOUT_OPENED = "checkout_opened", _("Opened Stripe Checkout")
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
    subject = models.CharField(max_length=254, blank=True, help_text="The object that was changed, in words.")
    address = models.GenericIPAddressField(null=True, blank=True)
    device = models.CharField(max_length=60, blank=True)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-at",)
        verbose_name_plural = "audit log entries"
        indexes = (models.Index(fields=("customer", "-at"), name="audit_of_customer"),)

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.get_action_display()}"
