"""The filters of a list of tasks: from the request's parameters to conditions on rows.

What depends on the clock or on the caller's zone is worked out here, to bounds that both databases
compare as text.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, bindparam, case, func, or_

from todo.database.functions import contains, is_any_of
from todo.models import tasks
from todo.problems import Violation, validation_failed
from todo.sync.conditions import Clause, Condition
from todo.values import dates, revisions
from todo.values.dates import DATE_LENGTH, Bound
from todo.values.revisions import id_or_none
from todo.values.text_keys import fold, tag_in_key, words

UPCOMING_DAYS: Final = 7
"""The days after today that the view ``upcoming`` has."""

_STATUS: Final[Mapping[str | None, bool | None]] = {
    None: None,
    "all": None,
    "pending": False,
    "completed": True,
}


@dataclass(frozen=True, kw_only=True)
class Filters:
    """The filters of a request, by their names in the contract; ``None`` narrows nothing.

    A filter that can be written in several ways is kept in one form, so that a cursor fits every
    request that means the same. ``status`` is another way to write ``completed``.
    """

    status: str | None = None
    completed: bool | None = None
    list: Sequence[str] | None = None
    parent: str | None = None
    priority: Sequence[str] | None = None
    tag: Sequence[str] | None = None
    search: str | None = None
    due_after: str | None = None
    due_before: str | None = None
    completed_after: str | None = None
    completed_before: str | None = None
    updated_since: int | str | None = None
    view: str | None = None
    tz: str = "UTC"

    def __post_init__(self) -> None:
        """Raise :class:`Problem` ``validation_failed`` if ``status`` contradicts ``completed``."""
        object.__setattr__(self, "completed", _completed(self.status, self.completed))
        for name, one_form in _ONE_FORM.items():
            if (given := getattr(self, name)) is not None:
                object.__setattr__(self, name, one_form(given))

    @property
    def given(self) -> dict[str, Any]:
        """The filters that are given, in their one form: they tell lists apart."""
        values = {name: getattr(self, name) for name in _NAMES}
        return {name: value for name, value in values.items() if value is not None}

    @property
    def words(self) -> Sequence[str]:
        """The words of ``search``."""
        return self.search.split() if self.search else []

    @property
    def follow_the_clock(self) -> bool:
        """Whether what they let through depends on the moment."""
        return self.view not in (None, "undated")

    def today(self, moment: str) -> str:
        """Return the date that it is for the caller at ``moment``."""
        return dates.today(moment, dates.zone(self.tz)).isoformat()

    def conditions(self, moment: str) -> Sequence[Condition]:
        """Return what must be true of a row at ``moment``; every condition narrows the list."""
        return [*self._of_the_task(), *self._of_its_times(), *self._of_the_view(moment)]

    def _of_the_task(self) -> Iterator[Condition]:
        if self.completed is not None:
            yield Condition("completed", self.completed)
        if self.list:
            yield _of_lists([id_or_none(one) for one in self.list])
        if self.parent:
            parent_id = id_or_none(self.parent)
            yield Condition("parent", parent_id) if parent_id else Condition("top")
        if self.priority:
            yield Condition("priority", self.priority)
        yield from (Condition("tag", tag_in_key(tag)) for tag in self.tag or ())
        yield from (Condition("word", word) for word in self.words)

    def _of_its_times(self) -> Iterator[Condition]:
        where = dates.zone(self.tz)
        if self.due_after:
            yield _due_from(dates.bound(self.due_after, where))
        if self.due_before:
            yield _due_until(dates.bound(self.due_before, where))
        if self.completed_after:
            yield Condition("completed_from", self.completed_after)
        if self.completed_before:
            yield Condition("completed_until", self.completed_before)
        if isinstance(self.updated_since, int):
            yield Condition("revision_after", self.updated_since)
        elif self.updated_since:
            yield Condition("updated_from", self.updated_since)

    def _of_the_view(self, moment: str) -> Iterator[Condition]:
        where = dates.zone(self.tz)
        match self.view:
            case "undated":
                yield Condition("undated")
            case "overdue":
                yield Condition("completed", False)
                yield _due_until(Bound(self.today(moment), moment))
            case "today" | "upcoming" as view:
                first, last = (0, 1) if view == "today" else (1, 1 + UPCOMING_DAYS)
                day = dates.today(moment, where)
                yield _due_from(dates.day_bound(day, where, first))
                yield _due_until(dates.day_bound(day, where, last))


_NAMES: Final = tuple(field.name for field in fields(Filters) if field.name != "status")


_ONE_FORM: Final[Mapping[str, Callable[[Any], Any]]] = {
    "list": lambda given: sorted(set(given)),
    "priority": lambda given: sorted(set(given)),
    "tag": lambda given: sorted({fold(tag) for tag in given}),
    "search": lambda given: " ".join(words(given)),
    "due_after": dates.date_or_instant,
    "due_before": dates.date_or_instant,
    "completed_after": dates.instant,
    "completed_before": dates.instant,
    "updated_since": revisions.instant_or_revision,
}
"""The filters that can be written in several ways, and what gives the one form of each."""


def _of_lists(lists: Sequence[int | None]) -> Condition:
    """The condition on the list of a task; ``None`` among the ``lists`` is the inbox."""
    ids = [one for one in lists if one is not None]
    match ids, None in lists:
        case [], _:
            return Condition("inbox")
        case [one], False:
            return Condition("list", one)
        case _, with_inbox:
            return Condition("lists_or_inbox" if with_inbox else "lists", ids)


def _due_from(bound: Bound) -> Condition:
    return _due("due_from", bound, edge=min(bound))


def _due_until(bound: Bound) -> Condition:
    return _due("due_until", bound, edge=max(bound))


def _due(kind: str, bound: Bound, *, edge: str) -> Condition:
    """A condition on due dates. The ``edge`` narrows nothing further, but an index serves it."""
    return Condition(kind, {"date": bound.date, "instant": bound.instant, "edge": edge})


def _completed(status: str | None, completed: bool | None) -> bool | None:
    by_status = _STATUS[status]
    if completed is None or by_status is None:
        return by_status if completed is None else completed
    if by_status != completed:
        detail = f"contradicts status={status}"
        raise validation_failed(Violation("contradiction", detail, parameter="completed"))
    return completed


def _due_bound(name: str) -> ColumnElement[str]:
    """What a due date is compared with: a date with a date, an instant with an instant."""
    is_date = func.length(tasks.c.due_date) == DATE_LENGTH
    return case((is_date, bindparam(f"{name}_date")), else_=bindparam(f"{name}_instant"))


CLAUSES: Final[Mapping[str, Clause]] = {
    "completed": lambda name: tasks.c.completed == bindparam(name),
    "inbox": lambda _: tasks.c.list_id.is_(None),
    "list": lambda name: tasks.c.list_id == bindparam(name),
    "lists": lambda name: is_any_of(tasks.c.list_id, name),
    "lists_or_inbox": lambda name: or_(tasks.c.list_id.is_(None), is_any_of(tasks.c.list_id, name)),
    "top": lambda _: tasks.c.parent_id.is_(None),
    "parent": lambda name: tasks.c.parent_id == bindparam(name),
    "priority": lambda name: is_any_of(tasks.c.priority, name),
    "tag": lambda name: contains(tasks.c.tags_key, bindparam(name)),
    "word": lambda name: contains(tasks.c.search_key, bindparam(name)),
    "undated": lambda _: tasks.c.due_date.is_(None),
    "due_from": lambda name: and_(
        tasks.c.due_date >= bindparam(f"{name}_edge"), tasks.c.due_date >= _due_bound(name)
    ),
    "due_until": lambda name: and_(
        tasks.c.due_date < bindparam(f"{name}_edge"), tasks.c.due_date < _due_bound(name)
    ),
    "completed_from": lambda name: tasks.c.completed_at >= bindparam(name),
    "completed_until": lambda name: tasks.c.completed_at < bindparam(name),
    "updated_from": lambda name: tasks.c.updated_at >= bindparam(name),
    "revision_after": lambda name: tasks.c.revision > bindparam(name),
}
"""The kinds of conditions on tasks, and the SQL of each."""
