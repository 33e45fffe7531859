"""``POST /api/{user_id}/undo``: a whole unit is taken back."""

import pytest

from tests.api.expect import MOMENT, a_page, in_body, invalid, problem, refusal
from tests.contract.reading import OPERATIONS

pytestmark = pytest.mark.pooled


def undo(caller, revision, **kwargs):
    return caller("POST", f"/api/{caller.id}/undo", json={"revision": revision}, **kwargs)


def state(caller):
    """Everything that the user has, without what every change changes."""

    def plain(task):
        left_out = ("revision", "updated_at", "purge_at")
        return {name: value for name, value in task.items() if name not in left_out}

    live = caller("GET", "?order=asc&limit=1000").json()["tasks"]
    trash = caller("GET", f"/api/{caller.id}/trash?limit=1000").json()["tasks"]
    trash = [{**plain(task), "deleted_at": MOMENT} for task in trash]
    return list(map(plain, live)), sorted(trash, key=lambda task: task["id"])


def undone_and_redone(caller, change):
    """Make a ``change`` of many, take it back and make it again; return how many it changed.

    All is as before after the one, and as after the change after the other.
    """
    before, changed = state(caller), change().json()
    after = state(caller)
    undone = undo(caller, changed["revision"]).json()
    assert state(caller) == before
    redone = undo(caller, undone["revision"]).json()
    assert state(caller) == after
    assert undone["changed"] == redone["changed"]
    return undone["changed"]


BULK = {
    "operations": [
        {"op": "create", "data": {"title": "New"}},
        {"op": "update", "id": 1, "data": {"title": "x", "tags": ["z"], "due_date": "2026-12-31"}},
        {"op": "complete", "id": 2, "completed": False},
        {"op": "delete", "id": 3},
        {"op": "move", "id": 4, "at": "start"},
        {"op": "restore", "id": 5},
    ]
}
CHANGES = {
    "create": ("POST", "", {"title": "New", "tags": ["n"]}),
    "update": ("PUT", "1", {"title": "x", "description": None, "priority": "low"}),
    "patch": ("PATCH", "1", {"tags": [], "due_date": "2026-12-31T17:00:00Z"}),
    "patch to completed": ("PATCH", "1", {"completed": True}),
    "complete": ("PATCH", "1/complete", None),
    "reopen": ("PATCH", "2/complete", {"completed": False}),
    "delete": ("DELETE", "1", None),
    "move": ("POST", "1/move", {"after": 3}),
    "move below": ("PUT", "1", {"parent_id": 3}),
    "complete with subtasks": ("PATCH", "1/complete", {"completed": True, "subtasks": True}),
    "bulk": ("POST", "bulk", BULK),
    "clear completed": ("POST", "clear-completed", None),
    "complete all": ("POST", "complete-all", {"completed": True}),
    "reopen all": ("POST", "complete-all", {"completed": False}),
    "rename a tag": ("PATCH", "/api/{owner}/tags?name=home", {"name": "House"}),
    "merge tags": ("PATCH", "/api/{owner}/tags?name=home", {"name": "work"}),
    "delete a tag": ("DELETE", "/api/{owner}/tags?name=home", None),
    "restore": ("POST", "/api/{owner}/trash/5/restore", None),
    "complete what repeats": ("PATCH", "7/complete", None),
    "skip": ("POST", "7/skip", None),
    "another rule": ("PATCH", "7", {"recurrence": {"rule": "FREQ=WEEKLY"}}),
    "no rule": ("PATCH", "7", {"recurrence": None}),
}
FOR_GOOD = {"empty_trash", "purge_task", "undo_change"}
"""What undo does not take back, and itself, which has tests of its own."""
OF_LISTS = {"create_list", "update_list", "patch_list", "move_list", "delete_list"}
"""tests/api/test_lists.py takes these back."""


@pytest.fixture
def five(alice):
    """Four live tasks, and one in the trash."""
    alice.create("One", description="d", tags=["home", "work"], priority="high")
    alice.create("Two", completed=True, tags=["Home"])
    alice.create("Three", completed=True)
    alice.create("Four", due_date="2026-01-01")
    alice.create("Five", tags=["home"])
    alice("DELETE", "5")
    return alice


@pytest.fixture
def seven(five):
    """The same, and one that repeats."""
    five.create("Seven", due_date="2026-01-01", recurrence={"rule": "FREQ=DAILY"})
    return five


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_is_taken_back_by_its_revision_and_taken_back_again(seven, name):
    method, path, body = CHANGES[name]
    before, unit = state(seven), seven("GET", "").json()["revision"] + 1
    response = seven(method, path.replace("{owner}", seven.id), json=body)
    assert response.is_success, response.text
    changed, last = state(seven), seven("GET", "").json()["revision"]
    assert changed != before

    undone = undo(seven, last)

    number = last - unit + 1
    assert undone.status_code == 200
    assert undone.json() == {"unit": last + 1, "revision": last + number, "changed": number}
    live, trash = state(seven)
    created = [task for task in trash if task["id"] >= unit]
    assert (live, [task for task in trash if task not in created]) == before

    redone = undo(seven, undone.json()["revision"])

    assert redone.json()["changed"] == number
    assert state(seven) == changed


