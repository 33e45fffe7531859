"""The unit of work: one transaction, one user, one moment.

Nothing that was read before the user's row is locked decides anything: with a clever single
statement 16 threads toggling one task left totals of 37 and -36. The lock is taken once, by the
first that needs it. What changes is recorded by :meth:`UnitOfWork.put` and written once, at the end
(:mod:`todo.sync.writer`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar, cast

from sqlalchemy import Connection, Select

from todo.auth.user import User
from todo.database import transactions
from todo.database.prepared import execute
from todo.sync import idempotency, locked_reads, log_ends, writer
from todo.sync.counters import Counters
from todo.sync.etags import etag_of
from todo.sync.idempotency import Repeatable
from todo.sync.ledger import Ledger
from todo.sync.log import USER, LogState, LogUnit, entries_of_batch, new_nonce
from todo.sync.preconditions import Precondition, stale
from todo.sync.recorded import Change, Ids, Kept, Recorded
from todo.sync.resource import E, Resource
from todo.sync.user_row import LABELS, parsed
from todo.values.clock import now

T = TypeVar("T")

BATCH: Final = 2000
"""Entities that one statement changes."""

Changed = dict[str, int]
"""How many entities ``changed``, and the user's ``revision`` after that."""


class UnitOfWork:
    """What one user changes in one transaction. Made by :mod:`todo.sync.runs`, maybe again."""

    def __init__(
        self,
        connection: Connection,
        user: User,
        *,
        by: str = USER,
        most_entries: int | None = None,
    ) -> None:
        self.connection = connection
        self.user = user
        self._by = by
        self._most_entries = most_entries
        self._ledger: Ledger | None = None
        self._begun = self._log = LogState()
        self._unit: LogUnit | None = None
        self._now = ""
        self._changes: list[Change] = []
        self._kept: Kept | None = None
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

    def deleted(self) -> dict[str, Any]:
        """Return what an entity has in the trash that goes there in this unit."""
        return {"deleted_at": self.now, "deleted_unit": self.log_unit.first}

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
        return resource.entity(rows[0], trashed=trashed)

    def entities(self, resource: Resource[E], ids: Sequence[int]) -> dict[int, E]:
        """Return those of the user's live entities that have one of ``ids``, by their ids."""
        found = self.all_entities(resource, ids)
        return {key: entity for key, entity in found.items() if "deleted_at" not in entity}

    def all_entities(self, resource: Resource[E], ids: Sequence[int]) -> dict[int, E]:
        """Return those of the user's entities that have one of ``ids``, by their ids; those in the
        trash have their ``deleted_at``."""
        rows = self.read(locked_reads.several(resource), {"ids": ids}) if ids else ()
        for row in rows:
            known = {name: getattr(row, name) for name in resource.derived_names}
            self._derived[resource.table.name, row.id] = known
        return {row.id: resource.entity(row, trashed=row.deleted_at is not None) for row in rows}

    def read(self, statement: Select[Any], values: Mapping[str, Any]) -> Sequence[Any]:
        """Return the rows of ``statement`` under the lock; it binds ``of_user`` and ``values``."""
        self.lock()
        return execute(self.connection, statement, {"of_user": self.user.id, **values})

    def new(self, resource: Resource[E], members: Mapping[str, Any]) -> E:
        """Return a new entity that has ``members``: made now, its id is its first revision.

        ``members`` are all that the API shows, but for those; they may say other times.
        """
        revision, moment = self.next_revision, self.now
        times = {"created_at": moment, "updated_at": moment}
        own = {"id": revision, "user_id": self.user.id, "revision": revision}
        known = {**times, **members, **own}
        return cast("E", {name: known[name] for name in resource.names})

    def renewed(self, entity: E) -> E:
        """Return ``entity`` at the moment of the unit and at the next revision."""
        return cast("E", {**entity, "updated_at": self.now, "revision": self.next_revision})

    def put(self, resource: Resource[E], old: E | None, new: E | None) -> None:
        """Record that ``old`` becomes ``new``: ``None`` is what is not there yet, or any more.

        A ``new`` entity is at :attr:`next_revision`. What is deleted for good takes no revision.
        The very entity that was there (``new is old``) is no change. Nothing is written before the
        end: who reads the entity again in this unit reads ``old``.
        """
        if new is old:
            return
        ledger = self._locked_ledger()
        ledger.count(resource, old, new)
        if new is not None:
            ledger.advance(new["revision"] - ledger.counters.revision)
        derived = None
        if old is not None:  # of the entity as it was read, not as an earlier `put` left it
            derived = self._derived.pop((resource.table.name, old["id"]), None)
        self._changes.append(Change(resource, old, new, derived))

    def batches(self, rows: Sequence[T]) -> Iterator[Sequence[T]]:
        """Give ``rows`` in batches, each of which may take what is left of the unit's time.

        Raises :class:`Problem` ``change_too_large`` when nothing is left.
        """
        for start in range(0, len(rows), BATCH):
            transactions.go_on(self.connection)
            yield rows[start : start + BATCH]

    def change_batch(
        self,
        resource: Resource[Any],
        ids: Ids,
        same: Mapping[str, Any],
        each: Mapping[str, Sequence[Any]] | None = None,
        *,
        was: Sequence[Mapping[str, Any]],
        counted: Iterable[tuple[Any, Any]] = (),
    ) -> None:
        """Change the entities of a batch now, each at a revision of its own, in their order.

        ``same`` has the columns that get one value in all of them, ``each`` those that get a value
        in each. ``was`` has the members that each had instead, for the log. ``counted`` has, of
        each that counts otherwise now, old and new: what the resource's counters look at.
        """
        each, revision = each or {}, self.counters.revision
        entries = entries_of_batch(resource, ids, revision, was, same, each)
        writer.change_batch(
            self.connection,
            resource,
            self.user.id,
            ids,
            revision,
            {"updated_at": self.now, **same},
            each,
            self.log_unit,
            entries,
        )
        ledger = self._locked_ledger()
        ledger.advance(len(ids))
        for old, new in counted:
            ledger.count(resource, old, new)

    def delete_batch(self, resource: Resource[Any], ids: Ids, before: Mapping[str, int]) -> None:
        """Delete the entities of a batch for good, now; each counted as ``before``."""
        idempotency.forget_entities(self.connection, self.user.id, ids, resource.not_found(False))
        writer.delete_batch(self.connection, resource, self.user.id, ids)
        self._locked_ledger().move(before, entities=len(ids))

    def begin_log(self, floor: int, nonce: str) -> int:
        """Let the log begin behind the revision ``floor``, whose unit has the ``nonce``, at least;
        return how many entries are gone."""
        self._log = self._log.beginning_at(floor, nonce)
        self._locked_ledger().is_moved = True
        return writer.forget_entries(self.connection, self.user.id, floor, BATCH)

    def changed(self, number: int) -> Changed:
        """Return the response to a change of so many entities."""
        return {"changed": number, "revision": self.counters.revision}

    def keep(self, repeatable: Repeatable, response: Any) -> None:
        """Record the ``response`` for whoever repeats the request under its key."""
        shows = idempotency.shown_in(response)
        self._kept = Kept(self.user.id, repeatable.key, repeatable.fingerprint, response, shows)

    def write_batch(self) -> None:
        """Write the changes that were recorded so far, so that they take no more memory.

        The next statements may take what is left of the unit's time. Raises :class:`Problem`
        ``change_too_large`` when nothing is left.
        """
        transactions.go_on(self.connection)
        if self._changes:
            writer.write_batch(self.connection, self._changes, self.log_unit)
            self._changes = []

    def write(self) -> None:
        """Write all that was recorded; :func:`todo.sync.runs.run` calls this once, at the end."""
        if self._ledger and self._ledger.is_moved:
            self._forget_purged()
            revision, most = self.counters.revision, self._most_entries
            log = log_ends.after(self.connection, self._log, self.log_unit, revision, most)
            user = writer.of_user(self.user, self.counters, self._begun, log, self.now)
            recorded = Recorded(self._changes, self._ledger.tallies, self._kept)
            writer.write(self.connection, recorded, self.log_unit, user)
        elif self._kept:
            writer.write(self.connection, Recorded(kept=self._kept), None, None)

    def _forget_purged(self) -> None:
        for change in self._changes:
            if change.new is None and change.old is not None:
                gone, problem = [change.old["id"]], change.resource.not_found(False)
                idempotency.forget_entities(self.connection, self.user.id, gone, problem)

    def _locked(self, row: Sequence[Any]) -> Counters:
        self._now = now()
        counters, self._begun = parsed(row)
        self._ledger = Ledger(counters)
        self._log = self._begun.settled(counters.revision)
        first = counters.revision + 1
        self._unit = LogUnit(self.user.id, first, new_nonce(), self._now, self._by)
        return counters

    def _locked_ledger(self) -> Ledger:
        self.lock()
        assert self._ledger is not None  # noqa: S101 - there is one once the user is locked
        return self._ledger
