"""Preconditions: which version of an entity a change is for (RFC 9110, section 13)."""

from collections.abc import Callable
from dataclasses import dataclass

from todo.problems import Problem
from todo.sync.etags import etag_of
from todo.sync.resource import Entity


@dataclass(frozen=True)
class Precondition:
    """Which ETags an entity may have, and what to say when it has another one."""

    holds: Callable[[str], bool]
    detail: str


def stale(entity: Entity, detail: str) -> Problem:
    """Return the problem of whoever takes ``entity`` for what it was earlier."""
    headers = {"ETag": f'"{etag_of(entity)}"'}
    return Problem("precondition_failed", detail, headers=headers, current=dict(entity))
