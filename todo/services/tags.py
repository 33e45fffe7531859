"""The tags of a user's tasks: list, rename, delete.

Tags live in their tasks. A tag is one however it is written, and is shown the way of the task that
changed last.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import (
    BigInteger,
    Connection,
    Text,
    and_,
    bindparam,
    case,
    cast,
    column,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from todo.database.containing import contains
from todo.database.work import read
from todo.identity.owner import Owner
from todo.models import tasks, users
from todo.problems import Problem
from todo.services.clock import now
from todo.services.collation import fold, key_of, keys_in
from todo.services.ledger import LIVE, lock_owner, post_totals

_BATCH: Final = 2000
"""Tasks that one statement changes."""

Tags = Sequence[tuple[str, str]]
"""A task's tags in their order: each folded, and as it is written."""

# The databases know nothing of folding, so they count the combinations of tags as they are
# written; a user without any tags has one row, of none.
_COMBINATIONS: Final = (
    select(
        users.c.revision.label("last_revision"),
        tasks.c.tags,
        tasks.c.tags_key,
        func.count(tasks.c.id).label("total"),
        func.sum(case((tasks.c.completed, 1), else_=0)).label("completed"),
        func.max(tasks.c.revision).label("newest"),
    )
    .select_from(
        users.outerjoin(tasks, and_(tasks.c.user_id == users.c.id, *LIVE, tasks.c.tags_key != ""))
    )
    .where(users.c.id == bindparam("owner"))
    .group_by(users.c.revision, tasks.c.tags, tasks.c.tags_key)
)

_TAGGED: Final = (
    select(tasks.c.id, tasks.c.tags, tasks.c.tags_key)
    .where(*LIVE, contains(tasks.c.tags_key, bindparam("tag")))
    .order_by(tasks.c.id)
)

_ONE: Final = (
    update(tasks)
    .where(*LIVE, tasks.c.id == bindparam("task_id"))
    .values(
        tags=bindparam("new_tags"),
        tags_key=bindparam("new_tags_key"),
        revision=bindparam("new_revision"),
        updated_at=bindparam("moment"),
    )
)

_NEW: Final = (
    func.unnest(
        bindparam("ids", type_=ARRAY(BigInteger)),
        bindparam("new_revisions", type_=ARRAY(BigInteger)),
        bindparam("new_tags", type_=ARRAY(Text)),
        bindparam("new_tags_keys", type_=ARRAY(Text)),
    )
    .table_valued(
        column("id", BigInteger), column("revision", BigInteger), column("tags"), column("tags_key")
    )
    .render_derived(name="new")
)
_MANY: Final = (
    update(tasks)
    .where(*LIVE, tasks.c.id == _NEW.c.id)
    .values(
        tags=cast(_NEW.c.tags, tasks.c.tags.type),
        tags_key=_NEW.c.tags_key,
        revision=_NEW.c.revision,
        updated_at=bindparam("moment"),
    )
)


@dataclass
class TagCount:
    """A tag, and how many tasks have it."""

    name: str
    newest: int
    total: int = 0
    completed: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return it as the API shows it."""
        open_tasks = self.total - self.completed
        return {
            "name": self.name,
            "total": self.total,
            "open": open_tasks,
            "completed": self.completed,
        }


def counted(rows: Iterable[Mapping[str, Any]]) -> list[TagCount]:
    """Return every tag of ``rows``, in the order of the folded names.

    A row stands for ``total`` tasks with the same ``tags`` and ``tags_key``, ``completed`` of them
    completed, the ``newest`` revision among them.
    """
    counts: dict[str, TagCount] = {}
    for row in rows:
        for key, tag in zip(keys_in(row["tags_key"]), row["tags"], strict=True):
            count = counts.setdefault(key, TagCount(tag, row["newest"]))
            count.total += row["total"]
            count.completed += row["completed"]
            if row["newest"] > count.newest:
                count.name, count.newest = tag, row["newest"]
    return [count for _, count in sorted(counts.items(), key=lambda item: item[0])]


def page(owner: str, *, skip: int, limit: int) -> dict[str, Any]:
    """Return a ``TagPage`` of the tags of ``owner``'s live tasks."""
    rows = read(_COMBINATIONS, {"owner": owner}, scans=True)
    counts = counted(row._asdict() for row in rows if row.tags)
    return {
        "tags": [count.as_json() for count in counts[skip : skip + limit]],
        "total": len(counts),
        "limit": limit,
        "skip": skip,
        "revision": rows[0].last_revision if rows else 0,
    }


def rename(tx: Connection, owner: Owner, name: str, new_name: str) -> dict[str, int]:
    """Give every live task of ``owner`` that has the tag ``name`` the tag ``new_name`` instead.

    Where a task has both they become one, at the place of ``name``. Returns how many tasks
    ``changed`` and the owner's new ``revision``. Raises :class:`Problem` ``tag_not_found``.
    """
    old, new = fold(name), fold(new_name)

    def renamed(tags: Tags) -> Iterator[tuple[str, str]]:
        for key, tag in tags:
            if key == old:
                yield new, new_name
            elif key != new:
                yield key, tag

    return _change(tx, owner, old, lambda tags: list(renamed(tags)))


def delete(tx: Connection, owner: Owner, name: str) -> dict[str, int]:
    """Take the tag ``name`` off every live task of ``owner``; returns and raises like `rename`."""
    old = fold(name)
    return _change(tx, owner, old, lambda tags: [pair for pair in tags if pair[0] != old])


def _change(tx: Connection, owner: Owner, key: str, edit: Callable[[Tags], Tags]) -> dict[str, int]:
    ledger = lock_owner(tx, owner)
    tagged = tx.execute(_TAGGED, {"owner": owner.id, "tag": key_of([key])}).all()
    if not tagged:
        raise Problem("tag_not_found", "No task has this tag.")
    changes = []
    for task_id, tags, tags_key in tagged:
        pairs = list(zip(keys_in(tags_key), tags, strict=True))
        if (edited := edit(pairs)) != pairs:
            changes.append((task_id, edited))
    first = ledger.revision + 1
    ledger = ledger.changed(len(changes))
    if changes:
        moment = now()
        post_totals(tx, ledger, moment)
        for start in range(0, len(changes), _BATCH):
            _write(tx, owner, moment, first + start, changes[start : start + _BATCH])
    return {"changed": len(changes), "revision": ledger.revision}


def _write(
    tx: Connection, owner: Owner, moment: str, revision: int, changes: Sequence[tuple[int, Tags]]
) -> None:
    """Change the tags of these tasks; the first one takes ``revision``, the others the next."""
    rows = [
        {
            "task_id": task_id,
            "new_revision": number,
            "new_tags": [tag for _, tag in tags],
            "new_tags_key": key_of([key for key, _ in tags]),
        }
        for number, (task_id, tags) in enumerate(changes, revision)
    ]
    same = {"owner": owner.id, "moment": moment}
    if tx.dialect.name != "postgresql":
        tx.execute(_ONE, [{**same, **row} for row in rows])
        return
    arrays = {
        "ids": [row["task_id"] for row in rows],
        "new_revisions": [row["new_revision"] for row in rows],
        "new_tags": [orjson.dumps(row["new_tags"]).decode() for row in rows],
        "new_tags_keys": [row["new_tags_key"] for row in rows],
    }
    tx.execute(_MANY, {**same, **arrays})
