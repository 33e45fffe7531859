"""The counters of a user's row: the last revision that was given, and the tasks in each state."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Self

from todo.models import users

COLUMNS: Final = (
    users.c.revision.label("last_revision"),
    users.c.open_tasks,
    users.c.done_tasks,
    users.c.trashed_tasks,
)
"""The columns of a user's row that :class:`Counters` has, in its order."""


@dataclass(frozen=True)
class Counters:
    """The counters of a user whose row is locked, or what they become."""

    revision: int = 0
    open_tasks: int = 0
    done_tasks: int = 0
    trashed_tasks: int = 0

    @property
    def all_tasks(self) -> int:
        """Every task that takes room, those in the trash included."""
        return self.open_tasks + self.done_tasks + self.trashed_tasks

    def moved(
        self, before: Mapping[str, int], after: Mapping[str, int], *, entities: int = 1
    ) -> Self:
        """Return the counters when so many ``entities`` count as ``after`` instead of ``before``.

        Both name counters, and what one entity adds to each.
        """
        moved = {
            name: getattr(self, name) + (after.get(name, 0) - before.get(name, 0)) * entities
            for name in before.keys() | after.keys()
        }
        return replace(self, **moved)

    def at(self, revision: int) -> Self:
        """Return the counters with ``revision`` as the last one that was given."""
        return replace(self, revision=revision)
