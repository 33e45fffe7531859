"""What answers look like: the whole task, the whole problem, and what all problems share."""

import re
from typing import Any, Final

from todo.sync.sync_tokens import Place
from todo.values.positions import last

MAX_PROBLEM = 4096
MAX_DETAIL = 300

PROBLEMS = {
    "malformed_target": (400, "The request target is malformed"),
    "malformed_host": (400, "The Host header is missing or malformed"),
    "malformed_json": (400, "The body is not valid JSON"),
    "body_required": (400, "A body is required"),
    "body_incomplete": (400, "The body is incomplete"),
    "unexpected_body": (400, "This operation takes no body"),
    "unknown_parameter": (400, "Unknown query parameter"),
    "repeated_parameter": (400, "Query parameter given more than once"),
    "token_missing": (401, "The access token is missing"),
    "token_malformed": (401, "The access token is malformed"),
    "token_expired": (401, "The access token has expired"),
    "token_not_yet_valid": (401, "The access token is not valid yet"),
    "alg_not_allowed": (401, "The token's algorithm is not allowed"),
    "kid_unknown": (401, "The token's key is unknown"),
    "signature_invalid": (401, "The token's signature is not valid"),
    "issuer_mismatch": (401, "The token comes from another issuer"),
    "audience_mismatch": (401, "The token is meant for another audience"),
    "claim_missing": (401, "The token lacks a required claim"),
    "token_revoked": (401, "The access token was revoked"),
    "invalid_credentials": (401, "The e-mail or the password is wrong"),
    "user_path_mismatch": (403, "The path belongs to another user"),
    "quota_exceeded": (403, "The user has reached the limit of tasks or lists"),
    "wrong_password": (403, "The current password is wrong"),
    "not_a_local_account": (403, "The token does not belong to a local account"),
    "not_found": (404, "Resource not found"),
    "task_not_found": (404, "Task not found"),
    "list_not_found": (404, "List not found"),
    "tag_not_found": (404, "Tag not found"),
    "method_not_allowed": (405, "The path does not allow this method"),
    "body_timeout": (408, "The body arrived too slowly"),
    "precondition_failed": (412, "The resource has changed"),
    "body_too_large": (413, "The body is too large"),
    "target_too_long": (414, "The request target is too long"),
    "headers_too_large": (431, "The headers are too large"),
    "unsupported_media_type": (415, "The body's media type is not supported"),
    "idempotency_key_in_progress": (
        409,
        "The first request with this Idempotency-Key is still running",
    ),
    "changes_expired": (410, "The sync token has expired"),
    "not_undoable": (409, "The change cannot be undone"),
    "too_many_streams": (429, "Too many streams of this user are open"),
    "email_taken": (409, "An account with this e-mail already exists"),
    "rate_limited": (429, "Too many requests in a short time"),
    "too_many_attempts": (429, "Too many password attempts"),
    "too_many_requests": (429, "Too many requests of this user are waiting"),
    "validation_failed": (422, "The request does not match the contract"),
    "idempotency_key_reused": (422, "The Idempotency-Key belongs to another request"),
    "change_too_large": (422, "The change covers too many tasks"),
    "internal_error": (500, "The server met an unexpected error"),
    "database_unavailable": (503, "The database is unavailable"),
    "keys_unavailable": (503, "The keys that verify tokens are unavailable"),
    "outcome_unknown": (503, "The database connection was lost during the commit"),
    "busy": (503, "The server is busy"),
    "schema_outdated": (503, "The database schema is not up to date"),
    "storage_full": (507, "The database's disk is full"),
}
"""Every code with its status and title. It repeats the product's table on purpose: clients know
these words, so whoever changes one has to say so here, too."""


class _Moment:
    """Equal to every string that is a time as the API writes it."""

    def __eq__(self, other: object) -> bool:
        pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
        return isinstance(other, str) and re.fullmatch(pattern, other) is not None

    __hash__ = None

    def __repr__(self) -> str:
        return "<a moment>"


MOMENT: Any = _Moment()


class _TokenAt:
    """Equal to every sync token of one revision: the random part is anybody's guess."""

    def __init__(self, revision: int) -> None:
        self.revision = revision

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and Place.of(other).revision == self.revision

    __hash__ = None

    def __repr__(self) -> str:
        return f"<a sync token at {self.revision}>"


