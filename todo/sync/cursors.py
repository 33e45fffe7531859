"""Cursors: where a page ended, as opaque text.

A cursor is canonical base64url of a JSON array: the version, a digest of the query, the
moment that the views of the first page were computed at, and the position of the last entity: its
values of the sort's keys. It is no secret and gives no right: the user is in every WHERE.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import orjson

from todo.problems import Problem, Violation, validation_failed
from todo.values.dates import instant

VERSION: Final = 2
MAX_LENGTH: Final = 2048
"""Characters; the longest title key, every character escaped, needs 1,700."""
_DIGEST_BYTES: Final = 9
_VALUES: Final = (str, int, type(None))
_EARLIEST, _LATEST = "0002", "9998"
"""Years in which every zone has a date."""


class Cursor(NamedTuple):
    """Where a page ended. ``position`` has one value for each key of the sort, not checked yet."""

    digest: str
    moment: str | None
    position: Sequence[Any]


def digest(*query: Any) -> str:
    """Return a short digest of a ``query``: what tells a list from all others, as JSON."""
    hashed = hashlib.blake2b(orjson.dumps(query), digest_size=_DIGEST_BYTES).digest()
    return base64.urlsafe_b64encode(hashed).decode()


def encode(cursor: Cursor) -> str:
    """Return ``cursor`` as at most :data:`MAX_LENGTH` unreserved characters."""
    payload = orjson.dumps([VERSION, *cursor])
    return base64.urlsafe_b64encode(payload).rstrip(b"=").decode()


def decode(text: str) -> Cursor:
    """Return the cursor that ``text`` encodes.

    Raises :class:`ValueError` for what :func:`encode` never gives: another alphabet, padding, bits
    left over, another version, parts of other types.
    """
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        parts = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (UnicodeEncodeError, binascii.Error, orjson.JSONDecodeError):
        raise ValueError(text) from None
    match parts:
        case [int(version), str(of_query), None | str() as moment, [_] | [_, _] as position] if (
            version == VERSION and all(isinstance(value, _VALUES) for value in position)
        ):
            cursor = Cursor(of_query, None if moment is None else _moment(moment), position)
        case _:
            raise ValueError(text)
    if encode(cursor) != text:
        raise ValueError(text)
    return cursor


def resume(
    text: str | None, of_query: str, *, skip: int, fits: Callable[[Cursor], bool]
) -> Cursor | None:
    """Return where the list whose digest is ``of_query`` goes on, ``None`` at its beginning.

    ``fits`` says whether a cursor's position can be one of the list. Raises :class:`Problem`
    ``validation_failed`` for the cursor of another list, and for one beside ``skip``.
    """
    if text is None:
        return None
    if skip:
        raise _contradiction("cannot be combined with 'skip'")
    cursor = decode(text)
    if cursor.digest != of_query or not fits(cursor):
        raise _contradiction("belongs to another list: the filters, the sort or the user differ")
    return cursor


def _contradiction(detail: str) -> Problem:
    return validation_failed(Violation("contradiction", detail, parameter="cursor"))


def _moment(text: str) -> str:
    if not _EARLIEST < text < _LATEST:
        raise ValueError(text)
    return instant(text)
