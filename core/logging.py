"""Structured logs: one line per event with request id and customer, and never a key, card or payload."""

from typing import Any

import structlog
from structlog.typing import EventDict

from core.commands.terminal import escape_controls

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def escape_values(logger: Any, name: str, event: EventDict) -> EventDict:
    """Escape control characters, so that no value can start a new line. The JSON renderer does so itself."""
    return {
        key: escape_controls(value, keep="") if _is_plain(key, value) else value
        for key, value in event.items()
    }


def _is_plain(key: str, value: Any) -> bool:
    return isinstance(value, str) and key not in ("exception", "stack")


def escape_line(logger: Any, name: str, line: str) -> str:
    """Escape what `escape_values` leaves: tracebacks, and values that are not strings."""
    return escape_controls(line)


def configure_structlog(*, as_json: bool, level: str) -> dict[str, Any]:
    """Configure structlog and return Django's LOGGING. Lines of libraries have the same format."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    # Tracebacks without local variables: those hold keys and payloads.
    renderer: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [
            escape_values,
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
            escape_line,
        ]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
                "foreign_pre_chain": SHARED,
            }
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django": {"handlers": ["console"], "level": level, "propagate": False},
            "django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False},
            # The request log line of RequestIdMiddleware already reports it.
            "django.request": {"level": "ERROR"},
            # These two log request bodies or parameters at lower levels.
            "stripe": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
        },
    }
