"""How a task repeats: a rule is set, merged and ended, and begins a new series or does not."""

from typing import Any

import pytest

from tests.api.calls import bulk, complete, live, revision
from tests.api.clock import frozen
from tests.api.expect import MOMENT, NO_SERIES, a_task
from tests.api.repeating import DAILY, DUE, a_first, day, first_of_series, following
from tests.conftest import Caller

pytestmark = [pytest.mark.pooled, pytest.mark.usefixtures("everything_is_sound")]

WEDNESDAY_NIGHT = "2026-11-25T23:30:00Z"
MONDAYS_AND_THURSDAYS = "FREQ=WEEKLY;BYDAY=MO,TH"
EVERY_THREE = "FREQ=DAILY;INTERVAL=3"


def change(caller: Caller, by: str, task_id: int, **changes: Any) -> Any:
    """Change a task by a method, or in a bulk; return the task."""
    if by != "bulk":
        return caller(by, f"{task_id}", json=changes).json()
    response = bulk(caller, {"op": "update", "id": task_id, "data": changes})
    return response.json()["results"][0]["task"]


@pytest.fixture
def second(alice):
    """The second task of a series of every day, due on 6 January; its id is 3."""
    alice.create("Water", due_date=DUE, recurrence=DAILY)
    complete(alice, 1)
    return alice("GET", "3").json()


def test_a_task_with_a_rule_is_the_first_of_a_series(alice):
    rule = {"rule": "byday=th,mo;interval=1;freq=weekly"}
    task = alice.create("Bins", due_date=DUE, recurrence=rule, time_zone="Europe/Berlin")

    members = first_of_series(MONDAYS_AND_THURSDAYS, DUE, 1)
    assert task == a_task(alice.id, 1, "Bins", time_zone="Europe/Berlin", **members)
    assert alice("GET", "1").json() == task


@pytest.mark.parametrize("by", ["PUT", "PATCH", "bulk"])
def test_a_rule_makes_a_task_that_is_there_the_first_of_a_series(alice, by):
    task = alice.create("Bins", due_date=DUE)
    alice.create("Another")

    changed = change(alice, by, 1, recurrence={"rule": MONDAYS_AND_THURSDAYS, "from": "completion"})

    members = {
        **first_of_series(MONDAYS_AND_THURSDAYS, DUE, 1, **{"from": "completion"}),
        "recurrence_text": changed["recurrence_text"],
    }
    assert changed == {**task, **members, "revision": 3, "updated_at": MOMENT}


def test_the_date_by_the_rule_is_the_due_date_though_that_is_on_no_day_of_the_rule(alice):
    tuesday = day(6)

    task = alice.create("Bins", due_date=tuesday, recurrence={"rule": MONDAYS_AND_THURSDAYS})

    members = first_of_series(MONDAYS_AND_THURSDAYS, tuesday, 1)
    assert task == a_task(alice.id, 1, "Bins", **members)
    complete(alice, 1)
    assert live(alice)[3] == following(task, 3, day(8))


@pytest.mark.parametrize(
    ("given", "tz", "due"),
    [
        ({"recurrence": DAILY}, "", "2026-11-25"),
        ({"recurrence": DAILY}, "?tz=Asia/Tokyo", "2026-11-26"),
        ({"recurrence": DAILY, "time_zone": "Asia/Tokyo"}, "?tz=America/Lima", "2026-11-26"),
        ({"recurrence": {"rule": MONDAYS_AND_THURSDAYS}}, "", "2026-11-26"),
        ({"recurrence": {"rule": "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"}}, "", "2026-12-01"),
        ({"recurrence": {"rule": EVERY_THREE, "start": "2026-11-20"}}, "", "2026-11-26"),
        (
            {"recurrence": {"rule": "FREQ=DAILY", "start": "2026-11-20T06:00:00Z"}},
            "",
            "2026-11-25T06:00:00.000Z",
        ),
    ],
)
def test_a_task_without_a_due_date_is_given_the_first_date_from_today_on(service, given, tz, due):
    with frozen(service, WEDNESDAY_NIGHT) as alice:
        created = alice("POST", tz, json={"title": "x", **given}).json()
        alice.create("x")
        patched = alice("PATCH", f"2{tz}", json=given).json()

    for task in (created, patched):
        assert (task["due_date"], task["occurrence"]) == (due, due)
        given_start = given["recurrence"].get("start")
        assert task["recurrence"]["start"][:10] == (given_start or due)[:10]


UNCHANGED: list[dict[str, Any]] = [
    {},
    {"recurrence": {}},
    {"recurrence": {"rule": "FREQ=DAILY"}},
    {"recurrence": {"rule": "interval=1;freq=daily"}},
    {"recurrence": {"from": None}},
    {"recurrence": {"from": "due"}},
    {"recurrence": {"start": DUE}},
    {"recurrence": {"rule": "FREQ=DAILY", "from": "due", "start": DUE}},
    {"time_zone": None},
    {"due_date": day(6)},
]


