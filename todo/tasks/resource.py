"""Tasks, the first resource: lists, the trash and every change know tasks by what is said here."""

from typing import Final

from todo.models import tasks
from todo.sync.resource import Beside, Resource
from todo.tasks.filters import CLAUSES
from todo.tasks.sorts import SORTS
from todo.tasks.task import (
    TRASHED,
    Task,
    counted,
    keys_of,
    operation,
    subtasks,
    tallied,
    task_not_found,
)
from todo.tasks.totals import total
from todo.values import positions

TASKS: Final[Resource[Task]] = Resource(
    kind="task",
    plural="tasks",
    table=tasks,
    shape=Task,
    not_found=task_not_found,
    sorts=SORTS,
    clauses=CLAUSES,
    indexed=frozenset({"completed"}),
    total=total,
    beside=Beside("subtasks", ("children", "children_done"), subtasks),
    of_absent={"position": lambda task: positions.last(task["id"])},
    counted=counted,
    counter_names=("children", "children_done"),
    tallied=tallied,
    trashed_counts=TRASHED,
    operation=operation,
    derived_names=("title_key", "search_key", "tags_key"),
    derived_from=frozenset({"title", "description", "tags"}),
    derived=keys_of,
)
