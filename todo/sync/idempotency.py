"""Requests that clients may repeat (draft-ietf-httpapi-idempotency-key-header-07).

The response to a request with a key is stored in the transaction that makes the change, so there is
one exactly when there is the other: what was refused or rolled back is done anew when it is
repeated. Repeats are looked up under the user's lock, which is how they wait for the first.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import orjson
from psycopg2 import errorcodes
from sqlalchemy import BigInteger, Connection, bindparam, func, or_, select
from sqlalchemy.exc import DBAPIError

from todo.database.errors import sqlstate
from todo.database.prepared import execute
from todo.database.transactions import MANY_SECONDS, read, write
from todo.models import idempotency_keys as keys
from todo.problems import Problem
from todo.sync import writer
from todo.sync.recorded import Change
from todo.values.clock import earlier

_FIND: Final = select(keys.c.fingerprint, keys.c.answer, keys.c.created_at).where(
    keys.c.user_id == bindparam("of_user"), keys.c.key == bindparam("of_key")
)

# An earlier release does not say what its responses show.
_SHOWING: Final = select(keys.c.key, keys.c.shows).where(
    keys.c.user_id == bindparam("of_user"), or_(keys.c.shows.is_(None), keys.c.shows != "")
)

_OWNERS: Final = select(keys.c.user_id).where(keys.c.created_at < bindparam("before")).distinct()

# The second in a queue for a row waits for its turn, and then for the row, so either the lock's
# time-out or the statement's may end it.
_TIMED_OUT: Final = (errorcodes.LOCK_NOT_AVAILABLE, errorcodes.QUERY_CANCELED)

# Held until the transaction ends, whoever pools the connections.
_ANNOUNCE: Final = select(func.pg_try_advisory_xact_lock(bindparam("number", type_=BigInteger)))


@dataclass(frozen=True)
class Repeatable:
    """A request under a key: what it asks for, as a digest, and how long it is remembered."""

    key: str
    fingerprint: bytes
    hours: int


@contextmanager
def announced(connection: Connection, user_id: str, key: str) -> Iterator[None]:
    """While the block waits for the user's lock, tell a repeat of the key from any other request.

    Raises :class:`Problem` ``idempotency_key_in_progress`` when that takes longer than a lock is
    waited for (PostgreSQL; with SQLite writers wait before the transaction begins).
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    [(is_first,)] = execute(connection, _ANNOUNCE, {"number": _lock_number(user_id, key)})
    try:
        yield
    except DBAPIError as error:
        if is_first or sqlstate(error) not in _TIMED_OUT:
            raise
        raise Problem(
            "idempotency_key_in_progress",
            "The first request with this Idempotency-Key has not been answered yet.",
        ) from error


def find(connection: Connection, user_id: str, request: Repeatable) -> Any | None:
    """Return the response to an earlier request with the key; ``None`` when there was none.

    The caller holds the user's lock. Raises :class:`Problem` ``idempotency_key_reused`` when the
    key was that of another request.
    """
    values = {"of_user": user_id, "of_key": request.key}
    rows = execute(connection, _FIND, values)
    if not rows or (found := rows[0]).created_at < earlier(timedelta(hours=request.hours)):
        return None
    if found.fingerprint != request.fingerprint:
        raise Problem(
            "idempotency_key_reused",
            "The Idempotency-Key was sent before with another request; nothing was written.",
        )
    response = orjson.loads(found.answer)
    if isinstance(response, dict):  # what forget_entities left
        raise Problem(**response)
    return response


def shown_in(response: Any) -> str:
    """Return the ids of the entities that a ``response`` shows, with commas between them."""
    ids = [str(one["id"]) for one in _shown(response) if one["id"] is not None]
    return ",".join(ids)


def forget_entities(
    connection: Connection, user_id: str, ids: Sequence[int], problem: Problem
) -> None:
    """Take entities that are deleted for good out of the kept responses that show them.

    The repeat of a request whose response showed one of them alone gets the ``problem``.
    """
    gone = frozenset(ids)
    for row in execute(connection, _SHOWING, {"of_user": user_id}) if ids else ():
        if row.shows is None or not gone.isdisjoint(map(int, row.shows.split(","))):
            _forget_in(connection, user_id, row.key, gone, problem)


def forget_purged(connection: Connection, user_id: str, changes: Iterable[Change]) -> None:
    """Do so with those of ``changes`` that delete an entity for good."""
    for change in changes:
        if change.new is None and change.old is not None:
            problem = change.resource.not_found(False)
            forget_entities(connection, user_id, [change.old["id"]], problem)


def _forget_in(
    connection: Connection, user_id: str, key: str, gone: frozenset[int], problem: Problem
) -> None:
    [found] = execute(connection, _FIND, {"of_user": user_id, "of_key": key})
    response = orjson.loads(found.answer)
    if gone.isdisjoint(one["id"] for one in _shown(response)):
        return
    body = response[0]
    if "results" in body:
        for result in body["results"]:
            if result["task"] is not None and result["task"]["id"] in gone:
                result["task"] = None
    else:
        response = {"code": problem.code, "detail": problem.detail}
    writer.change_kept(connection, user_id, key, response, shown_in(response))


def _shown(response: Any) -> list[dict[str, Any]]:
    """The entities that a response shows: one, or those of a bulk."""
    body: Any = None if isinstance(response, dict) else response[0]
    match body:
        case {"results": results}:
            return [result["task"] for result in results if result["task"] is not None]
        case {"id": _, "revision": _}:
            return [body]
    return []


def purge(hours: int) -> int:
    """Delete, of all users, what was kept for ``hours``; return how many keys. For a command.

    A user has at most :data:`todo.sync.writer.MOST_BLOCKS` keys: one statement deletes the expired.
    """
    before = earlier(timedelta(hours=hours))
    with_any = read(_OWNERS, {"before": before}, scans=True, seconds=MANY_SECONDS)
    return sum(_purge(row.user_id, before) for row in with_any)


def _purge(user_id: str, before: str) -> int:
    return write(
        lambda connection: writer.forget_old(connection, user_id, before), seconds=MANY_SECONDS
    )


def _lock_number(user_id: str, key: str) -> int:
    digest = hashlib.blake2b(f"{user_id}\n{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