def token_at(revision: int) -> Any:
    """What a page at the user's ``revision`` has as its ``sync_token``."""
    return _TokenAt(revision)


NO_SERIES: Final = dict.fromkeys(
    (
        "time_zone",
        "recurrence",
        "recurrence_text",
        "occurrence",
        "occurrence_number",
        "series_id",
        "previous_id",
        "next_id",
    )
)
"""What a task has that does not repeat."""


def a_task(owner: str, task_id: int, title: str, **fields: Any) -> dict[str, Any]:
    """The whole task, as it is just after it was created; ``fields`` differ from that."""
    return {
        "id": task_id,
        "user_id": owner,
        "title": title,
        "description": None,
        "completed": False,
        "completed_at": None,
        "priority": "medium",
        "due_date": None,
        "tags": [],
        "list_id": None,
        "parent_id": None,
        "position": last(task_id),
        **NO_SERIES,
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "revision": task_id,
        **fields,
    }


def a_list(owner: str, list_id: int, name: str, **fields: Any) -> dict[str, Any]:
    """The whole list, as it is just after it was created; ``fields`` differ from that."""
    return {
        "id": list_id,
        "user_id": owner,
        "name": name,
        "color": None,
        "position": last(list_id),
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "revision": list_id,
        **fields,
    }


def a_page(tasks: list[Any], **fields: Any) -> dict[str, Any]:
    """The whole page that has all of a user's ``tasks``; ``fields`` differ from that."""
    newest = max((task["revision"] for task in tasks), default=0)
    page = {"tasks": tasks, "total": len(tasks), "limit": 100, "skip": 0, "next_cursor": None}
    whole = {**page, "revision": newest, **fields}
    return {
        **whole,
        "sync_token": token_at(whole["revision"]),
        "subtasks": whole.get("subtasks", {}),
    }


def a_trash_page(tasks: list[Any], **fields: Any) -> dict[str, Any]:
    """The whole page that has all of a user's deleted ``tasks``; ``fields`` differ from that."""
    page = a_page(tasks, **fields)
    return {name: page[name] for name in page if name != "subtasks"}


def problem(
    code: str, detail: str, path: str, errors: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    """The whole problem document."""
    status, title = PROBLEMS[code]
    document = {
        "type": f"/problems/{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "instance": path,
    }
    return document if errors is None else {**document, "errors": errors}


def invalid(path: str, *errors: dict[str, str]) -> dict[str, Any]:
    """The whole problem of a request that is against the contract; made by the two below."""
    first = errors[0]
    place = first.get("pointer", first.get("parameter"))
    detail = f"{place}: {first['detail']}" if place else first["detail"]
    return problem("validation_failed", detail, path, list(errors))


def in_body(pointer: str, code: str, detail: str) -> dict[str, str]:
    """One thing that is wrong in a body."""
    return {"pointer": pointer, "detail": detail, "code": code}


def unknown(field: str, hint: str = "") -> dict[str, str]:
    """A field of a body that no operation has; its name needs no escapes."""
    return in_body(f"/{field}", "unknown_field", f"unknown field '{field}'{hint}")


NOT_BOOLEAN = 'is not of type "boolean"'
MEANT_TRUE = "; did you mean 'true'?"
UNQUOTED = "; did you mean the value without quotes?"
SET_BY_SERVER = "; the server sets this field: leave the field out"
"""The hint at a field of a task that no request has."""


def in_query(parameter: str, code: str, detail: str) -> dict[str, str]:
    """One thing that is wrong with a query parameter."""
    return {"parameter": parameter, "detail": detail, "code": code}


def refusal(response: Any) -> dict[str, Any]:
    """The problem document of ``response``, once it has what every problem document has."""
    assert response.headers["content-type"] == "application/problem+json"
    assert "location" not in response.headers
    assert len(response.content) <= MAX_PROBLEM
    body = response.json()
    assert body["status"] == response.status_code
    assert isinstance(body["detail"], str)
    assert 0 < len(body["detail"]) <= MAX_DETAIL
    assert response.headers["x-request-id"]
    assert (response.status_code == 401) == ("www-authenticate" in response.headers)
    return body
