"""What cannot repeat, or not so: told by the member that is wrong, alone and in a bulk."""

from typing import Any

import pytest

from tests.api.calls import bulk, live, revision
from tests.api.expect import (
    NO_SERIES,
    SET_BY_SERVER,
    in_body,
    in_query,
    invalid,
    problem,
    refusal,
    unknown,
)
from tests.api.repeating import DAILY, DUE, day

RULE, START = "/recurrence/rule", "/recurrence/start"
NO_TIMES = "is not taken: a rule has days, no times"
GREGORIAN = "is not taken: rules are of the Gregorian calendar"
WITH_INTERVAL = "INTERVAL is 1 where a rule with a BY* part counts from completion"
NO_DATE = (
    "must be a date of the calendar (2026-12-31), or an instant with seconds and zone"
    " (2026-12-31T17:00:00.000Z)"
)
NULL = "is null beside a recurrence"
KIND, AFTER, EARLY = (
    "is not of the kind of due_date",
    "is after due_date",
    "is before 1970, where no series starts",
)
RULES = {
    "FREQ=HOURLY": ("unsupported", f"FREQ=HOURLY {NO_TIMES}"),
    "FREQ=DAILY;BYHOUR=8": ("unsupported", f"BYHOUR {NO_TIMES}"),
    "FREQ=DAILY;BYMINUTE=8": ("unsupported", f"BYMINUTE {NO_TIMES}"),
    "FREQ=DAILY;BYSECOND=8": ("unsupported", f"BYSECOND {NO_TIMES}"),
    "FREQ=YEARLY;BYYEARDAY=8": (
        "unsupported",
        "BYYEARDAY is not taken: use BYMONTH with BYMONTHDAY",
    ),
    "FREQ=YEARLY;BYWEEKNO=8": ("unsupported", "BYWEEKNO is not taken: use BYMONTH with BYDAY"),
    "FREQ=DAILY;RSCALE=HEBREW": ("unsupported", f"RSCALE {GREGORIAN}"),
    "FREQ=DAILY;SKIP=OMIT": ("unsupported", f"SKIP {GREGORIAN}"),
    "FREQ=DAILY;BYMONTH=8": ("unsupported", "BYMONTH is not taken with FREQ=DAILY"),
    "FREQ=YEARLY;BYDAY=MO": (
        "unsupported",
        "BYDAY is taken with FREQ=YEARLY beside BYMONTH",
    ),
    "FREQ=DAILY;COUNT=2;UNTIL=20991231": (
        "contradiction",
        "COUNT and UNTIL are not taken together",
    ),
    "FREQ=DAILY;FREQ=DAILY": ("contradiction", "FREQ is given twice"),
    "FREQ=MONTHLY;BYSETPOS=1": (
        "contradiction",
        "BYSETPOS is given without a BY* part to choose from",
    ),
    "COUNT=2": ("required", "FREQ is missing"),
    "FREQ=DAILY;INTERVAL=0": ("format", "INTERVAL is 1 to 999"),
    "FREQ=DAILY;COUNT=1000": ("format", "COUNT is 1 to 999"),
    "FREQ=DAILY;": ("format", "A rule has a part before and behind each semicolon: one is empty"),
    "FREQ=SOMETIMES": ("format", "FREQ is DAILY, WEEKLY, MONTHLY or YEARLY"),
    "RRULE:FREQ=DAILY": ("format", "RRULE: is not part of a rule: leave it out"),
}
OTHERS: dict[str, tuple[dict[str, Any], tuple[str, str, str]]] = {
    "a start of another kind": (
        {"due_date": DUE, "recurrence": {**DAILY, "start": "2099-01-01T08:00:00Z"}},
        (START, "contradiction", KIND),
    ),
    "a start behind the due date": (
        {"due_date": DUE, "recurrence": {**DAILY, "start": day(6)}},
        (START, "contradiction", AFTER),
    ),
    "a start before 1970": (
        {"due_date": DUE, "recurrence": {**DAILY, "start": "1969-12-31"}},
        (START, "contradiction", EARLY),
    ),
    "a due date before 1970": (
        {"due_date": "1969-12-31", "recurrence": DAILY},
        ("/due_date", "contradiction", EARLY),
    ),
    "no due date": (
        {"due_date": None, "recurrence": DAILY},
        ("/due_date", "contradiction", NULL),
    ),
    "a day that no year has": (
        {"due_date": DUE, "recurrence": {"rule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}},
        (RULE, "never_occurs", "has no date until the end of 9999"),
    ),
    "an end that is past": (
        {"recurrence": {"rule": "FREQ=DAILY;UNTIL=20200101", "start": "2020-01-01"}},
        (RULE, "never_occurs", "has no date from today on"),
    ),
    "an interval beside days, from completion": (
        {"recurrence": {"rule": "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "from": "completion"}},
        (RULE, "contradiction", WITH_INTERVAL),
    ),
}
FORMS: dict[str, tuple[dict[str, Any], tuple[str, str, str]]] = {
    "no rule but text": (
        {"recurrence": "daily"},
        ("/recurrence", "type", 'is not of types "null", "object"'),
    ),
    "null for a rule": (
        {"recurrence": {"rule": None}},
        (RULE, "type", 'is not of type "string"'),
    ),
    "an empty rule": (
        {"recurrence": {"rule": ""}},
        (RULE, "too_short", "is shorter than 1 character"),
    ),
    "a long rule": (
        {"recurrence": {"rule": "FREQ=DAILY;" + "X" * 190}},
        (RULE, "too_long", "is longer than 200 characters"),
    ),
    "another origin": (
        {"recurrence": {**DAILY, "from": "later"}},
        ("/recurrence/from", "not_in_enum", "is not one of: due, completion, null"),
    ),
    "a start that is no date": (
        {"recurrence": {**DAILY, "start": "2099-02-30"}},
        (START, "format", NO_DATE),
    ),
    "a zone that is nowhere": (
        {"time_zone": "Mars/Phobos"},
        ("/time_zone", "format", "is not a time zone of the IANA database, such as Europe/Berlin"),
    ),
}
CASES = {
    **{rule: ({"recurrence": {"rule": rule}}, (RULE, *error)) for rule, error in RULES.items()},
    **OTHERS,
    **FORMS,
}
SET = [name for name in NO_SERIES if name not in ("time_zone", "recurrence")]
"""The members that only the server sets."""


@pytest.mark.parametrize("name", CASES)
def test_what_cannot_repeat_is_told_by_its_member_wherever_it_is_asked_for(alice, name):
    fields, (pointer, *error) = CASES[name]
    alice.create()
    before = live(alice)

    created = alice("POST", "", json={"title": "x", **fields})
    changed = {by: alice(by, "1", json=fields) for by in ("PUT", "PATCH")}
    together = bulk(
        alice,
        {"op": "create", "data": {"title": "x"}},
        {"op": "update", "id": 1, "data": fields},
    )

    expected = in_body(pointer, *error)
    assert refusal(created) == invalid(alice.tasks, expected)
    for response in changed.values():
        assert refusal(response) == invalid(f"{alice.tasks}/1", expected)
    in_bulk = in_body(f"/operations/1/data{pointer}", *error)
    assert refusal(together) == invalid(f"{alice.tasks}/bulk", in_bulk)
    assert (live(alice), revision(alice)) == (before, 1)


def test_a_rule_is_required_where_there_is_none(alice):
    alice.create()
    for recurrence in ({}, {"from": "due"}, {"start": DUE}):
        missing = in_body(RULE, "required", "is required")
        created = alice("POST", "", json={"title": "x", "recurrence": recurrence})
        assert refusal(created) == invalid(alice.tasks, missing)
        patched = alice("PATCH", "1", json={"recurrence": recurrence})
        assert refusal(patched) == invalid(f"{alice.tasks}/1", missing)
        created = bulk(alice, {"op": "create", "data": {"title": "x", "recurrence": recurrence}})
        missing = in_body(f"/operations/0/data{RULE}", "required", "is required")
        assert refusal(created) == invalid(f"{alice.tasks}/bulk", missing)


def test_a_task_that_repeats_keeps_a_due_date(alice):
    alice.create(due_date=DUE, recurrence=DAILY)

    alone = alice("PATCH", "1", json={"due_date": None})
    together = bulk(alice, {"op": "update", "id": 1, "data": {"due_date": None}})

    assert refusal(alone) == invalid(
        f"{alice.tasks}/1", in_body("/due_date", "contradiction", NULL)
    )
    assert refusal(together) == invalid(
        f"{alice.tasks}/bulk", in_body("/operations/0/data/due_date", "contradiction", NULL)
    )


def test_a_start_stays_of_the_kind_of_the_due_date(alice):
    alice.create(due_date=DUE, recurrence={**DAILY, "start": day(1)})

    response = alice("PATCH", "1", json={"recurrence": {"start": "2099-01-01T08:00:00Z"}})

    error = in_body(START, "contradiction", KIND)
    assert refusal(response) == invalid(f"{alice.tasks}/1", error)


@pytest.mark.parametrize("member", SET)
def test_a_member_that_the_server_sets_is_refused(alice, member):
    task = alice.create(due_date=DUE, recurrence=DAILY)
    fields = {member: task[member]}

    error = unknown(member, SET_BY_SERVER)
    assert refusal(alice("POST", "", json={"title": "x", **fields})) == invalid(alice.tasks, error)
    for by in ("PUT", "PATCH"):
        assert refusal(alice(by, "1", json=fields)) == invalid(f"{alice.tasks}/1", error)
    together = refusal(bulk(alice, {"op": "update", "id": 1, "data": fields}))
    error = {**error, "pointer": f"/operations/0/data/{member}"}
    assert together == invalid(f"{alice.tasks}/bulk", error)


def test_a_member_that_recurrence_has_not_is_unknown(alice):
    response = alice("POST", "", json={"title": "x", "recurrence": {**DAILY, "count": 3}})

    error = in_body("/recurrence/count", "unknown_field", "unknown field 'count'")
    assert refusal(response) == invalid(alice.tasks, error)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", ""),
        ("PUT", "1"),
        ("PATCH", "1"),
        ("PATCH", "1/complete"),
        ("POST", "1/skip"),
        ("GET", "1/occurrences"),
        ("POST", "bulk"),
        ("POST", "complete-all"),
    ],
)
def test_a_zone_of_the_request_that_is_nowhere_is_refused(alice, method, path):
    bodies = {
        "bulk": {"operations": [{"op": "delete", "id": 1}]},
        "complete-all": {"completed": True},
        "": {"title": "x"},
    }
    body = {} if path in ("1/skip", "1/occurrences") else {"json": bodies.get(path, {"title": "x"})}
    body = {} if path == "1/complete" else body
    alice.create()

    response = alice(method, f"{path}?tz=Mars/Phobos", **body)

    error = in_query(
        "tz", "format", "is not a time zone of the IANA database, such as Europe/Berlin"
    )
    target = f"{alice.tasks}/{path}".removesuffix("/")
    assert refusal(response) == invalid(target, error)


@pytest.mark.parametrize(("method", "path"), [("POST", "1/skip"), ("GET", "1/occurrences")])
def test_nobody_skips_or_sees_the_dates_of_another_user(alice, bob, method, path):
    alice.create(due_date=DUE, recurrence=DAILY)

    response = bob(method, path)

    expected = problem("task_not_found", "Task not found", f"{bob.tasks}/{path}")
    assert refusal(response) == expected
    assert revision(alice) == 1
