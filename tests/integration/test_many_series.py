"""Very many tasks that repeat, completed and reopened together, whatever batches they are in."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.api.calls import bulk, complete_all, live, revision, undone
from tests.api.expect import problem, refusal
from tests.api.repeating import DAILY, DUE, made_of, repeating, tree
from tests.conftest import DIALECTS, Caller, settings_for
from tests.depth import ONLY_IN_CI
from tests.integration.application import running
from tests.integration.places import assert_places_are_sound
from tests.integration.tables import never_analyse
from tests.integration.test_growth import fill
from tests.integration.test_many_tasks import rows_read, steps_taken

MOST_SERIES = 2000
SEVERAL_BATCHES = 130
FEW, MANY = 300, 6_000
MORE = 500
"""Rows or steps: a deeper index takes a few more, and looking at every task far more."""
DATA = {"title": "x", "due_date": DUE, "recurrence": DAILY}


def create_many(caller: Caller, count: int) -> None:
    for start in range(0, count, 100):
        operations = [{"op": "create", "data": DATA}] * min(100, count - start)
        assert bulk(caller, *operations).is_success


def test_trees_of_several_batches_are_completed_reopened_and_taken_back_whole(service, alice):
    create_many(alice, SEVERAL_BATCHES)
    for parent in range(1, SEVERAL_BATCHES, 10):  # far away, by their ids
        repeating(alice, "below", parent_id=parent)
    before, count = tree(live(alice)), len(live(alice))

    assert complete_all(alice).json()["changed"] == count
    after = live(alice)
    made = made_of(after)
    assert len(made) == count
    for one, task in after.items():
        if one in made and task["parent_id"] is not None:
            assert after[made[one]]["parent_id"] == made[task["parent_id"]]
    undone(alice)
    assert tree(live(alice)) == before
    undone(alice)
    assert tree(live(alice)) == tree(after)

    undone(alice)
    complete_all(alice)
    assert complete_all(alice, completed=False).json()["changed"] == count
    assert tree(live(alice)) == before
    assert_places_are_sound(service.settings.database_url, alice.id)


@ONLY_IN_CI
def test_large_trees_are_completed_and_reopened_together(service, alice):
    create_many(alice, 60)
    for parent in range(1, 61):
        below = {"op": "create", "data": {"title": "below", "parent_id": parent}}
        assert bulk(alice, *[below] * 90).is_success

    assert complete_all(alice).json()["changed"] == 60 * 91
    assert alice("GET", "?limit=1").json()["total"] == 2 * 60 * 91
    assert complete_all(alice, completed=False).json()["changed"] == 60 * 91
    assert alice("GET", "?limit=1").json()["total"] == 60 * 91
    assert_places_are_sound(service.settings.database_url, alice.id)


@ONLY_IN_CI
def test_at_most_2000_tasks_that_repeat_change_together(service, alice):
    create_many(alice, MOST_SERIES + 1)
    newest = revision(alice)

    refused = complete_all(alice)

    detail = f"More than {MOST_SERIES} tasks that repeat are too many at once."
    expected = problem("change_too_large", detail, f"{alice.tasks}/complete-all")
    assert refusal(refused) == expected
    assert revision(alice) == newest
    alice("PATCH", "1", json={"recurrence": None})
    assert complete_all(alice).json()["changed"] == MOST_SERIES + 1
    assert complete_all(alice, completed=False).json()["changed"] == MOST_SERIES + 1
    assert alice("GET", "?limit=1").json()["total"] == MOST_SERIES + 1
    assert_places_are_sound(service.settings.database_url, alice.id)


CHANGES: dict[str, Callable[[Caller, int], Any]] = {
    "complete": lambda caller, one: caller("PATCH", f"{one}/complete"),
    "reopen": lambda caller, one: caller("PATCH", f"{one}/complete"),
    "move beside it": lambda caller, one: caller("POST", "3/move", json={"before": one}),
    "skip": lambda caller, one: caller("POST", f"{one}/skip"),
}


def _keep(answers: list[Any], change: Callable[..., Any], *of: Any) -> None:
    answers.append(change(*of))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_change_of_a_series_costs_the_same_however_many_tasks_there_are(new_database, dialect):
    url, costing = new_database(dialect), rows_read if dialect == "postgresql" else steps_taken
    if dialect == "postgresql":
        never_analyse(url)
    for owner, count in (("few", FEW), ("many", MANY)):
        fill(url, dialect, owner, count, trashed=0)
    costs = {}
    with running(settings_for(url)) as service:
        for owner in ("few", "many"):
            caller = service.caller(owner)
            one = repeating(caller, "Water")
            caller("POST", f"{one}/move", json={"before": 12})
            for name, change in CHANGES.items():
                answers: list[Any] = []
                call = partial(_keep, answers, change, caller, one)
                costs[owner, name] = costing(service, call)
                assert answers[0].is_success, answers[0].text

    for name in CHANGES:
        assert costs["many", name] <= costs["few", name] + MORE, (name, costs)
