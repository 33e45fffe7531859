"""``POST /api/{user_id}/tasks``."""

from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.api.expect import (
    MOMENT,
    NOT_BOOLEAN,
    SET_BY_SERVER,
    UNQUOTED,
    a_page,
    a_task,
    in_body,
    invalid,
    problem,
    refusal,
    unknown,
)
from tests.conftest import DIALECTS, Service, settings_for
from todo.settings.settings import Settings

pytestmark = pytest.mark.pooled

NOT_BLANK = "must have a character that is not a space, and no NUL"


@pytest.fixture(scope="module", params=DIALECTS)
def service_for_three(
    request: pytest.FixtureRequest,
    new_database: Callable[[str], str],
    serve: Callable[[Settings], Service],
) -> Service:
    """An application that gives each user room for three tasks."""
    return serve(settings_for(new_database(request.param), tasks_per_user=3))


def test_create_returns_the_whole_task_and_where_it_is(alice):
    response = alice("POST", "", json={"title": "Buy milk", "description": "Two litres"})
    body = response.json()

    assert response.status_code == 201
    assert response.headers["location"] == f"/api/{alice.id}/tasks/1"
    assert response.headers["content-type"] == "application/json"
    assert body == a_task(alice.id, 1, "Buy milk", description="Two litres")
    assert body["updated_at"] == body["created_at"]
    assert alice("GET", response.headers["location"]).json() == body


def test_create_needs_a_title_only(alice):
    assert alice.create(title="Buy milk") == a_task(alice.id, 1, "Buy milk")


def test_create_can_make_a_task_that_is_completed_already(alice):
    task = alice.create(title="Buy milk", completed=True)

    assert task == a_task(alice.id, 1, "Buy milk", completed=True, completed_at=MOMENT)
    assert task["completed_at"] == task["created_at"]
    assert alice("GET", "1").json() == task


def test_create_takes_every_field_at_its_default(alice):
    task = alice.create(title="Buy milk", description=None, completed=False)

    assert task == a_task(alice.id, 1, "Buy milk")


def test_create_keeps_an_empty_description_empty(alice):
    alice.create(description="")

    assert alice("GET", "1").json() == a_task(alice.id, 1, "Buy milk", description="")


@pytest.mark.parametrize(
    "title",
    [
        "x",
        "  spaces around, and \t inside \n ",
        "Ünïcödé, 日本語, العربية, \u200bzero width",
        "👩‍👩‍👧‍👦 family, 🇨🇭 flag, e\u0301 combining",
        "😀" * 200,
        "x" * 200,
        "'; DROP TABLE tasks; -- %s %(title)s :title {title} \\",
        "\u0001\u001f\u007f\ufffe",
    ],
    ids=["one", "spaces", "scripts", "joined", "astral", "longest", "hostile", "control"],
)
def test_create_stores_a_title_as_it_was_sent(alice, title):
    task = alice.create(title=title)

    assert task == a_task(alice.id, 1, title)
    assert alice("GET", "1").json() == task
    assert alice("GET", "?sort=title").json()["tasks"] == [task]


