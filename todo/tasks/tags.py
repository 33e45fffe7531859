"""The tags of a user's tasks: list, rename, delete.

Tags live in their tasks. A tag is one however it is written, and is shown the way of the task that
changed last.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import and_, bindparam, case, func, select

from todo.database.functions import contains
from todo.database.transactions import read
from todo.models import tasks, users
from todo.problems import Problem
from todo.sync.pages import page_of, place_of
from todo.sync.unit_of_work import Changed, UnitOfWork
from todo.sync.user_row import NONCE, REVISION
from todo.tasks.resource import TASKS
from todo.values.text_keys import fold, key_of, keys_in

Tags = Sequence[tuple[str, str]]
"""A task's tags in their order: each folded, and as it is written."""

# The databases know nothing of folding, so they count the combinations of tags as they are
# written; a user without any tags has one row, of none.
_COMBINATIONS: Final = (
    select(
        REVISION,
        NONCE,
        tasks.c.tags,
        tasks.c.tags_key,
        func.count(tasks.c.id).label("total"),
        func.sum(case((tasks.c.completed, 1), else_=0)).label("completed"),
        func.max(tasks.c.revision).label("newest"),
    )
    .select_from(
        users.outerjoin(
            tasks, and_(tasks.c.user_id == users.c.id, *TASKS.live, tasks.c.tags_key != "")
        )
    )
    .where(users.c.id == bindparam("of_user"))
    .group_by(users.c.revision, users.c.nonce, tasks.c.tags, tasks.c.tags_key)
)

_HAS_TAG: Final = (*TASKS.live, contains(tasks.c.tags_key, bindparam("tag")))
_TAGGED: Final = select(tasks.c.id).where(*_HAS_TAG).order_by(tasks.c.id)
_TAGS: Final = (
    select(tasks.c.id, tasks.c.tags, tasks.c.tags_key)
    .where(*_HAS_TAG, tasks.c.id.between(bindparam("first_id"), bindparam("last_id")))
    .order_by(tasks.c.id)
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


def page(user_id: str, *, skip: int, limit: int) -> dict[str, Any]:
    """Return a ``TagPage`` of the tags of the user's live tasks."""
    rows = read(_COMBINATIONS, {"of_user": user_id}, scans=True)
    counts = counted(row._asdict() for row in rows if row.tags)
    return page_of(
        "tags",
        [count.as_json() for count in counts[skip : skip + limit]],
        total=len(counts),
        limit=limit,
        skip=skip,
        place=place_of(rows),
    )


def rename(unit: UnitOfWork, name: str, new_name: str) -> Changed:
    """Give every live task that has the tag ``name`` the tag ``new_name`` instead.

    Where a task has both they become one, at the place of ``name``. Returns how many tasks
    ``changed`` and the user's new ``revision``. Raises :class:`Problem` ``tag_not_found``.
    """
    old, new = fold(name), fold(new_name)

    def renamed(tags: Tags) -> Iterator[tuple[str, str]]:
        for key, tag in tags:
            if key == old:
                yield new, new_name
            elif key != new:
                yield key, tag

    return _change(unit, old, lambda tags: list(renamed(tags)))


def delete(unit: UnitOfWork, name: str) -> Changed:
    """Take the tag ``name`` off every live task; returns and raises like :func:`rename`."""
    old = fold(name)
    return _change(unit, old, lambda tags: [pair for pair in tags if pair[0] != old])


def _change(unit: UnitOfWork, key: str, edit: Callable[[Tags], Tags]) -> Changed:
    tag, before = {"tag": key_of([key])}, unit.counters.revision
    ids = [row.id for row in unit.read(_TAGGED, tag)]
    if not ids:
        raise Problem("tag_not_found", "No task has this tag.")
    for batch in unit.batches(ids):
        bounds = {"first_id": batch[0], "last_id": batch[-1]}
        _write(unit, list(_edited(unit.read(_TAGS, {**tag, **bounds}), edit)))
    return unit.changed(unit.counters.revision - before)


def _edited(
    rows: Iterable[Sequence[Any]], edit: Callable[[Tags], Tags]
) -> Iterator[tuple[int, Sequence[str], Tags]]:
    """Give the tasks whose tags ``edit`` changes, with the tags that they had and get."""
    for task_id, tags, tags_key in rows:
        pairs = list(zip(keys_in(tags_key), tags, strict=True))
        if (edited := edit(pairs)) != pairs:
            yield task_id, tags, edited


def _write(unit: UnitOfWork, changes: Sequence[tuple[int, Sequence[str], Tags]]) -> None:
    """Change the tags of a batch of tasks."""
    if changes:
        each: dict[str, Sequence[Any]] = {
            "tags": [[tag for _, tag in tags] for _, _, tags in changes],
            "tags_key": [key_of([key for key, _ in tags]) for _, _, tags in changes],
        }
        ids = [task_id for task_id, _, _ in changes]
        unit.change_batch(TASKS, ids, {}, each, was=[{"tags": tags} for _, tags, _ in changes])
