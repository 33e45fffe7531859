"""``GET /api/{user_id}/tasks/{task_id}``."""

import pytest

from tests.api.expect import a_task, problem, refusal


def test_get_returns_the_whole_task(alice):
    created = alice.create(title="Buy milk", description="Two litres")
    response = alice("GET", "1")

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == created
    assert response.json() == a_task(alice.id, 1, "Buy milk", description="Two litres")


def test_get_through_me_returns_the_same_task(alice):
    task = alice.create()

    assert alice("GET", "/api/me/tasks/1").json() == task


@pytest.mark.parametrize("task_id", [1, 2**53 - 1])
def test_get_of_an_absent_task_is_404(alice, task_id):
    expected = problem("task_not_found", "Task not found", f"{alice.tasks}/{task_id}")

    assert refusal(alice("GET", f"{task_id}")) == expected


def test_get_of_a_deleted_task_is_404_as_if_it_had_never_been(alice):
    alice.create()
    alice("DELETE", "1")

    expected = problem("task_not_found", "Task not found", f"{alice.tasks}/1")
    assert refusal(alice("GET", "1")) == expected


def test_get_takes_no_parameters(alice):
    alice.create()
    response = alice("GET", "1?fields=title")

    detail = "'fields' is not a parameter of this operation, which has: none."
    assert refusal(response) == problem("unknown_parameter", detail, f"{alice.tasks}/1")
