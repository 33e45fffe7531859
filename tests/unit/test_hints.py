"""Hints at what was meant: `todo.http.contract.hints`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.reading import OPERATIONS
from todo.http.contract import hints

QUERY = ["skip", "limit", "status", "completed", "sort", "order"]
FIELDS = ["title", "description", "completed", "priority", "due_date", "tags"]


@pytest.mark.parametrize("name", ["dueDate", "due-date", "Due_Date", "DUE_DATE", "due date"])
def test_a_name_in_another_style_is_the_name(name):
    assert hints.of_field(name, FIELDS) == "; did you mean 'due_date'?"


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("/api/tasks", "; did you mean '/api/me/tasks'?"),
        ("/api/tasks/1/complete", "; did you mean '/api/me/tasks'?"),
        ("/tasks", "; did you mean '/api/me/tasks'?"),
        ("/stats", "; did you mean '/api/me/stats'?"),
        ("/api/tasks\n", ""),
        ("/api/taskset", ""),
        ("/api/alice/task", ""),
        ("/", ""),
    ],
)
def test_a_path_without_a_user_is_asked_for_me(path, hint):
    assert hints.of_path(path) == hint


def test_a_status_is_a_parameter_of_lists_and_in_a_task_it_is_completed():
    assert hints.of_name("state", QUERY) == "; did you mean 'status'?"
    assert hints.of_field("status", FIELDS) == "; did you mean 'completed'?"


def test_recurrence_is_of_tasks_only():
    assert hints.of_field("repeat", FIELDS) == "; recurrence is not supported"
    assert hints.of_field("repeat_password", ["email", "password"]) == ""


@pytest.mark.parametrize("name", ["", "x", "starred", "t" * 41, "title" * 9, "dueDate" * 1000])
def test_what_is_like_nothing_or_too_long_has_no_hint(name):
    assert hints.of_field(name, FIELDS) == ""


@pytest.mark.parametrize(
    ("value", "schema", "hint"),
    [
        ("", {"type": ["string", "null"]}, "; did you mean null?"),
        ("", {"type": "string"}, ""),
        ("true", {"type": "boolean"}, "; did you mean the value without quotes?"),
        ("True", {"type": "boolean"}, ""),
        ("7", {"type": "integer"}, "; did you mean the value without quotes?"),
        ("7.5", {"type": "integer"}, ""),
        ("work", {"type": ["array", "null"]}, "; did you mean an array?"),
        ("HIGH", {"enum": ["low", "high", None]}, "; did you mean 'high'?"),
        ("hihg", {"enum": ["low", "high", None]}, "; did you mean 'high'?"),
        (None, {"enum": ["low"]}, ""),
        (5, {"enum": ["5"]}, ""),
    ],
)
def test_a_value_that_is_nearly_right_has_a_hint(value, schema, hint):
    assert hints.of_value(value, schema) == hint


@given(st.text(max_size=50))
def test_a_hint_says_only_what_the_contract_has(name):
    said = {"", "; recurrence is not supported", "; reminders are not supported"}
    said |= {f"; did you mean '{known}'?" for known in FIELDS}

    assert hints.of_field(name, FIELDS) in said


def test_every_name_that_has_synonyms_is_of_the_contract():
    names = {
        p["name"] for operation in OPERATIONS for p in operation.definition.get("parameters", [])
    }
    for operation in OPERATIONS:
        for content in operation.bodies.values():
            names |= content["schema"].get("properties", {}).keys()

    assert hints.NAMES.keys() <= names
