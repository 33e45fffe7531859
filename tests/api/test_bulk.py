"""``POST .../tasks/bulk``: many changes, of which all are made, or none."""

from typing import Any

import pytest

from tests.api.expect import (
    MOMENT,
    UNQUOTED,
    a_page,
    a_task,
    in_body,
    invalid,
    problem,
    refusal,
)
from tests.conftest import DIALECTS, Caller, settings_for
from todo.http.asgi.request_limits import MAX_BODY

pytestmark = pytest.mark.pooled


def bulk(caller: Caller, *operations: Any, **more: Any) -> Any:
    return caller("POST", "bulk", json={"operations": list(operations), **more})


def create(title: str, **data: Any) -> dict[str, Any]:
    return {"op": "create", "data": {"title": title, **data}}


def update(task_id: int, revision: int | None = None, **data: Any) -> dict[str, Any]:
    expected = {} if revision is None else {"if_revision": revision}
    return {"op": "update", "id": task_id, "data": data, **expected}


def complete(task_id: int, completed: bool = True, **more: Any) -> dict[str, Any]:
    return {"op": "complete", "id": task_id, "completed": completed, **more}


def delete(task_id: int, **more: Any) -> dict[str, Any]:
    return {"op": "delete", "id": task_id, **more}


@pytest.fixture
def three(alice: Caller) -> list[dict[str, Any]]:
    """Alice's tasks, oldest first; the third is completed."""
    return [alice.create(f"{number}", completed=number == 3) for number in (1, 2, 3)]


def test_all_operations_are_made_in_their_order_each_at_its_own_revision(alice, three):
    response = bulk(
        alice,
        create("new", priority="high", due_date="2026-12-31T18:00:00+01:00", tags=["a"]),
        update(1, 1, title="one", tags=["b"]),
        complete(2),
        delete(3),
        create("done", completed=True),
    )

    new = a_task(
        alice.id, 4, "new", priority="high", due_date="2026-12-31T17:00:00.000Z", tags=["a"]
    )
    one = {**three[0], "title": "one", "tags": ["b"], "updated_at": MOMENT, "revision": 5}
    two = {
        **three[1],
        "completed": True,
        "completed_at": MOMENT,
        "updated_at": MOMENT,
        "revision": 6,
    }
    done = a_task(alice.id, 8, "done", completed=True, completed_at=MOMENT)
    assert (response.status_code, response.json()) == (
        200,
        {
            "results": [
                {"status": 201, "task": new},
                {"status": 200, "task": one},
                {"status": 200, "task": two},
                {"status": 204, "task": None},
                {"status": 201, "task": done},
            ],
            "revision": 8,
        },
    )
    assert alice("GET", "?order=asc").json() == a_page([one, two, new, done])
    assert alice("GET", "?status=pending").json()["total"] == 2
    trash = alice("GET", "/api/me/trash").json()["tasks"]
    assert [(task["id"], task["revision"]) for task in trash] == [(3, 7)]
    assert alice("GET", "?search=one&tag=b").json()["tasks"] == [one]


def test_changes_of_nothing_take_no_revision(alice, three):
    response = bulk(alice, update(1, title="1"), update(2), complete(3), create("4"))

    assert response.json() == {
        "results": [
            *({"status": 200, "task": task} for task in three),
            {"status": 201, "task": a_task(alice.id, 4, "4")},
        ],
        "revision": 4,
    }
    assert bulk(alice, update(1, title="1")).json()["revision"] == 4


def test_null_clears_and_a_completion_is_taken_back(alice):
    alice.create(description="x", due_date="2026-12-31", tags=["a"], completed=True)
    cleared = bulk(alice, update(1, description=None, due_date=None, tags=None)).json()
    opened = bulk(alice, complete(1, False)).json()

    assert cleared["results"][0]["task"] == a_task(
        alice.id, 1, "Buy milk", completed=True, completed_at=MOMENT, revision=2
    )
    assert opened["results"][0]["task"] == a_task(alice.id, 1, "Buy milk", revision=3)


def test_the_first_operations_of_a_new_user_are_made(alice):
    answer = bulk(alice, *(create(f"{number}") for number in range(100))).json()

    assert [result["task"]["id"] for result in answer["results"]] == list(range(1, 101))
    assert alice("GET", "").json()["total"] == 100


def test_if_one_fails_nothing_happens_and_errors_say_which(alice, three):
    before = alice("GET", "").json()
    path = f"{alice.tasks}/bulk"
    missing, stale = "Task not found", "Task 2 is at revision 2."
    absent = in_body("/operations/1/id", "task_not_found", missing)
    changed = in_body("/operations/2/if_revision", "precondition_failed", stale)

    both = bulk(alice, create("x"), delete(99), complete(2, if_revision=1), update(1, title="y"))
    only_stale = bulk(alice, create("x"), update(1, title="y"), delete(2, if_revision=1))

    assert refusal(both) == problem("task_not_found", missing, path, [absent, changed])
    assert refusal(only_stale) == {
        **problem("precondition_failed", stale, path, [changed]),
        "current": three[1],
    }
    assert only_stale.headers["etag"] == alice("GET", "2").headers["etag"]
    assert alice("GET", "").json() == before


