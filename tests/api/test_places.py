"""Where tasks are: lists, parents, the order by hand, moves; what follows what is above it."""

from typing import Any

import pytest

from tests.api.calls import bulk, live, move, order, undo
from tests.api.expect import MOMENT, a_task, in_body, in_query, invalid, problem, refusal
from tests.api.places import squeeze
from tests.conftest import Caller
from tests.integration.tables import rows
from todo.tasks import trees
from todo.values.positions import first, last

pytestmark = [pytest.mark.pooled, pytest.mark.usefixtures("everything_is_sound")]


@pytest.fixture
def board(alice):
    """Lists 1 and 2; in the first 3, 4 and 5; below 3 is 6, below 6 is 7."""
    alice.create_list("To do")
    alice.create_list("Done")
    for title in ("a", "b", "c"):
        alice.create(title, list_id=1)
    alice.create("a.a", parent_id=3)
    alice.create("a.a.a", parent_id=6)
    return alice


def test_a_task_is_made_at_the_end_of_the_place_that_it_names(board):
    tasks = live(board)

    assert tasks[4] == a_task(board.id, 4, "b", list_id=1)
    assert tasks[7] == a_task(board.id, 7, "a.a.a", list_id=1, parent_id=6)
    assert order(board, 1) == [3, 4, 5]


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"list_id": 2}, {"list_id": 2, "parent_id": None}),
        ({"parent_id": None}, {"list_id": 1, "parent_id": None}),
        ({"parent_id": 4}, {"list_id": 1, "parent_id": 4}),
        ({"list_id": None}, {"list_id": None, "parent_id": None}),
        ({"list_id": 1, "parent_id": 4}, {"list_id": 1, "parent_id": 4}),
    ],
)
@pytest.mark.parametrize("by", ["PUT", "PATCH", "move"])
def test_a_task_that_comes_to_another_place_is_at_its_end_with_all_that_is_below_it(
    board, by, changes, place
):
    before = live(board)

    response = move(board, 6, **changes) if by == "move" else board(by, "6", json=changes)

    moved = {**before[6], **place, "position": last(8), "revision": 8, "updated_at": MOMENT}
    assert (response.status_code, response.json()) == (200, moved)
    follows = place["list_id"] != 1
    below = {"list_id": place["list_id"], "revision": 9, "updated_at": MOMENT} if follows else {}
    assert live(board) == {**before, 6: moved, 7: {**before[7], **below}}


@pytest.mark.parametrize("changes", [{}, {"list_id": 1}, {"parent_id": 3}, {"title": "a.a"}])
def test_an_update_that_names_the_place_of_the_task_moves_nothing(board, changes):
    before = board("GET", "6").json()

    assert board("PATCH", "6", json=changes).json() == before
    assert board("GET", "").json()["revision"] == 7


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"at": "start"}, [5, 3, 4]),
        ({"before": 4}, [3, 5, 4]),
        ({"before": 3}, [5, 3, 4]),
        ({"after": 3}, [3, 5, 4]),
        ({"after": 3, "list_id": 1}, [3, 5, 4]),
        ({"at": "end"}, [3, 4, 5]),
    ],
)
def test_a_move_gives_one_task_a_revision_and_siblings_none(board, body, expected):
    before = live(board)

    moved = move(board, 5, **body).json()

    changes = {"position": moved["position"], "revision": 8, "updated_at": MOMENT}
    assert moved == {**before[5], **changes}
    assert live(board) == {**before, 5: moved}
    assert order(board, 1) == expected


def test_the_place_of_a_move_is_that_of_the_neighbour(board):
    assert move(board, 5, before=6).json()["parent_id"] == 3
    assert order(board, 1, 3) == [5, 6]
    assert move(board, 7, after=4).json()["parent_id"] is None
    assert order(board, 1) == [3, 4, 7]


def test_the_start_of_a_place_is_before_all_and_the_end_behind_all(board):
    assert move(board, 5, at="start").json()["position"] == first(8)
    assert move(board, 5, at="end").json()["position"] == last(9)


@pytest.mark.parametrize(
    ("task_id", "body"),
    [
        (4, {"after": 3}),
        (4, {"before": 5}),
        (3, {"before": 4}),
        (5, {"after": 4}),
        (5, {"list_id": 1, "after": 4}),
    ],
)
def test_a_move_to_where_the_task_is_already_changes_nothing(board, task_id, body):
    before = live(board)

    response = move(board, task_id, **body)

    assert (response.status_code, response.json()) == (200, before[task_id])
    assert live(board) == before


