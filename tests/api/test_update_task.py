"""``PUT /api/{user_id}/tasks/{task_id}``: a partial update."""

import time

import pytest

from tests.api.expect import (
    MOMENT,
    SET_BY_SERVER,
    a_task,
    in_body,
    invalid,
    problem,
    refusal,
    unknown,
)
from todo.values import clock

pytestmark = pytest.mark.pooled

TITLE_RULE = "must have a character that is not a space, and no NUL"


@pytest.fixture
def task(alice):
    """Alice's first task."""
    return alice.create(title="Buy milk", description="Two litres")


def test_update_changes_the_fields_that_are_given(alice, task):
    response = alice("PUT", "1", json={"title": "Buy oat milk", "description": "One litre"})

    assert response.status_code == 200
    assert response.json() == {
        **task,
        "title": "Buy oat milk",
        "description": "One litre",
        "updated_at": MOMENT,
        "revision": 2,
    }
    assert alice("GET", "1").json() == response.json()


@pytest.mark.parametrize(
    ("changes", "changed"),
    [
        ({"title": "Buy oat milk"}, {"title": "Buy oat milk"}),
        ({"description": "One litre"}, {"description": "One litre"}),
        ({"completed": True}, {"completed": True, "completed_at": MOMENT}),
    ],
)
def test_update_leaves_the_fields_that_are_absent(alice, task, changes, changed):
    updated = alice("PUT", "1", json=changes).json()

    assert updated == {**task, **changed, "updated_at": MOMENT, "revision": 2}
    assert alice("GET", "1").json() == updated


def test_update_with_a_null_description_clears_it(alice, task):
    updated = alice("PUT", "1", json={"description": None}).json()

    assert updated == {**task, "description": None, "updated_at": MOMENT, "revision": 2}
    assert alice("GET", "1").json() == updated


def test_update_with_an_empty_description_keeps_it_empty(alice, task):
    updated = alice("PUT", "1", json={"description": ""}).json()

    assert updated == {**task, "description": "", "updated_at": MOMENT, "revision": 2}
    assert alice("GET", "1").json() == updated


def test_update_of_a_null_description_to_an_empty_one_is_a_change(alice):
    alice.create(title="Buy milk")
    updated = alice("PUT", "1", json={"description": ""}).json()

    assert updated == a_task(alice.id, 1, "Buy milk", description="", revision=2)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"title": "Buy milk"},
        {"description": "Two litres"},
        {"completed": False},
        {"title": "Buy milk", "description": "Two litres", "completed": False},
    ],
)
def test_update_of_nothing_keeps_updated_at_and_revision(alice, task, changes):
    response = alice("PUT", "1", json=changes)

    assert response.status_code == 200
    assert response.json() == task
    assert alice("GET", "").json()["revision"] == 1


def test_update_gives_updated_at_a_new_moment_and_keeps_created_at(alice, task):
    while clock.now() == task["updated_at"]:
        time.sleep(0.001)
    updated = alice("PUT", "1", json={"title": "Buy oat milk"}).json()

    assert updated["created_at"] == task["created_at"]
    assert updated["updated_at"] != task["updated_at"]


def test_completed_at_follows_completed(alice, task):
    done = alice("PUT", "1", json={"completed": True}).json()
    renamed = alice("PUT", "1", json={"title": "Buy oat milk"}).json()
    open_again = alice("PUT", "1", json={"completed": False}).json()

    assert done["completed_at"] == done["updated_at"] == MOMENT
    assert renamed["completed_at"] == done["completed_at"]
    assert (open_again["completed"], open_again["completed_at"]) == (False, None)


def test_update_that_completes_a_completed_task_keeps_when_it_was_completed(alice):
    task = alice.create(completed=True)
    updated = alice("PUT", "1", json={"title": "Buy oat milk", "completed": True}).json()

    assert updated == {**task, "title": "Buy oat milk", "updated_at": MOMENT, "revision": 2}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"title": None}, in_body("/title", "type", 'is not of type "string"')),
        ({"title": " "}, in_body("/title", "pattern", TITLE_RULE)),
        ({"title": "NUL\0"}, in_body("/title", "pattern", TITLE_RULE)),
        ({"title": "x" * 201}, in_body("/title", "too_long", "is longer than 200 characters")),
        (
            {"description": "x" * 1001},
            in_body("/description", "too_long", "is longer than 1000 characters"),
        ),
        ({"completed": None}, in_body("/completed", "type", 'is not of type "boolean"')),
        ({"starred": True}, unknown("starred")),
        ({"category": "home"}, unknown("category", "; did you mean 'tags'?")),
        ({"id": 1}, unknown("id", SET_BY_SERVER)),
        ({"user_id": "bob"}, unknown("user_id", SET_BY_SERVER)),
        (
            {"created_at": "2020-01-01T00:00:00.000Z"},
            unknown("created_at", SET_BY_SERVER),
        ),
        ({"revision": 1}, unknown("revision", SET_BY_SERVER)),
        ({"deleted_at": None}, unknown("deleted_at", SET_BY_SERVER)),
        ([], in_body("", "type", 'is not of type "object"')),
        ("text", in_body("", "type", 'is not of type "object"')),
    ],
    ids=lambda value: ascii(value)[:24],
)  # fmt: skip
def test_update_refuses_what_is_against_the_contract_and_changes_nothing(
    alice, task, changes, error
):
    response = alice("PUT", "1", json=changes)

    assert refusal(response) == invalid(f"{alice.tasks}/1", error)
    assert alice("GET", "1").json() == task


def test_update_with_one_bad_field_changes_none(alice, task):
    response = alice("PUT", "1", json={"title": "Buy oat milk", "completed": "yes"})

    error = in_body("/completed", "type", 'is not of type "boolean"')
    assert refusal(response) == invalid(f"{alice.tasks}/1", error)
    assert alice("GET", "1").json() == task


def test_update_of_an_absent_task_is_404(alice):
    response = alice("PUT", "7", json={"title": "Buy oat milk"})

    expected = problem("task_not_found", "Task not found", f"{alice.tasks}/7")
    assert refusal(response) == expected


def test_update_of_a_deleted_task_is_404_and_does_not_bring_it_back(alice, task):
    alice("DELETE", "1")
    response = alice("PUT", "1", json={"title": "Buy oat milk"})

    expected = problem("task_not_found", "Task not found", f"{alice.tasks}/1")
    assert refusal(response) == expected
    assert alice("GET", "").json()["tasks"] == []


def test_update_without_a_body_is_refused(alice, task):
    response = alice("PUT", "1")

    expected = problem("body_required", "Send a JSON object as the body.", f"{alice.tasks}/1")
    assert refusal(response) == expected


def test_update_takes_no_fields_from_the_query(alice, task):
    response = alice("PUT", "1?title=Sneaky", json={"description": None})

    detail = "'title' is not a parameter of this operation, which has: tz."
    assert refusal(response) == problem("unknown_parameter", detail, f"{alice.tasks}/1")
    assert alice("GET", "1").json() == task
