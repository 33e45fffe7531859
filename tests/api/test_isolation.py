"""Nobody sees or changes what is somebody else's, whichever operation they try it with."""

import pytest

from tests.api.expect import a_page, problem, refusal
from tests.api.operations import every_operation, every_operation_on_one_task

MISMATCH = "The user in the path must be the token's 'sub', or 'me'."


@pytest.fixture
def bobs(bob):
    """Bob's three tasks, newest first."""
    return [bob.create(title=f"Bob's {number}") for number in range(3)][::-1]


@every_operation
@pytest.mark.parametrize("owner", ["own", "me"])
def test_an_operation_on_ones_own_path_succeeds(alice, operation, owner):
    alice.create()
    path = operation.path(alice.id if owner == "own" else "me", 1)

    assert alice(operation.method, path, json=operation.body).status_code == operation.success


@every_operation
def test_an_operation_on_a_foreign_path_is_403(alice, bob, bobs, operation):
    path = operation.path(bob.id, 1)
    response = alice(operation.method, path, json=operation.body)

    assert refusal(response) == problem("user_path_mismatch", MISMATCH, path)
    assert bob("GET", "").json() == a_page(bobs)


@every_operation_on_one_task
def test_a_foreign_path_does_not_tell_whether_the_task_exists(alice, bob, bobs, operation):
    answers = []
    for task_id in (3, 77777):
        path = operation.path(bob.id, task_id)
        body = refusal(alice(operation.method, path, json=operation.body))
        assert body.pop("instance") == path
        answers.append(body)

    assert answers[0] == answers[1]


@every_operation_on_one_task
def test_a_foreign_id_is_answered_like_an_absent_one(alice, bob, bobs, operation):
    foreign, absent = operation.path(alice.id, 3), operation.path(alice.id, 7)

    for path in (foreign, absent):
        response = alice(operation.method, path, json=operation.body)
        expected = problem("task_not_found", "Task not found", path)
        assert refusal(response) == expected
    assert bob("GET", "").json() == a_page(bobs)


@every_operation_on_one_task
def test_a_foreign_id_on_the_path_of_me_is_answered_like_an_absent_one(alice, bobs, operation):
    path = operation.path("me", 3)
    response = alice(operation.method, path, json=operation.body)

    assert refusal(response) == problem("task_not_found", "Task not found", path)


@every_operation
@pytest.mark.parametrize("owner", ["bob", "me"])
def test_an_operation_without_a_token_is_401(client, bob, bobs, operation, owner):
    path = operation.path(bob.id if owner == "bob" else "me", 3)
    response = client.request(operation.method, path, json=operation.body)

    missing = "The request has no Authorization header."
    assert refusal(response) == problem("token_missing", missing, path)
    assert bob("GET", "").json() == a_page(bobs)


@every_operation
def test_the_token_is_asked_for_before_the_request_is_judged(client, operation):
    path = f"{operation.path('somebody', 3)}?unknown=1"
    response = client.request(operation.method, path, content=b"not JSON")

    assert refusal(response)["code"] == "token_missing"


@every_operation
def test_a_foreign_path_is_refused_before_the_request_is_judged(alice, operation):
    path = f"{operation.path('somebody', 3)}?unknown=1"
    response = alice(operation.method, path, content=b"not JSON")

    assert refusal(response)["code"] == "user_path_mismatch"


def test_an_id_that_is_a_path_leads_nowhere_else(service, bob, bobs):
    # A path is decoded before it is routed, so this reads Bob's list, with a token of nobody else.
    mallory = service.caller(f"{bob.id}/tasks")

    assert refusal(mallory("GET", f"/api/{bob.id}%2Ftasks"))["code"] == "user_path_mismatch"
    assert refusal(mallory("GET", f"/api/{bob.id}%2Ftasks/tasks"))["code"] == "not_found"
    assert mallory("GET", "/api/me/tasks").json() == a_page([])


def test_ids_that_differ_in_case_or_form_only_are_different_users(service):
    ids = ["Zoë-case", "zoë-case", "zoe\u0308-case", "ZOË-CASE"]
    for subject in ids:
        service.caller(subject)("POST", "/api/me/tasks", json={"title": subject})

    listed = [service.caller(subject)("GET", "/api/me/tasks").json() for subject in ids]

    assert [[task["title"] for task in page["tasks"]] for page in listed] == [[i] for i in ids]
