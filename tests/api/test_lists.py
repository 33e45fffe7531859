"""``/api/{user_id}/lists``: create, show, change, move, delete, and how many tasks each has."""

import uuid

import pytest

from tests.api.expect import (
    MOMENT,
    a_list,
    a_task,
    in_body,
    in_query,
    invalid,
    problem,
    refusal,
    token_at,
)
from tests.conftest import Caller, settings_for
from todo.sync import unit_of_work
from todo.values.positions import last

pytestmark = pytest.mark.pooled

VISIBLE = "must have at least one visible character"
NONE = {"total": 0, "open": 0, "completed": 0}
UNMATCHED = "If-Match does not name the current ETag; 'current' has what is stored now."


def count(open_tasks: int, completed: int = 0) -> dict[str, int]:
    return {"total": open_tasks + completed, "open": open_tasks, "completed": completed}


def all_lists(revision: int, *lists, **counts):
    """The whole response of ``list_lists``; lists of which nothing is said are empty."""
    empty = {str(one["id"]): NONE for one in lists}
    named = {name.removeprefix("of_"): count for name, count in counts.items()}
    return {
        "lists": list(lists),
        "counts": {**empty, "inbox": NONE, **named},
        "revision": revision,
        "sync_token": token_at(revision),
    }


def index(caller: Caller):
    return caller("GET", caller.lists).json()


def everything(caller: Caller):
    """The user's lists, counts and live tasks, without what every change changes."""
    found = index(caller)
    rows = [*found["lists"], *caller("GET", "?order=asc&limit=1000").json()["tasks"]]
    left_out = ("revision", "updated_at")
    return found["counts"], [{n: v for n, v in row.items() if n not in left_out} for row in rows]


def of(caller: Caller, list_id: int, *more: str) -> str:
    return "/".join([caller.lists, str(list_id), *more])


def undo(caller: Caller, revision: int):
    return caller("POST", f"/api/{caller.id}/undo", json={"revision": revision})


def history(caller: Caller, **query):
    return caller("GET", f"/api/{caller.id}/history", params=query).json()["changes"]


def not_found(path: str):
    return problem("list_not_found", "List not found", path)


# Create and show


def test_a_user_without_lists_has_an_empty_inbox(alice):
    assert index(alice) == all_lists(0)


def test_a_new_list_goes_to_the_end_and_is_shown_at_its_location(alice):
    first = alice("POST", alice.lists, json={"name": "Groceries", "color": "#1E90ff"})
    second = alice("POST", alice.lists, json={"name": "Groceries"})

    groceries = a_list(alice.id, 1, "Groceries", color="#1E90ff")
    assert (first.status_code, first.json()) == (201, groceries)
    assert first.headers["location"] == of(alice, 1)
    shown = alice("GET", first.headers["location"])
    assert (shown.status_code, shown.json()) == (200, groceries)
    assert shown.headers["etag"] == first.headers["etag"]
    assert index(alice) == all_lists(2, groceries, a_list(alice.id, 2, "Groceries"))
    assert second.json()["color"] is None


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, in_body("/name", "required", "is required")),
        ({"name": "\u200b"}, in_body("/name", "format", VISIBLE)),
        ({"name": "x", "color": "red"}, None),
        ({"name": "x", "color": "#12345g"}, None),
        ({"name": "x", "position": "a1"}, None),
        ({"name": "x" * 101}, None),
        ({"name": "a\nb"}, None),
        ({"name": None}, None),
    ],
)
def test_a_list_that_is_against_the_contract_is_422(alice, body, error):
    response = alice("POST", alice.lists, json=body)

    assert refusal(response)["code"] == "validation_failed"
    if error:
        assert response.json() == invalid(alice.lists, error)
    assert index(alice) == all_lists(0)


@pytest.mark.parametrize("name", ["x" * 100, "Zoë's 🛒", "  a  "])
def test_a_name_is_kept_as_it_was_sent(alice, name):
    assert alice.create_list(name) == a_list(alice.id, 1, name)


def test_a_list_is_shown_to_its_user_alone(alice, bob):
    alice.create_list()

    assert index(bob) == all_lists(0)
    assert refusal(bob("GET", of(bob, 1))) == not_found(of(bob, 1))


