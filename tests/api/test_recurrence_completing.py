"""Completing a task that repeats makes the next one: by every way, in its place, and once."""

from typing import Any

import pytest

from tests.api.calls import bulk, complete, live, order, revision, trash, undo, undone
from tests.api.clock import frozen
from tests.api.expect import MOMENT, a_page, in_body, problem, refusal
from tests.api.places import squeeze
from tests.api.repeating import DAILY, DUE, a_first, day, done, following
from tests.conftest import Caller, settings_for
from tests.integration.tables import rows

pytestmark = [pytest.mark.pooled, pytest.mark.usefixtures("everything_is_sound")]

Json = dict[str, Any]

BULK_UPDATE = {"op": "update", "id": 1, "data": {"completed": True}}
BULK_COMPLETE = {"op": "complete", "id": 1, "completed": True}
WAYS: dict[str, tuple[str, str, Any]] = {
    "complete": ("PATCH", "1/complete", None),
    "complete with a body": ("PATCH", "1/complete", {"completed": True}),
    "complete with subtasks": ("PATCH", "1/complete", {"completed": True, "subtasks": True}),
    "put": ("PUT", "1", {"completed": True}),
    "patch": ("PATCH", "1", {"completed": True}),
    "patch by the query": ("PATCH", "1?completed=true", None),
    "update in a bulk": ("POST", "bulk", {"operations": [BULK_UPDATE]}),
    "complete in a bulk": ("POST", "bulk", {"operations": [BULK_COMPLETE]}),
    "complete all": ("POST", "complete-all", {"completed": True}),
}
SINGLE = ["complete", "put", "patch by the query"]
"""Ways whose answer is the task."""


def by(caller: Caller, way: tuple[str, str, Any], **kwargs: Any) -> Any:
    """Complete task 1."""
    method, path, body = way
    response = caller(method, path, **({} if body is None else {"json": body}), **kwargs)
    assert response.is_success, response.text
    return response


def due_dates(caller: Caller) -> list[str]:
    """Those of all live tasks, in the order in which they were made."""
    return [task["due_date"] for _, task in sorted(live(caller).items())]


def complete_one_after_the_other(caller: Caller, times: int) -> None:
    for _ in range(times):
        [task] = [one for one in live(caller).values() if not one["completed"]]
        complete(caller, task["id"])


@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
def test_completing_makes_one_next_task_with_the_same_fields(alice, way):
    fields = {"description": "All of them", "priority": "high", "tags": ["home", "Balcony"]}
    zone = {"time_zone": "Europe/Berlin"}
    task = alice.create("Water", due_date=DUE, recurrence=DAILY, **fields, **zone)

    by(alice, way)

    assert task == a_first(alice.id, 1, "Water", **fields, **zone)
    first, second = done(task, 2, next_id=3), following(task, 3, day(6))
    assert alice("GET", "?order=asc").json() == a_page([first, second])


@pytest.mark.parametrize("way", SINGLE)
def test_the_answer_is_the_task_that_was_completed(alice, way):
    task = alice.create("Water", due_date=DUE, recurrence=DAILY)

    response = by(alice, WAYS[way])

    assert response.json() == done(task, 2, next_id=3)
    assert response.headers["etag"] == alice("GET", "1").headers["etag"]


def test_a_bulk_answers_with_the_task_that_was_completed_and_a_dry_run_makes_none(alice):
    task = alice.create("Water", due_date=DUE, recurrence=DAILY)

    rehearsed = bulk(alice, BULK_COMPLETE, dry_run=True).json()
    assert rehearsed["results"][0]["task"] == {
        **done(task, 2),
        "revision": None,
        "next_id": None,
    }
    assert (live(alice), revision(alice)) == ({1: task}, 1)

    answer = bulk(alice, BULK_COMPLETE).json()
    assert answer == {
        "results": [{"status": 200, "task": done(task, 2, next_id=3)}],
        "revision": 3,
    }


