"""Every error that a client can see: its code, its status, its words, its rendering (RFC 9457).

Nothing else in the project builds an error response. ``specs/api/errors.md`` documents the same
table for people; a test holds the two together.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Self
from urllib.parse import quote, unquote

import orjson

REALM: Final = "todo"
_WITHOUT_TOKEN: Final = ("token_missing", "invalid_credentials")
MEDIA_TYPE: Final = "application/problem+json"
MAX_BODY: Final = 4096
"""Bytes of a rendered problem: an error never echoes a large input."""
MAX_ERRORS: Final = 10
"""Violations listed in one problem."""
MAX_DETAIL: Final = 300
"""Characters of a ``detail``."""
MAX_INSTANCE: Final = 256
"""Characters of ``instance``, the path that the problem occurred on."""


@dataclass(frozen=True)
class Kind:
    """One row of the table: the HTTP status, the title, and what the client should do."""

    status: int
    title: str
    advice: str


KINDS: Final[Mapping[str, Kind]] = {
    # 400: not understandable
    "malformed_target": Kind(
        400,
        "The request target is malformed",
        "Percent-encode the path and the query as UTF-8, without NUL.",
    ),
    "malformed_json": Kind(
        400, "The body is not JSON", "Send one JSON document in UTF-8 without a byte order mark."
    ),
    "body_required": Kind(400, "A body is required", "Send the JSON object that the docs show."),
    "unexpected_body": Kind(
        400, "This operation takes no body", "Send the request without a body."
    ),
    "unknown_parameter": Kind(
        400,
        "Unknown query parameter",
        "Check the spelling; nothing is ever ignored in silence.",
    ),
    "repeated_parameter": Kind(
        400, "Query parameter given more than once", "Send the parameter once."
    ),
    # 401: the token, and nothing else
    "token_missing": Kind(
        401, "No access token", "Send 'Authorization: Bearer <JWT>' with the request."
    ),
    "token_malformed": Kind(
        401,
        "The access token is not a JWT",
        "Send a JWT, three parts joined by dots; not the opaque session token of a sign-in.",
    ),
    "token_expired": Kind(
        401, "The access token has expired", "Get a new token and send the request again."
    ),
    "token_not_yet_valid": Kind(
        401,
        "The access token is not valid yet",
        "Compare the clocks of the server that issued the token and of this one.",
    ),
    "alg_not_allowed": Kind(
        401,
        "The token's algorithm is not allowed",
        "Sign with an algorithm that 'detail' names.",
    ),
    "kid_unknown": Kind(
        401,
        "The token's key is not known",
        "Get a new token; if that does not help, compare BETTER_AUTH_URL with the token's 'iss'.",
    ),
    "signature_invalid": Kind(
        401,
        "The token's signature is not valid",
        "Check that both servers use the same BETTER_AUTH_SECRET.",
    ),
    "issuer_mismatch": Kind(
        401,
        "The token comes from another issuer",
        "Compare the token's 'iss' with BETTER_AUTH_URL, or with the issuer in the settings.",
    ),
    "audience_mismatch": Kind(
        401,
        "The token is meant for another audience",
        "Compare the token's 'aud' with BETTER_AUTH_URL, or with the audience in the settings.",
    ),
    "claim_missing": Kind(
        401,
        "The token lacks a claim",
        "Issue tokens with 'exp' and with the user's id as 'sub', 1 to 255 printable characters.",
    ),
    "token_revoked": Kind(
        401,
        "The access token was revoked",
        "The account's password was changed; log in again.",
    ),
    "invalid_credentials": Kind(
        401,
        "The e-mail or the password is wrong",
        "Check both; the answer does not tell which it is.",
    ),
    # 403
    "user_path_mismatch": Kind(
        403,
        "The path belongs to another user",
        "Use the token's own 'sub' in the path, or the word 'me'.",
    ),
    "quota_exceeded": Kind(
        403,
        "The user has too many tasks",
        "Whoever runs the server can raise TASKS_PER_USER. Deleted tasks count, too.",
    ),
    "wrong_password": Kind(
        403, "The current password is wrong", "Send the account's current password as 'password'."
    ),
    "not_a_local_account": Kind(
        403,
        "The token is not of a local account",
        "Use the service that issued the token; this server's accounts log in at /api/auth/login.",
    ),
    # 404, 405
    "not_found": Kind(404, "No such resource", "Check the path against the docs."),
    "task_not_found": Kind(
        404,
        "No such task",
        "Check the id: the task was deleted or restored, is somebody else's, or never was.",
    ),
    "tag_not_found": Kind(404, "No such tag", "GET the user's tags: no task has this one."),
    "method_not_allowed": Kind(
        405, "The method is not allowed here", "Use one of the methods in the Allow header."
    ),
    # 408, 412, 413, 414, 415
    "precondition_failed": Kind(
        412,
        "The task has changed",
        "Nothing was written. 'current' is the task; repeat with its ETag, or ask the user.",
    ),
    "body_timeout": Kind(
        408,
        "The body took too long",
        "Nothing was written. Send the request again, over a better connection.",
    ),
    "body_too_large": Kind(
        413, "The body is too large", "Send at most 65,536 bytes; 1,048,576 in bulk."
    ),
    "target_too_long": Kind(
        414, "The request target is too long", "Keep path and query within 4,096 bytes."
    ),
    "unsupported_media_type": Kind(
        415,
        "The body's media type is not supported",
        "Send 'Content-Type: application/json', in UTF-8.",
    ),
    # 409, 429
    "idempotency_key_in_progress": Kind(
        409,
        "The first request with this key is still running",
        "Send the same request again after the seconds in Retry-After.",
    ),
    "email_taken": Kind(409, "The e-mail has an account already", "Log in, or use another e-mail."),
    "too_many_attempts": Kind(
        429, "Too many attempts", "Repeat after the seconds in Retry-After, not before."
    ),
    # 422: understood, but against the contract
    "validation_failed": Kind(
        422, "The request is against the contract", "Mend what 'errors' lists."
    ),
    "idempotency_key_reused": Kind(
        422,
        "The Idempotency-Key is that of another request",
        "Make a new key for each change; send an old one only with the very same request.",
    ),
    # 5xx
    "internal_error": Kind(
        500,
        "Unexpected error",
        "Report it with the X-Request-ID; the server's log has the cause under that id.",
    ),
    "database_unavailable": Kind(
        503,
        "The database cannot be reached",
        "Nothing was written. Repeat after the seconds in Retry-After.",
    ),
    "keys_unavailable": Kind(
        503,
        "The keys to verify tokens cannot be had",
        "Keep the token; repeat after the seconds in Retry-After.",
    ),
    "outcome_unknown": Kind(
        503,
        "The connection died while committing",
        "The change may have been made. Repeat it with its Idempotency-Key, or read again first.",
    ),
    "busy": Kind(
        503, "The server is busy", "Nothing was written. Repeat after the seconds in Retry-After."
    ),
    "schema_outdated": Kind(
        503, "The database schema is not up to date", "Whoever runs the server: 'todo migrate'."
    ),
    "storage_full": Kind(
        507, "The database's disk is full", "Nothing was written; reading still works. Make room."
    ),
}

RETRY_AFTER: Final[Mapping[str, int]] = {
    "database_unavailable": 2,
    "keys_unavailable": 5,
    "outcome_unknown": 1,
    "busy": 1,
    "idempotency_key_in_progress": 1,
    "schema_outdated": 30,
}
"""Seconds a client should wait, for every problem that passes by itself."""


@dataclass(frozen=True)
class Violation:
    """One thing that is against the contract.

    Exactly one of ``pointer`` (into the body, RFC 6901) and ``parameter`` (a name) is set.
    """

    code: str
    detail: str
    pointer: str | None = None
    parameter: str | None = None

    def as_json(self) -> dict[str, str]:
        """Return the members that are set, the place first."""
        place = (
            {"pointer": self.pointer}
            if self.pointer is not None
            else {"parameter": self.parameter or ""}
        )
        return {**place, "detail": self.detail, "code": self.code}


class Problem(Exception):  # noqa: N818 - RFC 9457's own word for it
    """An error answer in the making. Raise it anywhere; the edge renders it.

    ``code`` is a key of :data:`KINDS`; ``detail`` is one sentence for a person and never holds
    the input whole. ``current`` is how the resource is that the client took for another.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: Sequence[Violation] = (),
        headers: Mapping[str, str] | None = None,
        current: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.kind = KINDS[code]
        self.detail = detail
        self.errors = errors
        self.current = current
        self.headers = dict(headers or {})
        if code in RETRY_AFTER:
            self.headers["Retry-After"] = str(RETRY_AFTER[code])
        if self.kind.status == HTTPStatus.UNAUTHORIZED:
            self.headers["WWW-Authenticate"] = _challenge(code, detail)

    def at(self, errors: Iterable[Violation]) -> Self:
        """Return this problem, saying where in the request it lies."""
        self.errors = tuple(errors)
        return self

    @property
    def status_code(self) -> int:
        """The HTTP status; Connexion's security layer ranks exceptions by this name."""
        return self.kind.status