def test_more_lists_than_the_quota_are_403_and_deleted_ones_count_until_they_are_purged(
    backend, new_database, serve
):
    alice = serve(settings_for(new_database(backend), lists_per_user=2)).caller()
    alice.create_list()
    alice("DELETE", of(alice, alice.create_list()["id"]))

    refused = alice("POST", alice.lists, json={"name": "One too many"})

    detail = "A user may have 2 lists, those included that are not purged yet."
    assert refusal(refused) == problem("quota_exceeded", detail, alice.lists)
    assert alice("DELETE", f"/api/{alice.id}/trash").json() == {"changed": 0, "revision": 3}
    assert alice.create_list("There is room again")["id"] == 4


def test_a_list_under_a_key_is_made_once(alice):
    key = {"Idempotency-Key": uuid.uuid4().hex}
    first, again = [
        alice("POST", alice.lists, json={"name": "Once"}, headers=key) for _ in range(2)
    ]

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    assert index(alice) == all_lists(1, a_list(alice.id, 1, "Once"))


def test_a_kept_response_forgets_a_list_that_is_deleted_for_good(alice):
    key = {"Idempotency-Key": uuid.uuid4().hex}
    alice("POST", alice.lists, json={"name": "Secret"}, headers=key)
    alice("DELETE", of(alice, 1))
    alice("DELETE", f"/api/{alice.id}/trash")

    repeated = alice("POST", alice.lists, json={"name": "Secret"}, headers=key)

    assert refusal(repeated) == not_found(alice.lists)
    assert [(entry["op"], entry["before"], entry["after"]) for entry in history(alice)] == [
        ("delete", None, None),
        ("create", None, None),
    ]


# Counts


def test_the_counts_have_the_live_tasks_of_each_list_and_of_the_inbox(alice):
    groceries, work = alice.create_list(), alice.create_list("Work")
    alice.create(list_id=1)
    alice.create(list_id=1, completed=True)
    alice.create(list_id=2)
    alice.create()
    alice.create(completed=True)
    alice("DELETE", "5")

    expected = {"of_1": count(1, 1), "inbox": count(1, 1)}
    assert index(alice) == all_lists(8, groceries, work, **expected)


def test_a_change_of_a_task_changes_the_counts_and_neither_the_list_nor_its_log(alice):
    groceries = alice.create_list()
    etag = alice("GET", of(alice, 1)).headers["etag"]
    alice.create(list_id=1)
    alice("PATCH", "2/complete")

    assert index(alice) == all_lists(3, groceries, of_1=count(0, 1))
    assert alice("GET", of(alice, 1), headers={"If-None-Match": etag}).status_code == 304
    assert [entry["id"] for entry in history(alice, list_id=1)] == [1]


def test_the_lists_have_an_etag_that_every_change_changes(alice):
    alice.create_list()
    etag = alice("GET", alice.lists).headers["etag"]
    known = {"If-None-Match": etag}

    same = alice("GET", alice.lists, headers=known)
    alice.create()
    changed = alice("GET", alice.lists, headers=known)

    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag


# Update


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"name": "Shopping"}, {"name": "Shopping"}),
        ({"color": None}, {"color": None}),
        ({"color": "#000000", "name": "x"}, {"color": "#000000", "name": "x"}),
    ],
)
def test_an_update_changes_what_it_names(alice, method, body, fields):
    old = alice.create_list(color="#ffffff")

    response = alice(method, of(alice, 1), json=body)

    new = {**old, **fields, "updated_at": MOMENT, "revision": 2}
    assert (response.status_code, response.json()) == (200, new)
    assert response.headers["etag"] == alice("GET", of(alice, 1)).headers["etag"]
    assert index(alice) == all_lists(2, new)


@pytest.mark.parametrize("body", [{}, {"name": "Groceries"}, {"color": None}])
def test_an_update_of_nothing_takes_no_revision(alice, body):
    old = alice.create_list()

    response = alice("PATCH", of(alice, 1), json=body)

    assert (response.status_code, response.json()) == (200, old)
    assert index(alice) == all_lists(1, old)


def test_a_merge_patch_may_say_that_it_is_one(alice):
    alice.create_list()
    headers = {"Content-Type": "application/merge-patch+json"}

    response = alice("PATCH", of(alice, 1), content=b'{"name": "x"}', headers=headers)

    assert response.json()["name"] == "x"


