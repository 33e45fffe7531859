"""A list: what the API shows of it."""

from collections.abc import Mapping
from typing import Any, Final, NotRequired, TypedDict

from todo.problems import Problem

Fields = Mapping[str, Any]
"""Fields of a list that a client sets; ``None`` clears the color."""


class TaskList(TypedDict):
    """A list as the API shows it, in the contract's order."""

    id: int
    user_id: str
    name: str
    color: str | None
    position: str
    created_at: str
    updated_at: str
    revision: int
    deleted_at: NotRequired[str | None]
    """Where the list is deleted, or is being deleted."""
    deleted_unit: NotRequired[int | None]


def list_not_found(_trashed: bool) -> Problem:
    """Return the problem for a list that is absent, deleted, or somebody else's."""
    return Problem("list_not_found", "List not found")


def counted(_list: TaskList) -> Mapping[str, int]:
    """Return the counter that a list adds one to, whether it is deleted or not."""
    return COUNTED


COUNTED: Final = {"all_lists": 1}
