"""``POST .../tasks/clear-completed`` and ``.../tasks/complete-all``."""

import pytest

from tests.api.expect import MOMENT, a_page, in_body, invalid, problem, refusal

pytestmark = pytest.mark.pooled


@pytest.fixture
def four(alice):
    """Alice's tasks, oldest first; the second and the fourth are completed."""
    return [alice.create(f"{number}", completed=number % 2 == 0) for number in range(1, 5)]


def test_completed_tasks_are_cleared_to_the_trash_each_at_its_own_revision(alice, four):
    response = alice("POST", "clear-completed")

    assert (response.status_code, response.json()) == (200, {"changed": 2, "revision": 6})
    assert alice("GET", "?order=asc").json() == a_page([four[0], four[2]], revision=6)
    trash = alice("GET", f"/api/{alice.id}/trash").json()["tasks"]
    assert [(task["id"], task["revision"]) for task in trash] == [(4, 6), (2, 5)]


def test_cleared_tasks_come_back_as_they_were(alice, four):
    alice("POST", "clear-completed")
    restored = alice("POST", f"/api/{alice.id}/trash/2/restore").json()

    assert restored == {**four[1], "updated_at": MOMENT, "revision": 7}


def test_all_tasks_are_completed_each_at_its_own_revision(alice, four):
    response = alice("POST", "complete-all", json={"completed": True})
    page = alice("GET", "?order=asc").json()

    assert (response.status_code, response.json()) == (200, {"changed": 2, "revision": 6})
    changed = {"completed": True, "completed_at": MOMENT, "updated_at": MOMENT}
    assert page["tasks"] == [
        {**four[0], **changed, "revision": 5},
        four[1],
        {**four[2], **changed, "revision": 6},
        four[3],
    ]
    assert page["tasks"][0]["completed_at"] == page["tasks"][0]["updated_at"]
    assert alice("GET", "?status=pending").json()["total"] == 0


def test_all_completions_are_taken_back(alice, four):
    assert alice("POST", "complete-all", json={"completed": False}).json() == {
        "changed": 2,
        "revision": 6,
    }
    assert alice("GET", "?status=pending").json()["total"] == 4
    assert all(task["completed_at"] is None for task in alice("GET", "").json()["tasks"])


@pytest.mark.parametrize(
    ("path", "body"),
    [("clear-completed", {}), ("complete-all", {"json": {"completed": True}})],
)
def test_a_change_of_nothing_takes_no_revision(alice, bob, path, body):
    bob.create(completed=True)
    bob.create()

    assert alice("POST", path, **body).json() == {"changed": 0, "revision": 0}
    alice.create(completed=path == "complete-all")
    assert alice("POST", path, **body).json() == {"changed": 0, "revision": 1}
    assert bob("GET", "").json()["revision"] == 2


def test_deleted_tasks_stay_as_they_are(alice, four):
    alice("DELETE", "1")
    alice("DELETE", "2")

    assert alice("POST", "complete-all", json={"completed": True}).json()["changed"] == 1
    assert alice("POST", "clear-completed").json() == {"changed": 2, "revision": 9}
    trash = alice("GET", f"/api/{alice.id}/trash").json()["tasks"]
    assert [(task["id"], task["completed"]) for task in trash] == [
        (4, True), (3, True), (2, True), (1, False),
    ]  # fmt: skip


def test_the_state_must_be_given(alice):
    path = f"{alice.tasks}/complete-all"
    missing = in_body("/completed", "required", "is required")

    assert refusal(alice("POST", "complete-all", json={})) == invalid(path, missing)
    assert refusal(alice("POST", "complete-all"))["code"] == "body_required"
    assert refusal(alice("POST", "clear-completed", json={"x": 1})) == problem(
        "unexpected_body", "This operation takes no body.", f"{alice.tasks}/clear-completed"
    )
