"""What another back end has written of a task, read as this API would have taken it.

Every value comes as text, or as ``None``. What is the same in another spelling is taken (``High``,
``1`` for true, a time without a zone, which is UTC). What would have to be changed is refused.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from todo.auth.invalid_token import InvalidTokenError
from todo.auth.tokens import check_subject
from todo.auth.user import is_text
from todo.column_types import PRIORITIES
from todo.models import MAX_TAGS
from todo.values.clock import now
from todo.values.dates import date_or_instant, format_instant
from todo.values.text_keys import are_unique, is_visible

Row = Mapping[str, str | None]
"""A row of the other back end: the columns of :data:`COLUMNS` that are there, as text."""

NEEDED: Final = ("id", "user_id", "title")
COLUMNS: Final = (
    *NEEDED,
    "description",
    "completed",
    "created_at",
    "updated_at",
    "priority",
    "due_date",
    "tags",
)

MAX_ID: Final = 255
MAX_TITLE: Final = 200
MAX_DESCRIPTION: Final = 1000
MAX_TAG: Final = 50

_TRUE: Final = frozenset({"true", "t", "1"})
_FALSE: Final = frozenset({"false", "f", "0"})
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# `fromisoformat` alone would take 1712120412345, which are milliseconds, for a day in 1712.
_TIME: Final = re.compile(
    rf"{_DATE.pattern}([T ]([01][0-9]|2[0-3])(:[0-5][0-9]){{1,2}}([.,][0-9]+)?"
    r"(Z|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9]){0,2})?)?"
)
_BLANK: Final = re.compile("[\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]*")
"""White space as the patterns of the contract have it (ECMA 262, section 12.2)."""
_UNFIT: Final = re.compile("[\x00\ud800-\udfff]")


class UnfitRowError(Exception):
    """A row that is against the contract; the text says in what."""


def identity_of(row: Row) -> tuple[str, str]:
    """Return the user and the id of a ``row``; raises :class:`UnfitRowError`."""
    user, number = row["user_id"], row["id"]
    if number is None or not is_text(number, MAX_ID):
        raise UnfitRowError(f"the id is not text of 1 to {MAX_ID} characters")
    try:
        check_subject(user or "")
    except InvalidTokenError:
        raise UnfitRowError("the user_id cannot be a token's 'sub'") from None
    return str(user), number


def fields_of(row: Row) -> dict[str, Any]:
    """Return the fields of the task that a ``row`` is; raises :class:`UnfitRowError`.

    A task that is completed was so when it last changed: the other back end knows no better.
    """
    updated = row.get("updated_at") or row.get("created_at")
    created = _instant("created_at", row.get("created_at") or updated)
    updated = _instant("updated_at", updated)
    completed = _completed(row.get("completed"))
    return {
        "title": _title(row["title"]),
        "description": _text("description", row.get("description"), MAX_DESCRIPTION),
        "completed": completed,
        "completed_at": updated if completed else None,
        "priority": _priority(row.get("priority")),
        "due_date": _due_date(row.get("due_date")),
        "tags": _tags(row.get("tags")),
        "created_at": created,
        "updated_at": updated,
    }


def _title(text: str | None) -> str:
    if text is None or _BLANK.fullmatch(text):
        raise UnfitRowError("title is empty")
    if not is_visible(text):
        raise UnfitRowError("title has no visible character")
    _text("title", text, MAX_TITLE)
    return text


def _text(name: str, text: str | None, longest: int) -> str | None:
    if text is not None and len(text) > longest:
        raise UnfitRowError(f"{name} has {len(text)} characters, more than {longest}")
    if text is not None and _UNFIT.search(text):
        raise UnfitRowError(f"{name} has a NUL, or bytes that are not UTF-8")
    return text


def _completed(text: str | None) -> bool:
    if text is None or text.lower() in _FALSE:
        return False
    if text.lower() in _TRUE:
        return True
    raise UnfitRowError("completed is neither true nor false")


def _priority(text: str | None) -> str:
    if text is None:
        return "medium"
    if text.strip().lower() not in PRIORITIES:
        raise UnfitRowError(f"priority {text[:40]!r} is not one of {', '.join(PRIORITIES)}")
    return text.strip().lower()


def _instant(name: str, text: str | None) -> str:
    if text is None:
        return now()
    try:
        return format_instant(_moment(text.strip()))
    except (ValueError, OverflowError):
        raise UnfitRowError(f"{name} {text[:40]!r} is not a time") from None


def _moment(text: str) -> datetime:
    """Return an aware time; raises :class:`ValueError` for what is not written as one."""
    if not _TIME.fullmatch(text):
        raise ValueError(text)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _due_date(text: str | None) -> str | None:
    """A day stays a day, and a time a time, if it be midnight."""
    if text is None or not text.strip():
        return None
    if not _DATE.fullmatch(text):
        return _instant("due_date", text)
    try:
        return date_or_instant(text)
    except ValueError:
        raise UnfitRowError(f"due_date {text!r} is not a day of the calendar") from None


def _tags(text: str | None) -> list[str]:
    tags = _split(text or "")
    for tag in tags:
        if not isinstance(tag, str) or _BLANK.fullmatch(tag) or len(tag) > MAX_TAG:
            raise UnfitRowError(f"a tag is not text of 1 to {MAX_TAG} characters")
        if not is_text(tag, MAX_TAG):
            raise UnfitRowError("a tag has control characters")
        if not is_visible(tag):
            raise UnfitRowError("a tag has no visible character")
    if len(tags) > MAX_TAGS:
        raise UnfitRowError(f"the task has {len(tags)} tags, more than {MAX_TAGS}")
    if not are_unique(tags):
        raise UnfitRowError("the task has one tag twice, compared without case")
    return tags


def _split(text: str) -> list[Any]:
    """Tags as a JSON array, or separated by commas."""
    if not text.lstrip().startswith(("[", "{")) and text != "null":
        return [tag.strip() for tag in text.split(",") if tag.strip()]
    try:
        tags = orjson.loads(text)
    except ValueError:
        tags = text
    if tags is not None and not isinstance(tags, list):
        raise UnfitRowError("tags are neither an array nor text with commas")
    return tags or []
