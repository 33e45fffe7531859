"""What a unit of work records for the writer: changes of entities, and a response to keep."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from todo.sync.resource import Entity, Resource

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
        return {"deleted_at": None, **self.new, **derived}


@dataclass(frozen=True)
class Kept:
    """A response to keep for whoever repeats its request."""

    user_id: str
    key: str
    fingerprint: bytes
    response: Any
    shows: str
    """The ids of the entities that the response shows."""
