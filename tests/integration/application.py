"""The application in this process, closed with everything that it opened."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from tests.conftest import Service
from todo.app import create_app
from todo.models import db
from todo.settings.settings import Settings


@contextmanager
def running(settings: Settings) -> Iterator[Service]:
    """Serve with ``settings`` until the block ends; no connection is left open then."""
    application = create_app(settings)
    with TestClient(application, raise_server_exceptions=False) as client:
        service = Service(application, client, settings)
        yield service
    application.close()


@contextmanager
def sent_by(service: Service) -> Iterator[list[tuple[str, Any]]]:
    """Collect every statement that ``service`` sends while the block lasts, and what it binds."""
    sent: list[tuple[str, Any]] = []

    def note(
        _connection: object, _cursor: object, statement: str, parameters: Any, *_: object
    ) -> None:
        sent.append((statement, parameters))

    engine = engine_of(service)
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def engine_of(service: Service) -> Engine:
    """The engine that requests of ``service`` are served with."""
    with service.application.flask.app_context():
        return db.engine