OTHER_LIST = "is not the list of the parent"
BELOW = "is the task itself, or below it"
DEEP = "tasks are at most 3 levels deep"
NOWHERE = "must have at least one of list_id, parent_id, before, after and at"


@pytest.mark.parametrize(
    ("task_id", "body", "error"),
    [
        (4, {"list_id": 9}, ("/list_id", "unknown_reference", "is no list of the user's")),
        (4, {"list_id": 3}, ("/list_id", "unknown_reference", "is no list of the user's")),
        (4, {"parent_id": 9}, ("/parent_id", "unknown_reference", "is no task of the user's")),
        (4, {"parent_id": 1}, ("/parent_id", "unknown_reference", "is no task of the user's")),
        (4, {"before": 9}, ("/before", "unknown_reference", "is no task of the user's")),
        (4, {"after": 5}, ("/after", "unknown_reference", "is no task of the user's")),
        (4, {"parent_id": 3, "list_id": 2}, ("/list_id", "contradiction", OTHER_LIST)),
        (4, {"after": 3, "list_id": 2}, ("/after", "contradiction", "is in another place")),
        (4, {"after": 3, "parent_id": 6}, ("/after", "contradiction", "is in another place")),
        (4, {"before": 4}, ("/before", "contradiction", "is the task itself")),
        (4, {"before": 3, "after": 6}, ("/after", "contradiction", "is given beside 'before'")),
        (4, {"after": 3, "at": "end"}, ("/at", "contradiction", "is given beside 'after'")),
        (3, {"parent_id": 3}, ("/parent_id", "contradiction", BELOW)),
        (3, {"parent_id": 7}, ("/parent_id", "contradiction", BELOW)),
        (3, {"after": 7}, ("/parent_id", "contradiction", BELOW)),
        (4, {}, ("", "too_few", NOWHERE)),
        (4, {"parent_id": 7}, ("/parent_id", "limit", DEEP)),
        (3, {"parent_id": 4}, ("/parent_id", "limit", DEEP)),
    ],
)
def test_a_place_that_a_task_cannot_have_is_told_by_its_member(board, task_id, body, error):
    board("DELETE", "5")
    before = live(board)

    alone = refusal(move(board, task_id, **body))
    together = refusal(bulk(board, {"op": "move", "id": task_id, **body}))

    assert alone == invalid(f"{board.tasks}/{task_id}/move", in_body(*error))
    place, *rest = error
    assert together == invalid(f"{board.tasks}/bulk", in_body(f"/operations/0{place}", *rest))
    assert live(board) == before


def test_create_and_update_refuse_a_place_like_a_move(board):
    deep = board("POST", "", json={"title": "x", "parent_id": 7})
    below = board("PATCH", "3", json={"parent_id": 6})

    assert refusal(deep) == invalid(board.tasks, in_body("/parent_id", "limit", DEEP))
    contradiction = in_body("/parent_id", "contradiction", BELOW)
    assert refusal(below) == invalid(f"{board.tasks}/3", contradiction)


def test_nobody_moves_to_the_list_or_the_task_of_another_user(board, bob):
    bob.create()

    for body in ({"list_id": 1}, {"parent_id": 3}, {"before": 3}):
        response = move(bob, 1, **body)
        assert response.json()["errors"][0]["code"] == "unknown_reference"
    assert refusal(move(bob, 3, at="end")) == problem(
        "task_not_found", "Task not found", f"{bob.tasks}/3/move"
    )


def test_a_task_has_at_most_200_open_subtasks_and_500_below_it(alice):
    def several(parent_id: int, count: int, **fields: Any) -> Any:
        data = {"title": "x", "parent_id": parent_id, **fields}
        return bulk(alice, *[{"op": "create", "data": data}] * count)

    alice.create()
    assert several(1, 100).is_success
    assert several(1, 100).is_success
    full = several(1, 1)
    assert refusal(full) == invalid(
        f"{alice.tasks}/bulk",
        in_body("/operations/0/data/parent_id", "limit", "has 200 open subtasks already"),
    )
    for _ in range(3):
        assert several(1, 100, completed=True).is_success
    full = several(2, 1)
    assert refusal(full) == invalid(
        f"{alice.tasks}/bulk",
        in_body(
            "/operations/0/data/parent_id", "limit", "the task on top has 500 subtasks at most"
        ),
    )