def test_an_update_completes_the_task_that_it_makes_of_it(alice):
    task = alice.create("Water", due_date=DUE, recurrence=DAILY)

    changes = {"title": "Water all", "due_date": day(10), "completed": True}
    updated = alice("PATCH", "1", json=changes).json()

    changed = {**task, "title": "Water all", "due_date": day(10)}
    assert updated == done(changed, 2, next_id=3)
    assert live(alice)[3] == following(changed, 3, day(6))


def test_an_update_that_sets_a_rule_and_completes_makes_a_next_one(alice):
    alice.create(due_date=DUE)

    alice("PATCH", "1", json={"completed": True, "recurrence": DAILY})

    first = a_first(alice.id, 1, "Buy milk")
    assert live(alice) == {1: done(first, 2, next_id=3), 3: following(first, 3, day(6))}


def test_an_update_that_ends_the_series_and_completes_makes_none(alice):
    alice.create(due_date=DUE, recurrence=DAILY)

    alice("PATCH", "1", json={"completed": True, "recurrence": None})

    assert sorted(live(alice)) == [1]


def test_an_update_to_another_place_makes_the_next_one_there(alice):
    alice.create_list()
    alice.create("Water", due_date=DUE, recurrence=DAILY)
    alice.create("Another", list_id=1)

    alice("PATCH", "2", json={"completed": True, "list_id": 1})

    assert order(alice, 1) == [3, 2, 5]


@pytest.mark.parametrize("place", ["inbox", "list", "parent"])
def test_the_next_one_stands_behind_the_task(alice, place):
    alice.create_list()
    alice.create("Above")
    where: Json = {"inbox": {}, "list": {"list_id": 1}, "parent": {"parent_id": 2}}[place]
    for title in ("a", "b", "c"):
        alice.create(title, due_date=DUE, recurrence=DAILY, **where)

    complete(alice, 4)
    complete(alice, 3)
    complete(alice, 5)

    place = {"list_id": where.get("list_id"), "parent_id": where.get("parent_id")}
    before = [2] if where == {} else []
    assert order(alice, **place) == [*before, 3, 9, 4, 7, 5, 11]
    listed = alice(
        "GET",
        "?sort=position&" + ("parent=2" if place["parent_id"] else "parent=none&list=")
        + ("" if place["parent_id"] else str(place["list_id"] or "none")),
    )  # fmt: skip
    assert [task["id"] for task in listed.json()["tasks"]] == [*before, 3, 9, 4, 7, 5, 11]


def test_the_next_ones_of_a_bulk_stand_behind_their_tasks(alice):
    for _ in range(3):
        alice.create(due_date=DUE, recurrence=DAILY)

    bulk(
        alice,
        {"op": "complete", "id": 2, "completed": True},
        {"op": "move", "id": 3, "before": 1},
        {"op": "update", "id": 1, "data": {"completed": True}},
    )

    made = {task["previous_id"]: one for one, task in live(alice).items()}
    assert order(alice) == [3, 1, made[1], 2, made[2]]


def test_a_gap_without_room_gets_some_and_the_next_one_is_there(service, alice):
    for _ in range(3):
        alice.create(due_date=DUE, recurrence=DAILY)
    squeeze(service, alice, {1: 1, 2: 11})

    complete(alice, 1)

    [made] = [one for one, task in live(alice).items() if task["previous_id"] == 1]
    assert order(alice) == [1, made, 2, 3]


def test_all_at_once_the_next_one_goes_to_the_end_where_the_gap_has_no_room(service, alice):
    for _ in range(3):
        alice.create()
    alice("PATCH", "1", json={"due_date": DUE, "recurrence": DAILY})
    squeeze(service, alice, {1: 1, 2: 11})
    before = order(alice)

    completed = alice("POST", "complete-all", json={"completed": True}).json()

    [made] = [one for one, task in live(alice).items() if task["previous_id"] == 1]
    assert order(alice) == [*before, made]
    assert undo(alice, completed["revision"]).is_success  # no task has changed twice
    assert order(alice) == before


