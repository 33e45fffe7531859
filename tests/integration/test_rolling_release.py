"""A process of the release before writes while this one serves: the next change counts again."""

from typing import Any

import pytest

from tests.conftest import Caller, Service
from tests.integration.application import sent_by
from tests.integration.tables import assert_all_is_counted, rows, value
from todo.values import positions

MOMENT = "'2026-11-22 16:51:00'"
INSERT = (
    " INSERT INTO tasks (user_id, id, revision, title, title_key, description, completed,"
    "  completed_at, created_at, updated_at, search_key, priority, tags, tags_key)"
)
OLD = f"'Old', 'old', NULL, false, NULL, {MOMENT}, {MOMENT}, 'old\n', 2, '[]', ''"
CREATE = f"{INSERT} SELECT id, revision, revision, {OLD} FROM users WHERE id = :owner"  # noqa: S608
MANY = (
    "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < :many)"  # noqa: S608
    f"{INSERT} SELECT :owner, i, i, {OLD} FROM n"
)
REVISION = "(SELECT revision FROM users WHERE users.id = tasks.user_id)"
THIS = "user_id = :owner AND id = :id"


class ReleaseBefore:
    """What a process of the release before writes for a user: no place, and no counter of one."""

    def __init__(self, url: str, owner: str) -> None:
        self._url, self._owner = url, owner

    def create(self) -> int:
        """Create a task; return its id."""
        revision = self._take(open_tasks=1)
        self._run(CREATE)
        return revision

    def complete(self, task: int) -> None:
        """Complete an open task."""
        self._take(open_tasks=-1, done_tasks=1)
        self._change("completed = true, completed_at = created_at", task)

    def delete(self, task: int) -> None:
        """Move an open task to the trash, alone."""
        self._take(open_tasks=-1, trashed_tasks=1)
        self._change(f"deleted_at = {MOMENT}", task)

    def restore(self, task: int) -> None:
        """Take an open task out of the trash."""
        self._take(open_tasks=1, trashed_tasks=-1)
        self._change("deleted_at = NULL", task)

    def _take(self, **counters: int) -> int:
        """Take a revision, which has an entry in the log, and move ``counters``."""
        moved = "".join(f", {name} = {name} + {number}" for name, number in counters.items())
        self._run(
            "UPDATE users SET revision = revision + 1, logged = logged + 1, nonce = 'old'"  # noqa: S608
            f"{moved} WHERE id = :owner"
        )
        self._run(
            "INSERT INTO changes (user_id, revision, unit, nonce, kind, id, op, at, by)"  # noqa: S608
            f" SELECT id, revision, revision, nonce, 'task', 1, 'update', {MOMENT}, 'user'"
            " FROM users WHERE id = :owner"
        )
        return value(self._url, "SELECT revision FROM users WHERE id = :owner", owner=self._owner)

    def _change(self, values: str, task: int) -> None:
        self._run(f"UPDATE tasks SET {values}, revision = {REVISION} WHERE {THIS}", id=task)  # noqa: S608

    def _run(self, statement: str, **parameters: Any) -> None:
        rows(self._url, statement, owner=self._owner, **parameters)


@pytest.fixture
def service(database_url, service_on) -> Service:
    return service_on(database_url)


@pytest.fixture
def alice(service) -> Caller:
    return service.caller("alice")


@pytest.fixture
def before(database_url, alice) -> ReleaseBefore:
    return ReleaseBefore(database_url, alice.id)


def a_list(alice: Caller, name: str = "Home") -> int:
    created = alice("POST", "/api/me/lists", json={"name": name})
    assert created.status_code == 201, created.text
    return created.json()["id"]


def family(alice: Caller) -> tuple[int, list[int]]:
    """A task in a list with four subtasks, one of them completed."""
    parent = alice.create("Move house", list_id=a_list(alice))["id"]
    children = [alice.create(f"Step {n}", parent_id=parent)["id"] for n in range(4)]
    assert alice("PATCH", f"{children[0]}/complete").status_code == 200
    return parent, children