def test_a_move_takes_if_match(board):
    stale = board("GET", "4").headers["etag"]
    current = board("PATCH", "4", json={"title": "B"}).json()

    refused = move(board, 4, headers={"If-Match": stale}, at="start")
    assert (refused.status_code, refused.json()["current"]) == (412, current)

    response = move(board, 4, headers={"If-Match": refused.headers["etag"]}, at="start")
    assert (response.status_code, response.json()["position"]) == (200, first(9))


def test_a_move_takes_an_idempotency_key(board):
    key = {"Idempotency-Key": "once"}
    answer = move(board, 4, headers=key, at="start")
    move(board, 5, at="start")

    again = move(board, 4, headers=key, at="start")

    assert (again.json(), again.headers["idempotency-replayed"]) == (answer.json(), "true")
    assert order(board, 1) == [5, 4, 3]


def test_siblings_get_new_positions_before_a_move_into_a_gap_without_room(service, alice):
    for _ in range(4):
        alice.create()
    squeeze(service, alice, {1: 1, 2: 2})
    before = live(alice)

    assert move(alice, 3, after=1).is_success

    system = _by_system(alice)
    assert system
    after, revision = live(alice), alice("GET", "").json()["revision"]
    assert len({change["unit"] for change in system}) == 1
    assert [change["op"] for change in system] == ["update"] * len(system)
    assert {change["revision"] for change in system} == set(range(revision - len(system), revision))
    assert max(len(task["position"]) for task in after.values()) < 80
    assert order(alice) == [1, 3, 2, 4]

    assert undo(alice, revision).json()["changed"] == 1
    moved = next(one for one in after if one not in {change["id"] for change in system})
    assert live(alice)[moved]["position"] == before[moved]["position"]


def _by_system(caller: Caller) -> list[dict[str, Any]]:
    changes = caller("GET", f"/api/{caller.id}/history?limit=5").json()["changes"]
    return [change for change in changes if change["by"] == "system"]


def test_delete_takes_what_is_below_and_restore_brings_exactly_that_back(board):
    before = live(board)
    board("DELETE", "7")
    assert board("DELETE", "3").status_code == 204

    trash = board("GET", f"/api/{board.id}/trash").json()["tasks"]
    assert [task["id"] for task in trash] == [6, 3, 7]
    response = board("POST", f"/api/{board.id}/trash/3/restore")

    again = {"revision": 11, "updated_at": MOMENT}
    assert (response.status_code, response.json()) == (200, {**before[3], **again})
    assert live(board) == {
        **{one: before[one] for one in (4, 5)},
        3: response.json(),
        6: {**before[6], "revision": 12, "updated_at": MOMENT},
    }


def test_a_task_comes_back_on_top_while_its_parent_is_in_the_trash(board):
    board("DELETE", "3")

    response = board("POST", f"/api/{board.id}/trash/6/restore")

    place = {key: response.json()[key] for key in ("list_id", "parent_id", "position")}
    assert place == {"list_id": 1, "parent_id": None, "position": last(6)}
    assert order(board, 1, 6) == [7]
    board("POST", f"/api/{board.id}/trash/3/restore")
    assert order(board, 1, 3) == []


def test_a_task_comes_back_to_the_inbox_when_its_list_is_gone(board):
    board("DELETE", f"/api/{board.id}/lists/1")

    response = board("POST", f"/api/{board.id}/trash/3/restore")

    assert (response.json()["list_id"], response.json()["parent_id"]) == (None, None)
    assert [task["list_id"] for task in live(board).values()] == [None] * 3


def test_a_restore_that_its_parent_has_no_room_for_is_422(board):
    board("DELETE", "6")
    move(board, 3, parent_id=4)

    response = board("POST", f"/api/{board.id}/trash/6/restore")

    path = f"/api/{board.id}/trash/6/restore"
    assert refusal(response) == invalid(path, in_query("task_id", "limit", DEEP))


def test_deleting_for_good_takes_along_what_is_below_in_the_trash(board):
    board("DELETE", "7")
    board("DELETE", "3")

    assert board("DELETE", f"/api/{board.id}/trash/3").status_code == 204
    assert board("GET", f"/api/{board.id}/trash").json()["tasks"] == []


def test_complete_leaves_subtasks_unless_it_is_told_to_take_them(board):
    assert board("PATCH", "3/complete").json()["completed"] is True
    assert [task["completed"] for task in live(board).values() if task["id"] in (6, 7)] == [
        False,
        False,
    ]
    board("PATCH", "3/complete", json={"completed": False})

    with_them = board("PATCH", "3/complete", json={"completed": True, "subtasks": True})

    assert with_them.json()["completed"] is True
    assert {one for one, task in live(board).items() if task["completed"]} == {3, 6, 7}
    last_one = board("GET", "").json()["revision"]
    assert undo(board, last_one).json() == {"unit": 13, "revision": 15, "changed": 3}


