"""The log as its user reads it: pages of entries, the last first."""

from collections.abc import Mapping
from typing import Any, Final, TypedDict

from sqlalchemy import bindparam, select

from todo.models import changes, users
from todo.sync.changes import FLOOR
from todo.sync.conditions import Condition
from todo.sync.pages import Listing, PageQuery, Window, read_page
from todo.sync.resource import Rows
from todo.sync.sorts import Key, Sort, is_number


class LogEntry(TypedDict):
    """An entry as the API shows it, in the contract's order."""

    revision: int
    unit: int
    kind: str
    id: int
    op: str
    at: str
    by: str
    via: str | None
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


# What an earlier release left below the floor is no part of the log.
_FLOOR: Final = select(FLOOR).where(users.c.id == bindparam("of_user")).scalar_subquery()
LOG: Final[Rows[LogEntry]] = Rows(
    plural="changes",
    table=changes,
    shape=LogEntry,
    sorts={"revision": Sort("revision", (Key(changes.c.revision, is_number),), "desc")},
    clauses={
        "logged": lambda _: changes.c.revision > _FLOOR,
        "kind": lambda name: changes.c.kind == bindparam(name),
        "id": lambda name: changes.c.id == bindparam(name),
    },
)


def page(
    user_id: str, *, kind: str | None, entity_id: int | None, limit: int, cursor: str | None
) -> dict[str, Any]:
    """Return a ``History``: entries of the user's log, or of one entity of it.

    Raises :class:`Problem` ``validation_failed`` for the cursor of another list.
    """
    filters = {"kind": kind, "id": entity_id} if entity_id is not None else {}
    by_revision = LOG.sorts["revision"]
    listing = Listing(LOG, user_id, by_revision, by_revision.natural, filters or None)
    window = Window.of(listing, skip=0, limit=limit, cursor=cursor)
    conditions = [Condition("logged"), *(Condition(name, one) for name, one in filters.items())]
    found = read_page(PageQuery(listing, window, conditions, total=False))
    return {name: found[name] for name in ("changes", "next_cursor", "revision")}
