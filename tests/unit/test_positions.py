"""Positions of siblings in an order by hand: `todo.values.positions`."""

import random
import string
from bisect import bisect
from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.depth import examples
from todo.values.positions import (
    MAX_LENGTH,
    ROOM_LENGTH,
    SIBLINGS_PER_SIDE,
    between,
    first,
    is_position,
    last,
    spread,
    window,
)
from todo.values.revisions import MAX_REVISION

MOVES = examples(2_500, in_ci=10_000)
"""Moves of one attack: the first rewrite comes after some 450."""

DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
LAST_ONES = [62**width - 1 for width in range(1, 9)]
revisions = st.integers(1, MAX_REVISION) | st.sampled_from(
    [*LAST_ONES, *(edge + 1 for edge in LAST_ONES), MAX_REVISION]
)
digits = st.text(DIGITS, min_size=1, max_size=30)
tails = st.builds(lambda fraction, end: fraction + nine_digits(end), digits, revisions)
integers = st.builds(
    lambda make, revision: make(revision), st.sampled_from([first, last]), revisions
)
keys = integers | st.builds(str.__add__, integers, tails)
pairs = st.lists(keys, min_size=2, max_size=2, unique=True).map(sorted)
close_pairs = st.builds(
    lambda integer, two: sorted(integer + tail for tail in two),
    integers,
    st.lists(st.just("") | tails, min_size=2, max_size=2, unique=True),
)


def nine_digits(revision: int) -> str:
    """The end of a position between two."""
    position = between(last(1), last(2), revision)
    assert position is not None
    return position[-9:]


def is_ascending(positions: list[str]) -> bool:
    return positions == sorted(set(positions))


class Place:
    """A place as its callers keep it, and the plain list that says what its order has to be."""

    def __init__(self) -> None:
        self.order: list[int] = []
        self.positions: dict[int, str] = {}
        self.given: list[str] = []
        self.revision = 0
        self.rewrites: list[int] = []

    def give(self, sibling: int, position: str) -> None:
        self.positions[sibling] = position
        self.given.append(position)

    def take_out(self, sibling: int) -> None:
        if sibling in self.positions:
            self.order.remove(sibling)
            del self.positions[sibling]

    def bring_back(self, sibling: int, position: str) -> None:
        """Undo what took a sibling out."""
        self.positions[sibling] = position
        self.order.insert(bisect(self.order, position, key=self.positions.__getitem__), sibling)

    def put(self, sibling: int, index: int) -> None:
        """Move a sibling, or a new one, to an index among the others."""
        self.take_out(sibling)
        before = [
            self.positions[one] for one in self.order[max(0, index - SIBLINGS_PER_SIDE) : index]
        ][::-1]
        after = [self.positions[one] for one in self.order[index : index + SIBLINGS_PER_SIDE]]
        position = between(next(iter(before), None), next(iter(after), None), self.revision + 1)
        if position is None:
            position = self.rewrite(before, after, index)
        self.revision += 1
        self.order.insert(index, sibling)
        self.give(sibling, position)

    def rewrite(self, before: list[str], after: list[str], index: int) -> str:
        """Give siblings around the gap new positions; return the one in the gap."""
        found = window(before, after, self.revision + 1)
        assert found is not None
        around = self.order[index - found.before : index + found.after]
        for sibling, position in zip(around, found.positions, strict=True):
            self.revision += 1
            self.give(sibling, position)
        self.rewrites.append(len(around))
        return found.moved

    def check(self) -> None:
        assert sorted(self.positions, key=lambda one: self.positions[one]) == self.order
        assert len(set(self.given)) == len(self.given)
        assert all(is_position(position) for position in self.given)


@given(st.lists(revisions, min_size=1, unique=True))
def test_integers_compare_as_their_numbers_do(numbers):
    ascending = sorted(numbers)

    assert is_ascending([first(n) for n in reversed(ascending)] + [last(n) for n in ascending])


@pytest.mark.parametrize(
    ("revision", "start", "end"),
    [
        (1, "Zy", "a1"),
        (61, "Z0", "az"),
        (62, "Yyz", "b10"),
        (MAX_REVISION, "RKkJCm2XLs", "ifFgnDxSe7"),
    ],
)
def test_an_integer_is_a_letter_for_its_width_and_its_digits(revision, start, end):
    assert (first(revision), last(revision)) == (start, end)


