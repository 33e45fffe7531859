"""Two clients at once complete, reopen, skip and delete tasks that repeat."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from tests.api.calls import live, revision
from tests.api.repeating import day, repeating
from tests.conftest import DIALECTS, Service, settings_for
from tests.integration.application import running
from tests.integration.concurrently import Patient, together
from tests.integration.places import assert_places_are_sound

ROUNDS = 10
COMPLETED = {"completed": True}
BULK = {"operations": [{"op": "complete", "id": 1, "completed": True}]}
WAYS: dict[str, tuple[str, str, Any]] = {
    "complete": ("PATCH", "1/complete", COMPLETED),
    "put": ("PUT", "1", COMPLETED),
    "bulk": ("POST", "bulk", BULK),
    "all": ("POST", "complete-all", COMPLETED),
}


@pytest.fixture(scope="module", params=DIALECTS)
def crowded(
    request: pytest.FixtureRequest, new_database: Callable[[str], str]
) -> Iterator[Service]:
    """An application with a thread, and a database connection, for each of our threads."""
    with running(settings_for(new_database(request.param), web_threads=4)) as service:
        yield service


def patient(service: Service) -> Patient:
    return Patient(service.client, service.caller().id)


@pytest.mark.parametrize("pair", [("complete", "complete"), ("complete", "put"), ("put", "bulk")])
def test_two_clients_that_complete_a_task_at_once_make_one_next(crowded, pair):
    for _ in range(ROUNDS):
        alice = patient(crowded)
        repeating(alice, "Water")
        calls = [partial(alice, WAYS[way][0], WAYS[way][1], json=WAYS[way][2]) for way in pair]

        answers = together(calls)

        assert [answer.status_code for answer in answers] == [200, 200]
        assert (sorted(live(alice)), revision(alice)) == ([1, 3], 3)


def test_two_clients_that_skip_a_task_at_once_skip_two_dates(crowded):
    for _ in range(ROUNDS):
        alice = patient(crowded)
        repeating(alice, "Water")

        answers = together([partial(alice, "POST", "1/skip")] * 2)

        assert sorted(answer.json()["due_date"] for answer in answers) == [day(6), day(7)]


def test_completing_a_tree_while_others_change_it_leaves_it_whole(crowded):
    for _ in range(ROUNDS):
        alice = patient(crowded)
        repeating(alice, "Water")
        for _ in range(3):
            repeating(alice, "a", parent_id=1)

        together(
            [
                partial(alice, "PATCH", "1/complete"),
                partial(alice, "PATCH", "2/complete"),
                partial(alice, "DELETE", "3"),
                partial(alice, "POST", "complete-all", json=COMPLETED),
            ]
        )

        made = [task["previous_id"] for task in live(alice).values() if task["previous_id"]]
        assert len(made) == len(set(made))
        assert_places_are_sound(crowded.settings.database_url, alice.id)
