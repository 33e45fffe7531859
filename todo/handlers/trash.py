"""What one user deleted (tag ``trash``)."""

from flask import current_app
from sqlalchemy import Connection

from todo.auth.user import User
from todo.http.responses import Answer, changed, changed_many, etag_header, expected, link_to_next
from todo.sync.etags import etag_of
from todo.tasks import trash


def list_trash(user: User, skip: int, limit: int, cursor: str | None) -> Answer:
    """A page of the trash, what was deleted last first."""
    days = current_app.config["TRASH_DAYS"]
    page = trash.page(user.id, skip=skip, limit=limit, cursor=cursor, days=days)
    return page, 200, link_to_next(page["next_cursor"])


def restore_task(user: User, task_id: int) -> Answer:
    """A task comes back, as it was."""

    def unit(tx: Connection) -> Answer:
        task = trash.restore(tx, user, task_id, expected())
        return task, 200, etag_header(etag_of(task))

    return changed(user, unit)


def purge_task(user: User, task_id: int) -> Answer:
    """A task is gone for good."""

    def unit(tx: Connection) -> Answer:
        trash.remove(tx, user, task_id, expected())
        return None, 204, {}

    return changed(user, unit)


def empty_trash(user: User) -> Answer:
    """All that is in the trash is gone for good."""
    return changed_many(user, lambda tx: trash.empty(tx, user))