def test_the_changes_here_are_all_the_changes_of_the_contract(client):
    contract = {
        operation.name
        for operation in OPERATIONS
        if operation.method != "GET" and operation.path.startswith("/api/{user_id}/")
    }
    here = {
        "create_task", "update_task", "patch_task", "complete_task", "delete_task", "change_tasks",
        "clear_completed", "complete_all", "rename_tag", "delete_tag", "restore_task",
        "move_task", "skip_task",
    }  # fmt: skip
    assert contract == here | OF_LISTS | FOR_GOOD


def test_any_revision_of_a_unit_takes_all_of_it_back(five):
    before = state(five)
    five("POST", "complete-all", json={"completed": True})

    assert undo(five, 7).json() == {"unit": 9, "revision": 10, "changed": 2}
    assert state(five) == before


def test_what_has_changed_since_is_in_the_way(five):
    five("POST", "complete-all", json={"completed": True})
    now = five("PATCH", "4", json={"title": "Changed"}).json()

    response = undo(five, 7)

    detail = "It has changed since; 'current' has what is stored now."
    path = f"/api/{five.id}/undo"
    assert refusal(response) == {**problem("precondition_failed", detail, path), "current": now}
    assert response.headers["etag"] == five("GET", "4").headers["etag"]
    assert five("GET", "").json()["revision"] == 9


@pytest.mark.parametrize("for_good", [False, True])
def test_what_was_deleted_since_is_in_the_way_and_is_nothing_now(five, for_good):
    five("PATCH", "4", json={"title": "Changed"})
    five("DELETE", "4")
    if for_good:
        five("DELETE", f"/api/{five.id}/trash/4")

    response = undo(five, 7)

    detail = "Something of this change was deleted since, so the change cannot be undone."
    path = f"/api/{five.id}/undo"
    assert refusal(response) == {**problem("precondition_failed", detail, path), "current": None}


def test_the_first_entity_that_is_in_the_way_is_named_though_it_is_gone(five):
    five("POST", "complete-all", json={"completed": True})  # 1, then 4
    five("PATCH", "4", json={"title": "Changed"})
    five("DELETE", "1")
    five("DELETE", f"/api/{five.id}/trash/1")

    assert undo(five, 7).json()["current"] is None


def test_what_undo_takes_to_the_trash_again_was_deleted_now_and_stays_as_long_as_any(five):
    [before] = five("GET", f"/api/{five.id}/trash").json()["tasks"]
    restored = five("POST", f"/api/{five.id}/trash/5/restore").json()

    undo(five, restored["revision"])

    [after] = five("GET", f"/api/{five.id}/trash").json()["tasks"]
    assert after["deleted_at"] == after["updated_at"] > before["deleted_at"]
    assert after["purge_at"] > before["purge_at"]


def not_undoable(caller, reason, why):
    detail = f"The change cannot be undone: {why}."
    errors = [in_body("/revision", reason, why)]
    return problem("not_undoable", detail, f"/api/{caller.id}/undo", errors)


def test_what_was_deleted_for_good_does_not_come_back(five):
    five("DELETE", f"/api/{five.id}/trash/5")

    response = undo(five, 6)

    assert refusal(response) == not_undoable(five, "purged", "some of it was deleted for good")


@pytest.mark.parametrize("revision", [7, 2**53 - 1])
def test_a_revision_that_the_log_has_not_is_expired(five, revision):
    why = f"the log has no entry of revision {revision}"

    assert refusal(undo(five, revision)) == not_undoable(five, "expired", why)


def test_a_user_who_never_wrote_has_nothing_to_undo(alice):
    response = undo(alice, 1)

    why = "the log has no entry of revision 1"
    assert refusal(response) == not_undoable(alice, "expired", why)
    assert alice("GET", "").json() == a_page([])


def test_nobody_undoes_what_somebody_else_did(alice, bob):
    alice.create()

    assert undo(bob, 1).status_code == 409
    assert alice("GET", "").json()["total"] == 1


def test_an_undo_under_a_key_is_made_once(alice):
    alice.create()
    key = {"Idempotency-Key": "once"}

    first, again = undo(alice, 1, headers=key), undo(alice, 1, headers=key)

    assert first.json() == again.json() == {"unit": 2, "revision": 2, "changed": 1}
    assert again.headers["idempotency-replayed"] == "true"
    assert alice("GET", "").json() == a_page([], revision=2)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, in_body("/revision", "required", "is required")),
        ({"revision": 0}, in_body("/revision", "too_small", "is less than the minimum of 1")),
    ],
)
def test_a_body_that_names_no_revision_is_refused(alice, body, error):
    response = alice("POST", f"/api/{alice.id}/undo", json=body)

    assert refusal(response) == invalid(f"/api/{alice.id}/undo", error)