@pytest.mark.parametrize("changes", UNCHANGED, ids=str)
def test_the_same_values_again_change_nothing(alice, second, changes):
    assert change(alice, "PATCH", 3, **changes) == second
    assert change(alice, "PUT", 3, title="Water the plants", **changes) == {
        **second,
        "title": "Water the plants",
        "revision": 4,
        "updated_at": MOMENT,
    }


ANOTHER: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"recurrence": {"rule": EVERY_THREE}}, {"rule": EVERY_THREE}),
    ({"recurrence": {"from": "completion"}}, {"from": "completion"}),
    ({"recurrence": {"start": day(1)}}, {"start": day(1)}),
    (
        {"recurrence": {"rule": EVERY_THREE, "start": day(2)}},
        {"rule": EVERY_THREE, "start": day(2)},
    ),
    ({"time_zone": "Europe/Berlin"}, {}),
    ({"due_date": "2099-01-06T07:00:00+01:00"}, {}),
]


@pytest.mark.parametrize(("changes", "recurrence"), ANOTHER, ids=str)
@pytest.mark.parametrize("by", ["PUT", "PATCH", "bulk"])
def test_another_value_begins_a_new_series_at_this_task(alice, second, by, changes, recurrence):
    changed = change(alice, by, 3, **changes)

    due = "2099-01-06T06:00:00.000Z" if "due_date" in changes else day(6)
    rule = recurrence.get("rule", "FREQ=DAILY")
    members = first_of_series(rule, due, 3, **recurrence)
    if recurrence.get("from"):
        members["recurrence_text"] = "every day after completion"
    fields = {name: changes[name] for name in ("time_zone",) if name in changes}
    assert changed == {**second, **fields, **members, "revision": 4, "updated_at": MOMENT}
    assert alice("GET", "3").json() == changed


def test_a_rule_that_was_set_stays_where_only_from_is_changed(alice):
    rule = {"rule": MONDAYS_AND_THURSDAYS, "from": "completion", "start": day(1)}
    alice.create("Bins", due_date=DUE, recurrence=rule)

    changed = change(alice, "PUT", 1, recurrence={"from": None})

    assert changed["recurrence"] == {"rule": MONDAYS_AND_THURSDAYS, "from": "due", "start": DUE}


def test_moving_the_due_date_moves_this_task_alone(alice):
    task = alice.create("Bins", due_date=DUE, recurrence={"rule": MONDAYS_AND_THURSDAYS})

    moved = change(alice, "PATCH", 1, due_date=day(7))
    complete(alice, 1)

    assert moved == {**task, "due_date": day(7), "revision": 2, "updated_at": MOMENT}
    assert live(alice)[4] == following(task, 4, day(8))


def test_a_due_date_that_is_moved_behind_the_next_one_moves_that_one_not(alice):
    task = alice.create("Water", due_date=DUE, recurrence=DAILY)
    change(alice, "PATCH", 1, due_date=day(20))

    complete(alice, 1)

    assert live(alice)[4] == following(task, 4, day(6))


@pytest.mark.parametrize("by", ["PUT", "PATCH", "bulk"])
def test_null_ends_the_series_and_leaves_its_neighbours_known(alice, second, by):
    ended = change(alice, by, 3, recurrence=None)

    due = {"due_date": day(6), "previous_id": 1}
    expected = {**second, **NO_SERIES, **due, "revision": 4, "updated_at": MOMENT}
    assert ended == expected
    assert change(alice, by, 3, recurrence=None) == expected
    assert change(alice, by, 3, due_date=None)["due_date"] is None
    complete(alice, 3)
    assert sorted(live(alice)) == [1, 3]


def test_a_series_that_ends_loses_its_due_date_in_the_same_update(alice, second):
    ended = change(alice, "PATCH", 3, recurrence=None, due_date=None)

    assert ended == {
        **second,
        **NO_SERIES,
        "due_date": None,
        "previous_id": 1,
        "revision": 4,
        "updated_at": MOMENT,
    }


def test_a_completed_task_begins_a_series_whose_next_one_waits_for_another_completion(alice):
    task = alice.create("Water", due_date=DUE, completed=True)

    changed = change(alice, "PATCH", 1, recurrence=DAILY)

    series = first_of_series("FREQ=DAILY", DUE, 1)
    assert changed == {**task, **series, "revision": 2, "updated_at": MOMENT}
    assert (sorted(live(alice)), revision(alice)) == ([1], 2)
    complete(alice, 1, completed=False)
    complete(alice, 1)
    assert live(alice)[5]["previous_id"] == 1


def test_a_time_zone_alone_is_kept_by_a_task_that_does_not_repeat(alice):
    task = alice.create(time_zone="Europe/Berlin")

    assert task == a_task(alice.id, 1, "Buy milk", time_zone="Europe/Berlin")
    cleared = change(alice, "PUT", 1, time_zone=None)
    assert cleared == a_task(alice.id, 1, "Buy milk", revision=2)


def test_a_copy_of_what_the_api_showed_is_the_first_of_a_series_of_its_own(alice):
    task = alice.create("Water", due_date=DUE, recurrence=DAILY)

    copy = alice.create("Water", due_date=DUE, recurrence=task["recurrence"])

    assert copy == a_first(alice.id, 2, "Water")
