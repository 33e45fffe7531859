"""Many writers on one user: whatever is acknowledged is there, once, and the counters are exact."""

import functools
import itertools
import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from tests.api.expect import a_page
from tests.conftest import DIALECTS, SECRET, Caller, Service, settings_for
from tests.integration.application import running
from tests.integration.concurrently import insist, together
from tests.integration.server import Server
from tests.integration.tables import assert_books_balance, counters_of, tasks_of, value

THREADS = 16
ROUNDS = 12
FIRST_TASKS = 12


@dataclass
class Writer:
    """One thread's caller: does what it is told, and remembers what was acknowledged."""

    caller: Caller
    name: str
    changed: list[dict[str, Any]] = field(default_factory=list)
    deleted: list[int] = field(default_factory=list)

    @property
    def changes(self) -> int:
        return len(self.changed) + len(self.deleted)

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx2.Response:
        """Send a change under a key of its own, as docs/errors.md tells clients to."""
        key = {"Idempotency-Key": str(uuid.uuid4())}
        return insist(lambda: self.caller(method, path, json=body, headers=key), keyed=True)

    def create(self, title: str) -> None:
        response = self.send("POST", "", {"title": title})
        assert response.status_code == 201, response.text
        self.changed.append(response.json())

    def change(self, method: str, path: str, **body: Any) -> None:
        """Change a task that somebody else may have deleted meanwhile."""
        response = self.send(method, path, body or None)
        if response.status_code == 200:
            self.changed.append(response.json())
        else:
            assert (response.status_code, response.json()["code"]) == (404, "task_not_found")

    def delete(self, task_id: int) -> None:
        response = self.send("DELETE", str(task_id))
        if response.status_code == 204:
            self.deleted.append(task_id)
        else:
            assert (response.status_code, response.json()["code"]) == (404, "task_not_found")

    def do_everything(self) -> None:
        """Create, update, toggle and delete, mostly the same few tasks as everybody else."""
        chance = random.Random(self.name)
        for number in range(ROUNDS):
            task_id = chance.randint(1, 2 * FIRST_TASKS)
            match chance.choice(("create", "toggle", "toggle", "update", "update", "delete")):
                case "create":
                    self.create(f"{self.name} creates {number}")
                case "toggle":
                    self.change("PATCH", f"{task_id}/complete")
                case "update":
                    self.change("PUT", str(task_id), title=f"{self.name} updates {number}")
                case "delete":
                    self.delete(task_id)


@pytest.fixture(scope="module", params=DIALECTS)
def crowded(
    request: pytest.FixtureRequest, new_database: Callable[[str], str]
) -> Iterator[Service]:
    """An application with a thread, and a database connection, for each of our threads."""
    with running(settings_for(new_database(request.param), web_threads=THREADS)) as service:
        yield service


def writers(callers: list[Caller]) -> list[Writer]:
    return [Writer(caller, f"writer {number}") for number, caller in enumerate(callers)]


def assert_all_acknowledged_changes_are_there(url: str, team: list[Writer]) -> None:
    """Hold rows and counters against what the API said.

    The answer with the highest revision of a task is how the task must be; every revision went
    to exactly one change.
    """
    owner = team[0].caller
    changed = [task for writer in team for task in writer.changed]
    deleted = [task_id for writer in team for task_id in writer.deleted]
    changes = len(changed) + len(deleted)

    assert_books_balance(url, owner.id, changes=changes)
    assert len(set(deleted)) == len(deleted)
    revisions = [task["revision"] for task in changed]
    assert len(set(revisions)) == len(revisions)
    assert set(revisions) | {
        task["revision"] for task in tasks_of(url, owner.id) if task["trashed"]
    } == set(range(1, changes + 1))

    last = {task["id"]: task for task in sorted(changed, key=lambda task: task["revision"])}
    live = [task for task_id, task in last.items() if task_id not in deleted]
    page = owner("GET", "?sort=updated&order=asc&limit=1000").json()
    assert page == a_page(live_in_order(live), limit=1000, revision=changes)


