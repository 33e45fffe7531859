"""A user whose row is locked, and what is read under the lock.

Nothing that was read before the user's row is locked decides anything: with a clever single
statement 16 threads toggling one task left totals of 37 and -36. The lock is taken once, by the
first that needs it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import CompoundSelect, Connection, Select

from todo.auth.user import User
from todo.database.prepared import execute
from todo.sync import locked_reads, writer
from todo.sync.counters import Counters
from todo.sync.etags import etag_of
from todo.sync.ledger import Ledger
from todo.sync.log import LogState, LogUnit, new_nonce
from todo.sync.preconditions import Precondition, stale
from todo.sync.recount import recount
from todo.sync.resource import E, Resource
from todo.sync.user_row import LABELS, parsed
from todo.values.clock import now

Readable = Select[Any] | CompoundSelect[Any]


class LockedUser:
    """A user in one transaction; the row is locked by whatever needs it first."""

    def __init__(self, connection: Connection, user: User, by: str) -> None:
        self.connection = connection
        self.user = user
        self._by = by
        self._ledger: Ledger | None = None
        self._begun = self._log = LogState()
        self._unit: LogUnit | None = None
        self._was_recounted = False
        self._now = ""
        self._counters_at_lock = Counters()
        self._own_counters: dict[tuple[str, int], Mapping[str, int]] = {}
        self._derived: dict[tuple[str, int], Mapping[str, Any]] = {}

    @property
    def now(self) -> str:
        """The moment of the unit: that at which the user was locked."""
        self.lock()
        return self._now

    @property
    def counters(self) -> Counters:
        """The user's counters, with everything that was recorded."""
        return self.lock()

    @property
    def next_revision(self) -> int:
        """The revision that the next change takes."""
        return self.counters.revision + 1

    @property
    def log_unit(self) -> LogUnit:
        """What the entries of the unit share."""
        assert self._unit is not None  # noqa: S101 - there is one once the user is locked
        return self._unit

    @property
    def log_floor(self) -> int:
        """The last revision whose entry is gone."""
        self.lock()
        return self._log.log_floor

    def lock(self) -> Counters:
        """Lock the user's row until the transaction ends, if it is not locked; return its counters.

        The user's first write adds the row.
        """
        if self._ledger is not None:
            return self._ledger.counters
        rows = execute(self.connection, locked_reads.LOCK, {"of_user": self.user.id})
        if not rows:
            writer.add_user(self.connection, self.user, now())
            rows = execute(self.connection, locked_reads.LOCK, {"of_user": self.user.id})
        return self._locked(rows[0])

    def entity(
        self,
        resource: Resource[E],
        entity_id: int,
        precondition: Precondition | None = None,
        *,
        trashed: bool = False,
    ) -> E:
        """Return one entity of the user's, live or ``trashed``, with the user's row locked.

        Raises :class:`Problem`: what ``resource`` says of an entity that is not there, and
        ``precondition_failed`` when the ``precondition`` does not hold (RFC 9110, section 13.1.1).
        """
        found = self._read(resource, entity_id, trashed=trashed)
        if found is None:
            raise resource.not_found(trashed)
        if precondition is not None and not precondition.holds(etag_of(found)):
            raise stale(resource.shown(found), precondition.detail)
        return found

    def _read(self, resource: Resource[E], entity_id: int, *, trashed: bool) -> E | None:
        """Both rows are locked by one statement, so both are read again after a wait (PostgreSQL,
        READ COMMITTED). Under the user's lock nobody else changes the entity.
        """
        locked = self._ledger is not None
        statement = locked_reads.one(resource, trashed=trashed, locked=locked)
        values = {"of_user": self.user.id, "entity_id": entity_id}
        rows = execute(self.connection, statement, values)
        if not rows:
            return None
        if not locked:
            self._locked([getattr(rows[0], label) for label in LABELS])
            if self._was_recounted:
                return self._read(resource, entity_id, trashed=trashed)
        self._know_counters(resource, rows[0])
        return resource.entity(rows[0], trashed=trashed)

    def counters_of(self, resource: Resource[E], entity: E) -> Mapping[str, int]:
        """Return the counters on the row of an entity that :meth:`entity` returned."""
        return self._own_counters[resource.table.name, entity["id"]]

    def entities(self, resource: Resource[E], ids: Sequence[int]) -> dict[int, E]:
        """Return those of the user's entities that have one of ``ids``, by their ids; those in the
        trash have their ``deleted_at``."""
        rows = self.read(locked_reads.several(resource), {"ids": ids}) if ids else ()
        for row in rows:
            self.know_derived(resource, row)
            self._know_counters(resource, row)
        return {row.id: resource.entity(row, trashed=row.deleted_at is not None) for row in rows}

    def _know_counters(self, resource: Resource[E], row: Any) -> None:
        own = {name: getattr(row, name) for name in resource.counter_names}
        self._own_counters[resource.table.name, row.id] = own

    def know_derived(self, resource: Resource[E], row: Any) -> None:
        """Keep the computed columns of an entity that was read, so that nobody computes them."""
        known = {name: getattr(row, name) for name in resource.derived_names}
        self._derived[resource.table.name, row.id] = known

    def read(self, statement: Readable, values: Mapping[str, Any]) -> Sequence[Any]:
        """Return the rows of ``statement`` under the lock; it binds ``of_user`` and ``values``."""
        self.lock()
        return execute(self.connection, statement, {"of_user": self.user.id, **values})

    def _locked(self, row: Sequence[Any]) -> Counters:
        self._now = now()
        counters, self._begun, counted = parsed(row)
        if counted != counters.revision:
            counters = recount(self.connection, self.user.id, counters, counted, self._now)
            self._was_recounted = True
        self._counters_at_lock = counters
        self._ledger = Ledger(counters)
        self._log = self._begun.settled(counters.revision)
        self._begin_unit()
        return counters

    def _begin_unit(self) -> None:
        first = self.next_revision
        self._unit = LogUnit(self.user.id, first, new_nonce(), self._now, self._by)

    def _locked_ledger(self) -> Ledger:
        self.lock()
        assert self._ledger is not None  # noqa: S101 - there is one once the user is locked
        return self._ledger
