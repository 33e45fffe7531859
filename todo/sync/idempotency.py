"""Requests that clients may repeat (draft-ietf-httpapi-idempotency-key-header-07).

The answer to a request with a key is stored in the transaction that makes the change, so there is
one exactly when there is the other: what was refused or rolled back is done anew when it is
repeated. Repeats are looked up under the owner's lock, which is how they wait for the first.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Final

import orjson
from psycopg2 import errorcodes
from sqlalchemy import BigInteger, Connection, bindparam, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from todo.auth.user import User
from todo.database.errors import sqlstate
from todo.database.transactions import MANY_SECONDS, read, write
from todo.models import idempotency_keys as keys
from todo.problems import Problem
from todo.sync.ledger import lock_owner
from todo.values.clock import now
from todo.values.dates import written

PLACES: Final = 10_000
"""How much is kept for one user; beyond it the oldest answers go."""
PLACE_BYTES: Final = 4096
"""An answer takes a place for each of so many bytes, or part of them."""

Json = Any

_OWN: Final = keys.c.user_id == bindparam("owner")
_FIND: Final = select(keys.c.fingerprint, keys.c.answer, keys.c.created_at).where(
    _OWN, keys.c.key == bindparam("of_key")
)
_LAST: Final = select(func.coalesce(func.max(keys.c.place), 0)).where(_OWN).scalar_subquery()
_VALUES: Final = {
    "user_id": bindparam("owner"),
    "key": bindparam("of_key"),
    "fingerprint": bindparam("new_fingerprint"),
    "answer": bindparam("new_answer"),
    "place": _LAST + bindparam("size", type_=BigInteger),
    "created_at": bindparam("moment"),
}
_RENEWED: Final = ("fingerprint", "answer", "place", "created_at")


def _keep(dialect: Any) -> Any:
    """Write an answer; an expired one of the same key gives way."""
    statement = dialect.insert(keys).values(_VALUES)
    renewed = {name: statement.excluded[name] for name in _RENEWED}
    return statement.on_conflict_do_update(index_elements=["user_id", "key"], set_=renewed)


_KEEP: Final = {"postgresql": _keep(postgresql), "sqlite": _keep(sqlite)}
_FORGET: Final = delete(keys).where(_OWN, keys.c.place <= _LAST - PLACES)
_OLD: Final = delete(keys).where(_OWN, keys.c.created_at < bindparam("before"))
_OWNERS: Final = select(keys.c.user_id).where(keys.c.created_at < bindparam("before")).distinct()

# The second in a queue for a row waits for its turn, and then for the row: two waits, which the
# time of the statement may end.
_WAITED: Final = (errorcodes.LOCK_NOT_AVAILABLE, errorcodes.QUERY_CANCELED)

# Held until the transaction ends, whoever pools the connections.
_ANNOUNCE: Final = select(func.pg_try_advisory_xact_lock(bindparam("number", type_=BigInteger)))


@dataclass(frozen=True)
class Repeatable:
    """A request under a key: what it asks for, as a digest, and how long it is remembered."""

    key: str
    fingerprint: bytes
    hours: int


def once(
    tx: Connection, owner: User, request: Repeatable, answer: Callable[[], Json]
) -> tuple[Json, bool]:
    """Return what ``answer`` gives, made now or by an earlier request with the key; and which.

    Locks the owner before it looks, so that repeats at once wait for the first one. Raises
    :class:`Problem`: ``idempotency_key_reused`` when the key was that of another request,
    ``idempotency_key_in_progress`` when the first takes longer than a lock is waited for
    (PostgreSQL), and what ``answer`` raises, after which nothing is stored.
    """
    _lock(tx, owner, request.key)
    found = tx.execute(_FIND, {"owner": owner.id, "of_key": request.key}).one_or_none()
    if found is not None and found.created_at >= _hours_ago(request.hours):
        if found.fingerprint != request.fingerprint:
            raise Problem(
                "idempotency_key_reused",
                "The Idempotency-Key was sent before with another request; nothing was written.",
            )
        return orjson.loads(found.answer), True
    made = answer()
    stored = orjson.dumps(made)
    values = {
        "owner": owner.id,
        "of_key": request.key,
        "new_fingerprint": request.fingerprint,
        "new_answer": stored,
        "size": ceil(len(stored) / PLACE_BYTES),
        "moment": now(),
    }
    tx.execute(_KEEP[tx.dialect.name], values)
    tx.execute(_FORGET, {"owner": owner.id})
    return made, False


def purge(hours: int) -> int:
    """Delete, of all users, what was kept for ``hours``; return how many keys. For a command.

    A user has at most :data:`PLACES` keys, so one statement deletes what has expired.
    """
    before = _hours_ago(hours)
    purged = 0
    for row in read(_OWNERS, {"before": before}, scans=True, seconds=MANY_SECONDS):
        old = {"owner": row.user_id, "before": before}

        def unit(tx: Connection, old: dict[str, str] = old) -> int:
            return tx.execute(_OLD, old).rowcount

        purged += write(unit, seconds=MANY_SECONDS)
    return purged


def _lock(tx: Connection, owner: User, key: str) -> None:
    """Lock the owner, knowing whether the one that is waited for is a request of the same key."""
    if tx.dialect.name != "postgresql":  # where writers wait before the transaction begins
        lock_owner(tx, owner)
        return
    first = tx.execute(_ANNOUNCE, {"number": _number(owner.id, key)}).scalar_one()
    try:
        lock_owner(tx, owner)
    except DBAPIError as error:
        if first or sqlstate(error) not in _WAITED:
            raise
        raise Problem(
            "idempotency_key_in_progress",
            "The first request with this Idempotency-Key has not been answered yet.",
        ) from error


def _number(owner: str, key: str) -> int:
    digest = hashlib.blake2b(f"{owner}\n{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def _hours_ago(hours: int) -> str:
    return written(datetime.fromisoformat(now()) - timedelta(hours=hours))
