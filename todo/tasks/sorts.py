"""The sorts of a list of tasks."""

from collections.abc import Mapping
from typing import Final

from todo.column_types import PRIORITIES
from todo.models import tasks
from todo.sync.sorts import Key, Sort, is_number, text_key
from todo.values.dates import date_or_instant
from todo.values.positions import is_position
from todo.values.text_keys import TITLE_KEY_LENGTH


def _is_due_date(value: object) -> bool:
    try:
        return isinstance(value, str) and date_or_instant(value) == value
    except ValueError:
        return False


_ID: Final = Key(tasks.c.id, is_number)
_TITLE: Final = text_key(tasks.c.title_key, TITLE_KEY_LENGTH)
_DUE_DATE: Final = Key(tasks.c.due_date, _is_due_date)
_POSITION: Final = Key(tasks.c.position, is_position)
_PRIORITY: Final = Key(tasks.c.priority, lambda value: value in PRIORITIES)

CREATED: Final = Sort("created", (_ID,), "desc")
UPDATED: Final = Sort("updated", (Key(tasks.c.revision, is_number),), "desc")
SORTS: Final[Mapping[str, Sort]] = {
    "created": CREATED,
    "created_at": CREATED,
    "updated": UPDATED,
    "updated_at": UPDATED,
    "title": Sort("title", (_TITLE, _ID), "asc"),
    "due_date": Sort("due_date", (_DUE_DATE, _ID), "asc", nullable=True),
    "priority": Sort("priority", (_PRIORITY, _ID), "desc"),
    # Null in what a process of an earlier release has made: after all others, in their order.
    "position": Sort(
        "position", (_POSITION, _ID), "asc", nullable=True, led_by={"inbox": tasks.c.list_id}
    ),
}
"""Every accepted value of ``sort``, and what it means."""