def test_steps_that_made_room_are_completed_where_they_are_by_then(service, alice):
    alice.create("Card")
    for _ in range(3):
        alice.create(due_date=DUE, recurrence=DAILY, parent_id=1)
    squeeze(service, alice, {2: 1, 3: 2, 4: 3})

    response = alice("PATCH", "1/complete", json={"completed": True, "subtasks": True})

    assert response.status_code == 200
    made = {task["previous_id"]: one for one, task in live(alice).items()}
    assert order(alice, parent_id=1) == [2, made[2], 3, made[3], 4, made[4]]
    undone(alice)
    assert order(alice, parent_id=1) == [2, 3, 4]


def test_the_next_one_goes_to_the_end_where_no_gap_around_has_room(service, alice):
    data = {"title": "x", "due_date": DUE, "recurrence": DAILY}
    for _ in range(11):
        assert bulk(alice, *[{"op": "create", "data": data}] * 100).is_success
    crowd = (
        "UPDATE tasks SET position = :zeros || substr(CAST(100000 + id AS text), 2) || '000000001'"
        " WHERE user_id = :owner"
    )
    rows(service.settings.database_url, crowd, zeros="a1" + "0" * 84, owner=alice.id)

    assert complete(alice, 550).is_success

    last = alice("GET", "?sort=position&order=desc&parent=none&list=none&limit=1").json()
    [made] = last["tasks"]
    assert (made["id"], made["previous_id"]) == (1102, 550)


def test_a_rehearsed_completion_tells_no_id_that_is_not_there(alice):
    alice.create("Water", due_date=DUE, recurrence=DAILY)
    alice.create("step", parent_id=1)
    rename = {"op": "update", "id": 2, "data": {"title": "Step"}}

    rehearsed = bulk(alice, BULK_COMPLETE, rename, dry_run=True).json()["results"]

    assert [one["task"]["next_id"] for one in rehearsed] == [None, None]
    assert [one["task"]["parent_id"] for one in rehearsed] == [None, None]
    assert revision(alice) == 2


def test_a_bulk_that_brings_a_task_back_makes_no_second_next_one(alice):
    alice.create("Card")
    alice.create("Step", due_date=DUE, recurrence=DAILY, parent_id=1)
    complete(alice, 2)
    alice("PATCH", "4", json={"title": "Other", "parent_id": None})
    complete(alice, 2)
    alice("DELETE", "1")

    restored = bulk(
        alice, {"op": "restore", "id": 1}, {"op": "complete", "id": 2, "completed": True}
    )

    assert restored.json()["results"][1]["task"]["next_id"] == 4
    assert sorted(live(alice)) == [1, 2, 4]


def test_count_counts_the_tasks_that_were_made(alice):
    alice.create(due_date=DUE, recurrence={"rule": "FREQ=DAILY;COUNT=3"})

    complete_one_after_the_other(alice, 3)

    assert due_dates(alice) == [day(5), day(6), day(7)]
    assert [t["occurrence_number"] for t in live(alice).values()] == [3, 2, 1]
    last = alice("GET", "5").json()
    assert (last["completed"], last["next_id"]) == (True, None)


@pytest.mark.parametrize(
    ("until", "due", "expected"),
    [
        ("20990106", DUE, [day(5), day(6)]),
        ("20990106T080000Z", "2099-01-05T08:00:00Z", [f"{day(n)}T08:00:00.000Z" for n in (5, 6)]),
        ("20990106T075959Z", "2099-01-05T08:00:00Z", [f"{day(5)}T08:00:00.000Z"]),
        ("20990106", "2099-01-05T23:59:00Z", [f"{day(n)}T23:59:00.000Z" for n in (5, 6)]),
    ],
)
def test_until_is_the_last_day_or_moment(alice, until, due, expected):
    alice.create(due_date=due, recurrence={"rule": f"FREQ=DAILY;UNTIL={until}"})

    complete_one_after_the_other(alice, len(expected))

    assert due_dates(alice) == expected
    assert all(task["completed"] for task in live(alice).values())


