"""Undo: a whole unit of the log is taken back, in a unit of its own.

All of it is taken back or nothing. First every entity of the unit is looked at, a batch at a time;
then every entity gets its old values. What is undone is in the log like any other change.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, NoReturn, TypedDict

from sqlalchemy import Row, bindparam, func, select

from todo.database.functions import is_any_of
from todo.models import changes
from todo.problems import Problem, Violation
from todo.sync import trash
from todo.sync.changes import Resources
from todo.sync.preconditions import stale
from todo.sync.resource import Entity, Resource
from todo.sync.unit_of_work import BATCH, UnitOfWork
from todo.values.revisions import MAX_REVISION

_OF_USER: Final = changes.c.user_id == bindparam("of_user")
_UNIT: Final = (
    select(changes.c.unit)
    .where(_OF_USER, changes.c.revision == bindparam("of_revision"))
    .correlate(None)
    .scalar_subquery()
)
# The entries of a unit are side by side, so this looks at none behind the first of the next unit.
_NEXT: Final = (
    select(changes.c.revision)
    .where(_OF_USER, changes.c.revision > bindparam("of_revision"), changes.c.unit != _UNIT)
    .order_by(changes.c.revision)
    .limit(1)
    .correlate(None)
    .scalar_subquery()
)
_ENTRIES: Final = (
    select(
        changes.c.unit,
        changes.c.revision,
        changes.c.kind,
        changes.c.id,
        changes.c.op,
        changes.c.before,
        changes.c.after,
    )
    .where(
        _OF_USER,
        changes.c.revision >= _UNIT,
        changes.c.revision > bindparam("last"),
        changes.c.revision < func.coalesce(_NEXT, MAX_REVISION),
    )
    .order_by(changes.c.revision)
    .limit(BATCH)
)
_LATER: Final = select(changes.c.id).where(
    _OF_USER,
    changes.c.kind == bindparam("of_kind"),
    is_any_of(changes.c.id, "ids"),
    changes.c.revision > bindparam("last"),
)


class Undone(TypedDict):
    """The unit of the undo, the user's revision after it, and how many entities changed."""

    unit: int
    revision: int
    changed: int


class Returning(NamedTuple):
    """What an undo brings back from the trash, and sends there: ids of any kind."""

    back: set[int]
    away: set[int]
    pending: set[int]
    """What is still to be taken back."""
    waiting: list["TakenBack"]
    """What a rule leaves until more of the rest is taken back."""


class TakenBack(NamedTuple):
    """An entity as it is now, and the members that it had before; ``None`` if it was not there."""

    entity: Any
    before: Mapping[str, Any] | None


Rule = Callable[[UnitOfWork, Sequence[TakenBack], Returning], None]
"""Records that entities of one kind are taken back, as they can be by now."""


class _Pair(NamedTuple):
    """An entry, and its entity as it is now, in the trash too; ``None`` when it is gone."""

    entry: Row[Any]
    resource: Resource[Any]
    entity: Mapping[str, Any] | None

    @property
    def is_changed_since(self) -> bool:
        return self.entity is not None and self.entity["revision"] != self.entry.revision

    @property
    def taken_back(self) -> TakenBack:
        return TakenBack(self.entity, self.entry.before)


def undo(
    unit: UnitOfWork, revision: int, resources: Resources, rules: Mapping[str, Rule] | None = None
) -> Undone:
    """Take back the unit that ``revision`` belongs to; kinds may have ``rules`` of their own.

    Raises :class:`Problem`: ``precondition_failed`` when an entity of it has changed since, with
    the first as ``current``, and ``not_undoable`` when it cannot be taken back.
    """
    _check_revision(unit, revision)
    whole = _Whole(unit, revision, {resource.kind: resource for resource in resources})
    returning = _check(unit, whole)
    first = unit.next_revision
    for pairs in whole.batches():
        returning.pending.difference_update(pair.entry.id for pair in pairs)
        for resource in resources:
            taken = [pair.taken_back for pair in pairs if pair.resource is resource]
            rule = (rules or {}).get(resource.kind)
            if rule is not None:
                rule(unit, taken, returning)
            else:
                put_old(unit, resource, taken)
        if len(pairs) == BATCH:
            unit.write_batch()
    last = unit.counters.revision
    return {"unit": first, "revision": last, "changed": last - first + 1}


