"""The query parameters of operations on tasks, each operation's as one typed object.

The contract gives a handler the object; at start it compares the fields with the parameters of the
operation (``todo/http/contract/queries.py``).
"""

from dataclasses import dataclass

from todo.problems import Violation, validation_failed
from todo.sync.sorts import Order
from todo.tasks.filters import Filters
from todo.values.revisions import NONE


@dataclass(frozen=True, kw_only=True)
class TaskQuery(Filters):
    """The query of ``list_tasks``: the filters, the order, and the page that is wanted."""

    sort: str
    order: Order | None
    skip: int
    limit: int
    cursor: str | None
    total: bool

    def __post_init__(self) -> None:
        """Raise :class:`Problem` ``validation_failed`` for filters that contradict each other, and
        for an order by position of more than one place.
        """
        super().__post_init__()
        if self.sort == "position" and (lacking := self._lacking_of_a_place()):
            detail = f"position needs {lacking}"
            raise validation_failed(Violation("contradiction", detail, parameter="sort"))

    def _lacking_of_a_place(self) -> str | None:
        """What is missing for a list of one place: of one list's tasks on top, or one parent's."""
        if self.parent is None:
            return "'parent': a task's id, or 'none'"
        if self.parent == NONE and len(self.list or ()) != 1:
            return "exactly one 'list' beside 'parent=none'"
        return None
