"""What a unit of work records for the writer: changes of entities, and a response to keep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from todo.sync.resource import TRASH_NAMES, Entity, Resource, Tally

Ids = Sequence[int]
"""Ids of one user's entities, ascending."""


@dataclass(frozen=True)
class Change:
    """One entity before and after: ``None`` is what is not there yet, or any more."""

    resource: Resource[Any]
    old: Entity | None
    new: Entity | None
    derived: Entity | None = None
    """The computed columns of ``old``, where they were read."""

    def row(self) -> dict[str, Any]:
        """Return every column of what is new."""
        assert self.new is not None  # noqa: S101 - what is deleted for good goes in batches
        derived = self.resource.derived_of(self.new, self.old, self.derived)
        return {**dict.fromkeys(TRASH_NAMES), **self.new, **derived}


@dataclass(frozen=True)
class Kept:
    """A response to keep for whoever repeats its request."""

    user_id: str
    key: str
    fingerprint: bytes
    response: Any
    shows: str
    """The ids of the entities that the response shows."""


@dataclass(frozen=True)
class Recorded:
    """All that a unit of work has recorded, for the writer."""

    changes: Sequence[Change] = ()
    tallies: Mapping[Tally, int] = field(default_factory=dict)
    """What is added to counters on the rows of other entities."""
    kept: Kept | None = None

    def is_tallied(self, change: Change) -> bool:
        """Whether counters on the row of ``change`` move, too: no statement changes a row twice."""
        rows = {(tally.table, tally.id) for tally, number in self.tallies.items() if number}
        return change.new is not None and (change.resource.table, change.new["id"]) in rows
