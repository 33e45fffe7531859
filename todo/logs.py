"""Logging: one event per line on standard error, as JSON or for a terminal."""

import logging
import logging.config
import sys
from typing import Any

import structlog

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def _config(level: str, form: str) -> dict[str, Any]:
    """Return the ``logging.config.dictConfig`` for ``LOG_LEVEL`` and ``LOG_FORMAT``.

    Records of libraries (gunicorn's among them) are rendered like our own, and none of them can
    break out of its line. Tracebacks come without local variables, which hold tokens and titles.
    """
    renderer = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if form == "json"
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "event": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *renderer,
                ],
                "foreign_pre_chain": _SHARED,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "event"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            **{name: {"level": level.upper()} for name in ("todo", "gunicorn")},
            # What it has to say of a broken contract is raised, too, and refuses the start.
            "connexion.middleware.abstract": {"level": "CRITICAL"},
        },
    }


def configure(level: str, form: str) -> None:
    """Set up logging for this process."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    logging.config.dictConfig(_config(level, form))
