"""A notification as the overview lists it: the mail's words, shortened to what happened."""

from dataclasses import dataclass
from datetime import datetime

import structlog

from billing.models import Notification
from billing.notifications import describe_notification

log = structlog.get_logger(__name__)

TONES: dict[str, str] = {
    Notification.Kind.CAP: "warn",
    Notification.Kind.PAYMENT_FAILED: "bad",
    Notification.Kind.ACTION_REQUIRED: "warn",
    Notification.Kind.BLOCKED: "bad",
    Notification.Kind.RECOVERED: "good",
}


@dataclass(frozen=True)
class NotificationRow:
    """`text` is empty where the notification's data cannot be put into words."""

    tone: str
    title: str
    text: str
    at: datetime


def list_rows(notifications: list[Notification]) -> list[NotificationRow]:
    return [_make_row(notification) for notification in notifications]


def _make_row(notification: Notification) -> NotificationRow:
    tone = TONES.get(notification.kind, "quiet")
    try:
        words = describe_notification(notification.kind, notification.data)
    except (KeyError, TypeError, ValueError, AttributeError):
        log.exception("notice_without_words", notification=str(notification.pk))
        return NotificationRow(tone, notification.get_kind_display(), "", notification.created_at)
    return NotificationRow(tone, words.title, words.paragraphs[0], notification.created_at)
