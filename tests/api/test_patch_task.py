"""``PATCH /api/{user_id}/tasks/{task_id}``: from a body, from the query, or from both."""

import pytest

from tests.api.expect import (
    MEANT_TRUE,
    MOMENT,
    NOT_BOOLEAN,
    SET_BY_SERVER,
    UNQUOTED,
    in_body,
    in_query,
    invalid,
    problem,
    refusal,
    unknown,
)

pytestmark = pytest.mark.pooled

TITLE_RULE = "must have a character that is not a space, and no NUL"


@pytest.fixture
def task(alice):
    """Alice's first task."""
    return alice.create(title="Buy milk", description="Two litres")


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "application/merge-patch+json",
        "Application/Merge-Patch+JSON; charset=UTF-8",
    ],
)
def test_patch_takes_a_merge_patch_under_either_media_type(alice, task, media_type):
    response = alice(
        "PATCH",
        "1",
        content=b'{"title": "Buy oat milk", "description": null}',
        headers={"Content-Type": media_type},
    )

    assert response.status_code == 200
    assert response.json() == {
        **task,
        "title": "Buy oat milk",
        "description": None,
        "updated_at": MOMENT,
        "revision": 2,
    }
    assert alice("GET", "1").json() == response.json()


@pytest.mark.parametrize(
    ("query", "changed"),
    [
        ("title=Buy%20oat+milk", {"title": "Buy oat milk"}),
        ("description=One%20litre", {"description": "One litre"}),
        ("description=", {"description": ""}),
        ("description=null", {"description": "null"}),
        ("completed=true", {"completed": True, "completed_at": MOMENT}),
        ("title=%F0%9F%98%80%26%3D&description=a,b", {"title": "😀&=", "description": "a,b"}),
    ],
)
def test_patch_takes_fields_from_the_query(alice, task, query, changed):
    response = alice("PATCH", f"1?{query}")

    assert response.status_code == 200
    assert response.json() == {**task, **changed, "updated_at": MOMENT, "revision": 2}
    assert alice("GET", "1").json() == response.json()


def test_patch_takes_the_same_limits_from_the_query(alice, task):
    longest = "x" * 200

    assert alice("PATCH", f"1?title={longest}").json()["title"] == longest


@pytest.mark.parametrize(
    ("query", "error"),
    [
        (f"title={'x' * 201}", in_query("title", "too_long", "is longer than 200 characters")),
        ("title=%20", in_query("title", "pattern", TITLE_RULE)),
        ("title=a%00b", in_query("title", "pattern", TITLE_RULE)),
        (
            f"description={'x' * 1001}",
            in_query("description", "too_long", "is longer than 1000 characters"),
        ),
        ("description=%00", in_query("description", "pattern", "must have no NUL")),
        ("completed=yes", in_query("completed", "type", NOT_BOOLEAN + MEANT_TRUE)),
        ("completed=True", in_query("completed", "type", NOT_BOOLEAN + MEANT_TRUE)),
    ],
    ids=lambda value: ascii(value)[:24],
)
def test_patch_refuses_a_query_field_that_is_against_the_contract(alice, task, query, error):
    response = alice("PATCH", f"1?{query}")

    assert refusal(response) == invalid(f"{alice.tasks}/1", error)
    assert alice("GET", "1").json() == task


def test_patch_takes_different_fields_from_body_and_query(alice, task):
    response = alice("PATCH", "1?completed=true", json={"title": "Buy oat milk"})

    assert response.json() == {
        **task,
        "title": "Buy oat milk",
        "completed": True,
        "completed_at": response.json()["updated_at"],
        "updated_at": MOMENT,
        "revision": 2,
    }


@pytest.mark.parametrize(
    ("query", "body", "names"),
    [
        ("title=A", {"title": "B"}, ["title"]),
        ("title=A", {"title": "A"}, ["title"]),
        ("description=A", {"description": None}, ["description"]),
        ("completed=false", {"completed": False}, ["completed"]),
        ("title=A&completed=true", {"title": "B", "completed": True}, ["title", "completed"]),
    ],
)
def test_patch_refuses_a_field_that_is_in_both_places(alice, task, query, body, names):
    response = alice("PATCH", f"1?{query}", json=body)

    twice = [
        in_query(name, "contradiction", "is given both in the query and in the body")
        for name in names
    ]
    assert refusal(response) == invalid(f"{alice.tasks}/1", *twice)
    assert alice("GET", "1").json() == task


@pytest.mark.parametrize(
    "request_parts",
    [
        {},
        {"json": {}},
        {"headers": {"Content-Type": "application/json"}},
        {"headers": {"Content-Type": "text/plain"}},
        {"json": {"title": "Buy milk"}},
        {"params": {"description": "Two litres"}},
    ],
    ids=ascii,
)
def test_patch_of_nothing_is_a_no_op(alice, task, request_parts):
    response = alice("PATCH", "1", **request_parts)

    assert response.status_code == 200
    assert response.json() == task


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"title": None}, in_body("/title", "type", 'is not of type "string"')),
        ({"completed": "true"}, in_body("/completed", "type", NOT_BOOLEAN + UNQUOTED)),
        ({"user_id": "bob"}, unknown("user_id", SET_BY_SERVER)),
        ({"revision": 9}, unknown("revision", SET_BY_SERVER)),
        ({"labels": []}, unknown("labels", "; did you mean 'tags'?")),
        (
            [{"op": "replace", "path": "/title", "value": "JSON Patch"}],
            in_body("", "type", 'is not of type "object"'),
        ),
    ],
    ids=lambda value: ascii(value)[:24],
)
def test_patch_refuses_a_body_that_is_against_the_contract(alice, task, body, error):
    response = alice("PATCH", "1", json=body)

    assert refusal(response) == invalid(f"{alice.tasks}/1", error)
    assert alice("GET", "1").json() == task


def test_patch_refuses_an_unknown_parameter_by_its_name(alice, task):
    response = alice("PATCH", "1?priority=high")

    has = "completed, description, title, tz"
    detail = f"'priority' is not a parameter of this operation, which has: {has}."
    assert refusal(response) == problem("unknown_parameter", detail, f"{alice.tasks}/1")


def test_patch_refuses_a_repeated_parameter(alice, task):
    response = alice("PATCH", "1?title=A&title=B")

    detail = "'title' is given more than once."
    assert refusal(response) == problem("repeated_parameter", detail, f"{alice.tasks}/1")


@pytest.mark.parametrize(
    "request_parts", [{}, {"json": {"title": "A"}}, {"params": {"title": "A"}}]
)
def test_patch_of_an_absent_task_is_404(alice, request_parts):
    response = alice("PATCH", "7", **request_parts)

    expected = problem("task_not_found", "Task not found", f"{alice.tasks}/7")
    assert refusal(response) == expected


def test_completed_at_follows_a_patch(alice, task):
    done = alice("PATCH", "1?completed=true").json()
    same = alice("PATCH", "1", json={"completed": True}).json()
    open_again = alice("PATCH", "1?completed=false").json()

    assert done["completed_at"] == done["updated_at"] == MOMENT
    assert same == done
    assert open_again == {**task, "updated_at": MOMENT, "revision": 3}
