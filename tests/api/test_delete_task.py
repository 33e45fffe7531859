"""``DELETE /api/{user_id}/tasks/{task_id}``."""

import pytest

from tests.api.expect import MOMENT, a_page, problem, refusal

pytestmark = pytest.mark.pooled


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "application/json"},
        {"Content-Type": "text/plain", "Content-Length": "0"},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ],
    ids=ascii,
)
def test_delete_answers_204_with_nothing_in_it(alice, headers):
    alice.create()
    response = alice("DELETE", "1", headers=headers)

    assert response.status_code == 204
    assert response.content == b""
    assert "content-type" not in response.headers
    assert "content-length" not in response.headers


def test_a_deleted_task_is_gone(alice):
    alice.create()
    kept = alice.create(title="Kept")
    alice("DELETE", "1")

    gone = problem("task_not_found", "Task not found", f"{alice.tasks}/1")
    assert refusal(alice("GET", "1")) == gone
    assert alice("GET", "").json() == a_page([kept], revision=3)


def test_delete_says_which_revision_undo_takes_back(alice):
    task = alice.create()

    deleted = alice("DELETE", "1", headers={"Idempotency-Key": "k"})
    repeated = alice("DELETE", "1", headers={"Idempotency-Key": "k"})

    assert (deleted.headers["revision"], repeated.headers["revision"]) == ("2", "2")
    undone = alice("POST", f"/api/{alice.id}/undo", json={"revision": 2})
    assert undone.json() == {"unit": 3, "revision": 3, "changed": 1}
    assert alice("GET", "1").json() == {**task, "revision": 3, "updated_at": MOMENT}


def test_delete_of_a_completed_task_takes_it_out_of_the_completed_ones(alice):
    alice.create(completed=True)
    alice("DELETE", "1")

    assert alice("GET", "?status=completed").json() == a_page([], revision=2)


def test_a_second_delete_is_404_and_changes_nothing(alice):
    alice.create()
    alice("DELETE", "1")

    gone = problem("task_not_found", "Task not found", f"{alice.tasks}/1")
    assert refusal(alice("DELETE", "1")) == gone
    assert alice("GET", "").json() == a_page([], revision=2)


def test_delete_of_an_absent_task_is_404(alice):
    absent = problem("task_not_found", "Task not found", f"{alice.tasks}/7")

    assert refusal(alice("DELETE", "7")) == absent


def test_delete_refuses_a_body(alice):
    task = alice.create()
    response = alice("DELETE", "1", json={"id": 1})

    expected = problem("unexpected_body", "This operation takes no body.", f"{alice.tasks}/1")
    assert refusal(response) == expected
    assert alice("GET", "1").json() == task


def test_delete_takes_no_parameters(alice):
    task = alice.create()
    response = alice("DELETE", "1?force=true")

    detail = "'force' is not a parameter of this operation, which has: none."
    assert refusal(response) == problem("unknown_parameter", detail, f"{alice.tasks}/1")
    assert alice("GET", "1").json() == task
