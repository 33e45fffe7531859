"""Compiled schemas: `todo.http.contract.schemas`."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todo.auth.user import MAX_EMAIL, MAX_NAME, is_text
from todo.http.contract import ContractError
from todo.http.contract.document import contract_directory, load
from todo.http.contract.schemas import Schema
from todo.values.text_keys import fold, keys_in, tags_key

OBJECT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": {
            "type": "string",
            "minLength": 2,
            "maxLength": 5,
            "pattern": "^[a-z]*$",
            "x-pattern-means": "must be small letters",
        },
        "plain": {"type": "string", "pattern": "^[a-z]*$"},
        "note": {"type": "string", "nullable": True, "maxLength": 3},
        "state": {"type": "string", "nullable": True, "enum": ["open", "done"]},
        "kind": {"type": "string", "enum": ["a", "b", "c", "d"]},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "share": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
        "tags": {
            "type": "array",
            "minItems": 1,
            "maxItems": 2,
            "uniqueItems": True,
            "items": {"type": "string", "maxLength": 2},
        },
        "on": {"type": "boolean"},
        "when": {"type": "string", "format": "date-time"},
        "inner": {"type": "object", "properties": {"x": {"type": "integer"}}},
    },
}


@pytest.mark.parametrize(
    ("instance", "violation"),
    [
        ({}, ("/name", "required", "is required")),
        ({"name": "a"}, ("/name", "too_short", "is shorter than 2 characters")),
        ({"name": "abcdef"}, ("/name", "too_long", "is longer than 5 characters")),
        ({"name": "ABC"}, ("/name", "pattern", "must be small letters")),
        ({"name": "ab", "other": 1}, ("/other", "unknown_field", "unknown field 'other'")),
        ({"name": "ab", "a/b~c": 1}, ("/a~1b~0c", "unknown_field", "unknown field 'a/b~c'")),
        ({"name": "ab", "": 1}, ("/", "unknown_field", "unknown field ''")),
        ({"name": 5}, ("/name", "type", 'is not of type "string"')),
        ({"name": None}, ("/name", "type", 'is not of type "string"')),
        ({"name": "ab", "note": 5}, ("/note", "type", 'is not of types "null", "string"')),
        ({"name": "ab", "note": "abcd"}, ("/note", "too_long", "is longer than 3 characters")),
        ({"name": "ab", "kind": "e"}, ("/kind", "not_in_enum", "is not one of: a, b, c, d")),
        ({"name": "ab", "count": 0}, ("/count", "too_small", "is less than the minimum of 1")),
        ({"name": "ab", "count": 10}, ("/count", "too_large", "is greater than the maximum of 9")),
        ({"name": "ab", "count": 1.5}, ("/count", "type", 'is not of type "integer"')),
        ({"name": "ab", "count": 1.0}, ("/count", "type", 'is not of type "integer"')),
        ({"name": "ab", "count": True}, ("/count", "type", 'is not of type "integer"')),
        ({"name": "ab", "on": 1}, ("/on", "type", 'is not of type "boolean"')),
        ({"name": "ab", "tags": ["a", 5]}, ("/tags/1", "type", 'is not of type "string"')),
        ({"name": "ab", "tags": ["abc"]}, ("/tags/0", "too_long", "is longer than 2 characters")),
        ({"name": "ab", "inner": {"x": "y"}}, ("/inner/x", "type", 'is not of type "integer"')),
        ([], ("", "type", 'is not of type "object"')),
        (None, ("", "type", 'is not of type "object"')),
        ("text", ("", "type", 'is not of type "object"')),
    ],
    ids=ascii,
)
def test_what_is_wrong_is_said_with_its_place_its_code_and_a_sentence(instance, violation):
    assert Schema(OBJECT).violations(instance) == [violation]


@pytest.mark.parametrize(
    "instance", [{"name": "ab", "tags": [1] * 500_000}, {"name": "ab", "tags": [[1] * 99_000]}]
)
def test_of_an_instance_beyond_all_bounds_the_first_error_is_told(instance):
    [(place, _, _)] = Schema(OBJECT).violations(instance)
    assert place.startswith("/tags")


ONE_OF = {
    "oneOf": [
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["op", "size"],
            "properties": {"op": {"type": "string", "enum": ["grow"]}, "size": {"type": "integer"}},
        },
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["op"],
            "properties": {"op": {"type": "string", "enum": ["stop"]}},
        },
    ],
    "discriminator": {"propertyName": "op"},
}


@pytest.mark.parametrize(
    ("instance", "violations"),
    [
        ({"op": "grow", "size": 1}, []),
        ({"op": "stop"}, []),
        ({"op": "grow"}, [("/size", "required", "is required")]),
        ({"op": "stop", "size": 1}, [("/size", "unknown_field", "unknown field 'size'")]),
        ({"op": "grow", "size": 1.0}, [("/size", "type", 'is not of type "integer"')]),
        ({"op": "burst"}, [("/op", "not_in_enum", "is not one of: grow, stop")]),
        ({"size": 1}, [("/op", "required", "is required")]),
        ([], [("", "type", 'is not of type "object"')]),
    ],
    ids=ascii,
)
def test_a_discriminator_tells_which_alternative_is_meant(instance, violations):
    assert Schema(ONE_OF).violations(instance) == violations


@pytest.mark.parametrize(
    ("instance", "code"),
    [
        ({"name": "ab", "tags": []}, "too_few"),
        ({"name": "ab", "tags": ["a", "b", "c"]}, "too_many"),
        ({"name": "ab", "tags": ["a", "a"]}, "not_unique"),
        ({"name": "ab", "share": 0}, "too_small"),
        ({"name": "ab", "when": "yesterday"}, "format"),
        ({"name": "ab", "plain": "ABC"}, "pattern"),
    ],
)
def test_every_constraint_has_a_code_of_ours(instance, code):
    assert [found for _, found, _ in Schema(OBJECT).violations(instance)] == [code]


@pytest.mark.parametrize(
    "instance",
    [
        {"name": "ab"},
        {"name": "ab", "note": None, "state": None},
        {"name": "ab", "note": "", "state": "done"},
        {"name": "abcde", "tags": ["😀😀"], "count": 9, "share": 0.1},
        {"name": "ab", "when": "2026-12-31T17:00:00.000Z"},
    ],
)
def test_what_is_valid_has_no_violations(instance):
    assert Schema(OBJECT).violations(instance) == []


def test_length_counts_characters_not_bytes():
    schema = Schema({"type": "string", "maxLength": 200})

    assert schema.violations("😀" * 200) == []
    assert schema.violations("😀" * 201) != []


def test_null_is_valid_only_where_it_is_nullable():
    assert Schema({"type": "string", "nullable": True}).violations(None) == []
    assert Schema({"type": "string", "nullable": False}).violations(None) != []
    assert Schema({"type": "string"}).violations(None) != []


@pytest.mark.parametrize("name", ["nullable", "example", "examples", "xml", "properties", "type"])
def test_a_property_that_is_called_like_a_keyword_is_a_property(name):
    properties = {name: {"type": "boolean", "nullable": True}}
    schema = Schema({"type": "object", "additionalProperties": False, "properties": properties})

    assert schema.violations({name: True}) == []
    assert schema.violations({name: None}) == []
    assert schema.violations({name: "x"}) != []


VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.just("needle-7f3a")
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["name", "note", "tags", "x"]), inner, max_size=4),
    ),
)


@given(instance=VALUES)
def test_no_violation_holds_a_value(instance):
    found = Schema(OBJECT).violations(instance)

    assert len(found) <= 10
    assert "needle-7f3a" not in json.dumps(found)


def test_the_names_of_unknown_fields_are_cut():
    (violation,) = Schema(OBJECT).violations({"name": "ab", "x" * 5000: 1})

    assert violation == (f"/{'x' * 100}", "unknown_field", f"unknown field '{'x' * 100}'")


def test_no_more_than_ten_violations_are_listed():
    many = {"name": "ab", **{f"field-{number}": 1 for number in range(50)}}

    assert len(Schema(OBJECT).violations(many)) == 10


@pytest.mark.parametrize("levels", [254, 255, 256, 1023])
def test_deep_nesting_is_a_violation_not_a_crash(levels):
    instance = []
    for _ in range(levels):
        instance = [instance]

    for value in (instance, {"name": instance}, {"name": "ab", "other": instance}):
        (violation,) = Schema(OBJECT).violations(value)
        assert violation[1] in ("type", "unknown_field", "too_deep")


def test_a_pattern_that_is_none_is_a_broken_contract():
    with pytest.raises(ContractError, match="schema"):
        Schema({"type": "string", "pattern": "["})


SCHEMAS = load(contract_directory())["components"]["schemas"]


@given(st.text(max_size=210) | st.text(st.sampled_from("a \u200b\ufeff\x1c\ufe0f"), max_size=5))
def test_a_title_is_valid_if_it_is_short_and_has_something_to_see(title):
    # ECMA 262, which OpenAPI's patterns follow: U+FEFF is a space, control characters are none.
    blank = all((c.isspace() and c not in "\x1c\x1d\x1e\x1f\x85") or c == "\ufeff" for c in title)
    spaced = title.replace("\ufeff", " ")
    unseen = all(c.isspace() or not fold(c) for c in spaced) and not spaced.isspace()
    expected = len(title) <= 200 and "\0" not in title and not blank and not unseen

    assert (Schema(SCHEMAS["Title"]).violations(title) == []) == expected


@given(st.text(max_size=1010))
def test_a_description_is_valid_if_it_is_short_and_without_nul(description):
    expected = len(description) <= 1000 and "\0" not in description

    assert (Schema(SCHEMAS["Description"]).violations(description) == []) == expected


TAGS = Schema(
    {
        "type": "array",
        "maxItems": 3,
        "x-unique": "without-case",
        "x-unique-means": "has one twice",
        "items": {"type": "string", "maxLength": 9},
    }
)


def test_an_array_has_no_string_twice_in_whatever_case():
    assert TAGS.violations(["a", "b"]) == []
    assert TAGS.violations(["straße", "STRASSE"]) == [("", "not_unique", "has one twice")]
    assert TAGS.violations(["a", 1, "A"]) == [("/1", "type", 'is not of type "string"')]


def test_what_is_larger_than_the_others_let_through_is_not_folded():
    # Normalising it takes time that grows with the square of its length.
    dear = ["a" + "\u0301\u0323" * 15_000] * 2

    assert [code for _, code, _ in TAGS.violations(dear)] == ["too_long", "too_long"]
    assert [code for _, code, _ in TAGS.violations(["x"] * 5000)] == ["too_many"]


TAG = Schema(SCHEMAS["Tag"])
INVISIBLE = "\u00ad\u200b\u200d\u2060\ufe0f\ufeff\U000e0067"
TAG_LISTS = st.lists(
    st.text(max_size=50) | st.text(st.sampled_from(f"ab İi\u0307\u3000\u2028\n{INVISIBLE}")),
    max_size=5,
)


@given(TAG_LISTS)
def test_tags_that_are_accepted_have_a_part_each_in_their_key(tags):
    accepted = [tag for tag in tags if TAG.violations(tag) == []]
    parts = keys_in(tags_key(accepted))

    assert len(parts) == len(accepted)
    assert all(part.strip() for part in parts)


@given(st.text(max_size=60) | st.text(st.characters(max_codepoint=0xFF), max_size=60))
def test_a_name_and_an_e_mail_that_are_accepted_are_what_a_token_can_carry(text):
    registration = SCHEMAS["Registration"]["properties"]
    name, email = Schema(registration["name"]), Schema(SCHEMAS["Email"])

    assert (name.violations(text) == []) == is_text(text, MAX_NAME)
    assert email.violations(f"{text}@b") != [] or is_text(f"{text}@b", MAX_EMAIL)
