"""``/api/{user_id}/trash``: list, restore, delete for good, empty."""

import pytest

from tests.api.clock import frozen
from tests.api.expect import MOMENT, a_page, a_trash_page, in_query, invalid, problem, refusal
from tests.api.test_page_tasks import FOREIGN
from tests.conftest import Caller

pytestmark = pytest.mark.pooled


@pytest.fixture
def trash(alice):
    """The path of Alice's trash."""
    return f"/api/{alice.id}/trash"


def test_the_trash_of_a_user_who_deleted_nothing_is_empty(alice, trash):
    assert alice("GET", trash).json() == a_trash_page([])
    alice.create()
    assert alice("GET", trash).json() == a_trash_page([], revision=1)


def test_what_was_deleted_is_in_the_trash_the_last_first_with_when_it_goes(service):
    with frozen(service, "2026-12-31T12:00:00Z") as alice:
        first, second = alice.create("First", tags=["x"]), alice.create("Second", completed=True)
        alice("DELETE", "2")
        alice("DELETE", "1")
        page = alice("GET", f"/api/{alice.id}/trash").json()

    moments = {"deleted_at": "2026-12-31T12:00:00.000Z", "purge_at": "2027-01-30T12:00:00.000Z"}
    assert page == a_trash_page(
        [{**first, "revision": 4, **moments}, {**second, "revision": 3, **moments}]
    )


def test_pages_of_the_trash_follow_each_other_by_cursor_and_by_header(alice, trash):
    for _ in range(5):
        alice.create()
    for task_id in (2, 5, 1, 4, 3):
        alice("DELETE", str(task_id))

    response = alice("GET", f"{trash}?limit=2")
    seen = [task["id"] for task in response.json()["tasks"]]
    while link := response.headers.get("link"):
        response = alice("GET", link.removeprefix("<").removesuffix('>; rel="next"'))
        assert (response.json()["total"], response.json()["limit"]) == (5, 2)
        seen += [task["id"] for task in response.json()["tasks"]]

    assert seen == [3, 4, 1, 5, 2]
    assert [task["id"] for task in alice("GET", f"{trash}?skip=3").json()["tasks"]] == [5, 2]


def test_a_cursor_of_another_list_or_beside_a_skip_is_refused(alice, bob, trash):
    for caller in (alice, bob):
        for _ in range(2):
            caller.create()
        for task_id in ("1", "2"):
            caller("DELETE", task_id)
    cursor = alice("GET", f"{trash}?limit=1").json()["next_cursor"]
    theirs = bob("GET", f"/api/{bob.id}/trash?limit=1").json()["next_cursor"]
    alice.create()
    alice.create()
    listed = alice("GET", "?limit=1").json()["next_cursor"]

    foreign = in_query("cursor", "contradiction", FOREIGN)
    for other in (theirs, listed):
        assert refusal(alice("GET", f"{trash}?cursor={other}")) == invalid(trash, foreign)
    beside = in_query("cursor", "contradiction", "cannot be combined with 'skip'")
    assert refusal(alice("GET", f"{trash}?skip=1&cursor={cursor}")) == invalid(trash, beside)


def test_the_trash_has_no_tag(alice, trash):
    assert "etag" not in alice("GET", trash, headers={"If-None-Match": "*"}).headers


@pytest.mark.parametrize("completed", [False, True])
def test_a_restored_task_is_as_it_was_at_a_new_revision(alice, trash, completed):
    task = alice.create("Buy milk", completed=completed, tags=["x"], due_date="2026-12-31")
    alice("DELETE", "1")
    response = alice("POST", f"{trash}/1/restore")
    restored = response.json()

    assert response.status_code == 200
    assert restored == {**task, "updated_at": MOMENT, "revision": 3}
    assert alice("GET", "1").json() == restored
    assert alice("GET", "1").headers["etag"] == response.headers["etag"]
    assert alice("GET", f"?completed={str(completed).lower()}").json() == a_page([restored])
    assert alice("GET", trash).json() == a_trash_page([], revision=3)


def test_a_task_in_the_trash_is_nowhere_else(alice, trash):
    alice.create("milk", tags=["x"], due_date="2020-01-01")
    alice("DELETE", "1")

    for query in ("", "?search=milk", "?tag=x", "?view=overdue", "?sort=due_date"):
        assert alice("GET", query).json() == a_page([], revision=2)
    for method, path in (("GET", "1"), ("PATCH", "1/complete"), ("DELETE", "1")):
        assert refusal(alice(method, path))["code"] == "task_not_found"
    assert alice("GET", f"/api/{alice.id}/tags").json()["tags"] == []
    assert alice("GET", f"/api/{alice.id}/stats").json()["total"] == 0


def test_a_task_that_is_deleted_for_good_is_gone_and_its_id_with_it(alice, trash):
    alice.create()
    alice("DELETE", "1")
    response = alice("DELETE", f"{trash}/1")

    assert (response.status_code, response.content) == (204, b"")
    assert alice("GET", trash).json() == a_trash_page([], revision=2)
    for method, path in (("POST", "1/restore"), ("DELETE", "1")):
        expected = problem("task_not_found", "Task not found in the trash", f"{trash}/{path}")
        assert refusal(alice(method, f"{trash}/{path}")) == expected
    assert alice.create()["id"] == 3


def test_an_emptied_trash_is_empty_and_leaves_the_live_tasks(alice, trash):
    for _ in range(4):
        alice.create()
    for task_id in ("1", "3"):
        alice("DELETE", task_id)

    assert alice("DELETE", trash).json() == {"changed": 2, "revision": 6}
    assert alice("DELETE", trash).json() == {"changed": 0, "revision": 6}
    assert alice("GET", trash).json() == a_trash_page([], revision=6)
    assert [task["id"] for task in alice("GET", "").json()["tasks"]] == [4, 2]


def test_a_user_who_never_wrote_empties_nothing(alice, trash):
    assert alice("DELETE", trash).json() == {"changed": 0, "revision": 0}


@pytest.mark.parametrize(("method", "path"), [("POST", "1/restore"), ("DELETE", "1")])
def test_if_match_holds_in_the_trash_too(alice, trash, method, path):
    alice.create()
    stale = alice("GET", "1").headers["etag"]
    alice("DELETE", "1")
    response = alice(method, f"{trash}/{path}", headers={"If-Match": stale})

    assert (response.status_code, response.json()["current"]["revision"]) == (412, 2)
    fresh = {"If-Match": response.headers["etag"]}
    assert alice(method, f"{trash}/{path}", headers=fresh).status_code in (200, 204)


def test_live_tasks_and_those_of_others_are_in_no_trash(alice, bob, trash):
    alice.create()
    bob.create()
    bob("DELETE", "1")

    assert alice("GET", trash).json() == a_trash_page([], revision=1)
    assert refusal(alice("POST", f"{trash}/1/restore"))["code"] == "task_not_found"
    assert refusal(alice("DELETE", f"{trash}/1"))["code"] == "task_not_found"
    assert refusal(Caller(alice.client, alice.id)("GET", f"/api/{bob.id}/trash"))["status"] == 403