def test_subtasks_are_completed_and_never_opened_with_their_parent(board):
    response = board("PATCH", "3/complete", json={"completed": False, "subtasks": True})

    assert refusal(response) == invalid(
        f"{board.tasks}/3/complete",
        in_body("/subtasks", "contradiction", "completes subtasks, and never opens them"),
    )


def test_the_last_subtask_completes_no_parent(board):
    board("PATCH", "7/complete")

    assert board("GET", "6").json()["completed"] is False


def test_clear_completed_leaves_what_has_something_open_below_it(board):
    board("PATCH", "3/complete", json={"completed": True, "subtasks": True})
    board("PATCH", "7/complete", json={"completed": False})
    board("PATCH", "4/complete")

    assert board("POST", "clear-completed").json()["changed"] == 1
    assert sorted(live(board)) == [3, 5, 6, 7]
    board("PATCH", "7/complete")
    assert board("POST", "clear-completed").json()["changed"] == 3
    assert board("POST", f"/api/{board.id}/trash/3/restore").is_success
    assert sorted(live(board)) == [3, 5, 6, 7]


BULKS: dict[str, tuple[list[dict[str, Any]], list[int]]] = {
    "each after the one before": (
        [{"op": "move", "id": 5, "after": 1}, {"op": "move", "id": 6, "after": 5}],
        [1, 5, 6, 2, 3, 4],
    ),
    "after one that went to the start": (
        [{"op": "move", "id": 5, "at": "start"}, {"op": "move", "id": 6, "after": 5}],
        [5, 6, 1, 2, 3, 4],
    ),
    "before one that went to the end": (
        [{"op": "move", "id": 1, "at": "end"}, {"op": "move", "id": 2, "before": 1}],
        [3, 4, 5, 6, 2, 1],
    ),
    "before one that comes back": (
        [{"op": "delete", "id": 6}, {"op": "move", "id": 1, "before": 5}],
        [2, 3, 4, 1, 5],
    ),
    "all, from the last": (
        [{"op": "move", "id": one, "at": "end"} for one in (6, 5, 4, 3, 2, 1)],
        [6, 5, 4, 3, 2, 1],
    ),
}


@pytest.mark.parametrize("name", BULKS)
def test_operations_of_a_bulk_find_the_order_as_those_before_leave_it(alice, name):
    operations, expected = BULKS[name]
    for _ in range(6):
        alice.create()

    assert bulk(alice, *operations).status_code == 200
    assert order(alice) == expected


def test_a_task_that_a_bulk_changed_goes_behind_what_it_made_since(alice):
    alice.create()
    alice.create(parent_id=1)

    response = bulk(
        alice,
        {"op": "complete", "id": 1, "completed": True, "subtasks": True},
        {"op": "create", "data": {"title": "new"}},
        {"op": "move", "id": 2, "list_id": None},
    )

    new = response.json()["results"][1]["task"]["id"]
    assert order(alice) == [1, new, 2]
    assert alice("GET", "").json()["revision"] == 5


@pytest.mark.parametrize(("ids", "top"), [((1, 2), [1]), ((2, 1), [1, 2])])
def test_a_bulk_restores_what_an_earlier_restore_brought_back_once(alice, ids, top):
    alice.create()
    alice.create(parent_id=1)
    alice("DELETE", "1")

    response = bulk(alice, *({"op": "restore", "id": one} for one in ids))

    assert [result["status"] for result in response.json()["results"]] == [200, 200]
    assert (sorted(live(alice)), order(alice)) == ([1, 2], top)
    assert response.json()["revision"] == 6


def test_a_bulk_deletes_what_an_earlier_delete_took_along(board):
    response = bulk(board, {"op": "delete", "id": 3}, {"op": "delete", "id": 6})

    assert response.json()["results"] == [{"status": 204, "task": None}] * 2
    gone = bulk(board, {"op": "delete", "id": 4}, {"op": "move", "id": 5, "after": 4})
    assert refusal(gone)["errors"] == [
        in_body("/operations/1/after", "unknown_reference", "is no task of the user's")
    ]