def test_a_name_is_never_null(alice):
    alice.create_list()

    response = alice("PUT", of(alice, 1), json={"name": None})

    wrong = in_body("/name", "type", 'is not of type "string"')
    assert refusal(response) == invalid(of(alice, 1), wrong)


CHANGES = {
    "update": ("PUT", (), {"name": "x"}),
    "patch": ("PATCH", (), {"name": "x"}),
    "move": ("POST", ("move",), {"at": "start"}),
    "delete": ("DELETE", (), None),
}
each_change = pytest.mark.parametrize("name", CHANGES)


@each_change
def test_a_change_under_another_etag_is_412_with_the_list_as_it_is(alice, name):
    alice.create_list("First")
    current = alice.create_list()
    method, more, body = CHANGES[name]
    path = of(alice, 2, *more)

    response = alice(method, path, json=body, headers={"If-Match": '"another"'})

    expected = {**problem("precondition_failed", UNMATCHED, path), "current": current}
    assert refusal(response) == expected
    assert response.headers["etag"] == alice("GET", of(alice, 2)).headers["etag"]
    assert index(alice)["revision"] == 2


@each_change
def test_a_change_under_the_current_etag_is_made(alice, name):
    alice.create_list("First")
    alice.create_list()
    method, more, body = CHANGES[name]
    etag = alice("GET", of(alice, 2)).headers["etag"]

    response = alice(method, of(alice, 2, *more), json=body, headers={"If-Match": etag})

    assert response.status_code == 200
    assert index(alice)["revision"] == 3


@each_change
def test_a_change_of_a_list_that_is_not_there_is_404(alice, name):
    alice("DELETE", of(alice, alice.create_list()["id"]))
    method, more, body = CHANGES[name]

    for list_id in (1, 9):
        path = of(alice, list_id, *more)
        assert refusal(alice(method, path, json=body)) == not_found(path)


@each_change
def test_a_change_under_a_key_is_made_once(alice, name):
    alice.create_list("First")
    alice.create_list()
    method, more, body = CHANGES[name]
    key = {"Idempotency-Key": uuid.uuid4().hex}

    first, again = [alice(method, of(alice, 2, *more), json=body, headers=key) for _ in range(2)]

    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert index(alice)["revision"] == 3


# Delete


@pytest.fixture
def board(alice):
    """List 1 with an open task 3 and a completed task 4; list 2 and the inbox with one each."""
    alice.create_list("To do")
    alice.create_list("Other")
    alice.create("Open", list_id=1)
    alice.create("Done", list_id=1, completed=True)
    alice.create("Elsewhere", list_id=2)
    alice.create("Inbox")
    return alice


def test_a_deleted_list_takes_its_tasks_to_the_trash(board):
    response = board("DELETE", of(board, 1))

    assert (response.status_code, response.json()) == (200, {"changed": 3, "revision": 9})
    assert "etag" not in response.headers
    assert index(board) == all_lists(9, a_list(board.id, 2, "Other"), of_2=count(1), inbox=count(1))
    trash = board("GET", f"/api/{board.id}/trash").json()["tasks"]
    assert [(task["id"], task["list_id"], task["revision"]) for task in trash] == [
        (4, 1, 9),
        (3, 1, 8),
    ]
    assert refusal(board("GET", of(board, 1))) == not_found(of(board, 1))


def test_the_tasks_of_a_deleted_list_may_go_to_the_end_of_the_inbox(board):
    response = board("DELETE", of(board, 1), params={"tasks": "inbox"})

    assert (response.status_code, response.json()) == (200, {"changed": 3, "revision": 9})
    assert index(board) == all_lists(
        9, a_list(board.id, 2, "Other"), of_2=count(1), inbox=count(2, 1)
    )
    tasks = sorted(board("GET", "").json()["tasks"], key=lambda task: task["position"])
    assert [task["title"] for task in tasks if task["list_id"] is None] == ["Inbox", "Open", "Done"]
    assert board("GET", "3").json() == a_task(
        board.id, 3, "Open", revision=8, position=last(8), list_id=None
    )
    assert board("GET", f"/api/{board.id}/trash").json()["total"] == 0


