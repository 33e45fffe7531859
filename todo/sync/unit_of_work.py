"""The unit of work: one transaction, one user, one moment.

What changes is recorded by :meth:`UnitOfWork.put` under the user's lock and written once, at the
end (:mod:`todo.sync.writer`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar, cast

from sqlalchemy import Connection

from todo.auth.user import User
from todo.database import transactions
from todo.sync import idempotency, log_ends, writer
from todo.sync.idempotency import Repeatable
from todo.sync.ledger import Ledger
from todo.sync.locked_user import LockedUser
from todo.sync.log import SYSTEM, USER, entries_of_batch
from todo.sync.recorded import Change, Ids, Kept, Recorded
from todo.sync.resource import E, Resource

T = TypeVar("T")

BATCH: Final = 2000
"""Entities that one statement changes."""

Changed = dict[str, int]
"""How many entities ``changed``, and the user's ``revision`` after that."""


class UnitOfWork(LockedUser):
    """What one user changes in one transaction. Made by :mod:`todo.sync.runs`, maybe again."""

    def __init__(
        self,
        connection: Connection,
        user: User,
        *,
        by: str = USER,
        most_entries: int | None = None,
    ) -> None:
        super().__init__(connection, user, by)
        self._most_entries = most_entries
        self._changes: dict[int, Change] = {}
        self._kept: Kept | None = None

    def deleted(self) -> dict[str, Any]:
        """Return what an entity has in the trash that goes there in this unit."""
        return {"deleted_at": self.now, "deleted_unit": self.log_unit.first}

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
        """Return ``entity`` at the moment of the unit and at the next revision.

        An entity has one revision in a unit, however often the unit changes it.
        """
        self.lock()
        own = entity["id"] in self._changes
        revision = entity["revision"] if own else self.next_revision
        return cast("E", {**entity, "updated_at": self.now, "revision": revision})

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
            ledger.reach(new["revision"])
        entity: Any = new or old
        derived = self._derived.get((resource.table.name, entity["id"]))
        first = self._changes.get(entity["id"]) or Change(resource, old, new, derived)
        self._changes[entity["id"]] = replace(first, new=new)

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
        ledger.reach(revision + len(ids))
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

    def set_apart(self) -> None:
        """Write what was recorded so far as a unit of the server's own; the rest is another."""
        own = self.log_unit._replace(by=SYSTEM)
        writer.write_batch(self.connection, [*self._changes.values()], own)
        self._changes = {}
        self._begin_unit()

    def discard(self) -> None:
        """Forget all that was recorded: nothing of it will be written."""
        self._changes = {}
        self._ledger = Ledger(self._counters_at_lock)

    def write_batch(self) -> None:
        """Write the changes that were recorded so far, so that they take no more memory.

        The next statements may take what is left of the unit's time. Raises :class:`Problem`
        ``change_too_large`` when nothing is left.
        """
        transactions.go_on(self.connection)
        if self._changes:
            writer.write_batch(self.connection, [*self._changes.values()], self.log_unit)
            self._changes = {}

    def write(self) -> None:
        """Write all that was recorded; :func:`todo.sync.runs.run` calls this once, at the end."""
        if self._ledger and self._ledger.is_moved:
            idempotency.forget_purged(self.connection, self.user.id, self._changes.values())
            revision, most = self.counters.revision, self._most_entries
            log = log_ends.after(self.connection, self._log, self.log_unit, revision, most)
            user = writer.of_user(self.user, self.counters, self._begun, log, self.now)
            recorded = Recorded([*self._changes.values()], self._ledger.tallies, self._kept)
            writer.write(self.connection, recorded, self.log_unit, user)
        elif self._kept:
            writer.write(self.connection, Recorded(kept=self._kept), None, None)