def test_a_change_of_what_an_earlier_delete_took_along_is_404(board):
    response = bulk(
        board, {"op": "delete", "id": 3}, {"op": "complete", "id": 6, "completed": True}
    )

    assert refusal(response)["code"] == "task_not_found"
    assert [error["pointer"] for error in refusal(response)["errors"]] == ["/operations/1/id"]
    assert sorted(live(board)) == [3, 4, 5, 6, 7]


def test_a_task_made_below_one_that_the_bulk_deletes_is_in_the_trash(alice):
    alice.create()
    new = {"op": "create", "data": {"title": "new", "parent_id": 1}}

    response = bulk(alice, new, {"op": "delete", "id": 1})

    assert response.json()["results"] == [
        {"status": 201, "task": None},
        {"status": 204, "task": None},
    ]
    assert live(alice) == {}
    assert undo(alice, 2).is_success
    assert sorted(live(alice)) == [1]


def test_undo_of_a_move_under_what_is_below_the_task_by_now_is_refused(alice):
    alice.create()
    alice.create(parent_id=1)
    move(alice, 2, parent_id=None)
    move(alice, 1, parent_id=2)

    response = undo(alice, 3)

    assert response.status_code == 409
    assert [error["code"] for error in response.json()["errors"]] == ["contradiction"]
    assert order(alice, None, 2) == [1]


def test_undo_of_a_move_that_what_came_below_since_is_too_deep_for_is_refused(board):
    move(board, 6, parent_id=None)
    board.create("deep", parent_id=7)

    response = undo(board, 8)

    assert response.status_code == 409
    assert [error["code"] for error in response.json()["errors"]] == ["contradiction"]


def test_undo_takes_back_a_swap_of_parent_and_child(alice):
    alice.create()
    alice.create(parent_id=1)
    before = live(alice)
    swap = [{"op": "move", "id": 2, "parent_id": None}, {"op": "move", "id": 1, "parent_id": 2}]
    assert bulk(alice, *swap).is_success

    assert undo(alice, 4).is_success

    back = {"updated_at": MOMENT}
    assert live(alice) == {
        1: {**before[1], **back, "revision": 6},
        2: {**before[2], **back, "revision": 5},
    }


def test_positions_stay_short_and_apart_whatever_a_bulk_does_in_one_gap(service, alice):
    for _ in range(20):
        alice.create()
    expected = list(range(1, 21))
    url = service.settings.database_url
    long = "UPDATE tasks SET position = :position WHERE user_id = :owner AND id = :id"
    for task_id, end in ((1, "0000000001"), (2, "1000000001")):
        rows(url, long, position="a1" + "0" * 88 + end, owner=alice.id, id=task_id)

    for number in range(3, 21):
        title = {"title": f"x{number}"}
        operations = [{"op": "update", "id": one, "data": title} for one in (1, 2)]
        assert bulk(
            alice,
            *operations,
            {"op": "move", "id": number, "after": 1},
            {"op": "create", "data": {"title": "new"}},
        ).is_success
        expected.remove(number)
        expected.insert(1, number)
        expected.append(max(live(alice)))
        assert order(alice) == expected


LIMIT = ("limit", DEEP)


def deep_and_moved(board) -> None:
    """8 was under 4 when it went to the trash; 4 is at the lowest level now: 9, below it 10."""
    board.create("b.a", parent_id=4)
    board("DELETE", "8")
    board.create("top", list_id=1)
    board.create("under it", parent_id=10)
    assert move(board, 4, parent_id=11).status_code == 200


def test_a_bulk_restores_nothing_below_the_lowest_level(board):
    deep_and_moved(board)

    alone = refusal(board("POST", f"/api/{board.id}/trash/8/restore"))
    together = refusal(bulk(board, {"op": "restore", "id": 8}))

    assert alone == invalid(f"/api/{board.id}/trash/8/restore", in_query("task_id", *LIMIT))
    assert together == invalid(f"{board.tasks}/bulk", in_body("/operations/0", *LIMIT))


def test_what_went_to_the_trash_before_its_parent_moved_stays_there(board):
    """In one unit: 7 by itself, then 4 with 3 and 6 below it."""
    gone = [{"op": "delete", "id": 7}, {"op": "move", "id": 6, "parent_id": 4}]
    board.create("b.a", parent_id=4)
    below = [{"op": "move", "id": 6, "parent_id": 8}, {"op": "delete", "id": 4}]
    assert bulk(board, gone[0], *below).status_code == 200

    assert bulk(board, {"op": "restore", "id": 4}).status_code == 200

    assert {4, 6, 8} <= live(board).keys()
    assert 7 not in live(board)