@pytest.mark.parametrize("revision", [-1, 0, MAX_REVISION + 1])
@pytest.mark.parametrize(
    "make",
    [first, last, lambda revision: between(last(1), last(2), revision)],
    ids=["first", "last", "between"],
)
def test_a_number_that_is_no_revision_makes_no_position(make, revision):
    with pytest.raises(ValueError, match=str(revision)):
        make(revision)


@given(pairs | close_pairs, revisions)
def test_a_position_between_two_is_there_whatever_the_revision(pair, revision):
    left, right = pair
    found = [between(left, right, one) for one in (1, revision, MAX_REVISION)]

    for position in found:
        if position is not None:
            assert left < position < right
            assert is_position(position)
    assert len({position and position[:-9] for position in found}) == 1


def test_the_first_position_between_two_integers_is_the_middle_and_the_revision():
    assert between("a1", "a2", 3) == "a1V000000003"
    assert between("a1", "a1V000000003", 4) == "a1F000000004"
    assert between("a1V000000003", "a2", 5) == "a1k000000005"


def test_an_open_side_takes_the_integer_of_the_revision():
    assert between(None, None, 7) == between("a1V000000003", None, 7) == last(7)
    assert between(None, "a1V000000003", 7) == first(7)


@pytest.mark.parametrize("pair", [("a1", "a1"), ("a1V000000010", "a1V0000000100")])
def test_two_neighbours_without_a_digit_between_them_have_no_room(pair):
    assert between(*pair, 7) is None


def test_a_position_of_100_characters_is_the_longest():
    found = between("a1", "a1" + "0" * 88 + "2000000001", 7)

    assert found == "a1" + "0" * 88 + "1000000007"
    assert len(found) == MAX_LENGTH
    assert between("a1", found, 8) is None


def test_a_gap_splits_some_six_times_for_each_character():
    for choose in (lambda gap, new: (gap[0], new), lambda gap, new: (new, gap[1])):
        gap, splits = (last(1), last(2)), 0
        while (position := between(*gap, splits + 3)) is not None:
            gap, splits = choose(gap, position), splits + 1
        assert splits >= 5 * (MAX_LENGTH - len(last(1)) - 9)


@given(pairs | close_pairs, st.lists(revisions, max_size=100, unique=True).map(sorted))
def test_positions_that_are_spread_ascend_between_the_two(pair, several):
    left, right = pair
    positions = spread(left, right, several)

    if positions is not None:
        assert len(positions) == len(several)
        assert is_ascending([left, *positions, right])
        assert all(is_position(position) for position in positions)


@given(st.integers(0, 100))
def test_positions_that_are_spread_on_an_open_side_are_integers(count):
    several = range(62, 62 + count)
    before, after = spread(None, "a1", several), spread("a1", None, several)

    assert before == [first(revision) for revision in reversed(several)]
    assert after == spread(None, None, several) == [last(revision) for revision in several]
    assert is_ascending([*before, "a1", *after])


@pytest.mark.parametrize(("count", "width"), [(1, 1), (61, 1), (62, 2), (998, 2), (3843, 2)])
def test_positions_that_are_spread_have_as_few_digits_as_hold_them(count, width):
    positions = spread("a1", "a2", range(3, 3 + count))

    assert positions is not None
    assert {len(position) for position in positions} == {len("a1") + width + 9}


def test_positions_that_are_spread_leave_the_same_room_everywhere():
    positions = spread("a1", "a2", range(3, 10))

    assert positions is not None
    assert [position[2] for position in positions] == list("7FNVcks")


def test_nothing_is_spread_where_there_is_no_room():
    assert spread("a1", "a1" + "0" * 89 + "000000001", [7]) is None


@given(keys)
def test_what_a_place_has_is_a_position(key):
    assert is_position(key)


@pytest.mark.parametrize(
    "value",
    [
        None,
        1,
        b"a1",
        "",
        "a",
        "1",
        "a0",
        "b01",
        "Zz",
        "Yzy",
        "b1",
        "j1234567890",
        "Q1234567890",
        "izzzzzzzzz",
        "R000000000",
        "a1V",
        "a1000000001",
        "a1V000000000",
        "a1Vzzzzzzzzz",
        "a1V00000000-",
        "a1V00000000\n",
        "a1V00000000é",
        "a\u0661",
        "a1" + "V" * 90 + "000000001",
    ],
)
def test_what_no_place_has_is_no_position(value):
    assert not is_position(value)


