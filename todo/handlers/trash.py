"""What one user deleted (tag ``trash``)."""

from typing import Any

from flask import current_app

from todo.answers import Answer, expected, link_to_next, tagged
from todo.identity.owner import Owner
from todo.services import trash
from todo.services.etags import etag

Json = dict[str, Any]


def list_trash(user: Owner, skip: int, limit: int, cursor: str | None) -> Answer:
    """A page of the trash, what was deleted last first."""
    days = current_app.config["TRASH_DAYS"]
    page = trash.page(user.id, skip=skip, limit=limit, cursor=cursor, days=days)
    return page, 200, link_to_next(page["next_cursor"])


def restore_task(user: Owner, task_id: int) -> Answer:
    """A task comes back, as it was."""
    task = trash.restore(user, task_id, expected())
    return task, 200, tagged(etag(user.id, task["revision"]))


def purge_task(user: Owner, task_id: int) -> None:
    """A task is gone for good."""
    trash.remove(user, task_id, expected())


def empty_trash(user: Owner) -> Json:
    """All that is in the trash is gone for good."""
    return dict(trash.empty(user))
