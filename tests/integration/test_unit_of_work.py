"""The unit of work: what is recorded is written once, at the end, whatever the order of it."""

import pytest

from tests.integration.tables import assert_books_balance, rows
from todo.auth.user import User
from todo.sync.runs import run
from todo.sync.unit_of_work import UnitOfWork
from todo.tasks import service
from todo.tasks.forest import Forest
from todo.tasks.resource import TASKS
from todo.tasks.task import Task
from todo.tasks.terms import Terms
from todo.values.dates import zone

ALICE = User("alice")
KEYS = "SELECT id, title, title_key, completed, revision FROM tasks ORDER BY id"


@pytest.fixture
def two_tasks(database_url, service_on) -> str:
    caller = service_on(database_url).caller("alice")
    caller.create("Buy milk")
    caller.create("Pay the rent")
    return database_url


def changed(unit: UnitOfWork, task: Task, **fields) -> Task:
    return service.edit(Forest(unit), task, fields, Terms(quota=10, where=zone("UTC")))


def test_an_entity_that_changes_twice_in_a_unit_has_one_revision_and_the_keys_of_its_last_text(
    two_tasks, service_on
):
    def work(unit: UnitOfWork) -> None:
        task = unit.entities(TASKS, [1])[1]
        task = changed(unit, task, title="Buy OAT milk")
        changed(unit, task, completed=True)

    with service_on(two_tasks).application.flask.app_context():
        run(ALICE, work)

    assert [tuple(row.values()) for row in rows(two_tasks, KEYS)] == [
        (1, "Buy OAT milk", "buy oat milk", True, 3),
        (2, "Pay the rent", "pay the rent", False, 2),
    ]
    assert_books_balance(two_tasks, "alice", changes=3)


def test_a_unit_that_fails_after_it_recorded_changes_writes_nothing(two_tasks, service_on):
    def work(unit: UnitOfWork) -> None:
        changed(unit, unit.entity(TASKS, 1), title="Buy oat milk")
        raise ZeroDivisionError

    with (
        service_on(two_tasks).application.flask.app_context(),
        pytest.raises(ZeroDivisionError),
    ):
        run(ALICE, work)

    assert_books_balance(two_tasks, "alice", changes=2)
    assert rows(two_tasks, KEYS)[0]["title"] == "Buy milk"


def test_the_moment_of_a_unit_is_one_and_lies_after_the_lock(two_tasks, service_on):
    def work(unit: UnitOfWork) -> list[str]:
        return [
            unit.now,
            changed(unit, unit.entity(TASKS, 1), completed=True)["updated_at"],
            unit.now,
        ]

    with service_on(two_tasks).application.flask.app_context():
        moments, replayed = run(ALICE, work)

    assert len(set(moments)) == 1
    assert moments[0] != ""
    assert replayed is False
