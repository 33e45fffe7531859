"""Logging: one event per line on standard error, as JSON or for a terminal.

What a client sends can be part of any value. JSON escapes all but printable ASCII; for a terminal
it is done here, so that nothing forges a line or moves the cursor.
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
    """Write a traceback, indented: no line of it can be taken for an event."""
    text = StringIO()
    structlog.dev.plain_traceback(text, exc_info)
    lines = text.getvalue().strip("\n").split("\n")
    stream.write("".join(f"\n    {_printable(line)}" for line in lines))


def _config(level: str, form: str) -> dict[str, Any]:
    """Return the ``logging.config.dictConfig`` for ``LOG_LEVEL`` and ``LOG_FORMAT``.

    Records of libraries (gunicorn's among them) are rendered like our own, and none of them can
    break out of its line. Tracebacks come without local variables, which hold tokens and titles.
    """
    renderer = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if form == "json"
        else [
            _escape_event,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                exception_formatter=_write_traceback,
                repr_native_str=True,  # repr() escapes what _printable() does
            ),
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
