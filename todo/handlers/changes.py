"""What has changed for one user (tag ``changes``)."""

from typing import Any

from todo.auth.user import User
from todo.context import context
from todo.entities import ENTITIES, UNDO_RULES
from todo.http.event_stream import EventStream
from todo.http.request import current
from todo.http.responses import Response, commit_many, link_to_next
from todo.lists import undone
from todo.lists.resource import LISTS
from todo.problems import Violation, validation_failed
from todo.sync import history
from todo.sync.changes import read_changes
from todo.sync.sync_tokens import Place
from todo.tasks.resource import TASKS

Json = dict[str, Any]


def list_changes(user: User, since: str, limit: int) -> Response:
    """What has changed behind a sync token."""
    return read_changes(user.id, Place.of(since), limit, ENTITIES).as_json(), 200, {}


async def stream_events(user: User, since: str | None) -> EventStream:
    """What changes, as it happens."""
    request = current()
    begin = request.headers.get("Last-Event-ID", since)
    place = None if begin is None else Place.of(begin)
    token = request.authorization.token if request.authorization else None
    listener = context().streams.open(user.id, token or "")
    return EventStream(listener, place)


def show_history(
    user: User, task_id: int | None, list_id: int | None, limit: int, cursor: str | None
) -> Response:
    """The log, the last change first."""
    if task_id is not None and list_id is not None:
        detail = "is given beside 'task_id'"
        raise validation_failed(Violation("contradiction", detail, parameter="list_id"))
    kind, one = (TASKS.kind, task_id) if list_id is None else (LISTS.kind, list_id)
    page = history.page(user.id, kind=kind, entity_id=one, limit=limit, cursor=cursor)
    return page, 200, link_to_next(page["next_cursor"])


def undo_change(user: User, body: Json) -> Response:
    """A whole unit is taken back."""
    return commit_many(user, lambda unit: undone.undo(unit, body["revision"], ENTITIES, UNDO_RULES))