def test_a_task_that_comes_back_with_an_earlier_one_has_the_revision_that_it_has_in_the_trash(
    alice,
):
    alice.create("Parent")
    alice.create("Step", parent_id=1)
    alice("DELETE", "1")
    restore = {"op": "restore", "id": 1}
    edit = {"op": "update", "id": 2, "data": {"title": "Changed"}}

    stale = bulk(alice, restore, {**edit, "if_revision": 2})
    made = bulk(alice, restore, {**edit, "if_revision": 4})

    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    assert [error["pointer"] for error in stale.json()["errors"]] == ["/operations/1/if_revision"]
    assert [result["task"]["title"] for result in made.json()["results"]] == ["Parent", "Changed"]


def test_a_large_current_takes_no_room_of_the_errors(alice):
    large = alice.create(
        "日" * 200, description="本" * 1000, tags=[f"{n}{'語' * 48}" for n in range(9)]
    )
    for number in range(11):
        alice.create(f"{number}")
    response = bulk(alice, *(delete(number, if_revision=99) for number in range(1, 13)))

    answer = response.json()
    assert (response.status_code, answer["current"]) == (412, large)
    assert [error["pointer"] for error in answer["errors"]] == [
        f"/operations/{number}/if_revision" for number in range(10)
    ]


def test_tasks_are_found_and_sorted_by_what_they_are_after_a_bulk(alice):
    for title in ("Äpfel", "Birnen", "Citronen"):
        alice.create(title, tags=["Obst"])
    bulk(alice, complete(1), update(2, title="Zwiebeln", tags=["Gemüse"]), delete(3))
    alice("POST", "/api/me/trash/3/restore")

    def ids(query: str) -> list[int]:
        return [task["id"] for task in alice("GET", query).json()["tasks"]]

    assert ids("?search=ÄPFEL&tag=obst") == [1]
    assert ids("?search=zwieb&tag=gemüse") == [2]
    assert ids("?search=birnen") == []
    assert ids("?tag=OBST&sort=title") == [3, 1]
    assert ids("?sort=title") == [3, 2, 1]


def test_tasks_of_others_and_deleted_ones_are_not_there(alice, bob, three):
    alice("DELETE", "3")
    bob.create()
    response = bulk(alice, complete(3))
    theirs = bulk(bob, delete(2))

    assert refusal(response)["errors"] == [
        in_body("/operations/0/id", "task_not_found", "Task not found")
    ]
    assert refusal(theirs)["errors"] == [
        in_body("/operations/0/id", "task_not_found", "Task not found")
    ]
    assert alice("GET", "2").json() == three[1]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_first_that_fails_decides_the_answer_of_all(new_database, dialect, serve):
    alice = serve(settings_for(new_database(dialect), tasks_per_user=2)).caller()
    path = f"{alice.tasks}/bulk"
    alice.create()
    full, missing = "A user may have 2 tasks, the trash included.", "Task not found"
    beyond = in_body("/operations/2", "quota_exceeded", full)
    absent = in_body("/operations/3/id", "task_not_found", missing)

    creates = [create("fits"), delete(1), create("does not")]
    assert refusal(bulk(alice, *creates, delete(9))) == problem(
        "quota_exceeded", full, path, [beyond, absent]
    )
    assert refusal(bulk(alice, *creates, dry_run=True)) == problem(
        "quota_exceeded", full, path, [beyond]
    )
    first = in_body("/operations/0/id", "task_not_found", missing)
    beyond = in_body("/operations/3", "quota_exceeded", full)
    assert refusal(bulk(alice, delete(9), *creates)) == problem(
        "task_not_found", missing, path, [first, beyond]
    )
    assert alice("GET", "").json()["total"] == 1
    assert bulk(alice, *creates[:2]).status_code == 200


def test_no_task_is_in_two_operations(alice, three):
    detail = "is also the task of an earlier operation"
    response = bulk(alice, update(1, title="x"), create("y"), delete(1), complete(2), complete(1))

    assert refusal(response) == invalid(
        f"{alice.tasks}/bulk",
        in_body("/operations/2/id", "not_unique", detail),
        in_body("/operations/4/id", "not_unique", detail),
    )
    assert alice("GET", "").json()["revision"] == 3