@pytest.mark.parametrize("description", ["x" * 1000, "😀" * 1000, " ", "\n"])
def test_create_stores_a_description_as_it_was_sent(alice, description):
    task = alice.create(description=description)

    assert task == a_task(alice.id, 1, "Buy milk", description=description)
    assert alice("GET", "1").json() == task


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({}, [in_body("/title", "required", "is required")]),
        (
            {"title": ""},
            [
                in_body("/title", "too_short", "is shorter than 1 character"),
                in_body("/title", "pattern", NOT_BLANK),
            ],
        ),
        ({"title": " \t\n\u00a0\u2003"}, [in_body("/title", "pattern", NOT_BLANK)]),
        ({"title": "NUL\0"}, [in_body("/title", "pattern", NOT_BLANK)]),
        (
            {"title": "x" * 201},
            [in_body("/title", "too_long", "is longer than 200 characters")],
        ),
        (
            {"title": "😀" * 201},
            [in_body("/title", "too_long", "is longer than 200 characters")],
        ),
        ({"title": None}, [in_body("/title", "type", 'is not of type "string"')]),
        ({"title": 5}, [in_body("/title", "type", 'is not of type "string"')]),
        ({"title": ["Buy milk"]}, [in_body("/title", "type", 'is not of type "string"')]),
        (
            {"title": "x", "description": "x" * 1001},
            [in_body("/description", "too_long", "is longer than 1000 characters")],
        ),
        (
            {"title": "x", "description": "NUL\0"},
            [in_body("/description", "pattern", "must have no NUL")],
        ),
        (
            {"title": "x", "description": 5},
            [in_body("/description", "type", 'is not of types "null", "string"')],
        ),
        (
            {"title": "x", "completed": "true"},
            [in_body("/completed", "type", NOT_BOOLEAN + UNQUOTED)],
        ),
        (
            {"title": "x", "completed": None},
            [in_body("/completed", "type", 'is not of type "boolean"')],
        ),
        (
            {"title": "x", "completed": 1},
            [in_body("/completed", "type", 'is not of type "boolean"')],
        ),
    ],
    ids=lambda value: None if isinstance(value, list) else ascii(value)[:40],
)
def test_create_refuses_a_field_that_is_against_the_contract(alice, fields, errors):
    response = alice("POST", "", json=fields)

    assert refusal(response) == invalid(alice.tasks, *errors)


def test_create_lists_everything_that_is_wrong(alice):
    response = alice("POST", "", json={"description": 5, "completed": "no", "starred": True})
    body = refusal(response)

    by_pointer = sorted(body["errors"], key=lambda error: error["pointer"])
    assert by_pointer == [
        in_body("/completed", "type", 'is not of type "boolean"'),
        in_body("/description", "type", 'is not of types "null", "string"'),
        unknown("starred"),
        in_body("/title", "required", "is required"),
    ]


@pytest.mark.parametrize("field", ["starred", "title_key", "x" * 41])
def test_create_refuses_an_unknown_field_by_its_name(alice, field):
    response = alice("POST", "", json={"title": "Buy milk", field: None})

    assert refusal(response) == invalid(alice.tasks, unknown(field))


@pytest.mark.parametrize(
    ("field", "meant"),
    [
        ("category", "tags"),
        ("labels", "tags"),
        ("dueDate", "due_date"),
        ("due", "due_date"),
        ("deadline", "due_date"),
        ("is_completed", "completed"),
        ("isCompleted", "completed"),
        ("done", "completed"),
        ("status", "completed"),
        ("name", "title"),
        ("text", "title"),
        ("content", "title"),
        ("descripton", "description"),
        ("Priority", "priority"),
    ],
)
def test_create_tells_an_unknown_field_which_one_was_meant(alice, field, meant):
    response = alice("POST", "", json={"title": "Buy milk", field: None})

    hint = f"; did you mean '{meant}'?"
    assert refusal(response) == invalid(alice.tasks, unknown(field, hint))


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("recurrence_rule", "recurrence is not supported"),
        ("is_recurring", "recurrence is not supported"),
        ("repeatInterval", "recurrence is not supported"),
        ("reminder_at", "reminders are not supported"),
    ],
)
def test_create_says_what_tasks_do_not_have_here(alice, field, reason):
    response = alice("POST", "", json={"title": "Buy milk", field: None})

    assert refusal(response) == invalid(alice.tasks, unknown(field, f"; {reason}"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", 7),
        ("user_id", "somebody-else"),
        ("created_at", "2020-01-01T00:00:00.000Z"),
        ("updated_at", "2020-01-01T00:00:00.000Z"),
        ("completed_at", "2020-01-01T00:00:00.000Z"),
        ("deleted_at", None),
        ("revision", 1),
        ("createdAt", "2020-01-01T00:00:00.000Z"),
    ],
)
def test_create_refuses_the_fields_that_are_the_servers_own(alice, field, value):
    response = alice("POST", "", json={"title": "Buy milk", field: value})

    assert refusal(response) == invalid(alice.tasks, unknown(field, SET_BY_SERVER))


