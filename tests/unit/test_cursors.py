"""Cursors: canonical text that is decoded strictly. `todo.sync.cursors`."""

import base64
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from todo.sync.cursors import MAX_LENGTH, VERSION, Cursor, decode, digest, encode
from todo.tasks.sorts import SORTS

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
positions = st.lists(st.none() | st.integers(1, 2**53 - 1) | texts, min_size=1, max_size=2)
instants = st.none() | st.just("2026-11-27T14:00:00.000Z")
cursors = st.builds(Cursor, digest=texts.map(digest), moment=instants, position=positions)


def is_refused(parse: Callable[[str], Any], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return True
    return False


@given(cursors)
def test_a_cursor_comes_back_as_it_was(cursor):
    assert decode(encode(cursor)) == cursor


@given(cursors)
def test_a_cursor_fits_into_a_target_as_it_is(cursor):
    text = encode(cursor)

    assert len(text) <= MAX_LENGTH
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_the_longest_title_fits_though_every_character_of_it_is_escaped():
    assert len(encode(Cursor(digest("x"), None, ["\x01" * 200, 2**53 - 1]))) <= MAX_LENGTH


@given(st.text(max_size=100))
def test_text_is_a_cursor_only_in_the_form_that_cursors_are_written_in(text):
    assert is_refused(decode, text) or encode(decode(text)) == text


@given(cursors, st.integers(0, 40), st.sampled_from("A_-=9%"))
def test_a_cursor_with_a_character_too_many_is_none_or_another(cursor, place, character):
    text = encode(cursor)
    changed = f"{text[:place]}{character}{text[place:]}"

    assert is_refused(decode, changed) or encode(decode(changed)) == changed


def payload(value: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()


GOOD = [VERSION, "digest", None, [1]]


def test_the_form_of_the_bad_ones_below_is_good_but_for_one_thing():
    assert decode(payload(GOOD)) == Cursor("digest", None, [1])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A",
        "!!!!",
        "é",
        payload(GOOD) + "=",
        payload(GOOD) + "A",
        payload([VERSION - 1, *GOOD[1:]]),
        payload([True, *GOOD[1:]]),
        payload([1.0, *GOOD[1:]]),
        payload(GOOD[:3]),
        payload([*GOOD, 1]),
        payload([VERSION, 5, None, [1]]),
        payload([VERSION, "digest", 5, [1]]),
        payload([VERSION, "digest", "yesterday", [1]]),
        payload([VERSION, "digest", "2026-11-27T14:00:00Z", [1]]),
        payload([VERSION, "digest", None, 1]),
        payload([VERSION, "digest", None, []]),
        payload([VERSION, "digest", None, [1, 1, 1]]),
        payload([VERSION, "digest", None, [1.5]]),
        payload([VERSION, "digest", None, [[1]]]),
        payload([VERSION, "digest", "", [1]]),
        payload([VERSION, "digest", "0001-01-01T00:00:00.000Z", [1]]),
        payload([VERSION, "digest", "9999-12-31T23:59:59.999Z", [1]]),
        base64.urlsafe_b64encode(b'[1,"x",null,' + b"[" * 300 + b"]" * 300 + b"]").decode(),
        payload([VERSION, "digest", None, {}]),
        payload({"version": VERSION}),
        payload("text"),
        base64.urlsafe_b64encode(b"[1, \"digest\", null, [1]]").decode().rstrip("="),
        base64.urlsafe_b64encode(b"\xff\xfe").decode().rstrip("="),
        base64.urlsafe_b64encode(b"[" * 2000).decode().rstrip("="),
    ],
    ids=lambda text: text[:20],
)  # fmt: skip
def test_another_form_is_no_cursor(text):
    assert is_refused(decode, text)


@pytest.mark.parametrize(
    ("sort", "position"),
    [
        ("created", []),
        ("created", [0]),
        ("created", [2**53]),
        ("created", [True]),
        ("created", ["1"]),
        ("created", [1.0]),
        ("created", [None]),
        ("created", [1, 1]),
        ("updated", ["2026-11-27T14:00:00.000Z"]),
        ("title", [1, 1]),
        ("title", [None, 1]),
        ("title", ["x" * 201, 1]),
        ("title", ["\0", 1]),
        ("title", ["x"]),
        ("due_date", ["2026-02-30", 1]),
        ("due_date", ["2026-12-31T17:00:00Z", 1]),
        ("due_date", ["", 1]),
        ("due_date", [None, None]),
        ("priority", ["urgent", 1]),
        ("priority", [2, 1]),
        ("priority", [["high"], 1]),
        ("priority", [None, 1]),
    ],
)
def test_a_position_that_no_task_could_have_is_refused(sort, position):
    assert not SORTS[sort].is_possible(position)


@pytest.mark.parametrize(
    ("sort", "position"),
    [
        ("created", [1]),
        ("updated", [2**53 - 1]),
        ("title", ["", 1]),
        ("due_date", ["2026-12-31", 1]),
        ("due_date", ["2026-12-31T17:00:00.000Z", 1]),
        ("due_date", [None, 1]),
        ("priority", ["low", 1]),
    ],
)
def test_a_position_that_a_task_could_have_is_taken(sort, position):
    assert SORTS[sort].is_possible(position)
