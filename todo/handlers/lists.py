"""The lists of one user (tag ``lists``)."""

from functools import partial
from typing import Any

from todo.auth.user import User
from todo.context import context
from todo.http.responses import (
    Response,
    commit,
    commit_many,
    created,
    etag_header,
    if_match,
    list_not_modified,
    shown,
    shown_or_not_modified,
)
from todo.lists import deletion, index, moves, service
from todo.lists.resource import LISTS
from todo.sync import reads
from todo.sync.etags import etag

Json = dict[str, Any]


def list_lists(user: User) -> Response:
    """All of the user's lists, and how many tasks each has."""
    etag_at = partial(etag, user.id)
    if (known := list_not_modified(user.id, etag_at)) is not None:
        return known
    found = index.show(user.id)
    return dict(found), 200, etag_header(etag_at(found["sync_token"]))


def create_list(user: User, body: Json) -> Response:
    """A new list."""
    quota = context().lists_per_user
    return commit(user, lambda unit: created(LISTS, service.create(unit, body, quota=quota)))


def get_list(user: User, list_id: int) -> Response:
    """One list."""
    return shown_or_not_modified(reads.get(LISTS, user.id, list_id))


def update_list(user: User, list_id: int, body: Json) -> Response:
    """A partial update, the way front ends use PUT."""
    return commit(user, lambda unit: shown(service.change(unit, list_id, body, if_match())))


def patch_list(user: User, list_id: int, body: Json) -> Response:
    """A partial update, as a merge patch."""
    return update_list(user, list_id, body)


def move_list(user: User, list_id: int, body: Json | None) -> Response:
    """A list goes to another place among the lists."""
    to = body or {}
    return commit(user, lambda unit: shown(moves.move(unit, list_id, to, if_match())))


def delete_list(user: User, list_id: int, tasks: deletion.Destination) -> Response:
    """A list is deleted; its tasks go to the trash, or to the inbox."""
    return commit_many(user, lambda unit: deletion.delete(unit, list_id, tasks, if_match()))
