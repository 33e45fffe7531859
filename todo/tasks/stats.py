"""Counts of a user's tasks, of one moment, in one pass over the user's rows."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, Select, and_, bindparam, case, func, null, select

from todo.column_types import PRIORITIES
from todo.database.transactions import read
from todo.models import tasks
from todo.sync.conditions import clauses, values
from todo.tasks.filters import Filters
from todo.tasks.resource import TASKS
from todo.tasks.tags import counted
from todo.values import dates
from todo.values.clock import now

DAYS: Final = 30
"""The days, today the last of them, whose completed tasks are counted."""
TOP_TAGS: Final = 100
"""The tags shown, of those that most tasks have."""

_VIEWS: Final = {"overdue": "overdue", "due_today": "today"}


def show(user_id: str, tz: str) -> dict[str, Any]:
    """Return the ``Stats`` of the user's live tasks, for this moment in the zone ``tz``."""
    moment = now()
    last = dates.today(moment, dates.zone(tz))
    days = [last - timedelta(days=ago) for ago in reversed(range(DAYS))]
    views = {name: Filters(view=view, tz=tz).conditions(moment) for name, view in _VIEWS.items()}
    kinds = tuple((name, tuple(c.kind for c in conditions)) for name, conditions in views.items())
    begins = {
        f"day_{number}": dates.start_of(day, dates.zone(tz)) for number, day in enumerate(days)
    }
    bound = {"of_user": user_id, **begins}
    for name, conditions in views.items():
        bound |= values(conditions, prefix=name)
    rows = [row._asdict() for row in read(_statement(kinds), bound, scans=True)]
    tags = counted({**row, "completed": row["total"] * row["completed"]} for row in rows)
    tags.sort(key=lambda tag: -tag.total)
    per_day = _sums(rows, "day")
    return {
        **_counts(rows),
        **{name: _sums(rows, name)[True] for name in _VIEWS},
        "by_priority": {
            name: _counts([row for row in rows if row["priority"] == name]) for name in PRIORITIES
        },
        "by_list": _by_list(rows),
        "tags": len(tags),
        "by_tag": [tag.as_json() for tag in tags[:TOP_TAGS]],
        "completed_per_day": [
            {"date": day.isoformat(), "completed": per_day[number]}
            for number, day in enumerate(days)
        ],
    }


def _sums(rows: Sequence[RowMapping], column: str) -> Counter[Any]:
    """How many tasks have each value of ``column``."""
    sums: Counter[Any] = Counter()
    for row in rows:
        sums[row[column]] += row["total"]
    return sums


def _by_list(rows: Sequence[RowMapping]) -> list[dict[str, int | None]]:
    """The counts of the inbox, and those of each list that has tasks, in the order of their ids."""
    of_lists: dict[int | None, list[RowMapping]] = {None: []}
    for row in rows:
        of_lists.setdefault(row["list_id"], []).append(row)
    ids = sorted(one for one in of_lists if one is not None)
    return [{"list_id": one, **_counts(of_lists[one])} for one in (None, *ids)]


def _counts(rows: Sequence[RowMapping]) -> dict[str, int]:
    """How many tasks ``rows`` count in each state."""
    by_state = _sums(rows, "completed")
    return {"total": by_state.total(), "open": by_state[False], "completed": by_state[True]}


@cache
def _statement(views: tuple[tuple[str, tuple[str, ...]], ...]) -> Select[Any]:
    """One row for each combination of what is counted, with the ``total`` of its tasks."""
    in_view = (
        case((and_(*clauses(TASKS.clauses, kinds, prefix=name)), 1), else_=0).label(name)
        for name, kinds in views
    )
    seen = (
        select(
            tasks.c.completed,
            tasks.c.priority,
            tasks.c.list_id,
            tasks.c.tags,
            tasks.c.tags_key,
            tasks.c.revision,
            _day().label("day"),
            *in_view,
        )
        .where(*TASKS.live)
        .subquery("seen")
    )
    kinds = [column for column in seen.c if column.name != "revision"]
    total, newest = func.count().label("total"), func.max(seen.c.revision).label("newest")
    return select(*kinds, total, newest).group_by(*kinds)


def _day() -> ColumnElement[int | None]:
    """Which of the days a task was completed on; null for none of them."""
    begun = [
        (tasks.c.completed_at >= bindparam(f"day_{number}"), number)
        for number in reversed(range(DAYS))
    ]
    none = tasks.c.completed_at.is_(None) | (tasks.c.completed_at < bindparam("day_0"))
    return case((none, null()), *begun)
