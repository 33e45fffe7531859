"""Two clients at once do something with one task that repeats: it never has two next ones."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.conftest import Caller, Service
from tests.integration.concurrently import insist, together
from tests.integration.places import assert_places_are_sound

ROUNDS = 15


@pytest.fixture
def alice(crowded: Service) -> Iterator[Caller]:
    caller = crowded.caller()
    yield caller
    assert_places_are_sound(crowded.settings.database_url, caller.id)


class Task:
    """A task that repeats, and what clients send about it."""

    def __init__(self, alice: Caller) -> None:
        self.alice = alice
        self.id = alice.create(recurrence={"rule": "FREQ=DAILY"}, due_date="9000-01-01")["id"]
        self.step = alice.create(parent_id=self.id)["id"]

    def send(self, method: str, path: str = "", **body: Any) -> Any:
        sent = {"json": body} if body else {}
        return insist(lambda: self.alice(method, f"{self.id}{path}", **sent))

    def complete(self, completed: bool = True) -> Any:
        return self.send("PATCH", "/complete", completed=completed)

    def update(self) -> Any:
        return self.send("PATCH", completed=True)

    def bulk(self) -> Any:
        operation = {"op": "complete", "id": self.id, "completed": True}
        return insist(lambda: self.alice("POST", "bulk", json={"operations": [operation]}))

    def complete_all(self) -> Any:
        return insist(lambda: self.alice("POST", "complete-all", json={"completed": True}))

    def live(self) -> dict[int, Any]:
        tasks = self.alice("GET", "?limit=1000").json()["tasks"]
        return {task["id"]: task for task in tasks}

    def next_ones(self) -> list[Any]:
        return [one for one in self.live().values() if one["previous_id"] == self.id]


@pytest.mark.parametrize("other", [Task.complete, Task.update, Task.bulk, Task.complete_all])
def test_two_clients_who_complete_one_occurrence_at_once_make_one_next_task(alice, other):
    for _ in range(ROUNDS):
        task = Task(alice)

        answers = together([task.complete, partial(other, task)])

        assert [answer.status_code for answer in answers] == [200, 200]
        live = task.live()
        [made] = [one for one in live.values() if one["previous_id"] == task.id]
        assert (live[task.id]["completed"], live[task.id]["next_id"]) == (True, made["id"])


def test_completing_and_reopening_at_once_leaves_a_next_task_of_a_completed_one_alone(alice):
    for _ in range(ROUNDS):
        task = Task(alice)
        first = task.complete().json()["next_id"]

        answers = together([task.complete, partial(task.complete, False)])

        assert [answer.status_code for answer in answers] == [200, 200]
        now = alice("GET", f"{task.id}").json()
        made = [one["id"] for one in task.next_ones()]
        assert made == ([now["next_id"]] if now["completed"] else [])
        assert first not in made
        parent = alice("GET", f"{task.step}").json()["parent_id"]
        assert parent == (now["next_id"] or task.id)


def test_a_task_that_is_deleted_as_it_is_completed_has_a_next_one_or_was_gone(alice):
    for _ in range(ROUNDS):
        task = Task(alice)

        completed, deleted = together([task.complete, partial(task.send, "DELETE")])

        assert deleted.status_code == 204
        made = [one["id"] for one in task.next_ones()]
        if completed.status_code == 200:
            assert made == [completed.json()["next_id"]]
        else:
            assert (completed.json()["code"], made) == ("task_not_found", [])


def test_a_task_that_is_skipped_as_it_is_completed_is_skipped_before_or_not_at_all(alice):
    for _ in range(ROUNDS):
        task = Task(alice)
        due = alice("GET", f"{task.id}/occurrences?limit=2").json()["occurrences"]

        completed, skipped = together([task.complete, partial(task.send, "POST", "/skip")])

        assert completed.status_code == 200
        [made] = task.next_ones()
        assert made["id"] == completed.json()["next_id"]
        if skipped.status_code == 200:
            assert [skipped.json()["due_date"], made["due_date"]] == due
        else:
            assert [error["code"] for error in skipped.json()["errors"]] == ["contradiction"]
            assert made["due_date"] == due[0]


def test_a_tree_that_is_completed_while_others_change_it_stays_whole(alice):
    for _ in range(ROUNDS):
        task, step, other = Task(alice), Task(alice), Task(alice)
        for one in (step, other):
            assert one.send("PATCH", parent_id=task.id).status_code == 200

        together(
            [task.complete, step.complete, partial(other.send, "DELETE", ""), task.complete_all]
        )

        made = [one["previous_id"] for one in task.live().values() if one["previous_id"]]
        assert len(made) == len(set(made))
