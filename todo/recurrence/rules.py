"""Rules of recurrence: the part of RFC 5545's RRULE (section 3.3.10) that the API takes.

========= ======================================================================================
FREQ      takes, beside COUNT or UNTIL
========= ======================================================================================
DAILY     INTERVAL, BYDAY
WEEKLY    INTERVAL, BYDAY, WKST
MONTHLY   INTERVAL, BYDAY (ordinals, too), BYMONTHDAY, BYMONTH, BYSETPOS (beside another BY* part)
YEARLY    the same; BYDAY and BYMONTHDAY only beside BYMONTH, so that ordinals are the month's
========= ======================================================================================
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from todo.recurrence.parts import PARTS, ByDay

Origin = Literal["due", "completion"]
"""What the next due date is counted from: the one before, or the day of its completion."""

MAX_LENGTH: Final = 200
"""Characters of a rule."""

_BY: Final = frozenset({"BYDAY", "BYMONTHDAY", "BYMONTH"})
"""What BYSETPOS chooses from."""
_ALWAYS: Final = frozenset({"FREQ", "UNTIL", "COUNT", "INTERVAL"})
_TAKEN: Final[Mapping[str, frozenset[str]]] = {
    "DAILY": _ALWAYS | {"BYDAY"},
    "WEEKLY": _ALWAYS | {"BYDAY", "WKST"},
    "MONTHLY": _ALWAYS | _BY | {"BYSETPOS"},
    "YEARLY": _ALWAYS | _BY | {"BYSETPOS"},
}
_WITH_ORDINALS: Final = {"MONTHLY", "YEARLY"}

_NO_TIMES: Final = "is not taken: a rule has days, no times"
_REFUSED: Final[Mapping[str, str]] = {
    "BYSECOND": _NO_TIMES,
    "BYMINUTE": _NO_TIMES,
    "BYHOUR": _NO_TIMES,
    "BYYEARDAY": "is not taken: use BYMONTH with BYMONTHDAY",
    "BYWEEKNO": "is not taken: use BYMONTH with BYDAY",
    "RSCALE": "is not taken: rules are of the Gregorian calendar",
    "SKIP": "is not taken: rules are of the Gregorian calendar",
}
"""Parts of RFC 5545 and RFC 7529 that the API does not have, and why."""
_FINER: Final = {"SECONDLY", "MINUTELY", "HOURLY"}


class RuleError(ValueError):
    """A text that is no rule.

    ``detail`` is one sentence for a person and names the part that is wrong. ``code`` is one of

    - ``too_long``: it has more than 200 characters;
    - ``required``: it has no FREQ;
    - ``format``: it is not written as RFC 5545 says, or a value is out of the API's bounds;
    - ``unsupported``: RFC 5545 has that, and the API has not;
    - ``contradiction``: parts contradict each other, or one is given twice.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule that :meth:`parse` accepted; ``()`` and ``None`` are parts that it does not have."""

    freq: str
    until: str | None = None
    """A date or an instant, as the API writes due dates."""
    count: int | None = None
    interval: int = 1
    by_day: tuple[ByDay, ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_month: tuple[int, ...] = ()
    by_set_pos: tuple[int, ...] = ()
    wkst: int | None = None
    """The weekday that weeks begin on, 0 for Monday, which is also meant by ``None``."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the rule that ``text`` is: NAME=VALUE, with semicolons between, in any case.

        Parts come in any order. Raises :class:`RuleError`.
        """
        given = _parts(_plain(text))
        _check_parts(given)
        rule = cls(**{PARTS[name].field: _read(name, value) for name, value in given.items()})
        _check_values(rule)
        return rule

    def __str__(self) -> str:
        """Return the normalised text: capitals, the RFC's order, lists sorted, no INTERVAL=1.

        It is never longer than the text that was parsed, and :meth:`parse` gives this rule again.
        """
        return ";".join(self._written())

    def _written(self) -> Iterator[str]:
        for name, part in PARTS.items():
            value = getattr(self, part.field)
            if value not in (None, ()) and (name, value) != ("INTERVAL", 1):
                yield f"{name}={part.write(value)}"

    @property
    def has_days(self) -> bool:
        """Whether the rule says which days of a period it has; without, they come from a start."""
        return bool(self.by_day or self.by_month_day)

    def check_completion(self) -> None:
        """Check that the rule can begin anew at each completion.

        Raises :class:`RuleError` ``contradiction`` for a BY* part with an INTERVAL: which months
        of "every 2 months, on the first Friday" are meant would depend on the day of completion.
        """
        if self.interval > 1 and (self.has_days or self.by_month):
            detail = "INTERVAL is 1 where a rule with a BY* part counts from completion"
            raise RuleError("contradiction", detail)


def _plain(text: str) -> str:
    """``text`` in capitals. Only ASCII is made capitals: others may become it (U+017F is an S)."""
    if len(text) > MAX_LENGTH:
        raise RuleError("too_long", f"A rule has at most {MAX_LENGTH} characters")
    if not text.isascii() or any(sign.isspace() for sign in text):
        raise RuleError(
            "format", "A rule is written like FREQ=WEEKLY;BYDAY=MO,TH, without white space"
        )
    if text[:6].upper() == "RRULE:":
        raise RuleError("format", "RRULE: is not part of a rule: leave it out")
    return text.upper()


def _parts(text: str) -> dict[str, str]:
    given: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if not equals:
            raise RuleError("format", _not_a_part(part))
        if name in given:
            raise RuleError("contradiction", f"{_known(name)} is given twice")
        given[_known(name)] = value
    return given


def _not_a_part(part: str) -> str:
    if not part:
        return "A rule has a part before and behind each semicolon: one is empty"
    return "Each part of a rule is a name, = and a value"


def _known(name: str) -> str:
    if name in _REFUSED:
        raise RuleError("unsupported", f"{name} {_REFUSED[name]}")
    if name not in PARTS:
        raise RuleError("format", f"A rule has no parts but {', '.join(PARTS)}")
    return name


def _read(name: str, value: str) -> Any:
    part = PARTS[name]
    try:
        return part.read(value)
    except ValueError:
        raise RuleError("format", f"{name} is {part.form}") from None


def _check_parts(given: Mapping[str, str]) -> None:
    """Check which parts are there together."""
    if "FREQ" not in given:
        raise RuleError("required", "FREQ is missing")
    if given["FREQ"] in _FINER:
        raise RuleError("unsupported", f"FREQ={given['FREQ']} {_NO_TIMES}")
    freq = _read("FREQ", given["FREQ"])
    for name in given:
        if name not in _TAKEN[freq]:
            raise RuleError("unsupported", f"{name} is not taken with FREQ={freq}")
    if {"COUNT", "UNTIL"} <= given.keys():
        raise RuleError("contradiction", "COUNT and UNTIL are not taken together")
    if "BYSETPOS" in given and not _BY & given.keys():
        raise RuleError("contradiction", "BYSETPOS is given without a BY* part to choose from")
    _check_months(freq, given)


def _check_months(freq: str, given: Mapping[str, str]) -> None:
    if freq == "YEARLY" and "BYMONTH" not in given:
        for name in ("BYDAY", "BYMONTHDAY"):
            if name in given:
                raise RuleError("unsupported", f"{name} is taken with FREQ=YEARLY beside BYMONTH")


def _check_values(rule: Rule) -> None:
    if rule.freq not in _WITH_ORDINALS and any(day.ordinal for day in rule.by_day):
        detail = f"BYDAY has no ordinals with FREQ={rule.freq}: they count the weekdays of a month"
        raise RuleError("contradiction", detail)
