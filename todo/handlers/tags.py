"""The tags of one user's tasks (tag ``tags``)."""

from typing import Any

from todo.identity.owner import Owner
from todo.services import tags

Json = dict[str, Any]


def list_tags(user: Owner, skip: int, limit: int) -> Json:
    """A page of the user's tags."""
    return tags.page(user.id, skip=skip, limit=limit)


def rename_tag(user: Owner, name: str, body: Json) -> Json:
    """A tag gets another name, on every task that has it."""
    return dict(tags.rename(user, name, body["name"]))


def delete_tag(user: Owner, name: str) -> Json:
    """A tag is taken off every task that has it."""
    return dict(tags.delete(user, name))
