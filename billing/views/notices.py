"""A notice as the overview lists it: the mail's words, shortened to what happened."""

from dataclasses import dataclass
from datetime import datetime

import structlog

from billing.models import Notice
from billing.notices import describe_notice

log = structlog.get_logger(__name__)

TONES: dict[str, str] = {
    Notice.Kind.CAP: "warn",
    Notice.Kind.PAYMENT_FAILED: "bad",
    Notice.Kind.ACTION_REQUIRED: "warn",
    Notice.Kind.BLOCKED: "bad",
    Notice.Kind.RECOVERED: "good",
}


@dataclass(frozen=True)
class NoticeRow:
    """`text` is empty where the notice's data cannot be put into words."""

    tone: str
    title: str
    text: str
    at: datetime


def list_rows(notices: list[Notice]) -> list[NoticeRow]:
    return [_make_row(notice) for notice in notices]


def _make_row(notice: Notice) -> NoticeRow:
    tone = TONES.get(notice.kind, "quiet")
    try:
        words = describe_notice(notice.kind, notice.data)
    except (KeyError, TypeError, ValueError, AttributeError):
        log.exception("notice_without_words", notice=str(notice.pk))
        return NoticeRow(tone, notice.get_kind_display(), "", notice.created_at)
    return NoticeRow(tone, words.title, words.paragraphs[0], notice.created_at)
