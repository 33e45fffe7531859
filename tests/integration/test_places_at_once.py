"""Two clients at once move, make and delete what depends on each other: no cycle, no orphan."""

from functools import partial

import pytest

from tests.integration.concurrently import insist, together
from tests.integration.places import assert_places_are_sound

ROUNDS = 20


def send(caller, method, path, **body):
    return insist(lambda: caller(method, path, json=body))


def test_two_tasks_that_move_below_each_other_at_once_make_no_cycle(crowded):
    alice = crowded.caller()
    for first in range(1, 2 * ROUNDS, 2):
        ids = [alice.create()["id"] for _ in range(2)]

        answers = together(
            [
                partial(send, alice, "POST", f"{one}/move", parent_id=other)
                for one, other in (ids, ids[::-1])
            ]
        )

        assert sorted(answer.status_code for answer in answers) == [200, 422], first
        [refused] = [answer for answer in answers if answer.status_code == 422]
        assert [error["code"] for error in refused.json()["errors"]] == ["contradiction"]
    assert_places_are_sound(crowded.settings.database_url, alice.id)


@pytest.mark.parametrize("below", ["create", "move", "restore", "bulk"])
def test_what_comes_below_a_task_that_is_deleted_at_once_is_no_orphan(crowded, below):
    alice = crowded.caller()
    for _ in range(ROUNDS):
        parent, other = alice.create()["id"], alice.create()["id"]
        if below == "restore":
            alice("PATCH", f"{other}", json={"parent_id": parent})
            alice("DELETE", f"{other}")
        data = {"title": "x", "parent_id": parent}
        comes = {
            "create": partial(send, alice, "POST", "", **data),
            "move": partial(send, alice, "POST", f"{other}/move", parent_id=parent),
            "restore": partial(send, alice, "POST", f"/api/{alice.id}/trash/{other}/restore"),
            "bulk": partial(
                send, alice, "POST", "bulk", operations=[{"op": "create", "data": data}]
            ),
        }[below]

        came, deleted = together([comes, partial(send, alice, "DELETE", f"{parent}")])

        assert deleted.status_code == 204
        assert came.is_success or [error["code"] for error in came.json()["errors"]] == [
            "unknown_reference"
        ]
    assert_places_are_sound(crowded.settings.database_url, alice.id)


def test_moves_into_one_gap_at_once_leave_one_order(crowded):
    alice = crowded.caller()
    ids = [alice.create()["id"] for _ in range(10)]

    for _ in range(ROUNDS // 4):
        together([partial(send, alice, "POST", f"{one}/move", after=ids[0]) for one in ids[2:6]])
        answers = [alice("GET", f"{one}").json()["revision"] for one in ids[2:6]]
        tasks = sorted(
            alice("GET", "?limit=1000").json()["tasks"], key=lambda task: task["position"]
        )
        moved = [task["revision"] for task in tasks if task["revision"] in answers]
        assert moved == sorted(answers, reverse=True)
    assert_places_are_sound(crowded.settings.database_url, alice.id)