CHANGES = {
    "create": lambda alice, parent: alice.create("New"),
    "create below": lambda alice, parent: alice.create("New", parent_id=parent),
    "update": lambda alice, parent: alice("PATCH", f"{parent}", json={"title": "x"}),
    "complete": lambda alice, parent: alice("PATCH", f"{parent}/complete"),
    "delete": lambda alice, parent: alice("DELETE", f"{parent}"),
    "move": lambda alice, parent: alice("POST", f"{parent}/move", json={"at": "start"}),
    "bulk": lambda alice, parent: alice(
        "POST", "bulk", json={"operations": [{"op": "delete", "id": parent}]}
    ),
    "complete all": lambda alice, parent: alice("POST", "complete-all", json={"completed": True}),
    "clear completed": lambda alice, parent: alice("POST", "clear-completed"),
    "new list": lambda alice, parent: a_list(alice, "Work"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_one_change_after_writes_of_the_release_before_makes_all_counters_exact(
    alice, before, database_url, change
):
    parent, (_, second, third, _) = family(alice)
    before.create()
    before.complete(before.create())
    before.complete(second)
    before.delete(third)

    change(alice, parent)

    assert_all_is_counted(database_url, alice.id)


def test_tasks_of_the_release_before_are_ordered_by_their_ids_among_the_others(alice, before):
    first = alice.create("First")["id"]
    second = before.create()
    third = alice.create("Third")["id"]
    fourth = before.create()
    moved = alice("POST", f"{fourth}/move", json={"before": second})
    assert moved.status_code == 200, moved.text

    tasks = {task["id"]: task["position"] for task in alice("GET", "?limit=10").json()["tasks"]}
    assert sorted(tasks, key=tasks.__getitem__) == [first, fourth, second, third]
    assert tasks[second] == positions.last(second)


def test_subtasks_whose_parent_the_release_before_deleted_are_on_top_and_clients_are_told(
    alice, before, database_url
):
    parent, children = family(alice)
    token = alice("GET", "").json()["sync_token"]
    before.delete(parent)

    last = alice.create("Another")["revision"]

    assert_all_is_counted(database_url, alice.id)
    lifted = [alice("GET", f"{child}").json() for child in children]
    assert [(task["parent_id"], task["revision"]) for task in lifted] == [
        (None, last - 4 + place) for place in range(4)
    ]
    assert alice("GET", f"/api/me/changes?since={token}").status_code == 410


def test_undelete_by_the_release_before_is_counted(alice, before, database_url):
    _, children = family(alice)
    before.delete(children[1])
    before.restore(children[1])
    before.delete(children[2])

    assert alice("PATCH", f"{children[3]}/complete").status_code == 200

    assert_all_is_counted(database_url, alice.id)


def test_what_the_release_before_completes_has_a_next_task_once_it_is_completed_here(
    alice, before, database_url
):
    task = alice.create("Water the plants", recurrence={"rule": "FREQ=DAILY"})
    before.complete(task["id"])

    shown = alice("GET", f"{task['id']}").json()
    assert shown == {
        **task,
        "completed": True,
        "completed_at": shown["completed_at"],
        "revision": task["revision"] + 1,
    }
    assert alice("PATCH", f"{task['id']}", json={"completed": True}).json() == shown
    assert alice("PATCH", f"{task['id']}", json={"completed": False}).json()["next_id"] is None
    done = alice("PATCH", f"{task['id']}", json={"completed": True}).json()

    made = alice("GET", f"{done['next_id']}").json()
    assert (made["previous_id"], made["occurrence_number"]) == (task["id"], 2)
    assert_all_is_counted(database_url, alice.id)


def test_a_next_task_that_the_release_before_completed_is_not_taken_back(
    alice, before, database_url
):
    task = alice.create("Water the plants", recurrence={"rule": "FREQ=DAILY"})["id"]
    made = alice("PATCH", f"{task}/complete").json()["next_id"]
    before.complete(made)

    assert alice("PATCH", f"{task}/complete").json()["next_id"] == made

    assert alice("GET", f"{made}").json()["completed"] is True
    assert_all_is_counted(database_url, alice.id)


def test_who_was_counted_is_not_counted_again(alice, before, service):
    parent, _ = family(alice)
    before.create()
    with sent_by(service) as sent:
        alice("PATCH", f"{parent}", json={"title": "1"})
        first = len(sent)
        alice("PATCH", f"{parent}", json={"title": "2"})
    assert len(sent) - first < first


def test_many_tasks_without_a_position_get_one_each(alice, database_url):
    many = 4_500
    alice.create()
    rows(database_url, MANY, owner=alice.id, many=many)
    rows(database_url, "UPDATE users SET revision = :many, open_tasks = :many", many=many)

    assert alice("PATCH", "1", json={"title": "Changed"}).json()["revision"] == many + 1

    assert_all_is_counted(database_url, alice.id)
    given = rows(database_url, "SELECT id, position FROM tasks")
    assert {row["id"]: row["position"] for row in given} == {
        number: positions.last(number) for number in range(1, many + 1)
    }
