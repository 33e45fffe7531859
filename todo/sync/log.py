"""The log of changes: one entry for each revision, written with the change.

Nothing here writes or reads the log. This module says what an entry is, and what a user's row
knows of the log.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from todo.sync.resource import Entity, Resource

UNLOGGED: Final = frozenset({"revision", "updated_at"})
"""Members that every change changes; the entry itself has both."""
USER: Final = "user"
SYSTEM: Final = "system"
"""Who makes a change: the user, or a command of the server."""
_NONCE_BYTES: Final = 8

Fields = Mapping[str, Any]
"""Members of an entity, as the API shows them."""


class LogState(NamedTuple):
    """What a user's row says of the log. Each field is the column of ``users`` of its name."""

    nonce: str = ""
    """The random text of the last unit; empty before the first."""
    logged: int = 0
    """The last revision that has an entry."""
    log_floor: int = 0
    """The last revision whose entry is gone; 0 while there is none."""
    floor_nonce: str = ""
    """The random text of the unit that had the revision ``log_floor``."""

    def settled(self, revision: int) -> "LogState":
        """Return the state for a user at ``revision``.

        Where the log is behind, an earlier release made the last changes, without entries. So the
        log begins anew behind them.
        """
        if self.logged == revision:
            return self
        return LogState(self.nonce, revision, revision, self.nonce)

    def beginning_at(self, floor: int, nonce: str) -> "LogState":
        """Return the state of a log that begins behind ``floor``, or later as it does already."""
        if floor <= self.log_floor:
            return self
        return self._replace(log_floor=floor, floor_nonce=nonce)


class LogUnit(NamedTuple):
    """What the entries of one unit of work share."""

    user_id: str
    first: int
    """The first revision of the unit."""
    nonce: str
    at: str
    by: str


class Entry(NamedTuple):
    """What one entry says of its entity.

    A create has no ``before``, nor has the delete of an entity that the same unit has made.
    """

    revision: int
    kind: str
    id: int
    op: str
    before: Fields | None
    after: Fields


def new_nonce() -> str:
    """Return random text for a unit: nobody can guess it, and no other unit has it."""
    return secrets.token_hex(_NONCE_BYTES)


def entry_of(resource: Resource[Any], old: Entity | None, new: Entity) -> Entry:
    """Return the entry of a change of one entity; ``old`` is ``None`` for a new one."""
    before, after = _difference(resource, old, new)
    return _entry(resource, new["id"], new["revision"], before, after)


def entries_of_batch(
    resource: Resource[Any],
    ids: Sequence[int],
    revision: int,
    was: Sequence[Fields],
    same: Fields,
    each: Mapping[str, Sequence[Any]],
) -> list[Entry]:
    """Return the entries of a batch, the first of them at the one after ``revision``.

    ``was`` has the members that each entity had; each became what ``same`` says for all, or
    what ``each`` says for it.
    """
    entries = []
    for place, old in enumerate(was):
        new = {name: same[name] if name in same else each[name][place] for name in old}
        entries.append(_entry(resource, ids[place], revision + 1 + place, old, new))
    return entries


def _entry(
    resource: Resource[Any], entity_id: int, revision: int, before: Fields | None, after: Fields
) -> Entry:
    op = _operation(resource, before, after)
    return Entry(revision, resource.kind, entity_id, op, before, after)


def _difference(
    resource: Resource[Any], old: Entity | None, new: Entity
) -> tuple[Fields | None, Fields]:
    names = [name for name in resource.names if name not in UNLOGGED]
    if old is None:
        gone = {"deleted_at": new["deleted_at"]} if new.get("deleted_at") is not None else {}
        return None, {name: new[name] for name in names} | gone
    changed = [name for name in (*names, "deleted_at") if old.get(name) != new.get(name)]
    return {name: old.get(name) for name in changed}, {name: new.get(name) for name in changed}


def _operation(resource: Resource[Any], before: Fields | None, after: Fields) -> str:
    if "deleted_at" in after:
        return "restore" if after["deleted_at"] is None else "delete"
    if before is None:
        return "create"
    return resource.operation(after)
