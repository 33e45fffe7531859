"""The application in a worker that has little time for heads, or few files to open.

gunicorn -c python:todo.serving 'tests.integration.narrow_application:impatient()'
"""

import resource

from todo import connections
from todo.app import Application, create_app

FILES = 160


def impatient() -> Application:
    """A head may take half a second."""
    connections.HEAD_SECONDS = 0.5
    connections.SWEEP_SECONDS = 0.1
    return create_app()


def cramped() -> Application:
    """A worker may open :data:`FILES`."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    return create_app()
