"""A rule in plain English: rules that mean different things have different texts."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final

from todo.recurrence.parts import ByDay
from todo.recurrence.rules import Origin, Rule
from todo.values.dates import DATE_LENGTH

MAX_TEXT: Final = 2_000
"""No text is longer, in characters: a rule has 200, and none becomes more than eight or so."""

_PERIODS: Final = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
_ORDINALS: Final = ("first", "second", "third", "fourth", "fifth")
_ENDINGS: Final = {1: "st", 2: "nd", 3: "rd"}
_TEENS: Final = range(11, 14)

_EVERY: Final = tuple(ByDay(0, weekday) for weekday in range(7))
_KINDS: Final[Mapping[tuple[ByDay, ...], str]] = {
    **{(day,): name for day, name in zip(_EVERY, _DAYS, strict=True)},
    _EVERY[:5]: "weekday",
    _EVERY[5:]: "weekend day",
    _EVERY: "day",
}
"""One name for all the days of a BYDAY, where there is one."""


def recurrence_text(rule: Rule, origin: Origin = "due") -> str:
    """Return the rule in English, without a capital in front or a full stop behind.

    For example ``every 2 weeks on Monday and Thursday, until 31 December 2026``. What the rule
    leaves to its start, the text leaves out, too: ``every month``.
    """
    after = " after completion" if origin == "completion" else ""
    if rule.freq in ("DAILY", "WEEKLY") and rule.interval == 1 and rule.by_day == _EVERY[:5]:
        return f"every weekday{after}{_end(rule)}"
    return f"{_period(rule)}{after}{_DAYS_OF[rule.freq](rule)}{_end(rule)}"


def _period(rule: Rule) -> str:
    name = _PERIODS[rule.freq]
    return f"every {name}" if rule.interval == 1 else f"every {rule.interval} {name}s"


def _of_days(rule: Rule) -> str:
    return f", only on {_names(rule.by_day)}" if rule.by_day else ""


def _of_week(rule: Rule) -> str:
    """Where weeks begin makes a difference only when some of them are skipped."""
    days = f" on {_names(rule.by_day)}" if rule.by_day else ""
    if rule.interval > 1 and rule.by_day and rule.wkst:
        return f"{days}, with weeks that begin on {_DAYS[rule.wkst]}"
    return days


def _of_months(rule: Rule) -> str:
    only = f", only in {_months(rule)}" if rule.by_month else ""
    return f"{_in_period(rule, is_one_month=True)}{only}"


def _of_years(rule: Rule) -> str:
    months = f" in {_months(rule)}" if rule.by_month else ""
    return f"{months}{_in_period(rule, is_one_month=len(rule.by_month) == 1)}"


_DAYS_OF: Final = {
    "DAILY": _of_days,
    "WEEKLY": _of_week,
    "MONTHLY": _of_months,
    "YEARLY": _of_years,
}


def _in_period(rule: Rule, *, is_one_month: bool) -> str:
    """The days in a month or a year; what BYSETPOS chooses from one month has a short form."""
    kind = _KINDS.get(rule.by_day)
    if rule.by_set_pos and kind and is_one_month and not rule.by_month_day:
        return f" on {_all(f'the {_ordinal(place)} {kind}' for place in rule.by_set_pos)}"
    return f"{_candidates(rule)}{_chosen(rule)}"


def _candidates(rule: Rule) -> str:
    """What BYSETPOS chooses from, which without it is all."""
    if rule.by_month_day:
        return f" on {_all(map(_day, rule.by_month_day))}{_if(rule.by_day)}"
    return f" on {_all(map(_weekday, rule.by_day))}" if rule.by_day else ""


def _day(number: int) -> str:
    return f"day {number}" if number > 0 else f"the {_ordinal(number)} day"


def _if(days: Iterable[ByDay]) -> str:
    names = [f"a {_DAYS[d.weekday]}" if d.ordinal == 0 else _weekday(d) for d in days]
    return f", if that is {_all(names, 'or')}" if names else ""


def _chosen(rule: Rule) -> str:
    if not rule.by_set_pos:
        return ""
    places = _all(f"the {_ordinal(place)}" for place in rule.by_set_pos)
    return f", only {places} of these days in a {_PERIODS[rule.freq]}"


def _weekday(day: ByDay) -> str:
    which = f"the {_ordinal(day.ordinal)}" if day.ordinal else "every"
    return f"{which} {_DAYS[day.weekday]}"


def _names(days: Iterable[ByDay]) -> str:
    return _all(_DAYS[day.weekday] for day in days)


def _months(rule: Rule) -> str:
    return _all(_MONTHS[month - 1] for month in rule.by_month)


def _ordinal(number: int) -> str:
    if number < 0:
        return "last" if number == -1 else f"{_ordinal(-number)} to last"
    if number <= len(_ORDINALS):
        return _ORDINALS[number - 1]
    ending = "th" if number % 100 in _TEENS else _ENDINGS.get(number % 10, "th")
    return f"{number}{ending}"


def _all(names: Iterable[str], word: str = "and") -> str:
    *others, last = names
    return f"{', '.join(others)} {word} {last}" if others else last


def _end(rule: Rule) -> str:
    if rule.until:
        return f", until {_moment(rule.until)}"
    if rule.count:
        return ", once" if rule.count == 1 else f", {rule.count} times"
    return ""


def _moment(until: str) -> str:
    if len(until) == DATE_LENGTH:
        return _date(date.fromisoformat(until))
    moment = datetime.fromisoformat(until)
    time = moment.time().isoformat("seconds" if moment.second else "minutes")
    return f"{_date(moment)} at {time} UTC"


def _date(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
