"""People who log in, and the devices they use."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, email: str | None) -> "User":
        return self.get(email__iexact=email)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who logs in with an email address."""

    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=150, blank=True)
    time_zone = models.CharField(max_length=50, blank=True, help_text="Time zone for dates. Empty: UTC.")
    is_staff = models.BooleanField(default=False, help_text="May use the staff admin.")
    is_active = models.BooleanField(default=True, help_text="Deactivate a person instead of deleting them.")
    session_generation = models.PositiveIntegerField(
        default=0,
        editable=False,
        help_text="Incremented to end all sessions: each session is valid for one number.",
    )
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = UserManager()

    class Meta:
        ordering = ("email",)
        constraints = (models.UniqueConstraint(Lower("email"), name="user_email_unique_without_case"),)

    def __str__(self) -> str:
        return self.email

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Extend Django's hash, which changes with the password, by the session generation."""
        own: str = super()._get_session_auth_hash(secret)  # type: ignore[misc]
        # Django's own hash, so that sessions from before the column was added stay valid.
        if not self.session_generation:
            return own
        salt = "customers.session_generation"
        text = f"{own}|{self.session_generation}"
        return salted_hmac(salt, text, secret=secret, algorithm="sha256").hexdigest()


class KnownDevice(models.Model):
    """Hash of a browser and network from which a person has signed in. Any other one triggers a mail."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="known_devices")
    fingerprint = models.CharField(max_length=64)
    first_seen_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("user", "fingerprint"), name="known_device_once_per_person"),
        )

    def __str__(self) -> str:
        return f"{self.user} since {self.first_seen_at:%Y-%m-%d}"
