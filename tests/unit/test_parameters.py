"""Strict parsing of parameters: `todo.http.contract.parameters`."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todo.http.contract import ContractError
from todo.http.contract.parameters import Parameter, QueryParser
from todo.problems import Problem, Violation

INTEGER = Parameter({"name": "n", "schema": {"type": "integer"}})
BOOLEAN = Parameter({"name": "b", "schema": {"type": "boolean"}})
TEXT = Parameter({"name": "t", "schema": {"type": "string", "maxLength": 5}})
COUNT = Parameter({"name": "count", "schema": {"type": "integer", "maximum": 9, "default": 3}})
SEVERAL = Parameter(
    {"name": "tag", "schema": {"type": "array", "maxItems": 2, "items": {"type": "string"}}}
)
NUMBERS = Parameter({"name": "n", "schema": {"type": "array", "items": {"type": "integer"}}})
NEEDED = Parameter({"name": "needed", "required": True, "schema": {"type": "string"}})


@given(st.integers(min_value=-(10**19) + 1, max_value=10**19 - 1))
def test_an_integer_is_read_as_python_writes_it(number):
    assert INTEGER.read(str(number)) == (number, [])


@given(st.text())
def test_an_integer_has_one_spelling(text):
    value, violations = INTEGER.read(text)

    assert str(value) == text or violations


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "+1",
        "-0",
        "00",
        "01",
        "1_0",
        "1.0",
        "1e3",
        "0x1",
        "\u0661",
        "²",
        "1\n",
        "1" * 20,
        "-",
    ],
    ids=ascii,
)
def test_another_spelling_is_no_integer(text):
    wrong = Violation("type", 'is not of type "integer"', parameter="n")

    assert INTEGER.read(text) == (None, [wrong])


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False)])
def test_a_boolean_has_two_spellings(text, value):
    assert BOOLEAN.read(text) == (value, [])


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", ""),
        ("null", ""),
        ("True", "; did you mean 'true'?"),
        ("TRUE", "; did you mean 'true'?"),
        ("true ", "; did you mean 'true'?"),
        ("1", "; did you mean 'true'?"),
        ("yes", "; did you mean 'true'?"),
        ("0", "; did you mean 'false'?"),
    ],
)
def test_another_spelling_is_no_boolean(text, hint):
    wrong = Violation("type", f'is not of type "boolean"{hint}', parameter="b")

    assert BOOLEAN.read(text) == (None, [wrong])


def test_a_value_against_its_schema_is_named():
    wrong = Violation("too_long", "is longer than 5 characters", parameter="t")

    assert TEXT.read("123456") == ("123456", [wrong])


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "array", "items": {}},
        {"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
        {"type": "number"},
        {"type": "object"},
    ],
)
def test_a_type_without_a_spelling_is_a_broken_contract(schema):
    with pytest.raises(ContractError, match="'n'"):
        Parameter({"name": "n", "schema": schema})


def test_an_array_has_an_item_for_each_time_it_is_given_and_a_comma_is_part_of_one():
    assert SEVERAL.read("a") == (["a"], [])
    assert SEVERAL.read("a,b", "") == (["a,b", ""], [])
    assert QueryParser([SEVERAL]).parse(b"tag=b&tag=a%2Cc") == {"tag": ["b", "a,c"]}
    assert QueryParser([SEVERAL]).parse(b"") == {"tag": None}


def test_an_array_is_checked_item_by_item_and_as_a_whole():
    too_many = Violation("too_many", "has more than 2 items", parameter="tag")
    wrong = Violation("type", 'is not of type "integer"', parameter="n")

    assert SEVERAL.read("a", "b", "c") == (["a", "b", "c"], [too_many])
    assert NUMBERS.read("1", "x") == (None, [wrong])


QUERY = QueryParser([COUNT, TEXT, BOOLEAN])
KNOWN = "a parameter of this operation, which has: b, count, t."
MEANT = "a parameter of this operation; did you mean 't'? The operation has: b, count, t."


@pytest.mark.parametrize(
    ("query", "arguments"),
    [
        (b"", {"count": 3, "t": None, "b": None}),
        (b"count=9&b=true", {"count": 9, "t": None, "b": True}),
        (b"t=", {"count": 3, "t": "", "b": None}),
        (b"t", {"count": 3, "t": "", "b": None}),
        (b"t=a%2Cb", {"count": 3, "t": "a,b", "b": None}),
        (b"t=a+b", {"count": 3, "t": "a b", "b": None}),
        (b"t=a%2Bb", {"count": 3, "t": "a+b", "b": None}),
        (b"t=a;b", {"count": 3, "t": "a;b", "b": None}),
        (b"t=a=b", {"count": 3, "t": "a=b", "b": None}),
        (b"t=%F0%9F%98%80", {"count": 3, "t": "😀", "b": None}),
        (b"&&b=false&", {"count": 3, "t": None, "b": False}),
        (b"%74=x", {"count": 3, "t": "x", "b": None}),
    ],
)  # fmt: skip
def test_a_query_becomes_an_argument_for_every_parameter(query, arguments):
    assert QUERY.parse(query) == arguments


@given(text=st.text(max_size=5))
def test_any_text_survives_its_encoding(text):
    assert QUERY.parse(urlencode({"t": text}).encode())["t"] == text


@pytest.mark.parametrize(
    ("query", "code", "detail"),
    [
        (b"x=1", "unknown_parameter", f"'x' is not {KNOWN}"),
        (b"T=1", "unknown_parameter", f"'T' is not {MEANT}"),
        (b"t=1&t=2", "repeated_parameter", "'t' is given more than once."),
        (b"t=1&%74=1", "repeated_parameter", "'t' is given more than once."),
        (b"t=%ff", "malformed_target", None),
        (b"t=\xff", "malformed_target", None),
        (b"t=%ed%a0%80", "malformed_target", None),
        (b"&".join([b"x=1"] * 65), "malformed_target", None),
    ],
    ids=lambda value: ascii(value)[:20],
)  # fmt: skip
def test_a_query_that_cannot_be_understood_is_400(query, code, detail):
    with pytest.raises(Problem) as raised:
        QUERY.parse(query)

    assert (raised.value.code, raised.value.status_code) == (code, 400)
    assert detail in (None, raised.value.detail)


def test_everything_that_is_wrong_is_listed_in_the_order_of_the_query():
    with pytest.raises(Problem) as raised:
        QUERY.parse(b"t=123456&count=10&b=x")

    assert raised.value.code == "validation_failed"
    assert [(e.parameter, e.code) for e in raised.value.errors] == [
        ("t", "too_long"),
        ("count", "too_large"),
        ("b", "type"),
    ]


def test_a_required_parameter_that_is_absent_is_named():
    with pytest.raises(Problem) as raised:
        QueryParser([NEEDED]).parse(b"")

    assert list(raised.value.errors) == [Violation("required", "is required", parameter="needed")]


def outcome(query):
    """What becomes of ``query``: the names of the arguments, or the status of the refusal."""
    try:
        return set(QUERY.parse(query))
    except Problem as problem:
        return problem.status_code


@given(st.binary(max_size=200))
def test_no_query_crashes_the_parser(query):
    assert outcome(query) in ({"count", "t", "b"}, 400, 422)
