"""The resources of all kinds that the log names."""

from collections.abc import Mapping
from typing import Final

from todo.lists.resource import LISTS
from todo.sync.changes import Resources
from todo.sync.undo import Rule
from todo.tasks.resource import TASKS
from todo.tasks.undone import take_back

ENTITIES: Final[Resources] = (TASKS, LISTS)
UNDO_RULES: Final[Mapping[str, Rule]] = {TASKS.kind: take_back}
"""How an undo takes back entities of kinds that have relations."""