def test_a_task_that_a_bulk_makes_and_deletes_is_deleted_for_who_follows(board):
    before = board("GET", "").json()["sync_token"]
    made = {"op": "create", "data": {"title": "new", "parent_id": 4}}
    assert bulk(board, made, {"op": "delete", "id": 4}).status_code == 200

    changes = board("GET", f"/api/{board.id}/changes?since={before}").json()["changes"]

    assert [(one["id"], one["op"], one["data"]) for one in changes] == [
        (8, "delete", None),
        (4, "delete", None),
    ]
    history = board("GET", f"/api/{board.id}/history?task_id=8").json()["changes"]
    assert [(entry["op"], entry["before"]) for entry in history] == [("delete", None)]
    assert undo(board, changes[-1]["revision"]).status_code == 200
    assert 4 in live(board)
    assert 8 not in live(board)


def test_a_bulk_that_names_too_many_tasks_is_refused_whole(board, monkeypatch):
    monkeypatch.setattr(trees, "MOST_READ", 4)  # for many tasks take long to make
    before = live(board)
    deleted = [{"op": "delete", "id": one} for one in (3, 4, 5)]

    response = bulk(board, *deleted)

    detail = "The trees of these tasks have more than 4 tasks together."
    assert refusal(response) == problem("change_too_large", detail, f"{board.tasks}/bulk")
    assert live(board) == before
    assert bulk(board, *deleted[1:]).status_code == 200


def test_an_undo_brings_no_more_back_than_there_is_room_for(board):
    done = {"title": "x", "parent_id": 4, "completed": True}
    some = [{"op": "create", "data": done}] * 100
    created = [one["task"]["id"] for one in bulk(board, *some).json()["results"]]
    deleted = bulk(board, *({"op": "delete", "id": one} for one in created)).json()["revision"]
    for _ in range(4):
        bulk(board, *some)
    extra = board.create(**done)["id"]

    response = undo(board, deleted)

    reason = "a task would have too many subtasks"
    assert refusal(response)["errors"] == [in_body("/revision", "limit", reason)]
    board("DELETE", f"{extra}")
    assert undo(board, deleted).status_code == 200


def test_an_undone_restore_leaves_in_the_trash_what_was_there(board):
    board("DELETE", "7")
    board("DELETE", "6")
    before = trashed(board)
    assert board("POST", f"/api/{board.id}/trash/7/restore").json()["parent_id"] is None

    undo(board, board("GET", "").json()["revision"])

    assert trashed(board) == before
    assert [(one["id"], one["parent_id"]) for one in before] == [(6, 3), (7, 6)]


def test_a_redone_bulk_leaves_in_the_trash_what_was_there(board):
    state = {"op": "complete", "id": 6, "completed": True, "subtasks": True}
    revision = bulk(board, state, {"op": "delete", "id": 3}).json()["revision"]
    before = trashed(board)
    assert [one["completed"] for one in before] == [False, True, True]

    undone = undo(board, revision).json()["revision"]
    undo(board, undone)

    assert trashed(board) == before


def test_subtasks_are_completed_together_and_never_opened(board):
    body = {"completed": False, "subtasks": True}
    detail = "completes subtasks, and never opens them"

    alone = refusal(board("PATCH", "3/complete", json=body))
    together = refusal(bulk(board, {"op": "complete", "id": 3, **body}))

    place = "/subtasks", "contradiction", detail
    assert alone == invalid(f"{board.tasks}/3/complete", in_body(*place))
    wrong = in_body(f"/operations/0{place[0]}", *place[1:])
    assert together == invalid(f"{board.tasks}/bulk", wrong)


def test_a_bulk_changes_what_it_has_brought_back_along(board):
    board("DELETE", "3")
    rename = {"op": "update", "id": 7, "data": {"title": "new"}}

    assert refusal(bulk(board, rename))["code"] == "task_not_found"
    response = bulk(board, {"op": "restore", "id": 3}, rename)

    assert response.json()["results"][1]["task"]["title"] == "new"


def trashed(caller: Caller) -> list[dict[str, Any]]:
    """All tasks of the trash, but for their moments and revisions."""
    tasks = caller("GET", f"/api/{caller.id}/trash?limit=1000").json()["tasks"]
    moving = {"revision", "updated_at", "deleted_at", "purge_at"}
    plain = ({k: v for k, v in task.items() if k not in moving} for task in tasks)
    return sorted(plain, key=lambda task: task["id"])