def test_short_texts_are_positions_when_they_are_the_integer_of_a_revision():
    texts = {"".join(text) for width in (1, 2) for text in product("YZab", *[DIGITS] * width)}
    made = {make(revision) for make in (first, last) for revision in range(1, 62**2)}

    assert {text for text in texts if is_position(text)} == made


@settings(max_examples=examples(100, in_ci=1_000))
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=60))
def test_any_moves_keep_the_order_of_the_list(moves):
    place = Place()
    for sibling, index in moves:
        others = len(set(place.order) - {sibling})
        place.put(sibling, min(index, others))
        place.check()


CHOICES: dict[str, Callable[[Place, int, random.Random], int]] = {
    "always after the same": lambda place, move, chance: 1,
    "always before the same": lambda place, move, chance: len(place.order) - 1,
    "always at the start": lambda place, move, chance: 0,
    "always at the end": lambda place, move, chance: len(place.order),
    "in turns left and right of the middle": lambda place, move, chance: (
        len(place.order) // 2 + move % 2
    ),
    "anywhere": lambda place, move, chance: chance.randint(0, len(place.order)),
}


@pytest.mark.parametrize("choice", CHOICES)
def test_any_number_of_new_siblings_find_room(choice):
    place, chance = Place(), random.Random(7)
    for sibling in range(MOVES):
        index = CHOICES[choice](place, sibling, chance)
        place.put(sibling, min(max(index, 0), len(place.order)))

    place.check()
    assert sum(place.rewrites) <= 2 * MOVES


@pytest.mark.parametrize("siblings", [3, 30])
def test_a_few_siblings_that_move_to_the_same_gap_for_ever_find_room(siblings):
    place = Place()
    for move in range(MOVES):
        place.put(move % siblings, min(1, len(place.order)))

    place.check()
    assert sum(place.rewrites) <= MOVES


def test_a_position_that_comes_back_collides_with_none():
    place = Place()
    for sibling in (0, 1):
        place.put(sibling, sibling)
    for one in range(2, MOVES // 10, 2):
        gap = place.order.index(one - 1)
        place.put(one, gap)
        old = place.positions[one]
        place.take_out(one)
        place.put(one + 1, gap)
        place.bring_back(one, old)

    place.check()
    assert place.rewrites


def crowd(count: int) -> list[str]:
    """Ascending positions of ``count`` siblings that are all nearly as long as they can be."""
    positions = spread("a1" + "0" * 80 + "000000001", "a1" + "0" * 79 + "1000000001", range(3, 65))
    assert positions is not None
    several = spread(positions[0], positions[1], range(100, 100 + count))
    assert several is not None
    return several


def test_the_window_is_the_smallest_that_leaves_room():
    crowded = crowd(40)
    before = [*crowded[5::-1], "a1", *map(first, range(1, 20))]

    found = window(before, crowded[6:], 1_000)

    assert found is not None
    assert (found.before, found.after) == (8, 8)
    assert [position[-9:] for position in found.positions] == list(
        map(nine_digits, range(1000, 1016))
    )
    assert found.moved[-9:] == nine_digits(1016)
    order = [*found.positions[:8], found.moved, *found.positions[8:]]
    assert is_ascending([before[8], *order, crowded[14]])
    assert max(map(len, order)) < ROOM_LENGTH


def test_a_window_that_reaches_both_ends_stays_inside_of_what_comes_there_later():
    crowded = crowd(5)

    found = window(crowded[1::-1], crowded[2:], 100)

    assert found is not None
    assert (found.before, found.after) == (2, 3)
    order = [*found.positions[:2], found.moved, *found.positions[2:]]
    assert is_ascending([first(100), *order, last(100)])


def test_a_full_side_keeps_its_furthest_sibling():
    before = [last(revision) for revision in range(600, 600 - SIBLINGS_PER_SIDE, -1)]
    crowded = [before[0] + position[2:] for position in crowd(SIBLINGS_PER_SIDE)]

    found = window(before, crowded, 10_000)

    assert found is not None
    assert found.before <= SIBLINGS_PER_SIDE - 1
    kept = before[found.before]
    assert is_ascending([kept, *found.positions, *crowded[found.after :]])


def test_no_window_is_wide_enough_in_a_crowd_of_long_positions():
    crowded = crowd(2 * SIBLINGS_PER_SIDE)

    assert window(crowded[499::-1], crowded[500:], 10_000) is None
    assert window(crowded[498::-1], crowded[499:999], 10_000) is not None
