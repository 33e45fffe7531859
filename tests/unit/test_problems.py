"""Every error a client can see: `todo.problems`."""

import json
import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api.expect import PROBLEMS
from todo.problem_types import PROBLEM_TYPES, RETRY_AFTER
from todo.problems import Problem, Violation, render, validation_failed

VIOLATIONS = st.builds(
    Violation,
    code=st.text(max_size=40),
    detail=st.text(max_size=400),
    pointer=st.one_of(st.none(), st.text(max_size=400)),
    parameter=st.text(max_size=200),
)


def test_the_table_is_the_one_that_clients_know():
    assert {code: (kind.status, kind.title) for code, kind in PROBLEM_TYPES.items()} == PROBLEMS


@pytest.mark.parametrize("code", PROBLEM_TYPES)
def test_every_kind_fits_the_contracts_bounds(code):
    kind = PROBLEM_TYPES[code]

    assert re.fullmatch(r"[a-z][a-z0-9_]{0,39}", code)
    assert 400 <= kind.status <= 599
    assert 0 < len(kind.title) <= 100
    assert 0 < len(kind.advice) <= 300
    assert kind.advice.endswith(".")


def test_what_passes_by_itself_says_when_to_come_back():
    unavailable = {code for code, kind in PROBLEM_TYPES.items() if kind.status == 503}
    others = {"idempotency_key_in_progress", "too_many_requests", "too_many_streams"}
    assert set(RETRY_AFTER) == unavailable | others
    assert all(1 <= seconds <= 60 for seconds in RETRY_AFTER.values())


@pytest.mark.parametrize("code", RETRY_AFTER)
def test_the_answer_carries_retry_after(code):
    rendered = render(Problem(code, "Later."), "/")

    assert rendered.headers == {
        "Content-Type": "application/problem+json",
        "Retry-After": str(RETRY_AFTER[code]),
    }


def test_a_problem_is_rendered_whole():
    problem = Problem(
        "validation_failed",
        "limit: is wrong",
        errors=[
            Violation("too_large", "is wrong", parameter="limit"),
            Violation("type", "is no object", pointer=""),
        ],
        headers={"X-Extra": "1"},
    )
    rendered = render(problem, "/api/zoë/tasks")

    assert rendered.status == 422
    assert rendered.headers == {"Content-Type": "application/problem+json", "X-Extra": "1"}
    assert json.loads(rendered.body) == {
        "type": "/problems/validation_failed",
        "title": "The request does not match the contract",
        "status": 422,
        "detail": "limit: is wrong",
        "code": "validation_failed",
        "instance": "/api/zo%C3%AB/tasks",
        "errors": [
            {"parameter": "limit", "detail": "is wrong", "code": "too_large"},
            {"pointer": "", "detail": "is no object", "code": "type"},
        ],
    }


def test_a_problem_without_violations_has_no_errors_member():
    assert "errors" not in json.loads(render(Problem("busy", "Later."), "/").body)


@given(
    code=st.sampled_from(sorted(PROBLEM_TYPES)),
    detail=st.text(min_size=1, max_size=2000),
    path=st.text(max_size=5000),
    errors=st.lists(VIOLATIONS, max_size=30),
)
def test_any_problem_on_any_path_is_short_and_valid_json(code, detail, path, errors):
    rendered = render(Problem(code, detail, errors=errors), path)
    body = json.loads(rendered.body)

    assert len(rendered.body) <= 4096
    assert body["code"] == code
    assert body["detail"] == detail[:300]
    assert len(body.get("errors", [])) <= 10
    assert "errors" not in body or body["errors"]
    assert len(body["instance"]) <= 256
    assert path.startswith(unquote(body["instance"]))
    assert re.fullmatch(r"(%[0-9A-F]{2}|[A-Za-z0-9/_.~-])*", body["instance"])


def test_violations_are_dropped_from_the_end_until_the_body_fits():
    errors = [Violation("type", "x" * 300, parameter=f"p{number:095}") for number in range(10)]
    kept = json.loads(render(Problem("validation_failed", "x", errors=errors), "/").body)["errors"]

    assert kept == [error.as_json() for error in errors[: len(kept)]]
    assert 5 <= len(kept) < 10


def test_the_detail_of_a_failed_validation_repeats_the_first_violation():
    by_pointer = validation_failed(Violation("type", "is wrong", pointer="/title"))
    by_parameter = validation_failed(Violation("type", "is wrong", parameter="limit"))
    whole = validation_failed(Violation("type", "is no object", pointer=""))

    assert [problem.detail for problem in (by_pointer, by_parameter, whole)] == [
        "/title: is wrong",
        "limit: is wrong",
        "is no object",
    ]


def test_a_code_that_is_not_in_the_table_is_a_mistake_of_ours():
    with pytest.raises(KeyError):
        Problem("no_such_code", "")