KINDS = "is not one of: create, update, complete, delete, move, restore"


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        ({}, ("/op", "required", "is required")),
        ({"op": "drop"}, ("/op", "not_in_enum", KINDS)),
        ({"op": None, "id": 1}, ("/op", "not_in_enum", None)),
        ("delete", ("", "type", 'is not of type "object"')),
        ({"op": "create"}, ("/data", "required", "is required")),
        ({"op": "create", "data": {}}, ("/data/title", "required", "is required")),
        (
            {"op": "create", "data": {"title": "x" * 201}},
            ("/data/title", "too_long", "is longer than 200 characters"),
        ),
        (
            {"op": "create", "data": {"title": "x", "tags": ["a", "A"]}},
            ("/data/tags", "not_unique", None),
        ),
        ({"op": "create", "id": 1, "data": {"title": "x"}}, ("/id", "unknown_field", None)),
        ({"op": "update", "id": 1}, ("/data", "required", "is required")),
        (
            {"op": "update", "id": 1, "data": {"titel": "x"}},
            ("/data/titel", "unknown_field", "unknown field 'titel'; did you mean 'title'?"),
        ),
        ({"op": "complete", "id": 1}, ("/completed", "required", "is required")),
        ({"op": "delete"}, ("/id", "required", "is required")),
        ({"op": "delete", "id": "1"}, ("/id", "type", 'is not of type "integer"' + UNQUOTED)),
        ({"op": "delete", "id": 1.0}, ("/id", "type", 'is not of type "integer"')),
        ({"op": "delete", "id": 0}, ("/id", "too_small", None)),
        ({"op": "delete", "id": 2**53}, ("/id", "too_large", None)),
        (
            {"op": "delete", "id": 1, "if_revision": "1"},
            ("/if_revision", "type", 'is not of type "integer"' + UNQUOTED),
        ),
        ({"op": "delete", "id": 1, "completed": True}, ("/completed", "unknown_field", None)),
    ],
    ids=ascii,
)
def test_an_operation_against_the_contract_is_told_by_its_place_and_nothing_else(
    alice, operation, error
):
    place, code, detail = error
    response = bulk(alice, create("good"), operation)

    [found] = refusal(response)["errors"]
    assert found == in_body(f"/operations/1{place}", code, detail or found["detail"])
    assert refusal(response) == invalid(f"{alice.tasks}/bulk", found)
    assert alice("GET", "").json()["total"] == 0


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/operations", "required"),
        ({"operations": []}, "/operations", "too_few"),
        ({"operations": [create("x")] * 101}, "/operations", "too_many"),
        ({"operations": {}}, "/operations", "type"),
        ({"operations": [create("x")], "dry_run": 1}, "/dry_run", "type"),
        ({"operations": [create("x")], "dryrun": True}, "/dryrun", "unknown_field"),
    ],
    ids=ascii,
)
def test_a_bulk_against_the_contract_is_422(alice, body, pointer, code):
    [error] = refusal(alice("POST", "bulk", json=body))["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)


def test_a_dry_run_says_what_would_become_of_each_and_changes_nothing(alice, three):
    before = alice("GET", "").json()
    operations = (create("new"), update(1, title="one"), update(2, title="2"), delete(3))
    response = bulk(alice, *operations, dry_run=True)

    assert (response.status_code, response.json()) == (
        200,
        {
            "results": [
                {
                    "status": 201,
                    "task": a_task(alice.id, 1, "new", id=None, position=None, revision=None),
                },
                {
                    "status": 200,
                    "task": {**three[0], "title": "one", "updated_at": MOMENT, "revision": None},
                },
                {"status": 200, "task": three[1]},
                {"status": 204, "task": None},
            ],
            "revision": 3,
        },
    )
    assert alice("GET", "").json() == before
    assert bulk(alice, *operations, dry_run=False).json()["revision"] == 6


def test_a_dry_run_is_refused_like_the_real_one(alice, three):
    operations = (create("x"), delete(99))
    assert refusal(bulk(alice, *operations, dry_run=True)) == refusal(bulk(alice, *operations))


def test_a_body_may_have_a_mebibyte_here_and_nowhere_else(alice):
    title, rest = "x" * 200, "y" * 1000
    large = [create(title, description=rest, tags=[f"{n} {'z' * 40}" for n in range(20)])] * 100
    padded = {"operations": large, "dry_run": True}
    assert MAX_BODY < len(str(padded)) < 1_048_576

    assert bulk(alice, *large, dry_run=True).status_code == 200
    beyond = alice(
        "POST",
        "bulk",
        content=b" " * 1_048_577,
        headers={"Content-Type": "application/json"},
    )
    assert refusal(beyond) == problem(
        "body_too_large", "The body exceeds 1048576 bytes.", f"{alice.tasks}/bulk"
    )
    elsewhere = alice("POST", "", json={"title": "x" * MAX_BODY})
    assert refusal(elsewhere)["code"] == "body_too_large"
    assert refusal(alice("PUT", "bulk", json={"title": "x" * MAX_BODY}))["code"] == "body_too_large"