@pytest.fixture
def tree(alice):
    """List 1 with the tasks 2 and 3 on top, in the order 3, 2; the task 4 is below 2."""
    alice.create_list()
    for title, parent_id in (("Two", None), ("Three", None), ("Four", 2)):
        alice.create(title, list_id=1, parent_id=parent_id)
    alice("POST", "2/move", json={"at": "end"})
    return alice


def test_subtasks_go_to_the_inbox_below_their_parents_at_their_positions(tree):
    tree.create("Inbox")
    tree("DELETE", of(tree, 1), params={"tasks": "inbox"})

    tasks = sorted(tree("GET", "").json()["tasks"], key=lambda task: task["position"])
    assert [(task["title"], task["parent_id"]) for task in tasks if task["id"] != 4] == [
        ("Inbox", None),
        ("Three", None),
        ("Two", None),
    ]
    assert {task["list_id"] for task in tasks} == {None}
    assert tree("GET", "4").json() == a_task(tree.id, 4, "Four", parent_id=2, revision=10)


@pytest.mark.parametrize("tasks", ["trash", "inbox"])
def test_undo_brings_a_deleted_list_back_with_its_subtasks(tree, tasks):
    before = everything(tree)

    deleted = tree("DELETE", of(tree, 1), params={"tasks": tasks}).json()

    assert deleted == {"changed": 4, "revision": 9}
    assert undo(tree, 6).json() == {"unit": 10, "revision": 13, "changed": 4}
    assert everything(tree) == before


@pytest.mark.parametrize("tasks", ["trash", "inbox"])
def test_the_tasks_of_a_list_are_changed_in_batches(alice, tasks, monkeypatch):
    monkeypatch.setattr(unit_of_work, "BATCH", 2)
    alice.create_list()
    for number in range(7):
        alice.create(f"{number}", list_id=1, completed=number % 3 == 0)
    alice("POST", "5/move", json={"at": "start"})
    before = everything(alice)

    deleted = alice("DELETE", of(alice, 1), params={"tasks": tasks}).json()

    assert deleted == {"changed": 8, "revision": 17}
    inbox = count(4, 3) if tasks == "inbox" else NONE
    assert index(alice) == all_lists(17, inbox=inbox)
    listed = sorted(alice("GET", "").json()["tasks"], key=lambda task: task["position"])
    titles = ["3", "0", "1", "2", "4", "5", "6"] if tasks == "inbox" else []
    assert [task["title"] for task in listed] == titles
    assert undo(alice, 17).json()["changed"] == 8
    assert everything(alice) == before


def test_a_deleted_task_of_a_list_that_is_gone_comes_back_to_the_inbox(board):
    board("DELETE", of(board, 1))

    restored = board("POST", f"/api/{board.id}/trash/3/restore").json()

    assert restored["list_id"] is None
    assert index(board)["counts"] == {"2": count(1), "inbox": count(2)}


@pytest.mark.parametrize("tasks", ["trash", "inbox"])
def test_undo_brings_a_deleted_list_back_with_its_tasks_and_undo_deletes_it_again(board, tasks):
    before = everything(board)
    board("DELETE", of(board, 1), params={"tasks": tasks})
    after = everything(board)
    assert after != before

    undone = undo(board, 8)

    assert undone.json() == {"unit": 10, "revision": 12, "changed": 3}
    assert everything(board) == before
    assert undo(board, 10).json() == {"unit": 13, "revision": 15, "changed": 3}
    assert everything(board) == after


@pytest.mark.parametrize("tasks", ["trash", "inbox"])
def test_the_deletion_of_an_empty_list_is_taken_back(alice, tasks):
    alice.create_list()
    before = everything(alice)

    response = alice("DELETE", of(alice, 1), params={"tasks": tasks})

    assert response.json() == {"changed": 1, "revision": 2}
    assert undo(alice, 2).json() == {"unit": 3, "revision": 3, "changed": 1}
    assert everything(alice) == before


def test_an_undo_that_takes_a_list_away_takes_its_tasks_along(alice):
    alice.create_list()
    alice.create(list_id=1)
    alice.create(list_id=1, completed=True)
    before = everything(alice)

    assert undo(alice, 1).json() == {"unit": 4, "revision": 6, "changed": 3}

    assert index(alice) == all_lists(6)
    trash = alice("GET", f"/api/{alice.id}/trash").json()["tasks"]
    assert [(task["id"], task["list_id"]) for task in trash] == [(3, 1), (2, 1)]
    assert undo(alice, 4).json()["changed"] == 3
    assert everything(alice) == before


