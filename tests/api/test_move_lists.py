"""``POST /api/{user_id}/lists/{list_id}/move``: an order by hand, whoever moves what."""

from functools import partial
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.expect import MOMENT, a_list, in_body, invalid, problem, refusal
from tests.conftest import Caller, Service
from tests.depth import examples
from tests.integration.concurrently import insist, together
from todo.values.positions import MAX_LENGTH, first, last

pytestmark = pytest.mark.pooled

FEW = 4
"""Lists that are moved: few, so that moves meet in the same gaps."""


def move(caller: Caller, list_id: int, body=None, **kwargs):
    return caller("POST", f"{caller.lists}/{list_id}/move", json=body, **kwargs)


def order(caller: Caller) -> list[int]:
    """The ids of the lists, in the order of the response."""
    found = caller("GET", caller.lists).json()["lists"]
    positions = [one["position"] for one in found]
    assert positions == sorted(set(positions))
    assert max(map(len, positions), default=0) <= MAX_LENGTH
    return [one["id"] for one in found]


@pytest.fixture
def alice(service: Service) -> Caller:
    alice = service.caller()
    for number in range(FEW):
        alice.create_list(f"List {number + 1}")
    return alice


@pytest.mark.parametrize(
    ("list_id", "body", "expected"),
    [
        (1, {"at": "end"}, [2, 3, 4, 1]),
        (1, None, [2, 3, 4, 1]),
        (1, {}, [2, 3, 4, 1]),
        (4, {"at": "start"}, [4, 1, 2, 3]),
        (4, {"before": 2}, [1, 4, 2, 3]),
        (4, {"before": 1}, [4, 1, 2, 3]),
        (1, {"after": 2}, [2, 1, 3, 4]),
        (1, {"after": 4}, [2, 3, 4, 1]),
    ],
)
def test_a_move_puts_one_list_elsewhere_and_leaves_all_others(alice, list_id, body, expected):
    others = {n: alice("GET", f"{alice.lists}/{n}").json() for n in range(1, 5) if n != list_id}

    response = move(alice, list_id, body)

    moved = response.json()
    assert response.status_code == 200
    shown = {"position": moved["position"], "updated_at": MOMENT, "revision": 5}
    assert moved == a_list(alice.id, list_id, f"List {list_id}", **shown)
    assert response.headers["etag"] == alice("GET", f"{alice.lists}/{list_id}").headers["etag"]
    assert order(alice) == expected
    assert {n: alice("GET", f"{alice.lists}/{n}").json() for n in others} == others


def test_the_ends_need_no_neighbour(alice):
    assert move(alice, 1).json()["position"] == last(5)
    assert move(alice, 3, {"at": "start"}).json()["position"] == first(6)


@pytest.mark.parametrize(
    ("list_id", "body"),
    [(4, {"at": "end"}), (4, None), (1, {"at": "start"}), (2, {"after": 1}), (2, {"before": 3})],
)
def test_a_list_that_is_there_already_stays_as_it_is(alice, list_id, body):
    before = alice("GET", alice.lists).json()

    response = move(alice, list_id, body)

    assert (response.status_code, response.json()) == (200, before["lists"][list_id - 1])
    assert alice("GET", alice.lists).json() == before


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"before": 1, "after": 2}, in_body("/after", "contradiction", "is given beside 'before'")),
        ({"after": 2, "at": "end"}, in_body("/at", "contradiction", "is given beside 'after'")),
        ({"before": 3}, in_body("/before", "contradiction", "is the list itself")),
        ({"after": 3}, in_body("/after", "contradiction", "is the list itself")),
        ({"before": 9}, in_body("/before", "unknown_reference", "is no list of the user's")),
        ({"after": 5}, in_body("/after", "unknown_reference", "is no list of the user's")),
        ({"at": "top"}, in_body("/at", "not_in_enum", "is not one of: start, end")),
    ],
)
def test_a_move_to_nowhere_is_422_and_moves_nothing(alice, body, wrong):
    assert alice.create()["id"] == 5  # a task is no neighbour of a list
    path = f"{alice.lists}/3/move"

    assert refusal(move(alice, 3, body)) == invalid(path, wrong)
    assert order(alice) == [1, 2, 3, 4]


def test_a_deleted_list_is_no_neighbour(alice):
    alice("DELETE", f"{alice.lists}/2")

    wrong = in_body("/after", "unknown_reference", "is no list of the user's")
    assert refusal(move(alice, 1, {"after": 2})) == invalid(f"{alice.lists}/1/move", wrong)


def test_a_list_of_somebody_else_is_not_moved(alice, bob):
    path = f"{bob.lists}/1/move"

    assert refusal(move(bob, 1)) == problem("list_not_found", "List not found", path)


def test_an_undone_move_is_where_it_was_and_undone_again_where_it_went(alice):
    move(alice, 4, {"after": 1})
    for revision, expected in ((5, [1, 2, 3, 4]), (6, [1, 4, 2, 3])):
        alice("POST", f"/api/{alice.id}/undo", json={"revision": revision})
        assert order(alice) == expected


def cross_until_all_move(caller: Caller) -> int:
    """Move two lists between the first and the other, over and over, until a move takes more than
    one revision; return which of the two it moved."""
    revision = FEW
    for one in [3, 2] * 500:
        moved = move(caller, one, {"after": 1}).json()
        if moved["revision"] != revision + 1:
            return one
        revision += 1
    raise AssertionError("there is always room")


def test_where_there_is_no_room_all_lists_get_new_positions_in_one_unit_that_undo_takes_back(alice):
    one = cross_until_all_move(alice)
    other = 5 - one
    found = alice("GET", alice.lists).json()

    assert order(alice) == [1, one, other, 4]
    revisions = range(found["revision"] - FEW + 1, found["revision"] + 1)
    assert [each["position"] for each in found["lists"]] == [last(n) for n in revisions]
    undone = alice("POST", f"/api/{alice.id}/undo", json={"revision": found["revision"]})
    assert undone.json()["changed"] == FEW
    assert order(alice) == [1, other, one, 4]


places = st.one_of(
    st.none(),
    st.fixed_dictionaries({"at": st.sampled_from(["start", "end"])}),
    st.dictionaries(
        st.sampled_from(["before", "after"]), st.integers(1, FEW), min_size=1, max_size=1
    ),
)
moves = st.tuples(st.integers(1, FEW), places)


def moved(ids: list[int], one: int, to: dict[str, object] | None) -> list[int]:
    """What a move makes of the ids; a move beside itself is refused and makes nothing."""
    to = to or {"at": "end"}
    if one in to.values():
        return ids
    others = [other for other in ids if other != one]
    if "at" in to:
        place = 0 if to["at"] == "start" else len(others)
    else:
        [(side, neighbour)] = to.items()
        place = others.index(neighbour) + (side == "after")
    return [*others[:place], one, *others[place:]]


@settings(max_examples=examples(10, 100), suppress_health_check=list(HealthCheck))
@given(pairs=st.lists(st.tuples(moves, moves), max_size=8))
def test_any_moves_of_two_clients_at_once_keep_the_order_of_one_after_the_other(service, pairs):
    alice = service.caller()
    ids = [alice.create_list()["id"] for _ in range(FEW)]
    for pair in pairs:
        together([partial(insist, partial(move, alice, *one)) for one in pair])
        found = order(alice)
        assert found in [moved(moved(ids, *one), *other) for one, other in permutations(pair)]
        ids = found
