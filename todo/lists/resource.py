"""Lists, as the log, undo and the trash know them."""

from typing import Final

from todo.lists.list import COUNTED, TaskList, counted, list_not_found
from todo.models import lists
from todo.sync.resource import Resource
from todo.sync.sorts import Key, Sort, is_number

LISTS: Final[Resource[TaskList]] = Resource(
    kind="list",
    plural="lists",
    table=lists,
    shape=TaskList,
    not_found=list_not_found,
    sorts={"updated": Sort("updated", (Key(lists.c.revision, is_number),), "desc")},
    counted=counted,
    trashed_counts=COUNTED,
)