@dataclass(frozen=True)
class Rendered:
    """A problem as it goes over the wire."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def render(problem: Problem, path: str) -> Rendered:
    """Render ``problem``, which occurred on ``path``, in at most :data:`MAX_BODY` bytes.

    Violations are dropped from the end until the body fits; ``current`` is never cut.
    """
    document: dict[str, Any] = {
        "type": f"/problems/{problem.code}",
        "title": problem.kind.title,
        "status": problem.kind.status,
        "detail": problem.detail[:MAX_DETAIL],
        "code": problem.code,
        "instance": _instance(path),
    }
    current = {} if problem.current is None else {"current": problem.current}
    errors = [violation.as_json() for violation in problem.errors[:MAX_ERRORS]]
    while True:
        if errors:
            document["errors"] = errors
        if not errors or len(orjson.dumps(document)) <= MAX_BODY:
            break
        errors = errors[:-1]
        document.pop("errors")
    headers = {"Content-Type": MEDIA_TYPE, **problem.headers}
    return Rendered(problem.kind.status, orjson.dumps({**document, **current}), headers)


def _instance(path: str) -> str:
    """Return ``path`` as a URI reference, cut between two characters where it is too long."""
    encoded = quote(path[:MAX_INSTANCE])
    if len(encoded) <= MAX_INSTANCE:
        return encoded
    whole_escapes = re.sub(r"%.?$", "", encoded[:MAX_INSTANCE])
    return quote(unquote(whole_escapes, errors="ignore"))


def _challenge(code: str, detail: str) -> str:
    """Return the ``WWW-Authenticate`` of a 401 (RFC 6750, section 3)."""
    challenge = f'Bearer realm="{REALM}"'
    if code in _WITHOUT_TOKEN:  # section 3.1: no error where no token was sent
        return challenge
    return f'{challenge}, error="invalid_token", error_description="{detail}"'


def validation_failed(*violations: Violation) -> Problem:
    """Return the 422 that lists ``violations``; its detail repeats the first, for people."""
    first = violations[0]
    place = first.pointer if first.pointer is not None else first.parameter
    detail = f"{place}: {first.detail}" if place else first.detail
    return Problem("validation_failed", detail, errors=violations)
