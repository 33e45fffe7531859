"""``GET /api/{user_id}/history``: the log of changes, the last first."""

import pytest

from tests.api.clock import frozen
from tests.api.expect import in_query, invalid, refusal

pytestmark = pytest.mark.pooled

NOON = "2026-12-31T12:00:00.000Z"


def history(caller, **query):
    return caller("GET", f"/api/{caller.id}/history", params=query)


def an_entry(revision, op, before, after, **fields):
    entry = {"revision": revision, "unit": revision, "kind": "task", "id": 1, "op": op, "at": NOON}
    return {**entry, "by": "user", "via": None, "before": before, "after": after, **fields}


def a_page(*entries, revision, next_cursor=None):
    return {"changes": list(entries), "next_cursor": next_cursor, "revision": revision}


def test_a_user_who_never_wrote_has_no_history(alice):
    assert history(alice).json() == a_page(revision=0)


def test_every_change_of_a_task_says_what_was_before_and_what_became_of_it(service):
    with frozen(service, NOON) as alice:
        made = alice.create("Buy milk", tags=["home"])
        alice("PATCH", "1", json={"title": "Buy oat milk", "priority": "high"})
        alice("PATCH", "1", json={"title": "Buy oat milk"})
        alice("PATCH", "1/complete")
        alice("PATCH", "1/complete")
        alice("DELETE", "1")
        alice("POST", f"/api/{alice.id}/trash/1/restore")
        found = history(alice).json()

    first = {name: made[name] for name in made if name not in ("revision", "updated_at")}
    is_open = {"completed": False, "completed_at": None}
    is_done = {"completed": True, "completed_at": NOON}
    assert found == a_page(
        an_entry(6, "restore", {"deleted_at": NOON}, {"deleted_at": None}),
        an_entry(5, "delete", {"deleted_at": None}, {"deleted_at": NOON}),
        an_entry(4, "reopen", is_done, is_open),
        an_entry(3, "complete", is_open, is_done),
        an_entry(
            2,
            "update",
            {"title": "Buy milk", "priority": "medium"},
            {"title": "Buy oat milk", "priority": "high"},
        ),
        an_entry(1, "create", None, first),
        revision=6,
    )


def test_what_one_request_changed_is_one_unit(service):
    with frozen(service, NOON) as alice:
        for _ in range(3):
            alice.create()
        alice("POST", "bulk", json={"operations": [
            {"op": "update", "id": 1, "data": {"title": "x", "completed": True}},
            {"op": "delete", "id": 2},
        ]})  # fmt: skip
        alice("POST", "complete-all", json={"completed": True})
        alice("PATCH", f"/api/{alice.id}/tags?name=x", json={"name": "y"})
        alice("POST", "clear-completed")
        found = history(alice, limit=5).json()["changes"]

    trashed = {"deleted_at": None}, {"deleted_at": NOON}
    done = (
        {"completed": False, "completed_at": None},
        {"completed": True, "completed_at": NOON},
    )
    titled = {"title": "Buy milk", **done[0]}, {"title": "x", **done[1]}
    assert found == [
        an_entry(8, "delete", *trashed, id=3, unit=7),
        an_entry(7, "delete", *trashed, id=1, unit=7),
        an_entry(6, "complete", *done, id=3, unit=6),
        an_entry(5, "delete", *trashed, id=2, unit=4),
        an_entry(4, "complete", *titled, id=1, unit=4),
    ]


def test_a_renamed_tag_is_in_the_history_of_every_task_that_has_it(alice):
    for tags in (["a", "b"], ["b"], ["c"]):
        alice.create(tags=tags)
    alice("PATCH", f"/api/{alice.id}/tags?name=b", json={"name": "B!"})

    second, first, *_ = history(alice).json()["changes"]

    assert (first["id"], first["before"], first["after"]) == (
        1, {"tags": ["a", "b"]}, {"tags": ["a", "B!"]},
    )  # fmt: skip
    assert (second["id"], second["before"], second["after"]) == (
        2, {"tags": ["b"]}, {"tags": ["B!"]},
    )  # fmt: skip
    assert {first["unit"], second["unit"]} == {4}


def test_the_history_of_one_task(alice):
    alice.create(), alice.create()
    alice("PATCH", "1/complete")
    alice("PATCH", "2/complete")

    found = history(alice, task_id=1).json()

    assert [(entry["id"], entry["op"]) for entry in found["changes"]] == [
        (1, "complete"), (1, "create"),
    ]  # fmt: skip
    assert found["revision"] == 4


def test_pages_of_the_history_follow_each_other_by_cursor_and_by_header(alice):
    for _ in range(5):
        alice.create()

    response = history(alice, limit=2)
    seen = [entry["revision"] for entry in response.json()["changes"]]
    while link := response.headers.get("link"):
        response = alice("GET", link.removeprefix("<").removesuffix('>; rel="next"'))
        seen += [entry["revision"] for entry in response.json()["changes"]]

    assert seen == [5, 4, 3, 2, 1]


def test_a_cursor_of_another_history_is_refused(alice):
    for _ in range(3):
        alice.create()
    cursor = history(alice, limit=1).json()["next_cursor"]

    response = history(alice, task_id=1, cursor=cursor)

    detail = "belongs to another list: the filters, the sort or the user differ"
    path = f"/api/{alice.id}/history"
    assert refusal(response) == invalid(path, in_query("cursor", "contradiction", detail))


def test_nobody_sees_the_history_of_somebody_else(alice, bob):
    alice.create()

    assert history(bob).json() == a_page(revision=0)
    assert history(bob, task_id=1).json() == a_page(revision=0)