@pytest.mark.parametrize(
    ("rule", "due", "expected"),
    [
        ({"rule": "FREQ=DAILY"}, "2026-11-20", "2026-11-26"),
        ({"rule": "FREQ=DAILY"}, "2026-11-25", "2026-11-26"),
        ({"rule": "FREQ=DAILY"}, "2026-12-24", "2026-12-25"),
        ({"rule": "FREQ=DAILY"}, "2026-11-20T20:00:00Z", "2026-11-25T20:00:00.000Z"),
        ({"rule": "FREQ=DAILY"}, "2026-11-20T09:00:00Z", "2026-11-26T09:00:00.000Z"),
        ({"rule": "FREQ=DAILY;INTERVAL=3"}, "2026-11-20", "2026-11-26"),
        ({"rule": "FREQ=DAILY;INTERVAL=3", "from": "completion"}, "2026-11-20", "2026-11-28"),
        ({"rule": "FREQ=WEEKLY", "from": "completion"}, "2026-12-24", "2026-12-02"),
        ({"rule": "FREQ=WEEKLY;BYDAY=MO", "from": "completion"}, "2026-12-24", "2026-11-30"),
        (
            {"rule": "FREQ=WEEKLY", "from": "completion"},
            "2026-11-20T09:00:00Z",
            "2026-12-02T09:00:00.000Z",
        ),
        ({"rule": "FREQ=MONTHLY", "start": "2026-01-31"}, "2026-10-31", "2026-11-30"),
    ],
)
def test_the_next_date_is_later_than_now(service, rule, due, expected):
    with frozen(service, "2026-11-25T12:00:00Z") as alice:
        alice.create(due_date=due, recurrence=rule)
        complete(alice, 1)
        assert due_dates(alice)[1:] == [expected]


@pytest.mark.parametrize(
    ("zone", "tz", "expected"),
    [
        (None, "", "2026-11-26"),
        (None, "?tz=Asia/Tokyo", "2026-11-27"),
        ("Asia/Tokyo", "?tz=America/Lima", "2026-11-27"),
    ],
)
@pytest.mark.parametrize("way", [*SINGLE, "complete in a bulk", "complete all"])
def test_the_day_is_that_of_the_task_or_else_that_of_the_request(service, way, zone, tz, expected):
    method, path, body = WAYS[way]
    tz = tz.replace("?", "&") if "?" in path else tz
    with frozen(service, "2026-11-25T23:30:00Z") as alice:
        alice.create(due_date="2026-11-20", recurrence=DAILY, time_zone=zone)
        by(alice, (method, f"{path}{tz}", body))
        assert due_dates(alice)[1:] == [expected]


def test_an_instant_keeps_its_time_of_day_when_the_clocks_change(alice):
    due = "2099-03-28T07:00:00Z"  # 8 o'clock; the clocks change on the 29th
    alice.create(due_date=due, recurrence=DAILY, time_zone="Europe/Berlin")

    complete_one_after_the_other(alice, 2)

    assert due_dates(alice) == [
        "2099-03-28T07:00:00.000Z",
        "2099-03-29T06:00:00.000Z",
        "2099-03-30T06:00:00.000Z",
    ]


def test_a_task_that_is_created_as_a_completed_one_makes_none(alice):
    task = alice.create(due_date=DUE, recurrence=DAILY, completed=True)
    bulk(alice, {"op": "create", "data": {"title": "x", "completed": True, "recurrence": DAILY}})

    first = a_first(alice.id, 1, "Buy milk")
    assert task == {**done(first, 1), "completed_at": MOMENT}
    assert sorted(live(alice)) == [1, 2]


def test_completing_again_makes_no_other_while_the_next_one_is_live(alice):
    task = alice.create(due_date=DUE, recurrence=DAILY)
    complete(alice, 1)
    alice("PATCH", "3", json={"title": "Changed"})

    complete(alice, 1)
    complete(alice, 1, completed=False)
    complete(alice, 1)

    assert live(alice)[1] == done(task, 6, next_id=3)
    assert sorted(live(alice)) == [1, 3]


