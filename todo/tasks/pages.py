"""The pages of a list of tasks, and the ETag of the list."""

from dataclasses import dataclass
from typing import Any, Self

from todo.sync.etags import etag
from todo.sync.pages import Listing, PageQuery, Window, read_page
from todo.tasks.filters import Filters
from todo.tasks.queries import TaskQuery
from todo.tasks.resource import TASKS
from todo.tasks.task import Task
from todo.values.clock import now


@dataclass(frozen=True)
class TaskPages:
    """A list of one user's live tasks, as it was asked for. Made by :meth:`of`."""

    listing: Listing[Task]
    window: Window
    filters: Filters
    total: bool
    moment: str

    @classmethod
    def of(cls, user_id: str, query: TaskQuery) -> Self:
        """Return the list that ``query`` asks for. Without ``order`` a sort has its natural one.

        Raises :class:`Problem` ``validation_failed`` for the cursor of another list, and for a
        cursor beside ``skip``.
        """
        by = TASKS.sorts[query.sort]
        order = query.order or by.natural
        listing = Listing(TASKS, user_id, by, order, query.given, timed=query.follow_the_clock)
        window = Window.of(listing, skip=query.skip, limit=query.limit, cursor=query.cursor)
        moment = (window.cursor and window.cursor.moment) or now()
        return cls(listing, window, query, query.total, moment)

    def etag(self, sync_token: str) -> str | None:
        """Return the ETag of the list at a place in the log; ``overdue`` tasks have none."""
        if self.filters.view == "overdue":  # the list changes with every instant
            return None
        date = self.filters.today(self.moment) if self.listing.timed else ""
        return etag(self.listing.user_id, sync_token, date)

    def page(self) -> dict[str, Any]:
        """Return a ``TaskPage``."""
        return read_page(
            PageQuery(
                self.listing,
                self.window,
                self.filters.conditions(self.moment),
                total=self.total,
                moment=self.moment if self.listing.timed else None,
            )
        )
