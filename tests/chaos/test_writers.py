"""The writers of `make chaos` insist where they may, and report what must not be."""

from typing import Any

import httpx2
import pytest

from tests.api.model import Answer
from tests.chaos.writers import Violation, may_repeat, repeated

REQUEST = httpx2.Request("POST", "http://127.0.0.1/api/me/tasks")
LATER = {"Retry-After": "1"}


def answer(status: int, code: str | None = None, **more: Any) -> httpx2.Response:
    if code is None:
        return httpx2.Response(status, request=REQUEST, **more)
    headers = {"Content-Type": "application/problem+json", **more.pop("headers", {})}
    return httpx2.Response(status, request=REQUEST, headers=headers, json={"code": code})


@pytest.mark.parametrize("status", [200, 201, 204])
def test_success_is_final(status):
    assert not may_repeat(answer(status))


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (503, "database_unavailable"),
        (503, "outcome_unknown"),
        (409, "idempotency_key_in_progress"),
        (429, "too_many_requests"),
    ],
)
def test_what_says_when_to_come_back_is_repeated(status, code):
    assert may_repeat(answer(status, code, headers=LATER))


@pytest.mark.parametrize(
    "seen",
    [
        answer(503, "database_unavailable"),
        answer(500, "internal_error", headers=LATER),
        answer(404, "task_not_found"),
        answer(409, "email_taken", headers=LATER),
        answer(422, "idempotency_key_reused"),
        answer(502, text="<html>Bad Gateway</html>"),
    ],
)
def test_anything_else_is_a_violation_that_shows_it(seen):
    with pytest.raises(Violation) as violation:
        may_repeat(seen)

    assert seen.text in str(violation.value)


BULK = {"results": [{"status": 201, "task": {"id": 1}}, {"status": 204, "task": None}]}
WITHOUT = {"results": [{"status": 201, "task": None}, {"status": 204, "task": None}]}


@pytest.mark.parametrize(
    ("answer", "there", "again"),
    [
        (Answer(204), [], Answer(204, replayed=True)),
        (Answer(200, {"id": 1}), [1], Answer(200, {"id": 1}, replayed=True)),
        (Answer(200, {"id": 1}), [2], Answer(404, ("task_not_found", None))),
        (Answer(200, BULK), [1], Answer(200, BULK, replayed=True)),
        (Answer(200, BULK), [2], Answer(200, WITHOUT, replayed=True)),
        (Answer(200, {"changed": 1}), [], Answer(200, {"changed": 1}, replayed=True)),
    ],
)
def test_a_repeat_is_answered_alike_but_for_tasks_that_were_deleted_for_good(answer, there, again):
    assert repeated(answer, there) == again
