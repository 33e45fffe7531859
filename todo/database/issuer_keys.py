"""The key sets of issuers in the database: what all processes share, and what outlives them.

A row holds public keys alone, and is of no user. Its moments are the database's own: machines need
not agree on theirs. Each statement here is one of a timer's, or of a token whose key nobody knows.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    Connection,
    Executable,
    and_,
    bindparam,
    case,
    func,
    null,
    or_,
    select,
    update,
)

from todo.auth.key_sets import Documents, newest
from todo.auth.key_store import KeyStoreError, Shared
from todo.column_types import Instant
from todo.database.dialects import INSERT
from todo.database.errors import DatabaseDefectError
from todo.database.functions import milliseconds_since, this_moment
from todo.database.transactions import read, write
from todo.models import issuer_keys
from todo.problems import Problem

STORE_SECONDS: Final = 2.0
"""How long a statement may take, the wait for a thread included: a request may wait for it."""

_OF_URL: Final = issuer_keys.c.url == bindparam("of_url")
_AGE: Final[ColumnElement[Any]] = milliseconds_since(issuer_keys.c.confirmed_at).label("age")
_ATTEMPTED: Final[ColumnElement[Any]] = milliseconds_since(issuer_keys.c.attempted_at).label(
    "attempted"
)
_OPEN: Final = issuer_keys.c.ended_at.is_(None).label("open")
_LOOK: Final = select(issuer_keys.c.confirmed_at, _ATTEMPTED, _OPEN).where(_OF_URL)
_KEYS: Final = select(issuer_keys.c.key_set, issuer_keys.c.confirmed_at, _AGE).where(_OF_URL)
_KEPT: Final = select(issuer_keys.c.key_set, _AGE).where(_OF_URL)
"""For a command, whose connection reads no instants (:mod:`todo.database.connection`)."""


def _claim(dialect: str) -> Executable:
    """The row is claimed once: a second process waits for it, and then finds it claimed."""
    insert = INSERT[dialect](issuer_keys).values(
        url=bindparam("of_url"), key_set=[], attempted_at=this_moment()
    )
    far = func.abs(milliseconds_since(issuer_keys.c.attempted_at)) >= bindparam("gap")
    seen = issuer_keys.c.confirmed_at.is_not_distinct_from(bindparam("seen", type_=Instant()))
    claim: Executable = insert.on_conflict_do_update(
        index_elements=[issuer_keys.c.url],
        set_={"attempted_at": this_moment(), "ended_at": null()},
        where=and_(or_(issuer_keys.c.attempted_at.is_(None), far), seen),
    ).returning(issuer_keys.c.attempted_at)
    return claim


_CLAIM: Final = {dialect: _claim(dialect) for dialect in INSERT}
_CLAIMED: Final = update(issuer_keys).where(
    _OF_URL, issuer_keys.c.attempted_at == bindparam("claim", type_=Instant())
)
_FAIL: Final = _CLAIMED.values(ended_at=this_moment())
_CONFIRM: Final = _CLAIMED.values(
    confirmed_at=this_moment(),
    ended_at=this_moment(),
    attempted_at=case(
        (bindparam("free", type_=Boolean()), null()), else_=issuer_keys.c.attempted_at
    ),
).returning(issuer_keys.c.confirmed_at)
_REPLACE: Final = _CONFIRM.values(key_set=bindparam("documents", type_=JSON()))


def _look(url: str, seen: str | None) -> Shared:
    for row in read(_LOOK, {"of_url": url}, seconds=STORE_SECONDS):
        attempted = None if row.attempted is None else row.attempted / 1000
        shared = Shared(row.confirmed_at, None, 0.0, attempted, attempted is not None and row.open)
        if row.confirmed_at in (None, seen):
            return shared
        [known] = read(_KEYS, {"of_url": url}, seconds=STORE_SECONDS)
        return replace(
            shared,
            version=known.confirmed_at,
            documents=newest(known.key_set),
            age=known.age / 1000,
        )
    return Shared()


def last_confirmed(connection: Connection, url: str) -> tuple[int, float] | None:
    """Return how many keys of ``url`` are kept, and how many seconds ago they were confirmed.

    For a command. ``None`` when no process has ever had a set confirmed.
    """
    row = connection.execute(_KEPT, {"of_url": url}).first()
    return None if row is None or row.age is None else (len(row.key_set), row.age / 1000)


def _claim_fetch(values: Mapping[str, Any]) -> str | None:
    return write(lambda tx: tx.execute(_CLAIM[tx.dialect.name], values).scalar())


def _confirm(statement: Executable, values: Mapping[str, Any]) -> str | None:
    return write(lambda tx: tx.execute(statement, values).scalar())


def _fail(values: Mapping[str, Any]) -> None:
    write(lambda tx: tx.execute(_FAIL, values))


class IssuerKeys:
    """The row of the issuer whose keys are at a URL; see :class:`todo.auth.key_store.KeyStore`."""

    def __init__(self, url: str, ask: Callable[..., Awaitable[Any]]) -> None:
        """``ask`` runs a function on a thread."""
        self._url = url
        self._ask = ask

    async def look(self, seen: str | None) -> Shared:
        """Return what the row has; the documents only when their version is not ``seen``."""
        shared: Shared = await self._run(_look, self._url, seen)
        return shared

    async def claim(self, seen: str | None, gap: float) -> str | None:
        """Claim the next fetch; see :meth:`KeyStore.claim`."""
        values = {"of_url": self._url, "seen": seen, "gap": int(gap * 1000)}
        claim: str | None = await self._run(_claim_fetch, values, writes=True)
        return claim

    async def confirm(self, claim: str, documents: Documents | None, *, free: bool) -> str | None:
        """Keep the ``documents``; see :meth:`KeyStore.confirm`."""
        values: dict[str, Any] = {"of_url": self._url, "claim": claim, "free": free}
        if documents is not None:
            values["documents"] = list(documents.values())
        statement = _CONFIRM if documents is None else _REPLACE
        version: str | None = await self._run(_confirm, statement, values, writes=True)
        return version

    async def fail(self, claim: str) -> None:
        """Say that the claimed fetch has failed."""
        await self._run(_fail, {"of_url": self._url, "claim": claim}, writes=True)

    async def _run(self, function: Callable[..., Any], *args: Any, writes: bool = False) -> Any:
        try:
            async with asyncio.timeout(STORE_SECONDS):
                return await self._ask(None, function, *args, writes=writes)
        except (Problem, DatabaseDefectError, TimeoutError) as error:
            raise KeyStoreError(str(error) or "the database did not answer in time") from error
