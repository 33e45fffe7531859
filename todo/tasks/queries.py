"""The query parameters of operations on tasks, each operation's as one typed object.

The contract gives a handler the object; at start it compares the fields with the parameters of the
operation (``todo/http/contract/queries.py``).
"""

from dataclasses import dataclass

from todo.sync.sorts import Order
from todo.tasks.filters import Filters


@dataclass(frozen=True, kw_only=True)
class TaskQuery(Filters):
    """The query of ``list_tasks``: the filters, the order, and the page that is wanted."""

    sort: str
    order: Order | None
    skip: int
    limit: int
    cursor: str | None
    total: bool