def live_in_order(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(tasks, key=lambda task: task["revision"])


def test_sixteen_threads_doing_everything_leave_rows_counters_and_revisions_exact(crowded):
    alice = crowded.caller()
    team = writers([alice] * THREADS)
    for number in range(FIRST_TASKS):
        team[0].create(f"first {number}")

    together([writer.do_everything for writer in team])

    assert_all_acknowledged_changes_are_there(crowded.settings.database_url, team)
    assert sum(len(writer.deleted) for writer in team) > 0


def test_sixteen_threads_toggling_one_task_an_even_number_of_times_leave_it_as_it_was(crowded):
    alice = crowded.caller()
    team = writers([alice] * THREADS)
    team[0].create("Buy milk")
    toggles = 10

    def toggle(writer: Writer) -> Callable[[], None]:
        return lambda: [writer.change("PATCH", "1/complete") for _ in range(toggles)]

    together([toggle(writer) for writer in team])

    answers = live_in_order([task for writer in team for task in writer.changed])
    assert [task["revision"] for task in answers] == list(range(1, THREADS * toggles + 2))
    assert [task["completed"] for task in answers[:3]] == [False, True, False]
    assert all(a["completed"] != b["completed"] for a, b in itertools.pairwise(answers))
    assert alice("GET", "1").json() == answers[-1]
    assert answers[-1]["completed"] is False
    assert_books_balance(crowded.settings.database_url, alice.id, changes=len(answers))


def test_first_writes_of_a_new_user_from_sixteen_threads_are_all_there(crowded):
    alice = crowded.caller()
    team = writers([alice] * THREADS)

    together([lambda writer=writer: writer.create(writer.name) for writer in team])

    assert_all_acknowledged_changes_are_there(crowded.settings.database_url, team)
    assert sorted(task["id"] for writer in team for task in writer.changed) == list(
        range(1, THREADS + 1)
    )


def test_quota_holds_when_sixteen_threads_reach_it_at_once(new_database, dialect, service_on):
    url = new_database(dialect)
    alice = service_on(url, web_threads=THREADS, tasks_per_user=5).caller()

    create = functools.partial(alice, "POST", "", json={"title": "Buy milk"})
    answers = together([lambda: insist(create)] * THREADS)

    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [403] * 11
    assert_books_balance(url, alice.id, changes=5)


def test_deleting_one_task_from_sixteen_threads_takes_one_revision(crowded):
    alice = crowded.caller()
    alice.create("Buy milk")

    delete = functools.partial(alice, "DELETE", "1")
    answers = together([lambda: insist(delete)] * THREADS)

    assert sorted(answer.status_code for answer in answers) == [204] + [404] * 15
    assert counters_of(crowded.settings.database_url, alice.id) == {
        "revision": 2,
        "open_tasks": 0,
        "done_tasks": 0,
        "trashed_tasks": 1,
    }


def test_renames_among_other_writers_lose_nothing_and_give_each_task_its_own_revision(crowded):
    alice = crowded.caller()
    path, names = f"/api/{alice.id}/tags", ("home", "work")
    for _ in range(FIRST_TASKS):
        alice.create(tags=["home"])

    def rename(old: str, new: str) -> int:
        response = insist(lambda: alice("PATCH", f"{path}?name={old}", json={"name": new}))
        return response.json()["changed"] if response.status_code == 200 else 0

    def back_and_forth() -> int:
        return sum(rename(*names) + rename(*names[::-1]) for _ in range(ROUNDS))

    def work() -> int:
        changed = 0
        for number in range(ROUNDS):
            body = {"title": "Buy milk", "tags": [names[number % 2]]}
            assert insist(lambda body=body: alice("POST", "", json=body)).status_code == 201
            toggle = functools.partial(alice, "PATCH", f"{1 + number}/complete")
            changed += 1 + (insist(toggle).status_code == 200)
        return changed

    changes = FIRST_TASKS + sum(together([back_and_forth] * 3 + [work] * 5))

    assert_books_balance(crowded.settings.database_url, alice.id, changes=changes)
    total = FIRST_TASKS + 5 * ROUNDS
    counts = {tag["name"]: tag["total"] for tag in alice("GET", path).json()["tags"]}
    assert sum(counts.values()) == total
    for name in names:
        assert alice("GET", f"?tag={name}").json()["total"] == counts.get(name, 0)


@dataclass(frozen=True)
class Place:
    """Where many write at once, and the database that it leads to."""

    url: str
    caller: Callable[[], Caller]


@pytest.fixture(params=DIALECTS)
def place(
    request: pytest.FixtureRequest,
    new_database: Callable[[str], str],
    serving: Callable[..., Server],
    service_on: Callable[..., Service],
) -> Place:
    """PostgreSQL with as many threads as writers; SQLite with two processes on the file."""
    url = new_database(request.param)
    if request.param == "sqlite":
        return Place(url, serving(DATABASE_URL=url, BETTER_AUTH_SECRET=SECRET).caller)
    return Place(url, service_on(url, web_threads=THREADS).caller)


def test_no_update_is_lost_by_clients_who_read_change_and_write_with_if_match(place):
    alice = place.caller()
    alice.create("Buy milk")
    ours = [f"{number:x}" for number in range(THREADS)]

    def add(mine: str) -> int:
        """Add a letter to whatever the description is; return how many tries that took."""
        for tries in itertools.count(1):
            seen = insist(lambda: alice("GET", "1"))
            body = {"description": (seen.json()["description"] or "") + mine}
            headers = {"If-Match": seen.headers["etag"]}
            written = insist(lambda b=body, h=headers: alice("PATCH", "1", json=b, headers=h))
            if written.status_code == 200:
                return tries
            assert written.json()["code"] == "precondition_failed"
        raise AssertionError

    tries = together([functools.partial(add, mine) for mine in ours])

    assert sorted(alice("GET", "1").json()["description"]) == sorted(ours)
    assert sum(tries) > THREADS
    assert_books_balance(place.url, alice.id, changes=1 + THREADS)


def test_requests_of_the_same_keys_from_sixteen_clients_make_one_change_each(place):
    alice = place.caller()
    alice.create("Buy milk")
    keys = [f"key {number}" for number in range(ROUNDS)]

    def in_an_order_of_its_own(seed: int) -> list[tuple[Any, ...]]:
        answers = []
        for key in random.Random(seed).sample(keys, len(keys)):
            toggle = functools.partial(alice, "PATCH", "1/complete")
            answer = insist(functools.partial(toggle, headers={"Idempotency-Key": key}), keyed=True)
            answers.append((key, answer.status_code, answer.content, answer.headers.get("etag")))
        return answers

    told = together([functools.partial(in_an_order_of_its_own, seed) for seed in range(THREADS)])

    answers = {answer for each in told for answer in each}
    assert len(answers) == len(keys)
    assert {status for _, status, *_ in answers} == {200}
    assert_books_balance(place.url, alice.id, changes=1 + len(keys))


def test_one_key_for_different_requests_at_once_goes_to_one_of_them(place):
    alice = place.caller()
    alice.create("Buy milk")
    headers = {"Idempotency-Key": "x"}

    def rename(title: str) -> Any:
        return insist(lambda: alice("PATCH", "1", json={"title": title}, headers=headers))

    answers = together([functools.partial(rename, f"{number}") for number in range(THREADS)])

    [won] = [answer for answer in answers if answer.status_code == 200]
    refused = {answer.json()["code"] for answer in answers if answer is not won}
    assert refused == {"idempotency_key_reused"}
    assert alice("GET", "1").json() == won.json()
    assert_books_balance(place.url, alice.id, changes=2)


def test_bulk_against_delete_is_all_or_nothing(place):
    alice = place.caller()
    for _ in range(3 * ROUNDS):
        alice.create("Buy milk")

    def change(first: int) -> Any:
        operations = [
            {"op": "update", "id": first, "data": {"title": "Buy bread"}},
            {"op": "complete", "id": first + 1, "completed": True},
            {"op": "delete", "id": first + 2},
        ]
        return insist(lambda: alice("POST", "bulk", json={"operations": operations}))

    def delete(task_id: int) -> Any:
        return insist(lambda: alice("DELETE", f"{task_id}"))

    changes = 3 * ROUNDS
    for first in range(1, changes + 1, 3):
        pair = [functools.partial(change, first), functools.partial(delete, first + 1)]
        bulk, deleted = together(pair)
        left = {task["id"]: task["title"] for task in alice("GET", "").json()["tasks"]}
        done = bulk.status_code == 200
        assert deleted.status_code == 204
        assert left.get(first) == ("Buy bread" if done else "Buy milk")
        assert (first + 1 in left, first + 2 in left) == (False, not done)
        if not done:
            [error] = bulk.json()["errors"]
            assert (error["pointer"], error["code"]) == ("/operations/1/id", "task_not_found")
        changes += 4 if done else 1

    assert_books_balance(place.url, alice.id, changes=changes)


def test_bulks_that_cross_each_other_neither_deadlock_nor_lose_anything(place):
    alice = place.caller()
    for number in range(FIRST_TASKS):
        alice.create(f"{number}")

    def set_some(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(ROUNDS):
            ids = chance.sample(range(1, FIRST_TASKS + 1), 6)
            state = chance.choice((True, False))
            operations = [{"op": "complete", "id": i, "completed": state} for i in ids]
            body = {"operations": operations}
            answer = insist(lambda b=body: alice("POST", "bulk", json=b))
            assert answer.status_code == 200, answer.text
            tasks = [result["task"] for result in answer.json()["results"]]
            assert [task["id"] for task in tasks] == ids
            assert {task["completed"] for task in tasks} == {state}

    together([functools.partial(set_some, seed) for seed in range(THREADS // 2)])

    revision = alice("GET", "").json()["revision"]
    assert_books_balance(place.url, alice.id, changes=revision)


def test_users_who_write_at_once_do_not_touch_each_other(crowded):
    callers = [crowded.caller() for _ in range(THREADS)]
    team = writers(callers)

    together([writer.do_everything for writer in team])

    for writer in team:
        if writer.changes:
            assert_all_acknowledged_changes_are_there(crowded.settings.database_url, [writer])


def test_sixteen_clients_of_two_processes_on_one_sqlite_file_leave_everything_exact(
    new_database, serving
):
    url = new_database("sqlite")
    server: Server = serving(DATABASE_URL=url, BETTER_AUTH_SECRET=SECRET)
    alice = server.caller()
    team = writers([alice] * THREADS)
    for number in range(FIRST_TASKS):
        team[0].create(f"first {number}")

    together([writer.do_everything for writer in team])

    assert len(server.workers()) == 2
    assert_all_acknowledged_changes_are_there(url, team)
    assert value(url, "SELECT count(*) FROM users") == 1
