"""The tags of one user's tasks (tag ``tags``)."""

from typing import Any

from todo.answers import Answer, listed_already, tagged
from todo.identity.owner import Owner
from todo.services import tags
from todo.services.etags import etag

Json = dict[str, Any]


def list_tags(user: Owner, skip: int, limit: int) -> Answer:
    """A page of the user's tags."""

    def tag_at(revision: int) -> str:
        return etag(user.id, revision)

    if (known := listed_already(user.id, tag_at)) is not None:
        return known
    page = tags.page(user.id, skip=skip, limit=limit)
    return page, 200, tagged(tag_at(page["revision"]))


def rename_tag(user: Owner, name: str, body: Json) -> Json:
    """A tag gets another name, on every task that has it."""
    return dict(tags.rename(user, name, body["name"]))


def delete_tag(user: Owner, name: str) -> Json:
    """A tag is taken off every task that has it."""
    return dict(tags.delete(user, name))
