"""``POST .../skip`` gives a task the next date; ``GET .../occurrences`` lists them."""

import pytest

from tests.api.calls import complete, live, revision
from tests.api.clock import frozen
from tests.api.expect import MOMENT, in_query, invalid, problem, refusal
from tests.api.repeating import DAILY, DUE, day, following

pytestmark = [pytest.mark.pooled, pytest.mark.usefixtures("everything_is_sound")]

NO_RULE, COMPLETED, LAST = "has no recurrence", "is completed", "is the last one of its series"


@pytest.fixture
def task(alice):
    """A task that repeats every day."""
    return alice.create("Water", due_date=DUE, recurrence=DAILY)


def skip(caller, task_id=1, **kwargs):
    return caller("POST", f"{task_id}/skip", **kwargs)


def occurrences(caller, query="", task_id=1):
    response = caller("GET", f"{task_id}/occurrences{query}")
    assert response.status_code == 200
    return response.json()


def test_a_task_takes_the_next_date_in_place(alice, task):
    response = skip(alice)

    skipped = {
        **task,
        "due_date": day(6),
        "occurrence": day(6),
        "revision": 2,
        "updated_at": MOMENT,
    }
    assert (response.status_code, response.json()) == (200, skipped)
    assert response.headers["etag"] == alice("GET", "1").headers["etag"]
    assert live(alice) == {1: skipped}
    complete(alice, 1)
    assert live(alice)[4] == following(skipped, 4, day(7))


def test_a_due_date_that_was_moved_comes_back_to_the_rhythm(alice, task):
    alice("PATCH", "1", json={"due_date": day(20)})

    assert skip(alice).json()["due_date"] == day(6)


@pytest.mark.parametrize(
    ("rule", "tz", "expected"),
    [
        (DAILY, "", "2026-11-26"),
        (DAILY, "?tz=Asia/Tokyo", "2026-11-27"),
        ({"rule": "FREQ=WEEKLY", "from": "completion"}, "", "2026-12-02"),
    ],
)
def test_the_next_date_is_later_than_now(service, rule, tz, expected):
    with frozen(service, "2026-11-25T23:30:00Z") as alice:
        alice.create(due_date="2026-11-20", recurrence=rule)
        assert alice("POST", f"1/skip{tz}").json()["due_date"] == expected


def test_skipping_makes_no_task_so_count_counts_none(alice):
    alice.create(due_date=DUE, recurrence={"rule": "FREQ=DAILY;COUNT=2"})
    skip(alice)

    complete(alice, 1)

    last = live(alice)[4]
    assert (last["due_date"], last["occurrence_number"]) == (day(7), 2)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"due_date": DUE}, NO_RULE),
        ({"due_date": DUE, "recurrence": DAILY, "completed": True}, COMPLETED),
        ({"due_date": DUE, "recurrence": {"rule": "FREQ=DAILY;COUNT=1"}}, LAST),
        ({"due_date": DUE, "recurrence": {"rule": "FREQ=DAILY;UNTIL=20990105"}}, LAST),
    ],
)
def test_there_is_nothing_to_skip_to(alice, fields, why):
    before = alice.create(**fields)

    error = in_query("task_id", "contradiction", why)
    assert refusal(skip(alice)) == invalid(f"{alice.tasks}/1/skip", error)
    assert live(alice) == {1: before}


def test_a_deleted_task_is_not_skipped(alice, task):
    alice("DELETE", "1")

    expected = problem("task_not_found", "Task not found", f"{alice.tasks}/1/skip")
    assert refusal(skip(alice)) == expected


def test_skip_takes_if_match(alice, task):
    stale = {"If-Match": alice("GET", "1").headers["etag"]}
    current = alice("PATCH", "1", json={"title": "Changed"}).json()

    refused = skip(alice, headers=stale)
    assert (refused.status_code, refused.json()["current"]) == (412, current)

    response = skip(alice, headers={"If-Match": refused.headers["etag"]})
    assert (response.status_code, response.json()["due_date"]) == (200, day(6))


def test_a_repeat_under_its_key_skips_once(alice, task):
    key = {"Idempotency-Key": "once"}

    first, again = skip(alice, headers=key), skip(alice, headers=key)

    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert revision(alice) == 2


def test_the_dates_behind_the_task_are_listed(alice, task):
    assert occurrences(alice) == {"occurrences": [day(number) for number in range(6, 16)]}
    assert occurrences(alice, "?limit=2") == {"occurrences": [day(6), day(7)]}
    assert len(occurrences(alice, "?limit=100")["occurrences"]) == 100


def test_they_are_those_behind_its_own_date_by_the_rule(alice, task):
    alice("PATCH", "1", json={"due_date": day(20)})
    complete(alice, 1)

    assert occurrences(alice, "?limit=1") == {"occurrences": [day(6)]}
    assert occurrences(alice, "?limit=1", task_id=4) == {"occurrences": [day(7)]}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"rule": "FREQ=DAILY;COUNT=3"}, [day(6), day(7)]),
        ({"rule": "FREQ=DAILY;UNTIL=20990106"}, [day(6)]),
        ({"rule": "FREQ=DAILY;COUNT=1"}, []),
        (
            {"rule": "FREQ=MONTHLY;COUNT=4", "start": "2098-10-31"},
            ["2099-01-31", "2099-02-28", "2099-03-31"],
        ),
        ({"rule": "FREQ=WEEKLY;COUNT=3", "from": "completion"}, [day(12), day(19)]),
    ],
)
def test_they_end_where_the_series_does(alice, rule, expected):
    alice.create(due_date=DUE, recurrence=rule)

    assert occurrences(alice) == {"occurrences": expected}


def test_their_time_of_day_is_that_of_the_zone(alice):
    alice.create(due_date="2099-03-28T07:00:00Z", recurrence=DAILY)
    utc, berlin = "2099-03-29T07:00:00.000Z", "2099-03-29T06:00:00.000Z"

    assert occurrences(alice, "?limit=1") == {"occurrences": [utc]}
    assert occurrences(alice, "?limit=1&tz=Europe/Berlin") == {"occurrences": [berlin]}
    alice("PATCH", "1", json={"time_zone": "Europe/Berlin"})
    assert occurrences(alice, "?limit=1&tz=Asia/Tokyo") == {"occurrences": [berlin]}


def test_a_task_without_a_rule_has_none(alice):
    alice.create(due_date=DUE)

    assert occurrences(alice) == {"occurrences": []}


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("?limit=0", in_query("limit", "too_small", "is less than the minimum of 1")),
        ("?limit=101", in_query("limit", "too_large", "is greater than the maximum of 100")),
    ],
)
def test_a_limit_out_of_bounds_is_refused(alice, task, query, error):
    response = alice("GET", f"1/occurrences{query}")

    assert refusal(response) == invalid(f"{alice.tasks}/1/occurrences", error)


def test_a_series_whose_end_is_past_has_no_date_to_skip_to(alice):
    ended = {"rule": "FREQ=DAILY;UNTIL=20200105"}
    alice.create("Water", due_date="2020-01-01", recurrence=ended)

    refused = refusal(alice("POST", "1/skip"))

    last = in_query("task_id", "contradiction", "is the last one of its series")
    assert refused == invalid(f"{alice.tasks}/1/skip", last)


def test_skips_of_a_task_that_counts_from_completion_go_forward(alice):
    every_three = {"rule": "FREQ=DAILY;INTERVAL=3", "from": "completion"}
    alice.create("Water", due_date=day(5), recurrence=every_three)

    skipped = [alice("POST", "1/skip").json()["due_date"] for _ in range(2)]

    assert skipped == [day(8), day(11)]
