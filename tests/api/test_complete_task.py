"""``PATCH /api/{user_id}/tasks/{task_id}/complete``."""

import pytest

from tests.api.expect import (
    MOMENT,
    NOT_BOOLEAN,
    UNQUOTED,
    in_body,
    invalid,
    problem,
    refusal,
    unknown,
)

pytestmark = pytest.mark.pooled

EMPTY_BODIES = [
    {},
    {"content": b""},
    {"headers": {"Content-Type": "application/json"}},
    {"headers": {"Content-Type": "application/json", "Content-Length": "0"}},
    {"headers": {"Content-Type": "text/plain"}},
    {"headers": {"Content-Type": "application/x-www-form-urlencoded"}},
    {"headers": {"Content-Type": "multipart/form-data; boundary=x"}},
    {"headers": {"Content-Type": "no media type at all"}},
    # Generated clients send JSON that is empty: axios an object, Go and Java a null.
    {"json": {}},
    {"content": b"null", "headers": {"Content-Type": "application/json"}},
    {"content": b"{}"},
    {"content": b"null", "headers": {"Content-Type": "text/plain; charset=latin-1"}},
    {"content": b"\r\n { \t}\n", "headers": {"Content-Type": "application/json; charset=utf-8"}},
]


@pytest.fixture
def task(alice):
    """Alice's first task."""
    return alice.create()


@pytest.mark.parametrize("request_parts", EMPTY_BODIES, ids=ascii)
def test_complete_without_a_body_toggles_whatever_the_content_type(alice, task, request_parts):
    done = alice("PATCH", "1/complete", **request_parts)
    open_again = alice("PATCH", "1/complete", **request_parts)

    assert (done.status_code, open_again.status_code) == (200, 200)
    assert done.json() == {
        **task,
        "completed": True,
        "completed_at": done.json()["updated_at"],
        "updated_at": MOMENT,
        "revision": 2,
    }
    assert open_again.json() == {**task, "updated_at": MOMENT, "revision": 3}
    assert alice("GET", "1").json() == open_again.json()


def test_complete_with_a_body_sets_the_state(alice, task):
    done = alice("PATCH", "1/complete", json={"completed": True})
    open_again = alice("PATCH", "1/complete", json={"completed": False})

    assert done.json() == {
        **task,
        "completed": True,
        "completed_at": MOMENT,
        "updated_at": MOMENT,
        "revision": 2,
    }
    assert open_again.json() == {**task, "updated_at": MOMENT, "revision": 3}


def test_complete_with_a_body_is_safe_to_repeat(alice, task):
    first, again = (alice("PATCH", "1/complete", json={"completed": True}) for _ in range(2))

    assert again.status_code == 200
    assert again.json() == first.json()
    assert alice("GET", "").json()["revision"] == 2


def test_complete_that_takes_back_an_open_task_changes_nothing(alice, task):
    assert alice("PATCH", "1/complete", json={"completed": False}).json() == task


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"completed": None}, in_body("/completed", "type", 'is not of type "boolean"')),
        ({"completed": "true"}, in_body("/completed", "type", NOT_BOOLEAN + UNQUOTED)),
        ({"completed": 1}, in_body("/completed", "type", 'is not of type "boolean"')),
        ({"completed": True, "title": "A"}, unknown("title")),
        (True, in_body("", "type", 'is not of type "object"')),
        ([], in_body("", "type", 'is not of type "object"')),
    ],
    ids=lambda value: ascii(value)[:24],
)  # fmt: skip
def test_complete_refuses_a_body_that_is_against_the_contract(alice, task, body, error):
    response = alice("PATCH", "1/complete", json=body)

    assert refusal(response) == invalid(f"{alice.tasks}/1/complete", error)
    assert alice("GET", "1").json() == task


@pytest.mark.parametrize("body", [{}, {"json": {"completed": True}}])
def test_complete_of_an_absent_task_is_404(alice, body):
    response = alice("PATCH", "7/complete", **body)

    expected = problem("task_not_found", "Task not found", f"{alice.tasks}/7/complete")
    assert refusal(response) == expected


def test_complete_of_a_deleted_task_is_404(alice, task):
    alice("DELETE", "1")

    expected = problem("task_not_found", "Task not found", f"{alice.tasks}/1/complete")
    assert refusal(alice("PATCH", "1/complete")) == expected


def test_complete_takes_no_state_from_the_query(alice, task):
    response = alice("PATCH", "1/complete?completed=true")

    detail = "'completed' is not a parameter of this operation, which has: tz."
    assert refusal(response) == problem("unknown_parameter", detail, f"{alice.tasks}/1/complete")
    assert alice("GET", "1").json() == task