def test_completing_again_makes_another_when_the_next_one_was_deleted(alice):
    task = alice.create(due_date=DUE, recurrence=DAILY)
    complete(alice, 1)
    alice("DELETE", "3")

    complete(alice, 1, completed=False)
    assert live(alice) == {1: {**task, "next_id": 3, "revision": 5, "updated_at": MOMENT}}
    complete(alice, 1)

    assert live(alice) == {1: done(task, 6, next_id=7), 7: following(task, 7, day(6))}
    assert sorted(trash(alice)) == [3]


def test_deleting_a_task_ends_its_series(alice):
    alice.create(due_date=DUE, recurrence=DAILY)

    alice("DELETE", "1")

    assert (live(alice), sorted(trash(alice))) == ({}, [1])


@pytest.fixture
def narrow(backend, serve, new_database):
    """A user who may have 10 tasks, and has: one of them repeats every day."""
    alice = serve(settings_for(new_database(backend), tasks_per_user=10)).caller()
    alice.create("Water", due_date=DUE, recurrence=DAILY)
    for _ in range(9):
        alice.create()
    return alice


@pytest.mark.parametrize("way", [WAYS[name] for name in ("complete", "complete in a bulk")])
def test_a_series_passes_the_quota_by_a_tenth(narrow, way):
    complete(narrow, 1)
    assert len(live(narrow)) == 11
    narrow("PATCH", "12", json={"title": "Another"})
    before, newest = live(narrow), revision(narrow)
    method, path, body = way
    path = path.replace("1", "12", 1)
    if path == "bulk":
        body = {"operations": [{**body["operations"][0], "id": 12}]}

    refused = narrow(method, path, **({} if body is None else {"json": body}))

    detail = "A user may have 10 tasks, the trash included; a series a tenth more."
    target = f"{narrow.tasks}/{path.partition('?')[0]}"
    expected = problem("quota_exceeded", detail, target)
    if path == "bulk":
        expected["errors"] = [in_body("/operations/0", "quota_exceeded", detail)]
    assert refusal(refused) == expected
    assert (live(narrow), revision(narrow)) == (before, newest)
    detail = "A user may have 10 tasks, the trash included."
    created = narrow("POST", "", json={"title": "x"})
    assert refusal(created) == problem("quota_exceeded", detail, narrow.tasks)


def test_the_last_one_of_a_series_is_completed_whatever_the_quota(narrow):
    complete(narrow, 1)
    narrow("PATCH", "12", json={"recurrence": {"rule": "FREQ=DAILY;COUNT=1"}})

    assert complete(narrow, 12).json()["completed"] is True


@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
def test_a_repeat_under_its_key_makes_no_second_one(alice, way):
    alice.create(due_date=DUE, recurrence=DAILY)
    key = {"Idempotency-Key": "once"}

    first = by(alice, way, headers=key)
    again = by(alice, way, headers=key)

    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert (sorted(live(alice)), revision(alice)) == ([1, 3], 3)


def test_who_completes_what_has_changed_makes_none(alice):
    alice.create(due_date=DUE, recurrence=DAILY)
    stale = {"If-Match": alice("GET", "1").headers["etag"]}
    current = alice("PATCH", "1", json={"title": "Changed"}).json()

    refused = complete(alice, 1, headers=stale)
    assert (refused.status_code, refused.json()["current"]) == (412, current)
    assert sorted(live(alice)) == [1]

    assert complete(alice, 1, headers={"If-Match": refused.headers["etag"]}).is_success
    assert sorted(live(alice)) == [1, 4]


def test_nobody_completes_the_task_of_another_user(alice, bob):
    alice.create(due_date=DUE, recurrence=DAILY)

    expected = problem("task_not_found", "Task not found", f"{bob.tasks}/1/complete")
    assert refusal(complete(bob, 1)) == expected
    assert sorted(live(alice)) == [1]
