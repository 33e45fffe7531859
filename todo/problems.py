"""Error responses: raised anywhere as a problem, rendered in one place (RFC 9457).

Nothing else in the project builds an error response.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Self
from urllib.parse import quote, unquote

import orjson

from todo.problem_types import PROBLEM_TYPES, RETRY_AFTER

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
    """An error response in the making. Raise it anywhere; the edge renders it.

    ``code`` is a key of :data:`PROBLEM_TYPES`; ``detail`` is one sentence for a person and never
    holds the input whole. ``current`` is what is stored now, for a client
    whose copy is old; ``None`` when that is gone.
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
        self.kind = PROBLEM_TYPES[code]
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


class MemberError(Exception):
    """What is wrong with a member of an object in a body; without ``member`` with the object.

    Raised where nobody knows where in the body the object is; see :func:`pointing_at`.
    """

    def __init__(self, code: str, member: str | None, detail: str) -> None:
        super().__init__(detail)
        self.code, self.member, self.detail = code, member, detail


@contextmanager
def pointing_at(pointer: str = "", *, parameter: str | None = None) -> Iterator[None]:
    """Turn :class:`MemberError` into ``validation_failed``; the object is at ``pointer``.

    Where nothing is sent but a ``parameter``, that is what is wrong.
    """
    try:
        yield
    except MemberError as error:
        place = f"{pointer}/{error.member}" if error.member else pointer
        at = {"parameter": parameter} if parameter else {"pointer": place}
        raise validation_failed(Violation(error.code, error.detail, **at)) from None


@dataclass(frozen=True)
class Rendered:
    """A problem as it goes over the wire."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def render(problem: Problem, path: str, prefix: str = "") -> Rendered:
    """Render ``problem``, which occurred on ``path``, in at most :data:`MAX_BODY` bytes.

    ``prefix`` is what stands before every path for the client. Violations are
    dropped from the end until the body fits; ``current`` is never cut.
    """
    document: dict[str, Any] = {
        "type": f"{prefix}/problems/{problem.code}",
        "title": problem.kind.title,
        "status": problem.kind.status,
        "detail": problem.detail[:MAX_DETAIL],
        "code": problem.code,
        "instance": _instance(unquote(prefix) + path),
    }
    shows = problem.current is not None or problem.code == "precondition_failed"
    current = {"current": problem.current} if shows else {}
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