def test_create_names_an_unknown_field_as_a_json_pointer_would(alice):
    response = alice("POST", "", json={"title": "Buy milk", "a/b~c": 1})

    escaped = in_body("/a~1b~0c", "unknown_field", "unknown field 'a/b~c'")
    assert refusal(response) == invalid(alice.tasks, escaped)


def test_create_that_is_refused_leaves_nothing_behind(alice):
    alice("POST", "", json={"title": ""})

    assert alice("GET", "").json() == a_page([])


@pytest.mark.parametrize(
    "subject",
    ["50%", "café", "two words", "a?b#c", "a+b@example.com", "a&b=c", "ünï😀", "%2F", "{user_id}"],
)
def test_location_names_the_user_whose_id_needs_encoding(service, subject):
    user = service.caller(f"{subject} {service.caller().id}")
    response = user("POST", f"/api/{quote(user.id, safe='')}/tasks", json={"title": "Buy milk"})

    assert response.headers["location"] == f"/api/{quote(user.id, safe='')}/tasks/1"
    assert user("GET", response.headers["location"]).json() == response.json()
    assert response.json() == a_task(user.id, 1, "Buy milk")


@pytest.mark.parametrize("subject", ["github/alice", "/", "//", ".", "..", "a/../b", "me"])
def test_location_says_me_where_the_id_cannot_be_a_path_segment(service, subject):
    user = service.caller(subject)
    response = user("POST", "/api/me/tasks", json={"title": "Buy milk"})
    task = response.json()

    assert task == a_task(subject, task["id"], "Buy milk")
    assert response.headers["location"] == f"/api/me/tasks/{task['id']}"
    assert user("GET", response.headers["location"]).json() == task


def test_location_of_the_longest_possible_id_leads_to_the_task(service):
    user = service.caller("😀" * 255)
    response = user("POST", "/api/me/tasks", json={"title": "Buy milk"})

    assert user("GET", response.headers["location"]).json() == response.json()


def test_ids_grow_and_are_never_used_again(alice):
    first, second = alice.create()["id"], alice.create()["id"]
    alice("DELETE", f"{second}")
    third = alice.create()["id"]

    assert (first, second) == (1, 2)
    assert third > second
    assert [task["id"] for task in alice("GET", "").json()["tasks"]] == [third, first]


def test_two_users_may_have_tasks_of_the_same_id(alice, bob):
    assert alice.create(title="Alice's") == a_task(alice.id, 1, "Alice's")
    assert bob.create(title="Bob's") == a_task(bob.id, 1, "Bob's")


def test_create_beyond_the_quota_is_refused(service_for_three):
    user = service_for_three.caller()
    for _ in range(3):
        user.create()

    response = user("POST", "", json={"title": "One too many"})

    assert refusal(response) == problem(
        "quota_exceeded", "A user may have 3 tasks, the trash included.", user.tasks
    )
    assert user("GET", "").json()["total"] == 3


def test_tasks_in_the_trash_count_for_the_quota(service_for_three):
    user = service_for_three.caller()
    for _ in range(3):
        user("DELETE", f"{user.create()['id']}")

    response = user("POST", "", json={"title": "One too many"})

    assert refusal(response) == problem(
        "quota_exceeded", "A user may have 3 tasks, the trash included.", user.tasks
    )


def test_the_quota_of_one_user_leaves_others_alone(service_for_three):
    full, other = service_for_three.caller(), service_for_three.caller()
    for _ in range(3):
        full.create()

    assert other.create() == a_task(other.id, 1, "Buy milk")


def test_a_user_at_the_quota_may_still_change_and_delete(service_for_three):
    user = service_for_three.caller()
    for _ in range(3):
        user.create()

    assert user("PUT", "1", json={"title": "Changed"}).status_code == 200
    assert user("DELETE", "1").status_code == 204
