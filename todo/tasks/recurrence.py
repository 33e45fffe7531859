"""How one task repeats: what a client says of it, and when the next one is due.

Dates and rules are those of :mod:`todo.recurrence`. Here is which members of a task say what: its
days and its wall clock are those of its ``time_zone``; where that is null, of the zone that the
request names.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple, cast
from zoneinfo import ZoneInfo

from todo.problems import MemberError
from todo.recurrence.english import recurrence_text
from todo.recurrence.rules import Origin, Rule, RuleError
from todo.recurrence.series import Series
from todo.tasks.task import Fields, Recurrence, Task
from todo.values.dates import DATE_LENGTH, date_or_instant, today, zone

NONE: Final[Fields] = {
    "time_zone": None,
    "recurrence": None,
    "recurrence_text": None,
    "occurrence": None,
    "occurrence_number": None,
    "series_id": None,
    "previous_id": None,
    "next_id": None,
}
"""What a task has that does not repeat."""
_ENDED: Final = ("recurrence", "recurrence_text", "occurrence", "occurrence_number", "series_id")
"""The members that a task loses when its series ends; its neighbours in the series stay known."""
_FIRST_DAY: Final = "1970-01-01"


class _Wanted(NamedTuple):
    """What a task is to have: a rule, what it counts from, and the start, if that was said."""

    rule: Rule
    origin: Origin
    start: str | None

    def is_as(self, old: Recurrence) -> bool:
        """Whether a series that is there is wanted."""
        same = (str(self.rule), self.origin) == (old["rule"], old["from"])
        return same and self.start in (None, old["start"])


def settled(old: Task | None, new: Task, given: Fields, *, now: str, where: ZoneInfo) -> Task:
    """Return ``new``, what ``given`` made of ``old``, with the series that it is in then.

    A series begins with another rule, ``from``, start, time zone or kind of due date. ``now`` is
    the moment of the unit; ``where`` is the zone of the request. Raises :class:`MemberError`.
    """
    before = old["recurrence"] if old is not None else None
    wanted = _merged(before, given["recurrence"]) if "recurrence" in given else before
    if wanted is None:
        return cast("Task", {**new, **dict.fromkeys(_ENDED)}) if before is not None else new
    asked = _parsed(wanted, start_given=_start(given) is not None)
    if old is not None and before is not None and asked.is_as(before) and _goes_on(old, new):
        return cast("Task", {**new, "recurrence": before})
    return _begun(new, given, asked, now=now, where=_zone(new, where))


def _goes_on(old: Task, new: Task) -> bool:
    """Whether a series stays one: it has a due date of the same kind, and its zone."""
    if new["due_date"] is None:
        raise MemberError("contradiction", "due_date", "is null beside a recurrence")
    is_same_kind = _is_date(new["due_date"]) == _is_date(old["due_date"] or "")
    return is_same_kind and new["time_zone"] == old["time_zone"]


def _merged(before: Recurrence | None, given: Fields | None) -> Fields | None:
    """A merge patch (RFC 7396) of what there was."""
    return None if given is None else {**(before or {}), **given}


def _start(given: Fields) -> str | None:
    start: str | None = (given.get("recurrence") or {}).get("start")
    return start


def _parsed(wanted: Mapping[str, Any], *, start_given: bool) -> _Wanted:
    if wanted.get("rule") is None:
        raise MemberError("required", "recurrence/rule", "is required")
    origin: Origin = wanted.get("from") or "due"
    try:
        rule = Rule.parse(wanted["rule"])
        if origin == "completion":
            rule.check_completion()
    except RuleError as error:
        raise MemberError(error.code, "recurrence/rule", error.detail) from None
    start = date_or_instant(wanted["start"]) if start_given else None
    return _Wanted(rule, origin, start)


def _begun(new: Task, given: Fields, asked: _Wanted, *, now: str, where: ZoneInfo) -> Task:
    """``new`` as the first of a series."""
    due = new["due_date"] or _first(given, asked, now, where)
    start = asked.start or due
    _check_start(start, due, is_given=asked.start is not None)
    series = _series(asked, start, where)
    if series.never_occurs():
        raise MemberError("never_occurs", "recurrence/rule", "has no date until the end of 9999")
    begun = {
        "due_date": due,
        "recurrence": {"rule": str(asked.rule), "from": asked.origin, "start": start},
        "recurrence_text": recurrence_text(asked.rule, series.origin),
        "occurrence": due,
        "occurrence_number": 1,
        "series_id": new["id"],
    }
    return cast("Task", {**new, **begun})


def _first(given: Fields, asked: _Wanted, now: str, where: ZoneInfo) -> str:
    """The due date of a task that has none: the first day of the rule, which begins the rhythm.

    So no INTERVAL counts from a day that nobody has named.
    """
    if "due_date" in given:
        raise MemberError("contradiction", "due_date", "is null beside a recurrence")
    start = asked.start or today(now, where).isoformat()
    if asked.start is None:
        asked = asked._replace(rule=replace(asked.rule, interval=1))
    first = _series(asked, start, where).first(now)
    if first is None:
        raise MemberError("never_occurs", "recurrence/rule", "has no date from today on")
    return max(first, asked.start or "")  # a start that clocks show twice is not before itself


def _check_start(start: str, due: str, *, is_given: bool) -> None:
    member = "recurrence/start" if is_given else "due_date"
    if _is_date(start) != _is_date(due):
        raise MemberError("contradiction", member, "is not of the kind of due_date")
    if start > due:
        raise MemberError("contradiction", member, "is after due_date")
    if start < _FIRST_DAY:
        raise MemberError("contradiction", member, "is before 1970, where no series starts")


def next_due(task: Task, *, now: str, where: ZoneInfo) -> str | None:
    """Return when the task after ``task``, which repeats, is due; ``None`` behind the last one."""
    occurrence, number = task["occurrence"] or "", task["occurrence_number"] or 1
    return _series_of(task, where).next_due(occurrence, now, number)


def date_after_skip(task: Task, *, now: str, where: ZoneInfo) -> str | None:
    """Return when ``task``, which repeats, is due if this time is left out: behind its own date
    and now, from ``completion`` too; ``None`` for the last one."""
    dates = [next_due(task, now=moment, where=where) for moment in (now, task["occurrence"] or now)]
    later = [one for one in dates if one is not None]
    return max(later) if len(later) == len(dates) else None


def occurrences(task: Task, where: ZoneInfo) -> Iterator[str]:
    """Yield the due dates behind the one that ``task`` has by its rule; none without a rule."""
    if task["recurrence"] is None:
        return iter(())
    occurrence, number = task["occurrence"] or "", task["occurrence_number"] or 1
    return _series_of(task, where).occurrences(occurrence, number)


def _series_of(task: Task, where: ZoneInfo) -> Series:
    recurrence = task["recurrence"]
    assert recurrence is not None  # noqa: S101 - the caller has looked
    asked = _Wanted(Rule.parse(recurrence["rule"]), recurrence["from"], None)
    return _series(asked, recurrence["start"], _zone(task, where))


def _series(asked: _Wanted, start: str, where: ZoneInfo) -> Series:
    return Series(rule=asked.rule, start=start, where=where, origin=asked.origin)


def _zone(task: Task, where: ZoneInfo) -> ZoneInfo:
    return zone(task["time_zone"]) if task["time_zone"] else where


def _is_date(text: str) -> bool:
    return len(text) == DATE_LENGTH
