"""Demonstration data: tasks like those of a busy person, to look at and to measure with.

They are the same for the same number, but for the moment around which they lie. Some are subtasks
of one that was created shortly before; some are in lists, if there are any; some repeat.
"""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from todo.auth.user import User
from todo.sync.log import SYSTEM
from todo.sync.runs import run
from todo.sync.unit_of_work import UnitOfWork
from todo.tasks.service import add_many, check_quota
from todo.tasks.task import Fields
from todo.values.dates import format_instant

BATCH: Final = 1000
"""Tasks of one unit of work."""
DAYS: Final = 60
"""How far back they were created, and how far around now they are due."""

COMPLETED: Final = 0.4
"""The share of them that is completed."""

SUBTASKS: Final = 0.3
"""The share of them that are subtasks."""
REPEATING: Final = 0.1
"""The share of the open ones with a due date that repeat."""
NEAR: Final = 3
"""A subtask has one of so many tasks on top before it as its parent."""

_VERBS: Final = ("Buy", "Call", "Write", "Read", "Plan", "Mend", "Book", "Pay", "Send", "Review")
_THINGS: Final = ("milk", "the dentist", "a report", "the contract", "a holiday", "the bicycle",
                  "a table for two", "the rent", "invitations", "the café's menu")  # fmt: skip
_NOTES: Final = (None, None, "", "Before noon.", "Ask Zoë first; she knows the details.")
_RULES: Final = ("FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "FREQ=WEEKLY;INTERVAL=2",
                 "FREQ=MONTHLY", "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=YEARLY")  # fmt: skip
_TAGS: Final = ("home", "work", "errands", "someday", "family", "waiting for", "5 minutes")


def _no_lists(_unit: UnitOfWork) -> Sequence[int]:
    return ()


def fill(
    user: User,
    number: int,
    *,
    quota: int,
    most_entries: int,
    lists: Callable[[UnitOfWork], Sequence[int]] = _no_lists,
) -> None:
    """Add ``number`` tasks to ``user``'s, :data:`BATCH` at a time; the log keeps
    ``most_entries``.

    ``lists`` returns the ids of the lists that tasks are put into. It is called once in each unit,
    which makes them where they are missing. Raises :class:`Problem`: ``quota_exceeded``, before any
    task is added, when they do not all fit, and what :func:`todo.sync.runs.run` raises.
    """
    chance = random.Random(number)  # noqa: S311 - no secret
    places = random.Random(-number - 1)  # noqa: S311 - no secret
    moment = datetime.now(UTC)
    for start in range(0, number, BATCH):
        rest = range(start, number)
        made = [_fields(chance, moment, place, number) for place in rest[:BATCH]]

        seed = places.random()
        add = partial(_add, made=made, more=len(rest), quota=quota, lists=lists, seed=seed)
        run(user, add, by=SYSTEM, most_entries=most_entries)


def _add(
    unit: UnitOfWork,
    made: Sequence[Fields],
    more: int,
    quota: int,
    lists: Callable[[UnitOfWork], Sequence[int]],
    seed: float,
) -> None:
    check_quota(unit, more, quota)
    add_many(unit, _placed(made, lists(unit), unit, random.Random(seed)))  # noqa: S311 - no secret


def _placed(
    made: Sequence[Fields], lists: Sequence[int], unit: UnitOfWork, chance: random.Random
) -> list[Fields]:
    """The tasks with their places: ids are revisions, so each one's is known before."""
    first, found = unit.next_revision, list[Fields]()
    near: list[tuple[int, int | None]] = []
    for number, fields in enumerate(made):
        if near and chance.random() < SUBTASKS:
            parent_id, list_id = chance.choice(near)
            found.append({**fields, "list_id": list_id, "parent_id": parent_id})
            continue
        list_id = chance.choice((None, *lists))
        found.append({**fields, "list_id": list_id})
        near = [*near, (first + number, list_id)][-NEAR:]
    return found


def _fields(chance: random.Random, now: datetime, place: int, number: int) -> Fields:
    """A task that was created after those before it, and perhaps completed since."""
    created = now - timedelta(days=DAYS) * (1 - place / number)
    completed = created + (now - created) * chance.random() if chance.random() < COMPLETED else None
    due = now + timedelta(days=chance.randint(-DAYS, DAYS), minutes=chance.randint(0, 1440))
    due_date = chance.choice((None, due.date().isoformat(), format_instant(due.replace(second=0))))
    repeats = due_date is not None and completed is None and chance.random() < REPEATING
    return {
        "title": f"{chance.choice(_VERBS)} {chance.choice(_THINGS)}",
        "description": chance.choice(_NOTES),
        "completed": completed is not None,
        "completed_at": completed and format_instant(completed),
        "priority": chance.choices(("low", "medium", "high"), (2, 5, 1))[0],
        "due_date": due_date,
        "recurrence": {"rule": chance.choice(_RULES)} if repeats else None,
        "tags": chance.sample(_TAGS, chance.choice((0, 0, 1, 1, 2, 3))),
        "created_at": format_instant(created),
        "updated_at": format_instant(completed or created),
    }
