"""What a unit of work counts: the counters of its user's row, and those on the rows of entities."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from todo.sync.counters import Counters
from todo.sync.resource import E, Resource, Tally

NOTHING: Final[Mapping[str, int]] = {}
"""What an entity that no counter counts adds to the counters."""


class Ledger:
    """The counters of a user whose row is locked, with everything that was recorded."""

    def __init__(self, counters: Counters) -> None:
        self.counters = counters
        self.tallies: Counter[Tally] = Counter()
        """What is added to counters on the rows of entities, once all is written."""
        self.is_moved = False
        """Whether anything was counted."""

    def count(self, resource: Resource[E], old: E | None, new: E | None) -> None:
        """Count ``new`` instead of ``old``, on every row that counts them."""
        self.move(resource.counts(old), resource.counts(new))
        for entity, sign in ((old, -1), (new, 1)):
            if entity is not None:
                for tally, number in resource.tallied(entity).items():
                    self.tallies[tally] += sign * number

    def move(
        self, before: Mapping[str, int], after: Mapping[str, int] = NOTHING, *, entities: int = 1
    ) -> None:
        """Count so many ``entities`` as ``after`` instead of ``before``, in the user's row."""
        self.counters = self.counters.moved(before, after, entities=entities)
        self.is_moved = True

    def reach(self, revision: int) -> None:
        """Take all revisions up to ``revision``."""
        self.counters = self.counters._replace(revision=max(revision, self.counters.revision))
        self.is_moved = True
