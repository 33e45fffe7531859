"""The counters of a user's row: the last revision that was given, the tasks in each state, those of
them that have no parent, and the lists."""

from collections.abc import Mapping
from typing import NamedTuple


class Counters(NamedTuple):
    """The counters of a user whose row is locked, or what they become.

    Each field is the column of ``users`` that has its name. A counter is added here, and in
    ``todo/models.py``.
    """

    revision: int = 0
    open_tasks: int = 0
    done_tasks: int = 0
    trashed_tasks: int = 0
    top_open: int = 0
    top_done: int = 0
    all_lists: int = 0

    @property
    def all_tasks(self) -> int:
        """Every task that takes room, those in the trash included."""
        return self.open_tasks + self.done_tasks + self.trashed_tasks

    def moved(
        self, before: Mapping[str, int], after: Mapping[str, int], *, entities: int
    ) -> "Counters":
        """Return the counters with so many ``entities`` counting as ``after``.

        Until then they count as ``before``. Both name counters, and what one entity adds to each.
        """
        moved = self._asdict()
        for name, number in before.items():
            moved[name] -= number * entities
        for name, number in after.items():
            moved[name] += number * entities
        return Counters(**moved)