@pytest.mark.parametrize("tasks", ["trash", "inbox"])
def test_a_deletion_that_is_made_again_takes_the_tasks_along_that_came_since(board, tasks):
    board("DELETE", of(board, 1), params={"tasks": tasks})
    undo(board, 7)
    assert board.create("New", list_id=1)["id"] == 13

    redone = undo(board, 10)

    assert redone.json() == {"unit": 14, "revision": 17, "changed": 4}
    inbox = count(1) if tasks == "trash" else count(2, 1)
    assert index(board)["counts"] == {"2": count(1), "inbox": inbox}
    trash = board("GET", f"/api/{board.id}/trash").json()["tasks"]
    assert trash[0]["id"] == 13
    assert len(trash) == (3 if tasks == "trash" else 1)


def test_the_destination_of_the_tasks_is_one_of_two(board):
    response = board("DELETE", of(board, 1), params={"tasks": "nowhere"})

    wrong = in_query("tasks", "not_in_enum", "is not one of: trash, inbox")
    assert refusal(response) == invalid(of(board, 1), wrong)


def test_an_emptied_trash_has_no_deleted_list_any_more(board):
    board("DELETE", of(board, 1))

    assert board("DELETE", f"/api/{board.id}/trash").json() == {"changed": 2, "revision": 9}
    refused = undo(board, 9)
    assert refusal(refused)["errors"][0]["code"] == "purged"


# Log and delta


def test_the_delta_has_lists_and_tasks_in_the_order_of_their_changes(alice):
    begin = index(alice)["sync_token"]
    groceries = alice.create_list()
    task = alice.create(list_id=1)
    alice.create_list("Gone")
    alice("DELETE", of(alice, 3))

    response = alice("GET", f"/api/{alice.id}/changes", params={"since": begin})

    assert response.json()["changes"] == [
        put("list", groceries),
        put("task", task),
        {"kind": "list", "id": 3, "op": "delete", "revision": 4, "at": MOMENT, "data": None},
    ]


def put(kind: str, entity):
    found = {"kind": kind, "id": entity["id"], "op": "put", "revision": entity["revision"]}
    return {**found, "at": MOMENT, "data": entity}


def test_the_history_tells_what_became_of_a_list(alice):
    alice.create_list(color="#ffffff")
    alice.create()
    alice("PATCH", of(alice, 1), json={"name": "x", "color": None})
    alice("DELETE", of(alice, 1))

    def entry(revision, op, before, after):
        place = {"revision": revision, "unit": revision, "kind": "list", "id": 1, "op": op}
        by = {"at": MOMENT, "by": "user", "via": None}
        return {**place, **by, "before": before, "after": after}

    created = {"id": 1, "user_id": alice.id, "name": "Groceries", "color": "#ffffff"}
    assert history(alice, list_id=1) == [
        entry(4, "delete", {"deleted_at": None}, {"deleted_at": MOMENT}),
        entry(3, "update", {"name": "Groceries", "color": "#ffffff"}, {"name": "x", "color": None}),
        entry(1, "create", None, {**created, "position": last(1), "created_at": MOMENT}),
    ]
    assert history(alice, task_id=1) == []
    assert [one["id"] for one in history(alice, task_id=2)] == [2]


def test_the_history_of_a_task_and_of_a_list_at_once_is_422(alice):
    path = f"/api/{alice.id}/history"

    response = alice("GET", path, params={"task_id": 1, "list_id": 1})

    twice = in_query("list_id", "contradiction", "is given beside 'task_id'")
    assert refusal(response) == invalid(path, twice)


@each_change
def test_every_change_of_a_list_is_taken_back(alice, name):
    alice.create_list("First")
    alice.create_list()
    method, more, body = CHANGES[name]
    before = everything(alice)
    alice(method, of(alice, 2, *more), json=body)
    after = everything(alice)
    assert after != before

    assert undo(alice, 3).json() == {"unit": 4, "revision": 4, "changed": 1}
    assert everything(alice) == before
    assert undo(alice, 4).json() == {"unit": 5, "revision": 5, "changed": 1}
    assert everything(alice) == after
