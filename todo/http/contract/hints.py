"""What somebody probably meant by a name or a value that the contract does not have.

A hint is the end of a sentence for a person: ``"; did you mean 'sort'?"``, or nothing. It says
names and values of the contract, never what was sent. The codes of errors do not depend on it.
"""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

MAX_LENGTH: Final = 40
"""Characters of a name or a text that are worth a guess; comparing longer ones takes time."""

_LIKENESS: Final = 0.75
"""How alike two names must be (:func:`difflib.get_close_matches`): ``titel`` is like ``title``."""

NAMES: Final[Mapping[str, str]] = {
    "completed": "is_completed completed_status is_complete complete is_done done finished checked",
    "description": "note notes details body text content desc",
    "due_before": "due_to due_until due due_date deadline",
    "due_date": "due due_at due_on due_by deadline date",
    "email": "mail user username user_email",
    "limit": "per_page page_size size count take top max_results",
    "list": "list_id list_ids lists folder board inbox",
    "name": "display_name full_name username",
    "new_password": "new_pass password_new next_password",
    "order": "sort_order order_dir sort_dir sort_direction direction dir ascending descending",
    "parent": "parent_id parent_task parent_task_id",
    "password": "pass pwd current_password old_password",
    "priority": "prio importance urgency level",
    "search": "q query keyword keywords filter term text find",
    "skip": "offset page start from first",
    "sort": "sort_by order_by sorting ordering sort_field",
    "status": "state",
    "tag": "tags category categories label labels project",
    "tags": "tag category categories label labels project",
    "title": "name text content task todo summary subject",
    "tz": "timezone time_zone zone",
    "updated_since": "since modified_since updated_after changed_since",
}
"""Names of the contract, and what front ends and other systems call the same."""

_WITHOUT_USER: Final = re.compile(r"/(?:api/)?(tasks|lists|tags|stats|trash)(?:/|\Z)")
_STATE: Final = frozenset({"status", "state"})
_TASK: Final = "due_date"
"""The field that tells a task from other objects."""

_UNSUPPORTED: Final = (
    (re.compile("recur|repeat|rrule"), "recurrence is not supported"),
    (re.compile("remind"), "reminders are not supported"),
)
"""What front ends send of a task, under names of which no two agree."""

_VALUES: Final[Mapping[str, str]] = {
    "high": "urgent critical highest important p1",
    "medium": "normal default moderate med p2",
    "low": "lowest minor p3",
    "completed": "done complete closed finished",
    "pending": "active open todo incomplete in_progress",
    "asc": "ascending up 1",
    "desc": "descending down -1",
    "true": "1 yes on",
    "false": "0 no off",
}
"""Values of the contract, and their names elsewhere."""

_IS_TEXT_OF: Final[Mapping[str, re.Pattern[str]]] = {
    "boolean": re.compile("true|false"),
    "integer": re.compile("0|[1-9][0-9]{0,15}"),
}
_EMPTY: Final = "; did you mean null?"


def of_field(name: str, known: Iterable[str], *, set_by_server: Iterable[str] = ()) -> str:
    """Return a hint at the unknown field ``name`` of an object that has the fields ``known``."""
    normal = _normal(name)
    if normal in set_by_server:
        return "; the server sets this field: leave the field out"
    known = list(known)
    for pattern, reason in _UNSUPPORTED if _TASK in known else ():
        if len(normal) <= MAX_LENGTH and pattern.search(normal):
            return f"; {reason}"
    return of_name(name, known)


def of_name(name: str, known: Iterable[str]) -> str:
    """Return a hint at the unknown ``name`` where one of ``known`` was meant."""
    known = list(known)
    normal = _normal(name)
    if "status" not in known and normal in _STATE:
        normal = "completed"
    return _question(_nearest(normal, known, NAMES))


def of_text(text: str, values: Iterable[Any]) -> str:
    """Return a hint at ``text`` where one of the strings among ``values`` was meant."""
    strings = [value for value in values if isinstance(value, str)]
    return _question(_nearest(_normal(text), strings, _VALUES))


def of_value(value: Any, schema: Mapping[str, Any]) -> str:
    """Return a hint at the JSON ``value`` that does not fit ``schema`` (JSON Schema, draft 7)."""
    if not isinstance(value, str):
        return ""
    types = schema.get("type", ())
    types = [types] if isinstance(types, str) else types
    if not value and "null" in types:
        return _EMPTY
    if any(t in _IS_TEXT_OF and _IS_TEXT_OF[t].fullmatch(value) for t in types):
        return "; did you mean the value without quotes?"
    if "array" in types:
        return "; did you mean an array?"
    return of_text(value, schema.get("enum", ()))


def of_path(path: str) -> str:
    """Return a hint at a path of tasks that names no user: ``/api/tasks``, ``/tasks/1``."""
    without = _WITHOUT_USER.match(path)
    return f"; did you mean '/api/me/{without[1]}'?" if without else ""


def _nearest(normal: str, known: list[str], others: Mapping[str, str]) -> str | None:
    if not normal or len(normal) > MAX_LENGTH:
        return None
    if normal in known:
        return normal
    for name in known:
        if normal in others.get(name, "").split():
            return name
    return next(iter(get_close_matches(normal, known, n=1, cutoff=_LIKENESS)), None)


def _normal(name: str) -> str:
    """``name`` as the contract would write it: ``dueDate``, ``due-date``, ``Due_Date``."""
    if len(name) > MAX_LENGTH:
        return name
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[\s-](?=[a-z])", "_", parts.strip().lower())


def _question(meant: str | None) -> str:
    return f"; did you mean '{meant}'?" if meant else ""
