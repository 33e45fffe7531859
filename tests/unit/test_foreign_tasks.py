"""Rows of another back end, read as this API would have taken them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.reading import DOCUMENT, resolved
from todo.http.contract.schemas import Schema
from todo.tasks.foreign_tasks import UnfitRowError, fields_of

ROW = {"id": "1", "user_id": "alice", "title": "Buy milk"}
FIELDS = {
    name: Schema(resolved(schema))
    for name, schema in DOCUMENT["components"]["schemas"]["TaskCreate"]["properties"].items()
}
"""What the contract says of the fields of a new task."""
CHARACTERS = st.sampled_from(
    "aB \n\t\x00\x1b\x1c\x7f\x85\xa0\xad\u200b\u2028\u3000\ufeff\U0001f600"
)
NO_TIMES = (
    "1712120412345",  # milliseconds; as a basic ISO date it would be a day in 1712
    "1712120412",
    "20240101T1000",
    "2024-W01-1",
    "2024-01-01x10:00",
    "2024-01-01 10:00:00+05:99",
    "2024-01-01 24:00:00",
    "2024-02-30",
    "infinity",
)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2024-04-03", "2024-04-03T00:00:00.000Z"),
        ("2024-04-03 05:00", "2024-04-03T05:00:00.000Z"),
        (" 2024-04-03 05:00:12.3456 ", "2024-04-03T05:00:12.345Z"),
        ("2024-04-03T05:00:12Z", "2024-04-03T05:00:12.000Z"),
        ("2024-04-03 05:00:12+05:30", "2024-04-02T23:30:12.000Z"),
        ("2024-04-03 05:00:12-03", "2024-04-03T08:00:12.000Z"),
        ("2024-04-03 05:00:12+0530", "2024-04-02T23:30:12.000Z"),
        ("1890-04-03 05:53:40+00:53:28", "1890-04-03T05:00:12.000Z"),
    ],
)
def test_time_in_any_usual_spelling_is_the_moment_that_it_means(text, meant):
    assert fields_of({**ROW, "created_at": text})["created_at"] == meant


@pytest.mark.parametrize("column", ["created_at", "due_date"])
@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_calendar_time_is_refused_and_never_taken_for_another_moment(column, text):
    with pytest.raises(UnfitRowError, match=column):
        fields_of({**ROW, column: text})


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"title": "\u200b\u00ad"}, "title has no visible character"),
        ({"tags": "Home,\u200b"}, "a tag has no visible character"),
    ],
)
def test_text_that_nobody_sees_is_refused_as_the_api_refuses_it(fields, reason):
    with pytest.raises(UnfitRowError, match=reason):
        fields_of({**ROW, **fields})


def accepts(column: str, text: str) -> bool:
    try:
        fields_of({**ROW, column: text})
    except UnfitRowError:
        return False
    return True


def around(longest: int) -> st.SearchStrategy[str]:
    """Text that is short and odd, or about as long as may be."""
    lengths = st.integers(longest - 1, longest + 1)
    return st.text(CHARACTERS, max_size=4) | lengths.map(lambda length: "x" * length)


def allows(field: str, value: Any) -> bool:
    """Whether the contract allows ``value`` in the field of a new task."""
    return not FIELDS[field].violations(value)


@given(around(200))
def test_a_title_is_taken_exactly_when_the_contract_allows_it(title):
    assert accepts("title", title) == allows("title", title)


@given(around(1000))
def test_a_description_is_taken_exactly_when_the_contract_allows_it(description):
    assert accepts("description", description) == allows("description", description)


@given(
    st.lists(around(50), max_size=3) | st.integers(19, 21).map(lambda n: list(map(str, range(n))))
)
def test_tags_are_taken_exactly_when_the_contract_allows_them(tags):
    assert accepts("tags", json.dumps(tags)) == allows("tags", tags)
