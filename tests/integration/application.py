"""The application in this process, closed with everything that it opened."""

from collections.abc import Iterator
from contextlib import contextmanager

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


def engine_of(service: Service) -> Engine:
    """The engine that requests of ``service`` are served with."""
    with service.application.flask.app_context():
        return db.engine
