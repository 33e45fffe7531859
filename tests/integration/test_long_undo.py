"""Undo of more than the 2,000 entries that it takes back at once."""

from functools import partial

from tests.api.calls import undo
from tests.api.test_undo import state, undone_and_redone
from tests.depth import ONLY_IN_CI

pytestmark = ONLY_IN_CI


def test_a_long_change_is_taken_back_once_though_parents_come_behind_their_subtasks(alice):
    """The log gives it back in batches of 2,000."""
    alice.create_list("Long")
    some = [{"op": "create", "data": {"title": "x", "list_id": 1}}] * 100
    for _ in range(21):
        last = alice("POST", "bulk", json={"operations": some}).json()["revision"]
    below = [{"op": "move", "id": 2 + n, "parent_id": last} for n in range(50)]
    assert alice("POST", "bulk", json={"operations": below}).status_code == 200

    assert (
        undone_and_redone(alice, partial(alice, "DELETE", f"{alice.lists}/1?tasks=inbox")) == 2101
    )


def test_a_long_change_is_taken_back_though_what_is_above_came_last(alice):
    """Three levels, the lower before the upper."""
    some = [{"op": "create", "data": {"title": "x"}}] * 100
    for _ in range(21):
        last = alice("POST", "bulk", json={"operations": some}).json()["revision"]
    for task_id, parent_id in ((2, last), (1, 2)):
        assert alice("POST", f"{task_id}/move", json={"parent_id": parent_id}).is_success
    before = state(alice)
    alice("POST", "complete-all", json={"completed": True})
    cleared = alice("POST", "clear-completed").json()
    assert cleared["changed"] == 2100

    undone = undo(alice, cleared["revision"]).json()

    assert undone["changed"] == 2100
    assert undo(alice, undone["revision"]).status_code == 200
    undone = undo(alice, undone["revision"] + 2100).json()
    completed = undo(alice, cleared["revision"] - 2100)
    assert completed.status_code == 412  # what was deleted and came back has changed since
    assert [len(side) for side in state(alice)] == [len(side) for side in before]
