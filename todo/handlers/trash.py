"""What one user deleted (tag ``trash``)."""

from todo.auth.user import User
from todo.context import context
from todo.http.responses import (
    Response,
    commit,
    commit_many,
    if_match,
    link_to_next,
    removed,
    shown,
)
from todo.lists import deletion
from todo.sync import trash
from todo.tasks import service
from todo.tasks.resource import TASKS


def list_trash(user: User, skip: int, limit: int, cursor: str | None) -> Response:
    """A page of the trash, what was deleted last first."""
    days = context().trash_days
    page = trash.page(TASKS, user.id, skip=skip, limit=limit, cursor=cursor, days=days)
    return page, 200, link_to_next(page["next_cursor"])


def restore_task(user: User, task_id: int) -> Response:
    """A task comes back, as it was."""
    return commit(user, lambda unit: shown(service.restore(unit, task_id, if_match())))


def purge_task(user: User, task_id: int) -> Response:
    """A task is gone for good."""
    return commit(user, lambda unit: removed(service.purge(unit, task_id, if_match())))


def empty_trash(user: User) -> Response:
    """All that is in the trash is gone for good."""
    return commit_many(user, deletion.empty_trash)