def put_old(unit: UnitOfWork, resource: Resource[Any], taken: Sequence[TakenBack]) -> None:
    """Record that entities are as they were; what was not there goes to the trash."""
    for entity, before in taken:
        unit.put(resource, entity, old_of(unit, resource, entity, before))


def old_of(
    unit: UnitOfWork, resource: Resource[Any], entity: Entity, before: Mapping[str, Any] | None
) -> Mapping[str, Any]:
    """Return ``entity`` with the members that it had ``before``, at the next revision."""
    if before is None:
        return trash.in_trash(unit, entity)
    old = {**unit.renewed(entity), **before}
    if old.get("deleted_at") is not None:
        return {**old, **unit.deleted()}  # so that it stays as long as any other
    live: Mapping[str, Any] = resource.shown(old)
    return live


class _Whole:
    """All entries of the unit that is taken back, each with its entity."""

    def __init__(self, unit: UnitOfWork, revision: int, kinds: Mapping[str, Resource[Any]]) -> None:
        self._unit = unit
        self._revision = revision
        self._kinds = kinds
        self.first = self._batch(unit.log_floor)

    def batches(self) -> Iterator[list[_Pair]]:
        """Give them in batches, again each time; only the first batch stays in memory."""
        pairs = self.first
        while pairs:
            yield pairs
            pairs = self._batch(pairs[-1].entry.revision) if len(pairs) == BATCH else []

    def _batch(self, last: int) -> list[_Pair]:
        """The pairs behind the revision ``last``."""
        unit, kinds = self._unit, self._kinds
        entries = unit.read(_ENTRIES, {"of_revision": self._revision, "last": last})
        found = {
            kind: unit.entities(resource, [e.id for e in entries if e.kind == kind])
            for kind, resource in kinds.items()
        }
        return [_Pair(e, kinds[e.kind], found[e.kind].get(e.id)) for e in entries]


def _check_revision(unit: UnitOfWork, revision: int) -> None:
    if revision <= unit.log_floor or revision > unit.counters.revision:
        refuse("expired", f"the log has no entry of revision {revision}")


def _check(unit: UnitOfWork, whole: _Whole) -> Returning:
    """Raise the problem of a unit that cannot be taken back; what has changed since goes first.

    Return what comes back, and what goes to the trash.
    """
    purged, returning = False, Returning(set(), set(), set(), [])
    for pairs in whole.batches():
        later = _changed_before_they_went(unit, pairs)
        for pair in pairs:
            if pair.is_changed_since or (pair.entity is None and pair.entry.revision in later):
                raise _changed_since(pair.resource, pair.entity)
            purged = purged or pair.entity is None
            if pair.entry.before is None or pair.entry.op == "restore":
                returning.away.add(pair.entry.id)
            elif pair.entry.op == "delete":
                returning.back.add(pair.entry.id)
            returning.pending.add(pair.entry.id)
    if not whole.first or whole.first[0].entry.unit != whole.first[0].entry.revision:
        refuse("expired", "the log has not the whole change any more")
    if purged:
        refuse("purged", "some of it was deleted for good")
    return returning


def _changed_before_they_went(unit: UnitOfWork, pairs: Sequence[_Pair]) -> set[int]:
    """The revisions of a batch whose entity changed again, and was then deleted for good."""
    gone = [pair for pair in pairs if pair.entity is None]
    last = pairs[-1].entry.revision
    later: set[int] = set()
    for kind in {pair.resource.kind for pair in gone}:
        revisions = {p.entry.id: p.entry.revision for p in gone if p.resource.kind == kind}
        rows = unit.read(_LATER, {"of_kind": kind, "ids": [*revisions], "last": last})
        later.update(revisions[row.id] for row in rows)
    return later


def _changed_since(resource: Resource[Any], entity: Mapping[str, Any] | None) -> Problem:
    if entity is None or "deleted_at" in entity:
        detail = "Something of this change was deleted since, so the change cannot be undone."
        return Problem("precondition_failed", detail)
    detail = "It has changed since; 'current' has what is stored now."
    return stale(resource.shown(entity), detail)


def refuse(reason: str, why: str) -> NoReturn:
    """Raise :class:`Problem` ``not_undoable``, with the code of the ``reason``."""
    raise Problem(
        "not_undoable",
        f"The change cannot be undone: {why}.",
        errors=[Violation(reason, why, pointer="/revision")],
    )
