"""Logging: one event per line on standard error, as JSON or for a terminal.

Any value may contain what a client sent. JSON escapes all but printable ASCII; this module escapes
the lines for a terminal, so that no value forges a line or moves the cursor.
"""

import logging
import logging.config
import sys
from io import StringIO
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, ExcInfo

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def _printable(text: str) -> str:
    """Return ``text`` with escapes for all that is not printable: controls, line ends, bidi."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _escape_event(_logger: object, _method: str, event: EventDict) -> EventDict:
    return {**event, "event": _printable(str(event["event"]))}


def _write_traceback(stream: TextIO, exc_info: ExcInfo) -> None:
    """Write a traceback, indented, so that none of its lines looks like an event."""
    text = StringIO()
    structlog.dev.plain_traceback(text, exc_info)
    lines = text.getvalue().strip("\n").split("\n")
    stream.write("".join(f"\n    {_printable(line)}" for line in lines))


def _config(level: str, form: str) -> dict[str, Any]:
    """Return the ``logging.config.dictConfig`` for ``LOG_LEVEL`` and ``LOG_FORMAT``.

    Records of libraries (gunicorn's among them) are rendered like our own, and none of them can
    break out of its line. Tracebacks come without local variables, which hold tokens and titles.
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"event": _formatter(form)},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "event"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            **{name: {"level": level.upper()} for name in ("todo", "gunicorn")},
            # Connexion also raises what it logs about a broken contract, which ends the start.
            "connexion.middleware.abstract": {"level": "CRITICAL"},
        },
    }


def _formatter(form: str) -> dict[str, Any]:
    return {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *(_json() if form == "json" else _console()),
        ],
        "foreign_pre_chain": _SHARED,
    }


def _json() -> list[Any]:
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]


def _console() -> list[Any]:
    renderer = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(),
        exception_formatter=_write_traceback,
        repr_native_str=True,  # repr() escapes what _printable() does
    )
    return [_escape_event, renderer]


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
