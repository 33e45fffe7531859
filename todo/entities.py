"""The resources of all kinds that the log names."""

from typing import Final

from todo.sync.changes import Resources
from todo.tasks.resource import TASKS

ENTITIES: Final[Resources] = (TASKS,)
