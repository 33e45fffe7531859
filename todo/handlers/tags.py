"""The tags of one user's tasks (tag ``tags``)."""

from functools import partial
from typing import Any

from todo.auth.user import User
from todo.http.responses import Response, commit_many, etag_header, list_not_modified
from todo.sync.etags import etag
from todo.tasks import tags

Json = dict[str, Any]


def list_tags(user: User, skip: int, limit: int) -> Response:
    """A page of the user's tags."""
    etag_at = partial(etag, user.id)
    if (known := list_not_modified(user.id, etag_at)) is not None:
        return known
    page = tags.page(user.id, skip=skip, limit=limit)
    return page, 200, etag_header(etag_at(page["sync_token"]))


def rename_tag(user: User, name: str, body: Json) -> Response:
    """A tag gets another name, on every task that has it."""
    return commit_many(user, lambda unit: tags.rename(unit, name, body["name"]))


def delete_tag(user: User, name: str) -> Response:
    """A tag is taken off every task that has it."""
    return commit_many(user, lambda unit: tags.delete(unit, name))
