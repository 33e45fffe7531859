"""Tasks, the first resource: lists, pages and the trash know tasks by what is said here."""

from typing import Final

from todo.models import tasks
from todo.sync.ledger import TASK_COLUMNS, Task, task_not_found
from todo.sync.resource import Resource
from todo.tasks.filters import CLAUSES
from todo.tasks.sorts import SORTS

TASKS: Final[Resource[Task]] = Resource(
    plural="tasks",
    table=tasks,
    names=tuple(column.name for column in TASK_COLUMNS),
    not_found=lambda trashed: task_not_found(trashed=trashed),
    sorts=SORTS,
    clauses=CLAUSES,
)
